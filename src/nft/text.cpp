#include "nftlink/nft/text.hpp"

#include <fmt/format.h>

#include <iterator>

#include "statement.hpp"
#include "words.hpp"

namespace nftlink::nft {

namespace {

using Out = std::back_insert_iterator<std::string>;

std::string type_text(const std::vector<DataType>& types) {
    std::string text;
    for (const DataType type : types)
        text += (text.empty() ? "" : " . ") + std::string(type_name(type));
    return text.empty() ? "<unknown>" : text;
}

void append_element(std::string& out, const Element& element, const std::vector<DataType>& types) {
    out += to_text(element.key, types);
    if (element.counters)
        fmt::format_to(Out(out), " counter packets {} bytes {}", element.counters->packets, element.counters->bytes);
    if (!element.comment.empty())
        out.append(" comment \"").append(element.comment).append("\"");
}

std::string keys_text(const DeleteElements& action) {
    std::string text;
    for (const Element& element : action.elements)
        text += (text.empty() ? "" : ", ") + to_text(element.key, action.key);
    return text;
}

std::string elements_text(const AddElements& action) {
    std::string text;
    for (const Element& element : action.elements) {
        text += text.empty() ? "" : ", ";
        append_element(text, element, action.key);
    }
    return text;
}

// The entries between the braces of a chain or set.
std::vector<std::string> properties(Family family, const Chain& chain) {
    std::vector<std::string> lines;
    if (!chain.comment.empty())
        lines.push_back("comment " + quoted(chain.comment));
    if (chain.hook)
        lines.push_back(fmt::format("type {} hook {} priority {}; policy {};", chain.hook->type,
                                    hook_name(chain.hook->number), priority_text(family, chain.hook->priority),
                                    policy_name(chain.hook->policy)));
    return lines;
}

std::vector<std::string> properties(const Set& set) {
    std::vector<std::string> lines{"type " + type_text(set.key)};
    if (set.size != 0)
        lines.push_back(fmt::format("size {}", set.size));
    if (set.counter)
        lines.emplace_back("counter");
    if (!set.comment.empty())
        lines.push_back("comment " + quoted(set.comment));
    return lines;
}

// ` { a; b; }`, or nothing when there is nothing to say.
std::string one_line(const std::vector<std::string>& lines) {
    if (lines.empty())
        return {};
    std::string text = " { ";
    for (const std::string& line : lines)
        text += line + (line.ends_with(';') ? " " : "; ");
    return text + "}";
}

struct OperationText {
    const Operation& operation;

    std::string in_table(std::string_view command, std::string_view object = {}) const {
        return fmt::format("{} {} {}{}{}", command, to_string(operation.family), operation.table,
                           object.empty() ? "" : " ", object);
    }

    std::string operator()(const AddTable& action) const {
        const std::string comment = action.comment.empty() ? "" : one_line({"comment " + quoted(action.comment)});
        return in_table("add table") + comment;
    }
    std::string operator()(const DeleteTable&) const { return in_table("delete table"); }
    std::string operator()(const AddChain& action) const {
        return in_table("add chain", action.chain.name) + one_line(properties(operation.family, action.chain));
    }
    std::string operator()(const FlushChain& action) const { return in_table("flush chain", action.chain); }
    std::string operator()(const DeleteChain& action) const { return in_table("delete chain", action.chain); }
    std::string operator()(const AddSet& action) const {
        return in_table("add set", action.set.name) + one_line(properties(action.set));
    }
    std::string operator()(const DeleteSet& action) const { return in_table("delete set", action.set); }
    std::string operator()(const AddElements& action) const {
        return in_table("add element", action.set) + " { " + elements_text(action) + " }";
    }
    std::string operator()(const DeleteElements& action) const {
        return fmt::format("{} {{ {} }}", in_table("delete element", action.set), keys_text(action));
    }
    std::string operator()(const AddRule& action) const {
        if (action.before == 0)
            return fmt::format("{} {}", in_table("add rule", action.chain), to_text(action.rule));
        return fmt::format("{} handle {} {}", in_table("insert rule", action.chain), action.before,
                           to_text(action.rule));
    }
    std::string operator()(const ReplaceRule& action) const {
        return fmt::format("{} handle {} {}", in_table("replace rule", action.chain), action.handle,
                           to_text(action.rule));
    }
    std::string operator()(const DeleteRule& action) const {
        return fmt::format("{} handle {}", in_table("delete rule", action.chain), action.handle);
    }
};

void append_set(std::string& out, const Set& set) {
    fmt::format_to(Out(out), "\tset {} {{\n", set.name);
    for (const std::string& line : properties(set))
        fmt::format_to(Out(out), "\t\t{}\n", line);
    for (bool first = true; const Element& element : set.elements) {
        out += first ? "\t\telements = { " : ",\n\t\t\t     ";
        append_element(out, element, set.key);
        first = false;
    }
    out += set.elements.empty() ? "\t}\n" : " }\n\t}\n";
}

void append_chain(std::string& out, Family family, const Chain& chain) {
    fmt::format_to(Out(out), "\tchain {} {{\n", chain.name);
    for (const std::string& line : properties(family, chain))
        fmt::format_to(Out(out), "\t\t{}\n", line);
    for (const Rule& rule : chain.rules)
        fmt::format_to(Out(out), "\t\t{}\n", to_text(rule));
    out += "\t}\n";
}

}  // namespace

std::string to_text(const Operation& operation) {
    return std::visit(OperationText{operation}, operation.action);
}

std::string to_text(const Batch& batch) {
    std::string text;
    for (const Operation& operation : batch)
        text += to_text(operation) + "\n";
    return text;
}

std::string to_text(const Rule& rule) {
    std::string text;
    for (const Statement& statement : statements(rule))
        text += (text.empty() ? "" : " ") + statement.text;
    if (!rule.comment.empty())
        text += " comment " + quoted(rule.comment);
    return text;
}

std::string to_text(const Table& table) {
    std::string text = fmt::format("table {} {} {{\n", to_string(table.family), table.name);
    if (!table.comment.empty())
        text += fmt::format("\tcomment {}\n", quoted(table.comment));
    std::string_view gap = table.comment.empty() ? "" : "\n";
    for (const Set& set : table.sets) {
        text += std::exchange(gap, "\n");
        append_set(text, set);
    }
    for (const Chain& chain : table.chains) {
        text += std::exchange(gap, "\n");
        append_chain(text, table.family, chain);
    }
    return text + "}\n";
}

std::string to_text(const Key& key, const std::vector<DataType>& types) {
    std::string text;
    std::span<const std::uint8_t> rest = key.bytes();
    for (const DataType type : types) {
        const std::size_t size = field_size(type);
        if (rest.size() < size)
            break;
        text.append(text.empty() ? "" : " . ").append(to_text(rest.first(size), type));
        rest = rest.subspan(size);
    }
    return text;
}

std::string render(const Ruleset& ruleset, const std::vector<RuleOnTop>& on_top) {
    std::string text;
    for (const Table& table : ruleset.tables) {
        const Operation add{table.family, table.name, AddTable{}};
        const Operation remove{table.family, table.name, DeleteTable{}};
        text += fmt::format("{}\n{}\n{}", to_text(add), to_text(remove), to_text(table));
    }
    for (const RuleOnTop& top : on_top)
        text +=
            fmt::format("insert rule {} {} {} {}\n", to_string(top.family), top.table, top.chain, to_text(top.rule));
    return text;
}

}  // namespace nftlink::nft
