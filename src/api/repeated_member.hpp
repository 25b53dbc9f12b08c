// Objects that state a member twice: JSON leaves open what that means, and Boost.JSON takes the last one in silence.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nftlink::api {

struct RepeatedMember {
    std::string name;
    std::size_t end = 0;  // the byte after the second name
};

// The first one in a text that is JSON, at most `max_depth` deep.
std::optional<RepeatedMember> find_repeated_member(std::string_view text, std::size_t max_depth);

}  // namespace nftlink::api
