"""The verbs that talk to the service, with a stand-in for it."""
import contextlib
import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

from support import programs
from support.fake_service import event_stream, fake_service, raw_service, socket_path
from support.process import run
from support.ruleset import generation

LINKS = {"links": [
    {"name": "/web/db", "parent": "web", "child": "redis", "alias": "db", "bridges": ["docker0", "br-back"],
     "ports": ["53/udp", "6379/tcp", "6380/tcp", "6381/tcp"], "packets": 12, "bytes": 720, "installed": True, "source": "file"},
    {"name": "/web/cache-of-the-front", "parent": "web", "child": "memcached", "alias": "cache-of-the-front",
     "bridges": ["docker0"], "ports": [], "packets": 123456, "bytes": 9, "installed": False, "source": "api"}],
    "counters": True, "generation": 17}

STATUS = {
    "schema": 1, "version": "0.1.0", "pid": 812, "started": "2026-11-24T10:00:00.123Z", "uptime_seconds": 93784.5,
    "configuration": {"file": "/etc/nftlink/nftlink.yaml", "hash": "0b5c", "loaded": "2026-11-24T10:00:00.200Z", "refused": None},
    "containers": 3, "containers_api": 1, "links": {"desired": 2, "installed": 2}, "in_force": True,
    "bridges": [{"bridge": "docker0", "icc": "deny", "present": True, "enforced": True, "reason": ""}],
    "generation": 17, "heals": 0, "refused_changes": 0, "last_heal": None, "last_error": None, "clients": 1, "events": 5}

ALL = (["status"], ["list"], ["link", "web", "redis:db"], ["unlink", "web", "db"],
       ["add", "web", "--bridge", "docker0", "--address", "172.17.0.3"], ["rm", "web"], ["reload"], ["monitor"],
       ["top", "--count", "1"])
NO_COUNT = [[word for word in words if word not in ("--count", "1")] for words in ALL]


def test_without_a_service_each_verb_says_what_to_do(place):
    path = socket_path(place)
    expected = (f"nftlink: nftlinkd is not running (nothing answers at {path}): start it with "
                "systemctl start nftlinkd\n")
    for words in ALL:
        done = place.nftlink(*words, status=1)
        assert done.stderr == expected and done.stdout == "", done
    path.write_text("")  # left over, and nobody listens
    assert place.nftlink("status", status=1).stderr == expected
    for words in NO_COUNT:
        record = place.record(*words, status=1)
        assert record["code"] == "no_service" and len(record["errors"]) == 1, record


def test_a_socket_that_one_may_not_use_is_told_with_its_group(place):
    with fake_service(place, {}):
        path = place.folder / "control.sock"
        path.chmod(0)
        place.folder.chmod(0o755)
        words = [programs.nftlink, "status", "-c", place.file]
        if os.geteuid() == 0:  # root of the namespace, to whom modes mean nothing without this
            words = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", *words]
        done = run(*words, status=1)
    assert f"nftlink: no permission for {path}: only root and members of the group " in done.stderr, done


def test_list_is_a_table(place):
    with fake_service(place, {("GET", "/v1/links"): (200, LINKS)}):
        done = place.nftlink("list")
        assert done.stdout == (
            "LINK                     CHILD      BRIDGE           PORTS                 PACKETS  BYTES\n"
            "/web/db                  redis      docker0,br-back  53/udp,6379-6381/tcp       12    720\n"
            "/web/cache-of-the-front  memcached  docker0          -                      123456      9  NOT INSTALLED\n"), done.stdout
        record = place.record("list")
        assert record["links"] == LINKS["links"] and record["generation"] == 17, record


def test_no_links_are_no_table(place):
    with fake_service(place, {("GET", "/v1/links"): (200, {"links": [], "counters": True})}):
        done = place.nftlink("list")
        assert done.stdout == "" and done.stderr == "nftlink: there are no links\n", done


