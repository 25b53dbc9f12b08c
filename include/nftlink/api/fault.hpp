// Refusals: the control API's own, and what keeps the command from an answer.
#pragma once

#include <boost/describe/enum.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace nftlink::api {

// The kind of a fault; in JSON the enumerator's name.
BOOST_DEFINE_ENUM_CLASS(Code,
                        // A request is refused.
                        malformed, not_allowed, not_found, method_not_allowed, conflict, invalid, kernel_refused,
                        not_stored,
                        // HTTP refuses it, or the service fails at it.
                        too_large, too_slow, internal,
                        // The command has no answer, or can do nothing with it.
                        no_service, no_permission, no_answer, bad_answer, no_counters, stopped,
                        // A word of a later version, or none.
                        unknown)

std::string_view to_string(Code code);
// Code::unknown for another word.
Code parse_code(std::string_view word);

// What is wrong with a request. `path` is the JSON pointer (RFC 6901) of the offending field in the body, empty when it
// is none.
struct Fault {
    Code code = Code::malformed;
    std::string message;
    std::string path;

    bool operator==(const Fault&) const = default;
};

using Faults = std::vector<Fault>;

// {"code", "message", "path"}, and with several "errors": [{"message", "path"}], of which the first stands outside.
boost::json::object to_json(const Faults& faults);

}  // namespace nftlink::api
