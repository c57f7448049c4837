"""Martlet beside ONNX Runtime, JAX and PyTorch: in one run, in turns, as ratios and shares of the machine's limits."""

import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import re
import sys

import measuring
import page
import peers as known
import report
from subjects import Failure, Martlet, Peer
from workloads import convolutions, drawn, products, rows, training

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Each part's peers.
PARTS = {
    "products": ["onnxruntime", "jax", "torch"],
    "convolutions": ["onnxruntime", "torch"],
    "rows": ["onnxruntime", "jax", "torch"],
    "training": ["jax", "torch", "torch.compile"],
    "random": ["torch"],
}
MODULES = {"products": products, "convolutions": convolutions, "rows": rows, "training": training}


def arguments():
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, help="of all subjects (default: 3; quick: 1)")
    parser.add_argument(
        "--seconds", type=float, help="of a measurement (default: 0.2, training 1; quick: 0.05, 0.5)")
    parser.add_argument("--quick", action="store_true", help="fewer workloads, shorter")
    parser.add_argument("--only", help="workloads whose names match this regular expression")
    parser.add_argument("--peers", help=f"of {','.join(known.NAMES)}; or none (default: those that are installed)")
    parser.add_argument("--seed", type=int, default=1, help="of the part random (default: 1)")
    parser.add_argument("--count", type=int, default=50, help="of contractions in the part random (default: 50)")
    parser.add_argument("--martlet", default=str(ROOT / ".build/release/martlet"))
    parser.add_argument(
        "--out", type=pathlib.Path, default=ROOT / "Benchmarks/results", help="the folder for the results")
    options = parser.parse_args()
    options.parts = options.parts or list(PARTS)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    options.rounds = options.rounds or (1 if options.quick else 3)
    if options.threads < 1 or options.rounds < 1 or options.count < 1 or (options.seconds or 1) <= 0:
        parser.error("threads, rounds, count and seconds are positive")
    options.peers = choose_peers(options.peers, parser)
    if not os.access(options.martlet, os.X_OK):
        parser.error(f"there is no {options.martlet}; make build makes it")
    return options


def choose_peers(wanted, parser):
    """The names of the peers to measure; those that are not installed are left out, unless they were asked for."""
    there = lambda name: all(importlib.util.find_spec(module) for module in known.NAMES[name])
    if wanted == "none":
        return []
    names = wanted.split(",") if wanted else list(known.NAMES)
    if unknown := [name for name in names if name not in known.NAMES]:
        parser.error(f"no peer {', '.join(unknown)}; there are {', '.join(known.NAMES)}")
    missing = [name for name in names if not there(name)]
    if missing and wanted:
        parser.error(f"{sys.executable} has no {', '.join(missing)}")
    for name in missing:
        print(f"bench: {sys.executable} has no {name}; it is left out", file=sys.stderr)
    return [name for name in names if name not in missing]


def chosen(part, options):
    found = drawn.workloads(options.seed, options.count) if part == "random" else MODULES[part].workloads(options.quick)
    return [workload for workload in found if not options.only or re.search(options.only, workload.name)]


def seconds(part, options):
    if options.seconds:
        return options.seconds
    return (0.5 if options.quick else 1) if part == "training" else (0.05 if options.quick else 0.2)


def versions(names):
    modules = {name.split(".")[0] for name in names}
    return {module: importlib.metadata.version(module) for module in sorted(modules)}


def write(path, text):
    """Replaces a file as a whole."""
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.replace(path)


def measure_all(options, martlet, running):
    """Measures and prints part by part."""
    needed = [name for name in options.peers if any(name in PARTS[part] for part in options.parts)]
    results = {
        "date": datetime.datetime.now().isoformat(" ", "minutes"), "threads": options.threads, "quick": options.quick,
        "versions": versions(needed), "subjects": ["martlet", *needed], "methods": report.METHODS, "parts": {}}
    for part in options.parts:
        options_of_part = argparse.Namespace(**{**vars(options), "seconds": seconds(part, options)})
        names = [name for name in PARTS[part] if name in needed]
        # It takes a minute to compile a model.
        if options.quick and "torch.compile" in names:
            names.remove("torch.compile")
        for name in names:
            if name not in running:
                running[name] = Peer(name, options.threads)
        peers = [running[name] for name in names]
        workloads = chosen(part, options)
        if not workloads:
            continue
        if part == "random":
            print(f"random: seed {options.seed}, {len(workloads)} contractions")
        progress = lambda row: print(f"bench: {part}, {row['name']}", file=sys.stderr, flush=True)
        rows, limits = measuring.measure_part(part, workloads, martlet, peers, options_of_part, progress)
        subjects = ["martlet", *(peer.name for peer in peers)]
        lines = [*limits.lines(), *report.table(part, rows, subjects, options.threads), *report.summary(part, rows), ""]
        print("\n".join(lines), flush=True)
        results["parts"][part] = {"rows": rows, "limits": list(limits.lines()), "machine": limits.figures}
        if part == "random":
            results["parts"][part]["seed"] = options.seed
    return results


def main():
    options = arguments()
    martlet, running = Martlet(options.martlet, options.threads), {}
    try:
        results = measure_all(options, martlet, running)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    finally:
        for subject in (martlet, *running.values()):
            subject.close()
    if not results["parts"]:
        sys.exit("bench: no workload has such a name")
    print(report.METHODS)
    options.out.mkdir(parents=True, exist_ok=True)
    write(options.out / "bench.json", json.dumps(results, indent=1) + "\n")
    write(options.out / "bench.html", page.page(results))
    print(f"\nwritten: {options.out / 'bench.json'} and {options.out / 'bench.html'}")
    rows = [row for part in results["parts"].values() for row in part["rows"]]
    if bad := [row["name"] for row in rows if row["failed"] or "wrong" in row]:
        sys.exit(f"bench: wrong or failed: {', '.join(bad)}")


main()
