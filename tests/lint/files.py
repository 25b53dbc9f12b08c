#!/usr/bin/env python3
"""Checks the tree itself: format, length, and what lies at the top."""
import pathlib
import re
import subprocess
import sys

LONGEST_FILE = 500
# A comment names the thing that it is about by a noun.
RIDDLE = re.compile(r"(?:^|\s)// (?:What|Who|Whom|Whose|Whoever|Whatever|Whether|How)\b")
TOP = {"CHANGELOG.md", "LICENSE", "README.md", "config", "dev", "include", "meson.build", "meson_options.txt", "src",
       "subprojects", "tests"}

root = pathlib.Path(sys.argv[1])
errors = [f"{entry.name}: does not belong at the top" for entry in root.iterdir()
          if entry.name not in TOP | {"build"} and not entry.name.startswith(".")]
errors += [f"{name}: is missing" for name in TOP if not (root / name).exists()]

folders = [root / name for name in ("include", "src", "tests", "config", "subprojects/packagefiles")]
sources = [path for folder in folders for path in sorted(folder.rglob("*.[ch]pp"))]
others = [path for folder in folders for pattern in ("meson.build", "*.py", "*.sh", "*.md", "*.in", "*.conf")
          for path in sorted(folder.rglob(pattern))] + [root / name for name in TOP if (root / name).is_file()]
for path in sources + others:
    lines = path.read_text().splitlines()
    name = path.relative_to(root)
    if len(lines) > LONGEST_FILE:
        errors.append(f"{name}: {len(lines)} lines need scrolling to grasp")
    errors += [f"{name}:{number}: blank at the end of the line" for number, line in enumerate(lines, 1)
               if line != line.rstrip()]
    if name.parts[0] in ("include", "src"):
        begins = (number for number, line in enumerate(lines, 1)
                  if RIDDLE.search(line) and not (line.lstrip().startswith("//") and number > 1
                                                  and lines[number - 2].lstrip().startswith("//")))
        errors += [f"{name}:{number}: a comment begins with its subject, not with a question" for number in begins]
    if path.suffix == ".hpp" and "#pragma once" not in lines:
        errors.append(f"{name}: has no #pragma once")

formatted = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *map(str, sources)], capture_output=True, text=True)
if formatted.returncode != 0:
    errors.append(formatted.stderr)
print("\n".join(errors))
sys.exit(1 if errors or not sources else 0)
