"""How much is measured. Files here run by their names alone: `pytest tests/measure/soak.py --links 5000 -s`."""
import pytest


def pytest_addoption(parser):
    for name in ("links", "rounds", "containers"):
        parser.addoption(f"--{name}", type=int)


@pytest.fixture
def how_many(request):
    """Of what an option is about, or else so many."""
    return lambda name, otherwise: request.config.getoption(name) or otherwise
