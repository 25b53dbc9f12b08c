#include "nftlink/model/environment_options.hpp"

#include <gtest/gtest.h>

namespace nftlink::model {
namespace {

TEST(Dialects, HaveNames) {
    for (const Dialect dialect : {Dialect::docker_0_10, Dialect::docker_27, Dialect::docker_28})
        EXPECT_EQ(parse_dialect(to_string(dialect)), dialect);
    EXPECT_EQ(parse_dialect("docker-0.10"), Dialect::docker_0_10);
    EXPECT_EQ(parse_dialect("docker-28"), Dialect::docker_28);
    EXPECT_EQ(parse_dialect("docker-29"), std::nullopt);
    EXPECT_EQ(parse_dialect(""), std::nullopt);
}

}  // namespace
}  // namespace nftlink::model
