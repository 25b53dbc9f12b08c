"""nftlinkd as the program tests use it: started in a case's folder, asked through its socket, watched from outside."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

from support import programs
from support.process import die_with_parent, run
from support.ruleset import nft
from support.unix_http import UnixConnection

PATIENCE = 15  # seconds: far over what anything here takes, also on a busy machine

SEED = """
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis:db]}
"""


def eventually(check, patience=PATIENCE):
    """What check returns, as soon as that is true."""
    deadline = time.monotonic() + patience
    while not (found := check()):
        assert time.monotonic() < deadline, f"not after {patience} s: {check.__name__}, {found!r}"
        time.sleep(0.01)
    return found


def add_bridge(name="docker0"):
    run("ip", "link", "add", name, "type", "bridge")


def container(address, expose=(), links=(), bridge="docker0"):
    """A record as the API takes it."""
    record = {"bridge": bridge, "addresses": [address]}
    return record | ({"expose": list(expose)} if expose else {}) | ({"links": list(links)} if links else {})


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.text = response.status, response.headers, response.read().decode()

    @property
    def record(self):
        return json.loads(self.text)


class Client:
    """A client with one connection, which is made anew when the service has closed it."""

    def __init__(self, path):
        self.connection = UnixConnection(path)

    def send(self, method, path, body=None):
        text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        try:
            self.connection.request(method, path, text)
            return Answer(self.connection.getresponse())
        except Exception:
            self.connection.close()
            raise

    def ask(self, method, path, body=None, status=200):
        answer = self.send(method, path, body)
        assert answer.status == status, f"{method} {path}: {answer.status}, not {status}: {answer.text}"
        return answer.record

    def get(self, path):
        return self.ask("GET", path)

    def put(self, path, body, status=201):
        return self.ask("PUT", path, body, status)

    def delete(self, path, status=200):
        return self.ask("DELETE", path, None, status)

    def post(self, path, body="", status=200):
        return self.ask("POST", path, body, status)


class Events:
    """A reader of the stream of events; records has all that have come."""

    def __init__(self, path):
        self.connection = UnixConnection(path)
        self.connection.request("GET", "/v1/events")
        self.response = self.connection.getresponse()
        assert self.response.status == 200 and self.response.headers["Content-Type"] == "application/x-ndjson"
        self.records = []

    def next(self):
        """The next record; None at the end of the stream."""
        line = self.response.readline()
        if not line:
            return None
        self.records.append(json.loads(line))
        return self.records[-1]

    def until(self, event, **fields):
        """Reads on to the next record of this kind with these fields."""
        while (record := self.next()) is not None:
            if record["event"] == event and fields.items() <= record.items():
                return record
        raise AssertionError(f"the stream ended without {event} {fields}: {self.records}")

    def close(self):
        self.connection.close()


class Service:
    """A running nftlinkd, which ends with the case."""

    def __init__(self, place, text=SEED, control="group: root"):
        self.place = place
        self.socket, self.state, self.log_file = (place.folder / name for name in ("nftlink.sock", "state", "log"))
        self.head = f"control: {{socket: {self.socket}, {control}}}\nstate: {{directory: {self.state}}}\n"
        self.write(text)
        self.start()

    def write(self, text):
        """Replaces the configuration."""
        self.place.write(self.head + text)

    def start(self):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([programs.nftlinkd, "-c", self.place.file], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=die_with_parent)
        self.place.endings.callback(self.kill)
        self.client = Client(self.socket)
        eventually(self.answers)

    def answers(self):
        assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.log()}"
        try:
            return self.client.send("GET", "/v1/status").status == 200
        except OSError:  # no socket yet, or one of the service before it
            return False

    def stop(self):
        """Ends it as systemd does; the status, and how long it took."""
        begin = time.monotonic()
        self.process.terminate()
        return self.process.wait(PATIENCE), time.monotonic() - begin

    def kill(self):
        self.process.kill()
        self.process.wait()

    def status(self):
        return self.client.get("/v1/status")

    def links(self):
        return {link["name"]: link for link in self.client.get("/v1/links")["links"]}

    def containers(self):
        return self.client.get("/v1/containers")["containers"]

    def events(self):
        reader = Events(self.socket)
        self.place.endings.callback(reader.close)
        return reader

    def log(self):
        return self.log_file.read_text(errors="replace")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def stored_text(self):
        """What the state directory holds."""
        return {str(path.relative_to(self.state)): path.read_text() for path in sorted(self.state.rglob("*.yaml"))}


def sets_in(listing):
    """The elements' keys of each set in nft's JSON, by its name: those of pairs and more, as tuples."""
    found = {}
    for entry in listing["nftables"]:
        entry = entry.get("add", entry)
        record = entry.get("set") or entry.get("element") or {}
        values = [each.get("elem", each) for each in record.get("elem", ()) if isinstance(each, dict)]
        keys = {tuple(value.get("val", value).get("concat", ())) for value in values if isinstance(value.get("val", value), dict)}
        if record:
            found.setdefault(record["name"], set()).update(keys)
    return found


def permissions_in(listing):
    """What passes by nft's JSON: (parent's address, child's address, protocol, port). Answers have an element each, with the
    child's bridge, which is another one than the parent's where the link is routed: one that is missing, or too many, is
    found too, as itself."""
    sets = sets_in(listing)
    links, replies = (sets.get(f"{name}4", set()) | sets.get(f"{name}6", set()) for name in ("links", "replies"))
    asked = {key[1:] for key in links}
    answered = {(parent, child, *service) for _, child, parent, *service in replies}
    return asked & answered | {("without an answer", *key) for key in asked - answered} | \
        {("an answer to nothing", *key) for key in answered - asked}


def elements():
    """What the kernel lets pass."""
    return permissions_in(json.loads(nft("-j", "list", "ruleset")))


def expected_elements(containers):
    """What it should let pass with these containers: records of one bridge, one address and ports of tcp each."""
    found = set()
    for parent in containers.values():
        for link in parent.get("links", ()):
            child = containers[link.partition(":")[0]]
            found |= {(parent["addresses"][0], child["addresses"][0], "tcp", int(str(port).partition("/")[0]))
                      for port in child.get("expose", ())}
    return found


def stored_elements(service):
    """What the state directory stands for: nftlink reads it as it reads a configuration."""
    folder = service.place.folder / "as-configuration"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "conf.d").mkdir(parents=True)
    shutil.copy(service.place.file, folder)
    for file in (service.state / "containers").glob("*.yaml"):
        shutil.copy(file, folder / "conf.d")
    run(programs.nftlink, "check", "-c", folder / service.place.file.name)
    return permissions_in(json.loads(run(programs.nftlink, "render", "--json", "-c", folder / service.place.file.name).stdout))


def assert_consistent(service):
    """The kernel, what the service says and its state directory are about the same links."""
    expected = expected_elements(service.containers())
    assert elements() == expected, elements() ^ expected
    assert stored_elements(service) == expected
    links = service.links()
    assert all(link["installed"] for link in links.values()), links
    stated = {f"/{name}/{link.partition(':')[2] or link}" for name, record in service.containers().items()
              for link in record.get("links", ())}
    assert links.keys() == stated, links.keys() ^ stated
