// The ruleset's generations: which changes of others are still to be dealt with. Pure: events in, decisions out.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "nftlink/enforce/repair.hpp"
#include "nftlink/kernel/change.hpp"

namespace nftlink::enforce {

// True when the generation comes after the other one; they wrap around.
bool is_later(std::uint32_t generation, std::uint32_t other);

class Generations {
public:
    // Up to this one all changes have been dealt with; 0: none was looked at.
    std::uint32_t current() const { return current_; }

    // A commit of ours without a guard has come to that generation. Where it isn't the next one, others have come in
    // between, and their events, and ours, are still to be read.
    void committed(std::uint32_t generation);
    // A comparison was made with the ruleset of `read`, and left that of `now`; commits in between were all ours.
    void compared(std::uint32_t read, std::uint32_t now, bool has_written);
    // A change of ours repaired, on the way, whatever others did between `known` and the last comparison. Their events
    // are still to come.
    void absorbed(std::uint32_t known, const Enforced& enforced);

    enum class Meaning {
        nothing,   // ours, or known, or none of our tables
        absorbed,  // repaired already, by that change of ours
        news,      // the ruleset has to be read
    };
    struct Judgement {
        Meaning meaning = Meaning::nothing;
        std::optional<Enforced> by = {};
    };
    // `tables`: those that are to be as they are.
    Judgement judge(const kernel::Change& change, std::span<const std::pair<nft::Family, std::string>> tables);

private:
    bool is_ours(const kernel::Change& change) const { return process_ != 0 && change.process == process_; }

    std::uint32_t current_ = 0;
    std::uint32_t read_ = 0;     // of the last comparison
    std::uint32_t own_ = 0;      // of a commit that was ours for sure
    std::uint32_t process_ = 0;  // what the kernel calls us; 0: not known yet
    struct Range {
        std::uint32_t before, last;
        Enforced enforced;
    };
    std::deque<Range> absorbed_;
};

}  // namespace nftlink::enforce
