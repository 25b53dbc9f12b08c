#include "kernel_verbs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <thread>

#include "configuration.hpp"
#include "host.hpp"
#include "nftlink/config/load.hpp"
#include "nftlink/enforce/plan.hpp"
#include "nftlink/firewall/render.hpp"
#include "nftlink/kernel/netlink_kernel.hpp"
#include "nftlink/nft/text.hpp"
#include "running_service.hpp"

namespace nftlink::cli {

namespace {

// The change, as nft commands; switches are no business of nft's and stand as comments.
void describe(const enforce::Plan& plan, const enforce::Target& target, std::uint32_t generation, Report& report) {
    boost::json::array changes, switches;
    for (const nft::Batch& batch : plan.transactions) {
        for (const nft::Operation& operation : batch) {
            const std::string command = nft::to_text(operation);
            report.print(command + "\n");
            changes.emplace_back(command);
        }
    }
    for (const enforce::Switch& wanted : plan.switches) {
        report.print("# " + wanted.to_string() + "\n");
        switches.emplace_back(wanted.to_string());
    }
    for (const auto* warnings : {&plan.warnings, &plan.bridge_warnings})
        for (const std::string& warning : *warnings)
            report.warn(warning);
    say_left_open(target.bridges, report);
    if (plan.empty())
        report.note("nftlink: nothing to do");
    report.record()["changes"] = std::move(changes);
    report.record()["bridge_netfilter"] = std::move(switches);
    report.record()["generation"] = generation;
}

constexpr const char* patterns_are_of_now =
    "the patterns in 'bridges' match the bridges that exist now: run this again when others have come, or let nftlinkd "
    "follow them";

// Nothing when this kernel can't do what the policy asks for; the report says why then.
std::optional<enforce::Target> make_target(kernel::Kernel& kernel, const config::Config& config, Report& report) {
    const auto facts = enforce::host_facts(kernel, config.topology, config.firewall, kernel.bridges());
    if (!facts) {
        report.fail(facts.error());
        return {};
    }
    if (!config.firewall.bridge_patterns.empty())
        report.warn(std::string(patterns_are_of_now));
    return enforce::make_target(config.topology, config.firewall, *facts);
}

enforce::Strangers strangers(const Request& request) {
    return request.force ? enforce::Strangers::remove : enforce::Strangers::refuse;
}

// The name by which a table without our mark is known: the configured one; the default one where the configuration
// can't be read.
std::string table_name(const Request& request, Report& report) {
    const auto loaded = config::load(request.file);
    if (loaded)
        return loaded->config.firewall.table;
    std::string name = model::FirewallPolicy{}.table;
    report.note(fmt::format("nftlink: {} can't be read: looking for tables with nftlink's mark, and tables called {}",
                            request.file, name));
    return name;
}

// Leaving the bridge family takes two parts with a pause between them; described they are one.
std::expected<enforce::Outcome, std::string> apply_in_parts(kernel::Kernel& kernel, const enforce::Target& target,
                                                            const enforce::Means& means) {
    auto outcome = enforce::apply(kernel, target, means);
    std::vector<nft::Batch> transactions;
    std::vector<enforce::Switch> switches;
    while (outcome && outcome->again_in.count() > 0) {
        std::ranges::move(outcome->done.transactions, std::back_inserter(transactions));
        std::ranges::move(outcome->done.switches, std::back_inserter(switches));
        std::this_thread::sleep_for(outcome->again_in);
        outcome = enforce::apply(kernel, target, means);
    }
    if (!outcome)
        return outcome;
    auto& done = outcome->done;
    done.transactions.insert(done.transactions.begin(), transactions.begin(), transactions.end());
    done.switches.insert(done.switches.begin(), switches.begin(), switches.end());
    return outcome;
}

// The script is for this kernel where that can be known; else for one that has everything. Patterns stand for the
// bridges of this host.
firewall::HostFacts facts_for_script(const config::Config& config, Report& report) {
    const model::FirewallPolicy& policy = config.firewall;
    if (!policy.bridge_patterns.empty())
        report.warn(std::string(patterns_are_of_now));
    const auto kernel = kernel::make_netlink_kernel();
    const kernel::Bridges bridges = kernel->bridges();
    const auto found = enforce::host_facts(*kernel, config.topology, policy, bridges);
    if (found && policy.may_close_other_frames() && !kernel->bridge_family())
        report.warn(
            "only root can find out whether this kernel supports meta ibrname: the script is written as if it did");
    if (found && found->frames == firewall::Frames::by_port)
        report.warn(
            "this kernel doesn't support meta ibrname: the script drops other frames by the ports that the bridges "
            "have now; "
            "run nftlinkd to follow their changes");
    if (found)
        return *found;
    report.warn("this kernel can't load the script: " + found.error());
    return {.bridges = enforce::bridges_by_pattern(bridges, policy)};
}

}  // namespace

int render(const Request& request, Report& report) {
    auto loaded = load(request, report);
    if (!loaded)
        return failed;
    say_warnings(*loaded, report);
    add_engine_containers(*loaded, report, EngineGone::warned);
    const config::Config* const config = &loaded->config;
    const auto want = firewall::compile(config->topology, config->firewall, facts_for_script(*config, report));
    std::vector<std::string> left_out;
    if (request.json)
        report.replace_record(firewall::render_json(want, left_out));
    else
        report.print(firewall::render(want, left_out));
    for (const std::string& rule : left_out)
        report.warn("left out, since nft's syntax can't express it (nftlink apply writes it): " + rule);
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
    auto loaded = load(request, report);
    if (!loaded)
        return failed;
    say_warnings(*loaded, report);
    enforce::Means means;
    if (const auto service = running_service()) {
        means = {.strangers = enforce::Strangers::leave, .marks = true};
        report.note(
            fmt::format("nftlink: {} is running: these are the changes that nftlink reload would make", *service));
        if (!add_stored_containers(*loaded, report))
            return failed;
    }
    if (!add_engine_containers(*loaded, report))
        return failed;
    const auto kernel = kernel::make_netlink_kernel();
    const auto target = make_target(*kernel, loaded->config, report);
    if (!target)
        return failed;
    const auto planned = enforce::plan(*kernel, *target, means);
    if (!planned)
        return report.fail(planned.error());
    describe(*planned, *target, planned->generation, report);
    return planned->empty() ? done : different;
}

int apply(const Request& request, Report& report) {
    if (const auto service = running_service())
        return report.fail(fmt::format(
            "{} is running and keeps the ruleset by itself: use nftlink reload to apply the configuration", *service));
    auto loaded = load(request, report);
    if (!loaded)
        return failed;
    say_warnings(*loaded, report);
    if (!add_engine_containers(*loaded, report))
        return failed;
    const auto kernel = kernel::make_netlink_kernel();
    const auto target = make_target(*kernel, loaded->config, report);
    if (!target)
        return failed;
    const auto outcome = apply_in_parts(*kernel, *target, {.strangers = strangers(request)});
    if (!outcome)
        return report.fail(outcome.error());
    describe(outcome->done, *target, outcome->generation, report);
    return done;
}

int clear(const Request& request, Report& report) {
    if (const auto service = running_service())
        return report.fail(fmt::format(
            "{} is running and would put back at once what is removed: stop it first with systemctl stop nftlinkd",
            *service));
    const auto kernel = kernel::make_netlink_kernel();
    const auto cleared = enforce::clear(*kernel, table_name(request, report), strangers(request));
    if (!cleared)
        return report.fail(cleared.error());
    boost::json::array changes;
    for (const nft::Operation& operation : cleared->batch)
        changes.emplace_back(nft::to_text(operation));
    report.print(nft::to_text(cleared->batch));
    report.record()["changes"] = std::move(changes);
    report.record()["bridge_netfilter"] = boost::json::array();
    if (cleared->batch.empty())
        report.note("nftlink: nothing to remove");
    report.note("nftlink: bridge netfilter is left as it is");
    return done;
}

}  // namespace nftlink::cli
