"""Records what real engines answer, for the unit suites' fake one: record.py FOLDER.

Answers lose the fields that nobody here reads, and change in nothing else. The events' stream is kept byte for byte.
"""
import contextlib
import json
import pathlib
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from support import engine  # pylint: disable=wrong-import-position
from support.engine import IMAGE, Docker, Podman  # pylint: disable=wrong-import-position

KEPT = {
    "": ["Id", "Name", "Created", "State", "RestartCount", "Config", "HostConfig", "NetworkSettings"],
    "Config": ["Hostname", "Env", "ExposedPorts", "Labels", "Image"],
    "HostConfig": ["NetworkMode", "PortBindings", "Links", "ExtraHosts", "PublishAllPorts"],
}


def trim(record):
    record = {key: value for key, value in record.items() if key in KEPT[""]}
    for name in ("Config", "HostConfig"):
        record[name] = {key: value for key, value in record[name].items() if key in KEPT[name]}
    return record


class Stream:
    """A question whose answer goes on; what has come, with the time of each piece."""

    def __init__(self, path, target):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: docker\r\n\r\n".encode())
        self.pieces = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        with contextlib.suppress(OSError):
            while piece := self.socket.recv(65536):
                self.pieces.append((time.time(), piece))
        self.pieces.append((time.time(), b""))

    def bytes(self):
        return b"".join(piece for _, piece in self.pieces)

    def lines(self):
        """The events; chunks are joined."""
        head, _, body = self.bytes().partition(b"\r\n\r\n")
        text = b""
        while b"chunked" in head.lower() and body:
            size, _, rest = body.partition(b"\r\n")
            length = int(size, 16)
            text, body = text + rest[:length], rest[length + 2:]
        return [json.loads(line) for line in text.splitlines() if line]

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


def without_kernel(value):
    """The version, without the one thing in it that is the recording machine's."""
    if isinstance(value, dict):
        return {key: without_kernel(field) for key, field in value.items() if key != "KernelVersion"}
    return [without_kernel(each) for each in value] if isinstance(value, list) else value


def write(folder, name, value):
    text = value if isinstance(value, str) else json.dumps(value, indent=2, sort_keys=True) + "\n"
    (folder / name).write_text(text)


def stand(running, is_docker):
    """The containers whose inspection is kept; their names."""
    running("network", "create", "--ipv6", "--subnet", "172.30.0.0/24", "--subnet", "fd00:30::/64", "--label",
            "purpose=test", "back")
    running("run", "-d", "--name", "redis", IMAGE)
    link = ["--link", "redis:db", "--link", "redis:cache"] if is_docker else []
    sleep = [IMAGE, "sleep", "600"]
    running("run", "-d", "--name", "web", *link, "-p", "8080:80", "-p", "5353:53/udp", "--expose", "9000-9001", "-e", "A=b c",
            "--label", "nftlink.links=redis:db", *sleep)
    running("run", "-d", "--name", "app-api-1", "--network", "back", "--network-alias", "api", "--label",
            "com.docker.compose.project=app", "--label", "com.docker.compose.service=api", "--label",
            "com.docker.compose.container-number=1", *sleep)
    if is_docker:
        running("run", "-d", "--name", "linked", "--network", "back", "--link", "app-api-1:backend", *sleep)
    else:
        running("run", "-d", "--name", "linked", "--network", "back", *sleep)
    running("run", "-d", "--name", "host", "--network", "host", *sleep)
    running("run", "-d", "--name", "shared", "--network", "container:redis", *sleep)
    running("run", "-d", "--name", "isolated", "--network", "none", *sleep)
    running("run", "-d", "--name", "both", *sleep)
    running("network", "connect", "back", "both")
    running("run", "-d", "--name", "stopped", IMAGE)
    running("stop", "stopped")
    running("create", "--name", "created", IMAGE)
    running("run", "-d", "--name", "paused", *sleep)
    running("pause", "paused")
    return ["redis", "web", "app-api-1", "linked", "host", "shared", "isolated", "both", "stopped", "created", "paused"]


def happen(running):
    """What the recorded events are about."""
    for words in (("run", "-d", "--name", "life", IMAGE), ("network", "connect", "back", "life"),
                  ("network", "disconnect", "back", "life"), ("rename", "life", "renamed"), ("restart", "renamed"),
                  ("pause", "renamed"), ("unpause", "renamed"), ("stop", "renamed"), ("start", "renamed"),
                  ("kill", "renamed"), ("rm", "renamed"), ("run", "-d", "--name", "dropped", IMAGE), ("rm", "-f", "dropped"),
                  ("run", "--rm", "--name", "short", IMAGE, "true"), ("network", "create", "more"),
                  ("network", "rm", "more")):
        running(*words)
        time.sleep(0.3)


def record(kind, folder):
    is_docker = kind is Docker
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--ipv6", "--fixed-cidr-v6", "fd00:17::/64"] if is_docker else []
    with tempfile.TemporaryDirectory(prefix="nftlink-") as work, kind(work, options) as running:
        names = stand(running, is_docker)
        write(folder, "version.json", without_kernel(running.ask("/version")))
        write(folder, "containers.json", running.ask("/containers/json?all=true"))
        write(folder, "networks.json", running.ask("/networks"))
        for network in ("bridge" if is_docker else "podman", "back"):
            write(folder, f"network-{network}.json", running.ask(f"/networks/{network}"))
        if not is_docker:
            write(folder, "libpod-networks.json", running.ask("/v4.0.0/libpod/networks/json"))
        for name in names:
            write(folder, f"container-{name}.json", trim(running.inspect(name)))
        stream = Stream(running.socket, "/events")
        time.sleep(0.5)
        happen(running)
        time.sleep(0.5)
        stream.close()
        (folder / "events.http").write_bytes(stream.bytes())
        write(folder, "events.json", stream.lines())


if __name__ == "__main__":
    reason = engine.why_not()
    if reason:
        sys.exit(reason)
    record(Docker, pathlib.Path(sys.argv[1]) / "docker-20.10")
    record(Podman, pathlib.Path(sys.argv[1]) / "podman-4.3")
