#include "service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>

#include "fields.hpp"
#include "trouble.hpp"

namespace nftlink::cli {

namespace json = boost::json;

namespace {

// Takes `NUMBER:` from the front; 0 when there is none.
std::size_t take_number(std::string_view& text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end == text.data() + text.size() || *end != ':')
        return 0;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return number;
}

}  // namespace

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

base::Error to_error(const std::string& message) {
    for (auto colon = message.find(':'); colon != std::string::npos; colon = message.find(':', colon + 1)) {
        std::string_view rest = std::string_view(message).substr(colon + 1);
        const std::size_t line = take_number(rest);
        const std::size_t column = line != 0 ? take_number(rest) : 0;
        if (column != 0 && rest.starts_with(' '))
            return {{message.substr(0, colon), line, column}, std::string(rest.substr(1))};
    }
    return {{}, message};
}

int refuse(const Faults& faults, Report& report, const FieldWords& field) {
    if (!faults.empty())
        report.record()["code"] = to_string(faults.front().code);
    for (const api::Fault& fault : faults) {
        const std::string where = fault.path.empty() ? "" : field(fault.path);
        report.fail(where.empty() ? to_error(fault.message) : base::Error{{}, where + ": " + fault.message});
    }
    return failed;
}

void take_over(const json::object& record, Report& report) {
    static constexpr std::string_view own[] = {"schema", "ok", "warnings", "errors"};
    for (const auto& field : record)
        if (std::ranges::find(own, std::string_view(field.key())) == std::end(own))
            report.record()[field.key()] = field.value();
    for (const std::string& warning : Fields(record).texts("warnings"))
        report.warn(to_error(warning));
}

}  // namespace nftlink::cli
