"""The kernel's ruleset as nft shows it."""
import re
import subprocess

from support.netfilter import Netfilter
from support.process import run


def nft(*words, stdin=None, status=0):
    return run("nft", *words, stdin=stdin, status=status).stdout


def ruleset():
    """nft's listing, its lines in one order: elements come in another one each time."""
    lines = [re.sub(r"elements = \{|[,{}]$", "", line).strip(" \t,}") for line in nft("list", "ruleset").splitlines()]
    return sorted(filter(None, lines))


def generation():
    """The number of the kernel's ruleset: every commit raises it by one."""
    with Netfilter() as netfilter:
        return netfilter.generation()


def knows_bridges_by_name():
    """Whether `family: bridge` is possible here: nft_meta_bridge."""
    probe = "add table bridge probe; add chain bridge probe c; add rule bridge probe c meta ibrname docker0"
    return subprocess.run(["nft", "-c", probe], capture_output=True, check=False).returncode == 0
