// The service from outside, over its control socket; and what others do to it.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <stdexcept>

#include "measure.hpp"

namespace nftlink::bench {

namespace {

class Connection {
public:
    explicit Connection(const std::string& path) : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("cannot connect to " + path);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { ::close(descriptor_); }

    int descriptor() const { return descriptor_; }

    void send(const std::string& method, const std::string& path, const std::string& body = "") {
        const std::string text = method + " " + path +
                                 " HTTP/1.1\r\nHost: nftlink\r\nContent-Type: application/json\r\n" +
                                 "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        if (::write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            throw std::runtime_error("cannot send a request");
    }
    // Answers are short: one read each.
    void receive() {
        char answer[4096];
        const ssize_t size = ::read(descriptor_, answer, sizeof answer);
        if (size < 12 || std::memcmp(answer, "HTTP/1.1 2", 10) != 0)
            throw std::runtime_error("refused: " + std::string(answer, size < 0 ? 0 : static_cast<std::size_t>(size)));
    }
    void exchange(const std::string& method, const std::string& path, const std::string& body = "") {
        send(method, path, body);
        receive();
    }

private:
    int descriptor_;
};

void add_container(Connection& connection, const std::string& name, const std::string& address) {
    connection.exchange("PUT", "/v1/containers/" + name,
                        R"({"bridge": "docker0", "expose": ["6379"], "addresses": [")" + address + "\"]}");
}

}  // namespace

boost::json::object request(const std::string& socket, std::size_t rounds) {
    Connection connection(socket);
    add_container(connection, "bench-parent", "10.254.0.1");
    add_container(connection, "bench-child", "10.254.0.2");
    Samples samples;
    for (std::size_t round = 0; round <= rounds; ++round) {
        measure(samples["socket"],
                [&] { connection.exchange("PUT", "/v1/links/bench-parent/db", R"({"child": "bench-child"})"); });
        measure(samples["socket removed"], [&] { connection.exchange("DELETE", "/v1/links/bench-parent/db"); });
        measure(samples["socket, a question"], [&] { connection.exchange("GET", "/v1/containers/bench-parent/env"); });
        if (round == 0)
            samples.clear();
    }
    return to_json(samples);
}

// Each has a parent of its own and adds its links one after the other.
boost::json::object clients(const std::string& socket, std::size_t connections, std::size_t links_each) {
    std::deque<Connection> all;
    std::vector<pollfd> polled;
    std::vector<std::size_t> done(connections);
    for (std::size_t index = 0; index < connections; ++index) {
        polled.push_back({all.emplace_back(socket).descriptor(), POLLIN, 0});
        add_container(all.back(), "parent" + std::to_string(index), "10.253.0." + std::to_string(index + 1));
    }
    for (std::size_t index = 0; index < links_each; ++index)
        add_container(all.front(), "child" + std::to_string(index), "10.253.1." + std::to_string(index + 1));
    const auto ask = [&](std::size_t index) {
        const std::string number = std::to_string(done[index]);
        all[index].send("PUT", "/v1/links/parent" + std::to_string(index) + "/alias" + number,
                        R"({"child": "child)" + number + "\"}");
    };
    Replay replay;
    const std::uint32_t generation = replay.generation();
    Samples samples;
    measure(samples["clients"], [&] {
        for (std::size_t index = 0; index < connections; ++index)
            ask(index);
        for (std::size_t left = connections * links_each; left != 0;) {
            ::poll(polled.data(), polled.size(), -1);
            for (std::size_t index = 0; index < connections; ++index) {
                if ((polled[index].revents & POLLIN) == 0)
                    continue;
                all[index].receive();
                --left;
                if (++done[index] < links_each)
                    ask(index);
            }
        }
    });
    auto result = to_json(samples);
    result["commits"] = replay.generation() - generation;
    return result;
}

// nftlinkd runs; its table is deleted, and each of its commits moves the generation.
boost::json::object heal(std::size_t rounds) {
    Replay replay, watch;
    Samples samples;
    const auto until = [&](std::uint32_t generation) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (watch.generation() < generation)
            if (std::chrono::steady_clock::now() > deadline)
                throw std::runtime_error("it is not repaired");
    };
    for (std::size_t round = 0; round < rounds; ++round) {
        const std::uint32_t before = watch.generation();
        const auto flush = replay.prepare({{nft::Family::inet, "nftlink", nft::DeleteTable{}}});
        replay.send(flush);
        const auto begin = std::chrono::steady_clock::now();
        const auto passed = [&] {
            return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
        };
        until(before + 2);
        samples["denied again"].push_back(passed());
        until(before + 3);
        samples["links back"].push_back(passed());
        // It leaves others three times what a repair has cost.
        ::usleep(static_cast<useconds_t>(100'000 + 5 * samples["links back"].back() / 1000));
    }
    return to_json(samples);
}

}  // namespace nftlink::bench
