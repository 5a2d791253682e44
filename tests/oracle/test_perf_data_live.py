"""Recordings made on the spot: the reference and flameparse read what the installed perf prints, names included."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load
from flameparse.symbolize.options import SymbolOptions
from oracle import perf_data_reference as reference
from oracle import perf_script_live as live

WORKLOADS = Path(__file__).parents[2] / "fixtures" / "workloads"
BUILT = {
    "deep": ["gcc", "-O1", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls"],
    "processes": ["gcc", "-O1", "-fno-omit-frame-pointer", "-pthread"],
    "shop": ["g++", "-std=c++17", "-O1", "-fno-omit-frame-pointer"],
    "words": ["rustc", "-O", "-C", "force-frame-pointers=yes", "-C", "symbol-mangling-version=v0"],
}
SOURCES = {"deep": "deep.c", "processes": "processes.c", "shop": "shop.cpp", "words": "words.rs"}

CLOCK = ["-e", "cpu-clock", "-g", "-F", "999"]
RECORDINGS: dict[str, tuple[list[str], list[str]]] = {
    "cpp": (CLOCK, ["./shop"]),
    "cpp_static": (CLOCK, ["./shop_static"]),
    "cpp_stripped": (CLOCK, ["./shop_stripped"]),
    "no_call_graph": (["-e", "cpu-clock", "-F", "999"], ["./shop"]),
    "deep": (CLOCK, ["./deep"]),
    "processes": (CLOCK, ["./processes", "./shop"]),
    "rust": (CLOCK, ["./words"]),
    "zstd": ([*CLOCK, "-z"], ["./shop"]),
    "build_id_maps": ([*CLOCK, "--buildid-mmap"], ["./processes"]),
    "events": (["-g", "-F", "700", "-e", "task-clock:u,page-faults,cpu-clock:k"], ["./shop"]),
    "group": (["-g", "-F", "700", "-e", "{cpu-clock,page-faults}:S"], ["./shop"]),
    "per_thread": (["--per-thread", "-g", "-F", "700", "-e", "page-faults,cpu-clock"], ["./shop"]),
    "tracepoint": (["-g", "-e", "sched:sched_switch"], ["./processes"]),
    "system_wide": (["-a", *CLOCK], ["./processes"]),
    "container": (CLOCK, ["unshare", "-p", "-m", "-f", "--mount-proc", "./processes"]),
    "switches": ([*CLOCK, "--switch-events", "--namespaces", "--all-cgroups"], ["./processes"]),
    "many_fields": ([*CLOCK, "-d", "-W", "--phys-data", "--code-page-size", "--sample-cpu", "-P", "-i"], ["./shop"]),
    "registers": ([*CLOCK, "--intr-regs=ip,sp", "--user-regs=ip,sp"], ["./shop"]),
    "late_maps": ([*CLOCK, "--overwrite", "--tail-synthesize"], ["./shop"]),
    "python": (CLOCK, ["python3", str(WORKLOADS / "report.py")]),
    "shell": (CLOCK, ["sh", "-c", "ls -lR /usr/include | sort | gzip | wc -c"]),
    "node_map": (CLOCK, ["node", "--perf-basic-prof", str(WORKLOADS / "web.js"), "0.3"]),
}

# Of whatever else the machine runs: programs without a file, whose module has a bracket that the tool stumbles on, and
# threads past their end, whose number -1 makes the tool take the time into their name.
ELSEWHERE = rb"^(memfd:|:-1)"

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not live.perf_works(), reason="perf may not record here: nothing is recorded afresh"),
]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the workloads built, as far as there are compilers."""
    folder = tmp_path_factory.mktemp("programs")
    for name, command in BUILT.items():
        if shutil.which(command[0]):
            subprocess.run([*command, WORKLOADS / SOURCES[name], "-o", folder / name], check=True)
    if (folder / "shop").exists():
        static = [*BUILT["shop"], "-static", WORKLOADS / "shop.cpp", "-o", folder / "shop_static"]
        subprocess.run(static, check=True)
        subprocess.run(["strip", folder / "shop", "-o", folder / "shop_stripped"], check=True)
    return folder


