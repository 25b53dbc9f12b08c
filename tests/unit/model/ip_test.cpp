#include "nftlink/model/ip.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace nftlink::model {
namespace {

TEST(PerIp, KeepsThemApart) {
    PerIp<int> numbers;
    for (const Ip ip : both_ips)
        numbers[ip] = ip == Ip::v4 ? 4 : 6;
    EXPECT_EQ(numbers.v4, 4);
    EXPECT_EQ(numbers.v6, 6);
    EXPECT_EQ(std::as_const(numbers)[Ip::v6], 6);
}

}  // namespace
}  // namespace nftlink::model
