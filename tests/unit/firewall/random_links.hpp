// Random policies and topologies, for tests.
#pragma once

#include <fmt/format.h>

#include <random>

#include "topologies.hpp"

namespace nftlink::firewall {

class Random {
public:
    explicit Random(unsigned seed) : generator_(seed) {}

    unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(generator_); }
    bool chance() { return below(2) == 0; }

    model::FirewallPolicy policy() {
        model::FirewallPolicy made;
        made.family = pick({model::Family::inet, model::Family::ip, model::Family::bridge});
        made.layout = chance() ? model::Layout::sets : model::Layout::rules;
        made.replies = chance() ? model::Replies::established : model::Replies::source_port;
        made.counters = pick({model::Counters::none, model::Counters::bridges, model::Counters::links});
        made.log_drops = chance();
        made.priority = static_cast<std::int32_t>(below(2));
        made.table = chance() ? "nftlink" : "links";
        if (chance())
            made.accept_mark = below(3) + 1;
        for (const char* bridge : {"br0", "br1"})
            if (chance())
                made.bridges[bridge] = {chance() ? model::Icc::deny : model::Icc::allow,
                                        made.layout == model::Layout::rules && chance(),
                                        pick({model::Routed::deny, model::Routed::published, model::Routed::allow}),
                                        chance() ? std::optional(model::OtherFrames::allow) : std::nullopt};
        return made;
    }

    // Links between the same two containers have the same name, unless they are `renamed`.
    model::Topology topology(unsigned most_ports = 150, bool renamed = true) {
        model::Topology made;
        const unsigned count = below(8);
        for (unsigned number = 0; number < count; ++number) {
            auto one = container(fmt::format("c{}", number), {}, {});
            for (unsigned bridge = 0; bridge < 2; ++bridge)
                if (chance())
                    one.networks.push_back(on(
                        fmt::format("br{}", bridge),
                        {fmt::format("10.{}.0.{}", bridge, number + 1), fmt::format("fd0{}::{}", bridge, number + 1)}));
            one.expose = model::parse_ports(fmt::format("{}-{}", 80, 80 + below(most_ports))).value();
            for (unsigned child = 0; child < count; ++child)
                if (below(3) == 0 && child != number)
                    one.links.push_back({fmt::format("c{}", child), fmt::format("a{}", renamed ? below(1000) : child)});
            made.containers[one.name] = std::move(one);
        }
        return made;
    }

private:
    template <typename T>
    T pick(std::initializer_list<T> choices) {
        return *(choices.begin() + below(static_cast<unsigned>(choices.size())));
    }

    std::mt19937 generator_;
};

}  // namespace nftlink::firewall
