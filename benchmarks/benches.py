"""What is measured: one function per question, each with the programs it compares and the ratio it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.measure import Command, Run, median, read_through, run_in_turn, run_once
from benchmarks.peers import Tool

FLAMEPARSE = "flameparse"
INFERNO = "inferno"
PERL = "stackcollapse-perf.pl"
PERF = "perf script"
SAMPLY = "samply import"


@dataclass
class Ratio:
    """A figure the project is asked to reach, and whether it did."""

    name: str
    value: float
    target: float | None = None
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """Say the target and whether it is met."""
        if self.target is None:
            return ""
        met = self.value <= self.target if self.at_most else self.value >= self.target
        return f"(asked: {'at most' if self.at_most else 'at least'} {self.target:g}) {'met' if met else 'MISSED'}"


@dataclass
class Row:
    """The runs of one program on one input; `size_mb` 0 where there is no input to speak of."""

    program: str
    size_mb: float
    runs: list[Run]

    @property
    def wall_s(self) -> float:
        return median([run.wall_s for run in self.runs])

    @property
    def cpu_s(self) -> float:
        return median([run.cpu_s for run in self.runs])

    @property
    def mb_per_cpu_s(self) -> float | None:
        return self.size_mb / self.cpu_s if self.size_mb else None

    @property
    def peak_rss_mb(self) -> float:
        return max(run.peak_rss_mb for run in self.runs)

    @property
    def statuses(self) -> list[int]:
        return sorted({run.status for run in self.runs})


@dataclass
class Result:
    """What one bench found."""

    bench: str
    about: str
    rows: list[Row] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)

    @property
    def failed(self) -> list[str]:
        """Return the programs that did not end well; what they took says nothing."""
        return [row.program for row in self.rows if row.statuses != [0]]

    def forget_targets(self) -> None:
        """Take the targets away: small inputs do not tell whether they are met."""
        for ratio in self.ratios:
            ratio.target = None


@dataclass(frozen=True)
class Tools:
    """The programs found on this machine."""

    flameparse: Tool
    inferno: Tool | None
    perl: Tool | None
    perf: Tool | None
    samply: Tool | None = None

    @property
    def python(self) -> Path:
        """The interpreter flameparse runs in."""
        beside = Path(self.flameparse.command[0]).parent / "python"
        return beside if beside.exists() else Path(sys.executable)

    def fold(self, path: Path, threads: int = 1) -> Command:
        """Return the flameparse command line for a trace."""
        return [*self.flameparse.command, "fold", "-q", "--threads", str(threads), path]

    def contest(self, path: Path) -> dict[str, Command]:
        """Return every collapser's command line for a trace, on one thread."""
        commands: dict[str, Command] = {FLAMEPARSE: self.fold(path)}
        if self.inferno:
            commands[INFERNO] = [*self.inferno.command, "-q", "-n", "1", path]
        if self.perl:
            commands[PERL] = [*self.perl.command, path]
        return commands


def contest(result: Result, tools: Tools, path: Path, repeats: int, targets: dict[str, float]) -> Result:
    """Run every collapser on one trace and compare CPU seconds."""
    read_through(path)
    size_mb = path.stat().st_size / 1e6
    for program, runs in run_in_turn(tools.contest(path), repeats).items():
        result.rows.append(Row(program, size_mb, runs))
    mine = result.rows[0]
    for row in result.rows[1:]:
        ratio = Ratio(f"MB per CPU second, times {row.program}", row.cpu_s / mine.cpu_s, targets.get(row.program))
        result.ratios.append(ratio)
    return result


def fold(tools: Tools, path: Path, repeats: int) -> Result:
    """Fold a mixed trace, one thread, whole process."""
    result = Result("fold", f"{path.name} to folded text, one thread, whole process")
    return contest(result, tools, path, repeats, {INFERNO: 4, PERL: 30})


def high_cardinality(tools: Tools, path: Path, repeats: int) -> Result:
    """Fold a trace over half of whose samples bring a new stack."""
    result = Result("high-cardinality", f"{path.name} to folded text, one thread, whole process")
    return contest(result, tools, path, repeats, {INFERNO: 3})


