#include "sentences.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "words.hpp"

namespace nftlink::config {

bool has_family(const model::Network& network, model::Ip ip) {
    return std::ranges::find(network.addresses, ip, &model::Address::ip) != network.addresses.end();
}

bool is_covered(const model::Container& container, const model::FirewallPolicy& policy) {
    return policy.covers(model::Ip::v6) || std::ranges::any_of(container.networks, [](const model::Network& network) {
               return has_family(network, model::Ip::v4);
           });
}

std::string no_container(std::string_view name, const base::Suggestion& suggestion) {
    return fmt::format("there is no container {}{}", quote(name), suggestion.to_string());
}

std::string not_covered(const model::Container& container, const model::FirewallPolicy& policy) {
    return fmt::format("{} has only IPv6 addresses, and {}", quote(container.name),
                       policy.attach.empty() ? "'family: ip' is about IPv4 only; use 'family: inet'"
                                             : "'attach' names no chain for IPv6; add one of family ip6 or inet");
}

std::string taken(const model::Address& address, const std::string& bridge, const std::string& owner) {
    return fmt::format("the address {} is used twice on bridge {}: {} has it already", address.to_string(),
                       quote(bridge), quote(owner));
}

}  // namespace nftlink::config
