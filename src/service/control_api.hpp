// The control API: what each route does.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "control_views.hpp"
#include "nftlink/http/message.hpp"

namespace nftlink::service {

// The OpenAPI description of all routes, as JSON text.
extern const std::string_view openapi_text;

// The body of a refusal by HTTP itself.
std::string error_body(unsigned status, const std::string& code, const std::string& message);

class ControlApi {
public:
    using Parts = ControlParts;

    struct Rights {
        std::optional<gid_t> group;  // whose members may write
        config::Readers readers = config::Readers::group;
    };

    // All must outlive it.
    ControlApi(const Parts& parts, Rights rights, std::function<std::size_t()> client_count);

    const Rights& rights() const { return rights_; }
    boost::asio::awaitable<http::Response> handle(http::Request request);

    // The routes that it answers to, for the test that holds the description against it.
    struct Route {
        const char* method;
        const char* pattern;  // `/v1/links/{parent}/{alias}`
        bool writes;
        boost::asio::awaitable<http::Response> (ControlApi::*answer)(http::Request request);
    };
    static std::span<const Route> routes();

private:
    using Answer = boost::asio::awaitable<http::Response>;

    boost::asio::awaitable<void> let_events_pass();

    Answer get_status(http::Request request);
    Answer get_links(http::Request request);
    Answer put_link(http::Request request);
    Answer delete_link(http::Request request);
    Answer get_containers(http::Request request);
    Answer put_container(http::Request request);
    Answer delete_container(http::Request request);
    Answer get_environment(http::Request request);
    Answer get_hosts(http::Request request);
    Answer post_transaction(http::Request request);
    Answer get_plan(http::Request request);
    Answer post_reload(http::Request request);
    Answer get_events(http::Request request);
    Answer get_metrics(http::Request request);
    Answer get_openapi(http::Request request);

    Parts parts_;
    LinkReader links_;
    Rights rights_;
    std::function<std::size_t()> client_count_;
    Time started_;
};

}  // namespace nftlink::service
