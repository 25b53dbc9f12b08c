// What is wanted: the containers of the configuration's files, those that came through the control API, and, where
// there is a container engine, what it says. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/api/records.hpp"
#include "nftlink/config/config.hpp"
#include "nftlink/config/fragment.hpp"
#include "nftlink/engine/unite.hpp"
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
    std::int64_t permissions = 0;    // how many more the host's links ask for then

    bool empty() const { return containers.empty(); }
};

// Each as a text of its own, for the disk.
std::map<std::string, std::optional<std::string>> to_stored(const Containers& containers);

class Desired {
public:
    using Stored = std::map<std::string, model::Container, std::less<>>;

    // Of the files alone.
    explicit Desired(std::shared_ptr<const config::Loaded> files);

    const config::Config& config() const { return files_->config; }
    const config::Loaded& files() const { return *files_; }
    // What the kernel is to have.
    const model::Topology& topology() const { return has_engine() ? united_.topology : stated_; }
    // Also a container that isn't running, for its variables; null when there is none. Its links lead to containers of
    // the topology.
    const model::Container* find(std::string_view container) const;
    // Those that aren't running.
    const model::Topology& idle() const { return united_.idle; }
    const std::vector<engine::Waiting>& waiting() const { return united_.waiting; }
    const std::vector<engine::Complaint>& complaints() const { return united_.complaints; }

    // The place of a container in the files; null when it came through the API or isn't there.
    const base::Position* place(std::string_view container) const;
    // It is in the files, or came through the API.
    bool is_stated(std::string_view container) const { return stated_.find(container) != nullptr; }
    // Where a container is from: `file`, `api` or `docker`. One that people and the engine both tell of is of people.
    std::string_view source(std::string_view container) const;
    std::string_view source(std::string_view parent, const model::Link& link) const;
    // How many came through the API.
    std::size_t stored_count() const { return stated_.containers.size() - files_->config.topology.containers.size(); }
    Stored stored() const;
    // How many permissions the links ask for that people wrote, between the containers that they wrote.
    std::uint64_t permissions() const { return permissions_; }

    bool has_engine() const { return config().sources.docker.has_value(); }
    using Inventory = std::shared_ptr<const engine::Inventory>;
    const Inventory& inventory() const { return inventory_; }
    // What the engine says from now on, also when the inventory is another one later and this isn't called again before
    // the next change; null: nothing. What there was before.
    engine::United set_inventory(Inventory inventory);
    // What the engine is called in messages: `the engine at /run/docker.sock`.
    std::string engine_name() const;

    using Conflict = config::Joined::Conflict;
    // Adds containers that came through the API before. Those that contradict the files are left out. Links whose child
    // isn't there any more end: the edit has their parents as they are now.
    std::vector<Conflict> add(Stored stored, Edit& ended);

    // What the transaction would change; nothing is changed. All faults, not the first.
    std::expected<Edit, std::vector<api::Fault>> plan(const api::Transaction& transaction);

    // Changes the topology; the edit's containers are the ones that were there before, so that a second call undoes it.
    // With an engine, what there was before.
    engine::United swap(Edit& edit);
    // The same with what people wrote alone, so that another transaction can be planned on top of it: topology() with
    // an engine isn't what it should be until it is undone.
    void exchange(Edit& edit);

private:
    friend class Planner;
    void unite();
    config::Unplaced unplaced() const;

    std::shared_ptr<const config::Loaded> files_;
    model::Topology stated_;  // the files' and the API's
    std::uint64_t permissions_;
    Inventory inventory_;
    engine::United united_;  // only with an engine
};

}  // namespace nftlink::service
