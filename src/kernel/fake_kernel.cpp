#include "nftlink/kernel/fake_kernel.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "nftlink/nft/encode.hpp"
#include "refusal.hpp"

namespace nftlink::kernel {

namespace {

template <typename T>
auto find_named(std::vector<T>& objects, const std::string& name) {
    return std::ranges::find(objects, name, &T::name);
}

bool refers_to_chain(const nft::Rule& rule, const std::string& chain) {
    return std::ranges::any_of(rule.expressions, [&](const nft::Expression& expression) {
        const auto* verdict = std::get_if<nft::Verdict>(&expression);
        return verdict != nullptr && verdict->chain == chain;
    });
}

bool refers_to_set(const nft::Rule& rule, const std::string& set) {
    return std::ranges::any_of(rule.expressions, [&](const nft::Expression& expression) {
        const auto* lookup = std::get_if<nft::SetLookup>(&expression);
        return lookup != nullptr && lookup->set == set;
    });
}

// Carries one operation out on a table of the copy. Gives errno, 0 when it was done.
class Machine {
public:
    Machine(nft::Ruleset& ruleset, std::uint64_t& next_handle) : ruleset_(ruleset), next_handle_(next_handle) {}

    int run(const nft::Operation& operation) {
        operation_ = &operation;
        const auto found = std::ranges::find_if(ruleset_.tables, [&](const nft::Table& table) {
            return table.family == operation.family && table.name == operation.table;
        });
        table_ = found == ruleset_.tables.end() ? nullptr : &*found;
        if (table_ == nullptr && !std::holds_alternative<nft::AddTable>(operation.action))
            return ENOENT;
        idle_ = false;
        const int error = std::visit(*this, operation.action);
        changed_ |= !idle_;
        return error;
    }

    // True when there was anything to do; if not, the generation stays.
    bool changed() const { return changed_; }

    int operator()(const nft::AddTable& action) {
        if (table_ != nullptr) {
            idle_ = table_->unknown.empty();
            table_->unknown.clear();  // a dormant one wakes up
            table_->dormant = false;
            return 0;
        }
        nft::Table& table = ruleset_.tables.emplace_back();
        table.family = operation_->family;
        table.name = operation_->table;
        table.comment = action.comment;
        table.owner = action.owner;
        return 0;
    }

    int operator()(const nft::DeleteTable&) {
        ruleset_.tables.erase(ruleset_.tables.begin() + (table_ - ruleset_.tables.data()));
        return 0;
    }

    int operator()(const nft::AddChain& action) {
        const auto chain = find_named(table_->chains, action.chain.name);
        if (chain == table_->chains.end()) {
            table_->chains.push_back(action.chain);
            table_->chains.back().rules.clear();
            return 0;
        }
        if (chain->hook.has_value() != action.chain.hook.has_value())
            return EEXIST;
        if (!chain->hook)
            return 0;
        if (chain->hook->type != action.chain.hook->type || chain->hook->number != action.chain.hook->number ||
            chain->hook->priority != action.chain.hook->priority)
            return EEXIST;
        chain->hook->policy = action.chain.hook->policy;
        return 0;
    }

    int operator()(const nft::FlushChain& action) {
        nft::Chain* chain = find_chain(action.chain);
        if (chain == nullptr)
            return ENOENT;
        idle_ = chain->rules.empty();
        chain->rules.clear();
        return 0;
    }

    int operator()(const nft::DeleteChain& action) {
        const auto chain = find_named(table_->chains, action.chain);
        if (chain == table_->chains.end())
            return ENOENT;
        if (!chain->rules.empty() ||
            any_rule([&](const nft::Rule& rule) { return refers_to_chain(rule, chain->name); }))
            return EBUSY;
        table_->chains.erase(chain);
        return 0;
    }

    int operator()(const nft::AddSet& action) {
        const auto set = find_named(table_->sets, action.set.name);
        if (set == table_->sets.end()) {
            table_->sets.push_back(action.set);
            table_->sets.back().elements.clear();
            return 0;
        }
        return set->key == action.set.key && set->counter == action.set.counter ? 0 : EEXIST;
    }

