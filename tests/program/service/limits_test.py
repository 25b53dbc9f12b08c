"""No request, file or stored container takes the host down: what is beyond the limits is refused before it is computed."""
import subprocess
import time

from support import programs
from support.ruleset import generation, nft
from support.service import Service, add_bridge, assert_consistent, container, elements

CONFIGURATION = """
bridges: {docker0: {icc: deny}}
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
"""


def many(subnet, count, **more):
    return {"bridge": "docker0", "addresses": [f"10.{subnet}.0.{n + 1}" for n in range(count)]} | more


def everything(service):
    return service.containers(), service.links(), service.stored_text(), elements(), generation()


def refused(service, method, path, body, where, *words):
    """The request is answered at once, names the numbers, and changes nothing."""
    before, resident, begin = everything(service), service.resident_bytes(), time.monotonic()
    answer = service.client.send(method, path, body)
    assert time.monotonic() - begin < 5, f"{path} took {time.monotonic() - begin:.1f} s"
    record = answer.record
    assert (answer.status, record["code"], record["path"]) == (422, "invalid", where), answer.text
    assert all(word in record["message"] for word in words), record
    assert service.resident_bytes() - resident < 50 << 20, "that much memory for a refusal"
    assert everything(service) == before


def test_three_requests_of_a_kilobyte_are_refused(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    child, parent = many(1, 60, expose=["1-1024/tcp"]), many(2, 60)
    refused(service, "PUT", "/v1/containers/child", child, "/addresses/16", "more than 16 addresses on bridge 'docker0'")
    refused(service, "PUT", "/v1/containers/parent", parent, "/addresses/16", "more than 16 addresses")
    service.client.ask("PUT", "/v1/links/parent/db", {"child": "child"}, status=404)
    both = {"put": {"containers": {"child": child, "parent": parent},
                    "links": [{"parent": "parent", "child": "child", "alias": "db"}]}}
    refused(service, "POST", "/v1/transaction", both, "/put/containers/child/addresses/16", "16 addresses")


def test_a_link_of_as_many_addresses_and_ports_as_there_may_be_is_refused(place):
    add_bridge()
    service = Service(place, CONFIGURATION)
    service.client.put("/v1/containers/child", many(1, 16, expose=["1-1024/tcp"]))
    service.client.put("/v1/containers/parent", many(2, 16))
    words = "16 x 16 addresses and 1,024 ports are 262,144 permissions", "one link may have 16,384"
    refused(service, "PUT", "/v1/links/parent/db", {"child": "child"}, "/child", *words)
    refused(service, "PUT", "/v1/containers/other", many(3, 16, links=["redis", "child"]), "/links/1", *words)
    service.client.put("/v1/containers/child", many(1, 16, expose=["1-64"]), status=200)
    service.client.put("/v1/links/parent/db", {"child": "child"})
    assert nft("list", "ruleset").count('"/parent/db"') == 16384
    refused(service, "PUT", "/v1/containers/child", many(1, 16, expose=["1-65"]), "", "16,640 permissions")


def test_the_hosts_limit_holds_for_requests_reloads_and_what_is_stored(place):
    add_bridge()
    service = Service(place, CONFIGURATION + "limits: {permissions: 2}\n")
    for number, name in enumerate("abc"):
        service.client.put(f"/v1/containers/{name}", container(f"172.17.1.{number}"))
    service.client.put("/v1/links/a/db", {"child": "redis"})
    service.client.put("/v1/links/b/db", {"child": "redis"})
    service.client.put("/v1/links/b/again", {"child": "redis"})
    refused(service, "PUT", "/v1/links/c/db", {"child": "redis"}, "/child",
            "the link from 'c' to 'redis' takes this host to 3 permissions, and 'limits.permissions' allows 2")
    service.client.delete("/v1/links/a/db")
    service.client.put("/v1/links/c/db", {"child": "redis"})
    assert_consistent(service)

    service.write(CONFIGURATION + "limits: {permissions: 1}\n")
    before = everything(service)
    record = service.client.post("/v1/reload", status=422)
    too_much = "what came through the API takes this host to 2 permissions"
    assert too_much in record["message"] and "nftlink rm c" in record["message"], record
    assert everything(service) == before
    assert too_much in place.nftlink("plan", status=1).stderr
    service.stop()
    done = subprocess.run([programs.nftlinkd, "-c", place.file], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and too_much in done.stderr and "nothing was changed: raise the limit" in done.stderr, done

    service.write(CONFIGURATION + "limits: {permissions: 3}\n")
    service.start()
    assert service.containers().keys() == {"redis", "a", "b", "c"} and len(elements()) == 2, "what was told lasts"
    assert_consistent(service)
    service.client.put("/v1/links/a/db", {"child": "redis"})
    assert len(elements()) == 3


def test_a_file_has_the_error_at_its_place(place):
    place.write(CONFIGURATION + "  parent:\n    bridge: docker0\n    addresses: [172.17.0.3]\n    links: [redis:a, redis:b, child]\n"
                "  child: {bridge: docker0, addresses: [172.17.0.4], expose: [1-2]}\nlimits: {permissions: 2}\n")
    done = place.nftlink("check", status=1)
    assert f"{place.file}:8:31: the link from 'parent' to 'child' takes this host to 3 permissions" in done.stderr, done
