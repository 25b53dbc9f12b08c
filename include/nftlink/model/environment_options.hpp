// The options of link variables.
#pragma once

#include <optional>
#include <string_view>

namespace nftlink::model {

// The rules of Docker 0.10 as released in 2014; of Docker 1.7 to 27; of Docker 28.
enum class Dialect { docker_0_10, docker_27, docker_28 };

// `docker-0.10`, `docker-27`, `docker-28`
std::string_view to_string(Dialect dialect);
std::optional<Dialect> parse_dialect(std::string_view text);

struct EnvironmentOptions {
    Dialect dialect = Dialect::docker_0_10;
    bool child_environment = true;  // false: no <ALIAS>_ENV_ variables, which carry the child's secrets

    bool operator==(const EnvironmentOptions&) const = default;
};

}  // namespace nftlink::model
