#include "nftlink/config/load.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
namespace nftlink::config {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::Key;

class Load : public testing::Test {
protected:
    Load() {
        std::string name = (fs::temp_directory_path() / "nftlink-load-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    ~Load() override { fs::remove_all(folder_); }

    void write(const std::string& name, const std::string& text) {
        fs::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name, std::ios::binary) << text;
    }
    // The messages, less the folder's name.
    std::vector<std::string> errors() {
        std::vector<std::string> result;
        const auto loaded = load(folder_ / "nftlink.yaml");
        for (const auto& error : loaded ? base::Errors{} : loaded.error()) {
            std::string line = error.to_string();
            for (auto at = line.find(folder_.string()); at != std::string::npos; at = line.find(folder_.string()))
                line.erase(at, folder_.string().size() + 1);
            result.push_back(line);
        }
        return result;
    }

    fs::path folder_;
};

std::string container(const std::string& name, int last_byte) {
    return "containers: {" + name + ": {bridge: br0, addresses: [10.0.0." + std::to_string(last_byte) + "]}}\n";
}

TEST_F(Load, ReadsDropInsAndNothingElse) {
    write("nftlink.yaml", container("a", 1));
    write("conf.d/20.yaml", container("c", 3));
    write("conf.d/10.yaml", container("b", 2));
    write("conf.d/.hidden.yaml", "broken: [");
    write("conf.d/old.yaml.bak", "broken: [");
    write("conf.d/README", "broken: [");
    const auto loaded = load(folder_ / "nftlink.yaml");
    ASSERT_TRUE(loaded.has_value()) << testing::PrintToString(errors());
    EXPECT_THAT(loaded->config.topology.containers, ElementsAre(Key("a"), Key("b"), Key("c")));
}

TEST_F(Load, DoesNotWaitForAPipe) {
    write("nftlink.yaml", "");
    fs::create_directories(folder_ / "conf.d");
    ASSERT_EQ(::mkfifo((folder_ / "conf.d/x.yaml").c_str(), 0600), 0);
    EXPECT_THAT(errors(), ElementsAre("conf.d/x.yaml: cannot be read: it is a pipe"));
}

TEST_F(Load, DropInsAreReadInNameOrder) {
    write("nftlink.yaml", "");
    write("conf.d/9.yaml", container("a", 1));
    write("conf.d/10.yaml", container("a", 2));
    EXPECT_THAT(errors(), ElementsAre("conf.d/9.yaml:1:14: container 'a' is given twice; the first is at "
                                      "conf.d/10.yaml:1:14"));
}

TEST_F(Load, AFileInTheWorkingFolderHasItsDropInsThere) {
    write("conf.d/a.yaml", "foo: 1\n");
    write("nftlink.yaml", "");
    const fs::path before = fs::current_path();
    fs::current_path(folder_);
    const auto loaded = load("nftlink.yaml");
    fs::current_path(before);
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().front().to_string(), "conf.d/a.yaml:1:1: unknown key 'foo'");
}

TEST_F(Load, SaysWhatCannotBeRead) {
    write("conf.d/a.yaml", "foo: 1\n");
    EXPECT_THAT(errors(), ElementsAre("nftlink.yaml: cannot be read: No such file or directory",
                                      "conf.d/a.yaml:1:1: unknown key 'foo'"));
    fs::create_directory(folder_ / "nftlink.yaml");
    fs::create_symlink("nowhere", folder_ / "conf.d" / "b.yaml");
    EXPECT_THAT(errors(),
                ElementsAre("nftlink.yaml: cannot be read: Is a directory", "conf.d/a.yaml:1:1: unknown key 'foo'",
                            "conf.d/b.yaml: cannot be read: No such file or directory"));
}

TEST_F(Load, AConfDThatIsNoFolderIsAnError) {
    write("nftlink.yaml", "");
    write("conf.d", "");
    EXPECT_THAT(errors(), ElementsAre("conf.d: cannot be read: Not a directory"));
}

TEST_F(Load, AnEndlessFileIsTooLarge) {
    const auto loaded = load("/dev/zero");
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().front().to_string(), "/dev/zero: larger than 64 MiB");
}

class FindSocket : public Load {
protected:
    std::string find() { return find_socket(folder_ / "nftlink.yaml"); }
    std::string find(const std::string& text) {
        write("nftlink.yaml", text);
        return find();
    }

    const std::string usual_ = ControlSettings().socket;
};