def test_status_has_every_fact_and_what_is_wrong_first(place):
    with fake_service(place, {("GET", "/v1/status"): (200, STATUS)}):
        text = place.nftlink("status").stdout
        assert text.startswith("nftlinkd 0.1.0, pid 812: running for 1 day 2 hours, since 2026-11-24 10:00:00Z\npolicy "), text
        for part in ("in force", "hash 0b5c", "3, 1 of them through the API", "2, all installed", "docker0  icc deny  present  enforced"):
            assert part in text, text
        record = place.record("status")
        assert record["links"] == {"desired": 2, "installed": 2} and record["last_heal"] is None, record
    bad = STATUS | {
        "in_force": False, "links": {"desired": 2, "installed": 1},
        "bridges": [{"bridge": "br-back", "icc": "allow", "present": False, "enforced": False, "reason": "the bridge is missing"}],
        "configuration": STATUS["configuration"] | {"refused": {"time": "2026-11-24T11:00:00Z", "errors": ["a.yaml:3:5: unknown key"]}},
        "heals": 2, "last_heal": {"time": "2026-11-24T11:30:00Z", "program": "nft", "pid": 99, "operations": 14, "seconds": 0.0021,
                                  "reason": "after a change by nft (pid 99)"},
        "last_error": {"time": "2026-11-24T11:31:00Z", "message": "no room"}}
    with fake_service(place, {("GET", "/v1/status"): (200, bad)}):
        lines = place.nftlink("status").stdout.splitlines()
    assert lines[1].startswith("NOT IN FORCE") and lines[2] == "NOT ENFORCED on br-back: the bridge is missing", lines
    assert lines[3].startswith("CONFIGURATION REFUSED at 2026-11-24 11:00:00Z") and lines[4] == "  a.yaml:3:5: unknown key", lines
    text = "\n".join(lines)
    for part in ("2 wanted, 1 INSTALLED", "after a change by nft (pid 99), 14 operations in 2.1 ms", ": no room"):
        assert part in text, text


def test_link_and_unlink_say_what_became_of_it(place):
    path = "/v1/links/web/db"
    for status, changed, words in ((201, True, "added"), (200, True, "changed"), (200, False, "is there already")):
        with fake_service(place, {("PUT", path): (status, {"link": "/web/db", "changed": changed, "generation": 20})}) as service:
            assert place.nftlink("link", "web", "redis:db").stdout == f"/web/db: {words}\n"
            assert service.asked == [("PUT", path, {"child": "redis"})]
            record = place.record("link", "web", "redis:db")
            assert record["changed"] is changed and record["generation"] == 20, record
    with fake_service(place, {("DELETE", path): (200, {"link": "/web/db", "changed": True, "generation": 21})}) as service:
        assert place.nftlink("unlink", "web", "db").stdout == "/web/db: removed\n"
        place.nftlink("link", "web", "redis", status=1)
        assert service.asked == [("DELETE", path, None), ("PUT", "/v1/links/web/redis", {"child": "redis"})]


def test_add_makes_the_containers_record(place):
    answer = (201, {"container": "redis", "changed": True, "generation": 18})
    with fake_service(place, {("PUT", "/v1/containers/redis"): answer}) as service:
        done = place.nftlink("add", "--address", "172.17.0.2,fd00::2", "--bridge", "docker0", "redis", "--expose", "6379,53/udp",
                             "--expose", "8000-8010", "--env", "A=1,2", "--env", "B=", "--link", "web:w", "--link", "log")
        assert done.stdout == "redis: added\n"
        place.nftlink("add", "redis", "--bridge", "docker0", "--address", "172.17.0.2", "--network", "br1=10.0.0.1,10.0.0.2",
                      "--network", "br1=10.0.0.3")
        assert [body for _, _, body in service.asked] == [
            {"bridge": "docker0", "addresses": ["172.17.0.2", "fd00::2"], "expose": ["6379", "53/udp", "8000-8010"],
             "environment": ["A=1,2", "B="], "links": ["web:w", "log"]},
            {"networks": {"docker0": ["172.17.0.2"], "br1": ["10.0.0.1", "10.0.0.2", "10.0.0.3"]}}], service.asked


