"""The recordings in ``fixtures/perf_data`` and what perf printed of each.

``NAME.txt.gz`` is the plain print with the names of ``symbols/`` alone, ``NAME.addresses.txt.gz`` one without names.
"""

from __future__ import annotations

import gzip
import struct
import tempfile
from pathlib import Path

from oracle import perf_script_live as live

FOLDER = Path(__file__).parents[2] / "fixtures" / "perf_data"
SYMBOLS = FOLDER / "symbols"
KALLSYMS = SYMBOLS / "kallsyms"
PERF_MAP = SYMBOLS / "tmp" / "perf-8460.map"

FIXTURES = sorted(path.stem for path in FOLDER.glob("*.data"))

# perf unwinds these stacks itself; what it prints of them has frames that the recording does not list.
UNWOUND = {"dwarf"}
# perf prints the names of a jitdump only after `perf inject --jit`.
PRINTED_AS = {"jitdump": "injected"}
# What perf 6.1 makes nothing of, and prints after the header is mended.
KILLED = {"killed"}


def path_of(fixture: str) -> Path:
    return FOLDER / f"{fixture}.data"


def printed(fixture: str) -> bytes:
    """Return the plain print of a recording, names included."""
    return gzip.decompress((FOLDER / f"{fixture}.txt.gz").read_bytes())


def printed_with_jit(fixture: str) -> bytes:
    """Return the plain print with all the names that the files of ``symbols/`` can give."""
    return printed(PRINTED_AS.get(fixture, fixture))


def printed_addresses(fixture: str) -> bytes:
    """Return the print of a recording without names; every address is one of the file that was mapped."""
    return gzip.decompress((FOLDER / f"{fixture}.addresses.txt.gz").read_bytes())


def mended(data: bytes) -> bytes:
    """Write the size of the records into the header of a recording whose perf was killed."""
    start = struct.unpack_from("<Q", data, 40)[0]
    return data[:48] + struct.pack("<Q", len(data) - start) + data[56:72] + bytes(32) + data[104:]


def write_prints(fixture: str) -> None:
    """Have perf print a recording with the files of ``symbols/`` and none of this machine's."""
    placed = Path("/tmp") / PERF_MAP.name
    with tempfile.TemporaryDirectory() as folder:
        data = path_of(fixture).read_bytes()
        copy = Path(folder) / "perf.data"
        copy.write_bytes(mended(data) if fixture in KILLED else data)
        options = (f"--kallsyms={KALLSYMS}", f"--symfs={SYMBOLS}")
        placed.write_bytes(PERF_MAP.read_bytes())
        try:
            text = live.perf_script(copy, *options, home=folder)
            addresses = live.addresses(copy, *options, home=folder, has_stacks=fixture not in UNWOUND)
        finally:
            placed.unlink()
    (FOLDER / f"{fixture}.txt.gz").write_bytes(gzip.compress(text, 9, mtime=0))
    (FOLDER / f"{fixture}.addresses.txt.gz").write_bytes(gzip.compress(addresses, 9, mtime=0))
