#include "nftlink/state/journal.hpp"

namespace nftlink::state {

namespace asio = boost::asio;

// Without a disk to wait for, going to the thread and back takes longer than the work.
//
// The work has a name: g++ 12 destroys what a lambda within an await has captured twice.
template <typename T>
asio::awaitable<T> Journal::on_disk(std::function<T()> work) {
    if (store_.is_in_memory())
        co_return work();
    co_return co_await run(std::move(work));
}

asio::awaitable<Journal::Done> Journal::prepare(StoredChange change) {
    std::function<Done()> work = [this, change = std::move(change)] { return store_.prepare(change); };
    co_return co_await on_disk(std::move(work));
}

asio::awaitable<Journal::Done> Journal::publish() {
    std::function<Done()> work = [this] { return store_.publish(); };
    co_return co_await on_disk(std::move(work));
}

asio::awaitable<void> Journal::discard() {
    std::function<void()> work = [this] { store_.discard(); };
    co_await on_disk(std::move(work));
}

}  // namespace nftlink::state
