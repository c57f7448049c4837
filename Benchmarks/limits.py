"""What the machine can do at most, and how long a workload takes at least."""

import json
import math


class Limits:
    """Measured by `martlet doctor`: fused multiply-adds in registers; reading and copying data of several sizes."""

    def __init__(self, martlet):
        self.figures = json.loads(martlet.run("doctor", "--json", "--threads", str(martlet.threads)))
        self.threads = martlet.threads
        self.peak = self.figures["gflops_all_threads"] * 1e9
        self.memory = sorted(self.figures["memory_all_threads"], key=lambda speed: speed["bytes"])

    def speed(self, how, size):
        """Bytes per second of `read` or `copy` for data of a size, between the sizes measured by logarithms."""
        key = f"{how}_gbytes"
        below = [speed for speed in self.memory if speed["bytes"] <= size] or self.memory[:1]
        above = [speed for speed in self.memory if speed["bytes"] >= size] or self.memory[-1:]
        low, high = below[-1], above[0]
        if low["bytes"] == high["bytes"]:
            return low[key] * 1e9
        share = math.log(size / low["bytes"]) / math.log(high["bytes"] / low["bytes"])
        return low[key] ** (1 - share) * high[key] ** share * 1e9

    def at_least(self, workload):
        """The seconds that a workload takes at least, and whether `arithmetic` or `memory` says so; None when neither.

        What is read and written in equal parts takes the time of a copy, the rest that of reading.
        """
        read, written = workload.read_bytes, workload.written_bytes
        both, rest = min(read, written), abs(read - written)
        size = max(read + written, 1)
        moving = 2 * both / self.speed("copy", size) + rest / self.speed("read", size)
        arithmetic = workload.flops / self.peak
        if max(moving, arithmetic) == 0:
            return None, None
        return (arithmetic, "arithmetic") if arithmetic >= moving else (moving, "memory")

    def lines(self):
        """What was measured, in text."""
        of = f"on {self.threads} thread{'s' * (self.threads != 1)}"
        yield f"{self.figures['cpu']}, {self.peak * 1e-9:.1f} GFLOP/s f32 {of} (fused multiply-adds in registers)"
        for speed in self.memory:
            size = speed["bytes"]
            label = f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
            yield f"{label:>8}: read {speed['read_gbytes']:6.1f} GB/s, copied {speed['copy_gbytes']:6.1f} GB/s {of}"
