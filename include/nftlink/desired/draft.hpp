// "What if?": edits on top of a state, and of one another. The state is read through, and nothing of it is changed.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/api/requests.hpp"
#include "nftlink/desired/edit.hpp"
#include "nftlink/desired/state.hpp"

namespace nftlink::desired {

// A transaction's part of a draft.
struct Planned {
    bool anything = false;                // it changes something
    std::vector<LinkChange> links;        // those removed come first
    std::vector<std::string> ended;       // links that nobody asked to remove: their child is deleted. `/web/db`
    std::vector<std::string> containers;  // the names of those that are different
};

class Draft {
public:
    // The state must live, and stay as it is, as long as the draft.
    explicit Draft(const State& state) : state_(state) {}

    // Adds what the transaction changes, checked against all there is. All its faults, not the first; with any, nothing
    // is added.
    std::expected<Planned, api::Faults> plan(const api::Transaction& transaction);

    const State& state() const { return state_; }
    // The containers as people will have written them.
    const model::Container* find(std::string_view container) const;
    template <typename Visit>
    void for_each(const Visit& visit) const {
        read_through(state_.stated(), edit_.containers, visit);
    }

    // All that has been planned, as one edit.
    const Edit& edit() const { return edit_; }
    Edit take() { return std::move(edit_); }

    // Visits the containers of `below` as the changes make them, by name.
    template <typename Containers, typename Visit>
    static void read_through(const model::Topology& below, const Containers& changes, const Visit& visit) {
        auto change = changes.begin();
        const auto visit_up_to = [&](const std::string* name) {
            for (; change != changes.end() && (name == nullptr || change->first < *name); ++change)
                if (change->second)
                    visit(*change->second);
        };
        for (const auto& [name, container] : below.containers) {
            visit_up_to(&name);
            if (change == changes.end() || change->first != name)
                visit(container);
            else if (const auto& now = (change++)->second)
                visit(*now);
        }
        visit_up_to(nullptr);
    }

private:
    const State& state_;
    Edit edit_;
};

}  // namespace nftlink::desired
