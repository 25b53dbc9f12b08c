// What a configuration is recognised by.
#pragma once

#include <string>
#include <vector>

#include "inputs.hpp"

namespace nftlink::config {

std::string hash_of(const std::vector<Input>& inputs);

}  // namespace nftlink::config
