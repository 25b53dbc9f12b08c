// Changes of links alone, and changes that come together.
#include "service_fixture.hpp"

namespace nftlink::service {
namespace {

TEST_F(ChangesTest, ALinkIsMadeWithoutReadingAnything) {
    start();
    ASSERT_TRUE(change(put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"]})")));
    kernel_.fails = [&](Step now) { return now == Step::snapshot || now == Step::bridges; };
    const std::size_t commits = kernel_.commit_count;
    ASSERT_TRUE(change(put_link("web", "db", "redis")));
    EXPECT_EQ(elements(), 1u) << "also the first one of its bridge";
    ASSERT_TRUE(change(remove_link("web", "db")));
    EXPECT_EQ(elements(), 0u);
    EXPECT_EQ(kernel_.commit_count, commits + 2);
    kernel_.fails = {};
    others_flush();
    EXPECT_EQ(elements(), 0u) << "the whole target has followed";
    ASSERT_TRUE(change(put_link("web", "db", "redis")));
    EXPECT_EQ(elements(), 1u);
}

TEST_F(ChangesTest, AnotherAliasKeepsTheCounts) {
    start();
    ASSERT_TRUE(change(put("web", web)));
    kernel_.ruleset().tables[0].sets[0].elements[0].counters = nft::Counters{7, 420};
    kernel_.fails = [&](Step now) { return now == Step::snapshot; };
    ASSERT_TRUE(change(put_link("web", "cache", "redis")));
    const nft::Element& element = kernel_.ruleset().tables[0].sets[0].elements[0];
    EXPECT_EQ(element.comment, "/web/db /web/cache");
    EXPECT_EQ(element.counters, (nft::Counters{7, 420}));
    EXPECT_THAT(set_in(kernel_, "replies4").elements, SizeIs(1)) << "which stays as it is";
}

TEST_F(ChangesTest, ALinkIsMadeAlsoWhereOthersHaveTakenWhatItBuildsOn) {
    start();
    ASSERT_TRUE(change(put("one", linked_to_redis(9))));
    ASSERT_TRUE(change(put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"]})")));
    kernel_.ruleset().tables.clear();
    ++kernel_.ruleset().generation;
    ASSERT_TRUE(change(put_link("web", "db", "redis")));
    EXPECT_EQ(elements(), 2u);
    // The event comes late; what it tells of has been repaired on the way.
    hear({kernel_.ruleset().generation - 1, 99, "nft", {{nft::Family::inet, "nftlink"}}, false});
    EXPECT_EQ(reporter().counts().heals, 1u);
}

TEST_F(ChangesTest, ItsOwnCommitsAreNoReasonToLook) {
    start();
    ASSERT_TRUE(change(put("one", linked_to_redis(9))));
    ASSERT_TRUE(change(put("web", R"({"bridge": "docker0", "addresses": ["172.17.0.3"]})")));
    const auto tell = [&](std::uint32_t generation, std::uint32_t process, const std::string& table) {
        hear({generation, process, "x", {{nft::Family::inet, table}}, false});
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
    EXPECT_EQ(enforcer().generation(), last);
    EXPECT_EQ(reads, 0u);
    ++kernel_.ruleset().generation;
    tell(last + 1, 99, "nftlink");
    EXPECT_EQ(reads, 1u) << "but others' in our table are";
}

TEST_F(ChangesTest, ChangesThatComeTogetherAreMadeTogether) {
    start();
    ASSERT_TRUE(change(put("one", linked_to_redis(9))));
    const std::size_t commits = kernel_.commit_count;
    std::map<std::string, Answer> answers;
    const auto ask = [&](const std::string& name, api::Transaction transaction) {
        asio::co_spawn(context_, core_->changes.change(std::move(transaction)),
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
    EXPECT_EQ(answers.at("bad").error().front().code, api::Code::conflict);
    EXPECT_THAT(answers.at("bad").error().front().message, HasSubstr("c30"));
    EXPECT_LE(kernel_.commit_count, commits + 2);
    EXPECT_EQ(elements(), 1u + 49u);
    EXPECT_EQ(state().permissions(), 1u + 49u);
    EXPECT_TRUE(folder_.has("state/containers/c58.yaml"));
    EXPECT_FALSE(folder_.has("state/containers/c59.yaml"));
    EXPECT_THAT(folder_.read("state/containers/c20.yaml"), HasSubstr("one:cache"));
}

TEST_F(ChangesTest, OfChangesThatComeTogetherEachFailsByItself) {
    start();
    ASSERT_TRUE(change(put("one", linked_to_redis(9))));
    // All three together, by their elements and as a whole; then the second one alone, in both ways.
    kernel_.fails = [calls = 0](Step now) mutable {
        calls += now == Step::apply ? 1 : 0;
        return now == Step::apply && (calls == 1 || calls == 2 || calls == 4 || calls == 5);
    };
    std::vector<Answer> answers;
    for (const int number : {20, 21, 22})
        asio::co_spawn(context_, core_->changes.change(put("web" + std::to_string(number), linked_to_redis(number))),
                       [&](std::exception_ptr, auto answer) { answers.push_back(std::move(answer)); });
    context_.restart();
    while (answers.size() < 3 && context_.run_one() != 0)
        ;
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(std::ranges::count_if(answers, [](const auto& answer) { return answer.has_value(); }), 2);
    EXPECT_EQ(elements(), 3u);
    EXPECT_EQ(state().permissions(), 3u);
    EXPECT_EQ(reporter().counts().refused_changes, 1u);
}

}  // namespace
}  // namespace nftlink::service
