#!/usr/bin/env python3
"""Counts single test cases out of the reports of build folders and of single reports of GoogleTest (*.xml) or of our
scripts (*.tap), whose cases get the report's folder before their names; prints, last, `N passed, N failed`.

A skipped case counts as failed unless skips.txt beside this file names it: what a kernel may lack, or an ordinary user.
"""
import os
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

allowed_file = pathlib.Path(__file__).with_name("skips.txt")
allowed = {line.strip() for line in allowed_file.read_text().splitlines() if line.strip() and line[0] != "#"}
# `user: SUITE` is about all of that suite's cases, for everybody but root.
root_suites = [line.removeprefix("user: ") for line in allowed if line.startswith("user: ") and os.geteuid() != 0]


def may_be_skipped(name):
    name = re.sub(r"\.\d+ - ", ".", name)  # a program test's cases are numbered
    return name in allowed or any(f"/ {suite}." in name for suite in root_suites)


def read_xml(report):
    """(name, how it ended) of each case."""
    try:
        cases = list(xml.parse(report).getroot().iter("testcase"))
    except (FileNotFoundError, xml.ParseError):
        return
    for case in cases:
        failed = case.find("failure") is not None or case.find("error") is not None
        skipped = case.find("skipped") is not None or case.get("status") == "notrun"
        yield f'{case.get("classname", "")}.{case.get("name", "")}', \
            "failed" if failed else "skipped" if skipped else "passed"


def read_tap(report):
    """The same; those that the plan announces, and that never came, have failed."""
    text = report.read_text(errors="replace") if report.exists() else ""
    found = re.findall(r"^(not )?ok (\d+) - (.*?)( # SKIP.*)?\r?$", text, re.MULTILINE)
    for failed, _, name, skipped in found:
        yield f"{report.stem}.{name}", "failed" if failed else "skipped" if skipped else "passed"
    plan = re.search(r"^1\.\.(\d+)", text, re.MULTILINE)
    for number in range(len(found) + 1, int(plan[1]) + 1 if plan else 0):
        yield f"{report.stem}.case {number}, to which it did not come", "failed"


passed, failed = 0, []
for argument in sys.argv[1:]:
    path, prefix = pathlib.Path(argument), ""
    if path.suffix in (".xml", ".tap"):
        prefix = f"{path.parent.name}/"
    else:
        path = path / "meson-logs" / "testlog.junit.xml"
    cases = [(prefix + name, end) for name, end in (read_tap if path.suffix == ".tap" else read_xml)(path)]
    if not cases:
        failed.append(f"{argument}: no test has run")
    for name, end in cases:
        if end == "failed":
            failed.append(name)
        elif end == "skipped" and not may_be_skipped(name):
            failed.append(f"{name} (skipped)")
        passed += end == "passed"

for name in failed:
    print(f"failed: {name}")
print(f"{passed} passed, {len(failed)} failed")
sys.exit(1 if failed or passed == 0 else 0)
