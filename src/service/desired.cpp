#include "desired.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "nftlink/base/suggestion.hpp"
#include "nftlink/config/fragment.hpp"

namespace nftlink::service {

using api::Fault;
using base::quote;
using config::Misfit;

namespace {

// Looking for a close name among all containers costs.
constexpr std::size_t max_suggestions = 10;
// More are of no use to anybody.
constexpr std::size_t max_faults = 100;

constexpr std::string_view engines_links = "its links are made there, by --link or the label nftlink.links";

std::vector<std::string> names_of(const Containers& containers) {
    std::vector<std::string> names;
    for (const auto& [name, container] : containers)
        names.push_back(name);
    return names;
}

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

// The message with the field in place of a line of a text that nobody has seen: `…; the first is at web:7:7`.
std::string without_place(std::string message, const std::string& name, const api::ContainerText& text) {
    const std::string before = " at " + name + ":";
    const std::size_t start = message.rfind(before);
    if (start == std::string::npos)
        return message;
    const std::size_t line = std::strtoul(message.c_str() + start + before.size(), nullptr, 10);
    return message.substr(0, start) + " at " + text.path(line);
}

}  // namespace

std::map<std::string, std::optional<std::string>> to_stored(const Containers& containers) {
    std::map<std::string, std::optional<std::string>> texts;
    for (const auto& [name, container] : containers)
        texts[name] = container ? std::optional(config::to_yaml(*container)) : std::nullopt;
    return texts;
}

// One transaction on its way to an edit.
class Planner {
public:
    Planner(const Desired& desired, const api::Transaction& transaction)
        : desired_(desired), transaction_(transaction) {}

    Edit edit;
    std::vector<Fault> faults;

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
        std::erase_if(edit.containers, [this](const auto& entry) {
            const model::Container* before = desired_.stated_.find(entry.first);
            return entry.second ? before != nullptr && *before == *entry.second : before == nullptr;
        });
        for (const auto& [name, after] : edit.containers) {
            const model::Container* before = desired_.stated_.find(name);
            if (before != nullptr)
                list_links(*before, after ? &*after : nullptr, false, edit.links);
        }
        for (const auto& [name, after] : edit.containers)
            if (after)
                list_links(*after, desired_.stated_.find(name), true, edit.links);
    }

