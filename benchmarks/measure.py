"""Run a program as a user would and say what it took: CPU seconds, wall time, peak memory, exit status."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Run:
    """One run of one program.

    peak_rss_mb is not below the size of this process, about 20 MB: Linux carries the mark over an exec.
    """

    wall_s: float
    cpu_s: float
    peak_rss_mb: float
    status: int


def run_once(command: Command, output: str | Path = os.devnull) -> Run:
    """Run a program with stdout to a file and stdin empty, and wait for it."""
    arguments = [os.fspath(argument) for argument in command]
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.fspath(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    start = time.perf_counter()
    child = os.posix_spawnp(arguments[0], arguments, os.environ, file_actions=files)
    _, status, usage = os.wait4(child, 0)
    wall_s = time.perf_counter() - start
    peak_rss_mb = usage.ru_maxrss * (1 if platform.system() == "Darwin" else 1024) / 1e6
    return Run(wall_s, usage.ru_utime + usage.ru_stime, peak_rss_mb, os.waitstatus_to_exitcode(status))


def run_in_turn(commands: Mapping[str, Command], repeats: int, output: str | Path = os.devnull) -> dict[str, list[Run]]:
    """Run programs one after the other, `repeats` times over, so that what else the machine does falls on all alike."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            runs[name].append(run_once(command, output))
    return runs


def read_through(path: Path) -> None:
    """Read a file once, so that no measured run is the one that waits for the disk."""
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass


def median(values: Sequence[float]) -> float:
    """Return the middle of what was measured."""
    return statistics.median(values)


def machine() -> dict[str, object]:
    """Say what the figures were taken on."""
    facts: dict[str, object] = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
    }
    for file, key, fact in (("/proc/cpuinfo", "model name", "cpu"), ("/proc/meminfo", "MemTotal", "memory")):
        try:
            lines = Path(file).read_text().splitlines()
        except OSError:
            continue
        facts[fact] = next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), None)
    return facts
