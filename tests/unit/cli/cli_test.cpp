// The command as its user meets it, but for what needs the kernel or becomes another program: tests/program has that.
#include "nftlink/cli/cli.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace nftlink::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

struct Answer {
    int status;
    std::string out;
    std::string err;

    json::object record() const { return json::parse(out).as_object(); }
};

constexpr const char* two_containers =
    "containers:\n"
    "  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379/tcp], environment: {A: b=c, K: v}}\n"
    "  plan: {bridge: docker0, addresses: [172.17.0.3], links: [redis:db]}\n";

class Command : public testing::Test {
protected:
    Command() {
        std::string name = (fs::temp_directory_path() / "nftlink-cli-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        write(two_containers);
    }
    ~Command() override { fs::remove_all(folder_); }

    std::string file() const { return folder_ / "nftlink.yaml"; }
    void write(const std::string& text) const { std::ofstream(file()) << text; }

    // `@` among the words stands for the configuration's name.
    Answer said(std::vector<std::string> words) const {
        words.insert(words.begin(), "nftlink");
        std::vector<char*> argv;
        for (std::string& word : words) {
            if (word == "@")
                word = file();
            argv.push_back(word.data());
        }
        argv.push_back(nullptr);
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const int status = run(static_cast<int>(words.size()), argv.data());
        const std::string out = testing::internal::GetCapturedStdout();
        return {status, out, testing::internal::GetCapturedStderr()};
    }

    fs::path folder_;
};

TEST_F(Command, SaysOnStdoutHowItIsUsed) {
    for (const char* flag : {"--help", "-h"}) {
        const Answer help = said({flag});
        EXPECT_EQ(help.status, 0);
        EXPECT_THAT(help.err, IsEmpty());
        for (const char* part : {"check ", "env ", "hosts ", "run ", "render ", "plan ", "apply ", "clear ",
                                 "Exit status", "64 wrong usage", "Examples", "-c FILE", "--json"})
            EXPECT_THAT(help.out, HasSubstr(part));
    }
    EXPECT_THAT(said({"env", "--help"}).out, AllOf(HasSubstr("Usage: nftlink env "), HasSubstr("--format")));
    EXPECT_EQ(said({"env", "--help"}).status, 0);
}

TEST_F(Command, SaysItsVersion) {
    EXPECT_EQ(said({"--version"}).out, "nftlink " NFTLINK_VERSION "\n");
    EXPECT_EQ(said({"--version"}).status, 0);
}

TEST_F(Command, KnowsNoOtherVerbs) {
    const Answer typo = said({"aply"});
    EXPECT_EQ(typo.status, 64);
    EXPECT_THAT(typo.out, IsEmpty());
    EXPECT_THAT(typo.err, AllOf(HasSubstr("'aply'"), HasSubstr("did you mean 'apply'?"), HasSubstr("--help")));
    EXPECT_EQ(said({}).status, 64);
    EXPECT_EQ(said({"xyzzy"}).status, 64);
    EXPECT_THAT(said({"xyzzy"}).err, Not(HasSubstr("did you mean")));
}

TEST_F(Command, PutsOffWhatLaterVersionsHave) {
    for (const char* verb : {"explain", "doctor"}) {
        const Answer later = said({verb, "x", "--y"});
        EXPECT_EQ(later.status, 64) << verb;
        EXPECT_THAT(later.err, AllOf(HasSubstr(verb), HasSubstr("not supported yet")));
    }
}

TEST_F(Command, RefusesToBeUsedWrongly) {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"env"},
                                               {"hosts", "-c", "@"},
                                               {"run", "plan", "-c", "@"},
                                               {"run", "plan", "-c", "@", "--"},
                                               {"run", "plan", "true", "-c", "@"},
                                               {"check", "-c"},
                                               {"check", "-c", "@", "-c", "@"},
                                               {"check", "-c", "@", "extra"},
                                               {"check", "-c", "@", "--", "extra"},
                                               {"check", "-c", "@", "--format", "env"},
                                               {"check", "-c", "@", "--color"},
                                               {"env", "plan", "-c", "@", "--format", "xml"},
                                               {"env", "plan", "-c", "@", "--format", ""},
                                               {"env", "plan", "-c", "@", "--dialect", "docker-29"},
                                               {"env", "plan", "redis", "-c", "@"},
                                               {"check", "hosts", "-c", "@"}}) {
        const Answer refused = said(words);
        EXPECT_EQ(refused.status, 64) << testing::PrintToString(words);
        EXPECT_THAT(refused.out, IsEmpty()) << testing::PrintToString(words);
        EXPECT_THAT(refused.err, StartsWith("nftlink: ")) << testing::PrintToString(words);
        EXPECT_THAT(refused.err, HasSubstr("--help")) << testing::PrintToString(words);
    }
}

