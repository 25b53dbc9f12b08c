#include "nftlink/engine/failure.hpp"

#include <gtest/gtest.h>

namespace nftlink::engine {
namespace {

TEST(Failure, IsASentence) {
    EXPECT_EQ(sentence({.text = "the engine has closed the connection"}), "the engine has closed the connection");
    EXPECT_EQ(sentence({Failure::Kind::refused, 500, "it is\ndamaged"}), "the engine answers 500: it is\\x0adamaged");
    EXPECT_EQ(sentence({Failure::Kind::refused, 503}), "the engine answers 503");
    EXPECT_EQ(sentence({Failure::Kind::missing, 404, "/version"}),
              "what answers there is no container engine: it has no /version");
}

}  // namespace
}  // namespace nftlink::engine
