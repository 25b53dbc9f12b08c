#include "nftlink/kernel/netlink_kernel.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "bridge_family.hpp"
#include "bridges.hpp"
#include "netlink.hpp"
#include "nftlink/base/key_order.hpp"
#include "nftlink/netlink/message.hpp"
#include "nftlink/netlink/socket.hpp"
#include "nftlink/nft/decode.hpp"
#include "nftlink/nft/encode.hpp"
#include "refusal.hpp"
#include "ruleset_events.hpp"
#include "same_reading.hpp"

namespace nftlink::kernel {

namespace {

// A read starts again so often because the ruleset changed under it.
constexpr int max_read_attempts = 200;

using netlink::Message;
using netlink::Payload;
using Attributes = std::initializer_list<std::pair<std::uint16_t, std::string_view>>;

// One request of nf_tables, with string attributes that narrow it down, and whatever more() writes behind them.
template <typename More>
netlink::Bytes make_request(std::uint16_t message, std::uint16_t flags, nft::Family family, Attributes attributes,
                            More more) {
    netlink::Bytes request;
    netlink::MessageWriter writer(request);
    const std::size_t start = writer.begin(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message), flags, 0,
                                           std::to_underlying(family), 0);
    for (const auto& [type, value] : attributes)
        writer.put(type, value);
    more(writer);
    writer.end(start);
    return request;
}

netlink::Bytes make_request(std::uint16_t message, std::uint16_t flags, nft::Family family, Attributes attributes) {
    return make_request(message, flags, family, attributes, [](netlink::MessageWriter&) {});
}

netlink::Bytes make_element_request(nft::Family family, const std::string& table, const std::string& set,
                                    const nft::Key& key) {
    return make_request(NFT_MSG_GETSETELEM, 0, family,
                        {{NFTA_SET_ELEM_LIST_TABLE, table}, {NFTA_SET_ELEM_LIST_SET, set}},
                        [&](netlink::MessageWriter& writer) {
                            const std::size_t list = writer.begin_nest(NFTA_SET_ELEM_LIST_ELEMENTS);
                            const std::size_t item = writer.begin_nest(NFTA_LIST_ELEM);
                            const std::size_t data = writer.begin_nest(NFTA_SET_ELEM_KEY);
                            writer.put(NFTA_DATA_VALUE, key.bytes());
                            for (const std::size_t nest : {data, item, list})
                                writer.end_nest(nest);
                        });
}

template <typename T>
T decoded(std::expected<T, std::string> result) {
    if (!result)
        throw std::system_error(EBADMSG, std::generic_category(), "the kernel's ruleset: " + result.error());
    return std::move(*result);
}

// A transaction from this size on is worth two system calls that keep our own listener out of it.
constexpr std::size_t bulk_bytes = std::size_t{1} << 15;

// The ruleset changed while it was read, and can't be put together.
struct ChangedMeanwhile {};

class NetlinkKernel final : public Kernel {
public:
    std::uint32_t generation() override {
        std::optional<std::uint32_t> id;
        auto request = make_request(NFT_MSG_GETGEN, 0, nft::Family::unspecified, {});
        const int error = netlink::read_again([&] {
            return netfilter_.request(
                request, [&](const Message& message) { id = decoded(nft::decode_generation(message.payload)).id; });
        });
        if (error != 0 || !id)
            throw std::system_error(error != 0 ? error : ENODATA, std::generic_category(), "reading the ruleset");
        return *id;
    }

    // A read under which nothing changed is good. Another program that never stops writing its own tables must not keep
    // us from reading ours, though: what two reads in a row agree on was so in between, whatever moved the generation.
    // (Only who changes our tables there and back again, twice in the same rhythm, could make us see a mixture.) The
    // generation is the one before the first of them, so that who guards a change by it, or compares it with the next
    // event, learns that there was more.
    nft::Ruleset snapshot(const TableFilter& wanted, Elements elements) override {
        std::optional<nft::Ruleset> previous;
        for (int attempt = 0; attempt < max_read_attempts; ++attempt) {
            try {
                moved_ = false;
                const std::uint32_t before = generation();
                nft::Ruleset ruleset = read(wanted, elements);
                ruleset.generation = before;
                if (!moved_ && generation() == before)
                    return ruleset;
                if (previous && same_reading(*previous, ruleset))
                    return std::move(*previous);
                previous = std::move(ruleset);
            } catch (const ChangedMeanwhile&) {
                previous.reset();
            }
        }
        throw std::system_error(EBUSY, std::generic_category(), "the ruleset changes faster than it can be read");
    }