def test_errors_of_a_record_name_the_option(place):
    errors = [{"message": "a port is 1 to 65535", "path": "/expose/1"}, {"message": "no '='", "path": "/environment/0"},
              {"message": "unknown", "path": "/networks/br1/0"}, {"message": "all of it", "path": ""}]
    answer = (422, {"code": "invalid", "errors": errors, **errors[0]})
    with fake_service(place, {("PUT", "/v1/containers/redis"): answer}):
        words = ["add", "redis", "--network", "br1=x", "--expose", "1,70000", "--env", "SECRET=sesame"]
        done = place.nftlink(*words, status=1)
        assert done.stdout == "" and done.stderr == ("nftlink: --expose 70000: a port is 1 to 65535\nnftlink: --env SECRET: no '='\n"
                                                     "nftlink: --network br1=x: unknown\nnftlink: all of it\n"), done
        record = place.record(*words, status=1)
        assert record["code"] == "invalid" and len(record["errors"]) == 4 and "sesame" not in str(record), record


def test_rm_says_which_links_ended(place):
    answer = (200, {"container": "redis", "changed": True, "ended_links": ["/web/db"], "generation": 19})
    with fake_service(place, {("DELETE", "/v1/containers/redis"): answer}):
        assert place.nftlink("rm", "redis").stdout == "redis: removed\n/web/db: ended\n"
        assert place.record("rm", "redis")["ended_links"] == ["/web/db"]
        done = place.nftlink("rm", "nobody", status=1)
        assert done.stderr == "nftlink: none\n", done


def test_reload_shows_errors_as_check_does(place):
    placed = [{"message": "odd", "file": "a.yaml", "line": 1, "column": 2}]
    answer = (200, {"changed": True, "hash": "0b5c", "warnings": ["a.yaml:1:2: odd"], "placed_warnings": placed, "generation": 23})
    with fake_service(place, {("POST", "/v1/reload"): answer}):
        done = place.nftlink("reload")
        assert done.stdout == "the configuration was read again: changed, hash 0b5c\n" and done.stderr == "a.yaml:1:2: warning: odd\n"
        assert place.record("reload")["warnings"] == placed
    errors = [{"message": "/e/n.yaml:3:5: unknown key 'x'", "path": "", "file": "/e/n.yaml", "line": 3, "column": 5},
              {"message": "/e/n.yaml:4:1: odd: thing", "path": "", "file": "/e/n.yaml", "line": 4, "column": 1}]
    with fake_service(place, {("POST", "/v1/reload"): (422, {"code": "invalid", "errors": errors, **errors[0]})}):
        done = place.nftlink("reload", status=1)
        assert done.stderr == "/e/n.yaml:3:5: unknown key 'x'\n/e/n.yaml:4:1: odd: thing\n", done
        error = place.record("reload", status=1)["errors"][0]
        assert error == {"file": "/e/n.yaml", "line": 3, "column": 5, "message": "unknown key 'x'"}, error


def test_env_and_run_of_a_container_that_the_file_has_not_ask_the_service(place):
    known = {("GET", "/v1/containers/told/env"): (200, {"variables": {"DB_PORT": "tcp://1", "DB_NAME": "/told/db"}, "warnings": ["odd"]}),
             ("GET", "/v1/containers/told/env?dialect=docker-28"): (200, {"variables": {"A": "28"}, "warnings": []})}
    with fake_service(place, known) as service:
        done = place.nftlink("env", "told")
        assert done.stdout == "DB_PORT=tcp://1\nDB_NAME=/told/db\n" and done.stderr == "nftlink: warning: odd\n", done
        assert place.nftlink("env", "told", "--dialect", "docker-28", "--format", "null").stdout == "A=28\0"
        assert place.record("env", "told")["variables"] == {"DB_PORT": "tcp://1", "DB_NAME": "/told/db"}
        assert place.nftlink("run", "told", "--", "sh", "-c", "echo $DB_NAME").stdout == "/told/db\n"
        count = len(service.asked)
        assert place.nftlink("env", "web").stdout.startswith("DB_PORT=") and len(service.asked) == count
        done = place.nftlink("env", "wed", status=1)
        assert "nor does the running nftlinkd know one; did you mean 'web'?" in done.stderr, done


