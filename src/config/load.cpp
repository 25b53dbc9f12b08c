#include "nftlink/config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "inputs.hpp"
#include "nftlink/base/file.hpp"
#include "yaml.hpp"

namespace nftlink::config {

namespace {

namespace fs = std::filesystem;

struct File {
    std::string name;
    std::string text;
    std::string fault;
};

std::string cannot_read(int error) {
    return fmt::format("cannot be read: {}", std::generic_category().message(error));
}

// Just more than the loader takes of a file that is too large: /dev/zero has no end.
File read_file(const fs::path& path) {
    auto text = base::read_file(path, base::FileKind::any, max_source_bytes + 1);
    if (!text)
        return {.name = path.string(), .text = {}, .fault = cannot_read(text.error())};
    return {.name = path.string(), .text = std::move(*text), .fault = {}};
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