    std::optional<nft::Element> element(nft::Family family, const std::string& table, const std::string& set,
                                        const nft::Key& key) override {
        auto request = make_element_request(family, table, set, key);
        std::vector<nft::Element> found;
        const int error = netlink::read_again([&] {
            found.clear();
            return netfilter_.request(
                request, [&](const Message& reply) { decoded(nft::decode_elements(reply.payload, found)); });
        });
        if (error != 0 && error != ENOENT)
            throw std::system_error(error, std::generic_category(), "reading an element");
        return found.size() == 1 ? std::optional(std::move(found.front())) : std::nullopt;
    }

    std::expected<Commit, Refusal> apply(const nft::Batch& batch,
                                         std::optional<std::uint32_t> expected_generation) override {
        if (batch.empty())
            return Commit{expected_generation ? *expected_generation : generation()};
        if (!std::exchange(answered_, false))
            netfilter_.drain_acks();  // of whatever ended early before
        const std::uint32_t first_sequence = netfilter_.take_sequences(0);
        const nft::Datagram& datagram = encode(batch, first_sequence, expected_generation);
        // Kernels before 6.10 answer a batch without operations with nothing at all.
        if (std::ranges::all_of(datagram.operation_of_message,
                                [](auto operation) { return operation == nft::Datagram::no_operation; }))
            return Commit{expected_generation ? *expected_generation : generation()};
        netfilter_.take_sequences(static_cast<std::uint32_t>(datagram.operation_of_message.size()));
        std::optional<RulesetEvents::Mute> mute;
        if (events_ && datagram.bytes.size() >= bulk_bytes)
            mute.emplace(*events_, generation());
        if (const int error = netfilter_.send(datagram.bytes); error == EMSGSIZE)
            return std::unexpected(Refusal{Refusal::Reason::too_large, batch.size(), {}});
        else if (error != 0)
            throw std::system_error(error, std::generic_category(), "sending a batch");
        const BatchVerdict verdict = judge(netfilter_.drain_acks(), first_sequence, datagram);
        answered_ = true;
        if (verdict.kind != BatchVerdict::Kind::committed)
            return std::unexpected(make_refusal(batch, datagram, first_sequence, verdict));
        if (mute)
            mute->committed();
        return Commit{generation_after(expected_generation)};
    }

    std::optional<Change> next_change() override { return events().next(); }
    int changes_descriptor() override { return events().descriptor(); }

    std::size_t batch_limit() override {
        constexpr std::size_t batch_frame = 64;  // BATCH_BEGIN with a generation, BATCH_END
        return netfilter_.send_limit() - batch_frame;
    }

    std::optional<BridgeFamily> bridge_family() override {
        if (!bridge_family_)
            bridge_family_ = probe_bridge_family(*this);
        return bridge_family_;
    }

    const Bridges& bridges(Look look) override { return bridges_.read(route_, look); }
    int bridges_descriptor() override { return bridges_.descriptor(); }

    std::expected<void, std::string> enable_bridge_netfilter(const std::string& bridge,
                                                             BridgeNetfilter wanted) override {
        auto done = kernel::enable_bridge_netfilter(route_, bridge, wanted);
        if (done)
            bridges_.switched_on(bridge, wanted);
        return done;
    }

private:
    RulesetEvents& events() {
        if (!events_)
            events_.emplace();
        return *events_;
    }

    // In the one buffer, which isn't kept at the size of a bulk load.
    const nft::Datagram& encode(const nft::Batch& batch, std::uint32_t sequence,
                                std::optional<std::uint32_t> generation) {
        constexpr std::size_t kept_bytes = std::size_t{1} << 16;
        if (datagram_.bytes.capacity() > kept_bytes)
            datagram_ = {};
        nft::encode(batch, sequence, generation, datagram_);
        return datagram_;
    }

    // A guarded commit makes the next generation (0 is left out), or none when it only adds what is there. Any other
    // number is of somebody who came later: whoever guards the next change by ours learns of that.
    std::uint32_t generation_after(std::optional<std::uint32_t> expected) {
        const std::uint32_t now = generation();
        if (!expected || now == *expected)
            return now;
        return next_generation(*expected);
    }

    // A dump that was interrupted by a commit may still be whole, as to our tables: whoever calls read() finds out.
    template <typename Visit>
    void dump(std::uint16_t message, nft::Family family,
              std::initializer_list<std::pair<std::uint16_t, std::string_view>> attributes, Visit visit) {
        auto request = make_request(message, NLM_F_DUMP, family, attributes);
        const int error = netfilter_.request(request, [&](const Message& reply) { visit(reply.payload); });
        moved_ |= error == EINTR;
        if (error == EINTR)
            return;
        if (error == ENOENT || netlink::means_read_again(error))
            throw ChangedMeanwhile{};
        if (error != 0)
            throw std::system_error(error, std::generic_category(), "reading the ruleset");
    }

