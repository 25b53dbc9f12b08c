#!/usr/bin/env python3
"""Enforces the layer table: which layer may include what. src/README.md says what the layers are for."""
import pathlib
import re
import sys

ALL = {"base", "model", "linkenv", "config", "nft", "firewall", "kernel", "reconcile", "service", "cli"}
MAY_INCLUDE = {
    "base": set(),
    "model": {"base"},
    "linkenv": {"base", "model"},
    "config": {"base", "model"},
    "nft": {"base"},
    "firewall": {"base", "model", "nft"},
    "kernel": {"base", "nft"},
    "reconcile": {"base", "model", "nft", "firewall", "kernel"},
    "service": ALL - {"cli"},
    "cli": ALL - {"service"},
}
# Libraries that only these layers know.
LIBRARIES = {
    r"yaml-cpp/": {"config"},
    r"libmnl/|libnftnl/": {"nft", "kernel"},
    r"boost/asio": {"kernel", "service", "cli"},
    r"spdlog/": {"service"},
    r"CLI/": {"service", "cli"},
}
LONGEST_MAIN = 10

root = pathlib.Path(sys.argv[1])
errors = []


def check(path, layer):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        include = re.match(r'\s*#\s*include\s*["<]([^">]+)[">]', line)
        if not include:
            continue
        target, place = include[1], f"{path.relative_to(root)}:{number}"
        own = re.match(r"nftlink/(\w+)/", target)
        if own and own[1] != layer and own[1] not in MAY_INCLUDE[layer]:
            errors.append(f"{place}: layer {layer} may not include {target}")
        if "../" in target:
            errors.append(f"{place}: reaches into another folder")
        for pattern, layers in LIBRARIES.items():
            if re.match(pattern, target) and layer not in layers:
                errors.append(f"{place}: layer {layer} may not use {target}")


files = 0
for top in (root / "include" / "nftlink", root / "src"):
    for path in sorted(top.rglob("*.[ch]pp")):
        files += 1
        if path.parent == root / "src":
            if len(path.read_text().splitlines()) > LONGEST_MAIN:
                errors.append(f"{path.relative_to(root)}: a main holds no logic")
            continue
        layer = path.relative_to(top).parts[0]
        if layer in MAY_INCLUDE:
            check(path, layer)
        else:
            errors.append(f"{path.relative_to(root)}: {layer} is no layer")
if files == 0:
    errors.append("no source files found")
print("\n".join(errors))
sys.exit(1 if errors else 0)
