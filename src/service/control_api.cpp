#include "control_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <system_error>

#include "access.hpp"
#include "nftlink/base/clock.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/linkenv/environment.hpp"

namespace nftlink::service {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

using api::Code;

// HTTP's status for a refusal of the API.
unsigned status_of(Code code) {
    switch (code) {
        case Code::malformed:
            return 400;
        case Code::not_allowed:
            return 403;
        case Code::not_found:
            return 404;
        case Code::method_not_allowed:
            return 405;
        case Code::conflict:
            return 409;
        case Code::invalid:
            return 422;
        case Code::kernel_refused:
        case Code::not_stored:
            return 503;
        default:  // HTTP has its own, and the command none
            return 500;
    }
}

http::Response respond(const api::Record auto& record, unsigned status = 200) {
    return {.status = status, .body = api::to_text(record) + "\n"};
}

http::Response respond(const api::Faults& faults) {
    return {.status = status_of(faults.front().code), .body = api::to_text(faults) + "\n"};
}

http::Response respond(api::Fault fault) {
    return respond(api::Faults{std::move(fault)});
}

http::Response not_found(const std::string& message) {
    return respond(api::Fault{Code::not_found, message, ""});
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

// The answer to a change: `record` names what was changed, and gets what is always said.
template <api::Record T>
http::Response respond(const std::expected<Changed, api::Faults>& changed, T record, bool created = false) {
    if (!changed)
        return respond(changed.error());
    record.changed = changed->anything;
    record.ended_links = changed->ended_links;
    record.generation = changed->generation;
    return respond(record, created && changed->anything ? 201 : 200);
}

api::LinkChanged changed_link(const api::LinkName& name) {
    api::LinkChanged record;
    record.link = model::link_name(name.parent, name.alias);
    return record;
}

api::ContainerChanged changed_container(const std::string& name) {
    api::ContainerChanged record;
    record.container = name;
    return record;
}

}  // namespace

std::string error_body(unsigned, const std::string& code, const std::string& message) {
    return api::to_text(api::Faults{{api::parse_code(code), message, ""}}) + "\n";
}

ControlApi::ControlApi(const Parts& parts, Rights rights, std::function<std::size_t()> client_count)
    : parts_(parts),
      links_(parts.kernel, parts.enforcer),
      rights_(rights),
      client_count_(std::move(client_count)),
      started_(std::chrono::system_clock::now()) {}

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
    const Access access = access_of(request.peer, rights_.group, rights_.readers);
    if (access == Access::none)
        co_return respond(api::Fault{Code::not_allowed, "only root and the configured group may use this socket", ""});
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
            Code::method_not_allowed, fmt::format("{} is not possible here, but {}", request.method, methods), ""});
        response.allow = methods;
        co_return response;
    }
    if (chosen->writes && access != Access::write)
        co_return respond(api::Fault{Code::not_allowed,
                                     "you may read, but only root and the configured group may change things", ""});
    co_await let_events_pass();
    std::string failure;
    try {
        co_return co_await (this->*chosen->answer)(std::move(request));
    } catch (const std::system_error& error) {
        failure = error.what();
    }
    co_return respond(api::Fault{Code::kernel_refused, failure, ""});
}

// While there are changes of the ruleset that haven't been dealt with: a repair is worth more than an answer, and the
// answer is the truer for it. Not for ever, since others may never stop.
asio::awaitable<void> ControlApi::let_events_pass() {
    constexpr int max_turns = 3;
    const auto executor = co_await asio::this_coro::executor;
    for (int turn = 0; turn < max_turns && parts_.kernel.generation() != parts_.enforcer.generation(); ++turn)
        co_await asio::post(executor, asio::use_awaitable);
}

ControlApi::Answer ControlApi::get_status(http::Request) {
    parts_.repairs.look_closely();  // some changes of a bridge send no message
    api::Status status = status_record(parts_, links_);
    const auto uptime = std::chrono::system_clock::now() - started_;
    status.started = base::timestamp(started_);
    status.uptime_seconds = std::chrono::duration<double>(uptime).count();
    status.clients = client_count_();
    co_return respond(status);
}

ControlApi::Answer ControlApi::get_links(http::Request) {
    co_return respond(links_record(parts_, links_));
}

ControlApi::Answer ControlApi::put_link(http::Request request) {
    const auto body = api::parse(request.body);
    if (!body)
        co_return respond(body.error());
    const api::LinkName name{request.path[2], request.path[3]};
    const auto put = api::read_link(name, *body);
    if (!put)
        co_return respond(put.error());
    const model::Container* parent = parts_.state().find(name.parent);
    const bool is_new =
        parent != nullptr && std::ranges::find(parent->links, name.alias, &model::Link::alias) == parent->links.end();
    api::Transaction transaction;
    transaction.put_links.push_back(*put);
    const auto changed = co_await parts_.changes.change(std::move(transaction));
    co_return respond(changed, changed_link(name), is_new);
}

ControlApi::Answer ControlApi::delete_link(http::Request request) {
    const api::LinkName name{request.path[2], request.path[3]};
    api::Transaction transaction;
    transaction.delete_links.push_back(name);
    const auto changed = co_await parts_.changes.change(std::move(transaction));
    co_return respond(changed, changed_link(name));
}

