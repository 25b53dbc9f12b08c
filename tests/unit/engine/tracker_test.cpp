#include "nftlink/engine/tracker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nftlink::engine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Tracker::Question::Kind;

Container running(const std::string& name, const std::string& address = "172.17.0.2") {
    Container container;
    container.id = "id-" + name;
    container.name = name;
    container.running = true;
    container.started = std::int64_t{100} * 1'000'000'000;
    container.endpoints = {{"net0", {*model::Address::parse(address)}}};
    return container;
}

Container stopped(const std::string& name) {
    Container container = running(name);
    container.running = false;
    container.endpoints.front().addresses.clear();
    return container;
}

Event event_of(Event::Kind kind, const std::string& name) {
    return {.kind = kind, .container = "id-" + name, .network = {}, .time = 0};
}

const Networks networks{{"net0", {"net0", "bridge", "docker0"}}, {"bridge", {"net0", "bridge", "docker0"}}};
const Version docker{"Docker 20.10.24", "1.41", false};
const Version podman{"Podman 4.3.1", "1.41", true};
const std::optional<Container> nobody;

class TrackerTest : public testing::Test {
protected:
    static Everything everything(std::vector<Container> containers) {
        Everything everything;
        everything.inventory.networks = networks;
        for (Container& container : containers) {
            everything.list.push_back({container.id, container.running});
            everything.inventory.containers.emplace(container.id, std::move(container));
        }
        return everything;
    }

    // A session in which everything has been read, and told.
    void connect(Everything read = everything({running("redis")}), const Version& version = docker) {
        session_ = tracker_.begin(version, now_);
        tracker_.ask_everything(session_);
        tracker_.read(session_, std::move(read), now_, {});
        tracker_.take_news(now_);
    }
    void take(Event::Kind kind, const std::string& name) { tracker_.take(session_, event_of(kind, name)); }
    void answer(const Container& container) { tracker_.inspected(session_, container.id, container, now_); }
    void list(std::vector<Listed> list) {
        now_ = std::max(now_, tracker_.wake_at());
        ASSERT_THAT(tracker_.ask(now_), testing::Contains(Tracker::Question{Kind::list, {}}));
        tracker_.listed(session_, std::move(list));
    }
    // The ids of the containers that are asked about now.
    std::vector<std::string> inspections() {
        std::vector<std::string> ids;
        for (const Tracker::Question& question : tracker_.ask(now_))
            if (question.kind == Kind::container)
                ids.push_back(question.container);
        return ids;
    }
    bool asks(Kind kind) { return std::ranges::count(tracker_.ask(now_), kind, &Tracker::Question::kind) == 1; }
    bool tells() { return tracker_.take_news(now_).inventory; }

    const Container* find(const std::string& name) const {
        const auto found = tracker_.inventory().containers.find("id-" + name);
        return found == tracker_.inventory().containers.end() ? nullptr : &found->second;
    }

    Tracker tracker_{{}, {}};
    Tracker::Session session_ = 0;
    Tracker::Time now_{1h};
};

TEST_F(TrackerTest, EverythingIsReadFirst) {
    session_ = tracker_.begin(docker, now_);
    EXPECT_FALSE(tracker_.has_inventory());
    EXPECT_THAT(tracker_.ask(now_), IsEmpty());
    const Tracker::WallTime wall{42s};
    tracker_.read(session_, everything({running("redis")}), now_, wall);
    EXPECT_EQ(tracker_.contact(), (Contact{true, "Docker 20.10.24", "1.41", "", wall}));
    const auto news = tracker_.take_news(now_);
    EXPECT_TRUE(news.contact && news.inventory);
    EXPECT_EQ(*find("redis"), running("redis"));
    EXPECT_FALSE(tells());
}

