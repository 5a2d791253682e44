"""perf's names of any file offsets of any ELF file: a perf.data of one map and one sample per address, made by hand."""

from __future__ import annotations

import re
import shutil
import struct
from pathlib import Path

from foreign import environment, run

BASE = 0x100_0000_0000


def is_perf_6_1() -> bool:
    return bool(shutil.which("perf")) and run(["perf", "--version"]).stdout.startswith(b"perf version 6.1.")


def perf_names(path: Path, offsets: list[int], folder: Path) -> list[bytes]:
    """Ask perf script.

    Layout: file header of 104 bytes, one perf_event_attr of 128 (a software event, sample type IP | TID) with its
    section of ids, then records: COMM, MMAP of the whole file at BASE, a SAMPLE for each address.
    Source: struct perf_event_attr, include/uapi/linux/perf_event.h; tools/perf/Documentation/perf.data-file-format.txt.
    """
    attr = struct.pack("<IIQQQQQ", 1, 128, 0, 1, 0x3, 0, 0).ljust(128, b"\0") + struct.pack("<QQ", 248, 0)
    name = bytes(path) + b"\0"
    name += bytes(-len(name) % 8)
    length = (path.stat().st_size + 4095) & ~4095
    records = struct.pack("<IHHII", 3, 0, 32, 1000, 1000) + b"prog".ljust(16, b"\0")
    records += struct.pack("<IHHIIQQQ", 1, 2, 40 + len(name), 1000, 1000, BASE, length, 0) + name
    records += b"".join(struct.pack("<IHHQII", 9, 2, 24, BASE + offset, 1000, 1000) for offset in offsets)
    header = b"PERFILE2" + struct.pack("<QQQQQQQQ", 104, 144, 104, 144, 248, len(records), 0, 0) + bytes(32)
    data = folder / "perf.data"
    data.write_bytes(header + attr + records)
    text = run(
        ["perf", "script", "--no-inline", "-F", "ip,sym", "-i", str(data)],
        env={**environment(), "HOME": str(folder), "PERF_CONFIG": "/dev/null"},
    ).stdout
    lines = [re.fullmatch(rb"\s*([0-9a-f]+) (.*)", line) for line in text.splitlines()]
    assert [int(line[1], 16) - BASE for line in lines if line] == offsets, text[:1000]
    return [line[2] for line in lines if line]
