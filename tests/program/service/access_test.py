"""Who may do what through the control socket. As real root, which alone can be somebody else."""
import grp
import os

import pytest

from support.namespaces import is_real_root
from support.service import SEED, Client, Service, add_bridge, container

pytestmark = pytest.mark.real_root

GROUP, STRANGER = "games", 4711  # every Debian has that group

for_real_root = pytest.mark.skipif(not is_real_root(), reason="only real root can be somebody else")


def request(service, method, path):
    """The status of the answer, or what kept it from connecting."""
    try:
        return str(Client(service.socket).send(method, path).status)
    except OSError as error:
        return type(error).__name__


def calls(service, user, group=STRANGER, groups=()):
    """What a reading and a writing request of a process with these ids get."""
    service.client.send("PUT", "/v1/containers/mine", container("172.17.0.9", links=["redis"]))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(groups)
            os.setresgid(group, group, group)
            os.setresuid(user, user, user)
            os.write(writer, f"{request(service, 'GET', '/v1/links')} {request(service, 'DELETE', '/v1/containers/mine')}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        os.waitpid(child, 0)
        return answers.read()


def service_with(place, control):
    add_bridge()
    place.folder.chmod(0o755)
    return Service(place, SEED, control=control)


def test_its_own_user_may_do_everything(place):
    service = service_with(place, "group: root")
    assert oct(service.socket.stat().st_mode & 0o777) == "0o660"
    assert service.client.send("GET", "/v1/links").status == 200
    service.client.put("/v1/containers/mine", container("172.17.0.9"))


@for_real_root
def test_the_group_may_write_and_others_not_even_connect(place):
    group = grp.getgrnam(GROUP).gr_gid
    service = service_with(place, f"group: {GROUP}")
    assert calls(service, STRANGER, group) == "200 200"
    assert calls(service, STRANGER, groups=[group]) == "200 200", "a member by its supplementary groups"
    assert calls(service, 0) == "200 200", "root, whatever its groups are"
    assert calls(service, STRANGER) == "PermissionError PermissionError"


@for_real_root
def test_who_gets_past_the_files_mode_is_refused_all_the_same(place):
    service = service_with(place, f"group: {GROUP}")
    service.socket.chmod(0o666)
    assert calls(service, STRANGER) == "403 403"
    assert "mine" in service.containers()


@for_real_root
def test_with_readers_all_others_may_read_and_not_write(place):
    group = grp.getgrnam(GROUP).gr_gid
    service = service_with(place, f"group: {GROUP}, readers: all")
    assert calls(service, STRANGER) == "200 403"
    assert "mine" in service.containers()
    assert calls(service, STRANGER, group) == "200 200"
