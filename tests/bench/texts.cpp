// YAML's events, and the environment.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

#include <cstdio>
#include <fstream>
#include <spanstream>
#include <sstream>

#include "measure.hpp"
#include "nftlink/linkenv/environment.hpp"

namespace nftlink::bench {

namespace {

class Nothing final : public YAML::EventHandler {
    using Mark = YAML::Mark;
    using Style = YAML::EmitterStyle::value;
    void OnDocumentStart(const Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const Mark&, YAML::anchor_t) override {}
    void OnAlias(const Mark&, YAML::anchor_t) override {}
    void OnScalar(const Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const Mark&, const std::string&, YAML::anchor_t, Style) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const Mark&, const std::string&, YAML::anchor_t, Style) override {}
    void OnMapEnd() override {}
};

}  // namespace

// yaml-cpp's own work on the file, and all of ours.
boost::json::object events(const std::string& file, std::size_t rounds) {
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    const std::string yaml = text.str();
    Samples samples;
    for (std::size_t round = 0; round < rounds; ++round) {
        measure(samples["events"], [&] {
            std::ispanstream input(yaml);
            YAML::Parser parser(input);
            Nothing nothing;
            parser.HandleNextDocument(nothing);
        });
        measure(samples["configuration"], [&] { static_cast<void>(load(yaml)); });
    }
    return to_json(samples);
}

boost::json::object environment(std::size_t links, std::size_t rounds) {
    const config::Loaded loaded = load(yaml(links));
    const model::Topology& topology = loaded.config.topology;
    Samples samples;
    std::size_t count = 0, bytes = 0;
    std::vector<linkenv::Variable> all;
    for (const auto& [name, container] : topology.containers)
        for (linkenv::Variable& variable : linkenv::environment(container, topology, loaded.config.env).variables)
            all.push_back(std::move(variable));
    std::vector<char> buffer(1 << 16);
    for (std::size_t round = 0; round <= rounds; ++round) {
        count = 0;
        measure(samples["environment"], [&] {
            for (const auto& [name, container] : topology.containers)
                count += linkenv::environment(container, topology, loaded.config.env).variables.size();
        });
        bytes = 0;
        measure(samples["floor"], [&] {
            for (const linkenv::Variable& variable : all)
                bytes += static_cast<std::size_t>(std::snprintf(buffer.data(), buffer.size(), "%s=%s\n",
                                                                variable.name.c_str(), variable.value.c_str()));
        });
        if (round == 0)
            samples.clear();
    }
    auto result = to_json(samples);
    result["variables"] = count;
    result["bytes"] = bytes;
    return result;
}

}  // namespace nftlink::bench
