#include "nftlink/base/key_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <span>

namespace nftlink::base {
namespace {

class Key {
public:
    explicit Key(const std::vector<std::uint8_t>& bytes = {}) : size_(bytes.size()) {
        std::ranges::copy(bytes, bytes_.begin());
    }
    const std::uint8_t* padded_bytes() const { return bytes_.data(); }
    bool operator<(const Key& other) const {
        return std::ranges::lexicographical_compare(std::span(bytes_).first(size_),
                                                    std::span(other.bytes_).first(other.size_));
    }

private:
    std::array<std::uint8_t, 64> bytes_{};
    std::size_t size_;
};

struct Item {
    Key key;
    int number = 0;
};

TEST(SortByKey, IsAStableSort) {
    std::mt19937 random(7);
    for (const std::size_t size : {4U, 8U, 12U, 16U, 20U, 28U, 40U, 44U, 64U}) {
        std::vector<Item> items;
        // Few are sorted in another way than many.
        const int count = size % 8 == 0 ? 100 : 1000;
        for (int number = 0; number < count; ++number) {
            std::vector<std::uint8_t> bytes(size);
            // Few different bytes, at the end of the key too: many keys are equal, or in all but the last part.
            bytes[random() % size] = static_cast<std::uint8_t>(random() % 3 * 127);
            items.push_back({Key(bytes), number});
        }
        auto expected = items;
        std::ranges::stable_sort(expected, [](const Item& a, const Item& b) { return a.key < b.key; });
        sort_by_key(items);
        for (std::size_t index = 0; index < items.size(); ++index)
            EXPECT_EQ(items[index].number, expected[index].number) << size << " bytes, place " << index;
    }
}

TEST(SortByKey, PutsAShorterKeyBeforeALongerOneThatBeginsSo) {
    std::vector<Item> items{{Key({1, 2, 3, 4, 0, 0, 0, 0}), 1}, {Key({1, 2, 3, 4}), 0}};
    sort_by_key(items);
    EXPECT_EQ(items[0].number, 0);
}

}  // namespace
}  // namespace nftlink::base
