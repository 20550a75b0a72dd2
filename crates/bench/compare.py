#!/usr/bin/env python3
"""Runs the bench in turn with programs that do the same work elsewhere, and prints a table of ratios (peer ÷ ours: above 1 we are faster).

    crates/bench/compare.py [FILTER…] [--python PATH] [--peers torch,numpy,tinygrad,candle,burn] [--rounds N] [--write BENCHMARKS.md]

For each row and each peer: ours, peer, ours, peer, … Each turn takes the median of many runs, each pair gives a ratio, and the table has
the median of the pairs. Neighbours in time share what the machine is up to, so a ratio stays true where a time does not. What was
measured on different days is never compared. Each row gets processes of its own: in one that has run other rows, a time depends on
them, because an allocator learns from what it has handed out (glibc keeps large blocks once it has seen some freed).

Needs only Python's standard library itself; PyTorch and NumPy must be there in the Python that --python names, and the Rust peers are
built by themselves the first time that they are asked for (that takes minutes). A peer that is not there is left out.
"""

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# What we want to reach against PyTorch (eager, the same number of threads).
GOALS = {
    "mlp_step": 2, "tinyconv_step": 2.5, "bigconv_step": 1.8, "gpt_step": 1.3, "resnet_step": 1.5,
    "matmul_256": 0.9, "matmul_512": 1, "matmul_1024": 1, "matmul_2048": 1, "matmul_tn_1024": 1, "bmm_64x128x64x128": 1.2, "matvec_4096": 1.5,
    "conv_fwd_3x224s2": 1.5, "conv_fwd_64x56": 0.9, "conv_fwd_dw128x28": 1.5,
    "conv_bwd_3x224s2": 1.5, "conv_bwd_64x56": 0.9, "conv_bwd_dw128x28": 1.5,
    "add_4096": 2, "chain_4096": 20, "softmax_4096": 2.5, "log_softmax_bwd_4096": 2.5, "gelu_4096": 2.5, "layernorm_4096": 2.5,
    "sum_4096": 1, "sum_axis0_4096": 3, "max_pool_64x56": 1.5, "transpose_4096": 3, "cumsum_4096": 3, "gather_embedding": 1,
    "adam_10m": 2, "adam_10m_fused": 0.95, "graph_1000": 2, "cast_f16_4096": 2,
}  # fmt: skip

# Rows of a peer that stand against one of ours of another name.
VARIANTS = {"adam_10m_fused": "adam_10m"}

# What we want to reach against the machine and ourselves: (title, one, other, how the ratio is made of both, goal).
# The other may be a row and "@1": with one thread.
OWN = [
    ("matmul_2048, share of the multiply-add peak", "matmul_2048", "machine_fma_peak", lambda a, b: a["gflops"] / b["gflops"], "≥ 0.85"),
    ("add_4096, share of a plain loop", "add_4096", "machine_stream_add", lambda a, b: b["median_ms"] / a["median_ms"], "≥ 0.8"),
    ("sum_4096, share of a plain loop", "sum_4096", "machine_stream_sum", lambda a, b: b["median_ms"] / a["median_ms"], "≥ 0.8"),
    ("a new graph, against one seen before", "graph_1000", "graph_1000_new", lambda a, b: b["median_ms"] / a["median_ms"], "≤ 3"),
    ("bigconv_step, all threads against one", "bigconv_step", "bigconv_step@1", lambda a, b: b["median_ms"] / a["median_ms"], "≥ 1.8"),
    ("gpt_step, all threads against one", "gpt_step", "gpt_step@1", lambda a, b: b["median_ms"] / a["median_ms"], "≥ 1.8"),
    ("matmul_2048, all threads against one", "matmul_2048", "matmul_2048@1", lambda a, b: b["median_ms"] / a["median_ms"], "≥ 1.8"),
    ("bigconv_step, time a sample: batch 32 against 128", "bigconv_step", "bigconv_step_b32", lambda a, b: 4 * b["median_ms"] / a["median_ms"], "0.8–1.2"),
    ("bigconv_step, time a sample: batch 1024 against 128", "bigconv_step", "bigconv_step_b1024", lambda a, b: b["median_ms"] / 8 / a["median_ms"], "0.8–1.2"),
]  # fmt: skip

# Seconds of rest before a turn: thread pools of others spin for a while after their work is done.
REST = 0.25

