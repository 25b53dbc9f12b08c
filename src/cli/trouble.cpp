#include "trouble.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "nftlink/api/requests.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/kernel/instance.hpp"
#include "printable.hpp"

namespace nftlink::cli {

namespace {

constexpr const char* unknown_outcome =
    "; whether the change was made is unknown: check with nftlink list and nftlink status";

api::Fault local(api::Code code, std::string message) {
    return {.code = code, .message = std::move(message), .path = {}};
}

// The group of the socket, as far as it can be seen from outside.
std::string group_of(const std::string& socket) {
    struct stat facts{};
    const group* found = ::stat(socket.c_str(), &facts) == 0 ? ::getgrgid(facts.st_gid) : nullptr;
    return found != nullptr ? found->gr_name : "nftlink";
}

}  // namespace

api::Fault Trouble::connecting(int error_number) const {
    const std::string shown = base::escape(socket);
    const bool nobody = error_number == ENOENT || error_number == ECONNREFUSED;
    if (const auto process = nobody ? kernel::running_instance() : std::nullopt)
        return local(api::Code::no_service,
                     fmt::format("nftlinkd (pid {}) is running, but not at {}: name the configuration that "
                                 "it was started with (-c), or start it again if control.socket has changed",
                                 *process, shown));
    switch (error_number) {
        case ENOENT:
        case ECONNREFUSED:
            return local(api::Code::no_service,
                         fmt::format("nftlinkd is not running (nothing answers at {}): start it with "
                                     "systemctl start nftlinkd",
                                     shown));
        case EACCES:
        case EPERM:
            return local(api::Code::no_permission,
                         fmt::format("no permission for {}: only root and members of the group {} may use it", shown,
                                     group_of(socket)));
        case EAGAIN:
            return local(api::Code::no_answer, fmt::format("nftlinkd at {} is too busy to take a connection", shown));
        default:
            return local(api::Code::no_service, fmt::format("nftlinkd can't be reached at {}: {}", shown,
                                                            std::generic_category().message(error_number)));
    }
}

api::Fault Trouble::too_late() const {
    const auto seconds = std::chrono::duration<double>(deadline).count();
    return local(api::Code::no_answer, fmt::format("nftlinkd at {} has not answered within {:g} seconds{}",
                                                   base::escape(socket), seconds, is_change ? unknown_outcome : ""));
}

api::Fault Trouble::cut() const {
    return local(api::Code::no_answer,
                 fmt::format("nftlinkd at {} closed the connection before its answer was complete{}",
                             base::escape(socket), is_change ? unknown_outcome : ""));
}

api::Fault Trouble::ended() const {
    return local(api::Code::no_answer,
                 fmt::format("nftlinkd at {} has stopped, or closed the connection", base::escape(socket)));
}

api::Fault Trouble::not_understood(std::string_view why) const {
    return local(api::Code::bad_answer,
                 fmt::format("the answer at {} is not one of nftlinkd's ({}): check which program listens there, "
                             "and its version",
                             base::escape(socket), base::escape(why)));
}

api::Fault stopped() {
    return local(api::Code::stopped, "interrupted");
}

Faults faults_in(unsigned status, std::string_view body) {
    const auto parsed = api::parse(body);
    Faults faults = parsed ? api::read_faults(*parsed) : Faults();
    make_printable(faults);
    if (faults.empty())
        faults.push_back(
            {api::Code::unknown, fmt::format("nftlinkd refused with HTTP status {} and didn't say why", status), ""});
    return faults;
}

}  // namespace nftlink::cli
