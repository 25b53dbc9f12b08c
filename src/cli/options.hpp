// The options of the command line.
#pragma once

#include <optional>
#include <string>

#include "request.hpp"

namespace CLI {
class App;
}

namespace nftlink::cli {

// The values that CLI11 fills in, some as text.
struct Arguments {
    Request request;
    std::optional<std::string> format;
    std::optional<std::string> hosts_format;
    std::optional<std::string> dialect;
    std::string linked;  // CHILD[:ALIAS]
    double interval = 1;
};

// Each declares what a verb takes.
void take_nothing(CLI::App& verb, Arguments& arguments);
void take_force(CLI::App& verb, Arguments& arguments);
void take_container(CLI::App& verb, Arguments& arguments);
void take_name(CLI::App& verb, Arguments& arguments);
void take_container_and_hosts_format(CLI::App& verb, Arguments& arguments);
void take_container_and_dialect(CLI::App& verb, Arguments& arguments);
void take_container_and_format(CLI::App& verb, Arguments& arguments);
void take_link(CLI::App& verb, Arguments& arguments);
void take_link_name(CLI::App& verb, Arguments& arguments);
void take_new_container(CLI::App& verb, Arguments& arguments);
void take_interval(CLI::App& verb, Arguments& arguments);

// Turns words into values in the request. What is wrong with them, if anything is.
std::optional<std::string> read_words(Arguments& arguments);

}  // namespace nftlink::cli
