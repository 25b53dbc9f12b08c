// The service's core against a kernel in memory, with every step failing in turn.
#include "service/keeper.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "folder.hpp"
#include "nftlink/config/fragment.hpp"
#include "nftlink/kernel/fake_kernel.hpp"

namespace nftlink::service {
namespace {

namespace asio = boost::asio;
using kernel::FakeKernel;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Step = FakeKernel::Step;

constexpr const char* seed = R"(
bridges: {docker0: {icc: deny}}
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
)";

constexpr const char* web = R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["redis:db"]})";

std::string linked_to_redis(int number) {
    return R"({"bridge": "docker0", "links": ["redis:db"], "addresses": ["172.17.0.)" + std::to_string(number) + "\"]}";
}

api::Transaction put(const std::string& name, const std::string& record) {
    api::Transaction transaction;
    transaction.put_containers.push_back({name, *api::parse(record), ""});
    return transaction;
}

api::Transaction put_link(const std::string& parent, const std::string& alias, const std::string& child) {
    api::Transaction transaction;
    transaction.put_links.push_back({{parent, alias}, child, ""});
    return transaction;
}

api::Transaction remove_link(const std::string& parent, const std::string& alias) {
    api::Transaction transaction;
    transaction.delete_links.push_back({parent, alias});
    return transaction;
}

api::Transaction remove(const std::string& name) {
    api::Transaction transaction;
    transaction.delete_containers.push_back(name);
    return transaction;
}

class KeeperTest : public testing::Test {
protected:
    KeeperTest() { kernel_.bridge_state = {{{"docker0", 3, {}}}, true, {}}; }

    // A new process with this configuration.
    void make(const std::string& text = seed, const std::string& more = "") {
        keeper_.reset();
        file_ = folder_.write("nftlink.yaml", text + ("state: {directory: " + (folder_ / "state").string() + "}\n") +
                                                  "env: {directory: " + (folder_ / "env").string() + "}\n" + more);
        const auto loaded = config::load(file_);
        ASSERT_TRUE(loaded) << loaded.error().front().to_string();
        keeper_.emplace(context_.get_executor(), kernel_, file_, *loaded);
    }
    void start(const std::string& text = seed, const std::string& more = "") {
        make(text, more);
        ASSERT_TRUE(keeper_->start());
    }

    template <typename T>
    T wait_for(asio::awaitable<T> task) {
        std::optional<T> result;
        asio::co_spawn(context_, std::move(task), [&](std::exception_ptr failure, T value) {
            if (!failure)
                result = std::move(value);
        });
        context_.restart();
        while (!result && context_.run_one() != 0)
            ;
        EXPECT_TRUE(result);
        return std::move(*result);
    }
    std::expected<Changed, Faults> change(api::Transaction transaction) {
        return wait_for(keeper_->change(std::move(transaction)));
    }
    std::expected<Changed, Faults> reload() { return wait_for(keeper_->reload()); }

    // How many links' elements the kernel has.
    std::size_t elements() {
        const nft::Table* table = kernel_.ruleset().table(nft::Family::inet, "nftlink");
        const nft::Set* set = table == nullptr ? nullptr : table->set("links4-docker0");
        return set == nullptr ? 0 : set->elements.size();
    }
    // Lets timers run out.
    void run_for(std::chrono::milliseconds time) {
        context_.restart();
        context_.run_for(time);
    }
    // What another program does to the ruleset, and the event of it.
    void others_flush() {
        kernel_.ruleset().tables.clear();
        ++kernel_.ruleset().generation;
        keeper_->enforcer().ruleset_changed(
            {kernel_.ruleset().generation, 99, "nft", {{nft::Family::inet, "nftlink"}}, false});
    }

    Folder folder_;
    std::string file_;
    FakeKernel kernel_;
    asio::io_context context_{1};
    std::optional<Keeper> keeper_;
};

