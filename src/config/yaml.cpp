#include "yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <spanstream>

#include "characters.hpp"
#include "yaml_builder.hpp"

namespace nftlink::config {

namespace {

namespace Theirs = YAML::ErrorMsg;

struct Words {
    std::string_view theirs;  // how yaml-cpp's message starts
    std::string_view ours;
};

const Words dictionary[] = {
    {Theirs::MAP_VALUE,
     "a ':' cannot stand here; is the indentation right, or should the text before it be in quotes?"},
    {Theirs::MAP_KEY, "a key cannot stand here; is the indentation right?"},
    {Theirs::BLOCK_ENTRY, "a '-' cannot stand here; is the indentation right?"},
    {Theirs::TAB_IN_INDENTATION, "a tab cannot indent; use blanks"},
    {Theirs::END_OF_MAP, "a 'key: value' was expected here; is the indentation right?"},
    {Theirs::END_OF_SEQ_FLOW, "a list that '[' began has no ',' or ']' here"},
    {Theirs::END_OF_SEQ, "a '- item' was expected here; is the indentation right?"},
    {Theirs::END_OF_MAP_FLOW, "the map that '{' began has no '}'"},
    {Theirs::FLOW_END, "this bracket closes nothing"},
    {Theirs::EOF_IN_SCALAR, "a quoted text has no end"},
    {Theirs::DOC_IN_SCALAR, "a quoted text has no end before this document marker"},
    {Theirs::UNKNOWN_TOKEN, "this character cannot begin a value; put the value in quotes"},
    {Theirs::INVALID_ESCAPE, "unknown escape after '\\'; in single quotes a '\\' is just itself"},
    {Theirs::INVALID_HEX, "'\\x', '\\u' and '\\U' need 2, 4 and 8 hexadecimal digits"},
    {Theirs::INVALID_UNICODE, "this escape stands for no character"},
    {Theirs::UNKNOWN_ANCHOR, "this alias ('*name') has no anchor ('&name') before it"},
    {Theirs::ALIAS_NOT_FOUND, "'*' begins an alias and needs a name; put a value that starts with '*' in quotes"},
    {Theirs::ANCHOR_NOT_FOUND, "'&' begins an anchor and needs a name; put a value that starts with '&' in quotes"},
    {Theirs::CHAR_IN_ALIAS, "this character cannot be part of an alias' name"},
    {Theirs::CHAR_IN_ANCHOR, "this character cannot be part of an anchor's name"},
    {Theirs::ALIAS_CONTENT, "an alias can have no anchor, tag or value of its own"},
    {Theirs::MULTIPLE_ANCHORS, "a value can have one anchor only"},
    {Theirs::MULTIPLE_TAGS, "a value can have one tag only"},
    {Theirs::CHAR_IN_BLOCK, "after '|' or '>' only an indentation, '+', '-' or a comment can stand"},
    {Theirs::ZERO_INDENT_IN_BLOCK, "an indentation of 0 cannot follow '|' or '>'"},
};

std::string translate(std::string_view theirs) {
    for (const auto& words : dictionary)
        if (theirs.starts_with(words.theirs))
            return fmt::format("not valid YAML: {}", words.ours);
    return fmt::format("not valid YAML: {}", theirs);
}

// False when the text can't be given to yaml-cpp.
bool check_text(std::uint32_t source, Report& report) {
    const std::string_view text = report.source(source).text();
    if (text.size() > max_source_bytes) {
        report.error({source}, fmt::format("larger than {} MiB", max_source_bytes >> 20));
        return false;
    }
    if (const auto bad = find_bad_character(text)) {
        report.error({source, static_cast<std::uint32_t>(bad->offset)}, bad->message);
        return false;
    }
    return true;
}

// True when a quoted text has its closing quote; `text` starts with the value's anchor and tag, or the quote itself.
// yaml-cpp takes a quoted text that the end of the file cuts off after a line feed.
bool is_closed(std::string_view text) {
    while (text.starts_with('&') || text.starts_with('!')) {
        text.remove_prefix(std::min(text.find_first_of(" \t\r\n"), text.size()));
        text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    }
    if (!text.starts_with('"') && !text.starts_with('\''))
        return true;
    const bool has_escapes = text.front() == '"';
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (has_escapes && text[i] == '\\')
            ++i;
        else if (!has_escapes && text.substr(i).starts_with("''"))
            ++i;
        else if (text[i] == text.front())
            return true;
    }
    return false;
}

}  // namespace

Document read_yaml(std::uint32_t source, Arena& arena, Report& report) {
    if (!check_text(source, report))
        return {};
    const std::string_view text = report.source(source).text();
    std::ispanstream stream(text);
    YamlBuilder builder(source, arena, report);
    Document document;
    const auto fail = [&](const YAML::Mark& mark, std::string message) {
        const auto offset = mark.is_null() ? Place::whole : static_cast<std::uint32_t>(mark.pos);
        report.error({source, offset}, std::move(message));
    };
    try {
        YAML::Parser parser(stream);
        const bool empty = !parser.HandleNextDocument(builder);
        // Only the last one can be cut off.
        if (const Node* quoted = builder.last_quoted(); quoted && !is_closed(text.substr(quoted->place.offset))) {
            report.error(quoted->place, "not valid YAML: this quoted text has no end");
            return document;
        }
        document.root = empty ? new_node(arena, Kind::null, {source, 0}) : builder.root();
        parser.HandleNextDocument(builder);  // there must be none: the builder refuses it
        document.whole = true;
    } catch (const Abort&) {
    } catch (const YAML::DeepRecursion& error) {
        fail(error.mark, fmt::format("values are nested more than {} deep here", max_depth));
    } catch (const YAML::Exception& error) {
        fail(error.mark, translate(error.msg));
    }
    return document;
}

}  // namespace nftlink::config
