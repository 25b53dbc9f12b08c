#include "schema.hpp"

#include <regex.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <set>

namespace nftlink::service {

namespace json = boost::json;

namespace {

bool has_type(const json::value& value, std::string_view type) {
    if (type == "integer")
        return value.is_int64() || value.is_uint64();
    if (type == "number")
        return value.is_number();
    return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
           (type == "string" && value.is_string()) || (type == "boolean" && value.is_bool()) ||
           (type == "null" && value.is_null());
}

bool has_one_type_of(const json::value& value, const json::value& types) {
    if (types.is_string())
        return has_type(value, types.as_string());
    return std::ranges::any_of(types.as_array(),
                               [&](const json::value& type) { return has_type(value, type.as_string()); });
}

// The description keeps to what POSIX's expressions and JSON Schema's have in common.
bool matches(const json::string& text, const json::string& pattern) {
    regex_t expression{};
    if (regcomp(&expression, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    const bool found = regexec(&expression, text.c_str(), 0, nullptr, 0) == 0;
    regfree(&expression);
    return found;
}

class Checker {
public:
    explicit Checker(const json::value& document) : document_(document) {}

    // All of it: what the schema asks for, and nothing that it doesn't know.
    void check(const json::value& value, const json::value& schema, const std::string& place) {
        hold(value, schema, place);
        std::set<std::string, std::less<>> known;
        if (value.is_object() && collect_members(schema, known))
            for (const auto& member : value.as_object())
                if (!known.contains(std::string_view(member.key())))
                    found.push_back(place + "/" + std::string(member.key()) + ": is not described");
    }

    std::vector<std::string> found;

private:
    void hold(const json::value& value, const json::value& schema, const std::string& place) {
        const json::object& asked = schema.as_object();
        const auto fault = [&](const std::string& what) {
            found.push_back(place + ": " + json::serialize(value) + " " + what);
        };
        for (const auto& entry : asked) {
            const std::string_view word = entry.key();
            const json::value& operand = entry.value();
            if (word == "$ref")
                hold(value, *resolve(document_, operand.as_string()), place);
            else if (word == "type" && !has_one_type_of(value, operand))
                fault("has not the type " + json::serialize(operand));
            else if (word == "const" && value != operand)
                fault("is not " + json::serialize(operand));
            else if (word == "enum" && std::ranges::find(operand.as_array(), value) == operand.as_array().end())
                fault("is none of " + json::serialize(operand));
            else if (word == "pattern" && value.is_string() && !matches(value.as_string(), operand.as_string()))
                fault("does not match " + json::serialize(operand));
            else if (word == "allOf")
                for (const json::value& each : operand.as_array())
                    hold(value, each, place);
            else if (word == "oneOf" || word == "anyOf")
                hold_some(value, operand.as_array(), word == "oneOf", place);
            else if (word == "not" && fits(value, operand, place))
                found.push_back(place + ": fits what it must not");
        }
        if (value.is_object())
            hold_members(value.as_object(), asked, place);
        if (const json::value* items = asked.if_contains("items"); items != nullptr && value.is_array())
            for (std::size_t i = 0; i < value.as_array().size(); ++i)
                check(value.as_array()[i], *items, place + "/" + std::to_string(i));
    }

    bool fits(const json::value& value, const json::value& schema, const std::string& place) const {
        Checker attempt(document_);
        attempt.hold(value, schema, place);
        return attempt.found.empty();
    }

    void hold_some(const json::value& value, const json::array& choices, bool exactly_one, const std::string& place) {
        std::size_t fitting = 0;
        std::string reasons;
        for (const json::value& choice : choices) {
            Checker attempt(document_);
            attempt.hold(value, choice, place);
            fitting += attempt.found.empty() ? 1 : 0;
            for (const std::string& reason : attempt.found)
                reasons += "\n    " + reason;
        }
        if (fitting == 0)
            found.push_back(place + ": fits none of the choices:" + reasons);
        else if (exactly_one && fitting != 1)
            found.push_back(place + ": fits " + std::to_string(fitting) + " choices of which it may be one");
    }

    void hold_members(const json::object& value, const json::object& asked, const std::string& place) {
        if (const json::value* required = asked.if_contains("required"))
            for (const json::value& name : required->as_array())
                if (!value.contains(name.as_string()))
                    found.push_back(place + ": has no " + std::string(name.as_string()));
        const json::value* properties = asked.if_contains("properties");
        const json::value* others = asked.if_contains("additionalProperties");
        for (const auto& member : value) {
            const std::string where = place + "/" + std::string(member.key());
            const json::value* described =
                properties != nullptr ? properties->as_object().if_contains(member.key()) : nullptr;
            if (described != nullptr)
                check(member.value(), *described, where);
            else if (others != nullptr && others->is_object())
                check(member.value(), *others, where);
        }
    }

    // The members that the schema knows; false when any may be there.
    bool collect_members(const json::value& schema, std::set<std::string, std::less<>>& known) const {
        const json::object& asked = schema.as_object();
        if (asked == json::object{{"type", "object"}})
            return false;
        if (const json::value* others = asked.if_contains("additionalProperties");
            others != nullptr && others->is_object())
            return false;
        if (const json::value* reference = asked.if_contains("$ref"))
            if (!collect_members(*resolve(document_, reference->as_string()), known))
                return false;
        for (const char* word : {"allOf", "oneOf", "anyOf"})
            if (const json::value* parts = asked.if_contains(word))
                for (const json::value& part : parts->as_array())
                    if (!collect_members(part, known))
                        return false;
        if (const json::value* properties = asked.if_contains("properties"))
            for (const auto& property : properties->as_object())
                known.emplace(property.key());
        return true;
    }

    const json::value& document_;
};

}  // namespace

const json::value* resolve(const json::value& document, std::string_view reference) {
    boost::system::error_code error;
    return reference.starts_with("#/") ? document.find_pointer(reference.substr(1), error) : nullptr;
}

std::vector<std::string> mismatches(const json::value& value, const json::value& schema, const json::value& document,
                                    const std::string& place) {
    Checker checker(document);
    checker.check(value, schema, place);
    return std::move(checker.found);
}

}  // namespace nftlink::service
