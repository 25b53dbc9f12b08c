// The control API: what each route does.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http_server.hpp"
#include "keeper.hpp"

namespace nftlink::service {

// The OpenAPI description of all routes, as JSON text.
extern const std::string_view openapi_text;

// The body of an answer that is no 2xx.
std::string error_body(unsigned status, const std::string& code, const std::string& message);

class ControlApi {
public:
    struct Facts {
        std::optional<gid_t> group;  // that may write
        config::Readers readers = config::Readers::group;
        Time started;
        std::function<std::size_t()> client_count;
    };

    // The keeper must outlive it.
    ControlApi(Keeper& keeper, Facts facts) : keeper_(keeper), facts_(std::move(facts)) {}

    boost::asio::awaitable<Response> handle(Request request);

    // What it answers to, for the test that holds the description against it.
    struct Route {
        const char* method;
        const char* pattern;  // `/v1/links/{parent}/{alias}`
        bool writes;
        boost::asio::awaitable<Response> (ControlApi::*answer)(Request request);
    };
    static std::span<const Route> routes();

private:
    using Answer = boost::asio::awaitable<Response>;

    boost::asio::awaitable<void> let_events_pass();

    Answer get_status(Request request);
    Answer get_links(Request request);
    Answer put_link(Request request);
    Answer delete_link(Request request);
    Answer get_containers(Request request);
    Answer put_container(Request request);
    Answer delete_container(Request request);
    Answer get_environment(Request request);
    Answer get_hosts(Request request);
    Answer post_transaction(Request request);
    Answer get_plan(Request request);
    Answer post_reload(Request request);
    Answer get_events(Request request);
    Answer get_metrics(Request request);
    Answer get_openapi(Request request);

    Keeper& keeper_;
    Facts facts_;
};

}  // namespace nftlink::service
