#!/usr/bin/env python3
"""Records the present output as what the tests in IR/ expect: `make bless`, or bless.py FILE.mir ...

Only files with a line `// AUTOCHECK` are rewritten: below it stand, for every RUN line that ends in
`| FileCheck %s [--check-prefix=NAME]`, CHECK lines for each line that the command prints. Read the difference before you
commit it: it is what the tests will hold from then on.
"""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARTLET = os.environ.get("MARTLET", str(ROOT / ".build/release/martlet"))
RUN = re.compile(r"^// RUN: (.*?)\s*\|\s*FileCheck %s(?:\s+--check-prefix[= ](\S+))?\s*$")
MARK = "// AUTOCHECK"


def check_lines(prefix, output):
    """CHECK lines that hold exactly these lines, one after the other."""
    lines, directive = [], prefix
    for text in output.rstrip("\n").split("\n"):
        if not text.strip():
            lines.append(f"// {prefix}-EMPTY:")
        else:
            literal = "{LITERAL}" if "[[" in text or "{{" in text else ""
            lines.append(f"// {directive}{literal}: {text.rstrip()}")
        directive = prefix + "-NEXT"
    return lines


def bless(path):
    """Rewrites one file; says whether anything changed."""
    text = path.read_text()
    lines = text.split("\n")
    if MARK not in lines:
        return False
    runs = [(match[1], match[2] or "CHECK") for line in lines if (match := RUN.match(line))]
    if not runs:
        sys.exit(f"{path}: AUTOCHECK needs a line `// RUN: ... | FileCheck %s`")
    prefixes = "|".join(re.escape(prefix) for _, prefix in runs)
    old = re.compile(rf"^// ({prefixes})(-NEXT|-EMPTY|-LABEL|-SAME|-NOT|-DAG)?(\{{LITERAL\}})?:")
    lines = [line for line in lines if not old.match(line)]
    checks = []
    for command, prefix in runs:
        command = command.replace("%martlet", MARTLET).replace("%s", str(path))
        done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT)
        if done.returncode != 0:
            sys.exit(f"{path}: `{command}` failed:\n{done.stderr}")
        if not done.stdout.strip():
            sys.exit(f"{path}: `{command}` printed nothing")
        checks += check_lines(prefix, done.stdout)
    at = lines.index(MARK) + 1
    blessed = "\n".join(lines[:at] + checks + lines[at:])
    if blessed == text:
        return False
    path.write_text(blessed)
    return True


def main():
    paths = [pathlib.Path(name).resolve() for name in sys.argv[1:]] or sorted((ROOT / "IR").rglob("*.mir"))
    # Twice, for outputs that name lines of the file: these move when the number of CHECK lines changes.
    changed = [path for path in paths if bless(path) | bless(path)]
    for path in changed:
        print("recorded", path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
    print(f"{len(changed)} of {len(paths)} files changed")


main()
