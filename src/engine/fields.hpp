// The fields of an engine's answers. What is missing or of another kind counts as not there: empty, false, 0.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace nftlink::engine {

std::string text(const boost::json::object& record, std::string_view key);
bool flag(const boost::json::object& record, std::string_view key);
std::int64_t number(const boost::json::object& record, std::string_view key);
// Valid as long as the record.
const boost::json::object& object(const boost::json::object& record, std::string_view key);
const boost::json::array& array(const boost::json::object& record, std::string_view key);

}  // namespace nftlink::engine
