#include "nftlink/model/environment_options.hpp"

namespace nftlink::model {

std::string_view to_string(Dialect dialect) {
    switch (dialect) {
        case Dialect::docker_0_10:
            return "docker-0.10";
        case Dialect::docker_27:
            return "docker-27";
        case Dialect::docker_28:
            return "docker-28";
    }
    return "invalid";
}

std::optional<Dialect> parse_dialect(std::string_view text) {
    for (const Dialect dialect : {Dialect::docker_0_10, Dialect::docker_27, Dialect::docker_28})
        if (text == to_string(dialect))
            return dialect;
    return {};
}

}  // namespace nftlink::model
