// A request and its response, as the server's handler sees them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nftlink/http/peer.hpp"
#include "nftlink/http/stream.hpp"

namespace nftlink::http {

struct Request {
    std::string method;                        // GET, PUT …
    std::vector<std::string> path;             // its segments, percent-decoded: /v1/links/web/db → v1 links web db
    std::map<std::string, std::string> query;  // percent-decoded; of a name given twice the last
    std::string body;
    Peer peer;
};

struct Response {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body = {};
    std::string allow = {};                    // with 405: the methods there are
    std::unique_ptr<Stream> stream = nullptr;  // in place of the body
};

}  // namespace nftlink::http
