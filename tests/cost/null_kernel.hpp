// A kernel that says yes to everything and keeps nothing: what is counted is our own work.
#pragma once

#include <sys/eventfd.h>

#include "nftlink/base/unique_fd.hpp"
#include "nftlink/kernel/kernel.hpp"

namespace nftlink::cost {

class NullKernel final : public kernel::Kernel {
public:
    std::uint32_t generation() override { return generation_; }
    nft::Ruleset snapshot(const kernel::TableFilter&, kernel::Elements) override { return {{}, generation_}; }
    std::optional<nft::Element> element(nft::Family, const std::string&, const std::string&, const nft::Key&) override {
        return {};
    }
    // Written as for the real one.
    std::expected<kernel::Commit, kernel::Refusal> apply(const nft::Batch& batch,
                                                         std::optional<std::uint32_t>) override {
        nft::encode(batch, 1, {}, datagram_);
        return kernel::Commit{++generation_};
    }
    std::optional<kernel::Change> next_change() override { return {}; }
    int changes_descriptor() override { return changes_.get(); }
    std::size_t batch_limit() override { return std::size_t{1} << 24; }
    std::optional<kernel::BridgeFamily> bridge_family() override { return kernel::BridgeFamily{true, true}; }
    const kernel::Bridges& bridges(Look) override { return bridges_; }
    int bridges_descriptor() override { return links_.get(); }
    std::expected<void, std::string> enable_bridge_netfilter(const std::string&, kernel::BridgeNetfilter) override {
        return {};
    }

private:
    std::uint32_t generation_ = 1;
    kernel::Bridges bridges_{{{"docker0", 3, {true, true}}}, true, {}};
    nft::Datagram datagram_;
    // Never readable.
    base::UniqueFd changes_{eventfd(0, EFD_CLOEXEC)}, links_{eventfd(0, EFD_CLOEXEC)};
};

}  // namespace nftlink::cost
