"""Topologies: which containers sit on which bridges, what they expose, and whom they link to. Plain JSON values."""
import itertools

import wire

STAGES = 3  # a topology's: as it is; without some links, and with a new container at one's address; as it was
TWINS = "tuv"  # t3 is on another bridge than docker0 and has the address that c3 has there; u and v of the other bridges
CALLED = 19_999  # of a parent's twin, which its child's twin may link to
PUBLISHED = 7_000  # of the host
PORTS = (22, 53, 80, 443, 1194, 5353, 5432, 6379, 8000, 9999)


def address(container, bridge, family):
    home = TWINS.find(container[0])
    return wire.address(wire.BRIDGES[home] if home >= 0 else bridge, 10 + int(container[1:]), family)


def families(topology, *names):
    """Which of IPv4 and IPv6 all these containers have."""
    everybody = topology["strangers"] | topology["containers"] | topology.get("twins", {})
    return [family for family in (4, 6) if all(family in everybody[name].get("families", [4]) for name in names)]


def at(topology, stage):
    """The topology at that stage, twins included. Its heir, h3, has the addresses of c3 and no links."""
    containers = {**topology["containers"], **topology.get("twins", {})}
    if stage == 1:
        gone, former = topology.get("gone", []), topology.get("former")
        containers = {name: {**record, "links": [link for link in record["links"]
                                                 if [name, link.partition(":")[0]] not in gone
                                                 and former not in (name, link.partition(":")[0])]}
                      for name, record in containers.items()}
        if former in containers:
            containers[f"h{former[1:]}"] = containers.pop(former)
    return {**topology, "containers": containers}


def ports(exposed):
    """The protocols and numbers of an `expose` list."""
    found = set()
    for entry in exposed:
        numbers, _, protocol = str(entry).partition("/")
        first, _, last = numbers.partition("-")
        found |= {(protocol or "tcp", number) for number in range(int(first), int(last or first) + 1)}
    return sorted(found)


def links(topology):
    """(from, parent, to, child) of each way that a link goes: on each bridge that both ends share; where they share none,
    from each of the parent's to each of the child's. Aliases make no difference."""
    found = set()
    containers = topology["containers"]
    for parent, record in containers.items():
        for child in {link.partition(":")[0] for link in record["links"]}:
            ways = list(itertools.product(record["bridges"], containers[child]["bridges"]))
            shared = [way for way in ways if way[0] == way[1]]
            found |= {(start, parent, to, child) for start, to in shared or ways}
    return sorted(found)


def residents(topology, bridge):
    """Who is on the wire of that bridge, listed in the configuration or not."""
    everybody = itertools.chain(topology["containers"].items(), topology["strangers"].items())
    return [name for name, record in everybody if bridge in record["bridges"]]


def configuration(topology, firewall, base_rules):
    """What nftlink is given. Unlisted strangers aren't in it. With `family: ip` it wants an IPv4 address of everybody: who has
    none gets one that nobody sends from."""
    containers = {}
    for name, record in topology["containers"].items():
        numbers = families(topology, name)
        networks = {bridge: [address(name, bridge, family) for family in numbers] for bridge in record["bridges"]}
        if firewall["family"] == "ip" and 4 not in numbers:
            spare = 100 + int(name[1:]) + 30 * (TWINS.find(name[0]) + 1)
            networks = {bridge: [wire.address(bridge, spare, 4), *known] for bridge, known in networks.items()}
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


def policy(random):
    made = {"icc": random.choice(("deny", "deny", "deny", "deny", "allow"))}
    other_frames = random.choice((None, None, "deny", "allow"))
    routed = random.choice((None, "deny", "published", "allow"))
    return made | ({"other_frames": other_frames} if other_frames else {}) | ({"routed": routed} if routed else {})


def generate(random):
    bridges = random.sample(wire.BRIDGES, random.randint(1, 3))
    count = random.randint(3, 10)
    containers = {}
    for number in range(count):
        several = random.random() < 0.3
        on = random.sample(bridges, random.randint(1, len(bridges)) if several else 1)
        containers[f"c{number}"] = {"bridges": on, "families": random.choice(([4], [4, 6], [4, 6], [6])),
                                    "expose": exposed(random), "links": []}
    loner = f"c{count - 1}"  # a stranger that is listed, but linked to nothing
    for name, record in containers.items():
        others = [other for other in containers if other not in (name, loner)
                  and set(record["families"]) & set(containers[other]["families"])]
        near = [other for other in others if set(record["bridges"]) & set(containers[other]["bridges"])]
        far = [other for other in others if other not in near]
        children = [] if name == loner else [*random.sample(near, min(len(near), random.choice((0, 1, 1, 2, 3)))),
                                             *random.sample(far, min(len(far), random.choice((0, 0, 1))))]
        for child in children:
            aliases = random.choice((1, 1, 1, 2, 3))
            record["links"] += [f"{child}:a{child}{alias}" if alias else child for alias in range(aliases)]
    strangers = {f"c{number}": {"bridges": [random.choice(wire.BRIDGES)], "families": [4, 6]} for number in (10, 11)}
    policies = {name: policy(random) for name in bridges}
    made = {"bridges": policies, "containers": containers, "strangers": strangers, "twins": {}, "gone": [], "former": None}
    return made | {"published": publish(random, made)} | changes(random, made)


def publish(random, topology):
    """One service, whoever's, that the host gives away: what comes to its own address and that number goes there."""
    name, record = random.choice(list(topology["containers"].items()))
    bridge = random.choice(record["bridges"])
    protocol, port = random.choice(ports(record["expose"]) or [("udp", 53)])
    return {"container": name, "bridge": bridge, "protocol": protocol, "port": port, "number": PUBLISHED,
            "addresses": [address(name, bridge, family) for family in record["families"]]}


def changes(random, topology):
    """What is gone in the middle stage, and twins of a link's ends on another bridge, linked or not."""
    found = links(topology)
    if not found:
        return {}
    gone = [[parent, child] for _, parent, _, child in random.sample(found, (len(found) + 2) // 3)]
    bridge, parent, to, child = random.choice(found)
    others = [name for name in topology["bridges"] if name != bridge]
    twins = {}
    if others and bridge == to:
        on, prefix = [random.choice(others)], TWINS[wire.BRIDGES.index(bridge)]
        one, other = f"{prefix}{parent[1:]}", f"{prefix}{child[1:]}"
        like = {name: {"bridges": on, "families": topology["containers"][name]["families"]} for name in (parent, child)}
        twins = {one: {**like[parent], "expose": [f"{CALLED}/udp"], "links": random.choice(([], [f"{other}:twin"]))},
                 other: {**like[child], "expose": topology["containers"][child]["expose"],
                         "links": random.choice(([], [f"{one}:twin"]))}}
    former = random.choice((None, random.choice(random.choice(found)[1::2])))
    return {"gone": gone, "twins": twins, "former": former}
