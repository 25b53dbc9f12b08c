// What the figures of the benchmark have in common.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "nftlink/config/config.hpp"
#include "nftlink/netlink/socket.hpp"
#include "nftlink/nft/encode.hpp"

namespace nftlink::bench {

// Nanoseconds, by the name of what was measured.
using Samples = std::map<std::string, std::vector<double>>;

// Calls it once and adds the time that it took.
template <typename Work>
void measure(std::vector<double>& samples, Work work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    samples.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count());
}

// The measured topology as YAML, after `head`.
std::string yaml(std::size_t links, const std::string& head = "");
config::Loaded load(const std::string& yaml);

// A netlink socket that sends what was built before.
class Replay {
public:
    Replay();

    // The batch as bytes for this socket.
    nft::Datagram prepare(const nft::Batch& batch);
    // One send, and all that the kernel answers. Throws where it isn't committed.
    void send(const nft::Datagram& datagram);
    std::uint32_t generation();
    // All elements of a set, as the kernel sends them and undecoded: how many bytes.
    std::size_t dump(const std::string& table, const std::string& set);

private:
    std::vector<std::uint8_t> generation_request_;
    netlink::Socket socket_;
};

// Without our tables.
void clear_ruleset(Replay& replay);

// The figures; each takes the rest of the command line and gives what the Python side prints.
boost::json::object bulk(std::size_t links, std::size_t rounds);
boost::json::object one(std::size_t links, std::size_t rounds, const std::string& folder);
boost::json::object adopt(std::size_t links, std::size_t rounds, const std::string& folder);
boost::json::object heal(std::size_t rounds);
boost::json::object environment(std::size_t links, std::size_t rounds);
boost::json::object events(const std::string& file, std::size_t rounds);
boost::json::object request(const std::string& socket, std::size_t rounds);
boost::json::object clients(const std::string& socket, std::size_t connections, std::size_t links_each);

boost::json::object to_json(const Samples& samples);

}  // namespace nftlink::bench
