#include "nftlink/desired/draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "nftlink/base/suggestion.hpp"
#include "nftlink/config/record.hpp"
#include "nftlink/model/fit.hpp"
#include "nftlink/model/limits.hpp"

namespace nftlink::desired {

using api::Code;
using api::Fault;
using base::quote;
using model::Misfit;

namespace {

// More are of no use to anybody.
constexpr std::size_t max_faults = 100;

constexpr std::string_view engines_links = "its links are made there, by --link or the label nftlink.links";

bool has_link(const model::Container& container, const model::Link& link) {
    return std::ranges::find(container.links, link) != container.links.end();
}

void list_links(const model::Container& of, const model::Container* other, bool added,
                std::vector<LinkChange>& changes) {
    std::set<std::pair<std::string_view, std::string_view>> same;
    if (other != nullptr)
        for (const model::Link& link : other->links)
            same.emplace(link.alias, link.child);
    for (const model::Link& link : of.links)
        if (!same.contains({link.alias, link.child}))
            changes.push_back({of.name, link, added});
}

// The address' other user, or the child, decides whose fault it is.
Fault to_fault(const Misfit& misfit, std::string path) {
    const bool is_conflict = misfit.kind == Misfit::Kind::address;
    return {is_conflict ? Code::conflict : Code::invalid, misfit.message, std::move(path)};
}

// One transaction on its way into a draft.
class Planner {
public:
    Planner(const Draft& draft, const api::Transaction& transaction)
        : draft_(draft), state_(draft.state()), transaction_(transaction) {}

    Containers changes;  // on top of the draft
    Planned planned;
    api::Faults faults;

    // As it is after what has been planned so far; null when it isn't there.
    const model::Container* find(std::string_view name) const {
        const auto change = changes.find(name);
        return change == changes.end() ? draft_.find(name) : change->second ? &*change->second : nullptr;
    }
    template <typename Visit>
    void for_each(const Visit& visit) const {
        std::map<std::string_view, const model::Container*> all;
        for (const Containers* layer : {&draft_.edit().containers, &changes})
            for (const auto& [name, container] : *layer)
                all.insert_or_assign(name, container ? &*container : nullptr);
        Draft::read_through(state_.stated(), all, visit);
    }

    void plan() {
        for (const api::LinkName& name : transaction_.delete_links)
            delete_link(name);
        for (const std::string& name : transaction_.delete_containers)
            delete_container(name);
        for (const api::ContainerPut& put : transaction_.put_containers)
            put_container(put);
        for (const api::LinkPut& put : transaction_.put_links)
            put_link(put);
        end_links();
        std::erase_if(changes, [this](const auto& entry) {
            const model::Container* before = draft_.find(entry.first);
            return entry.second ? before != nullptr && *before == *entry.second : before == nullptr;
        });
        for (const auto& [name, after] : changes) {
            const model::Container* before = draft_.find(name);
            if (before != nullptr)
                list_links(*before, after ? &*after : nullptr, false, planned.links);
        }
        for (const auto& [name, after] : changes)
            if (after)
                list_links(*after, draft_.find(name), true, planned.links);
    }

    // Checks that it fits into what there is, of which the links ask for so many permissions; how many more than the
    // state's they ask for then.
    std::int64_t check(std::uint64_t permissions) {
        const bool links_alone = changes_links_alone();
        const auto count = links_alone ? model::sum_permissions_from : model::sum_permissions_of;
        const auto find_misfits = links_alone ? model::check_links_fit : model::check_fit;
        const model::FirewallPolicy& policy = state_.config().firewall;
        for (const auto& [name, container] : changes)
            planned.containers.push_back(name);
        model::PermissionSum host(policy, state_.config().limits,
                                  permissions - count(draft_, policy, planned.containers));
        for (const Misfit& misfit : find_misfits(*this, policy, planned.containers, state_.unplaced(), &host))
            if (faults.size() < max_faults)
                faults.push_back(to_fault(misfit, path_of(misfit)));
        planned.anything = !changes.empty();
        return static_cast<std::int64_t>(host.total() - state_.permissions());
    }

private:
    // Of containers that there are, all on the networks that they were on, and with the ports that they had.
    bool changes_links_alone() const {
        return std::ranges::all_of(changes, [this](const auto& entry) {
            const model::Container* before = draft_.find(entry.first);
            return before != nullptr && entry.second && before->networks == entry.second->networks &&
                   before->expose == entry.second->expose;
        });
    }

