// The API's answers against its own description: statuses, types and every member of every record.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>
#include <chrono>
#include <set>
#include <sstream>

#include "nftlink/config/load.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "schema.hpp"
#include "service/control_api.hpp"
#include "service_fixture.hpp"

namespace nftlink::service {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using testing::IsEmpty;

const json::value& document() {
    static const json::value parsed = json::parse(openapi_text);
    return parsed;
}

std::vector<std::string> split(const std::string& path) {
    std::vector<std::string> segments;
    std::stringstream stream(path.substr(1));
    for (std::string segment; std::getline(stream, segment, '/');)
        segments.push_back(segment);
    return segments;
}

bool matches(const std::string& pattern, const std::vector<std::string>& path) {
    return std::ranges::equal(split(pattern), path, [](const std::string& expected, const std::string& found) {
        return expected.starts_with('{') || expected == found;
    });
}

// What is said of the answer of that status; null when the path or the method isn't described.
const json::value* described(const http::Request& request, unsigned status) {
    std::string method = request.method;
    std::ranges::transform(method, method.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    for (const auto& path : document().at("paths").as_object())
        if (const json::value* operation = path.value().as_object().if_contains(method);
            operation != nullptr && matches(path.key(), request.path)) {
            const json::object& responses = operation->at("responses").as_object();
            const json::value* response = responses.if_contains(std::to_string(status));
            return response != nullptr || status < 300 ? response : &responses.at("default");
        }
    return nullptr;
}

class Described : public testing::Test {
protected:
    Described() {
        kernel_.bridge_state = {{{"docker0", 1, {}}}, true, {}};
        file_ = folder_.write("nftlink.yaml", configuration(""));
        const enforce::Clock standing{[] { return enforce::Backoff::Time(std::chrono::hours(1)); },
                                      [] { return std::chrono::nanoseconds(0); }};
        core_.emplace(context_, kernel_, standing, file_, *config::load(file_));
        EXPECT_TRUE(run(core_->changes.start(nullptr)));
        api_.emplace(
            ControlApi::Parts{kernel_, core_->enforcer, core_->repairs, core_->reporter, core_->engine, core_->changes},
            ControlApi::Rights{}, [] { return std::size_t{1}; });
    }

    std::string configuration(const std::string& containers) const {
        return "state: {directory: " + (folder_ / "state").string() + "}\ncontainers:\n" +
               "  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379], environment: {A: b}}\n" +
               containers;
    }

    template <typename T>
    T run(asio::awaitable<T> task) {
        auto result = asio::co_spawn(context_, std::move(task), asio::use_future);
        while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
            if (context_.run_one() == 0)
                context_.restart();
        return result.get();
    }

    // Asks, and holds the answer against the description. An object if it is JSON.
    json::object ask(const std::string& method, const std::string& path, unsigned status, const std::string& body = "",
                     const std::map<std::string, std::string>& query = {}, std::uint32_t user = 0) {
        const std::string name = method + " " + path;
        http::Request request{
            .method = method, .path = split(path), .query = query, .body = body, .peer = {.user = user}};
        const http::Response answer = run(api_->handle(request));
        EXPECT_EQ(answer.status, status) << name << ": " << answer.body;
        const json::value* expected = described(request, answer.status);
        if (expected == nullptr) {
            ADD_FAILURE() << name << ": " << answer.status << " is not described";
            return {};
        }
        if (const json::value* reference = expected->as_object().if_contains("$ref"))
            expected = resolve(document(), reference->as_string());
        const json::object& content = expected->at("content").as_object();
        const std::string type = answer.type.substr(0, answer.type.find(';'));
        EXPECT_TRUE(content.contains(type)) << name << ": " << type;
        if (type != "application/json")
            return {};
        const json::value record = json::parse(answer.body);
        EXPECT_THAT(mismatches(record, content.at(type).at("schema"), document()), IsEmpty()) << name;
        return record.as_object();
    }

    asio::io_context context_{1};
    Folder folder_;
    kernel::FakeKernel kernel_;
    std::string file_;
    std::optional<Core> core_;
    std::optional<ControlApi> api_;
};

constexpr const char* web = R"({"bridge": "docker0", "addresses": ["172.17.0.3", "fd00::3"], "links": ["redis:db"]})";
constexpr const char* gateway = R"({"networks": {"docker0": ["172.17.0.9"], "br-back": ["10.1.0.9"]}, "expose": [53]})";

TEST_F(Described, Changes) {
    ask("PUT", "/v1/containers/web", 201, web);
    ask("PUT", "/v1/containers/web", 200, web);
    ask("PUT", "/v1/containers/gateway", 201, gateway);
    ask("PUT", "/v1/links/web/way", 201, R"({"child": "gateway"})");
    ask("PUT", "/v1/links/web/way", 200, R"({"child": "gateway"})");
    ask("POST", "/v1/transaction", 200, R"({"put": {"links": [{"parent": "web", "child": "redis", "alias": "r"}]}})");
    ask("DELETE", "/v1/links/web/r", 200);
    EXPECT_EQ(ask("DELETE", "/v1/containers/gateway", 200)["ended_links"], json::array{"/web/way"});
    ask("POST", "/v1/reload", 200);
}

TEST_F(Described, Views) {
    for (const char* path : {"/v1/status", "/v1/links", "/v1/containers", "/v1/plan"})
        ask("GET", path, 200);
    ask("PUT", "/v1/containers/web", 201, web);
    ask("PUT", "/v1/containers/gateway", 201, gateway);
    for (const char* path : {"/v1/status", "/v1/links", "/v1/containers", "/v1/plan", "/v1/openapi.json", "/metrics"})
        ask("GET", path, 200);
    EXPECT_THAT(ask("GET", "/v1/links", 200)["links"].as_array(), testing::SizeIs(1));
    ask("GET", "/v1/containers/web/env", 200);
    for (const char* format : {"env", "shell", "json", "null"})
        ask("GET", "/v1/containers/web/env", 200, "", {{"format", format}});
    ask("GET", "/v1/containers/web/env", 200, "", {{"dialect", "docker-28"}});
}

TEST_F(Described, Refusals) {
    ask("PUT", "/v1/containers/web", 400, "{");
    ask("PUT", "/v1/links/web/db", 404, R"({"child": "redis"})");
    ask("PUT", "/v1/containers/redis", 409, web);
    ask("PUT", "/v1/containers/web", 422, R"({"bridge": "a/b", "addresses": [1], "x": 2})");
    ask("PUT", "/v1/containers/web", 403, web, {}, 12345);
    ask("GET", "/v1/status", 403, "", {}, 12345);
    ask("DELETE", "/v1/containers/web", 404);
    ask("DELETE", "/v1/containers/redis", 409);
    ask("DELETE", "/v1/links/web/db", 404);
    ask("GET", "/v1/containers/web/env", 404);
    ask("GET", "/v1/containers/redis/env", 400, "", {{"format", "xml"}});
    ask("POST", "/v1/transaction", 422, R"({"put": {"links": [{"parent": 1}]}})");
    folder_.write("nftlink.yaml", "wrong");
    json::object refusal = ask("POST", "/v1/reload", 422);
    EXPECT_EQ(refusal["file"].as_string(), file_);
    EXPECT_EQ(refusal["line"], 1);
    EXPECT_EQ(refusal["column"], 1);
    EXPECT_TRUE(ask("GET", "/v1/status", 200)["configuration"].as_object()["refused"].is_object());
}

TEST_F(Described, ARefusingKernel) {
    using Step = kernel::FakeKernel::Step;
    kernel_.fails = [](Step step) { return step == Step::apply; };
    ask("PUT", "/v1/containers/web", 503, web);
    kernel_.fails = [](Step step) { return step == Step::snapshot; };
    ask("GET", "/v1/plan", 503);
    kernel_.fails = nullptr;
    EXPECT_TRUE(ask("GET", "/v1/status", 200)["last_error"].is_object());
}

TEST_F(Described, Events) {
    const auto stream = core_->reporter.events().subscribe();
    ask("PUT", "/v1/containers/web", 201, web);
    ask("DELETE", "/v1/links/web/db", 200);
    folder_.write("nftlink.yaml", "wrong");
    ask("POST", "/v1/reload", 422);
    folder_.write("nftlink.yaml", configuration("  sql: {bridge: docker0, addresses: [172.17.0.7], links: [redis]}\n"));
    ask("POST", "/v1/reload", 200);
    kernel_.ruleset().tables.clear();
    core_->reporter.repaired(core_->enforcer
                                 .ruleset_changed({.generation = ++kernel_.ruleset().generation,
                                                   .process = 9,
                                                   .program = "nft",
                                                   .tables = {},
                                                   .overrun = true})
                                 .value());
    kernel_.bridge_state.bridges.clear();
    core_->repairs.look_closely();
    core_->reporter.stopping();

    std::set<std::string> seen;
    std::stringstream lines(run(stream->next()));
    for (std::string line; std::getline(lines, line);) {
        const json::value event = json::parse(line);
        seen.emplace(event.at("event").as_string());
        EXPECT_THAT(mismatches(event, document().at("components").at("schemas").at("Event"), document()), IsEmpty());
    }
    EXPECT_EQ(seen, (std::set<std::string>{"bridge", "healed", "link_added", "link_removed", "reload_refused",
                                           "reloaded", "stopping"}));
}

TEST_F(Described, TheLastWordToASlowReader) {
    const auto stream = core_->reporter.events().subscribe();
    stream->give_up();
    const json::value event = json::parse(run(stream->next()));
    EXPECT_THAT(mismatches(event, document().at("components").at("schemas").at("Event"), document()), IsEmpty());
}

}  // namespace
}  // namespace nftlink::service