# A turn counts as disturbed if other programs had more than this share of the processors meanwhile.
DISTURBED = 0.05

# Digests of programs that did the same work agree to this (sums in another order, losses after six steps).
TOLERANCE = 2e-3


# ---- Programs ------------------------------------------------------------------------------------------------------------------------


def busy():
    """Seconds that all processors of the machine have worked (or were held back for another machine) since it started; None if unknown."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    except OSError:
        return None
    # user, nice, system, idle, waiting for disks, interrupts of two kinds, stolen by other machines
    return (sum(fields[:8]) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


class Program:
    """A program that answers names of rows with JSON lines."""

    def __init__(self, command, options, env, patience):
        self.patience = patience
        self.process = subprocess.Popen(
            [*command, "--serve", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT
        )

    def measure(self, row):
        """The row's line, or None if this program has no such row. A turn that was disturbed is taken again while patience lasts; if it
        never was quiet, the least disturbed one counts."""
        best, end = None, time.monotonic() + self.patience
        while True:
            wait_for_quiet(end)
            line = self.turn(row)
            if line is None:
                return None
            if best is None or line["disturbed"] < best["disturbed"]:
                best = line
            if best["disturbed"] <= DISTURBED or time.monotonic() > end:
                return best

    def turn(self, row):
        """One turn, and which share of the processors others had meanwhile."""
        start, busy_before, own_before = time.monotonic(), busy(), self.seconds()
        try:
            self.process.stdin.write(row + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died; the missing answer tells
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.process.args} ended while it should measure {row}")
        line = json.loads(answer)
        if "error" in line:
            return None
        if busy_before is None:
            return {**line, "disturbed": 0.0}
        others = busy() - busy_before - (self.seconds() - own_before)
        return {**line, "disturbed": max(0.0, others / (time.monotonic() - start) / os.cpu_count())}

    def seconds(self):
        """Seconds of processor time that this program has used."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        except OSError:
            return 0.0
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def wait_for_quiet(end):
    """Rests, and goes on resting while others are at work, until `end` at the latest."""
    while True:
        before = busy()
        time.sleep(REST)
        if before is None or busy() - before <= DISTURBED * REST * os.cpu_count() + 0.01 or time.monotonic() > end:
            return


def peer_commands(python):
    rust = ["cargo", "run", "--release", "--quiet", "--manifest-path", str(HERE / "peers/rust/Cargo.toml"), "--"]
    return {
        "torch": [python, str(HERE / "peers/torch_bench.py"), "--fused"],
        "numpy": [python, str(HERE / "peers/numpy_bench.py")],
        "tinygrad": [python, str(HERE / "peers/tinygrad_bench.py")],
        "candle": [*rust, "candle"],
        "burn": [*rust, "burn"],
    }


def build():
    """Builds our bench and returns its path."""
    command = ["cargo", "build", "--release", "-p", "teenygrad-bench", "--message-format", "json"]
    messages = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    found = [json.loads(line).get("executable") for line in messages.splitlines()]
    return next(path for path in found if path)


def version(command, env):
    """What a program says of itself, or None if it cannot run here."""
    try:
        result = subprocess.run([*command, "--version"], capture_output=True, text=True, env=env, cwd=ROOT)
    except OSError as error:
        return print(f"left out: {command[0]}: {error}", file=sys.stderr)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        return print(f"left out: {' '.join(command)}: {reason}", file=sys.stderr)
    return result.stdout.strip()


# ---- Measuring -----------------------------------------------------------------------------------------------------------------------


def agree(ours, theirs):
    """Whether two digests can be of the same work."""
    pairs = list(zip(ours, theirs))
    return len(ours) == len(theirs) and all(abs(a - b) <= TOLERANCE * max(abs(a), abs(b)) for a, b in pairs)


def paired(one, other, rounds, ratio):
    """Measures in turn; each of one and other is a function that gives a line. All lines of both, and all ratios."""
    lines, ratios = ([], []), []
    for _ in range(rounds):
        a = one()
        b = other()
        if a is None or b is None:
            return None
        lines[0].append(a)
        lines[1].append(b)
        ratios.append(ratio(a, b))
    return lines, ratios


