// Links as the kernel has them. Every permission is looked for once, in the places where compile() puts it; then each
// link adds up its own.
#include <algorithm>
#include <array>

#include "diff_rules.hpp"
#include "names.hpp"
#include "nftlink/firewall/firewall.hpp"
#include "permissions.hpp"
#include "policy_rules.hpp"
#include "slots.hpp"

namespace nftlink::firewall {

namespace {

struct Found {
    bool installed = false;
    nft::Counters counters;
};

// One for each of a bridge's permissions of one kind, in their order.
using FoundList = std::vector<Found>;

FoundList find_in_set(const nft::Set* set, const std::vector<Permission>& wanted) {
    FoundList list(wanted.size());
    if (set == nullptr)
        return list;
    auto element = set->elements.begin();
    for (std::size_t index = 0; index < wanted.size(); ++index) {
        while (element != set->elements.end() && element->key < wanted[index].key)
            ++element;
        if (element == set->elements.end())
            break;
        if (element->key == wanted[index].key)
            list[index] = {true, element->counters.value_or(nft::Counters{})};
    }
    return list;
}

// The rules of one chain. In another program's chain there may be twins of ours: ours come first.
class ChainIndex {
public:
    // `by_meaning`: in chains that others write too.
    explicit ChainIndex(const nft::Chain* chain, std::optional<nft::Family> by_meaning = {})
        : rules_(chain == nullptr ? none_ : chain->rules),
          ours_(rules_, is_marked<nft::Rule>, by_meaning),
          others_(rules_, [](const nft::Rule& rule) { return !is_marked(rule); }, by_meaning) {}

    // The last rule is the one that lets the parent's packets through.
    Found find(const PolicyRules::Rules& wanted) {
        Found found{true, {}};
        for (const nft::Rule& rule : wanted) {
            const nft::Rule* have = take(rule);
            if (have == nullptr)
                return {};
            const nft::Counters* counters = nft::counters(*have);
            found.counters = counters == nullptr ? nft::Counters{} : *counters;
        }
        return found;
    }

private:
    const nft::Rule* take(const nft::Rule& wanted) {
        auto index = ours_.take(wanted);
        if (!index)
            index = others_.take(wanted);
        return index ? &rules_[*index] : nullptr;
    }

    const std::vector<nft::Rule> none_;
    const std::vector<nft::Rule>& rules_;
    RulePool ours_, others_;
};

// Where every permission is, or isn't.
class Inventory {
public:
    Inventory(const nft::Ruleset& have, const Permissions& wanted, const model::FirewallPolicy& policy)
        : wanted_(wanted), policy_(policy) {
        if (policy.attach.empty()) {
            search_table(have.table(nft_family(policy.family), policy.table));
            return;
        }
        for (const model::AttachPoint& point : policy.attach)
            search_chain(have, point);
    }

    // The permission must be one of those wanted.
    const Found& find(const std::string& bridge, bool ipv4, const nft::Key& key) const {
        const auto& permissions = wanted_.find(bridge)->second.of(ipv4);
        const auto place = std::ranges::lower_bound(permissions, key, {}, &Permission::key);
        return found_.find(bridge)->second[ipv4 ? 0 : 1][static_cast<std::size_t>(place - permissions.begin())];
    }

private:
    FoundList& list(const std::string& bridge, bool ipv4) { return found_[bridge][ipv4 ? 0 : 1]; }

    // Our own table. One that no packet meets is being prepared.
    void search_table(const nft::Table* table) {
        const PolicyRules rules(policy_, nft_family(policy_.family), nft::Dialect::nft);
        const bool is_used = table != nullptr && is_live(*table);
        const std::string_view suffix = is_used && uses_second_slot(*table) ? second_slot : std::string_view();
        for (const auto& [bridge, permissions] : wanted_) {
            const nft::Chain* chain = is_used ? table->chain(bridge_chain(bridge).append(suffix)) : nullptr;
            ChainIndex index(policy_.layout == model::Layout::rules ? chain : nullptr);
            const auto set = [&](const std::string& name) {
                return is_used ? table->set(std::string(name).append(suffix)) : nullptr;
            };
            for (const bool ipv4 : {true, false}) {
                if (policy_.layout == model::Layout::rules) {
                    list(bridge, ipv4) = find_in_chain(index, rules, rules.rule(), permissions.of(ipv4));
                    continue;
                }
                list(bridge, ipv4) = find_in_set(set(links_set(bridge, ipv4)), permissions.of(ipv4));
                if (rules.replies_by_port())
                    require(list(bridge, ipv4), find_in_set(set(replies_set(bridge, ipv4)), permissions.of(ipv4)));
            }
        }
    }

    // Another program's chain. Where there are several, each must let a packet through, and each counts it.
    void search_chain(const nft::Ruleset& have, const model::AttachPoint& point) {
        const nft::Family family = nft_family(point.family);
        const auto dialect = is_iptables_table(family, point.table) ? nft::Dialect::iptables : nft::Dialect::nft;
        const PolicyRules rules(policy_, family, dialect);
        ChainIndex index(Attachment{family, point.table, point.chain, {}}.find(have), family);
        for (const auto& [bridge, permissions] : wanted_)
            for (const bool ipv4 : {true, false}) {
                if (!rules.covers(ipv4))
                    continue;
                const auto inside = rules.rule().iifname(bridge).oifname(bridge);
                FoundList here = find_in_chain(index, rules, inside, permissions.of(ipv4));
                FoundList& all = list(bridge, ipv4);
                if (!all.empty())
                    require(here, all);
                all = std::move(here);
            }
    }

    static FoundList find_in_chain(ChainIndex& index, const PolicyRules& rules, const nft::RuleBuilder& start,
                                   const std::vector<Permission>& wanted) {
        FoundList list;
        list.reserve(wanted.size());
        for (const Permission& permission : wanted) {
            PolicyRules::Rules made;
            rules.add_link(made, start, permission);
            list.push_back(index.find(made));
        }
        return list;
    }

    // What isn't in the other place too isn't installed; of two counts the larger one.
    static void require(FoundList& list, const FoundList& other) {
        for (std::size_t index = 0; index < list.size(); ++index) {
            list[index].installed &= other[index].installed;
            if (other[index].counters.packets > list[index].counters.packets)
                list[index].counters = other[index].counters;
        }
    }

    const Permissions& wanted_;
    const model::FirewallPolicy& policy_;
    std::map<std::string, std::array<FoundList, 2>, std::less<>> found_;
};

}  // namespace

std::vector<LinkCount> link_counts(const nft::Ruleset& have, const model::Topology& topology,
                                   const model::FirewallPolicy& policy) {
    const Permissions wanted = permissions(topology, policy);
    const Inventory inventory(have, wanted, policy);
    const ContainerIndex containers(topology);
    std::vector<LinkCount> counts;
    for (const auto& [name, parent] : topology.containers)
        for (const model::Link& link : parent.links) {
            LinkCount& count = counts.emplace_back(LinkCount{name, link, true, 0, 0});
            const model::Container* child = containers.find(link.child);
            if (child == nullptr)
                continue;
            for_each_permission(policy, parent, *child, [&](const std::string& bridge, bool ipv4, const nft::Key& key) {
                const Found& found = inventory.find(bridge, ipv4, key);
                count.installed &= found.installed;
                count.packets += found.counters.packets;
                count.bytes += found.counters.bytes;
            });
        }
    return counts;
}

}  // namespace nftlink::firewall
