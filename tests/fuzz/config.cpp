// Any bytes are a configuration or a list of errors, each with a place in the text; two sources are read as well as
// one. Each container of a configuration, written alone, is that container. Any bytes are a container's record or
// errors.
#include "nftlink/config/config.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "nftlink/config/container_yaml.hpp"
#include "nftlink/config/record.hpp"

namespace config = nftlink::config;
namespace model = nftlink::model;

namespace {

void check(const std::vector<config::Source>& sources) {
    const auto result = config::parse(sources);
    if (!result && result.error().empty())
        std::abort();
    for (const auto& message : result ? result->warnings : result.error())
        if (message.where.line == 0 || message.where.column == 0 || message.message.empty() ||
            message.message.find('\n') != std::string::npos)
            std::abort();
    if (result)
        for (const auto& [name, container] : result->config.topology.containers)
            if (config::parse_container({"container.yaml", config::to_yaml(container)}, name,
                                        model::Unplaced::allowed) != container)
                std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    check({{"fuzz.yaml", text}});
    if (const auto record = config::parse_record(text, "", "web"); !record && record.error().empty())
        std::abort();
    // A line `#|` parts it into the file and its drop-in.
    if (const auto cut = text.find("\n#|\n"); cut != std::string::npos)
        check({{"fuzz.yaml", text.substr(0, cut + 1)}, {"conf.d/fuzz.yaml", text.substr(cut + 4)}});
    return 0;
}
