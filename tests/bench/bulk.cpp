// Topology in memory → committed; and what is there already, adopted.
#include <nftables/libnftables.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <stdexcept>

#include "measure.hpp"
#include "nftlink/enforce/plan.hpp"
#include "nftlink/firewall/render.hpp"
#include "nftlink/kernel/netlink_kernel.hpp"
#include "support/core.hpp"

namespace nftlink::bench {

namespace {

using Context = std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)>;

// False where it can't, as with an ordinary user's small send buffer.
bool run_nft(nft_ctx& context, const std::string& commands) {
    nft_ctx_buffer_error(&context);
    return nft_run_cmd_from_buffer(&context, commands.c_str()) == 0;
}

}  // namespace

boost::json::object bulk(std::size_t links, std::size_t rounds) {
    const config::Loaded loaded = load(yaml(links));
    const auto kernel = kernel::make_netlink_kernel();
    const auto make_target = [&] { return enforce::make_target(loaded.config.topology, loaded.config.firewall); };
    Replay replay;
    clear_ruleset(replay);
    const auto planned = enforce::plan(*kernel, make_target());
    const Context context(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
    std::vector<std::string> left_out;
    const std::string rendered = firewall::render(make_target().want, left_out);
    Samples samples;
    for (std::size_t round = 0; round <= rounds; ++round) {
        // One, unless the send buffer of an ordinary user takes less.
        std::vector<nft::Datagram> bytes;
        for (const nft::Batch& batch : planned->transactions)
            bytes.push_back(replay.prepare(batch));
        measure(samples["floor"], [&] {
            for (const nft::Datagram& datagram : bytes)
                replay.send(datagram);
        });
        clear_ruleset(replay);
        measure(samples["nftlink"], [&] {
            if (const auto done = enforce::apply(*kernel, make_target()); !done)
                throw std::runtime_error(done.error());
        });
        clear_ruleset(replay);
        bool libnftables_can = true;
        measure(samples["libnftables"], [&] { libnftables_can = run_nft(*context, rendered); });
        if (!libnftables_can)
            samples.erase("libnftables");
        clear_ruleset(replay);
        if (round == 0)  // to get warm
            samples.clear();
    }
    return to_json(samples);
}

boost::json::object adopt(std::size_t links, std::size_t rounds, const std::string& folder) {
    const std::string text = yaml(links, "state: {directory: " + folder + "}\n");
    const auto kernel = kernel::make_netlink_kernel();
    Replay replay;
    Samples samples;
    boost::asio::io_context context{1};
    const auto start = [&](std::vector<double>& times) {
        service::Core core(context, *kernel, enforce::Clock::real(), "bench.yaml", load(text));
        bool started = false;
        measure(times, [&] { started = core.run(core.changes.start(nullptr)); });
        if (!started)
            throw std::runtime_error("the service doesn't start");
    };
    start(samples["first"]);
    const std::uint32_t generation = replay.generation();
    const config::Loaded loaded = load(text);
    const auto target = enforce::make_target(loaded.config.topology, loaded.config.firewall);
    for (std::size_t round = 0; round <= rounds; ++round) {
        measure(samples["floor"], [&] {
            for (const std::string set : {"links4", "replies4"})
                replay.dump("nftlink", set);
        });
        start(samples["start"]);
        measure(samples["plan"], [&] { static_cast<void>(enforce::plan(*kernel, target)); });
        if (round == 0)
            samples.clear();
    }
    auto result = to_json(samples);
    result["writes"] = replay.generation() - generation;
    return result;
}

}  // namespace nftlink::bench
