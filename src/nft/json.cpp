#include "nftlink/nft/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "statement.hpp"
#include "words.hpp"

namespace nftlink::nft {

namespace json = boost::json;

namespace {

json::object command(std::string_view verb, std::string_view kind, json::object object) {
    return {{verb, {{kind, std::move(object)}}}};
}

json::object named(const Table& table, std::string_view name) {
    return {{"family", to_string(table.family)}, {"table", table.name}, {"name", name}};
}

void put_comment(json::object& object, const std::string& comment) {
    if (!comment.empty())
        object["comment"] = comment;
}

// Ports are numbers in nft's JSON, everything else is a word.
json::value key_json(const Key& key, const std::vector<DataType>& types) {
    json::array fields;
    std::span<const std::uint8_t> rest = key.bytes();
    for (const DataType type : types) {
        const std::size_t size = field_size(type);
        const std::string text = to_text(rest.first(size), type);
        if (type == DataType::ifname)
            fields.emplace_back(text.substr(1, text.size() - 2));  // without its quotes
        else if (type == DataType::inet_service)
            fields.emplace_back(std::stoi(text));
        else
            fields.emplace_back(text);
        rest = rest.subspan(size);
    }
    if (fields.size() == 1)
        return fields.front();
    json::object concatenation;
    concatenation["concat"] = std::move(fields);
    return concatenation;
}

json::object element_json(const Element& element, const std::vector<DataType>& types) {
    json::object item{{"val", key_json(element.key, types)}};
    if (element.counters)
        item["counter"] = {{"packets", element.counters->packets}, {"bytes", element.counters->bytes}};
    put_comment(item, element.comment);
    return {{"elem", std::move(item)}};
}

json::object chain_json(const Table& table, const Chain& chain) {
    json::object object = named(table, chain.name);
    if (chain.hook) {
        object["type"] = chain.hook->type;
        object["hook"] = hook_name(chain.hook->number);
        object["prio"] = chain.hook->priority;
        object["policy"] = policy_name(chain.hook->policy);
    }
    put_comment(object, chain.comment);
    return object;
}

json::object set_json(const Table& table, const Set& set) {
    json::object object = named(table, set.name);
    json::array types, elements;
    for (const DataType type : set.key)
        types.emplace_back(type_name(type));
    object["type"] = types.size() == 1 ? types.front() : json::value(std::move(types));
    if (set.size != 0)
        object["size"] = set.size;
    if (set.counter) {
        json::object counter;
        counter["counter"] = nullptr;
        object["stmt"] = json::array({std::move(counter)});
    }
    put_comment(object, set.comment);
    for (const Element& element : set.elements)
        elements.push_back(element_json(element, set.key));
    if (!elements.empty())
        object["elem"] = std::move(elements);
    return object;
}

json::object rule_json(Family family, const std::string& table, const std::string& chain, const Rule& rule) {
    json::array expressions;
    for (Statement& statement : statements(rule))
        expressions.push_back(std::move(statement.json));
    json::object object{{"family", to_string(family)}, {"table", table}, {"chain", chain}};
    object["expr"] = std::move(expressions);
    put_comment(object, rule.comment);
    return object;
}

void append_table(json::array& commands, const Table& table) {
    const json::object bare{{"family", to_string(table.family)}, {"name", table.name}};
    json::object whole = bare;
    put_comment(whole, table.comment);
    commands.push_back(command("add", "table", bare));
    commands.push_back(command("delete", "table", bare));
    commands.push_back(command("add", "table", std::move(whole)));
    for (const Set& set : table.sets)
        commands.push_back(command("add", "set", set_json(table, set)));
    for (const Chain& chain : table.chains)
        commands.push_back(command("add", "chain", chain_json(table, chain)));
    for (const Chain& chain : table.chains)
        for (const Rule& rule : chain.rules)
            commands.push_back(command("add", "rule", rule_json(table.family, table.name, chain.name, rule)));
}

}  // namespace

std::string render_json(const Ruleset& ruleset, const std::vector<RuleOnTop>& on_top) {
    json::array commands;
    commands.push_back(json::object{{"metainfo", {{"json_schema_version", 1}}}});
    for (const Table& table : ruleset.tables)
        append_table(commands, table);
    for (const RuleOnTop& top : on_top)
        commands.push_back(command("insert", "rule", rule_json(top.family, top.table, top.chain, top.rule)));
    json::object document;
    document["nftables"] = std::move(commands);
    return json::serialize(document) + "\n";
}

}  // namespace nftlink::nft
