// The API's description against its routes: each is described, nothing else is, and what is said of it is whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "schema.hpp"
#include "service/control_api.hpp"

namespace nftlink::service {
namespace {

namespace json = boost::json;
using testing::IsEmpty;
using testing::Not;

const json::value& document() {
    static const json::value parsed = json::parse(openapi_text);
    return parsed;
}

struct Operation {
    std::string path;
    std::string method;  // PUT …
    const json::object* item = nullptr;
    const json::object* description = nullptr;

    std::string name() const { return method + " " + path; }
    const json::object& responses() const { return description->at("responses").as_object(); }
    // The item's own parameters and the operation's.
    std::vector<const json::object*> parameters() const {
        std::vector<const json::object*> all;
        for (const json::object* owner : {item, description})
            if (const json::value* list = owner->if_contains("parameters"))
                for (const json::value& parameter : list->as_array())
                    all.push_back(&followed(parameter).as_object());
        return all;
    }

    static const json::value& followed(const json::value& value) {
        const json::value* reference = value.as_object().if_contains("$ref");
        return reference == nullptr ? value : *resolve(document(), reference->as_string());
    }
};

std::vector<Operation> operations() {
    std::vector<Operation> all;
    for (const auto& path : document().at("paths").as_object())
        for (const auto& entry : path.value().as_object()) {
            std::string method = entry.key();
            if (method == "parameters")
                continue;
            std::ranges::transform(method, method.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
            all.push_back({path.key(), method, &path.value().as_object(), &entry.value().as_object()});
        }
    return all;
}

// Every value of the document with its pointer.
void visit(const json::value& value, const std::string& place,
           const std::function<void(const json::value&, const std::string&)>& visitor) {
    visitor(value, place);
    if (value.is_object())
        for (const auto& member : value.as_object())
            visit(member.value(), place + "/" + std::string(member.key()), visitor);
    if (value.is_array())
        for (std::size_t i = 0; i < value.as_array().size(); ++i)
            visit(value.as_array()[i], place + "/" + std::to_string(i), visitor);
}

TEST(OpenApi, IsOfVersion31AndOfThisProgram) {
    EXPECT_EQ(document().at("openapi"), "3.1.0");
    EXPECT_EQ(document().at("info").at("version"), NFTLINK_VERSION);
}

TEST(OpenApi, DescribesTheRoutesAndNothingElse) {
    std::set<std::string> routes, described;
    for (const ControlApi::Route& route : ControlApi::routes())
        routes.insert(std::string(route.method) + " " + route.pattern);
    for (const Operation& operation : operations())
        described.insert(operation.name());
    EXPECT_EQ(described, routes);
}

TEST(OpenApi, NamesThePathsParametersEachOnce) {
    for (const Operation& operation : operations()) {
        std::multiset<std::string> in_path, described;
        for (std::size_t at = 0; (at = operation.path.find('{', at)) != std::string::npos; ++at)
            in_path.insert(operation.path.substr(at + 1, operation.path.find('}', at) - at - 1));
        for (const json::object* parameter : operation.parameters()) {
            EXPECT_TRUE(parameter->contains("schema")) << operation.name();
            if (parameter->at("in") != "path")
                continue;
            described.emplace(parameter->at("name").as_string());
            EXPECT_EQ(parameter->at("required"), true) << operation.name();
        }
        EXPECT_EQ(described, in_path) << operation.name();
    }
}

TEST(OpenApi, RefersToWhatIsThereAndUsesAllOfIt) {
    std::set<std::string> used;
    visit(document(), "", [&](const json::value& value, const std::string& place) {
        if (!place.ends_with("/$ref"))
            return;
        EXPECT_NE(resolve(document(), value.as_string()), nullptr) << place << ": " << value;
        used.emplace(value.as_string());
    });
    for (const auto& kind : document().at("components").as_object())
        for (const auto& component : kind.value().as_object()) {
            const std::string name = "#/components/" + std::string(kind.key()) + "/" + std::string(component.key());
            EXPECT_TRUE(used.contains(name)) << name << " is used by nothing";
        }
}

TEST(OpenApi, GivesEachOperationAnIdOfItsOwnAndWords) {
    std::set<std::string> ids;
    for (const Operation& operation : operations()) {
        EXPECT_TRUE(ids.emplace(operation.description->at("operationId").as_string()).second) << operation.name();
        EXPECT_FALSE(operation.description->at("summary").as_string().empty()) << operation.name();
    }
}

// `200`, `503` …
bool answers(const Operation& operation, std::string_view status) {
    return operation.responses().contains(status);
}

TEST(OpenApi, SaysWhatEachOperationAnswers) {
    for (const Operation& operation : operations()) {
        EXPECT_TRUE(answers(operation, "200")) << operation.name();
        EXPECT_TRUE(answers(operation, "403")) << operation.name();
        EXPECT_TRUE(answers(operation, "default")) << operation.name();
        for (const auto& response : operation.responses()) {
            const json::value& described = Operation::followed(response.value());
            EXPECT_FALSE(described.at("description").as_string().empty()) << operation.name();
            EXPECT_THAT(described.at("content").as_object(), Not(IsEmpty()))
                << operation.name() << " " << response.key();
            if (std::string_view(response.key()).starts_with('2'))
                continue;
            const json::value& schema = described.at("content").at("application/json").at("schema");
            EXPECT_EQ(schema.at("$ref"), "#/components/schemas/Error") << operation.name() << " " << response.key();
        }
    }
}

TEST(OpenApi, SaysHowAChangeIsRefused) {
    std::set<std::string> writing;
    for (const ControlApi::Route& route : ControlApi::routes())
        if (route.writes)
            writing.insert(std::string(route.method) + " " + route.pattern);
    for (const Operation& operation : operations()) {
        if (!writing.contains(operation.name())) {
            EXPECT_EQ(operation.method, "GET") << operation.name();
            continue;
        }
        EXPECT_TRUE(answers(operation, "503")) << operation.name();
        EXPECT_TRUE(answers(operation, "409") || answers(operation, "422")) << operation.name();
        const bool names_something = operation.method != "PUT" && operation.path.find('{') != std::string::npos;
        EXPECT_TRUE(answers(operation, "404") || !names_something) << operation.name();
        EXPECT_EQ(answers(operation, "201"), operation.method == "PUT") << operation.name();
        const bool has_body = operation.description->contains("requestBody");
        for (const char* status : {"400", "413"})
            EXPECT_EQ(answers(operation, status), has_body) << operation.name() << ": " << status;
    }
}

// An `example` or `examples` stands beside the schema that it is for.
TEST(OpenApi, HasExamplesThatFit) {
    std::size_t count = 0;
    const auto fits = [&](const json::value& example, const json::value& media, const std::string& place) {
        ++count;
        EXPECT_THAT(mismatches(example, media.at("schema"), document()), IsEmpty()) << place;
    };
    visit(document(), "", [&](const json::value& value, const std::string& place) {
        const json::object* media = value.if_object();
        if (media == nullptr || !media->contains("schema"))
            return;
        if (const json::value* example = media->if_contains("example"))
            fits(*example, value, place);
        if (const json::value* examples = media->if_contains("examples"))
            for (const auto& example : examples->as_object())
                fits(example.value().at("value"), value, place);
    });
    EXPECT_GE(count, 9u);
}

// Those that describe an answer or a request, not what is made of them.
TEST(OpenApi, DescribesEveryRequiredMember) {
    visit(document().at("components").at("schemas"), "", [&](const json::value& value, const std::string& place) {
        const json::object* schema = value.if_object();
        if (schema == nullptr || !schema->contains("required") || !schema->contains("properties") ||
            !schema->at("required").is_array())
            return;
        for (const json::value& name : schema->at("required").as_array())
            EXPECT_TRUE(schema->at("properties").as_object().contains(name.as_string())) << place << ": " << name;
    });
}

}  // namespace
}  // namespace nftlink::service
