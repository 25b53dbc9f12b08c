#include "running_service.hpp"

#include <fmt/format.h>

#include "nftlink/api/answers.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/kernel/instance.hpp"
#include "printable.hpp"
#include "service.hpp"

namespace nftlink::cli {

namespace json = boost::json;

std::optional<std::string> running_service() {
    const auto process = kernel::running_instance();
    if (!process)
        return {};
    return *process == 0 ? "nftlinkd" : fmt::format("nftlinkd (pid {})", *process);
}

namespace {

// Says that the configuration has no such container; `but` goes on with the sentence.
void no_container(const Request& request, const config::Config& config, Report& report, std::string_view but) {
    base::Suggestion suggestion(request.container);
    for (const auto& [name, container] : config.topology.containers)
        suggestion.offer(name);
    report.fail(fmt::format("there is no container {} in {}{}{}", base::quote(request.container), request.file, but,
                            suggestion.to_string()));
}

// The service's answer about the container that is asked for; nothing, with errors, when it can't.
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
    const auto answer = ask_about(request, config, "env" + query, report);
    if (!answer)
        return {};
    const auto record = read_printable<api::Environment>(*answer);
    std::vector<linkenv::Variable> variables;
    for (const auto& [name, value] : record.variables)
        if (value.is_string())
            variables.push_back({std::string(name), std::string(value.get_string())});
    pass_on(record.warnings, report);
    return variables;
}

std::optional<std::string> service_hosts(const Request& request, const config::Config& config, Report& report) {
    const bool is_docker = request.hosts_format == linkenv::HostsFormat::docker;
    const auto record = ask_about(request, config, is_docker ? "hosts?format=docker" : "hosts", report);
    return record ? std::optional(api::read<api::Hosts>(*record).hosts) : std::nullopt;
}

}  // namespace nftlink::cli
