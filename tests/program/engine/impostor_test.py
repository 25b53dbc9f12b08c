"""nftlinkd beside what only says that it is a container engine: it hangs, trickles, or answers garbage."""
import contextlib
import json
import socket
import threading
import time

from support.service import Service, add_bridge, elements, eventually

SEED = """
bridges: {docker0: {icc: deny}}
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis:db]}
"""
LINK = {("172.17.0.3", "172.17.0.2", "tcp", 6379)}


class Impostor:
    """Takes every connection and does this with it."""

    def __init__(self, place, behave):
        self.path, self.behave, self.seen = place.folder / "engine.sock", behave, 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(self.path))
        self.socket.listen()
        place.endings.callback(self.socket.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.seen += 1
                threading.Thread(target=self.answer, args=[connection], daemon=True).start()

    def answer(self, connection):
        with contextlib.suppress(OSError), connection:
            self.behave(connection)


def hang(connection):
    while connection.recv(4096):
        pass


def trickle(connection):
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b" " * 100000:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def say(text):
    def behave(connection):
        connection.recv(4096)
        connection.sendall(text)
    return behave


def flood(connection):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"[" * 0x10000 + b"\r\n")


def answer_json(record):
    body = json.dumps(record).encode()
    return say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def beside(place, behave):
    add_bridge()
    impostor = Impostor(place, behave)
    return impostor, Service(place, f"sources: {{docker: {{socket: {impostor.path}}}}}\n{SEED}")


def error_of(service):
    (source,) = service.status()["sources"]
    assert source["connected"] is False
    return source["error"]


def works(service):
    """All that is not the engine's goes on."""
    assert elements() == LINK
    service.client.put("/v1/links/web/cache", {"child": "redis"}, status=409)  # of the files
    service.client.put("/v1/containers/more", {"bridge": "docker0", "addresses": ["172.17.0.4"], "links": ["redis"]})
    assert len(elements()) == 2
    service.client.delete("/v1/containers/more")
    assert elements() == LINK


def test_one_that_hangs_blocks_nothing(place):
    impostor, service = beside(place, hang)
    works(service)
    eventually(lambda: "does not answer in time" in error_of(service) or None, patience=30)
    works(service)
    assert "NOT CONNECTED" in place.nftlink("status").stdout
    # A start with rules in the kernel asks it, but doesn't wait for ever.
    service.stop()
    service.start()
    works(service)
    assert impostor.seen >= 3
    assert service.stop()[0] == 0


def test_one_that_trickles_blocks_nothing(place):
    _, service = beside(place, trickle)
    works(service)
    eventually(lambda: "does not answer in time" in error_of(service) or None, patience=30)
    assert service.stop()[0] == 0


def test_garbage_is_told_and_tried_again(place):
    impostor, service = beside(place, say(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))
    eventually(lambda: "does not speak HTTP" in error_of(service) or None)
    works(service)
    impostor.behave = answer_json({"hello": "world"})
    eventually(lambda: "no container engine" in error_of(service) or None)
    impostor.behave = answer_json({"Version": "99", "ApiVersion": "9.9", "MinAPIVersion": "9.8"})
    eventually(lambda: "API versions 9.8 to 9.9" in error_of(service) or None)
    impostor.behave = say(b"HTTP/1.1 500 Oops\r\nContent-Length: 23\r\n\r\n{\"message\": \"I am ill\"}\n")
    eventually(lambda: "500: I am ill" in error_of(service) or None)
    works(service)


def test_an_answer_without_end_costs_no_memory_without_end(place):
    impostor, service = beside(place, flood)
    eventually(lambda: "larger than any could be" in error_of(service) or None, patience=60)
    impostor.behave = hang
    works(service)
    assert service.resident_bytes() < 300 << 20


def test_a_socket_that_is_missing_or_none_of_an_engine(place):
    add_bridge()
    service = Service(place, f"sources: {{docker: {{socket: {place.folder}/nothing.sock}}}}\n{SEED}")
    eventually(lambda: "cannot connect: No such file" in error_of(service) or None)
    works(service)
    failed = place.nftlink("env", "nobody", status=1)
    assert "there is no container 'nobody'" in failed.stderr, failed.stderr
    service.stop()
    for verb in (["env", "nobody"], ["hosts", "nobody"], ["plan"], ["apply"]):
        failed = place.nftlink(*verb, status=1)
        assert f"no answer from the container engine at {place.folder}/nothing.sock" in failed.stderr, failed.stderr
    # What the files alone can tell needs no engine.
    assert "DB_NAME=/web/db" in place.nftlink("env", "web").stdout
    assert "links4" in place.nftlink("render").stdout
    place.nftlink("check")
