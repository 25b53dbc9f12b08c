#include "nftlink/engine/watcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fake_engine.hpp"

namespace nftlink::engine {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::HasSubstr;

class WatcherTest : public testing::Test {
protected:
    WatcherTest() : engine_(context_) { engine_.put("redis", "172.17.0.2"); }
    ~WatcherTest() override {
        if (watcher_ != nullptr)
            watcher_->stop();
    }

    void watch(Watcher::Pauses pauses = {1ms, 10ms, 1h}) {
        watcher_ = std::make_shared<Watcher>(
            context_.get_executor(), engine_.socket(),
            Watcher::Listener{[this] { ++changes_; }, [this] { contacts_.push_back(watcher_->contact()); }}, pauses);
        watcher_->start();
    }

    // A machine that is busy gets its time.
    bool until(const std::function<bool()>& holds) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!holds() && std::chrono::steady_clock::now() < end)
            context_.run_one_for(10ms);
        return holds();
    }
    bool until_connected() {
        return until([this] { return watcher_->contact().connected && engine_.is_followed(); });
    }

    const Container* find(const std::string& name) const {
        const auto found = watcher_->inventory().containers.find("id-" + name);
        return found == watcher_->inventory().containers.end() ? nullptr : &found->second;
    }
    std::string address_of(const std::string& name) const {
        return find(name)->endpoints.front().addresses.front().to_string();
    }
    bool runs(const std::string& name) const { return find(name) != nullptr && find(name)->running; }

    asio::io_context context_{1};
    FakeEngine engine_;
    std::shared_ptr<Watcher> watcher_;
    int changes_ = 0;
    std::vector<Contact> contacts_;
};

TEST_F(WatcherTest, ReadsEverythingFirst) {
    watch();
    ASSERT_TRUE(until_connected());
    ASSERT_TRUE(runs("redis"));
    EXPECT_EQ(watcher_->contact().engine, "Docker 20.10.24");
    EXPECT_EQ(watcher_->contact().api, "1.41");
    EXPECT_EQ(watcher_->inventory().bridge_of(find("redis")->endpoints.front()), "docker0");
}

TEST_F(WatcherTest, FollowsStartsAndEnds) {
    watch();
    ASSERT_TRUE(until_connected());
    engine_.put("web", "172.17.0.3");
    engine_.send_container_event("start", "web");
    ASSERT_TRUE(until([&] { return runs("web"); }));
    engine_.stop_container("web");
    engine_.send_container_event("die", "web");
    ASSERT_TRUE(until([&] { return !runs("web"); }));
    EXPECT_NE(find("web"), nullptr);
    engine_.remove("web");
    engine_.send_container_event("destroy", "web");
    ASSERT_TRUE(until([&] { return find("web") == nullptr; }));
}

TEST_F(WatcherTest, TakesALostConnectionUpAgain) {
    watch();
    ASSERT_TRUE(until_connected());
    engine_.go();
    ASSERT_TRUE(until([&] { return !watcher_->contact().connected; }));
    EXPECT_TRUE(runs("redis")) << "what it said last stays";
    EXPECT_FALSE(watcher_->contact().error.empty());
    engine_.put("redis", "172.17.0.7");
    engine_.come();
    ASSERT_TRUE(until_connected());
    EXPECT_TRUE(until([&] { return address_of("redis") == "172.17.0.7"; }));
}

TEST_F(WatcherTest, AnEngineThatComesLater) {
    engine_.go();
    watch();
    ASSERT_TRUE(until([&] { return !contacts_.empty(); }));
    EXPECT_THAT(contacts_.front().error, HasSubstr("cannot connect: No such file"));
    EXPECT_FALSE(watcher_->has_inventory());
    engine_.come();
    EXPECT_TRUE(until_connected());
    EXPECT_EQ(contacts_.size(), 2U) << "trying again is no news";
}