TEST_F(KeeperTest, AChangeIsInTheKernelAndOnDiskAndComesBack) {
    start();
    const auto changed = change(put("web", web));
    ASSERT_TRUE(changed) << changed.error().front().message;
    EXPECT_TRUE(changed->anything);
    EXPECT_EQ(elements(), 1u);
    EXPECT_THAT(folder_.read("state/containers/web.yaml"), HasSubstr("172.17.0.3"));
    EXPECT_THAT(folder_.read("env/web.env"), HasSubstr("DB_PORT=tcp://172.17.0.2:6379\n"));
    EXPECT_THAT(keeper_->links(), ElementsAre(firewall::LinkCount{"web", {"redis", "db"}, true, 0, 0}));

    const std::size_t commits = kernel_.commit_count;
    start();
    EXPECT_EQ(kernel_.commit_count, commits) << "the same ruleset is adopted without a write";
    EXPECT_EQ(keeper_->links().size(), 1u);
    ASSERT_TRUE(change(remove("web")));
    EXPECT_EQ(elements(), 0u);
    EXPECT_FALSE(folder_.has("state/containers/web.yaml"));
    EXPECT_FALSE(folder_.has("env/web.env"));
}

TEST_F(KeeperTest, NothingIsChangedByAStepThatFails) {
    start();
    ASSERT_TRUE(change(put("one", R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "links": ["redis"]})")));
    const auto topology = keeper_->desired().topology();
    // On a bridge that nobody has named yet: more than a change of elements.
    const std::string elsewhere = R"({"networks": {"docker0": ["172.17.0.3"], "br1": ["172.18.0.3"]}})";
    for (const Step step : {Step::snapshot, Step::apply, Step::bridges}) {
        kernel_.fails = [&](Step now) { return now == step; };
        const auto refused = change(put("web", elsewhere));
        kernel_.fails = {};
        ASSERT_FALSE(refused) << static_cast<int>(step);
        EXPECT_EQ(refused.error().front().status, 503u);
        EXPECT_EQ(refused.error().front().code, "kernel_refused");
        EXPECT_EQ(keeper_->desired().topology(), topology);
        EXPECT_EQ(elements(), 1u);
        EXPECT_FALSE(folder_.has("state/containers/web.yaml"));
        EXPECT_FALSE(folder_.has("state/containers/.web.yaml.new"));
    }
    EXPECT_EQ(keeper_->counts().refused_changes, 3u);
    EXPECT_TRUE(change(put("web", web))) << "and it goes on";
    EXPECT_EQ(elements(), 2u);
}

TEST_F(KeeperTest, ALinkIsMadeWithoutReadingAnything) {
    start();
    ASSERT_TRUE(change(put("one", R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "links": ["redis"]})")));
    ASSERT_TRUE(change(put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"]})")));
    kernel_.fails = [&](Step now) { return now == Step::snapshot || now == Step::bridges; };
    const std::size_t commits = kernel_.commit_count;
    ASSERT_TRUE(change(put_link("web", "db", "redis")));
    EXPECT_EQ(elements(), 2u);
    ASSERT_TRUE(change(remove_link("web", "db")));
    EXPECT_EQ(elements(), 1u);
    EXPECT_EQ(kernel_.commit_count, commits + 2);
    kernel_.fails = {};
    others_flush();
    EXPECT_EQ(elements(), 1u) << "the whole target has followed";
    ASSERT_TRUE(change(put_link("web", "db", "redis")));
    EXPECT_EQ(elements(), 2u);
}

TEST_F(KeeperTest, AnotherAliasKeepsTheCounts) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    kernel_.ruleset().tables[0].sets[0].elements[0].counters = nft::Counters{7, 420};
    kernel_.fails = [&](Step now) { return now == Step::snapshot; };
    ASSERT_TRUE(change(put_link("web", "cache", "redis")));
    const nft::Element& element = kernel_.ruleset().tables[0].sets[0].elements[0];
    EXPECT_EQ(element.comment, "/web/db /web/cache");
    EXPECT_EQ(element.counters, (nft::Counters{7, 420}));
}

