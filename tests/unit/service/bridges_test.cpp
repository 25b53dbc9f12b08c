// Containers on bridges that nobody has named, and changes in several transactions.
#include "service_fixture.hpp"

namespace nftlink::service {
namespace {

// So many parents of redis.
std::string many(int first, int last) {
    std::string text = seed;
    for (int number = first; number <= last; ++number)
        text += fmt::format("  c{0}: {{bridge: docker0, addresses: [172.17.{1}.{2}], links: [redis]}}\n", number,
                            1 + number / 250, number % 250);
    return text;
}

class BridgesTest : public ChangesTest {
protected:
    BridgesTest() { kernel_.bridge_state = {{{"br-new", 4, {}}, {"docker0", 3, {}}, {"other", 5, {}}}, true, {}}; }

    void begin(const std::string& text = seed) {
        start(text);
        kernel_.element_reads = 0;
        commits_ = kernel_.commit_count;
        count_snapshots();
    }
    void count_snapshots() {
        kernel_.fails = [this](Step step) {
            snapshots_ += step == Step::snapshot ? 1 : 0;
            return false;
        };
    }
    static std::string on(const std::string& bridge, int number, const std::string& more = "") {
        return fmt::format(R"({{"bridge": "{}", "addresses": ["172.18.0.{}"]{}}})", bridge, number, more);
    }
    kernel::BridgeNetfilter switches(const std::string& name) {
        return std::ranges::find(kernel_.bridge_state.bridges, name, &kernel::Bridge::name)->own;
    }
    std::vector<std::string> policed() { return bridges_in(kernel_, "bridges"); }
    // As the status tells them.
    std::vector<std::string> told() {
        std::vector<std::string> names;
        for (const enforce::BridgeState& state : enforcer().bridges())
            names.push_back(state.bridge + (state.enforced ? "" : ": " + state.reason));
        return names;
    }
    // One transaction, and nothing was read for it.
    void expect_elements_alone() {
        EXPECT_EQ(kernel_.commit_count, ++commits_);
        EXPECT_EQ(snapshots_, 0u);
        EXPECT_EQ(kernel_.element_reads, 0u);
    }
    void expect_whole() {
        kernel_.fails = {};
        const auto planned = enforce::plan(kernel_, enforcer().target());
        ASSERT_TRUE(planned) << planned.error();
        EXPECT_TRUE(planned->empty());
    }

