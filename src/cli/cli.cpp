#include "nftlink/cli/cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <system_error>

#include "nftlink/base/suggestion.hpp"
#include "verbs.hpp"

namespace nftlink::cli {

namespace {

enum class Takes { nothing, container, variables, command };

struct Verb {
    const char* name;
    const char* arguments;
    const char* help;
    Takes takes;
    int (*run)(const Request&, Report&);
};

constexpr std::array verbs{
    Verb{"check", "", "Validate the configuration; say everything that is wrong with it", Takes::nothing, check},
    Verb{"env", " CONTAINER [--format FORMAT] [--dialect DIALECT]", "Print the link variables of a parent",
         Takes::variables, env},
    Verb{"hosts", " CONTAINER", "Print the hosts-file lines of a parent's links", Takes::container, hosts},
    Verb{"run", " CONTAINER [--dialect DIALECT] -- COMMAND...", "Run a command with a parent's link variables",
         Takes::command, run_command},
    Verb{"render", "", "Print the wanted ruleset as an nft script, or in nft's JSON", Takes::nothing, render},
    Verb{"plan", "", "Print what apply would change, as nft commands; touch nothing", Takes::nothing, plan},
    Verb{"apply", "", "Make the kernel match the configuration; print what changed", Takes::nothing, apply},
    Verb{"clear", "", "Remove everything that is nftlink's from the kernel", Takes::nothing, clear},
};

// Words that later versions will have.
constexpr std::array<std::string_view, 11> later_verbs{"explain", "doctor", "status", "list",    "link", "unlink",
                                                       "add",     "rm",     "reload", "monitor", "top"};

constexpr const char* footer =
    "Exit status:\n"
    "  0  done, or nothing to change\n"
    "  1  failed: bad configuration, refused by the kernel, no permission\n"
    "  2  plan: there are changes\n"
    "  64 wrong usage\n"
    "run exits as its command does.\n"
    "\n"
    "Examples:\n"
    "  nftlink check -c nftlink.yaml\n"
    "  nftlink plan && echo 'the kernel is as configured'\n"
    "  eval \"$(nftlink env web --format shell)\"\n"
    "  nftlink run web -- sh -c 'redis-cli -h \"$DB_PORT_6379_TCP_ADDR\" ping'";

// The usage lines; the rest of the help is as CLI11 has it.
class Help : public CLI::Formatter {
public:
    std::string make_usage(const CLI::App* app, std::string) const override {
        const auto verb = std::ranges::find(verbs, app->get_name(), &Verb::name);
        return verb == verbs.end()
                   ? "Usage: nftlink VERB [-c FILE] [--json] [ARGUMENT...]\n"
                   : fmt::format("Usage: nftlink {} [-c FILE] [--json]{}\n", verb->name, verb->arguments);
    }
};

int usage_error(const std::string& message, bool as_json) {
    Report report(as_json);
    report.fail(message);
    report.note("Try 'nftlink --help'.");
    return report.finish(wrong_usage);
}

// What CLI11 fills in as text.
struct Arguments {
    Request request;
    std::optional<std::string> format;
    std::optional<std::string> dialect;
};

void add_verb(CLI::App& app, const Verb& verb, Arguments& arguments) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.help);
    sub->fallthrough()->group("Verbs");
    if (verb.takes == Takes::nothing)
        return;
    sub->add_option("CONTAINER", arguments.request.container, "The parent's name")->required();
    if (verb.takes == Takes::container)
        return;
    if (verb.takes == Takes::variables)
        sub->add_option("--format", arguments.format, "env (default), shell, json or null");
    sub->add_option("--dialect", arguments.dialect,
                    "docker-0.10, docker-27 or docker-28; default: the configuration's");
}

