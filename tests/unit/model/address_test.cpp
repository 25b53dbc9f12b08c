#include "nftlink/model/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace nftlink::model {
namespace {

using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::HasSubstr;

std::string canonical(std::string_view text) {
    const auto address = Address::parse(text);
    return address ? address->to_string() : address.error();
}

std::string refused(std::string_view text) {
    const auto address = Address::parse(text);
    return address ? "" : address.error();
}

TEST(AnAddress, IsReadAndWritten) {
    EXPECT_EQ(canonical("172.17.0.2"), "172.17.0.2");
    EXPECT_EQ(canonical("223.255.255.255"), "223.255.255.255");
    EXPECT_EQ(canonical("FD00:0::0002"), "fd00::2");
    EXPECT_EQ(canonical("fe80::1"), "fe80::1");
    EXPECT_EQ(canonical("::1:0"), "::0.1.0.0");  // as glibc writes the old IPv4-compatible ones
    EXPECT_EQ(canonical("2001:db8::192.0.2.1"), "2001:db8::c000:201");
}

TEST(AnAddress, KnowsItsFamilyAndBytes) {
    const Address v4 = Address::parse("172.17.0.2").value();
    EXPECT_EQ(v4.ip(), Ip::v4);
    EXPECT_THAT(v4.bytes(), ElementsAre(172, 17, 0, 2));
    const Address v6 = Address::parse("fd00::2").value();
    EXPECT_EQ(v6.ip(), Ip::v6);
    EXPECT_THAT(v6.bytes(), ElementsAre(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2));
}

TEST(AnAddress, IsEqualHoweverItWasWritten) {
    EXPECT_EQ(Address::parse("fd00::2"), Address::parse("FD00:0:0:0::2"));
    EXPECT_NE(Address::parse("fd00::2"), Address::parse("fd00::3"));
}

TEST(AnAddress, ComesInOrder) {
    EXPECT_LT(Address::parse("9.0.0.1").value(), Address::parse("10.0.0.1").value());
    EXPECT_LT(Address::parse("203.0.113.1").value(), Address::parse("::2").value());
}

TEST(AnAddress, IsRefusedWhenItIsNone) {
    for (const std::string_view text :
         {"", "redis", "172.17.0", "172.17.0.256", "172.17.0.02", " 172.17.0.2", "172.17.0.2 ", "0xac110002",
          "fd00::2%eth0", "fd00:::2", "[fd00::2]", "172.17.0.2:80"})
        EXPECT_THAT(refused(text), HasSubstr("not an IPv4 or IPv6 address")) << text;
    EXPECT_NE(refused("172.17.0.2\0.evil"sv), "");
}

TEST(AnAddress, HasNoPrefixLength) {
    EXPECT_THAT(refused("172.17.0.2/16"), HasSubstr("prefix length"));
    EXPECT_THAT(refused("fd00::2/64"), HasSubstr("prefix length"));
}

TEST(AnAddress, IsOneThatAContainerCanHave) {
    EXPECT_THAT(refused("0.0.0.0"), HasSubstr("unspecified"));
    EXPECT_THAT(refused("::"), HasSubstr("unspecified"));
    EXPECT_THAT(refused("127.0.0.1"), HasSubstr("loopback"));
    EXPECT_THAT(refused("127.255.0.1"), HasSubstr("loopback"));
    EXPECT_THAT(refused("::1"), HasSubstr("loopback"));
    EXPECT_THAT(refused("224.0.0.1"), HasSubstr("multicast"));
    EXPECT_THAT(refused("239.255.255.255"), HasSubstr("multicast"));
    EXPECT_THAT(refused("ff02::1"), HasSubstr("multicast"));
    EXPECT_THAT(refused("240.0.0.1"), HasSubstr("reserved"));
    EXPECT_THAT(refused("255.255.255.255"), HasSubstr("reserved"));
    EXPECT_THAT(refused("::ffff:172.17.0.2"), HasSubstr("IPv4"));
    EXPECT_EQ(refused("::2"), "");
    EXPECT_EQ(refused("1.0.0.1"), "");
}

}  // namespace
}  // namespace nftlink::model
