"""Addresses in DTrace's text get the names that node's own map has for them, and no others."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load
from flameparse.symbolize.options import SymbolOptions

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not shutil.which("node"), reason="node is not here"),
    pytest.mark.skipif(os.name != "posix" or not Path("/proc").exists(), reason="node writes maps on Linux"),
]

PROGRAM = "function hot(n) { let s = 0; for (let i = 0; i < n; i++) s += i % 7; return s } while (hot(9e6) < 0);"
Entry = tuple[int, int, bytes]


@pytest.fixture(scope="module")
def perf_map(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """The map of a real process, and its pid."""
    folder = tmp_path_factory.mktemp("node")
    with subprocess.Popen(["node", "--perf-basic-prof", "-e", PROGRAM], cwd=folder) as node:
        assert node.wait() == 0
    path = folder / f"perf-{node.pid}.map"
    shutil.move(f"/tmp/perf-{node.pid}.map", path)
    return node.pid, path


def entries_of(path: Path) -> list[Entry]:
    rows = (line.split(b" ", 2) for line in path.read_bytes().splitlines())
    return [(int(start, 16), int(start, 16) + int(size, 16), name) for start, size, name in rows]


def names_at(address: int, entries: list[Entry]) -> list[bytes]:
    return [name for start, end, name in entries if start <= address < end]


def sampled_addresses(entries: list[Entry]) -> dict[int, bytes]:
    """First, last and middle bytes of functions, and what lies just past them, with the name each must get."""
    choice = random.Random(1)
    chosen = [*choice.sample(entries, 60), entries[-1], max(entries), min(entries)]
    places = [place for start, end, _ in chosen for place in (start, (start + end) // 2, end - 1, end, end + 16384)]
    found = {place: names_at(place, entries) for place in places}
    return {place: names[0] if names else b"0x%x" % place for place, names in found.items() if len(names) <= 1}


def fold(path: Path, symbols: SymbolOptions) -> dict[bytes, int]:
    text = b"".join(folded_chunks(load([str(path)], LoadOptions(symbols=symbols))))
    return {line.rpartition(b" ")[0]: int(line.rpartition(b" ")[2]) for line in text.splitlines()}


def test_addresses_get_the_names_of_the_map(perf_map: tuple[int, Path], tmp_path: Path) -> None:
    pid, map_path = perf_map
    entries = entries_of(map_path)
    expected = sampled_addresses(entries)
    assert names_at(entries[-1][0], entries) and any(name.startswith(b"0x") for name in expected.values())
    stacks: dict[bytes, int] = {}
    for name in expected.values():
        stacks[b"node`node::Start;%s;node`uv_run" % name] = stacks.get(b"node`node::Start;%s;node`uv_run" % name, 0) + 1
    frames = b"              node`uv_run+0x12c\n              0x%x\n              node`node::Start(int, char**)+0x1a1\n"
    ticks, counted = tmp_path / "ticks", tmp_path / "counted"
    ticks.write_bytes(b"".join(b"node %d 7: profile-1ms:\n%s\n" % (pid, frames % place) for place in expected))
    counted.write_bytes(b"".join(b"%s                1\n\n" % (frames % place) for place in expected))
    for symbols in (SymbolOptions(perf_maps={pid: str(map_path)}), SymbolOptions(perf_map_dir=str(map_path.parent))):
        assert fold(ticks, symbols) == {b"node;" + stack: count for stack, count in stacks.items()}
        assert fold(counted, symbols) == stacks
