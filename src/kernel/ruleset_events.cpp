#include "ruleset_events.hpp"

#include <system_error>
#include <utility>

#include "netlink.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/nft/decode.hpp"

namespace nftlink::kernel {

RulesetEvents::RulesetEvents() : socket_(NETLINK_NETFILTER) {
    socket_.join(NFNLGRP_NFTABLES);
}

std::optional<Change> RulesetEvents::next() {
    if (changes_.empty())
        read();
    if (changes_.empty())
        return {};
    Change change = std::move(changes_.front());
    changes_.pop_front();
    return change;
}

void RulesetEvents::read() {
    for (;;) {
        const auto datagram = socket_.receive();
        if (!datagram)
            return lost_some();
        if (!*datagram)
            return;
        const auto messages = netlink::read_messages(**datagram);
        if (!messages)
            return lost_some();
        for (const netlink::Message& message : *messages)
            if (is_answer(message))
                take_answer(message);
            else if (auto change = reader_.read(message))
                changes_.push_back(std::move(*change));
    }
}

void RulesetEvents::lost_some() {
    reader_.forget();
    question_.reset();
    Change& change = changes_.emplace_back();
    change.overrun = true;
}

// The answer goes to this socket's port; what is told to the group has the port of who committed.
bool RulesetEvents::is_answer(const netlink::Message& message) const {
    return question_ && message.sequence == question_->sequence && message.port == socket_.port();
}

void RulesetEvents::take_answer(const netlink::Message& message) {
    const auto generation = nft::decode_generation(message.payload);
    if (!generation || (generation->id != question_->before && generation->id != question_->after))
        lost_some();
    question_.reset();
}

void RulesetEvents::ask_generation(std::uint32_t before, std::uint32_t after) {
    question_ = {socket_.take_sequences(1), before, after};
    netlink::Bytes request;
    netlink::MessageWriter writer(request);
    writer.end(writer.begin(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0, question_->sequence, NFPROTO_UNSPEC, 0));
    if (socket_.send(request) != 0)
        lost_some();
}

RulesetEvents::Mute::Mute(RulesetEvents& events, std::uint32_t generation) : events_(events), generation_(generation) {
    events_.socket_.leave(NFNLGRP_NFTABLES);
}

RulesetEvents::Mute::~Mute() try {
    events_.socket_.join(NFNLGRP_NFTABLES);
    events_.ask_generation(generation_, committed_ ? next_generation(generation_) : generation_);
} catch (const std::system_error&) {
    events_.lost_some();
}

}  // namespace nftlink::kernel
