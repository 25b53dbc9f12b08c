// `CONTAINER.env` files: every container's link variables, kept up to date for those that start containers.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nftlink/model/environment_options.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::service {

// By container: the text of its file; nullopt: no file, since the container is gone or a value contains a line feed (an
// error then).
struct EnvTexts {
    std::map<std::string, std::optional<std::string>> texts;
    std::vector<std::string> errors;
};
// Of all containers of the topology, and of those that aren't running.
EnvTexts env_texts(const model::Topology& topology, const model::Topology& idle,
                   const model::EnvironmentOptions& options);
// The containers whose variables depend on this one too: the parents of links to it, unless only its own links differ.
enum class Dependents { none, parents };
// Of these containers and their dependents.
EnvTexts env_texts(const model::Topology& topology, const model::Topology& idle,
                   const model::EnvironmentOptions& options, const std::set<std::string>& changed,
                   Dependents dependents = Dependents::parents);

// The folder is the service's own. A file is replaced in one step and is for its owner alone. The functions block while
// the disk works; what they can't do is in their result.
class EnvFiles {
public:
    // Takes over the folder: its files become these, whatever was there from an earlier run. Those in another folder
    // that was taken over before are removed. An empty name: no folder any more.
    std::vector<std::string> take_over(const std::filesystem::path& folder,
                                       const std::map<std::string, std::optional<std::string>>& texts);
    // Writes or removes these, the others stay.
    std::vector<std::string> update(const std::map<std::string, std::optional<std::string>>& texts);

private:
    bool write_index();
    void leave(const std::filesystem::path& next);

    std::filesystem::path folder_;  // empty: there is none
    std::set<std::string> names_;   // of the containers with a file
    std::vector<std::string> errors_;
};

}  // namespace nftlink::service
