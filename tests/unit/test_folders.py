"""Folders that perf, 0x and node leave behind: which files of theirs are the recording."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from flameparse.errors import SourceError, UnsupportedError
from flameparse.export.folded_text import folded_chunks
from flameparse.folders import recordings_in, thread_of
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load
from oracle import perf_script_reference as reference
from unit.cli_runs import run_here

FIXTURES = Path(__file__).parents[2] / "fixtures"
FOLDER = FIXTURES / "0x_folder"
STACKS = FOLDER / "stacks.14392.out"
DTRACE = FIXTURES / "dtrace" / "ticks_of_one_process.txt"


def folded(*paths: Path) -> bytes:
    return b"".join(folded_chunks(load(paths)))


def files_of(folder: Path) -> list[str]:
    return [Path(path).name for path, _ in recordings_in(str(folder))]


def test_a_folder_of_0x_is_its_stacks() -> None:
    expected = reference.fold(reference.parse(STACKS.read_bytes()))
    assert expected.count(b"fib") > 10
    assert folded(FOLDER) == folded(STACKS) == expected
    assert load(FOLDER).meta["command"] == "/usr/bin/node /app/small.js"
    assert run_here("fold", "-q", FOLDER) == (0, expected, b"")


def test_several_stacks_are_one_run(tmp_path: Path) -> None:
    for name in ("stacks.1.out", "stacks.2.out"):
        shutil.copy(STACKS, tmp_path / name)
    (tmp_path / "meta.json").write_text('{"argv": ["a.js"]}')
    assert files_of(tmp_path) == ["stacks.1.out", "stacks.2.out"]
    document = load(tmp_path)
    assert sum(document.total_samples) == 2 * sum(load(STACKS).total_samples)
    assert document.meta["command"] == "a.js"


def test_the_hidden_file_of_old_versions_is_read(tmp_path: Path) -> None:
    shutil.copy(DTRACE, tmp_path / ".stacks.77.out")
    assert files_of(tmp_path) == [".stacks.77.out"]
    assert folded(tmp_path) == DTRACE.with_suffix(".folded").read_bytes()


def test_a_folder_of_cpu_profiles_is_all_of_them(tmp_path: Path) -> None:
    paths = [FIXTURES / "cpuprofile" / f"{name}.cpuprofile" for name in ("node20", "node24")]
    for path in paths:
        shutil.copy(path, tmp_path)
    assert folded(tmp_path) == folded(*paths)


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        ({"argv": ["--x", "a.js"], "pathToNodeBinary": "node"}, {"command": "node --x a.js"}),
        ({"argv": ["a.js", 5, None], "pathToNodeBinary": 1}, {"command": "a.js"}),
        ({"argv": ["\ud800"]}, {"command": "\\ud800"}),
        ({"argv": []}, {}),
        ({"argv": "a.js"}, {}),
        ([1], {}),
        ({"argv": ["x" * 70_000]}, {}),  # more than is read
        ("", {}),
    ],
)
def test_facts_are_taken_if_they_are_some(said: object, facts: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "stacks.1.out").write_bytes(b"")
    (tmp_path / "meta.json").write_text(json.dumps(said) if said else '{"argv"')
    assert [found for _, found in recordings_in(str(tmp_path))] == [facts]


def test_a_recording_of_perf_comes_first(tmp_path: Path) -> None:
    for name in ("data", "stacks.1.out", "x.cpuprofile"):
        (tmp_path / name).write_bytes(b"")
    assert files_of(tmp_path) == ["data"]


def test_stacks_and_cpu_profiles_together_are_refused(tmp_path: Path) -> None:
    for name in ("stacks.1.out", "a.cpuprofile", "b.cpuprofile"):
        (tmp_path / name).write_bytes(b"")
    code, out, err = run_here("fold", tmp_path)
    assert (code, out) == (4, b"")
    message = b"holds stacks.1.out (0x) and a.cpuprofile (node), which are two recordings; give one of the files"
    assert err == b"flameparse: %s: %s\n" % (bytes(tmp_path), message)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CPU.20261123.154154.11713.0.001.cpuprofile", (11713, 0)),
        ("/app/CPU.20261123.154154.11713.12.002.cpuprofile", (11713, 12)),
        ("CPU.20261123.154154.1.0.001.cpuprofile.gz", (1, 0)),
        ("CPU.20261123.154154.1.0.1000.cpuprofile.zst", (1, 0)),
        ("CPU.20261123.154154.999999999.999999999.001.cpuprofile", (999_999_999, 999_999_999)),
        ("CPU.20261123.154154.1000000000.0.001.cpuprofile", None),
        ("CPU.20261123.154154.1.0.1.cpuprofile", None),
        ("CPU.20261123.154154.-1.0.001.cpuprofile", None),
        ("CPU.2026112.154154.1.0.001.cpuprofile", None),
        ("CPU.20261123.154154.1.001.cpuprofile", None),
        ("myCPU.20261123.154154.1.0.001.cpuprofile", None),
        ("CPU.20261123.154154.1.0.001.cpuprofile.txt", None),
        ("CPU.20261123.154154.1.0.001.cpuprofile\n", None),
        ("CPU.20261123.154154.1.0.001.heapprofile", None),
        ("CPU.20261123.154154.1.0.001.cpuprofile/x", None),
        ("CPU.20261123.154154.\u0661.0.001.cpuprofile", None),
        ("standard input", None),
    ],
)
def test_node_names_a_thread(name: str, expected: tuple[int, int] | None) -> None:
    assert thread_of(name) == expected


def test_threads_of_node_are_kept_apart(tmp_path: Path) -> None:
    for thread, name in enumerate(("node20", "node24")):
        content = (FIXTURES / "cpuprofile" / f"{name}.cpuprofile").read_bytes()
        (tmp_path / f"CPU.20260102.030405.77.{thread}.00{thread + 1}.cpuprofile").write_bytes(content)
    goldens = [(FIXTURES / "cpuprofile" / f"{name}.folded").read_bytes() for name in ("node20", "node24")]
    for root, labels in {"tid": (b"node-77/0", b"node-77/1"), "pid": (b"node-77",) * 2, "comm": (b"node",) * 2}.items():
        expected: dict[bytes, int] = {}
        for label, golden in zip(labels, goldens, strict=True):
            for line in golden.splitlines():
                stack, _, weight = line.rpartition(b" ")
                expected[label + b";" + stack] = expected.get(label + b";" + stack, 0) + int(weight)
        out = run_here("fold", "-q", "--root", root, tmp_path)[1]
        assert {line.rpartition(b" ")[0]: int(line.rpartition(b" ")[2]) for line in out.splitlines()} == expected
    assert run_here("fold", "-q", tmp_path) == run_here("fold", "-q", "--root", "comm", tmp_path)
    document = load(tmp_path, LoadOptions(include=[("tid", b"^1$")]))
    assert sum(document.total_samples) == sum(load(FIXTURES / "cpuprofile" / "node24.cpuprofile").total_samples)
    code, out, _ = run_here("info", tmp_path)
    assert code == 0
    assert re.search(rb"^threads +2$", out, re.MULTILINE)
    assert re.search(rb"^ *\d+ +77 +node$", out, re.MULTILINE)
    assert out.splitlines()[-1].startswith(b"JavaScript in ")  # V8 took the stacks down: nothing is missing


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["isolate-0x1-2-3-v8.log", "meta.json"], "the log of V8's own profiler, isolate"),
        (["isolate0x1-v8.log.json", "ticks.json"], "the log of V8's own profiler, isolate"),
        (["ticks.json", "flamegraph.html"], "ticks.json of 0x is not read; give the stacks.PID.out"),
    ],
)
def test_what_is_not_read_is_refused_by_name(names: list[str], message: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UnsupportedError, match=message):
        files_of(tmp_path)


def test_a_folder_with_nothing_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "stacks.1.out").mkdir()
    code, out, err = run_here("fold", tmp_path)
    assert (code, out) == (4, b"")
    assert b"a file named data (perf), stacks.PID.out (0x) or *.cpuprofile (node)" in err
    with pytest.raises(SourceError, match="No such file"):
        files_of(tmp_path / "missing")
