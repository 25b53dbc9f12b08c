#include "nftlink/http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <vector>

#include "support/folder.hpp"
#include "support/wait.hpp"

namespace nftlink::http {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::local::stream_protocol;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Both ends run on this thread; the other end reads a head, says what it is told, and keeps the connection.
class ClientTest : public testing::Test {
protected:
    ClientTest() : acceptor_(context_, stream_protocol::endpoint(path())), other_(context_) {}

    std::string path() const { return folder_ / "socket"; }

    void answer(std::string text) {
        acceptor_.async_accept(other_, [this, text](boost::system::error_code) {
            asio::async_read_until(other_, asio::dynamic_buffer(heard_), "\r\n\r\n",
                                   [this, text](boost::system::error_code, std::size_t) { say(text); });
        });
    }
    void say(const std::string& text) { asio::write(other_, asio::buffer(text)); }

    template <typename T>
    std::expected<T, Failure> wait(asio::awaitable<std::expected<T, Failure>> work) {
        return nftlink::wait(context_, std::move(work));
    }
    Failure::Kind failure_of_head() {
        EXPECT_TRUE(wait(client_.send({.target = "/"})));
        return wait(client_.receive_head()).error().kind;
    }
    // With the head of an answer that has this body.
    void receive(const std::string& rest) {
        answer("HTTP/1.1 200 OK\r\n" + rest);
        ASSERT_TRUE(wait(client_.send({.target = "/"})));
        ASSERT_EQ(wait(client_.receive_head()).value(), 200U);
    }

