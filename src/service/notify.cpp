#include "notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "nftlink/base/unique_fd.hpp"

namespace nftlink::service {

void notify(const std::string& state) {
    const char* name = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t size = name == nullptr ? 0 : std::strlen(name);
    if (size == 0 || size >= sizeof address.sun_path)
        return;
    std::memcpy(address.sun_path, name, size);
    if (name[0] == '@')  // an abstract name
        address.sun_path[0] = '\0';
    const base::UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (socket)
        ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size));
}

std::optional<std::chrono::microseconds> watchdog_interval() {
    const char* interval = std::getenv("WATCHDOG_USEC");
    const char* process = std::getenv("WATCHDOG_PID");
    if (interval == nullptr || (process != nullptr && std::strtol(process, nullptr, 10) != getpid()))
        return {};
    const long long value = std::strtoll(interval, nullptr, 10);
    return value > 0 ? std::optional(std::chrono::microseconds(value)) : std::nullopt;
}

}  // namespace nftlink::service
