#include "nftlink/kernel/kernel.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <limits>

namespace nftlink::kernel {
namespace {

TEST(Refusal, SaysWhichOperationsAndWhy) {
    const Refusal refusal{
        Refusal::Reason::operations,
        41,
        {{18, "add element inet nftlink links4 { … }", "docker0", ENOENT, ""}, {19, "commit", "", EEXIST, "twice"}}};
    EXPECT_EQ(refusal.to_string(),
              "kernel refused 2 of 41: #19 add element inet nftlink links4 { … } (docker0): No such file or directory; "
              "#20 commit: File exists (twice)");
}

TEST(Bridges, AreSeenWhereTheirOwnSwitchOrTheGlobalOneIsOn) {
    Bridges bridges{.bridges = {{"br0", 1, {true, false}}}, .module_loaded = true, .global = {false, true}};
    EXPECT_EQ(bridges.effective(*bridges.find("br0")), (BridgeNetfilter{true, true}));
    bridges.module_loaded = false;
    EXPECT_EQ(bridges.effective(*bridges.find("br0")), BridgeNetfilter{});
    EXPECT_EQ(bridges.find("br"), nullptr);
}

TEST(NextGeneration, LeavesZeroOut) {
    EXPECT_EQ(next_generation(1), 2u);
    EXPECT_EQ(next_generation(std::numeric_limits<std::uint32_t>::max()), 1u);
}

}  // namespace
}  // namespace nftlink::kernel
