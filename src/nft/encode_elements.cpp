#include "encode_elements.hpp"

#include <linux/netlink.h>

#include <bit>
#include <cstring>

#include "nfnetlink.hpp"
#include "userdata.hpp"

namespace nftlink::nft {

namespace {

constexpr std::size_t header = sizeof(nlattr);
constexpr std::size_t attribute_limit = 0xffff - 0xff;

constexpr std::size_t aligned(std::size_t size) {
    return (size + 3) & ~std::size_t{3};
}

constexpr char counter_name[] = "counter";
constexpr std::size_t number_size = header + sizeof(std::uint64_t);
constexpr std::size_t counter_data_size = header + 2 * number_size;
constexpr std::size_t counter_size = header + header + sizeof counter_name + counter_data_size;

std::string_view comment_of(const Element& element) {
    return std::string_view(element.comment).substr(0, max_comment_length);
}

std::size_t key_size(const Element& element) {
    return 2 * header + element.key.bytes().size();
}

// Type, length, text, NUL.
std::size_t userdata_size(std::string_view comment) {
    return header + 2 + comment.size() + 1;
}

// Attributes one after the other into bytes that are zero and large enough.
class Cursor {
public:
    explicit Cursor(std::uint8_t* place) : place_(place) {}

    void put_header(std::size_t size, unsigned type) {
        const nlattr attribute{.nla_len = static_cast<std::uint16_t>(size),
                               .nla_type = static_cast<std::uint16_t>(type)};
        put(&attribute, sizeof attribute);
    }
    void put_number(unsigned type, std::uint64_t value) {
        put_header(number_size, type);
        if constexpr (std::endian::native == std::endian::little)
            value = std::byteswap(value);
        put(&value, sizeof value);
    }
    void put(const void* bytes, std::size_t size) {
        std::memcpy(place_, bytes, size);
        place_ += size;
    }
    void put_byte(std::size_t value) { *place_++ = static_cast<std::uint8_t>(value); }
    void skip(std::size_t size) { place_ += size; }

private:
    std::uint8_t* place_;
};

void write_key(Cursor& cursor, const Element& element) {
    const auto key = element.key.bytes();
    cursor.put_header(key_size(element), NFTA_SET_ELEM_KEY | NLA_F_NESTED);
    cursor.put_header(header + key.size(), NFTA_DATA_VALUE);
    cursor.put(key.data(), key.size());
}

void write_comment(Cursor& cursor, std::string_view comment) {
    const std::size_t size = userdata_size(comment);
    cursor.put_header(size, NFTA_SET_ELEM_USERDATA);
    cursor.put_byte(comment_type);
    cursor.put_byte(comment.size() + 1);
    cursor.put(comment.data(), comment.size());
    cursor.skip(1 + aligned(size) - size);
}

void write_counters(Cursor& cursor, const Counters& counters) {
    cursor.put_header(counter_size, NFTA_SET_ELEM_EXPR | NLA_F_NESTED);
    cursor.put_header(header + sizeof counter_name, NFTA_EXPR_NAME);
    cursor.put(counter_name, sizeof counter_name);
    cursor.put_header(counter_data_size, NFTA_EXPR_DATA | NLA_F_NESTED);
    cursor.put_number(NFTA_COUNTER_BYTES, counters.bytes);
    cursor.put_number(NFTA_COUNTER_PACKETS, counters.packets);
}

}  // namespace

std::size_t encoded_size(const Element& element, ElementPart part) {
    std::size_t size = header + key_size(element);
    if (part == ElementPart::key)
        return size;
    if (!element.comment.empty())
        size += aligned(userdata_size(comment_of(element)));
    return size + (element.counters ? counter_size : 0);
}

std::size_t append_elements(Bytes& out, std::span<const Element> elements, ElementPart part) {
    std::size_t size = header, count = 0;
    for (std::size_t next = 0; count < elements.size(); ++count, size += next)
        if (next = encoded_size(elements[count], part); size + next >= attribute_limit)
            break;
    const std::size_t start = out.size();
    out.resize(start + size);
    Cursor cursor(out.data() + start);
    cursor.put_header(size, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
    // libnftnl numbers them; the kernel doesn't look.
    for (std::size_t index = 0; index < count; ++index) {
        const Element& element = elements[index];
        cursor.put_header(encoded_size(element, part), static_cast<unsigned>(index + 1) | NLA_F_NESTED);
        write_key(cursor, element);
        if (part == ElementPart::key)
            continue;
        if (!element.comment.empty())
            write_comment(cursor, comment_of(element));
        if (element.counters)
            write_counters(cursor, *element.counters);
    }
    return count;
}

}  // namespace nftlink::nft
