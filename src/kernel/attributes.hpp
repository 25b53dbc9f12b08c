// Walking netlink attributes with libmnl.
#pragma once

#include <algorithm>

#include "netlink.hpp"
#include "reply_reader.hpp"

namespace nftlink::kernel {

// Calls visit(type, value) for the attributes after a fixed header of that size; ends at a malformed one.
template <typename Visit>
void for_each_attribute(Payload payload, std::size_t header_size, Visit visit) {
    if (payload.size() < header_size)
        return;
    Payload rest = payload.subspan(header_size);
    while (!rest.empty()) {
        const auto* attribute = reinterpret_cast<const nlattr*>(rest.data());
        if (!mnl_attr_ok(attribute, static_cast<int>(rest.size())))
            return;
        visit(mnl_attr_get_type(attribute), Payload(static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)),
                                                    mnl_attr_get_payload_len(attribute)));
        rest = rest.subspan(std::min<std::size_t>(MNL_ALIGN(std::size_t{attribute->nla_len}), rest.size()));
    }
}

}  // namespace nftlink::kernel
