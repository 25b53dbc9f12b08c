// Files → inputs.
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <system_error>

#include "inputs.hpp"
#include "yaml.hpp"

namespace nftlink::config {

namespace {

namespace fs = std::filesystem;

struct File {
    std::string name;
    std::string text;
    std::string fault;
};

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0)
            ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

std::string cannot_read(int error) {
    return fmt::format("cannot be read: {}", std::generic_category().message(error));
}

// Reads all of a file, or just more than the loader takes: its size can't be trusted (/dev/zero has none).
File read_file(const fs::path& path) {
    File file{.name = path.string(), .text = {}, .fault = {}};
    const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (descriptor.get() < 0) {
        file.fault = cannot_read(errno);
        return file;
    }
    constexpr std::size_t chunk = std::size_t{64} << 10;
    std::size_t size = 0;
    while (size <= max_source_bytes) {
        file.text.resize(size + chunk);
        const ssize_t count = ::read(descriptor.get(), file.text.data() + size, chunk);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            file.fault = cannot_read(errno);
        if (count <= 0)
            break;
        size += static_cast<std::size_t>(count);
    }
    file.text.resize(size);
    return file;
}

bool is_drop_in(const fs::path& path) {
    return path.extension() == ".yaml" && !path.filename().string().starts_with('.');
}

// The paths of conf.d/*.yaml in byte order. No such folder is the same as an empty one.
std::vector<fs::path> list_drop_ins(const fs::path& folder, std::error_code& error) {
    std::vector<fs::path> paths;
    fs::directory_iterator entries(folder, error);
    if (error == std::errc::no_such_file_or_directory)
        error.clear();
    for (; !error && entries != fs::directory_iterator(); entries.increment(error))
        if (is_drop_in(entries->path()))
            paths.push_back(entries->path());
    std::ranges::sort(paths, {}, [](const fs::path& path) { return path.native(); });
    return paths;
}

// The file and its drop-ins, in their order.
std::vector<File> read_files(const fs::path& file) {
    std::vector<File> files{read_file(file)};
    const fs::path folder = file.parent_path() / "conf.d";
    std::error_code error;
    for (const fs::path& path : list_drop_ins(folder, error)) {
        std::error_code ignored;
        // Nobody may ever write into it, and a service that reloads would wait for that.
        if (fs::is_fifo(path, ignored))
            files.push_back({.name = path.string(), .text = {}, .fault = "cannot be read: it is a pipe"});
        else
            files.push_back(read_file(path));
    }
    if (error)
        files.push_back({.name = folder.string(), .text = {}, .fault = cannot_read(error.value())});
    return files;
}

std::vector<Input> to_inputs(const std::vector<File>& files) {
    std::vector<Input> inputs;
    for (const File& each : files)
        inputs.push_back({.name = each.name, .text = each.text, .fault = each.fault});
    return inputs;
}

}  // namespace

Result load(const fs::path& file, Hashed hashed) {
    const std::vector<File> files = read_files(file);
    return parse_inputs(to_inputs(files), hashed);
}

std::string find_socket(const fs::path& file) {
    const std::vector<File> files = read_files(file);
    return socket_of(to_inputs(files));
}

}  // namespace nftlink::config
