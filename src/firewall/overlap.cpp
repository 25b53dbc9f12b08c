#include "overlap.hpp"

// clang-format off
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_conntrack.h>
#include <net/if.h>
// clang-format on

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>

namespace nftlink::firewall {

namespace {

using nft::Bytes;

// Bytes of the packet, or of what the kernel knows of it, of which those under the mask are (or, negated, aren't) the
// value's.
struct Condition {
    nft::Expression field;  // the load
    Bytes value, mask;
    bool negated = false;
};

constexpr std::uint32_t any_state = 0xffffffff;

// Which packets a rule is for.
struct Conditions {
    std::vector<Condition> all;
    std::uint32_t states = any_state;  // of the connection, NF_CT_STATE_BITs
    bool exact = true;                 // there are no others, that we can't read
};

enum class Verdict { none, accept, drop, back, other };

bool equal_under(const Bytes& mask, const Bytes& a, const Bytes& b) {
    for (std::size_t at = 0; at < std::min({mask.size(), a.size(), b.size()}); ++at)
        if (((a[at] ^ b[at]) & mask[at]) != 0)
            return false;
    return true;
}

Bytes common(const Bytes& a, const Bytes& b) {
    Bytes both(std::min(a.size(), b.size()));
    for (std::size_t at = 0; at < both.size(); ++at)
        both[at] = a[at] & b[at];
    return both;
}

// Whether all that is fixed by `narrow`'s mask includes what is by `wide`'s.
bool includes(const Bytes& narrow, const Bytes& wide) {
    for (std::size_t at = 0; at < wide.size(); ++at)
        if ((wide[at] & ~(at < narrow.size() ? narrow[at] : 0)) != 0)
            return false;
    return true;
}

bool implies(const Condition& a, const Condition& b) {
    if (!(a.field == b.field))
        return false;
    if (a.negated)
        return b.negated && a.value == b.value && a.mask == b.mask;
    if (b.negated)
        return !equal_under(common(a.mask, b.mask), a.value, b.value);
    return includes(a.mask, b.mask) && equal_under(b.mask, a.value, b.value);
}

bool excludes(const Condition& a, const Condition& b) {
    if (!(a.field == b.field) || (a.negated && b.negated))
        return false;
    if (a.negated)
        return excludes(b, a);
    const bool same = equal_under(common(a.mask, b.mask), a.value, b.value);
    return b.negated ? same && includes(a.mask, b.mask) : !same;
}

// No packet is for both.
bool disjoint(const Conditions& a, const Conditions& b) {
    return (a.states & b.states) == 0 || std::ranges::any_of(a.all, [&](const Condition& one) {
               return std::ranges::any_of(b.all, [&](const Condition& other) { return excludes(one, other); });
           });
}

// Every packet for `a` is one for `b`.
bool within(const Conditions& a, const Conditions& b) {
    return b.exact && (a.states & ~b.states) == 0 && std::ranges::all_of(b.all, [&](const Condition& wanted) {
               return std::ranges::any_of(a.all, [&](const Condition& given) { return implies(given, wanted); });
           });
}

Conditions both(Conditions a, const Conditions& b) {
    std::ranges::copy(b.all, std::back_inserter(a.all));
    a.states &= b.states;
    a.exact &= b.exact;
    return a;
}

// The states that `-m conntrack --ctstate` asks for; nothing when it asks for anything else.
std::optional<std::uint32_t> xt_states(const nft::XtMatch& match) {
    xt_conntrack_mtinfo3 info;
    if (match.name != "conntrack" || match.revision != 3 || match.info.size() < sizeof info)
        return {};
    std::memcpy(&info, match.info.data(), sizeof info);
    if (info.match_flags != XT_CONNTRACK_STATE)
        return {};
    return info.invert_flags == 0 ? info.state_mask : ~std::uint32_t{info.state_mask};
}

// What a rule is for and does, read off its instructions.
class Reader {
public:
    explicit Reader(const nft::Rule& rule) {
        for (const nft::Expression& expression : rule.expressions)
            std::visit(*this, expression);
    }

    Conditions conditions;
    Verdict verdict = Verdict::none;
    std::string chain;    // that it leads to
    bool returns = true;  // from there
    bool marks = false;

    void operator()(const nft::MetaLoad& load) { registers_[load.destination] = {load, {}}; }
    void operator()(const nft::PayloadLoad& load) { registers_[load.destination] = {load, {}}; }
    void operator()(const nft::ConntrackLoad& load) { registers_[load.destination] = {load, {}}; }
    void operator()(const nft::Bitwise& bitwise) {
        const bool plain = std::ranges::all_of(bitwise.flip, [](std::uint8_t byte) { return byte == 0; });
        auto loaded = registers_.find(bitwise.source);
        if (plain && loaded != registers_.end())
            registers_[bitwise.destination] = {loaded->second.field, bitwise.mask};
        else
            registers_.erase(bitwise.destination);
    }
    void operator()(const nft::Compare& compare) {
        const auto loaded = registers_.find(compare.source);
        const bool known = compare.operation == NFT_CMP_EQ || compare.operation == NFT_CMP_NEQ;
        if (loaded == registers_.end() || !known)
            conditions.exact = false;
        else
            add(loaded->second, compare);
    }
    void operator()(const nft::XtMatch& match) {
        if (match.name == "comment")
            return;
        if (const auto states = xt_states(match))
            conditions.states &= *states;
        else
            conditions.exact = false;
    }
    void operator()(const nft::XtTarget& target) {
        marks |= target.name == "MARK";
        constexpr std::array<std::string_view, 6> go_on{"LOG", "MARK", "CONNMARK", "NFLOG", "TRACE", "AUDIT"};
        if (std::ranges::find(go_on, target.name) == go_on.end())
            verdict = Verdict::other;
    }
    void operator()(const nft::Verdict& decision) {
        chain = decision.chain;
        returns = decision.code != NFT_GOTO;
        if (decision.code == NF_ACCEPT)
            verdict = Verdict::accept;
        else if (decision.code == NF_DROP)
            verdict = Verdict::drop;
        else if (decision.code == NFT_RETURN)
            verdict = Verdict::back;
        else if (decision.code != NFT_CONTINUE && chain.empty())
            verdict = Verdict::other;
    }
    void operator()(const nft::SetLookup&) { conditions.exact = false; }
    void operator()(const nft::RateLimit&) { conditions.exact = false; }
    void operator()(const nft::MetaSet& meta) { marks |= meta.key == NFT_META_MARK; }
    void operator()(const nft::Immediate& immediate) { registers_.erase(immediate.destination); }
    void operator()(const nft::Unknown&) {
        conditions.exact = false;
        has_unknown_ = true;
        registers_.clear();  // it may have written any of them
    }
    void operator()(const auto&) {}  // counts, logs