// Podman 4 sends the header along with the first event.
TEST_F(WatcherTest, EventsWhoseHeaderComesLate) {
    engine_.says_header_with_first_event = true;
    watch();
    ASSERT_TRUE(until_connected());
    engine_.put("web", "172.17.0.3");
    engine_.send_container_event("start", "web");
    EXPECT_TRUE(until([&] { return runs("web"); }));
}

TEST_F(WatcherTest, LooksForWhatNoEventTold) {
    watch({1ms, 10ms, 20ms});
    ASSERT_TRUE(until_connected());
    engine_.put("web", "172.17.0.3");
    engine_.remove("redis");
    EXPECT_TRUE(until([&] { return runs("web") && find("redis") == nullptr; }));
}

// Such a question fails before anybody waits for its answer.
TEST_F(WatcherTest, ALookThatNobodyIsThereForEndsTheConnectionAtOnce) {
    watch();
    ASSERT_TRUE(until_connected());
    std::filesystem::rename(engine_.socket(), engine_.socket() + ".gone");  // the events go on
    EXPECT_TRUE(until([&] { return !watcher_->contact().connected; }));
    EXPECT_THAT(watcher_->contact().error, HasSubstr("cannot connect"));
}

TEST_F(WatcherTest, GarbageIsAnError) {
    for (const char* garbage : {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n}{]",
                                "HTTP/1.1 500 Oops\r\nContent-Length: 17\r\n\r\n{\"message\":\"no!\"}",
                                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                                "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{}"}) {
        engine_.raw["/version"] = garbage;
        contacts_.clear();
        watch();
        EXPECT_TRUE(until([&] { return !contacts_.empty(); })) << garbage;
        EXPECT_FALSE(watcher_->contact().connected) << garbage;
        watcher_->stop();
    }
}

TEST_F(WatcherTest, AnEventThatIsNoJsonEndsTheConnection) {
    watch();
    ASSERT_TRUE(until_connected());
    engine_.send_event("{]");
    ASSERT_TRUE(until([&] { return contacts_.size() >= 2; }));
    EXPECT_THAT(contacts_[1].error, HasSubstr("no JSON"));
    EXPECT_TRUE(until_connected());
}

TEST_F(WatcherTest, NetworksThatComeLater) {
    watch();
    ASSERT_TRUE(until_connected());
    engine_.answers["/v1.41/networks"] =
        R"([{"Id": "net0", "Name": "bridge", "Driver": "bridge", "Options": {"com.docker.network.bridge.name": "docker0"}},
            {"Id": "0123456789abcdef", "Name": "mine", "Driver": "bridge", "Options": {}},
            {"Id": "77", "Name": "host", "Driver": "host"}])";
    engine_.send_event(R"({"Type": "network", "Action": "create", "Actor": {"ID": "0123456789abcdef"}})");
    ASSERT_TRUE(until([&] { return watcher_->inventory().networks.contains("mine"); }));
    EXPECT_EQ(watcher_->inventory().networks.at("0123456789abcdef").bridge, "br-0123456789ab");
    EXPECT_EQ(watcher_->inventory().networks.at("host").bridge, "");
}

// Podman answers so about a container that goes while it is asked about; another one may be damaged.
TEST_F(WatcherTest, OneContainerWithoutAnAnswerKeepsNoOtherFromBeingRead) {
    const std::string target = "/v1.41/containers/id-web/json";
    engine_.put("web", "172.17.0.3");
    for (const std::string text : {"no such container", "it is damaged"}) {
        const std::string body = R"({"message": ")" + text + "\"}";
        engine_.raw[target] =
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        watch({1ms, 10ms, 10ms});
        EXPECT_TRUE(until_connected()) << text;
        EXPECT_TRUE(runs("redis"));
        EXPECT_EQ(find("web"), nullptr);
        engine_.raw.erase(target);
        EXPECT_TRUE(until([&] { return runs("web"); })) << "it is asked about again";
        watcher_->stop();
    }
}

}  // namespace
}  // namespace nftlink::engine
