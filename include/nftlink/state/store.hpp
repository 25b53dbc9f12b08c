// The containers that came through the control API, on disk.
//
//   DIRECTORY/containers/NAME.yaml   one container each, as config::to_yaml() writes it
//   DIRECTORY/next/…                 a change of several containers that is being written; of no meaning
//   DIRECTORY/pending/…              the same, complete: it holds from the moment that it has this name. An empty file
//                                    stands for a container that is deleted
//
// Every change is complete on disk, or not there at all, at any instant. The functions block while the disk works; they
// are called from one thread at a time.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>

#include "nftlink/base/unique_fd.hpp"
#include "nftlink/state/stored.hpp"

namespace nftlink::state {

class Store {
public:
    // Makes the directory, for this user alone, if it isn't there. Throws std::runtime_error when it can't be used, or
    // is used by another process.
    explicit Store(std::filesystem::path directory);

    const std::filesystem::path& directory() const { return directory_; }
    // On a file system that is memory: nothing here waits for a disk.
    bool is_in_memory() const { return in_memory_; }
    std::filesystem::path file(const std::string& container) const;

    // Finishes a change that was complete when the last process ended, throws away one that wasn't, and reads
    // everything. Throws std::runtime_error when that is impossible.
    Contents read();

    // Writes a change to the disk without putting it into force. The error says what the disk said; nothing has
    // changed.
    std::expected<void, std::string> prepare(const StoredChange& change);
    // Puts what was prepared into force: after this it lasts. On an error the disk is put back as well as it lets us.
    std::expected<void, std::string> publish();
    // Throws away what was prepared.
    void discard();

    // Gives a container's file a name that isn't read, `NAME.yaml.set-aside`, and says which.
    std::expected<std::filesystem::path, std::string> set_aside(const std::string& container);

private:
    void recover();
    void put_back(const std::string& container);
    // Moves the files of a pending change, if there is one, to their places.
    std::expected<void, std::string> distribute();

    std::filesystem::path directory_;
    base::UniqueFd lock_;
    bool in_memory_ = false;
    bool may_be_pending_ = true;  // there may be a change whose files aren't in their places yet
    StoredChange prepared_;
    std::optional<std::string> previous_;  // what the one file of prepared_ holds until then
};

}  // namespace nftlink::state