TEST_F(KeeperTest, ALinkIsMadeAlsoWhereOthersHaveTakenWhatItBuildsOn) {
    start();
    ASSERT_TRUE(change(put("one", R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "links": ["redis"]})")));
    ASSERT_TRUE(change(put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"]})")));
    kernel_.ruleset().tables.clear();
    ++kernel_.ruleset().generation;
    ASSERT_TRUE(change(put_link("web", "db", "redis")));
    EXPECT_EQ(elements(), 2u);
    // The event comes late; what it tells of has been repaired on the way.
    keeper_->enforcer().ruleset_changed(
        {kernel_.ruleset().generation - 1, 99, "nft", {{nft::Family::inet, "nftlink"}}, false});
    EXPECT_EQ(keeper_->counts().heals, 1u);
}

// Another program commits between two changes of ours, and we learn of all three in one go.
TEST_F(KeeperTest, ItsOwnCommitsAreNoReasonToLook) {
    start();
    ASSERT_TRUE(change(put("one", R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "links": ["redis"]})")));
    ASSERT_TRUE(change(put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"]})")));
    const auto tell = [&](std::uint32_t generation, std::uint32_t process, const std::string& table) {
        keeper_->enforcer().ruleset_changed({generation, process, "x", {{nft::Family::inet, table}}, false});
    };
    tell(kernel_.ruleset().generation, 7, "nftlink");
    std::size_t reads = 0;
    kernel_.fails = [&](Step now) {
        reads += now == Step::snapshot ? 1 : 0;
        return false;
    };
    ++kernel_.ruleset().generation;  // of a table that isn't ours
    ASSERT_TRUE(change(put_link("web", "db", "redis")));
    const std::uint32_t last = kernel_.ruleset().generation;
    tell(last - 1, 99, "filter");
    tell(last, 7, "nftlink");
    EXPECT_EQ(keeper_->enforcer().generation(), last);
    EXPECT_EQ(reads, 0u);
    ++kernel_.ruleset().generation;
    tell(last + 1, 99, "nftlink");
    EXPECT_EQ(reads, 1u) << "but others' in our table are";
}

