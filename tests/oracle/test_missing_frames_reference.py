"""The survey of JavaScript counts what a slow reading of perf's text counts, of fixtures and of fresh recordings."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from flameparse.pipeline import load
from oracle import missing_frames_reference as reference
from oracle.perf_script_live import perf_works

FIXTURES = Path(__file__).parents[2] / "fixtures"
TEXTS = (
    "perf_script/node_basic_prof.txt",
    "perf_script/node_demo.txt.gz",
    "perf_script/node_interpreted_frames.txt",
    "perf_script/node_without_map.txt",
    "perf_data/perf_map.txt.gz",
    "perf_data/jitdump.txt.gz",
    "perf_data/injected.txt.gz",
)
WITHOUT = ("perf_script/java_without_map.txt", "perf_script/python_perf_map.txt", "perf_script/cpp_templates.txt")

# Other binaries of node to record, as in PATH.
NODES = [path for path in os.environ.get("FLAMEPARSE_NODES", shutil.which("node") or "").split(os.pathsep) if path]

PROGRAMS = {
    "calls": (
        "function down(n) { return n ? down(n - 1) + 1 : work(); }\n"
        "function work() { let s = 0; for (let i = 0; i < 3000; i++) s += i % 7; return s; }\n"
        "const end = Date.now() + 200;\n"
        "while (Date.now() < end) for (let i = 0; i < 30; i++) { down(i); new Function('a', 'return a + ' + i)(i); }\n"
    ),
    "deep": (
        "function down(n) { let s = n; for (let i = 0; i < 50; i++) s += i % 7; return n ? down(n - 1) + s : s; }\n"
        "const end = Date.now() + 200; while (Date.now() < end) down(400);\n"
    ),
    "workers": (
        "const { Worker, isMainThread } = require('worker_threads');\n"
        "if (isMainThread) for (let i = 0; i < 2; i++) new Worker(__filename);\n"
        "const end = Date.now() + 200; let s = 0; while (Date.now() < end) for (let i = 0; i < 999; i++) s += i % 7;\n"
    ),
}


def text_of(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "backslashreplace")


def survey_of(path: Path) -> dict[str, object] | None:
    found = load(path).diagnostics.get("javascript")
    assert found is None or isinstance(found, dict)
    return found


def assert_agree(survey: dict[str, object] | None, text: str) -> None:
    assert survey is not None
    expected = reference.count(text)
    assert {key: survey[key] for key in expected} == expected
    assert expected["samples"]


@pytest.mark.parametrize("file", TEXTS)
def test_fixtures(file: str) -> None:
    assert_agree(survey_of(FIXTURES / file), text_of(FIXTURES / file))


@pytest.mark.parametrize("file", WITHOUT)
def test_other_runtimes_have_no_javascript(file: str) -> None:
    assert survey_of(FIXTURES / file) is None
    assert not reference.count(text_of(FIXTURES / file))["samples"]


@pytest.mark.live
@pytest.mark.skipif(not perf_works(), reason="perf may not record here")
@pytest.mark.parametrize(
    ("program", "flags"),
    [
        ("calls", ""),
        ("calls", "--perf-basic-prof"),
        ("calls", "--perf-basic-prof --interpreted-frames-native-stack"),
        ("deep", "--perf-basic-prof"),
        ("workers", "--perf-basic-prof"),
    ],
)
@pytest.mark.parametrize("node", NODES)
def test_recordings(node: str, program: str, flags: str, tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text(PROGRAMS[program])
    command = [node, *flags.split(), "app.js"]
    if subprocess.run([*command[:-1], "-e", "0"], cwd=tmp_path, check=False, capture_output=True).returncode:
        pytest.skip(f"{node} does not take {flags}")
    perf = ["perf", "record", "-q", "-F", "499", "-e", "cpu-clock", "-g", "-o", "perf.data", "--"]
    subprocess.run([*perf, *command], cwd=tmp_path, check=True, capture_output=True)
    text = subprocess.run(
        ["perf", "script", "--header", "-i", "perf.data"], cwd=tmp_path, check=True, capture_output=True
    ).stdout
    (tmp_path / "perf.txt").write_bytes(text)
    survey = survey_of(tmp_path / "perf.txt")
    assert_agree(survey, text.decode("utf-8", "backslashreplace"))
    assert survey is not None
    counts = {key: value for key, value in survey.items() if isinstance(value, int)}
    assert (2 * counts["truncated"] > counts["samples"]) == (program == "deep")
    assert (survey["threads"] == 3) == (program == "workers")
    # Of the recording itself all is the same but for places that two lines of the map claim.
    recorded = survey_of(tmp_path / "perf.data")
    assert recorded is not None
    for key in ("samples", "thread_samples", "truncated", "broken", "max_stack", "deepest", "threads"):
        assert recorded[key] == survey[key], key
