#include "nftlink/firewall/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/firewall/compile.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

model::FirewallPolicy attached_policy() {
    model::FirewallPolicy policy;
    policy.layout = model::Layout::rules;
    policy.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"}};
    return policy;
}

TEST(Render, NftCanSayAllOfOurOwnTable) {
    std::vector<std::string> left_out;
    EXPECT_THAT(render(compile(seed(), {}), left_out), HasSubstr("table inet nftlink {"));
    EXPECT_THAT(render_json(compile(seed(), {}), left_out), HasSubstr("\"nftlink\""));
    EXPECT_THAT(left_out, IsEmpty());
}

TEST(Render, WhatIsAttachedIsInsertedWithACommentForTheMark) {
    std::vector<std::string> left_out;
    EXPECT_THAT(render(compile(seed(), attached_policy()), left_out),
                HasSubstr("comment \"nftlink attached: nftlink apply puts its own in this one's place\""));
}

TEST(Render, NamesWhatNftCannotSay) {
    std::vector<std::string> left_out;
    render(compile(seed(), attached_policy()), left_out);
    EXPECT_THAT(left_out, ElementsAre(StartsWith("ip filter FORWARD: ")));
    left_out.clear();
    render_json(compile(seed(), attached_policy()), left_out);
    EXPECT_THAT(left_out, ElementsAre(StartsWith("ip filter FORWARD: ")));
}

}  // namespace
}  // namespace nftlink::firewall
