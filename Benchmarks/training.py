#!/usr/bin/env python3
"""Training steps of Martlet beside PyTorch: in one run, in turns, as ratios.

A step is forward pass, loss, backward pass and update (Adam) of a batch that lies in memory. Each round measures Martlet,
then PyTorch, each in a process of its own; printed are the medians over the rounds and how much faster Martlet is.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BATCH = {"lenet": 64, "mlp": 128}


def torch_model(name, nn):
    """The workload as a PyTorch user writes it, and the shape of one example."""
    if name == "lenet":
        return (1, 28, 28), nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10))
    return (784,), nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def measure_torch(name, threads, seconds):
    """Times PyTorch's step in this process and prints a line of JSON."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    shape, model = torch_model(name, torch.nn)
    images = torch.randn(BATCH[name], *shape) * 0.5
    labels = torch.randint(0, 10, (BATCH[name],))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(3):
        step()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    print(json.dumps({"median_ms": statistics.median(times) * 1e3, "torch": torch.__version__}))


def line_of(command, threads):
    """Runs a command and reads the JSON in its last line."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed ({done.returncode}):\n{done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="lenet,mlp", help="workloads, with commas (default: lenet,mlp)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement (default: 2)")
    parser.add_argument("--martlet", default=str(ROOT / ".build/release/martlet"))
    parser.add_argument("--torch-only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.torch_only:
        return measure_torch(options.torch_only, options.threads, options.seconds)

    names = options.only.split(",")
    if unknown := [name for name in names if name not in BATCH]:
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(BATCH)}")
    common = ["--threads", str(options.threads), "--seconds", str(options.seconds)]
    for name in names:
        martlet, torch = [], []
        for _ in range(options.rounds):
            batch = ["--train", "--batch", str(BATCH[name])]
            martlet.append(line_of([options.martlet, "bench", name, *batch, *common, "--json"], options.threads))
            torch.append(line_of([sys.executable, __file__, "--torch-only", name, *common], options.threads))
        ours = statistics.median(run["median_ms"] for run in martlet)
        theirs = statistics.median(run["median_ms"] for run in torch)
        print(
            f"{name:8} batch {BATCH[name]:<4} {options.threads} threads   Martlet {ours:8.3f} ms   "
            f"PyTorch {torch[0]['torch']} {theirs:8.3f} ms   Martlet is {theirs / ours:.2f} times as fast   "
            f"(compiled in {martlet[-1]['compile_ms']:.0f} ms)")


main()
