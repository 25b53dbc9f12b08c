#include "top.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <limits>

#include "nftlink/api/answers.hpp"
#include "outlet.hpp"
#include "printable.hpp"
#include "rates.hpp"
#include "screen.hpp"
#include "service.hpp"
#include "words.hpp"

namespace nftlink::cli {

namespace json = boost::json;

namespace {

constexpr std::size_t endless = std::numeric_limits<std::size_t>::max();

std::expected<Reading, Faults> read(const Client& client) {
    const Answer answer = get_links(client);
    if (!answer)
        return std::unexpected(answer.error());
    const auto record = read_printable<api::Links>(answer->record);
    if (!record.counters)
        return std::unexpected(
            Faults{{api::Code::no_counters,
                    "the links have no counters: set firewall.counters to links in the configuration", ""}});
    return read_counters(record.links, std::chrono::steady_clock::now());
}

std::string drawing(const std::vector<Rate>& rates, const Screen& screen, const Request& request) {
    if (!screen.is_terminal())
        return rates_text(rates, screen.height());
    constexpr std::size_t other_lines = 4;  // the head, the titles, the sum, and the cursor's
    const std::size_t rows = std::max(screen.height(), other_lines + 1) - other_lines;
    return fmt::format("nftlink top: {}, every {:g} s; q ends\n", count(rates.size(), "link"),
                       request.interval.count()) +
           rates_text(rates, rows);
}

void put_in_record(const std::vector<Rate>& rates, double seconds, Report& report) {
    json::array links;
    for (const Rate& rate : rates)
        links.push_back({{"name", rate.link},
                         {"child", rate.child},
                         {"packets_per_second", rate.packets},
                         {"bytes_per_second", rate.bytes}});
    report.record()["links"] = std::move(links);
    report.record()["seconds"] = seconds;
}

int leave(Report& report) {
    report.leave_out_result();
    return done;
}

}  // namespace

int top(const Request& request, Report& report) {
    Outlet outlet;
    Screen screen(outlet, !request.json);
    const Client client = client_of(request, outlet.end_descriptor());
    auto before = read(client);
    for (std::size_t left = request.json ? 1 : request.count.value_or(endless); before && left > 0; --left) {
        if (!screen.wait(std::chrono::duration_cast<std::chrono::milliseconds>(request.interval)))
            return leave(report);
        auto now = read(client);
        if (now) {
            const auto found = rates(*before, *now);
            if (request.json)
                put_in_record(found, std::chrono::duration<double>(now->time - before->time).count(), report);
            else if (!screen.show(drawing(found, screen, request)))
                return leave(report);
        }
        before = std::move(now);
    }
    if (outlet.ended())
        return leave(report);
    return before ? done : refuse(before.error(), report);
}

}  // namespace nftlink::cli
