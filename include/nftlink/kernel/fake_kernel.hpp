// A kernel in memory, with the real one's semantics: copy, apply all, swap.
#pragma once

#include <array>
#include <memory>

#include "nftlink/base/unique_fd.hpp"
#include "nftlink/kernel/kernel.hpp"

namespace nftlink::kernel {

// Refuses what nf_tables refuses, with its errno: EEXIST, ENOENT, EBUSY (a chain jumped to, a set looked up), ENFILE (a
// full set), ERESTART as Reason::stale. Gives handles, counts generations.
class FakeKernel final : public Kernel {
public:
    FakeKernel();

    std::uint32_t generation() override { return ruleset_.generation; }
    nft::Ruleset snapshot(const TableFilter& wanted, Elements elements = Elements::read) override;
    std::optional<nft::Element> element(nft::Family family, const std::string& table, const std::string& set,
                                        const nft::Key& key) override;
    std::expected<Commit, Refusal> apply(const nft::Batch& batch,
                                         std::optional<std::uint32_t> expected_generation) override;
    // Says nothing of changes: tests hand them on themselves. The descriptors are never readable.
    std::optional<Change> next_change() override { return {}; }
    int changes_descriptor() override { return never_->at(0).get(); }
    std::size_t batch_limit() override { return limit; }
    std::optional<BridgeFamily> bridge_family() override { return family_state; }
    using Kernel::bridges;
    const Bridges& bridges(Look look) override;
    int bridges_descriptor() override { return never_->at(1).get(); }
    std::expected<void, std::string> enable_bridge_netfilter(const std::string& bridge,
                                                             BridgeNetfilter wanted) override;

    // Everything that is in it; tests may write to it as a foreign program would.
    nft::Ruleset& ruleset() { return ruleset_; }

    std::size_t limit = 1 << 24;
    Bridges bridge_state;  // in any order
    std::optional<BridgeFamily> family_state = BridgeFamily{true, true, true};
    // Called when a batch arrives, before its generation is looked at: where tests let another program in.
    std::function<void()> before_apply;

    // Asked at every call of these, if it is set; where it says yes, the call fails in its own way and does nothing:
    // snapshot() and bridges() throw EIO, apply() refuses with ENOMEM on its first operation, the others give an error.
    enum class Step { snapshot, apply, bridges, enable };
    std::function<bool(Step)> fails;

    std::size_t commit_count = 0;
    std::size_t element_reads = 0;  // snapshots that read the sets' elements too

private:
    bool fails_now(Step step) const { return fails && fails(step); }

    nft::Ruleset ruleset_;
    Bridges bridges_;
    std::uint64_t next_handle_ = 1;
    std::shared_ptr<std::array<base::UniqueFd, 2>> never_;
};

}  // namespace nftlink::kernel
