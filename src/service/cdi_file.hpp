// `nftlink.json`: every parent's link variables as a CDI specification, kept up to date for the engines that start
// them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nftlink::service {

// The folder is everybody's, since other devices are described there too; the file is for its owner alone, as it may
// hold children's secrets, and is replaced in one step. One that is no specification of ours is left alone. The
// functions block while the disk works; what they can't do is in their result.
class CdiFile {
public:
    // Keeps the file in that folder from now on, which is made if need be. A file of ours in another folder that was
    // taken over before is removed. An empty name: no folder any more.
    std::vector<std::string> take_over(const std::filesystem::path& folder, const std::string& text);
    // The file's text from now on; an empty one: there is no file.
    std::vector<std::string> update(const std::string& text);

private:
    void leave(const std::filesystem::path& next);

    std::filesystem::path folder_;  // empty: there is none
};

}  // namespace nftlink::service
