#include "control_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <system_error>

#include "access.hpp"
#include "control_views.hpp"
#include "nftlink/base/clock.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/linkenv/environment.hpp"

namespace nftlink::service {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

http::Response respond(const json::object& record, unsigned status = 200) {
    return {.status = status, .body = json::serialize(record) + "\n"};
}

http::Response respond(const Faults& faults) {
    return respond(api::to_json(faults), faults.front().status);
}

http::Response respond(api::Fault fault) {
    return respond(Faults{std::move(fault)});
}

http::Response not_found(const std::string& message) {
    return respond(api::Fault{404, "not_found", message, ""});
}

std::vector<std::string_view> split(std::string_view pattern) {
    std::vector<std::string_view> segments;
    while (!pattern.empty()) {
        pattern.remove_prefix(1);
        const std::size_t end = std::min(pattern.find('/'), pattern.size());
        segments.push_back(pattern.substr(0, end));
        pattern.remove_prefix(end);
    }
    return segments;
}

bool matches(std::string_view pattern, const std::vector<std::string>& path) {
    const auto segments = split(pattern);
    return std::ranges::equal(segments, path, [](std::string_view expected, const std::string& found) {
        return expected.starts_with('{') || expected == found;
    });
}

json::object named(std::string_view what, const std::string& name) {
    return {{what, name}};
}

// The answer to a change: what was changed, under a name, beside what is always said.
http::Response respond(const std::expected<Changed, Faults>& changed, json::object record, bool created = false) {
    if (!changed)
        return respond(changed.error());
    record["changed"] = changed->anything;
    record["ended_links"] = json::array(changed->ended_links.begin(), changed->ended_links.end());
    record["generation"] = changed->generation;
    return respond(record, created && changed->anything ? 201 : 200);
}

}  // namespace

std::string error_body(unsigned status, const std::string& code, const std::string& message) {
    return json::serialize(api::to_json(Faults{{status, code, message, ""}})) + "\n";
}

std::span<const ControlApi::Route> ControlApi::routes() {
    static constexpr Route all[] = {
        {"GET", "/v1/status", false, &ControlApi::get_status},
        {"GET", "/v1/links", false, &ControlApi::get_links},
        {"PUT", "/v1/links/{parent}/{alias}", true, &ControlApi::put_link},
        {"DELETE", "/v1/links/{parent}/{alias}", true, &ControlApi::delete_link},
        {"GET", "/v1/containers", false, &ControlApi::get_containers},
        {"PUT", "/v1/containers/{name}", true, &ControlApi::put_container},
        {"DELETE", "/v1/containers/{name}", true, &ControlApi::delete_container},
        {"GET", "/v1/containers/{name}/env", false, &ControlApi::get_environment},
        {"GET", "/v1/containers/{name}/hosts", false, &ControlApi::get_hosts},
        {"POST", "/v1/transaction", true, &ControlApi::post_transaction},
        {"GET", "/v1/plan", false, &ControlApi::get_plan},
        {"POST", "/v1/reload", true, &ControlApi::post_reload},
        {"GET", "/v1/events", false, &ControlApi::get_events},
        {"GET", "/v1/openapi.json", false, &ControlApi::get_openapi},
        {"GET", "/metrics", false, &ControlApi::get_metrics},
    };
    return all;
}

asio::awaitable<http::Response> ControlApi::handle(http::Request request) {
    const Access access = access_of(request.peer, facts_.group, facts_.readers);
    if (access == Access::none)
        co_return respond(api::Fault{403, "not_allowed", "only root and the configured group may use this socket", ""});
    std::string methods;
    const Route* chosen = nullptr;
    for (const Route& route : routes())
        if (matches(route.pattern, request.path)) {
            methods += (methods.empty() ? "" : ", ") + std::string(route.method);
            if (route.method == request.method)
                chosen = &route;
        }
    if (methods.empty())
        co_return not_found("there is nothing here; /v1/openapi.json says what there is");
    if (chosen == nullptr) {
        http::Response response = respond(api::Fault{
            405, "method_not_allowed", fmt::format("{} is not possible here, but {}", request.method, methods), ""});
        response.allow = methods;
        co_return response;
    }
    if (chosen->writes && access != Access::write)
        co_return respond(api::Fault{403, "not_allowed",
                                     "you may read, but only root and the configured group may change things", ""});
    co_await let_events_pass();
    std::string failure;
    try {
        co_return co_await (this->*chosen->answer)(std::move(request));
    } catch (const std::system_error& error) {
        failure = error.what();
    }
    co_return respond(api::Fault{503, "kernel_refused", failure, ""});
}

