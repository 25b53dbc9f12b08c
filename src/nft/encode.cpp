#include "nftlink/nft/encode.hpp"

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>

#include <array>
#include <cstring>

#include "encode_elements.hpp"
#include "encode_objects.hpp"
#include "nfnetlink.hpp"
#include "nftlink/netlink/message.hpp"
#include "userdata.hpp"

namespace nftlink::nft {

using netlink::MessageWriter;

namespace {

constexpr std::uint16_t message_type(std::uint16_t message) {
    return NFNL_SUBSYS_NFTABLES << 8 | message;
}

// One batch being written.
class BatchWriter {
public:
    BatchWriter(Datagram& out, std::uint32_t sequence) : out_(out), writer_(out.bytes), sequence_(sequence) {}

    void begin(std::optional<std::uint32_t> generation) {
        const std::size_t message = start(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
        if (generation)
            writer_.put_u32(NFNL_BATCH_GENID, *generation);
        writer_.end(message);
    }

    void end() {
        if (last_message_ != 0)
            ask_for_ack(last_message_);
        operation_ = Datagram::no_operation;
        writer_.end(start(NFNL_MSG_BATCH_END, NLM_F_ACK, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
    }

    void write(const Operation& operation, std::uint32_t index) {
        operation_ = index;
        current_ = &operation;
        std::visit(*this, operation.action);
    }

    void operator()(const AddTable& action) {
        const auto table = make_table(current_->family, current_->table, action);
        build(NFT_MSG_NEWTABLE, NLM_F_CREATE, table, nftnl_table_nlmsg_build_payload);
    }
    void operator()(const DeleteTable&) {
        const std::size_t message = start_object(NFT_MSG_DELTABLE, 0);
        writer_.put(NFTA_TABLE_NAME, current_->table);
        writer_.end(message);
    }
    void operator()(const AddChain& action) {
        const auto chain = make_chain(current_->family, current_->table, action.chain);
        build(NFT_MSG_NEWCHAIN, NLM_F_CREATE, chain, nftnl_chain_nlmsg_build_payload);
    }
    void operator()(const FlushChain& action) { delete_rules(action.chain, 0); }
    void operator()(const DeleteChain& action) {
        const std::size_t message = start_object(NFT_MSG_DELCHAIN, 0);
        writer_.put(NFTA_CHAIN_TABLE, current_->table);
        writer_.put(NFTA_CHAIN_NAME, action.chain);
        writer_.end(message);
    }
    void operator()(const AddSet& action) {
        const auto set = make_set(current_->family, current_->table, action.set);
        build(NFT_MSG_NEWSET, NLM_F_CREATE, set, nftnl_set_nlmsg_build_payload);
    }
    void operator()(const DeleteSet& action) {
        const std::size_t message = start_object(NFT_MSG_DELSET, 0);
        writer_.put(NFTA_SET_TABLE, current_->table);
        writer_.put(NFTA_SET_NAME, action.set);
        writer_.end(message);
    }
    void operator()(const AddElements& action) {
        write_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, action.set, action.elements, ElementPart::whole);
    }
    void operator()(const DeleteElements& action) {
        write_elements(NFT_MSG_DELSETELEM, 0, action.set, action.elements, ElementPart::key);
    }
    void operator()(const AddRule& action) {
        const auto rule = make_rule(current_->family, current_->table, action.chain, action.rule);
        if (action.before != 0)
            nftnl_rule_set_u64(rule.get(), NFTNL_RULE_POSITION, action.before);
        // Without NLM_F_APPEND the position is the rule that follows.
        const int flags = action.before != 0 ? NLM_F_CREATE : NLM_F_CREATE | NLM_F_APPEND;
        build(NFT_MSG_NEWRULE, static_cast<std::uint16_t>(flags), rule, nftnl_rule_nlmsg_build_payload);
    }
    void operator()(const ReplaceRule& action) {
        const auto rule = make_rule(current_->family, current_->table, action.chain, action.rule);
        nftnl_rule_set_u64(rule.get(), NFTNL_RULE_HANDLE, action.handle);
        build(NFT_MSG_NEWRULE, NLM_F_REPLACE, rule, nftnl_rule_nlmsg_build_payload);
    }
    void operator()(const DeleteRule& action) { delete_rules(action.chain, action.handle); }

private:
    std::size_t start(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint16_t resource) {
        const auto sequence = sequence_ + static_cast<std::uint32_t>(out_.operation_of_message.size());
        out_.operation_of_message.push_back(operation_);
        return writer_.begin(type, flags, sequence, family, resource);
    }

    std::size_t start_object(std::uint16_t message, std::uint16_t flags) {
        last_message_ = start(message_type(message), flags, static_cast<std::uint8_t>(current_->family), 0);
        return last_message_;
    }

    // Has libnftnl write the object's attributes.
    template <typename Object, typename Build>
    void build(std::uint16_t message, std::uint16_t flags, const Object& object, Build build_payload) {
        constexpr std::size_t room = 16384;  // far over our largest object: names and comments are limited
        alignas(nlmsghdr) std::array<char, room> buffer;
        nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
        build_payload(header, object.get());
        const std::size_t start = start_object(message, flags);
        out_.bytes.insert(out_.bytes.end(), buffer.data() + sizeof(nlmsghdr), buffer.data() + header->nlmsg_len);
        writer_.end(start);
    }

    void delete_rules(const std::string& chain, std::uint64_t handle) {
        const std::size_t message = start_object(NFT_MSG_DELRULE, 0);
        writer_.put(NFTA_RULE_TABLE, current_->table);
        writer_.put(NFTA_RULE_CHAIN, chain);
        if (handle != 0)
            writer_.put_u64(NFTA_RULE_HANDLE, handle);
        writer_.end(message);
    }

    // Packs as many elements into a message as one attribute can hold.
    void write_elements(std::uint16_t type, std::uint16_t flags, const std::string& set,
                        std::span<const Element> elements, ElementPart part) {
        while (!elements.empty()) {
            const std::size_t message = start_object(type, flags);
            writer_.put(NFTA_SET_ELEM_LIST_SET, set);
            writer_.put(NFTA_SET_ELEM_LIST_TABLE, current_->table);
            elements = elements.subspan(append_elements(out_.bytes, elements, part));
            writer_.end(message);
        }
    }

    void ask_for_ack(std::size_t message) {
        std::uint16_t flags;
        auto* place = out_.bytes.data() + message + offsetof(nlmsghdr, nlmsg_flags);
        std::memcpy(&flags, place, sizeof flags);
        flags = static_cast<std::uint16_t>(flags | NLM_F_ACK);
        std::memcpy(place, &flags, sizeof flags);
    }

    Datagram& out_;
    MessageWriter writer_;
    std::uint32_t sequence_;
    std::uint32_t operation_ = Datagram::no_operation;
    const Operation* current_ = nullptr;
    std::size_t last_message_ = 0;  // where the last message of an operation starts; 0 is BATCH_BEGIN
};

struct OperationSize {
    static constexpr std::size_t object_limit = 1024;  // a header, names and a comment
    static constexpr std::size_t per_expression = 128;

    std::size_t operator()(const AddElements& action) const { return elements(action.elements, ElementPart::whole); }
    std::size_t operator()(const DeleteElements& action) const { return elements(action.elements, ElementPart::key); }
    std::size_t operator()(const AddRule& action) const { return rule(action.rule); }
    std::size_t operator()(const ReplaceRule& action) const { return rule(action.rule); }
    std::size_t operator()(const auto&) const { return object_limit; }

    static std::size_t rule(const Rule& rule) { return object_limit + per_expression * rule.expressions.size(); }
    static std::size_t elements(const std::vector<Element>& elements, ElementPart part) {
        std::size_t size = 0;
        for (const Element& element : elements)
            size += encoded_size(element, part);
        return object_limit + packed(size);
    }
    // Elements fill several messages, each with its header.
    static std::size_t packed(std::size_t size) { return size + size / 0x8000 * object_limit; }
};

}  // namespace

void encode(const Batch& batch, std::uint32_t first_sequence, std::optional<std::uint32_t> generation,
            Datagram& datagram) {
    datagram.bytes.clear();
    datagram.operation_of_message.clear();
    BatchWriter writer(datagram, first_sequence);
    writer.begin(generation);
    for (std::uint32_t index = 0; const Operation& operation : batch)
        writer.write(operation, index++);
    writer.end();
}

Datagram encode(const Batch& batch, std::uint32_t first_sequence, std::optional<std::uint32_t> generation) {
    Datagram datagram;
    encode(batch, first_sequence, generation, datagram);
    return datagram;
}

std::size_t encoded_size(const Operation& operation) {
    return std::visit(OperationSize{}, operation.action);
}

}  // namespace nftlink::nft
