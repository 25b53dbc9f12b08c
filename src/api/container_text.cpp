#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "nftlink/api/records.hpp"
#include "nftlink/base/yaml_text.hpp"
#include "pointer.hpp"

namespace nftlink::api {

namespace json = boost::json;
using base::yaml_string;

namespace {

// yaml-cpp, as YAML itself, looks for a key's colon on its line and not further away than 1,024 characters.
constexpr std::size_t longest_key = 1000;

// Numbers, true, false, null, [] and {}.
std::string plain(const json::value& value) {
    return value.is_double() ? fmt::format("{}", value.get_double()) : json::serialize(value);
}

// Writes values in YAML's flow style, in which a map or list is where its bracket is, and notes for each line what it
// is about.
class Writer {
public:
    explicit Writer(ContainerText& text) : text_(text) {}

    void line(std::size_t depth, const std::string& words, const std::string& path) {
        text_.yaml += std::string(2 * depth, ' ') + words + "\n";
        text_.paths.push_back(path);
    }

    // `start` is what comes before the value on its line: `key: `, or nothing in a list; `end` comes after it.
    void value(std::size_t depth, const std::string& start, const json::value& value, const std::string& path,
               const std::string& end) {
        if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
            line(depth, start + "{", path);
            for (const auto& [key, member] : *object)
                this->member(depth + 1, key, member, below(path, key), ",");
            line(depth, "}" + end, path);
        } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
            line(depth, start + "[", path);
            for (std::size_t index = 0; index < array->size(); ++index)
                this->value(depth + 1, "", (*array)[index], below(path, index), ",");
            line(depth, "]" + end, path);
        } else if (const auto* string = value.if_string()) {
            line(depth, start + yaml_string(*string) + end, path);
        } else {
            line(depth, start + plain(value) + end, path);
        }
    }

    void member(std::size_t depth, std::string_view name, const json::value& value, const std::string& path,
                const std::string& end) {
        std::string key = yaml_string(name);
        if (key.size() > longest_key) {
            line(depth, "? " + key, path);
            key.clear();
        }
        this->value(depth, key + ": ", value, path, end);
    }

private:
    ContainerText& text_;
};

}  // namespace

const std::string& ContainerText::path(std::size_t line) const {
    return line == 0 || line > paths.size() ? paths.front() : paths[line - 1];
}

ContainerText to_yaml(std::string_view name, const json::value& record, const std::string& path) {
    ContainerText text;
    Writer writer(text);
    writer.line(0, "containers:", path);
    writer.member(1, name, record, path, "");
    return text;
}

}  // namespace nftlink::api