    // Of containers that there are, all on the networks that they were on, and with the ports that they had.
    bool changes_links_alone() const {
        return std::ranges::all_of(edit.containers, [this](const auto& entry) {
            const model::Container* before = desired_.stated_.find(entry.first);
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
        return container->path + address_path(container->record, misfit.index);
    }

private:
    static std::string address_path(const boost::json::value& record, std::size_t index) {
        const auto* object = record.if_object();
        if (object == nullptr || !object->contains("networks"))
            return fmt::format("/addresses/{}", index);
        const auto* networks = object->at("networks").if_object();
        if (networks == nullptr)
            return "/networks";
        for (const auto& [bridge, addresses] : *networks) {
            const std::size_t count = addresses.is_array() ? addresses.as_array().size() : 0;
            if (index < count)
                return fmt::format("/networks/{}/{}", std::string_view(bridge), index);
            index -= count;
        }
        return "/networks";
    }

    std::vector<api::ContainerPut>::const_iterator find_put(std::string_view name) const {
        return std::ranges::find(transaction_.put_containers, name, &api::ContainerPut::name);
    }

    void fault(unsigned status, std::string code, std::string message, std::string path = "") {
        faults.push_back({status, std::move(code), std::move(message), std::move(path)});
    }

    // As it is after what has been planned so far; null when it isn't there.
    const model::Container* find(const std::string& name) const {
        if (const auto planned = edit.containers.find(name); planned != edit.containers.end())
            return planned->second ? &*planned->second : nullptr;
        return desired_.stated_.find(name);
    }

    // To be changed.
    model::Container& open(const std::string& name) {
        const model::Container* now = find(name);
        auto& planned = edit.containers[name];
        if (!planned)
            planned = *now;
        return *planned;
    }

    bool refuse_files(const std::string& name, const std::string& path = "") {
        const base::Position* place = desired_.place(name);
        if (place != nullptr)
            fault(409, "conflict",
                  fmt::format("container {} belongs to {}; change it there, then reload", quote(name),
                              place->to_string()),
                  path);
        return place != nullptr;
    }

    // What only the engine has.
    bool refuse_engine(const std::string& name, std::string_view remedy) {
        if (find(name) != nullptr || desired_.find(name) == nullptr)
            return false;
        fault(409, "conflict",
              fmt::format("container {} belongs to {}; {}", quote(name), desired_.engine_name(), remedy));
        return true;
    }

    bool refuse_unknown(const std::string& name, const std::string& path = "") {
        if (find(name) != nullptr)
            return false;
        base::Suggestion suggestion(name);
        if (faults.size() < max_suggestions)
            for (const auto& [known, container] : desired_.topology().containers)
                suggestion.offer(known);
        fault(404, "not_found", fmt::format("there is no container {}{}", quote(name), suggestion.to_string()), path);
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
            edit.containers[name.parent] = std::nullopt;
    }

    void refuse_missing(const api::LinkName& name) {
        const std::string link = model::link_name(name.parent, name.alias);
        const model::Container* parent = desired_.find(name.parent);
        if (parent != nullptr &&
            std::ranges::find(parent->links, name.alias, &model::Link::alias) != parent->links.end())
            fault(409, "conflict",
                  fmt::format("link {} belongs to {}; {}", link, desired_.engine_name(), engines_links));
        else
            fault(404, "not_found", fmt::format("there is no link {}", link));
    }

    void delete_container(const std::string& name) {
        if (!refuse_engine(name, "remove it there") && !refuse_unknown(name) && !refuse_files(name))
            edit.containers[name] = std::nullopt;
    }

    void put_container(const api::ContainerPut& put) {
        if (refuse_files(put.name, put.path))
            return;
        const api::ContainerText text = api::to_yaml(put.name, put.record, put.path);
        auto parsed = config::parse_container({put.name, text.yaml}, put.name, desired_.unplaced());
        if (parsed) {
            edit.containers[put.name] = std::move(*parsed);
            return;
        }
        for (const base::Error& error : parsed.error())
            fault(422, "invalid", without_place(error.message, put.name, text), text.path(error.where.line));
    }

    void put_link(const api::LinkPut& put) {
        const bool is_engines =
            desired_.has_engine() && find(put.name.parent) == nullptr && desired_.find(put.name.parent) != nullptr;
        if (!is_engines && (refuse_unknown(put.name.parent, put.path) || refuse_files(put.name.parent, put.path)))
            return;
        if (std::string wrong = config::link_fault(put.name.parent, put.child + ":" + put.name.alias); !wrong.empty()) {
            fault(422, "invalid", std::move(wrong), put.path + "/child");
            return;
        }
        // A link that is added to what the engine says.
        if (is_engines)
            edit.containers[put.name.parent].emplace().name = put.name.parent;
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
            if (edit.containers.contains(name) && !edit.containers.find(name)->second)
                gone.insert(name);
        if (gone.empty())
            return;
        std::vector<api::LinkName> ending;
        for (const auto& [name, container] : desired_.stated_.containers)
            if (const model::Container* parent = find(name); parent != nullptr && desired_.place(name) == nullptr)
                for (const model::Link& link : parent->links)
                    if (gone.contains(link.child) && has_link(container, link))
                        ending.push_back({name, link.alias});
        for (const api::LinkName& name : ending) {
            std::erase_if(open(name.parent).links, [&](const model::Link& link) { return link.alias == name.alias; });
            edit.ended.push_back(model::link_name(name.parent, name.alias));
        }
    }

    const Desired& desired_;
    const api::Transaction& transaction_;
};

namespace {

// What the address' other user or the child is about decides whose fault it is.
Fault to_fault(const Misfit& misfit, std::string path) {
    const bool is_conflict = misfit.kind == Misfit::Kind::address;
    return {is_conflict ? 409U : 422U, is_conflict ? "conflict" : "invalid", misfit.message, std::move(path)};
}

}  // namespace

Desired::Desired(std::shared_ptr<const config::Loaded> files)
    : files_(std::move(files)),
      stated_(files_->config.topology),
      permissions_(model::sum_permissions(stated_, config().firewall)) {
    unite();
}

const model::Container* Desired::find(std::string_view container) const {
    return has_engine() ? united_.find(container) : stated_.find(container);
}

std::string_view Desired::source(std::string_view container) const {
    if (place(container) != nullptr)
        return "file";
    return stated_.find(container) != nullptr ? "api" : "docker";
}

std::string_view Desired::source(std::string_view parent, const model::Link& link) const {
    const model::Container* stated = stated_.find(parent);
    return stated != nullptr && has_link(*stated, link) ? source(parent) : "docker";
}

std::string Desired::engine_name() const {
    return "the engine at " + config().sources.docker.value_or(config::DockerSource{}).socket;
}

engine::United Desired::set_inventory(Inventory inventory) {
    inventory_ = std::move(inventory);
    engine::United before = std::move(united_);
    unite();
    return before;
}

void Desired::unite() {
    static const engine::Inventory nothing;
    if (!has_engine())
        return;
    const auto origin = [this](std::string_view container) {
        const base::Position* where = place(container);
        return where != nullptr ? where->to_string() : "given through the API";
    };
    united_ = engine::unite(stated_, config().firewall, config().limits, inventory_ != nullptr ? *inventory_ : nothing,
                            origin, engine_name());
}

config::Unplaced Desired::unplaced() const {
    return has_engine() ? config::Unplaced::allowed : config::Unplaced::refused;
}

const base::Position* Desired::place(std::string_view container) const {
    const auto found = files_->places.find(container);
    return found == files_->places.end() ? nullptr : &found->second;
}

Desired::Stored Desired::stored() const {
    Stored stored;
    for (const auto& [name, container] : stated_.containers)
        if (place(name) == nullptr)
            stored.emplace(name, container);
    return stored;
}

std::vector<Desired::Conflict> Desired::add(Stored stored, Edit& ended) {
    config::Joined joined =
        config::join(stated_, config().firewall, files_->places, std::move(stored), unplaced(), config().limits);
    permissions_ = model::sum_permissions(stated_, config().firewall);
    for (const auto& [parent, link] : joined.ended) {
        ended.links.push_back({parent, link, false});
        ended.ended.push_back(model::link_name(parent, link.alias));
        if (const model::Container* container = stated_.find(parent))
            ended.containers[parent] = *container;
    }
    unite();
    return std::move(joined.conflicts);
}

std::expected<Edit, std::vector<Fault>> Desired::plan(const api::Transaction& transaction) {
    Planner planner(*this, transaction);
    planner.plan();
    if (planner.faults.empty()) {
        const bool links_alone = planner.changes_links_alone();
        const auto count = links_alone ? model::sum_permissions_from : model::sum_permissions_of;
        const auto check = links_alone ? config::check_links_fit : config::check_fit;
        const std::vector<std::string> names = names_of(planner.edit.containers);
        const model::FirewallPolicy& policy = config().firewall;
        model::PermissionSum host(policy, config().limits, permissions_ - count(stated_, policy, names));
        exchange(planner.edit);
        const auto found = check(stated_, policy, names, unplaced(), &host);
        exchange(planner.edit);
        planner.edit.permissions = static_cast<std::int64_t>(host.total() - permissions_);
        for (const Misfit& misfit : found)
            if (planner.faults.size() < max_faults)
                planner.faults.push_back(to_fault(misfit, planner.path_of(misfit)));
    }
    if (planner.faults.size() > max_faults)
        planner.faults.resize(max_faults);
    if (!planner.faults.empty())
        return std::unexpected(std::move(planner.faults));
    return std::move(planner.edit);
}

engine::United Desired::swap(Edit& edit) {
    exchange(edit);
    engine::United before = std::move(united_);
    unite();
    return before;
}

void Desired::exchange(Edit& edit) {
    permissions_ += static_cast<std::uint64_t>(edit.permissions);
    edit.permissions = -edit.permissions;
    for (auto& [name, container] : edit.containers) {
        const auto now = stated_.containers.find(name);
        if (now == stated_.containers.end()) {
            if (container)
                stated_.containers.emplace(name, std::move(*container));
            container.reset();
        } else if (container) {
            std::swap(now->second, *container);
        } else {
            container = std::move(now->second);
            stated_.containers.erase(now);
        }
    }
}

}  // namespace nftlink::service
