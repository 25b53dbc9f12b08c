"""The environment library alone: installed, found by pkg-config, and linked into somebody else's program."""
import os
import shlex

from support import programs
from support.process import run

PROGRAM = """
#include <cstdio>
#include <nftlink/linkenv/environment.hpp>

int main() {
    using namespace nftlink;
    model::Topology hosts;
    const auto place = [](const char* address) {
        return std::vector{model::Network{"docker0", {*model::Address::parse(address)}}};
    };
    hosts.containers["redis"] = {"redis", place("172.17.0.2"), {{6379, model::Protocol::tcp}}, {"A=\\"b\\""}, {}};
    hosts.containers["web"] = {"web", place("172.17.0.3"), {}, {}, {{"redis", "db"}}};
    const auto made = linkenv::environment(hosts.containers["web"], hosts, {});
    std::fputs(linkenv::format(made.variables, linkenv::Format::json)->c_str(), stdout);
    std::fputs(linkenv::hosts(hosts.containers["web"], hosts).c_str(), stdout);
}
"""

EXPECTED = ('{"DB_PORT":"tcp://172.17.0.2:6379","DB_PORT_6379_TCP":"tcp://172.17.0.2:6379",'
            '"DB_PORT_6379_TCP_ADDR":"172.17.0.2","DB_PORT_6379_TCP_PORT":"6379","DB_PORT_6379_TCP_PROTO":"tcp",'
            '"DB_NAME":"/web/db","DB_ENV_A":"\\"b\\""}\n172.17.0.2\tdb redis\n')


def installed(place):
    """A folder that holds what `meson install` would put into the system."""
    root = place.folder / "root"
    run("meson", "install", "-C", programs.build, "--no-rebuild", "--tags", "devel", "--destdir", root)
    return root


def test_a_program_of_ten_lines_links_it(place):
    root = installed(place)
    (pc_file,) = root.rglob("nftlink-linkenv.pc")
    folders = {"PKG_CONFIG_PATH": str(pc_file.parent), "PKG_CONFIG_SYSROOT_DIR": str(root)}
    flags = run("pkg-config", "--cflags", "--libs", "nftlink-linkenv", env={**os.environ, **folders}).stdout
    place.write(PROGRAM, name="program.cpp")
    assert "boost" not in flags.lower(), flags
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    run(*compiler, place.folder / "program.cpp", "-Wall", "-Werror", *shlex.split(flags), "-o", place.folder / "program")
    assert run(place.folder / "program").stdout == EXPECTED


def test_its_headers_need_no_others(place):
    root = installed(place)
    present = {str(path.relative_to(root)).partition("include/")[2] for path in root.rglob("*.hpp")}
    includes = {line.split('"')[1] for path in root.rglob("*.hpp") for line in path.read_text().splitlines()
                if line.startswith('#include "')}
    assert includes and includes <= present, includes - present
