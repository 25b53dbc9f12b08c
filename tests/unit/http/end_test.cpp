// The end of the server, whatever it is at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "nftlink/http/server.hpp"
#include "server_fixture.hpp"

namespace nftlink::http {
namespace {

namespace asio = boost::asio;

constexpr const char* get = "GET / HTTP/1.1\r\n\r\n";

struct Record {
    int begun = 0;
    int cancelled = 0;
    int ended = 0;
};

// Counts the end of the task that it is in.
struct Ending {
    Record* record;
    ~Ending() { ++record->ended; }
};

asio::awaitable<Response> wait_for_ever(Record* record) {
    ++record->begun;
    const Ending ending{record};
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    boost::system::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    record->cancelled += error == asio::error::operation_aborted;
    co_return Response();
}

asio::awaitable<Response> answer_big() {
    Response response;
    response.body = std::string(4 << 20, 'x');
    co_return response;
}

class EndTest : public testing::Test, public HttpFixture {
protected:
    Server::Handler handler() {
        return [this](const Request&) { return wait_for_ever(&record_); };
    }
    Record record_;
};

TEST_F(EndTest, CancelsItsHandlers) {
    start(handler());
    RawClient one(*this);
    RawClient other(*this);
    one.send(get);
    other.send(get);
    EXPECT_TRUE(until([&] { return record_.begun == 2; }));
    stop();
    EXPECT_TRUE(until([&] { return record_.ended == 2; }));
    EXPECT_EQ(record_.cancelled, 2);
    EXPECT_TRUE(one.ends());
    EXPECT_EQ(one.received, "");
}

TEST_F(EndTest, LetsTheClientsGo) {
    start([](const Request&) { return answer_big(); });
    RawClient idle(*this);
    RawClient half(*this);
    half.send("GET / HTTP");
    RawClient unread(*this);
    unread.send(get);
    EXPECT_TRUE(until([&] { return server().client_count() == 3; }));
    settle();
    stop();
    EXPECT_TRUE(idle.ends() && half.ends() && unread.ends());
    EXPECT_EQ(connect_to(path()), -1);
}

// Two requests that have come; the server ends with the first.
TEST_F(EndTest, CallsNoHandlerAfterwards) {
    start([this](const Request&) {
        stop();
        return wait_for_ever(&record_);
    });
    RawClient one(*this);
    RawClient other(*this);
    EXPECT_TRUE(until([&] { return server().client_count() == 2; }));
    settle();
    one.send_some(get);
    other.send_some(get);
    EXPECT_TRUE(one.ends() && other.ends());
    EXPECT_EQ(record_.begun, 1);
}

// However far the request has come.
TEST_F(EndTest, MayComeAtAnyStep) {
    for (int steps = 0; steps < 12; ++steps) {
        start(handler());
        RawClient client(*this);
        client.send_some(get);
        for (int step = 0; step < steps; ++step)
            context().poll_one();
        const int before = record_.begun;
        stop();
        EXPECT_TRUE(client.ends());
        EXPECT_EQ(record_.begun, before) << steps;
        EXPECT_TRUE(until([&] { return record_.ended == record_.begun; }));
    }
    EXPECT_GT(record_.begun, 0);
}

TEST_F(EndTest, MayComeBeforeTheLoopRuns) {
    start(handler());
    stop();
    settle();
}

TEST_F(EndTest, MayBeTheLoops) {
    start(handler());
    RawClient idle(*this);
    RawClient half(*this);
    half.send("GET / HTTP");
    RawClient at_work(*this);
    at_work.send(get);
    EXPECT_TRUE(until([&] { return record_.begun == 1 && server().client_count() == 3; }));
    stop();
    destroy_context();
    EXPECT_EQ(record_.ended, 1);
}

TEST_F(EndTest, MayBeInItsOwnHandler) {
    start([this](const Request&) {
        stop();
        return wait_for_ever(&record_);
    });
    RawClient client(*this);
    client.send_some(get);
    EXPECT_TRUE(client.ends());
    EXPECT_TRUE(until([&] { return record_.ended == record_.begun; }));
}

}  // namespace
}  // namespace nftlink::http
