#!/usr/bin/env python3
"""Finds a `default:` in a switch over the operations or over one of their functions.

Such a switch must name every case, so that a new operation is a compile error wherever it lacks its rule. The closed
sets are read from Sources/GraphIR: `Operation`, its `Kind`, and every enum `...Function`. A switch belongs to one of
them when each of its patterns is made of its cases. Relies on the layout of `swift format`: `case` and `default` stand
under their `switch`.
"""

import pathlib
import re
import sys

ENUM = re.compile(r"^( *)(?:public |package |indirect )*enum (Operation|Kind|\w+Function)\b")
# A case's own name, and not a member of something else (`self.add`, `Float.zero`).
NAME = re.compile(r"(?<![\w\])>.])\.(\w+)")


def closed_sets(folder):
    """The cases of each closed enum in a folder."""
    sets = {}
    for path in sorted(folder.rglob("*.swift")):
        lines = path.read_text().splitlines()
        for start, line in enumerate(lines):
            if not (match := ENUM.match(line)):
                continue
            indent, cases = match[1], set()
            inside = re.compile(rf"^{indent}  case (.*)")
            for below in lines[start + 1 :]:
                if below == indent + "}":
                    break
                if found := inside.match(below):
                    names = re.sub(r"\([^)]*\)|=[^,]*|//.*", "", found[1])
                    cases.update(name.strip(" `") for name in names.split(",") if name.strip())
            sets[match[2]] = cases
    return sets


def patterns(lines, default):
    """The patterns of the switch that a `default:` ends, without `where` clauses and bodies."""
    indent = re.match(" *", lines[default])[0]
    found = []
    for number in range(default - 1, -1, -1):
        line = lines[number]
        if re.match(rf"{indent}case\b", line):
            label = line
            for more in lines[number + 1 : default]:
                if label.rstrip().endswith((",", "(")):
                    label += " " + more.strip()
                else:
                    break
            found.append(re.split(r":(?: |$)| where ", label.removeprefix(indent + "case"))[0])
        elif line.strip() and not line.startswith(indent + " ") and not line.startswith(indent + "//"):
            return found
    return found


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    sets = closed_sets(root / "Sources/GraphIR")
    if "Operation" not in sets or not sets["Operation"]:
        sys.exit("check_switches: no enum Operation in Sources/GraphIR")
    failed = False
    folders = [pathlib.Path(name) for name in sys.argv[1:]] or [root / n for n in ("Sources", "Samples", "Tests")]
    for path in sorted(path for folder in folders for path in folder.rglob("*.swift")):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if not re.match(r" *(@unknown )?default:", line):
                continue
            names = [set(NAME.findall(pattern)) for pattern in patterns(lines, number)]
            for enum, cases in sets.items():
                if names and all(used and used <= cases for used in names):
                    print(f"{path}:{number + 1}: error: `default:` in a switch over {enum}; name every case")
                    failed = True
                    break
    sys.exit(failed)


main()
