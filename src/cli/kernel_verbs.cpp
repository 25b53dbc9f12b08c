#include "configuration.hpp"
#include "nftlink/kernel/netlink_kernel.hpp"
#include "nftlink/nft/text.hpp"
#include "nftlink/reconcile/reconcile.hpp"

namespace nftlink::cli {

namespace {

// The change, as nft commands; switches are no business of nft's and stand as comments.
void describe(const reconcile::Plan& plan, std::uint32_t generation, Report& report) {
    boost::json::array changes, switches;
    for (const nft::Batch& batch : plan.transactions) {
        for (const nft::Operation& operation : batch) {
            const std::string command = nft::to_text(operation);
            report.print(command + "\n");
            changes.emplace_back(command);
        }
    }
    for (const reconcile::Switch& wanted : plan.switches) {
        report.print("# " + wanted.to_string() + "\n");
        switches.emplace_back(wanted.to_string());
    }
    for (const std::string& warning : plan.warnings)
        report.warn(warning);
    if (plan.empty())
        report.note("nftlink: nothing to do");
    report.record()["changes"] = std::move(changes);
    report.record()["bridge_netfilter"] = std::move(switches);
    report.record()["generation"] = generation;
}

}  // namespace

int plan(const Request& request, Report& report) {
    const auto config = load(request, report);
    if (!config)
        return failed;
    const auto kernel = kernel::make_netlink_kernel();
    const auto planned = reconcile::plan(*kernel, reconcile::make_target(config->topology, config->firewall));
    if (!planned)
        return report.fail(planned.error());
    describe(*planned, planned->generation, report);
    return planned->empty() ? done : different;
}

int apply(const Request& request, Report& report) {
    const auto config = load(request, report);
    if (!config)
        return failed;
    const auto kernel = kernel::make_netlink_kernel();
    const auto outcome = reconcile::apply(*kernel, reconcile::make_target(config->topology, config->firewall));
    if (!outcome)
        return report.fail(outcome.error());
    describe(outcome->done, outcome->generation, report);
    return done;
}

int clear(const Request&, Report& report) {
    const auto kernel = kernel::make_netlink_kernel();
    const auto removed = reconcile::clear(*kernel);
    if (!removed)
        return report.fail(removed.error());
    boost::json::array changes;
    for (const nft::Operation& operation : *removed)
        changes.emplace_back(nft::to_text(operation));
    report.print(nft::to_text(*removed));
    report.record()["changes"] = std::move(changes);
    report.record()["bridge_netfilter"] = boost::json::array();
    if (removed->empty())
        report.note("nftlink: nothing to remove");
    report.note("nftlink: bridge netfilter is left as it is");
    return done;
}

}  // namespace nftlink::cli
