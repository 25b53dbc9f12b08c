// The service's core against a kernel in memory.
#pragma once

#include "service/keeper.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "frame.hpp"
#include "nftlink/config/fragment.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "support/folder.hpp"

namespace nftlink::service {

namespace asio = boost::asio;
using kernel::FakeKernel;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Step = FakeKernel::Step;

inline constexpr const char* seed = R"(
bridges: {docker0: {icc: deny}}
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
)";

inline constexpr const char* web = R"({"bridge": "docker0", "addresses": ["172.17.0.3"], "links": ["redis:db"]})";

inline std::string linked_to_redis(int number) {
    return R"({"bridge": "docker0", "links": ["redis:db"], "addresses": ["172.17.0.)" + std::to_string(number) + "\"]}";
}

inline api::Transaction put(const std::string& name, const std::string& record) {
    api::Transaction transaction;
    transaction.put_containers.push_back({name, *api::parse(record), ""});
    return transaction;
}

inline api::Transaction put_link(const std::string& parent, const std::string& alias, const std::string& child) {
    api::Transaction transaction;
    transaction.put_links.push_back({{parent, alias}, child, ""});
    return transaction;
}

inline api::Transaction remove_link(const std::string& parent, const std::string& alias) {
    api::Transaction transaction;
    transaction.delete_links.push_back({parent, alias});
    return transaction;
}

inline api::Transaction remove(const std::string& name) {
    api::Transaction transaction;
    transaction.delete_containers.push_back(name);
    return transaction;
}

class KeeperTest : public testing::Test {
protected:
    KeeperTest() { kernel_.bridge_state = {{{"docker0", 3, {}}}, true, {}}; }

    // A new process with this configuration.
    void make(const std::string& text = seed, const std::string& more = "") {
        keeper_.reset();
        file_ = folder_.write("nftlink.yaml", text + ("state: {directory: " + (folder_ / "state").string() + "}\n") +
                                                  "env: {directory: " + (folder_ / "env").string() + "}\n" + more);
        const auto loaded = config::load(file_);
        ASSERT_TRUE(loaded) << loaded.error().front().to_string();
        keeper_.emplace(context_.get_executor(), kernel_, file_, *loaded);
    }
    void start(const std::string& text = seed, const std::string& more = "") {
        make(text, more);
        ASSERT_TRUE(keeper_->start());
    }

    template <typename T>
    T wait_for(asio::awaitable<T> task) {
        std::optional<T> result;
        asio::co_spawn(context_, std::move(task), [&](std::exception_ptr failure, T value) {
            if (!failure)
                result = std::move(value);
        });
        context_.restart();
        while (!result && context_.run_one() != 0)
            ;
        EXPECT_TRUE(result);
        return std::move(*result);
    }
    std::expected<Changed, Faults> change(api::Transaction transaction) {
        return wait_for(keeper_->change(std::move(transaction)));
    }
    std::expected<Changed, Faults> reload() { return wait_for(keeper_->reload()); }

    // How many links' elements the kernel has.
    std::size_t elements() { return link_elements(kernel_); }
    // Lets timers run out.
    void run_for(std::chrono::milliseconds time) {
        context_.restart();
        context_.run_for(time);
    }
    // What another program does to the ruleset, and the event of it.
    void others_flush() {
        kernel_.ruleset().tables.clear();
        ++kernel_.ruleset().generation;
        keeper_->enforcer().ruleset_changed(
            {kernel_.ruleset().generation, 99, "nft", {{nft::Family::inet, "nftlink"}}, false});
    }

    Folder folder_;
    std::string file_;
    FakeKernel kernel_;
    asio::io_context context_{1};
    std::optional<Keeper> keeper_;
};

}  // namespace nftlink::service
