"""Where inferno is installed: the goldens against it, and the inferno mode against it."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load
from foreign import run
from golden.perf_script_fixtures import path_of, read_golden, text_of

# Recordings of which inferno reads every header.
READ_WHOLE = (
    "cpp_dwarf_inlined", "cpp_templates", "deep_recursion", "fields_no_period", "fields_ns_deltatime", "fields_reltime",
    "fields_srcline", "go_methods", "header_comments", "java_without_map", "no_call_graph", "node_basic_prof",
    "node_demo", "node_interpreted_frames", "node_without_map", "one_line_hex_comm", "python_interpreter",
    "python_perf_map", "rust_legacy", "rust_v0", "several_processes",
)  # fmt: skip
ROOTS = {"comm": [], "pid": ["--pid"], "tid": ["--tid"]}


@pytest.fixture(scope="session")
def inferno() -> str:
    program = shutil.which("inferno-collapse-perf") or shutil.which(
        "inferno-collapse-perf", path=str(Path.home() / ".cargo" / "bin")
    )
    if not program:
        pytest.skip("inferno-collapse-perf is not installed: nothing is compared with it")
    return program


def collapse(inferno: str, text: bytes, *options: str) -> bytes:
    ended = run([inferno, "-q", "-n", "1", *options], input=text, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def counted(folded: bytes) -> Counter[bytes]:
    stacks: Counter[bytes] = Counter()
    for line in folded.splitlines():
        stack, weight = line.rsplit(b" ", 1)
        stacks[stack] += int(weight)
    return stacks


def cut(frame: bytes) -> bytes:
    """Shorten what stays in our names and not in inferno's: `operator()`, and a lambda inside a function."""
    depth = 0
    for at, byte in enumerate(frame):
        kept = frame.startswith(b"(anonymous namespace)", at) or frame[at - 1 : at] == b"."
        if byte == ord("(") and depth == 0 and not kept:
            return frame[:at]
        depth += (byte in b"(<[{") - (byte in b")>]}")
    return frame


@pytest.mark.parametrize("fixture", READ_WHOLE)
def test_golden_is_what_inferno_says(fixture: str, inferno: str) -> None:
    golden: Counter[bytes] = Counter()
    for stack, weight in counted(read_golden(fixture)).items():
        comm, *frames = stack.split(b";")
        # inferno drops frames that begin with a bracket, and samples that have no other; it cuts at the first one.
        frames = [cut(frame) for frame in frames if not frame.startswith(b"(")]
        if frames:
            golden[b";".join([comm.replace(b" ", b"_"), *frames])] += weight
    assert golden == counted(collapse(inferno, text_of(fixture)))


@pytest.mark.parametrize("fixture", READ_WHOLE)
@pytest.mark.parametrize("root", ROOTS)
def test_inferno_mode_is_inferno(fixture: str, root: str, inferno: str) -> None:
    document = load([str(path_of(fixture))], LoadOptions(compat="inferno", root=root))
    assert b"".join(folded_chunks(document)) == collapse(inferno, text_of(fixture), *ROOTS[root])


@pytest.mark.parametrize("options", [(), ("--all",), ("--kernel",), ("--jit",), ("--addrs",)], ids=str)
@pytest.mark.parametrize("fixture", ["cpp_dwarf_inlined", "node_interpreted_frames", "node_without_map", "rust_legacy"])
def test_inferno_mode_marks_frames_like_inferno(fixture: str, options: tuple[str, ...], inferno: str) -> None:
    wanted = LoadOptions(
        compat="inferno",
        annotate_kernel=bool({"--all", "--kernel"} & {*options}),
        annotate_jit=bool({"--all", "--jit"} & {*options}),
        addrs="--addrs" in options,
    )
    document = load([str(path_of(fixture))], wanted)
    assert b"".join(folded_chunks(document)) == collapse(inferno, text_of(fixture), *options)
