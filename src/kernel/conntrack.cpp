#include "conntrack.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <unordered_set>

#include "attributes.hpp"
#include "netlink.hpp"

namespace nftlink::kernel {

namespace {

// The bytes of a flow, one after the other: what a hash set of the standard library takes.
std::string packed(Payload source, Payload destination, std::uint8_t protocol, std::uint16_t port) {
    std::string key;
    key.reserve(source.size() + destination.size() + 3);
    key.append(source.begin(), source.end());
    key.append(destination.begin(), destination.end());
    key += {static_cast<char>(protocol), static_cast<char>(port >> 8), static_cast<char>(port & 0xff)};
    return key;
}

// The direction in which a connection began, packed; empty when it isn't of a kind that has ports.
std::string packed_tuple(Payload tuple) {
    Payload source, destination;
    std::uint8_t protocol = 0;
    std::uint16_t port = 0;
    for_each_attribute(tuple, 0, [&](std::uint16_t part, Payload nest) {
        for_each_attribute(nest, 0, [&](std::uint16_t type, Payload value) {
            if (part == CTA_TUPLE_IP && (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC))
                source = value;
            if (part == CTA_TUPLE_IP && (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST))
                destination = value;
            if (part == CTA_TUPLE_PROTO && type == CTA_PROTO_NUM && value.size() == 1)
                protocol = value[0];
            if (part == CTA_TUPLE_PROTO && type == CTA_PROTO_DST_PORT && value.size() == 2)
                port = static_cast<std::uint16_t>(value[0] << 8 | value[1]);
        });
    });
    return port == 0 ? std::string() : packed(source, destination, protocol, port);
}

// What names one entry: the tuple it began with, its zone, and an id that a later entry with the same tuple hasn't got.
// As the kernel wrote them.
struct Entry {
    std::uint8_t family = 0;
    std::vector<std::uint8_t> tuple, zone, id;
};

void put(nlmsghdr* header, std::uint16_t type, const std::vector<std::uint8_t>& value) {
    if (!value.empty())
        mnl_attr_put(header, type, value.size(), value.data());
}

std::vector<std::uint8_t> make_request(std::uint16_t message, std::uint16_t flags, const Entry& entry) {
    alignas(nlmsghdr) std::array<std::uint8_t, 1024> buffer{};
    nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
    header->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | message);
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    auto* general = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
    general->nfgen_family = entry.family;
    general->version = NFNETLINK_V0;
    put(header, NLA_F_NESTED | CTA_TUPLE_ORIG, entry.tuple);
    put(header, CTA_ZONE, entry.zone);
    put(header, CTA_ID, entry.id);
    return {buffer.data(), buffer.data() + header->nlmsg_len};
}

std::string text_of(int error) {
    if (error == EPERM)
        return "not permitted: CAP_NET_ADMIN is needed (try sudo)";
    return std::generic_category().message(error);
}

// Reads the entries that began as one of the flows. Gives errno.
int find(Socket& socket, const std::unordered_set<std::string>& flows, std::vector<Entry>& found) {
    // A tuple with all its parts takes less than this; of a longer one nobody knows whether the request has room for
    // it.
    constexpr std::size_t longest_tuple = 256;
    auto request = make_request(IPCTNL_MSG_CT_GET, NLM_F_DUMP, {});
    const auto visit = [&](const Message& message) {
        if (message.payload.size() < sizeof(nfgenmsg))
            return;
        Payload tuple, zone, id;
        for_each_attribute(message.payload, sizeof(nfgenmsg), [&](std::uint16_t type, Payload value) {
            if (type == CTA_TUPLE_ORIG)
                tuple = value;
            if (type == CTA_ZONE && value.size() == sizeof(std::uint16_t))
                zone = value;
            if (type == CTA_ID && value.size() == sizeof(std::uint32_t))
                id = value;
        });
        if (tuple.size() <= longest_tuple && flows.contains(packed_tuple(tuple)))
            found.push_back(
                {message.payload[0], {tuple.begin(), tuple.end()}, {zone.begin(), zone.end()}, {id.begin(), id.end()}});
    };
    return read_again([&] {
        found.clear();
        return socket.request(request, visit);
    });
}

}  // namespace

std::expected<std::size_t, std::string> end_connections(Socket& netfilter_socket, const std::vector<Flow>& flows) {
    if (flows.empty())
        return 0;
    std::unordered_set<std::string> wanted;
    for (const Flow& flow : flows)
        wanted.insert(packed(flow.source, flow.destination, flow.protocol, flow.port));
    std::vector<Entry> entries;
    const int error = find(netfilter_socket, wanted, entries);
    // nfnetlink's answer for a subsystem that isn't there.
    if (error == EINVAL || error == EOPNOTSUPP)
        return std::unexpected(
            "this kernel has no ctnetlink, by which connections are ended: load it with modprobe nf_conntrack_netlink");
    if (error != 0)
        return std::unexpected("reading the tracked connections: " + text_of(error));
    std::size_t count = 0;
    for (const Entry& entry : entries) {
        auto request = make_request(IPCTNL_MSG_CT_DELETE, NLM_F_ACK, entry);
        const int refused = netfilter_socket.request(request, [](const Message&) {});
        if (refused != 0 && refused != ENOENT)  // it may have ended by itself
            return std::unexpected("ending a tracked connection: " + text_of(refused));
        count += refused == 0 ? 1 : 0;
    }
    return count;
}

}  // namespace nftlink::kernel