    int operator()(const nft::DeleteSet& action) {
        const auto set = find_named(table_->sets, action.set);
        if (set == table_->sets.end())
            return ENOENT;
        if (any_rule([&](const nft::Rule& rule) { return refers_to_set(rule, set->name); }))
            return EBUSY;
        table_->sets.erase(set);
        return 0;
    }

    int operator()(const nft::AddElements& action) {
        const auto set = find_named(table_->sets, action.set);
        if (set == table_->sets.end())
            return ENOENT;
        idle_ = true;
        for (const nft::Element& element : action.elements) {
            if (set->size != 0 && set->elements.size() >= set->size)
                return ENFILE;
            const auto place = std::ranges::lower_bound(set->elements, element.key, {}, &nft::Element::key);
            if (place != set->elements.end() && place->key == element.key)
                continue;
            idle_ = false;
            const auto added = set->elements.insert(place, element);
            if (set->counter && !added->counters)
                added->counters = nft::Counters{};
        }
        return 0;
    }

    int operator()(const nft::DeleteElements& action) {
        const auto set = find_named(table_->sets, action.set);
        if (set == table_->sets.end())
            return ENOENT;
        for (const nft::Element& element : action.elements) {
            const auto place = std::ranges::lower_bound(set->elements, element.key, {}, &nft::Element::key);
            if (place == set->elements.end() || place->key != element.key)
                return ENOENT;
            set->elements.erase(place);
        }
        return 0;
    }

    int operator()(const nft::AddRule& action) {
        nft::Chain* chain = find_chain(action.chain);
        if (chain == nullptr || !references_hold(action.rule))
            return ENOENT;
        const auto place = action.before == 0 ? chain->rules.end()
                                              : std::ranges::find(chain->rules, action.before, &nft::Rule::handle);
        if (action.before != 0 && place == chain->rules.end())
            return ENOENT;
        chain->rules.insert(place, action.rule)->handle = next_handle_++;
        return 0;
    }

    int operator()(const nft::ReplaceRule& action) {
        nft::Rule* rule = find_rule(action.chain, action.handle);
        if (rule == nullptr || !references_hold(action.rule))
            return ENOENT;
        *rule = action.rule;
        rule->handle = next_handle_++;
        return 0;
    }

    int operator()(const nft::DeleteRule& action) {
        nft::Chain* chain = find_chain(action.chain);
        return chain != nullptr &&
                       std::erase_if(chain->rules,
                                     [&](const nft::Rule& rule) { return rule.handle == action.handle; }) == 1
                   ? 0
                   : ENOENT;
    }

private:
    nft::Chain* find_chain(const std::string& name) {
        const auto found = find_named(table_->chains, name);
        return found == table_->chains.end() ? nullptr : &*found;
    }

    nft::Rule* find_rule(const std::string& chain_name, std::uint64_t handle) {
        nft::Chain* chain = find_chain(chain_name);
        if (chain == nullptr)
            return nullptr;
        const auto found = std::ranges::find(chain->rules, handle, &nft::Rule::handle);
        return found == chain->rules.end() ? nullptr : &*found;
    }

    bool any_rule(const auto& predicate) const {
        return std::ranges::any_of(
            table_->chains, [&](const nft::Chain& chain) { return std::ranges::any_of(chain.rules, predicate); });
    }

    // Checks that the chains and sets that the rule names are there.
    bool references_hold(const nft::Rule& rule) const {
        return std::ranges::all_of(rule.expressions, [&](const nft::Expression& expression) {
            if (const auto* lookup = std::get_if<nft::SetLookup>(&expression))
                return table_->set(lookup->set) != nullptr;
            const auto* verdict = std::get_if<nft::Verdict>(&expression);
            return verdict == nullptr || verdict->chain.empty() || table_->chain(verdict->chain) != nullptr;
        });
    }