    std::size_t snapshots_ = 0, commits_ = 0;
};

TEST_F(BridgesTest, ANewBridgeComesAndGoesWithItsContainersByElementsAlone) {
    begin();
    ASSERT_TRUE(change(put("db", on("br-new", 2, R"(, "expose": [80])"))));
    expect_elements_alone();
    EXPECT_THAT(policed(), ElementsAre("br-new", "docker0"));
    EXPECT_THAT(bridges_in(kernel_, "denied"), ElementsAre("br-new", "docker0"));
    EXPECT_EQ(switches("br-new"), (kernel::BridgeNetfilter{true, true}));
    EXPECT_EQ(switches("other"), kernel::BridgeNetfilter{});
    EXPECT_THAT(told(), ElementsAre("br-new", "docker0"));

    ASSERT_TRUE(change(put("app", on("br-new", 3, R"(, "links": ["db"])"))));
    expect_elements_alone();
    EXPECT_EQ(elements(), 1u);
    ASSERT_TRUE(change(remove("app")));
    expect_elements_alone();
    EXPECT_THAT(policed(), ElementsAre("br-new", "docker0")) << "one container is there still";
    ASSERT_TRUE(change(remove("db")));
    expect_elements_alone();
    EXPECT_THAT(policed(), ElementsAre("docker0"));
    EXPECT_THAT(bridges_in(kernel_, "denied"), ElementsAre("docker0"));
    EXPECT_THAT(told(), ElementsAre("docker0"));
    expect_whole();
}

// Where the kernel doesn't know bridges by name, what closes other frames goes by their ports.
TEST_F(BridgesTest, PortsComeAndGoByElementsAlone) {
    kernel_.family_state = kernel::BridgeFamily{.names = false, .conntrack = true, .tables = true};
    kernel_.bridge_state.bridges = {
        {"br-new", 4, {}, {"new1"}}, {"docker0", 3, {}, {"veth1"}}, {"other", 5, {}, {"o1"}}};
    begin();
    const auto ports = [&] { return bridges_in(kernel_, "ports"); };
    EXPECT_THAT(ports(), ElementsAre("veth1")) << "of policed bridges alone";
    kernel_.bridge_state.bridges[1].ports = {"veth1", "veth2"};
    kernel_.bridge_state.bridges[2].ports = {"o1", "o2"};
    look();
    EXPECT_THAT(ports(), ElementsAre("veth1", "veth2"));
    expect_elements_alone();
    ASSERT_TRUE(change(put("web", on("br-new", 2))));
    EXPECT_THAT(ports(), ElementsAre("new1", "veth1", "veth2")) << "in the change that polices the bridge";
    expect_elements_alone();
    kernel_.bridge_state.bridges[1].ports = {"veth2"};
    look();
    EXPECT_THAT(ports(), ElementsAre("new1", "veth2"));
    ASSERT_TRUE(change(remove("web")));
    EXPECT_THAT(ports(), ElementsAre("veth2"));
    expect_whole();
}

TEST_F(BridgesTest, PortsComeAndGoByElementsAloneWhereLinksAreRulesToo) {
    kernel_.family_state = kernel::BridgeFamily{.names = false, .conntrack = true, .tables = true};
    begin("firewall: {layout: rules}\nbridges: {docker0: {icc: deny}, d*: {}}\n");
    kernel_.bridge_state.bridges[1].ports = {"veth1"};
    look();
    EXPECT_THAT(bridges_in(kernel_, "ports"), ElementsAre("veth1"));
    expect_elements_alone();
    expect_whole();
}

// What others have changed meanwhile is repaired with the ports of now.
TEST_F(BridgesTest, APortIsFollowedAlsoWhenItsElementIsRefused) {
    kernel_.family_state = kernel::BridgeFamily{.names = false, .conntrack = true, .tables = true};
    begin();
    kernel_.bridge_state.bridges[1].ports = {"veth1"};
    std::erase_if(kernel_.ruleset().tables, [](const nft::Table& table) { return table.name == "nftlink-frames"; });
    look();
    EXPECT_THAT(bridges_in(kernel_, "ports"), ElementsAre("veth1"));
    expect_whole();
}

// A repair gives others time; what comes meanwhile is no reason to read the ruleset, nor to call it changed by others.
TEST_F(BridgesTest, ABurstOfPortsIsReadNever) {
    kernel_.before_apply = [this] { processor_time_ += std::chrono::milliseconds(10); };
    kernel_.family_state = kernel::BridgeFamily{.names = false, .conntrack = true, .tables = true};
    begin();
    for (int number = 1; number <= 20; ++number) {
        kernel_.bridge_state.bridges[1].ports.push_back(fmt::format("veth{:02}", number));
        look();
        EXPECT_TRUE(enforcer().in_force());
    }
    pass(std::chrono::milliseconds(100));
    EXPECT_THAT(bridges_in(kernel_, "ports"), SizeIs(20));
    EXPECT_EQ(snapshots_, 0u);
    expect_whole();
}

TEST_F(BridgesTest, AnInterfaceThatIsNoBridgeIsCalledThat) {
    kernel_.bridge_state.others = {"eth0"};
    begin("bridges: {eth0: {icc: deny}}\n");
    EXPECT_THAT(told(), ElementsAre("eth0: it is no bridge but another kind of interface: name the bridge itself"));
}

TEST_F(BridgesTest, AContainerThatMovesTakesItsBridgeAlong) {
    begin();
    ASSERT_TRUE(change(put("app", on("br-new", 2))));
    expect_elements_alone();
    ASSERT_TRUE(change(put("app", on("other", 2))));
    expect_elements_alone();
    EXPECT_THAT(policed(), ElementsAre("docker0", "other"));
    EXPECT_THAT(told(), ElementsAre("docker0", "other"));
    EXPECT_EQ(switches("other"), (kernel::BridgeNetfilter{true, true}));
    ASSERT_TRUE(change(put("app", on("docker0", 2))));
    expect_elements_alone();
    EXPECT_THAT(policed(), ElementsAre("docker0")) << "which the configuration names";
    expect_whole();
}

TEST_F(BridgesTest, AnOpenBridgeIsOpenByAnElementToo) {
    begin("bridges: {docker0: , '*': {icc: allow}}\n");
    EXPECT_THAT(bridges_in(kernel_, "open"), ElementsAre("br-new", "other"));
    kernel_.bridge_state.bridges.pop_back();
    look();
    expect_elements_alone();
    EXPECT_THAT(bridges_in(kernel_, "open"), ElementsAre("br-new"));
    ASSERT_TRUE(change(put("app", on("other", 2))));
    expect_elements_alone();
    EXPECT_THAT(bridges_in(kernel_, "open"), ElementsAre("br-new", "other"));
    EXPECT_THAT(told(), ElementsAre("br-new", "docker0", "other: the bridge does not exist"));
    expect_whole();
}

TEST_F(BridgesTest, AfterAFlushANewBridgeIsDeniedFirstToo) {
    begin(many(1, 100));
    ASSERT_TRUE(change(put("app", on("br-new", 2))));
    expect_elements_alone();
    std::vector<std::vector<std::string>> policed_before;  // each commit of the repair
    kernel_.before_apply = [&] { policed_before.push_back(policed()); };
    others_flush();
    ASSERT_THAT(policed_before, SizeIs(2));
    EXPECT_THAT(policed_before[1], ElementsAre("br-new", "docker0"));
    EXPECT_THAT(policed(), ElementsAre("br-new", "docker0"));
    EXPECT_EQ(elements(), 100u);
}

// The bridge of a pattern and of a container is policed as long as there is either.
TEST_F(BridgesTest, ABridgeStaysAsLongAsAContainerOrThePatternIsThere) {
    begin("bridges: {docker0: , br-*: }\n");
    EXPECT_THAT(policed(), ElementsAre("br-new", "docker0"));
    ASSERT_TRUE(change(put("app", on("br-new", 2))));
    EXPECT_EQ(kernel_.commit_count, commits_) << "it is policed already";
    ASSERT_TRUE(change(remove("app")));
    EXPECT_EQ(kernel_.commit_count, commits_) << "it is there still";
    ASSERT_TRUE(change(put("app", on("br-new", 2))));
    const auto bridges = kernel_.bridge_state.bridges;
    std::erase_if(kernel_.bridge_state.bridges, [](const kernel::Bridge& each) { return each.name == "br-new"; });
    look();
    EXPECT_THAT(policed(), ElementsAre("br-new", "docker0"));
    EXPECT_THAT(told(), ElementsAre("br-new: the bridge does not exist", "docker0"));
    EXPECT_EQ(kernel_.commit_count, commits_);
    ASSERT_TRUE(change(remove("app")));
    expect_elements_alone();
    EXPECT_THAT(policed(), ElementsAre("docker0"));
    kernel_.bridge_state.bridges = bridges;
    look();
    expect_elements_alone();
    EXPECT_THAT(told(), ElementsAre("br-new", "docker0"));
    expect_whole();
}

TEST_F(BridgesTest, ABridgeThatIsNotThereYetIsToldAndFollowed) {
    begin();
    ASSERT_TRUE(change(put("app", on("later", 2))));
    expect_elements_alone();
    EXPECT_THAT(enforcer().warnings(), ElementsAre(HasSubstr("bridge later does not exist")));
    kernel_.bridge_state.bridges.insert(kernel_.bridge_state.bridges.begin() + 2, {"later", 9, {}});
    look();
    EXPECT_THAT(told(), ElementsAre("docker0", "later"));
    EXPECT_EQ(switches("later"), (kernel::BridgeNetfilter{true, true}));
    EXPECT_THAT(enforcer().warnings(), IsEmpty());
    EXPECT_EQ(kernel_.commit_count, commits_);
    EXPECT_EQ(snapshots_, 0u);
}

TEST_F(BridgesTest, ASwitchThatIsRefusedIsToldAndTheChangeWithIt) {
    begin();
    kernel_.fails = [](Step step) { return step == Step::enable; };
    const auto refused = change(put("app", on("br-new", 2)));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().front().message, HasSubstr("bridge br-new: cannot switch its netfilter hooks on"));
    EXPECT_THAT(told(), ElementsAre("docker0"));
    kernel_.fails = {};
    ASSERT_TRUE(change(put("app", on("br-new", 2))));
    EXPECT_THAT(told(), ElementsAre("br-new", "docker0"));
    EXPECT_THAT(policed(), ElementsAre("br-new", "docker0"));
    expect_whole();
}

TEST_F(BridgesTest, WhatARefusedChangeHasLeftInTheKernelGoes) {
    begin();
    kernel_.fails = [](Step step) { return step == Step::enable; };
    ASSERT_FALSE(change(put("app", on("br-new", 2))));
    EXPECT_THAT(policed(), ElementsAre("br-new", "docker0"));
    kernel_.fails = {};
    pass(std::chrono::milliseconds(1500));
    EXPECT_THAT(policed(), ElementsAre("docker0"));
    expect_whole();
}

// The change has looked at the bridges, so that no message of them may be to come any more.
TEST_F(BridgesTest, ABridgeThatCameJustBeforeOneWithAContainerIsPolicedToo) {
    begin("bridges: {docker0: {}, fits*: {}}\n");
    kernel_.bridge_state.bridges.push_back({"fits0", 6, {}});
    ASSERT_TRUE(change(put("db", on("br-new", 2))));
    pass(std::chrono::milliseconds(50));
    EXPECT_THAT(policed(), ElementsAre("br-new", "docker0", "fits0"));
    EXPECT_THAT(told(), ElementsAre("br-new", "docker0", "fits0"));
    EXPECT_EQ(switches("fits0"), (kernel::BridgeNetfilter{true, true}));
    expect_whole();
}

// Others' change is dealt with before ours, with the containers of before.
TEST_F(BridgesTest, ABridgeOfARefusedChangeIsPolicedByTheNext) {
    begin();
    ASSERT_TRUE(kernel_.apply({{nft::Family::inet, "nftlink", nft::DeleteTable{}}}, {}));
    int applies = 0;
    kernel_.fails = [&](Step step) { return step == Step::apply && ++applies > 1; };
    ASSERT_FALSE(change(put("app", on("br-new", 2))));
    kernel_.fails = {};
    ASSERT_TRUE(change(put("app", on("br-new", 2))));
    EXPECT_THAT(policed(), ElementsAre("br-new", "docker0"));
    EXPECT_THAT(told(), ElementsAre("br-new", "docker0"));
    expect_whole();
}

class PiecesTest : public BridgesTest {
protected:
    void write(const std::string& text) {
        folder_.write("nftlink.yaml", text + ("state: {directory: " + (folder_ / "state").string() + "}\n") +
                                          "env: {directory: " + (folder_ / "env").string() + "}\n");
    }
};

TEST_F(PiecesTest, ALargeReloadIsMadeInPiecesAndOneLinkIsOneElementAfterwards) {
    begin(many(1, 100));
    kernel_.limit = 40'000;
    write(many(51, 900));
    ASSERT_TRUE(reload());
    EXPECT_GT(kernel_.commit_count, commits_ + 2);
    EXPECT_THAT(set_in(kernel_, "links4.b").elements, SizeIs(850)) << "the set had to be made anew";
    commits_ = kernel_.commit_count;
    snapshots_ = kernel_.element_reads = 0;
    ASSERT_TRUE(change(put("web", web)));
    expect_elements_alone();
    EXPECT_THAT(set_in(kernel_, "links4.b").elements, SizeIs(851));
    expect_whole();
}

TEST_F(PiecesTest, AReloadThatIsRefusedInTheMiddleLeavesAllAsItWas) {
    begin(many(1, 100));
    kernel_.limit = 40'000;
    const auto links = set_in(kernel_, "links4").elements.size();
    write(many(51, 900));
    int applies = 0;
    kernel_.fails = [&](Step step) { return step == Step::apply && ++applies == 4; };
    const auto refused = reload();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().front().message, HasSubstr("what was done already is taken back"));
    EXPECT_EQ(elements(), links);
    count_snapshots();
    ASSERT_TRUE(change(put("web", web))) << "it goes on from there";
    EXPECT_EQ(elements(), links + 1);
    expect_whole();
}

// No event says that the kernel isn't as it was: the commits are our own.
TEST_F(PiecesTest, WhatCouldNotBeTakenBackIsPutRightLater) {
    begin(many(1, 900));
    hear({kernel_.generation(), 7, "nftlinkd", {{nft::Family::inet, "nftlink"}}, false});
    kernel_.limit = 40'000;
    write(many(601, 1500));
    int applies = 0;
    kernel_.fails = [&](Step step) { return step == Step::apply && ++applies > 1; };
    const std::uint32_t generation = kernel_.generation();
    EXPECT_THAT(reload().error().front().message, HasSubstr("some links may be missing"));
    kernel_.fails = {};
    ASSERT_LT(elements(), 900u) << "else nothing was done";
    for (std::uint32_t next = generation + 1; next <= kernel_.generation(); ++next)
        hear({next, 7, "nftlinkd", {{nft::Family::inet, "nftlink"}}, false});
    pass(std::chrono::milliseconds(1500));
    EXPECT_EQ(elements(), 900u);
    expect_whole();
}

}  // namespace
}  // namespace nftlink::service
