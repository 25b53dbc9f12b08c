"""The control API: what each route gives, what is refused and how, and that a refused change changes nothing."""
from support.ruleset import generation, ruleset
from support.service import Service, add_bridge, assert_consistent, container, elements

CONFIGURATION = """
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379, 6380], environment: {A: "b"}}
  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis:db]}
"""


def everything(service):
    """What a refused request must not change."""
    return (ruleset(), generation(), service.client.get("/v1/containers"), service.client.get("/v1/links"),
            service.stored_text(), service.status()["events"] - service.status()["refused_changes"])


def test_status_says_what_there_is(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    status = service.status()
    assert status.keys() >= {"schema", "version", "pid", "started", "uptime_seconds", "configuration", "containers",
                             "containers_api", "links", "in_force", "bridges", "generation", "heals", "refused_changes",
                             "last_heal", "last_error", "clients", "events"}, status
    assert (status["schema"], status["pid"], status["containers"], status["containers_api"]) == (1, service.process.pid, 2, 0)
    assert status["links"] == {"desired": 1, "installed": 1} and status["in_force"] is True and status["heals"] == 0
    assert status["last_heal"] is None and status["last_error"] is None and status["clients"] == 1
    configuration = status["configuration"]
    assert configuration["file"] == str(place.file) and configuration["refused"] is None and configuration["hash"]


def test_links_and_containers_are_listed_with_where_they_come_from(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    service.client.put("/v1/containers/api", container("172.17.0.4", links=["redis"]))
    link = {"parent": "web", "child": "redis", "alias": "db", "bridges": ["docker0"], "ports": ["6379/tcp", "6380/tcp"],
            "packets": 0, "bytes": 0, "installed": True}
    assert service.links() == {"/web/db": {"name": "/web/db", "source": "file", **link},
                               "/api/redis": {**link, "name": "/api/redis", "parent": "api", "alias": "redis", "source": "api"}}
    record = service.client.get("/v1/containers")
    assert record["containers"]["redis"] == {"bridge": "docker0", "addresses": ["172.17.0.2"],
                                             "expose": ["6379/tcp", "6380/tcp"], "environment": ["A=b"]}, record
    assert record["containers"]["api"]["links"] in (["redis"], ["redis:redis"]), record
    assert record["sources"]["api"] == "api" and record["sources"]["web"].startswith(f"{place.file}:"), record


def test_the_environment_is_what_nftlink_env_prints(place):
    service = Service(place, CONFIGURATION)
    record = service.client.get("/v1/containers/web/env")
    assert record["variables"]["DB_PORT"] == "tcp://172.17.0.2:6379" and record["variables"]["DB_ENV_A"] == "b", record
    for form in ("env", "shell", "json", "null"):
        for dialect in ("docker-0.10", "docker-28"):
            answer = service.client.send("GET", f"/v1/containers/web/env?format={form}&dialect={dialect}")
            assert answer.status == 200, answer.text
            assert answer.text == place.nftlink("env", "web", "--format", form, "--dialect", dialect).stdout
    for query in ("format=xml", "dialect=docker-1"):
        assert service.client.ask("GET", f"/v1/containers/web/env?{query}", status=400)["code"] == "malformed"


def test_plan_and_the_description_are_there(place):
    service = Service(place, CONFIGURATION)
    plan = service.client.get("/v1/plan")
    assert plan["changes"] == [] and plan["bridge_netfilter"] == [] and plan["generation"] == generation(), plan
    assert "docker0" in plan["warnings"][0], plan
    described = service.client.get("/v1/openapi.json")
    assert described["openapi"].startswith("3.1"), described["openapi"]
    assert {"/v1/status", "/v1/links", "/v1/links/{parent}/{alias}", "/v1/containers", "/v1/containers/{name}",
            "/v1/containers/{name}/env", "/v1/transaction", "/v1/plan", "/v1/reload", "/v1/events", "/metrics",
            "/v1/openapi.json"} <= described["paths"].keys()


def test_containers_come_change_and_go(place):
    add_bridge()
    client = (service := Service(place, CONFIGURATION)).client
    mail = container("172.17.0.5", expose=[25])
    added = client.put("/v1/containers/mail", mail)
    assert added["container"] == "mail" and added["changed"] is True and added["generation"] == generation(), added
    before = generation()
    assert client.put("/v1/containers/mail", mail, status=200)["changed"] is False and generation() == before
    client.put("/v1/containers/api", container("172.17.0.6", links=["mail:m", "redis"]))
    assert ("172.17.0.6", "172.17.0.5", "tcp", 25) in elements()
    replaced = client.put("/v1/containers/mail", container("172.17.0.5", expose=[25, "26-27/udp"]), status=200)
    assert replaced["changed"] is True and ("172.17.0.6", "172.17.0.5", "udp", 27) in elements()
    client.put("/v1/containers/mail", mail, status=200)
    assert_consistent(service)
    removed = client.delete("/v1/containers/mail")
    assert removed["ended_links"] == ["/api/m"] and removed["changed"] is True, removed
    assert service.links().keys() == {"/web/db", "/api/redis"}
    assert client.delete("/v1/containers/mail", status=404)["code"] == "not_found"
    assert_consistent(service)


def test_links_come_change_and_go(place):
    add_bridge()
    client = (service := Service(place, CONFIGURATION)).client
    client.put("/v1/containers/api", container("172.17.0.6"))
    client.put("/v1/containers/mail", container("172.17.0.5", expose=[25]))
    before = generation()
    added = client.put("/v1/links/api/x", {"child": "redis"})
    assert added["link"] == "/api/x" and added["changed"] is True and generation() == before + 1, added
    assert client.put("/v1/links/api/x", {"child": "redis"}, status=200)["changed"] is False and generation() == before + 1
    assert client.put("/v1/links/api/x", {"child": "mail"}, status=200)["changed"] is True
    assert ("172.17.0.6", "172.17.0.5", "tcp", 25) in elements()
    assert_consistent(service)
    assert client.delete("/v1/links/api/x")["link"] == "/api/x"
    assert client.delete("/v1/links/api/x", status=404)["code"] == "not_found"
    assert_consistent(service)


GOOD = container("172.17.0.7")
REFUSED = [  # method, path, body; status, code, path of the fault
    ("PUT", "/v1/containers/x", "{", 400, "malformed", ""),
    ("PUT", "/v1/containers/x", "", 400, "malformed", ""),
    ("PUT", "/v1/containers/x", b"\"\xff\"", 400, "malformed", ""),
    ("PUT", "/v1/containers/x", "[" * 5000, 400, "malformed", ""),
    ("PUT", "/v1/links/mine/x", "not json", 400, "malformed", ""),
    ("POST", "/v1/transaction", "{}}", 400, "malformed", ""),
    ("GET", "/v1/containers/web/env?format=xml", None, 400, "malformed", ""),
    ("GET", "/", None, 404, "not_found", ""),
    ("GET", "/v2/status", None, 404, "not_found", ""),
    ("GET", "/v1/status/more", None, 404, "not_found", ""),
    ("GET", "/v1/containers/ghost/env", None, 404, "not_found", ""),
    ("DELETE", "/v1/containers/ghost", None, 404, "not_found", ""),
    ("DELETE", "/v1/links/mine/ghost", None, 404, "not_found", ""),
    ("DELETE", "/v1/links/ghost/db", None, 404, "not_found", ""),
    ("PUT", "/v1/links/ghost/db", {"child": "redis"}, 404, "not_found", ""),
    ("PUT", "/v1/containers/web", GOOD, 409, "conflict", ""),
    ("DELETE", "/v1/containers/web", None, 409, "conflict", ""),
    ("PUT", "/v1/links/web/other", {"child": "redis"}, 409, "conflict", ""),
    ("DELETE", "/v1/links/web/db", None, 409, "conflict", ""),
    ("PUT", "/v1/containers/x", container("172.17.0.2"), 409, "conflict", "/addresses/0"),
    ("PUT", "/v1/containers/x", "x" * ((1 << 20) + 1), 413, "too_large", ""),
    ("PUT", "/v1/containers/x", GOOD | {"expose": [70000]}, 422, "invalid", "/expose/0"),
    ("PUT", "/v1/containers/x", GOOD | {"expose": [1, "20-10/tcp"]}, 422, "invalid", "/expose/1"),
    ("PUT", "/v1/containers/x", GOOD | {"addresses": ["172.17.0.7", "1.2.3"]}, 422, "invalid", "/addresses/1"),
    ("PUT", "/v1/containers/x", GOOD | {"exposes": []}, 422, "invalid", "/exposes"),
    ("PUT", "/v1/containers/x", GOOD | {"bridge": "no/name"}, 422, "invalid", "/bridge"),
    ("PUT", "/v1/containers/x", GOOD | {"links": ["redis", "ghost"]}, 422, "invalid", "/links/1"),
    ("PUT", "/v1/containers/x", {"bridge": "docker0"}, 422, "invalid", ""),
    ("PUT", "/v1/containers/x", [], 400, "malformed", ""),
    ("PUT", "/v1/containers/no%20name", GOOD, 422, "invalid", ""),
    ("PUT", "/v1/containers/" + "n" * 65, GOOD, 422, "invalid", ""),
    ("PUT", "/v1/links/mine/x", {"child": "ghost"}, 422, "invalid", "/child"),
    ("PUT", "/v1/links/mine/x", {"child": "mine"}, 422, "invalid", "/child"),
    ("PUT", "/v1/links/mine/x", {"child": 7}, 422, "invalid", "/child"),
    ("PUT", "/v1/links/mine/x", {}, 422, "invalid", ""),
    ("POST", "/v1/transaction", {"puts": {}}, 422, "invalid", "/puts"),
]


def test_what_is_refused_says_why_and_where_and_changes_nothing(place):
    add_bridge()
    client = (service := Service(place, CONFIGURATION)).client
    client.put("/v1/containers/mine", container("172.17.0.9", links=["redis"]))
    before, wrong = everything(service), []
    for method, path, body, status, code, where in REFUSED:
        answer = client.send(method, path, body)
        found = (answer.status, answer.record["code"], answer.record["path"])
        if found != (status, code, where) or not answer.record["message"]:
            wrong.append(f"{method} {path} {str(body)[:60]}: {found}, not {(status, code, where)}: {answer.text[:300]}")
    assert not wrong, "\n".join(wrong)
    assert everything(service) == before
    assert_consistent(service)


def test_a_method_that_a_route_does_not_have_is_answered_with_those_it_has(place):
    client = Service(place, CONFIGURATION).client
    for method, path, allowed in (("DELETE", "/v1/status", {"GET"}), ("POST", "/metrics", {"GET"}),
                                  ("GET", "/v1/reload", {"POST"}), ("GET", "/v1/transaction", {"POST"}),
                                  ("POST", "/v1/containers/x", {"PUT", "DELETE"}),
                                  ("GET", "/v1/links/a/b", {"PUT", "DELETE"}), ("PATCH", "/v1/links", {"GET"})):
        answer = client.send(method, path)
        assert answer.status == 405 and answer.record["code"] == "method_not_allowed", answer.text
        assert set(answer.headers["Allow"].split(", ")) == allowed, (path, answer.headers["Allow"])


def test_all_faults_are_named_with_their_paths(place):
    client = Service(place, CONFIGURATION).client
    body = {"put": {"containers": {"a/b": GOOD, "x": GOOD | {"expose": [0], "addresses": ["172.17.0.2"]}, "web": GOOD}}}
    record = client.post("/v1/transaction", body, status=422)
    paths = {error["path"] for error in record["errors"]}
    assert "/put/containers/x/expose/0" in paths and "/put/containers/web" in paths, record
    assert any(path.startswith("/put/containers/a~1b") for path in paths), record
    assert record["message"] == record["errors"][0]["message"] and record["path"] == record["errors"][0]["path"]


TRANSACTION = {"put": {"containers": {"redis2": container("172.17.0.20", expose=[6379]),
                                      "web2": container("172.17.0.21", links=["redis2:db"]),
                                      "mine": container("172.17.0.9")},
                       "links": [{"parent": "web2", "child": "redis", "alias": "old"}]},
               "delete": {"containers": ["gone"], "links": [{"parent": "mine", "alias": "redis"}]}}


def with_two_of_its_own(place):
    service = Service(place, CONFIGURATION)
    service.client.put("/v1/containers/mine", container("172.17.0.9", links=["redis"]))
    service.client.put("/v1/containers/gone", container("172.17.0.10", links=["redis"]))
    return service


def test_a_transaction_is_one_change(place):
    add_bridge()
    service = with_two_of_its_own(place)
    before = generation()
    done = service.client.post("/v1/transaction", TRANSACTION)
    assert done["changed"] is True and done["generation"] == generation() == before + 1, done
    assert service.containers().keys() == {"redis", "web", "redis2", "web2", "mine"}
    assert service.links().keys() == {"/web/db", "/web2/db", "/web2/old"}
    assert_consistent(service)


def test_a_transaction_with_one_bad_part_changes_nothing(place):
    add_bridge()
    service = with_two_of_its_own(place)
    before = everything(service)
    containers = TRANSACTION["put"]["containers"]
    for put, status in (({"containers": containers | {"bad": container("172.17.0.20")}}, 409),
                        ({"containers": containers | {"bad": container("172.17.0.30", expose=["0"])}}, 422),
                        ({"containers": containers | {"bad": container("172.17.0.30", links=["gone"])}}, 422),
                        ({"containers": containers, "links": [{"parent": "web2", "child": "ghost", "alias": "x"}]}, 422),
                        ({"containers": containers, "links": [{"parent": "ghost", "child": "redis", "alias": "x"}]}, 404)):
        service.client.post("/v1/transaction", TRANSACTION | {"put": put}, status=status)
        assert everything(service) == before, put
    service.client.post("/v1/transaction", TRANSACTION | {"delete": {"containers": ["ghost"]}}, status=404)
    assert everything(service) == before
    assert_consistent(service)
