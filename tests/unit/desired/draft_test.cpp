#include "nftlink/desired/draft.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nftlink::desired {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* file = R"(
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
)";

State make_state(const std::string& text = file) {
    return State(std::make_shared<const config::Loaded>(*config::parse({{"nftlink.yaml", text}})));
}

api::Transaction put(const std::string& name, const std::string& record) {
    api::Transaction transaction;
    transaction.put_containers.push_back({name, record, ""});
    return transaction;
}

api::Transaction put_link(const std::string& parent, const std::string& child, const std::string& alias) {
    api::Transaction transaction;
    transaction.put_links.push_back({{parent, alias}, child, ""});
    return transaction;
}

api::Transaction remove(const std::string& name) {
    api::Transaction transaction;
    transaction.delete_containers.push_back(name);
    return transaction;
}

// Plans the change, and makes it.
Planned make(State& desired, const api::Transaction& transaction) {
    Draft draft(desired);
    auto planned = draft.plan(transaction);
    EXPECT_TRUE(planned) << planned.error().front().message;
    desired.apply(draft.take());
    return planned.value_or(Planned{});
}

api::Fault refused(const State& desired, const api::Transaction& transaction) {
    const auto before = desired.topology();
    Draft draft(desired);
    const auto planned = draft.plan(transaction);
    EXPECT_EQ(desired.topology(), before);
    EXPECT_TRUE(planned || draft.edit().empty());
    return planned ? api::Fault{} : planned.error().front();
}

constexpr const char* web = R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["redis:db"]})";

TEST(Draft, AddsAContainerAndItsLinks) {
    State desired = make_state();
    const Planned edit = make(desired, put("web", web));
    EXPECT_THAT(edit.links, ElementsAre(LinkChange{"web", {"redis", "db"}, true}));
    EXPECT_THAT(desired.topology().find("web")->links, ElementsAre(model::Link{"redis", "db"}));
    EXPECT_EQ(desired.stored_count(), 1u);
    EXPECT_FALSE(make(desired, put("web", web)).anything) << "the same again changes nothing";
}

TEST(Draft, IsReadThroughWithoutChangingTheState) {
    State desired = make_state();
    Draft draft(desired);
    ASSERT_TRUE(draft.plan(put("web", web)));
    ASSERT_TRUE(draft.plan(put("app", R"({"bridge": "docker0", "addresses": ["172.17.0.4"]})")));
    ASSERT_TRUE(draft.plan(put_link("app", "redis", "db")));
    ASSERT_TRUE(draft.plan(remove("web")));
    std::vector<std::string> names;
    draft.for_each([&](const model::Container& container) { names.push_back(container.name); });
    EXPECT_THAT(names, ElementsAre("app", "redis"));
    EXPECT_EQ(draft.find("web"), nullptr);
    EXPECT_THAT(draft.find("app")->links, ElementsAre(model::Link{"redis", "db"}));
    EXPECT_EQ(desired.find("app"), nullptr);
    EXPECT_EQ(desired.permissions(), 0u);
    EXPECT_EQ(draft.edit().permissions, 1);
}

// Two requests that come together.
TEST(Draft, WhatAnEarlierTransactionHasTakenIsUnknownToALaterOne) {
    State desired = make_state();
    make(desired, put("web", web));
    Draft draft(desired);
    api::Transaction unlink;
    unlink.delete_links.push_back({"web", "db"});
    ASSERT_TRUE(draft.plan(unlink));
    EXPECT_EQ(draft.plan(unlink).error().front().message, "there is no link /web/db");
    ASSERT_TRUE(draft.plan(remove("web")));
    EXPECT_THAT(draft.plan(remove("web")).error().front().message, HasSubstr("there is no container 'web'"));
}

TEST(Draft, LeavesTheFilesContainersAlone) {
    State desired = make_state();
    for (const auto& transaction : {put("redis", web), remove("redis"), put_link("redis", "redis", "x")}) {
        const api::Fault fault = refused(desired, transaction);
        EXPECT_EQ(fault.code, api::Code::conflict);
        EXPECT_THAT(fault.message, HasSubstr("nftlink.yaml:3:3; change it there, then reload"));
    }
}

