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
    EXPECT_EQ(fault(R"({"bridge": "other", "addresses": ["172.17.0.9"], "links": ["redis"]})").path, "/links/0");
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

TEST(Desired, AChildThatMovesAwayFromItsParentsIsRefused) {
    Desired desired = make_desired();
    make(desired, put("cache", R"({"bridge": "docker0", "addresses": ["172.17.0.4"], "expose": [11211]})"));
    make(desired, put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["cache"]})"));
    EXPECT_EQ(refused(desired, put("cache", R"({"bridge": "other", "addresses": ["10.0.0.4"]})")).status, 422u);
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

}  // namespace
}  // namespace nftlink::service
