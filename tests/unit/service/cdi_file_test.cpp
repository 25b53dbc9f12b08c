#include "service/cdi_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "nftlink/linkenv/cdi.hpp"
#include "support/folder.hpp"

namespace nftlink::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string specification(const std::string& value) {
    return linkenv::cdi_specification({{"web", {{"DB_NAME", value}}}}).text;
}

class CdiFileTest : public testing::Test {
protected:
    ino_t inode() const { return status("cdi/nftlink.json").st_ino; }
    unsigned mode(const std::string& name) const { return status(name).st_mode & 07777; }

    Folder folder_;
    CdiFile file_;
    const std::string one_ = specification("one"), two_ = specification("two");

private:
    struct stat status(const std::string& name) const {
        struct stat found{};
        EXPECT_EQ(::lstat((folder_ / name).c_str(), &found), 0) << name;
        return found;
    }
};

TEST_F(CdiFileTest, IsForItsOwnerInAFolderForAll) {
    const mode_t mask = ::umask(0077);
    EXPECT_THAT(file_.take_over(folder_ / "cdi", one_), IsEmpty());
    ::umask(mask);
    EXPECT_EQ(folder_.read("cdi/nftlink.json"), one_);
    EXPECT_EQ(mode("cdi/nftlink.json"), 0600u);
    EXPECT_EQ(mode("cdi"), 0755u);
    EXPECT_FALSE(folder_.has("cdi/.nftlink.json.new"));
}

TEST_F(CdiFileTest, AFolderThatIsThereKeepsItsModeAndFiles) {
    folder_.write("cdi/gpu.json", "{}");
    ASSERT_EQ(::chmod((folder_ / "cdi").c_str(), 0700), 0);
    EXPECT_THAT(file_.take_over(folder_ / "cdi", one_), IsEmpty());
    EXPECT_THAT(file_.take_over("", ""), IsEmpty());
    EXPECT_EQ(mode("cdi"), 0700u);
    EXPECT_TRUE(folder_.has("cdi/gpu.json"));
    EXPECT_FALSE(folder_.has("cdi/nftlink.json"));
}

TEST_F(CdiFileTest, IsWrittenOnlyWhenItIsDifferent) {
    file_.take_over(folder_ / "cdi", one_);
    const ino_t first = inode();
    EXPECT_THAT(file_.update(one_), IsEmpty());
    CdiFile next_run;
    EXPECT_THAT(next_run.take_over(folder_ / "cdi", one_), IsEmpty());
    EXPECT_EQ(inode(), first);
    ASSERT_EQ(::chmod((folder_ / "cdi/nftlink.json").c_str(), 0644), 0);
    EXPECT_THAT(file_.update(one_), IsEmpty());
    EXPECT_EQ(mode("cdi/nftlink.json"), 0600u);
    EXPECT_THAT(file_.update(two_), IsEmpty());
    EXPECT_EQ(folder_.read("cdi/nftlink.json"), two_);
}

TEST_F(CdiFileTest, GoesWithTheLastDeviceAndComesBack) {
    file_.take_over(folder_ / "cdi", one_);
    EXPECT_THAT(file_.update(""), IsEmpty());
    EXPECT_FALSE(folder_.has("cdi/nftlink.json"));
    EXPECT_THAT(file_.update(""), IsEmpty());
    EXPECT_THAT(file_.update(two_), IsEmpty());
    EXPECT_TRUE(folder_.has("cdi/nftlink.json"));
    CdiFile next_run;
    EXPECT_THAT(next_run.take_over(folder_ / "cdi", ""), IsEmpty());
    EXPECT_FALSE(folder_.has("cdi/nftlink.json")) << "what an earlier run left is not true any more";
}

TEST_F(CdiFileTest, MovesWithItsFolder) {
    file_.take_over(folder_ / "cdi", one_);
    EXPECT_THAT(file_.take_over(folder_ / "deep/other", two_), IsEmpty());
    EXPECT_FALSE(folder_.has("cdi/nftlink.json"));
    EXPECT_EQ(folder_.read("deep/other/nftlink.json"), two_);
    EXPECT_THAT(file_.take_over("", two_), IsEmpty());
    EXPECT_FALSE(folder_.has("deep/other/nftlink.json"));
    EXPECT_THAT(file_.update(one_), IsEmpty());
    EXPECT_FALSE(folder_.has("deep/other/nftlink.json"));
}

TEST_F(CdiFileTest, LeavesWhatIsNotOursAlone) {
    const std::string others = "{\"cdiVersion\":\"0.5.0\",\"kind\":\"nvidia.com/gpu\",\"devices\":[]}";
    for (const std::string& text : {others, std::string("not JSON"), std::string()}) {
        folder_.write("cdi/nftlink.json", text);
        EXPECT_THAT(file_.take_over(folder_ / "cdi", one_), ElementsAre(HasSubstr("cdi/nftlink.json is no CDI")));
        EXPECT_THAT(file_.update(""), ElementsAre(HasSubstr("remove it")));
        EXPECT_THAT(file_.take_over("", ""), IsEmpty());
        EXPECT_EQ(folder_.read("cdi/nftlink.json"), text);
    }
    std::filesystem::remove(folder_ / "cdi/nftlink.json");
    file_.take_over(folder_ / "cdi", one_);
    EXPECT_EQ(folder_.read("cdi/nftlink.json"), one_);
}

TEST_F(CdiFileTest, NeverWaitsForAPipe) {
    std::filesystem::create_directory(folder_ / "cdi");
    ASSERT_EQ(::mkfifo((folder_ / "cdi/nftlink.json").c_str(), 0600), 0);
    EXPECT_THAT(file_.take_over(folder_ / "cdi", one_), ElementsAre(HasSubstr("left alone")));
}

TEST_F(CdiFileTest, SaysWhatItCannotDoAndTriesAgain) {
    folder_.write("blocked", "");
    EXPECT_THAT(file_.take_over(folder_ / "blocked/cdi", one_), ElementsAre(HasSubstr("cannot make the folder")));
    EXPECT_THAT(file_.update(one_), IsEmpty());
    std::filesystem::remove(folder_ / "blocked");
    EXPECT_THAT(file_.take_over(folder_ / "blocked/cdi", one_), IsEmpty());
    std::filesystem::remove_all(folder_ / "blocked/cdi");
    EXPECT_THAT(file_.update(two_), ElementsAre(HasSubstr("cannot write")));
    EXPECT_THAT(file_.take_over(folder_ / "blocked/cdi", two_), IsEmpty());
    EXPECT_EQ(folder_.read("blocked/cdi/nftlink.json"), two_);
}

}  // namespace
}  // namespace nftlink::service
