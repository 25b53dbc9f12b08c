#include "measure.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "kernel/netlink.hpp"
#include "nftlink/nft/decode.hpp"
#include "yaml_of_links.hpp"

namespace nftlink::bench {

namespace {

// A message without an answer yet, of nf_tables, with text attributes 1, 2, …
std::vector<std::uint8_t> message(std::uint16_t type, std::uint16_t flags, const std::vector<std::string>& texts) {
    alignas(nlmsghdr) std::array<std::uint8_t, 512> buffer{};
    nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
    header->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type);
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    auto* general = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
    general->nfgen_family = texts.empty() ? NFPROTO_UNSPEC : NFPROTO_INET;
    for (std::uint16_t index = 0; const std::string& text : texts)
        mnl_attr_put_strz(header, ++index, text.c_str());
    return {buffer.data(), buffer.data() + header->nlmsg_len};
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
    const kernel::Answers answers = socket_.drain_acks();
    const bool good = !answers.acks.empty() &&
                      std::ranges::all_of(answers.acks, [](const kernel::Ack& ack) { return ack.error_number == 0; });
    if (!good)
        throw std::runtime_error("the kernel refuses a prepared batch");
}

std::uint32_t Replay::generation() {
    std::uint32_t id = 0;
    const int error = socket_.request(
        generation_request_, [&](const kernel::Message& reply) { id = nft::decode_generation(reply.payload)->id; });
    if (error != 0)
        throw std::runtime_error(std::strerror(error));
    return id;
}

std::size_t Replay::dump(const std::string& table, const std::string& set) {
    std::size_t bytes = 0;
    auto request = message(NFT_MSG_GETSETELEM, NLM_F_DUMP, {table, set});
    if (const int error =
            socket_.request(request, [&](const kernel::Message& reply) { bytes += reply.payload.size(); }))
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