TEST_F(FindSocket, SurvivesABrokenConfiguration) {
    EXPECT_EQ(find("control: {socket: /a/b}\n"), "/a/b");
    EXPECT_EQ(find("firewall: {layuot: x}\nnonsense: 1\ncontrol: {sokcet: x, socket: /a/b, group: [x]}\n"
                   "containers: [1]\nlog: {level: 7}\n"),
              "/a/b");
    EXPECT_EQ(find("control: {socket: /a/b}\n---\nlog: {}\n"), "/a/b") << "a second document";
    EXPECT_EQ(find("control: {socket: /a/b}\ncontrol: {socket: /c}\n"), "/a/b") << "the first one, as messages say";
    EXPECT_EQ(find("control: {socket: /a/b}\nlog: [\n"), "/a/b");
}

// Most of a large file need not be read for it; however it is written, it is found.
TEST_F(FindSocket, HoweverItIsWritten) {
    for (const std::string text :
         {"containers: {}\ncontrol:\n\n  # a comment\n# another\n  group: x\n  socket: /a/b\nlog: {}\n",
          "log: {}\ncontrol: {socket: /a/b}", "\"control\": {socket: /a/b}\n", "'control':\n  socket: /a/b\n",
          "\"con\\x74rol\": {socket: /a/b}\n", "{log: {}, control: {socket: /a/b}}\n", "? control\n: {socket: /a/b}\n",
          "  control: {socket: /a/b}\n  log: {}\n", "--- {control: {socket: /a/b}}\n",
          "\xef\xbb\xbf"
          "control: {socket: /a/b}\n",
          "state: &x {socket: /a/b}\ncontrol: *x\n", "env: &s /a/b\ncontrol: {socket: *s}\n",
          "controls: {socket: /c}\ncontrol: {socket: /a/b}\n", "control :\n  socket: /a/b\n",
          "log: {}\r\ncontrol:\r\n  socket: /a/b\r\n", "!!map\ncontrol: {socket: /a/b}\n"})
        EXPECT_EQ(find(text), "/a/b") << text;
}

TEST_F(FindSocket, IsTheUsualOneWhereNoneCanBeHad) {
    EXPECT_EQ(find(), usual_) << "no file";
    for (const std::string text :
         {"", "control: {readers: all}\n", "control: {socket: a}\n", "control: {socket: [/a]}\n", "control: /a\n",
          "- control\n", "\xff", "# control: {socket: /a}\nlog: {}\n", "containers:\n  control: {socket: /a}\n"})
        EXPECT_EQ(find(text), usual_) << text;
    EXPECT_EQ(find("control: {socket: /" + std::string(107, 'x') + "}\n"), usual_) << "nothing can listen there";
    EXPECT_EQ(find("control: {socket: /" + std::string(106, 'x') + "}\n"), "/" + std::string(106, 'x'));
    fs::remove(folder_ / "nftlink.yaml");
    fs::create_directory(folder_ / "nftlink.yaml");
    EXPECT_EQ(find(), usual_) << "a folder";
}

TEST_F(FindSocket, LooksIntoDropIns) {
    write("conf.d/10.yaml", "control: {socket: /from/conf.d}\n");
    write("conf.d/20.yaml", "log: [\n");
    EXPECT_EQ(find(), "/from/conf.d") << "there is no main file";
    EXPECT_EQ(find("control: {group: x}\n"), "/from/conf.d");
    EXPECT_EQ(find("control: {socket: /main}\n"), "/main");
}

TEST(Examples, TheSeedsScenarioHolds) {
    const auto loaded = load(fs::path(NFTLINK_EXAMPLES) / "docker-0.10.yaml");
    ASSERT_TRUE(loaded.has_value());
    EXPECT_THAT(loaded->warnings, testing::IsEmpty());
    EXPECT_EQ(loaded->config.topology.find("client")->links, (std::vector<model::Link>{{"redis", "db"}}));
}

TEST(Examples, WhatIsCommentedOutHoldsToo) {
    std::ifstream file(fs::path(NFTLINK_EXAMPLES) / "nftlink.yaml");
    std::string text;
    for (std::string line; std::getline(file, line);) {
        const bool prose = line.starts_with("# ") && !line.starts_with("#  ");
        text += (line.starts_with('#') && !prose ? line.substr(1) : line) + "\n";
    }
    const auto loaded = parse({{"nftlink.yaml", text}});
    ASSERT_TRUE(loaded.has_value()) << loaded.error().front().to_string();
    model::FirewallPolicy defaults;
    defaults.bridges["docker0"];
    defaults.bridge_patterns = {{"br-*", {}}};
    EXPECT_EQ(loaded->config.firewall, defaults) << "the example shows the defaults";
    EXPECT_EQ(loaded->config.sources.docker, DockerSource());
    EXPECT_EQ(loaded->config.control, ControlSettings());
    EXPECT_EQ(loaded->config.state, StateSettings());
    EXPECT_EQ(loaded->config.topology.find("web")->links, (std::vector<model::Link>{{"redis", "db"}}));
}

}  // namespace
}  // namespace nftlink::config
