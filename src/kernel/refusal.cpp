#include "refusal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "netlink.hpp"
#include "nftlink/netlink/attribute.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::kernel {

namespace {

using netlink::for_each_attribute;
using netlink::Payload;

constexpr std::size_t longest_line = 200;

// The request's message with that index; the datagram is our own, so that it is well-formed.
Payload message_at(const nft::Datagram& datagram, std::uint32_t index) {
    std::size_t at = 0;
    for (;; --index) {
        std::uint32_t length;
        std::memcpy(&length, datagram.bytes.data() + at, sizeof length);
        if (index == 0)
            return Payload(datagram.bytes).subspan(at, length);
        at += NLMSG_ALIGN(std::size_t{length});
    }
}

// The key in a set element's attributes.
std::string element_text(Payload element, const std::vector<nft::DataType>& types) {
    nft::Key key;
    for_each_attribute(element, 0, [&](std::uint16_t type, Payload value) {
        if (type == NFTA_SET_ELEM_KEY)
            for_each_attribute(value, 0, [&](std::uint16_t, Payload bytes) { key.append(bytes); });
    });
    return nft::to_text(key, types);
}

const std::vector<nft::DataType>* element_types(const nft::Operation& operation) {
    if (const auto* add = std::get_if<nft::AddElements>(&operation.action))
        return &add->key;
    if (const auto* remove = std::get_if<nft::DeleteElements>(&operation.action))
        return &remove->key;
    return nullptr;
}

bool is_utf8_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Printable, ended by NUL.
bool is_word(Payload value) {
    return value.size() > 1 && value.back() == 0 &&
           std::all_of(value.begin(), value.end() - 1, [](std::uint8_t c) { return c > ' ' && c < 0x7f; });
}

// The thing that the attribute names which the kernel points at: a set element, or an object by its name.
std::string object_text(const nft::Operation& operation, Payload message, std::uint32_t offset) {
    std::string text;
    bool is_first = true;
    for_each_attribute(message, std::max<std::size_t>(offset, sizeof(nlmsghdr)), [&](std::uint16_t, Payload value) {
        if (!std::exchange(is_first, false))
            return;
        if (is_word(value))
            text.assign(value.begin(), value.end() - 1);
        else if (const auto* types = element_types(operation))
            text = element_text(value, *types);
    });
    return text;
}

Refusal::Reason reason_of(BatchVerdict::Kind kind) {
    switch (kind) {
        case BatchVerdict::Kind::refused:
            return Refusal::Reason::operations;
        case BatchVerdict::Kind::stale:
            return Refusal::Reason::stale;
        case BatchVerdict::Kind::permission:
            return Refusal::Reason::permission;
        case BatchVerdict::Kind::committed:
        case BatchVerdict::Kind::unknown:
            break;
    }
    return Refusal::Reason::unknown;
}

}  // namespace

std::string short_text(const nft::Operation& operation) {
    const auto of_set = [&](std::string_view verb, const std::string& set) {
        return fmt::format("{} {} {} {} {{ … }}", verb, nft::to_string(operation.family), operation.table, set);
    };
    if (const auto* add = std::get_if<nft::AddElements>(&operation.action))
        return of_set("add element", add->set);
    if (const auto* remove = std::get_if<nft::DeleteElements>(&operation.action))
        return of_set("delete element", remove->set);
    std::string text = nft::to_text(operation);
    if (text.size() <= longest_line)
        return text;
    std::size_t end = longest_line;
    while (end > 0 && is_utf8_continuation(text[end]))
        --end;
    return text.replace(end, std::string::npos, " …");
}

Refusal make_refusal(const nft::Batch& batch, const nft::Datagram& datagram, std::uint32_t first_sequence,
                     const BatchVerdict& verdict) {
    Refusal refusal{reason_of(verdict.kind), batch.size(), {}};
    for (const netlink::Ack& error : verdict.errors) {
        const std::uint32_t message = error.sequence - first_sequence;
        const std::uint32_t index = datagram.operation_of_message[message];
        // Several messages of one operation are one refusal; the first says what began it.
        if (!refusal.operations.empty() && refusal.operations.back().index == index)
            continue;
        if (index == nft::Datagram::no_operation) {
            refusal.operations.push_back({batch.size(), "commit", {}, error.error_number, error.text});
            continue;
        }
        std::string object;
        if (error.offset)
            object = object_text(batch[index], message_at(datagram, message), *error.offset);
        refusal.operations.push_back(
            {index, short_text(batch[index]), std::move(object), error.error_number, error.text});
    }
    return refusal;
}

}  // namespace nftlink::kernel