    // The pointer of what doesn't fit.
    std::string path_of(const Misfit& misfit) const {
        const bool is_link = misfit.kind != Misfit::Kind::address && misfit.kind != Misfit::Kind::family;
        const auto container = find_put(misfit.container);
        if (is_link)
            if (const model::Container* parent = find(misfit.container); parent != nullptr)
                for (const api::LinkPut& put : transaction_.put_links)
                    if (put.name == api::LinkName{misfit.container, parent->links[misfit.index].alias})
                        return put.path + "/child";
        // Of a link that was there before, it is the child that has changed.
        if (const auto child = find_put(misfit.other);
            is_link && container == transaction_.put_containers.end() && child != transaction_.put_containers.end())
            return child->path;
        if (container == transaction_.put_containers.end())
            return "";
        if (is_link)
            return fmt::format("{}/links/{}", container->path, misfit.index);
        return addresses_.at(container->name).at(misfit.index);
    }

    std::vector<api::ContainerPut>::const_iterator find_put(std::string_view name) const {
        return std::ranges::find(transaction_.put_containers, name, &api::ContainerPut::name);
    }

    void fault(Code code, std::string message, std::string path = "") {
        faults.push_back({code, std::move(message), std::move(path)});
    }

    // To be changed.
    model::Container& open(const std::string& name) {
        const model::Container* now = find(name);
        auto& change = changes[name];
        if (!change)
            change = *now;
        return *change;
    }

    bool refuse_files(const std::string& name, const std::string& path = "") {
        const base::Position* place = state_.place(name);
        if (place != nullptr)
            fault(Code::conflict,
                  fmt::format("container {} belongs to {}; change it there, then reload", quote(name),
                              place->to_string()),
                  path);
        return place != nullptr;
    }

    bool is_engines_alone(const std::string& name) const {
        return find(name) == nullptr && state_.find(name) != nullptr && !state_.is_stated(name);
    }

    bool refuse_engine(const std::string& name, std::string_view remedy) {
        if (!is_engines_alone(name))
            return false;
        fault(Code::conflict, fmt::format("container {} belongs to {}; {}", quote(name), state_.engine_name(), remedy));
        return true;
    }

    bool refuse_unknown(const std::string& name, const std::string& path = "") {
        if (find(name) != nullptr)
            return false;
        base::Suggestion suggestion(name);
        if (faults.size() < model::max_suggestions)
            for (const auto& [known, container] : state_.topology().containers)
                if (known != name)  // which this request has deleted itself
                    suggestion.offer(known);
        fault(Code::not_found, fmt::format("there is no container {}{}", quote(name), suggestion.to_string()), path);
        return true;
    }

    void delete_link(const api::LinkName& name) {
        if (refuse_engine(name.parent, engines_links) || refuse_unknown(name.parent) || refuse_files(name.parent))
            return;
        model::Container& parent = open(name.parent);
        if (std::erase_if(parent.links, [&](const model::Link& link) { return link.alias == name.alias; }) == 0)
            refuse_missing(name);
        // Nothing is left of what was added to the engine's container.
        if (parent.networks.empty() && parent.links.empty() && parent.expose.empty() && parent.environment.empty())
            changes[name.parent] = std::nullopt;
    }

