#include "nftlink/http/server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "server_fixture.hpp"

namespace nftlink::http {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// Says what it was asked.
asio::awaitable<Response> echo(Request request) {
    std::string text = request.method;
    for (const std::string& segment : request.path)
        text += " " + segment;
    for (const auto& [name, value] : request.query)
        text += fmt::format(" {}={}", name, value);
    if (!request.body.empty())
        text += ": " + request.body;
    Response response;
    response.body = text;
    co_return response;
}

asio::awaitable<Response> fail(Request request) {
    if (request.path[0] == "odd")
        throw 42;
    throw std::runtime_error("no luck");
}

asio::awaitable<Response> answer_big(Request) {
    Response response;
    response.body = std::string(4 << 20, 'x');
    co_return response;
}

class ServerTest : public testing::Test, public HttpFixture {};

// --- What a request says ---------------------------------------------------------------------------------------------

TEST_F(ServerTest, Answers) {
    start(echo);
    RawClient client(*this);
    const Answer answer = client.ask("GET /v1/links/web/db?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(answer.status, 200u);
    EXPECT_EQ(answer.body, "GET v1 links web db a=b");
    auto head = answer.head;
    EXPECT_EQ(head["version"], "HTTP/1.1");
    EXPECT_EQ(head["Server"], "nftlink");
    EXPECT_EQ(head["Content-Type"], "application/json");
    EXPECT_EQ(head["Content-Length"], "23");
    EXPECT_FALSE(head.contains("Connection"));
}

TEST_F(ServerTest, KnowsWhoIsThere) {
    Peer peer;
    start([&peer](Request request) {
        peer = request.peer;
        return echo(std::move(request));
    });
    RawClient(*this).ask("GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(peer.user, geteuid());
    EXPECT_EQ(peer.group, getegid());
    EXPECT_EQ(peer.process, getpid());
    std::vector<gid_t> groups(64);
    groups.resize(static_cast<std::size_t>(getgroups(64, groups.data())));
    EXPECT_EQ(peer.groups, groups);
}

TEST_F(ServerTest, KeepsTheConnection) {
    start(echo);
    RawClient client(*this);
    EXPECT_EQ(client.ask("GET /a HTTP/1.1\r\n\r\n").body, "GET a");
    EXPECT_EQ(client.ask("PUT /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi").body, "PUT b: hi");
    EXPECT_EQ(client.ask("DELETE /c HTTP/1.1\r\n\r\n").body, "DELETE c");
    EXPECT_EQ(server().client_count(), 1u);
}

TEST_F(ServerTest, AnswersInOrderWhatCameAtOnce) {
    start(echo);
    RawClient client(*this);
    std::string text;
    for (int i = 0; i < 200; ++i)
        text += fmt::format("PUT /{} HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", i);
    client.send(text);
    for (int i = 0; i < 200; ++i)
        ASSERT_EQ(client.answer().body, fmt::format("PUT {}: hello", i));
    EXPECT_THAT(client.received, IsEmpty());
}

TEST_F(ServerTest, ClosesWhenAskedTo) {
    start(echo);
    for (const char* request : {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
        RawClient client(*this);
        auto answer = client.ask(request);
        EXPECT_EQ(answer.status, 200u);
        EXPECT_EQ(answer.head["Connection"], "close");
        EXPECT_TRUE(client.ends());
    }
    EXPECT_TRUE(until([&] { return server().client_count() == 0; }));
}

TEST_F(ServerTest, SpeaksTheOldVersion) {
    start(echo);
    RawClient client(*this);
    auto answer = client.ask("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(answer.head["version"], "HTTP/1.0");
    EXPECT_EQ(answer.head["Connection"], "keep-alive");
    EXPECT_EQ(client.ask("GET /b HTTP/1.0\r\n\r\n").body, "GET b");
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
    start(echo);
    RawClient client(*this);
    client.send("HEAD /a HTTP/1.1\r\n\r\n");
    auto answer = client.answer(true);
    EXPECT_EQ(answer.head["Content-Length"], "5");
    EXPECT_THAT(client.received, IsEmpty());
    EXPECT_EQ(client.ask("GET /b HTTP/1.1\r\n\r\n").body, "GET b");
}

TEST_F(ServerTest, SaysWhatIsAllowed) {
    start([](Request) -> asio::awaitable<Response> {
        Response response;
        response.status = 405;
        response.type = "text/plain";
        response.allow = "GET, PUT";
        co_return response;
    });
    auto answer = RawClient(*this).ask("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(answer.status, 405u);
    EXPECT_EQ(answer.head["Allow"], "GET, PUT");
    EXPECT_EQ(answer.head["Content-Type"], "text/plain");
    EXPECT_EQ(answer.head["Content-Length"], "0");
}

TEST_F(ServerTest, AsksForABodyThatIsHeldBack) {
    start(echo);
    RawClient client(*this);
    client.send("PUT / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n");
    EXPECT_EQ(client.answer().status, 100u);
    EXPECT_EQ(client.ask("abc").body, "PUT : abc");
    // There is no body to ask for.
    EXPECT_EQ(client.ask("GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n").status, 200u);
}

TEST_F(ServerTest, RefusesAnOversizeBodyBeforeItComes) {
    start(echo, {.body_bytes = 10});
    RawClient client(*this);
    const auto answer = client.ask("PUT / HTTP/1.1\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(answer.status, 413u);
    EXPECT_THAT(answer.body, StartsWith("413 too_large: "));
    EXPECT_TRUE(client.ends());
}

TEST_F(ServerTest, TakesABodyUpToTheLimit) {
    start(echo, {.body_bytes = 1 << 20});
    RawClient client(*this);
    const std::string body(1 << 20, 'x');
    EXPECT_EQ(client.ask("PUT / HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n" + body).body, "PUT : " + body);
    EXPECT_EQ(
        client.ask("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" + body + "\r\n0\r\n\r\n").body,
        "PUT : " + body);
    EXPECT_EQ(client.ask("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" + body + "\r\n1\r\n").status,
              413u);
    EXPECT_TRUE(client.ends());
}

// A client that writes all of it before it reads gets its answer too.
TEST_F(ServerTest, TakesTheRestOfARefusedBody) {
    start(echo, {.body_bytes = 10});
    RawClient client(*this);
    client.send("PUT / HTTP/1.1\r\nContent-Length: 4000000\r\n\r\n" + std::string(4'000'000, 'x'));
    EXPECT_EQ(client.answer().status, 413u);
}

// Beast's parser asserts that it sees the last five bytes at once.
TEST_F(ServerTest, TakesChunksInWhateverPieces) {
    start(echo);
    for (const std::string body : {"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "1;x=y\r\na\r\n0\r\nTrailer: x\r\n\r\n"}) {
        RawClient client(*this);
        client.send("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (const char byte : body) {
            client.send(std::string(1, byte));
            settle();
        }
        EXPECT_EQ(client.answer().status, 200u) << body;
        for (std::size_t cut = 1; cut < body.size(); ++cut) {
            client.send("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body.substr(0, cut));
            settle();
            client.send(body.substr(cut));
            EXPECT_EQ(client.answer().status, 200u) << body << cut;
        }
    }
}

TEST_F(ServerTest, RefusesWhatItCannotRead) {
    start(echo, {.header_bytes = 1000});
    const auto refused = [&](std::string_view text) {
        RawClient client(*this);
        const auto answer = client.ask(text);
        EXPECT_TRUE(client.ends()) << text;
        EXPECT_THAT(answer.body, StartsWith(std::to_string(answer.status) + " ")) << text;
        return answer.status;
    };
    EXPECT_EQ(refused("hello\n"), 400u);
    EXPECT_EQ(refused("\x16\x03\x01\x02"), 400u);
    EXPECT_EQ(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400u);
    EXPECT_EQ(refused("GET /%zz HTTP/1.1\r\n\r\n"), 400u);
    EXPECT_EQ(refused("OPTIONS * HTTP/1.1\r\n\r\n"), 400u);
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nno colon\r\n\r\n"), 400u);
    EXPECT_EQ(refused("PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), 400u);
    EXPECT_EQ(refused("PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400u);
    EXPECT_EQ(refused("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"), 400u);
    EXPECT_EQ(refused("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n"), 400u);
    EXPECT_EQ(refused("PUT / HTTP/1.1\r\nContent-Length: 5\r\nExpect: miracles\r\n\r\nhello"), 417u);
    EXPECT_EQ(refused("GET /" + std::string(2000, 'x')), 431u);
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nA: " + std::string(2000, 'x')), 431u);
    EXPECT_EQ(refused("GET /" + std::string(600, 'x') + " HTTP/1.1\r\nA: " + std::string(600, 'x') + "\r\n\r\n"), 431u);
    EXPECT_EQ(refused("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x')), 400u);
    EXPECT_EQ(RawClient(*this).ask("GET /" + std::string(800, 'x') + " HTTP/1.1\r\n\r\n").status, 200u);
}

TEST_F(ServerTest, AnswersWhoOnlyStopsSending) {
    start(echo);
    RawClient whole(*this);
    whole.send("GET /a HTTP/1.1\r\n\r\n");
    whole.half_close();
    EXPECT_EQ(whole.answer().body, "GET a");
    EXPECT_TRUE(whole.ends());
    RawClient half(*this);
    half.send("GET /a HTTP/1.1\r\n");
    half.half_close();
    EXPECT_EQ(half.answer().status, 400u);
    EXPECT_TRUE(half.ends());
}

TEST_F(ServerTest, SurvivesAFailingHandler) {
    start(fail);
    RawClient client(*this);
    const auto answer = client.ask("GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(answer.status, 500u);
    EXPECT_THAT(answer.body, HasSubstr("no luck"));
    EXPECT_EQ(client.ask("GET /odd HTTP/1.1\r\n\r\n").status, 500u);
    EXPECT_EQ(RawClient(*this).ask("GET / HTTP/1.1\r\n\r\n").status, 500u);
}

TEST_F(ServerTest, SurvivesAHandlerThatFailsBeforeItStarts) {
    start([](Request) -> asio::awaitable<Response> { throw std::runtime_error("no luck"); });
    EXPECT_EQ(RawClient(*this).ask("GET / HTTP/1.1\r\n\r\n").status, 500u);
    start({});
    EXPECT_EQ(RawClient(*this).ask("GET / HTTP/1.1\r\n\r\n").status, 500u);
}

// --- Deadlines -------------------------------------------------------------------------------------------------------

TEST_F(ServerTest, CutsWhoSendsAByteNowAndThen) {
    start(echo, {.request = milliseconds(300)});
    for (const std::string text : {"GET / HTTP/1.1\r\nA: ", "PUT / HTTP/1.1\r\nContent-Length: 10000\r\n\r\n"}) {
        RawClient client(*this);
        client.send(text);
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_TRUE(until([&] {
            client.send_some("x");
            client.poll();
            return client.ended;
        }));
        EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(250));
        EXPECT_LE(std::chrono::steady_clock::now() - begin, milliseconds(3000));
        EXPECT_EQ(take_answer(client.received).status, 408u);
    }
}

TEST_F(ServerTest, GivesASlowRequestItsTime) {
    start(echo, {.request = milliseconds(5000), .idle = milliseconds(100)});
    RawClient client(*this);
    client.send("GET /a HTTP/1.1\r\n");
    run_for(milliseconds(300));
    EXPECT_EQ(client.ask("\r\n").status, 200u);
}

TEST_F(ServerTest, CutsWhoNeverReads) {
    start(answer_big, {.request = milliseconds(300)});
    RawClient client(*this);
    client.send("GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(until([&] { return server().client_count() == 1; }));
    run_for(milliseconds(150));
    EXPECT_EQ(server().client_count(), 1u);
    EXPECT_TRUE(until([&] { return server().client_count() == 0; }, milliseconds(5000)));
}

TEST_F(ServerTest, CutsWhoIsSilent) {
    start(echo, {.request = milliseconds(10'000), .idle = milliseconds(200)});
    RawClient fresh(*this);
    EXPECT_TRUE(fresh.ends(milliseconds(5000)));
    RawClient used(*this);
    EXPECT_EQ(used.ask("GET / HTTP/1.1\r\n\r\n").status, 200u);
    EXPECT_TRUE(used.ends(milliseconds(5000)));
    EXPECT_THAT(used.received, IsEmpty());
}

TEST_F(ServerTest, GivesTheHandlerItsTime) {
    start(
        [](Request request) -> asio::awaitable<Response> {
            asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds(400));
            co_await timer.async_wait(asio::use_awaitable);
            co_return co_await echo(std::move(request));
        },
        {.request = milliseconds(100), .idle = milliseconds(100)});
    EXPECT_EQ(RawClient(*this).ask("GET /a HTTP/1.1\r\n\r\n").body, "GET a");
}

}  // namespace
}  // namespace nftlink::http
