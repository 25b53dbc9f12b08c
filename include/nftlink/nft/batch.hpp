// A change to the ruleset as a value: recorded, printed, compared in tests, applied once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::nft {

struct AddTable {
    std::string comment;
    std::string owner = {};
};
// Deletes everything in it too.
struct DeleteTable {};
// Adds the chain without its rules, or sets the policy of one that is there.
struct AddChain {
    Chain chain;
};
struct FlushChain {
    std::string chain;
};
// The chain must be empty and nothing may jump to it.
struct DeleteChain {
    std::string chain;
};
// Adds the set without its elements.
struct AddSet {
    Set set;
};
// No rule may look it up.
struct DeleteSet {
    std::string set;
};
struct AddElements {
    std::string set;
    std::vector<DataType> key;
    std::vector<Element> elements;
};
// Every element must be there.
struct DeleteElements {
    std::string set;
    std::vector<DataType> key;
    std::vector<Element> elements;
};
// Before the rule with that handle, or at the end of the chain.
struct AddRule {
    std::string chain;
    Rule rule;
    std::uint64_t before = 0;
};
// In the place of the rule with that handle.
struct ReplaceRule {
    std::string chain;
    std::uint64_t handle = 0;
    Rule rule;
};
struct DeleteRule {
    std::string chain;
    std::uint64_t handle = 0;
};

using Action = std::variant<AddTable, DeleteTable, AddChain, FlushChain, DeleteChain, AddSet, DeleteSet, AddElements,
                            DeleteElements, AddRule, ReplaceRule, DeleteRule>;

struct Operation {
    Family family = Family::inet;
    std::string table;
    Action action;
};

// Of sets, that go or come by it.
inline std::size_t element_count(const Operation& operation) {
    if (const auto* add = std::get_if<AddElements>(&operation.action))
        return add->elements.size();
    const auto* remove = std::get_if<DeleteElements>(&operation.action);
    return remove == nullptr ? 0 : remove->elements.size();
}

// Applied in order, all or nothing.
using Batch = std::vector<Operation>;

}  // namespace nftlink::nft
