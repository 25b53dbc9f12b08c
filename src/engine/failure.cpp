#include "nftlink/engine/failure.hpp"

#include <fmt/format.h>

#include "nftlink/base/suggestion.hpp"

namespace nftlink::engine {

std::string sentence(const Failure& failure) {
    switch (failure.kind) {
        case Failure::Kind::missing:
            return fmt::format("what answers there is no container engine: it has no {}", base::escape(failure.text));
        case Failure::Kind::refused:
            return fmt::format("the engine answers {}{}{}", failure.status, failure.text.empty() ? "" : ": ",
                               base::escape(failure.text));
        case Failure::Kind::connection:
            break;
    }
    return failure.text;
}

}  // namespace nftlink::engine
