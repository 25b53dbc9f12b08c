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

// Nothing when this kernel can't do what the policy asks for; the report says why then.
std::optional<reconcile::Target> make_target(kernel::Kernel& kernel, const config::Config& config, Report& report) {
    const auto facts = reconcile::host_facts(kernel, config.firewall);
    if (!facts) {
        report.fail(facts.error());
        return {};
    }
    if (!facts->bridge_names)
        report.warn(
            "this kernel has no nft_meta_bridge: the rules go by the bridges' ports as they are now; a port that comes "
            "later needs another apply, or nftlinkd, which follows them");
    return reconcile::make_target(config.topology, config.firewall, *facts);
}

}  // namespace

// The script is for this kernel where that matters and can be known; else for one that has everything.
int render(const Request& request, Report& report) {
    const auto config = load(request, report);
    if (!config)
        return failed;
    firewall::HostFacts facts;
    if (config->firewall.family == model::Family::bridge) {
        const auto kernel = kernel::make_netlink_kernel();
        const auto found = reconcile::host_facts(*kernel, config->firewall);
        if (found)
            facts = *found;
        else
            report.warn("the script is for another kernel than this one: " + found.error());
        if (!facts.bridge_names)
            report.warn("this kernel has no nft_meta_bridge: the script goes by the bridges' ports as they are now");
    }
    const auto want = firewall::compile(config->topology, config->firewall, facts);
    std::vector<std::string> left_out;
    if (request.json)
        report.replace_record(firewall::render_json(want, left_out));
    else
        report.print(firewall::render(want, left_out));
    for (const std::string& rule : left_out)
        report.warn("left out, since nft has no words for it (nftlink apply writes it): " + rule);
    if (!left_out.empty())
        report.warn(
            "loaded as it is, the script accepts less than the configuration asks for, and may drop replies and "
            "IPv6 neighbour discovery: run nftlink apply after it");
    if (!want.attached.empty())
        report.warn(
            "the rules for other programs' chains are inserted on top of them each time the script is loaded; "
            "nftlink apply or clear takes the surplus away");
    return done;
}

int plan(const Request& request, Report& report) {
    const auto config = load(request, report);
    if (!config)
        return failed;
    const auto kernel = kernel::make_netlink_kernel();
    const auto target = make_target(*kernel, *config, report);
    if (!target)
        return failed;
    const auto planned = reconcile::plan(*kernel, *target);
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
    const auto target = make_target(*kernel, *config, report);
    if (!target)
        return failed;
    const auto outcome = reconcile::apply(*kernel, *target);
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