// While there are changes of the ruleset that haven't been dealt with: a repair is worth more than an answer, and the
// answer is the truer for it. Not for ever, since others may never stop.
asio::awaitable<void> ControlApi::let_events_pass() {
    constexpr int max_turns = 3;
    const auto executor = co_await asio::this_coro::executor;
    for (int turn = 0; turn < max_turns && keeper_.kernel().generation() != keeper_.enforcer().generation(); ++turn)
        co_await asio::post(executor, asio::use_awaitable);
}

ControlApi::Answer ControlApi::get_status(http::Request) {
    keeper_.enforcer().bridges_changed(kernel::Kernel::Look::closely);  // some changes of a bridge send no message
    json::object status = status_record(keeper_);
    const auto uptime = std::chrono::system_clock::now() - facts_.started;
    status["started"] = base::timestamp(facts_.started);
    status["uptime_seconds"] = std::chrono::duration<double>(uptime).count();
    status["clients"] = facts_.client_count();
    co_return respond(status);
}

ControlApi::Answer ControlApi::get_links(http::Request) {
    co_return respond(links_record(keeper_));
}

ControlApi::Answer ControlApi::put_link(http::Request request) {
    const auto body = api::parse(request.body);
    if (!body)
        co_return respond(body.error());
    const api::LinkName name{request.path[2], request.path[3]};
    const auto put = api::read_link(name, *body);
    if (!put)
        co_return respond(put.error());
    const model::Container* parent = keeper_.desired().find(name.parent);
    const bool is_new =
        parent != nullptr && std::ranges::find(parent->links, name.alias, &model::Link::alias) == parent->links.end();
    api::Transaction transaction;
    transaction.put_links.push_back(*put);
    const auto changed = co_await keeper_.change(std::move(transaction));
    co_return respond(changed, named("link", model::link_name(name.parent, name.alias)), is_new);
}

ControlApi::Answer ControlApi::delete_link(http::Request request) {
    const api::LinkName name{request.path[2], request.path[3]};
    api::Transaction transaction;
    transaction.delete_links.push_back(name);
    const auto changed = co_await keeper_.change(std::move(transaction));
    co_return respond(changed, named("link", model::link_name(name.parent, name.alias)));
}

ControlApi::Answer ControlApi::get_containers(http::Request) {
    co_return respond(containers_record(keeper_.desired()));
}

ControlApi::Answer ControlApi::put_container(http::Request request) {
    auto body = api::parse(request.body);
    if (!body)
        co_return respond(body.error());
    if (!body->is_object())
        co_return respond(api::Fault{400, "malformed", "the body must be an object: a container's record", ""});
    const std::string name = request.path[2];
    const bool is_new = !keeper_.desired().is_stated(name);
    api::Transaction transaction;
    transaction.put_containers.push_back({name, std::move(*body), ""});
    const auto changed = co_await keeper_.change(std::move(transaction));
    co_return respond(changed, named("container", name), is_new);
}

ControlApi::Answer ControlApi::delete_container(http::Request request) {
    api::Transaction transaction;
    transaction.delete_containers.push_back(request.path[2]);
    const auto changed = co_await keeper_.change(std::move(transaction));
    co_return respond(changed, named("container", request.path[2]));
}

