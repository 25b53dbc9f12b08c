#include "service_verbs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "nftlink/api/answers.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/model/topology.hpp"
#include "printable.hpp"
#include "service.hpp"
#include "status_text.hpp"
#include "words.hpp"

namespace nftlink::cli {

namespace json = boost::json;

namespace {

std::string link_target(const Request& request) {
    return fmt::format("/v1/links/{}/{}", segment(request.parent), segment(request.alias));
}

// The fate of what was put there.
std::string outcome(const Reply& reply, const char* otherwise) {
    constexpr unsigned created = 201;
    if (!api::read<api::Changed>(reply.record).changed)
        return "is there already";
    return reply.status == created ? "added" : otherwise;
}

int tell_change(const std::string& what, const json::object& record, Report& report) {
    report.print(what + "\n");
    for (const std::string& link : read_printable<api::Changed>(record).ended_links)
        report.print(link + ": ended\n");
    take_over(record, report);
    return done;
}

// True when they all are names; says which isn't.
bool are_names(std::initializer_list<std::string_view> words, Report& report) {
    const auto* wrong = std::ranges::find_if_not(words, model::is_name);
    if (wrong == words.end())
        return true;
    report.fail(
        fmt::format("{} is not a valid name: a name starts with a letter or digit, goes on with letters, digits, '_', "
                    "'.' and '-', and has at most 64 characters",
                    base::quote(*wrong)));
    return false;
}

}  // namespace

int status(const Request& request, Report& report) {
    const Answer answer = client_of(request).get("/v1/status");
    if (!answer)
        return refuse(answer.error(), report);
    const auto record = read_printable<api::Status>(answer->record);
    report.print(status_text(record, std::chrono::system_clock::now()));
    pass_on(record.warnings, report);
    take_over(answer->record, report);
    return done;
}

int list(const Request& request, Report& report) {
    const Answer answer = get_links(client_of(request));
    if (!answer)
        return refuse(answer.error(), report);
    const auto links = read_printable<api::Links>(answer->record).links;
    if (links.empty())
        report.note("nftlink: there are no links");
    else
        report.print(links_text(links));
    take_over(answer->record, report);
    return done;
}

int link(const Request& request, Report& report) {
    if (!are_names({request.parent, request.child, request.alias}, report))
        return wrong_usage;
    const Answer answer = client_of(request).change("PUT", link_target(request), {{"child", request.child}});
    if (!answer)
        return refuse(answer.error(), report);
    const std::string link = model::link_name(request.parent, request.alias);
    return tell_change(fmt::format("{}: {}", link, outcome(*answer, "changed")), answer->record, report);
}

int unlink(const Request& request, Report& report) {
    if (!are_names({request.parent, request.alias}, report))
        return wrong_usage;
    const Answer answer = client_of(request).change("DELETE", link_target(request));
    if (!answer)
        return refuse(answer.error(), report);
    return tell_change(model::link_name(request.parent, request.alias) + ": removed", answer->record, report);
}

int add(const Request& request, Report& report) {
    if (!are_names({request.container}, report))
        return wrong_usage;
    if (const auto fault = request.added.fault()) {
        report.fail(*fault);
        return wrong_usage;
    }
    const json::object record = request.added.record();
    const Answer answer = client_of(request).change("PUT", "/v1/containers/" + segment(request.container), record);
    if (!answer)
        return refuse(answer.error(), report, [&](const std::string& path) { return option_of(record, path); });
    return tell_change(fmt::format("{}: {}", request.container, outcome(*answer, "replaced")), answer->record, report);
}

int rm(const Request& request, Report& report) {
    if (!are_names({request.container}, report))
        return wrong_usage;
    const Answer answer = client_of(request).change("DELETE", "/v1/containers/" + segment(request.container));
    if (!answer)
        return refuse(answer.error(), report);
    return tell_change(request.container + ": removed", answer->record, report);
}

int reload(const Request& request, Report& report) {
    const Answer answer = client_of(request).change("POST", "/v1/reload");
    if (!answer)
        return refuse(answer.error(), report);
    const auto record = read_printable<api::Reloaded>(answer->record);
    // A service of before them has none.
    const bool have_places = !record.placed_warnings.empty() &&
                             std::ranges::none_of(record.placed_warnings, &std::string::empty, &api::Warning::message);
    for (const api::Warning& warning : record.placed_warnings)
        if (have_places)
            report.warn(to_error(warning));
    if (!have_places)
        pass_on(record.warnings, report);
    return tell_change(fmt::format("the configuration was read again: {}, hash {}",
                                   record.changed ? "changed" : "nothing changed", or_else(record.hash, "?")),
                       answer->record, report);
}

}  // namespace nftlink::cli
