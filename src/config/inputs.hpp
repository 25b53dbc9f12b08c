// Texts to read, and texts that could not be had.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nftlink/config/config.hpp"
#include "nftlink/config/load.hpp"

namespace nftlink::config {

struct Input {
    std::string name;
    std::string_view text;
    std::string fault;  // not empty: why there is no text
};

// As parse(), with a fault being an error of its file.
Result parse_inputs(const std::vector<Input>& inputs, Hashed hashed);

// The control socket that they name, or the default, whatever else is wrong with them.
std::string socket_of(const std::vector<Input>& inputs);

}  // namespace nftlink::config
