#include "monitor.hpp"

#include "event_text.hpp"
#include "outlet.hpp"
#include "service.hpp"

namespace nftlink::cli {

int monitor(const Request& request, Report& report) {
    report.leave_out_result();
    Outlet outlet;
    const auto end = client_of(request, outlet.end_descriptor()).stream("/v1/events", [&](std::string_view line) {
        return outlet.write((request.json ? std::string(line) : event_text(line)) + "\n");
    });
    return end ? done : refuse(end.error(), report);
}

}  // namespace nftlink::cli