def against_peer(name, row, ours, peer, rounds, time_of):
    """One row's result against one peer, or None if it has no such row."""
    result = paired(lambda: ours.measure(row), lambda: peer.measure(name), rounds, lambda a, b: b[time_of] / a[time_of])
    if result is None:
        return None
    (a, b), ratios = result
    if not agree(a[0]["digest"], b[0]["digest"]):
        print(f"{name}: other results: ours {a[0]['digest']}, theirs {b[0]['digest']}", file=sys.stderr)
        return None
    return {
        "name": name,
        "ours_ms": statistics.median(line[time_of] for line in a),
        "gflops": statistics.median(line.get("gflops", 0) for line in a),
        "peer_ms": statistics.median(line[time_of] for line in b),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "disturbed": statistics.median(line["disturbed"] for line in a + b),
        "lines": [a, b],
    }


# ---- The report ----------------------------------------------------------------------------------------------------------------------


def number(x):
    """Three digits that count."""
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}" if x >= 0.1 else f"{x:.3f}"


def cell(result):
    """A ratio and the range of its pairs."""
    if result is None:
        return ""
    return f"**{number(result['ratio'])}** ({number(min(result['ratios']))}–{number(max(result['ratios']))}){' ○' if result['disturbed'] > DISTURBED else ''}"


def table(rows, results, versions):
    """Rows down, peers across, as Markdown."""
    peers = list(results)
    head = ["row", "ours, ms", "GFLOP/s", *(f"{versions[peer]}, ms | ratio" for peer in peers)]
    lines = [" | ".join(["", *head, "goal", ""]).strip()]
    lines.append("|---|--:|--:|" + "--:|--:|" * len(peers) + "--:|")
    for name in rows:
        found = [results[peer].get(name) for peer in peers]
        first = next((result for result in found if result), None)
        if first is None:
            continue
        goal = GOALS.get(name, "")
        torch = results.get("torch", {}).get(name)
        missed = " ✗" if goal and torch and torch["ratio"] < goal else ""
        cells = [name, number(first["ours_ms"]), number(first["gflops"]) if first["gflops"] else ""]
        for result in found:
            cells += [number(result["peer_ms"]) if result else "", cell(result)]
        lines.append("| " + " | ".join([*cells, f"{goal}{missed}"]) + " |")
    return lines


def own_table(results):
    lines = ["| against the machine and ourselves | ratio | goal |", "|---|--:|--:|"]
    lines += [f"| {title} | {cell(result)} | {goal} |" for title, result, goal in results]
    return lines


def processor():
    try:
        text = Path("/proc/cpuinfo").read_text()
        names = re.findall(r"model name\s*: (.*)", text)
        wide = [flag for flag in ("avx512f", "avx2", "fma") if f" {flag}" in text]
        return f"{len(names)} × {names[0]} ({', '.join(wide)})"
    except (OSError, IndexError):
        return f"{os.cpu_count()} × {platform.processor() or platform.machine()}"


def caption(options, versions, results):
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()
    now = datetime.datetime.now(datetime.timezone.utc)
    disturbed = [result["disturbed"] for rows in results.values() for result in rows.values()]
    often = sum(share > DISTURBED for share in disturbed)
    quiet = (
        f"The machine was quiet: other programs had less than {DISTURBED:.0%} of it."
        if not often
        else f"**The machine was not quiet** in {often} of {len(disturbed)} rows (○): others had up to {max(disturbed):.0%} of it meanwhile, "
        "so times are too long and ratios doubtful."
    )
    peers = ", ".join(versions.values())
    return [
        f"Measured on {now:%Y-%m-%d, %H:%M} UTC on {processor()}, {platform.system()} {platform.release()}, with rustc {rustc[1]}"
        + (f", against {peers}" if peers else "")
        + f"; {options.threads} threads each, float32.",
        *(["Times are of processors, not of the clock: all threads together, without what other programs took."] if options.by == "cpu" else []),
        f"Ratios are peer ÷ ours, the median of {options.rounds} pairs (and the range of them). {quiet}",
        "",
        f"Command: `crates/bench/compare.py {' '.join(without_paths(sys.argv[1:]))}`",
        "",
    ]


def without_paths(arguments):
    """The command line without the places where programs lie on this machine."""
    kept, skip = [], False
    for argument in arguments:
        if not skip and argument not in ("--python", "--raw"):
            kept.append(argument)
        skip = not skip and argument in ("--python", "--raw")
    return kept


