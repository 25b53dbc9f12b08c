#!/usr/bin/env python3
"""Counts single test cases out of the reports of build folders and of single GoogleTest reports (*.xml), whose cases get
the report's folder before their names; prints, last, `N passed, N failed`.

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


def read_cases(report):
    try:
        return list(xml.parse(report).getroot().iter("testcase"))
    except (FileNotFoundError, xml.ParseError):
        return []


passed, failed = 0, []
for argument in sys.argv[1:]:
    path, prefix = pathlib.Path(argument), ""
    if path.suffix == ".xml":
        prefix = f"{path.parent.name}/"
    else:
        path = path / "meson-logs" / "testlog.junit.xml"
    cases = read_cases(path)
    if not cases:
        failed.append(f"{argument}: no test has run")
    for case in cases:
        name = f'{prefix}{case.get("classname", "")}.{case.get("name", "")}'
        skipped = case.find("skipped") is not None or case.get("status") == "notrun"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif skipped and not may_be_skipped(name):
            failed.append(f"{name} (skipped)")
        elif not skipped:
            passed += 1

for name in failed:
    print(f"failed: {name}")
print(f"{passed} passed, {len(failed)} failed")
sys.exit(1 if failed or passed == 0 else 0)
