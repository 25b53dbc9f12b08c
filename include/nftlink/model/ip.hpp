// IPv4 or IPv6.
#pragma once

#include <array>

namespace nftlink::model {

enum class Ip : unsigned char { v4, v6 };

inline constexpr std::array both_ips{Ip::v4, Ip::v6};

// Something of each.
template <typename T>
struct PerIp {
    T v4{}, v6{};

    T& operator[](Ip ip) { return ip == Ip::v4 ? v4 : v6; }
    const T& operator[](Ip ip) const { return ip == Ip::v4 ? v4 : v6; }
};

}  // namespace nftlink::model
