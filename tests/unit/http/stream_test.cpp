#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <stdexcept>

#include "nftlink/http/server.hpp"
#include "server_fixture.hpp"

namespace nftlink::http {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// What a stream is to say, and what it was told.
struct Script {
    explicit Script(asio::io_context& context) : more(context, asio::steady_timer::time_point::max()) {}
    void say(const std::string& lines) {
        waiting.push_back(lines);
        more.cancel();
    }
    asio::steady_timer more;
    std::deque<std::string> waiting;
    int calls = 0;
    int given_up = 0;
    bool cancelled = false;
    bool destroyed = false;
};

class Reader final : public Stream {
public:
    explicit Reader(Script& script) : script_(&script) {}
    ~Reader() override { script_->destroyed = true; }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    asio::awaitable<std::string> next() override {
        ++script_->calls;
        while (script_->waiting.empty()) {
            boost::system::error_code woken;
            co_await script_->more.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
                script_->cancelled = true;
                throw boost::system::system_error(asio::error::operation_aborted);
            }
        }
        std::string lines = script_->waiting.front();
        script_->waiting.pop_front();
        if (lines == "fail")
            throw std::runtime_error("no luck");
        co_return lines;
    }
    void give_up() override {
        ++script_->given_up;
        script_->waiting.clear();
    }

private:
    Script* script_;
};

class StreamTest : public testing::Test, public HttpFixture {
protected:
    void start(Limits limits = {}) {
        HttpFixture::start(
            [this](Request) -> asio::awaitable<Response> {
                Response response;
                response.type = "application/x-ndjson";
                response.stream = std::make_unique<Reader>(script_);
                return wrap(std::move(response));
            },
            limits);
    }
    static asio::awaitable<Response> wrap(Response response) { co_return response; }

    ~StreamTest() override {
        stop();
        settle();
    }

    Script script_{context()};
};

constexpr const char* get = "GET /events HTTP/1.1\r\n\r\n";
// More than a socket's buffers hold.
const std::string much(2 << 20, 'x');