    nft::Ruleset& ruleset_;
    std::uint64_t& next_handle_;
    const nft::Operation* operation_ = nullptr;
    nft::Table* table_ = nullptr;
    bool idle_ = false;  // the operation found everything as it wants it
    bool changed_ = false;
};

}  // namespace

FakeKernel::FakeKernel() : never_(std::make_shared<std::array<base::UniqueFd, 2>>()) {
    for (base::UniqueFd& descriptor : *never_)
        descriptor = base::UniqueFd(eventfd(0, EFD_CLOEXEC));
}

nft::Ruleset FakeKernel::snapshot(const TableFilter& wanted, Elements elements) {
    if (fails_now(Step::snapshot))
        throw std::system_error(EIO, std::generic_category(), "reading the ruleset");
    element_reads += elements == Elements::read ? 1 : 0;
    nft::Ruleset copy = ruleset_;
    std::erase_if(copy.tables, [&](const nft::Table& table) { return !wanted(table, ruleset_); });
    for (nft::Table& table : copy.tables)
        for (nft::Set& set : table.sets)
            if (elements == Elements::left_out && !set.anonymous)
                set.elements.clear();
    return copy;
}

std::optional<nft::Element> FakeKernel::element(nft::Family family, const std::string& table, const std::string& set,
                                                const nft::Key& key) {
    const nft::Table* found_table = ruleset_.table(family, table);
    const nft::Set* found_set = found_table == nullptr ? nullptr : found_table->set(set);
    if (found_set == nullptr)
        return {};
    const auto found = std::ranges::lower_bound(found_set->elements, key, {}, &nft::Element::key);
    return found != found_set->elements.end() && found->key == key ? std::optional(*found) : std::nullopt;
}

std::expected<Commit, Refusal> FakeKernel::apply(const nft::Batch& batch,
                                                 std::optional<std::uint32_t> expected_generation) {
    if (batch.empty())
        return Commit{ruleset_.generation};
    if (before_apply)
        before_apply();
    if (fails_now(Step::apply))
        return std::unexpected(
            Refusal{Refusal::Reason::operations, batch.size(), {{0, short_text(batch[0]), {}, ENOMEM, {}}}});
    std::size_t size = 0;
    for (const nft::Operation& operation : batch)
        size += nft::encoded_size(operation);
    if (size > limit)
        return std::unexpected(Refusal{Refusal::Reason::too_large, batch.size(), {}});
    if (expected_generation && *expected_generation != ruleset_.generation)
        return std::unexpected(Refusal{Refusal::Reason::stale, batch.size(), {}});

    nft::Ruleset copy = ruleset_;
    Refusal refusal{Refusal::Reason::operations, batch.size(), {}};
    Machine machine(copy, next_handle_);
    for (std::size_t index = 0; index < batch.size(); ++index)
        if (const int error = machine.run(batch[index]))
            refusal.operations.push_back({index, short_text(batch[index]), {}, error, {}});
    if (!refusal.operations.empty())
        return std::unexpected(std::move(refusal));
    copy.generation += machine.changed() ? 1 : 0;
    ruleset_ = std::move(copy);
    ++commit_count;
    return Commit{ruleset_.generation};
}

const Bridges& FakeKernel::bridges(Look) {
    if (fails_now(Step::bridges))
        throw std::system_error(EIO, std::generic_category(), "reading the bridges");
    std::ranges::sort(bridge_state.bridges, {}, &Bridge::name);
    std::ranges::sort(bridge_state.others);
    bridge_state.revision = bridges_.revision;
    if (bridge_state != bridges_) {
        bridges_ = bridge_state;
        ++bridges_.revision;
    }
    return bridges_;
}

std::expected<void, std::string> FakeKernel::enable_bridge_netfilter(const std::string& bridge,
                                                                     BridgeNetfilter wanted) {
    if (fails_now(Step::enable))
        return std::unexpected(std::generic_category().message(EPERM));
    const auto found = std::ranges::find(bridge_state.bridges, bridge, &Bridge::name);
    if (found == bridge_state.bridges.end())
        return std::unexpected("No such device");
    found->own.ipv4 |= wanted.ipv4;
    found->own.ipv6 |= wanted.ipv6;
    return {};
}

}  // namespace nftlink::kernel
