#include "nftlink/model/port.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace nftlink::model {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> read(std::string_view text) {
    std::vector<std::string> ports;
    const auto parsed = parse_ports(text);
    if (!parsed)
        return {parsed.error()};
    for (const Port& port : *parsed)
        ports.push_back(port.to_string());
    return ports;
}

std::string refused(std::string_view text) {
    const auto parsed = parse_ports(text);
    return parsed ? "" : parsed.error();
}

TEST(Ports, AreReadInDockersNotation) {
    EXPECT_THAT(read("6379"), ElementsAre("6379/tcp"));
    EXPECT_THAT(read("6379/tcp"), ElementsAre("6379/tcp"));
    EXPECT_THAT(read("53/UDP"), ElementsAre("53/udp"));
    EXPECT_THAT(read("9899/sctp"), ElementsAre("9899/sctp"));
    EXPECT_THAT(read("8000-8002/udp"), ElementsAre("8000/udp", "8001/udp", "8002/udp"));
    EXPECT_THAT(read("8000-8001"), ElementsAre("8000/tcp", "8001/tcp"));
    EXPECT_THAT(read("80-80"), ElementsAre("80/tcp"));
    EXPECT_THAT(read("1"), ElementsAre("1/tcp"));
    EXPECT_THAT(read("65534-65535"), ElementsAre("65534/tcp", "65535/tcp"));
}

TEST(Ports, OutOfRangeAreRefused) {
    for (const char* text : {"0", "65536", "0-5", "65535-65536", "99999999999999999999"})
        EXPECT_THAT(refused(text), HasSubstr("1 to 65535")) << text;
}

TEST(Ports, ThatAreNoneAreRefused) {
    for (const char* text :
         {"", "/tcp", "http", "80x", "0x50", "-80", "+80", " 80", "80 ", "80-", "-", "80-90-100", "8.0"})
        EXPECT_THAT(refused(text), HasSubstr("is not a port number")) << text;
}

TEST(Ports, OfOtherProtocolsAreRefused) {
    for (const char* text : {"80/icmp", "80/", "80/tcp/udp", "80/ tcp", "80/tcp6"})
        EXPECT_THAT(refused(text), AllOf(HasSubstr("unknown protocol"), HasSubstr("sctp"))) << text;
}

TEST(Ports, InAReversedRangeAreRefusedWithTheRangeThatWasMeant) {
    EXPECT_THAT(refused("8010-8000/tcp"), AllOf(HasSubstr("reversed"), HasSubstr("8000-8010")));
}

TEST(Ports, InARangeAreAsManyAsAContainerMayExpose) {
    EXPECT_EQ(read("1-1024").size(), 1024U);
    EXPECT_THAT(refused("1-1025"), HasSubstr("more than 1024 ports"));
    EXPECT_THAT(refused("1-65535"), HasSubstr("more than 1024 ports"));
}

TEST(Ports, ComeByNumberAndTcpFirstOnATie) {
    std::vector<Port> ports{{53, Protocol::sctp}, {80, Protocol::tcp}, {53, Protocol::udp}, {53, Protocol::tcp}};
    std::ranges::sort(ports);
    EXPECT_THAT(ports, ElementsAre(Port{53, Protocol::tcp}, Port{53, Protocol::udp}, Port{53, Protocol::sctp},
                                   Port{80, Protocol::tcp}));
}

}  // namespace
}  // namespace nftlink::model
