"""Topologies: which containers sit on which bridges, what they expose, and whom they link to. Plain JSON values."""
import itertools

import wire

PORTS = (22, 53, 80, 443, 1194, 5353, 5432, 6379, 8000, 9999)


def address(container, bridge):
    return f"{wire.subnet(bridge)}.{10 + int(container[1:])}"


def ports(exposed):
    """The protocols and numbers of an `expose` list."""
    found = set()
    for entry in exposed:
        numbers, _, protocol = str(entry).partition("/")
        first, _, last = numbers.partition("-")
        found |= {(protocol or "tcp", number) for number in range(int(first), int(last or first) + 1)}
    return sorted(found)


def links(topology):
    """(bridge, parent, child) of each link on each bridge that both ends share; aliases make no difference."""
    found = set()
    containers = topology["containers"]
    for parent, record in containers.items():
        for child in {link.partition(":")[0] for link in record["links"]}:
            found |= {(bridge, parent, child) for bridge in record["bridges"] if bridge in containers[child]["bridges"]}
    return sorted(found)


def residents(topology, bridge):
    """Who is on the wire of that bridge, listed in the configuration or not."""
    everybody = itertools.chain(topology["containers"].items(), topology["strangers"].items())
    return [name for name, record in everybody if bridge in record["bridges"]]


def configuration(topology, firewall, base_rules):
    """What nftlink is given. Unlisted strangers aren't in it."""
    containers = {}
    for name, record in topology["containers"].items():
        networks = {bridge: [address(name, bridge)] for bridge in record["bridges"]}
        place = {"networks": networks}
        if len(networks) == 1:
            ((bridge, addresses),) = networks.items()
            place = {"bridge": bridge, "addresses": addresses}
        containers[name] = {**place, "expose": record["expose"], "links": record["links"]}
    bridges = {name: {**policy, "base_rules": base_rules} for name, policy in topology["bridges"].items()}
    return {"firewall": firewall, "bridges": bridges, "containers": containers}


def exposed(random):
    if random.random() < 0.15:
        return []
    found = []
    for _ in range(random.randint(1, 3)):
        port, protocol = random.choice(PORTS), random.choice(("/tcp", "/udp", ""))
        shape = random.random()
        if shape < 0.25:
            found.append(f"{port}-{port + random.randint(0, 4)}{protocol}")
        elif shape < 0.4:
            found += [f"{port}{protocol}", f"{port}{protocol or '/tcp'}"]
        else:
            found.append(f"{port}{protocol}" if protocol else port)
    return found


def generate(random):
    bridges = random.sample(wire.BRIDGES, random.randint(1, 3))
    count = random.randint(3, 10)
    containers = {}
    for number in range(count):
        several = random.random() < 0.3
        on = random.sample(bridges, random.randint(1, len(bridges)) if several else 1)
        containers[f"c{number}"] = {"bridges": on, "expose": exposed(random), "links": []}
    loner = f"c{count - 1}"  # a stranger that is listed, but linked to nothing
    for name, record in containers.items():
        near = [other for other, its in containers.items()
                if other not in (name, loner) and set(record["bridges"]) & set(its["bridges"])]
        children = [] if name == loner else random.sample(near, min(len(near), random.choice((0, 1, 1, 2, 3))))
        for child in children:
            aliases = random.choice((1, 1, 1, 2, 3))
            record["links"] += [f"{child}:a{child}{alias}" if alias else child for alias in range(aliases)]
    strangers = {f"c{number}": {"bridges": [random.choice(wire.BRIDGES)]} for number in (10, 11)}
    policies = {name: {"icc": random.choice(("deny", "deny", "deny", "deny", "allow"))} for name in bridges}
    return {"bridges": policies, "containers": containers, "strangers": strangers}
