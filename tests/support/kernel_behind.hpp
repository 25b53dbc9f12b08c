// A kernel behind another one, for tests and measurers that change one of its answers.
#pragma once

#include "nftlink/kernel/kernel.hpp"

namespace nftlink::test {

class KernelBehind : public kernel::Kernel {
public:
    explicit KernelBehind(kernel::Kernel& real) : real_(real) {}

    std::uint32_t generation() override { return real_.generation(); }
    nft::Ruleset snapshot(const kernel::TableFilter& wanted, kernel::Elements elements) override {
        return real_.snapshot(wanted, elements);
    }
    std::optional<nft::Element> element(nft::Family family, const std::string& table, const std::string& set,
                                        const nft::Key& key) override {
        return real_.element(family, table, set, key);
    }
    std::expected<kernel::Commit, kernel::Refusal> apply(const nft::Batch& batch,
                                                         std::optional<std::uint32_t> generation) override {
        return real_.apply(batch, generation);
    }
    std::optional<kernel::Change> next_change() override { return real_.next_change(); }
    int changes_descriptor() override { return real_.changes_descriptor(); }
    std::size_t batch_limit() override { return real_.batch_limit(); }
    std::optional<kernel::BridgeFamily> bridge_family() override { return real_.bridge_family(); }
    const kernel::Bridges& bridges(Look look) override { return real_.bridges(look); }
    int bridges_descriptor() override { return real_.bridges_descriptor(); }
    std::expected<void, std::string> enable_bridge_netfilter(const std::string& bridge,
                                                             kernel::BridgeNetfilter wanted) override {
        return real_.enable_bridge_netfilter(bridge, wanted);
    }

private:
    kernel::Kernel& real_;
};

}  // namespace nftlink::test
