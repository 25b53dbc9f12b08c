// Rulesets and batches in nft's own language.
#pragma once

#include <string>

#include "nftlink/nft/batch.hpp"

namespace nftlink::nft {

// One nft command, without a line end: `add element inet nftlink links4-docker0 { … }`.
std::string to_text(const Operation& operation);
// One command a line. `nft -f` on it does what the kernel interface does with the batch.
std::string to_text(const Batch& batch);

// The rule as `nft list` shows it, comment included. An instruction that this language has no words for here reads
// `<name>`.
std::string to_text(const Rule& rule);
// The table as a block, as `nft list table` shows it.
std::string to_text(const Table& table);

// One element's key: `172.17.0.3 . 172.17.0.2 . tcp . 6379`.
std::string to_text(const Key& key, const std::vector<DataType>& types);

// A script that loads over whatever is there: each table added, deleted, and added again with all that it holds.
// After them the rules for other chains, each put on top of its own, so that the last one comes to stand first; loaded
// twice they stand there twice.
struct RuleOnTop {
    Family family = Family::ip;
    std::string table;
    std::string chain;
    Rule rule;
};
std::string render(const Ruleset& ruleset, const std::vector<RuleOnTop>& on_top = {});

}  // namespace nftlink::nft
