"""Grow a perf.data to any size: its records over and over, each round later than the one before.

    python -m benchmarks.perf_data_corpus recorded.data 1000

All records are repeated, those of threads and mappings too, so that a long recording has as many of them as it would.
A size below the recording's own takes its first records.
"""

from __future__ import annotations

import argparse
import os
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).parent / "data"

HEADER = struct.Struct("<8s7Q")  # magic, sizes of header and attr, (offset, size) of attrs and data, one more offset
RECORD = struct.Struct("<IHH")  # type, misc, size
WORD = struct.Struct("<Q")
SAMPLE, FIRST_USER_RECORD = 9, 64
NO_TIMES = (0, 2**64 - 1)


def count_words(sample_type: int, *bits: int) -> int:
    return sum(sample_type >> bit & 1 for bit in bits)


def record_starts(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (place, type, size) of each whole record."""
    while start + RECORD.size <= end:
        type, _, size = RECORD.unpack_from(content, start)
        if size < RECORD.size or start + size > end:
            return
        yield start, type, size
        start += size


def time_places(content: bytes, start: int, end: int, sample_type: int) -> array[int]:
    """Return where the times of the records stand, counted from the first record."""
    in_sample = RECORD.size + 8 * count_words(sample_type, 16, 0, 1)  # behind IDENTIFIER, IP, TID
    from_end = 8 * (1 + count_words(sample_type, 6, 9, 7, 16))  # before ID, STREAM_ID, CPU, IDENTIFIER
    places = array("Q")
    for place, type, size in record_starts(content, start, end):
        at = place + (in_sample if type == SAMPLE else size - from_end)
        if type < FIRST_USER_RECORD and WORD.unpack_from(content, at)[0] not in NO_TIMES:
            places.append(at - start)
    return places


def grow(source: Path, size_mb: int, data: Path = DATA) -> Path:
    """Return the recording at that size, grown now unless it is there already, newer than its source.

    Raises:
        ValueError: the source is no little-endian, uncompressed file whose records have times.
    """
    path = data / f"{source.stem}-{size_mb}MB.data"
    if path.exists() and path.stat().st_mtime > source.stat().st_mtime:
        return path
    content = source.read_bytes()
    magic, header_size, _, attrs, _, start, size, _ = HEADER.unpack_from(content)
    sample_type = WORD.unpack_from(content, attrs + 24)[0]
    if magic != b"PERFILE2" or header_size != 104 or not size or not sample_type >> 2 & 1:
        raise ValueError(f"{source}: not a recording that can be grown")
    wanted = size_mb * 1_000_000 - start
    end = start + size
    if wanted < size:
        end = next(place for place, _, length in record_starts(content, start, end) if place + length - start > wanted)
    records = bytearray(content[start:end])
    places = time_places(content, start, end, sample_type)
    times = [WORD.unpack_from(records, place)[0] for place in places]
    later = max(times) - min(times) + 1
    rounds = max(1, wanted // len(records))
    tail = bytearray(content[start + size :])
    bitmap = struct.unpack_from("<4Q", content, 72)
    grown_by = rounds * len(records) - size
    for feature in range(sum(word.bit_count() for word in bitmap)):
        place = WORD.unpack_from(tail, 16 * feature)[0]
        WORD.pack_into(tail, 16 * feature, place + grown_by)
    head = bytearray(content[:start])
    WORD.pack_into(head, 48, rounds * len(records))
    data.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(head)
        for number in range(rounds):
            if number:
                for place, time in zip(places, times, strict=True):
                    WORD.pack_into(records, place, time + number * later)
            file.write(records)
        file.write(tail)
    os.replace(partial, path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.perf_data_corpus", description="Grow a perf.data.")
    parser.add_argument("source", type=Path)
    parser.add_argument("size_mb", type=int, metavar="MB")
    arguments = parser.parse_args()
    path = grow(arguments.source, arguments.size_mb)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
