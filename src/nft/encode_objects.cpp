#include "encode_objects.hpp"

#include <libnftnl/expr.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>
#include <optional>
#include <stdexcept>

#include "nfnetlink.hpp"
#include "userdata.hpp"

namespace nftlink::nft {

namespace {

template <typename T>
T* checked(T* object) {
    if (object == nullptr)
        throw std::bad_alloc();
    return object;
}

using ExprPtr = base::c_ptr<nftnl_expr, nftnl_expr_free>;

ExprPtr allocate(const char* name) {
    return ExprPtr(checked(nftnl_expr_alloc(name)));
}

void set_bytes(const ExprPtr& expr, std::uint16_t attribute, const Bytes& value) {
    nftnl_expr_set(expr.get(), attribute, value.data(), static_cast<std::uint32_t>(value.size()));
}

void set_u32(const ExprPtr& expr, std::uint16_t attribute, std::uint32_t value) {
    nftnl_expr_set_u32(expr.get(), attribute, value);
}

// libnftnl keeps the pointer itself and frees it with the expression.
void give_info(const ExprPtr& expr, std::uint16_t attribute, const Bytes& info) {
    void* copy = checked(std::malloc(info.size()));
    std::memcpy(copy, info.data(), info.size());
    nftnl_expr_set(expr.get(), attribute, copy, static_cast<std::uint32_t>(info.size()));
}

// An xt match of one transport protocol is only taken in a rule that says so; the rule's own comparison tells which.
std::optional<std::uint32_t> xt_protocol(const Rule& rule) {
    bool has_match = false;
    std::optional<std::uint32_t> protocol;
    const MetaLoad* load = nullptr;
    for (const Expression& expression : rule.expressions) {
        const auto* compare = std::get_if<Compare>(&expression);
        if (compare != nullptr && load != nullptr && load->key == NFT_META_L4PROTO && compare->value.size() == 1)
            protocol = compare->value[0];
        load = std::get_if<MetaLoad>(&expression);
        has_match |= std::holds_alternative<XtMatch>(expression);
    }
    return has_match ? protocol : std::nullopt;
}

struct MakeExpression {
    ExprPtr operator()(const MetaLoad& meta) const {
        auto expr = allocate("meta");
        set_u32(expr, NFTNL_EXPR_META_KEY, meta.key);
        set_u32(expr, NFTNL_EXPR_META_DREG, meta.destination);
        return expr;
    }
    ExprPtr operator()(const MetaSet& meta) const {
        auto expr = allocate("meta");
        set_u32(expr, NFTNL_EXPR_META_KEY, meta.key);
        set_u32(expr, NFTNL_EXPR_META_SREG, meta.source);
        return expr;
    }
    ExprPtr operator()(const PayloadLoad& payload) const {
        auto expr = allocate("payload");
        set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, payload.base);
        set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, payload.offset);
        set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, payload.length);
        set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, payload.destination);
        return expr;
    }
    ExprPtr operator()(const ConntrackLoad& conntrack) const {
        auto expr = allocate("ct");
        set_u32(expr, NFTNL_EXPR_CT_KEY, conntrack.key);
        set_u32(expr, NFTNL_EXPR_CT_DREG, conntrack.destination);
        if (conntrack.direction)
            nftnl_expr_set_u8(expr.get(), NFTNL_EXPR_CT_DIR, *conntrack.direction);
        return expr;
    }
    ExprPtr operator()(const Compare& compare) const {
        auto expr = allocate("cmp");
        set_u32(expr, NFTNL_EXPR_CMP_SREG, compare.source);
        set_u32(expr, NFTNL_EXPR_CMP_OP, compare.operation);
        set_bytes(expr, NFTNL_EXPR_CMP_DATA, compare.value);
        return expr;
    }
    ExprPtr operator()(const Bitwise& bitwise) const {
        auto expr = allocate("bitwise");
        set_u32(expr, NFTNL_EXPR_BITWISE_SREG, bitwise.source);
        set_u32(expr, NFTNL_EXPR_BITWISE_DREG, bitwise.destination);
        set_u32(expr, NFTNL_EXPR_BITWISE_LEN, static_cast<std::uint32_t>(bitwise.mask.size()));
        set_bytes(expr, NFTNL_EXPR_BITWISE_MASK, bitwise.mask);
        set_bytes(expr, NFTNL_EXPR_BITWISE_XOR, bitwise.flip);
        return expr;
    }
    ExprPtr operator()(const SetLookup& lookup) const {
        auto expr = allocate("lookup");
        nftnl_expr_set_str(expr.get(), NFTNL_EXPR_LOOKUP_SET, lookup.set.c_str());
        set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, lookup.source);
        if (lookup.inverted)
            set_u32(expr, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
        return expr;
    }
    ExprPtr operator()(const Immediate& immediate) const {
        auto expr = allocate("immediate");
        set_u32(expr, NFTNL_EXPR_IMM_DREG, immediate.destination);
        set_bytes(expr, NFTNL_EXPR_IMM_DATA, immediate.value);
        return expr;
    }
    ExprPtr operator()(const Verdict& verdict) const {
        auto expr = allocate("immediate");
        set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
        if (!verdict.chain.empty())
            nftnl_expr_set_str(expr.get(), NFTNL_EXPR_IMM_CHAIN, verdict.chain.c_str());
        set_u32(expr, NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(verdict.code));
        return expr;
    }
    ExprPtr operator()(const Counter& counter) const {
        auto expr = allocate("counter");
        nftnl_expr_set_u64(expr.get(), NFTNL_EXPR_CTR_PACKETS, counter.counters.packets);
        nftnl_expr_set_u64(expr.get(), NFTNL_EXPR_CTR_BYTES, counter.counters.bytes);
        return expr;
    }
    ExprPtr operator()(const RateLimit& limit) const {
        auto expr = allocate("limit");
        nftnl_expr_set_u64(expr.get(), NFTNL_EXPR_LIMIT_RATE, limit.rate);
        nftnl_expr_set_u64(expr.get(), NFTNL_EXPR_LIMIT_UNIT, limit.unit_seconds);
        set_u32(expr, NFTNL_EXPR_LIMIT_BURST, limit.burst);
        set_u32(expr, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
        set_u32(expr, NFTNL_EXPR_LIMIT_FLAGS, 0);
        return expr;
    }
    ExprPtr operator()(const Log& log) const {
        auto expr = allocate("log");
        nftnl_expr_set_str(expr.get(), NFTNL_EXPR_LOG_PREFIX, log.prefix.c_str());
        return expr;
    }
    ExprPtr operator()(const XtMatch& match) const {
        auto expr = allocate("match");
        nftnl_expr_set_str(expr.get(), NFTNL_EXPR_MT_NAME, match.name.c_str());
        set_u32(expr, NFTNL_EXPR_MT_REV, match.revision);
        give_info(expr, NFTNL_EXPR_MT_INFO, match.info);
        return expr;
    }
    ExprPtr operator()(const XtTarget& target) const {
        auto expr = allocate("target");
        nftnl_expr_set_str(expr.get(), NFTNL_EXPR_TG_NAME, target.name.c_str());
        set_u32(expr, NFTNL_EXPR_TG_REV, target.revision);
        give_info(expr, NFTNL_EXPR_TG_INFO, target.info);
        return expr;
    }
    ExprPtr operator()(const Unknown& unknown) const {
        throw std::logic_error("cannot encode an expression that was only read: " + unknown.name);
    }
};

}  // namespace

