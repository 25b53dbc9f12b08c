#!/usr/bin/env python3
"""nftlink beside the kernel's own floor and beside everything a user would pick instead. In namespaces of its own; ways are
measured in turn, round after round. The floor is the same bytes, built beforehand and replayed with one send."""
import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import tempfile

import bridges
import frame
import packets
import rivals
from figure import Figure
from nftlinkd import Nftlinkd
from place import add_bridge, milliseconds, run
from plot import svg
from support.namespaces import enter_private_namespaces


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        programs = os.path.join(options.build, "src")
        self.nftlink, self.nftlinkd = os.path.join(programs, "nftlink"), os.path.join(programs, "nftlinkd")
        self.counts = [1, 1000, 10_000] if options.quick else [1, 100, 1000, 10_000, 50_000, 100_000]
        self.rounds = options.rounds or (3 if options.quick else 7)
        self.memory = "/dev/shm"

    def inside(self, *arguments):
        """What nftlink-bench measures."""
        program = os.path.join(self.options.build, "tests", "bench", "nftlink-bench")
        return subprocess.run([program, *map(str, arguments)], check=True, text=True, stdout=subprocess.PIPE).stdout

    def measured(self, *arguments):
        return json.loads(self.inside(*arguments))

    def yaml(self, count):
        return self.inside("yaml", count)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
        return path

    def state(self, name):
        return os.path.join(self.memory, f"nftlink-bench-{os.getpid()}-{name}")

    def rival(self, figure, way, count, *command, stdin=None, scale=1):
        """Another program as a whole process. An ordinary user's send buffer is too small for some: they are left out."""
        try:
            figure.add(way, count, [scale * milliseconds(*command, stdin=stdin)])
        except subprocess.CalledProcessError:
            figure.left_out.add(f"{way} at {count:,}")

    def bulk(self):
        """topology in memory to committed, beside whole processes of others"""
        figure = Figure("bulk", "Links in memory to committed", "ms", "floor")
        for count in self.counts:
            yaml = self.yaml(count)
            config = self.file("bulk.yaml", yaml)
            rules = self.file("bulk.nft", subprocess.run([self.nftlink, "render", "-c", config], check=True, text=True,
                                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
            links = rivals.pairs(yaml)
            docker = self.file("bulk.rules", rivals.iptables(links))
            for _ in range(self.rounds if count <= 10_000 else 3):
                run("nft", "flush", "ruleset")
                for way, times in self.measured("bulk", count, 2).items():
                    figure.add(way + (" in process" if way == "libnftables" else ""), count, [t / 1e6 for t in times])
                self.rival(figure, "nft -f", count, "nft", "-f", rules)
                run("nft", "flush", "ruleset")
                if count <= 10_000:
                    for kind in ("legacy", "nft"):
                        self.rival(figure, f"iptables-{kind}-restore", count, f"iptables-{kind}-restore", docker)
                        run(f"iptables-{kind}", "-F")
                run("nft", "flush", "ruleset")
            if count in (1000, 10_000):
                run("nft", "-f", "-", stdin=rivals.bare_set(count))
                times = [milliseconds("nft", "add", "element", "inet", "rival", "links", f"{{ {rivals.element(link)} }}")
                         for link in links[:100]]
                figure.add("one nft process a link (from 100)", count, [sum(times) / len(times) * count])
                run("nft", "flush", "ruleset")
        figure.target("10,000 links to the floor", figure.ratio("nftlink", 10_000, "floor"), 1.3)
        figure.target("the same to nft -f", figure.ratio("nftlink", 10_000, "nft -f"), 1 / 15)
        return figure

    def apply(self):
        """nftlink apply from YAML as a whole process, beside yaml-cpp's own parsing of the file"""
        figure = Figure("apply", "nftlink apply of the YAML, whole process", "ms", "yaml-cpp's events")
        for count in self.counts:
            config = self.file("apply.yaml", self.yaml(count))
            rules = self.file("apply.nft", subprocess.run([self.nftlink, "render", "-c", config], check=True, text=True,
                                                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
            for _ in range(self.rounds if count <= 10_000 else 3):
                parse = self.measured("events", config, 1)
                figure.add("yaml-cpp's events", count, [parse["events"][0] / 1e6])
                figure.add("the configuration read", count, [parse["configuration"][0] / 1e6])
                figure.add("nftlink apply", count, [milliseconds(self.nftlink, "apply", "-c", config)])
                run("nft", "flush", "ruleset")
                self.rival(figure, "nft -f of the same", count, "nft", "-f", rules)
                run("nft", "flush", "ruleset")
        figure.target("10,000 links to yaml-cpp's events", figure.ratio("nftlink apply", 10_000, "yaml-cpp's events"), 1.5)
        return figure

    def one(self):
        """one link added and removed with so many present"""
        figure = Figure("one", "One link added, or removed, so many present", "µs", "floor")
        counts = [0, 1000, 10_000, 50_000] if self.options.quick else [0, *self.counts]
        for count in counts:
            run("nft", "flush", "ruleset")
            state = self.state(f"one-{count}")
            for way, times in self.measured("one", count, 100 * self.rounds, state).items():
                figure.add(way, count, [t / 1000 for t in times])
            run("rm", "-rf", state)
            self.one_by_processes(figure, count)
            for name, place in (("memory", self.memory), ("disk", self.options.disk)):
                run("nft", "flush", "ruleset")
                with Nftlinkd(self.nftlinkd, self.folder, self.yaml(max(count, 2)), place) as service:
                    for way, times in self.measured("request", service.socket, 100 * self.rounds).items():
                        figure.add(f"{way}, state in {name}" if way.startswith("socket") else way, count,
                                   [t / 1000 for t in times])
                    if name == "memory":
                        figure.add("nftlink link", count,
                                   [1000 * milliseconds(self.nftlink, "link", "-c", service.file, "bench-parent",
                                                        f"bench-child:by-hand{n}") for n in range(self.rounds)])
        figure.target("50,000 present, in the service, to the floor", figure.ratio("service", 50_000, "floor"), 3)
        figure.target("the same to none present", figure.ratio("service", 50_000, "service", 0), 1.2)
        for state in ("memory", "disk"):
            samples = figure.record()["values"]
            found = [v for v in samples if v["way"] == f"socket, state in {state}" and v["links"] == 50_000]
            if found:
                figure.target(f"through the socket, state in {state}, median", found[0]["median"], 150)
                figure.target(f"through the socket, state in {state}, 99th percentile", found[0]["p99"], 1000)
        return figure

    def one_by_processes(self, figure, count):
        run("nft", "flush", "ruleset")
        run("nft", "-f", "-", stdin=rivals.bare_set(10))
        words = ("element", "inet", "rival", "links", "{ 10.9.0.1 . 10.9.0.2 . tcp . 80 }")
        rule = ("FORWARD", "-s", "10.9.0.1", "-d", "10.9.0.2", "-p", "tcp", "--dport", "80", "-j", "ACCEPT")
        present = rivals.iptables(rivals.pairs(self.yaml(count))) if 0 < count <= 10_000 else None
        for kind in ("legacy", "nft"):
            if present and subprocess.run([f"iptables-{kind}-restore"], input=present, text=True, check=False,
                                          stderr=subprocess.DEVNULL).returncode != 0:
                figure.left_out.add(f"iptables-{kind} -I at {count:,}")
            elif count <= 10_000:
                for _ in range(self.rounds):
                    figure.add(f"iptables-{kind} -I", count, [1000 * milliseconds(f"iptables-{kind}", "-I", *rule)])
                    run(f"iptables-{kind}", "-D", *rule)
            run(f"iptables-{kind}", "-F")
        run("nft", "flush", "ruleset")
        run("nft", "-f", "-", stdin=rivals.bare_set(10))
        for _ in range(5 * self.rounds):
            figure.add("nft add element", count, [1000 * milliseconds("nft", "add", *words)])
            run("nft", "delete", *words)

    def clients(self):
        """1,000 links added by 100 clients at once, beside 1,000 processes of nft"""
        figure = Figure("clients", "1,000 links by 100 clients at once", "ms", across="clients")
        links = [(f"10.{n >> 8}.{n & 255}.1", "10.9.9.9") for n in range(1000)]
        for _ in range(self.rounds):
            for name, place in (("memory", self.memory), ("disk", self.options.disk)):
                run("nft", "flush", "ruleset")
                with Nftlinkd(self.nftlinkd, self.folder, self.yaml(1000), place) as service:
                    found = self.measured("clients", service.socket, 100, 10)
                    figure.add(f"nftlinkd, state in {name}", 100, [t / 1e6 for t in found["clients"]])
                    figure.add(f"its commits, state in {name}", 100, [found["commits"]])
        run("nft", "flush", "ruleset")
        run("nft", "-f", "-", stdin=rivals.bare_set(1000))
        for at_once in (1, 8):
            words = "\n".join(f"add element inet rival links {{ {rivals.element(link)} }}" for link in links)
            figure.add(f"1,000 nft processes, {at_once} at once", 100, [milliseconds(
                "xargs", "-d", "\n", "-P", str(at_once), "-n", "1", "nft", stdin=words)])
            run("nft", "flush", "set", "inet", "rival", "links")
        for name in ("memory", "disk"):
            figure.target(f"state in {name}, to 1,000 nft processes",
                          figure.ratio(f"nftlinkd, state in {name}", 100, "1,000 nft processes, 1 at once"), 1 / 20)
        return figure

    def adopt(self):
        """start on a kernel that has everything already, and plan with nothing to do"""
        figure = Figure("adopt", "A start with nothing to do", "ms", "floor")
        for count in self.counts:
            run("nft", "flush", "ruleset")
            state = self.state(f"adopt-{count}")
            found = self.measured("adopt", count, 4 * self.rounds, state)
            run("rm", "-rf", state)
            assert found.pop("writes") == 0, "a start that has nothing to do writes"
            for way, times in found.items():
                figure.add({"floor": "floor", "start": "the service's start", "plan": "plan, in process"}[way], count,
                           [t / 1e6 for t in times])
            config = self.file("adopt.yaml", self.yaml(count))
            for _ in range(self.rounds):
                figure.add("nftlink plan", count, [milliseconds(self.nftlink, "plan", "-c", config)])
                figure.add("nft -j list ruleset", count, [milliseconds("nft", "-j", "list", "ruleset")])
        figure.target("10,000 links to a raw dump", figure.ratio("the service's start", 10_000, "floor"), 2)
        return figure

    def heal(self):
        """after a foreign flush: until default-deny is back, until the links are"""
        figure = Figure("heal", "After a foreign flush", "ms", "floor")
        for count in [c for c in self.counts if c > 64]:
            run("nft", "flush", "ruleset")
            bulk = self.measured("bulk", count, self.rounds)
            figure.add("floor", count, [t / 1e6 for t in bulk["floor"]])
            with Nftlinkd(self.nftlinkd, self.folder, self.yaml(count), self.memory):
                for way, times in self.measured("heal", 3 * self.rounds).items():
                    figure.add(way, count, [t / 1e6 for t in times])
        figure.target("10,000 links back, to the floor", figure.ratio("links back", 10_000, "floor"), 1.5)
        figure.target("default-deny back", figure.median("denied again", 10_000), 1)
        return figure

    def packets(self):
        """what a packet costs, by family, layout and number of links; beside 0.1's ruleset, at 1 and 1,000 bridges"""
        return packets.measure(self), frame.measure(self)

    def bridges(self):
        """the same links on one bridge or on 10,000, and one bridge of 1,000 that goes and comes"""
        return bridges.measure(self)

    def memory_use(self):
        """resident memory of the service, and the kernel's"""
        figure = Figure("memory", "Memory", "MiB")
        for count in self.counts:
            run("nft", "flush", "ruleset")
            before = kernel_memory()
            with Nftlinkd(self.nftlinkd, self.folder, self.yaml(count), self.memory) as service:
                figure.add("nftlinkd, resident", count, [service.resident_mib()])
                figure.add("the kernel, for the rules", count, [max(0.001, kernel_memory() - before)])
        figure.target("nftlinkd at 10,000 links", figure.median("nftlinkd, resident", 10_000), 24)
        return figure

    def idle(self):
        """how often an idle service wakes"""
        figure = Figure("idle", "An idle service with 10,000 links, 10 s", "times woken")
        with Nftlinkd(self.nftlinkd, self.folder, self.yaml(10_000), self.memory) as service:
            run("sleep", "1")
            before, used = service.switches(), service.processor_seconds()
            run("sleep", "10")
            figure.add("woken", 10_000, [service.switches() - before])
            figure.add("processor, ms", 10_000, [1000 * (service.processor_seconds() - used)])
        figure.target("without a watchdog", figure.median("woken", 10_000), 0)
        return figure

    def env(self):
        """environment variables generated"""
        figure = Figure("env", "Link variables", "ns a variable", "floor")
        for count in self.counts:
            found = self.measured("env", count, 3 * self.rounds)
            for way in ("floor", "environment"):
                figure.add(way if way == "floor" else "linkenv", count, [t / found["variables"] for t in found[way]])
        return figure


FIGURES = {"bulk": Bench.bulk, "apply": Bench.apply, "one": Bench.one, "clients": Bench.clients, "adopt": Bench.adopt,
           "heal": Bench.heal, "packets": Bench.packets, "bridges": Bench.bridges, "memory": Bench.memory_use,
           "idle": Bench.idle, "env": Bench.env}


def kernel_memory():
    with open("/proc/meminfo", encoding="ascii") as file:
        fields = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in file)}
    return (fields["Slab"] + fields["Percpu"] + fields["VmallocUsed"]) / 1024


def machine():
    with open("/proc/cpuinfo", encoding="ascii") as file:
        processor = re.search(r"model name\s*: (.*)", file.read())
    return {"kernel": platform.release(), "processor": processor[1] if processor else platform.machine(),
            "processors": os.cpu_count(), "date": datetime.date.today().isoformat()}


def main():
    text = "\n".join(f"  {name:<8} {figure.__doc__}" for name, figure in FIGURES.items())
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, epilog="figures:\n" + text,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="which (all)")
    parser.add_argument("--quick", action="store_true", help="fewer numbers of links and rounds")
    parser.add_argument("--rounds", type=int, help="how many rounds (7; 3 with --quick)")
    parser.add_argument("--json", metavar="FILE", help="all figures as JSON")
    parser.add_argument("--disk", metavar="FOLDER", default="build", help="a folder on a disk, for the state (build)")
    parser.add_argument("--build", help=argparse.SUPPRESS, required=True)
    options = parser.parse_args()
    if unknown := [name for name in options.figures if name not in FIGURES]:
        parser.error(f"no such figure: {', '.join(unknown)}")
    enter_private_namespaces(as_real_root=True)
    options.disk = os.path.abspath(options.disk)
    add_bridge()
    records, plots = {}, os.path.join("build", "bench")
    os.makedirs(plots, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XTABLES_LOCKFILE"] = os.path.join(folder, "xtables.lock")  # an ordinary user has none
        bench = Bench(options, folder)
        for name in options.figures or FIGURES:
            made = FIGURES[name](bench)
            for figure in made if isinstance(made, tuple) else (made,):
                records[figure.name] = figure.record()
                print(figure.table(), flush=True)
                with open(os.path.join(plots, f"{figure.name}.svg"), "w", encoding="utf-8") as out:
                    out.write(svg(figure))
            run("nft", "flush", "ruleset")
    print(f"\nplots: {plots}/*.svg")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({"machine": machine(), "figures": records}, out, indent=1)


if __name__ == "__main__":
    main()
