"""Clients that race for the same containers and links."""
import collections
import random
import threading
import time

from support.service import Client, Service, add_bridge, assert_consistent, container

SECONDS = 3
CHILDREN = [f"child{n}" for n in range(3)]
CONFIGURATION = "containers:\n" + "".join(
    f"  {name}: {{bridge: docker0, addresses: [10.0.0.{n + 1}], expose: [{1000 + n}]}}\n" for n, name in enumerate(CHILDREN))


def race(path, number, end, statuses, failures):
    """Some changes are about this client's own containers, some about those that all share, some about one address."""
    try:
        client, source = Client(path), random.Random(number)
        while time.monotonic() < end:
            which = source.choice((10 + number, source.randrange(3)))
            child = source.choice(CHILDREN)
            address = f"10.1.0.{source.choice((which + 1, 99))}"
            kind = source.randrange(5)
            if kind == 0:
                answer = client.send("PUT", f"/v1/containers/web{which}", container(address, links=[child]))
            elif kind == 1:
                answer = client.send("DELETE", f"/v1/containers/web{which}")
            elif kind in (2, 3):
                answer = client.send("PUT", f"/v1/links/web{which}/{child}", {"child": child})
            else:
                answer = client.send("DELETE", f"/v1/links/web{which}/{child}")
            statuses[answer.status] += 1
            if answer.status not in (200, 201, 404, 409):
                failures.append(answer.text)
    except Exception as failure:  # shown by the case
        failures.append(repr(failure))


def test_racing_clients_leave_the_kernel_the_answers_and_the_disk_alike(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    statuses, failures, end = collections.Counter(), [], time.monotonic() + SECONDS
    racers = [threading.Thread(target=race, args=(service.socket, number, end, statuses, failures)) for number in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    print(dict(statuses))
    assert not failures, failures[:5]
    assert all(statuses[status] > 0 for status in (200, 201, 404, 409)), statuses
    assert_consistent(service)
    service.kill()
    service.start()
    assert_consistent(service)