TEST_F(KeeperTest, ChangesThatComeTogetherAreMadeTogether) {
    start();
    ASSERT_TRUE(change(put("one", R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "links": ["redis"]})")));
    const std::size_t commits = kernel_.commit_count;
    std::map<std::string, std::expected<Changed, Faults>> answers;
    const auto ask = [&](const std::string& name, api::Transaction transaction) {
        asio::co_spawn(context_, keeper_->change(std::move(transaction)),
                       [&answers, name](std::exception_ptr, auto answer) { answers.emplace(name, std::move(answer)); });
    };
    for (int number = 10; number < 60; ++number)
        ask(std::to_string(number), put("c" + std::to_string(number), linked_to_redis(number)));
    ask("bad", put("bad", R"({"bridge": "docker0", "addresses": ["172.17.0.30"]})"));
    ask("link", put_link("c20", "cache", "one"));
    ask("gone", remove("c59"));
    ask("unknown", remove("nobody"));
    context_.restart();
    while (answers.size() < 54 && context_.run_one() != 0)
        ;
    ASSERT_EQ(answers.size(), 54u);
    for (const auto& [name, answer] : answers)
        EXPECT_EQ(answer.has_value(), name != "bad" && name != "unknown") << name;
    EXPECT_EQ(answers.at("bad").error().front().status, 409u);
    EXPECT_THAT(answers.at("bad").error().front().message, HasSubstr("c30"));
    EXPECT_LE(kernel_.commit_count, commits + 2);
    EXPECT_EQ(elements(), 1u + 49u);
    EXPECT_TRUE(folder_.has("state/containers/c58.yaml"));
    EXPECT_FALSE(folder_.has("state/containers/c59.yaml"));
    EXPECT_THAT(folder_.read("state/containers/c20.yaml"), HasSubstr("one:cache"));
}

TEST_F(KeeperTest, OfChangesThatComeTogetherEachFailsByItself) {
    start();
    ASSERT_TRUE(change(put("one", R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "links": ["redis"]})")));
    // All three together, by their elements and as a whole; then the second one alone, in both ways.
    kernel_.fails = [calls = 0](Step now) mutable {
        calls += now == Step::apply ? 1 : 0;
        return now == Step::apply && (calls == 1 || calls == 2 || calls == 4 || calls == 5);
    };
    std::vector<std::expected<Changed, Faults>> answers;
    for (const int number : {20, 21, 22})
        asio::co_spawn(context_, keeper_->change(put("web" + std::to_string(number), linked_to_redis(number))),
                       [&](std::exception_ptr, auto answer) { answers.push_back(std::move(answer)); });
    context_.restart();
    while (answers.size() < 3 && context_.run_one() != 0)
        ;
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(std::ranges::count_if(answers, [](const auto& answer) { return answer.has_value(); }), 2);
    EXPECT_EQ(elements(), 3u);
    EXPECT_EQ(keeper_->counts().refused_changes, 1u);
}

TEST_F(KeeperTest, NothingIsChangedWhenTheDiskRefuses) {
    start();
    std::filesystem::create_directories(folder_ / "state/containers/.web.yaml.new/in the way");
    const auto refused = change(put("web", web));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().front().code, "not_stored");
    EXPECT_EQ(elements(), 0u);
    EXPECT_EQ(keeper_->desired().topology().find("web"), nullptr);
}

TEST_F(KeeperTest, WhatCannotBePutInPlaceIsTakenBack) {
    start();
    // The draft is written, but its name is taken by a folder: renaming fails after the kernel has said yes.
    std::filesystem::create_directories(folder_ / "state/containers/web.yaml/in the way");
    const auto refused = change(put("web", web));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().front().code, "not_stored");
    EXPECT_EQ(elements(), 0u);
    EXPECT_EQ(keeper_->desired().topology().find("web"), nullptr);
}

TEST_F(KeeperTest, AfterAFlushManyLinksComeInASecondCommit) {
    std::string text = seed;
    for (int number = 10; number < 110; ++number)
        text += fmt::format("  c{0}: {{bridge: docker0, addresses: [172.17.0.{0}], links: [redis]}}\n", number);
    start(text);
    ASSERT_TRUE(change(put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["redis:db"]})")));
    const std::size_t commits = kernel_.commit_count;
    others_flush();
    EXPECT_EQ(kernel_.commit_count, commits + 2);
    EXPECT_EQ(elements(), 101u) << "also the one that has come since the target was made";
    EXPECT_EQ(keeper_->counts().heals, 1u);
}

TEST_F(KeeperTest, HealsAtOnceAndSaysWho) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    others_flush();
    EXPECT_EQ(elements(), 1u);
    ASSERT_TRUE(keeper_->last_heal());
    EXPECT_EQ(keeper_->last_heal()->cause.program, "nft");
    EXPECT_EQ(keeper_->last_heal()->cause.process, 99u);
    EXPECT_EQ(keeper_->counts().heals, 1u);
}

TEST_F(KeeperTest, OthersTablesCostNothing) {
    start();
    int reads = 0;
    kernel_.fails = [&](Step) {
        ++reads;
        return false;
    };
    for (int i = 0; i < 100; ++i) {
        const std::uint32_t generation = ++kernel_.ruleset().generation;
        keeper_->enforcer().ruleset_changed({generation, 1, "other", {{nft::Family::ip, "other"}}, false});
    }
    EXPECT_EQ(reads, 0);
    EXPECT_EQ(keeper_->enforcer().generation(), kernel_.ruleset().generation);
}

