#!/usr/bin/env bash
# Checks that the benchmarks work, without peers and at a tiny size: each part gives figures, the page's charts are
# well-formed, and a wrong result makes the run fail.
set -euo pipefail
cd "$(dirname "$0")/.."
martlet=${MARTLET:-.build/release/martlet}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bench() { PEERS=none Scripts/bench.sh --rounds 1 --seconds 0.005 --threads 1 --quick --out "$work" "$@"; }

bench --martlet "$martlet" --only '^(127x131x137|64 of|3x3 32-32 at 112 depthwise|one element|softmax 128|lenet)' \
  products convolutions rows training >"$work/output" 2>"$work/errors" || { cat "$work/output" "$work/errors"; exit 1; }
python3 - "$work" <<'END'
import json, pathlib, re, sys
import xml.etree.ElementTree as xml
folder = pathlib.Path(sys.argv[1])
parts = json.loads((folder / "bench.json").read_text())["parts"]
assert set(parts) == {"products", "convolutions", "rows", "training"}, parts.keys()
assert len(parts["convolutions"]["rows"]) == 3, "forward and two gradients"
for part in parts.values():
    for row in part["rows"]:
        assert row["median_ms"]["martlet"] > 0 and row["percent_of_limit"]["martlet"] > 0, row
charts = re.findall(r"<svg.*?</svg>", (folder / "bench.html").read_text())
assert len(charts) == len(parts), f"{len(charts)} charts"
bars = [element for chart in charts for element in xml.fromstring(chart).iter() if element.tag == "rect"]
assert len(bars) == sum(len(part["rows"]) for part in parts.values()), f"{len(bars)} bars"
END

# The same drawn contraction, right and with a fault in the compiler.
drawn=(--seed 387 --count 1 random)
bench --martlet "$martlet" "${drawn[@]}" >"$work/output" 2>&1 || { cat "$work/output"; exit 1; }
cat >"$work/faulty" <<END
#!/bin/sh
verb=\$1; shift
[ "\$verb" = compare ] && set -- "\$@" --plant schedule-wrong-reduction-start
exec "$(realpath "$martlet")" "\$verb" "\$@"
END
chmod +x "$work/faulty"
if bench --martlet "$work/faulty" "${drawn[@]}" >"$work/output" 2>&1 || ! grep -q WRONG "$work/output"; then
  echo "check-bench.sh: a wrong result went unnoticed"
  cat "$work/output"
  exit 1
fi
echo "benchmarks: they work"
