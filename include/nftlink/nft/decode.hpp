// Objects out of the kernel's netlink messages.
//
// Takes any bytes: what is no well-formed message of its kind gives an error, never a crash, never a half-filled value.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "nftlink/netlink/attribute.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::nft {

// Where an object belongs.
struct Place {
    Family family = Family::unspecified;
    std::string table;
    std::string container;  // the chain of a rule, the set of elements
};

template <typename T>
struct Decoded {
    Place place;
    T object;
};

template <typename T>
using DecodeResult = std::expected<Decoded<T>, std::string>;

// Each takes the payload of one netlink message: struct nfgenmsg and the attributes after it.
using netlink::Payload;

// other_object_count is the kernel's use count: whoever assembles the table takes off the chains and sets.
DecodeResult<Table> decode_table(Payload payload);
DecodeResult<Chain> decode_chain(Payload payload);
DecodeResult<Set> decode_set(Payload payload);
DecodeResult<Rule> decode_rule(Payload payload);
DecodeResult<std::vector<Element>> decode_elements(Payload payload);
// The same, appended to what is there; the error leaves that in any state.
std::expected<Place, std::string> decode_elements(Payload payload, std::vector<Element>& elements);

struct Generation {
    std::uint32_t id = 0;
    std::uint32_t process = 0;  // who committed; 0 when the kernel doesn't say
    std::string program;
};
std::expected<Generation, std::string> decode_generation(Payload payload);

}  // namespace nftlink::nft
