// Sorting many things by their keys.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace nftlink::base {

// An item of what is sorted: the first 32 bytes of its key (an IPv4 link's has no more), and where it stands.
struct KeyRecord {
    std::array<std::uint64_t, 4> words;
    std::uint32_t index;
};

// By `words`; what is equal stays in its order.
void sort_records(std::vector<KeyRecord>& records);

// Sorts by `key`, which has `<` and padded_bytes(): at least 32 bytes, zeros behind its own. Equal keys stay in their
// order. What is sorted is small records, by those bytes of the keys that differ at all; each item is moved once.
template <typename T>
void sort_by_key(std::vector<T>& items) {
    const auto number = [](const std::uint8_t* bytes) {
        std::uint64_t value;
        std::memcpy(&value, bytes, sizeof value);
        return std::endian::native == std::endian::little ? std::byteswap(value) : value;
    };
    std::vector<KeyRecord> records;
    records.reserve(items.size());
    for (std::uint32_t index = 0; const T& item : items) {
        const std::uint8_t* bytes = item.key.padded_bytes();
        KeyRecord& record = records.emplace_back(KeyRecord{{}, index++});
        for (std::uint64_t& word : record.words) {
            word = number(bytes);
            bytes += sizeof word;
        }
    }
    sort_records(records);
    // Longer keys, or of several lengths, may be alike so far.
    const auto precedes = [&](const KeyRecord& a, const KeyRecord& b) {
        return items[a.index].key < items[b.index].key;
    };
    for (auto begin = records.begin(); begin != records.end();) {
        const auto end = std::find_if(begin + 1, records.end(),
                                      [&](const KeyRecord& record) { return record.words != begin->words; });
        if (end - begin > 1)
            std::stable_sort(begin, end, precedes);
        begin = end;
    }
    // Each circle of items that take each other's places, in place.
    for (std::uint32_t start = 0; start < records.size(); ++start) {
        if (records[start].index == start)
            continue;
        T first = std::move(items[start]);
        std::uint32_t place = start;
        for (std::uint32_t next = 0; (next = std::exchange(records[place].index, place)) != start; place = next)
            items[place] = std::move(items[next]);
        items[place] = std::move(first);
    }
}

}  // namespace nftlink::base
