#include "nftlink/cli/cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <system_error>

#include "file_verbs.hpp"
#include "kernel_verbs.hpp"
#include "monitor.hpp"
#include "nftlink/base/suggestion.hpp"
#include "options.hpp"
#include "service_verbs.hpp"
#include "top.hpp"

namespace nftlink::cli {

namespace {

constexpr const char* alone = "Verbs that work alone, on the configuration and the kernel";
constexpr const char* of_service = "Verbs that talk to the service, nftlinkd";

struct Verb {
    const char* group;
    const char* name;
    const char* arguments;
    const char* help;
    void (*take)(CLI::App&, Arguments&);
    int (*run)(const Request&, Report&);
};

constexpr std::array verbs{
    Verb{alone, "check", "", "Validate the configuration; say everything that is wrong with it", take_nothing, check},
    Verb{alone, "env", " CONTAINER [--format FORMAT] [--dialect DIALECT]", "Print the link variables of a parent",
         take_container_and_format, env},
    Verb{alone, "hosts", " CONTAINER [--format FORMAT]", "Print where the children of a parent's links are",
         take_container_and_hosts_format, hosts},
    Verb{alone, "run", " CONTAINER [--dialect DIALECT] -- COMMAND...", "Run a command with a parent's link variables",
         take_container_and_dialect, run_command},
    Verb{alone, "render", "", "Print the wanted ruleset as an nft script, or in nft's JSON", take_nothing, render},
    Verb{alone, "plan", "", "Print what apply would change, as nft commands; touch nothing", take_nothing, plan},
    Verb{alone, "apply", " [--force]", "Make the kernel match the configuration; print what changed", take_force,
         apply},
    Verb{alone, "clear", " [--force]", "Remove everything that is nftlink's from the kernel", take_force, clear},
    Verb{of_service, "status", "", "Print the state of the service, and what is enforced on which bridge", take_nothing,
         status},
    Verb{of_service, "list", "", "Print the links with their counters", take_nothing, list},
    Verb{of_service, "link", " PARENT CHILD[:ALIAS]", "Let a parent reach a child", take_link, link},
    Verb{of_service, "unlink", " PARENT ALIAS", "End a link", take_link_name, unlink},
    Verb{of_service, "add", " NAME --bridge BRIDGE --address ADDRESS [OPTION...]", "Add or replace a container",
         take_new_container, add},
    Verb{of_service, "rm", " NAME", "Remove a container, and the links that it has part in", take_name, rm},
    Verb{of_service, "reload", "", "Let the service read its configuration again", take_nothing, reload},
    Verb{of_service, "monitor", "", "Print events as they happen; with --json a line of JSON for each", take_nothing,
         monitor},
    Verb{of_service, "top", " [--interval SECONDS] [--count NUMBER]", "Show how fast the links' counters run",
         take_interval, top},
};

// Words that later versions will have.
constexpr std::array<std::string_view, 2> later_verbs{"explain", "doctor"};

constexpr const char* footer =
    "Exit status:\n"
    "  0  done, or nothing to change\n"
    "  1  failed: bad configuration, refused by the kernel or the service, no permission, no service\n"
    "  2  plan: there are changes\n"
    "  64 wrong usage\n"
    "run exits as its command does.\n"
    "\n"
    "Examples:\n"
    "  nftlink check -c nftlink.yaml\n"
    "  nftlink plan && echo 'the kernel is as configured'\n"
    "  eval \"$(nftlink env web --format shell)\"\n"
    "  nftlink run web -- sh -c 'redis-cli -h \"$DB_PORT_6379_TCP_ADDR\" ping'\n"
    "  nftlink add web2 --bridge docker0 --address 172.17.0.4 --link redis:db";

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

// The fault of the verb, if it is one that isn't there.
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
    app.add_flag("--json", request.json, "Print one JSON record; of monitor, a line for each event");
    app.set_version_flag("--version", "nftlink " NFTLINK_VERSION, "Print the version");
    app.set_help_flag("-h,--help", "Print this help, or a verb's");
    app.require_subcommand(0, 1);
    for (const Verb& verb : verbs) {
        CLI::App* sub = app.add_subcommand(verb.name, verb.help);
        sub->fallthrough()->group(verb.group);
        verb.take(*sub, arguments);
    }
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
        return usage_error("no verb was given", as_json);

    const auto chosen = std::ranges::find_if(verbs, [&](const Verb& verb) { return app.got_subcommand(verb.name); });
    if (separator != all.end())
        request.command.assign(separator + 1, all.end());
    if (chosen->run == run_command && request.command.empty())
        return usage_error("run needs a command: nftlink run CONTAINER -- COMMAND...", as_json);
    if (chosen->run != run_command && separator != all.end())
        return usage_error("only run takes a command after --", as_json);
    return carry_out(*chosen, request);
}

}  // namespace nftlink::cli
