#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "identifier.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/base/utf8.hpp"
#include "nftlink/linkenv/environment.hpp"

namespace nftlink::linkenv {

namespace {

using Result = std::expected<std::string, std::string>;

// One variable as text, or why it can't be.
Result as_line(const Variable& variable) {
    if (variable.name.contains('\n') || variable.value.contains('\n'))
        return std::unexpected(
            fmt::format("{} holds a newline, which KEY=VALUE lines cannot carry: use --format shell, "
                        "json or null",
                        base::escape(variable.name)));
    return variable.name + "=" + variable.value + "\n";
}

// Between single quotes a shell takes everything as it is, but a single quote.
Result as_shell(const Variable& variable) {
    if (!is_identifier(variable.name))
        return std::unexpected(
            fmt::format("{} is no shell identifier: use --format env, json or null", base::escape(variable.name)));
    std::string quoted;
    for (const char c : variable.value)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return fmt::format("export {}='{}'\n", variable.name, quoted);
}

Result as_null(const Variable& variable) {
    return variable.name + "=" + variable.value + '\0';
}

Result as_json(const std::vector<Variable>& variables) {
    boost::json::object object;
    for (const Variable& variable : variables) {
        if (!base::is_utf8(variable.name) || !base::is_utf8(variable.value))
            return std::unexpected(fmt::format(
                "{} is not UTF-8, which JSON cannot carry: use --format env, shell or null", variable.name));
        object[variable.name] = variable.value;
    }
    return boost::json::serialize(object) + "\n";
}

constexpr std::array<std::pair<std::string_view, Format>, 4> formats{
    {{"env", Format::env}, {"shell", Format::shell}, {"json", Format::json}, {"null", Format::null}}};

constexpr std::array<std::pair<std::string_view, HostsFormat>, 2> hosts_formats{
    {{"hosts", HostsFormat::hosts}, {"docker", HostsFormat::docker}}};

template <typename T, std::size_t N>
std::optional<T> find(const std::array<std::pair<std::string_view, T>, N>& words, std::string_view word) {
    const auto found = std::ranges::find(words, word, [](const auto& entry) { return entry.first; });
    return found == words.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::optional<Format> parse_format(std::string_view text) {
    return find(formats, text);
}

std::optional<HostsFormat> parse_hosts_format(std::string_view text) {
    return find(hosts_formats, text);
}

Result format(const std::vector<Variable>& variables, Format format) {
    if (format == Format::json)
        return as_json(variables);
    const auto one = format == Format::env ? as_line : format == Format::shell ? as_shell : as_null;
    std::string text;
    for (const Variable& variable : variables) {
        if (variable.name.contains('\0') || variable.value.contains('\0'))
            return std::unexpected(fmt::format("{} holds a NUL byte, which no environment can carry: use --format json",
                                               base::escape(variable.name)));
        const auto part = one(variable);
        if (!part)
            return part;
        text += *part;
    }
    return text;
}

}  // namespace nftlink::linkenv
