#include "form.hpp"

// clang-format off
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
// clang-format on

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "names.hpp"
#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/ownership.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/nft/build.hpp"
#include "permissions.hpp"
#include "policy_rules.hpp"

namespace nftlink::firewall {

namespace {

// The rule without what a policy may add to it: counters, a mark; and with its sets under their plain names.
nft::Rule bare(nft::Rule rule) {
    std::erase_if(rule.expressions, [](const nft::Expression& expression) {
        const auto* meta = std::get_if<nft::MetaSet>(&expression);
        return std::holds_alternative<nft::Counter>(expression) || std::holds_alternative<nft::Immediate>(expression) ||
               (meta != nullptr && meta->key == NFT_META_MARK);
    });
    for (nft::Expression& expression : rule.expressions)
        if (auto* lookup = std::get_if<nft::SetLookup>(&expression))
            lookup->set = plain_name(lookup->set);
    return rule;
}

bool is_among(const nft::Rule& rule, const std::vector<nft::Rule>& all) {
    return std::ranges::any_of(all, [&](const nft::Rule& one) { return nft::same_rule(one, rule); });
}

using RulesOfChains = std::map<std::pair<nft::Family, std::string>, std::vector<nft::Rule>>;

// Two tables of the bridge family have a chain of one name.
std::string name_of(const nft::Table& table, const nft::Chain& chain) {
    return is_frames_table(table.family, table.name) ? chain.name + " of frames" : chain.name;
}

RulesOfChains make_frame_rules() {
    RulesOfChains all;
    model::FirewallPolicy policy;
    policy.log_drops = true;
    for (const auto family : {model::Family::inet, model::Family::ip, model::Family::bridge})
        for (const auto layout : {model::Layout::sets, model::Layout::rules})
            for (const auto replies : {model::Replies::established, model::Replies::source_port})
                for (const Frames frames : {Frames::by_name, Frames::by_port}) {
                    policy.family = family;
                    policy.layout = layout;
                    policy.replies = replies;
                    for (const nft::Table& table : compile({}, policy, {.frames = frames}).tables)
                        for (const nft::Chain& chain : table.chains)
                            std::ranges::transform(
                                chain.rules, std::back_inserter(all[{table.family, name_of(table, chain)}]), bare);
                }
    return all;
}

// Every rule that a table of ours may have in that chain.
const std::vector<nft::Rule>& frame_rules(const nft::Table& table, const nft::Chain& chain) {
    static const RulesOfChains all = make_frame_rules();
    static const std::vector<nft::Rule> none;
    const auto found = all.find({table.family, name_of(table, chain)});
    return found == all.end() ? none : found->second;
}

bool has_hook(const nft::Chain& chain, std::uint32_t number) {
    constexpr std::uint32_t accept = 1;  // NF_ACCEPT
    return chain.hook && chain.hook->type == "filter" && chain.hook->number == number && chain.hook->policy == accept;
}

bool is_tracking(std::string_view name) {
    return name == tracking_chain || name == std::string(tracking_chain).append(old_second_slot);
}

// A chain of 0.1's, to which its base chain jumps; or one that was left when a change to the frame was broken off.
bool is_old_bridge_chain(const nft::Table& table, const nft::Chain& chain) {
    if (chain.hook || !chain.name.starts_with(old_chain_prefix))
        return false;
    if (chain.comment.starts_with(std::string(tag) + "what may pass on "))
        return true;
    const nft::Chain* forward = table.chain(forward_chain);
    return forward != nullptr && std::ranges::any_of(forward->rules, [&](const nft::Rule& rule) {
               const auto* jump =
                   rule.expressions.empty() ? nullptr : std::get_if<nft::Verdict>(&rule.expressions.back());
               return jump != nullptr && jump->chain == chain.name;
           });
}

// As every rule of one port or bridge does.
bool names_interface_first(const nft::Rule& rule) {
    const auto* load = rule.expressions.empty() ? nullptr : std::get_if<nft::MetaLoad>(&rule.expressions.front());
    return load != nullptr &&
           (load->key == NFT_META_IIFNAME || load->key == NFT_META_OIFNAME || load->key == NFT_META_BRI_IIFNAME);
}

// In 0.1's base chain: a jump to a bridge's chain, or one of Docker's base rules.
bool is_old_jump(const nft::Rule& rule, nft::Family family) {
    if (rule.expressions.empty())
        return false;
    if (const auto* jump = std::get_if<nft::Verdict>(&rule.expressions.back()); jump && !jump->chain.empty())
        return jump->chain.starts_with(old_chain_prefix);
    const auto* name = rule.expressions.size() < 2 ? nullptr : std::get_if<nft::Compare>(&rule.expressions[1]);
    if (name == nullptr)
        return false;
    const model::FirewallPolicy policy;
    const PolicyRules rules(policy, family, nft::Dialect::nft);
    std::vector<nft::Rule> base;
    for (const auto icc : {model::Icc::allow, model::Icc::deny})
        rules.add_docker_base(base, std::string(name->value.begin(), std::ranges::find(name->value, 0)), icc);
    std::ranges::transform(base, base.begin(), bare);
    return is_among(bare(rule), base);
}

}  // namespace

bool has_form(const nft::Table& table, const nft::Chain& chain, const nft::Rule& rule) {
    if (is_old_bridge_chain(table, chain))
        return true;
    if (is_tracking(chain.name))
        return nft::same_rule(rule, nft::RuleBuilder(table.family).established_or_related().build());
    if (chain.name == links_chain || is_copies_chain(chain.name))
        return names_interface_first(rule);
    return is_among(bare(rule), frame_rules(table, chain)) ||
           (chain.name == forward_chain && is_old_jump(rule, table.family));
}

bool has_kind_of_form(const nft::Table& table, const nft::Chain& chain) {
    if (!chain.unknown.empty())
        return false;
    constexpr std::uint32_t prerouting = 0, forward = 2;  // NF_INET_FORWARD, NF_BR_FORWARD …
    if (chain.name == forward_chain)
        return has_hook(chain, forward);
    if (chain.name == prerouting_chain)
        return is_frames_table(table.family, table.name) && has_hook(chain, prerouting);
    constexpr std::array names{replies_chain, lenient_chain, answers_chain, errors_chain, links_chain, untagged_chain};
    const bool is_regular = std::ranges::find(names, chain.name) != names.end() || is_tracking(chain.name) ||
                            is_old_bridge_chain(table, chain) || is_copies_chain(chain.name);
    return is_regular && !chain.hook;
}

bool has_form(const nft::Table& table, const nft::Chain& chain) {
    return has_kind_of_form(table, chain) &&
           std::ranges::all_of(chain.rules, [&](const nft::Rule& rule) { return has_form(table, chain, rule); });
}

bool has_form(const nft::Table& table, const nft::Set& set) {
    if (!set.unknown.empty())
        return false;
    if (is_frames_table(table.family, table.name))
        return (set.name == closed_set || set.name == ports_set) && set.key == nft::interface_key();
    if (is_of_links(set.name))
        return set.key == permission_key(plain_name(set.name).ends_with('4') ? model::Ip::v4 : model::Ip::v6);
    constexpr std::array names{bridges_set, denied_set, lenient_set, routed_set, published_set};
    if (std::ranges::find(names, set.name) != names.end())
        return set.key == nft::interface_key();
    if (set.name == open_set || set.name == inside_set)
        return set.key == pair_key();
    const auto starts_with = [&](std::string_view prefix) { return set.name.starts_with(prefix); };
    if (starts_with("links4-") || starts_with("replies4-"))
        return set.key == nft::link_key(nft::Family::ip);
    if (starts_with("links6-") || starts_with("replies6-"))
        return set.key == nft::link_key(nft::Family::ip6);
    return starts_with("ports-") && set.key == nft::interface_key();
}

// Names alone prove nothing: the frame is known by the rule that begins it, and by what that looks up.
bool has_core_of_form(const nft::Table& table) {
    const auto has_set = [&](std::string_view name) {
        const nft::Set* set = table.set(name);
        return set != nullptr && has_form(table, *set);
    };
    if (is_frames_table(table.family, table.name))
        return (has_set(closed_set) || has_set(ports_set)) &&
               std::ranges::any_of(table.chains, [&](const nft::Chain& chain) {
                   return has_kind_of_form(table, chain) && std::ranges::any_of(chain.rules, [&](const auto& rule) {
                              return has_form(table, chain, rule);
                          });
               });
    const bool has_sets = has_set(bridges_set) && has_set(open_set);
    bool has_forward = false, is_frame = false, has_old = false, has_tracking = false, has_copies = false;
    for (const nft::Chain& chain : table.chains) {
        if (!has_kind_of_form(table, chain))
            continue;
        const auto fits = [&](const nft::Rule& rule) { return has_form(table, chain, rule); };
        const bool has_fitting = std::ranges::any_of(chain.rules, fits);
        const auto begins_frame = [&](const nft::Rule& rule) {
            const auto& rules = frame_rules(table, chain);
            return !rules.empty() && nft::same_rule(rule, rules.front());
        };
        is_frame |= has_sets && chain.hook && has_fitting && std::ranges::any_of(chain.rules, begins_frame);
        has_forward |= chain.hook && (chain.rules.empty() || has_fitting);
        has_old |= is_old_bridge_chain(table, chain);
        has_tracking |= is_tracking(chain.name) && has_fitting;
        has_copies |= is_copies_chain(chain.name) && (chain.rules.empty() || has_fitting);
    }
    // With `attach` to chains that aren't there yet there is nothing to copy.
    const bool is_all_tracking = has_tracking && table.chains.size() == 1 && table.sets.empty();
    return is_frame || (has_forward && (has_old || has_tracking)) || (has_tracking && has_copies) || is_all_tracking;
}

bool may_have_form(const nft::Table& table) {
    if (is_frames_table(table.family, table.name))
        return table.set(closed_set) != nullptr || table.set(ports_set) != nullptr;
    return std::ranges::any_of(
               table.chains,
               [](const nft::Chain& chain) { return chain.name == forward_chain || is_tracking(chain.name); }) &&
           (table.set(bridges_set) != nullptr || std::ranges::any_of(table.chains, [](const nft::Chain& chain) {
                return is_tracking(chain.name) || chain.name.starts_with(old_chain_prefix);
            }));
}

bool has_form(const nft::Table& table) {
    return has_core_of_form(table) && table.other_object_count == 0 && table.unknown.empty() &&
           std::ranges::all_of(table.chains, [&](const nft::Chain& chain) { return has_form(table, chain); }) &&
           std::ranges::all_of(table.sets, [&](const nft::Set& set) { return set.anonymous || has_form(table, set); });
}

}  // namespace nftlink::firewall
