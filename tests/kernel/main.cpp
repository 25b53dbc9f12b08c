// Runs the suites in namespaces of their own, so that no privilege is needed and nothing of the host's is touched.
#include <gtest/gtest.h>

#include "fixture.hpp"
#include "namespace.hpp"

namespace nftlink::test {

std::optional<std::string> why_not_isolated;

}  // namespace nftlink::test

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    nftlink::test::why_not_isolated = nftlink::test::isolate_process();
    return RUN_ALL_TESTS();
}
