// More clients than there is room for.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstring>
#include <memory>
#include <vector>

#include "nftlink/http/server.hpp"
#include "server_fixture.hpp"

namespace nftlink::http {
namespace {

namespace asio = boost::asio;

constexpr const char* get = "GET / HTTP/1.1\r\n\r\n";
constexpr const char* get_slowly = "GET /slow HTTP/1.1\r\n\r\n";

asio::awaitable<Response> answer(Request request) {
    Response response;
    response.body = std::string(100'000, 'x');
    if (request.path[0] == "slow") {
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return response;
}

// Another process, which opens so many connections and says something on each.
class Crowd {
public:
    Crowd(const std::string& path, unsigned count, const char* text) {
        if (pipe(ready_) != 0)
            return;
        fcntl(ready_[0], F_SETFL, O_NONBLOCK);
        child_ = fork();
        if (child_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            // A copy of one of the server's sockets would keep that connection open.
            ready_[1] = dup2(ready_[1], 3);
            close_range(4, ~0U, 0);
            open(path, count, text);
        }
        close(ready_[1]);
    }
    ~Crowd() {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
        close(ready_[0]);
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    // All are open, as many as the limits let it.
    bool is_complete() {
        char byte = 0;
        return complete_ = complete_ || read(ready_[0], &byte, 1) == 1;
    }

private:
    [[noreturn]] void open(const std::string& path, unsigned count, const char* text) const {
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        for (unsigned i = 0; i < count; ++i) {
            const int fd = connect_to(path);
            if (fd < 0)
                break;
            // Never reads: what it asks for often stays where it is.
            for (int repeat = 0; repeat < 10; ++repeat)
                if (send(fd, text, std::strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
                    break;
        }
        const bool told = write(ready_[1], "+", 1) == 1;
        while (told)
            pause();
        _exit(0);
    }

    int ready_[2] = {-1, -1};
    pid_t child_ = -1;
    bool complete_ = false;
};

class CrowdTest : public testing::Test, public HttpFixture {
protected:
    // New connections and one that is kept are answered, for as long as the crowd comes and a while after that.
    void expect_answers_beside(Crowd& crowd) {
        const auto soon = milliseconds(5000);  // of a busy machine, under sanitizers
        RawClient kept(*this);
        EXPECT_EQ(kept.ask(get).status, 200u);
        auto slowest = milliseconds(0);
        for (int round = 0; round < 20 || !crowd.is_complete(); ++round) {
            const auto begin = std::chrono::steady_clock::now();
            RawClient client(*this);
            ASSERT_EQ(client.ask(get).status, 200u);
            ASSERT_EQ(kept.ask(get).status, 200u);
            slowest =
                std::max(slowest, std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin));
        }
        EXPECT_LT(slowest, soon);
        EXPECT_LE(server().client_count(), 256u);
    }
};

TEST_F(CrowdTest, IdleOnesKeepNobodyOut) {
    start(answer);
    Crowd crowd(path(), 10'000, "");
    expect_answers_beside(crowd);
}

TEST_F(CrowdTest, HalfRequestsKeepNobodyOut) {
    start(answer);
    Crowd crowd(path(), 10'000, "GET /");
    expect_answers_beside(crowd);
}

TEST_F(CrowdTest, ThoseWhoNeverReadKeepNobodyOut) {
    start(answer);
    Crowd crowd(path(), 1'000, get);
    expect_answers_beside(crowd);
}

TEST_F(CrowdTest, ThoseAtWorkKeepNobodyOut) {
    start(answer);
    Crowd crowd(path(), 2'000, get_slowly);
    expect_answers_beside(crowd);
}

TEST_F(CrowdTest, TheLongestQuietGoesFirst) {
    start(answer, {.clients = 3});
    RawClient first(*this);
    EXPECT_EQ(first.ask(get).status, 200u);
    RawClient second(*this);
    EXPECT_EQ(second.ask(get).status, 200u);
    RawClient third(*this);
    EXPECT_EQ(third.ask(get).status, 200u);
    EXPECT_EQ(first.ask(get).status, 200u);
    RawClient fourth(*this);
    EXPECT_EQ(fourth.ask(get).status, 200u);
    EXPECT_TRUE(second.ends());
    EXPECT_EQ(server().client_count(), 3u);
    EXPECT_EQ(first.ask(get).status, 200u);
    EXPECT_EQ(third.ask(get).status, 200u);
}

// Its own request is slow, but those of its process that do nothing go first, and of other processes too.
TEST_F(CrowdTest, WhoIsWorkedForStays) {
    start(answer, {.clients = 4});
    RawClient worked_for(*this);
    worked_for.send(get_slowly);
    settle();
    for (int round = 0; round < 20; ++round)
        EXPECT_EQ(RawClient(*this).ask(get).status, 200u);
    Crowd crowd(path(), 1, "");
    std::vector<std::unique_ptr<RawClient>> idle;
    for (int i = 0; i < 10; ++i) {
        idle.push_back(std::make_unique<RawClient>(*this));
        EXPECT_EQ(idle.back()->ask(get).status, 200u);
    }
    worked_for.poll();
    EXPECT_FALSE(worked_for.ended);
}

// Descriptors run out before the limit on clients is reached.
TEST_F(CrowdTest, GoesOnWithoutDescriptors) {
    start(answer);
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    settle();
    const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    Crowd crowd(path(), 500, "");
    rlimit low = before;
    low.rlim_cur = static_cast<rlim_t>(next) + 20;
    setrlimit(RLIMIT_NOFILE, &low);
    EXPECT_TRUE(until([&] { return crowd.is_complete() && server().client_count() >= 10; }));
    EXPECT_LE(server().client_count(), 20u);
    setrlimit(RLIMIT_NOFILE, &before);
    const int client = connect_to(path(), SOCK_NONBLOCK);
    setrlimit(RLIMIT_NOFILE, &low);
    EXPECT_EQ(send(client, get, std::strlen(get), MSG_NOSIGNAL), static_cast<ssize_t>(std::strlen(get)));
    char byte = 0;
    EXPECT_TRUE(until([&] { return recv(client, &byte, 1, MSG_DONTWAIT) == 1; }, milliseconds(2000)));
    close(client);
    setrlimit(RLIMIT_NOFILE, &before);
}

// Nothing that it can end itself frees one: it waits, and doesn't spin meanwhile.
TEST_F(CrowdTest, WaitsForDescriptors) {
    start(answer);
    settle();
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    RawClient client(*this);
    rlimit none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    const auto end = std::chrono::steady_clock::now() + milliseconds(500);
    std::size_t steps = 0;
    while (std::chrono::steady_clock::now() < end)
        steps += context().run_one_for(milliseconds(10));
    EXPECT_LT(steps, 200u);
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(client.ask(get).status, 200u);
}

}  // namespace
}  // namespace nftlink::http
