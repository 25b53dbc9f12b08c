"""Every case has a folder and a network namespace of its own; the process that runs them has namespaces of its own, too."""
import contextlib
import os
import pathlib
import tempfile

import pytest

from support import namespaces, programs
from support.workplace import Workplace


def pytest_addoption(parser):
    parser.addoption("--build", default=programs.build, help="the folder that the programs were built in")


def pytest_configure(config):
    programs.use(config.getoption("build"))
    if report := config.getoption("xmlpath"):
        # Nothing of an earlier run is left; and what root makes in a user namespace is nobody's in another user's folder.
        pathlib.Path(report).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(report).write_bytes(b"")


def pytest_collection_finish(session):
    """Nothing has run before this. What needs no user namespace and what does are two processes for root: no way leads out
    of one."""
    kinds = {item.get_closest_marker("real_root") is not None for item in session.items}
    if len(kinds) == 2 and os.geteuid() == 0:
        raise pytest.UsageError("of these files some run as real root and some don't: run them one at a time")
    if kinds:
        namespaces.enter_private_namespaces(as_real_root=kinds == {True})


@pytest.fixture
def place():
    """A Workplace, and this process in a network namespace of the case's own."""
    with tempfile.TemporaryDirectory(prefix="nftlink-") as folder:
        namespaces.enter_fresh_network()
        with contextlib.ExitStack() as endings:
            yield Workplace(folder, endings)
