// The service without its sockets, against a kernel in memory and a time that tests make pass.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "nftlink/config/load.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "support/core.hpp"
#include "support/folder.hpp"
#include "support/frame.hpp"

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
    transaction.put_containers.push_back({name, record, ""});
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

class ChangesTest : public testing::Test {
protected:
    ChangesTest() { kernel_.bridge_state = {{{"docker0", 3, {}}}, true, {}}; }

    // A new process with this configuration.
    void make(const std::string& text = seed, const std::string& more = "") {
        core_.reset();
        file_ = folder_.write("nftlink.yaml", text + ("state: {directory: " + (folder_ / "state").string() + "}\n") +
                                                  "env: {directory: " + (folder_ / "env").string() + "}\n" + more);
        const auto loaded = config::load(file_);
        ASSERT_TRUE(loaded) << loaded.error().front().to_string();
        core_.emplace(context_, kernel_, enforce::Clock{[this] { return now_; }, [this] { return processor_time_; }},
                      file_, *loaded);
    }
    bool try_to_start() { return core_->run(core_->changes.start(nullptr)); }
    void start(const std::string& text = seed, const std::string& more = "") {
        make(text, more);
        ASSERT_TRUE(try_to_start());
    }

    Answer change(api::Transaction transaction) {
        auto answer = core_->run(core_->changes.change(std::move(transaction)));
        pass(std::chrono::milliseconds(0));
        return answer;
    }
    Answer reload() { return core_->run(core_->changes.reload()); }

    const desired::State& state() const { return core_->changes.state(); }
    enforce::Enforcer& enforcer() { return core_->enforcer; }
    const Reporter& reporter() const { return core_->reporter; }
    // How many links' elements the kernel has.
    std::size_t elements() { return link_elements(kernel_); }

    // An event of the kernel's, and a look at the bridges.
    void hear(const kernel::Change& change) { tell(enforcer().ruleset_changed(change)); }
    void look() { tell(enforcer().bridges_changed()); }
    // The time passes, and what is due then is done.
    void pass(std::chrono::milliseconds time) {
        now_ += time;
        for (const enforce::Repair& repair : enforcer().repair_due())
            core_->reporter.repaired(repair);
    }
    // What another program does to the ruleset, and the event of it.
    void others_flush() {
        kernel_.ruleset().tables.clear();
        ++kernel_.ruleset().generation;
        hear({kernel_.ruleset().generation, 99, "nft", {{nft::Family::inet, "nftlink"}}, false});
    }

    Folder folder_;
    std::string file_;
    FakeKernel kernel_;
    asio::io_context context_{1};
    enforce::Backoff::Time now_{std::chrono::hours(1)};
    std::chrono::nanoseconds processor_time_{};  // that repairs are said to have cost
    std::optional<Core> core_;

private:
    void tell(const std::optional<enforce::Repair>& repair) {
        if (repair)
            core_->reporter.repaired(*repair);
    }
};

}  // namespace nftlink::service
