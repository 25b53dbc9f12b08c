#include "bridges.hpp"

#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include "attributes.hpp"
#include "netlink.hpp"

namespace nftlink::kernel {

namespace {

constexpr const char* module_directory = "/proc/sys/net/bridge";

// A sysctl of the calling thread's network namespace; false where it can't be read.
bool read_switch(std::string_view name) {
    std::ifstream file(std::string(module_directory) + "/" + std::string(name));
    int value = 0;
    return (file >> value) && value != 0;
}

// One link message being written.
class LinkRequest {
public:
    LinkRequest(std::uint16_t type, std::uint16_t flags) {
        header_ = mnl_nlmsg_put_header(bytes_.data());
        header_->nlmsg_type = type;
        header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(header_, sizeof(ifinfomsg)));
        link->ifi_family = AF_UNSPEC;
    }
    nlmsghdr* header() { return header_; }
    std::vector<std::uint8_t> bytes() const { return {bytes_.data(), bytes_.data() + header_->nlmsg_len}; }

private:
    alignas(nlmsghdr) std::array<std::uint8_t, 512> bytes_{};
    nlmsghdr* header_;
};

std::string text(Payload payload) {
    return {payload.begin(), std::ranges::find(payload, 0)};
}

void read_bridge_data(Payload data, Bridge& bridge) {
    for_each_attribute(data, 0, [&](std::uint16_t type, Payload value) {
        if (type == IFLA_BR_NF_CALL_IPTABLES && value.size() == 1)
            bridge.own.ipv4 = value[0] != 0;
        if (type == IFLA_BR_NF_CALL_IP6TABLES && value.size() == 1)
            bridge.own.ipv6 = value[0] != 0;
    });
}

// What a link message says: of a bridge, or of the master that a link has.
struct LinkInfo {
    Bridge link;
    bool is_bridge = false;
    std::uint32_t master = 0;  // index; 0: none
};

std::optional<LinkInfo> read_link(const Message& message) {
    if ((message.type != RTM_NEWLINK && message.type != RTM_DELLINK) || message.payload.size() < sizeof(ifinfomsg))
        return {};
    LinkInfo info_read;
    Bridge& bridge = info_read.link;
    std::string kind;
    bridge.index = static_cast<std::uint32_t>(reinterpret_cast<const ifinfomsg*>(message.payload.data())->ifi_index);
    for_each_attribute(message.payload, sizeof(ifinfomsg), [&](std::uint16_t type, Payload value) {
        if (type == IFLA_IFNAME)
            bridge.name = text(value);
        if (type == IFLA_MASTER && value.size() == sizeof info_read.master)
            std::memcpy(&info_read.master, value.data(), value.size());
        if (type == IFLA_LINKINFO)
            for_each_attribute(value, 0, [&](std::uint16_t info, Payload part) {
                if (info == IFLA_INFO_KIND)
                    kind = text(part);
                if (info == IFLA_INFO_DATA)
                    read_bridge_data(part, bridge);
            });
    });
    info_read.is_bridge = kind == "bridge";
    return info_read;
}

// Gives every bridge the links whose master it is.
void assign_ports(std::vector<Bridge>& bridges, const std::vector<LinkInfo>& links) {
    for (const LinkInfo& link : links)
        if (const auto bridge = std::ranges::find(bridges, link.master, &Bridge::index); bridge != bridges.end())
            bridge->ports.push_back(link.link.name);
    for (Bridge& bridge : bridges)
        std::ranges::sort(bridge.ports);
}

}  // namespace

Bridges read_bridges(Socket& route_socket) {
    Bridges found;
    std::vector<LinkInfo> slaves;
    auto request = LinkRequest(RTM_GETLINK, NLM_F_DUMP).bytes();
    const int error = read_again([&] {
        found = {};
        slaves.clear();
        return route_socket.request(request, [&](const Message& message) {
            auto link = read_link(message);
            if (link && link->master != 0)
                slaves.push_back(*link);
            if (link && link->is_bridge)
                found.bridges.push_back(std::move(link->link));
            else if (link)
                found.others.push_back(std::move(link->link.name));
        });
    });
    if (means_read_again(error))
        throw std::system_error(EBUSY, std::generic_category(), "the links change faster than they can be read");
    if (error != 0)
        throw std::system_error(error, std::generic_category(), "reading the bridges");
    assign_ports(found.bridges, slaves);
    std::ranges::sort(found.bridges, {}, &Bridge::name);
    std::ranges::sort(found.others);
    found.module_loaded = access(module_directory, F_OK) == 0;
    found.global = {read_switch("bridge-nf-call-iptables"), read_switch("bridge-nf-call-ip6tables")};
    return found;
}

std::expected<void, std::string> enable_bridge_netfilter(Socket& route_socket, const std::string& bridge,
                                                         BridgeNetfilter wanted) {
    if (bridge.size() >= IF_NAMESIZE)  // the request has no room for it, nor has any link
        return std::unexpected(std::generic_category().message(ENODEV));
    LinkRequest request(RTM_NEWLINK, NLM_F_ACK);
    mnl_attr_put_strz(request.header(), IFLA_IFNAME, bridge.c_str());
    nlattr* info = mnl_attr_nest_start(request.header(), IFLA_LINKINFO);
    mnl_attr_put_str(request.header(), IFLA_INFO_KIND, "bridge");
    nlattr* data = mnl_attr_nest_start(request.header(), IFLA_INFO_DATA);
    if (wanted.ipv4)
        mnl_attr_put_u8(request.header(), IFLA_BR_NF_CALL_IPTABLES, 1);
    if (wanted.ipv6)
        mnl_attr_put_u8(request.header(), IFLA_BR_NF_CALL_IP6TABLES, 1);
    mnl_attr_nest_end(request.header(), data);
    mnl_attr_nest_end(request.header(), info);
    std::string kernel_message;
    auto bytes = request.bytes();
    const int error = route_socket.request(bytes, [](const Message&) {}, &kernel_message);
    if (error == 0)
        return {};
    std::string message = std::generic_category().message(error);
    return std::unexpected(kernel_message.empty() ? message : message + " (" + kernel_message + ")");
}

bool is_about_bridge(const Message& message) {
    const auto link = read_link(message);
    return link && (link->is_bridge || link->master != 0);
}

}  // namespace nftlink::kernel
