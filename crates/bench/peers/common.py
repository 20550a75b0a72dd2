"""What the peers written in Python share: inputs, timing, the command line. Needs NumPy.

Inputs are the same in every program of the bench (see src/numbers.rs), and a row's digest (the mean absolute value of each result; of a
training step the first and the last of six losses) shows that programs did the same work.
"""

import argparse
import json
import math
import statistics
import sys
import time

import numpy as np

STEPS = 6


def bits(seed, n):
    """n hashes of 32 bits: Chris Wellons' lowbias32 of position and seed."""
    h = np.arange(1, n + 1, dtype=np.uint32)
    h *= np.uint32(0x9E3779B1)
    h += np.uint32(seed * 0x85EBCA77 & 0xFFFFFFFF)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x846CA68B)
    h ^= h >> np.uint32(16)
    return h


def floats(seed, shape, scale=1.0):
    """float32 numbers in −1..1 times scale."""
    h = bits(seed, math.prod(shape)) >> np.uint32(8)
    return ((h.astype(np.float32) / np.float32(2**23) - np.float32(1)) * np.float32(scale)).reshape(shape)


def integers(seed, shape, below):
    """int32 numbers in 0..below."""
    return ((bits(seed, math.prod(shape)) >> np.uint32(8)) % np.uint32(below)).astype(np.int32).reshape(shape)


class Case:
    """A row made ready: run does the work once and returns its results, or its loss if it is a training step."""

    def __init__(self, run, flops=0.0, steps=False):
        self.run, self.flops, self.steps = run, flops, steps

    def digest(self, magnitude):
        if self.steps:
            losses = [self.run() for _ in range(STEPS)]
            return [losses[0], losses[-1]]
        results = self.run()
        return [magnitude(result) for result in (results if isinstance(results, tuple) else (results,))]

    def times(self, runs, seconds):
        """Seconds of each run, and seconds of processor time of all of them: at least so many runs and at least so long, after a warm-up
        of a fifth of that."""
        start, count = time.perf_counter(), 0
        while count < runs / 5 or time.perf_counter() - start < seconds / 5:
            self.run()
            count += 1
        times, start, cpu = [], time.perf_counter(), time.process_time()
        while len(times) < runs or time.perf_counter() - start < seconds:
            before = time.perf_counter()
            # The result dies before the clock stops: giving memory back is part of the work.
            self.run()
            times.append(time.perf_counter() - before)
        return times, time.process_time() - cpu


def main(program, version, rows, magnitude, setup):
    """Parses the command line and runs rows. magnitude is the mean absolute value of a result, as a float."""
    parser = argparse.ArgumentParser(description=f"The bench's rows in {program}.")
    parser.add_argument("filter", nargs="?", default="", help="only rows whose name contains this; a whole name means that row alone")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=10, help="each row is run at least so often")
    parser.add_argument("--seconds", type=float, default=1.0, help="and at least so long")
    parser.add_argument("--fused", action="store_true", help="also rows that use fused variants, where there are any")
    parser.add_argument("--serve", action="store_true", help="names from standard input, a JSON line for each")
    parser.add_argument("--version", action="version", version=f"{program} {version}")
    options = parser.parse_args()
    setup(options)

    for name in sys.stdin if options.serve else matching(rows, options.filter):
        name = name.strip()
        if name not in rows:
            print(json.dumps({"name": name, "error": "no such row"}), flush=True)
            continue
        case = rows[name]()
        flops = case.flops
        digest, (times, cpu) = case.digest(magnitude), case.times(options.runs, options.seconds)
        del case  # its memory goes before the next one's comes
        median = statistics.median(times)
        line = {"name": name, "median_ms": median * 1e3, "min_ms": min(times) * 1e3, "runs": len(times), "digest": digest}
        line["cpu_ms"] = cpu / len(times) * 1e3
        if flops:
            line["gflops"] = flops / median * 1e-9
        print(json.dumps(line), flush=True)


def matching(rows, text):
    found = [text] if text in rows else [name for name in rows if text in name]
    if not found:
        sys.exit(f'no row\'s name contains "{text}"; there are {", ".join(rows)}')
    return found