def write(path, text):
    """Replaces what stands between the file's two marks."""
    old = path.read_text()
    begin, end = "<!-- table: begin -->\n", "<!-- table: end -->"
    head, rest = old.split(begin)
    path.write_text(head + begin + "\n" + text + "\n\n" + end + rest.split(end)[1])


# ---- All of it -----------------------------------------------------------------------------------------------------------------------


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("filter", nargs="*", help="only rows whose name contains one of these")
    parser.add_argument("--peers", default="torch", help="any of torch, numpy, tinygrad, candle, burn, with commas [torch]")
    parser.add_argument("--python", default=sys.executable, help="a Python that has PyTorch and NumPy [this one]")
    parser.add_argument("--threads", type=int, default=2, help="for each program [2]")
    parser.add_argument("--rounds", type=int, default=5, help="pairs for each row and peer [5]")
    parser.add_argument("--seconds", type=float, default=0.5, help="each turn takes at least so long [0.5]")
    parser.add_argument("--runs", type=int, default=5, help="and has at least so many runs [5]")
    parser.add_argument("--by", choices=("clock", "cpu"), default="clock", help="cpu: processor time, for machines that are never quiet")
    parser.add_argument("--patience", type=float, default=10, help="seconds to wait in each turn for other programs to be quiet [10]")
    parser.add_argument("--no-own", action="store_true", help="without the table against the machine and ourselves")
    parser.add_argument("--raw", type=Path, metavar="FILE", help="all pairs, as JSON")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the marks of this Markdown file")
    return parser.parse_args()


def main():
    options = parsed()
    if not shutil.which("cargo"):
        sys.exit("no cargo in PATH: see https://rustup.rs")
    threads = str(options.threads)
    limits = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    env = {**os.environ, **dict.fromkeys(limits, threads)}
    effort = ["--runs", str(options.runs), "--seconds", str(options.seconds)]
    bench = build()
    listed = subprocess.run([bench, "--list"], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    ours_rows = [line.split()[0] for line in listed.splitlines()]
    rows = [row for name in ours_rows for row in (name, *(v for v, of in VARIANTS.items() if of == name))]
    rows = [row for row in rows if not options.filter or any(text in row for text in options.filter)]
    if not rows:
        sys.exit(f"no row's name contains any of {options.filter}; there are {', '.join(ours_rows)}")

    time_of = {"clock": "median_ms", "cpu": "cpu_ms"}[options.by]

    def start(command, threads=threads, env=env):
        return Program(command, [*effort, "--threads", threads], env, options.patience)

    results, versions = {}, {}
    commands = peer_commands(options.python)
    for peer in filter(None, options.peers.split(",")):
        if peer not in commands:
            sys.exit(f"no peer is called {peer}; there are {', '.join(commands)}")
        said = version(commands[peer], env)
        if said is None:
            continue
        versions[peer], results[peer] = said, {}
        for name in rows:
            with start([bench]) as ours, start(commands[peer]) as program:
                result = against_peer(name, VARIANTS.get(name, name), ours, program, options.rounds, time_of)
            if result:
                results[peer][name] = result
                print(f"{name:<24} ours {result['ours_ms']:>9.3f} ms   {said} {result['peer_ms']:>9.3f} ms   {number(result['ratio']):>6}   others {result['disturbed']:.0%}", file=sys.stderr)

    own = []
    if not options.no_own:
        for title, one, other, ratio, goal in OWN:
            if one not in rows:
                continue
            others, other = ("1" if other.endswith("@1") else threads), other.removesuffix("@1")
            with start([bench]) as first, start([bench], others) as second:
                lines, ratios = paired(lambda: first.measure(one), lambda: second.measure(other), options.rounds, ratio)
            disturbed = statistics.median(line["disturbed"] for line in lines[0] + lines[1])
            own.append((title, {"ratio": statistics.median(ratios), "ratios": ratios, "disturbed": disturbed}, goal))

    text = caption(options, versions, results)
    if any(results.values()):
        text += table(rows, results, versions) + [""]
    if own:
        text += own_table(own) + [""]
    text = "\n".join(text).strip()
    print(text)
    if options.raw:
        options.raw.write_text(json.dumps({"peers": results, "own": [(title, result) for title, result, _ in own]}, indent=1))
    if options.write:
        write(options.write, text)


if __name__ == "__main__":
    main()
