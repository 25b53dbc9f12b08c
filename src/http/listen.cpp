#include "nftlink/http/listen.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "nftlink/base/unique_fd.hpp"

namespace nftlink::http {

namespace fs = std::filesystem;

namespace {

constexpr mode_t folder_umask = 0022;
constexpr mode_t group_umask = 0117;
constexpr mode_t everyone_umask = 0111;

[[noreturn]] void fail(const std::string& path, const std::string& why) {
    throw std::runtime_error(fmt::format("cannot listen on {}: {}", path, why));
}

std::string reason(int error) {
    return std::generic_category().message(error);
}

// The umask while it lives. It is the whole process's: no other thread may make files meanwhile.
class Umask {
public:
    explicit Umask(mode_t mask) : old_(::umask(mask)) {}
    ~Umask() { ::umask(old_); }
    Umask(const Umask&) = delete;
    Umask& operator=(const Umask&) = delete;

private:
    mode_t old_;
};

base::UniqueFd open_socket(const std::string& path) {
    base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket)
        fail(path, reason(errno));
    return socket;
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        fail(path, fmt::format("the path of a socket has 1 to {} bytes: name a shorter one with control.socket",
                               sizeof address.sun_path - 1));
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

// Calls bind or connect; gives errno, 0 when it went well.
template <typename Call>
int call(Call what, const base::UniqueFd& socket, const sockaddr_un& address) {
    return what(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

void make_folder(const std::string& path) {
    const fs::path folder = fs::path(path).parent_path();
    if (folder.empty())
        return;
    const Umask umask(folder_umask);
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
        fail(path, fmt::format("cannot make the folder {}: {}", folder.string(), error.message()));
}

// Throws unless the socket that is there is one that nobody listens on any more.
void check_dead(const std::string& path, const sockaddr_un& address) {
    const base::UniqueFd probe = open_socket(path);
    const int error = call(::connect, probe, address);
    if (error == ECONNREFUSED || error == ENOENT)
        return;
    ucred peer{};
    socklen_t size = sizeof peer;
    if (error == 0 && ::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0)
        fail(path, fmt::format("process {} does already: stop it first, or name another place with control.socket",
                               peer.pid));
    if (error == 0 || error == EAGAIN)  // EAGAIN: so many wait there that it takes no more
        fail(path, "another process does already: stop it first, or name another place with control.socket");
    fail(path, "cannot tell whether the socket there is in use: " + reason(error));
}

void clear_place(const std::string& path, const sockaddr_un& address) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0)
        return;
    if (!S_ISSOCK(status.st_mode))
        fail(path, "something that is no socket is there: remove it, or name another place with control.socket");
    check_dead(path, address);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        fail(path, "cannot remove the old socket there: " + reason(errno));
}

}  // namespace

Listener listen(const std::string& path, std::optional<gid_t> group, bool everyone) {
    const sockaddr_un address = address_of(path);
    make_folder(path);
    clear_place(path, address);
    base::UniqueFd socket = open_socket(path);
    {
        const Umask umask(everyone ? everyone_umask : group_umask);
        if (const int error = call(::bind, socket, address))
            fail(path, reason(error));
    }
    std::string warning;
    // Before it listens: nobody is turned away who may come.
    if (group && ::lchown(path.c_str(), static_cast<uid_t>(-1), *group) != 0)
        warning =
            fmt::format("cannot give {} to the group with the number {}, whose members can't use it therefore: {}",
                        path, *group, reason(errno));
    if (::listen(socket.get(), SOMAXCONN) != 0) {
        const int error = errno;
        ::unlink(path.c_str());
        fail(path, reason(error));
    }
    return {socket.release(), std::move(warning)};
}

}  // namespace nftlink::http
