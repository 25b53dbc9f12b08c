#include "service.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

#include "nftlink/config/load.hpp"
#include "trouble.hpp"

namespace nftlink::cli {

namespace json = boost::json;

Client client_of(const Request& request, int stop) {
    return Client(config::find_socket(request.file), stop);
}

Answer get_links(const Client& client) {
    Answer answer = client.get("/v1/links");
    const json::value* links = answer ? answer->record.if_contains("links") : nullptr;
    if (answer && (links == nullptr || !links->is_array()))
        return std::unexpected(Faults{client.trouble().not_understood("no list of links")});
    return answer;
}

std::string plain_field(const std::string& path) {
    return path.starts_with('/') ? path.substr(1) : path;
}

int refuse(const Faults& faults, Report& report, const FieldWords& field) {
    if (!faults.empty())
        report.record()["code"] = to_string(faults.front().code);
    for (const api::Fault& fault : faults) {
        const std::string where = fault.path.empty() ? "" : field(fault.path);
        report.fail(where.empty() ? to_error(fault) : base::Error{{}, where + ": " + fault.message});
    }
    return failed;
}

void take_over(const json::object& record, Report& report) {
    static constexpr std::string_view own[] = {"schema", "ok", "warnings", "placed_warnings", "errors"};
    for (const auto& field : record)
        if (std::ranges::find(own, std::string_view(field.key())) == std::end(own))
            report.record()[field.key()] = field.value();
}

void pass_on(const std::vector<std::string>& warnings, Report& report) {
    for (const std::string& warning : warnings)
        report.warn(warning);
}

}  // namespace nftlink::cli