TEST(Draft, SaysWhatIsWrongAndWhere) {
    State desired = make_state();
    make(desired, put("web", web));
    const auto fault = [&](const std::string& record) { return refused(desired, put("new", record)); };

    EXPECT_EQ(fault(R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "expose": ["1/tcp", "2/xyz"]})").path,
              "/expose/1");
    EXPECT_EQ(fault(R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "exposes": []})").path, "/exposes");
    EXPECT_EQ(fault(R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "exposes": []})").code, api::Code::invalid);

    const api::Fault taken = fault(R"({"bridge": "docker0", "addresses": ["fd00::1", "172.17.0.2"]})");
    EXPECT_EQ(taken.code, api::Code::conflict);
    EXPECT_EQ(taken.path, "/addresses/1");
    EXPECT_EQ(fault(R"({"networks": {"b": ["10.0.0.1"], "docker0": ["172.17.0.9", "172.17.0.3"]}})").path,
              "/networks/docker0/1");

    const api::Fault unknown =
        fault(R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "links": ["redis", "rdis:x"]})");
    EXPECT_EQ(unknown.code, api::Code::invalid);
    EXPECT_EQ(unknown.path, "/links/1");
    EXPECT_EQ(refused(desired, put("-x", web)).code, api::Code::invalid);
}

TEST(Draft, PutsAndDeletesLinks) {
    State desired = make_state();
    make(desired, put("web", web));
    EXPECT_THAT(make(desired, put_link("web", "redis", "cache")).links,
                ElementsAre(LinkChange{"web", {"redis", "cache"}, true}));
    EXPECT_EQ(refused(desired, put_link("wbe", "redis", "x")).code, api::Code::not_found);
    EXPECT_THAT(refused(desired, put_link("wbe", "redis", "x")).message, HasSubstr("did you mean 'web'?"));
    EXPECT_EQ(refused(desired, put_link("web", "nosuch", "x")).code, api::Code::invalid);
    EXPECT_EQ(refused(desired, put_link("web", "nosuch", "x")).path, "/child");
    EXPECT_EQ(refused(desired, put_link("web", "web", "x")).code, api::Code::invalid);
    EXPECT_EQ(refused(desired, put_link("web", "redis", "a b")).code, api::Code::invalid);

    api::Transaction away;
    away.delete_links.push_back({"web", "cache"});
    EXPECT_THAT(make(desired, away).links, ElementsAre(LinkChange{"web", {"redis", "cache"}, false}));
    EXPECT_EQ(refused(desired, away).code, api::Code::not_found);
}

TEST(Draft, AParentThatTheSameTransactionDeletesHasNoLinks) {
    State desired = make_state();
    make(desired, put("web", web));
    api::Transaction transaction = remove("web");
    transaction.put_links.push_back({{"web", "cache"}, "redis", ""});
    EXPECT_EQ(refused(desired, transaction).code, api::Code::not_found);
}

TEST(Draft, LinksEndWithTheirChild) {
    State desired = make_state();
    make(desired, put("cache", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": [11211]})"));
    make(desired, put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["redis:db", "cache"]})"));
    const Planned edit = make(desired, remove("cache"));
    EXPECT_THAT(edit.ended, ElementsAre("/web/cache"));
    EXPECT_THAT(desired.topology().find("web")->links, ElementsAre(model::Link{"redis", "db"}));
    // Whoever gets the address or the name next gets nothing with it.
    make(desired, put("cache", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": [11211]})"));
    EXPECT_THAT(desired.topology().find("web")->links, SizeIs(1));
}

TEST(Draft, AChildMayMoveToAnotherBridgeThanItsParents) {
    State desired = make_state();
    make(desired, put("cache", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": [11211]})"));
    make(desired, put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["cache"]})"));
    make(desired, put("cache", R"({"bridge": "other", "addresses": ["10.0.0.4"], "expose": [11211]})"));
    EXPECT_THAT(desired.topology().find("web")->links, ElementsAre(model::Link{"cache", "cache"}));
}

TEST(Draft, NamesNoMoreFaultsThanAnybodyReads) {
    State desired = make_state();
    api::Transaction transaction;
    for (int i = 0; i < 20000; ++i)
        transaction.put_links.push_back({{"nosuch" + std::to_string(i), "x"}, "redis", ""});
    Draft draft(desired);
    const auto edit = draft.plan(transaction);
    ASSERT_FALSE(edit);
    EXPECT_THAT(edit.error(), SizeIs(100));
}

TEST(Draft, LeadsToTheFieldInsteadOfALineThatNobodyHasSeen) {
    State desired = make_state();
    EXPECT_THAT(refused(desired, put("new", R"({"bridge": "docker0", "addresses": ["172.17.0.9"],
                                                "links": ["redis:db", "redis:db"]})"))
                    .message,
                HasSubstr("the first is at /links/0"));
}

