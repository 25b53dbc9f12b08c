#include "nftlink/base/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdint>

namespace nftlink::base {

namespace {

using namespace std::chrono;

constexpr int first_year = 1970, last_year = 2200;

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

// Takes parts off the front of a text; ok() turns false at the first that isn't there, and nothing is left then.
class Parts {
public:
    explicit Parts(std::string_view text) : text_(text) {}

    bool ok() const { return ok_; }
    bool at_end() const { return text_.empty(); }

    bool skip(char letter) {
        if (!text_.starts_with(letter))
            return false;
        text_.remove_prefix(1);
        return true;
    }
    void need(char letter) {
        if (!skip(letter))
            fail();
    }

    int number(std::size_t digits) {
        int value = 0;
        for (std::size_t digit = 0; digit < digits; ++digit)
            value = value * 10 + take_digit();
        return value;
    }

    // `.123`, in nanoseconds; nothing is 0.
    nanoseconds fraction() {
        std::int64_t value = 0, unit = 1'000'000'000;
        if (!skip('.'))
            return {};
        for (value += take_digit() * (unit /= 10); !text_.empty() && is_digit(text_.front());)
            value += take_digit() * (unit /= 10);
        return nanoseconds(value);
    }

private:
    void fail() {
        ok_ = false;
        text_ = {};
    }

    int take_digit() {
        if (text_.empty() || !is_digit(text_.front())) {
            fail();
            return 0;
        }
        const int value = text_.front() - '0';
        text_.remove_prefix(1);
        return value;
    }

    std::string_view text_;
    bool ok_ = true;
};

minutes offset(Parts& parts) {
    if (parts.skip('Z'))
        return {};
    const int sign = parts.skip('-') ? -1 : 1;
    if (sign > 0)
        parts.need('+');
    const hours whole(parts.number(2));
    parts.need(':');
    return sign * (whole + minutes(parts.number(2)));
}

sys_days date(Parts& parts, bool& is_date) {
    const int year_number = parts.number(4);
    parts.need('-');
    const auto month_number = static_cast<unsigned>(parts.number(2));
    parts.need('-');
    const year_month_day day(year(year_number), month(month_number),
                             std::chrono::day(static_cast<unsigned>(parts.number(2))));
    is_date = day.ok() && year_number >= first_year && year_number <= last_year;
    return is_date ? sys_days(day) : sys_days();
}

}  // namespace

std::string timestamp(system_clock::time_point time) {
    const auto whole = floor<milliseconds>(time);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(system_clock::to_time_t(time)),
                       whole.time_since_epoch().count() % 1000);
}

std::optional<sys_time<nanoseconds>> parse_timestamp(std::string_view text) {
    Parts parts(text);
    bool is_date = false;
    const sys_days day = date(parts, is_date);
    parts.need('T');
    const int hour = parts.number(2);
    parts.need(':');
    const int minute = parts.number(2);
    parts.need(':');
    const int second = parts.number(2);
    const nanoseconds fraction = parts.fraction();
    const minutes east = offset(parts);
    constexpr int last_second = 60;  // a leap second
    if (!parts.ok() || !parts.at_end() || !is_date || hour > 23 || minute > 59 || second > last_second)
        return {};
    return day + hours(hour) + minutes(minute) + seconds(second) + fraction - east;
}

}  // namespace nftlink::base
