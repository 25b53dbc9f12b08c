"""Instructions that our own code takes, under callgrind, against what is recorded: they don't depend on the machine's load.

cost_test.py NFTLINK-COST [--record]
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "program"))
import harness  # pylint: disable=wrong-import-position

RECORDED = pathlib.Path(__file__).with_name("recorded.json")
ALLOWED, ALLOWED_OTHERWISE = 1.05, 1.25
program = os.path.abspath(sys.argv[1])


def compiler():
    return subprocess.run(["c++", "-dumpfullversion"], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def in_memory(folder):
    """What is written into a folder in memory is written without another thread."""
    subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
    return folder


def instructions(name, folder):
    environment = {"PATH": os.environ["PATH"], "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM"}
    done = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=/dev/null", program,
                           name, folder], env=environment, text=True, capture_output=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert done.returncode == 0 and found, done.stderr
    return int(found[1])


def names():
    return subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE).stdout.split()


def record():
    old = json.loads(RECORDED.read_text())["instructions"] if RECORDED.exists() else {}
    with tempfile.TemporaryDirectory(prefix="nftlink-") as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        in_memory(folder)
        counted = dict(zip(names(), pool.map(lambda name: instructions(name, folder), names())))
        subprocess.run(["umount", folder], check=True)
    for name, count in counted.items():
        before = f"{old[name]:>12,}" if name in old else f"{'-':>12}"
        change = f"{count / old[name] - 1:+.1%}" if name in old else ""
        print(f"{name:<12} {before} -> {count:>12,}  {change}")
    RECORDED.write_text(json.dumps({"compiler": compiler(), "instructions": counted}, indent=2) + "\n")


def compare(name, recorded, allowed, folder):
    assert name in recorded, f"{name} isn't recorded: ./dev cost --record"
    count, before = instructions(name, in_memory(folder)), recorded[name]
    subprocess.run(["umount", folder], check=True)
    print(f"# {name}: {count:,} instructions, recorded {before:,}: {count / before - 1:+.1%}")
    assert count <= before * allowed, (
        f"{name} takes {count:,} instructions, {count / before - 1:.1%} more than recorded ({before:,}). Make it cheaper; or, where "
        "it is worth that, record anew and say why: ./dev cost --record")
    if count < before / ALLOWED:
        print("# that is better: keep it with ./dev cost --record")


def add_cases():
    known = json.loads(RECORDED.read_text())
    same = known["compiler"] == compiler()
    if not same:
        print(f"# recorded with g++ {known['compiler']}, this is {compiler()}: {ALLOWED_OTHERWISE - 1:.0%} more are allowed")
    for name in names():
        def run(place, name=name):
            compare(name, known["instructions"], ALLOWED if same else ALLOWED_OTHERWISE, place.folder)
        run.__name__ = name
        harness.case(run)


if "--record" in sys.argv:
    if os.environ.get("NFTLINK_TEST_INSIDE") != "1":
        os.environ["NFTLINK_TEST_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--map-root-user", "--net", "--mount", sys.executable, "-B", *sys.argv])
    record()
else:
    add_cases()
    harness.main()
