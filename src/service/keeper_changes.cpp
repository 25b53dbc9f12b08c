// Changes through the control API. What comes while the disk and the kernel are at work for others is made together
// afterwards: one commit, one round of the disk, an answer for each.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "keeper.hpp"
#include "link_changes.hpp"
#include "nftlink/config/fragment.hpp"

namespace nftlink::service {

namespace asio = boost::asio;
using config::LogLevel;

struct Keeper::Request {
    Request(const asio::any_io_executor& executor, api::Transaction wanted)
        : transaction(std::move(wanted)), done(executor, 1) {}

    void finish(Answer result) {
        answer = std::move(result);
        done.try_send(boost::system::error_code());
    }

    api::Transaction transaction;
    std::optional<Answer> answer;
    std::exception_ptr failure;
    asio::experimental::channel<void(boost::system::error_code)> done;
};

// Requests that can be made together, and what they come to.
struct Keeper::Merged {
    struct Part {
        std::shared_ptr<Request> request;
        Edit edit;  // its containers are in the whole
    };
    std::vector<Part> parts;
    Edit whole;
};

namespace {

// Of an edit that has been carried out.
firewall::Before before(const Edit& edit) {
    firewall::Before before;
    for (const auto& [name, container] : edit.containers)
        before.emplace(name, container ? &*container : nullptr);
    return before;
}

// What others' variables come from is as it was.
bool changed_links_alone(const Edit& done, const Desired& desired) {
    return std::ranges::all_of(done.containers, [&](const auto& entry) {
        const auto& [name, was] = entry;
        const model::Container* is = desired.find(name);
        return was && is != nullptr && was->networks == is->networks && was->expose == is->expose &&
               was->environment == is->environment;
    });
}

}  // namespace

asio::awaitable<Keeper::Answer> Keeper::change(api::Transaction transaction) {
    const auto request = std::make_shared<Request>(executor_, std::move(transaction));
    requests_.push_back(request);
    if (!std::exchange(answers_requests_, true))
        asio::co_spawn(executor_, answer_requests(), asio::detached);
    co_await request->done.async_receive(asio::use_awaitable);
    if (request->failure != nullptr)
        std::rethrow_exception(request->failure);
    co_return std::move(*request->answer);
}

asio::awaitable<void> Keeper::answer_requests() {
    while (!requests_.empty()) {
        const auto turn = co_await turn_.take();
        const Requests requests = std::exchange(requests_, {});
        std::exception_ptr failure;
        try {
            co_await carry_out(requests);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure != nullptr)
            for (const auto& request : requests)
                if (!request->answer) {
                    request->failure = failure;
                    request->done.try_send(boost::system::error_code());
                }
    }
    answers_requests_ = false;
}

asio::awaitable<void> Keeper::carry_out(Requests requests) {
    Merged merged = plan(requests);
    if (merged.parts.empty())
        co_return;
    const Faults faults = co_await make(merged);
    if (faults.empty()) {
        for (Merged::Part& part : merged.parts)
            part.request->finish(Changed{!part.edit.empty(), std::move(part.edit.ended), {}, enforcer_.generation()});
        co_return;
    }
    if (merged.parts.size() == 1) {
        merged.parts.front().request->finish(std::unexpected(faults));
        co_return;
    }
    // Whose fault it is shows when each is made alone.
    for (const Merged::Part& part : merged.parts) {
        Requests alone{part.request};
        co_await carry_out(std::move(alone));
    }
}

// Each is planned on top of those before it. Answers those that can't be made.
Keeper::Merged Keeper::plan(const Requests& requests) {
    Merged merged;
    for (const auto& request : requests) {
        auto edit = desired_.plan(request->transaction);
        if (!edit) {
            request->finish(std::unexpected(std::move(edit.error())));
            continue;
        }
        desired_.exchange(*edit);
        merged.parts.push_back({request, std::move(*edit)});
    }
    for (auto part = merged.parts.rbegin(); part != merged.parts.rend(); ++part)
        desired_.exchange(part->edit);
    for (const auto& [request, edit] : merged.parts) {
        for (const auto& [name, container] : edit.containers)
            merged.whole.containers[name] = container;
        merged.whole.permissions += edit.permissions;
    }
    return merged;
}

// On disk, in memory, in the kernel; or not at all, and why.
asio::awaitable<Faults> Keeper::make(Merged& merged) {
    Edit& edit = merged.whole;
    if (edit.empty())
        co_return Faults{};
    const bool is_last_try = merged.parts.size() == 1;
    const auto refusal = [&](const std::string& code, const std::string& message) {
        return is_last_try ? refuse(503, code, message) : Faults{{503, code, message, ""}};
    };
    const auto prepared = co_await prepare(to_stored(edit.containers));
    if (!prepared)
        co_return refusal("not_stored", prepared.error());
    // With an engine a change may have others behind it: it takes the place of what the engine says, or leaves it
    // again.
    const engine::United before_it = desired_.swap(edit);
    std::set<std::string> names;
    for (const auto& [name, container] : edit.containers)
        names.insert(name);
    if (desired_.has_engine())
        add_changed(before_it.topology, desired_.topology(), names);
    const auto enforced =
        enforcer_.adopt(desired_.has_engine() ? those_before(before_it.topology, names) : before(edit));
    if (!enforced) {
        desired_.swap(edit);
        co_await discard();
        co_return refusal("kernel_refused", enforced.error());
    }
    const auto published = co_await publish();
    if (!published) {
        desired_.swap(edit);
        enforcer_.take_back();
        co_return refusal("not_stored", published.error());
    }
    made(merged, *enforced, before_it);
    const auto dependents = changed_links_alone(edit, desired_) ? Dependents::none : Dependents::parents;
    co_await write_variables(std::move(names), dependents);
    co_return Faults{};
}

void Keeper::made(Merged& merged, const Enforced& enforced, const engine::United& before) {
    applied("through the API", enforced, LogLevel::debug);
    const bool has_engine = desired_.has_engine();
    if (has_engine) {
        publish_links(link_changes(before.topology, desired_.topology()), "api", "");
        report_complaints();
        return;
    }
    for (const Merged::Part& part : merged.parts)
        publish_links(part.edit.links, "api", "");
}

}  // namespace nftlink::service
