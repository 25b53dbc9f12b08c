// The service's core against a kernel in memory, with every step failing in turn.
#include <fmt/format.h>

#include "service_fixture.hpp"

namespace nftlink::service {
namespace {

TEST_F(ChangesTest, AChangeIsInTheKernelAndOnDiskAndComesBack) {
    start();
    const auto changed = change(put("web", web));
    ASSERT_TRUE(changed) << changed.error().front().message;
    EXPECT_TRUE(changed->anything);
    EXPECT_EQ(elements(), 1u);
    EXPECT_THAT(folder_.read("state/containers/web.yaml"), HasSubstr("172.17.0.3"));
    EXPECT_THAT(folder_.read("env/web.env"), HasSubstr("DB_PORT=tcp://172.17.0.2:6379\n"));
    EXPECT_THAT(core_->links.read(state()), ElementsAre(firewall::LinkCount{"web", {"redis", "db"}, true, 0, 0}));
    EXPECT_THAT(set_in(kernel_, "replies4").elements, SizeIs(1));

    const std::size_t commits = kernel_.commit_count;
    start();
    EXPECT_EQ(kernel_.commit_count, commits) << "the same ruleset is adopted without a write";
    EXPECT_EQ(core_->links.read(state()).size(), 1u);
    ASSERT_TRUE(change(remove("web")));
    EXPECT_EQ(elements(), 0u);
    EXPECT_FALSE(folder_.has("state/containers/web.yaml"));
    EXPECT_FALSE(folder_.has("env/web.env"));
}

TEST_F(ChangesTest, NothingIsChangedByAStepThatFails) {
    kernel_.bridge_state = {{{"br1", 4, {}}, {"docker0", 3, {}}}, true, {}};
    start();
    // On a bridge that nobody has named yet.
    const std::string elsewhere =
        R"({"networks": {"docker0": ["172.17.0.3"], "br1": ["172.18.0.3"]}, "links": ["redis:db"]})";
    for (const Step step : {Step::apply, Step::bridges}) {
        ASSERT_TRUE(change(put("one", linked_to_redis(9 + static_cast<int>(step))))) << "what is there is known again";
        const auto topology = state().topology();
        kernel_.fails = [&](Step now) { return now == step; };
        const auto refused = change(put("web", elsewhere));
        kernel_.fails = {};
        ASSERT_FALSE(refused) << static_cast<int>(step);
        EXPECT_EQ(refused.error().front().code, api::Code::kernel_refused);
        EXPECT_EQ(state().topology(), topology);
        EXPECT_EQ(elements(), 1u) << static_cast<int>(step);
        EXPECT_THAT(bridges_in(kernel_, "bridges"), ElementsAre("docker0")) << static_cast<int>(step);
        EXPECT_FALSE(folder_.has("state/containers/web.yaml"));
        EXPECT_FALSE(folder_.has("state/containers/.web.yaml.new"));
    }
    EXPECT_EQ(reporter().counts().refused_changes, 2u);
    EXPECT_TRUE(change(put("web", web))) << "and it goes on";
    EXPECT_EQ(elements(), 2u);
}

TEST_F(ChangesTest, NothingIsChangedWhenTheDiskRefuses) {
    start();
    std::filesystem::create_directories(folder_ / "state/containers/.web.yaml.new/in the way");
    const auto refused = change(put("web", web));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().front().code, api::Code::not_stored);
    EXPECT_EQ(elements(), 0u);
    EXPECT_EQ(state().topology().find("web"), nullptr);
}

TEST_F(ChangesTest, WhatCannotBePutInPlaceIsTakenBack) {
    start();
    // The prepared file is written, but its name is taken by a folder: renaming fails after the kernel has said yes.
    std::filesystem::create_directories(folder_ / "state/containers/web.yaml/in the way");
    const auto refused = change(put("web", web));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().front().code, api::Code::not_stored);
    EXPECT_EQ(elements(), 0u);
    EXPECT_EQ(state().topology().find("web"), nullptr);
}

TEST_F(ChangesTest, AfterAFlushManyLinksComeInASecondCommit) {
    std::string text = seed;
    for (int number = 10; number < 110; ++number)
        text += fmt::format("  c{0}: {{bridge: docker0, addresses: [172.17.0.{0}], links: [redis]}}\n", number);
    start(text);
    ASSERT_TRUE(change(put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["redis:db"]})")));
    const std::size_t commits = kernel_.commit_count;
    others_flush();
    EXPECT_EQ(kernel_.commit_count, commits + 2);
    EXPECT_EQ(elements(), 101u) << "also the one that has come since the target was made";
    EXPECT_EQ(reporter().counts().heals, 1u);
}

