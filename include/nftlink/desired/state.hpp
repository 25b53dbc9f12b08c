// The wanted state, as a value: the containers of the configuration's files, those that came through the control API,
// and, where there is a container engine, what it says. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/config/config.hpp"
#include "nftlink/desired/edit.hpp"
#include "nftlink/desired/unite.hpp"
#include "nftlink/engine/inventory.hpp"
#include "nftlink/model/fit.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::desired {

class State {
public:
    using Stored = std::map<std::string, model::Container, std::less<>>;

    // Of the files alone.
    explicit State(std::shared_ptr<const config::Loaded> files);
    State(State&&) = default;
    State& operator=(State&&) = default;

    const config::Config& config() const { return files_->config; }
    const config::Loaded& files() const { return *files_; }
    const std::shared_ptr<const config::Loaded>& shared_files() const { return files_; }
    // The containers and links that the kernel is to have.
    const model::Topology& topology() const { return has_engine() ? united_.topology : stated_; }
    // Also a container that isn't running, for its variables; null when there is none. Its links lead to containers of
    // the topology.
    const model::Container* find(std::string_view container) const;
    // Those that aren't running.
    const model::Topology& idle() const { return united_.idle; }
    const std::vector<Waiting>& waiting() const { return united_.waiting; }
    const std::vector<Complaint>& complaints() const { return united_.complaints; }

    // The containers as people wrote them, in the files and through the API.
    const model::Topology& stated() const { return stated_; }
    bool is_stated(std::string_view container) const { return stated_.find(container) != nullptr; }
    // The place of a container in the files; null when it came through the API or isn't there.
    const base::Position* place(std::string_view container) const;
    // Where a container is from: `file`, `api` or `docker`. One that people and the engine both tell of is of people.
    std::string_view source(std::string_view container) const;
    std::string_view source(std::string_view parent, const model::Link& link) const;
    // The number of those that came through the API, and their names.
    std::size_t stored_count() const { return stated_.containers.size() - files_->config.topology.containers.size(); }
    Stored stored() const;
    // Another number after each change of any of this.
    std::uint64_t revision() const { return revision_; }
    // The number of permissions that links written by people ask for, between containers written by people.
    std::uint64_t permissions() const { return permissions_; }

    bool has_engine() const { return config().sources.docker.has_value(); }
    model::Unplaced unplaced() const;
    // The engine's name in messages: `the engine at /run/docker.sock`.
    std::string engine_name() const;
    using Inventory = std::shared_ptr<const engine::Inventory>;
    const Inventory& inventory() const { return inventory_; }
    // Replaces what the engine says (null: nothing) and gives what there was before.
    United set_inventory(Inventory inventory);

    // Adds containers that came through the API before. Those that contradict the files are left out. Links whose child
    // isn't there any more end: `ended` has their parents as they are now.
    struct Joined {
        std::vector<Conflict> conflicts;
        Edit ended;
        std::vector<std::string> ended_links;  // `/web/db`
    };
    Joined add(Stored stored);

    // The parts of a state that an edit replaced.
    class Past {
    public:
        // The topology's containers that the edit has changed, as they were, of a state that has only been given
        // inventories since. The past and the state must live as long as the result.
        Before changed(const State& now) const;
        // The links as they were; empty without an engine.
        const model::Topology* topology() const { return united_ ? &united_->topology : nullptr; }

    private:
        friend class State;
        struct Entry {
            std::string name;
            decltype(model::Topology::containers)::node_type was;  // empty: it wasn't there
        };
        std::vector<Entry> entries_;
        std::int64_t permissions_ = 0;
        std::optional<United> united_;         // with an engine
        std::uint64_t said_ = 0;               // see State
        mutable std::set<std::string> names_;  // that changed() is about
    };
    // Carries the edit out. An exception leaves everything as it was.
    Past apply(Edit edit);
    // Takes it back, with the inventory of now. It needs memory only where the engine has said something since; where
    // there is none, is_stale() until unite() has succeeded.
    void restore(Past past) noexcept;
    bool is_stale() const { return is_stale_; }
    // Makes one topology of what people wrote and the engine says, again.
    void unite();

private:
    United united_now() const;

    std::shared_ptr<const config::Loaded> files_;
    model::Topology stated_;
    std::uint64_t permissions_;
    Inventory inventory_;
    std::uint64_t said_ = 0;  // how often the engine has said something
    United united_;           // only with an engine
    bool is_stale_ = false;
    std::uint64_t revision_ = 0;
};

}  // namespace nftlink::desired
