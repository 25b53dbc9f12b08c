// What the kernel suites have in common.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "namespace.hpp"
#include "nftlink/enforce/plan.hpp"
#include "nftlink/kernel/netlink_kernel.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::test {

extern std::optional<std::string> why_not_isolated;

// A fresh host for every case, and the real kernel in it.
class KernelTest : public testing::Test {
protected:
    void SetUp() override {
        if (why_not_isolated)
            GTEST_SKIP() << *why_not_isolated;
        host_.emplace();
        inside_.emplace(*host_);
        kernel_ = kernel::make_netlink_kernel();
    }

    const Namespace& host() const { return *host_; }
    kernel::Kernel& kernel() { return *kernel_; }

private:
    std::optional<Namespace> host_;
    std::optional<Inside> inside_;
    std::unique_ptr<kernel::Kernel> kernel_;
};

inline model::Container container(const std::string& name, const std::string& bridge,
                                  const std::vector<std::string>& addresses,
                                  const std::vector<std::string>& expose = {}, std::vector<model::Link> links = {}) {
    model::Container made;
    made.name = name;
    made.networks.push_back({bridge, {}});
    for (const std::string& address : addresses)
        made.networks.back().addresses.push_back(model::Address::parse(address).value());
    for (const std::string& text : expose) {
        const auto ports = model::parse_ports(text).value();
        made.expose.insert(made.expose.end(), ports.begin(), ports.end());
    }
    made.links = std::move(links);
    return made;
}

inline model::Topology topology(const std::vector<model::Container>& containers) {
    model::Topology made;
    for (const model::Container& one : containers)
        made.containers[one.name] = one;
    return made;
}

// For the kernel and the host that there are.
inline enforce::Target target_here(kernel::Kernel& kernel, const model::Topology& topology,
                                   const model::FirewallPolicy& policy) {
    const auto facts = enforce::host_facts(kernel, topology, policy, kernel.bridges());
    EXPECT_TRUE(facts) << facts.error();
    return enforce::make_target(topology, policy, *facts);
}

}  // namespace nftlink::test
