"""Instructions that our own code takes, under callgrind: they don't depend on the machine's load.

As a program: `cost.py NFTLINK-COST` records them anew.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.namespaces import enter_private_namespaces  # pylint: disable=wrong-import-position

RECORDED = pathlib.Path(__file__).with_name("recorded.json")


def compiler():
    return subprocess.run(["c++", "-dumpfullversion"], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def in_memory(folder):
    """What is written into a folder in memory is written without another thread."""
    subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
    return folder


def instructions(program, name, folder):
    environment = {"PATH": os.environ["PATH"], "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM"}
    done = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=/dev/null", program,
                           name, folder], env=environment, text=True, capture_output=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert done.returncode == 0 and found, done.stderr
    return int(found[1])


def names(program):
    return subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE).stdout.split()


def record(program):
    old = json.loads(RECORDED.read_text())["instructions"] if RECORDED.exists() else {}
    with tempfile.TemporaryDirectory(prefix="nftlink-") as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        in_memory(folder)
        counted = dict(zip(names(program), pool.map(lambda name: instructions(program, name, folder), names(program))))
        subprocess.run(["umount", folder], check=True)
    for name, count in counted.items():
        before = f"{old[name]:>12,}" if name in old else f"{'-':>12}"
        change = f"{count / old[name] - 1:+.1%}" if name in old else ""
        print(f"{name:<12} {before} -> {count:>12,}  {change}")
    RECORDED.write_text(json.dumps({"compiler": compiler(), "instructions": counted}, indent=2) + "\n")


if __name__ == "__main__":
    enter_private_namespaces()
    record(os.path.abspath(sys.argv[1]))
