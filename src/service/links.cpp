#include "links.hpp"

#include <algorithm>

#include "nftlink/firewall/ownership.hpp"

namespace nftlink::service {

namespace {

// Many readers shall not keep the service from its work.
constexpr std::chrono::milliseconds counts_last{50};

}  // namespace

const std::vector<firewall::LinkCount>& LinkReader::read(const desired::State& state) {
    const auto now = std::chrono::steady_clock::now();
    const std::uint32_t generation = kernel_.generation();
    if (now - read_ > counts_last || generation_ != generation || files_ != &state.files() ||
        revision_ != state.revision()) {
        const firewall::Wanted& want = enforcer_.frame().want;
        const nft::Ruleset have = kernel_.snapshot([&](const nft::Table& table, const nft::Ruleset& listing) {
            return firewall::is_relevant(table, listing, want);
        });
        counts_ = firewall::link_counts(have, state.topology(), state.config().firewall);
        read_ = now;
        generation_ = have.generation;
        files_ = &state.files();
        revision_ = state.revision();
    }
    return counts_;
}

LinkReader::Totals LinkReader::count(const desired::State& state) {
    Totals totals;
    if (enforcer_.is_whole()) {
        for (const auto& [name, container] : state.topology().containers)
            totals.desired += container.links.size();
        totals.installed = totals.desired;
        return totals;
    }
    const auto& counts = read(state);
    totals.desired = counts.size();
    totals.installed = static_cast<std::size_t>(std::ranges::count(counts, true, &firewall::LinkCount::installed));
    return totals;
}

}  // namespace nftlink::service