TEST_F(TrackerTest, WhoComesIsInspectedAndToldOnceAnswered) {
    connect();
    take(Event::Kind::changed, "web");
    EXPECT_FALSE(tells());
    EXPECT_THAT(inspections(), ElementsAre("id-web"));
    EXPECT_THAT(inspections(), IsEmpty()) << "it is being asked about";
    answer(running("web", "172.17.0.3"));
    EXPECT_TRUE(tells());
    EXPECT_TRUE(find("web")->running);
}

TEST_F(TrackerTest, TheSameAnswerIsNoNews) {
    connect();
    take(Event::Kind::changed, "redis");
    inspections();
    answer(running("redis"));
    EXPECT_FALSE(tells());
}

// Many that start at once are one change; nobody waits for long.
TEST_F(TrackerTest, AnswersWaitForThoseOfOthersTenMilliseconds) {
    connect();
    take(Event::Kind::changed, "a");
    take(Event::Kind::changed, "b");
    EXPECT_THAT(inspections(), ElementsAre("id-a", "id-b"));
    answer(running("a", "172.17.0.3"));
    EXPECT_FALSE(tells());
    EXPECT_EQ(tracker_.wake_at(), now_ + 10ms);
    now_ += 10ms;
    EXPECT_TRUE(tells());
    answer(running("b", "172.17.0.4"));
    EXPECT_TRUE(tells());
}

TEST_F(TrackerTest, EightAreAskedAboutAtATime) {
    connect();
    for (char name = 'a'; name < 'a' + 10; ++name)
        take(Event::Kind::changed, std::string(1, name));
    EXPECT_EQ(inspections().size(), 8U);
    answer(running("a", "172.17.0.3"));
    EXPECT_THAT(inspections(), ElementsAre("id-i"));
}

// Whoever gets the address next must not wait for an engine that answers slowly.
TEST_F(TrackerTest, AnEndNeedsNoAnswer) {
    connect();
    take(Event::Kind::ended, "redis");
    EXPECT_TRUE(tells());
    EXPECT_FALSE(find("redis")->running);
    EXPECT_THAT(find("redis")->endpoints.front().addresses, IsEmpty());
    take(Event::Kind::removed, "redis");
    EXPECT_TRUE(tells());
    EXPECT_EQ(find("redis"), nullptr);
}

TEST_F(TrackerTest, LeavingANetworkTakesThatAddressAlone) {
    connect();
    tracker_.take(session_, {Event::Kind::disconnected, "id-redis", "another", 0});
    EXPECT_FALSE(tells());
    EXPECT_EQ(find("redis")->endpoints.front().addresses.size(), 1U);
    tracker_.take(session_, {Event::Kind::disconnected, "id-redis", "net0", 0});
    EXPECT_TRUE(tells());
    EXPECT_THAT(find("redis")->endpoints.front().addresses, IsEmpty());
    EXPECT_TRUE(find("redis")->running);
}

// Podman names an endpoint's network, and not its id.
TEST_F(TrackerTest, LeavingANetworkThatTheEndpointCallsByItsName) {
    Container redis = running("redis");
    redis.endpoints.front().network = "bridge";
    connect(everything({redis}));
    tracker_.take(session_, {Event::Kind::disconnected, "id-redis", "net0", 0});
    EXPECT_THAT(find("redis")->endpoints.front().addresses, IsEmpty());
}

TEST_F(TrackerTest, AnAnswerFromBeforeTheEndDoesNotCount) {
    connect();
    take(Event::Kind::changed, "web");
    inspections();
    take(Event::Kind::ended, "web");
    answer(running("web", "172.17.0.3"));
    EXPECT_EQ(find("web"), nullptr);
    EXPECT_THAT(inspections(), ElementsAre("id-web"));
    answer(stopped("web"));
    EXPECT_FALSE(find("web")->running);
}

