#include "nftlink/api/requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/stream_parser.hpp>
#include <span>

#include "member_texts.hpp"
#include "nftlink/api/json.hpp"
#include "nftlink/base/json_pointer.hpp"
#include "nftlink/base/suggestion.hpp"
#include "repeated_member.hpp"

namespace nftlink::api {

namespace json = boost::json;
using base::below;

namespace {

constexpr std::size_t max_depth = 16;

// The text of one of the object's members; `text` is the object's own.
std::string_view text_of(const json::object& object, std::string_view key, std::string_view text) {
    return member_texts(text)[static_cast<std::size_t>(object.find(key) - object.begin())];
}

template <Record T>
std::vector<std::string_view> names_of() {
    std::vector<std::string_view> names;
    boost::mp11::mp_for_each<Members<T>>([&](auto member) { names.emplace_back(member.name); });
    return names;
}

// Reads records, and notes everything that is wrong with them.
class BodyReader {
public:
    Faults faults;

    void fault(std::string message, const std::string& path) {
        faults.push_back({Code::invalid, std::move(message), path});
    }

    // The record; null, with a fault, when it is none. Members that are none of these are faults.
    const json::object* record(const json::value& value, const std::string& path,
                               std::span<const std::string_view> known) {
        const json::object* object = value.if_object();
        if (object == nullptr) {
            faults.push_back({path.empty() ? Code::malformed : Code::invalid,
                              fmt::format("this must be an object with {}", fmt::join(known, ", ")), path});
            return nullptr;
        }
        for (const auto& [key, member] : *object)
            if (std::ranges::find(known, std::string_view(key)) == known.end()) {
                base::Suggestion suggestion(key);
                for (const std::string_view word : known)
                    suggestion.offer(word);
                fault(fmt::format("unknown key {}{}", base::quote(key), suggestion.to_string()), below(path, key));
            }
        return object;
    }

    // A record of texts, those that aren't optional required.
    template <Record T>
    std::optional<T> record(const json::value& value, const std::string& path) {
        static const auto known = names_of<T>();
        const json::object* object = record(value, path, known);
        if (object == nullptr)
            return {};
        T read;
        boost::mp11::mp_for_each<Members<T>>(
            [&](auto member) { text(*object, member.name, path, read.*member.pointer); });
        return read;
    }

    void text(const json::object& record, std::string_view key, const std::string& path, std::string& to) {
        if (const json::value* value = record.if_contains(key))
            to = text(*value, fmt::format("'{}'", key), below(path, key));
        else
            fault(fmt::format("'{}' is missing", key), path);
    }

    void text(const json::object& record, std::string_view key, const std::string& path,
              std::optional<std::string>& to) {
        if (record.contains(key))
            text(record, key, path, to.emplace());
    }

    std::string text(const json::value& value, const std::string& what, const std::string& path) {
        if (const json::string* string = value.if_string())
            return std::string(*string);
        fault(fmt::format("{} must be a string", what), path);
        return "";
    }

    void each(const json::object& record, std::string_view key, const std::string& path, auto use) {
        const json::value* value = record.if_contains(key);
        const json::array* array = value != nullptr ? value->if_array() : nullptr;
        if (value != nullptr && array == nullptr)
            fault(fmt::format("'{}' must be a list", key), below(path, key));
        for (std::size_t index = 0; array != nullptr && index < array->size(); ++index)
            use((*array)[index], below(below(path, key), index));
    }

    // `written` is the value's text.
    void puts(const json::value& value, std::string_view written, Transaction& transaction) {
        static constexpr std::string_view keys[] = {"containers", "links"};
        const json::object* put = record(value, "/put", keys);
        if (put == nullptr)
            return;
        if (const json::value* containers = put->if_contains("containers")) {
            if (const json::object* named = containers->if_object()) {
                const auto records = member_texts(text_of(*put, "containers", written));
                for (auto text = records.begin(); const auto& [name, container] : *named)
                    transaction.put_containers.push_back({name, std::string(*text++), below("/put/containers", name)});
            } else {
                fault("'containers' must be an object of containers by name", "/put/containers");
            }
        }
        each(*put, "links", "/put", [&](const json::value& link, const std::string& path) {
            if (auto read = record<LinkRecord>(link, path))
                transaction.put_links.push_back(
                    {{std::move(read->parent), read->alias.value_or(read->child)}, read->child, path});
        });
    }

    void deletions(const json::value& value, Transaction& transaction) {
        static constexpr std::string_view keys[] = {"containers", "links"};
        const json::object* away = record(value, "/delete", keys);
        if (away == nullptr)
            return;
        each(*away, "containers", "/delete", [&](const json::value& name, const std::string& path) {
            transaction.delete_containers.push_back(text(name, "a container's name", path));
        });
        each(*away, "links", "/delete", [&](const json::value& link, const std::string& path) {
            if (auto name = record<LinkName>(link, path))
                transaction.delete_links.push_back(std::move(*name));
        });
    }
};

}  // namespace

std::expected<Transaction, Faults> read_transaction(std::string_view text) {
    static constexpr std::string_view keys[] = {"put", "delete"};
    const auto body = parse(text);
    if (!body)
        return std::unexpected(std::vector{body.error()});
    BodyReader reader;
    Transaction transaction;
    if (const json::object* parts = reader.record(*body, "", keys)) {
        if (const json::value* put = parts->if_contains("put"))
            reader.puts(*put, text_of(*parts, "put", text), transaction);
        if (const json::value* away = parts->if_contains("delete"))
            reader.deletions(*away, transaction);
    }
    if (!reader.faults.empty())
        return std::unexpected(std::move(reader.faults));
    return transaction;
}

std::expected<LinkPut, Faults> read_link(const LinkName& name, const json::value& body) {
    BodyReader reader;
    const auto read = reader.record<LinkBody>(body, "");
    if (!reader.faults.empty())
        return std::unexpected(std::move(reader.faults));
    return LinkPut{.name = name, .child = read->child, .path = ""};
}

std::expected<json::value, Fault> parse(std::string_view text) {
    const auto malformed = [](std::string message) {
        return std::unexpected(Fault{Code::malformed, std::move(message), ""});
    };
    if (text.empty())
        return malformed("the body is empty; it must be JSON");
    json::stream_parser parser({}, {.max_depth = max_depth});
    json::error_code error;
    const std::size_t size = parser.write(text.data(), text.size(), error);
    if (!error)
        parser.finish(error);
    if (error)
        return malformed(fmt::format("the body is no JSON: {} at byte {}", error.message(), size));
    if (const auto repeated = find_repeated_member(text, max_depth))
        return malformed(fmt::format("the member {} is given twice in one object, the second time before byte {}",
                                     base::quote(repeated->name), repeated->end));
    return parser.release();
}

}  // namespace nftlink::api
