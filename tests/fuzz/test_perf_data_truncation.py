"""Small recordings cut at every byte give what their whole records give, and say where they stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import pack_into, unpack_from

import pytest

from decoded_recording import decode, fixture, totals
from flameparse import limits
from flameparse.decode.perf_data import recording
from flameparse.errors import DecodeError
from recording_builder import FINISHED_ROUND, Writer
from unit.cli_runs import run_here

SAMPLE, AUXTRACE, COMPRESSED = 9, 71, 81
DATA_PLACES = 40  # of offset and size of the records, in a file's header
FEATURES_PLACE = 72
PIPE_HEADER_BYTES = 16


@pytest.fixture(autouse=True)
def small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tens of thousands of decoders: none needs room for more than one of these recordings."""
    monkeypatch.setattr(limits, "MAX_CHAIN_MEMO_BYTES", 1 << 16)
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 1 << 14)
    monkeypatch.setattr(recording, "_BLOCK_BYTES", 1 << 14)


def built(order: str, *, is_pipe: bool) -> bytes:
    """A recording of one process with samples of several lengths, in either byte order."""
    w = Writer(order)
    tid_time_chain = 1 << 1 | 1 << 2 | 1 << 5
    attr = w.attr(flags=1 << 18 | 1 << 20, sample_type=tid_time_chain, sample_period=3)
    records = [
        w.record(3, w.pack("II8s", 5, 5, b"app") + w.pack("IIQ", 5, 5, 1)),
        w.record(1, w.pack("IIQQQ16s", 5, 5, 0x1000, 0x1000, 0, b"/bin/app") + w.pack("IIQ", 5, 5, 1), 2),
        *(
            w.record(9, w.pack(f"IIQQQ{n}Q", 5, 5, 10 + n, 1 + n, 2**64 - 512, *range(0x1010, 0x1010 + n)))
            for n in range(1, 6)
        ),
        w.record(FINISHED_ROUND),
    ]  # fmt: skip
    return w.pipe(w.record(64, attr + w.pack("Q", 11)), *records) if is_pipe else w.file(
        [(attr, [11])], b"".join(records), w.full_features()
    )  # fmt: skip


RECORDINGS = {
    "built file": lambda: built("<", is_pipe=False),
    "built swapped file": lambda: built(">", is_pipe=False),
    "built pipe": lambda: built("<", is_pipe=True),
    "built swapped pipe": lambda: built(">", is_pipe=True),
    **{name: lambda name=name: fixture(name) for name in ("no_inherit", "deep", "zstd", "pipe", "pipe_zstd")},
}


class Cut:
    """A recording to be cut.

    Attributes:
        data: all of it.
        is_pipe: whether its end is its input's.
        ends: where the header and each record end.
        types: of the record that ends there; 0 of the header.
    """

    def __init__(self, name: str) -> None:
        if "zstd" in name:
            pytest.importorskip("zstandard")
        self.data = RECORDINGS[name]()
        self.order = "<" if self.data[:1] == b"P" else ">"
        self.is_pipe = self.data[8:16].strip(b"\0") == b"\x10"
        start, end = PIPE_HEADER_BYTES, len(self.data)
        if not self.is_pipe:
            start, size = unpack_from(self.order + "QQ", self.data, DATA_PLACES)
            end = start + size
        self.ends, self.types = [start], [0]
        for type, record_end in self._records(start, end):
            assert type != AUXTRACE
            self.ends.append(record_end)
            self.types.append(type)
        assert self.ends[-1] == end

    def _records(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        while start < end:
            type, size = unpack_from(self.order + "IxxH", self.data, start)
            start += size
            yield type, start

    def whole_until(self, number: int) -> bytes:
        """What the recorder would have written after a record, but for its features."""
        end = self.ends[number]
        whole = bytearray(self.data[:end])
        if not self.is_pipe:
            pack_into(self.order + "Q", whole, DATA_PLACES + 8, end - self.ends[0])
            whole[FEATURES_PLACE : FEATURES_PLACE + 32] = bytes(32)
        return bytes(whole)

    def damage_of(self, length: int, end: int) -> list[str]:
        """What must be said of the first bytes, whose last whole record ends at ``end``."""
        if self.is_pipe:
            return [f"stopped at offset {end} of {length}"] if length > end else []
        return [f"stopped at offset {end} of {self.ends[-1]}"]


def by_address(profile) -> dict[object, object]:
    """The totals of a Profile; what events are called may stand behind the cut."""
    return {key[1:]: value for key, value in totals(profile).items()}


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("is_seekable", [True, False])
def test_cut_records(name: str, is_seekable: bool) -> None:
    cut = Cut(name)
    seen = 0
    for number, end in enumerate(cut.ends[:-1]):
        expected = {}
        if number or cut.is_pipe:
            _, whole = decode(cut.whole_until(number), is_seekable=is_seekable)
            expected = by_address(whole)
        if COMPRESSED not in cut.types:
            seen += cut.types[number] == SAMPLE
            assert sum(count for count, _ in expected.values()) == seen
        for length in range(end, cut.ends[number + 1]):
            _, profile = decode(cut.data[:length], is_seekable=is_seekable)
            assert by_address(profile) == expected
            stops = [line for line in profile.diagnostics.damage if line.startswith("stopped")]
            assert stops == cut.damage_of(length, end)
    assert expected


@pytest.mark.parametrize("name", ["built file", "built swapped file", "no_inherit"])
@pytest.mark.parametrize("is_seekable", [True, False])
def test_cut_features(name: str, is_seekable: bool) -> None:
    cut = Cut(name)
    _, whole = decode(cut.data, is_seekable=is_seekable)
    assert whole.diagnostics.damage == []
    for length in range(cut.ends[-1], len(cut.data)):
        _, profile = decode(cut.data[:length], is_seekable=is_seekable)
        assert by_address(profile) == by_address(whole)
        assert profile.diagnostics.damage, length


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_cut_header_is_refused(name: str) -> None:
    cut = Cut(name)
    for length in range(8, cut.ends[0]):
        for is_seekable in (True, False):
            with pytest.raises(DecodeError):
                decode(cut.data[:length], is_seekable=is_seekable)


@pytest.mark.parametrize("name", ["no_inherit", "zstd", "pipe", "built file", "built pipe"])
@pytest.mark.parametrize("how", ["file", "stdin"])
def test_the_command_says_where_it_stopped(name: str, how: str, tmp_path: Path) -> None:
    cut = Cut(name)
    path = tmp_path / "perf.data"
    places = [number for number, type in enumerate(cut.types) if type in (SAMPLE, COMPRESSED)]
    for number in {places[0] - 1, places[len(places) // 2] - 1, places[-1] - 1}:
        folded = []
        for data in (cut.whole_until(number), cut.data[: cut.ends[number] + 9]):
            path.write_bytes(data)
            code, out, err = run_here(
                "fold", "--event", "all", "--addrs", *([path] if how == "file" else ["-"]), stdin=data
            )
            folded.append(out)
        assert code == 3
        assert folded[0] == folded[1]
        assert cut.damage_of(cut.ends[number] + 9, cut.ends[number])[0].encode() in err
