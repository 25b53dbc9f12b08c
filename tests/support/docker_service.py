"""nftlinkd beside a real Docker Engine: both are started, and asked what there is."""
from support.engine import IMAGE, Docker
from support.service import Service, elements, eventually


def configuration(socket, more=""):
    return f"sources: {{docker: {{socket: {socket}}}}}\nbridges: {{docker0: {{icc: deny}}, br-*: {{icc: deny}}}}\n{more}"


def docker_and_service(place, more=""):
    """Both, and this process in their network namespace."""
    docker = place.endings.enter_context(Docker(place.folder))
    docker.enter()
    service = Service(place, configuration(docker.socket, more))
    connected(service)
    return docker, service


def connected(service):
    return eventually(lambda: next((source for source in service.status()["sources"] if source["connected"]), None))


def run_redis(docker, name="redis", *options):
    docker("run", "-d", "--name", name, *options, IMAGE)
    return next(iter(docker.addresses(name).values()))


def run_idle(docker, name, *options):
    docker("run", "-d", "--name", name, *options, IMAGE, "sleep", "600")
    return next(iter(docker.addresses(name).values()))


def becomes(expected):
    """The kernel comes to let exactly this pass."""
    eventually(lambda: elements() == set(expected) or None, patience=5)


def permission(parent, child, port=6379):
    return (parent, child, "tcp", port)
