// The API's records against its description: the schema's properties are the struct's members, each of its type, and
// required unless the member may be left out.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <set>

#include "nftlink/api/answers.hpp"
#include "nftlink/api/events.hpp"
#include "nftlink/api/fault.hpp"
#include "nftlink/api/requests.hpp"
#include "schema.hpp"
#include "service/control_api.hpp"

namespace nftlink::service {
namespace {

namespace json = boost::json;
using Types = std::set<std::string>;

const json::value& document() {
    static const json::value parsed = json::parse(openapi_text);
    return parsed;
}

const json::value& followed(const json::value& schema) {
    const json::value* reference = schema.as_object().if_contains("$ref");
    return reference == nullptr ? schema : followed(*resolve(document(), reference->as_string()));
}

// The types that the schema names, or those of the values that it lists.
Types types_in(const json::value& schema) {
    const json::object& asked = followed(schema).as_object();
    const auto words = [](const json::value& one_or_list, auto word) {
        Types found;
        if (!one_or_list.is_array())
            return Types{word(one_or_list)};
        for (const json::value& each : one_or_list.as_array())
            found.insert(word(each));
        return found;
    };
    const auto type_of = [](const json::value& value) { return value.is_string() ? "string" : "integer"; };
    if (const json::value* type = asked.if_contains("type"))
        return words(*type, [](const json::value& word) { return std::string(word.as_string()); });
    const json::value* values = asked.contains("const") ? &asked.at("const") : asked.if_contains("enum");
    return values == nullptr ? Types() : words(*values, type_of);
}

// A schema of an object together with the schemas that it builds on.
struct ObjectSchema {
    std::map<std::string, const json::value*> properties;
    std::set<std::string> required;

    explicit ObjectSchema(const json::value& schema) { add(schema); }

