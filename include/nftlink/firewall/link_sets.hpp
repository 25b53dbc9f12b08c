// The change of our tables' sets that follows from a change of some containers, without the ruleset and without the
// topology's other links: the time it takes doesn't depend on how many there are.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/transactions.hpp"

namespace nftlink::firewall {

// The containers that a change is about, as they were; null: not there.
using Before = std::map<std::string_view, const model::Container*>;

// Keeps count of the sets that are in the kernel.
class LinkSets {
public:
    // Of what compile() made of these and the kernel has, under those names.
    LinkSets(const Wanted& want, const OtherNames& others, const model::Topology& topology,
             const model::FirewallPolicy& policy, const HostFacts& host);

    struct Update {
        nft::Batch batch;      // elements that go, then elements that come; may be empty
        bool renames = false;  // some go and come under other links' names: they are to keep their counts
        std::vector<std::string> bridges_gone, bridges_come;  // that are no longer policed, and that are now
    };
    // The update that brings the sets from the topology of before to this one, counted as done. Nothing where it takes
    // more than elements, or more than one transaction: rules without sets, a set that is too full (compile() makes it
    // larger then). After nullopt, or if the batch was not applied, this object is invalid: make it anew.
    std::optional<Update> update(const model::Topology& now, const Before& before, const model::FirewallPolicy& policy);
    // The same for the bridges of the host that fit a pattern; see HostFacts. Also where links are rules, as long as no
    // bridge comes or goes.
    std::optional<Update> update(const std::vector<std::string>& bridges, const model::FirewallPolicy& policy);
    // Adds what brings the ports there are of bridges to these; see HostFacts.
    void update_ports(const std::vector<std::string>& ports, Update& update);
    bool polices(const std::string& bridge) const { return stated_.contains(bridge) || users_.contains(bridge); }

private:
    struct Set {
        nft::Family family;
        std::string table;
        std::string name;       // in the kernel
        std::size_t size = 0;   // what it can hold; 0: anything
        std::size_t count = 0;  // of elements
    };
    struct Exchange;
    bool put(std::string_view set, std::vector<nft::DataType> key, Exchange exchange, Update& update,
             nft::Batch& added);
    void follow_users(const model::Topology& now, const Before& before, Update& update);
    void exchange_bridges(const model::FirewallPolicy& policy, Update& update, nft::Batch& added);

    std::map<std::string, std::vector<Set>, std::less<>> sets_;  // by the plain name: in one table or two
    std::set<std::string, std::less<>> stated_;                  // bridges that the policy polices, whoever is on them
    std::vector<std::string> of_host_;                           // those among them that only fit a pattern; sorted
    Frames frames_ = Frames::none;
    std::vector<std::string> ports_;  // of HostFacts
    // The number of permissions that each reply belongs to: where links lead from one bridge to another, two parents on
    // two bridges may have the same address. Nothing where none does.
    std::optional<std::map<nft::Key, std::size_t>> reply_users_;
    std::map<std::string, std::size_t, std::less<>> users_;  // networks of containers on each bridge
    bool usable_ = false;                                    // links are elements, and bridges are elements alone
};

}  // namespace nftlink::firewall
