"""nftlinkd beside a real Docker Engine without iptables: the seed's scenario, and what containers do in their lives."""
import json
import pathlib

from support.docker_service import becomes, configuration, connected, docker_and_service, permission, run_idle, run_redis
from support.engine import IMAGE, REDIS_VERSION, Docker
from support.marks import needs_engine
from support.process import run
from support.ruleset import nft
from support.service import elements, eventually

pytestmark = needs_engine("dockerd")


def test_the_seeds_scenario_word_for_word(place):
    docker, service = docker_and_service(place)
    redis = run_redis(docker)
    variables = docker("run", "--rm", "--name", "web", "--link", "redis:db", IMAGE, "env").splitlines()
    for line in (f"DB_PORT=tcp://{redis}:6379", f"DB_PORT_6379_TCP=tcp://{redis}:6379", f"DB_PORT_6379_TCP_ADDR={redis}",
                 "DB_PORT_6379_TCP_PORT=6379", "DB_PORT_6379_TCP_PROTO=tcp", "DB_NAME=/web/db",
                 f"DB_ENV_REDIS_VERSION={REDIS_VERSION}"):
        assert line in variables, (line, variables)
    ping = 'redis-cli -h "$DB_PORT_6379_TCP_ADDR" ping'
    assert docker("run", "--rm", "--name", "web", "--link", "redis:db", IMAGE, "sh", "-c", ping) == "PONG"
    web = run_idle(docker, "web", "--link", "redis:db")
    stranger = run_idle(docker, "stranger")
    becomes([permission(web, redis)])
    assert docker.pings("web", redis) and not docker.pings("stranger", redis)
    listing = nft("list", "table", "inet", "nftlink")
    assert f"{web} . {redis} . tcp . 6379" in listing and '"/web/db"' in listing, listing
    assert '"docker0"' in nft("list", "set", "inet", "nftlink", "bridges") and stranger not in listing, listing
    # The variables are there also on engines that set none, and are those of this one.
    ours = place.nftlink("env", "web").stdout.splitlines()
    assert set(ours) == {line for line in variables if line.startswith("DB_")}, (ours, variables)
    assert place.nftlink("hosts", "web").stdout == f"{redis}\tdb redis\n"
    assert place.nftlink("hosts", "web", "--format", "docker").stdout.splitlines()[0] == f"--add-host=db:{redis}"
    link = service.links()["/web/db"]
    assert link["installed"] and link["source"] == "docker" and link["packets"] > 0, link


def test_in_dockers_own_words_the_rules_are_the_articles(place):
    docker, _ = docker_and_service(place, "firewall: {layout: rules, replies: source-port, attach: [{family: ip, "
                                   "table: filter, chain: FORWARD}]}\n")
    run("iptables-nft", "-P", "FORWARD", "ACCEPT")
    redis, web = run_redis(docker), run_idle(docker, "web", "--link", "redis:db")
    rules = (f"-A FORWARD -s {web}/32 -d {redis}/32 -i docker0 -o docker0 -p tcp -m tcp --dport 6379 -j ACCEPT",
             f"-A FORWARD -s {redis}/32 -d {web}/32 -i docker0 -o docker0 -p tcp -m tcp --sport 6379 -j ACCEPT")
    eventually(lambda: all(rule in run("iptables-nft", "-S", "FORWARD").stdout for rule in rules) or None)


def test_a_child_that_restarts_or_comes_back_elsewhere(place):
    docker, service = docker_and_service(place)
    redis, web = run_redis(docker), run_idle(docker, "web", "--link", "redis:db")
    becomes([permission(web, redis)])
    docker("stop", "-t", "0", "redis")
    becomes([])
    assert service.links()["/web/db"]["waiting"] == "redis is not running"
    # Whoever gets its address next inherits nothing.
    taker = run_idle(docker, "taker")
    assert taker == redis
    assert elements() == set()
    docker("start", "redis")
    (moved,) = docker.addresses("redis").values()
    assert moved != redis
    becomes([permission(web, moved)])
    assert docker.pings("web", moved) and not docker.pings("taker", moved)
    docker("restart", "-t", "0", "web")
    becomes([permission(*docker.addresses("web").values(), moved)])


