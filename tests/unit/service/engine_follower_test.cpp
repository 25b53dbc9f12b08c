// The service beside a container engine of fixed answers, with a kernel in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <optional>

#include "../engine/fake_engine.hpp"
#include "nftlink/config/load.hpp"
#include "service_fixture.hpp"

namespace nftlink::service {
namespace {

using namespace std::chrono_literals;
using engine::FakeEngine;

constexpr const char* links = R"("Links": ["/redis:/web/db"])";

class EngineFollowerTest : public testing::Test {
protected:
    EngineFollowerTest() : engine_(context_) {
        kernel_.bridge_state = {{{"docker0", 3, {}}}, true, {}};
        engine_.put("redis", "172.17.0.2");
        engine_.put("web", "172.17.0.3", links);
    }
    ~EngineFollowerTest() override {
        engine_.go();
        settle();
        EXPECT_TRUE(until([&] { return !core_->journal.is_busy(); }));
        settle();
        core_.reset();
    }

    std::string configuration(bool with_engine = true) const {
        return "bridges: {docker0: {}}\nstate: {directory: " + (folder_ / "state").string() +
               "}\nenv: {directory: " + (folder_ / "env").string() + ", cdi_directory: " + (folder_ / "cdi").string() +
               "}\n" + (with_engine ? "sources: {docker: {socket: " + engine_.socket() + "}}\n" : "");
    }

    void start(bool with_engine = true) {
        file_ = folder_.write("nftlink.yaml", configuration(with_engine));
        const auto loaded = config::load(file_);
        ASSERT_TRUE(loaded) << loaded.error().front().to_string();
        core_.emplace(context_, kernel_, enforce::Clock::real(), file_, *loaded);
        std::optional<bool> started;
        asio::co_spawn(context_, core_->changes.start(nullptr), [&](std::exception_ptr, bool done) { started = done; });
        ASSERT_TRUE(until([&] { return started.has_value(); }) && *started);
        asio::co_spawn(context_, core_->repairs.repair_when_due(), asio::detached);
    }

    void settle() {
        context_.restart();
        while (context_.poll() != 0)
            continue;
    }
    bool until(const std::function<bool()>& holds) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!holds() && std::chrono::steady_clock::now() < end) {
            context_.restart();
            context_.run_one_for(10ms);
        }
        return holds();
    }
    bool until_elements(std::size_t count) {
        return until([&] { return elements() == count; });
    }
    bool until_followed() {
        return until([&] { return core_->engine.contact()->connected && engine_.is_followed(); });
    }
    std::size_t elements() { return link_elements(kernel_); }
    bool reload() {
        std::optional<bool> done;
        asio::co_spawn(context_, core_->changes.reload(),
                       [&](std::exception_ptr, const Answer& changed) { done = changed.has_value(); });
        EXPECT_TRUE(until([&] { return done.has_value(); }));
        return *done;
    }

    asio::io_context context_{1};
    Folder folder_;
    FakeEngine engine_;
    std::string file_;
    FakeKernel kernel_;
    std::optional<Core> core_;
};

TEST_F(EngineFollowerTest, TheEnginesLinksAreInTheKernelAndInTheFiles) {
    start();
    ASSERT_TRUE(until_elements(1));
    EXPECT_TRUE(until([&] { return folder_.read("env/web.env").find("DB_NAME=/web/db\n") != std::string::npos; }));
    EXPECT_TRUE(until([&] { return folder_.read("cdi/nftlink.json").find("DB_NAME=/web/db") != std::string::npos; }));
    ASSERT_TRUE(until_followed());
    engine_.stop_container("redis");
    engine_.send_container_event("die", "redis");
    EXPECT_TRUE(until_elements(0));
    EXPECT_TRUE(until([&] { return folder_.read("env/web.env").empty(); }));
    EXPECT_TRUE(until([&] {
        return folder_.read("cdi/nftlink.json").find("NFTLINK_WAITING=/web/db") != std::string::npos;
    })) << "an engine that starts it again must find its device";
    engine_.remove("web");
    engine_.send_container_event("destroy", "web");
    EXPECT_TRUE(until([&] { return !folder_.has("cdi/nftlink.json"); })) << "no parent has any";
}

TEST_F(EngineFollowerTest, WhatTheKernelRefusesIsTriedAgain) {
    start();
    ASSERT_TRUE(until_elements(1));
    ASSERT_TRUE(until_followed());
    kernel_.fails = [](FakeKernel::Step step) { return step == FakeKernel::Step::apply; };
    engine_.stop_container("redis");
    engine_.send_container_event("die", "redis");
    ASSERT_TRUE(until([&] { return !core_->enforcer.in_force(); }));
    EXPECT_EQ(elements(), 1U);
    kernel_.fails = {};
    EXPECT_TRUE(until_elements(0));
    EXPECT_TRUE(core_->enforcer.in_force());
}

TEST_F(EngineFollowerTest, AnEngineThatGoesLeavesTheRulesAsTheyAre) {
    start();
    ASSERT_TRUE(until_elements(1));
    ASSERT_TRUE(until_followed());
    engine_.go();
    ASSERT_TRUE(until([&] { return !core_->engine.contact()->connected; }));
    EXPECT_EQ(elements(), 1U);
    EXPECT_THAT(core_->reporter.last_error()->messages.back(), HasSubstr("what it said last stays in force"));
    engine_.remove("web");
    engine_.come();
    EXPECT_TRUE(until_elements(0));
}

TEST_F(EngineFollowerTest, AReloadAddsTheEngineAndTakesItAway) {
    start(false);
    EXPECT_EQ(core_->engine.contact(), nullptr);
    folder_.write("nftlink.yaml", configuration(true));
    ASSERT_TRUE(reload());
    ASSERT_TRUE(until_elements(1));
    const std::size_t commits = kernel_.commit_count;
    ASSERT_TRUE(reload());
    EXPECT_EQ(kernel_.commit_count, commits) << "the same again changes nothing";
    folder_.write("nftlink.yaml", configuration(false));
    ASSERT_TRUE(reload());
    EXPECT_EQ(elements(), 0U);
    EXPECT_EQ(core_->engine.contact(), nullptr);
}

// Many events at once, few transactions.
TEST_F(EngineFollowerTest, ABurstIsFewChanges) {
    constexpr int count = 50;
    start();
    ASSERT_TRUE(until_elements(1));
    ASSERT_TRUE(until_followed());
    const std::size_t commits = kernel_.commit_count;
    for (int n = 0; n < count; ++n)
        engine_.put("w" + std::to_string(n), "172.17.1." + std::to_string(n), R"("Links": ["/redis:/w/db"])");
    for (int n = 0; n < count; ++n)
        engine_.send_container_event("start", "w" + std::to_string(n));
    ASSERT_TRUE(until_elements(count + 1));
    EXPECT_LT(kernel_.commit_count - commits, count / 2U);
}

}  // namespace
}  // namespace nftlink::service
