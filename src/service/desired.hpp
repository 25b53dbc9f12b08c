// What is wanted: the containers of the configuration's files and, beside them, those that came through the control
// API. Pure.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/api/records.hpp"
#include "nftlink/config/config.hpp"
#include "nftlink/config/fragment.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::service {

// Containers as they are to be; nothing: deleted.
using Containers = std::map<std::string, std::optional<model::Container>, std::less<>>;

struct LinkChange {
    std::string parent;
    model::Link link;
    bool added = false;

    bool operator==(const LinkChange&) const = default;
};

// What to change, checked against all there is.
struct Edit {
    Containers containers;
    std::vector<LinkChange> links;   // those removed come first
    std::vector<std::string> ended;  // links that nobody asked to remove: their child is deleted. `/web/db`

    bool empty() const { return containers.empty(); }
};

class Desired {
public:
    using Stored = std::map<std::string, model::Container, std::less<>>;

    // Of the files alone.
    explicit Desired(std::shared_ptr<const config::Loaded> files);

    const config::Config& config() const { return files_->config; }
    const config::Loaded& files() const { return *files_; }
    const model::Topology& topology() const { return topology_; }
    // The place of a container in the files; null when it came through the API or isn't there.
    const base::Position* place(std::string_view container) const;
    // How many came through the API.
    std::size_t stored_count() const { return topology_.containers.size() - files_->config.topology.containers.size(); }
    Stored stored() const;

    using Conflict = config::Joined::Conflict;
    // Adds containers that came through the API before. Those that contradict the files are left out. Links whose child
    // isn't there any more, or on no bridge of their parent, end: the edit has their parents as they are now.
    std::vector<Conflict> add(Stored stored, Edit& ended);

    // What the transaction would change; nothing is changed. All faults, not the first.
    std::expected<Edit, std::vector<api::Fault>> plan(const api::Transaction& transaction);

    // Changes the topology; the edit's containers are the ones that were there before, so that a second call undoes it.
    void swap(Edit& edit);

private:
    std::shared_ptr<const config::Loaded> files_;
    model::Topology topology_;
};

}  // namespace nftlink::service
