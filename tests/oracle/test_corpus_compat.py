"""In the compat modes the expected files of the public corpus come out byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load

FLAMEGRAPH = (
    "cycles-instructions-01", "dd-stacks-01", "funcab-cmd-01", "iperf-stacks-pidtid-01", "java-faults-01",
    "java-stacks-02", "js-stacks-01",
)  # fmt: skip
INFERNO = ("cpp-stacks-std-function", "go-stacks", "java-inline", "no-events", "single-event", "single-line-stacks")

OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "addrs": {"addrs": True},
    "all": {"annotate_kernel": True, "annotate_jit": True},
    "jit": {"annotate_jit": True},
    "kernel": {"annotate_kernel": True},
    "pid": {"root": "pid"},
    "tid": {"root": "tid"},
}


def compat(path: Path, tool: str, **options: Any) -> bytes:
    return b"".join(folded_chunks(load([str(path)], LoadOptions(compat=tool, **options))))


@pytest.mark.parametrize("name", FLAMEGRAPH)
@pytest.mark.parametrize("option", OPTIONS)
def test_stackcollapse_perf(name: str, option: str, corpus: Path) -> None:
    trace = corpus / "flamegraph" / f"perf-{name}.txt"
    assert compat(trace, "stackcollapse-perf", **OPTIONS[option]) == trace.with_suffix(f".{option}.folded").read_bytes()


@pytest.mark.parametrize("name", INFERNO)
def test_inferno(name: str, corpus: Path) -> None:
    trace = corpus / "inferno" / f"{name}.txt"
    assert compat(trace, "inferno") == trace.with_suffix(".folded").read_bytes()


@pytest.mark.parametrize("name", ["empty-line", "weird-stack-line"])
def test_odd_line_is_counted_once_and_loses_nothing(name: str, corpus: Path) -> None:
    trace = str(corpus / "inferno" / f"{name}.txt")
    ours = load([trace])
    assert (ours.diagnostics["unknown_lines"], ours.diagnostics["samples_folded"]) == (1, 2)
    assert list(ours.total_period) == [250_000, 250_000]
    theirs = load([trace], LoadOptions(compat="inferno"))  # which prints no sample without frames
    assert (theirs.diagnostics["unknown_lines"], theirs.diagnostics["samples_folded"]) == (1, 1)
    assert list(theirs.total_period) == [250_000]


def test_every_expected_file_is_compared(corpus: Path) -> None:
    expected = {f"flamegraph/perf-{name}.{option}.folded" for name in FLAMEGRAPH for option in OPTIONS}
    expected |= {f"inferno/{name}.folded" for name in INFERNO}
    folders = ("flamegraph", "inferno")
    assert {f"{folder}/{path.name}" for folder in folders for path in (corpus / folder).glob("*.folded")} == expected
