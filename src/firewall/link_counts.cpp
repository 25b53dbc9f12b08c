#include "nftlink/firewall/link_counts.hpp"

// Links as the kernel has them. Every permission is looked for once, in the places where compile() puts it; then each
// link adds up its own.
#include <algorithm>
#include <tuple>

#include "diff_rules.hpp"
#include "names.hpp"
#include "nftlink/firewall/wanted.hpp"
#include "permissions.hpp"
#include "policy_rules.hpp"

namespace nftlink::firewall {

namespace {

struct Found {
    bool installed = false;
    nft::Counters counters;
};

// One for each of the permissions of one kind, in their order.
using FoundList = std::vector<Found>;

FoundList find_in_set(const nft::Set* set, const std::vector<nft::Element>& wanted) {
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

// The set of that name that the table's rules look up, by whichever of its names.
const nft::Set* find_in_use(const nft::Table& table, std::string_view plain) {
    for (const nft::Chain& chain : table.chains)
        for (const nft::Rule& rule : chain.rules)
            for (const nft::Expression& expression : rule.expressions)
                if (const auto* lookup = std::get_if<nft::SetLookup>(&expression);
                    lookup && plain_name(lookup->set) == plain)
                    return table.set(lookup->set);
    return nullptr;
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
        if (policy.attach.empty())
            search_table(have.table(nft_family(policy.family), policy.table));
        if (policy.attach.empty() && policy.family == model::Family::bridge)
            search_table(have.table(nft::Family::inet, policy.table));
        for (const model::AttachPoint& point : policy.attach)
            search_chain(have, point);
    }

    // The permission must be one of those wanted.
    Found find(model::Ip ip, const nft::Key& key, const nft::Key& reply) const {
        if (policy_.layout == model::Layout::rules)
            return at(links_, wanted_.rules[ip], ip, std::tie(key, reply),
                      [](const RulePair& pair) { return std::tie(pair.link, pair.reply); });
        Found found = at(links_, wanted_.links[ip], ip, key, &nft::Element::key);
        found.installed &= at(replies_, wanted_.replies[ip], ip, reply, &nft::Element::key).installed;
        return found;
    }

private:
    using Lists = model::PerIp<FoundList>;

    static const Found& at(const Lists& lists, const auto& wanted, model::Ip ip, const auto& key, auto key_of) {
        const auto place = std::ranges::lower_bound(wanted, key, {}, key_of);
        return lists[ip][static_cast<std::size_t>(place - wanted.begin())];
    }

    // Our own table. One that no packet meets is being prepared.
    void search_table(const nft::Table* table) {
        const nft::Chain* forward = table == nullptr ? nullptr : table->chain(forward_chain);
        const bool is_used = forward != nullptr && forward->hook;
        if (policy_.layout == model::Layout::rules) {
            const PolicyRules rules(policy_, table == nullptr ? nft::Family::inet : table->family, nft::Dialect::nft);
            ChainIndex index(is_used ? table->chain(links_chain) : nullptr);
            for (const model::Ip ip : model::both_ips)
                require(links_[ip], find_in_chain(index, rules, wanted_.rules[ip]));
            return;
        }
        const auto set_in_use = [&](std::string_view name) { return is_used ? find_in_use(*table, name) : nullptr; };
        for (const model::Ip ip : model::both_ips) {
            require(links_[ip], find_in_set(set_in_use(links_set(ip)), wanted_.links[ip]));
            require(replies_[ip], find_in_set(set_in_use(replies_set(ip)), wanted_.replies[ip]));
        }
    }

    // Another program's chain.
    void search_chain(const nft::Ruleset& have, const model::AttachPoint& point) {
        const nft::Family family = nft_family(point.family);
        const auto dialect = is_iptables_table(family, point.table) ? nft::Dialect::iptables : nft::Dialect::nft;
        const PolicyRules rules(policy_, family, dialect);
        ChainIndex index(Attachment{family, point.table, point.chain, {}}.find(have), family);
        for (const model::Ip ip : model::both_ips)
            if (rules.covers(ip))
                require(links_[ip], find_in_chain(index, rules, wanted_.rules[ip]));
    }

    static FoundList find_in_chain(ChainIndex& index, const PolicyRules& rules, const std::vector<RulePair>& wanted) {
        FoundList list;
        list.reserve(wanted.size());
        for (const RulePair& pair : wanted) {
            PolicyRules::Rules made;
            rules.add_link(made, pair);
            list.push_back(index.find(made));
        }
        return list;
    }

    // Of several places (two tables, several chains to attach to) each must let a packet through. Of two chains the
    // larger count is taken, since a packet passes both; of two tables the sum, since it passes one.
    void require(FoundList& all, FoundList here) const {
        if (all.empty()) {
            all = std::move(here);
            return;
        }
        for (std::size_t index = 0; index < all.size(); ++index) {
            nft::Counters& counts = all[index].counters;
            const nft::Counters& more = here[index].counters;
            all[index].installed &= here[index].installed;
            if (policy_.attach.empty())
                counts = {counts.packets + more.packets, counts.bytes + more.bytes};
            else if (more.packets > counts.packets)
                counts = more;
        }
    }

    const Permissions& wanted_;
    const model::FirewallPolicy& policy_;
    Lists links_, replies_;
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
            for_each_permission(policy, parent, *child, [&](model::Ip ip, const nft::Key& key, const nft::Key& reply) {
                const Found found = inventory.find(ip, key, reply);
                count.installed &= found.installed;
                count.packets += found.counters.packets;
                count.bytes += found.counters.bytes;
            });
        }
    return counts;
}

}  // namespace nftlink::firewall
