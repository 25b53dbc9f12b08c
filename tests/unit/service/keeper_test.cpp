// The service's core against a kernel in memory, with every step failing in turn.
#include <fmt/format.h>

#include "keeper_fixture.hpp"

namespace nftlink::service {
namespace {

TEST_F(KeeperTest, AChangeIsInTheKernelAndOnDiskAndComesBack) {
    start();
    const auto changed = change(put("web", web));
    ASSERT_TRUE(changed) << changed.error().front().message;
    EXPECT_TRUE(changed->anything);
    EXPECT_EQ(elements(), 1u);
    EXPECT_THAT(folder_.read("state/containers/web.yaml"), HasSubstr("172.17.0.3"));
    EXPECT_THAT(folder_.read("env/web.env"), HasSubstr("DB_PORT=tcp://172.17.0.2:6379\n"));
    EXPECT_THAT(keeper_->links(), ElementsAre(firewall::LinkCount{"web", {"redis", "db"}, true, 0, 0}));
    EXPECT_THAT(set_in(kernel_, "replies4").elements, SizeIs(1));

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
    kernel_.bridge_state = {{{"br1", 4, {}}, {"docker0", 3, {}}}, true, {}};
    start();
    // On a bridge that nobody has named yet.
    const std::string elsewhere =
        R"({"networks": {"docker0": ["172.17.0.3"], "br1": ["172.18.0.3"]}, "links": ["redis:db"]})";
    for (const Step step : {Step::apply, Step::bridges}) {
        ASSERT_TRUE(change(put("one", linked_to_redis(9 + static_cast<int>(step))))) << "what is there is known again";
        const auto topology = keeper_->desired().topology();
        kernel_.fails = [&](Step now) { return now == step; };
        const auto refused = change(put("web", elsewhere));
        kernel_.fails = {};
        ASSERT_FALSE(refused) << static_cast<int>(step);
        EXPECT_EQ(refused.error().front().status, 503u);
        EXPECT_EQ(refused.error().front().code, "kernel_refused");
        EXPECT_EQ(keeper_->desired().topology(), topology);
        EXPECT_EQ(elements(), 1u) << static_cast<int>(step);
        EXPECT_THAT(bridges_in(kernel_, "bridges"), ElementsAre("docker0")) << static_cast<int>(step);
        EXPECT_FALSE(folder_.has("state/containers/web.yaml"));
        EXPECT_FALSE(folder_.has("state/containers/.web.yaml.new"));
    }
    EXPECT_EQ(keeper_->counts().refused_changes, 2u);
    EXPECT_TRUE(change(put("web", web))) << "and it goes on";
    EXPECT_EQ(elements(), 2u);
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

TEST_F(KeeperTest, NoElementsAreReadWhileTheRulesetIsKnownToBeOurs) {
    start(std::string(seed) + "  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis]}\n");
    const auto totals = [&] {
        const auto [desired, installed] = keeper_->link_totals();
        return std::pair(desired, installed);
    };
    kernel_.element_reads = 0;
    EXPECT_EQ(totals(), (std::pair<std::size_t, std::size_t>(1, 1)));
    EXPECT_TRUE(reload());
    folder_.write("conf.d/more.yaml", "containers: {w: {bridge: docker0, addresses: [172.17.0.4], links: [redis]}}\n");
    EXPECT_TRUE(reload());
    EXPECT_EQ(elements(), 2u);
    EXPECT_EQ(totals(), (std::pair<std::size_t, std::size_t>(2, 2)));
    EXPECT_EQ(kernel_.element_reads, 0u);
    kernel_.ruleset().tables[0].sets[0].elements.pop_back();
    ++kernel_.ruleset().generation;
    EXPECT_EQ(totals(), (std::pair<std::size_t, std::size_t>(2, 1))) << "its event is still to come";
    EXPECT_EQ(kernel_.element_reads, 1u);
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
    folder_.write("conf.d/more.yaml",
                  "firewall: {counters: none}\n"
                  "containers: {x: {bridge: docker0, addresses: [172.17.0.4], links: [redis]}}\n");
    for (const Step step : {Step::snapshot, Step::apply, Step::bridges}) {
        kernel_.fails = [&](Step now) { return now == step; };
        EXPECT_EQ(reload().error().front().status, 503u) << static_cast<int>(step);
        kernel_.fails = {};
        EXPECT_TRUE(keeper_->refused_configuration());
        EXPECT_EQ(keeper_->desired().topology(), topology);
        EXPECT_EQ(elements(), 0u);
        EXPECT_TRUE(set_in(kernel_, "links4").counter);
    }
    EXPECT_TRUE(reload());
    EXPECT_EQ(elements(), 1u);
    EXPECT_FALSE(set_in(kernel_, "links4").counter);
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

TEST_F(KeeperTest, AStoredContainerBeyondALimitIsSetAsideAndTheRestServed) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    keeper_.reset();
    std::string addresses = "10.0.0.1";
    for (int i = 2; i <= 17; ++i)
        addresses += ", 10.0.0." + std::to_string(i);
    folder_.write("state/containers/many.yaml",
                  "containers:\n  many: {bridge: docker0, addresses: [" + addresses + "], links: [redis]}\n");
    start();
    EXPECT_EQ(elements(), 1u);
    EXPECT_TRUE(folder_.has("state/containers/many.yaml.set-aside"));
    EXPECT_THAT(keeper_->last_error()->messages.front(), HasSubstr("'many' has more than 16 addresses"));
}

// What was told lasts: it starts once the limit is high enough again.
TEST_F(KeeperTest, StoredContainersBeyondTheHostsLimitKeepItFromStartingAndStay) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    ASSERT_TRUE(change(put("also", linked_to_redis(4))));
    make(seed, "limits: {permissions: 1}\n");
    EXPECT_FALSE(keeper_->start());
    EXPECT_THAT(keeper_->last_error()->messages.front(), HasSubstr("raise the limit"));
    start(seed, "limits: {permissions: 2}\n");
    EXPECT_EQ(elements(), 2u);
}

// They pass by a key of their own: a connection doesn't outlive its link.
TEST_F(KeeperTest, ALinksRepliesEndWithIt) {
    start();
    ASSERT_TRUE(change(put("one", linked_to_redis(9))));
    ASSERT_TRUE(change(put("web", web)));
    EXPECT_THAT(set_in(kernel_, "replies4").elements, SizeIs(2));
    ASSERT_TRUE(change(remove_link("web", "db")));
    EXPECT_EQ(elements(), 1u);
    EXPECT_THAT(set_in(kernel_, "replies4").elements, SizeIs(1));
    ASSERT_TRUE(change(remove("one")));
    EXPECT_THAT(set_in(kernel_, "replies4").elements, IsEmpty());
}

TEST_F(KeeperTest, TheStartFailsClearlyWhenTheKernelRefuses) {
    make();
    kernel_.fails = [](Step step) { return step == Step::apply; };
    EXPECT_FALSE(keeper_->start());
}

}  // namespace
}  // namespace nftlink::service
