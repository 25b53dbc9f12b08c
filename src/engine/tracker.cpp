#include "nftlink/engine/tracker.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace nftlink::engine {

namespace {

// An engine answers them one after the other where containers are starting; others need not wait for these.
constexpr std::size_t max_inspections = 8;
// Between reading everything and the first look: what happened while the events were being set up.
constexpr std::chrono::milliseconds first_look{1000};
// Before what could not be read is asked for again.
constexpr std::chrono::seconds soon{1};
constexpr int backoff_factor = 2;
// An answer waits so long for those of others, so that many containers which start at once are one change.
constexpr std::chrono::milliseconds gathering{10};
// An event that is older by more than this is of a clock that was set back.
constexpr std::chrono::seconds longest_delay{10};

std::vector<std::string> addresses_of(const Container& container) {
    std::vector<std::string> addresses;
    for (const Endpoint& endpoint : container.endpoints)
        for (const model::Address& address : endpoint.addresses)
            addresses.push_back(address.to_string());
    std::ranges::sort(addresses);
    return addresses;
}

}  // namespace

Tracker::Tracker(Pauses pauses, WallTime now) : pauses_(pauses), pause_(pauses.first) {
    contact_.since = now;
}

Tracker::Session Tracker::begin(Version version, Time now) {
    version_ = std::move(version);
    progress_ = {};
    progress_.begun = now;
    return ++session_;
}

void Tracker::ask_everything(Session session) {
    if (session != session_)
        return;
    progress_.to_inspect.clear();
    progress_.ended_meanwhile.clear();
    progress_.networks_changed = false;
}

void Tracker::read(Session session, Everything everything, Time now, WallTime wall) {
    if (session != session_)
        return;
    auto& containers = everything.inventory.containers;
    // Those whose end was told meanwhile may have been read before it.
    for (const std::string& id : progress_.ended_meanwhile)
        if (const auto container = containers.find(id); container != containers.end()) {
            container->second.running = false;
            for (Endpoint& endpoint : container->second.endpoints)
                endpoint.addresses.clear();
            progress_.to_inspect.insert(id);
        }
    inventory_ = std::move(everything.inventory);
    progress_.again.insert(everything.unread.begin(), everything.unread.end());
    for (const Listed& listed : everything.list)
        progress_.link_names.insert(listed.links.begin(), listed.links.end());
    has_inventory_ = true;
    progress_.is_whole = true;
    progress_.next_look = now + std::min(first_look, pauses_.look);
    set_contact(true, "", wall);
    news_.inventory = true;
}

std::chrono::milliseconds Tracker::end(std::string why, Time now, WallTime wall) {
    // One that ends as soon as everything has been read would be taken up ten times a second.
    if (progress_.is_whole && now - progress_.begun >= pauses_.longest)
        pause_ = pauses_.first;
    news_.inventory |= progress_.gathered_since.has_value();
    progress_ = {};
    ++session_;
    set_contact(false, std::move(why), wall);
    return std::exchange(pause_, std::min(pause_ * backoff_factor, pauses_.longest));
}

void Tracker::take(Session session, const Event& event) {
    using enum Event::Kind;
    if (session != session_ || event.kind == other)
        return;
    if (event.kind == networks) {
        progress_.networks_changed = true;
        return;
    }
    if (event.kind == renamed)
        for (const auto& [id, container] : inventory_.containers)
            if (!container.links.empty())
                progress_.to_inspect.insert(id);
    if (event.kind != changed && event.kind != renamed)
        gone(event);
    if (event.kind != removed)
        progress_.to_inspect.insert(event.container);
}

// The container has ended, is removed, or has left a network.
void Tracker::gone(const Event& event) {
    if (const auto asked = progress_.inspecting.find(event.container); asked != progress_.inspecting.end())
        asked->second = true;
    if (!progress_.is_whole)
        progress_.ended_meanwhile.insert(event.container);
    const auto known = inventory_.containers.find(event.container);
    if (known == inventory_.containers.end())
        return;
    if (event.kind == Event::Kind::removed)
        inventory_.containers.erase(known);
    else if (!leave(known->second, event))
        return;
    news_.inventory = true;
}

// False when nothing of it is different.
bool Tracker::leave(Container& container, const Event& event) const {
    // It has been started again since; or the clock was set back, if it is long ago.
    const auto earlier = std::chrono::nanoseconds(container.started - event.time);
    if (event.time != 0 && earlier > earlier.zero() && earlier < longest_delay)
        return false;
    bool is_different = false;
    const auto take_addresses = [&](Endpoint& endpoint) {
        is_different |= !endpoint.addresses.empty();
        endpoint.addresses.clear();
    };
    if (event.kind == Event::Kind::ended) {
        is_different = std::exchange(container.running, false);
        std::ranges::for_each(container.endpoints, take_addresses);
        return is_different;
    }
    const auto left = inventory_.networks.find(event.network);
    for (Endpoint& endpoint : container.endpoints)
        if (event.network.empty() || endpoint.network == event.network ||
            (left != inventory_.networks.end() && endpoint.network == left->second.name))
            take_addresses(endpoint);
    return is_different;
}