TablePtr make_table(Family family, const std::string& name, const AddTable& action) {
    TablePtr table(checked(nftnl_table_alloc()));
    nftnl_table_set_u32(table.get(), NFTNL_TABLE_FAMILY, static_cast<std::uint32_t>(family));
    nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, name.c_str());
    nftnl_table_set_u32(table.get(), NFTNL_TABLE_FLAGS, 0);
    if (const Bytes userdata = make_userdata(comment_type, action.comment, action.owner); !userdata.empty())
        nftnl_table_set_data(table.get(), NFTNL_TABLE_USERDATA, userdata.data(),
                             static_cast<std::uint32_t>(userdata.size()));
    return table;
}

ChainPtr make_chain(Family family, const std::string& table, const Chain& value) {
    ChainPtr chain(checked(nftnl_chain_alloc()));
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_FAMILY, static_cast<std::uint32_t>(family));
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table.c_str());
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, value.name.c_str());
    if (value.hook) {
        nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, value.hook->type.c_str());
        nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, value.hook->number);
        nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, value.hook->priority);
        nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_POLICY, value.hook->policy);
    }
    if (const Bytes userdata = make_userdata(comment_type, value.comment, value.owner); !userdata.empty())
        nftnl_chain_set_data(chain.get(), NFTNL_CHAIN_USERDATA, userdata.data(),
                             static_cast<std::uint32_t>(userdata.size()));
    return chain;
}

