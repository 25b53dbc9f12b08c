#include "hash.hpp"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace nftlink::config {

// Each text after its size, so that where one file ends makes a difference.
std::string hash_of(const std::vector<Input>& inputs) {
    std::string all;
    for (const Input& input : inputs)
        all += std::to_string(input.text.size()) + ":" + std::string(input.text);
    return boost::uuids::to_string(boost::uuids::name_generator_sha1(boost::uuids::ns::oid())(all));
}

}  // namespace nftlink::config
