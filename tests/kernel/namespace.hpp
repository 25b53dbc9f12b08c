// Network namespaces of a test's own, and real packets between them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nftlink::test {

// How many times slower than usual this machine is, by NFTLINK_TEST_PATIENCE: so much longer is waited for everything.
int slowness();

// Puts the whole process into a user, network and mount namespace, where it is root. Gives the reason when that is
// impossible. To be called once, before any thread is made.
std::optional<std::string> isolate_process();

// A file descriptor that is closed in the end.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&&) = delete;
    int number() const { return number_; }

private:
    int number_;
};

// A fresh network namespace with lo up and the global bridge netfilter switches off. It goes with this object and what
// was moved into it.
class Namespace {
public:
    Namespace();
    int descriptor() const { return descriptor_.number(); }

    // What the command prints, stderr too, run here by a shell; the test fails when its status isn't 0.
    std::string run(const std::string& command) const;
    // Only its status.
    int status(const std::string& command) const;

private:
    Descriptor descriptor_;
};

// While it lives, this thread is in that namespace: sockets and kernels made belong to it.
class Inside {
public:
    explicit Inside(const Namespace& space);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

private:
    Descriptor before_;
};

// A container's namespace, with eth0 on a bridge of the host's.
class Guest {
public:
    // Addresses without prefix length; IPv4 gets /16, IPv6 /64.
    Guest(const Namespace& host, const std::string& bridge, const std::vector<std::string>& addresses);
    const Namespace& space() const { return space_; }

private:
    Namespace space_;
};

// Makes a bridge that is up.
void add_bridge(const Namespace& host, const std::string& name);

// A socket that answers: tcp by the kernel's handshake alone, udp by sending each packet back when asked to.
class Server {
public:
    Server(const Namespace& space, int type, const std::string& address, std::uint16_t port);
    // Waits a little for one udp packet and sends it back.
    void echo() const;

private:
    Descriptor socket_;
};

// One end of a udp flow between fixed ports.
class Flow {
public:
    Flow(const Namespace& space, const std::string& address, std::uint16_t port, const std::string& peer,
         std::uint16_t peer_port);
    // Whether a packet of this end comes to the other.
    bool reaches(const Flow& other) const;
    // Whether an ICMP error about it comes within a short time, or has come: a closed port's.
    bool is_refused() const;

private:
    Descriptor socket_;
};

// A tcp connection, made as it is constructed.
class Connection {
public:
    Connection(const Namespace& from, const std::string& from_address, const Namespace& to,
               const std::string& to_address, std::uint16_t port);
    void send_up() const;
    void send_down() const;
    // Whether a byte arrives within so many times the usual patience.
    bool arrives_below(int times = 1) const;
    bool arrives_above(int times = 1) const;

private:
    Descriptor listening_, above_, below_;
};

// Whether a tcp handshake succeeds. Blocked packets cost a short timeout.
bool tcp_connects(const Namespace& from, const std::string& address, std::uint16_t port, std::uint16_t source_port = 0,
                  const std::string& source_address = {});

// Whether a udp packet reaches the server and its answer comes back.
bool udp_answers(const Namespace& from, const Server& server, const std::string& address, std::uint16_t port);

}  // namespace nftlink::test
