// The files that the keeper keeps up to date for those who start containers: env files and the CDI specification.
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <iterator>
#include <map>

#include "keeper.hpp"
#include "nftlink/linkenv/cdi.hpp"

namespace nftlink::service {

namespace asio = boost::asio;

namespace {

// A parent all of whose links wait has a device, too: an engine refuses to start a container again whose device it
// can't find. It must do something there, and says what isn't there yet.
linkenv::CdiSpecification cdi_specification(const Desired& desired) {
    std::map<std::string, std::string> waiting;
    const auto add = [&](const std::string& parent, const model::Link& link) {
        std::string& names = waiting[parent];
        names += (names.empty() ? "" : " ") + model::link_name(parent, link.alias);
    };
    for (const engine::Waiting& each : desired.waiting())
        add(each.parent, each.link);
    for (const auto& [name, container] : desired.idle().containers)
        if (!waiting.contains(name))
            for (const model::Link& link : container.links)
                add(name, link);
    std::vector<linkenv::CdiDevice> devices;
    for (const model::Topology* part : {&desired.topology(), &desired.idle()})
        for (const auto& [name, container] : part->containers) {
            auto variables = linkenv::environment(container, desired.topology(), desired.config().env).variables;
            if (const auto links = waiting.find(name); variables.empty() && links != waiting.end())
                variables.push_back({"NFTLINK_WAITING", links->second});
            devices.push_back({name, std::move(variables)});
        }
    return linkenv::cdi_specification(std::move(devices));
}

}  // namespace

// Of all parents, and where to: the folders may be other ones than before.
Keeper::Variables Keeper::all_variables() const {
    const config::Config& config = desired_.config();
    Variables variables{.env_directory = config.env_directory, .cdi_directory = config.cdi_directory};
    if (!config.env_directory.empty())
        variables.env = env_texts(desired_.topology(), desired_.idle(), config.env);
    if (!config.cdi_directory.empty())
        variables.cdi = cdi_specification(desired_);
    return variables;
}

std::vector<std::string> Keeper::write(const Variables& variables) {
    auto errors = env_files_.take_over(variables.env_directory, variables.env.texts);
    std::ranges::move(cdi_file_.take_over(variables.cdi_directory, variables.cdi.text), std::back_inserter(errors));
    return errors;
}

// Those whose variables depend on these containers. Where some could not be written before, all are.
asio::awaitable<void> Keeper::write_variables(std::set<std::string> changed, Dependents dependents) {
    const config::Config& config = desired_.config();
    if (config.env_directory.empty() && config.cdi_directory.empty())
        co_return;
    if (!variables_whole_) {
        co_await write_all_variables();
        co_return;
    }
    Variables variables{.env_directory = config.env_directory, .cdi_directory = config.cdi_directory};
    if (!config.env_directory.empty())
        variables.env = env_texts(desired_.topology(), desired_.idle(), config.env, changed, dependents);
    if (!config.cdi_directory.empty())
        variables.cdi = cdi_specification(desired_);
    std::function<std::vector<std::string>()> update = [this, &variables] {
        auto errors = env_files_.update(variables.env.texts);
        std::ranges::move(cdi_file_.update(variables.cdi.text), std::back_inserter(errors));
        return errors;
    };
    auto errors = co_await disk_.run(std::move(update));
    variables_written(variables, std::move(errors));
}

asio::awaitable<void> Keeper::write_all_variables() {
    const Variables variables = all_variables();
    std::function<std::vector<std::string>()> take_over = [this, &variables] { return write(variables); };
    auto errors = co_await disk_.run(std::move(take_over));
    variables_written(variables, std::move(errors));
}

// What can't be said in a file is told, too.
void Keeper::variables_written(const Variables& variables, std::vector<std::string> errors) {
    trouble(variables.env.errors);
    trouble(variables.cdi.errors);
    variables_whole_ = errors.empty();
    trouble(std::move(errors));
}

}  // namespace nftlink::service