    void refuse_missing(const api::LinkName& name) {
        const std::string link = model::link_name(name.parent, name.alias);
        const model::Container* parent = state_.find(name.parent);
        if (parent != nullptr && std::ranges::any_of(parent->links, [&](const model::Link& each) {
                return each.alias == name.alias && state_.source(name.parent, each) == "docker";
            }))
            fault(Code::conflict, fmt::format("link {} belongs to {}; {}", link, state_.engine_name(), engines_links));
        else
            fault(Code::not_found, fmt::format("there is no link {}", link));
    }

    void delete_container(const std::string& name) {
        if (!refuse_engine(name, "remove it there") && !refuse_unknown(name) && !refuse_files(name))
            changes[name] = std::nullopt;
    }

    void put_container(const api::ContainerPut& put) {
        if (refuse_files(put.name, put.path))
            return;
        auto parsed = config::parse_record(put.record, put.path, put.name, state_.unplaced());
        if (parsed) {
            changes[put.name] = std::move(parsed->container);
            addresses_[put.name] = std::move(parsed->addresses);
            return;
        }
        for (const base::Error& error : parsed.error())
            fault(Code::invalid, error.message, error.where.file);
    }

    void put_link(const api::LinkPut& put) {
        const bool is_engines = is_engines_alone(put.name.parent);
        if (!is_engines && (refuse_unknown(put.name.parent, put.path) || refuse_files(put.name.parent, put.path)))
            return;
        if (std::string wrong = model::link_fault(put.name.parent, put.child + ":" + put.name.alias); !wrong.empty()) {
            fault(Code::invalid, std::move(wrong), put.path + "/child");
            return;
        }
        // A link that is added to what the engine says.
        if (is_engines)
            changes[put.name.parent].emplace().name = put.name.parent;
        model::Container& parent = open(put.name.parent);
        const auto same_alias = std::ranges::find(parent.links, put.name.alias, &model::Link::alias);
        if (same_alias != parent.links.end())
            same_alias->child = put.child;
        else
            parent.links.push_back({put.child, put.name.alias});
    }

    // A link ends when its child is deleted, unless the same transaction puts it there again.
    void end_links() {
        std::set<std::string_view> gone;
        for (const std::string& name : transaction_.delete_containers)
            if (changes.contains(name) && !changes.find(name)->second)
                gone.insert(name);
        if (gone.empty())
            return;
        std::vector<api::LinkName> ending;
        draft_.for_each([&](const model::Container& before) {
            const std::string& name = before.name;
            if (const model::Container* parent = find(name); parent != nullptr && state_.place(name) == nullptr)
                for (const model::Link& link : parent->links)
                    if (gone.contains(link.child) && has_link(before, link))
                        ending.push_back({name, link.alias});
        });
        for (const api::LinkName& name : ending) {
            std::erase_if(open(name.parent).links, [&](const model::Link& link) { return link.alias == name.alias; });
            planned.ended.push_back(model::link_name(name.parent, name.alias));
        }
    }

    const Draft& draft_;
    const State& state_;
    const api::Transaction& transaction_;
    std::map<std::string_view, std::vector<std::string>> addresses_;  // their pointers, of each container that is put
};

}  // namespace

const model::Container* Draft::find(std::string_view container) const {
    const auto change = edit_.containers.find(container);
    return change == edit_.containers.end() ? state_.stated().find(container)
           : change->second                 ? &*change->second
                                            : nullptr;
}

std::expected<Planned, api::Faults> Draft::plan(const api::Transaction& transaction) {
    Planner planner(*this, transaction);
    planner.plan();
    std::int64_t permissions = edit_.permissions;
    if (planner.faults.empty())
        permissions = planner.check(state_.permissions() + static_cast<std::uint64_t>(edit_.permissions));
    if (planner.faults.size() > max_faults)
        planner.faults.resize(max_faults);
    if (!planner.faults.empty())
        return std::unexpected(std::move(planner.faults));
    for (auto& [name, container] : planner.changes)
        edit_.containers.insert_or_assign(name, std::move(container));
    edit_.permissions = permissions;
    return std::move(planner.planned);
}

}  // namespace nftlink::desired