TEST_F(Command, SaysWhatIsWrongInJsonToo) {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"--json"},
                                               {"--json", "aply"},
                                               {"doctor", "--json"},
                                               {"env", "--json"},
                                               {"env", "x", "--format", "y", "--json"}}) {
        const Answer refused = said(words);
        EXPECT_EQ(refused.status, 64);
        EXPECT_THAT(refused.err, IsEmpty());
        EXPECT_EQ(refused.record().at("ok"), false) << refused.out;
        EXPECT_EQ(refused.record().at("schema"), 1);
        EXPECT_EQ(refused.record().at("errors").as_array().size(), 1U);
    }
}

TEST_F(Command, TakesOptionsBeforeAndAfterTheVerb) {
    const std::string expected = said({"env", "plan", "-c", "@"}).out;
    EXPECT_THAT(expected, StartsWith("DB_PORT=tcp://172.17.0.2:6379\n"));
    EXPECT_EQ(said({"-c", "@", "env", "plan"}).out, expected);
    EXPECT_EQ(said({"env", "-c", "@", "plan"}).out, expected);
    EXPECT_EQ(said({"-c" + file(), "env", "plan"}).out, expected);
    EXPECT_EQ(said({"--json", "-c", "@", "env", "plan"}).out, said({"env", "plan", "-c", "@", "--json"}).out);
}

TEST_F(Command, CheckCountsAndWarns) {
    const Answer checked = said({"check", "-c", "@"});
    EXPECT_EQ(checked.status, 0);
    EXPECT_EQ(checked.out, file() + ": ok: 2 containers, 1 link, 1 bridge\n");
    EXPECT_THAT(checked.err, AllOf(HasSubstr("warning: "), HasSubstr("/plan/db"), HasSubstr("docker-27")));

    const json::object record = said({"check", "-c", "@", "--json"}).record();
    EXPECT_EQ(record.at("ok"), true);
    EXPECT_EQ(record.at("containers"), 2);
    EXPECT_EQ(record.at("links"), 1);
    EXPECT_EQ(record.at("bridges"), 1);
    EXPECT_EQ(record.at("warnings").as_array().size(), 1U);
    EXPECT_EQ(record.at("errors").as_array().size(), 0U);
}

TEST_F(Command, CheckSaysOnceWhatHoldsForManyLinks) {
    write(
        "containers:\n"
        "  db: {bridge: br0, addresses: [10.0.0.2], expose: [1], environment: {A: b=c}}\n"
        "  other: {bridge: br0, addresses: [10.0.0.3], expose: [1], environment: {A: b=c}}\n"
        "  x: {bridge: br0, addresses: [10.0.0.4], links: [db, other]}\n"
        "  y: {bridge: br0, addresses: [10.0.0.5], links: [db, 'db:second']}\n");
    const Answer checked = said({"check", "-c", "@"});
    EXPECT_THAT(checked.err, AllOf(HasSubstr("warning: link /x/db, and 2 more: variable A of db is left out"),
                                   HasSubstr("warning: link /x/other: variable A of other is left out")));
    EXPECT_EQ(std::ranges::count(checked.err, '\n'), 2);
}

