// The containers, their bridges, and their links.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/model/address.hpp"
#include "nftlink/model/port.hpp"

namespace nftlink::model {

// A container's or an alias' name: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 64 characters.
bool is_name(std::string_view text);
// Why it is none, in a sentence without the name; empty when it is one.
std::string name_fault(std::string_view text);

// An interface name as the kernel takes it, less what nft or a shell would trip over: 1 to 15 printable ASCII
// characters without blanks, `/`, `:`, `*`, `"`, `\`, and neither `.` nor `..`.
bool is_interface_name(std::string_view text);

// A link as its parent states it.
struct Link {
    std::string child;
    std::string alias;

    bool operator==(const Link&) const = default;
};

// A link as people write it: `child:alias`, or `child` alone, which is the alias too. Views into the text.
struct LinkText {
    std::string_view child;
    std::string_view alias;

    bool operator==(const LinkText&) const = default;
};
LinkText parse_link(std::string_view text);

// The fault of one link of that parent by itself, as a sentence; empty when there is none.
std::string link_fault(std::string_view parent, std::string_view text);

// `/parent/alias`, unique on a host.
std::string link_name(std::string_view parent, std::string_view alias);

// One bridge that a container sits on.
struct Network {
    std::string bridge;
    std::vector<Address> addresses;  // not empty; in the order given

    bool operator==(const Network&) const = default;
};

struct Container {
    std::string name;
    // In the order given; each bridge once. None where a container engine is to say where it is (sources.docker): it
    // has no place yet, and its links permit nothing.
    std::vector<Network> networks;
    std::vector<Port> expose;  // sorted, each once
    std::vector<std::string>
        environment;          // Docker's raw entries, KEY=VALUE, in the order given; a KEY alone has no value
    std::vector<Link> links;  // in the order given; each alias once

    // The addresses on that bridge; null when the container isn't on it.
    const Network* on(std::string_view bridge) const;
    bool operator==(const Container&) const = default;
};

// Calls visit(from, to) for each way that a link of the parent to the child goes: on every bridge that both are on;
// where they share none, by routing, from each of the parent's networks to each of the child's.
template <typename Visit>
void for_each_way(const Container& parent, const Container& child, Visit visit) {
    bool share_one = false;
    for (const Network& from : parent.networks)
        if (const Network* to = child.on(from.bridge)) {
            share_one = true;
            visit(from, *to);
        }
    if (share_one)
        return;
    for (const Network& from : parent.networks)
        for (const Network& to : child.networks)
            visit(from, to);
}

struct Topology {
    std::map<std::string, Container, std::less<>> containers;

    // Null when there is none of that name; valid until the topology changes.
    const Container* find(std::string_view name) const;
    template <typename Visit>
    void for_each(const Visit& visit) const {
        for (const auto& [name, container] : containers)
            visit(container);
    }
    bool operator==(const Topology&) const = default;
};

// A look at containers, whoever has them: anything with find() and for_each() as a Topology has them. It must live as
// long as the view.
class ContainerView {
public:
    using Visit = std::function<void(const Container&)>;

    template <typename Containers>
    ContainerView(const Containers& containers)  // NOLINT: it is what it shows
        : containers_(&containers),
          find_([](const void* all, std::string_view name) -> const Container* {
              return static_cast<const Containers*>(all)->find(name);
          }),
          for_each_([](const void* all, const Visit& visit) { static_cast<const Containers*>(all)->for_each(visit); }) {
    }

    const Container* find(std::string_view name) const { return find_(containers_, name); }
    void for_each(const Visit& visit) const { for_each_(containers_, visit); }

private:
    const void* containers_;
    const Container* (*find_)(const void*, std::string_view);
    void (*for_each_)(const void*, const Visit&);
};

}  // namespace nftlink::model
