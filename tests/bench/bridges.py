"""What the number of bridges costs: the same links on one or on many, and one bridge of many that goes and comes."""
import json
import subprocess
import time

from figure import Figure
from nftlinkd import Nftlinkd
from place import Namespace, milliseconds, run, switch_bridge_netfilter_off

LINKS, MANY, PRESENT = 20_000, 10_000, 1000
QUIET = 0.3  # seconds in which the service does nothing: it has dealt with all there was


def configuration(links, bridges):
    """Parents with two links each."""
    text = "bridges:\n" + "".join(f"  br{bridge}: {{icc: deny}}\n" for bridge in range(bridges)) + "containers:\n"
    for parent in range(links // 2):
        place = lambda end: f"bridge: br{parent % bridges}, addresses: [10.{parent >> 8}.{parent & 255}.{end}]"
        text += (f"  one{parent}: {{{place(2)}, expose: [80/tcp]}}\n  other{parent}: {{{place(3)}, expose: [80/tcp]}}\n"
                 f"  parent{parent}: {{{place(4)}, links: [one{parent}, other{parent}]}}\n")
    return text


def measure(bench):
    figure = Figure("bridges", "What the number of bridges costs", "ms", across="bridges")
    files = {bridges: bench.file(f"bridges-{bridges}.yaml", configuration(LINKS, bridges)) for bridges in (1, MANY)}
    apply, one = f"nftlink apply of {LINKS:,} links", "nftlinkd, a bridge that goes and comes"
    # Bridges that aren't there are compiled as well. So many would take the kernel minutes to remove.
    for _ in range(bench.rounds):
        for bridges, file in files.items():
            figure.add(apply, bridges, [milliseconds(bench.nftlink, "apply", "-c", file)])
            run("nft", "flush", "ruleset")
    with Namespace():
        figure.add(one, PRESENT, goes_and_comes(bench))
    figure.target(f"{apply} on {MANY:,} bridges to one", figure.ratio(apply, MANY, apply, 1), 3)
    figure.target(f"{one}, of {PRESENT:,}: its processor", figure.median(one, PRESENT), 1)
    return figure


def goes_and_comes(bench):
    """The service's processor time for both."""
    switch_bridge_netfilter_off()
    run("ip", "-batch", "-", stdin="".join(f"link add br{number} type bridge\n" for number in range(PRESENT)))
    times = []
    with Nftlinkd(bench.nftlinkd, bench.folder, configuration(2 * PRESENT, PRESENT), bench.memory) as service:
        until_quiet(service)
        for number in range(2 * bench.rounds):
            before, name = service.processor_seconds(), f"br{number * 7 % PRESENT}"
            run("ip", "link", "delete", name)
            until_quiet(service)
            run("ip", "link", "add", name, "type", "bridge")
            until_switched_on(name)
            until_quiet(service)
            times.append(1000 * (service.processor_seconds() - before))
    return times


def until_quiet(service):
    used = None
    while used != (used := service.processor_seconds()):
        time.sleep(QUIET)


def until_switched_on(bridge):
    """Its packets come to the rules."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        shown = subprocess.run(["ip", "-json", "-details", "link", "show", bridge], check=True, text=True,
                               stdout=subprocess.PIPE).stdout
        if json.loads(shown)[0]["linkinfo"]["info_data"]["nf_call_iptables"] == 1:
            return
        time.sleep(QUIET / 10)
    raise TimeoutError(f"nftlinkd doesn't see that {bridge} came")
