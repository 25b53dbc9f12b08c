#include "metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace nftlink::service {

namespace {

double seconds(std::chrono::system_clock::time_point time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// One metric's lines. Label values are names and UUIDs: nothing in them needs escaping.
class Metric {
public:
    Metric(std::string& text, std::string name, std::string_view type, std::string_view help)
        : text_(text), name_(std::move(name)) {
        fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name_, help, type);
    }
    void add(const std::string& labels, auto value) {
        const std::string braces = labels.empty() ? "" : "{" + labels + "}";
        fmt::format_to(std::back_inserter(text_), "{}{} {}\n", name_, braces, value);
    }

private:
    std::string& text_;
    std::string name_;
};

void add_single(std::string& text, std::string name, std::string_view type, std::string_view help, auto value) {
    Metric(text, std::move(name), type, help).add("", value);
}

std::string labels(const firewall::LinkCount& link) {
    return fmt::format("link=\"{}\",parent=\"{}\",child=\"{}\",alias=\"{}\"",
                       model::link_name(link.parent, link.link.alias), link.parent, link.link.child, link.link.alias);
}

void add_links(std::string& text, const Reading& reading) {
    if (reading.counted) {
        Metric packets(text, "nftlink_link_packets_total", "counter", "Packets from parent to child.");
        for (const firewall::LinkCount& link : reading.links)
            packets.add(labels(link), link.packets);
        Metric bytes(text, "nftlink_link_bytes_total", "counter", "Bytes from parent to child.");
        for (const firewall::LinkCount& link : reading.links)
            bytes.add(labels(link), link.bytes);
    }
    add_single(text, "nftlink_links_desired", "gauge", "Links there should be.", reading.links.size());
    add_single(text, "nftlink_links_installed", "gauge", "Links whose rules are all in the kernel.",
               std::ranges::count(reading.links, true, &firewall::LinkCount::installed));
}

}  // namespace

void Histogram::add(std::chrono::nanoseconds duration) {
    const double value = std::chrono::duration<double>(duration).count();
    for (std::size_t i = 0; i < bounds.size(); ++i)
        counts_[i] += value <= bounds[i] ? 1U : 0U;
    ++count_;
    sum_ += value;
}

std::string Histogram::to_text(const std::string& name) const {
    std::string text;
    for (std::size_t i = 0; i < bounds.size(); ++i)
        text += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, bounds[i], counts_[i]);
    return text + fmt::format("{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, count_, sum_);
}

std::string prometheus_text(const Counts& counts, const Reading& reading) {
    std::string text;
    Metric(text, "nftlink_build_info", "gauge", "The version, as a label.")
        .add(fmt::format("version=\"{}\"", NFTLINK_VERSION), 1);
    Metric(text, "nftlink_configuration_info", "gauge", "The configuration in force, its hash as a label.")
        .add(fmt::format("hash=\"{}\"", reading.hash), 1);
    add_single(text, "nftlink_start_time_seconds", "gauge", "When the service was started, in Unix time.",
               seconds(reading.started));
    add_links(text, reading);
    Metric enforced(text, "nftlink_bridge_enforced", "gauge", "Whether the bridge's policy is enforced.");
    for (const enforce::BridgeState& bridge : reading.bridges)
        enforced.add(fmt::format("bridge=\"{}\"", bridge.bridge), bridge.enforced ? 1 : 0);
    add_single(text, "nftlink_in_force", "gauge", "Whether the kernel was made to match the last time.",
               reading.in_force ? 1 : 0);
    add_single(text, "nftlink_heals_total", "counter", "Changes of others to our rules that were repaired.",
               counts.heals);
    add_single(text, "nftlink_refused_changes_total", "counter", "Changes refused by the kernel or the disk.",
               counts.refused_changes);
    Metric(text, "nftlink_apply_duration_seconds", "histogram", "Reading, comparing and changing the ruleset.");
    text += counts.apply.to_text("nftlink_apply_duration_seconds");
    if (counts.last_success)
        add_single(text, "nftlink_last_success_timestamp_seconds", "gauge",
                   "When the kernel was last made to match, in Unix time.", seconds(*counts.last_success));
    if (reading.engine != nullptr) {
        Metric(text, "nftlink_source_connected", "gauge", "Whether the container engine is being followed.")
            .add("source=\"docker\"", reading.engine->connected ? 1 : 0);
        add_single(text, "nftlink_links_waiting", "gauge", "Links one side of which isn't there yet.", reading.waiting);
    }
    add_single(text, "nftlink_clients", "gauge", "Connections to the control socket.", reading.clients);
    return text;
}

}  // namespace nftlink::service
