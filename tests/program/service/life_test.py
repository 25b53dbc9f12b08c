"""The service's life: start, reload, stop, and who stands in its way."""
import signal

from support import programs
from support.process import run
from support.ruleset import generation, nft, ruleset
from support.service import SEED, Service, add_bridge, container, elements, eventually

MAIL = "  mail: {bridge: docker0, addresses: [172.17.0.4], links: [redis]}\n"


def test_sighup_reads_the_configuration_again_and_its_drop_ins(place):
    add_bridge()
    service = Service(place)
    events, first = service.events(), service.status()["configuration"]
    service.write(SEED + MAIL)
    place.write("containers: {api: {bridge: docker0, addresses: [172.17.0.5], links: [mail, redis:r]}}", name="conf.d/api.yaml")
    before = generation()
    service.process.send_signal(signal.SIGHUP)
    assert events.until("reloaded")["changed"] is True
    shown = {(record["event"], record["link"], record["by"]) for record in events.records[:-1]}
    assert shown == {("link_added", f"/{name}", "reload") for name in ("mail/redis", "api/mail", "api/r")}, shown
    assert generation() == before + 1
    assert service.links().keys() == {"/web/db", "/mail/redis", "/api/mail", "/api/r"}
    second = service.status()["configuration"]
    assert second["hash"] != first["hash"] and second["loaded"] >= first["loaded"] and second["refused"] is None, second


def test_a_reload_through_the_api_answers_with_the_outcome(place):
    add_bridge()
    service = Service(place)
    client, before = service.client, generation()
    same = client.post("/v1/reload")
    assert same["changed"] is False and same["hash"] == service.status()["configuration"]["hash"], same
    assert generation() == before
    service.write("containers: {}")
    done = client.post("/v1/reload")
    assert done["changed"] is True and done["hash"] != same["hash"] and done["generation"] == generation() == before + 1, done
    assert service.links() == {} and elements() == set()
    service.write("containers: {}\nlog: {level: debug}\nenv: {dialect: docker-28}\n")
    assert client.post("/v1/reload")["changed"] is True and generation() == before + 1


def test_a_reload_keeps_what_came_through_the_api(place):
    add_bridge()
    service = Service(place)
    service.client.put("/v1/containers/own", container("172.17.0.9", links=["redis", "web"]))
    service.write(SEED.replace("web:", "web2:"))
    service.client.post("/v1/reload")
    assert service.containers().keys() == {"redis", "web2", "own"}
    assert service.links().keys() == {"/web2/db", "/own/redis"}, "the link to a child that is gone has ended"
    assert ("172.17.0.9", "172.17.0.2", "tcp", 6379) in elements()


def test_a_bad_configuration_is_refused_with_its_errors_and_the_old_one_stays(place):
    add_bridge()
    service = Service(place)
    service.client.put("/v1/containers/own", container("172.17.0.9", links=["redis"]))
    client, events, listing, before = service.client, service.events(), ruleset(), generation()
    hash_before = service.status()["configuration"]["hash"]
    bad = {"firewal: {}\n": ":3:1: ", "containers: [": ":3:", SEED.replace("6379", "70000"): ":5:",
           SEED + "  own: {bridge: docker0, addresses: [172.17.0.8]}\n": "own",
           SEED + "  new: {bridge: docker0, addresses: [172.17.0.9]}\n": "172.17.0.9"}
    for text, expected in bad.items():
        service.write(text)
        fault = client.post("/v1/reload", status=422)
        assert fault["code"] == "invalid" and expected in fault["message"], fault
        assert events.until("reload_refused")["errors"][0] == fault["message"]
        configuration = service.status()["configuration"]
        assert configuration["hash"] == hash_before and configuration["refused"]["errors"][0] == fault["message"], configuration
        assert ruleset() == listing and generation() == before and service.links().keys() == {"/web/db", "/own/redis"}
        assert fault["message"] in service.log()
    place.file.unlink()
    service.process.send_signal(signal.SIGHUP)
    assert str(place.file) in events.until("reload_refused")["errors"][0]
    service.write(SEED)
    client.post("/v1/reload")
    assert service.status()["configuration"]["refused"] is None


