#include "bridge_family.hpp"

#include <algorithm>
#include <stdexcept>

#include "nftlink/nft/build.hpp"

namespace nftlink::kernel {

// One transaction with a rule of each kind, and at its end the deletion of a table that isn't there: it is refused
// whatever happens, and every operation that the kernel can't do is named in the refusal. A kernel that has the module
// loads it for this.
std::optional<BridgeFamily> probe_bridge_family(Kernel& kernel) {
    constexpr std::size_t names_rule = 2, conntrack_rule = 3, ports_rule = 4;
    constexpr auto family = nft::Family::bridge;
    const std::string table = "nftlink/probe";
    nft::Chain chain;
    chain.name = "probe";
    nft::Batch batch;
    batch.push_back({family, table, nft::AddTable{}});
    batch.push_back({family, table, nft::AddChain{chain}});
    batch.push_back({family, table, nft::AddRule{chain.name, nft::RuleBuilder(family).ibrname("probe").build(), 0}});
    batch.push_back(
        {family, table, nft::AddRule{chain.name, nft::RuleBuilder(family).established_or_related().build(), 0}});
    batch.push_back({family, table, nft::AddRule{chain.name, nft::RuleBuilder(family).iifname("probe").build(), 0}});
    batch.push_back({family, "nftlink/none", nft::DeleteTable{}});
    const auto applied = kernel.apply(batch, {});
    if (applied)
        throw std::logic_error("the kernel has deleted a table that is not there");
    if (applied.error().reason != Refusal::Reason::operations)
        return {};
    const auto is_refused = [&](std::size_t index) {
        return std::ranges::find(applied.error().operations, index, &RefusedOperation::index) !=
               applied.error().operations.end();
    };
    // No bridge family at all; or nft_meta_bridge, which knows ports too where it is built, can't be loaded.
    if (is_refused(0) || is_refused(1) || is_refused(ports_rule))
        return BridgeFamily{};
    return BridgeFamily{!is_refused(names_rule), !is_refused(conntrack_rule), true};
}

}  // namespace nftlink::kernel
