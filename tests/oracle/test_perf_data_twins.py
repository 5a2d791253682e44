"""A recording of the other byte order says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load
from golden.perf_data_fixtures import FIXTURES, path_of
from oracle import perf_data_reference as reference
from oracle.byte_swap import swapped

# Their records stand inside compressed ones.
TURNED = [fixture for fixture in FIXTURES if fixture not in ("zstd", "pipe_zstd")]


def said(path: Path) -> dict[str, Any]:
    document = load([str(path)], LoadOptions(timeline=True, root="tid"))
    told = ("hostname", "os_release", "arch", "command", "first_time_ns", "last_time_ns")
    return {
        "folded": b"".join(folded_chunks(document, event=b"all")),
        "diagnostics": {key: value for key, value in document.diagnostics.items() if key != "damage"},
        "meta": {key: document.meta.get(key) for key in told},
    }


@pytest.mark.parametrize("fixture", TURNED)
def test_reference_reads_both_alike(fixture: str) -> None:
    data = path_of(fixture).read_bytes()
    here, there = reference.Recording(data), reference.Recording(swapped(data))
    assert there.order == ">"
    assert there.samples == here.samples
    assert (there.records, there.leftover, there.lost) == (here.records, here.leftover, here.lost)


@pytest.mark.parametrize("fixture", TURNED)
def test_twin_gives_the_same(fixture: str, tmp_path: Path) -> None:
    twin = tmp_path / "perf.data"
    twin.write_bytes(swapped(path_of(fixture).read_bytes()))
    assert said(twin) == said(path_of(fixture))