def test_an_end_is_dealt_with_before_docker_says_it_is_done(place):
    docker, _ = docker_and_service(place)
    run_redis(docker)
    run_idle(docker, "web", "--link", "redis:db")
    for _ in range(5):
        becomes([permission(*docker.addresses("web").values(), *docker.addresses("redis").values())])
        docker("kill", "redis")
        eventually(lambda: not elements(), patience=2)
        docker("start", "redis")


def test_names_aliases_and_removals(place):
    docker, service = docker_and_service(place)
    redis = run_redis(docker)
    web = run_idle(docker, "web", "--link", "redis:db", "--link", "redis:cache", "--label", "nftlink.links=other:db, later")
    becomes([permission(web, redis)])
    links = service.links()
    assert links["/web/db"]["installed"] and links["/web/cache"]["installed"]
    assert links["/web/later"]["waiting"] == "there is no container later yet", links
    (conflict,) = service.status()["sources"][0]["conflicts"]
    assert "the alias db is redis already" in conflict["message"], conflict
    later = run_redis(docker, "later")
    becomes([permission(web, redis), permission(web, later)])
    docker("rename", "web", "front")
    eventually(lambda: {"/front/db", "/front/cache", "/front/later"} == service.links().keys() or None)
    assert elements() == {permission(web, redis), permission(web, later)}
    docker("rm", "-f", "redis")
    becomes([permission(web, later)])
    docker("rm", "-f", "front")
    becomes([])
    assert service.containers().keys() == {"later"}


def test_ports_of_every_kind_are_the_containers_own(place):
    docker, service = docker_and_service(place)
    docker("run", "-d", "--name", "many", "--expose", "53/udp", "-p", "127.0.0.1:18080:8080", "--label",
           "nftlink.expose=9000-9001/tcp", IMAGE, "sleep", "600")
    run_idle(docker, "web", "--link", "many")
    expected = {"53/udp", "6379/tcp", "8080/tcp", "9000/tcp", "9001/tcp"}
    eventually(lambda: set(service.links().get("/web/many", {}).get("ports", ())) == expected or None)


def test_user_defined_networks_by_labels(place):
    docker, service = docker_and_service(place)
    docker("network", "create", "--ipv6", "--subnet", "fd00:77::/64", "mine")
    network = json.loads(docker("network", "inspect", "mine"))[0]
    bridge = "br-" + network["Id"][:12]
    # The pattern's policy is there before any container is.
    eventually(lambda: any(item["bridge"] == bridge and item["enforced"] for item in service.status()["bridges"]) or None)
    redis = run_redis(docker, "redis", "--network", "mine")
    web = run_idle(docker, "web", "--network", "mine", "--label", "nftlink.links=redis:cache")
    run_idle(docker, "stranger", "--network", "mine")
    v6 = {name: docker.inspect(name)["NetworkSettings"]["Networks"]["mine"]["GlobalIPv6Address"] for name in ("redis", "web")}
    becomes([permission(web, redis), permission(v6["web"], v6["redis"])])
    assert docker.pings("web", redis) and not docker.pings("stranger", redis)
    # A second network: the link holds on every bridge that both are on, and no longer when one leaves.
    docker("network", "create", "second")
    docker("network", "connect", "second", "redis")
    docker("network", "connect", "second", "web")
    second = permission(docker.addresses("web")["second"], docker.addresses("redis")["second"])
    becomes([permission(web, redis), permission(v6["web"], v6["redis"]), second])
    docker("network", "disconnect", "mine", "web")
    becomes([second])


def test_a_compose_project_and_a_service_that_is_scaled(place):
    docker, service = docker_and_service(place)
    docker("network", "create", "shop_default")

    def start(name, number, *options):
        labels = {"project": "shop", "service": name, "container-number": number, "oneoff": "False"}
        words = [word for key, value in labels.items() for word in ("--label", f"com.docker.compose.{key}={value}")]
        return run_idle(docker, f"shop-{name}-{number}", "--network", "shop_default", *words, *options)
    redis = start("redis", 1)
    web = start("web", 1, "--label", "nftlink.links=redis:db")
    becomes([permission(web, redis)])
    second = start("redis", 2)
    becomes([permission(web, redis), permission(web, second)])
    assert service.links().keys() == {"/shop-web-1/db", "/shop-web-1/db_1", "/shop-web-1/db_2"}
    docker("rm", "-f", "shop-redis-1")
    becomes([permission(web, second)])
    assert service.links()["/shop-web-1/db"]["child"] == "shop-redis-2"


