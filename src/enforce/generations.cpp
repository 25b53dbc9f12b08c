#include "nftlink/enforce/generations.hpp"

#include <algorithm>

#include "nftlink/kernel/kernel.hpp"

namespace nftlink::enforce {

bool is_later(std::uint32_t generation, std::uint32_t other) {
    return static_cast<std::int32_t>(generation - other) > 0;
}

void Generations::committed(std::uint32_t generation) {
    if (generation == kernel::next_generation(current_))
        current_ = own_ = generation;
}

void Generations::compared(std::uint32_t read, std::uint32_t now, bool has_written) {
    read_ = read;
    current_ = now;
    if (has_written)
        own_ = now;
}

void Generations::absorbed(std::uint32_t known, const Enforced& enforced) {
    if (known != 0 && read_ != known)
        absorbed_.push_back({known, read_, enforced});
}

Generations::Judgement Generations::judge(const kernel::Change& change,
                                          std::span<const std::pair<nft::Family, std::string>> tables) {
    if (change.overrun)
        return {Meaning::news};
    if (change.generation == own_)
        process_ = change.process;
    const bool is_about_us = std::ranges::any_of(change.tables, [&](const kernel::TableName& table) {
        return std::ranges::find(tables, std::pair(table.family, table.name)) != tables.end();
    });
    if (is_later(change.generation, current_)) {
        const bool is_passed_over = is_ours(change) || !is_about_us;
        if (!is_passed_over || change.generation != kernel::next_generation(current_))
            return {Meaning::news};
        current_ = change.generation;
        return {};
    }
    while (!absorbed_.empty() && is_later(change.generation, absorbed_.front().last))
        absorbed_.pop_front();
    if (!is_ours(change) && is_about_us && !absorbed_.empty() && is_later(change.generation, absorbed_.front().before))
        return {Meaning::absorbed, absorbed_.front().enforced};
    return {};
}

}  // namespace nftlink::enforce
