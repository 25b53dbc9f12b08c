#include "service/desired.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nftlink::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* file = R"(
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
)";

Desired make_desired(const std::string& text = file) {
    return Desired(std::make_shared<const config::Loaded>(*config::parse({{"nftlink.yaml", text}})));
}

api::Transaction put(const std::string& name, const std::string& record) {
    api::Transaction transaction;
    transaction.put_containers.push_back({name, *api::parse(record), ""});
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
Edit make(Desired& desired, const api::Transaction& transaction) {
    auto edit = desired.plan(transaction);
    EXPECT_TRUE(edit) << edit.error().front().message;
    desired.swap(*edit);
    return *edit;
}

api::Fault refused(Desired& desired, const api::Transaction& transaction) {
    const auto before = desired.topology();
    const auto edit = desired.plan(transaction);
    EXPECT_EQ(desired.topology(), before);
    return edit ? api::Fault{} : edit.error().front();
}

constexpr const char* web = R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["redis:db"]})";

TEST(Desired, AddsAContainerAndItsLinks) {
    Desired desired = make_desired();
    const Edit edit = make(desired, put("web", web));
    EXPECT_THAT(edit.links, ElementsAre(LinkChange{"web", {"redis", "db"}, true}));
    EXPECT_THAT(desired.topology().find("web")->links, ElementsAre(model::Link{"redis", "db"}));
    EXPECT_EQ(desired.stored_count(), 1u);
    EXPECT_TRUE(desired.plan(put("web", web))->empty()) << "the same again changes nothing";
}

TEST(Desired, SwapsBack) {
    Desired desired = make_desired();
    const auto before = desired.topology();
    for (const auto& transaction : {put("web", web), put("other", R"({"bridge": "b", "addresses": ["10.0.0.1"]})")}) {
        Edit edit = make(desired, transaction);
        desired.swap(edit);
        EXPECT_EQ(desired.topology(), before);
        desired.swap(edit);
        desired.swap(edit);
        EXPECT_EQ(desired.topology(), before);
    }
}

TEST(Desired, LeavesTheFilesContainersAlone) {
    Desired desired = make_desired();
    for (const auto& transaction : {put("redis", web), remove("redis"), put_link("redis", "redis", "x")}) {
        const api::Fault fault = refused(desired, transaction);
        EXPECT_EQ(fault.status, 409u);
        EXPECT_THAT(fault.message, HasSubstr("nftlink.yaml:3:3; change it there, then reload"));
    }
}

TEST(Desired, SaysWhatIsWrongAndWhere) {
    Desired desired = make_desired();
    make(desired, put("web", web));
    const auto fault = [&](const std::string& record) { return refused(desired, put("new", record)); };

    EXPECT_EQ(fault(R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "expose": ["1/tcp", "2/xyz"]})").path,
              "/expose/1");
    EXPECT_EQ(fault(R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "exposes": []})").path, "/exposes");
    EXPECT_EQ(fault(R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "exposes": []})").status, 422u);

    const api::Fault taken = fault(R"({"bridge": "docker0", "addresses": ["fd00::1", "172.17.0.2"]})");
    EXPECT_EQ(taken.status, 409u);
    EXPECT_EQ(taken.path, "/addresses/1");
    EXPECT_EQ(fault(R"({"networks": {"b": ["10.0.0.1"], "docker0": ["172.17.0.9", "172.17.0.3"]}})").path,
              "/networks/docker0/1");

    const api::Fault unknown =
        fault(R"({"bridge": "docker0", "addresses": ["172.17.0.9"], "links": ["redis", "rdis:x"]})");
    EXPECT_EQ(unknown.status, 422u);
    EXPECT_EQ(unknown.path, "/links/1");
    EXPECT_EQ(refused(desired, put("-x", web)).status, 422u);
}

TEST(Desired, PutsAndDeletesLinks) {
    Desired desired = make_desired();
    make(desired, put("web", web));
    EXPECT_THAT(make(desired, put_link("web", "redis", "cache")).links,
                ElementsAre(LinkChange{"web", {"redis", "cache"}, true}));
    EXPECT_EQ(refused(desired, put_link("wbe", "redis", "x")).status, 404u);
    EXPECT_THAT(refused(desired, put_link("wbe", "redis", "x")).message, HasSubstr("did you mean 'web'?"));
    EXPECT_EQ(refused(desired, put_link("web", "nosuch", "x")).status, 422u);
    EXPECT_EQ(refused(desired, put_link("web", "nosuch", "x")).path, "/child");
    EXPECT_EQ(refused(desired, put_link("web", "web", "x")).status, 422u);
    EXPECT_EQ(refused(desired, put_link("web", "redis", "a b")).status, 422u);

    api::Transaction away;
    away.delete_links.push_back({"web", "cache"});
    EXPECT_THAT(make(desired, away).links, ElementsAre(LinkChange{"web", {"redis", "cache"}, false}));
    EXPECT_EQ(refused(desired, away).status, 404u);
}