    Folder folder_;
    asio::io_context context_;
    stream_protocol::acceptor acceptor_;
    stream_protocol::socket other_;
    std::string heard_;
    Client client_{context_.get_executor(), path()};
};

TEST_F(ClientTest, AsksAndTakesTheAnswer) {
    answer("HTTP/1.1 422 No\r\nContent-Length: 3\r\n\r\nno!");
    ASSERT_TRUE(
        wait(client_.send({.method = "PUT", .target = "/v1/x?y=%20", .host = "me", .agent = "us", .json = "{}"})));
    EXPECT_EQ(wait(client_.receive_head()).value(), 422U);
    EXPECT_EQ(wait(client_.receive_body(3)).value(), "no!");
    EXPECT_THAT(heard_, StartsWith("PUT /v1/x?y=%20 HTTP/1.1\r\n"));
    for (const char* line :
         {"Host: me\r\n", "User-Agent: us\r\n", "Content-Length: 2\r\n", "application/json", "\r\n\r\n{}"})
        EXPECT_THAT(heard_, HasSubstr(line));
}

TEST_F(ClientTest, SaysWhyThereIsNoConnection) {
    const auto number_of = [&](std::string socket) {
        Client client(context_.get_executor(), std::move(socket));
        client.set_deadline(1h);
        const Failure failure = wait(client.send({})).error();
        EXPECT_EQ(failure.kind, Failure::Kind::unreachable);
        return failure.error_number;
    };
    EXPECT_EQ(number_of(folder_ / "missing"), ENOENT);
    EXPECT_EQ(number_of("/" + std::string(200, 'x')), ENAMETOOLONG);
    acceptor_.close();
    EXPECT_EQ(number_of(path()), ECONNREFUSED);
}

TEST_F(ClientTest, TriesAFullQueueAgain) {
    acceptor_.listen(0);
    stream_protocol::socket first(context_);
    first.connect(path());
    client_.set_deadline(120ms);
    EXPECT_EQ(wait(client_.send({.target = "/"})).error().error_number, EAGAIN);
    Client patient(context_.get_executor(), path());
    patient.set_deadline(1h);
    acceptor_.async_accept([](boost::system::error_code, stream_protocol::socket) {});
    EXPECT_TRUE(wait(patient.send({.target = "/"})));
}

TEST_F(ClientTest, TellsWhatIsNoAnswer) {
    answer("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    EXPECT_EQ(failure_of_head(), Failure::Kind::not_http);
}

TEST_F(ClientTest, TellsAHeadWithoutEnd) {
    answer("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'));
    EXPECT_EQ(failure_of_head(), Failure::Kind::too_large);
}

TEST_F(ClientTest, WaitsNoLongerThanTheDeadline) {
    answer("HTTP/1.1 2");
    client_.set_deadline(20ms);
    EXPECT_EQ(failure_of_head(), Failure::Kind::late);
}

TEST_F(ClientTest, TellsAnAnswerThatIsCutShort) {
    receive("Content-Length: 5\r\n\r\n12");
    other_.close();
    EXPECT_EQ(wait(client_.receive_body(10)).error().kind, Failure::Kind::cut);
}

TEST_F(ClientTest, TakesNoLargerBodyThanItIsTold) {
    receive("Content-Length: 5\r\n\r\n");
    EXPECT_EQ(wait(client_.receive_body(4)).error().kind, Failure::Kind::too_large) << "it didn't wait for it";
}

TEST_F(ClientTest, TakesNoLargerBodyOfUnknownLengthEither) {
    receive("Transfer-Encoding: chunked\r\n\r\n3\r\n123\r\n2\r\n45\r\n");
    EXPECT_EQ(wait(client_.receive_body(4)).error().kind, Failure::Kind::too_large);
}

TEST_F(ClientTest, GivesLinesHoweverTheyAreCut) {
    receive("Transfer-Encoding: chunked\r\n\r\n6\r\none\ntw\r\n2\r\no\n\r\n1\r\n\n\r\n");
    std::vector<std::string> lines;
    while (lines.size() < 3)
        lines.push_back(wait(client_.receive_line(3)).value().value());
    EXPECT_THAT(lines, ElementsAre("one", "two", ""));
    say("5\r\nthree\r\n0\r\n\r\n");
    EXPECT_EQ(wait(client_.receive_line(5)).value(), std::nullopt) << "what isn't ended is no line";
}

TEST_F(ClientTest, GivesALineAlthoughTheEndOfItsChunkIsMissing) {
    receive("Transfer-Encoding: chunked\r\n\r\n8\r\nfirst\nb");
    EXPECT_EQ(wait(client_.receive_line(9)).value(), "first");
    say("\n");
    EXPECT_EQ(wait(client_.receive_line(9)).value(), "b");
}

// Beast's parser asserts that it gets at least five bytes of it.
TEST_F(ClientTest, TakesALastChunkThatComesByteByByte) {
    receive("Transfer-Encoding: chunked\r\n\r\n");
    asio::steady_timer later(context_);
    const std::string rest = "0\r\n\r\n";
    asio::co_spawn(
        context_,
        [](stream_protocol::socket& other, asio::steady_timer& timer, std::string text) -> asio::awaitable<void> {
            for (const char& c : text) {
                asio::write(other, asio::buffer(&c, 1));
                timer.expires_after(1ms);
                co_await timer.async_wait(asio::use_awaitable);
            }
        }(other_, later, rest),
        [](std::exception_ptr) {});
    EXPECT_EQ(wait(client_.receive_body(9)).value(), "");
}

TEST_F(ClientTest, TellsAChunksHeadWithoutEnd) {
    receive("Transfer-Encoding: chunked\r\n\r\n5;" + std::string(100'000, 'x'));
    EXPECT_EQ(wait(client_.receive_body(9)).error().kind, Failure::Kind::too_large);
}

TEST_F(ClientTest, ABodyWithoutLengthEndsWithItsConnection) {
    receive("\r\n12");
    other_.close();
    EXPECT_EQ(wait(client_.receive_body(9)).value(), "12");
}

TEST_F(ClientTest, GivesALineThatHasComeWithoutWaiting) {
    receive("Transfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n2\r\nb\n\r\n2\r\nc\n\r\n");
    ASSERT_EQ(wait(client_.receive_line(3)).value(), "a");
    std::vector<std::string> lines;
    asio::co_spawn(
        context_,
        [](Client& client, std::vector<std::string>& to) -> asio::awaitable<void> {
            while (to.size() < 2)
                to.push_back((co_await client.receive_line(3)).value().value());
        }(client_, lines),
        [](std::exception_ptr) {});
    context_.restart();
    context_.poll_one();
    EXPECT_THAT(lines, ElementsAre("b", "c"));
}

TEST_F(ClientTest, TakesNoLongerLineThanItIsTold) {
    receive("Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n");
    EXPECT_EQ(wait(client_.receive_line(5)).error().kind, Failure::Kind::too_large);
}

TEST_F(ClientTest, TakesNoLongerLineThatIsEndedEither) {
    receive("Transfer-Encoding: chunked\r\n\r\n7\r\n123456\n\r\n");
    EXPECT_EQ(wait(client_.receive_line(5)).error().kind, Failure::Kind::too_large);
}

TEST_F(ClientTest, AStreamWithoutDeadlineGoesOn) {
    client_.set_deadline(20ms);
    receive("Transfer-Encoding: chunked\r\n\r\n");
    client_.lift_deadline();
    asio::steady_timer later(context_, 40ms);
    later.async_wait([&](boost::system::error_code) { say("2\r\na\n\r\n"); });
    EXPECT_EQ(wait(client_.receive_line(3)).value(), "a");
}

TEST_F(ClientTest, EndsWhatIsUnderWayWhenItIsClosed) {
    receive("Content-Length: 5\r\n\r\n");
    asio::post(context_, [&] { client_.close(); });
    EXPECT_EQ(wait(client_.receive_body(10)).error().kind, Failure::Kind::closed);
    EXPECT_EQ(wait(client_.receive_body(10)).error().kind, Failure::Kind::closed);
    EXPECT_EQ(wait(client_.receive_line(10)).error().kind, Failure::Kind::closed);
    EXPECT_EQ(wait(client_.receive_head()).error().kind, Failure::Kind::closed);
    EXPECT_EQ(wait(client_.send({})).error().kind, Failure::Kind::closed);
}

// A service that refuses a request says so before it has read all of it.
TEST_F(ClientTest, TakesTheAnswerOfOneThatDidNotReadOn) {
    acceptor_.async_accept(other_, [this](boost::system::error_code) {
        say("HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n");
        other_.close();
    });
    ASSERT_TRUE(wait(client_.send({.method = "PUT", .target = "/", .json = std::string(10'000'000, ' ')})));
    EXPECT_EQ(wait(client_.receive_head()).value(), 413U);
}

}  // namespace
}  // namespace nftlink::http
