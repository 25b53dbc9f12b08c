"""Links come and go one at a time while another program flushes the ruleset every 200 ms.

pytest -s soak.py [--links N]
"""
import subprocess
import sys
import time

from support import netfilter
from support.process import die_with_parent
from support.ruleset import nft
from support.service import Service, add_bridge, container, elements, eventually, expected_elements

CHILDREN = 50
FLUSH_INTERVAL = 0.2


def configuration():
    return "containers:\n" + "".join(
        f"  child{n}: {{bridge: docker0, addresses: [10.0.0.{n + 1}], expose: [6379]}}\n" for n in range(CHILDREN))


class Soak:
    def __init__(self, service, links):
        self.service, self.links, self.done, self.failed = service, links, 0, []
        self.resident = {"at the start": service.resident_bytes()}

    def request(self, method, parent, child, body=None):
        answer = self.service.client.send(method, f"/v1/links/web{parent}/child{child}", body)
        if answer.status not in (200, 201):
            self.failed.append(f"{method} web{parent}/child{child}: {answer.text}")
        self.done += 1
        if self.done == 2 * self.links // 10:
            self.resident["after 10 %"] = self.service.resident_bytes()

    def report(self, seconds):
        self.resident["at the end"] = self.service.resident_bytes()
        print(f"{self.links} links added and removed in {seconds:.1f} s; failed requests: {len(self.failed)}; "
              f"heals: {self.service.status()['heals']}")
        print("resident memory: " + ", ".join(f"{bytes >> 10} KiB {when}" for when, bytes in self.resident.items()))


def add_parents(service, links):
    parents = {f"web{n}": container(f"10.1.{n // 250}.{n % 250}") for n in range((links + CHILDREN - 1) // CHILDREN)}
    service.client.post("/v1/transaction", {"put": {"containers": parents}})


def test_every_change_is_made_while_another_program_flushes_the_ruleset(place, how_many):
    count = how_many("links", 5000)
    add_bridge()
    service = Service(place, configuration())
    add_parents(service, count)
    soak, begin = Soak(service, count), time.monotonic()
    with subprocess.Popen([sys.executable, "-B", netfilter.__file__, "inf", str(FLUSH_INTERVAL)],
                          preexec_fn=die_with_parent) as flusher:
        place.endings.callback(flusher.kill)
        links = [divmod(number, CHILDREN) for number in range(count)]
        for parent, child in links:
            soak.request("PUT", parent, child, {"child": f"child{child}"})
        soak.resident["with all links"] = service.resident_bytes()
        expected = expected_elements(service.containers())
        assert len(expected) == count
        eventually(lambda: elements() == expected)
        for parent, child in links:
            soak.request("DELETE", parent, child)
        soak.report(time.monotonic() - begin)
        flusher.kill()
    assert not soak.failed, soak.failed[:5]
    assert service.links() == {}
    eventually(lambda: elements() == set() and "docker0" in nft("list", "ruleset"))
    assert service.client.get("/v1/plan")["changes"] == []
    assert service.status()["heals"] > 0
