#include "nftlink/desired/state.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "join.hpp"
#include "nftlink/desired/differences.hpp"
#include "nftlink/model/limits.hpp"

namespace nftlink::desired {

namespace {

using Nodes = decltype(model::Topology::containers);

}  // namespace

State::State(std::shared_ptr<const config::Loaded> files)
    : files_(std::move(files)),
      stated_(files_->config.topology),
      permissions_(model::sum_permissions(stated_, config().firewall)) {
    unite();
}

const model::Container* State::find(std::string_view container) const {
    return has_engine() ? united_.find(container) : stated_.find(container);
}

const base::Position* State::place(std::string_view container) const {
    const auto found = files_->places.find(container);
    return found == files_->places.end() ? nullptr : &found->second;
}

std::string_view State::source(std::string_view container) const {
    if (place(container) != nullptr)
        return "file";
    return is_stated(container) ? "api" : "docker";
}

std::string_view State::source(std::string_view parent, const model::Link& link) const {
    const model::Container* by_people = stated_.find(parent);
    const bool is_theirs = by_people != nullptr && std::ranges::find(by_people->links, link) != by_people->links.end();
    return is_theirs ? source(parent) : "docker";
}

State::Stored State::stored() const {
    Stored stored;
    for (const auto& [name, container] : stated_.containers)
        if (place(name) == nullptr)
            stored.emplace(name, container);
    return stored;
}

model::Unplaced State::unplaced() const {
    return has_engine() ? model::Unplaced::allowed : model::Unplaced::refused;
}

std::string State::engine_name() const {
    return "the engine at " + config().sources.docker.value_or(config::DockerSource{}).socket;
}

United State::set_inventory(Inventory inventory) {
    std::swap(inventory_, inventory);
    try {
        United now = united_now();
        is_stale_ = false;
        ++said_;
        ++revision_;
        return std::exchange(united_, std::move(now));
    } catch (...) {
        std::swap(inventory_, inventory);
        throw;
    }
}

void State::unite() {
    united_ = united_now();
    is_stale_ = false;
}

United State::united_now() const {
    static const engine::Inventory nothing;
    if (!has_engine())
        return {};
    const auto origin = [this](std::string_view container) {
        const base::Position* where = place(container);
        return where != nullptr ? "in " + where->to_string() : "through the API";
    };
    return desired::unite(stated_, config().firewall, config().limits, inventory_ != nullptr ? *inventory_ : nothing,
                          origin, engine_name());
}

State::Joined State::add(Stored stored) {
    desired::Joined joined =
        join(stated_, config().firewall, files_->places, std::move(stored), unplaced(), config().limits);
    permissions_ = model::sum_permissions(stated_, config().firewall);
    Joined result;
    for (const auto& [parent, link] : joined.ended) {
        result.ended_links.push_back(model::link_name(parent, link.alias));
        if (const model::Container* container = stated_.find(parent))
            result.ended.containers[parent] = *container;
    }
    unite();
    result.conflicts = std::move(joined.conflicts);
    return result;
}

// From where the containers move on by their nodes, nothing can be thrown.
State::Past State::apply(Edit edit) {
    Past past;
    ++revision_;
    past.permissions_ = edit.permissions;
    past.entries_.reserve(edit.containers.size());
    Nodes coming;
    for (auto& [name, container] : edit.containers) {
        past.entries_.push_back({name, {}});
        if (container)
            coming.emplace_hint(coming.end(), name, std::move(*container));
    }
    for (Past::Entry& entry : past.entries_) {
        entry.was = stated_.containers.extract(entry.name);
        if (auto next = coming.extract(entry.name))
            stated_.containers.insert(std::move(next));
    }
    permissions_ += static_cast<std::uint64_t>(edit.permissions);
    if (!has_engine())
        return past;
    try {
        United now = united_now();
        past.united_ = std::exchange(united_, std::move(now));
        past.said_ = said_;
        is_stale_ = false;
    } catch (...) {
        restore(std::move(past));
        throw;
    }
    return past;
}

void State::restore(Past past) noexcept {
    ++revision_;
    for (Past::Entry& entry : past.entries_) {
        stated_.containers.extract(entry.name);
        if (!entry.was.empty())
            stated_.containers.insert(std::move(entry.was));
    }
    permissions_ -= static_cast<std::uint64_t>(past.permissions_);
    if (!past.united_)
        return;
    if (past.said_ == said_) {
        united_ = std::move(*past.united_);
        return;
    }
    try {
        unite();
    } catch (const std::exception&) {
        is_stale_ = true;
    }
}

// With an engine a change may have others behind it: it takes the place of what the engine says, or leaves it again.
Before State::Past::changed(const State& now) const {
    Before before;
    names_.clear();
    if (united_) {
        for (const Entry& entry : entries_)
            names_.insert(entry.name);
        add_changed(united_->topology, now.topology(), names_);
        return those_before(united_->topology, names_);
    }
    for (const Entry& entry : entries_)
        before.emplace(entry.name, entry.was.empty() ? nullptr : &entry.was.mapped());
    return before;
}

}  // namespace nftlink::desired
