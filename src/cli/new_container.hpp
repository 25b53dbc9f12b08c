// A container as the words of `nftlink add` state it.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

namespace nftlink::cli {

// Each word as it was given; what may be a list is one with commas.
struct NewContainer {
    std::string bridge = {};
    std::vector<std::string> addresses = {};
    std::vector<std::string> networks = {};  // BRIDGE=ADDRESSES
    std::vector<std::string> expose = {};
    std::vector<std::string> environment = {};  // KEY=VALUE, commas and all
    std::vector<std::string> links = {};

    // The fault of the options as they stand together; the values are for the service to judge.
    std::optional<std::string> fault() const;

    // The record that the control API takes. There must be no fault.
    boost::json::object record() const;
};

// The option, with its value, that a field of the record was made from. Values of variables may be secrets: of them
// only the names.
std::string option_of(const boost::json::object& record, const std::string& path);

}  // namespace nftlink::cli