def test_names_that_are_none_never_reach_the_service(place):
    with fake_service(place, {}) as service:
        for words in (["link", "web", "redis:"], ["link", "", "redis"], ["unlink", "web", "a/b"], ["rm", ".."],
                      ["add", "a b", "--bridge", "x", "--address", "1"]):
            assert "is not a valid name" in place.nftlink(*words, status=64).stderr
        assert service.asked == []


def test_wrong_usage_is_64(place):
    for words in (["add", "x"], ["add", "x", "--bridge", "b"], ["add", "x", "--address", "1.2.3.4"], ["add", "x", "--network", "b"],
                  ["link", "web"], ["top", "--interval", "0"], ["top", "--interval", "x"], ["top", "--count", "0"],
                  ["top", "--json", "--count", "2"], ["status", "more"]):
        done = place.nftlink(*words, status=64)
        assert done.stdout == "" or "--json" in words, done


HOSTILE = {
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00 what?\r\n\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "a cut body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"links\": [",
    "no JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "no record": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "an endless head": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000,
    "an error page": b"HTTP/1.1 500 Oh\r\nContent-Length: 6\r\n\r\n<html>",
    "an error without words": b"HTTP/1.1 404 Oh\r\nContent-Length: 0\r\n\r\n",
    "a body without end": b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\n{",
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "deep JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + b"[" * 40000,
}


def test_hostile_answers_give_one_clear_line(place):
    for name, answer in HOSTILE.items():
        def converse(connection, answer=answer):
            connection.recv(65536)
            connection.sendall(answer)
        with raw_service(place, converse):
            for words in ALL:
                done = place.nftlink(*words, status=1)
                assert done.stderr.startswith("nftlink: ") and done.stderr.count("\n") == 1, (name, words, done)
                assert "nftlinkd" in done.stderr and done.stdout == "", (name, words, done)
            if name in ("nothing", "a cut body"):
                assert "whether the change was made is unknown" in place.nftlink("rm", "web", status=1).stderr
                assert "unknown" not in place.nftlink("list", status=1).stderr


def test_records_of_other_kinds_are_survived(place):
    wrong = {"links": {"desired": "x"}, "bridges": [1, None, {"bridge": 5}], "configuration": [], "uptime_seconds": 1e300,
             "pid": -1, "last_heal": {"time": 5}, "last_error": "x", "version": "\x1b[31m"}
    with fake_service(place, {("GET", "/v1/status"): (200, wrong), ("GET", "/v1/links"): (200, {"links": [1, {}, {"ports": [7, "x"]}]}),
                              ("PUT", "/v1/links/web/db"): (200, {}), ("DELETE", "/v1/containers/x"): (200, {"ended_links": [1]})}):
        assert "\x1b" not in place.nftlink("status").stdout
        assert len(place.nftlink("list").stdout.splitlines()) == 4
        place.nftlink("link", "web", "redis:db")
        place.nftlink("rm", "x")
        place.nftlink("top", "--count", "1", "--interval", "0.1")
    with fake_service(place, {("GET", "/v1/links"): (200, {"links": 5})}):
        assert "no list of links" in place.nftlink("list", status=1).stderr


@contextlib.contextmanager
def kept_namespace():
    """As a running nftlinkd keeps it: by a socket with this name."""
    with socket.socket(socket.AF_UNIX) as keeper:
        keeper.bind("\0nftlinkd")
        keeper.listen()
        yield f"nftlinkd (pid {os.getpid()})"


def test_a_running_services_ruleset_is_left_alone(place):
    socket_path(place)
    with open(place.file, "a", encoding="utf-8") as file:  # not the host's own, which may be another user's
        file.write(f"state: {{directory: {place.folder}/state}}\n")
    with kept_namespace() as service:
        before = generation()
        done = place.nftlink("apply", status=1)
        assert done.stdout == "" and done.stderr == (
            f"nftlink: {service} is running and keeps the ruleset by itself: use nftlink reload to apply the configuration\n"), done
        done = place.nftlink("clear", status=1)
        assert done.stderr.startswith(f"nftlink: {service} is running and would put back") and "systemctl stop" in done.stderr
        assert "nftlinkd" in place.record("apply", status=1)["errors"][0]["message"] and place.record("clear", status=1)
        assert generation() == before
        done = place.nftlink("plan", status=2)
        assert "add table inet nftlink" in done.stdout and f"{service} is running" in done.stderr, done
    place.nftlink("apply")
    assert "running" not in place.nftlink("plan", status=0).stderr
    assert "there is no container 'told'" in place.nftlink("hosts", "told", status=1).stderr
    place.nftlink("clear")


def start(place, *words, **streams):
    return subprocess.Popen([programs.nftlink, words[0], "-c", place.file, *words[1:]], stderr=subprocess.PIPE, text=True,
                            **{"stdout": subprocess.PIPE} | streams)


EVENTS = ['{"seq":1,"time":"2026-11-24T10:00:00.5Z","event":"link_added","link":"/web/db","child":"redis","by":"api"}\n',
          '{"seq":2,"time":"2026-11-24T10:00:01.5Z","event":"healed","program":"n\\u001bft","pid":9,"operations":1,"seconds":0.002}\n']


def until(event):
    return lambda: event.wait(20)


def test_monitor_prints_each_event_at_once_and_ends_with_a_signal(place):
    for number in (signal.SIGINT, signal.SIGTERM):
        over = threading.Event()
        with raw_service(place, event_stream(EVENTS, until(over))):
            monitor = start(place, "monitor")
            assert monitor.stdout.readline() == "2026-11-24 10:00:00Z  link /web/db to redis added, through the API\n"
            assert monitor.stdout.readline() == ("2026-11-24 10:00:01Z  repaired after a change by n\\x1bft (pid 9): "
                                                 "1 operation in 2.0 ms\n")
            monitor.send_signal(number)
            assert monitor.wait(10) == 0 and monitor.stderr.read() == ""
            lines = start(place, "monitor", "--json")
            assert [lines.stdout.readline(), lines.stdout.readline()] == EVENTS
            lines.send_signal(number)
            assert lines.wait(10) == 0 and lines.stdout.read() == "", "no record at the end"
            over.set()


def test_monitor_passes_lines_of_json_through_and_says_when_the_service_goes(place):
    with raw_service(place, event_stream(EVENTS, lambda: None)):
        done = place.nftlink("monitor", "--json", status=1)
        lines = done.stdout.splitlines(keepends=True)
        assert lines[:2] == EVENTS and done.stderr == "", done
        end = json.loads(lines[2])
        assert len(lines) == 3 and end["ok"] is False and end["code"] == "no_answer" and "nftlinkd" in end["errors"][0]["message"], lines
        done = place.nftlink("monitor", status=1)
        assert done.stdout.count("\n") == 2 and done.stderr.startswith("nftlink: nftlinkd at "), done
    ended = event_stream([*EVENTS, ""], lambda: None)  # an empty chunk is the last
    with raw_service(place, ended):
        done = place.nftlink("monitor", status=1)
        assert "has stopped, or closed the connection" in done.stderr, done


def test_monitor_ends_quietly_when_nobody_reads(place):
    over = threading.Event()
    with raw_service(place, event_stream(EVENTS, until(over))):
        monitor = start(place, "monitor")
        assert monitor.stdout.readline() and monitor.stdout.readline()
        monitor.stdout.close()  # no further event comes
        assert monitor.wait(10) == 0 and monitor.stderr.read() == ""
        monitor = start(place, "monitor", "--json", stdout=open("/dev/full", "w"))
        assert monitor.wait(10) == 1 and "No space left" in monitor.stderr.read()
        over.set()


def test_monitor_is_not_held_up_by_a_reader_that_does_not_read(place):
    over = threading.Event()
    long = '{"event":"refused","message":"%s"}\n' % ("x" * 3000)  # so that none fits into the rest of the pipe's last page
    with raw_service(place, event_stream([long] * 200, until(over))):
        monitor = start(place, "monitor", "--json")
        time.sleep(0.5)
        monitor.terminate()
        assert monitor.wait(10) == 0
        over.set()
        monitor.stdout.close()


def test_a_line_without_end_is_not_kept(place):
    with raw_service(place, event_stream(["x" * 100000] * 20, lambda: None)):
        assert "a line without end" in place.nftlink("monitor", status=1).stderr


def counting():
    """Links whose counters run: /web/db faster in bytes, the other one in packets."""
    count = 0
    def links():
        nonlocal count
        count += 1
        rows = [LINKS["links"][1] | {"packets": 100 * count, "bytes": 100 * count}, LINKS["links"][0] | {"packets": count, "bytes": 9000 * count}]
        return LINKS | {"links": rows}
    return {("GET", "/v1/links"): (200, links)}


def test_top_prints_tables_one_after_the_other(place):
    with fake_service(place, counting()):
        begin = time.monotonic()
        done = place.nftlink("top", "--interval", "0.3", "--count", "2")
        assert 0.6 <= time.monotonic() - begin < 20 and done.stderr == "", done
        first, second = done.stdout.split("\n\n")
        for table in (first, second):
            lines = table.splitlines()
            assert lines[0].split() == ["LINK", "CHILD", "PACKETS/S", "BYTES/S"] and lines[1].startswith("/web/db "), lines
            assert lines[2].startswith("/web/cache") and lines[3].startswith("all 2 ") and len(lines) == 4, lines
            assert 10000 < float(lines[1].split()[-1]) <= 30100, lines
        record = place.record("top", "--interval", "0.2")
        assert [link["name"] for link in record["links"]] == ["/web/db", "/web/cache-of-the-front"]
        assert abs(record["links"][0]["bytes_per_second"] * record["seconds"] - 9000) < 1, record
        endless = start(place, "top", "--interval", "0.1")
        assert endless.stdout.readline() and endless.stdout.readline()
        endless.stdout.close()
        assert endless.wait(10) == 0 and endless.stderr.read() == ""


def test_top_needs_counters(place):
    with fake_service(place, {("GET", "/v1/links"): (200, LINKS | {"counters": False})}):
        assert "firewall.counters" in place.nftlink("top", status=1).stderr


def on_a_terminal(place, keys):
    """What top draws on a terminal of 6 lines, and the terminal's mode before, meanwhile and afterwards."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 30, 0, 0))
    modes = [termios.tcgetattr(terminal)]
    with subprocess.Popen([programs.nftlink, "top", "-c", place.file, "--interval", "0.1"], stdin=terminal, stdout=terminal,
                          stderr=terminal, start_new_session=True,
                          preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) as top:
        drawn = b""
        while drawn.count(b"\x1b[H") < 3:
            drawn += os.read(main, 4096)
        modes.append(termios.tcgetattr(terminal))
        os.write(main, keys)
        status = top.wait(10)
    modes.append(termios.tcgetattr(terminal))
    os.close(main)
    os.close(terminal)
    return status, drawn, modes


def test_top_on_a_terminal_redraws_and_leaves_it_as_it_was(place):
    with fake_service(place, counting()):
        for keys in (b"xyq", b"\x03"):
            status, drawn, (before, meanwhile, after) = on_a_terminal(place, keys)
            assert status == 0 and before == after != meanwhile, (status, before, meanwhile, after)
            screens = drawn.split(b"\x1b[H")[1:3]
            for screen in screens:
                lines = screen.split(b"\x1b[J")[0].replace(b"\x1b[K", b"").split(b"\r\n")[:-1]
                assert len(lines) == 4 and max(map(len, lines)) <= 30, lines  # of 5 lines, the last is the cursor's
                assert lines[0].startswith(b"nftlink top: 2 links") and lines[2].startswith(b"/web/db") and lines[3].startswith(b"all 2")
