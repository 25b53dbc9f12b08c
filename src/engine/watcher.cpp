#include "nftlink/engine/watcher.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <iterator>

namespace nftlink::engine {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

// An engine answers them one after the other where containers are starting; others need not wait for these.
constexpr std::size_t max_inspections = 8;
// What an engine gets that says nothing to a question for events until there is one.
constexpr std::chrono::milliseconds events_patience{500};
// Between reading everything and the first look: what happened while the events were being set up.
constexpr std::chrono::seconds first_look{1};
constexpr int backoff_factor = 2;
// How long an answer may wait for those of others, so that many containers which start at once are one change.
constexpr std::chrono::milliseconds gathering{10};

}  // namespace

Watcher::Watcher(asio::any_io_executor executor, std::string socket, Listener listener, Pauses pauses)
    : socket_(std::move(socket)),
      listener_(std::move(listener)),
      pauses_(pauses),
      executor_(executor),
      wake_(executor) {}

void Watcher::start() {
    asio::co_spawn(executor_, run(), asio::detached);
}

void Watcher::stop() {
    stopped_ = true;
    listener_ = {};
    if (events_ != nullptr)
        events_->close();
    wake();
}

asio::awaitable<void> Watcher::run() {
    const auto self = shared_from_this();
    boost::system::error_code ignored;
    auto pause = pauses_.first;
    while (!stopped_) {
        failure_.clear();
        is_whole_ = false;
        std::string error;
        const auto begin = steady_clock::now();
        try {
            error = co_await session();
        } catch (const std::exception& exception) {
            error = exception.what();
        }
        ++session_;
        if (events_ != nullptr)
            events_->close();
        if (stopped_)
            co_return;
        // One that ends as soon as everything has been read would be taken up ten times a second.
        if (is_whole_ && steady_clock::now() - begin >= pauses_.longest)
            pause = pauses_.first;
        set_contact(false, error);
        wake_.expires_after(pause);
        awake_ = false;
        co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        pause = std::min(pause * backoff_factor, pauses_.longest);
    }
}

