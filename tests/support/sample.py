"""One bridge with a few links, which the tests of nftlink's verbs apply."""
from support.process import run
from support.ruleset import nft

BRIDGE_SWITCHES = "ip link set docker0 type bridge nf_call_iptables 1 nf_call_ip6tables 1"


def configuration(*links, head="", count=6):
    """A redis and `count` parents on docker0; the named ones are linked."""
    text = head + "\ncontainers:\n  redis: {bridge: docker0, addresses: [172.17.0.2, 'fd00::2'], expose: [6379, 53/udp]}\n"
    for number in range(count):
        name = f"web{number}"
        linked = "[redis:db]" if name in links else "[]"
        text += f"  {name}: {{bridge: docker0, addresses: [172.17.1.{number}, 'fd00::1:{number}'], links: {linked}}}\n"
    return text


def add_bridge():
    run("ip", "link", "add", "docker0", "type", "bridge")


def save_and_load():
    """What an operator does with nft, which loses our marks."""
    nft("-f", "-", stdin="flush ruleset\n" + nft("-s", "list", "ruleset"))


def commands(text):
    return [line for line in text.splitlines() if not line.startswith("#")]
