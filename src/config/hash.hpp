// The hash by which a configuration is recognised.
#pragma once

#include <string>
#include <vector>

#include "inputs.hpp"

namespace nftlink::config {

std::string hash_of(const std::vector<Input>& inputs);

}  // namespace nftlink::config
