// Files read whole.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <limits>
#include <string>

namespace nftlink::base {

// `regular` refuses all but regular files without waiting: nobody may ever write into a pipe. `any` takes pipes and
// devices too, and waits for them.
enum class FileKind { regular, any };

// The file's bytes, up to `limit`: a longer file is cut there. The error is an errno, EINVAL for a file that isn't
// regular.
std::expected<std::string, int> read_file(const std::filesystem::path& file, FileKind kind = FileKind::regular,
                                          std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace nftlink::base