def ends(place, on_exit):
    add_bridge()
    service = Service(place, f"firewall: {{on_exit: {on_exit}}}\n{SEED}")
    nft("add", "table", "ip", "others")
    listing = ruleset()
    events, _idle = service.events(), service.client
    status, seconds = service.stop()
    print(f"stopped in {seconds * 1000:.0f} ms")
    assert status == 0 and seconds < 3, (status, seconds)
    assert events.until("stopping") and events.next() is None
    assert not service.socket.exists()
    return listing


def test_sigterm_ends_it_within_a_second_and_the_rules_stay(place):
    assert ends(place, "keep") == ruleset()


def test_with_on_exit_remove_the_rules_go_and_those_of_others_stay(place):
    ends(place, "remove")
    assert ruleset() == ["table ip others"]


def start_another(place, name, text):
    file = place.folder / name
    file.write_text(text)
    return lambda *prefix: run(*prefix, programs.nftlinkd, "-c", file, status=1).stderr


def test_a_second_one_is_refused_and_says_why(place):
    add_bridge()
    service = Service(place)
    listing, before, text = ruleset(), generation(), place.file.read_text()
    elsewhere = f"control: {{socket: {place.folder}/other.sock}}\nstate: {{directory: {place.folder}/other}}\n"
    same = start_another(place, "same.yaml", text)()
    assert "nftlinkd" in same and len(same.splitlines()) == 1, same
    message = start_another(place, "here.yaml", elsewhere)()
    assert "another nftlinkd" in message and "namespace" in message, message
    message = start_another(place, "state.yaml", elsewhere.replace("/other}", "/state}"))("unshare", "--net")
    assert str(service.state) in message and "another nftlinkd" in message, message
    message = start_another(place, "socket.yaml", elsewhere.replace("other.sock", "nftlink.sock"))("unshare", "--net")
    assert str(service.socket) in message, message
    assert service.links()["/web/db"]["installed"] and ruleset() == listing and generation() == before


def test_one_that_was_killed_is_in_nobodys_way(place):
    service = Service(place)
    service.kill()
    assert service.socket.exists()
    service.start()


def test_a_bad_start_ends_at_once_with_the_reasons(place):
    message = start_another(place, "bad.yaml", "firewal: {}\nbridges: {'a/b': {}}\n")()
    assert f"{place.folder}/bad.yaml:1:1: " in message and f"{place.folder}/bad.yaml:2:" in message, message
    assert "missing.yaml" in run(programs.nftlinkd, "-c", place.folder / "missing.yaml", status=1).stderr
    run(programs.nftlinkd, "--no-such-option", status=64)
    assert ruleset() == []


TAKEN = "table inet nftlink { chain theirs { accept; }; }"


def test_a_table_of_others_under_our_name_stops_the_start(place):
    nft("-f", "-", stdin=TAKEN)
    listing = ruleset()
    text = f"control: {{socket: {place.folder}/s}}\nstate: {{directory: {place.folder}/state}}\n{SEED}"
    message = start_another(place, "nftlink.yaml", text)()
    assert "table inet nftlink exists and is not nftlink's" in message and "firewall.table" in message, message
    assert ruleset() == listing


def test_what_the_kernel_refuses_is_refused_and_holds_again_later(place):
    add_bridge()
    service = Service(place)
    client, events, wanted = service.client, service.events(), elements()
    service.client.put("/v1/containers/own", container("172.17.0.9"))
    stored = service.stored_text()
    nft("-f", "-", stdin="delete table inet nftlink\n" + TAKEN)
    assert events.until("bridge", enforced=False)["reason"] != ""
    assert "is not nftlink's" in events.until("refused")["message"]
    fault = client.ask("PUT", "/v1/links/own/redis", {"child": "redis"}, status=503)
    assert fault["code"] == "kernel_refused" and "is not nftlink's" in fault["message"], fault
    status = service.status()
    assert status["in_force"] is False and status["links"]["installed"] == 0 and status["last_error"]["message"], status
    assert status["bridges"][0]["enforced"] is False and service.stored_text() == stored
    assert service.links().keys() == {"/web/db"} and not service.links()["/web/db"]["installed"]
    nft("delete", "table", "inet", "nftlink")
    eventually(lambda: service.status()["in_force"])
    events.until("bridge", enforced=True)
    assert elements() == wanted
    client.put("/v1/links/own/redis", {"child": "redis"})
