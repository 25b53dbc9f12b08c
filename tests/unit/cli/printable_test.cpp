#include "cli/printable.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "nftlink/api/answers.hpp"

namespace nftlink::cli {
namespace {

namespace json = boost::json;

TEST(Printable, AreAllTextsOfARecordHoweverDeep) {
    const auto status = read_printable<api::Status>(json::parse(R"({"version": "\u001b[31m", "pid": 7,
        "configuration": {"refused": {"errors": ["a\nb"]}}, "bridges": [{"open": [{"why": "\u0007"}]}],
        "last_error": {"message": "\u001b]0;x"}})"));
    EXPECT_EQ(status.version, "\\x1b[31m");
    EXPECT_EQ(status.pid, 7);
    EXPECT_EQ(status.configuration.refused->errors.at(0), "a\\x0ab");
    EXPECT_EQ(status.bridges.at(0).open.at(0).why, "\\x07");
    EXPECT_EQ(status.last_error->message, "\\x1b]0;x");
    EXPECT_EQ(read_printable<api::Link>(json::parse(R"({"waiting": "\n"})")).waiting, "\\x0a");
}

TEST(Printable, VariablesStayAsTheyAre) {
    const auto record =
        read_printable<api::Environment>(json::parse(R"({"variables": {"A": "\n"}, "warnings": ["\n"]})"));
    EXPECT_EQ(record.variables.at("A"), "\n");
    EXPECT_EQ(record.warnings.at(0), "\\x0a");
}

}  // namespace
}  // namespace nftlink::cli
