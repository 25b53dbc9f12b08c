// What our own code costs in instructions, under callgrind: cost_test.py runs it, and compares with what is recorded.
// Only what stands between start() and stop() is counted.
#include <linux/netlink.h>
#include <valgrind/callgrind.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>

#include "nftlink/config/config.hpp"
#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/linkenv/environment.hpp"
#include "nftlink/nft/decode.hpp"
#include "nftlink/nft/encode.hpp"
#include "null_kernel.hpp"
#include "service/log.hpp"
#include "support/core.hpp"
#include "yaml_of_links.hpp"

namespace nftlink::cost {
namespace {

void count(const std::function<void()>& work) {
    work();  // what is made once
    CALLGRIND_TOGGLE_COLLECT;
    work();
    CALLGRIND_TOGGLE_COLLECT;
}

config::Loaded load(const std::string& yaml) {
    auto loaded = config::parse({{"cost.yaml", yaml}});
    if (!loaded)
        throw std::runtime_error(loaded.error().front().to_string());
    return std::move(*loaded);
}

firewall::Wanted wanted(std::size_t links) {
    const config::Loaded loaded = load(yaml_of_links(links));
    return firewall::compile(loaded.config.topology, loaded.config.firewall);
}

void compile() {
    const config::Loaded loaded = load(yaml_of_links(10'000));
    count([&] { firewall::compile(loaded.config.topology, loaded.config.firewall); });
}

void encode() {
    const nft::Batch batch = firewall::diff({}, wanted(10'000));
    count([&] { nft::encode(batch, 1, 1); });
}

// What the kernel would dump: the elements' messages are the same either way.
void decode() {
    nft::Batch batch;
    const firewall::Wanted want = wanted(10'000);
    for (const nft::Set& set : want.tables.front().sets) {
        if (set.elements.empty())
            continue;
        nft::AddElements add{set.name, set.key, set.elements};
        if (set.counter)
            for (nft::Element& element : add.elements)
                element.counters = nft::Counters{1, 60};
        batch.push_back({nft::Family::inet, "nftlink", std::move(add)});
    }
    const nft::Datagram datagram = nft::encode(batch, 1, {});
    count([&] {
        std::vector<nft::Element> elements;
        nft::Payload rest(datagram.bytes);
        while (!rest.empty()) {
            nlmsghdr header;
            std::memcpy(&header, rest.data(), sizeof header);
            if (header.nlmsg_type >> 8 != 0)
                static_cast<void>(nft::decode_elements(rest.first(header.nlmsg_len).subspan(sizeof header), elements));
            rest = rest.subspan(NLMSG_ALIGN(header.nlmsg_len));
        }
    });
}

void diff() {
    const firewall::Wanted want = wanted(10'000);
    nft::Ruleset have = want;
    for (nft::Set& set : have.tables.front().sets)
        for (std::size_t index = 0; set.counter && index < set.elements.size(); ++index) {
            set.elements[index].counters = nft::Counters{1, 60};
            if (index % 100 == 0)
                set.elements[index].comment = "another";
        }
    count([&] { firewall::diff(have, want); });
}

void environment() {
    const config::Loaded loaded = load(yaml_of_links(2000));
    count([&] {
        for (const auto& [name, container] : loaded.config.topology.containers)
            linkenv::environment(container, loaded.config.topology, loaded.config.env);
    });
}

void yaml() {
    const std::string text = yaml_of_links(2000);
    count([&] { load(text); });
}

// Added and removed through the service's core, with its state in a folder; the kernel says yes to everything.
void one_link(const std::string& folder) {
    namespace asio = boost::asio;
    NullKernel kernel;
    asio::io_context context{1};
    service::Core core(context, kernel, enforce::Clock::real(), "cost.yaml",
                       load("state: {directory: " + folder + "}\n" + yaml_of_links(5000)));
    if (!core.run(core.changes.start(nullptr)))
        throw std::runtime_error("the service doesn't start");
    const auto change = [&](const api::Transaction& transaction) {
        const auto answer = core.run(core.changes.change(transaction));
        if (!answer)
            throw std::runtime_error(answer.error().front().message);
    };
    api::Transaction ends, add, remove;
    ends.put_containers = {{"parent", R"({"bridge": "docker0", "addresses": ["10.9.0.1"]})", ""},
                           {"child", R"({"bridge": "docker0", "addresses": ["10.9.0.2"], "expose": [80]})", ""}};
    add.put_links.push_back({{"parent", "db"}, "child", ""});
    remove.delete_links.push_back({"parent", "db"});
    change(ends);
    count([&] {
        for (int round = 0; round < 50; ++round) {
            change(add);
            change(remove);
        }
    });
}

using Case = std::function<void(const std::string& folder)>;

const std::map<std::string, Case> cases{{"compile", [](const auto&) { compile(); }},
                                        {"encode", [](const auto&) { encode(); }},
                                        {"decode", [](const auto&) { decode(); }},
                                        {"diff", [](const auto&) { diff(); }},
                                        {"yaml", [](const auto&) { yaml(); }},
                                        {"environment", [](const auto&) { environment(); }},
                                        {"one-link", one_link}};

}  // namespace
}  // namespace nftlink::cost

int main(int count, char** arguments) try {
    nftlink::service::set_up_log({.level = nftlink::config::LogLevel::error});
    if (count < 3)
        for (const auto& [name, work] : nftlink::cost::cases)
            std::puts(name.c_str());
    else
        nftlink::cost::cases.at(arguments[1])(arguments[2]);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
