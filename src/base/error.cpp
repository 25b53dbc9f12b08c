#include "nftlink/base/error.hpp"

#include <fmt/format.h>

namespace nftlink::base {

std::string Position::to_string() const {
    return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
}

std::string Error::to_string() const {
    return where.file.empty() ? message : fmt::format("{}: {}", where.to_string(), message);
}

}  // namespace nftlink::base
