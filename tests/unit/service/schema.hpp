// The part of JSON Schema that the control API's description uses, to hold records against it.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace nftlink::service {

// Where the reference `#/components/…` leads; null when that is nowhere.
const boost::json::value* resolve(const boost::json::value& document, std::string_view reference);

// What of the value doesn't fit the schema, each with the place in the value; empty when it fits. What an object has
// beyond the members described is a mismatch too: a description must be whole.
std::vector<std::string> mismatches(const boost::json::value& value, const boost::json::value& schema,
                                    const boost::json::value& document, const std::string& place = "");

}  // namespace nftlink::service
