// One link added and removed, so many being there.
#include <nftables/libnftables.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <stdexcept>

#include "measure.hpp"
#include "nftlink/kernel/events.hpp"
#include "nftlink/kernel/netlink_kernel.hpp"
#include "nftlink/nft/build.hpp"
#include "service/enforcer.hpp"
#include "service/event_log.hpp"
#include "service/keeper.hpp"

namespace nftlink::bench {

namespace {

namespace asio = boost::asio;
using namespace service;

api::Transaction put(const std::string& name, const std::string& record) {
    api::Transaction transaction;
    transaction.put_containers.push_back({name, *api::parse(record), ""});
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
        : desired_(std::make_shared<const config::Loaded>(std::move(loaded))),
          events_(executor),
          enforcer_(executor, kernel, desired_, {[](auto&&...) {}, [](auto&&...) {}}) {
        if (!enforcer_.adopt())
            throw std::runtime_error("the kernel refuses");
    }

    void change(const api::Transaction& transaction) {
        auto edit = desired_.plan(transaction);
        if (!edit)
            throw std::runtime_error(edit.error().front().message);
        desired_.swap(*edit);
        firewall::Before before;
        for (const auto& [name, container] : edit->containers)
            before.emplace(name, container ? &*container : nullptr);
        if (!enforcer_.adopt(before))
            throw std::runtime_error("the kernel refuses");
        for (const LinkChange& change : edit->links)
            events_.publish(change.added ? "link_added" : "link_removed",
                            {{"parent", change.parent}, {"alias", change.link.alias}, {"child", change.link.child}});
    }

private:
    Desired desired_;
    EventLog events_;
    Enforcer enforcer_;
};

class WithDisk {
public:
    WithDisk(kernel::Kernel& kernel, config::Loaded loaded)
        : keeper_(context_.get_executor(), kernel, "bench.yaml", std::move(loaded)) {
        if (!keeper_.start())
            throw std::runtime_error("the keeper doesn't start");
    }

    void change(const api::Transaction& transaction) {
        bool done = false;
        asio::co_spawn(context_, keeper_.change(transaction), [&](std::exception_ptr, const auto& answer) {
            if (!answer)
                throw std::runtime_error(answer.error().front().message);
            done = true;
        });
        context_.restart();
        while (!done)
            context_.run_one();
    }

private:
    asio::io_context context_{1};
    Keeper keeper_;
};

nft::Element element() {
    nft::Element made;
    for (const std::uint8_t last : std::array<std::uint8_t, 2>{1, 2})
        made.key.append(std::array<std::uint8_t, 4>{10, 255, 0, last});
    made.key.append(std::array<std::uint8_t, 1>{6});
    made.key.append(std::array<std::uint8_t, 2>{0x18, 0xeb});  // 6379
    made.comment = "/bench-parent/db";
    return made;
}

nft::Batch batch(auto action) {
    return {{nft::Family::inet, "nftlink", std::move(action)}};
}

}  // namespace

boost::json::object one(std::size_t links, std::size_t rounds, const std::string& folder) {
    const auto kernel = kernel::make_netlink_kernel();
    Replay replay;
    clear_ruleset(replay);
    asio::io_context context{1};
    // So that there is a set, also without links.
    const std::string text = yaml(std::max<std::size_t>(links, 2), "state: {directory: " + folder + "}\n");
    WithoutDisk bare(*kernel, context.get_executor(), load(text));
    WithDisk whole(*kernel, load(text));
    for (const auto& [name, record] : ends) {
        bare.change(put(name, record));
        whole.change(put(name, record));
    }
    // As in the service, somebody listens; not to the floor.
    kernel::RulesetEvents listener(context.get_executor());
    const std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)> nft(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
    const std::string words = "element inet nftlink links4-docker0 { 10.255.0.1 . 10.255.0.2 . tcp . 6379 }";
    const auto key = nft::link_key(true);
    Samples samples;
    for (std::size_t round = 0; round <= rounds; ++round) {
        listener.leave();
        const auto add = replay.prepare(batch(nft::AddElements{"links4-docker0", key, {element()}}));
        const auto remove = replay.prepare(batch(nft::DeleteElements{"links4-docker0", key, {element()}}));
        measure(samples["floor"], [&] { replay.send(add); });
        measure(samples["floor removed"], [&] { replay.send(remove); });
        listener.join();
        measure(samples["service"], [&] { bare.change(add_link()); });
        measure(samples["service removed"], [&] { bare.change(remove_link()); });
        measure(samples["service and disk"], [&] { whole.change(add_link()); });
        measure(samples["service and disk removed"], [&] { whole.change(remove_link()); });
        listener.leave();
        measure(samples["libnftables"], [&] { nft_run_cmd_from_buffer(nft.get(), ("add " + words).c_str()); });
        measure(samples["libnftables removed"],
                [&] { nft_run_cmd_from_buffer(nft.get(), ("delete " + words).c_str()); });
        if (round == 0)
            samples.clear();
    }
    return to_json(samples);
}

}  // namespace nftlink::bench