TEST_F(KeeperTest, ItsOwnCommitsDoNotWakeIt) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    int reads = 0;
    kernel_.fails = [&](Step) {
        ++reads;
        return false;
    };
    for (std::uint32_t generation = 1; generation <= kernel_.ruleset().generation; ++generation)
        keeper_->enforcer().ruleset_changed({generation, 1, "nftlinkd", {{nft::Family::inet, "nftlink"}}, false});
    EXPECT_EQ(reads, 0);
    EXPECT_EQ(keeper_->counts().heals, 0u);
}

TEST_F(KeeperTest, LostEventsLeadToALook) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    kernel_.ruleset().tables.clear();
    ++kernel_.ruleset().generation;
    keeper_->enforcer().ruleset_changed({0, 0, "", {}, true});
    EXPECT_EQ(elements(), 1u);
}

TEST_F(KeeperTest, AStormIsAnsweredInPiecesAndWonInTheEnd) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    const std::size_t before = kernel_.commit_count;
    for (int i = 0; i < 1000; ++i)
        others_flush();
    EXPECT_LT(kernel_.commit_count - before, 1000u) << "one repair for each change would be a race that never ends";
    run_for(std::chrono::milliseconds(200));
    EXPECT_EQ(elements(), 1u);
}

TEST_F(KeeperTest, ChangesOfOthersThatOneOfOursRepairedOnTheWayAreReported) {
    start();
    kernel_.ruleset().tables.clear();
    const std::uint32_t theirs = ++kernel_.ruleset().generation;
    ASSERT_TRUE(change(put("web", web)));
    EXPECT_EQ(keeper_->counts().heals, 0u);
    keeper_->enforcer().ruleset_changed({theirs, 99, "nft", {{nft::Family::inet, "nftlink"}}, false});
    EXPECT_EQ(keeper_->counts().heals, 1u);
    EXPECT_EQ(keeper_->last_heal()->cause.program, "nft");
}

// A change of others that damaged nothing is no repair, though one of ours came after it.
TEST_F(KeeperTest, ChangesOfOthersThatDamagedNothingAreNoHeals) {
    start();
    const std::uint32_t theirs = ++kernel_.ruleset().generation;
    ASSERT_TRUE(change(put("web", web)));
    keeper_->enforcer().ruleset_changed({theirs, 99, "nft", {{nft::Family::inet, "nftlink"}}, false});
    EXPECT_EQ(keeper_->counts().heals, 0u);
}

TEST_F(KeeperTest, AProgramsNameMayBeCutWithinACharacter) {
    start();
    kernel_.ruleset().tables.clear();
    keeper_->enforcer().ruleset_changed(
        {++kernel_.ruleset().generation, 99, "aaaaaaaaaaaaaa\xc3", {{nft::Family::inet, "nftlink"}}, false});
    EXPECT_EQ(keeper_->last_heal()->cause.program, "aaaaaaaaaaaaaa\uFFFD");
}

TEST_F(KeeperTest, WhatIsRefusedAgainAndAgainIsTriedAtOnceWhenThereAreNews) {
    start();
    kernel_.fails = [](Step step) { return step == Step::apply; };
    others_flush();
    EXPECT_FALSE(keeper_->enforcer().in_force());
    kernel_.fails = {};
    run_for(std::chrono::milliseconds(20));  // the pause after a repair; the next try would be in a second
    others_flush();
    run_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(keeper_->enforcer().in_force());
}

TEST_F(KeeperTest, WhileARepairIsDueNothingIsCalledInForce) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    bool was_behind = false;
    for (int i = 0; i < 1000 && !was_behind; ++i) {
        others_flush();
        was_behind = elements() == 0;
    }
    ASSERT_TRUE(was_behind);
    EXPECT_FALSE(keeper_->enforcer().in_force());
    EXPECT_FALSE(keeper_->enforcer().bridges().front().enforced);
    run_for(std::chrono::milliseconds(200));
    EXPECT_TRUE(keeper_->enforcer().in_force());
}

