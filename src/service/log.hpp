// The service's log: one line a message, on stderr.
#pragma once

#include <string>

#include "nftlink/config/config.hpp"

namespace nftlink::service {

void set_up_log(const config::LogSettings& settings);

void log(config::LogLevel level, const std::string& message);

}  // namespace nftlink::service