SetPtr make_set(Family family, const std::string& table, const Set& value) {
    std::uint32_t type = 0, length = 0;
    for (const DataType field : value.key) {
        type = type << 6 | static_cast<std::uint32_t>(field);
        length += static_cast<std::uint32_t>(field_size(field));
    }
    SetPtr set(checked(nftnl_set_alloc()));
    nftnl_set_set_u32(set.get(), NFTNL_SET_FAMILY, static_cast<std::uint32_t>(family));
    nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table.c_str());
    nftnl_set_set_str(set.get(), NFTNL_SET_NAME, value.name.c_str());
    nftnl_set_set_u32(set.get(), NFTNL_SET_ID, 1);  // must be there; we look sets up by name alone
    nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, 0);
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_TYPE, type);
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_LEN, length);
    if (value.size != 0)
        nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, value.size);
    if (value.counter)
        nftnl_set_add_expr(set.get(), checked(nftnl_expr_alloc("counter")));
    Bytes userdata;
    if (value.key == std::vector{DataType::ifname})
        userdata = {set_key_order_type, 4, 1, 0, 0, 0};  // nft's BYTEORDER_HOST_ENDIAN; without it names list as ""
    std::ranges::copy(make_userdata(set_comment_type, value.comment, value.owner), std::back_inserter(userdata));
    if (!userdata.empty())
        nftnl_set_set_data(set.get(), NFTNL_SET_USERDATA, userdata.data(), static_cast<std::uint32_t>(userdata.size()));
    return set;
}

RulePtr make_rule(Family family, const std::string& table, const std::string& chain, const Rule& value) {
    RulePtr rule(checked(nftnl_rule_alloc()));
    nftnl_rule_set_u32(rule.get(), NFTNL_RULE_FAMILY, static_cast<std::uint32_t>(family));
    nftnl_rule_set_str(rule.get(), NFTNL_RULE_TABLE, table.c_str());
    nftnl_rule_set_str(rule.get(), NFTNL_RULE_CHAIN, chain.c_str());
    for (const Expression& expression : value.expressions)
        nftnl_rule_add_expr(rule.get(), std::visit(MakeExpression{}, expression).release());
    if (const auto protocol = xt_protocol(value)) {
        nftnl_rule_set_u32(rule.get(), NFTNL_RULE_COMPAT_PROTO, *protocol);
        nftnl_rule_set_u32(rule.get(), NFTNL_RULE_COMPAT_FLAGS, 0);
    }
    if (const Bytes userdata = make_userdata(comment_type, value.comment, value.owner); !userdata.empty())
        nftnl_rule_set_data(rule.get(), NFTNL_RULE_USERDATA, userdata.data(),
                            static_cast<std::uint32_t>(userdata.size()));
    return rule;
}

}  // namespace nftlink::nft
