// What can be wrong between containers, in words.
#pragma once

#include <string>
#include <string_view>

#include "nftlink/base/suggestion.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::config {

bool has_family(const model::Network& network, model::Ip ip);

// An address of it is one that the policy is about.
bool is_covered(const model::Container& container, const model::FirewallPolicy& policy);

std::string no_container(std::string_view name, const base::Suggestion& suggestion);
std::string not_covered(const model::Container& container, const model::FirewallPolicy& policy);
// The address is used twice; ends with whose it is.
std::string taken(const model::Address& address, const std::string& bridge, const std::string& owner);

}  // namespace nftlink::config
