// The service: applies the configuration, stays, and keeps the kernel so.
#pragma once

namespace nftlink::service {

// nftlinkd's main. Logs to stderr; ends on SIGTERM and SIGINT. The exit status: 0 after a signal, 1 when the
// configuration or the first application failed, 64 for wrong usage.
int run(int argc, char** argv);

}  // namespace nftlink::service
