// Refusals: the control API's own, and what keeps the command from an answer.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/base/error.hpp"

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

// One fault of a request. `path` is the JSON pointer (RFC 6901) of the offending field in the body, empty when it
// is none. What is wrong in a file has its place beside the message, which begins with it.
struct Fault {
    Code code = Code::unknown;
    std::string message;
    std::string path;
    std::optional<std::string> file = {};
    std::optional<std::size_t> line = {}, column = {};

    bool operator==(const Fault&) const = default;
};
BOOST_DESCRIBE_STRUCT(Fault, (), (code, message, path, file, line, column))

using Faults = std::vector<Fault>;

// The answer to a request that is refused: the first fault and, with several, all of them.
struct Refusal : Fault {
    std::optional<Faults> errors;
};
BOOST_DESCRIBE_STRUCT(Refusal, (Fault), (errors))

Fault to_fault(Code code, const base::Error& error);
base::Error to_error(const Fault& fault);

// The refusal as JSON. There must be a fault.
std::string to_text(const Faults& faults);

// The faults in a refusal; none when it names none.
Faults read_faults(const boost::json::value& refusal);

}  // namespace nftlink::api
