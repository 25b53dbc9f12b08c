// The target of a request: `/v1/links/web/db?format=json`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nftlink::http {

struct Target {
    std::vector<std::string> path;             // segments, decoded; a `/` at the end gives an empty one
    std::map<std::string, std::string> query;  // decoded; of a name given twice the last

    bool operator==(const Target&) const = default;
};

// Nothing when it isn't a path, of this host or with one before it (`http://host/v1`), or an escape is no `%XX`.
std::optional<Target> parse_target(std::string_view text);

}  // namespace nftlink::http
