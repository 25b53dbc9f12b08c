// The command: verbs that work alone, on a configuration and the live kernel.
#pragma once

namespace nftlink::cli {

// nftlink's main; gives the exit status: 0 done or nothing to change, 1 failed, 2 the answer is "different", 64 wrong
// usage.
int run(int argc, char** argv);

}  // namespace nftlink::cli
