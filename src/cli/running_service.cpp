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

std::optional<std::vector<linkenv::Variable>> service_variables(const Request& request, const config::Config& config,
                                                                Report& report) {
    constexpr unsigned not_found = 404;
    std::string target = fmt::format("/v1/containers/{}/env", segment(request.container));
    if (request.dialect)
        target += fmt::format("?dialect={}", model::to_string(*request.dialect));
    const Answer answer = client_of(request).get(target);
    if (!answer) {
        const api::Fault& fault = answer.error().front();
        no_container(request, config, report,
                     fault.status == not_found ? ", nor does the running nftlinkd know one" : "");
        if (fault.status != not_found && fault.code != "no_service")
            refuse(answer.error(), report);
        return {};
    }
    std::vector<linkenv::Variable> variables;
    if (const json::value* found = answer->record.if_contains("variables"); found != nullptr && found->is_object())
        for (const auto& variable : found->get_object())
            if (variable.value().is_string())
                variables.push_back({std::string(variable.key()), std::string(variable.value().get_string())});
    for (const std::string& warning : Fields(answer->record).texts("warnings"))
        report.warn(to_error(warning));
    return variables;
}

}  // namespace nftlink::cli