def dtrace(tools: Tools, path: Path, repeats: int) -> Result:
    """Fold a DTrace text on one thread and on two; inferno reads only what is aggregated."""
    result = Result("dtrace", f"{path.name} to folded text, whole process")
    commands: dict[str, Command] = {FLAMEPARSE: tools.fold(path), f"{FLAMEPARSE}, 2 threads": tools.fold(path, 2)}
    if tools.inferno and "ticks" not in path.name:
        collapser = Path(tools.inferno.command[0]).with_name("inferno-collapse-dtrace")
        commands[INFERNO] = [collapser, "-q", "-n", "1", path]
    read_through(path)
    size_mb = path.stat().st_size / 1e6
    rows = {program: Row(program, size_mb, runs) for program, runs in run_in_turn(commands, repeats).items()}
    result.rows = list(rows.values())
    mine, two = result.rows[:2]
    result.ratios.append(Ratio("wall, one thread over two", mine.wall_s / two.wall_s))
    is_fresh = "fresh" in path.name
    if INFERNO in rows:
        ratio = rows[INFERNO].cpu_s / mine.cpu_s
        result.ratios.append(Ratio(f"MB per CPU second, times {INFERNO}", ratio, None if is_fresh else 4))
    result.ratios.append(Ratio("peak MB", mine.peak_rss_mb, None if is_fresh else 128, at_most=True))
    return result


def run_decode_stage(python: Path, path: Path, threads: int) -> Run:
    """Decode a trace in a process of its own; the wall time is the stage's, the rest the process's."""
    with tempfile.NamedTemporaryFile() as output:
        run = run_once([python, Path(__file__).parent / "decode_stage.py", path, str(threads)], output.name)
        return replace(run, wall_s=float(output.read() or "nan"))


def threads(tools: Tools, path: Path, repeats: int) -> Result:
    """Fold with one thread and with two: the whole process, and the decode stage alone."""
    result = Result("threads", f"{path.name}, one and two threads; the decode stage's wall time is without start-up")
    read_through(path)
    size_mb = path.stat().st_size / 1e6
    programs: dict[str, Callable[[], Run]] = {
        "whole process, 1 thread": lambda: run_once(tools.fold(path, 1)),
        "whole process, 2 threads": lambda: run_once(tools.fold(path, 2)),
        "decode stage, 1 thread": lambda: run_decode_stage(tools.python, path, 1),
        "decode stage, 2 threads": lambda: run_decode_stage(tools.python, path, 2),
    }
    result.rows = [Row(program, size_mb, []) for program in programs]
    for _ in range(repeats):
        for row, run in zip(result.rows, programs.values(), strict=True):
            row.runs.append(run())
    whole_1, whole_2, decode_1, decode_2 = (row.wall_s for row in result.rows)
    result.ratios.append(Ratio("wall, whole process, one thread over two", whole_1 / whole_2, 1.5))
    result.ratios.append(Ratio("wall, decode stage, one thread over two", decode_1 / decode_2, 1.8))
    return result


def linearity(tools: Tools, paths: list[Path], repeats: int) -> Result:
    """Fold texts of growing size: time per MB must not grow, nor memory with the length."""
    result = Result("linearity", "grown texts, one thread, whole process")
    for path in paths:
        read_through(path)
        runs = run_in_turn({path.name: tools.fold(path)}, repeats)[path.name]
        result.rows.append(Row(path.name, path.stat().st_size / 1e6, runs))
    largest = result.rows[-1]
    for row in result.rows[:-1]:
        name = f"CPU seconds per MB, {largest.size_mb:.0f} MB over {row.size_mb:.0f} MB"
        growth = (largest.cpu_s / largest.size_mb) / (row.cpu_s / row.size_mb)
        result.ratios.append(Ratio(name, growth, 1.1, at_most=True))
    result.ratios.append(Ratio("peak MB at the largest", largest.peak_rss_mb, 128, at_most=True))
    return result


def run_pipe(commands: list[Command]) -> Run:
    """Run two programs with a pipe between them; CPU seconds and memory are the second's."""
    start = time.perf_counter()
    quiet = {"stderr": subprocess.DEVNULL}
    first = subprocess.Popen(commands[0], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **quiet)  # type: ignore[call-overload]
    second = subprocess.Popen(commands[1], stdin=first.stdout, stdout=subprocess.DEVNULL, **quiet)  # type: ignore[call-overload]
    first.stdout.close()
    _, status, usage = os.wait4(second.pid, 0)
    second.returncode = os.waitstatus_to_exitcode(status)
    first_status = first.wait()
    wall_s = time.perf_counter() - start
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, second.returncode or first_status)