ControlApi::Answer ControlApi::get_environment(http::Request request) {
    const Desired& desired = keeper_.desired();
    const model::Container* container = desired.find(request.path[2]);
    if (container == nullptr)
        co_return not_found(fmt::format("there is no container {}", base::quote(request.path[2])));
    model::EnvironmentOptions options = desired.config().env;
    if (const auto word = request.query.find("dialect"); word != request.query.end()) {
        const auto dialect = model::parse_dialect(word->second);
        if (!dialect)
            co_return respond(api::Fault{400, "malformed", "dialect is docker-0.10, docker-27 or docker-28", ""});
        options.dialect = *dialect;
    }
    const auto environment = linkenv::environment(*container, desired.topology(), options);
    const auto word = request.query.find("format");
    if (word == request.query.end())
        co_return respond(environment_record(environment));
    const auto format = linkenv::parse_format(word->second);
    if (!format)
        co_return respond(api::Fault{400, "malformed", "format is env, shell, json or null", ""});
    const auto text = linkenv::format(environment.variables, *format);
    if (!text)
        co_return respond(api::Fault{422, "invalid", text.error(), ""});
    co_return http::Response{.type = *format == linkenv::Format::json ? "application/json" : "text/plain",
                             .body = *text};
}

ControlApi::Answer ControlApi::get_hosts(http::Request request) {
    const Desired& desired = keeper_.desired();
    const model::Container* container = desired.find(request.path[2]);
    if (container == nullptr)
        co_return not_found(fmt::format("there is no container {}", base::quote(request.path[2])));
    auto format = std::optional(linkenv::HostsFormat::hosts);
    if (const auto word = request.query.find("format"); word != request.query.end())
        format = linkenv::parse_hosts_format(word->second);
    if (!format)
        co_return respond(api::Fault{400, "malformed", "format is hosts or docker", ""});
    co_return respond(json::object{{"hosts", linkenv::hosts(*container, desired.topology(), *format)}});
}

ControlApi::Answer ControlApi::post_transaction(http::Request request) {
    const auto body = api::parse(request.body);
    if (!body)
        co_return respond(body.error());
    auto transaction = api::read_transaction(*body);
    if (!transaction)
        co_return respond(transaction.error());
    const auto changed = co_await keeper_.change(std::move(*transaction));
    co_return respond(changed, {});
}

ControlApi::Answer ControlApi::get_plan(http::Request) {
    Enforcer& enforcer = keeper_.enforcer();
    const reconcile::Target& target = enforcer.target();
    reconcile::Means means = enforcer.means();
    means.bridges = nullptr;  // as they are now
    const auto plan = reconcile::plan(keeper_.kernel(), target, means);
    if (!plan)
        co_return respond(api::Fault{503, "kernel_refused", plan.error(), ""});
    co_return respond(plan_record(*plan, target.bridges));
}

ControlApi::Answer ControlApi::post_reload(http::Request) {
    const auto changed = co_await keeper_.reload();
    json::object record = named("hash", keeper_.desired().files().hash);
    if (changed)
        record["warnings"] = json::array(changed->warnings.begin(), changed->warnings.end());
    co_return respond(changed, std::move(record));
}

ControlApi::Answer ControlApi::get_events(http::Request) {
    co_return http::Response{.type = "application/x-ndjson", .stream = keeper_.events().subscribe()};
}

ControlApi::Answer ControlApi::get_metrics(http::Request) {
    keeper_.enforcer().bridges_changed(kernel::Kernel::Look::closely);
    const config::Loaded& files = keeper_.desired().files();
    const Reading reading{.links = keeper_.links(),
                          .counted = files.config.firewall.counters == model::Counters::links,
                          .bridges = keeper_.enforcer().bridges(),
                          .hash = files.hash,
                          .started = facts_.started,
                          .clients = facts_.client_count(),
                          .in_force = keeper_.enforcer().in_force(),
                          .waiting = keeper_.desired().waiting().size(),
                          .engine = keeper_.engine()};
    co_return http::Response{.type = "text/plain; version=0.0.4; charset=utf-8",
                             .body = prometheus_text(keeper_.counts(), reading)};
}

ControlApi::Answer ControlApi::get_openapi(http::Request) {
    co_return http::Response{.body = std::string(openapi_text)};
}

}  // namespace nftlink::service
