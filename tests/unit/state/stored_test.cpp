#include "nftlink/state/stored.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/folder.hpp"

namespace nftlink::state {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class StoredTest : public testing::Test {
protected:
    Contents contents() const {
        const auto found = read_contents(folder_ / "state");
        EXPECT_TRUE(found) << found.error();
        return found.value_or(Contents{});
    }

    Folder folder_;
};

TEST_F(StoredTest, ADirectoryThatIsNotThereHasNothing) {
    EXPECT_THAT(contents().texts, IsEmpty());
    EXPECT_THAT(contents().errors, IsEmpty());
}

TEST_F(StoredTest, SaysWhyNothingCanBeRead) {
    folder_.write("state", "a file");
    const auto found = read_contents(folder_ / "state");
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error(), HasSubstr("state/pending: Not a directory"));
}

// `nftlink plan` waited for ever.
TEST_F(StoredTest, APipeIsNotWaitedFor) {
    folder_.write("state/containers/web.yaml", "text");
    ASSERT_EQ(mkfifo((folder_ / "state/containers/pipe.yaml").c_str(), 0600), 0);
    EXPECT_THAT(contents().texts, ElementsAre(Pair("web", "text")));
    EXPECT_THAT(contents().errors, ElementsAre(HasSubstr("pipe.yaml is no regular file")));
}

// The service has it in force at its next start; `nftlink plan` said that there was nothing to do.
TEST_F(StoredTest, ACompleteChangeInPendingCountsAndStaysThere) {
    folder_.write("state/containers/web.yaml", "old");
    folder_.write("state/containers/gone.yaml", "old");
    folder_.write("state/pending/web.yaml", "new");
    folder_.write("state/pending/db.yaml", "new");
    folder_.write("state/pending/gone.yaml", "");
    folder_.write("state/next/other.yaml", "unfinished");
    folder_.write("state/containers/.web.yaml.new", "unfinished");
    EXPECT_THAT(contents().texts, ElementsAre(Pair("db", "new"), Pair("web", "new")));
    EXPECT_EQ(folder_.read("state/containers/web.yaml"), "old");
    EXPECT_TRUE(folder_.has("state/pending/gone.yaml"));
    EXPECT_TRUE(folder_.has("state/containers/.web.yaml.new"));
}

TEST_F(StoredTest, NamesWhatIsNoContainer) {
    const std::string text = "containers: {db: {bridge: docker0, addresses: [172.17.0.2]}}\n";
    const Stored stored = parse("/var/lib/nftlink", {{{"db", text}, {"web", "nonsense"}}, {}});
    EXPECT_THAT(stored.containers, ElementsAre(Pair("db", testing::_)));
    ASSERT_EQ(stored.damaged.size(), 1u);
    EXPECT_EQ(stored.damaged[0].container, "web");
    EXPECT_THAT(stored.damaged[0].errors[0].to_string(), HasSubstr("/var/lib/nftlink/containers/web.yaml:1:1"));
}

}  // namespace
}  // namespace nftlink::state