TEST(Draft, ATransactionIsAllOrNothing) {
    State desired = make_state();
    api::Transaction transaction = put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"]})");
    transaction.put_links.push_back({{"web", "db"}, "redis", "/put/links/0"});
    transaction.put_links.push_back({{"web", "x"}, "nosuch", "/put/links/1"});
    EXPECT_EQ(refused(desired, transaction).path, "/put/links/1/child");
    transaction.put_links.pop_back();
    EXPECT_THAT(make(desired, transaction).links, SizeIs(1));
}

TEST(Draft, WhatContradictsTheFilesIsLeftOut) {
    State before = make_state();
    make(before, put("web", web));
    make(before, put("other", R"({"bridge": "docker0", "addresses": ["172.17.0.5"]})"));

    State moved = make_state("containers: {web: {bridge: docker0, addresses: [172.17.0.5]}}");
    const auto conflicts = moved.add(before.stored()).conflicts;
    ASSERT_THAT(conflicts, SizeIs(2));
    EXPECT_THAT(conflicts[0].message, HasSubstr("'web' is given twice"));
    EXPECT_THAT(conflicts[0].message, HasSubstr("nftlink.yaml:1:14"));
    EXPECT_EQ(conflicts[1].container, "other");
    EXPECT_THAT(conflicts[1].message, HasSubstr("172.17.0.5"));

    State without = make_state("");
    const State::Joined joined = without.add(before.stored());
    EXPECT_THAT(joined.conflicts, IsEmpty());
    EXPECT_THAT(joined.ended_links, ElementsAre("/web/db"));
    EXPECT_THAT(without.topology().find("web")->links, IsEmpty());
    EXPECT_THAT(joined.ended.containers.at("web")->links, IsEmpty());
}

class LimitedTest : public testing::Test {
protected:
    // As it is counted anew.
    std::uint64_t counted() const { return model::sum_permissions(desired_.topology(), desired_.config().firewall); }

    void expect_fault(const api::Transaction& transaction, const std::string& path, const std::string& message) {
        const std::uint64_t before = desired_.permissions();
        const api::Fault fault = refused(desired_, transaction);
        EXPECT_EQ(fault, (api::Fault{api::Code::invalid, message, path}));
        EXPECT_EQ(desired_.permissions(), before);
    }

    State desired_ = make_state(R"(
limits: {permissions: 10}
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [1-3]}
  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis, "redis:db"]}
)");
    const std::string over_ = "takes this host to 11 permissions, and 'limits.permissions' allows 10";
};

TEST_F(LimitedTest, TheTotalFollowsEachChangeAndItsUndoing) {
    EXPECT_EQ(desired_.permissions(), 3u);
    const auto change = [&](const api::Transaction& transaction, std::uint64_t expected) {
        const std::uint64_t before = desired_.permissions();
        Draft draft(desired_);
        ASSERT_TRUE(draft.plan(transaction));
        desired_.restore(desired_.apply(draft.edit()));
        EXPECT_EQ(desired_.permissions(), before);
        EXPECT_EQ(counted(), before);
        desired_.apply(draft.take());
        EXPECT_EQ(desired_.permissions(), expected);
        EXPECT_EQ(counted(), expected);
    };
    change(put("mail", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": ["1-2"]})"), 3);
    change(put("api", R"({"bridge": "docker0", "addresses": ["172.17.0.5"], "links": ["mail", "mail:m", "redis"]})"),
           8);
    change(put("mail", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": ["1-4"]})"), 10);
    change(put("mail", R"({"bridge": "docker0", "addresses": ["172.17.0.4", "172.17.0.6"], "expose": ["1"]})"), 8);
}

TEST_F(LimitedTest, AtTheHostsLimitALinkIsMadeAndBeyondItRefused) {
    make(desired_, put("api", R"({"bridge": "docker0", "addresses": ["172.17.0.5"], "expose": [1]})"));
    make(desired_, put("mail", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": ["1-4"]})"));
    make(desired_, put_link("api", "redis", "redis"));
    make(desired_, put_link("api", "mail", "mail"));
    EXPECT_EQ(desired_.permissions(), 10u);
    make(desired_, put_link("api", "mail", "again"));
    EXPECT_EQ(desired_.permissions(), 10u) << "another alias of the same child";
    expect_fault(put_link("mail", "api", "api"), "/child", "the link from 'mail' to 'api' " + over_);
    expect_fault(put("mail", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": ["1-5"]})"), "",
                 "the link from 'api' to 'mail' " + over_);
    make(desired_, remove("api"));
    EXPECT_EQ(desired_.permissions(), 3u);
    EXPECT_EQ(counted(), 3u);
}

