#include "response_text.hpp"

#include <fmt/format.h>

#include <boost/beast/http/status.hpp>
#include <iterator>

namespace nftlink::http {

std::string response_head(const Response& response, const Sending& sending) {
    const bool is_stream = response.stream != nullptr;
    const bool keep_alive = sending.keep_alive && !is_stream;
    std::string head = fmt::format(
        "HTTP/{} {} {}\r\n", sending.version >= 11 ? "1.1" : "1.0", response.status,
        std::string_view(boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(response.status))));
    const auto add = [&](std::string_view name, const auto& value) {
        fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
    };
    add("Server", "nftlink");
    add("Content-Type", response.type);
    if (!response.allow.empty())
        add("Allow", response.allow);
    if (!is_stream)
        add("Content-Length", response.body.size());
    else
        add("Cache-Control", "no-store");
    if (is_stream && sending.chunked())
        add("Transfer-Encoding", "chunked");
    if (!keep_alive)
        add("Connection", "close");
    else if (sending.version < 11)
        add("Connection", "keep-alive");
    return head + "\r\n";
}

std::string stream_piece(std::string_view lines, const Sending& sending) {
    return sending.chunked() ? fmt::format("{:x}\r\n{}\r\n", lines.size(), lines) : std::string(lines);
}

}  // namespace nftlink::http
