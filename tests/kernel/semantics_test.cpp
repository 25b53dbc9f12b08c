// The fake kernel against the real one: the same random batches, the same answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <random>

#include "fixture.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/build.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::test {
namespace {

constexpr const char* base_chain = "base";

// Batches over so few names that they meet all the time. Rules are chosen by their place, since each kernel gives
// handles of its own.
class BatchMaker {
public:
    explicit BatchMaker(unsigned seed) : random_(seed) {}

    // How the same change reads in a kernel whose ruleset is that.
    using Template = std::function<nft::Operation(const nft::Ruleset&)>;

    std::vector<Template> next() {
        std::vector<Template> batch;
        handle_is_used_ = false;
        for (unsigned count = 1 + pick(5); count != 0; --count)
            if (pick(13) == 0)
                delete_chain(batch);
            else
                batch.push_back(make());
        return batch;
    }

private:
    unsigned pick(unsigned count) { return std::uniform_int_distribution<unsigned>(0, count - 1)(random_); }

    std::string table() { return pick(8) == 0 ? "u" : "t"; }
    std::string chain() { return std::string(1, static_cast<char>('a' + pick(3))); }
    std::string set() { return pick(2) == 0 ? "full" : "wide"; }

    nft::Set make_set() {
        nft::Set made;
        made.name = set();
        made.key = nft::link_key(nft::Family::ip);
        made.size = made.name == "full" ? 3 : 0;
        made.counter = pick(4) != 0;
        return made;
    }

    nft::Chain make_chain() {
        nft::Chain made;
        made.name = chain();
        if (pick(3) == 0) {
            made.name = base_chain;
            made.hook = nft::Hook{"filter", 2, 0, pick(2)};
        }
        return made;
    }

    std::vector<nft::Element> elements() {
        std::vector<nft::Element> made(1 + pick(3));
        for (nft::Element& element : made) {
            element.key.append(std::array<std::uint8_t, 4>{10, 0, 0, static_cast<std::uint8_t>(pick(5))});
            element.key.append(std::array<std::uint8_t, 4>{10, 0, 0, 9});
            element.key.append(std::array<std::uint8_t, 1>{6});
            element.key.append(std::array<std::uint8_t, 2>{0, 80});
        }
        return made;
    }

    // Jumps go from the base chain or one letter to a later letter, so that there are no loops.
    nft::Rule rule(const std::string& in) {
        nft::RuleBuilder builder(nft::Family::inet);
        const std::string target = chain();
        switch (pick(3)) {
            case 0:
                return builder
                    .in_set({nft::Field::source, nft::Field::destination, nft::Field::protocol,
                             nft::Field::destination_port},
                            set())
                    .accept()
                    .build();
            case 1:
                if (in == base_chain || target > in)
                    return builder.jump(target).build();
                [[fallthrough]];
            default:
                return builder.counter().drop().build();
        }
    }

    std::string rule_chain() { return pick(3) == 0 ? base_chain : chain(); }

    // The handle of a rule by its place; one that there isn't when there are fewer.
    static std::uint64_t handle_at(const nft::Ruleset& have, const std::string& table, const std::string& chain,
                                   std::size_t place) {
        constexpr std::uint64_t no_rule = 1'000'000;
        const nft::Table* found = have.table(nft::Family::inet, table);
        const nft::Chain* in = found == nullptr ? nullptr : found->chain(chain);
        return in == nullptr || place >= in->rules.size() ? no_rule : in->rules[place].handle;
    }

    static Template inet(const std::string& table, nft::Action action) {
        return [made = nft::Operation{nft::Family::inet, table, std::move(action)}](const auto&) { return made; };
    }

    // Flushed first: the real kernel deletes a chain's rules with it, the fake holds to what the batch promises.
    void delete_chain(std::vector<Template>& batch) {
        const std::string in_table = table(), name = rule_chain();
        batch.push_back(inet(in_table, nft::FlushChain{name}));
        batch.push_back(inet(in_table, nft::DeleteChain{name}));
    }

