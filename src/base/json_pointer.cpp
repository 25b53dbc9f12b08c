#include "nftlink/base/json_pointer.hpp"

namespace nftlink::base {

std::string below(const std::string& path, std::string_view member) {
    std::string result = path + "/";
    for (const char c : member)
        if (c == '~')
            result += "~0";
        else if (c == '/')
            result += "~1";
        else
            result += c;
    return result;
}

std::string below(const std::string& path, std::size_t index) {
    return path + "/" + std::to_string(index);
}

}  // namespace nftlink::base