// The list tells what the events should have told, and whether the engine still answers.
void Tracker::listed(Session session, const Answer<std::vector<Listed>>& answer) {
    if (session != session_)
        return;
    progress_.asks_list = false;
    if (!answer) {
        progress_.failure = sentence(answer.error());
        return;
    }
    compare(*answer);
    progress_.to_inspect.merge(progress_.again);
    progress_.again.clear();
}

void Tracker::compare(const std::vector<Listed>& list) {
    std::set<std::string_view> there;
    Names links;
    for (const Listed& listed : list) {
        there.insert(listed.id);
        links.insert(listed.links.begin(), listed.links.end());
        const auto known = inventory_.containers.find(listed.id);
        if (known == inventory_.containers.end() || known->second.running != listed.running ||
            (listed.running && listed.addresses && *listed.addresses != addresses_of(known->second)))
            progress_.to_inspect.insert(listed.id);
    }
    for (const auto& [id, container] : inventory_.containers)
        if (!there.contains(id))
            progress_.to_inspect.insert(id);
    if (links != progress_.link_names)
        inspect_parents(links);
    progress_.link_names = std::move(links);
}

// No event tells that a link was taken off its parent (`docker rm --link /web/db`): the child's name for it is gone.
void Tracker::inspect_parents(const Names& links) {
    std::vector<std::string> different;
    std::ranges::set_symmetric_difference(links, progress_.link_names, std::back_inserter(different));
    Names parents;
    for (const std::string& link : different)
        parents.insert(link.substr(1, link.find('/', 1) - 1));
    for (const auto& [id, container] : inventory_.containers)
        if (parents.contains(container.name))
            progress_.to_inspect.insert(id);
}

void Tracker::networks_read(Session session, Answer<Networks> answer, Time now) {
    if (session != session_)
        return;
    progress_.asks_networks = false;
    progress_.networks_unread = !answer;
    if (!answer)
        return look_soon(now);
    if (*answer == inventory_.networks)
        return;
    inventory_.networks = std::move(*answer);
    news_.inventory = true;
}

void Tracker::inspected(Session session, const std::string& id, Answer<std::optional<Container>> answer, Time now) {
    if (session != session_)
        return;
    if (const auto asked = progress_.inspecting.extract(id); asked.empty() || asked.mapped())
        return;
    if (!answer) {
        progress_.again.insert(id);
        return look_soon(now);
    }
    const auto known = inventory_.containers.find(id);
    const bool is_known = known != inventory_.containers.end();
    if (!*answer) {
        if (is_known) {
            inventory_.containers.erase(known);
            news_.inventory = true;
        }
        return;
    }
    for (const Endpoint& endpoint : (*answer)->endpoints)
        progress_.networks_changed |= !inventory_.networks.contains(endpoint.network);
    // Podman doesn't tell of networks, and one that is made again has another interface.
    const bool was_running = is_known && known->second.running;
    progress_.networks_changed |= version_.is_podman && (*answer)->running && !was_running;
    if (is_known && known->second == **answer)
        return;
    inventory_.containers.insert_or_assign(id, std::move(**answer));
    if (!progress_.gathered_since)
        progress_.gathered_since = now;
}

void Tracker::fail(Session session, std::string why) {
    if (session == session_)
        progress_.failure = std::move(why);
}

std::vector<Tracker::Question> Tracker::ask(Time now) {
    using enum Question::Kind;
    std::vector<Question> questions;
    if (!progress_.is_whole || progress_.failure)
        return questions;
    if (!progress_.asks_list && now >= progress_.next_look) {
        progress_.next_look = now + pauses_.look;
        progress_.networks_changed |= version_.is_podman || progress_.networks_unread;
        progress_.asks_list = true;
        questions.push_back({list, {}});
    }
    if (!progress_.asks_networks && std::exchange(progress_.networks_changed, false)) {
        progress_.asks_networks = true;
        questions.push_back({networks, {}});
    }
    for (auto next = progress_.to_inspect.begin();
         next != progress_.to_inspect.end() && progress_.inspecting.size() < max_inspections;)
        if (progress_.inspecting.contains(*next)) {
            ++next;
        } else {
            questions.push_back({container, *next});
            progress_.inspecting.emplace(*next, false);
            next = progress_.to_inspect.erase(next);
        }
    return questions;
}

Tracker::News Tracker::take_news(Time now) {
    const bool all_answered = progress_.to_inspect.empty() && progress_.inspecting.empty();
    if (progress_.gathered_since && !progress_.awaits_networks() &&
        (all_answered || now >= *progress_.gathered_since + gathering))
        news_.inventory = true;
    if (news_.inventory)
        progress_.gathered_since.reset();
    return std::exchange(news_, {});
}

Tracker::Time Tracker::wake_at() const {
    const Time look = progress_.asks_list ? Time::max() : progress_.next_look;
    return progress_.gathered_since && !progress_.awaits_networks()
               ? std::min(look, *progress_.gathered_since + gathering)
               : look;
}

void Tracker::look_soon(Time now) {
    progress_.next_look = std::min(progress_.next_look, now + soon);
}

void Tracker::set_contact(bool connected, std::string error, WallTime wall) {
    const bool is_news = contact_.connected != connected || contact_.error != error || contact_.api != version_.api;
    contact_ = {connected, version_.engine, version_.api, std::move(error), is_news ? wall : contact_.since};
    news_.contact |= is_news;
}

}  // namespace nftlink::engine
