"""``perf script`` text whose names are missing gets them from the files given; perf's own names say what is right."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load
from flameparse.symbolize.options import SymbolOptions

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
SYMBOLS = FIXTURES / "perf_data" / "symbols"
NAMED_FRAME = re.compile(rb"^(\t *[0-9a-f]+) .+ \((/opt/app/tiny_[a-z_]+|/tmp/perf-\d+\.map)\)$", re.MULTILINE)


def folded(path: Path, **options: object) -> bytes:
    return b"".join(folded_chunks(load(path, LoadOptions(compat="stackcollapse-perf", **options))))


@pytest.mark.parametrize("name", ["static", "non_pie", "pipe", "late_maps", "perf_map"])
def test_names_taken_away_are_found_again(name: str, tmp_path: Path) -> None:
    text = gzip.decompress((FIXTURES / "perf_data" / f"{name}.txt.gz").read_bytes())
    nameless, count = NAMED_FRAME.subn(rb"\1 [unknown] (\2)", text)
    assert count
    whole, bare = tmp_path / "whole.txt", tmp_path / "bare.txt"
    whole.write_bytes(text)
    bare.write_bytes(nameless)
    expected = folded(whole)
    assert folded(bare) != expected
    assert folded(bare, symbols=SymbolOptions(symfs=str(SYMBOLS), force_map=True)) == expected


def test_a_perf_map_names_the_frames_of_its_process(tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    trace.write_text(
        "java 7 1.000000: 1 cycles:\n"
        "\t7f4460947026 [unknown] (/tmp/perf-7.map)\n"
        "\t7f44609413b9 [unknown] (/tmp/perf-7.map)\n"
        "\t7f4460950000 [unknown] (/tmp/perf-7.map)\n\n"
        "java 8 1.000000: 1 cycles:\n"
        "\t7f4460947026 [unknown] (/tmp/perf-8.map)\n\n"
    )
    (tmp_path / "m").mkdir()
    map_7 = tmp_path / "m" / "perf-7.map"
    map_7.write_text("7f4460941380 40 Interpreter\n0x7f4460947000 0x40 Lorg/acme/Job;::run\n")
    expected = b"java;[perf-7.map];Interpreter;org/acme/Job::run 1\njava;[perf-8.map] 1\n"
    for symbols in (SymbolOptions(perf_maps={7: str(map_7)}), SymbolOptions(perf_map_dir=str(tmp_path / "m"))):
        document = load(trace, LoadOptions(symbols=symbols))
        assert b"".join(folded_chunks(document)) == expected
        assert document.diagnostics["frames_unnamed"] == 2


def test_addresses_of_an_older_perf_are_placed_by_its_mapping_lines(tmp_path: Path) -> None:
    text = gzip.decompress((FIXTURES / "perf_data" / "static.txt.gz").read_bytes())
    frame = re.search(rb"^\t *([0-9a-f]+) (\w+)\+0x[0-9a-f]+ \((/opt/app/tiny_static)\)$", text, re.MULTILINE)
    assert frame is not None
    offset, name, path = int(frame[1], 16), frame[2], frame[3]
    trace = tmp_path / "trace.txt"
    trace.write_bytes(
        b"xx 7 0.000000: PERF_RECORD_MMAP2 7/7: [0x70000000(0x100000) @ 0 fe:00 1 0]: r-xp %s\n"
        b"xx 7 1.000000: 1 cycles:\n\t%16x [unknown] (%s)\n\n" % (path, 0x70000000 + offset, path)
    )
    assert folded(trace, symbols=SymbolOptions(symfs=str(SYMBOLS))) == b"xx;%s 1\n" % name