    void add(const json::value& schema) {
        const json::object& asked = followed(schema).as_object();
        if (const json::value* parts = asked.if_contains("allOf"))
            for (const json::value& part : parts->as_array())
                add(part);
        if (const json::value* described = asked.if_contains("properties"))
            for (const auto& property : described->as_object())
                properties.emplace(property.key(), &property.value());
        if (const json::value* names = asked.if_contains("required"))
            for (const json::value& name : names->as_array())
                required.emplace(name.as_string());
    }
};

template <api::Record T>
void hold(const ObjectSchema& schema, const std::string& place);

// A type as `hold` finds it: a member's type, of which a function's argument tells the template.
template <typename T>
struct Kind {};

void hold(Kind<bool>, const json::value& schema, const std::string& place) {
    EXPECT_EQ(types_in(schema), Types{"boolean"}) << place;
}
void hold(Kind<double>, const json::value& schema, const std::string& place) {
    EXPECT_EQ(types_in(schema), Types{"number"}) << place;
}
void hold(Kind<std::string>, const json::value& schema, const std::string& place) {
    EXPECT_EQ(types_in(schema), Types{"string"}) << place;
}
template <typename T>
    requires std::is_enum_v<T>
void hold(Kind<T>, const json::value& schema, const std::string& place) {
    EXPECT_EQ(types_in(schema), Types{"string"}) << place;
}
template <std::integral T>
void hold(Kind<T>, const json::value& schema, const std::string& place) {
    EXPECT_EQ(types_in(schema), Types{"integer"}) << place;
}
void hold(Kind<json::object>, const json::value& schema, const std::string& place) {
    EXPECT_EQ(types_in(schema), Types{"object"}) << place;
}
template <api::Record T>
void hold(Kind<T>, const json::value& schema, const std::string& place) {
    EXPECT_TRUE(types_in(schema).contains("object") || followed(schema).as_object().contains("allOf")) << place;
    hold<T>(ObjectSchema(schema), place);
}
template <typename T>
void hold(Kind<std::vector<T>>, const json::value& schema, const std::string& place) {
    EXPECT_EQ(types_in(schema), Types{"array"}) << place;
    hold(Kind<T>(), followed(schema).at("items"), place + "[]");
}
template <typename T>
void hold(Kind<api::Named<T>>, const json::value& schema, const std::string& place) {
    EXPECT_EQ(types_in(schema), Types{"object"}) << place;
    hold(Kind<T>(), followed(schema).at("additionalProperties"), place + "{}");
}
template <typename T>
void hold(Kind<std::optional<T>>, const json::value& schema, const std::string& place) {
    hold(Kind<T>(), schema, place);
}
template <typename T>
void hold(Kind<api::Nullable<T>>, const json::value& schema, const std::string& place) {
    Types types = types_in(schema);
    EXPECT_EQ(types.erase("null"), 1U) << place;
    ASSERT_EQ(types.size(), 1U) << place;
    json::value whole = followed(schema);
    whole.as_object()["type"] = *types.begin();
    hold(Kind<T>(), whole, place);
}

template <typename T>
constexpr bool may_be_absent = false;
template <typename T>
constexpr bool may_be_absent<std::optional<T>> = true;

template <api::Record T>
void hold(const ObjectSchema& schema, const std::string& place) {
    std::set<std::string> members;
    boost::mp11::mp_for_each<api::Members<T>>([&](auto member) {
        using Type = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
        const std::string where = place + "/" + member.name;
        members.insert(member.name);
        EXPECT_EQ(schema.required.contains(member.name), !may_be_absent<Type>) << where;
        if (const auto found = schema.properties.find(member.name); found != schema.properties.end())
            hold(Kind<Type>(), *found->second, where);
        else
            ADD_FAILURE() << where << " is not described";
    });
    for (const auto& [name, property] : schema.properties)
        EXPECT_TRUE(members.contains(name)) << place << "/" << name << " is described, but no member";
}

template <api::Record T>
void hold(const char* name) {
    hold(Kind<T>(), document().at("components").at("schemas").at(name), name);
}

TEST(Schemas, AreTheAnswersRecords) {
    hold<api::Status>("Status");
    hold<api::Links>("Links");
    hold<api::Containers>("Containers");
    hold<api::Environment>("Environment");
    hold<api::Hosts>("Hosts");
    hold<api::Plan>("Plan");
    hold<api::Changed>("Changed");
    hold<api::LinkChanged>("LinkChanged");
    hold<api::ContainerChanged>("ContainerChanged");
    hold<api::Reloaded>("Reloaded");
    hold<api::Refusal>("Error");
}

TEST(Schemas, NameTheCodesThatTheServiceSends) {
    std::set<std::string> codes;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<api::Code>>([&](auto each) {
        if (each.value <= api::Code::internal)
            codes.emplace(each.name);
    });
    std::set<std::string> described;
    const json::value& fault = document().at("components").at("schemas").at("Fault");
    for (const json::value& code : fault.at("properties").at("code").at("enum").as_array())
        described.emplace(code.as_string());
    EXPECT_EQ(described, codes);
}

TEST(Schemas, AreTheRequestsRecords) {
    hold<api::LinkBody>("LinkRecord");
    const json::object& transaction =
        document().at("components").at("schemas").at("Transaction").at("properties").as_object();
    const auto links = [&](const char* part) { return transaction.at(part).at("properties").at("links"); };
    hold(Kind<std::vector<api::LinkRecord>>(), links("put"), "Transaction/put/links");
    hold(Kind<std::vector<api::LinkName>>(), links("delete"), "Transaction/delete/links");
}

// The names of the events that one of the event's choices is about.
std::set<std::string> names_in(const json::value& choice) {
    const json::object& event = choice.at("properties").at("event").as_object();
    if (const json::value* name = event.if_contains("const"))
        return {std::string(name->as_string())};
    std::set<std::string> names;
    for (const json::value& name : event.at("enum").as_array())
        names.emplace(name.as_string());
    return names;
}

TEST(Schemas, AreTheEventsRecords) {
    std::map<std::string, const json::value*> choices;
    for (const json::value& choice : document().at("components").at("schemas").at("Event").at("oneOf").as_array())
        for (const std::string& name : names_in(choice))
            EXPECT_TRUE(choices.emplace(name, &choice).second) << name;
    std::set<std::string> events;
    boost::mp11::mp_for_each<api::Event>([&]<typename T>(const T&) {
        const std::string name(T::name);
        events.insert(name);
        ASSERT_TRUE(choices.contains(name)) << name;
        ObjectSchema schema(*choices.at(name));
        schema.properties.erase("event");
        hold<T>(schema, name);
    });
    for (const auto& [name, choice] : choices)
        EXPECT_TRUE(events.contains(name)) << name << " is described, but no event";
}

}  // namespace
}  // namespace nftlink::service