    Template make() {
        const auto inet = [name = table()](nft::Action action) { return BatchMaker::inet(name, std::move(action)); };
        switch (pick(12)) {
            case 0:
            case 1:
                return inet(nft::AddTable{});
            case 2:
                return pick(4) == 0 ? inet(nft::DeleteTable{}) : inet(nft::AddTable{});
            case 3:
                return inet(nft::AddChain{make_chain()});
            case 4:
                return inet(nft::FlushChain{chain()});
            case 5:
                return inet(nft::AddSet{make_set()});
            case 6:
                return inet(nft::DeleteSet{set()});
            case 7:
            case 8:
                return inet(nft::AddElements{set(), nft::link_key(nft::Family::ip), elements()});
            case 9:
                return inet(nft::DeleteElements{set(), nft::link_key(nft::Family::ip), elements()});
            default:
                return make_rule_change();
        }
    }

    Template make_rule_change() {
        const std::string in_table = table(), in_chain = rule_chain();
        const std::size_t place = pick(3);
        // A handle of a rule that the same batch replaces or deletes: the real kernel still takes it as a place.
        const unsigned kind = handle_is_used_ ? 3 : pick(5);
        handle_is_used_ |= kind < 3;
        return [=, made = rule(in_chain)](const nft::Ruleset& have) -> nft::Operation {
            const std::uint64_t handle = handle_at(have, in_table, in_chain, place);
            switch (kind) {
                case 0:
                    return {nft::Family::inet, in_table, nft::DeleteRule{in_chain, handle}};
                case 1:
                    return {nft::Family::inet, in_table, nft::ReplaceRule{in_chain, handle, made}};
                case 2:
                    return {nft::Family::inet, in_table, nft::AddRule{in_chain, made, handle}};
                default:
                    return {nft::Family::inet, in_table, nft::AddRule{in_chain, made, 0}};
            }
        };
    }

    std::mt19937 random_;
    bool handle_is_used_ = false;
};

nft::Ruleset everything(kernel::Kernel& kernel) {
    return kernel.snapshot([](const nft::Table&, const nft::Ruleset&) { return true; });
}

// Which operations were refused, and with what.
std::vector<std::pair<std::size_t, int>> errors(const std::expected<kernel::Commit, kernel::Refusal>& answer) {
    std::vector<std::pair<std::size_t, int>> found;
    if (!answer)
        for (const kernel::RefusedOperation& refused : answer.error().operations)
            found.emplace_back(refused.index, refused.error_number);
    return found;
}

bool has_full_set(const std::expected<kernel::Commit, kernel::Refusal>& answer) {
    return !answer && std::ranges::any_of(answer.error().operations, [](const kernel::RefusedOperation& refused) {
        return refused.error_number == ENFILE;
    });
}

class FakeAgainstReal : public KernelTest, public testing::WithParamInterface<unsigned> {};

TEST_P(FakeAgainstReal, TheSameBatchesGiveTheSameAnswers) {
    kernel::FakeKernel fake;
    BatchMaker maker(GetParam());
    std::size_t done_count = 0;
    for (int round = 0; round < 200; ++round) {
        const nft::Ruleset real_before = everything(kernel()), fake_before = everything(fake);
        nft::Batch real_batch, fake_batch;
        for (const auto& operation : maker.next()) {
            real_batch.push_back(operation(real_before));
            fake_batch.push_back(operation(fake_before));
        }
        const auto fake_answer = fake.apply(fake_batch, fake_before.generation);
        // Whether a full set takes an element that it has, and whether it has the one that it refused, is another
        // matter in every kernel; the fake is the strictest.
        if (has_full_set(fake_answer))
            continue;
        const auto real_answer = kernel().apply(real_batch, real_before.generation);
        const std::string where = "before:\n" + nft::render(real_before) + "batch:\n" + nft::to_text(real_batch) +
                                  (real_answer ? "" : real_answer.error().to_string());
        ASSERT_EQ(errors(real_answer), errors(fake_answer)) << where;
        ASSERT_EQ(kernel().generation() - real_before.generation, fake.generation() - fake_before.generation) << where;
        ASSERT_TRUE(!real_answer || real_answer->generation == kernel().generation()) << where;
        ASSERT_EQ(nft::render(everything(kernel())), nft::render(everything(fake))) << where;
        done_count += real_answer.has_value() ? 1 : 0;
    }
    EXPECT_GT(done_count, 20u) << "most batches are refused: they prove little";
}

INSTANTIATE_TEST_SUITE_P(Seeds, FakeAgainstReal, testing::Range(1u, 6u));

}  // namespace
}  // namespace nftlink::test