TEST_F(ChangesTest, NoElementsAreReadWhileTheRulesetIsKnownToBeOurs) {
    start(std::string(seed) + "  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis]}\n");
    const auto totals = [&] {
        const auto [desired, installed] = core_->links.count(state());
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

TEST_F(ChangesTest, HealsAtOnceAndSaysWho) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    others_flush();
    EXPECT_EQ(elements(), 1u);
    ASSERT_TRUE(reporter().last_heal());
    EXPECT_EQ(reporter().last_heal()->cause.program, "nft");
    EXPECT_EQ(reporter().last_heal()->cause.process, 99u);
    EXPECT_EQ(reporter().counts().heals, 1u);
}

TEST_F(ChangesTest, OthersTablesCostNothing) {
    start();
    int reads = 0;
    kernel_.fails = [&](Step) {
        ++reads;
        return false;
    };
    for (int i = 0; i < 100; ++i) {
        const std::uint32_t generation = ++kernel_.ruleset().generation;
        hear({generation, 1, "other", {{nft::Family::ip, "other"}}, false});
    }
    EXPECT_EQ(reads, 0);
    EXPECT_EQ(enforcer().generation(), kernel_.ruleset().generation);
}

TEST_F(ChangesTest, ItsOwnCommitsDoNotWakeIt) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    int reads = 0;
    kernel_.fails = [&](Step) {
        ++reads;
        return false;
    };
    for (std::uint32_t generation = 1; generation <= kernel_.ruleset().generation; ++generation)
        hear({generation, 1, "nftlinkd", {{nft::Family::inet, "nftlink"}}, false});
    EXPECT_EQ(reads, 0);
    EXPECT_EQ(reporter().counts().heals, 0u);
}

TEST_F(ChangesTest, LostEventsLeadToALook) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    kernel_.ruleset().tables.clear();
    ++kernel_.ruleset().generation;
    hear({0, 0, "", {}, true});
    EXPECT_EQ(elements(), 1u);
}

TEST_F(ChangesTest, AStormIsAnsweredInPiecesAndWonInTheEnd) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    kernel_.before_apply = [this] { processor_time_ += std::chrono::milliseconds(10); };
    const std::size_t before = kernel_.commit_count;
    for (int i = 0; i < 1000; ++i) {
        others_flush();
        pass(std::chrono::milliseconds(1));
    }
    EXPECT_LE(kernel_.commit_count - before, 1000u / 30 + 1) << "others get three times what a repair costs";
    pass(std::chrono::milliseconds(30));
    EXPECT_EQ(elements(), 1u);
}

TEST_F(ChangesTest, ChangesOfOthersThatOneOfOursRepairedOnTheWayAreReported) {
    start();
    kernel_.ruleset().tables.clear();
    const std::uint32_t theirs = ++kernel_.ruleset().generation;
    ASSERT_TRUE(change(put("web", web)));
    EXPECT_EQ(reporter().counts().heals, 0u);
    hear({theirs, 99, "nft", {{nft::Family::inet, "nftlink"}}, false});
    EXPECT_EQ(reporter().counts().heals, 1u);
    EXPECT_EQ(reporter().last_heal()->cause.program, "nft");
}

// A change of others that damaged nothing is no repair, though one of ours came after it.
TEST_F(ChangesTest, ChangesOfOthersThatDamagedNothingAreNoHeals) {
    start();
    const std::uint32_t theirs = ++kernel_.ruleset().generation;
    ASSERT_TRUE(change(put("web", web)));
    hear({theirs, 99, "nft", {{nft::Family::inet, "nftlink"}}, false});
    EXPECT_EQ(reporter().counts().heals, 0u);
}

TEST_F(ChangesTest, AProgramsNameMayBeCutWithinACharacter) {
    start();
    kernel_.ruleset().tables.clear();
    hear({++kernel_.ruleset().generation, 99, "aaaaaaaaaaaaaa\xc3", {{nft::Family::inet, "nftlink"}}, false});
    EXPECT_EQ(reporter().last_heal()->cause.program, "aaaaaaaaaaaaaa\uFFFD");
}

TEST_F(ChangesTest, WhatIsRefusedAgainAndAgainIsTriedAtOnceWhenThereAreNews) {
    start();
    kernel_.fails = [](Step step) { return step == Step::apply; };
    others_flush();
    EXPECT_FALSE(enforcer().in_force());
    kernel_.fails = {};
    others_flush();
    EXPECT_TRUE(enforcer().in_force());
}

TEST_F(ChangesTest, WhileARepairIsDueNothingIsCalledInForce) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    kernel_.before_apply = [this] { processor_time_ += std::chrono::milliseconds(10); };
    others_flush();
    EXPECT_EQ(elements(), 1u);
    others_flush();
    EXPECT_EQ(elements(), 0u);
    EXPECT_FALSE(enforcer().in_force());
    EXPECT_FALSE(enforcer().bridges().front().enforced);
    pass(std::chrono::milliseconds(200));
    EXPECT_TRUE(enforcer().in_force());
}

