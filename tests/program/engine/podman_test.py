"""nftlinkd beside a real Podman, through its Docker API: labels make the links, and CDI the variables."""
import json

from support.docker_service import becomes, configuration, connected, permission, run_idle, run_redis
from support.engine import IMAGE, Podman
from support.marks import needs_engine
from support.service import Service, elements, eventually

pytestmark = needs_engine("podman")

PODMAN_BRIDGE = "bridges: {podman0: {icc: deny}, podman*: {icc: deny}}\n"


def podman_and_service(place, more=lambda podman: ""):
    podman = place.endings.enter_context(Podman(place.folder))
    podman.enter()
    text = configuration(podman.socket, more(podman)).replace("bridges: {docker0: {icc: deny}, br-*: {icc: deny}}\n", PODMAN_BRIDGE)
    service = Service(place, text)
    assert connected(service)["engine"].startswith("Podman 4."), service.status()
    return podman, service


def test_a_link_by_a_label(place):
    podman, service = podman_and_service(place)
    redis = run_redis(podman)
    web = run_idle(podman, "web", "--label", "nftlink.links=redis:db")
    run_idle(podman, "stranger")
    becomes([permission(web, redis)])
    assert podman.pings("web", redis) and not podman.pings("stranger", redis)
    assert f"DB_PORT=tcp://{redis}:6379\n" in place.nftlink("env", "web").stdout
    podman("stop", "-t", "0", "redis")
    becomes([])
    assert service.links()["/web/db"]["waiting"] == "redis is not running"
    podman("start", "redis")
    (moved,) = podman.addresses("redis").values()
    becomes([permission(web, moved)])
    podman("rename", "redis", "store")
    eventually(lambda: service.links()["/web/db"].get("waiting"))
    assert elements() == set()
    podman("rm", "-f", "-t", "0", "web")
    eventually(lambda: service.containers().keys() == {"store", "stranger"} or None)


def test_a_second_network_and_leaving_it(place):
    podman, _ = podman_and_service(place)
    redis = run_redis(podman)
    podman("network", "create", "back")
    podman("run", "-d", "--name", "web", "--network", "back", "--label", "nftlink.links=redis:db", IMAGE, "sleep", "600")
    web = podman.addresses("web")["back"]
    becomes([permission(web, redis)])  # by routing
    podman("network", "connect", "back", "redis")
    addresses = podman.addresses("redis")
    assert addresses["podman"] == redis
    becomes([permission(web, addresses["back"])])  # on the network that they share, and there alone
    podman("network", "disconnect", "back", "redis")
    becomes([permission(web, redis)])


def test_a_network_that_is_made_again_has_another_interface(place):
    podman, service = podman_and_service(place)
    podman("network", "create", "na")
    podman("network", "create", "nb")

    def link():
        podman("run", "-d", "--name", "redis", "--network", "nb", IMAGE)
        podman("run", "-d", "--name", "web", "--network", "nb", "--label", "nftlink.links=redis:db", IMAGE, "sleep", "600")
        interface = podman.ask("/v4.0.0/libpod/networks/nb/json")["network_interface"]
        eventually(lambda: service.links().get("/web/db", {}).get("bridges") == [interface] or None)
        assert podman.pings("web", podman.addresses("redis")["nb"])
        return interface
    first = link()
    podman("rm", "-f", "-t", "0", "web", "redis")
    podman("network", "rm", "na", "nb")
    podman("network", "create", "nb")
    assert link() != first


def test_another_ones_network_namespace_is_no_second_address(place):
    podman, _ = podman_and_service(place)
    redis = run_redis(podman)
    web = run_idle(podman, "web", "--label", "nftlink.links=redis:db")
    podman("run", "-d", "--name", "sidecar", "--network", "container:redis", IMAGE, "sleep", "600")
    becomes([permission(web, redis)])
    podman("rm", "-f", "-t", "0", "sidecar")
    becomes([permission(web, redis)])


def web_by_cdi(podman):
    """web, which the engine will place, gets its variables from there."""
    return f"env: {{cdi_directory: {podman.cdi}}}\ncontainers: {{web: {{links: [redis:db]}}}}\n"


def test_the_variables_come_by_cdi(place):
    podman, service = podman_and_service(place, web_by_cdi)
    redis = run_redis(podman)
    specification = podman.cdi / "nftlink.json"
    # Podman tells its events up to a quarter of a second late.
    eventually(lambda: specification.exists() and "DB_PORT=" in specification.read_text())
    assert json.loads(specification.read_text())["kind"] == "nftlink/links"
    variables = podman("run", "--rm", "--name", "web", "--device", "nftlink/links=web", IMAGE, "env").splitlines()
    assert f"DB_PORT=tcp://{redis}:6379" in variables and "DB_NAME=/web/db" in variables, variables
    ping = 'sleep 1; redis-cli -h "$DB_PORT_6379_TCP_ADDR" ping'
    assert podman("run", "--rm", "--name", "web", "--device", "nftlink/links=web", IMAGE, "sh", "-c", ping) == "PONG"


def test_a_container_of_a_cdi_device_starts_again(place):
    podman, service = podman_and_service(place, web_by_cdi)
    redis = run_redis(podman)
    eventually((podman.cdi / "nftlink.json").exists)
    podman("run", "-d", "--name", "web", "--device", "nftlink/links=web", IMAGE, "sleep", "600")
    becomes([permission(*podman.addresses("web").values(), redis)])
    podman("restart", "-t", "0", "web")
    becomes([permission(*podman.addresses("web").values(), redis)])
    # Also while its child isn't there.
    podman("rm", "-f", "-t", "0", "redis")
    becomes([])
    podman("restart", "-t", "0", "web")
    podman("stop", "-t", "0", "web")
    eventually(lambda: "web" not in service.containers() or None)
    podman("start", "web")
    redis = run_redis(podman)
    becomes([permission(*podman.addresses("web").values(), redis)])


def test_the_service_of_podman_ends_and_comes_back(place):
    podman, service = podman_and_service(place)
    redis = run_redis(podman)
    web = run_idle(podman, "web", "--label", "nftlink.links=redis:db")
    becomes([permission(web, redis)])
    podman.stop()
    eventually(lambda: not service.status()["sources"][0]["connected"] or None)
    assert elements() == {permission(web, redis)}
    podman("rm", "-f", "-t", "0", "web")
    podman.start()
    connected(service)
    becomes([])
