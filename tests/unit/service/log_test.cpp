#include "service/log.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace nftlink::service {
namespace {

// A configuration's file may be called anything.
TEST(Log, IsJsonWhateverBytesAMessageHas) {
    testing::internal::CaptureStderr();
    set_up_log({.level = config::LogLevel::info, .format = config::LogFormat::json});
    log(config::LogLevel::warning, "caf\xe9.yaml: odd");
    set_up_log({});
    const auto line = boost::json::parse(testing::internal::GetCapturedStderr());
    EXPECT_EQ(line.at("message").as_string(), "caf\uFFFD.yaml: odd");
    EXPECT_EQ(line.at("level").as_string(), "warning");
}

}  // namespace
}  // namespace nftlink::service
