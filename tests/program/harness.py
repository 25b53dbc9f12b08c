"""What the program tests share: a namespace for each case, the programs, and reports that meson reads (TAP).

A script is called with the path of the built nftlink, and of nftlinkd where it is about that. It starts itself again inside
namespaces of its own, so that the host's ruleset, interfaces and sysctls are never touched; each case then gets a fresh
network namespace.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import traceback

CLONE_NEWNET = 0x40000000
NETLINK_NETFILTER, NFT_MSG_GETGEN, NLM_F_REQUEST = 12, 10 << 8 | 16, 1

program = os.path.realpath(sys.argv[1])
cases = []


def case(function):
    """Registers a test case; its name in words is what it promises."""
    cases.append(function)
    return function


class Skip(Exception):
    """Raised by a case: why it can't run here, for something that the kernel lacks. It must be in skips.txt."""


def run(*command, status=0, stdin=None, env=None):
    """Runs a program to its end and insists on its exit status."""
    done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, text=True, timeout=60,
                          env=env, check=False)
    shown = " ".join(map(str, command))
    assert done.returncode == status, f"{shown}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr}"
    return done


def nft(*words, stdin=None, status=0):
    return run("nft", *words, stdin=stdin, status=status).stdout


def ruleset():
    """nft's listing, its lines in one order: elements come in another one each time."""
    lines = [re.sub(r"elements = \{|[,{}]$", "", line).strip(" \t,}") for line in nft("list", "ruleset").splitlines()]
    return sorted(filter(None, lines))


def generation():
    """The number of the kernel's ruleset: every commit raises it by one."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.send(struct.pack("=IHHIIBBH", 20, NFT_MSG_GETGEN, NLM_F_REQUEST, 1, 0, 0, 0, 0))
        reply = netlink.recv(4096)
    (number,) = struct.unpack_from(">I", reply, 24)  # after the headers and the first attribute's: NFTA_GEN_ID
    return number


def knows_bridges_by_name():
    """Whether `family: bridge` is possible here: nft_meta_bridge."""
    probe = "add table bridge probe; add chain bridge probe c; add rule bridge probe c meta ibrname docker0"
    return subprocess.run(["nft", "-c", probe], capture_output=True, check=False).returncode == 0


class Workplace:
    """One case's folder, and nftlink called with the configuration in it."""

    def __init__(self, folder, endings):
        self.endings = endings  # an ExitStack: what the case has started, to be ended with it, however it ends
        self.folder = pathlib.Path(folder)
        self.file = self.folder / "nftlink.yaml"

    def write(self, text, name="nftlink.yaml"):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def nftlink(self, verb, *words, status=0, env=None):
        return run(program, verb, "-c", self.file, *words, status=status, env=env)

    def record(self, verb, *words, status=0):
        """What --json prints: one record and nothing else."""
        done = self.nftlink(verb, "--json", *words, status=status)
        assert done.stderr == "", done.stderr
        record = json.loads(done.stdout)
        assert record["schema"] == 1 and record["ok"] is (status in (0, 2)), record
        return record


def fresh_namespace():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for switch in ("iptables", "ip6tables"):  # a new namespace may start with them on
        path = pathlib.Path(f"/proc/sys/net/bridge/bridge-nf-call-{switch}")
        if path.exists():
            path.write_text("0")


def passes(function):
    with tempfile.TemporaryDirectory(prefix="nftlink-") as folder:
        try:
            fresh_namespace()
            with contextlib.ExitStack() as endings:
                function(Workplace(folder, endings))
            return True
        except Skip:
            raise
        except Exception:  # whatever it is, the next case runs
            print("\n".join("# " + line for line in traceback.format_exc().splitlines()))
            return False


def main(as_real_root=False, skip=""):
    """Runs all cases. as_real_root: without a user namespace where the caller is root, for what needs real capabilities.
    skip: why none of them can run here."""
    if skip:
        print(f"1..{len(cases)}")
        for number, function in enumerate(cases, 1):
            print(f"ok {number} - {function.__name__.replace('_', ' ')} # SKIP {skip}")
        sys.exit(0)
    if os.environ.get("NFTLINK_TEST_INSIDE") != "1":
        os.environ["NFTLINK_TEST_INSIDE"] = "1"
        user = [] if as_real_root and os.geteuid() == 0 else ["--map-root-user"]
        os.execvp("unshare", ["unshare", *user, "--net", "--mount", sys.executable, "-B", *sys.argv])
    print(f"1..{len(cases)}")
    results = []
    for number, function in enumerate(cases, 1):
        name, skip = function.__name__.replace("_", " "), ""
        try:
            results.append(passes(function))
        except Skip as reason:
            skip = f" # SKIP {reason}"
        print(f"{'ok' if skip or results[-1] else 'not ok'} {number} - {name}{skip}", flush=True)
    sys.exit(0 if all(results) else 1)
