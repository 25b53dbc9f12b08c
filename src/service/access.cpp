#include "access.hpp"

#include <grp.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace nftlink::service {

std::optional<gid_t> find_group(const std::string& name) {
    gid_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size())
        return number;
    std::vector<char> buffer(std::size_t{1} << 16);
    group entry{};
    group* found = nullptr;
    if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return {};
    return found->gr_gid;
}

Access access_of(const http::Peer& peer, std::optional<gid_t> group, config::Readers readers) {
    if (peer.user == 0 || peer.user == geteuid())
        return Access::write;
    if (group && (peer.group == *group || std::ranges::find(peer.groups, *group) != peer.groups.end()))
        return Access::write;
    return readers == config::Readers::all ? Access::read : Access::none;
}

}  // namespace nftlink::service
