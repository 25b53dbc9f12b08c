// Builds the tree of a YAML document from yaml-cpp's events.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tree_builder.hpp"

namespace nftlink::config {

class YamlBuilder : public YAML::EventHandler {
public:
    YamlBuilder(std::uint32_t source, Arena& arena, Report& report)
        : source_(source), arena_(arena), report_(report), tree_(arena, report) {}

    // Null until a document has been read.
    const Node* root() const { return tree_.root(); }
    // The last scalar that isn't plain; null when there is none.
    const Node* last_quoted() const { return last_quoted_; }

    void OnDocumentStart(const YAML::Mark& mark) override;
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override;
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override;
    void OnSequenceEnd() override { tree_.close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override;
    void OnMapEnd() override { tree_.close(); }

private:
    Place place_of(const YAML::Mark& mark) const { return {source_, static_cast<std::uint32_t>(mark.pos)}; }
    Place place_of_null(const YAML::Mark& mark) const;
    void name_anchor(YAML::anchor_t anchor, const Node* node);

    std::uint32_t source_;
    Arena& arena_;
    Report& report_;
    TreeBuilder tree_;
    const Node* last_quoted_ = nullptr;
    std::vector<const Node*> anchors_;  // by yaml-cpp's number
    std::size_t alias_nodes_ = 0;
};

}  // namespace nftlink::config
