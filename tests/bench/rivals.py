"""What a user would pick instead: the same links in its words, and as its commands."""
import re


def pairs(yaml):
    """Parent's and child's address of every link in the benchmark's YAML."""
    address, links, name = {}, [], None
    for line in yaml.splitlines():
        if found := re.match(r"  (c\d+):$", line):
            name = found[1]
        elif found := re.match(r"    addresses: \[(.*)\]", line):
            address[name] = found[1]
        elif found := re.match(r"      - (c\d+):", line):
            links.append((name, found[1]))
    return [(address[parent], address[child]) for parent, child in links]


def docker(permissions):
    """Docker 0.10's rules with icc off, as iptables-restore takes them: of (parent, child, protocol, port)."""
    here, lines = "-i docker0 -o docker0", ["*filter", ":FORWARD ACCEPT [0:0]"]
    for parent, child, protocol, port in permissions:
        lines += [f"-A FORWARD {here} -p {protocol} -s {parent} --dport {port} -d {child} -j ACCEPT",
                  f"-A FORWARD {here} -p {protocol} -s {child} --sport {port} -d {parent} -j ACCEPT"]
    lines += ["-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
              "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT", f"-A FORWARD {here} -j DROP", "COMMIT", ""]
    return "\n".join(lines)


def iptables(links):
    return docker((parent, child, "tcp", 6379) for parent, child in links)


def element(link):
    return f"{link[0]} . {link[1]} . tcp . 6379"


def bare_set(count):
    return ("add table inet rival\nadd set inet rival links { type ipv4_addr . ipv4_addr . inet_proto . inet_service; "
            f"size {2 * count + 64}; counter; }}\n")


def first_release(table, permissions):
    """The ruleset of nftlink 0.1, a set, a chain and a rule for each bridge, as its `render` wrote it for up to 100
    links a bridge: of (parent, child, protocol, port) by bridge. Held here, since nobody else has that program."""
    sets, jumps, chains = [], [], []
    for bridge, links in permissions.items():
        elements = ", ".join(f"{parent} . {child} . {protocol} . {port}" for parent, child, protocol, port in links)
        sets.append(f"set links4-{bridge} {{ type ipv4_addr . ipv4_addr . inet_proto . inet_service; "
                    f"size 192; counter; elements = {{ {elements} }}; }}")
        jumps.append(f'iifname "{bridge}" oifname "{bridge}" jump bridge-{bridge}')
        chains.append(f"chain bridge-{bridge} {{\n"
                      f" ip saddr . ip daddr . meta l4proto . th dport @links4-{bridge} accept\n"
                      " ct state established,related accept\n icmpv6 type nd-neighbor-solicit accept\n"
                      " icmpv6 type nd-neighbor-advert accept\n counter drop\n}")
    base = ["chain forward {", "type filter hook forward priority filter; policy accept;", *jumps, "}"]
    return "\n".join([f"table inet {table} {{", *sets, *chains, *base, "}", ""])
