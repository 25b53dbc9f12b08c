#include "form.hpp"

// clang-format off
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
// clang-format on

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "names.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/nft/build.hpp"
#include "policy_rules.hpp"

namespace nftlink::firewall {

namespace {

// The rule without what a policy may add to it: counters, a mark.
nft::Rule bare(nft::Rule rule) {
    std::erase_if(rule.expressions, [](const nft::Expression& expression) {
        const auto* meta = std::get_if<nft::MetaSet>(&expression);
        return std::holds_alternative<nft::Counter>(expression) || std::holds_alternative<nft::Immediate>(expression) ||
               (meta != nullptr && meta->key == NFT_META_MARK);
    });
    return rule;
}

// Without the values that it compares with: a link's addresses and port.
nft::Rule shape(nft::Rule rule) {
    for (nft::Expression& expression : rule.expressions)
        if (auto* compare = std::get_if<nft::Compare>(&expression))
            std::ranges::fill(compare->value, std::uint8_t{0});
    return rule;
}

// A comment of ours, or none: nft's JSON loses some.
bool may_be_our_comment(const std::string& comment) {
    return comment.empty() || comment.starts_with(tag);
}

bool is_among(const nft::Rule& rule, const std::vector<nft::Rule>& all) {
    return std::ranges::any_of(all, [&](const nft::Rule& one) { return nft::same_rule(one, rule); });
}

// The bridge that a rule of the base chain is about: that of the chain that it jumps to, or the first interface that it
// names.
std::optional<std::string> named_bridge(const nft::Rule& rule) {
    if (!rule.expressions.empty())
        if (const auto* jump = std::get_if<nft::Verdict>(&rule.expressions.back()); jump && !jump->chain.empty())
            return bridge_of(jump->chain);
    for (const nft::Expression& expression : rule.expressions)
        if (const auto* compare = std::get_if<nft::Compare>(&expression))
            return std::string(compare->value.begin(), std::ranges::find(compare->value, 0));
    return {};
}

// The form of one chain: its name and hook, and the rules that may stand in it.
class ChainForm {
public:
    ChainForm(const nft::Table& table, const nft::Chain& chain)
        : rules_(policy_, table.family, nft::Dialect::nft),
          chain_(chain),
          bridge_(bridge_of(chain.name)),
          is_forward_(chain.name == forward_chain && is_forward_hook(chain)) {
        policy_.counters = false;
        policy_.log_drops = true;
        policy_.replies = model::Replies::source_port;
        if (bridge_)
            add_bridge(*bridge_);
        if (is_tracking(chain.name))
            may_be_.push_back(rules_.rule().established_or_related().build());
    }

    bool has_chain() const {
        const bool is_regular = bridge_ || is_tracking(chain_.name) || is_copies_chain(chain_.name);
        return (is_forward_ || (is_regular && !chain_.hook)) && chain_.unknown.empty() &&
               may_be_our_comment(chain_.comment);
    }

    bool has(const nft::Rule& rule) const {
        if (is_copies_chain(chain_.name))
            return names_interface_first(rule);
        const nft::Rule plain = bare(rule);
        if (is_forward_)
            return is_in_forward(plain);
        if (is_among(plain, may_be_))
            return true;
        return !link_shapes_.empty() && is_among(shape(plain), link_shapes_);
    }

    static bool is_tracking(std::string_view name) {
        return name == tracking_chain || name == other_slot(tracking_chain);
    }

private:
    static bool is_forward_hook(const nft::Chain& chain) {
        constexpr std::uint32_t forward = 2, accept = 1;  // NF_INET_FORWARD and NF_BR_FORWARD; NF_ACCEPT
        return chain.hook && chain.hook->type == "filter" && chain.hook->number == forward &&
               chain.hook->policy == accept;
    }

    // As every rule that is attached somewhere does.
    static bool names_interface_first(const nft::Rule& rule) {
        const auto* load = rule.expressions.empty() ? nullptr : std::get_if<nft::MetaLoad>(&rule.expressions.front());
        return load != nullptr && (load->key == NFT_META_IIFNAME || load->key == NFT_META_OIFNAME);
    }

