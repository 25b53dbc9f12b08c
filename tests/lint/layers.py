#!/usr/bin/env python3
"""Holds every #include below include/ and src/ against the layer table of src/README.md."""
import pathlib
import re
import sys

LONGEST_MAIN = 10
LARGEST_LAYER = 0.13  # of all lines: a larger one has walls inside that the table doesn't know
# What the libraries' headers look like, the first that matches; other headers in <> without a folder are C++'s own.
LIBRARIES = {
    "fmt/": "fmt", "spdlog/": "spdlog", "CLI/": "CLI11", "yaml-cpp/": "yaml-cpp",
    "libmnl/": "libmnl", "libnftnl/": "libnftnl",
    "boost/asio": "Boost.Asio", "boost/describe": "Boost.Describe", "boost/mp11": "Boost.Describe", "boost/json": "Boost.JSON", "boost/beast": "Boost.Beast", "boost/uuid": "Boost.UUID", "boost/container_hash": "Boost.ContainerHash",
    "sys/socket.h": "sockets", "sys/un.h": "sockets",
    "arpa/": None, "linux/": None, "net/": None, "netinet/": None, "sys/": None,  # the system's
}

root = pathlib.Path(sys.argv[1])
layers = {}  # name → layers it may include, libraries it may use
for line in (root / "src" / "README.md").read_text().splitlines():
    row = re.match(r"\| (\w+) \| ([\w, –]+) \| ([\w., -]+) \| .* \|$", line)
    if row and row[1] != "layer":
        layers[row[1]] = tuple({word for word in re.split(r"[, –]+", cell) if word} for cell in (row[2], row[3]))


def objection(path, layer, include):
    """Why this layer may not include that, or None."""
    own = re.match(r"nftlink/(\w+)/", include)
    if own:
        return None if own[1] == layer or own[1] in layers[layer][0] else f"layer {layer} may not include {include}"
    if (path.parent / include).is_file():
        return "reaches into another folder" if "/" in include else None
    library = next((name for prefix, name in LIBRARIES.items() if include.startswith(prefix)), include)
    if library is None or "/" not in include and library == include:
        return None
    return None if library in layers[layer][1] else f"layer {layer} may not use {library} ({include})"


errors = [] if layers else ["src/README.md: no layer table found"]
errors += [f"{name}: the table's {other} is no layer" for name, row in layers.items() for other in row[0] - layers.keys()]
errors += [f"{name}: has no folder" for name in layers if not (root / "src" / name).is_dir()]
sizes = dict.fromkeys(layers, 0)
for top in (root / "include" / "nftlink", root / "src"):
    for path in sorted(top.rglob("*.[ch]pp")):
        name, lines = path.relative_to(root), path.read_text().splitlines()
        layer = path.relative_to(top).parts[0]
        if path.parent == root / "src":
            errors += [f"{name}: a main holds no logic"] if len(lines) > LONGEST_MAIN else []
        elif layer not in layers:
            errors.append(f"{name}: {layer} is no layer")
        else:
            sizes[layer] += len(lines)
            includes = ((number, re.match(r'\s*#\s*include\s*["<]([^">]+)', line)) for number, line in enumerate(lines, 1))
            found = ((number, objection(path, layer, match[1])) for number, match in includes if match)
            errors += [f"{name}:{number}: {why}" for number, why in found if why]
errors += [f"{layer}: has {size} of {sum(sizes.values())} lines, more than {LARGEST_LAYER:.0%}"
           for layer, size in sizes.items() if size > LARGEST_LAYER * sum(sizes.values())]
print("\n".join(errors))
sys.exit(1 if errors else 0)
