"""Every recording folds to its golden, however it is named, cut, threaded or stored in between."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from flameparse import limits
from flameparse.document.reader import unpack
from flameparse.document.writer import pack
from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.parallel import perf_script as parallel
from flameparse.pipeline import load
from golden.perf_script_fixtures import (
    FIXTURES,
    FOLDER,
    GOLDENS,
    OPTIONS,
    folded_by_reference,
    golden_of,
    path_of,
    read_golden,
    text_of,
    write_golden,
)
from oracle import perf_script_reference as reference

SMALL = [fixture for fixture in FIXTURES if path_of(fixture).stat().st_size < 60_000]


def folded(path: Path | str, option: str = "", **more: Any) -> bytes:
    options = dict(OPTIONS[option])
    names = options.pop("names", "tidy")
    document = load([str(path)], LoadOptions(names=names, root=options.get("root", "comm"), **more))
    return b"".join(folded_chunks(document, **options))


@pytest.mark.parametrize(("fixture", "option"), GOLDENS)
def test_golden(fixture: str, option: str, bless: bool) -> None:
    if bless:
        write_golden(fixture, option)
    assert folded(path_of(fixture), option) == read_golden(fixture, option)


def test_every_golden_belongs_to_a_fixture() -> None:
    assert {path.name for path in FOLDER.glob("*.folded*")} == {golden_of(*golden).name for golden in GOLDENS}


@pytest.mark.interpreted
@pytest.mark.parametrize(("fixture", "option"), GOLDENS)
def test_reference_still_gives_the_golden(fixture: str, option: str) -> None:
    assert folded_by_reference(fixture, option) == read_golden(fixture, option)


@pytest.mark.parametrize("name", ["trace.msgpack", "trace.data.gz", "no suffix", "-"])
def test_name_of_the_file_does_not_matter(name: str, tmp_path: Path) -> None:
    copy = tmp_path / name
    copy.write_bytes(text_of("events_padded"))
    assert folded(copy) == read_golden("events_padded")


@pytest.mark.parametrize("fixture", SMALL)
def test_compressed_file_gives_the_same(fixture: str, tmp_path: Path) -> None:
    copy = tmp_path / "trace"
    copy.write_bytes(gzip.compress(text_of(fixture)))
    assert folded(copy) == read_golden(fixture)


@pytest.mark.parametrize("fixture", FIXTURES)
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_number_of_threads_does_not_matter(fixture: str, threads: int) -> None:
    assert folded(path_of(fixture), threads=threads) == read_golden(fixture)


def test_threads_give_the_same_on_many_chunks(tmp_path: Path) -> None:
    text = text_of("node_demo")
    grown = tmp_path / "grown.txt"
    grown.write_bytes((text if text.endswith(b"\n\n") else text + b"\n") * 4)
    wanted = [line.rsplit(b" ", 1) for line in read_golden("node_demo").splitlines()]
    expected = b"".join(b"%s %d\n" % (stack, 4 * int(weight)) for stack, weight in wanted)
    for threads in (1, 2, 4):
        assert folded(grown, threads=threads) == expected


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", [1, 61, 1009, 16411])
@pytest.mark.parametrize("fixture", SMALL)
def test_place_of_the_cuts_does_not_matter(
    fixture: str, size: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", size)
    monkeypatch.setattr(parallel, "PIECES_BEFORE_THREADS", 0)
    assert folded(path_of(fixture), threads=threads) == read_golden(fixture)


def test_pipe_gives_the_same_however_it_is_written(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = text_of("several_processes")

    def write() -> None:
        with pipe.open("wb", buffering=0) as end:
            for start in range(0, len(text), 7):
                end.write(text[start : start + 7])

    writer = threading.Thread(target=write)
    writer.start()
    assert folded(pipe) == read_golden("several_processes")
    writer.join()


@pytest.mark.parametrize("fixture", FIXTURES)
def test_document_keeps_what_the_text_says(fixture: str, tmp_path: Path) -> None:
    document = load([str(path_of(fixture))], LoadOptions())
    stored = tmp_path / "trace.msgpack"
    stored.write_bytes(pack(document))
    assert b"".join(folded_chunks(unpack(stored.read_bytes()))) == read_golden(fixture)
    assert folded(stored) == read_golden(fixture)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_weights_are_conserved(fixture: str) -> None:
    samples = reference.parse(text_of(fixture))
    document = load([str(path_of(fixture))], LoadOptions())
    assert sum(document.total_samples) == len(samples)
    assert sum(document.total_period) == sum(sample.weight for sample in samples)
    assert document.diagnostics["samples_seen"] == len(samples)
    for weight, wanted in (("samples", len(samples)), ("period", sum(sample.weight for sample in samples))):
        lines = b"".join(folded_chunks(document, event=b"all", weight=weight)).splitlines()
        assert sum(int(line.rsplit(b" ", 1)[1]) for line in lines) == wanted


@pytest.mark.parametrize("fixture", SMALL)
def test_text_twice_weighs_twice(fixture: str, tmp_path: Path) -> None:
    text = text_of(fixture)
    text += b"" if text.endswith(b"\n\n") else b"\n"
    twice = tmp_path / "twice.txt"
    twice.write_bytes(text + text)
    once = [line.rsplit(b" ", 1) for line in read_golden(fixture).splitlines()]
    assert folded(twice) == b"".join(b"%s %d\n" % (stack, 2 * int(weight)) for stack, weight in once)
