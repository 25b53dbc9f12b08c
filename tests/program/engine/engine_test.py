"""Real container engines without iptables: nftlinkd polices their bridges."""
import json
import os
import subprocess
import sys

from support import engine
from support.engine import IMAGE, Docker, Podman
from support.marks import needs_engine
from support.process import run
from support.programs import project
from support.service import Service, elements, eventually

pytestmark = needs_engine()


def link_by_hand(place, kind, bridge):
    """Three containers, whose addresses the configuration states; the linked one gets through and the stranger doesn't."""
    running = place.endings.enter_context(kind(place.folder))
    running("run", "-d", "--name", "redis", IMAGE)
    for name in ("web", "stranger"):
        running("run", "-d", "--name", name, IMAGE, "sleep", "600")
    address = {name: next(iter(running.addresses(name).values())) for name in ("redis", "web", "stranger")}
    assert len(set(address.values())) == 3 and all(address.values()), address
    eventually(lambda: running.pings("stranger", address["redis"]))
    running.enter()
    containers = {"redis": {"bridge": bridge, "addresses": [address["redis"]], "expose": [6379]},
                  "web": {"bridge": bridge, "addresses": [address["web"]], "links": ["redis:db"]}}
    service = Service(place, f"bridges: {{{bridge}: {{icc: deny}}}}\ncontainers: {json.dumps(containers)}\n")
    assert service.status()["bridges"][0]["enforced"], service.status()
    assert elements() == {(address["web"], address["redis"], "tcp", 6379)}
    assert running.pings("web", address["redis"])
    assert not running.pings("stranger", address["redis"])
    assert not running.pings("redis", address["web"], port=6379)


def test_a_link_on_docker0_lets_the_parent_through_and_no_stranger(place):
    link_by_hand(place, Docker, "docker0")


def test_a_link_on_podman0_lets_the_parent_through_and_no_stranger(place):
    link_by_hand(place, Podman, "podman0")


def processes_of(name):
    return [path for path in os.listdir("/proc") if path.isdigit() and name in command_line(path)]


def command_line(process):
    try:
        with open(f"/proc/{process}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def test_an_engine_whose_test_was_killed_is_gone_with_it(place):
    script = f"""
import sys, time
sys.path.insert(0, {str(project / "tests")!r})
from support.engine import IMAGE, Docker
with Docker({str(place.folder)!r}) as docker:
    docker("run", "-d", "--name", "redis", IMAGE)
    docker("pause", "redis")
    print(docker.name, flush=True)
    time.sleep(600)
"""
    killed = subprocess.Popen([sys.executable, "-B", "-c", script], stdout=subprocess.PIPE, text=True)
    name = killed.stdout.readline().strip()
    assert name and processes_of(name) and engine.control_groups(name), name
    killed.kill()
    killed.wait()
    engine.remove_remains()
    eventually(lambda: not processes_of(name))
    assert not engine.control_groups(name)
    mounts = run("cat", "/proc/mounts").stdout
    assert name not in mounts, mounts
