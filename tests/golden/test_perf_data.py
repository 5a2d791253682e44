"""Every recording gives what perf printed of it, whichever way it comes in, and as much as is there when it is cut."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flameparse import limits
from flameparse.document.reader import unpack
from flameparse.document.writer import pack
from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.model.profile import Profile
from flameparse.parallel.perf_data import decode_perf_data
from flameparse.pipeline import load
from flameparse.source import open_source
from flameparse.symbolize.options import PERF_RULES, SymbolOptions
from golden.perf_data_fixtures import (
    FIXTURES,
    FOLDER,
    KALLSYMS,
    PERF_MAP,
    SYMBOLS,
    UNWOUND,
    path_of,
    printed,
    printed_with_jit,
)
from oracle import perf_data_reference, perf_script_reference

# Their print cannot be read back: a newline in a name, a blank at its end, a stack that perf unwound.
UNREADABLE = {"line_names", "counter_reads", "odd_names", *UNWOUND}
READABLE = [fixture for fixture in FIXTURES if fixture not in UNREADABLE]
# Of this print a tool makes something else than what perf meant: names with line ends break paragraphs.
MISREAD = {"stackcollapse-perf": {"line_names"}, "inferno": {"line_names"}}
NONE_ID = 0xFFFF_FFFF
# Of names for one kernel function we take the one that callers use.
BETTER = {b"__pi_memset": b"memset"}
OPTIONS: dict[str, dict[str, Any]] = {
    "": {},
    "raw": {"names": "raw"},
    "samples": {"weight": "samples"},
    "all": {"event": b"all"},
}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep this machine's own build-id cache out."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))


def symbols(**more: Any) -> SymbolOptions:
    return SymbolOptions(symfs=str(SYMBOLS), kallsyms=str(KALLSYMS), perf_map_dir=str(PERF_MAP.parent), **more)


def folded(path: Path | str, *, names: str = "tidy", root: str = "comm", **more: Any) -> bytes:
    shown = {key: more.pop(key) for key in ("weight", "event") if key in more}
    document = load([str(path)], LoadOptions(names=names, root=root, symbols=symbols(), **more))
    return b"".join(folded_chunks(document, **shown))


def address_stacks(path: Path, threads: int) -> Counter[tuple[object, ...]]:
    """Decode a recording to (event, comm, pid, tid, (module, address) leaf first) and the periods of each."""
    with open_source(str(path)) as source:
        _, profile = decode_perf_data(source, Profile(), threads=threads, keeps_addresses=True, rules=PERF_RULES)
    text = profile.strings.get
    modules = [dso.path for dso in profile.dsos.rows]
    counts: Counter[tuple[object, ...]] = Counter()
    for event, thread, stack, _, period in profile.samples.total_rows():
        comm, pid, tid = profile.threads.get(thread)
        frames = []
        while stack != NONE_ID:
            stack, frame = profile.stacks.get(stack)
            _, module, _, address = profile.frames.get(frame)
            frames.append((None if module == NONE_ID else modules[module], address))
        counts[text(profile.events.get(event)[0]), text(comm), pid, tid, tuple(frames)] += period
    return counts


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("fixture", [fixture for fixture in FIXTURES if fixture not in UNWOUND])
def test_addresses_are_those_of_the_reference(fixture: str, threads: int) -> None:
    expected: Counter[tuple[object, ...]] = Counter()
    for sample in perf_data_reference.read(path_of(fixture)).samples:
        frames = tuple((frame.path, frame.address) for frame in sample.frames)
        expected[sample.event, sample.comm, sample.pid, sample.tid, frames] += sample.period
    assert address_stacks(path_of(fixture), threads) == expected


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("fixture", READABLE)
def test_names_are_those_that_perf_printed(fixture: str, option: str) -> None:
    samples = perf_script_reference.parse(printed_with_jit(fixture))
    for sample in samples:
        sample.frames = [(address, BETTER.get(name, name), module) for address, name, module in sample.frames]
    expected = perf_script_reference.fold(samples, **OPTIONS[option])
    assert folded(path_of(fixture), **OPTIONS[option]) == expected


@pytest.mark.parametrize(
    ("fixture", "compat"),
    [
        (fixture, compat)
        for compat in ("stackcollapse-perf", "inferno")
        for fixture in FIXTURES
        if fixture not in UNWOUND | MISREAD[compat]
    ],
)
def test_compat_modes_give_what_they_give_of_the_print(fixture: str, compat: str, tmp_path: Path) -> None:
    text = tmp_path / "perf.txt"
    text.write_bytes(printed(fixture))
    expected = b"".join(folded_chunks(load([str(text)], LoadOptions(compat=compat))))
    assert folded(path_of(fixture), compat=compat) == expected


@pytest.mark.parametrize("fixture", FIXTURES)
@pytest.mark.parametrize("threads", [3])
def test_number_of_threads_does_not_matter(fixture: str, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = folded(path_of(fixture), threads=1)
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 4096)
    assert folded(path_of(fixture), threads=threads) == expected


@pytest.mark.parametrize("fixture", FIXTURES)
def test_document_keeps_what_the_recording_says(fixture: str, tmp_path: Path) -> None:
    document = load([str(path_of(fixture))], LoadOptions(symbols=symbols()))
    stored = tmp_path / "trace.msgpack"
    stored.write_bytes(pack(document))
    assert b"".join(folded_chunks(unpack(stored.read_bytes()))) == folded(path_of(fixture))
    assert folded(stored) == folded(path_of(fixture))


@pytest.mark.parametrize("fixture", FIXTURES)
def test_weights_and_losses_are_conserved(fixture: str) -> None:
    recording = perf_data_reference.read(path_of(fixture))
    document = load([str(path_of(fixture))], LoadOptions())
    assert sum(document.total_samples) == document.diagnostics["samples_seen"] == len(recording.samples)
    assert sum(document.total_period) == sum(sample.period for sample in recording.samples)
    assert document.diagnostics.get("lost", 0) == recording.lost


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("fixture", ["plain", "zstd", "pipe", "pipe_zstd"])
def test_compressed_file_gives_the_same(fixture: str, compress: Any, tmp_path: Path) -> None:
    copy = tmp_path / "trace"
    copy.write_bytes(compress(path_of(fixture).read_bytes()))
    assert folded(copy) == folded(path_of(fixture))


@pytest.mark.parametrize("name", ["trace.txt", "trace.msgpack", "no suffix"])
def test_name_of_the_file_does_not_matter(name: str, tmp_path: Path) -> None:
    copy = tmp_path / name
    copy.write_bytes(path_of("plain").read_bytes())
    assert folded(copy) == folded(path_of("plain"))


@pytest.mark.parametrize("size", [7, 4096])
@pytest.mark.parametrize("fixture", ["pipe", "pipe_zstd", "pipe_trailing_text", "plain", "zstd"])
def test_pipe_gives_the_same_however_it_is_written(fixture: str, size: int, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = path_of(fixture).read_bytes()

    def write() -> None:
        with pipe.open("wb", buffering=0) as end:
            for start in range(0, len(data), size):
                end.write(data[start : start + size])

    writer = threading.Thread(target=write)
    writer.start()
    assert folded(pipe) == folded(path_of(fixture))
    writer.join()


@pytest.mark.parametrize("fixture", ["plain", "zstd", "pipe", "processes", "late_maps"])
def test_folder_of_a_recording_with_its_kernel(fixture: str, tmp_path: Path) -> None:
    folder = tmp_path / "perf.data"
    folder.mkdir()
    (folder / "data").write_bytes(path_of(fixture).read_bytes())
    assert folded(folder) == folded(path_of(fixture))


@pytest.mark.parametrize("fixture", ["plain", "pipe", "multi_event", "processes", "group_read", "lost", "killed"])
def test_a_cut_recording_gives_every_whole_sample(fixture: str, tmp_path: Path) -> None:
    data = path_of(fixture).read_bytes()
    copy = tmp_path / "perf.data"
    whole_header = 1024
    for size in range(whole_header, len(data), len(data) // 20):
        copy.write_bytes(data[:size])
        recording = perf_data_reference.Recording(data[:size])
        document = load([str(copy)], LoadOptions())
        assert document.diagnostics["samples_seen"] == len(recording.samples), size
        assert sum(document.total_period) == sum(sample.period for sample in recording.samples), size


def test_every_print_belongs_to_a_recording() -> None:
    prints = {path.name for path in FOLDER.glob("*.txt.gz")}
    assert prints == {f"{fixture}{kind}.txt.gz" for fixture in FIXTURES for kind in ("", ".addresses")}
