#include "nftlink/api/reader.hpp"

namespace nftlink::api::detail {

namespace json = boost::json;

bool Reader::read(const json::value& from, bool& to) {
    if (from.is_bool())
        to = from.get_bool();
    return from.is_bool();
}

bool Reader::read(const json::value& from, std::string& to) {
    if (from.is_string())
        to = from.get_string();
    return from.is_string();
}

bool Reader::read(const json::value& from, json::object& to) {
    if (from.is_object())
        to = from.get_object();
    return from.is_object();
}

}  // namespace nftlink::api::detail
