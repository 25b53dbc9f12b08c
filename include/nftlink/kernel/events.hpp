// What happens to the ruleset and the bridges, as it happens, on Boost.Asio.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nftlink/kernel/kernel.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::kernel {

struct TableName {
    nft::Family family = nft::Family::unspecified;
    std::string name;

    bool operator==(const TableName&) const = default;
};

// One commit, by us or by another program.
struct Change {
    std::uint32_t generation = 0;
    std::uint32_t process = 0;  // 0: unknown
    std::string program;
    // The tables that it made, deleted or changed anything in; each once.
    std::vector<TableName> tables;
    // Events were lost (ENOBUFS): anything may have changed.
    bool overrun = false;
};

// The netlink multicast group of nf_tables in the namespace of the calling thread at construction.
class RulesetEvents {
public:
    explicit RulesetEvents(boost::asio::any_io_executor executor);
    ~RulesetEvents();
    RulesetEvents(RulesetEvents&&) noexcept;
    RulesetEvents& operator=(RulesetEvents&&) noexcept;

    // The next commit. One await at a time; cancelling it loses nothing. Throws std::system_error when the socket is
    // broken.
    boost::asio::awaitable<Change> next();

    // Nothing is heard of what is committed between the two; what was before is still to come.
    void leave();
    void join();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Bridges and their ports that appear, vanish or change, and other interfaces.
class BridgeEvents {
public:
    // The kernel must outlive it.
    BridgeEvents(boost::asio::any_io_executor executor, Kernel& kernel);
    ~BridgeEvents();
    BridgeEvents(BridgeEvents&&) noexcept;
    BridgeEvents& operator=(BridgeEvents&&) noexcept;

    // Returns when some have changed since the last call of Kernel::bridges(), which is to be called then.
    boost::asio::awaitable<void> next();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nftlink::kernel
