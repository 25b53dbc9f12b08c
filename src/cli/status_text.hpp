// The control API's records as text.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <string_view>

namespace nftlink::cli {

// Of GET /v1/status: every fact, what is wrong first.
std::string status_text(const boost::json::object& status, std::chrono::system_clock::time_point now);

// The links of GET /v1/links: a table with a row for each.
std::string links_text(const boost::json::array& links);

}  // namespace nftlink::cli