asio::awaitable<std::string> Watcher::session() {
    const auto version = co_await ask_version(socket_);
    if (!version)
        co_return version.error();
    version_ = *version;
    events_ = std::make_shared<EventStream>(executor_, socket_);
    const auto opened = co_await events_->open(version_);
    if (!opened)
        co_return opened.error();
    asio::co_spawn(executor_, follow(session_), asio::detached);
    co_await events_->begun(events_patience);
    std::string failure = co_await read_everything();
    while (failure.empty() && failure_.empty() && !stopped_) {
        if (std::exchange(networks_changed_, false))
            co_await read_networks();
        inspect_some();
        if (steady_clock::now() >= next_look_)
            failure = co_await look();
        const bool all_answered = to_inspect_.empty() && inspecting_.empty();
        if (gathered_since_ && (all_answered || steady_clock::now() >= *gathered_since_ + gathering))
            changed();
        if (!awake_ && !networks_changed_) {
            boost::system::error_code ignored;
            wake_.expires_at(gathered_since_ ? std::min(next_look_, *gathered_since_ + gathering) : next_look_);
            co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        awake_ = false;
    }
    co_return failure.empty() ? failure_ : failure;
}

asio::awaitable<std::string> Watcher::read_everything() {
    to_inspect_.clear();
    inspecting_.clear();
    again_.clear();
    ended_meanwhile_.clear();
    networks_changed_ = false;
    networks_unread_ = false;
    auto read = co_await ask_everything(socket_, version_);
    if (!read)
        co_return read.error();
    auto& containers = read->inventory.containers;
    // Those whose end was told meanwhile may have been read before it.
    for (const std::string& id : ended_meanwhile_)
        if (const auto container = containers.find(id); container != containers.end()) {
            container->second.running = false;
            for (Endpoint& endpoint : container->second.endpoints)
                endpoint.addresses.clear();
            to_inspect_.insert(id);
        }
    inventory_ = std::move(read->inventory);
    again_.insert(read->unread.begin(), read->unread.end());
    link_names_.clear();
    for (const Listed& listed : read->list)
        link_names_.insert(listed.links.begin(), listed.links.end());
    has_inventory_ = true;
    is_whole_ = true;
    next_look_ = steady_clock::now() + first_look;
    set_contact(true, "");
    changed();
    co_return "";
}

// What the events should have told. Also tells whether the engine still answers.
asio::awaitable<std::string> Watcher::look() {
    next_look_ = steady_clock::now() + pauses_.look;
    networks_changed_ |= version_.is_podman || networks_unread_;
    const auto list = co_await ask_list(socket_, version_);
    if (!list)
        co_return list.error();
    compare(*list);
    to_inspect_.merge(again_);
    again_.clear();
    inspect_some();
    co_return "";
}

namespace {

std::vector<std::string> addresses_of(const Container& container) {
    std::vector<std::string> addresses;
    for (const Endpoint& endpoint : container.endpoints)
        for (const model::Address& address : endpoint.addresses)
            addresses.push_back(address.to_string());
    std::ranges::sort(addresses);
    return addresses;
}

}  // namespace

void Watcher::compare(const std::vector<Listed>& list) {
    std::set<std::string_view> there;
    std::set<std::string, std::less<>> links;
    for (const Listed& listed : list) {
        there.insert(listed.id);
        links.insert(listed.links.begin(), listed.links.end());
        const auto known = inventory_.containers.find(listed.id);
        if (known == inventory_.containers.end() || known->second.running != listed.running ||
            (listed.running && listed.addresses && *listed.addresses != addresses_of(known->second)))
            to_inspect_.insert(listed.id);
    }
    for (const auto& [id, container] : inventory_.containers)
        if (!there.contains(id))
            to_inspect_.insert(id);
    if (links != link_names_)
        inspect_parents(links);
    link_names_ = std::move(links);
}

// No event tells that a link was taken off its parent (`docker rm --link /web/db`): the child's name for it is gone.
void Watcher::inspect_parents(const std::set<std::string, std::less<>>& links) {
    std::vector<std::string> different;
    std::ranges::set_symmetric_difference(links, link_names_, std::back_inserter(different));
    std::set<std::string> parents;
    for (const std::string& link : different)
        parents.insert(link.substr(1, link.find('/', 1) - 1));
    for (const auto& [id, container] : inventory_.containers)
        if (parents.contains(container.name))
            to_inspect_.insert(id);
}

void Watcher::try_again_soon() {
    next_look_ = std::min(next_look_, steady_clock::now() + std::chrono::seconds(1));
}

asio::awaitable<void> Watcher::read_networks() {
    auto networks = co_await ask_networks(socket_, version_);
    networks_unread_ = !networks;
    if (!networks)
        try_again_soon();
    if (!networks || *networks == inventory_.networks)
        co_return;
    inventory_.networks = std::move(*networks);
    changed();
}

asio::awaitable<void> Watcher::follow(unsigned session) {
    const auto self = shared_from_this();
    std::function<void(const Event&)> taker = [this, session](const Event& event) {
        if (session == session_ && !stopped_)
            take(event);
    };
    std::string failure;
    try {
        failure = co_await events_->follow(std::move(taker));
    } catch (const std::exception& exception) {
        failure = exception.what();
    }
    if (session != session_)
        co_return;
    failure_ = std::move(failure);
    wake();
}

void Watcher::take(const Event& event) {
    using enum Event::Kind;
    if (event.kind == other)
        return;
    if (event.kind == networks) {
        networks_changed_ = true;
        return wake();
    }
    if (event.kind == renamed)
        for (const auto& [id, container] : inventory_.containers)
            if (!container.links.empty())
                to_inspect_.insert(id);
    const auto known = inventory_.containers.find(event.container);
    if (event.kind != Event::Kind::changed && event.kind != renamed) {
        if (const auto asked = inspecting_.find(event.container); asked != inspecting_.end())
            asked->second = true;
        if (!is_whole_)
            ended_meanwhile_.insert(event.container);
        if (known != inventory_.containers.end()) {
            if (event.kind == removed)
                inventory_.containers.erase(known);
            if (event.kind == removed || end(known->second, event))
                this->changed();
        }
    }
    if (event.kind != removed)
        to_inspect_.insert(event.container);
    wake();
}

// False when nothing of it is different.
bool Watcher::end(Container& container, const Event& event) {
    // It has been started again since; or the clock was set back, if it is long ago.
    const auto earlier = std::chrono::nanoseconds(container.started - event.time);
    if (event.time != 0 && earlier > earlier.zero() && earlier < std::chrono::seconds(10))
        return false;
    bool is_different = false;
    const auto leave = [&](Endpoint& endpoint) {
        is_different |= !endpoint.addresses.empty();
        endpoint.addresses.clear();
    };
    if (event.kind == Event::Kind::ended) {
        is_different = std::exchange(container.running, false);
        std::ranges::for_each(container.endpoints, leave);
        return is_different;
    }
    const auto left = inventory_.networks.find(event.network);
    for (Endpoint& endpoint : container.endpoints)
        if (event.network.empty() || endpoint.network == event.network ||
            (left != inventory_.networks.end() && endpoint.network == left->second.name))
            leave(endpoint);
    return is_different;
}

void Watcher::inspect_some() {
    for (auto next = to_inspect_.begin(); next != to_inspect_.end() && inspecting_.size() < max_inspections;) {
        if (inspecting_.contains(*next)) {
            ++next;
            continue;
        }
        const std::string id = *next;
        next = to_inspect_.erase(next);
        inspecting_.emplace(id, false);
        asio::co_spawn(executor_, inspect(id, session_), asio::detached);
    }
}

asio::awaitable<void> Watcher::inspect(std::string id, unsigned session) {
    const auto self = shared_from_this();
    std::expected<std::optional<Container>, std::string> answer;
    try {
        answer = co_await ask_container(socket_, version_, id);
    } catch (const std::exception& exception) {
        answer = std::unexpected(exception.what());
    }
    if (session != session_ || stopped_)
        co_return;
    const auto asked = inspecting_.extract(id);
    if (!asked.empty() && !asked.mapped())
        inspected(id, std::move(answer));
    wake();
}

void Watcher::inspected(const std::string& id, std::expected<std::optional<Container>, std::string> answer) {
    if (!answer) {
        again_.insert(id);
        return try_again_soon();
    }
    const auto known = inventory_.containers.find(id);
    if (!*answer) {
        if (known != inventory_.containers.end()) {
            inventory_.containers.erase(known);
            changed();
        }
        return;
    }
    for (const Endpoint& endpoint : (*answer)->endpoints)
        networks_changed_ |= !inventory_.networks.contains(endpoint.network);
    // Podman doesn't tell of networks, and one that is made again has another interface.
    const bool was_running = known != inventory_.containers.end() && known->second.running;
    networks_changed_ |= version_.is_podman && (*answer)->running && !was_running;
    if (known != inventory_.containers.end() && known->second == **answer)
        return;
    inventory_.containers.insert_or_assign(id, std::move(**answer));
    if (!gathered_since_)
        gathered_since_ = steady_clock::now();
}

void Watcher::changed() {
    gathered_since_.reset();
    if (listener_.changed)
        listener_.changed();
}

void Watcher::set_contact(bool connected, std::string error) {
    const bool is_news = contact_.connected != connected || contact_.error != error || contact_.api != version_.api;
    contact_ = {connected, version_.engine, version_.api, std::move(error),
                is_news ? std::chrono::system_clock::now() : contact_.since};
    if (is_news && listener_.contacted)
        listener_.contacted();
}

void Watcher::wake() {
    awake_ = true;
    wake_.cancel();
}

}  // namespace nftlink::engine
