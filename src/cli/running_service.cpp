// The verbs that work alone, while a service is running.
#include <fmt/format.h>

#include "configuration.hpp"
#include "fields.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/kernel/instance.hpp"
#include "service.hpp"

namespace nftlink::cli {

namespace json = boost::json;

std::optional<std::string> running_service() {
    const auto process = kernel::running_instance();
    if (!process)
        return {};
    return *process == 0 ? "nftlinkd" : fmt::format("nftlinkd (pid {})", *process);
}

int no_container(const Request& request, const config::Config& config, Report& report, std::string_view but) {
    base::Suggestion suggestion(request.container);
    for (const auto& [name, container] : config.topology.containers)
        suggestion.offer(name);
    return report.fail(fmt::format("there is no container {} in {}{}{}", base::quote(request.container), request.file,
                                   but, suggestion.to_string()));
}

namespace {

// What the service answers about the container that is asked for; nothing, with errors, when it can't.
std::optional<json::object> ask_about(const Request& request, const config::Config& config, const std::string& what,
                                      Report& report) {
    Answer answer = client_of(request).get(fmt::format("/v1/containers/{}/{}", segment(request.container), what));
    if (answer)
        return std::move(answer->record);
    const api::Fault& fault = answer.error().front();
    no_container(request, config, report,
                 fault.code == api::Code::not_found ? ", nor does the running nftlinkd know one" : "");
    if (fault.code != api::Code::not_found && fault.code != api::Code::no_service)
        refuse(answer.error(), report);
    return {};
}

}  // namespace

std::optional<std::vector<linkenv::Variable>> service_variables(const Request& request, const config::Config& config,
                                                                Report& report) {
    const std::string query =
        request.dialect ? fmt::format("?dialect={}", model::to_string(*request.dialect)) : std::string();
    const auto record = ask_about(request, config, "env" + query, report);
    if (!record)
        return {};
    std::vector<linkenv::Variable> variables;
    if (const json::value* found = record->if_contains("variables"); found != nullptr && found->is_object())
        for (const auto& variable : found->get_object())
            if (variable.value().is_string())
                variables.push_back({std::string(variable.key()), std::string(variable.value().get_string())});
    for (const std::string& warning : Fields(*record).texts("warnings"))
        report.warn(to_error(warning));
    return variables;
}

std::optional<std::string> service_hosts(const Request& request, const config::Config& config, Report& report) {
    const bool is_docker = request.hosts_format == linkenv::HostsFormat::docker;
    const auto record = ask_about(request, config, is_docker ? "hosts?format=docker" : "hosts", report);
    if (!record)
        return {};
    // Not by Fields, which make one line of it.
    const json::value* lines = record->if_contains("hosts");
    return lines != nullptr && lines->is_string() ? std::string(lines->get_string()) : std::string();
}

}  // namespace nftlink::cli
