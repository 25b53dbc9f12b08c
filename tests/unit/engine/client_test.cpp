#include "nftlink/engine/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "fake_engine.hpp"
#include "support/wait.hpp"

namespace nftlink::engine {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Kind = Failure::Kind;

const std::string web = "/v1.41/containers/id-web/json";

class ClientTest : public testing::Test {
protected:
    ClientTest() : engine_(context_) { engine_.put("redis", "172.17.0.2"); }
    ~ClientTest() override { engine_.go(); }

    template <typename T>
    T wait(asio::awaitable<T> question) {
        return nftlink::wait(context_, std::move(question));
    }
    Version version() { return wait(ask_version(engine_.socket())).value(); }
    void refuse(const std::string& target, const std::string& words) {
        const std::string body = R"({"message": ")" + words + "\"}";
        engine_.raw[target] =
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    asio::io_context context_{1};
    FakeEngine engine_;
};

TEST_F(ClientTest, TellsWhoAnswersThatIsNoEngine) {
    const auto failure = [&](const std::string& bytes) {
        engine_.raw["/version"] = bytes;
        const auto answer = wait(ask_version(engine_.socket()));
        EXPECT_FALSE(answer) << bytes;
        return answer ? "" : sentence(answer.error());
    };
    EXPECT_THAT(failure("SSH-2.0-OpenSSH_9.2\r\n\r\n"), StartsWith("what answers there does not speak HTTP: "));
    EXPECT_THAT(failure("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n}{]"), HasSubstr("no JSON"));
    EXPECT_THAT(failure("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{}"), HasSubstr("larger than any"));
    failure("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    engine_.raw.clear();
    engine_.answers.erase("/version");
    EXPECT_EQ(wait(ask_version(engine_.socket())).error().kind, Kind::missing);
}

TEST_F(ClientTest, KeepsTheEnginesOwnWordsApart) {
    refuse("/version", "no!");
    const Failure failure = wait(ask_version(engine_.socket())).error();
    EXPECT_EQ(failure.kind, Kind::refused);
    EXPECT_EQ(failure.status, 500);
    EXPECT_EQ(failure.text, "no!");
}

// Podman has status 500 for a container that goes while it is asked about.
TEST_F(ClientTest, AContainerThatIsNotThereIsNoFailure) {
    EXPECT_EQ(wait(ask_container(engine_.socket(), version(), "id-web")).value(), std::nullopt);
    refuse(web, "no such container");
    EXPECT_EQ(wait(ask_container(engine_.socket(), version(), "id-web")).value(), std::nullopt);
    refuse(web, "it is damaged");
    EXPECT_EQ(wait(ask_container(engine_.socket(), version(), "id-web")).error().kind, Kind::refused);
}

TEST_F(ClientTest, OneContainerThatIsRefusedIsNamed) {
    engine_.put("web", "172.17.0.3");
    refuse(web, "it is damaged");
    const Everything everything = wait(ask_everything(engine_.socket(), version())).value();
    EXPECT_THAT(everything.unread, ElementsAre("id-web"));
    EXPECT_TRUE(everything.inventory.containers.contains("id-redis"));
}

TEST_F(ClientTest, EventsEndWithTheReason) {
    EventStream events(context_.get_executor(), engine_.socket());
    ASSERT_TRUE(wait(events.open(version())));
    while (!engine_.is_followed())
        context_.run_one();
    engine_.send_container_event("die", "redis");
    engine_.send_event("{]");
    std::vector<std::string> ended;
    const auto take = [&](const Event& event) { ended.push_back(event.container); };
    EXPECT_THAT(wait(events.follow(take)), HasSubstr("no JSON"));
    EXPECT_THAT(ended, ElementsAre("id-redis"));
}

TEST_F(ClientTest, FetchAsksOnce) {
    std::expected<Inventory, std::string> fetched;
    std::atomic_bool answered = false;
    std::thread asking([&] {
        fetched = fetch(engine_.socket(), 5s);
        answered = true;
    });
    while (!answered)
        context_.run_one_for(10ms);
    asking.join();
    ASSERT_TRUE(fetched) << fetched.error();
    EXPECT_EQ(fetched->containers.size(), 1U);
    engine_.go();
    EXPECT_THAT(fetch(engine_.socket(), 5s).error(), HasSubstr("cannot connect"));
}

}  // namespace
}  // namespace nftlink::engine
