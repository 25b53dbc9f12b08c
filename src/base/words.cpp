#include "nftlink/base/words.hpp"

#include <fmt/format.h>

namespace nftlink::base {

std::string count(std::uint64_t number, std::string_view noun) {
    return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

}  // namespace nftlink::base