TEST_F(ChangesTest, EnvFilesMoveWithTheirFolderAndAreTriedAgain) {
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
    EXPECT_THAT(reload_with("blocked/env")->warnings,
                ElementsAre(testing::Field(&base::Error::message, HasSubstr("blocked/env"))));
    std::filesystem::remove(folder_ / "blocked");
    ASSERT_TRUE(change(put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "links": ["redis:db"]})")));
    EXPECT_TRUE(folder_.has("blocked/env/web.env"));
    EXPECT_TRUE(folder_.has("blocked/env/redis.env"));
}

TEST_F(ChangesTest, AHealThatFailsIsTriedAgainAndNoPolicyIsCalledEnforcedMeanwhile) {
    start();
    kernel_.fails = [](Step step) { return step == Step::apply; };
    others_flush();
    EXPECT_FALSE(enforcer().in_force());
    EXPECT_FALSE(enforcer().bridges().front().enforced);
    EXPECT_THAT(enforcer().bridges().front().reason, HasSubstr("kernel refused"));
    ASSERT_TRUE(reporter().last_error());
    kernel_.fails = {};
    pass(std::chrono::milliseconds(1200));
    EXPECT_TRUE(enforcer().in_force());
    EXPECT_TRUE(enforcer().bridges().front().enforced);
    EXPECT_EQ(reporter().counts().heals, 1u);
}

TEST_F(ChangesTest, FollowsItsBridges) {
    kernel_.bridge_state.bridges.clear();
    start();
    EXPECT_FALSE(enforcer().bridges().front().present);
    kernel_.bridge_state.bridges = {{"docker0", 7, {}}};
    look();
    EXPECT_EQ(kernel_.bridge_state.bridges.front().own, (kernel::BridgeNetfilter{true, true}));
    EXPECT_TRUE(enforcer().bridges().front().enforced);
    kernel_.bridge_state.bridges.front().own = {};
    look();
    EXPECT_TRUE(enforcer().bridges().front().enforced);
    kernel_.bridge_state.module_loaded = false;
    look();
    EXPECT_FALSE(enforcer().bridges().front().enforced);
    EXPECT_EQ(reporter().counts().heals, 0u) << "nobody changed a rule";
}

TEST_F(ChangesTest, AReloadReplacesTheFiles) {
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

TEST_F(ChangesTest, ARefusedReloadKeepsTheOldConfiguration) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    const auto refused_with = [&](const std::string& text, const std::string& message) {
        folder_.write("conf.d/more.yaml", text);
        const auto refused = reload();
        ASSERT_FALSE(refused) << text;
        EXPECT_THAT(refused.error().front().message, HasSubstr(message));
        EXPECT_EQ(refused.error().front().code, api::Code::invalid);
        ASSERT_TRUE(reporter().refused_configuration());
        EXPECT_THAT(reporter().refused_configuration()->messages.front(), HasSubstr(message));
        EXPECT_EQ(elements(), 1u);
    };
    refused_with("firewall: {layuot: rules}\n", "conf.d/more.yaml:1:12: unknown key 'layuot'");
    refused_with("containers: {web: {bridge: docker0, addresses: [172.17.0.7]}}\n", "conf.d/more.yaml:1:14");
    refused_with("containers: {x: {bridge: docker0, addresses: [172.17.0.3]}}\n", "nftlink rm web");
    folder_.write("conf.d/more.yaml", "");
    EXPECT_TRUE(reload());
    EXPECT_FALSE(reporter().refused_configuration());
}

TEST_F(ChangesTest, AReloadThatTheKernelRefusesChangesNothing) {
    start();
    const auto topology = state().topology();
    folder_.write("conf.d/more.yaml",
                  "firewall: {counters: none}\n"
                  "containers: {x: {bridge: docker0, addresses: [172.17.0.4], links: [redis]}}\n");
    for (const Step step : {Step::snapshot, Step::apply, Step::bridges}) {
        kernel_.fails = [&](Step now) { return now == step; };
        EXPECT_EQ(reload().error().front().code, api::Code::kernel_refused) << static_cast<int>(step);
        kernel_.fails = {};
        EXPECT_TRUE(reporter().refused_configuration());
        EXPECT_EQ(state().topology(), topology);
        EXPECT_EQ(elements(), 0u);
        EXPECT_TRUE(set_in(kernel_, "links4").counter);
    }
    EXPECT_TRUE(reload());
    EXPECT_EQ(elements(), 1u);
    EXPECT_FALSE(set_in(kernel_, "links4").counter);
}

