// The real nftlinkd on the real kernel.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "fixture.hpp"

namespace nftlink::test {
namespace {

using testing::HasSubstr;

bool wait_until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + slowness() * std::chrono::seconds(5);
    while (std::chrono::steady_clock::now() < end) {
        if (condition())
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return condition();
}

// A folder that goes with it.
class Folder {
public:
    Folder() {
        std::string name = "/tmp/nftlink-test-XXXXXX";
        path_ = mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name) << text;
        return path_ / name;
    }
    std::string read(const std::string& name) const {
        std::stringstream text;
        text << std::ifstream(path_ / name).rdbuf();
        return text.str();
    }
    std::string path(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

// nftlinkd as a process in the namespace of this thread; killed in the end if it still runs.
class Process {
public:
    Process(const std::string& configuration, const std::string& log) : pid_(fork()) {
        if (pid_ != 0)
            return;
        const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(file, STDERR_FILENO);
        execl(NFTLINKD, "nftlinkd", "-c", configuration.c_str(), nullptr);
        _exit(127);
    }
    ~Process() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void signal(int number) const { ::kill(pid_, number); }

    // Its exit status; -1 when it doesn't end.
    int wait() {
        int status = 0;
        if (!wait_until([&] { return waitpid(pid_, &status, WNOHANG) == pid_; }))
            return -1;
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    pid_t pid_;
};

constexpr const char* configuration = R"(
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
  client: {bridge: docker0, addresses: [172.17.0.3], links: [redis:db]}
)";

class ServiceTest : public KernelTest {
protected:
    void start(const std::string& text = configuration) {
        const std::string places = fmt::format("control: {{socket: {}, group: '0'}}\nstate: {{directory: {}}}\n",
                                               folder_.path("socket"), folder_.path("state"));
        process_.emplace(folder_.write("nftlink.yaml", text + places), folder_.path("log"));
    }
    // The whole ruleset is there: the last rule is in place.
    bool is_whole() const { return host().status("nft list chain inet nftlink forward | grep -q drop") == 0; }
    std::string log() const { return folder_.read("log"); }
    Process& process() { return *process_; }

    Folder folder_;

private:
    std::optional<Process> process_;
};

TEST_F(ServiceTest, HealsWhatOthersDo) {
    add_bridge(host(), "docker0");
    start();
    ASSERT_TRUE(wait_until([&] { return is_whole(); })) << log();
    const auto tables = [&] { return host().run("nft list table inet nftlink; nft list table bridge nftlink-frames"); };
    const auto wanted = tables();
    for (const char* change :
         {"flush ruleset", "delete table inet nftlink", "delete table bridge nftlink-frames",
          "flush chain inet nftlink forward",
          "'delete element inet nftlink links4 { docker0 . 172.17.0.3 . 172.17.0.2 . tcp . 6379 }'",
          "insert rule inet nftlink forward accept"}) {
        const auto before = kernel().generation();
        host().run(fmt::format("nft {}", change));
        EXPECT_TRUE(wait_until([&] {
            return host().status("nft list table inet nftlink; nft list table bridge nftlink-frames") == 0 &&
                   tables() == wanted;
        })) << change
            << "\n"
            << log();
        EXPECT_EQ(kernel().generation(), before + 2) << "one commit of theirs, one of ours";
    }
    EXPECT_THAT(log(), HasSubstr("after a change by nft (pid "));
}

TEST_F(ServiceTest, AdoptsWhatIsThereAndLeavesItInTheEnd) {
    start();
    ASSERT_TRUE(wait_until([&] { return is_whole(); })) << log();
    process().signal(SIGTERM);
    EXPECT_EQ(process().wait(), 0);
    EXPECT_TRUE(is_whole()) << "on_exit is keep";
    const auto before = kernel().generation();
    start();
    ASSERT_TRUE(wait_until([&] { return log().find("docker0 does not exist") != std::string::npos; })) << log();
    EXPECT_EQ(kernel().generation(), before) << "zero writes";
}

TEST_F(ServiceTest, RemovesItsRulesAtTheEndWhenToldTo) {
    start(std::string(configuration) + "firewall: {on_exit: remove}\n");
    ASSERT_TRUE(wait_until([&] { return is_whole(); })) << log();
    process().signal(SIGINT);
    EXPECT_EQ(process().wait(), 0);
    EXPECT_EQ(host().run("nft list tables"), "");
}

TEST_F(ServiceTest, PolicesABridgeThatComesLater) {
    start();
    ASSERT_TRUE(wait_until([&] { return is_whole(); })) << log();
    add_bridge(host(), "docker0");
    EXPECT_TRUE(wait_until([&] {
        return kernel().bridges().find("docker0")->own == kernel::BridgeNetfilter{true, true};
    })) << log();
}

TEST_F(ServiceTest, AttachesAsSoonAsTheChainAppearsAndAfterItsRestore) {
    add_bridge(host(), "docker0");
    start("firewall: {layout: rules, attach: [{family: ip, table: filter, chain: FORWARD}]}\n" +
          std::string(configuration).substr(1));
    ASSERT_TRUE(wait_until([&] { return log().find("chain ip filter FORWARD does not exist") != std::string::npos; }))
        << log();
    const auto lines = [&] { return host().run("iptables-nft -S FORWARD | grep -v '^-P' | wc -l"); };
    host().run("iptables-nft -P FORWARD ACCEPT");
    EXPECT_TRUE(wait_until([&] { return lines() == "3\n"; })) << lines() << log();
    host().run("iptables-nft -F FORWARD");
    EXPECT_TRUE(wait_until([&] { return lines() == "3\n"; })) << lines() << log();
    host().run(
        "iptables-nft-save >/tmp/nftlink-save-$$ && iptables-nft-restore </tmp/nftlink-save-$$ && rm "
        "/tmp/nftlink-save-$$");
    EXPECT_TRUE(wait_until([&] { return log().rfind("after a change by iptables-nft-re") != std::string::npos; }))
        << log();
    EXPECT_EQ(lines(), "3\n");
}

TEST_F(ServiceTest, ChangesOfOthersTablesAreNoneOfItsBusiness) {
    start();
    ASSERT_TRUE(wait_until([&] { return is_whole(); })) << log();
    const auto before = kernel().generation();
    for (int round = 0; round < 5; ++round)
        host().run("nft add table ip other && nft delete table ip other");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(kernel().generation(), before + 10);
}

TEST_F(ServiceTest, RefusesABadConfigurationWithItsPlace) {
    start("firewall:\n  layuot: sets\n");
    EXPECT_EQ(process().wait(), 1);
    EXPECT_THAT(log(), HasSubstr("nftlink.yaml:2:3: unknown key 'layuot'; did you mean 'layout'?"));
    EXPECT_EQ(host().run("nft list tables"), "");
}

TEST_F(ServiceTest, LogsJsonWhenToldTo) {
    start(std::string(configuration) + "log: {format: json}\n");
    ASSERT_TRUE(wait_until([&] { return is_whole(); })) << log();
    EXPECT_THAT(log(), HasSubstr(R"("level":"info","message":"at start: made the ruleset as configured)"));
}

}  // namespace
}  // namespace nftlink::test
