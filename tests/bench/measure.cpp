#include "measure.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "kernel/netlink.hpp"
#include "nftlink/netlink/message.hpp"
#include "nftlink/nft/decode.hpp"
#include "yaml_of_links.hpp"

namespace nftlink::bench {

namespace {

// A message without an answer yet, of nf_tables, with text attributes 1, 2, …
netlink::Bytes message(std::uint16_t type, std::uint16_t flags, const std::vector<std::string>& texts) {
    netlink::Bytes bytes;
    netlink::MessageWriter writer(bytes);
    const std::size_t start = writer.begin(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), flags, 0,
                                           texts.empty() ? NFPROTO_UNSPEC : NFPROTO_INET, 0);
    for (std::uint16_t index = 0; const std::string& text : texts)
        writer.put(++index, std::string_view(text));
    writer.end(start);
    return bytes;
}

}  // namespace

std::string yaml(std::size_t links, const std::string& head) {
    return head + yaml_of_links(links);
}

config::Loaded load(const std::string& yaml) {
    auto loaded = config::parse({{"bench.yaml", yaml}});
    if (!loaded)
        throw std::runtime_error(loaded.error().front().to_string());
    return std::move(*loaded);
}

Replay::Replay() : generation_request_(message(NFT_MSG_GETGEN, 0, {})), socket_(NETLINK_NETFILTER) {}

nft::Datagram Replay::prepare(const nft::Batch& batch) {
    return nft::encode(batch, socket_.take_sequences(1000), {});
}

void Replay::send(const nft::Datagram& datagram) {
    if (const int error = socket_.send(datagram.bytes))
        throw std::runtime_error(std::strerror(error));
    const netlink::Answers answers = socket_.drain_acks();
    const bool good = !answers.acks.empty() &&
                      std::ranges::all_of(answers.acks, [](const netlink::Ack& ack) { return ack.error_number == 0; });
    if (!good)
        throw std::runtime_error("the kernel refuses a prepared batch");
}

std::uint32_t Replay::generation() {
    std::uint32_t id = 0;
    const int error = socket_.request(
        generation_request_, [&](const netlink::Message& reply) { id = nft::decode_generation(reply.payload)->id; });
    if (error != 0)
        throw std::runtime_error(std::strerror(error));
    return id;
}

std::size_t Replay::dump(const std::string& table, const std::string& set) {
    std::size_t bytes = 0;
    auto request = message(NFT_MSG_GETSETELEM, NLM_F_DUMP, {table, set});
    if (const int error =
            socket_.request(request, [&](const netlink::Message& reply) { bytes += reply.payload.size(); }))
        throw std::runtime_error(std::strerror(error));
    return bytes;
}

void clear_ruleset(Replay& replay) {
    // Added first, so that it is there to be deleted.
    replay.send(replay.prepare(
        {{nft::Family::inet, "nftlink", nft::AddTable{""}}, {nft::Family::inet, "nftlink", nft::DeleteTable{}}}));
}

boost::json::object to_json(const Samples& samples) {
    boost::json::object object;
    for (const auto& [name, times] : samples)
        object[name] = boost::json::array(times.begin(), times.end());
    return object;
}

}  // namespace nftlink::bench