// It is asked again only when the answer is there: the engine would answer both at once.
TEST_F(TrackerTest, OneContainerIsAskedAboutOnceAtATime) {
    connect();
    take(Event::Kind::changed, "web");
    inspections();
    take(Event::Kind::changed, "web");
    EXPECT_THAT(inspections(), IsEmpty());
    answer(running("web", "172.17.0.3"));
    EXPECT_THAT(inspections(), ElementsAre("id-web"));
}

// After a restart the event of the end may come late.
TEST_F(TrackerTest, AnEndFromBeforeTheLastStartIsOld) {
    connect();
    const std::int64_t started = running("redis").started;
    tracker_.take(session_, {Event::Kind::ended, "id-redis", "", started - 1});
    EXPECT_TRUE(find("redis")->running);
    EXPECT_THAT(inspections(), ElementsAre("id-redis"));
    tracker_.take(session_, {Event::Kind::ended, "id-redis", "", started + 1});
    EXPECT_FALSE(find("redis")->running);
}

TEST_F(TrackerTest, AnEndLongBeforeTheLastStartIsOfAClockThatWasSetBack) {
    connect();
    tracker_.take(session_, {Event::Kind::ended, "id-redis", "", running("redis").started - 10'000'000'000});
    EXPECT_FALSE(find("redis")->running);
}

TEST_F(TrackerTest, WhoEndsWhileEverythingIsReadMayHaveBeenReadBefore) {
    session_ = tracker_.begin(docker, now_);
    take(Event::Kind::ended, "web");  // known to the answer
    tracker_.ask_everything(session_);
    take(Event::Kind::ended, "redis");
    tracker_.read(session_, everything({running("redis"), running("web", "172.17.0.3")}), now_, {});
    EXPECT_FALSE(find("redis")->running);
    EXPECT_THAT(find("redis")->endpoints.front().addresses, IsEmpty());
    EXPECT_TRUE(find("web")->running);
    EXPECT_THAT(inspections(), ElementsAre("id-redis"));
}

TEST_F(TrackerTest, WhoIsNotThereAnyMoreGoes) {
    connect();
    take(Event::Kind::changed, "redis");
    inspections();
    tracker_.inspected(session_, "id-redis", nobody, now_);
    EXPECT_EQ(find("redis"), nullptr);
    EXPECT_TRUE(tells());
}

TEST_F(TrackerTest, OneContainerThatCannotBeReadIsAskedAboutAgain) {
    connect();
    take(Event::Kind::changed, "redis");
    inspections();
    tracker_.inspected(session_, "id-redis", std::unexpected(Failure{.text = "it is damaged"}), now_);
    EXPECT_FALSE(tracker_.failure());
    EXPECT_THAT(tracker_.ask(now_), IsEmpty());
    EXPECT_EQ(tracker_.wake_at(), now_ + 1s);
    list({{"id-redis", true}});
    EXPECT_THAT(inspections(), ElementsAre("id-redis"));
}

TEST_F(TrackerTest, WhoCouldNotBeReadAtFirstIsAskedAboutWithTheFirstLook) {
    Everything read = everything({});
    read.unread = {"id-web"};
    connect(std::move(read));
    EXPECT_EQ(tracker_.wake_at(), now_ + 1s);
    list({{"id-web", false}});
    EXPECT_THAT(inspections(), ElementsAre("id-web"));
}

TEST_F(TrackerTest, TheListIsComparedAgainAndAgain) {
    connect();
    list({{"id-redis", true}});
    EXPECT_THAT(inspections(), IsEmpty());
    EXPECT_EQ(tracker_.wake_at(), now_ + 30s);
    list({{"id-web", true}});
    EXPECT_THAT(inspections(), ElementsAre("id-redis", "id-web")) << "one is missing, one is new";
}

TEST_F(TrackerTest, TheListIsAskedForOnceAtATime) {
    connect();
    now_ = tracker_.wake_at();
    EXPECT_TRUE(asks(Kind::list));
    now_ += 1h;
    EXPECT_FALSE(asks(Kind::list));
    EXPECT_EQ(tracker_.wake_at(), Tracker::Time::max());
}

TEST_F(TrackerTest, AListThatDoesNotComeEndsTheSession) {
    connect();
    now_ = tracker_.wake_at();
    EXPECT_TRUE(asks(Kind::list));
    tracker_.listed(session_, std::unexpected(Failure{.text = "too late"}));
    EXPECT_EQ(tracker_.failure(), "too late");
    EXPECT_THAT(tracker_.ask(now_ + 1h), IsEmpty());
}

TEST_F(TrackerTest, AnotherStateOrAddressIsSeenInTheList) {
    connect(everything({running("redis"), running("web", "172.17.0.3")}));
    list({{"id-redis", true, {}, std::vector<std::string>{"172.17.0.9"}}, {"id-web", false}});
    EXPECT_THAT(inspections(), ElementsAre("id-redis", "id-web"));
}

// `docker rm --link /web/db` tells nobody.
TEST_F(TrackerTest, ALinkThatIsTakenOffIsSeenInTheList) {
    Everything read = everything({running("redis"), running("web", "172.17.0.3")});
    read.list[0].links = {"/web/db"};
    connect(std::move(read));
    list({{"id-redis", true}, {"id-web", true}});
    EXPECT_THAT(inspections(), ElementsAre("id-web"));
}

// The links of others follow the name in the engine; who gets the old name next must not inherit them.
TEST_F(TrackerTest, ARenamedChildHasItsParentsReadAgain) {
    Container web = running("web", "172.17.0.3");
    web.links = {{"redis", "db"}};
    connect(everything({running("redis"), running("alone", "172.17.0.4"), web}));
    take(Event::Kind::renamed, "redis");
    EXPECT_THAT(inspections(), ElementsAre("id-redis", "id-web"));
}

TEST_F(TrackerTest, NetworksAreReadWhenOneComesOrIsMissing) {
    connect();
    tracker_.take(session_, {.kind = Event::Kind::networks, .container = {}, .network = {}, .time = 0});
    EXPECT_THAT(tracker_.ask(now_), ElementsAre(Tracker::Question{Kind::networks, {}}));
    tracker_.networks_read(session_, networks, now_);
    EXPECT_FALSE(tells()) << "they are the same";
    Container web = running("web", "172.18.0.3");
    web.endpoints.front().network = "net1";
    take(Event::Kind::changed, "web");
    inspections();
    answer(web);
    EXPECT_FALSE(tells()) << "it would be on no bridge";
    EXPECT_TRUE(asks(Kind::networks));
    now_ += 20ms;
    EXPECT_FALSE(tells());
    Networks more = networks;
    more["net1"] = {"net1", "mine", "br-net1"};
    tracker_.networks_read(session_, more, now_);
    EXPECT_TRUE(tells());
    EXPECT_EQ(tracker_.inventory().bridge_of(find("web")->endpoints.front()), "br-net1");
}

TEST_F(TrackerTest, NetworksThatChangeWhileTheyAreReadAreReadAgain) {
    connect();
    const Event event{.kind = Event::Kind::networks, .container = {}, .network = {}, .time = 0};
    tracker_.take(session_, event);
    EXPECT_TRUE(asks(Kind::networks));
    tracker_.take(session_, event);
    EXPECT_FALSE(asks(Kind::networks));
    tracker_.networks_read(session_, networks, now_);
    EXPECT_TRUE(asks(Kind::networks));
}

TEST_F(TrackerTest, NetworksThatCouldNotBeReadAreReadAgain) {
    connect();
    list({{"id-redis", true}});
    tracker_.take(session_, {.kind = Event::Kind::networks, .container = {}, .network = {}, .time = 0});
    EXPECT_TRUE(asks(Kind::networks));
    tracker_.networks_read(session_, std::unexpected(Failure{.text = "oops"}), now_);
    EXPECT_FALSE(tracker_.failure());
    EXPECT_THAT(tracker_.ask(now_), IsEmpty());
    now_ += 1s;
    EXPECT_TRUE(asks(Kind::networks));
}

// It tells nothing of them, and one that is made again has another interface.
TEST_F(TrackerTest, OfPodmanNetworksAreReadWithEachStartAndLook) {
    connect(everything({}), podman);
    take(Event::Kind::changed, "web");
    inspections();
    answer(running("web", "172.17.0.3"));
    EXPECT_TRUE(asks(Kind::networks));
    tracker_.networks_read(session_, networks, now_);
    EXPECT_TRUE(tells());
    now_ = tracker_.wake_at();
    EXPECT_THAT(tracker_.ask(now_),
                ElementsAre(Tracker::Question{Kind::list, {}}, Tracker::Question{Kind::networks, {}}));
}

TEST_F(TrackerTest, AfterTheEndEverythingStaysUntilItIsReadAgain) {
    connect();
    tracker_.end("it went", now_, Tracker::WallTime{7s});
    const auto news = tracker_.take_news(now_);
    EXPECT_TRUE(news.contact && !news.inventory);
    EXPECT_EQ(tracker_.contact(), (Contact{false, "Docker 20.10.24", "1.41", "it went", Tracker::WallTime{7s}}));
    EXPECT_TRUE(find("redis")->running);
    connect(everything({running("redis", "172.17.0.7")}));
    EXPECT_EQ(*find("redis"), running("redis", "172.17.0.7"));
}

TEST_F(TrackerTest, WhatWasGatheredIsToldAtTheEnd) {
    connect();
    take(Event::Kind::changed, "a");
    take(Event::Kind::changed, "b");
    inspections();
    answer(running("a", "172.17.0.3"));
    EXPECT_FALSE(tells());
    tracker_.end("it went", now_, {});
    EXPECT_TRUE(tells());
}

TEST_F(TrackerTest, WhatComesOfAnEarlierSessionChangesNothing) {
    connect();
    take(Event::Kind::changed, "web");
    inspections();
    const Tracker::Session earlier = session_;
    tracker_.end("it went", now_, {});
    connect();
    tracker_.inspected(earlier, "id-web", running("web", "172.17.0.3"), now_);
    tracker_.take(earlier, event_of(Event::Kind::ended, "redis"));
    tracker_.fail(earlier, "it went");
    tracker_.listed(earlier, std::unexpected(Failure{.text = "it went"}));
    tracker_.networks_read(earlier, Networks(), now_);
    EXPECT_EQ(find("web"), nullptr);
    EXPECT_EQ(*find("redis"), running("redis"));
    EXPECT_EQ(tracker_.inventory().networks, networks);
    EXPECT_FALSE(tracker_.failure());
    EXPECT_FALSE(tells());
}

TEST_F(TrackerTest, TryingAgainIsNoNews) {
    tracker_.end("nobody is there", now_, Tracker::WallTime{1s});
    EXPECT_TRUE(tracker_.take_news(now_).contact);
    tracker_.end("nobody is there", now_, Tracker::WallTime{2s});
    EXPECT_FALSE(tracker_.take_news(now_).contact);
    EXPECT_EQ(tracker_.contact().since, Tracker::WallTime{1s});
}

TEST_F(TrackerTest, PausesGrowUntilASessionHasLasted) {
    std::vector<std::chrono::milliseconds> pauses;
    for (int times = 0; times < 9; ++times)
        pauses.push_back(tracker_.end("nobody is there", now_, {}));
    EXPECT_THAT(pauses, ElementsAre(100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10s, 10s));
    connect();
    EXPECT_EQ(tracker_.end("it went at once", now_ + 9s, {}), 10s);
    connect();
    EXPECT_EQ(tracker_.end("it went", now_ + 10s, {}), 100ms);
}

}  // namespace
}  // namespace nftlink::engine