    // The jumps, or Docker's base rules.
    bool is_in_forward(const nft::Rule& rule) const {
        const auto bridge = named_bridge(rule);
        if (!bridge)
            return false;
        std::vector<nft::Rule> all;
        const std::string ports = ports_set(*bridge), chain = bridge_chain(*bridge);
        for (const std::string& name : {chain, other_slot(chain)})
            for (const auto& start :
                 {rules_.rule().iifname(*bridge).oifname(*bridge), rules_.rule().ibrname(*bridge),
                  rules_.rule().iifname_in(ports), rules_.rule().oifname_in(ports),
                  rules_.rule().iifname_in(other_slot(ports)), rules_.rule().oifname_in(other_slot(ports))})
                all.push_back(nft::RuleBuilder(start).jump(name).build());
        for (const auto icc : {model::Icc::allow, model::Icc::deny})
            rules_.add_docker_base(all, *bridge, icc);
        return is_among(rule, all);
    }

    void add_bridge(const std::string& bridge) {
        for (const bool ipv4 : {true, false}) {
            for (const std::string& set : {links_set(bridge, ipv4), other_slot(links_set(bridge, ipv4))})
                rules_.accept(may_be_, rules_.rule().in_links(ipv4, set));
            for (const std::string& set : {replies_set(bridge, ipv4), other_slot(replies_set(bridge, ipv4))})
                rules_.accept(may_be_, rules_.rule().in_replies(ipv4, set));
            // A link's two rules, with `layout: rules`.
            nft::Key key;
            const std::vector<std::uint8_t> address(ipv4 ? 4 : 16), protocol(1), port(2);
            for (const auto* field : {&address, &address, &protocol, &port})
                key.append(*field);
            rules_.add_link(link_shapes_, rules_.rule(), {key, {}, {}, {}});
        }
        std::ranges::transform(link_shapes_, link_shapes_.begin(), shape);
        rules_.add_established(may_be_, rules_.rule());
        rules_.add_drop(may_be_, rules_.rule(), bridge);
        rules_.accept(may_be_, rules_.rule());
    }

    model::FirewallPolicy policy_;
    PolicyRules rules_;
    const nft::Chain& chain_;
    std::optional<std::string> bridge_;
    bool is_forward_;
    std::vector<nft::Rule> may_be_, link_shapes_;
};

}  // namespace

bool has_form(const nft::Table& table, const nft::Chain& chain, const nft::Rule& rule) {
    return ChainForm(table, chain).has(rule);
}

bool has_form(const nft::Table& table, const nft::Chain& chain) {
    const ChainForm form(table, chain);
    return form.has_chain() && std::ranges::all_of(chain.rules, [&](const nft::Rule& rule) { return form.has(rule); });
}

bool has_form(const nft::Set& set) {
    if (!set.unknown.empty() || !may_be_our_comment(set.comment))
        return false;
    const auto starts_with = [&](std::string_view prefix) { return set.name.starts_with(prefix); };
    if (starts_with("links4-") || starts_with("replies4-"))
        return set.key == nft::link_key(true);
    if (starts_with("links6-") || starts_with("replies6-"))
        return set.key == nft::link_key(false);
    return starts_with("ports-") && set.key == nft::interface_key();
}

bool has_kind_of_form(const nft::Table& table, const nft::Chain& chain) {
    return ChainForm(table, chain).has_chain();
}

bool has_core_of_form(const nft::Table& table) {
    bool has_forward = false, has_led_to = false, has_tracking = false, has_copies = false;
    if (table.family == nft::Family::arp || table.family == nft::Family::netdev || !table.unknown.empty())
        return false;
    return std::ranges::any_of(table.chains, [&](const nft::Chain& chain) {
        const ChainForm form(table, chain);
        const auto fits = [&](const nft::Rule& rule) { return form.has(rule); };
        if (!form.has_chain() || !(chain.rules.empty() || std::ranges::any_of(chain.rules, fits)))
            return false;
        const bool is_tracking = ChainForm::is_tracking(chain.name);
        has_forward |= chain.hook.has_value();
        has_tracking |= is_tracking;
        has_led_to |= is_tracking || bridge_of(chain.name).has_value();
        has_copies |= is_copies_chain(chain.name);
        return (has_forward && has_led_to) || (has_tracking && has_copies);
    });
}

bool has_form(const nft::Table& table) {
    return has_core_of_form(table) && table.other_object_count == 0 && may_be_our_comment(table.comment) &&
           std::ranges::all_of(table.chains, [&](const nft::Chain& chain) { return has_form(table, chain); }) &&
           std::ranges::all_of(table.sets, [](const nft::Set& set) { return has_form(set); });
}

}  // namespace nftlink::firewall
