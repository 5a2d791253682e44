"""Run the benchmarks, print a table of each, keep everything as JSON in results/.

    python -m benchmarks                    all of it: a minute to record, some minutes to run
    python -m benchmarks --quick            small inputs, under a minute
    python -m benchmarks --trace big.perf.txt --perf-data big.data --only fold pipe

The trace that counts is a real one: give it, or let `benchmarks.record` make it where perf may record.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import benches, dtrace_corpus
from benchmarks.corpus import text_path
from benchmarks.measure import machine
from benchmarks.peers import Tool, find_flameparse, find_inferno, find_perf, find_samply, find_stackcollapse_perf

HERE = Path(__file__).parent
NAMES = (
    "start-up", "fold", "high-cardinality", "pipe", "threads", "linearity", "perf-data", "perf-data-growth", "dtrace"
)  # fmt: skip


def grown(kind: str, size_mb: int) -> Path:
    """Grow a text in a process of its own: what this one holds would count as its children's memory."""
    subprocess.run([sys.executable, "-m", "benchmarks.corpus", kind, str(size_mb)], cwd=HERE.parent, check=True)
    return text_path(kind, size_mb)


def grown_recording(source: Path, size_mb: int) -> Path:
    """Grow a perf.data, likewise apart."""
    module = [sys.executable, "-m", "benchmarks.perf_data_corpus"]
    subprocess.run([*module, source.absolute(), str(size_mb)], cwd=HERE.parent, check=True)
    return HERE / "data" / f"{source.stem}-{size_mb}MB.data"


def grown_dtrace(kind: str, size_mb: int, source: Path | None) -> Path:
    """Make a text of DTrace's, likewise apart."""
    module = [sys.executable, "-m", "benchmarks.dtrace_corpus", kind, str(size_mb)]
    given = ["--source", str(source.absolute())] if source else []
    subprocess.run([*module, *given], cwd=HERE.parent, check=True)
    return dtrace_corpus.text_path(source.stem if source else kind, size_mb)


def recorded(perf: Tool | None) -> tuple[Path, Path] | None:
    """Return perf.data and text of a mixed recording, made now unless there; None where perf cannot."""
    data, text = HERE / "data" / "recorded.data", HERE / "data" / "recorded.txt"
    if perf and not (text.exists() and data.exists()):
        subprocess.run([sys.executable, "-m", "benchmarks.record"], cwd=HERE.parent, check=False)
    return (data, text) if text.exists() and data.exists() else None


def table(result: benches.Result) -> str:
    """Lay out one bench for a terminal."""
    lines = [f"\n{result.bench}: {result.about}"]
    width = max(len(row.program) for row in result.rows)
    lines.append(f"  {'':{width}}  {'MB/CPU-s':>9} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}  exit")
    for row in result.rows:
        speed = f"{row.mb_per_cpu_s:.0f}" if row.size_mb else ""
        figures = f"{speed:>9} {row.wall_s:8.3f} {row.cpu_s:8.3f} {row.peak_rss_mb:8.1f}"
        lines.append(f"  {row.program:{width}}  {figures}  {','.join(map(str, row.statuses))}")
    if result.failed:
        lines.append(f"  FAILED, so no ratios: {', '.join(result.failed)}")
    else:
        lines += [f"  {ratio.name}: {ratio.value:.2f} {ratio.verdict}".rstrip() for ratio in result.ratios]
    return "\n".join(lines)


def as_json(result: benches.Result) -> dict[str, object]:
    """Return a bench with its medians beside the runs."""
    medians = ("mb_per_cpu_s", "wall_s", "cpu_s", "peak_rss_mb", "statuses")
    rows = [{**dataclasses.asdict(row), **{name: getattr(row, name) for name in medians}} for row in result.rows]
    ratios = [] if result.failed else [{**vars(ratio), "verdict": ratio.verdict} for ratio in result.ratios]
    return {"bench": result.bench, "about": result.about, "rows": rows, "ratios": ratios}


