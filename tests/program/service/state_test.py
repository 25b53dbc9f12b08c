"""What lasts: the state directory over restarts, damage and a full disk."""
import os

from support import programs
from support.process import run
from support.ruleset import generation, ruleset
from support.service import Service, add_bridge, assert_consistent, container, elements

CONFIGURATION = """
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
"""
AWKWARD = {"bridge": "docker0", "addresses": ["172.17.0.4", "fd00::4"], "expose": ["53/udp", "8000-8003/tcp"],
           "environment": ["QUOTES=it's \"$x\" # no comment", "EMPTY=", "COLON=a: b", "LINES=one\ntwo\n", "UTF8=ä☃", "NO_VALUE",
                           "YES=yes", "TAB=\t", "SPACES=  x  ", "EQUALS=a=b"]}


def test_what_it_was_told_survives_a_restart_and_a_kill(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    service.client.put("/v1/containers/awkward", AWKWARD)
    service.client.put("/v1/containers/web", container("172.17.0.3", links=["redis:db"]))
    service.client.put("/v1/links/web/a", {"child": "awkward"})
    containers, links, kernel = service.containers(), service.links(), elements()
    assert containers["awkward"]["environment"] == AWKWARD["environment"], containers["awkward"]
    before = generation()
    for end in (service.stop, service.kill):
        end()
        service.start()
        assert service.containers() == containers and service.links() == links and elements() == kernel
    assert generation() == before, "nothing to write"


def test_the_files_are_the_configurations_own_yaml_for_their_owner_alone(place):
    service = Service(place, CONFIGURATION)
    service.client.put("/v1/containers/awkward", AWKWARD)
    service.client.put("/v1/containers/web", container("172.17.0.3", links=["redis:db"]))
    files = sorted((service.state / "containers").iterdir())
    assert [file.name for file in files] == ["awkward.yaml", "web.yaml"], files
    for file in files:
        assert file.read_text().startswith("containers:\n") and file.stat().st_mode & 0o777 == 0o600, file
    assert service.state.stat().st_mode & 0o777 == 0o700
    copy = place.folder / "elsewhere.yaml"
    copy.write_text(files[0].read_text())
    run(programs.nftlink, "check", "-c", copy)
    record = service.client.get("/v1/containers/web/env")
    assert record["variables"]["DB_PORT"] == "tcp://172.17.0.2:6379"
    service.client.delete("/v1/containers/awkward")
    assert [file.name for file in (service.state / "containers").iterdir()] == ["web.yaml"]


def test_a_damaged_file_is_set_aside_and_the_rest_is_served(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    for number, name in enumerate(("broken", "emptied", "other", "twice", "web")):
        service.client.put(f"/v1/containers/{name}", container(f"172.17.1.{number}", links=["redis:db"]))
    service.stop()
    folder = service.state / "containers"
    (folder / "broken.yaml").write_bytes(b"\x00\xff: [")
    (folder / "emptied.yaml").write_bytes(b"")
    (folder / "other.yaml").write_text((folder / "web.yaml").read_text())  # of another name
    service.write(CONFIGURATION + "  twice: {bridge: docker0, addresses: [172.17.2.1]}\n")
    service.start()
    assert service.containers().keys() == {"redis", "twice", "web"} and service.links().keys() == {"/web/db"}
    for name in ("broken", "emptied", "other", "twice"):
        aside = folder / f"{name}.yaml.set-aside"
        assert aside.exists() and not (folder / f"{name}.yaml").exists(), name
        assert str(folder / f"{name}.yaml") in service.log() and str(aside) in service.log(), service.log()
    assert service.status()["last_error"] is not None
    assert_consistent(service)
    service.client.put("/v1/containers/broken", container("172.17.1.0"))
    service.stop()
    service.start()
    assert service.containers().keys() == {"redis", "twice", "web", "broken"}


def test_a_link_whose_child_has_left_the_configuration_ends(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    service.client.put("/v1/containers/web", container("172.17.0.3", links=["redis:db"]))
    service.stop()
    service.write("containers: {}")
    service.start()
    assert service.containers().keys() == {"web"} and service.links() == {} and elements() == set()
    assert "/web/db" in service.log()
    service.stop()
    service.write(CONFIGURATION)
    service.start()
    assert service.links() == {}, "it has ended for good: another redis does not inherit it"


def tiny_disk(place):
    """A state directory that can be full."""
    folder = place.folder / "state"
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", folder)
    place.endings.callback(run, "umount", "-l", folder)
    return folder


def fill(folder):
    with open(folder / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass


def test_a_full_disk_refuses_changes_and_nothing_else(place):
    add_bridge()
    folder = tiny_disk(place)
    service = Service(place, CONFIGURATION)
    client = service.client
    client.put("/v1/containers/web", container("172.17.0.3", links=["redis:db"]))
    events = service.events()
    fill(folder)
    before = (ruleset(), generation(), service.containers(), service.links(), service.stored_text())
    two = {name: container(f"172.17.3.{number}", links=["redis"]) for number, name in enumerate(("one", "two"))}
    for method, path, body in (("PUT", "/v1/containers/more", container("172.17.0.8", links=["redis"])),
                               ("PUT", "/v1/links/web/more", {"child": "redis"}),
                               ("POST", "/v1/transaction", {"put": {"containers": two}})):
        fault = client.ask(method, path, body, status=503)
        assert fault["code"] == "not_stored" and "No space left on device" in fault["message"], fault
        assert events.until("refused")["message"] == fault["message"]
        assert (ruleset(), generation(), service.containers(), service.links(), service.stored_text()) == before
    assert service.status()["refused_changes"] == 3
    (folder / "filler").unlink()
    client.put("/v1/containers/more", container("172.17.0.8", links=["redis"]))
    client.post("/v1/transaction", {"put": {"containers": two}})
    assert_consistent(service)
    service.kill()
    service.start()
    assert service.containers().keys() == {"redis", "web", "more", "one", "two"}
    assert_consistent(service)


def test_environment_files_follow_the_links(place):
    folder = place.folder / "env"
    service = Service(place, f"env: {{directory: {folder}, dialect: docker-28}}\n{CONFIGURATION}"
                             "  file: {bridge: docker0, addresses: [172.17.0.9], links: [redis]}\n")
    client = service.client

    def matches(*names):
        found = {file.name for file in folder.iterdir() if not file.name.startswith(".")}
        assert found == {f"{name}.env" for name in names}, found
        for name in names:
            file = folder / f"{name}.env"
            assert file.read_text() == service.client.send("GET", f"/v1/containers/{name}/env?format=env").text, name
            assert file.stat().st_mode & 0o777 == 0o600, name

    matches("redis", "file")
    assert (folder / "file.env").read_text() == place.nftlink("env", "file").stdout != ""
    client.put("/v1/containers/web", container("172.17.0.3", links=["redis:db"]))
    client.put("/v1/containers/mail", container("172.17.0.4", expose=[25]))
    client.put("/v1/links/web/m", {"child": "mail"})
    matches("redis", "file", "web", "mail")
    assert "M_PORT=tcp://172.17.0.4:25\n" in (folder / "web.env").read_text()
    client.put("/v1/containers/mail", container("172.17.0.5", expose=[26]), status=200)
    matches("redis", "file", "web", "mail")
    assert "M_PORT=tcp://172.17.0.5:26\n" in (folder / "web.env").read_text(), "the parent's file follows its child"
    client.delete("/v1/containers/mail")
    matches("redis", "file", "web")
    service.stop()
    (folder / "web.env").write_text("damaged")
    os.chmod(folder / "file.env", 0o644)
    (folder / "stranger.env").write_text("not ours")
    (service.state / "containers" / "web.yaml").unlink()
    service.start()
    assert (folder / "stranger.env").read_text() == "not ours"
    (folder / "stranger.env").unlink()
    matches("redis", "file")


def test_plan_reads_the_state_as_the_service_does(place):
    """A pipe hung it, and what the service had accepted, but not moved to its place before it was killed, was not seen."""
    add_bridge()
    service = Service(place, CONFIGURATION)
    assert "/late/db" not in place.nftlink("plan").stdout
    os.mkfifo(place.folder / "state/containers/pipe.yaml")
    pending = place.folder / "state/pending"
    pending.mkdir()
    (pending / "late.yaml").write_text(
        "containers: {late: {bridge: docker0, addresses: [172.17.0.99], links: ['redis:db']}}\n")
    planned = place.nftlink("plan", status=2)
    assert "/late/db" in planned.stdout and "pipe.yaml" in planned.stderr, planned
    assert service.process.poll() is None