TEST_F(KeeperTest, EnvFilesMoveWithTheirFolderAndAreTriedAgain) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    folder_.write("blocked", "");
    const auto reload_with = [&](const std::string& folder) {
        folder_.write("nftlink.yaml", std::string(seed) + "state: {directory: " + (folder_ / "state").string() +
                                          "}\nenv: {directory: " + (folder_ / folder).string() + "}\n");
        return reload();
    };
    ASSERT_TRUE(reload_with("other"));
    EXPECT_TRUE(folder_.has("other/web.env"));
    EXPECT_FALSE(folder_.has("env/web.env")) << "it would never be true again";
    EXPECT_THAT(reload_with("blocked/env")->warnings, ElementsAre(HasSubstr("blocked/env")));
    std::filesystem::remove(folder_ / "blocked");
    ASSERT_TRUE(change(put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "links": ["redis:db"]})")));
    EXPECT_TRUE(folder_.has("blocked/env/web.env"));
    EXPECT_TRUE(folder_.has("blocked/env/redis.env"));
}

TEST_F(KeeperTest, AHealThatFailsIsTriedAgainAndNoPolicyIsCalledEnforcedMeanwhile) {
    start();
    kernel_.fails = [](Step step) { return step == Step::apply; };
    others_flush();
    EXPECT_FALSE(keeper_->enforcer().in_force());
    EXPECT_FALSE(keeper_->enforcer().bridges().front().enforced);
    EXPECT_THAT(keeper_->enforcer().bridges().front().reason, HasSubstr("kernel refused"));
    ASSERT_TRUE(keeper_->last_error());
    kernel_.fails = {};
    run_for(std::chrono::milliseconds(1200));
    EXPECT_TRUE(keeper_->enforcer().in_force());
    EXPECT_TRUE(keeper_->enforcer().bridges().front().enforced);
    EXPECT_EQ(keeper_->counts().heals, 1u);
}

TEST_F(KeeperTest, FollowsItsBridges) {
    kernel_.bridge_state.bridges.clear();
    start();
    EXPECT_FALSE(keeper_->enforcer().bridges().front().present);
    kernel_.bridge_state.bridges = {{"docker0", 7, {}}};
    keeper_->enforcer().bridges_changed();
    run_for(std::chrono::milliseconds(20));  // the pause that a repair before may have left
    EXPECT_EQ(kernel_.bridge_state.bridges.front().own, (kernel::BridgeNetfilter{true, true}));
    EXPECT_TRUE(keeper_->enforcer().bridges().front().enforced);
    kernel_.bridge_state.bridges.front().own = {};
    keeper_->enforcer().bridges_changed();
    run_for(std::chrono::milliseconds(20));  // the pause that a repair before may have left
    EXPECT_TRUE(keeper_->enforcer().bridges().front().enforced);
    kernel_.bridge_state.module_loaded = false;
    keeper_->enforcer().bridges_changed();
    run_for(std::chrono::milliseconds(20));  // the pause that a repair before may have left
    EXPECT_FALSE(keeper_->enforcer().bridges().front().enforced);
    EXPECT_EQ(keeper_->counts().heals, 0u) << "nobody changed a rule";
}

TEST_F(KeeperTest, AReloadReplacesTheFiles) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    folder_.write("conf.d/more.yaml",
                  "containers: {cache: {bridge: docker0, addresses: [172.17.0.4], expose: [11211]},\n"
                  "  app: {bridge: docker0, addresses: [172.17.0.5], links: [cache]}}\n");
    const auto changed = reload();
    ASSERT_TRUE(changed) << changed.error().front().message;
    EXPECT_TRUE(changed->anything);
    EXPECT_EQ(elements(), 2u);
    EXPECT_FALSE(reload()->anything);
    EXPECT_THAT(folder_.read("env/app.env"), HasSubstr("CACHE_PORT="));
}

