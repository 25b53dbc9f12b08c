#include "nftlink/api/reader.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "nftlink/api/answers.hpp"
#include "nftlink/api/events.hpp"
#include "nftlink/api/requests.hpp"

namespace nftlink::api {
namespace {

namespace json = boost::json;
using testing::ElementsAre;

// Gives every member another value than its own, so that none can get lost.
class Filler {
public:
    void fill(bool& value) { value = true; }
    void fill(std::string& value) { value = "text " + std::to_string(++number_); }
    void fill(json::object& value) { value["a"] = ++number_; }
    template <typename T>
        requires std::integral<T> || std::floating_point<T>
    void fill(T& value) {
        value = static_cast<T>(++number_);
    }
    template <typename E>
        requires std::is_enum_v<E>
    void fill(E& value) {
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto each) { value = each.value; });
    }
    template <typename T>
    void fill(std::optional<T>& value) {
        fill(value.emplace());
    }
    template <typename T>
    void fill(std::vector<T>& values) {
        for (int times = 0; times < 2; ++times)
            fill(values.emplace_back());
    }
    template <typename A, typename B>
    void fill(std::pair<A, B>& value) {
        fill(value.first);
        fill(value.second);
    }
    template <Record T>
    void fill(T& record) {
        boost::mp11::mp_for_each<Members<T>>([&](auto member) { fill(record.*member.pointer); });
    }

private:
    int number_ = 0;
};

template <Record T>
void goes_both_ways() {
    T record;
    Filler().fill(record);
    const std::string text = to_text(record);
    EXPECT_EQ(to_text(read<T>(json::parse(text))), text);
    EXPECT_EQ(to_text(read<T>(json::parse(to_text(T())))), to_text(T()));
}

TEST(Reader, EveryRecordGoesBothWays) {
    goes_both_ways<Status>();
    goes_both_ways<Links>();
    goes_both_ways<Containers>();
    goes_both_ways<Environment>();
    goes_both_ways<Hosts>();
    goes_both_ways<Plan>();
    goes_both_ways<Changed>();
    goes_both_ways<LinkChanged>();
    goes_both_ways<ContainerChanged>();
    goes_both_ways<Reloaded>();
    goes_both_ways<Refusal>();
    goes_both_ways<LinkName>();
    goes_both_ways<LinkBody>();
    goes_both_ways<LinkRecord>();
    boost::mp11::mp_for_each<Event>([]<typename T>(const T&) { goes_both_ways<T>(); });
}

// What an operator writes may be any bytes; JSON may not.
TEST(Writer, WritesUtf8OfAnyBytes) {
    const Warning warning{"caf\xe9 \xc3\xa9\x7f", "\xff.yaml", {}, {}};
    const json::value parsed = json::parse(to_text(warning));
    EXPECT_EQ(parsed.at("message").as_string(), "caf\uFFFD \u00e9\x7f");
    EXPECT_EQ(parsed.at("file").as_string(), "\uFFFD.yaml");
}

TEST(Reader, GivesBackWhatWasWritten) {
    Status status;
    status.version = "1\n\"";
    status.pid = 7;
    status.configuration.refused = RefusedConfiguration{"now", {"a", "b"}};
    status.links = {3, 18446744073709551615U};
    Source& source = status.sources.emplace_back();
    source.connected = true;
    source.conflicts = {{"c", "is taken"}};
    status.last_heal.emplace();
    status.last_heal->program = "nft";
    status.last_heal->seconds = 0.002;
    status.uptime_seconds = 93784.5;
    EXPECT_EQ(to_text(read<Status>(json::parse(to_text(status)))), to_text(status));

    Link link;
    link.ports = {"1/tcp"};
    link.packets = std::uint64_t{5};
    link.waiting = "for b";
    link.routes = {{{"x", "y"}}};
    EXPECT_EQ(to_text(read<Link>(json::parse(to_text(link)).as_object())), to_text(link));
    EXPECT_EQ(to_text(read<Link>(json::parse(to_text(Link())))), to_text(Link()));

    Environment environment;
    environment.variables = {{"B", "1"}, {"A", "2"}};
    EXPECT_EQ(to_text(read<Environment>(json::parse(to_text(environment)))), to_text(environment));
}

TEST(Reader, PassesOverWhatItDoesNotKnow) {
    EXPECT_EQ(read<Opening>(json::parse(R"({"later": [1, {}], "why": "chosen"})")).why, "chosen");
}

TEST(Reader, LeavesTheStructsOwnValueWhereTheAnswerHasNone) {
    for (const char* text :
         {"{}", "[]", "5", "null", R"({"schema": "1", "pid": 1e10, "version": 5, "in_force": 1, "links": 3,
             "last_heal": "x", "last_error": null, "generation": -1, "uptime_seconds": "1", "warnings": {}})"})
        EXPECT_EQ(to_text(read<Status>(json::parse(text))), to_text(Status())) << text;
}

TEST(Reader, CountsRecordsThatAreNoneAndLeavesOutOtherItems) {
    const auto links = read<Links>(json::parse(R"({"links": [1, {}, {"ports": [7, "x", null]}]})")).links;
    ASSERT_EQ(links.size(), 3U);
    EXPECT_THAT(links[2].ports, ElementsAre("x"));
}

}  // namespace
}  // namespace nftlink::api