TEST_F(ChangesTest, LinksEndWhenAReloadTakesTheirChildAway) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    folder_.write("nftlink.yaml", "state: {directory: " + (folder_ / "state").string() + "}\n");
    const auto changed = reload();
    ASSERT_TRUE(changed) << changed.error().front().message;
    EXPECT_THAT(changed->ended_links, ElementsAre("/web/db"));
    EXPECT_EQ(elements(), 0u);
    EXPECT_EQ(folder_.read("state/containers/web.yaml").find("redis"), std::string::npos);
}

TEST_F(ChangesTest, ADamagedFileIsSetAsideAndTheRestServed) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    core_.reset();
    folder_.write("state/containers/bad.yaml", "containers: {bad: {bri");
    folder_.write("state/containers/redis.yaml", "containers:\n  redis: {bridge: docker0, addresses: [172.17.0.8]}\n");
    start();
    EXPECT_EQ(elements(), 1u);
    EXPECT_EQ(folder_.read("state/containers/bad.yaml.set-aside"), "containers: {bad: {bri");
    EXPECT_TRUE(folder_.has("state/containers/redis.yaml.set-aside"));
    EXPECT_THAT(reporter().last_error()->messages.front(), HasSubstr("is given twice"));
    EXPECT_EQ(state().topology().find("redis")->networks[0].addresses[0].to_string(), "172.17.0.2");
}

TEST_F(ChangesTest, AStoredContainerBeyondALimitIsSetAsideAndTheRestServed) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    core_.reset();
    std::string addresses = "10.0.0.1";
    for (int i = 2; i <= 17; ++i)
        addresses += ", 10.0.0." + std::to_string(i);
    folder_.write("state/containers/many.yaml",
                  "containers:\n  many: {bridge: docker0, addresses: [" + addresses + "], links: [redis]}\n");
    start();
    EXPECT_EQ(elements(), 1u);
    EXPECT_TRUE(folder_.has("state/containers/many.yaml.set-aside"));
    EXPECT_THAT(reporter().last_error()->messages.front(), HasSubstr("'many' has more than 16 addresses"));
}

// What was told lasts: it starts once the limit is high enough again.
TEST_F(ChangesTest, StoredContainersBeyondTheHostsLimitKeepItFromStartingAndStay) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    ASSERT_TRUE(change(put("also", linked_to_redis(4))));
    make(seed, "limits: {permissions: 1}\n");
    EXPECT_FALSE(try_to_start());
    EXPECT_THAT(reporter().last_error()->messages.front(), HasSubstr("raise the limit"));
    start(seed, "limits: {permissions: 2}\n");
    EXPECT_EQ(elements(), 2u);
}

// They pass by a key of their own: a connection doesn't outlive its link.
TEST_F(ChangesTest, ALinksRepliesEndWithIt) {
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

TEST_F(ChangesTest, TheStartFailsClearlyWhenTheKernelRefuses) {
    make();
    kernel_.fails = [](Step step) { return step == Step::apply; };
    EXPECT_FALSE(try_to_start());
}

// A change that threw was never taken back: the refused link stayed in memory, and the next flush ended the daemon.
TEST_F(ChangesTest, AChangeThatThrowsAtAnyStepIsTakenBackWhole) {
    start();
    ASSERT_TRUE(change(put("one", linked_to_redis(9))));
    const auto topology = state().topology();
    const std::string new_bridge =
        R"({"networks": {"docker0": ["172.17.0.3"], "br1": ["172.18.0.3"]}, "links": ["redis"]})";
    kernel_.bridge_state.bridges.insert(kernel_.bridge_state.bridges.begin(), {"br1", 4, {}});
    for (const Step step : {Step::snapshot, Step::apply, Step::bridges, Step::enable}) {
        SCOPED_TRACE(static_cast<int>(step));
        bool has_thrown = false;
        kernel_.fails = [&](Step now) -> bool {
            has_thrown |= now == step;
            // What reads nothing is tried first; so that it isn't made that way.
            if (now == step)
                throw std::bad_alloc();
            return step == Step::snapshot && now == Step::apply;
        };
        const auto refused = change(put("web", new_bridge));
        kernel_.fails = {};
        ASSERT_TRUE(has_thrown);
        ASSERT_FALSE(refused);
        EXPECT_EQ(state().topology(), topology);
        EXPECT_FALSE(folder_.has("state/containers/web.yaml"));
        EXPECT_FALSE(folder_.has("state/containers/.web.yaml.new"));
        pass(std::chrono::seconds(1));
        EXPECT_TRUE(enforcer().in_force());
        EXPECT_EQ(elements(), 1u);
        EXPECT_THAT(bridges_in(kernel_, "bridges"), ElementsAre("docker0"));
        others_flush();
        EXPECT_EQ(elements(), 1u) << "repairs go on";
        pass(std::chrono::seconds(1));
    }
    EXPECT_TRUE(change(put("web", web))) << "and so do changes";
    EXPECT_EQ(elements(), 2u);
}

}  // namespace
}  // namespace nftlink::service
