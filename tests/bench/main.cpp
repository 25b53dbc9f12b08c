// The parts of the benchmark that must be in one process with the kernel's socket or with the service. bench.py runs
// it.
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <exception>
#include <span>

#include "measure.hpp"
#include "service/log.hpp"

namespace {

using namespace nftlink::bench;

boost::json::object run(const std::string& figure, std::span<char*> rest) {
    const auto text = [&](std::size_t index) { return std::string(rest[index]); };
    const auto number = [&](std::size_t index) { return std::stoul(text(index)); };
    if (figure == "bulk")
        return bulk(number(0), number(1));
    if (figure == "one")
        return one(number(0), number(1), text(2));
    if (figure == "adopt")
        return adopt(number(0), number(1), text(2));
    if (figure == "heal")
        return heal(number(0));
    if (figure == "env")
        return environment(number(0), number(1));
    if (figure == "events")
        return events(text(0), number(1));
    if (figure == "request")
        return request(text(0), number(1));
    if (figure == "clients")
        return clients(text(0), number(1), number(2));
    throw std::runtime_error("no such figure: " + figure);
}

}  // namespace

int main(int count, char** arguments) try {
    const std::span all(arguments, static_cast<std::size_t>(count));
    if (all.size() == 3 && std::string(all[1]) == "yaml") {
        std::puts(yaml(std::stoul(all[2])).c_str());
        return 0;
    }
    nftlink::service::set_up_log({.level = nftlink::config::LogLevel::error});
    std::puts(boost::json::serialize(run(all[1], all.subspan(2))).c_str());
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
