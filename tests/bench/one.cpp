// One link added and removed, so many being there.
#include <fmt/format.h>
#include <nftables/libnftables.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "kernel/netlink.hpp"
#include "measure.hpp"
#include "nftlink/base/unique_fd.hpp"
#include "nftlink/desired/draft.hpp"
#include "nftlink/kernel/netlink_kernel.hpp"
#include "nftlink/netlink/socket.hpp"
#include "nftlink/nft/build.hpp"
#include "support/core.hpp"
#include "support/kernel_behind.hpp"

namespace nftlink::bench {

namespace {

namespace asio = boost::asio;
using namespace service;

api::Transaction put(const std::string& name, const std::string& record) {
    api::Transaction transaction;
    transaction.put_containers.push_back({name, record, ""});
    return transaction;
}

api::Transaction add_link() {
    api::Transaction transaction;
    transaction.put_links.push_back({{"bench-parent", "db"}, "bench-child", ""});
    return transaction;
}

api::Transaction remove_link() {
    api::Transaction transaction;
    transaction.delete_links.push_back({"bench-parent", "db"});
    return transaction;
}

const std::pair<const char*, const char*> ends[] = {
    {"bench-parent", R"({"bridge": "docker0", "addresses": ["10.254.0.1"]})"},
    {"bench-child", R"({"bridge": "docker0", "addresses": ["10.254.0.2"], "expose": ["6379"]})"},
};

// The steps of a change without the disk.
class WithoutDisk {
public:
    WithoutDisk(kernel::Kernel& kernel, const asio::any_io_executor& executor, config::Loaded loaded)
        : state_(std::make_shared<const config::Loaded>(std::move(loaded))), events_(executor), enforcer_(kernel) {
        if (!enforcer_.adopt(goal()))
            throw std::runtime_error("the kernel refuses");
    }

    void change(const api::Transaction& transaction) {
        desired::Draft draft(state_);
        const auto planned = draft.plan(transaction);
        if (!planned)
            throw std::runtime_error(planned.error().front().message);
        const auto past = state_.apply(draft.take());
        if (!enforcer_.adopt(goal(), past.changed(state_)))
            throw std::runtime_error("the kernel refuses");
        for (const desired::LinkChange& change : planned->links) {
            const api::LinkEvent event{.link = model::link_name(change.parent, change.link.alias),
                                       .parent = change.parent,
                                       .child = change.link.child,
                                       .alias = change.link.alias,
                                       .by = "api",
                                       .reason = {}};
            events_.publish(change.added ? api::Event(api::LinkAdded{event}) : api::LinkRemoved{event});
        }
    }

private:
    enforce::Goal goal() const { return {&state_.topology(), &state_.config().firewall}; }

    desired::State state_;
    EventLog events_;
    enforce::Enforcer enforcer_;
};

// Listens to nothing: the bench decides when somebody does.
class DeafKernel final : public test::KernelBehind {
public:
    using KernelBehind::KernelBehind;

    std::optional<kernel::Change> next_change() override { return {}; }
    int changes_descriptor() override { return never_.get(); }

private:
    base::UniqueFd never_{::eventfd(0, EFD_CLOEXEC)};
};

class WithDisk {
public:
    WithDisk(kernel::Kernel& kernel, config::Loaded loaded)
        : kernel_(kernel), core_(context_, kernel_, enforce::Clock::real(), "bench.yaml", std::move(loaded)) {
        if (!core_.run(core_.changes.start(nullptr)))
            throw std::runtime_error("the service doesn't start");
    }

    void change(const api::Transaction& transaction) {
        const auto answer = core_.run(core_.changes.change(transaction));
        if (!answer)
            throw std::runtime_error(answer.error().front().message);
    }

private:
    asio::io_context context_{1};
    DeafKernel kernel_;
    Core core_;
};

// One port of docker0: from one address to the other's, or back.
nft::Element element(std::uint8_t from, std::uint8_t to, const std::string& comment) {
    nft::Element made;
    made.key = nft::interface_key("docker0");
    for (const std::uint8_t last : {from, to})
        made.key.append(std::array<std::uint8_t, 4>{10, 255, 0, last});
    made.key.append(std::array<std::uint8_t, 1>{6});
    made.key.append(std::array<std::uint8_t, 2>{0x18, 0xeb});  // 6379
    made.comment = comment;
    return made;
}

// What a link is in the kernel: an element of its own and one of its replies.
template <typename Action>
nft::Batch batch() {
    auto key = nft::interface_key();
    std::ranges::copy(nft::link_key(nft::Family::ip), std::back_inserter(key));
    return {{nft::Family::inet, "nftlink", Action{"links4", key, {element(1, 2, "/bench-parent/db")}}},
            {nft::Family::inet, "nftlink", Action{"replies4", key, {element(2, 1, "")}}}};
}

std::string in_words(const std::string& verb) {
    constexpr const char* form =
        "{0} element inet nftlink {1} {{ \"docker0\" . 10.255.0.{2} . 10.255.0.{3} . tcp . 6379 }}\n";
    return fmt::format(form, verb, "links4", 1, 2) + fmt::format(form, verb, "replies4", 2, 1);
}

}  // namespace

boost::json::object one(std::size_t links, std::size_t rounds, const std::string& folder) {
    const auto kernel = kernel::make_netlink_kernel();
    Replay replay;
    clear_ruleset(replay);
    asio::io_context context{1};
    const std::string text = yaml(links, "state: {directory: " + folder + "}\n");
    WithoutDisk bare(*kernel, context.get_executor(), load(text));
    WithDisk whole(*kernel, load(text));
    for (const auto& [name, record] : ends) {
        bare.change(put(name, record));
        whole.change(put(name, record));
    }
    // As in the service, somebody listens; not to the floor.
    netlink::Socket listener(NETLINK_NETFILTER);
    listener.join(NFNLGRP_NFTABLES);
    const std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)> nft(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
    const std::string add_words = in_words("add"), delete_words = in_words("delete");
    Samples samples;
    for (std::size_t round = 0; round <= rounds; ++round) {
        listener.leave(NFNLGRP_NFTABLES);
        const auto add = replay.prepare(batch<nft::AddElements>());
        const auto remove = replay.prepare(batch<nft::DeleteElements>());
        measure(samples["floor"], [&] { replay.send(add); });
        measure(samples["floor removed"], [&] { replay.send(remove); });
        listener.join(NFNLGRP_NFTABLES);
        measure(samples["service"], [&] { bare.change(add_link()); });
        measure(samples["service removed"], [&] { bare.change(remove_link()); });
        measure(samples["service and disk"], [&] { whole.change(add_link()); });
        measure(samples["service and disk removed"], [&] { whole.change(remove_link()); });
        listener.leave(NFNLGRP_NFTABLES);
        measure(samples["libnftables"], [&] { nft_run_cmd_from_buffer(nft.get(), add_words.c_str()); });
        measure(samples["libnftables removed"], [&] { nft_run_cmd_from_buffer(nft.get(), delete_words.c_str()); });
        if (round == 0)
            samples.clear();
    }
    return to_json(samples);
}

}  // namespace nftlink::bench