    // Sets moved_ when the ruleset changed in a way that may or may not have to do with what was read.
    nft::Ruleset read(const TableFilter& wanted, Elements elements) {
        nft::Ruleset ruleset;
        dump(NFT_MSG_GETTABLE, nft::Family::unspecified, {},
             [&](Payload payload) { ruleset.tables.push_back(decoded(nft::decode_table(payload)).object); });
        dump(NFT_MSG_GETCHAIN, nft::Family::unspecified, {}, [&](Payload payload) {
            auto [place, chain] = decoded(nft::decode_chain(payload));
            if (nft::Table* table = table_of(ruleset, place))
                table->chains.push_back(std::move(chain));
        });
        dump(NFT_MSG_GETSET, nft::Family::unspecified, {}, [&](Payload payload) {
            auto [place, set] = decoded(nft::decode_set(payload));
            if (nft::Table* table = table_of(ruleset, place))
                table->sets.push_back(std::move(set));
        });
        for (nft::Table& table : ruleset.tables)
            count_other_objects(table);
        std::vector<bool> takes;
        for (const nft::Table& table : ruleset.tables)
            takes.push_back(wanted(table, ruleset));
        std::erase_if(ruleset.tables, [&](const nft::Table& table) {
            return !takes[static_cast<std::size_t>(&table - ruleset.tables.data())];
        });
        for (nft::Table& table : ruleset.tables)
            read_contents(table, elements);
        return ruleset;
    }

    // Null when the table has come since the tables were read.
    nft::Table* table_of(nft::Ruleset& ruleset, const nft::Place& place) {
        const auto found = std::ranges::find_if(ruleset.tables, [&](const nft::Table& table) {
            return table.family == place.family && table.name == place.table;
        });
        moved_ |= found == ruleset.tables.end();
        return found == ruleset.tables.end() ? nullptr : &*found;
    }

    // Takes what we know off the kernel's use count, which leaves anonymous sets out.
    static void count_other_objects(nft::Table& table) {
        const auto named_sets = std::ranges::count(table.sets, false, &nft::Set::anonymous);
        const auto own_objects =
            static_cast<std::uint32_t>(table.chains.size()) + static_cast<std::uint32_t>(named_sets);
        table.other_object_count -= std::min(table.other_object_count, own_objects);
    }

    void read_contents(nft::Table& table, Elements elements) {
        dump(NFT_MSG_GETRULE, table.family, {{NFTA_RULE_TABLE, table.name}}, [&](Payload payload) {
            auto [place, rule] = decoded(nft::decode_rule(payload));
            const auto chain = std::ranges::find(table.chains, place.container, &nft::Chain::name);
            if (place.table != table.name || chain == table.chains.end())
                throw ChangedMeanwhile{};
            chain->rules.push_back(std::move(rule));
        });
        for (nft::Set& set : table.sets)
            if (elements == Elements::read || set.anonymous)
                read_elements(table, set);
    }

    void read_elements(const nft::Table& table, nft::Set& set) {
        dump(NFT_MSG_GETSETELEM, table.family,
             {{NFTA_SET_ELEM_LIST_TABLE, table.name}, {NFTA_SET_ELEM_LIST_SET, set.name}},
             [&](Payload payload) { decoded(nft::decode_elements(payload, set.elements)); });
        base::sort_by_key(set.elements);
        // A dump of several datagrams goes on at a count of elements, in which others' uncommitted ones are.
        // Of intervals, an end and the next start may have the same key.
        if (set.unknown.empty() &&
            std::ranges::adjacent_find(set.elements, {}, &nft::Element::key) != set.elements.end())
            throw ChangedMeanwhile{};
    }

    std::optional<BridgeFamily> bridge_family_;
    bool moved_ = false;     // of the read that goes on
    bool answered_ = false;  // nothing is left to be read of the last batch
    nft::Datagram datagram_;
    netlink::Socket netfilter_{NETLINK_NETFILTER};
    netlink::Socket route_{NETLINK_ROUTE};
    std::optional<RulesetEvents> events_;  // once somebody listens
    BridgeTable bridges_;
};

}  // namespace

std::unique_ptr<Kernel> make_netlink_kernel() {
    return std::make_unique<NetlinkKernel>();
}

}  // namespace nftlink::kernel
