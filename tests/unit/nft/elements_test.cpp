// The flat writer gives libnftnl's bytes.
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>

#include <memory>
#include <utility>

#include "messages.hpp"
#include "nft/nfnetlink.hpp"
#include "samples.hpp"
// After the kernel's headers.
#include <libnftnl/expr.h>
#include <libnftnl/set.h>

namespace nftlink::nft {
namespace {

using SetPtr = std::unique_ptr<nftnl_set, decltype(&nftnl_set_free)>;

enum class Part { whole, key };

void add(nftnl_set& set, const Element& element, Part part) {
    nftnl_set_elem* made = nftnl_set_elem_alloc();
    const auto key = element.key.bytes();
    nftnl_set_elem_set(made, NFTNL_SET_ELEM_KEY, key.data(), static_cast<std::uint32_t>(key.size()));
    if (part == Part::whole && !element.comment.empty()) {
        const std::size_t length = element.comment.size() + 1;
        Bytes userdata{0, static_cast<std::uint8_t>(length)};
        userdata.insert(userdata.end(), element.comment.c_str(), element.comment.c_str() + length);
        nftnl_set_elem_set(made, NFTNL_SET_ELEM_USERDATA, userdata.data(), static_cast<std::uint32_t>(userdata.size()));
    }
    if (part == Part::whole && element.counters) {
        nftnl_expr* counter = nftnl_expr_alloc("counter");
        nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, element.counters->packets);
        nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_BYTES, element.counters->bytes);
        nftnl_set_elem_add_expr(made, counter);
    }
    nftnl_set_elem_add(&set, made);
}

// A message's bytes after struct nlmsghdr.
Bytes by_libnftnl(const std::vector<Element>& elements, std::uint16_t type, Part part) {
    const SetPtr set(nftnl_set_alloc(), nftnl_set_free);
    nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, "nftlink");
    nftnl_set_set_str(set.get(), NFTNL_SET_NAME, "links4");
    for (const Element& element : elements)
        add(*set, element, part);
    std::vector<char> buffer(1 << 17);
    nlmsghdr* header = nftnl_nlmsg_build_hdr(buffer.data(), type, NFPROTO_INET, 0, 1);
    nftnl_set_elems_nlmsg_build_payload(header, set.get());
    return {buffer.data() + sizeof(nlmsghdr), buffer.data() + header->nlmsg_len};
}

Bytes by_us(Action action) {
    const Datagram datagram = encode({{Family::inet, "nftlink", std::move(action)}}, 1, {});
    EXPECT_EQ(messages(datagram.bytes).size(), 3U) << "more than one message between begin and end";
    const Payload payload = encoded(datagram);
    return {payload.begin(), payload.end()};
}

std::vector<Element> ipv6_elements() {
    std::vector<Element> elements;
    for (std::uint16_t port = 1; port <= 3; ++port)
        elements.push_back({link_key(parent6, child6, 17, port), "/web/db", {}, {}});
    return elements;
}

// Every length of a comment, with counters and without.
std::vector<Element> many_elements() {
    std::vector<Element> elements;
    for (std::uint16_t length = 0; length <= max_comment_length; ++length) {
        elements.push_back(element(length, std::string(length, 'x')));
        elements.push_back(
            element(static_cast<std::uint16_t>(length + 1000), std::string(length, 'x'), Counters{7, 1ULL << 40}));
    }
    return elements;
}

TEST(Elements, AreAddedAsLibnftnlDoes) {
    for (const auto& elements : {many_elements(), ipv6_elements(), {element(6379)}})
        EXPECT_EQ(by_us(AddElements{"links4", link_key(Family::ip), elements}),
                  by_libnftnl(elements, NFT_MSG_NEWSETELEM, Part::whole));
}

TEST(Elements, AreDeletedAsLibnftnlDoes) {
    for (const auto& elements : {many_elements(), ipv6_elements()})
        EXPECT_EQ(by_us(DeleteElements{"links4", link_key(Family::ip), elements}),
                  by_libnftnl(elements, NFT_MSG_DELSETELEM, Part::key));
}

TEST(Elements, OfABufferThatIsUsedAgainAreTheSame) {
    const Batch many{{Family::inet, "t", AddElements{"s", link_key(Family::ip), many_elements()}}};
    const Batch few{{Family::inet, "t", DeleteElements{"s", link_key(Family::ip), ipv6_elements()}}};
    Datagram used = encode(many, 1, {});
    encode(few, 5, 9, used);
    const Datagram fresh = encode(few, 5, 9);
    EXPECT_EQ(used.bytes, fresh.bytes);
    EXPECT_EQ(used.operation_of_message, fresh.operation_of_message);
}

}  // namespace
}  // namespace nftlink::nft
