"""A seeded mutator over whole perf.data files, from bytes to stacks of addresses, in this process.

What may leave the decoder is DecodeError, and OverflowError for weights whose sum cannot be counted.
FLAMEPARSE_FUZZ_INPUTS asks for another number of inputs.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from struct import unpack_from

import pytest

from decoded_recording import decode, totals
from flameparse import limits
from flameparse.errors import DecodeError
from flameparse.parallel import perf_data

zstandard = pytest.importorskip("zstandard")

INPUTS = int(os.environ.get("FLAMEPARSE_FUZZ_INPUTS", "100000")) // 50
SHARDS = 4
MAX_SECONDS = 1.0  # of CPU, per input and way to decode it
FIXTURES = Path(__file__).parents[2] / "fixtures" / "perf_data"
MAX_SEED_BYTES = 12_000
SAMPLE = 9

SEEDS = [path.read_bytes() for path in sorted(FIXTURES.glob("*.data")) if path.stat().st_size < MAX_SEED_BYTES]
NUMBERS = [0, 1, 7, 8, 9, 127, *(2**n + d for n in (8, 15, 16, 31, 32, 61, 63, 64) for d in (-1, 0, 1))]
MARKERS = [2**64 - n for n in (32, 128, 512, 640, 2048, 4095)]

Mutation = Callable[[random.Random, bytearray, list[int]], None]


def record_starts(data: bytes) -> list[int]:
    """Places of the records of a sound file or pipe of this byte order."""
    at, end = 16, len(data)
    if unpack_from("<Q", data, 8)[0] != 16:
        at, size = unpack_from("<QQ", data, 40)
        end = min(at + size, end) if size else end
    starts = []
    while end - at >= 8:
        size = unpack_from("<H", data, at + 6)[0]
        if size < 8 or size > end - at:
            break
        starts.append(at)
        at += size
    return starts


def set_number(choice: random.Random, data: bytearray, starts: list[int]) -> None:
    """Overwrite an integer of a record: its size, or any word of its body."""
    at = choice.choice(starts)
    kind = choice.randrange(4)
    if kind == 0:
        data[at + 6 : at + 8] = (choice.choice(NUMBERS) % 65536).to_bytes(2, "little")
    elif kind == 1:
        data[at : at + 4] = (choice.choice((*range(24), *range(64, 88), 2**16, 2**31))).to_bytes(4, "little")
    else:
        at += 8 * choice.randrange(1, 12)
        data[at : at + 8] = (choice.choice((*NUMBERS, *MARKERS)) % 2**64).to_bytes(8, "little")


def flip(choice: random.Random, data: bytearray, _: list[int]) -> None:
    data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)


def set_attr_bits(choice: random.Random, data: bytearray, _: list[int]) -> None:
    """Ask for other parts of a sample: they begin with the attr's first words, near the start of any recording."""
    at = choice.randrange(16, min(300, len(data)))
    data[at] ^= 1 << choice.randrange(8)


def cut(choice: random.Random, data: bytearray, _: list[int]) -> None:
    del data[choice.randrange(16, len(data)) :]


def repeat(choice: random.Random, data: bytearray, starts: list[int]) -> None:
    """Put a record in once more, anywhere."""
    at, to = choice.choice(starts), choice.choice(starts)
    record = data[at : at + unpack_from("<H", data, at + 6)[0]]
    data[to:to] = record * choice.choice((1, 1, 3, 50))


def swap(choice: random.Random, data: bytearray, starts: list[int]) -> None:
    """Overwrite one record's bytes by those of another."""
    at, to, size = choice.choice(starts), choice.choice(starts), choice.choice((8, 16, 48, 200))
    data[to : to + size] = data[at : at + size]


MUTATIONS: tuple[Mutation, ...] = (set_number, set_number, set_number, flip, set_attr_bits, cut, repeat, swap)


def mutated(choice: random.Random) -> bytes:
    data = bytearray(choice.choice(SEEDS))
    starts = record_starts(bytes(data))
    for _ in range(choice.choice((1, 1, 2, 4, 9))):
        choice.choice(MUTATIONS)(choice, data, [at for at in starts if at + 104 < len(data)] or [16])
        if len(data) < 400:
            break
    return bytes(data)


def outcome(data: bytes, **options: object) -> object:
    """What comes of an input: its totals and account, or the kind of error."""
    start = time.process_time()
    try:
        recording, profile = decode(data, **options)
    except (DecodeError, OverflowError) as error:
        return type(error)
    finally:
        assert time.process_time() - start < MAX_SECONDS
    found = totals(profile)
    dropped = profile.diagnostics.dropped
    assert sum(count for count, _ in found.values()) + sum(dropped.values()) == profile.samples.samples_seen
    assert len(recording.header.damage) <= limits.MAX_DAMAGE_NOTES
    return found, dropped, profile.diagnostics.counts


@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_recordings(shard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perf_data, "SEGMENTS_BEFORE_THREADS", 2)
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 2_000)
    monkeypatch.setattr(limits, "MAX_ZSTD_RECORD_BYTES", 1 << 20)
    choice = random.Random(f"recordings {shard}")
    refused = dropped = sound = 0
    for number in range(INPUTS // SHARDS):
        data = mutated(choice)
        try:
            result = outcome(data)
            if number % 4 == 0:
                assert outcome(data, threads=2) == result
                outcome(data, is_seekable=False, step=choice.choice((100, 3_000, 1 << 20)))
        except BaseException as error:
            error.add_note(f"input {number}: {data!r}") if hasattr(error, "add_note") else None
            raise
        refused += not isinstance(result, tuple)
        dropped += isinstance(result, tuple) and bool(result[1])
        sound += isinstance(result, tuple) and not result[1]
    # Each kind must occur, or the mutator tests less than it seems to.
    assert min(refused, dropped, sound) > INPUTS // SHARDS // 100
