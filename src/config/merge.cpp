#include "merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "reader.hpp"
#include "words.hpp"

namespace nftlink::config {

namespace {

struct Entry {
    const Node* key;
    const Node* value;
};
// All that several maps say about one key, in their order.
using Group = std::vector<Entry>;

bool is_map(const Entry& entry) {
    return entry.value->kind == Kind::map || entry.value->kind == Kind::null;
}

// The groups in the order of their first entries.
std::vector<Group> group(std::span<const Entry> maps) {
    std::vector<Group> groups;
    std::unordered_map<std::string_view, std::size_t> index;
    for (const Entry& map : maps)
        for_each_entry(*map.value, [&](const Node& key, const Node& value) {
            const auto [found, added] = index.emplace(key.text, groups.size());
            if (added)
                groups.emplace_back();
            groups[found->second].push_back({&key, &value});
        });
    return groups;
}

class Merger {
public:
    Merger(Arena& arena, Report& report) : arena_(arena), report_(report) {}

    const Node* roots(std::span<const Entry> maps) {
        return join(maps, [this](Group& values) { section(values); });
    }

private:
    // One map of all entries; reduce(group) makes one of the values of a key that has several.
    const Node* join(std::span<const Entry> maps, auto reduce) {
        std::vector<const Node*> children;
        for (Group& values : group(maps)) {
            if (values.size() > 1)
                reduce(values);
            for (const auto& [key, value] : values)
                children.insert(children.end(), {key, value});
        }
        Node* result = new_node(arena_, Kind::map, maps.front().value->place);
        result->children = copy(arena_, children);
        return result;
    }

    void section(Group& values) {
        const std::string_view name = values.front().key->text;
        if (std::ranges::find(section_names, name) == std::end(section_names))
            return;
        std::erase_if(values, [&](const Entry& entry) {
            if (!is_map(entry))
                refuse(report_, *entry.value, name, "a map");
            return !is_map(entry);
        });
        if (values.size() < 2)
            return;
        values.front().value = join(values, [&](Group& same) {
            if (name == "bridges" && std::ranges::all_of(same, is_map))
                bridge(same);
            else
                keep_first(same, name == "containers" ? "container " : "");
        });
        values.resize(1);
    }

    void bridge(Group& values) {
        values.front().value = join(values, [&](Group& same) { keep_first(same, ""); });
        values.resize(1);
    }

    void keep_first(Group& values, std::string_view what) {
        for (const Entry& entry : std::span(values).subspan(1))
            report_.error(entry.key->place, fmt::format("{}{} is given twice; the first is at {}", what,
                                                        quote(entry.key->text), report_.at(values.front().key->place)));
        values.resize(1);
    }

    Arena& arena_;
    Report& report_;
};

}  // namespace

const Node* merge(std::span<const Node* const> roots, Arena& arena, Report& report) {
    if (roots.size() == 1)
        return roots.front();
    std::vector<Entry> maps;
    for (const Node* root : roots)
        maps.push_back({nullptr, root});
    return Merger(arena, report).roots(maps);
}

}  // namespace nftlink::config
