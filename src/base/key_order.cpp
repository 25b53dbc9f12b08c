#include "nftlink/base/key_order.hpp"

#include <array>

namespace nftlink::base {

namespace {

using Records = std::vector<KeyRecord>;

constexpr unsigned byte_bits = 8;

// One pass of a radix sort, by one byte.
void distribute(const Records& from, Records& to, std::size_t word, unsigned shift) {
    const auto digit = [&](const KeyRecord& record) { return record.words[word] >> shift & 0xff; };
    std::array<std::uint32_t, 1 << byte_bits> places{};
    for (const KeyRecord& record : from)
        ++places[digit(record)];
    for (std::uint32_t sum = 0; std::uint32_t& place : places)
        sum += std::exchange(place, sum);
    for (const KeyRecord& record : from)
        to[places[digit(record)]++] = record;
}

}  // namespace

void sort_records(Records& records) {
    constexpr std::size_t few = 256;  // less than a pass is made for
    if (records.size() < few)
        return std::ranges::stable_sort(records, {}, &KeyRecord::words), void();
    if (std::ranges::is_sorted(records, {}, &KeyRecord::words))
        return;
    Records others(records.size());
    // From the last byte to the first; most are the same in all keys.
    for (std::size_t word = records.front().words.size(); word-- > 0;) {
        std::uint64_t differs = 0;
        for (const KeyRecord& record : records)
            differs |= record.words[word] ^ records.front().words[word];
        for (unsigned shift = 0; shift < 64; shift += byte_bits)
            if ((differs >> shift & 0xff) != 0) {
                distribute(records, others, word, shift);
                std::swap(records, others);
            }
    }
}

}  // namespace nftlink::base
