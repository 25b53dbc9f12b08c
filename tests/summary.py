#!/usr/bin/env python3
"""Counts single test cases out of meson's build folders, and of single reports (*.xml), whose cases get the report's folder
before their names; prints, last, `N passed, N failed`.

What meson ran with pytest has a report of its own, which must be of that run and have cases. A skipped case counts as failed
unless skips.txt beside this file names it: what a kernel may lack, or an ordinary user.
"""
import collections
import json
import os
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

allowed_file = pathlib.Path(__file__).with_name("skips.txt")
allowed = {line.strip() for line in allowed_file.read_text().splitlines() if line.strip() and line[0] != "#"}
# `user: SUITE` is about all of that suite's cases, for everybody but root.
root_suites = [line.removeprefix("user: ") for line in allowed if line.startswith("user: ") and os.geteuid() != 0]

Case = collections.namedtuple("Case", "group name end why", defaults=[""])


def may_be_skipped(name):
    return name in allowed or any(f"/ {suite}." in name for suite in root_suites)


def words(name):
    """What a function of pytest's is called: its sentence, and in brackets which of its cases."""
    return re.sub(r"\[(.*)\]$", r" (\1)", name).removeprefix("test_").replace("_", " ")


def read_xml(report):
    """Nothing where there is no report, or none to its end."""
    try:
        cases = list(xml.parse(report).getroot().iter("testcase"))
    except (FileNotFoundError, xml.ParseError):
        return
    for case in cases:
        failed = case.find("failure") is not None or case.find("error") is not None
        skipped = case.find("skipped")
        is_skipped = skipped is not None or case.get("status") == "notrun"
        yield Case(case.get("classname", ""), case.get("name", ""),
                   "failed" if failed else "skipped" if is_skipped else "passed",
                   "" if skipped is None else skipped.get("message", "").partition("\n")[0])


def pytest_runs(log):
    """By name, the suites that meson ran with pytest: of each its report, when it began, and how it ended."""
    for line in log.read_text().splitlines() if log.exists() else ():
        test = json.loads(line)
        for word in test["command"]:
            if word.startswith("--junitxml="):
                yield test["name"], (pathlib.Path(word.partition("=")[2]), test["starttime"], test["result"])


def read_pytest(suite, report, begin, result):
    """The cases of one suite. One that meson calls failed has a failed case."""
    is_old = report.exists() and report.stat().st_mtime < begin
    cases = [] if is_old else [case._replace(group=suite, name=words(case.name)) for case in read_xml(report)]
    yield from cases
    if not cases:
        yield Case(suite, f"no case has run, or it ended without a report ({result})", "failed")
    elif result != "OK" and all(case.end != "failed" for case in cases):
        yield Case(suite, f"it ended badly ({result})", "failed")


def read_build(folder):
    logs = folder / "meson-logs"
    runs = dict(pytest_runs(logs / "testlog.json"))
    for case in read_xml(logs / "testlog.junit.xml"):
        if case.name not in runs:
            yield case
    for suite, run in runs.items():
        yield from read_pytest(suite.removeprefix("nftlink:"), *run)


def read(path):
    if path.suffix != ".xml":
        return list(read_build(path))
    return [case._replace(group=f"{path.parent.name}/{case.group}") for case in read_xml(path)]


passed, failed, skipped = 0, [], collections.Counter()
for argument in sys.argv[1:]:
    cases = read(pathlib.Path(argument))
    if not cases:
        failed.append(f"{argument}: no test has run")
    for case in cases:
        name = f"{case.group}.{case.name}"
        if case.end == "failed":
            failed.append(name)
        elif case.end == "skipped" and not may_be_skipped(name):
            failed.append(f"{name} (skipped: {case.why})")
        elif case.end == "skipped":
            skipped[case.why] += 1
        passed += case.end == "passed"

for why, count in skipped.most_common():
    print(f"skipped: {count}, {why}")
for name in failed:
    print(f"failed: {name}")
print(f"{passed} passed, {len(failed)} failed")
sys.exit(1 if failed or passed == 0 else 0)
