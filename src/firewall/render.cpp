#include "nftlink/firewall/render.hpp"

// The wanted rules as far as nft's own language can say them.
#include <fmt/format.h>

#include <algorithm>

#include "names.hpp"
#include "nftlink/nft/json.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::firewall {

namespace {

bool is_expressible(const nft::Rule& rule) {
    return std::ranges::none_of(rule.expressions, [](const nft::Expression& expression) {
        return std::holds_alternative<nft::XtMatch>(expression) || std::holds_alternative<nft::XtTarget>(expression);
    });
}

// Takes out what nft can't say, and has comments in the place of our mark: they are known as ours too.
Wanted expressible(Wanted want, std::vector<std::string>& left_out) {
    for (nft::Table& table : want.tables)
        for (nft::Chain& chain : table.chains)
            std::erase_if(chain.rules, [](const nft::Rule& rule) { return !is_expressible(rule); });
    for (Attachment& attachment : want.attached) {
        for (const nft::Rule& rule : attachment.rules)
            if (!is_expressible(rule))
                left_out.push_back(fmt::format("{} {} {}: {}", nft::to_string(attachment.family), attachment.table,
                                               attachment.chain, nft::to_text(rule)));
        std::erase_if(attachment.rules, [](const nft::Rule& rule) { return !is_expressible(rule); });
        for (nft::Rule& rule : attachment.rules)
            rule.comment = std::string(attached_tag) + "nftlink apply puts its own in this one's place";
    }
    return want;
}

std::vector<nft::RuleOnTop> on_top(const Wanted& want) {
    std::vector<nft::RuleOnTop> rules;
    for (const Attachment& attachment : want.attached)
        for (auto rule = attachment.rules.rbegin(); rule != attachment.rules.rend(); ++rule)
            rules.push_back({attachment.family, attachment.table, attachment.chain, *rule});
    return rules;
}

}  // namespace

std::string render(const Wanted& want, std::vector<std::string>& left_out) {
    const Wanted script = expressible(want, left_out);
    return nft::render(script, on_top(script));
}

std::string render_json(const Wanted& want, std::vector<std::string>& left_out) {
    const Wanted script = expressible(want, left_out);
    return nft::render_json(script, on_top(script));
}

}  // namespace nftlink::firewall
