// The text of a response.
#pragma once

#include <string>
#include <string_view>

#include "nftlink/http/message.hpp"

namespace nftlink::http {

// The request's say in the sending of its response.
struct Sending {
    unsigned version = 11;    // 10 or 11
    bool keep_alive = false;  // of a stream never
    bool head_only = false;   // it was a HEAD request

    // A stream's pieces; an HTTP/1.0 client reads up to the end of the connection.
    bool chunked() const { return version >= 11; }
};

// Up to and with the empty line.
std::string response_head(const Response& response, const Sending& sending);

// A piece of a stream as it is sent; the empty one is the last.
std::string stream_piece(std::string_view lines, const Sending& sending);

}  // namespace nftlink::http
