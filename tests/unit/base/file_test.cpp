#include "nftlink/base/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

namespace nftlink::base {
namespace {

namespace fs = std::filesystem;

class ReadFile : public testing::Test {
protected:
    ReadFile() {
        std::string name = (fs::temp_directory_path() / "nftlink-file-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    ~ReadFile() override { fs::remove_all(folder_); }

    fs::path write(const std::string& text) {
        std::ofstream(folder_ / "file", std::ios::binary) << text;
        return folder_ / "file";
    }

    fs::path folder_;
};

TEST_F(ReadFile, GivesAllOfIt) {
    const std::string large(200'000, 'x');
    for (const std::string& text : {std::string(), std::string("a\0b\n", 4), large})
        EXPECT_EQ(read_file(write(text)), text);
}

TEST_F(ReadFile, GivesNoMoreThanTheLimit) {
    EXPECT_EQ(read_file(write("12345"), FileKind::regular, 5), "12345");
    EXPECT_EQ(read_file(write("12345"), FileKind::regular, 4), "1234");
    EXPECT_EQ(read_file("/dev/zero", FileKind::any, 100'000), std::string(100'000, '\0'));
}

TEST_F(ReadFile, DoesNotTrustTheSize) {
    const auto text = read_file("/proc/self/status");
    ASSERT_TRUE(text.has_value());
    EXPECT_TRUE(text->starts_with("Name:"));
}

TEST_F(ReadFile, SaysWhyItCannot) {
    EXPECT_EQ(read_file(folder_ / "nothing").error(), ENOENT);
    EXPECT_EQ(read_file(folder_).error(), EINVAL);
    EXPECT_EQ(read_file(folder_, FileKind::any).error(), EISDIR);
}

TEST_F(ReadFile, DoesNotWaitForAPipe) {
    ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
    ::alarm(5);
    EXPECT_EQ(read_file(folder_ / "pipe").error(), EINVAL);
    ::alarm(0);
}

}  // namespace
}  // namespace nftlink::base
