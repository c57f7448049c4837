"""Measures a part: each workload by all subjects in turns, several rounds."""

import pathlib
import statistics
import time

from limits import Limits
from subjects import Failure

# For the threads of whoever was measured before to fall asleep.
PAUSE_SECONDS = 0.02


def measure(workload, martlet, peers, limits, options):
    """A row of the results: medians, the ratio to the best peer, the share of the limit, what failed."""
    times, notes, extras = {}, [], {}
    ready = []
    for subject in (martlet, *peers):
        try:
            subject.prepare(workload)
            ready.append(subject)
        except Failure as failure:
            notes.append(str(failure))
    for _ in range(options.rounds):
        for subject in list(ready):
            time.sleep(PAUSE_SECONDS)
            try:
                answer = subject.time(options.seconds)
            except Failure as failure:
                notes.append(str(failure))
                ready.remove(subject)
                continue
            times.setdefault(subject.name, []).append(answer["median_ms"])
            if subject is martlet:
                extras = {key: answer[key] for key in ("compile_ms", "peak_bytes", "kernels", "flops")}
    if workload.sample:
        workload.flops = extras.get("flops", 0)
    return row(workload, times, notes, limits, extras, martlet.name)


def row(workload, times, notes, limits, extras, ours):
    medians = {name: statistics.median(values) for name, values in times.items()}
    least, bound = limits.at_least(workload)
    best = min((name for name in medians if name != ours), key=medians.get, default=None)
    found = {
        "name": workload.name, "median_ms": medians, "rounds_ms": times, "best_peer": best, "ratio": None,
        "limit_ms": None if least is None else least * 1e3, "bound_by": bound, "percent_of_limit": {},
        "flops": workload.flops, "bytes": workload.read_bytes + workload.written_bytes, "notes": notes,
        "compile_ms": extras.get("compile_ms"), "kernels": extras.get("kernels"),
        "peak_bytes": extras.get("peak_bytes"), "failed": ours not in medians}
    if best is not None and ours in medians:
        found["ratio"] = medians[best] / medians[ours]
    if least is not None:
        found["percent_of_limit"] = {name: 100 * least * 1e3 / median for name, median in medians.items()}
    return found


def check(workload, martlet, peers):
    """Compares Martlet's result with PyTorch's in f64, or without it with the interpreter; gives what is wrong."""
    judge = next((peer for peer in peers if peer.name == "torch"), None)
    folder = pathlib.Path(martlet.folder.name)
    try:
        path = str(workload.write(folder))
        if judge is None:
            martlet.run("compare", path)
            return None
        judge.ask("write_operands", workload.for_peers(), str(folder))
        operands = [part for name in workload.inputs for part in ("--input", f"{name}={folder / name}.npy")]
        out = ["--output-dir", str(folder / "out"), "--threads", str(martlet.threads)]
        martlet.run("run", path, *operands, *out)
        excess = judge.ask("judge", workload.for_peers(), str(folder))["excess"]
        return None if excess <= 1 else f"the error is {excess:.3g} times what rounding can do"
    except Failure as failure:
        return str(failure)


def measure_part(part, chosen, martlet, peers, options, progress):
    """The rows of a part, and the machine's limits in the same moments."""
    limits = Limits(martlet)
    rows = []
    for workload in chosen:
        wrong = check(workload, martlet, peers) if part == "random" else None
        found = measure(workload, martlet, peers, limits, options)
        if wrong:
            found["wrong"] = wrong
        rows.append(found)
        progress(found)
    return rows, limits