def run(arguments: argparse.Namespace, tools: benches.Tools) -> Iterator[benches.Result]:
    """Yield the chosen benches' results as they come."""
    repeats, quick, chosen = arguments.repeats, arguments.quick, arguments.only
    trace, perf_data = arguments.trace, arguments.perf_data
    from_perf_data = {"pipe", "perf-data", "perf-data-growth"}
    needs_recording = ("fold" in chosen and not trace) or (not from_perf_data.isdisjoint(chosen) and not perf_data)
    if needs_recording and not quick and (made := recorded(tools.perf)):
        perf_data = perf_data or made[0]
        trace = trace or made[1]
    if "start-up" in chosen:
        yield benches.start_up(tools, repeats)
    if "fold" in chosen:
        yield benches.fold(tools, trace or grown("mixed", 10 if quick else 400), repeats)
    if "high-cardinality" in chosen:
        yield benches.high_cardinality(tools, grown("high-cardinality", 10 if quick else 100), repeats)
    if "pipe" in chosen and perf_data and tools.perf:
        yield benches.pipe(tools, perf_data, repeats)
    if "threads" in chosen:
        yield benches.threads(tools, grown("mixed", 10 if quick else 1000), repeats)
    if "linearity" in chosen:
        sizes_mb = (1, 10) if quick else (10, 100, 1000)
        yield benches.linearity(tools, [grown("mixed", size_mb) for size_mb in sizes_mb], repeats)
    if "perf-data" in chosen and perf_data and tools.perf:
        yield benches.perf_data(tools, perf_data, repeats)
    if "perf-data-growth" in chosen and perf_data:
        sizes_mb = (1, 10) if quick else (10, 100, 1000)
        yield benches.perf_data_growth(tools, [grown_recording(perf_data, size_mb) for size_mb in sizes_mb], repeats)
    if "dtrace" in chosen:
        for path in dtrace_inputs(arguments.dtrace, quick):
            yield benches.dtrace(tools, path, repeats)


def dtrace_inputs(example: Path | None, quick: bool) -> Iterator[Path]:
    """Make what the bench of DTrace's text reads: each kind, and the example repeated."""
    size_mb = 10 if quick else 256
    if example:
        yield grown_dtrace("repeated", size_mb, example)
    for kind in dtrace_corpus.KINDS:
        yield grown_dtrace(kind, size_mb, None)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure flameparse beside other tools.")
    add = parser.add_argument
    add("--quick", action="store_true", help="small inputs, three runs, nothing recorded or installed, no targets")
    add("--repeats", type=int, help="runs of each program (default 5)")
    add("--only", nargs="+", choices=NAMES, default=NAMES, metavar="BENCH", help=f"of {', '.join(NAMES)}")
    add("--trace", type=Path, help="perf script text for `fold` (default: recorded here, else grown)")
    add("--perf-data", type=Path, help="perf.data for `pipe` and the perf-data benches (default: recorded here)")
    add("--dtrace", type=Path, metavar="EXAMPLE", help="DTrace text to repeat, beside those that are made")
    add("--flameparse", metavar="COMMAND", help="what to measure (default: this environment's)")
    add("--stackcollapse-perf", metavar="PATH", help="stackcollapse-perf.pl (default: $STACKCOLLAPSE_PERF)")
    add("--no-install", action="store_true", help="do not install inferno with cargo where it is missing")
    arguments = parser.parse_args()
    arguments.repeats = arguments.repeats or (3 if arguments.quick else 5)
    return arguments


def main() -> int:
    arguments = parse_arguments()
    tools = benches.Tools(
        find_flameparse(arguments.flameparse),
        find_inferno(not arguments.no_install and not arguments.quick),
        find_stackcollapse_perf(arguments.stackcollapse_perf),
        find_perf(),
        find_samply(),
    )
    facts = {
        "machine": machine(),
        "tools": dataclasses.asdict(tools),
        "repeats": arguments.repeats,
        "quick": arguments.quick,
    }
    for name, tool in vars(tools).items():
        print(f"{name}: {tool.version if tool else 'not here'}")
    results = []
    failed = False
    for result in run(arguments, tools):
        if arguments.quick:
            result.forget_targets()
        print(table(result), flush=True)
        results.append(as_json(result))
        failed = failed or bool(result.failed)
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    path = folder / time.strftime("%Y%m%dT%H%M%SZ.json", time.gmtime())
    path.write_text(json.dumps({**facts, "results": results}, indent=1) + "\n")
    print(f"\n{os.path.relpath(path)}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