TEST_F(Command, CheckTellsAllErrorsWithTheirPlaces) {
    write("containers:\n  a: {bridge: br0, addresses: [10.0.0.300]}\nbridge: {}\n");
    const Answer checked = said({"check", "-c", "@"});
    EXPECT_EQ(checked.status, 1);
    EXPECT_THAT(checked.out, IsEmpty());
    EXPECT_THAT(checked.err, AllOf(HasSubstr(file() + ":2:32: "), HasSubstr("\n" + file() + ":3:1: ")));

    const Answer answer = said({"check", "-c", "@", "--json"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, IsEmpty());
    const json::object record = answer.record();
    ASSERT_EQ(record.at("errors").as_array().size(), 2U);
    const json::object& second = record.at("errors").at(1).as_object();
    EXPECT_EQ(second.at("file"), json::value(file()));
    EXPECT_EQ(second.at("line"), 3);
    EXPECT_EQ(second.at("column"), 1);
    EXPECT_TRUE(second.at("message").is_string());
}

TEST_F(Command, EveryVerbButClearNeedsAConfiguration) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"check"}, {"env", "x"}, {"hosts", "x"}, {"run", "x"}, {"render"}, {"plan"}, {"apply"}}) {
        std::vector<std::string> with_file = words;
        with_file.insert(with_file.end(), {"-c", folder_ / "none.yaml"});
        if (words.front() == "run")
            with_file.insert(with_file.end(), {"--", "true"});
        const Answer failed = said(with_file);
        EXPECT_EQ(failed.status, 1);
        EXPECT_THAT(failed.out, IsEmpty());
        EXPECT_THAT(failed.err, AllOf(HasSubstr("none.yaml"), HasSubstr("No such file")));
    }
}

TEST_F(Command, RecordsAreUtf8WhateverWasAsked) {
    const Answer answer = said({"check", "--json", "-c", folder_ / "\xff.yaml"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.record().at("ok"), false);
    EXPECT_EQ(said({"env", "\xff", "--json", "-c", "@"}).record().at("ok"), false);
    EXPECT_EQ(said({"\xff", "--json"}).record().at("ok"), false);
}

TEST_F(Command, EnvHasFormatsAndDialects) {
    EXPECT_THAT(said({"env", "plan", "-c", "@", "--format", "shell"}).out, HasSubstr("export DB_NAME='/plan/db'\n"));
    EXPECT_THAT(said({"env", "plan", "-c", "@", "--format=json"}).out, StartsWith("{\"DB_PORT\":"));
    EXPECT_THAT(said({"env", "plan", "-c", "@", "--format", "null"}).out, HasSubstr(std::string("DB_ENV_K=v\0", 11)));

    const Answer old = said({"env", "plan", "-c", "@"});
    EXPECT_THAT(old.out, Not(HasSubstr("DB_ENV_A")));
    EXPECT_THAT(old.err, HasSubstr("docker-27"));
    const Answer other = said({"env", "plan", "-c", "@", "--dialect", "docker-27"});
    EXPECT_THAT(other.out, HasSubstr("DB_ENV_A=b=c\n"));
    EXPECT_THAT(other.err, IsEmpty());
    write(std::string(two_containers) + "env: {dialect: docker-28}\n");
    EXPECT_EQ(said({"env", "plan", "-c", "@"}).out, other.out);
    EXPECT_EQ(said({"env", "plan", "-c", "@", "--dialect", "docker-0.10"}).out, old.out);
}

TEST_F(Command, EnvAsARecordHoldsTheVariablesInOrder) {
    const Answer answer = said({"env", "plan", "-c", "@", "--json"});
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.err, IsEmpty());
    EXPECT_EQ(json::serialize(answer.record().at("variables")),
              R"({"DB_PORT":"tcp://172.17.0.2:6379","DB_PORT_6379_TCP":"tcp://172.17.0.2:6379",)"
              R"("DB_PORT_6379_TCP_ADDR":"172.17.0.2","DB_PORT_6379_TCP_PORT":"6379",)"
              R"("DB_PORT_6379_TCP_PROTO":"tcp","DB_NAME":"/plan/db","DB_ENV_K":"v"})");
    EXPECT_EQ(answer.record().at("warnings").as_array().size(), 1U);
}

