"""Links come and go one at a time while another program flushes the ruleset every 200 ms.

soak.py NFTLINK NFTLINKD [--links N]
"""
import argparse
import subprocess
import sys
import time

import harness
import netfilter
from harness import case
from service import Service, add_bridge, container, die_with_parent, elements, eventually, expected_elements

CHILDREN = 50
FLUSH_INTERVAL = 0.2

options = argparse.ArgumentParser()
options.add_argument("--links", type=int, default=5000)
LINKS = options.parse_args(sys.argv[3:]).links


def configuration():
    return "containers:\n" + "".join(
        f"  child{n}: {{bridge: docker0, addresses: [10.0.0.{n + 1}], expose: [6379]}}\n" for n in range(CHILDREN))


class Soak:
    def __init__(self, service):
        self.service, self.done, self.failed = service, 0, []
        self.resident = {"at the start": service.resident_bytes()}

    def request(self, method, parent, child, body=None):
        answer = self.service.client.send(method, f"/v1/links/web{parent}/child{child}", body)
        if answer.status not in (200, 201):
            self.failed.append(f"{method} web{parent}/child{child}: {answer.text}")
        self.done += 1
        if self.done == 2 * LINKS // 10:
            self.resident["after 10 %"] = self.service.resident_bytes()

    def report(self, seconds):
        self.resident["at the end"] = self.service.resident_bytes()
        print(f"# {LINKS} links added and removed in {seconds:.1f} s; failed requests: {len(self.failed)}; "
              f"heals: {self.service.status()['heals']}")
        print("# resident memory: " + ", ".join(f"{bytes >> 10} KiB {when}" for when, bytes in self.resident.items()))


def add_parents(service):
    parents = {f"web{n}": container(f"10.1.{n // 250}.{n % 250}") for n in range((LINKS + CHILDREN - 1) // CHILDREN)}
    service.client.post("/v1/transaction", {"put": {"containers": parents}})


@case
def every_change_is_made_while_another_program_flushes_the_ruleset(place):
    add_bridge()
    service = Service(place, configuration())
    add_parents(service)
    soak, begin = Soak(service), time.monotonic()
    with subprocess.Popen([sys.executable, "-B", netfilter.__file__, "inf", str(FLUSH_INTERVAL)],
                          preexec_fn=die_with_parent) as flusher:
        place.endings.callback(flusher.kill)
        links = [divmod(number, CHILDREN) for number in range(LINKS)]
        for parent, child in links:
            soak.request("PUT", parent, child, {"child": f"child{child}"})
        soak.resident["with all links"] = service.resident_bytes()
        expected = expected_elements(service.containers())
        assert len(expected) == LINKS
        eventually(lambda: elements() == expected)
        for parent, child in links:
            soak.request("DELETE", parent, child)
        soak.report(time.monotonic() - begin)
        flusher.kill()
    assert not soak.failed, soak.failed[:5]
    assert service.links() == {}
    eventually(lambda: elements() == set() and "docker0" in harness.nft("list", "ruleset"))
    assert service.client.get("/v1/plan")["changes"] == []
    assert service.status()["heals"] > 0


harness.main()