TEST_F(StreamTest, SendsItsHeadAtOnce) {
    start();
    RawClient client(*this);
    client.send(get);
    ASSERT_TRUE(client.has("\r\n\r\n"));
    EXPECT_THAT(client.received, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(client.received, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_THAT(client.received, HasSubstr("\r\nContent-Type: application/x-ndjson\r\n"));
    EXPECT_THAT(client.received, Not(HasSubstr("Content-Length")));
}

TEST_F(StreamTest, SendsWhatItIsGivenInOneChunkEach) {
    start();
    RawClient client(*this);
    client.send(get);
    script_.say("one\ntwo\n");
    ASSERT_TRUE(client.has("\r\n\r\n8\r\none\ntwo\n\r\n"));
    EXPECT_TRUE(until([&] { return script_.calls == 2; }));
    script_.say("three\n");
    ASSERT_TRUE(client.has("6\r\nthree\n\r\n"));
    script_.say("");
    const auto answer = client.answer();
    EXPECT_EQ(answer.body, "one\ntwo\nthree\n");
    EXPECT_TRUE(client.ends());
    EXPECT_THAT(client.received, IsEmpty());
    EXPECT_EQ(script_.calls, 3);
    EXPECT_EQ(script_.given_up, 0);
    EXPECT_TRUE(until([&] { return script_.destroyed; }));
}

TEST_F(StreamTest, OutlivesTheDeadlines) {
    start({.request = milliseconds(100), .idle = milliseconds(100)});
    RawClient client(*this);
    client.send(get);
    ASSERT_TRUE(client.has("\r\n\r\n"));
    run_for(milliseconds(400));
    script_.say("late\n");
    EXPECT_TRUE(client.has("late\n"));
    EXPECT_EQ(script_.given_up, 0);
}

TEST_F(StreamTest, SendsNoChunksToAnOldClient) {
    start();
    RawClient client(*this);
    client.send("GET /events HTTP/1.0\r\n\r\n");
    script_.say("one\n");
    script_.say("");
    EXPECT_TRUE(client.ends());
    EXPECT_THAT(client.received, StartsWith("HTTP/1.0 200 OK\r\n"));
    EXPECT_THAT(client.received, HasSubstr("\r\n\r\none\n"));
    EXPECT_THAT(client.received, Not(HasSubstr("chunked")));
}

TEST_F(StreamTest, AnswersHeadAlone) {
    start();
    RawClient client(*this);
    client.send("HEAD /events HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(client.ends());
    EXPECT_THAT(client.received, testing::EndsWith("\r\n\r\n"));
    EXPECT_EQ(script_.calls, 0);
    EXPECT_TRUE(script_.destroyed);
}

TEST_F(StreamTest, NoticesThatTheClientIsGone) {
    start();
    RawClient client(*this);
    client.send(get);
    EXPECT_TRUE(until([&] { return script_.calls == 1; }));
    client.close();
    EXPECT_TRUE(until([&] { return script_.destroyed; }));
    EXPECT_TRUE(script_.cancelled);
    EXPECT_TRUE(until([&] { return server().client_count() == 0; }));
}

TEST_F(StreamTest, GoesOnForWhoOnlyStopsSending) {
    start();
    RawClient client(*this);
    client.send(get);
    client.half_close();
    EXPECT_TRUE(until([&] { return script_.calls == 1; }));
    settle();
    script_.say("one\n");
    EXPECT_TRUE(client.has("one\n"));
    client.half_close();
    settle();
    EXPECT_FALSE(script_.cancelled);
    client.close();
    EXPECT_TRUE(until([&] { return script_.destroyed; }));
}

// Who sends while it listens is neither listened to nor thrown out.
TEST_F(StreamTest, IgnoresWhatTheClientSends) {
    start();
    RawClient client(*this);
    client.send(get);
    EXPECT_TRUE(until([&] { return script_.calls == 1; }));
    client.send(get);
    settle();
    script_.say("one\n");
    EXPECT_TRUE(client.has("one\n"));
    EXPECT_TRUE(until([&] { return script_.calls == 2; }));
}

TEST_F(StreamTest, GivesASlowReaderALastWord) {
    start({.request = milliseconds(1000)});
    RawClient client(*this);
    client.send(get);
    script_.say(much);
    EXPECT_TRUE(until([&] { return script_.given_up == 1; }));
    EXPECT_EQ(script_.calls, 1);
    script_.say("dropped\n");
    script_.say("never said\n");
    EXPECT_TRUE(client.ends());
    const auto answer = take_answer(client.received);
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(answer.body.size(), much.size() + 8);
    EXPECT_THAT(answer.body, testing::EndsWith("xdropped\n"));
    EXPECT_EQ(script_.calls, 2);
    EXPECT_EQ(script_.given_up, 1);
}

TEST_F(StreamTest, CutsWhoNeverReads) {
    start({.request = milliseconds(200)});
    RawClient client(*this);
    client.send(get);
    script_.say(much);
    EXPECT_TRUE(until([&] { return script_.destroyed; }, milliseconds(5000)));
    EXPECT_EQ(script_.calls, 1);
    EXPECT_EQ(script_.given_up, 1);
    EXPECT_TRUE(client.ends());
    EXPECT_FALSE(take_answer(client.received).complete);
}

TEST_F(StreamTest, DoesNotGiveUpWhoIsGone) {
    start();
    RawClient client(*this);
    client.send(get);
    script_.say(much);
    EXPECT_TRUE(until([&] { return script_.calls == 1; }));
    client.close();
    EXPECT_TRUE(until([&] { return script_.destroyed; }));
    EXPECT_EQ(script_.given_up, 0);
}

// Without its last chunk: the client can tell.
TEST_F(StreamTest, BreaksOffWhenTheStreamFails) {
    start();
    RawClient client(*this);
    client.send(get);
    script_.say("one\n");
    script_.say("fail");
    EXPECT_TRUE(client.ends());
    EXPECT_THAT(client.received, testing::EndsWith("\r\n4\r\none\n\r\n"));
    EXPECT_TRUE(until([&] { return script_.destroyed; }));
}

TEST_F(StreamTest, EndsWithTheServer) {
    start();
    RawClient waiting(*this);
    waiting.send(get);
    EXPECT_TRUE(until([&] { return script_.calls == 1; }));
    stop();
    EXPECT_TRUE(until([&] { return script_.destroyed; }));
    EXPECT_TRUE(script_.cancelled);
    EXPECT_TRUE(waiting.ends());
}

}  // namespace
}  // namespace nftlink::http