// Turns the words for format and dialect into values; says what is wrong with them.
std::optional<std::string> read_words(Arguments& arguments) {
    if (arguments.format) {
        const auto format = linkenv::parse_format(*arguments.format);
        if (!format)
            return fmt::format("unknown format {}: env, shell, json and null are there",
                               base::quote(*arguments.format));
        arguments.request.format = *format;
    }
    if (arguments.dialect) {
        arguments.request.dialect = model::parse_dialect(*arguments.dialect);
        if (!arguments.request.dialect)
            return fmt::format("unknown dialect {}: docker-0.10, docker-27 and docker-28 are there",
                               base::quote(*arguments.dialect));
    }
    return {};
}

// The first word that is no option or an option's value: the verb.
std::string_view first_word(std::span<char* const> words) {
    for (std::size_t index = 0; index < words.size(); ++index) {
        const std::string_view word = words[index];
        if (word == "-c")
            ++index;
        else if (!word.starts_with('-'))
            return word;
    }
    return {};
}

// What is wrong with the verb, if it is one that isn't there.
std::optional<std::string> wrong_verb(std::string_view word) {
    if (word.empty() || std::ranges::any_of(verbs, [&](const Verb& verb) { return word == verb.name; }))
        return {};
    if (std::ranges::find(later_verbs, word) != later_verbs.end())
        return fmt::format("{} is not supported yet", word);
    base::Suggestion suggestion(word);
    for (const Verb& verb : verbs)
        suggestion.offer(verb.name);
    return fmt::format("unknown verb {}{}", base::quote(word), suggestion.to_string());
}

int carry_out(const Verb& verb, const Request& request) {
    Report report(request.json);
    try {
        return report.finish(verb.run(request, report));
    } catch (const std::system_error& error) {
        const bool permission = error.code() == std::errc::operation_not_permitted;
        report.fail(fmt::format("{}{}", error.what(), permission ? ": CAP_NET_ADMIN is needed (try sudo)" : ""));
    } catch (const std::exception& error) {
        report.fail(error.what());
    }
    return report.finish(failed);
}

}  // namespace

int run(int argc, char** argv) {
    const std::span<char* const> all(argv, static_cast<std::size_t>(argc));
    const auto separator = std::ranges::find_if(all, [](const char* word) { return std::string_view(word) == "--"; });
    const auto own = all.first(static_cast<std::size_t>(separator - all.begin()));
    const bool as_json = std::ranges::any_of(own, [](const char* word) { return std::string_view(word) == "--json"; });
    if (const auto wrong = wrong_verb(own.empty() ? "" : first_word(own.subspan(1))))
        return usage_error(*wrong, as_json);

    Arguments arguments;
    Request& request = arguments.request;
    CLI::App app("Container links in nftables: from one YAML file to the kernel.", "nftlink");
    app.formatter(std::make_shared<Help>());
    app.add_option("-c", request.file, "The configuration; conf.d/*.yaml beside it is read too")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_flag("--json", request.json, "Print one JSON record");
    app.set_version_flag("--version", "nftlink " NFTLINK_VERSION, "Print the version");
    app.set_help_flag("-h,--help", "Print this help, or a verb's");
    app.require_subcommand(0, 1);
    for (const Verb& verb : verbs)
        add_verb(app, verb, arguments);
    app.footer(footer);
    try {
        app.parse(static_cast<int>(own.size()), own.data());
    } catch (const CLI::Success& wish) {
        return app.exit(wish);  // --help, --version
    } catch (const CLI::ParseError& error) {
        return usage_error(error.what(), as_json);
    }
    if (const auto wrong = read_words(arguments))
        return usage_error(*wrong, as_json);
    if (app.get_subcommands().empty())
        return usage_error("what shall be done? name a verb", as_json);

    const auto chosen = std::ranges::find_if(verbs, [&](const Verb& verb) { return app.got_subcommand(verb.name); });
    if (separator != all.end())
        request.command.assign(separator + 1, all.end());
    if (chosen->takes == Takes::command && request.command.empty())
        return usage_error("run needs a command: nftlink run CONTAINER -- COMMAND...", as_json);
    if (chosen->takes != Takes::command && separator != all.end())
        return usage_error("only run takes a command after --", as_json);
    return carry_out(*chosen, request);
}

}  // namespace nftlink::cli
