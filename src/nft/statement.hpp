// Statements of nft's language out of a rule's instructions.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::nft {

// One statement, in both of nft's forms.
struct Statement {
    std::string text;         // `ip saddr 172.17.0.3`
    boost::json::value json;  // {"match": …}
};

// The rule's statements in order, without its comment. An instruction with no words here gives `<name>` and {"name":
// null}.
std::vector<Statement> statements(const Rule& rule);

// `172.17.0.3`; the bytes as a number in hexadecimal when they don't fit the type.
std::string to_text(std::span<const std::uint8_t> value, DataType type);

// `"text"`; nft's strings have no escapes, so the text must hold no quote.
std::string quoted(std::string_view text);

}  // namespace nftlink::nft
