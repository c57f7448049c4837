#!/usr/bin/env python3
"""A peer's process: prepares workloads and times them, as it is told in lines of JSON, and answers in such lines."""

import argparse
import json
import os
import statistics
import sys
import time

# A timed stretch is at least this long, so that reading the clock does not count.
STRETCH_SECONDS = 20e-6


def library(name, threads):
    """The peer's operations; importing it may take seconds."""
    if name == "onnxruntime":
        from onnxruntime_peer import OnnxRuntimePeer
        return OnnxRuntimePeer(threads)
    if name == "jax":
        from jax_peer import JaxPeer
        return JaxPeer(threads)
    from torch_peer import TorchPeer
    return TorchPeer(threads, compiles=name == "torch.compile")


def median_time(run, seconds):
    """The median time of a call, in seconds."""
    started = time.perf_counter()
    run()
    repeats = max(1, int(STRETCH_SECONDS / max(time.perf_counter() - started, 1e-9)))
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        started = time.perf_counter()
        for _ in range(repeats):
            run()
        times.append((time.perf_counter() - started) / repeats)
    return statistics.median(times)


class Worker:
    def __init__(self, peer):
        self.peer = peer
        self.run = None

    def prepare(self, workload):
        """Makes operands and compiles; the first two runs are no measurement."""
        self.run = None
        self.run = self.peer.prepare(workload)
        for _ in range(2):
            self.run()
        return {}

    def time(self, seconds):
        return {"median_ms": median_time(self.run, seconds) * 1e3}

    def write_operands(self, workload, folder):
        import checking
        return checking.write_operands(workload, folder)

    def judge(self, workload, folder):
        import checking
        return checking.judge(workload, folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer")
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    # What libraries print must not get among the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if worker is None:
                worker = Worker(library(options.peer, options.threads))
            answer = getattr(worker, request["do"])(*request["with"])
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        print(json.dumps(answer), file=answers, flush=True)


main()
