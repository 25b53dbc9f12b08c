// The messages of a service to systemd (sd_notify(3)'s protocol, which is stable: datagrams to $NOTIFY_SOCKET).
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace nftlink::service {

// Sends e.g. `READY=1`, or several such lines. Does nothing when nobody asked for it; never fails.
void notify(const std::string& state);

// In what time the watchdog wants a sign of life ($WATCHDOG_USEC), when it is for this process.
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace nftlink::service