def record(programs: Path, path: Path, options: list[str], command: list[str]) -> bool:
    """Record a program; whether it is there and perf takes the options."""
    if not shutil.which(programs / command[0] if command[0].startswith("./") else command[0]):
        return False
    done = subprocess.run(
        ["perf", "record", "-q", "-N", *options, "-o", path, *command], cwd=programs, capture_output=True, check=False
    )
    return done.returncode == 0


def folded(path: Path, options: LoadOptions) -> dict[bytes, int]:
    text = b"".join(folded_chunks(load([str(path)], options), event=b"all"))
    return {stack: int(weight) for stack, weight in (line.rsplit(b" ", 1) for line in text.splitlines())}


@pytest.fixture(scope="session")
def recordings(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recordings")
    paths = {name: folder / f"{name}.data" for name in RECORDINGS}
    with ThreadPoolExecutor(6) as at_once:  # perf takes a second to start and to end
        made = at_once.map(lambda name: record(programs, paths[name], *RECORDINGS[name]), RECORDINGS)
    return {name: paths[name] for name, is_made in zip(RECORDINGS, made, strict=True) if is_made}


def recording(recordings: dict[str, Path], name: str) -> Path:
    if name not in recordings:
        pytest.skip(f"{name} cannot be recorded here")
    return recordings[name]


@pytest.mark.parametrize("name", RECORDINGS)
def test_reference_reads_what_perf_prints(name: str, recordings: dict[str, Path]) -> None:
    path = recording(recordings, name)
    assert live.printed(reference.read(path)) == live.addresses(path)


@pytest.mark.parametrize("name", RECORDINGS)
def test_compat_mode_gives_what_the_tool_makes_of_the_print(
    name: str, recordings: dict[str, Path], tmp_path: Path
) -> None:
    path = recording(recordings, name)
    text = tmp_path / "perf.txt"
    text.write_bytes(live.perf_script(path))
    options = LoadOptions(compat="stackcollapse-perf", exclude=[("comm", ELSEWHERE)])
    assert folded(path, options) == folded(text, options)


def test_pipe_straight_from_perf(programs: Path, tmp_path: Path) -> None:
    if not (programs / "shop").exists():
        pytest.skip("no compiler")
    stored = tmp_path / "stored.data"
    command = ["perf", "record", "-q", "-N", *CLOCK, "-o", "-", "./shop"]
    with stored.open("wb") as file:
        subprocess.run(command, cwd=programs, stdout=file, check=True)
    flameparse = [sys.executable, "-m", "flameparse", "fold", "-q", "--format", "folded", "-"]
    with stored.open("rb") as file:
        through = subprocess.run(flameparse, stdin=file, capture_output=True, check=True).stdout
    assert dict(line.rsplit(b" ", 1) for line in through.splitlines()) == {
        stack: b"%d" % weight for stack, weight in folded(stored, LoadOptions()).items()
    }


def test_jitdump_gives_what_an_injected_recording_gives(programs: Path, tmp_path: Path) -> None:
    data, injected, text = tmp_path / "perf.data", tmp_path / "injected.data", tmp_path / "perf.txt"
    node = ["node", "--perf-prof", str(WORKLOADS / "web.js"), "0.5"]
    if not record(programs, data, ["-k", "mono", *CLOCK], node):
        pytest.skip("no node")
    inject = ["perf", "inject", "--jit", "-i", data, "-o", injected]
    subprocess.run(inject, cwd=tmp_path, check=True, capture_output=True, env={"HOME": str(tmp_path)})
    text.write_bytes(live.perf_script(injected, home=tmp_path))
    raw = LoadOptions(names="raw", symbols=SymbolOptions(rules="perf-6.1"))
    direct, printed = jit_frames(folded(data, raw)), jit_frames(folded(text, raw))
    assert direct == printed
    assert any(name.startswith(b"JS:") for name in direct)


def jit_frames(stacks: dict[bytes, int]) -> dict[bytes, int]:
    """Sum the weight of each function of JavaScript and of what V8 made itself."""
    kinds = (b"JS:", b"Builtin:", b"BytecodeHandler:", b"LazyCompile:", b"Function:", b"Script:", b"Eval:", b"RegExp:")
    sums: dict[bytes, int] = {}
    for stack, weight in stacks.items():
        for name in stack.split(b";"):
            if name.startswith(kinds):
                sums[name] = sums.get(name, 0) + weight
    return sums
