#!/usr/bin/env python3
"""Holds src/L/x.cpp against x.hpp, beside it or in include/nftlink/L, and the latter against tests/unit/L/x_test.cpp."""
import pathlib
import sys

WITHOUT_HEADER = {
    "base/json.cpp": "compiles Boost.JSON",
    "linkenv/format.cpp": "environment.hpp is all that users of the installed library include",
}
WITHOUT_TEST = {
    "http/peer.cpp": "the server's tests call as other users",
    "kernel/netlink_kernel.cpp": "needs the kernel: tests/kernel",
    "netlink/socket.cpp": "needs the kernel: tests/kernel",
    "nft/build.cpp": "rules are built in all other tests of nft, and encoded and read back there",
    "nft/ruleset.cpp": "what it compares is compared in all other tests of nft and firewall",
    "nft/xt.cpp": "meaning_test.cpp and decode_test.cpp read iptables' rules by it",
    "service/service.cpp": "the program: tests/program",
    "state/durable.cpp": "store_test.cpp",
}

root = pathlib.Path(sys.argv[1])
errors = [f"src/{name}: isn't there, but tests/lint/sources.py excepts it"
          for name in WITHOUT_HEADER | WITHOUT_TEST if not (root / "src" / name).is_file()]
for source in sorted((root / "src").glob("*/*.cpp")):
    room = source.parent.name
    name = f"{room}/{source.name}"
    public = root / "include" / "nftlink" / room / (source.stem + ".hpp")
    if not public.is_file() and not source.with_suffix(".hpp").is_file() and name not in WITHOUT_HEADER:
        errors.append(f"src/{name}: has no header of its name")
    test = root / "tests" / "unit" / room / (source.stem + "_test.cpp")
    if public.is_file() and not test.is_file() and name not in WITHOUT_TEST:
        errors.append(f"src/{name}: other rooms use it, and {test.relative_to(root)} is missing")
print("\n".join(errors))
sys.exit(1 if errors else 0)
