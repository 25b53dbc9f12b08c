// Link variables for container engines, as a specification of the Container Device Interface: one device for each
// parent, by whose name an engine that starts it finds its variables (`--device nftlink/links=web`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nftlink/linkenv/environment.hpp"

namespace nftlink::linkenv {

inline constexpr std::string_view cdi_kind = "nftlink/links";

struct CdiDevice {
    std::string name;  // the parent's
    std::vector<Variable> variables;

    bool operator==(const CdiDevice&) const = default;
};

struct CdiSpecification {
    std::string text;  // JSON, a device a line; empty when there is no device, since none is no specification
    std::vector<std::string> errors;  // what it can't carry, and so leaves out: one sentence each
};

// The devices come in the order of their names, each with its variables in theirs. One without variables is left out
// silently: readers refuse a file with a device that edits nothing, and all the others in it.
CdiSpecification cdi_specification(std::vector<CdiDevice> devices);

// True when the text is a specification of that kind, whoever wrote it.
bool is_cdi_specification(std::string_view text);

}  // namespace nftlink::linkenv
