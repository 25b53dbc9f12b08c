#include "time.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

namespace nftlink::engine {

namespace {

constexpr int nanosecond_digits = 9;

// `.123456`, up to nanoseconds; what follows them is left.
std::int64_t take_fraction(std::string_view& text) {
    std::int64_t value = 0;
    if (!text.starts_with('.'))
        return 0;
    text.remove_prefix(1);
    for (int digit = 0; digit < nanosecond_digits; ++digit) {
        value *= 10;
        if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
            value += text.front() - '0';
            text.remove_prefix(1);
        }
    }
    return value;
}

// `Z`, `+01:00`
std::chrono::seconds offset_of(const std::string& zone) {
    int hours = 0, minutes = 0;
    char sign = '+';
    if (std::sscanf(zone.c_str(), "%c%2d:%2d", &sign, &hours, &minutes) != 3)
        return {};
    const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    return sign == '-' ? -offset : offset;
}

}  // namespace

std::int64_t parse_time(std::string_view text) {
    using namespace std::chrono;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, length = 0;
    const std::string whole(text);
    if (std::sscanf(whole.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
                    &length) != 6 ||
        year < 1970 || year > 2200)
        return 0;
    std::string_view rest = std::string_view(whole).substr(static_cast<std::size_t>(length));
    const std::int64_t fraction = take_fraction(rest);
    const sys_days date = std::chrono::year(year) / month / day;
    const auto time =
        sys_seconds(date) + hours(hour) + minutes(minute) + seconds(second) - offset_of(std::string(rest));
    return duration_cast<nanoseconds>(time.time_since_epoch()).count() + fraction;
}

}  // namespace nftlink::engine
