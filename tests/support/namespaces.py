"""Namespaces of one's own, so that the host's ruleset, interfaces and sysctls are never touched."""
import ctypes
import os
import pathlib

from support.process import libc

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000


def check(result, what="unshare or setns"):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def is_real_root():
    """Whether this process may be everything that root may be: not so in a user namespace."""
    return os.geteuid() == 0 and pathlib.Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]


def enter_private_namespaces(as_real_root=False):
    """Puts this process, which has one thread alone, into new network and mount namespaces, and into a user namespace in
    which it is root. as_real_root: not into that one where it is root already, for what needs real capabilities."""
    user, group = os.geteuid(), os.getegid()
    is_mapped = not (as_real_root and user == 0)
    check(libc.unshare(CLONE_NEWNET | CLONE_NEWNS | (CLONE_NEWUSER if is_mapped else 0)), "unshare")
    if is_mapped:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            pathlib.Path("/proc/self", name).write_text(text)
    check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")


def enter_fresh_network():
    """Puts this process into a network namespace where nothing is."""
    check(libc.unshare(CLONE_NEWNET), "unshare")
    for switch in ("iptables", "ip6tables"):  # a new namespace may start with them on
        path = pathlib.Path(f"/proc/sys/net/bridge/bridge-nf-call-{switch}")
        if path.exists():
            path.write_text("0")
