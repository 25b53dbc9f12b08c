// Builds the tree from yaml-cpp's events.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node.hpp"
#include "report.hpp"

namespace nftlink::config {

// Thrown through yaml-cpp when reading on makes no sense; the reason has been reported.
struct Abort {};

class TreeBuilder : public YAML::EventHandler {
public:
    TreeBuilder(std::uint32_t source, Arena& arena, Report& report) : source_(source), arena_(arena), report_(report) {}

    // Null until a document has been read.
    const Node* root() const { return root_; }
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
    void OnSequenceEnd() override;
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override;
    void OnMapEnd() override;

private:
    // A list or map whose end hasn't come yet; its children are the top of pending_, from first_child on.
    struct Frame {
        Node* node;
        std::size_t first_child;
    };

    Place place_of(const YAML::Mark& mark) const { return {source_, static_cast<std::uint32_t>(mark.pos)}; }
    Place place_of_null(const YAML::Mark& mark) const;
    bool awaits_value() const;
    void name_anchor(YAML::anchor_t anchor, const Node* node);
    void add(const Node* node);
    void open(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor);
    Node* close();
    void drop_bad_entries(std::size_t first_child);
    bool is_good_key(const Node& key);
    [[noreturn]] void abort(Place place, std::string message);

    std::uint32_t source_;
    Arena& arena_;
    Report& report_;
    const Node* root_ = nullptr;
    const Node* last_quoted_ = nullptr;
    std::vector<Frame> frames_;
    std::vector<const Node*> pending_;
    std::vector<const Node*> anchors_;  // by yaml-cpp's number
    std::size_t alias_nodes_ = 0;
    std::unordered_map<std::string_view, const Node*> keys_;  // of the map that ends
};

}  // namespace nftlink::config