def pipe(tools: Tools, perf_data: Path, repeats: int) -> Result:
    """Put flameparse behind perf script, and cat in its place."""
    assert tools.perf is not None
    result = Result("pipe", f"perf script -i {perf_data.name} | PROGRAM > /dev/null, in turn")
    script: Command = [*tools.perf.command, "script", "-f", "-i", perf_data]
    programs: dict[str, Command] = {"cat": ["cat"], FLAMEPARSE: [*tools.flameparse.command, "fold", "-q"]}
    if tools.inferno:
        programs[INFERNO] = [*tools.inferno.command, "-q"]
    read_through(perf_data)
    run_pipe([script, ["cat"]])
    rows = {program: Row(program, 0, []) for program in programs}
    for _ in range(repeats):
        for program, command in programs.items():
            rows[program].runs.append(run_pipe([script, command]))
    result.rows = list(rows.values())
    ratio = rows[FLAMEPARSE].wall_s / rows["cat"].wall_s
    result.ratios.append(Ratio("wall, flameparse over cat", ratio, 1.05, at_most=True))
    return result


def perf_data(tools: Tools, path: Path, repeats: int) -> Result:
    """Fold a perf.data to a file, cold process and warm file, against what gets there by way of text."""
    assert tools.perf is not None
    result = Result("perf-data", f"{path.name} to a file, default threads, whole process")
    script: Command = [*tools.perf.command, "script", "-f", "-i", path]
    with tempfile.TemporaryDirectory() as folder:
        programs: dict[str, Callable[[], Run]] = {
            FLAMEPARSE: lambda: run_once([*tools.flameparse.command, "fold", "-q", path, "-o", f"{folder}/x.folded"]),
            PERF: lambda: run_once(script),
        }
        if tools.inferno:
            inferno: Command = [*tools.inferno.command, "-q"]
            programs[f"{PERF} | {INFERNO}"] = lambda: run_pipe([script, inferno])
        if tools.perl:
            perl: Command = tools.perl.command
            programs[f"{PERF} | {PERL}"] = lambda: run_pipe([script, perl])
        if tools.samply:
            samply: Command = [*tools.samply.command, "import", "--save-only", "-o", f"{folder}/x.json.gz", path]
            programs[SAMPLY] = lambda: run_once(samply)
        read_through(path)
        result.rows = [Row(program, path.stat().st_size / 1e6, []) for program in programs]
        for _ in range(repeats):
            for row, run in zip(result.rows, programs.values(), strict=True):
                row.runs.append(run())
    targets = {PERF: 8.0, f"{PERF} | {PERL}": 40.0, SAMPLY: 4.0}
    mine = result.rows[0]
    for row in result.rows[1:]:
        name = f"wall, {row.program} over {FLAMEPARSE}"
        result.ratios.append(Ratio(name, row.wall_s / mine.wall_s, targets.get(row.program)))
    result.ratios.append(Ratio("peak MB", mine.peak_rss_mb, 200, at_most=True))
    return result


def perf_data_growth(tools: Tools, paths: list[Path], repeats: int) -> Result:
    """Fold recordings of growing size on one thread and on two."""
    result = Result("perf-data-growth", "one recording at several sizes, whole process")
    for path in paths:
        read_through(path)
        for threads in (1, 2):
            program = f"{path.name}, {threads} thread{'s' * (threads > 1)}"
            runs = run_in_turn({program: tools.fold(path, threads)}, repeats)[program]
            result.rows.append(Row(program, path.stat().st_size / 1e6, runs))
    one, two = result.rows[::2], result.rows[1::2]
    largest = one[-1]
    for row in one[:-1]:
        growth = (largest.wall_s / largest.size_mb) / (row.wall_s / row.size_mb)
        name = f"seconds per MB, {largest.size_mb:.0f} MB over {row.size_mb:.0f} MB"
        result.ratios.append(Ratio(name, growth, 1.1, at_most=True))
    result.ratios.append(Ratio("wall at the largest, one thread over two", largest.wall_s / two[-1].wall_s, 1.6))
    return result


def start_up(tools: Tools, repeats: int) -> Result:
    """Print the version, and start the same environment's Python for nothing."""
    result = Result("start-up", "the same environment")
    commands: dict[str, Command] = {
        "flameparse --version": [*tools.flameparse.command, "--version"],
        "python -c pass": [tools.python, "-c", "pass"],
    }
    run_in_turn(commands, 2)
    for program, runs in run_in_turn(commands, max(repeats * 6, 20)).items():
        result.rows.append(Row(program, 0, runs))
    version, nothing = result.rows
    ratio = version.wall_s / nothing.wall_s
    result.ratios.append(Ratio("wall, flameparse --version over python -c pass", ratio, 2.5, at_most=True))
    return result
