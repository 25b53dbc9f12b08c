// What a change of some containers means for the sets of links, without the ruleset and without the topology's other
// links: the time it takes doesn't depend on how many there are.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/firewall/firewall.hpp"

namespace nftlink::firewall {

// The containers that a change is about, as they were; null: not there.
using Before = std::map<std::string_view, const model::Container*>;

// Keeps count of the sets that are in the kernel.
class LinkSets {
public:
    // Of what compile() made and the kernel has; `in_second_slot` as transactions() said.
    LinkSets(const Wanted& want, const std::vector<bool>& in_second_slot, const model::FirewallPolicy& policy);

    struct Update {
        nft::Batch batch;                // elements that go, then elements that come; may be empty
        std::vector<nft::Flow> removed;  // what isn't permitted any more
        bool renames = false;            // some go and come under other links' names: they are to keep their counts
    };
    // The update that brings the sets from the topology of before to this one, counted as done. Nothing where it takes
    // more than elements, or can't be told from this alone: rules without sets, a bridge whose policy isn't stated, a
    // set that comes or goes or is too full (compile() makes it larger then). The sets' counts are of no use any more
    // after that, and after an update that was not made.
    std::optional<Update> update(const model::Topology& now, const Before& before, const model::FirewallPolicy& policy);

private:
    struct Set {
        nft::Family family;
        std::string table;
        std::string name;
        std::size_t size = 0;   // what it can hold
        std::size_t count = 0;  // of elements
    };
    std::map<std::string, std::vector<Set>, std::less<>> sets_;  // by the name in the first slot: in one table or two
    bool usable_ = false;
};

}  // namespace nftlink::firewall
