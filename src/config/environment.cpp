#include "environment.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "reader.hpp"
#include "words.hpp"

namespace nftlink::config {

namespace {

class EnvironmentReader {
public:
    explicit EnvironmentReader(Report& report) : report_(report) {}

    void read_map(const Node& map) {
        for_each_entry(map, [this](const Node& key, const Node& value) {
            if (value.kind == Kind::list || value.kind == Kind::map)
                return refuse(report_, value, key.text, "text");
            if (key.text.find('=') != std::string_view::npos)
                return report_.error(key.place, fmt::format("the variable's name {} has a '=' in it", quote(key.text)));
            if (value.kind == Kind::null)
                add(key.place, key.text, std::string(key.text));
            else
                add(has_nul(value.text) ? value.place : key.place, key.text,
                    fmt::format("{}={}", key.text, value.text));
        });
    }

    void read_list(const Node& list) {
        for (const Node* item : list.children) {
            if (item->kind == Kind::scalar)
                add(item->place, item->text.substr(0, item->text.find('=')), std::string(item->text));
            else
                refuse_item(report_, *item, "environment", "KEY=VALUE",
                            item->kind == Kind::map ? "; write '=' for ': ', or leave out the '-'" : "");
        }
    }

    std::vector<std::string> take() { return std::move(entries_); }

private:
    static bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

    void add(Place place, std::string_view name, std::string entry) {
        if (has_nul(entry))
            return report_.error(place, fmt::format("the variable {} has a NUL byte in it", quote(name)));
        if (name.empty())
            return report_.error(place, fmt::format("a variable without a name: {}", quote(entry)));
        const auto [first, added] = names_.emplace(name, place);
        if (!added)
            return report_.error(place, fmt::format("the variable {} is given twice; the first is at {}", quote(name),
                                                    report_.at(first->second)));
        if (name.size() == entry.size())
            report_.warning(place, fmt::format("the variable {} has no value: links leave it out", quote(name)));
        entries_.push_back(std::move(entry));
    }

    Report& report_;
    std::vector<std::string> entries_;
    std::unordered_map<std::string_view, Place> names_;
};

}  // namespace

std::vector<std::string> read_environment(const Node& node, Report& report) {
    EnvironmentReader reader(report);
    if (node.kind == Kind::map)
        reader.read_map(node);
    else if (node.kind == Kind::list)
        reader.read_list(node);
    else if (node.kind != Kind::null)
        refuse(report, node, "environment", "a map, or a list of KEY=VALUE");
    return reader.take();
}

}  // namespace nftlink::config