def test_two_networks_are_apart_and_a_link_goes_from_one_to_the_other(place):
    docker, service = docker_and_service(place)
    for network in ("shop_front", "shop_back"):
        docker("network", "create", network)

    def of_shop(name, network):
        labels = {"project": "shop", "service": name, "container-number": 1, "oneoff": "False"}
        words = (word for key, value in labels.items() for word in ("--label", f"com.docker.compose.{key}={value}"))
        return ["--network", network, *words]
    redis = run_redis(docker, "shop-redis-1", *of_shop("redis", "shop_back"))
    other = run_redis(docker, "shop-other-1", *of_shop("other", "shop_front"))
    web = run_idle(docker, "shop-web-1", *of_shop("web", "shop_front"), "--label", "nftlink.links=redis:db")
    becomes([permission(web, redis)])
    assert pathlib.Path("/proc/sys/net/ipv4/ip_forward").read_text() == "1\n", "dockerd leaves it on"
    assert docker.pings("shop-web-1", redis)
    assert not docker.pings("shop-other-1", redis) and not docker.pings("shop-redis-1", other)
    assert not docker.pings("shop-web-1", other), "of its own network"
    variables = {"DB_PORT": f"tcp://{redis}:6379", "DB_PORT_6379_TCP_ADDR": redis, "DB_NAME": "/shop-web-1/db"}
    assert variables.items() <= service.client.get("/v1/containers/shop-web-1/env")["variables"].items()
    assert {f"{key}={value}" for key, value in variables.items()} <= set(place.nftlink("env", "shop-web-1").stdout.splitlines())
    assert place.nftlink("hosts", "shop-web-1").stdout == f"{redis}\tdb shop-redis-1\n"
    # On a network that both are on it holds there alone.
    docker("network", "connect", "shop_back", "shop-web-1")
    becomes([permission(docker.addresses("shop-web-1")["shop_back"], redis)])
    assert docker.pings("shop-web-1", redis)
    docker("network", "disconnect", "shop_back", "shop-web-1")
    becomes([permission(web, redis)])
    assert docker.pings("shop-web-1", redis)
    service.stop()
    place.nftlink("clear")
    assert docker.pings("shop-other-1", redis) and docker.pings("shop-redis-1", other), "nothing else keeps them apart"


def test_files_and_api_beside_the_engine(place):
    docker, service = docker_and_service(place, "containers: {web: {links: [redis:cache]}}\n")
    redis = run_redis(docker)
    web = run_idle(docker, "web", "--link", "redis:db")
    becomes([permission(web, redis)])
    assert {name: link["source"] for name, link in service.links().items()} == {"/web/cache": "file", "/web/db": "docker"}
    # A link between the engine's own containers, told by a person: it lasts.
    other = run_idle(docker, "other")
    place.nftlink("link", "other", "redis:store")
    becomes([permission(web, redis), permission(other, redis)])
    docker("restart", "-t", "0", "other")
    service.stop()
    service.start()
    connected(service)
    other = next(iter(docker.addresses("other").values()))
    becomes([permission(web, redis), permission(other, redis)])
    refusal = place.nftlink("unlink", "web", "db", status=1).stderr
    assert "belongs to" in refusal, refusal
    assert "the engine at" in place.nftlink("rm", "redis", status=1).stderr
    place.nftlink("unlink", "other", "store")
    becomes([permission(web, redis)])
    # What a person says of a container's place wins, and both origins are told.
    service.client.put("/v1/containers/redis", {"bridge": "docker0", "addresses": ["172.17.0.77"], "expose": [6379]})
    becomes([permission(web, "172.17.0.77")])
    (conflict,) = service.status()["sources"][0]["conflicts"]
    assert "stated through the API" in conflict["message"] and str(docker.socket) in conflict["message"], conflict
    place.nftlink("rm", "redis")
    becomes([permission(web, redis)])


