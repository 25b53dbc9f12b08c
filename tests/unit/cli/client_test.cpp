// What tests/program can't wait for: a service that is silent, or whose queue is full.
#include "cli/client.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace nftlink::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// A socket that takes connections into its queue, and never says anything.
class SilentService : public testing::Test {
protected:
    SilentService() {
        std::string folder = (std::filesystem::temp_directory_path() / "nftlink-client-XXXXXX").string();
        folder_ = ::mkdtemp(folder.data());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path().c_str());
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listener_, 0), 0);
    }
    ~SilentService() override {
        ::close(listener_);
        std::filesystem::remove_all(folder_);
    }

    std::string path() const { return folder_ / "socket"; }
    Client client(int stop = -1) const { return Client(path(), stop, {.reading = 100ms, .changing = 200ms}); }

    std::filesystem::path folder_;
    int listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

TEST_F(SilentService, IsNotWaitedForForever) {
    const auto begin = std::chrono::steady_clock::now();
    const Answer answer = client().get("/v1/status");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().at(0).code, api::Code::no_answer);
    EXPECT_THAT(answer.error().at(0).message, HasSubstr("has not answered within 0.1 seconds"));
    EXPECT_THAT(answer.error().at(0).message, Not(HasSubstr("unknown")));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
}

TEST_F(SilentService, LeavesOpenWhetherAChangeWasMade) {
    const Answer answer = client().change("DELETE", "/v1/containers/x");
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().at(0).message, HasSubstr("within 0.2 seconds; whether the change was made is unknown"));
}

TEST_F(SilentService, HasADeadlineUntilAStreamBegins) {
    const auto end = client().stream("/v1/events", [](std::string_view) { return true; });
    ASSERT_FALSE(end);
    EXPECT_THAT(end.error().at(0).message, HasSubstr("has not answered"));
}

TEST_F(SilentService, WithAFullQueueIsTriedAgainUntilTheDeadline) {
    const auto first = client().get("/v1/status");  // stays in the queue, which has room for it alone
    const Answer second = client().get("/v1/status");
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().at(0).message, HasSubstr("too busy"));
}

TEST_F(SilentService, IsLeftWhenTheUserStops) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    ASSERT_EQ(::write(pipe[1], "x", 1), 1);
    const Client patient(path(), pipe[0]);
    for (int queue = 0; queue < 2; ++queue) {  // connected, and waiting for that
        const Answer answer = patient.get("/v1/status");
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().at(0).code, api::Code::stopped);
    }
    EXPECT_TRUE(patient.stream("/v1/events", [](std::string_view) { return true; }));
    ::close(pipe[0]);
    ::close(pipe[1]);
}

TEST(Client, SaysThatASocketsNameIsTooLong) {
    const Answer answer = Client("/" + std::string(200, 'x')).get("/v1/status");
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().at(0).message, HasSubstr("too long"));
}

TEST(Client, EncodesSegments) {
    EXPECT_EQ(segment("web-1.a_b"), "web-1.a_b");
    EXPECT_EQ(segment("a/b?c%\n\xc3\xbc"), "a%2Fb%3Fc%25%0A%C3%BC");
}

TEST(Faults, AreAllThatTheBodyHas) {
    const Faults several = faults_in(
        422, R"({"code":"invalid","message":"a","path":"/x","errors":[{"message":"a","path":"/x"},{"message":"b"}]})");
    EXPECT_EQ(several, (Faults{{api::Code::invalid, "a", "/x"}, {api::Code::invalid, "b", ""}}));
    EXPECT_EQ(faults_in(404, R"({"code":"not_found","message":"a","path":""})"),
              (Faults{{api::Code::not_found, "a", ""}}));
    for (const char* body : {"", "oops", "[]", R"({"message":5})", R"({"errors":[1,{}]})"}) {
        const Faults faults = faults_in(500, body);
        ASSERT_EQ(faults.size(), 1);
        EXPECT_THAT(faults[0].message, HasSubstr("500"));
    }
}

TEST(Faults, NeverReachTheTerminalRaw) {
    EXPECT_EQ(faults_in(422, R"({"code":"invalid","message":"\u001b[2Ja\nb","path":"/\u0007","file":"\n"})"),
              (Faults{{api::Code::invalid, "\\x1b[2Ja\\x0ab", "/\\x07", "\\x0a"}}));
}

}  // namespace
}  // namespace nftlink::cli
