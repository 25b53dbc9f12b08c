#include "packets.hpp"

// clang-format off
#include <netinet/in.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
// clang-format on

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "nftlink/nft/build.hpp"

namespace nftlink::firewall {

namespace {

using nft::Bytes;

Bytes big_endian(std::uint16_t number) {
    return {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

Bytes of_host(std::uint32_t number) {
    Bytes bytes(sizeof number);
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
}

Bytes name(const std::string& interface) {
    const auto field = nft::interface_field(interface);
    return {field.begin(), field.end()};
}

[[noreturn]] void refuse(const std::string& what) {
    throw std::logic_error("the machine of the tests has no " + what);
}

// Runs one packet through the chains of one table.
class Machine {
public:
    Machine(const nft::Table& table, const Packet& packet) : table_(table), packet_(packet) {}

    bool accepts() {
        return std::ranges::all_of(
            table_.chains, [this](const nft::Chain& chain) { return !chain.hook || run(chain) != Result::drop; });
    }

private:
    enum class Result { goes_on, accept, drop, returns };

    Result run(const nft::Chain& chain) {
        for (const nft::Rule& rule : chain.rules)
            if (const Result result = run(rule); result == Result::returns)
                return Result::goes_on;
            else if (result != Result::goes_on)
                return result;
        return Result::goes_on;
    }

    Result run(const nft::Rule& rule) {
        matches_ = true;
        result_ = Result::goes_on;
        for (const nft::Expression& expression : rule.expressions) {
            std::visit(*this, expression);
            if (!matches_ || result_ != Result::goes_on)
                break;
        }
        return matches_ ? result_ : Result::goes_on;
    }

public:
    void operator()(const nft::MetaLoad& load) { put(load.destination, meta(load.key)); }
    void operator()(const nft::PayloadLoad& load) { put(load.destination, payload(load)); }
    void operator()(const nft::ConntrackLoad& load) { put(load.destination, connection(load.key)); }
    void operator()(const nft::Bitwise& bitwise) {
        Bytes value = get(bitwise.source, bitwise.mask.size());
        for (std::size_t index = 0; index < value.size(); ++index)
            value[index] = (value[index] & bitwise.mask[index]) ^ bitwise.flip[index];
        put(bitwise.destination, value);
    }
    void operator()(const nft::Compare& compare) {
        const bool is_same = get(compare.source, compare.value.size()) == compare.value;
        matches_ = is_same == (compare.operation == NFT_CMP_EQ);
    }
    void operator()(const nft::SetLookup& lookup) {
        const nft::Set* set = table_.set(lookup.set);
        if (set == nullptr)
            refuse("set " + lookup.set);
        std::size_t size = 0;
        for (const nft::DataType type : set->key)
            size += nft::field_size(type);
        nft::Key key;
        key.append(get(lookup.source, size));
        matches_ = std::ranges::binary_search(set->elements, key, {}, &nft::Element::key) != lookup.inverted;
    }
    void operator()(const nft::Verdict& verdict) {
        if (verdict.code == NF_ACCEPT || verdict.code == NF_DROP)
            result_ = verdict.code == NF_ACCEPT ? Result::accept : Result::drop;
        else if (verdict.code == NFT_RETURN)
            result_ = Result::returns;
        else if (verdict.code == NFT_JUMP && table_.chain(verdict.chain) != nullptr)
            result_ = run(*table_.chain(verdict.chain)), matches_ = true;
        else
            refuse("verdict to " + verdict.chain);
    }
    void operator()(const nft::Immediate&) {}
    void operator()(const nft::MetaSet&) {}
    void operator()(const nft::Counter&) {}
    void operator()(const nft::Log&) {}
    void operator()(const nft::RateLimit&) {}
    void operator()(const nft::XtMatch& match) { refuse(match.name); }
    void operator()(const nft::XtTarget& target) { refuse(target.name); }
    void operator()(const nft::Unknown& unknown) { refuse(unknown.name); }

private:
    static std::size_t place_of(std::uint32_t number) {
        return number >= NFT_REG32_00 ? (number - NFT_REG32_00) * 4 : (number - NFT_REG_1) * 16;
    }
    // A register's rest is zeros: what is shorter is padded in keys too.
    void put(std::uint32_t number, const Bytes& value) {
        const auto place = registers_.begin() + static_cast<std::ptrdiff_t>(place_of(number));
        std::fill_n(place, (value.size() + 3) / 4 * 4, std::uint8_t{0});
        std::ranges::copy(value, place);
    }
    Bytes get(std::uint32_t number, std::size_t size) const {
        const auto place = registers_.begin() + static_cast<std::ptrdiff_t>(place_of(number));
        return {place, place + static_cast<std::ptrdiff_t>(size)};
    }

    bool is_v4() const { return packet_.source.ip() == model::Ip::v4; }

    Bytes meta(std::uint32_t key) const {
        switch (key) {
            case NFT_META_IIFNAME:
            case NFT_META_BRI_IIFNAME:
                return name(packet_.from);
            case NFT_META_OIFNAME:
            case NFT_META_BRI_OIFNAME:
                return name(packet_.to);
            case NFT_META_L4PROTO:
                return {static_cast<std::uint8_t>(packet_.protocol)};
            case NFT_META_NFPROTO:
                return {is_v4() ? std::uint8_t{NFPROTO_IPV4} : std::uint8_t{NFPROTO_IPV6}};
            case NFT_META_PROTOCOL:
                return big_endian(is_v4() ? ETH_P_IP : ETH_P_IPV6);
            default:
                refuse(fmt::format("meta {}", key));
        }
    }

    Bytes payload(const nft::PayloadLoad& load) const {
        if (load.base == NFT_PAYLOAD_LL_HEADER && load.offset == 12)
            return big_endian(is_v4() ? ETH_P_IP : ETH_P_IPV6);
        Bytes header;
        if (load.base == NFT_PAYLOAD_TRANSPORT_HEADER) {
            header = big_endian(packet_.source_port);
            std::ranges::copy(big_endian(packet_.destination_port), std::back_inserter(header));
        } else {
            header.resize(is_v4() ? 12 : 8);  // without addresses
            header[is_v4() ? 9 : 6] = static_cast<std::uint8_t>(packet_.protocol);
            for (const model::Address* address : {&packet_.source, &packet_.destination})
                std::ranges::copy(address->bytes(), std::back_inserter(header));
        }
        header.resize(64);
        return {header.begin() + load.offset, header.begin() + load.offset + load.length};
    }

    Bytes connection(std::uint32_t key) const {
        constexpr std::uint32_t is_new = NF_CT_STATE_BIT(IP_CT_NEW), established = NF_CT_STATE_BIT(IP_CT_ESTABLISHED);
        switch (key) {
            case NFT_CT_STATE:
                return of_host(packet_.is_answer ? established : is_new);
            case NFT_CT_DIRECTION:
                return {packet_.is_answer ? std::uint8_t{IP_CT_DIR_REPLY} : std::uint8_t{IP_CT_DIR_ORIGINAL}};
            case NFT_CT_STATUS:
                return of_host(0);
            default:
                refuse(fmt::format("ct {}", key));
        }
    }

    const nft::Table& table_;
    const Packet& packet_;
    std::array<std::uint8_t, 128> registers_{};
    bool matches_ = true;
    Result result_ = Result::goes_on;
};

}  // namespace

std::string Packet::to_string() const {
    return fmt::format("{} {}:{} > {} {}:{} {}{}", from, source.to_string(), source_port, to, destination.to_string(),
                       destination_port, static_cast<int>(protocol), is_answer ? " answer" : "");
}

bool passes(const nft::Ruleset& ruleset, const Packet& packet) {
    const auto meets = [&](const nft::Table& table) {
        if (table.dormant)
            return false;
        if (table.family == nft::Family::bridge)
            return packet.from == packet.to;
        return table.family == nft::Family::inet ||
               table.family == (packet.source.ip() == model::Ip::v4 ? nft::Family::ip : nft::Family::ip6);
    };
    return std::ranges::all_of(
        ruleset.tables, [&](const nft::Table& table) { return !meets(table) || Machine(table, packet).accepts(); });
}

}  // namespace nftlink::firewall