    // An instruction that we don't know may be a decision where there is no other: reject, a verdict map.
    Verdict decision() const { return verdict == Verdict::none && has_unknown_ ? Verdict::other : verdict; }

private:
    struct Loaded {
        nft::Expression field;
        Bytes mask;
    };

    void add(const Loaded& loaded, const nft::Compare& compare) {
        const auto* state = std::get_if<nft::ConntrackLoad>(&loaded.field);
        const bool is_zero = std::ranges::all_of(compare.value, [](std::uint8_t byte) { return byte == 0; });
        if (state != nullptr && !(state->key == NFT_CT_STATE && !loaded.mask.empty() && is_zero)) {
            conditions.exact = false;  // no plain choice of states
            return;
        }
        if (state != nullptr) {
            std::uint32_t states = 0;
            std::memcpy(&states, loaded.mask.data(), std::min(loaded.mask.size(), sizeof states));
            conditions.states &= compare.operation == NFT_CMP_NEQ ? states : ~states;
            return;
        }
        Bytes value = compare.value;
        // The NUL ends an interface's name, whether or not what is behind it is compared too.
        const auto* meta = std::get_if<nft::MetaLoad>(&loaded.field);
        const bool is_interface = meta != nullptr && (meta->key == NFT_META_IIFNAME || meta->key == NFT_META_OIFNAME);
        if (is_interface && std::ranges::find(value, 0) != value.end())
            value.resize(IFNAMSIZ);
        Bytes mask = loaded.mask.empty() ? Bytes(value.size(), 0xff) : loaded.mask;
        conditions.all.push_back(
            {without_register(loaded.field), std::move(value), std::move(mask), compare.operation == NFT_CMP_NEQ});
    }

    // Where it was loaded to, and how much of it, says nothing about what it is.
    static nft::Expression without_register(nft::Expression field) {
        if (auto* meta = std::get_if<nft::MetaLoad>(&field))
            meta->destination = 0;
        if (auto* payload = std::get_if<nft::PayloadLoad>(&field))
            payload->destination = payload->length = 0;
        if (auto* state = std::get_if<nft::ConntrackLoad>(&field))
            state->destination = 0;
        return field;
    }

    std::map<std::uint32_t, Loaded> registers_;
    bool has_unknown_ = false;
};

class Judge {
public:
    Judge(const nft::Table& table, const std::vector<nft::Rule>& ours) : table_(table) {
        ours_.reserve(ours.size());
        for (const nft::Rule& rule : ours)
            marks_ |= ours_.emplace_back(rule).marks;
    }

    bool changes(const nft::Rule& rule, const Conditions& reached = {}, int depth = 0) const {
        constexpr int deepest = 16;  // NFT_JUMP_STACK_SIZE
        Reader reader(rule);
        const Conditions conditions = both(reader.conditions, reached);
        if (reader.chain.empty()) {
            const Verdict verdict = reader.decision();
            const bool decides = verdict != Verdict::none && (verdict != Verdict::back || depth == 0);
            return decides && differs(conditions, verdict);
        }
        // Who goes to a chain from the base chain doesn't come back to ours.
        if (depth == 0 && !reader.returns && differs(conditions, Verdict::other))
            return true;
        const nft::Chain* chain = table_.chain(reader.chain);
        if (chain == nullptr || depth == deepest)
            return true;
        return std::ranges::any_of(chain->rules,
                                   [&](const nft::Rule& next) { return changes(next, conditions, depth + 1); });
    }

private:
    // Whether a packet for those conditions is decided otherwise by ours: meets a rule of another verdict, and none of
    // the same verdict before it.
    bool differs(const Conditions& conditions, Verdict verdict) const {
        if (marks_ && verdict == Verdict::accept)
            verdict = Verdict::other;  // without our mark
        for (auto other = ours_.begin(); other != ours_.end(); ++other) {
            if (other->verdict == Verdict::none || other->verdict == verdict || disjoint(conditions, other->conditions))
                continue;
            const Conditions met = both(conditions, other->conditions);
            if (std::none_of(ours_.begin(), other, [&](const Reader& before) {
                    return before.verdict == verdict && within(met, before.conditions);
                }))
                return true;
        }
        return false;
    }

    const nft::Table& table_;
    std::vector<Reader> ours_;
    bool marks_ = false;
};

}  // namespace

std::function<bool(const nft::Rule&)> changes_verdict(const nft::Table& table, const std::vector<nft::Rule>& ours) {
    return [judge = Judge(table, ours)](const nft::Rule& rule) { return judge.changes(rule); };
}

}  // namespace nftlink::firewall