TEST_F(Command, EnvRefusesWhatAFormatCannotCarry) {
    write(
        "containers:\n"
        "  redis: {bridge: docker0, addresses: [172.17.0.2], environment: {A: \"b\\nc\"}}\n"
        "  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis:my-db]}\n");
    const Answer lines = said({"env", "web", "-c", "@"});
    EXPECT_EQ(lines.status, 1);
    EXPECT_THAT(lines.out, IsEmpty());
    EXPECT_THAT(lines.err, AllOf(HasSubstr("MY-DB_ENV_A"), HasSubstr("--format shell")));
    EXPECT_EQ(said({"env", "web", "-c", "@", "--format", "shell"}).status, 1);
    EXPECT_EQ(said({"env", "web", "-c", "@", "--format", "null"}).status, 0);
    EXPECT_EQ(said({"env", "web", "-c", "@", "--format", "shell", "--dialect", "docker-27"}).status, 0);
}

TEST_F(Command, OfOneContainerSuggestsAnother) {
    for (const char* verb : {"env", "hosts"}) {
        const Answer answer = said({verb, "plam", "-c", "@"});
        EXPECT_EQ(answer.status, 1);
        EXPECT_THAT(answer.err, AllOf(HasSubstr("'plam'"), HasSubstr("did you mean 'plan'?")));
    }
    EXPECT_THAT(said({"env", "redis", "-c", "@"}).out, IsEmpty());
    EXPECT_EQ(said({"env", "redis", "-c", "@"}).status, 0);
}

TEST_F(Command, HostsPrintsLines) {
    EXPECT_EQ(said({"hosts", "plan", "-c", "@"}).out, "172.17.0.2\tdb redis\n");
    EXPECT_EQ(said({"hosts", "plan", "-c", "@", "--json"}).record().at("hosts"), "172.17.0.2\tdb redis\n");
}

TEST_F(Command, HostsPrintsWordsForDockerToo) {
    EXPECT_EQ(said({"hosts", "plan", "-c", "@", "--format", "hosts"}).out, "172.17.0.2\tdb redis\n");
    EXPECT_EQ(said({"hosts", "plan", "-c", "@", "--format", "docker"}).out,
              "--add-host=db:172.17.0.2\n--add-host=redis:172.17.0.2\n");
    const Answer answer = said({"hosts", "plan", "-c", "@", "--format", "env"});
    EXPECT_EQ(answer.status, 64);
    EXPECT_THAT(answer.err, HasSubstr("unknown format 'env': use hosts or docker"));
}

TEST_F(Command, RunSaysWhyItCannot) {
    const Answer missing = said({"run", "plan", "-c", "@", "--", "nftlink-no-such-command"});
    EXPECT_EQ(missing.status, 127);
    EXPECT_THAT(missing.err, AllOf(HasSubstr("warning"), HasSubstr("nftlink-no-such-command")));
    EXPECT_EQ(missing.err.find("warning"), missing.err.rfind("warning")) << "said once";
    EXPECT_EQ(said({"run", "plan", "-c", "@", "--", file()}).status, 126);
    EXPECT_EQ(said({"run", "nobody", "-c", "@", "--", "true"}).status, 1);
    const Answer answer = said({"run", "plan", "-c", "@", "--json", "--", file()});
    EXPECT_EQ(answer.status, 126);
    EXPECT_EQ(answer.record().at("ok"), false);
}

TEST_F(Command, RenderPrintsAScriptOrNftsJson) {
    const Answer script = said({"render", "-c", "@"});
    EXPECT_EQ(script.status, 0);
    EXPECT_THAT(script.out, AllOf(HasSubstr("table inet nftlink"), HasSubstr("172.17.0.3 . 172.17.0.2 . tcp . 6379")));
    EXPECT_TRUE(said({"render", "-c", "@", "--json"}).record().at("nftables").is_array());
    EXPECT_EQ(said({"render", "-c", folder_ / "none.yaml", "--json"}).record().at("ok"), false);
}

TEST_F(Command, FailsWhenItsResultCannotBeWritten) {
    FILE* full = std::fopen("/dev/full", "w");
    ASSERT_NE(full, nullptr);
    std::swap(stdout, full);
    testing::internal::CaptureStderr();
    const std::string name = file();
    const char* words[] = {"nftlink", "check", "-c", name.c_str(), nullptr};
    const int status = run(4, const_cast<char**>(words));
    std::swap(stdout, full);
    std::fclose(full);
    EXPECT_EQ(status, 1);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("No space left"));
}

}  // namespace
}  // namespace nftlink::cli
