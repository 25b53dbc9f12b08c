"""What Prometheus gets."""
import os
import re
import subprocess

from support import programs
from support.ruleset import nft
from support.service import SEED, Service, add_bridge, eventually

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|\+Inf|NaN)")
KEY = '"docker0" . 172.17.0.3 . 172.17.0.2 . tcp . 6379'


def parse(text):
    """Metrics by name: type and samples (suffix, labels, value). Insists on the form that the documentation states."""
    metrics, current = {}, None
    assert text.endswith("\n")
    for line in text.splitlines():
        if help_line := re.fullmatch(rf"# HELP ({NAME}) (\S.*)", line):
            current = help_line[1]
            assert current not in metrics, f"{current} is not in one place"
            metrics[current] = (None, [])
        elif type_line := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram)", line):
            assert type_line[1] == current and metrics[current] == (None, []), line
            metrics[current] = (type_line[2], [])
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            kind, samples = metrics[current]
            suffix = sample[1].removeprefix(current)
            assert suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",)), line
            samples.append((suffix, dict(re.findall(r'(\w+)="([^"]*)"', sample[2] or "")), float(sample[3])))
    for name, (kind, samples) in metrics.items():
        assert kind and name.endswith("_total") == (kind == "counter"), name
        identities = [(suffix, *sorted(labels.items())) for suffix, labels, _ in samples]
        assert len(set(identities)) == len(identities), f"{name}: a sample twice"
    return metrics


def metrics_of(service):
    answer = service.client.send("GET", "/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers
    return answer.text


def value(metrics, name, **labels):
    (found,) = [value for _, found, value in metrics[name][1] if labels.items() <= found.items()]
    return found


def busy_service(place):
    """One that has something to count: packets, a repair."""
    add_bridge()
    service = Service(place, "bridges: {open: {icc: allow}}\n" + SEED)
    nft("-f", "-", stdin=f"""delete element inet nftlink links4 {{ {KEY} }}
        add element inet nftlink links4 {{ {KEY} counter packets 42 bytes 2520 comment "/web/db" }}""")
    nft("flush", "chain", "inet", "nftlink", "forward")
    eventually(lambda: service.status()["heals"] > 0)
    return service


def test_they_have_the_form_of_the_text_exposition_and_the_right_values(place):
    service = busy_service(place)
    metrics = parse(metrics_of(service))
    status, link = service.status(), {"link": "/web/db", "parent": "web", "child": "redis", "alias": "db"}
    assert value(metrics, "nftlink_link_packets_total", **link) == 42
    assert value(metrics, "nftlink_link_bytes_total", **link) == 2520
    assert value(metrics, "nftlink_links_desired") == value(metrics, "nftlink_links_installed") == 1
    assert value(metrics, "nftlink_bridge_enforced", bridge="docker0") == 1
    assert value(metrics, "nftlink_heals_total") == status["heals"]
    assert value(metrics, "nftlink_configuration_info", hash=status["configuration"]["hash"]) == 1
    assert value(metrics, "nftlink_clients") == status["clients"] == 1
    assert value(metrics, "nftlink_in_force") == 1
    kind, samples = metrics["nftlink_apply_duration_seconds"]
    buckets = [(float(labels["le"]), count) for suffix, labels, count in samples if suffix == "_bucket"]
    (count,) = [count for suffix, _, count in samples if suffix == "_count"]
    assert kind == "histogram" and buckets == sorted(buckets) and buckets[-1] == (float("inf"), count), samples
    assert [count for _, count in buckets] == sorted(count for _, count in buckets) and count >= 2


def test_without_counters_there_are_none_of_links(place):
    add_bridge()
    service = Service(place, "firewall: {counters: false}\n" + SEED)
    metrics = parse(metrics_of(service))
    assert not metrics.keys() & {"nftlink_link_packets_total", "nftlink_link_bytes_total"}
    assert value(metrics, "nftlink_links_installed") == 1
    assert service.links()["/web/db"]["packets"] is None and service.client.get("/v1/links")["counters"] is False


def test_promtool_finds_nothing_to_say(place):
    text = metrics_of(busy_service(place))
    tools = programs.project / "build" / "tools"  # where ./dev puts it when the system has none
    path = {**os.environ, "PATH": f"{os.environ['PATH']}:{tools}"}
    done = subprocess.run(["promtool", "check", "metrics"], input=text, env=path, capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0 and done.stdout + done.stderr == "", done
