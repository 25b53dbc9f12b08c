#include "variable_files.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

#include "nftlink/linkenv/environment.hpp"

namespace nftlink::service {

namespace asio = boost::asio;

namespace {

// A parent all of whose links wait has a device, too: an engine refuses to start a container again whose device it
// can't find. It must do something there, and says what isn't there yet.
linkenv::CdiSpecification cdi_specification(const desired::State& state) {
    std::map<std::string, std::string> waiting;
    const auto add = [&](const std::string& parent, const model::Link& link) {
        std::string& names = waiting[parent];
        names += (names.empty() ? "" : " ") + model::link_name(parent, link.alias);
    };
    for (const desired::Waiting& each : state.waiting())
        add(each.parent, each.link);
    for (const auto& [name, container] : state.idle().containers)
        if (!waiting.contains(name))
            for (const model::Link& link : container.links)
                add(name, link);
    std::vector<linkenv::CdiDevice> devices;
    for (const model::Topology* part : {&state.topology(), &state.idle()})
        for (const auto& [name, container] : part->containers) {
            auto variables = linkenv::environment(container, state.topology(), state.config().env).variables;
            if (const auto links = waiting.find(name); variables.empty() && links != waiting.end())
                variables.push_back({"NFTLINK_WAITING", links->second});
            devices.push_back({name, std::move(variables)});
        }
    return linkenv::cdi_specification(std::move(devices));
}

}  // namespace

Dependents dependents_of(const desired::Before& before, const desired::State& now) {
    const bool children_are_as_they_were = std::ranges::all_of(before, [&](const auto& entry) {
        const model::Container* was = entry.second;
        const model::Container* is = now.find(entry.first);
        return was != nullptr && is != nullptr && was->networks == is->networks && was->expose == is->expose &&
               was->environment == is->environment;
    });
    return children_are_as_they_were ? Dependents::none : Dependents::parents;
}

VariableFiles::Variables VariableFiles::all_of(const desired::State& state) {
    const config::Config& config = state.config();
    Variables variables{.env_directory = config.env_directory, .cdi_directory = config.cdi_directory};
    if (!config.env_directory.empty())
        variables.env = env_texts(state.topology(), state.idle(), config.env);
    if (!config.cdi_directory.empty())
        variables.cdi = cdi_specification(state);
    return variables;
}

std::vector<std::string> VariableFiles::take_over(const Variables& variables) {
    auto errors = env_files_.take_over(variables.env_directory, variables.env.texts);
    std::ranges::move(cdi_file_.take_over(variables.cdi_directory, variables.cdi.text), std::back_inserter(errors));
    return errors;
}

void VariableFiles::write_all_now(const desired::State& state) {
    const Variables variables = all_of(state);
    written(variables, take_over(variables));
}

asio::awaitable<void> VariableFiles::write_all(const desired::State& state) {
    const Variables variables = all_of(state);
    std::function<std::vector<std::string>()> work = [this, &variables] { return take_over(variables); };
    auto errors = co_await disk_.run(std::move(work));
    written(variables, std::move(errors));
}

asio::awaitable<void> VariableFiles::write(const desired::State& state, std::set<std::string> changed,
                                           Dependents dependents) {
    const config::Config& config = state.config();
    if (!are_wanted(state))
        co_return;
    if (!error_.empty()) {
        co_await write_all(state);
        co_return;
    }
    Variables variables{.env_directory = config.env_directory, .cdi_directory = config.cdi_directory};
    if (!config.env_directory.empty())
        variables.env = env_texts(state.topology(), state.idle(), config.env, changed, dependents);
    if (!config.cdi_directory.empty())
        variables.cdi = cdi_specification(state);
    std::function<std::vector<std::string>()> work = [this, &variables] {
        auto errors = env_files_.update(variables.env.texts);
        std::ranges::move(cdi_file_.update(variables.cdi.text), std::back_inserter(errors));
        return errors;
    };
    auto errors = co_await disk_.run(std::move(work));
    written(variables, std::move(errors));
}

void VariableFiles::written(const Variables& variables, std::vector<std::string> errors) {
    reporter_.tell_errors(variables.env.errors);
    reporter_.tell_errors(variables.cdi.errors);
    error_ = errors.empty() ? "" : errors.front();
    reporter_.tell_errors(std::move(errors));
}

}  // namespace nftlink::service
