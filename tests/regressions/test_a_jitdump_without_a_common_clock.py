"""A recording of ``node --perf-prof`` without ``perf record -k mono`` ended in a traceback: its times are of no use."""

from __future__ import annotations

import struct
from pathlib import Path

from flameparse.document.account import modules
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load
from flameparse.symbolize.options import SymbolOptions
from golden.perf_data_fixtures import SYMBOLS, path_of

USES_CLOCKID = 1 << 25


def without_a_clock(data: bytes) -> bytes:
    """Say in every attr of a little-endian recording that perf's own clock was used."""
    changed = bytearray(data)
    attr_size, start, size = struct.unpack_from("<QQQ", data, 16)
    for attr in range(start, start + size, attr_size):
        (flags,) = struct.unpack_from("<Q", data, attr + 40)
        assert flags & USES_CLOCKID
        struct.pack_into("<Q", changed, attr + 40, flags & ~USES_CLOCKID)
    return bytes(changed)


def test_its_names_are_taken_and_the_reason_is_said(tmp_path: Path) -> None:
    recording = tmp_path / "perf.data"
    recording.write_bytes(without_a_clock(path_of("jitdump").read_bytes()))
    document = load([str(recording)], LoadOptions(symbols=SymbolOptions(symfs=str(SYMBOLS))))
    (row,) = [row for row in modules(document) if row["path"].endswith(b".dump")]
    assert row["reason"] == "recorded without -k mono, so that its times mean nothing: reused addresses mix"
    names = {document.string(name) for name in document.frame_name}
    assert any(name.startswith(b"JS:*") for name in names)