def test_the_engine_and_the_service_restart_in_turn(place):
    docker, service = docker_and_service(place)
    docker.options += ["--live-restore"]
    docker.restart()
    redis, web = run_redis(docker), run_idle(docker, "web", "--link", "redis:db")
    becomes([permission(web, redis)])
    assert docker.pings("web", redis)
    docker.kill()
    eventually(lambda: not service.status()["sources"][0]["connected"] or None)
    assert elements() == {permission(web, redis)}
    assert "NOT CONNECTED" in place.nftlink("status").stdout
    docker.start()
    connected(service)
    becomes([permission(web, redis)])
    packets = service.links()["/web/db"]["packets"]
    assert packets > 0
    service.kill()
    docker("rm", "-f", "web")
    run_idle(docker, "next", "--link", "redis:db")
    service.start()
    connected(service)
    becomes([permission(*docker.addresses("next").values(), redis)])
    service.stop()
    before = nft("list", "table", "inet", "nftlink")
    service.start()
    assert nft("list", "table", "inet", "nftlink") == before, "an unchanged ruleset is not written"


def test_the_engine_itself_is_asked_where_no_service_runs(place):
    docker = place.endings.enter_context(Docker(place.folder))
    docker.enter()
    place.write(configuration(docker.socket))
    redis, web = run_redis(docker), run_idle(docker, "web", "--link", "redis:db")
    variables = place.nftlink("env", "web").stdout
    assert f"DB_PORT=tcp://{redis}:6379\n" in variables and "DB_NAME=/web/db\n" in variables, variables
    assert place.nftlink("hosts", "web").stdout == f"{redis}\tdb redis\n"
    options = place.nftlink("hosts", "web", "--format", "docker").stdout.split()
    assert options == [f"--add-host=db:{redis}", f"--add-host=redis:{redis}"], options
    hosts = docker("run", "--rm", *options, IMAGE, "cat", "/etc/hosts")
    assert f"{redis}\tdb" in hosts, hosts
    assert place.nftlink("run", "web", "--", "sh", "-c", 'echo "$DB_PORT_6379_TCP_ADDR"').stdout == redis + "\n"
    assert "there is no container 'nobody'" in place.nftlink("env", "nobody", status=1).stderr
    assert place.nftlink("plan", status=2).stdout
    place.nftlink("apply")
    assert elements() == {permission(web, redis)}
    docker("create", "--name", "created", "--link", "redis:db", IMAGE)
    assert "DB_NAME=/created/db\n" in place.nftlink("env", "created").stdout
    docker.stop()
    refusal = place.nftlink("apply", status=1).stderr
    assert "no answer from the container engine" in refusal, refusal
    assert elements() == {permission(web, redis)}


def test_variables_for_containers_to_be(place):
    docker, service = docker_and_service(place, f"env: {{directory: {place.folder}/env, cdi_directory: {place.folder}/cdi}}\n"
                                         "containers: {job: {links: [redis:db]}}\n")
    redis = run_redis(docker)
    file = place.folder / "env" / "job.env"
    eventually(file.exists)
    variables = docker("run", "--rm", "--env-file", file, IMAGE, "env").splitlines()
    assert f"DB_PORT=tcp://{redis}:6379" in variables, variables
    # What a container was started with is not its own, and hides nothing.
    run_idle(docker, "job", "--env-file", file)
    eventually(lambda: service.containers().get("job"))
    assert f"DB_PORT=tcp://{redis}:6379\n" in file.read_text(), file.read_text()
    docker("rm", "-f", "job")
    device = json.loads(eventually(lambda: (place.folder / "cdi" / "nftlink.json").read_text()))
    assert device["kind"] == "nftlink/links", device
    assert f"DB_PORT=tcp://{redis}:6379" in device["devices"][0]["containerEdits"]["env"], device
    docker("rm", "-f", "redis")
    eventually(lambda: "DB_PORT" not in file.read_text() or None)