TEST_F(LimitedTest, ManyChangesKeepTheTotalRight) {
    for (int round = 0; round < 200; ++round) {
        const int n = round * 7 % 5, other = round * 3 % 5;
        const std::string name = "c" + std::to_string(n), child = "c" + std::to_string(other);
        const std::string ports = std::to_string(1 + round % 3);
        for (const auto& transaction :
             {put(name, R"({"bridge": "docker0", "addresses": ["10.0.0.)" + std::to_string(n) +
                            R"("], "expose": ["1-)" + ports + "\"]}"),
              put_link(name, child, "x" + ports), round % 11 == 0 ? remove(child) : put_link(name, "redis", "r")})
            if (Draft draft(desired_); draft.plan(transaction))
                desired_.apply(draft.take());
        ASSERT_EQ(desired_.permissions(), counted());
        ASSERT_LE(counted(), 10u);
    }
}

TEST(Draft, RefusesWhatIsTooMuchForAContainerOrALink) {
    State desired = make_state();
    const auto record = [](int subnet, const std::string& more) {
        std::string addresses;
        for (int i = 1; i <= 16; ++i)
            addresses += (i == 1 ? "\"10." : ", \"10.") + std::to_string(subnet) + ".0." + std::to_string(i) + "\"";
        return R"({"bridge": "docker0", "addresses": [)" + addresses + (subnet == 9 ? R"(, "10.9.0.17")" : "") + "]" +
               more + "}";
    };
    api::Fault fault = refused(desired, put("web", record(9, "")));
    EXPECT_EQ(fault, (api::Fault{api::Code::invalid, "'web' has more than 16 addresses on bridge 'docker0'",
                                 "/addresses/16"}));
    make(desired, put("web", record(1, "")));
    make(desired, put("fits", record(2, R"(, "expose": ["1-64"])")));
    make(desired, put("large", record(3, R"(, "expose": ["1-65"])")));
    make(desired, put_link("web", "fits", "fits"));
    fault = refused(desired, put_link("web", "large", "large"));
    EXPECT_EQ(fault.path, "/child");
    EXPECT_THAT(fault.message, HasSubstr("16,640 permissions, and one link may have 16,384"));
    fault = refused(desired, put("fits", record(2, R"(, "expose": ["1-65"])")));
    EXPECT_EQ(fault.code, api::Code::invalid);
    fault = refused(desired, put("other", record(4, R"(, "links": ["redis", "large"])")));
    EXPECT_EQ(fault.path, "/links/1");
}

TEST(Draft, RefusesTheLinkAfter4096OfAParent) {
    State desired = make_state();
    api::Transaction full = put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"]})");
    for (int i = 0; i < 4096; ++i)
        full.put_links.push_back({{"web", "a" + std::to_string(i)}, "redis", ""});
    make(desired, full);
    EXPECT_EQ(desired.permissions(), 1u);
    EXPECT_EQ(refused(desired, put_link("web", "redis", "more")),
              (api::Fault{api::Code::invalid, "'web' has more than 4,096 links", "/child"}));
    make(desired, put_link("web", "redis", "a7"));
}

TEST(Draft, SaysWhenStoredContainersAreOverTheHostsLimit) {
    State desired = make_state("limits: {permissions: 1}" + std::string(file));
    const auto address = [](const char* text) { return *model::Address::parse(text); };
    const State::Joined joined =
        desired.add({{"a", {"a", {{"docker0", {address("172.17.0.4")}}}, {}, {}, {{"redis", "db"}}}},
                     {"b", {"b", {{"docker0", {address("172.17.0.5")}}}, {}, {}, {{"redis", "db"}}}}});
    const auto& conflicts = joined.conflicts;
    ASSERT_THAT(conflicts, SizeIs(1));
    EXPECT_EQ(conflicts.front().container, "b");
    EXPECT_THAT(conflicts.front().message, HasSubstr("to 2 permissions, and 'limits.permissions' allows 1"));
    EXPECT_TRUE(conflicts.front().is_of_limits);
    EXPECT_TRUE(joined.ended.empty());
}

}  // namespace
}  // namespace nftlink::desired
