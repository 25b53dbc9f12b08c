"""Instructions that our own code takes, against what is recorded."""
import functools
import json
import subprocess

import cost
from support import programs

ALLOWED, ALLOWED_OTHERWISE = 1.05, 1.25


@functools.cache
def recorded():
    return json.loads(cost.RECORDED.read_text())


@functools.cache
def allowed():
    """How many times what is recorded."""
    known, this = recorded()["compiler"], cost.compiler()
    if known == this:
        return ALLOWED
    print(f"recorded with g++ {known}, this is {this}: {ALLOWED_OTHERWISE - 1:.0%} more are allowed")
    return ALLOWED_OTHERWISE


def program():
    return str(programs.build / "tests" / "cost" / "nftlink-cost")


def pytest_generate_tests(metafunc):
    metafunc.parametrize("name", cost.names(program()))


def test_instructions(place, name):
    assert name in recorded()["instructions"], f"{name} isn't recorded: ./dev cost --record"
    count, before = cost.instructions(program(), name, cost.in_memory(place.folder)), recorded()["instructions"][name]
    subprocess.run(["umount", place.folder], check=True)
    print(f"{name}: {count:,} instructions, recorded {before:,}: {count / before - 1:+.1%}")
    assert count <= before * allowed(), (
        f"{name} takes {count:,} instructions, {count / before - 1:.1%} more than recorded ({before:,}). Make it cheaper; or, where "
        "it is worth that, record anew and say why: ./dev cost --record")
    if count < before / ALLOWED:
        print("that is better: keep it with ./dev cost --record")
