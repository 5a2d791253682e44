"""Record a mixed trace of this machine, the input that counts: compilers, interpreters, virtual machines, shell tools.

    python -m benchmarks.record --seconds 60

It takes perf, and whichever of g++, node, java and rustc are here; the programs are those of fixtures/workloads.
The result is real and so never twice the same: data/recorded.data (perf.data) and data/recorded.txt (its text).
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = Path(__file__).parent / "data"
WORKLOADS = Path(__file__).parents[1] / "fixtures" / "workloads"

PARSE_LIBRARY = """
import ast, glob, itertools, random, sysconfig, time
files = sorted(glob.glob(sysconfig.get_path("stdlib") + "/*.py"))
end = time.time() + {seconds}
for seed in itertools.count():
    tree = ast.parse(open(random.Random(seed).choice(files), encoding="utf-8", errors="replace").read())
    ast.unparse(tree), compile(tree, "x", "exec")
    if time.time() > end:
        break
"""
LIST_AND_SEARCH = """
find /usr/lib /usr/share -maxdepth 5 -type f 2>/dev/null | sort | gzip -c | wc -c
grep -rc template /usr/include | sort -t: -k2n | tail -1
"""

Group = list[list[str]]  # commands run in turn until time is up


def plan(folder: Path, seconds: int) -> list[list[Group]]:
    """Return what runs when: phases one after the other, the groups of a phase side by side."""
    shop, words, orders = (str(folder / name) for name in ("shop", "words", "orders"))
    gxx = ["g++", "-std=c++17", "-g", "-fno-omit-frame-pointer", str(WORKLOADS / "shop.cpp"), "-o", shop]
    node = ["node", "--perf-basic-prof", str(WORKLOADS / "web.js"), str(seconds)]
    javac = ["javac", "-d", orders, str(WORKLOADS / "Orders.java")]
    java = ["java", "-XX:+PreserveFramePointer", "-cp", orders, "Orders"]
    rustc = ["rustc", "-O", "-g", str(WORKLOADS / "words.rs"), "-o", words]
    phases = [
        [[[*gxx, "-O3"], *[[shop]] * 3], [["sh", "-c", LIST_AND_SEARCH]]],
        [[node], [["sh", "-c", LIST_AND_SEARCH]]],
        [[javac, *[java] * 5], [[shop]]],
        [[rustc, *[[words]] * 8], [[sys.executable, "-c", PARSE_LIBRARY.format(seconds=seconds)]]],
        [[node], [[*node[:2], "--interpreted-frames-native-stack", *node[2:]]]],
    ]
    return [[group for group in phase if shutil.which(group[0][0])] for phase in phases]


def run_load(seconds: int) -> None:
    """Run the phases, `seconds` in all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        share = max(seconds // len(plan(folder, 0)), 1)
        options = {
            "cwd": folder,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
        }
        for phase in plan(folder, share):
            end = time.monotonic() + share
            groups = [itertools.cycle(group) for group in phase]
            running: dict[int, subprocess.Popen[bytes]] = {}
            while time.monotonic() < end:
                for number, commands in enumerate(groups):
                    if number not in running or running[number].poll() is not None:
                        running[number] = subprocess.Popen(next(commands), **options)  # type: ignore[call-overload]
                time.sleep(0.005)
            for process in running.values():
                process.wait()


def record(perf: str, seconds: int, frequency: int, folder: Path = DATA) -> tuple[Path, Path]:
    """Record the load and print it as text; return perf.data and text."""
    folder.mkdir(parents=True, exist_ok=True)
    data, text = folder / "recorded.data", folder / "recorded.txt"
    event = ["-e", "cpu-clock", "-F", str(frequency), "-g"]
    buffers = ["-m", "32M"] if os.geteuid() == 0 else []
    load = [sys.executable, "-m", "benchmarks.record", "--load", "--seconds", str(seconds)]
    root = Path(__file__).parents[1]
    subprocess.run([perf, "record", "-q", *event, *buffers, "-o", data, "--", *load], cwd=root, check=True)
    partial = text.with_suffix(".partial")
    with partial.open("wb") as file:
        subprocess.run([perf, "script", "-i", data], check=True, stdout=file, stderr=subprocess.DEVNULL)
    os.replace(partial, text)
    return data, text


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.record", description="Record a mixed perf trace of this machine.")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--frequency", type=int, default=5000, help="samples per second and core")
    parser.add_argument("--load", action="store_true", help="run the load only, unrecorded")
    arguments = parser.parse_args()
    if arguments.load:
        run_load(arguments.seconds)
        return
    perf = shutil.which("perf")
    if perf is None:
        raise SystemExit("perf is not here")
    for path in record(perf, arguments.seconds, arguments.frequency):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
