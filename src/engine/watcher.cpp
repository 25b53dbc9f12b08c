#include "nftlink/engine/watcher.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

namespace nftlink::engine {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using std::chrono::system_clock;

namespace {

// The time for an engine that says nothing to a question for events until there is one.
constexpr std::chrono::milliseconds events_patience{500};

// The answer of an engine; an exception is one too.
template <typename T>
Reply<T> guarded(Reply<T> question) {
    try {
        co_return co_await std::move(question);
    } catch (const std::exception& exception) {
        co_return std::unexpected(Failure{.text = exception.what()});
    }
}

}  // namespace

Watcher::Watcher(asio::any_io_executor executor, std::string socket, Listener listener, Pauses pauses)
    : executor_(executor),
      socket_(std::move(socket)),
      listener_(std::move(listener)),
      tracker_(pauses, system_clock::now()),
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
    while (!stopped_) {
        std::string error;
        try {
            error = co_await session();
        } catch (const std::exception& exception) {
            error = exception.what();
        }
        if (events_ != nullptr)
            events_->close();
        if (stopped_)
            co_return;
        const auto end = steady_clock::now() + tracker_.end(std::move(error), steady_clock::now(), system_clock::now());
        tell();
        while (!stopped_ && steady_clock::now() < end)
            co_await pause(end);
    }
}

asio::awaitable<std::string> Watcher::session() {
    const auto version = co_await ask_version(socket_);
    if (!version)
        co_return sentence(version.error());
    const Tracker::Session session = tracker_.begin(*version, steady_clock::now());
    events_ = std::make_shared<EventStream>(executor_, socket_);
    const auto opened = co_await events_->open(*version);
    if (!opened)
        co_return sentence(opened.error());
    asio::co_spawn(executor_, follow(events_, session), asio::detached);
    co_await events_->begun(events_patience);
    tracker_.ask_everything(session);
    auto everything = co_await ask_everything(socket_, *version);
    if (!everything)
        co_return sentence(everything.error());
    tracker_.read(session, std::move(*everything), steady_clock::now(), system_clock::now());
    tell();
    co_return co_await answer_questions(session);
}

asio::awaitable<std::string> Watcher::answer_questions(Tracker::Session session) {
    while (!tracker_.failure() && !stopped_) {
        for (Tracker::Question& question : tracker_.ask(steady_clock::now()))
            asio::co_spawn(executor_, ask(std::move(question), session), asio::detached);
        tell();
        co_await pause(tracker_.wake_at());
    }
    co_return tracker_.failure().value_or("");
}

asio::awaitable<void> Watcher::follow(std::shared_ptr<EventStream> events, Tracker::Session session) {
    const auto self = shared_from_this();
    std::function<void(const Event&)> taker = [this, session](const Event& event) {
        tracker_.take(session, event);
        tell();
        wake();
    };
    std::string failure;
    try {
        failure = co_await events->follow(std::move(taker));
    } catch (const std::exception& exception) {
        failure = exception.what();
    }
    tracker_.fail(session, std::move(failure));
    wake();
}

asio::awaitable<void> Watcher::ask(Tracker::Question question, Tracker::Session session) {
    const auto self = shared_from_this();
    // A question that nobody answers would be under way for ever.
    try {
        co_await hand_in_answer(std::move(question), session);
    } catch (const std::exception& exception) {
        tracker_.fail(session, exception.what());
    }
    wake();
}

asio::awaitable<void> Watcher::hand_in_answer(Tracker::Question question, Tracker::Session session) {
    using enum Tracker::Question::Kind;
    if (question.kind == list) {
        const auto answer = co_await guarded(ask_list(socket_, tracker_.version()));
        tracker_.listed(session, answer);
    } else if (question.kind == networks) {
        auto answer = co_await guarded(ask_networks(socket_, tracker_.version()));
        tracker_.networks_read(session, std::move(answer), steady_clock::now());
    } else {
        auto answer = co_await guarded(ask_container(socket_, tracker_.version(), question.container));
        tracker_.inspected(session, question.container, std::move(answer), steady_clock::now());
    }
}

void Watcher::wake() {
    is_woken_ = true;
    wake_.cancel();
}

// Until then, or until something comes, or has come since the last pause: a question may be answered as it is asked.
asio::awaitable<void> Watcher::pause(Tracker::Time end) {
    boost::system::error_code ignored;
    wake_.expires_at(end);
    if (!is_woken_)
        co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    is_woken_ = false;
}

void Watcher::tell() {
    const Tracker::News news = tracker_.take_news(steady_clock::now());
    if (news.contact && listener_.contacted)
        listener_.contacted();
    if (news.inventory && listener_.changed)
        listener_.changed();
}

}  // namespace nftlink::engine
