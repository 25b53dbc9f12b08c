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
