#!/usr/bin/env python3
"""Holds the classes of the service's rooms to as few data members as one can keep in mind."""
import pathlib
import re
import sys

MOST_MEMBERS = 15
ROOMS = ("desired", "enforce", "engine", "service", "state")

root = pathlib.Path(sys.argv[1])


def bodies(text):
    """Each class with what stands between its braces, those of what is inside it left out."""
    for match in re.finditer(r"\b(?:class|struct) (\w+)[^;{()]*\{", text):
        depth, body = 1, ""
        for character in text[match.end():]:
            depth += (character == "{") - (character == "}")
            if depth == 0:
                break
            body += character if depth == 1 else " " if character not in "{}" else character
        yield match[1], re.sub(r"\s+", " ", body)


def members(body):
    """Names that end with an underscore where a declaration ends, an initializer or another name begins."""
    return set(re.findall(r"\b(\w+_)(?= ?(?:;|,|=[^=]|\{|\[))", re.sub(r"\([^()]*\)[^;]*?[;{]", ";", body)))


errors, seen = [], 0
for room in ROOMS:
    for path in sorted((root / "src" / room).glob("*.?pp")) + sorted((root / "include" / "nftlink" / room).glob("*.hpp")):
        for name, body in bodies(re.sub(r"//[^\n]*", "", path.read_text())):
            count = len(members(body))
            seen += count
            if count > MOST_MEMBERS:
                errors.append(f"{path.relative_to(root)}: {name} has {count} members, of {MOST_MEMBERS}: it is two classes")
print("\n".join(errors))
sys.exit(1 if errors or not seen else 0)