ControlApi::Answer ControlApi::get_containers(http::Request) {
    co_return respond(containers_record(parts_.state()));
}

ControlApi::Answer ControlApi::put_container(http::Request request) {
    const auto body = api::parse(request.body);
    if (!body)
        co_return respond(body.error());
    if (!body->is_object())
        co_return respond(api::Fault{Code::malformed, "the body must be an object: a container's record", ""});
    const std::string name = request.path[2];
    const bool is_new = !parts_.state().is_stated(name);
    api::Transaction transaction;
    transaction.put_containers.push_back({name, std::move(request.body), ""});
    const auto changed = co_await parts_.changes.change(std::move(transaction));
    co_return respond(changed, changed_container(name), is_new);
}

ControlApi::Answer ControlApi::delete_container(http::Request request) {
    api::Transaction transaction;
    transaction.delete_containers.push_back(request.path[2]);
    const auto changed = co_await parts_.changes.change(std::move(transaction));
    co_return respond(changed, changed_container(request.path[2]));
}

ControlApi::Answer ControlApi::get_environment(http::Request request) {
    const desired::State& desired = parts_.state();
    const model::Container* container = desired.find(request.path[2]);
    if (container == nullptr)
        co_return not_found(fmt::format("there is no container {}", base::quote(request.path[2])));
    model::EnvironmentOptions options = desired.config().env;
    if (const auto word = request.query.find("dialect"); word != request.query.end()) {
        const auto dialect = model::parse_dialect(word->second);
        if (!dialect)
            co_return respond(api::Fault{Code::malformed, "dialect is docker-0.10, docker-27 or docker-28", ""});
        options.dialect = *dialect;
    }
    const auto environment = linkenv::environment(*container, desired.topology(), options);
    const auto word = request.query.find("format");
    if (word == request.query.end())
        co_return respond(environment_record(environment));
    const auto format = linkenv::parse_format(word->second);
    if (!format)
        co_return respond(api::Fault{Code::malformed, "format is env, shell, json or null", ""});
    const auto text = linkenv::format(environment.variables, *format);
    if (!text)
        co_return respond(api::Fault{Code::invalid, text.error(), ""});
    co_return http::Response{.type = *format == linkenv::Format::json ? "application/json" : "text/plain",
                             .body = *text};
}

ControlApi::Answer ControlApi::get_hosts(http::Request request) {
    const desired::State& desired = parts_.state();
    const model::Container* container = desired.find(request.path[2]);
    if (container == nullptr)
        co_return not_found(fmt::format("there is no container {}", base::quote(request.path[2])));
    auto format = std::optional(linkenv::HostsFormat::hosts);
    if (const auto word = request.query.find("format"); word != request.query.end())
        format = linkenv::parse_hosts_format(word->second);
    if (!format)
        co_return respond(api::Fault{Code::malformed, "format is hosts or docker", ""});
    co_return respond(api::Hosts{linkenv::hosts(*container, desired.topology(), *format)});
}

ControlApi::Answer ControlApi::post_transaction(http::Request request) {
    auto transaction = api::read_transaction(request.body);
    if (!transaction)
        co_return respond(transaction.error());
    const auto changed = co_await parts_.changes.change(std::move(*transaction));
    co_return respond(changed, api::Changed{});
}

ControlApi::Answer ControlApi::get_plan(http::Request) {
    enforce::Enforcer& enforcer = parts_.enforcer;
    const enforce::Target& target = enforcer.target();
    enforce::Means means = enforcer.means();
    means.bridges = nullptr;  // as they are now
    const auto plan = enforce::plan(parts_.kernel, target, means);
    if (!plan)
        co_return respond(api::Fault{Code::kernel_refused, plan.error(), ""});
    co_return respond(plan_record(*plan, target.bridges));
}

ControlApi::Answer ControlApi::post_reload(http::Request) {
    const auto changed = co_await parts_.changes.reload();
    api::Reloaded record;
    record.hash = parts_.state().files().hash;
    if (changed)
        for (const base::Error& warning : changed->warnings) {
            record.warnings.push_back(warning.to_string());
            record.placed_warnings.push_back(api::to_record(warning));
        }
    co_return respond(changed, std::move(record));
}

ControlApi::Answer ControlApi::get_events(http::Request) {
    co_return http::Response{.type = "application/x-ndjson", .stream = parts_.reporter.events().subscribe()};
}

ControlApi::Answer ControlApi::get_metrics(http::Request) {
    parts_.repairs.look_closely();
    const config::Loaded& files = parts_.state().files();
    const Reading reading{.links = links_.read(parts_.state()),
                          .counted = files.config.firewall.counters == model::Counters::links,
                          .bridges = parts_.enforcer.bridges(),
                          .hash = files.hash,
                          .started = started_,
                          .clients = client_count_(),
                          .in_force = parts_.enforcer.in_force(),
                          .waiting = parts_.state().waiting().size(),
                          .engine = parts_.engine.contact()};
    co_return http::Response{.type = "text/plain; version=0.0.4; charset=utf-8",
                             .body = prometheus_text(parts_.reporter.counts(), reading)};
}

ControlApi::Answer ControlApi::get_openapi(http::Request) {
    co_return http::Response{.body = std::string(openapi_text)};
}

}  // namespace nftlink::service
