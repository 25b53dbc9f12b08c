#include "nftlink/cli/cli.hpp"

int main(int argc, char** argv) {
    return nftlink::cli::run(argc, argv);
}
