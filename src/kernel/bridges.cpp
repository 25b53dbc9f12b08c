#include "bridges.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "netlink.hpp"
#include "nftlink/base/unique_fd.hpp"
#include "nftlink/netlink/message.hpp"

namespace nftlink::kernel {

namespace {

using netlink::for_each_attribute;
using netlink::Message;
using netlink::Payload;
using netlink::text;

constexpr ifinfomsg any_link{};
constexpr const char* module_directory = "/proc/sys/net/bridge";

// A sysctl of the calling thread's network namespace; false where it can't be read. Not by a stream: this is asked for
// with every message about a link.
bool read_switch(const char* name) {
    char value = '0';
    const base::UniqueFd file(::open((std::string(module_directory) + "/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    return file && ::read(file.get(), &value, 1) == 1 && value != '0';
}

void read_switches(Payload data, BridgeNetfilter& switches) {
    for_each_attribute(data, 0, [&](std::uint16_t type, Payload value) {
        if (type == IFLA_BR_NF_CALL_IPTABLES && value.size() == 1)
            switches.ipv4 = value[0] != 0;
        if (type == IFLA_BR_NF_CALL_IP6TABLES && value.size() == 1)
            switches.ipv6 = value[0] != 0;
    });
}

// A link message: of a bridge, or of any other interface.
struct LinkMessage {
    std::uint32_t index = 0;
    BridgeTable::Link link;
    bool is_gone = false;
};

// Nothing for a message of another kind, nor for one that doesn't say all of its link: a bridge's own of its ports
// (AF_BRIDGE), and those of wireless devices, which have no MTU. They come beside the whole ones.
std::optional<LinkMessage> read_link(const Message& message) {
    if ((message.type != RTM_NEWLINK && message.type != RTM_DELLINK) || message.payload.size() < sizeof(ifinfomsg))
        return {};
    const auto* header = reinterpret_cast<const ifinfomsg*>(message.payload.data());
    if (header->ifi_family != AF_UNSPEC)
        return {};
    LinkMessage read;
    read.index = static_cast<std::uint32_t>(header->ifi_index);
    read.is_gone = message.type == RTM_DELLINK;
    BridgeTable::Link& link = read.link;
    bool is_whole = false;
    for_each_attribute(message.payload, sizeof(ifinfomsg), [&](std::uint16_t type, Payload value) {
        is_whole |= type == IFLA_MTU;
        if (type == IFLA_IFNAME)
            link.name = text(value);
        if (type == IFLA_MASTER && value.size() == sizeof link.master)
            std::memcpy(&link.master, value.data(), value.size());
        if (type == IFLA_LINKINFO)
            for_each_attribute(value, 0, [&](std::uint16_t info, Payload part) {
                if (info == IFLA_INFO_KIND)
                    link.is_bridge = text(part) == "bridge";
                if (info == IFLA_INFO_DATA)
                    read_switches(part, link.switches);
            });
    });
    if (!is_whole)
        return {};
    link.is_silent = link.is_bridge && (header->ifi_flags & IFF_UP) == 0;
    return read;
}

void insert_name(std::vector<std::string>& names, const std::string& name) {
    names.insert(std::ranges::lower_bound(names, name), name);
}

void erase_name(std::vector<std::string>& names, const std::string& name) {
    if (const auto found = std::ranges::lower_bound(names, name); found != names.end() && *found == name)
        names.erase(found);
}

}  // namespace

BridgeTable::BridgeTable() : news_(NETLINK_ROUTE) {
    news_.join(RTNLGRP_LINK);
}

const Bridges& BridgeTable::read(netlink::Socket& route_socket, Kernel::Look look) try {
    follow();
    if (look == Kernel::Look::closely)
        is_whole_ &= std::ranges::none_of(links_, [](const auto& each) { return each.second.is_silent; });
    if (!is_whole_ && netlink::means_read_again(
                          netlink::read_again([&] { return read_links(route_socket) && follow() ? 0 : ENOBUFS; })))
        throw std::system_error(EBUSY, std::generic_category(), "the links change faster than they can be read");
    if (!is_whole_)
        build();
    is_whole_ = true;
    read_module();
    return bridges_;
} catch (...) {
    is_whole_ = false;
    throw;
}

// No message tells of it.
void BridgeTable::read_module() {
    const bool is_loaded = access(module_directory, F_OK) == 0;
    const BridgeNetfilter global{read_switch("bridge-nf-call-iptables"), read_switch("bridge-nf-call-ip6tables")};
    if (is_loaded != bridges_.module_loaded || global != bridges_.global)
        ++bridges_.revision;
    bridges_.module_loaded = is_loaded;
    bridges_.global = global;
}

// False when they changed meanwhile.
bool BridgeTable::read_links(netlink::Socket& route_socket) {
    links_.clear();
    netlink::Bytes request;
    netlink::MessageWriter writer(request);
    writer.end(writer.begin(RTM_GETLINK, NLM_F_DUMP, 0, any_link));
    const int error = route_socket.request(request, [&](const Message& message) {
        if (auto read = read_link(message))
            links_.insert_or_assign(read->index, std::move(read->link));
    });
    if (error != 0 && !netlink::means_read_again(error))
        throw std::system_error(error, std::generic_category(), "reading the bridges");
    return error == 0;
}

// Takes in what has been said since; false when some of it was lost. What came while the links were read says the same
// again or is later: the last word holds.
bool BridgeTable::follow() {
    for (bool is_lost = false;;) {
        const auto datagram = news_.receive();
        if (datagram && !*datagram)
            return !is_lost;
        const auto messages = datagram ? netlink::read_messages(**datagram) : std::unexpected(std::string());
        if (!messages) {
            is_lost = true;
            is_whole_ = false;
            continue;
        }
        for (const Message& message : *messages)
            if (auto read = read_link(message))
                replace(read->index, read->is_gone ? std::nullopt : std::optional(std::move(read->link)));
    }
}

void BridgeTable::build() {
    bridges_.bridges.clear();
    bridges_.others.clear();
    for (const auto& [index, link] : links_)
        if (link.is_bridge)
            bridges_.bridges.push_back({link.name, index, link.switches});
        else
            bridges_.others.push_back(link.name);
    std::ranges::sort(bridges_.bridges, {}, &Bridge::name);
    std::ranges::sort(bridges_.others);
    for (const auto& [index, link] : links_)
        if (Bridge* bridge = bridge_of(link))
            bridge->ports.push_back(link.name);
    for (Bridge& bridge : bridges_.bridges)
        std::ranges::sort(bridge.ports);
    ++bridges_.revision;
}

void BridgeTable::replace(std::uint32_t index, std::optional<Link> now) {
    const auto found = links_.find(index);
    if (found == links_.end() ? !now : now == found->second)
        return;
    ++bridges_.revision;
    std::vector<std::string> ports;
    if (found != links_.end()) {
        if (is_whole_)
            ports = take_out(found->second);
        links_.erase(found);
    }
    if (!now)
        return;
    const Link& link = links_.emplace(index, std::move(*now)).first->second;
    if (is_whole_)
        put_in(index, link, std::move(ports));
}

// Of a bridge, gives the ports that it had.
std::vector<std::string> BridgeTable::take_out(const Link& link) {
    std::vector<std::string> ports;
    if (Bridge* bridge = bridge_of(link))
        erase_name(bridge->ports, link.name);
    if (!link.is_bridge) {
        erase_name(bridges_.others, link.name);
        return ports;
    }
    if (const auto place = place_of(link.name); place != bridges_.bridges.end() && place->name == link.name) {
        ports = std::move(place->ports);
        bridges_.bridges.erase(place);
    }
    return ports;
}

void BridgeTable::put_in(std::uint32_t index, const Link& link, std::vector<std::string> ports) {
    if (link.is_bridge)
        bridges_.bridges.insert(place_of(link.name), {link.name, index, link.switches, std::move(ports)});
    else
        insert_name(bridges_.others, link.name);
    if (Bridge* bridge = bridge_of(link))
        insert_name(bridge->ports, link.name);
}

void BridgeTable::switched_on(const std::string& name, BridgeNetfilter wanted) {
    const auto bridge = place_of(name);
    if (!is_whole_ || bridge == bridges_.bridges.end() || bridge->name != name)
        return;
    const std::uint32_t index = bridge->index;
    Link link = links_.at(index);
    link.switches = {link.switches.ipv4 || wanted.ipv4, link.switches.ipv6 || wanted.ipv6};
    replace(index, std::move(link));
}

std::vector<Bridge>::iterator BridgeTable::place_of(const std::string& name) {
    return std::ranges::lower_bound(bridges_.bridges, name, {}, &Bridge::name);
}

// The bridge whose port the link is; null when it is none's.
Bridge* BridgeTable::bridge_of(const Link& link) {
    const auto master = links_.find(link.master);
    if (link.master == 0 || master == links_.end() || !master->second.is_bridge)
        return nullptr;
    const auto place = place_of(master->second.name);
    return place != bridges_.bridges.end() && place->name == master->second.name ? &*place : nullptr;
}

std::expected<void, std::string> enable_bridge_netfilter(netlink::Socket& route_socket, const std::string& bridge,
                                                         BridgeNetfilter wanted) {
    if (bridge.size() >= IF_NAMESIZE)  // the request has no room for it, nor has any link
        return std::unexpected(std::generic_category().message(ENODEV));
    constexpr std::uint8_t on = 1;
    netlink::Bytes request;
    netlink::MessageWriter writer(request);
    const std::size_t start = writer.begin(RTM_NEWLINK, NLM_F_ACK, 0, any_link);
    writer.put(IFLA_IFNAME, bridge);
    const std::size_t info = writer.begin_nest(IFLA_LINKINFO);
    writer.put(IFLA_INFO_KIND, std::string_view("bridge"));
    const std::size_t data = writer.begin_nest(IFLA_INFO_DATA);
    if (wanted.ipv4)
        writer.put(IFLA_BR_NF_CALL_IPTABLES, Payload(&on, 1));
    if (wanted.ipv6)
        writer.put(IFLA_BR_NF_CALL_IP6TABLES, Payload(&on, 1));
    writer.end_nest(data);
    writer.end_nest(info);
    writer.end(start);
    std::string kernel_message;
    const int error = route_socket.request(request, [](const Message&) {}, &kernel_message);
    if (error == 0)
        return {};
    std::string message = std::generic_category().message(error);
    return std::unexpected(kernel_message.empty() ? message : message + " (" + kernel_message + ")");
}

}  // namespace nftlink::kernel