TEST(Desired, AParentThatTheSameTransactionDeletesHasNoLinks) {
    Desired desired = make_desired();
    make(desired, put("web", web));
    api::Transaction transaction = remove("web");
    transaction.put_links.push_back({{"web", "cache"}, "redis", ""});
    EXPECT_EQ(refused(desired, transaction).status, 404u);
}

TEST(Desired, LinksEndWithTheirChild) {
    Desired desired = make_desired();
    make(desired, put("cache", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": [11211]})"));
    make(desired, put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["redis:db", "cache"]})"));
    const Edit edit = make(desired, remove("cache"));
    EXPECT_THAT(edit.ended, ElementsAre("/web/cache"));
    EXPECT_THAT(desired.topology().find("web")->links, ElementsAre(model::Link{"redis", "db"}));
    // Whoever gets the address or the name next gets nothing with it.
    make(desired, put("cache", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": [11211]})"));
    EXPECT_THAT(desired.topology().find("web")->links, SizeIs(1));
}

TEST(Desired, AChildMayMoveToAnotherBridgeThanItsParents) {
    Desired desired = make_desired();
    make(desired, put("cache", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": [11211]})"));
    make(desired, put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["cache"]})"));
    make(desired, put("cache", R"({"bridge": "other", "addresses": ["10.0.0.4"], "expose": [11211]})"));
    EXPECT_THAT(desired.topology().find("web")->links, ElementsAre(model::Link{"cache", "cache"}));
}

TEST(Desired, NamesNoMoreFaultsThanAnybodyReads) {
    Desired desired = make_desired();
    api::Transaction transaction;
    for (int i = 0; i < 20000; ++i)
        transaction.put_links.push_back({{"nosuch" + std::to_string(i), "x"}, "redis", ""});
    const auto edit = desired.plan(transaction);
    ASSERT_FALSE(edit);
    EXPECT_THAT(edit.error(), SizeIs(100));
}

TEST(Desired, LeadsToTheFieldInsteadOfALineThatNobodyHasSeen) {
    Desired desired = make_desired();
    EXPECT_THAT(refused(desired, put("new", R"({"bridge": "docker0", "addresses": ["172.17.0.9"],
                                                "links": ["redis:db", "redis:db"]})"))
                    .message,
                HasSubstr("the first is at /links/0"));
}

TEST(Desired, ATransactionIsAllOrNothing) {
    Desired desired = make_desired();
    api::Transaction transaction = put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"]})");
    transaction.put_links.push_back({{"web", "db"}, "redis", "/put/links/0"});
    transaction.put_links.push_back({{"web", "x"}, "nosuch", "/put/links/1"});
    EXPECT_EQ(refused(desired, transaction).path, "/put/links/1/child");
    transaction.put_links.pop_back();
    EXPECT_THAT(make(desired, transaction).links, SizeIs(1));
}

TEST(Desired, WhatContradictsTheFilesIsLeftOut) {
    Desired before = make_desired();
    make(before, put("web", web));
    make(before, put("other", R"({"bridge": "docker0", "addresses": ["172.17.0.5"]})"));

    Desired moved = make_desired("containers: {web: {bridge: docker0, addresses: [172.17.0.5]}}");
    Edit ended;
    const auto conflicts = moved.add(before.stored(), ended);
    ASSERT_THAT(conflicts, SizeIs(2));
    EXPECT_THAT(conflicts[0].message, HasSubstr("'web' is given twice"));
    EXPECT_THAT(conflicts[0].message, HasSubstr("nftlink.yaml:1:14"));
    EXPECT_EQ(conflicts[1].container, "other");
    EXPECT_THAT(conflicts[1].message, HasSubstr("172.17.0.5"));

    Desired without = make_desired("");
    EXPECT_THAT(without.add(before.stored(), ended), IsEmpty());
    EXPECT_THAT(ended.ended, ElementsAre("/web/db"));
    EXPECT_THAT(without.topology().find("web")->links, IsEmpty());
    EXPECT_THAT(ended.containers.at("web")->links, IsEmpty());
}

