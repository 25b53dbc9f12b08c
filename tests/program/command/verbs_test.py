"""The verbs that need a file alone, as a shell meets them. What the unit suite of cli tests is not repeated here."""
import json
import os
import subprocess

from support import programs
from support.process import run

CONFIGURATION = """
containers:
  redis:
    bridge: docker0
    addresses: [172.17.0.2]
    expose: [6379/tcp]
    environment: {PLAIN: x, QUOTES: "it's $HOME `id` \\"\\\\", EQUALS: a=b}
  web:
    bridge: docker0
    addresses: [172.17.0.3]
    environment: {DB_NAME: mine}
    links: [redis:db]
"""


def test_run_gives_the_command_the_links_variables_and_its_own_status(place):
    place.write(CONFIGURATION)
    script = 'printf "%s|%s|%s|%s" "$DB_PORT_6379_TCP_ADDR" "$DB_ENV_PLAIN" "$INHERITED" "${DB_NAME-unset}"; exit 7'
    done = place.nftlink("run", "web", "--", "sh", "-c", script, status=7, env={**os.environ, "INHERITED": "yes"})
    assert done.stdout == "172.17.0.2|x|yes|unset", done.stdout


def test_run_overrides_what_is_inherited(place):
    place.write(CONFIGURATION)
    done = place.nftlink("run", "web", "--", "sh", "-c", "echo $DB_ENV_PLAIN", env={**os.environ, "DB_ENV_PLAIN": "old"})
    assert done.stdout == "x\n", done.stdout


def test_run_leaves_the_commands_words_and_streams_alone(place):
    place.write(CONFIGURATION)
    done = place.nftlink("run", "web", "--", "printf", "%s,", "--json", "-c", "--", "a b", "")
    assert done.stdout == "--json,-c,--,a b,,", done.stdout
    done = run(programs.nftlink, "run", "web", "-c", place.file, "--", "cat", stdin="through")
    assert done.stdout == "through", done.stdout
    place.nftlink("run", "web", "--", "sh", "-c", "kill -9 $$", status=-9)


def test_run_fails_like_a_shell(place):
    place.write(CONFIGURATION)
    assert "nftlink: " in place.nftlink("run", "web", "--", "./missing", status=127).stderr
    place.write("", name="plain")
    assert "nftlink: " in place.nftlink("run", "web", "--", place.folder / "plain", status=126).stderr


def test_env_for_a_shell_is_safe_to_eval(place):
    place.write(CONFIGURATION)
    script = f'eval "$({programs.nftlink} env web -c {place.file} --format shell 2>/dev/null)"; printf %s "$DB_ENV_QUOTES"'
    assert run("sh", "-c", script).stdout == "it's $HOME `id` \"\\"


def test_env_ended_by_nul_bytes_is_what_env_0_reads(place):
    place.write(CONFIGURATION)
    text = place.nftlink("env", "web", "--format", "null", "--dialect", "docker-28").stdout
    script = f"{programs.nftlink} env web -c {place.file} --format null --dialect docker-28 | xargs -0 sh -c 'env -i \"$@\" env -0' sh"
    assert sorted(run("sh", "-c", script).stdout.split("\0")) == sorted(text.split("\0"))
    assert "DB_ENV_EQUALS=a=b" in text.split("\0")


def test_hosts_for_docker_are_words_that_a_shell_splits(place):
    place.write(CONFIGURATION)
    script = f"for word in $({programs.nftlink} hosts web -c {place.file} --format docker); do echo \"<$word>\"; done"
    assert run("sh", "-c", script).stdout == "<--add-host=db:172.17.0.2>\n<--add-host=redis:172.17.0.2>\n"
    assert place.nftlink("hosts", "redis", "--format", "docker").stdout == ""


def test_check_reads_the_drop_ins_too(place):
    place.write(CONFIGURATION)
    place.write("containers: {api: {bridge: docker0, addresses: [172.17.0.4], links: [redis]}}", name="conf.d/api.yaml")
    assert place.nftlink("check").stdout == f"{place.file}: ok: 3 containers, 2 links, 1 bridge\n"
    place.write("containers: {api: {bridge: docker0}}", name="conf.d/api.yaml")
    assert f"{place.folder}/conf.d/api.yaml:1:" in place.nftlink("check", status=1).stderr


def test_a_record_is_one_line_that_parses(place):
    place.write(CONFIGURATION)
    for words in (["check"], ["env", "web"], ["hosts", "web"]):
        record = place.record(*words)
        assert record["errors"] == [], record
    names = list(place.record("env", "web")["variables"])
    assert names == [line.split("=")[0] for line in place.nftlink("env", "web").stdout.splitlines()]
    assert json.loads(place.nftlink("render", "--json").stdout)["nftables"]
    place.write("containers: {a: {bridge: b}}")
    for words in (["check"], ["env", "web"], ["hosts", "web"], ["run", "web", "--", "true"], ["render"], ["plan"], ["apply"]):
        (error,) = place.record(*words, status=1)["errors"]
        assert error["file"] == str(place.file) and error["line"] == 1 and error["column"] > 1, error


def test_usage_is_64_and_help_is_0(place):
    assert "Usage" in run(programs.nftlink, "--help").stdout
    assert run(programs.nftlink, "--version").stdout.startswith("nftlink ")
    for words in ([], ["chekc"], ["explain"], ["env"], ["check", "--color"]):
        done = run(programs.nftlink, *words, status=64)
        assert done.stdout == "" and done.stderr.startswith("nftlink: "), done


def test_a_result_that_cannot_be_written_is_a_failure(place):
    place.write(CONFIGURATION)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([programs.nftlink, "env", "web", "-c", place.file], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b"No space left" in done.stderr, done