TEST_F(KeeperTest, ARefusedReloadKeepsTheOldConfiguration) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    const auto refused_with = [&](const std::string& text, const std::string& message) {
        folder_.write("conf.d/more.yaml", text);
        const auto refused = reload();
        ASSERT_FALSE(refused) << text;
        EXPECT_THAT(refused.error().front().message, HasSubstr(message));
        EXPECT_EQ(refused.error().front().status, 422u);
        ASSERT_TRUE(keeper_->refused_configuration());
        EXPECT_THAT(keeper_->refused_configuration()->messages.front(), HasSubstr(message));
        EXPECT_EQ(elements(), 1u);
    };
    refused_with("firewall: {layuot: rules}\n", "conf.d/more.yaml:1:12: unknown key 'layuot'");
    refused_with("containers: {web: {bridge: docker0, addresses: [172.17.0.7]}}\n", "conf.d/more.yaml:1:14");
    refused_with("containers: {x: {bridge: docker0, addresses: [172.17.0.3]}}\n", "nftlink rm web");
    folder_.write("conf.d/more.yaml", "");
    EXPECT_TRUE(reload());
    EXPECT_FALSE(keeper_->refused_configuration());
}

TEST_F(KeeperTest, AReloadThatTheKernelRefusesChangesNothing) {
    start();
    const auto topology = keeper_->desired().topology();
    folder_.write("conf.d/more.yaml", "containers: {x: {bridge: docker0, addresses: [172.17.0.4], links: [redis]}}\n");
    kernel_.fails = [](Step step) { return step == Step::apply; };
    EXPECT_EQ(reload().error().front().status, 503u);
    kernel_.fails = {};
    EXPECT_TRUE(keeper_->refused_configuration());
    EXPECT_EQ(keeper_->desired().topology(), topology);
    EXPECT_TRUE(reload());
    EXPECT_EQ(elements(), 1u);
}

TEST_F(KeeperTest, LinksEndWhenAReloadTakesTheirChildAway) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    folder_.write("nftlink.yaml", "state: {directory: " + (folder_ / "state").string() + "}\n");
    const auto changed = reload();
    ASSERT_TRUE(changed) << changed.error().front().message;
    EXPECT_THAT(changed->ended_links, ElementsAre("/web/db"));
    EXPECT_EQ(elements(), 0u);
    EXPECT_EQ(folder_.read("state/containers/web.yaml").find("redis"), std::string::npos);
}

TEST_F(KeeperTest, ADamagedFileIsSetAsideAndTheRestServed) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    keeper_.reset();
    folder_.write("state/containers/bad.yaml", "containers: {bad: {bri");
    folder_.write("state/containers/redis.yaml", "containers:\n  redis: {bridge: docker0, addresses: [172.17.0.8]}\n");
    start();
    EXPECT_EQ(elements(), 1u);
    EXPECT_EQ(folder_.read("state/containers/bad.yaml.set-aside"), "containers: {bad: {bri");
    EXPECT_TRUE(folder_.has("state/containers/redis.yaml.set-aside"));
    EXPECT_THAT(keeper_->last_error()->messages.front(), HasSubstr("is given twice"));
    EXPECT_EQ(keeper_->desired().topology().find("redis")->networks[0].addresses[0].to_string(), "172.17.0.2");
}

TEST_F(KeeperTest, RemovedLinksEndTheirConnections) {
    start(seed, "firewall: {cut_flows: true}\n");
    ASSERT_TRUE(change(put("web", web)));
    EXPECT_THAT(kernel_.ended_flows, IsEmpty());
    api::Transaction away;
    away.delete_links.push_back({"web", "db"});
    ASSERT_TRUE(change(std::move(away)));
    EXPECT_THAT(kernel_.ended_flows, ElementsAre(nft::Flow{{172, 17, 0, 3}, {172, 17, 0, 2}, 6, 6379}));
}

TEST_F(KeeperTest, TheStartFailsClearlyWhenTheKernelRefuses) {
    make();
    kernel_.fails = [](Step step) { return step == Step::apply; };
    EXPECT_FALSE(keeper_->start());
}

}  // namespace
}  // namespace nftlink::service