class LimitedTest : public testing::Test {
protected:
    // As it is counted anew.
    std::uint64_t counted() const { return model::sum_permissions(desired_.topology(), desired_.config().firewall); }

    void expect_fault(const api::Transaction& transaction, const std::string& path, const std::string& message) {
        const std::uint64_t before = desired_.permissions();
        const api::Fault fault = refused(desired_, transaction);
        EXPECT_EQ(fault, (api::Fault{422, "invalid", message, path}));
        EXPECT_EQ(desired_.permissions(), before);
    }

    Desired desired_ = make_desired(R"(
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
        Edit edit = make(desired_, transaction);
        EXPECT_EQ(desired_.permissions(), expected);
        EXPECT_EQ(counted(), expected);
        desired_.swap(edit);
        EXPECT_EQ(desired_.permissions(), before);
        EXPECT_EQ(counted(), before);
        desired_.swap(edit);
        EXPECT_EQ(desired_.permissions(), expected);
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
            if (auto edit = desired_.plan(transaction))
                desired_.swap(*edit);
        ASSERT_EQ(desired_.permissions(), counted());
        ASSERT_LE(counted(), 10u);
    }
}

TEST(Desired, RefusesWhatIsTooMuchForAContainerOrALink) {
    Desired desired = make_desired();
    const auto record = [](int subnet, const std::string& more) {
        std::string addresses;
        for (int i = 1; i <= 16; ++i)
            addresses += (i == 1 ? "\"10." : ", \"10.") + std::to_string(subnet) + ".0." + std::to_string(i) + "\"";
        return R"({"bridge": "docker0", "addresses": [)" + addresses + (subnet == 9 ? R"(, "10.9.0.17")" : "") + "]" +
               more + "}";
    };
    api::Fault fault = refused(desired, put("web", record(9, "")));
    EXPECT_EQ(fault,
              (api::Fault{422, "invalid", "'web' has more than 16 addresses on bridge 'docker0'", "/addresses/16"}));
    make(desired, put("web", record(1, "")));
    make(desired, put("fits", record(2, R"(, "expose": ["1-64"])")));
    make(desired, put("large", record(3, R"(, "expose": ["1-65"])")));
    make(desired, put_link("web", "fits", "fits"));
    fault = refused(desired, put_link("web", "large", "large"));
    EXPECT_EQ(fault.path, "/child");
    EXPECT_THAT(fault.message, HasSubstr("16,640 permissions, and one link may have 16,384"));
    fault = refused(desired, put("fits", record(2, R"(, "expose": ["1-65"])")));
    EXPECT_EQ(fault.status, 422u);
    fault = refused(desired, put("other", record(4, R"(, "links": ["redis", "large"])")));
    EXPECT_EQ(fault.path, "/links/1");
}

TEST(Desired, RefusesTheLinkAfter4096OfAParent) {
    Desired desired = make_desired();
    api::Transaction full = put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"]})");
    for (int i = 0; i < 4096; ++i)
        full.put_links.push_back({{"web", "a" + std::to_string(i)}, "redis", ""});
    make(desired, full);
    EXPECT_EQ(desired.permissions(), 1u);
    EXPECT_EQ(refused(desired, put_link("web", "redis", "more")),
              (api::Fault{422, "invalid", "'web' has more than 4,096 links", "/child"}));
    make(desired, put_link("web", "redis", "a7"));
}

TEST(Desired, SaysWhenStoredContainersAreOverTheHostsLimit) {
    Desired desired = make_desired("limits: {permissions: 1}" + std::string(file));
    Edit ended;
    const auto address = [](const char* text) { return *model::Address::parse(text); };
    const auto conflicts =
        desired.add({{"a", {"a", {{"docker0", {address("172.17.0.4")}}}, {}, {}, {{"redis", "db"}}}},
                     {"b", {"b", {{"docker0", {address("172.17.0.5")}}}, {}, {}, {{"redis", "db"}}}}},
                    ended);
    ASSERT_THAT(conflicts, SizeIs(1));
    EXPECT_EQ(conflicts.front().container, "b");
    EXPECT_THAT(conflicts.front().message, HasSubstr("to 2 permissions, and 'limits.permissions' allows 1"));
    EXPECT_TRUE(conflicts.front().is_of_limits);
    EXPECT_TRUE(ended.empty());
}

}  // namespace
}  // namespace nftlink::service
