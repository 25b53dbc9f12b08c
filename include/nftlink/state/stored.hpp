// The containers that came through the control API, as the state directory has them. Reading changes nothing there.
#pragma once

#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/base/error.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::state {

// The files' texts.
struct Contents {
    std::map<std::string, std::string> texts;  // by container
    std::vector<std::string> errors;           // files that can't be read, and why
};

// A change in pending/ is complete, and counts. A directory that isn't there has nothing in it; of what can't be read
// at all the error says why.
std::expected<Contents, std::string> read_contents(const std::filesystem::path& directory);

// The containers in them.
struct Stored {
    struct Damaged {
        std::string container;
        base::Errors errors;
    };
    std::map<std::string, model::Container, std::less<>> containers;
    std::vector<Damaged> damaged;  // their texts are no containers
    std::vector<std::string> errors;
};
Stored parse(const std::filesystem::path& directory, const Contents& contents);

// A change of containers, and its texts; nothing: deleted.
using ContainersChange = std::map<std::string, std::optional<model::Container>, std::less<>>;
using StoredChange = std::map<std::string, std::optional<std::string>>;
StoredChange to_change(const ContainersChange& containers);

// Where a container's text is.
std::filesystem::path file_of(const std::filesystem::path& directory, const std::string& container);

}  // namespace nftlink::state
