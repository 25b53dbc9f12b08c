"""The service under clients of all kinds: the stream of events, slow readers, and those who mean no good."""
import select
import socket
import subprocess
import sys
import threading
import time

import pytest

from support import hostile
from support.process import die_with_parent
from support.service import PATIENCE, Service, add_bridge, container, eventually

CONFIGURATION = "containers: {redis: {bridge: docker0, addresses: [10.0.0.2], expose: [6379]}}"


def numbers(records):
    return [record["seq"] for record in records]


def without_gaps(records):
    return numbers(records) == list(range(records[0]["seq"], records[0]["seq"] + len(records)))


def test_events_are_numbered_without_gaps_and_say_what_happened(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    first, client = service.events(), service.client
    client.put("/v1/containers/web", container("10.1.0.1", links=["redis:db"]))
    second = service.events()
    client.put("/v1/links/web/other", {"child": "redis"})
    client.delete("/v1/links/web/db")
    client.delete("/v1/containers/web")
    client.post("/v1/reload")
    first.until("reloaded")
    second.until("reloaded")
    shown = [(record["event"], record.get("link"), record.get("by")) for record in first.records]
    assert shown == [("link_added", "/web/db", "api"), ("link_added", "/web/other", "api"), ("link_removed", "/web/db", "api"),
                     ("link_removed", "/web/other", "api"), ("reloaded", None, None)], shown
    assert first.records[0].items() >= {"parent": "web", "child": "redis", "alias": "db"}.items()
    assert without_gaps(first.records) and second.records == first.records[1:], numbers(first.records)
    assert service.status()["events"] == first.records[-1]["seq"]
    service.stop()
    assert first.next()["event"] == "stopping" and first.next() is None


def configuration(count):
    return "containers:\n  redis: {bridge: docker0, addresses: [10.0.0.2], expose: [6379]}\n" + "".join(
        f"  web{n}: {{bridge: docker0, addresses: [10.1.{n // 250}.{n % 250}], links: [redis]}}\n" for n in range(count))


def test_a_reader_that_is_too_slow_is_told_so_and_others_lose_nothing(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    slow, quick = service.events(), service.events()
    for _ in range(6):  # more than the service keeps
        for count in (3000, 0):
            service.write(configuration(count))
            service.client.post("/v1/reload")
            quick.until("reloaded")
    assert without_gaps(quick.records) and len(quick.records) == 12 * 3001, len(quick.records)
    while slow.next() is not None:
        pass
    *taken, last = slow.records
    assert last["event"] == "dropped" and "too slow" in last["message"], last
    assert taken == quick.records[:len(taken)] and len(taken) < 36000, "whole records up to where it fell behind"


def test_a_reader_that_reads_gets_all_of_one_large_change(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    events = service.events()
    reader = threading.Thread(target=lambda: list(iter(events.next, None)))
    reader.start()
    service.write(configuration(3000))
    service.client.post("/v1/reload")
    eventually(lambda: events.records and events.records[-1]["event"] in ("reloaded", "dropped"))
    service.stop()
    reader.join(PATIENCE)
    assert "dropped" not in {record["event"] for record in events.records}, events.records[-1]
    assert without_gaps(events.records) and len(events.records) == 3002, len(events.records)


def read_answer(client):
    """One answer's status and body from a socket."""
    stream = client.makefile("rb")
    status, size = int(stream.readline().split()[1]), 0
    while (line := stream.readline().strip()):
        if line.lower().startswith(b"content-length:"):
            size = int(line.split(b":")[1])
    return status, stream.read(size)


def test_a_request_may_come_one_byte_at_a_time(place):
    service = Service(place, CONFIGURATION)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(service.socket))
        for byte in hostile.REQUEST:
            client.send(bytes([byte]))
            time.sleep(0.01)
        assert read_answer(client)[0] == 200


def refused(service, data, statuses):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(service.socket))
        try:
            client.sendall(data)
        except BrokenPipeError:
            pass  # it has refused before all was sent
        status, body = read_answer(client)
        assert status in statuses and b'"code"' in body, (data[:60], status, body)


def test_what_is_no_request_is_refused(place):
    service = Service(place, CONFIGURATION)
    refused(service, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", [400])
    refused(service, b"GET /v1/links\r\n\r\n", [400])
    refused(service, b"GET /v1/links HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100000 + b"\r\n\r\n", [431])
    refused(service, b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", [400, 404])
    refused(service, b"PUT /v1/containers/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", [413])
    refused(service, b"PUT /v1/containers/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"10000\r\n" + b"x" * 65536 + b"\r\n" + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 16, [413])
    assert service.client.send("GET", "/v1/links").status == 200


@pytest.mark.parametrize("what", ("idle_connections", "half_requests", "garbage", "never_reading", "hanging_up"))
def test_clients_are_served_beside_one_with(place, what):
    add_bridge()
    service = Service(place, CONFIGURATION)
    service.client.put("/v1/containers/web", container("10.1.0.1", links=["redis:db"]))
    events, before, connection = service.events(), service.resident_bytes(), service.client.connection.sock
    with subprocess.Popen([sys.executable, "-B", hostile.__file__, what, service.socket], stdout=subprocess.PIPE,
                          preexec_fn=die_with_parent) as enemy:
        place.endings.callback(enemy.kill)
        worst, begun, end = 0, False, time.monotonic() + 30
        while time.monotonic() < end:
            begin = time.monotonic()
            service.links()
            service.client.delete("/v1/containers/web")
            service.client.put("/v1/containers/web", container("10.1.0.1", links=["redis:db"]))
            worst = max(worst, time.monotonic() - begin)
            if not begun and (begun := bool(select.select([enemy.stdout], [], [], 0)[0])):
                end = time.monotonic() + 1
        enemy.kill()
    assert begun
    assert service.client.connection.sock is connection, "never cut off"
    grown = service.resident_bytes() - before
    print(f"worst of three requests: {worst * 1000:.0f} ms; grown by {grown >> 10} KiB")
    assert worst < 2, worst
    assert grown < 64 << 20, grown
    service.client.delete("/v1/containers/web")
    events.until("link_removed")
    eventually(lambda: service.status()["clients"] == 2)
