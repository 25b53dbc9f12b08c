"""How soon a link is in the kernel after `docker start` has returned, measured from outside.

pytest -s docker_time.py [--rounds N]
"""
import contextlib
import statistics
import time

from support.docker_service import docker_and_service, run_idle, run_redis
from support.marks import needs_engine
from support.netfilter import Netfilter
from support.service import elements, eventually
from support.unix_http import UnixConnection

pytestmark = needs_engine("dockerd")


def start(docker, name):
    """Asks the engine as `docker start` does; back when it has answered."""
    with contextlib.closing(UnixConnection(docker.socket)) as connection:
        connection.request("POST", f"/containers/{name}/start")
        response = connection.getresponse()
        response.read()
    assert response.status == 204, response.status


def test_a_link_is_there_as_soon_as_its_parent_is_started(place, how_many):
    rounds = how_many("rounds", 50)
    docker, _ = docker_and_service(place)
    run_redis(docker)
    run_idle(docker, "web", "--link", "redis:db")
    times = []
    with Netfilter() as netfilter:
        for _ in range(rounds):
            docker("kill", "web")
            eventually(lambda: not elements())
            before = netfilter.generation()
            start(docker, "web")
            begin, took = time.monotonic(), 0.0
            while not elements():  # a commit may be about the bridge's new port
                while netfilter.generation() == before:
                    assert time.monotonic() < begin + 10, "it never comes"
                    time.sleep(0.00005)  # so that the service gets a processor
                before, took = netfilter.generation(), time.monotonic() - begin
            times.append(took)
            assert len(elements()) == 1
    print(f"{rounds} starts: the link is in the kernel {statistics.median(times) * 1000:.2f} ms (median), "
          f"{max(times) * 1000:.2f} ms (worst) after docker start has returned")
