// The verbs that are one request each.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "fields.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/model/topology.hpp"
#include "service.hpp"
#include "status_text.hpp"
#include "table.hpp"
#include "words.hpp"

namespace nftlink::cli {

namespace json = boost::json;

namespace {

std::string link_target(const Request& request) {
    return fmt::format("/v1/links/{}/{}", segment(request.parent), segment(request.alias));
}

void say_ended_links(const json::object& record, Report& report) {
    for (const std::string& link : Fields(record).texts("ended_links"))
        report.print(link + ": ended\n");
}

// What became of what was put there.
std::string outcome(const Reply& reply, const char* otherwise) {
    constexpr unsigned created = 201;
    if (!Fields(reply.record).flag("changed"))
        return "is there already";
    return reply.status == created ? "added" : otherwise;
}

// Whether they are names at all; says which isn't.
bool are_names(std::initializer_list<std::string_view> words, Report& report) {
    const auto* wrong = std::ranges::find_if_not(words, model::is_name);
    if (wrong == words.end())
        return true;
    report.fail(
        fmt::format("{} is no name: it starts with a letter or digit, goes on with letters, digits, '_', '.' and '-', "
                    "and has at most 64",
                    base::quote(*wrong)));
    return false;
}

}  // namespace

int status(const Request& request, Report& report) {
    const Answer answer = client_of(request).get("/v1/status");
    if (!answer)
        return refuse(answer.error(), report);
    report.print(status_text(answer->record, std::chrono::system_clock::now()));
    take_over(answer->record, report);
    return done;
}

int list(const Request& request, Report& report) {
    const Answer answer = get_links(client_of(request));
    if (!answer)
        return refuse(answer.error(), report);
    const json::array& links = Fields(answer->record).list("links");
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
    report.print(fmt::format("{}: {}\n", model::link_name(request.parent, request.alias), outcome(*answer, "changed")));
    take_over(answer->record, report);
    return done;
}

int unlink(const Request& request, Report& report) {
    if (!are_names({request.parent, request.alias}, report))
        return wrong_usage;
    const Answer answer = client_of(request).change("DELETE", link_target(request));
    if (!answer)
        return refuse(answer.error(), report);
    report.print(model::link_name(request.parent, request.alias) + ": removed\n");
    take_over(answer->record, report);
    return done;
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
    report.print(fmt::format("{}: {}\n", request.container, outcome(*answer, "replaced")));
    say_ended_links(answer->record, report);
    take_over(answer->record, report);
    return done;
}

int rm(const Request& request, Report& report) {
    if (!are_names({request.container}, report))
        return wrong_usage;
    const Answer answer = client_of(request).change("DELETE", "/v1/containers/" + segment(request.container));
    if (!answer)
        return refuse(answer.error(), report);
    report.print(request.container + ": removed\n");
    say_ended_links(answer->record, report);
    take_over(answer->record, report);
    return done;
}

int reload(const Request& request, Report& report) {
    const Answer answer = client_of(request).change("POST", "/v1/reload");
    if (!answer)
        return refuse(answer.error(), report);
    const Fields fields(answer->record);
    report.print(fmt::format("the configuration was read again: {}, hash {}\n",
                             fields.flag("changed") ? "changed" : "nothing changed", fields.text("hash", "?")));
    say_ended_links(answer->record, report);
    take_over(answer->record, report);
    return done;
}

}  // namespace nftlink::cli
