"""kill -9 at any instant: what was acknowledged is there afterwards, and a change that was not is there whole or not at all.

NFTLINK_CRASH_ROUNDS says how often; NFTLINK_CRASH_SEED repeats a run's changes (the instants are never quite the same).
"""
import copy
import http.client
import os
import random
import threading

from support.service import Service, add_bridge, assert_consistent, container, elements, expected_elements

ROUNDS = int(os.environ.get("NFTLINK_CRASH_ROUNDS", "40"))
SEED = int(os.environ.get("NFTLINK_CRASH_SEED", "0")) or random.randrange(1, 1 << 32)
CHILDREN = {f"child{n}": container(f"10.0.0.{n + 1}", expose=[1000 + n]) for n in range(4)}
CONFIGURATION = "containers:\n" + "".join(
    f"  {name}: {{bridge: docker0, addresses: {record['addresses']}, expose: {record['expose']}}}\n"
    for name, record in CHILDREN.items())


class Changes:
    """Random changes of up to eight parents, each as a request and as what is there after it."""

    def __init__(self, source):
        self.source = source

    def parent(self, number):
        links = self.source.sample(sorted(CHILDREN), self.source.randrange(4))
        return container(f"10.1.0.{number + 1}", links=sorted(links))

    def put_container(self, now):
        number = self.source.randrange(8)
        record = self.parent(number)
        return ("PUT", f"/v1/containers/web{number}", record), now | {f"web{number}": record}

    def delete_container(self, now):
        name = self.source.choice(sorted(now))
        return ("DELETE", f"/v1/containers/{name}", None), {key: now[key] for key in now if key != name}

    def put_link(self, now):
        name, child = self.source.choice(sorted(now)), self.source.choice(sorted(CHILDREN))
        after = copy.deepcopy(now)
        after[name]["links"] = sorted({*after[name].get("links", ()), child})
        return ("PUT", f"/v1/links/{name}/{child}", {"child": child}), after

    def transaction(self, now):
        """Some containers anew, others deleted: several files."""
        numbers = self.source.sample(range(8), self.source.randrange(2, 8))
        put = {f"web{number}": self.parent(number) for number in numbers}
        gone = [name for name in sorted(now) if name not in put and self.source.random() < 0.5]
        after = {key: value for key, value in (now | put).items() if key not in gone}
        return ("POST", "/v1/transaction", {"put": {"containers": put}, "delete": {"containers": gone}}), after

    def next(self, now):
        kinds = [self.put_container, self.transaction] + ([self.delete_container, self.put_link] if now else [])
        return self.source.choice(kinds)(now)


def links(containers):
    """By parent, what counts here: the order of links and their spelling are the service's."""
    return {name: sorted(link.partition(":")[0] for link in record.get("links", ()))
            for name, record in containers.items() if name not in CHILDREN}


def until_killed(service, changes, now, seconds):
    """Changes one after the other until the service is killed; what was acknowledged, and what was under way."""
    killer = threading.Timer(seconds, service.process.kill)
    killer.start()
    acknowledged = 0
    while True:
        request, after = changes.next(now)
        try:
            answer = service.client.send(*request)
        except (OSError, http.client.HTTPException):
            killer.join()
            service.process.wait()
            return now, after, acknowledged
        assert answer.status in (200, 201), (request, answer.text)
        now, acknowledged = after, acknowledged + 1


def test_what_was_acknowledged_survives_a_kill_at_any_instant(place):
    print(f"NFTLINK_CRASH_SEED={SEED} NFTLINK_CRASH_ROUNDS={ROUNDS}")
    source = random.Random(SEED)
    changes, now, acknowledged, came_through = Changes(source), {}, 0, 0
    add_bridge()
    service = Service(place, CONFIGURATION)
    for _ in range(ROUNDS):
        before, after, count = until_killed(service, changes, now, source.uniform(0.002, 0.12))
        allowed = [links(before), links(after)]
        assert elements() in [expected_elements(CHILDREN | state) for state in (before, after)], "the kernel after the kill"
        service.start()
        found = links(service.containers())
        assert found in allowed, f"{found} is none of {allowed}"
        assert_consistent(service)
        came_through += found != allowed[0]
        acknowledged += count
        now = before if found == allowed[0] else after
    print(f"{acknowledged} acknowledged changes; {came_through} that were not have come through")
    assert acknowledged > ROUNDS
    assert [entry.name for entry in service.state.iterdir() if entry.name in ("next", "pending")] == []
