#include "nftlink/service/service.hpp"

int main(int argc, char** argv) {
    return nftlink::service::run(argc, argv);
}
