"""How soon a link is in the kernel after `docker start` has returned, measured from outside.

docker_time.py NFTLINK NFTLINKD [--rounds N]
"""
import argparse
import contextlib
import statistics
import sys
import time

import engine
import harness
from docker_service import docker_and_service, run_idle, run_redis
from engine import UnixConnection
from harness import case
from netfilter import Netfilter
from service import elements, eventually

options = argparse.ArgumentParser()
options.add_argument("--rounds", type=int, default=50)
options = options.parse_args(sys.argv[3:])


def start(docker, name):
    """Asks the engine as `docker start` does; back when it has answered."""
    with contextlib.closing(UnixConnection(docker.socket)) as connection:
        connection.request("POST", f"/containers/{name}/start")
        response = connection.getresponse()
        response.read()
    assert response.status == 204, response.status


@case
def a_link_is_there_as_soon_as_its_parent_is_started(place):
    docker, _ = docker_and_service(place)
    run_redis(docker)
    run_idle(docker, "web", "--link", "redis:db")
    times = []
    with Netfilter() as netfilter:
        for _ in range(options.rounds):
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
    print(f"# {options.rounds} starts: the link is in the kernel {statistics.median(times) * 1000:.2f} ms (median), "
          f"{max(times) * 1000:.2f} ms (worst) after docker start has returned")
harness.main(as_real_root=True, skip=engine.why_not("dockerd"))
