"""A seeded mutator over the containers of perf.data: file headers, features, the records of a pipe, zstd payloads.

What may leave them is DecodeError alone. FLAMEPARSE_FUZZ_INPUTS asks for another number of inputs.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from struct import unpack_from

import pytest

from flameparse import limits
from flameparse.decode.perf_data.header import Header, read_header
from flameparse.decode.perf_data.zstd_records import COMPRESSED, COMPRESSED2, ZstdRecords
from flameparse.errors import DecodeError
from recording_builder import BytesSource, Writer

zstandard = pytest.importorskip("zstandard")

INPUTS = int(os.environ.get("FLAMEPARSE_FUZZ_INPUTS", "100000")) // 4
SHARDS = 4
MAX_SECONDS = 1.0  # of CPU, per input
FIXTURES = Path(__file__).parents[2] / "fixtures" / "perf_data"
MAX_SEED_BYTES = 12_000

NUMBERS = [0, 1, 7, 8, 63, 64, 79, 80, *(2**n + d for n in (8, 15, 16, 31, 32, 63, 64) for d in (-1, 0))]


def pipe_of(writer: Writer) -> bytes:
    """Write a pipe with every record that is read."""
    features = writer.full_features()
    tracing = features.pop(1)
    tracing += b"\0" * (-len(tracing) % 8)
    return writer.pipe(
        writer.record(64, writer.attr() + writer.pack("Q", 11)),
        writer.record(64, writer.attr(2, 372) + writer.pack("QQ", 12, 13)),
        *(writer.record(80, writer.pack("Q", number) + text) for number, text in features.items()),
        writer.record(66, writer.pack("I", len(tracing))) + tracing,
        writer.record(78, writer.pack("QQ", 2, 12) + b"sys:open\0"),
        writer.build_id(b"/bin/other", b"\3" * 20),
        writer.record(79, writer.pack("QQQ", 1, 2, 3)),
        writer.record(71, writer.pack("3Q", 16, 0, 0)) + b"\0" * 16,
        writer.record(68),
    )


FILES = [
    *(Writer(order).full_file() for order in "<>"),
    *(pipe_of(Writer(order)) for order in "<>"),
    *(path.read_bytes() for path in sorted(FIXTURES.glob("*.data")) if path.stat().st_size < MAX_SEED_BYTES),
]

Mutation = Callable[[random.Random, bytearray], None]


def flip(choice: random.Random, data: bytearray) -> None:
    data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)


def set_byte(choice: random.Random, data: bytearray) -> None:
    data[choice.randrange(len(data))] = choice.choice((0, 1, 0x7F, 0xFF))


def set_number(choice: random.Random, data: bytearray) -> None:
    size = choice.choice((2, 4, 8))
    at = choice.randrange(len(data)) & -size
    number = choice.choice((*NUMBERS, len(data) + choice.randrange(-9, 9))) % (1 << 8 * size)
    data[at : at + size] = number.to_bytes(size, choice.choice(("little", "big")))


def set_header_number(choice: random.Random, data: bytearray) -> None:
    head = data[:104]
    set_number(choice, head)
    data[:104] = head


def cut(choice: random.Random, data: bytearray) -> None:
    del data[choice.randrange(len(data)) :]


def remove(choice: random.Random, data: bytearray) -> None:
    at = choice.randrange(len(data))
    del data[at : at + choice.randrange(1, 40)]


def repeat(choice: random.Random, data: bytearray) -> None:
    at, to = choice.randrange(len(data)), choice.randrange(len(data))
    data[to:to] = data[at : at + choice.randrange(1, 200)]


def move(choice: random.Random, data: bytearray) -> None:
    """Overwrite a stretch by another one: offsets and sizes that are another's."""
    at, to, size = choice.randrange(len(data)) & -8, choice.randrange(len(data)) & -8, choice.choice((8, 16, 144))
    data[to : to + size] = data[at : at + size]


MUTATIONS: tuple[Mutation, ...] = (
    flip, set_byte, set_number, set_number, set_number, set_header_number, set_header_number, cut, remove, repeat,
    move, move,
)  # fmt: skip


def mutated(choice: random.Random, seeds: list[bytes]) -> bytes:
    data = bytearray(choice.choice(seeds))
    for _ in range(choice.choice((0, 1, 1, 2, 3, 8))):
        if data:
            choice.choice(MUTATIONS)(choice, data)
    return bytes(data)


def feed(header: Header, data: bytes) -> None:
    """Give a header the records of a pipe, as far as they go."""
    at = header.data_offset
    while len(data) - at >= 8:
        type, misc, size = unpack_from(header.order + "IHH", data, at)
        if size < 8 or size > len(data) - at:
            return
        payload = data[at + 8 : at + size]
        at += size
        trailing = header.trailing_bytes(type, payload)
        header.user_record(type, misc, payload, data[at : at + trailing])
        at += trailing


def check(header: Header, data: bytes) -> None:
    assert header.attrs or header.is_pipe
    assert all(attr.name for attr in header.attrs)
    assert header.id_count <= len(data)
    assert len(header.place_of_id) <= header.id_count == sum(len(attr.ids) for attr in header.attrs)
    assert len(header.damage) <= limits.MAX_DAMAGE_NOTES
    assert sum(map(len, header.features.values())) <= len(data)
    assert all(len(id) <= 20 for _, _, id, _ in header.build_ids)
    assert all(isinstance(value, (str, int)) for value in header.meta().values())
    assert header.cpu_events | header.followed_events <= {attr.name for attr in header.attrs}
    assert header.damage or header.is_pipe or header.data_offset + header.data_size <= len(data)


def read(data: bytes) -> Header | None:
    """Read a container both ways; None where it is refused."""
    try:
        stream = read_header(BytesSource(data, is_seekable=False))
        if stream.data_size is not None:
            stream.read_tail(data[stream.data_offset + stream.data_size :])
    except DecodeError:
        pass
    try:
        header = read_header(BytesSource(data))
        if header.is_pipe:
            feed(header, data)
    except DecodeError:
        return None
    check(header, data)
    return header


@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_containers(shard: int) -> None:
    choice = random.Random(f"containers {shard}")
    refused = damaged = whole = 0
    for number in range(INPUTS // SHARDS):
        data = mutated(choice, FILES)
        start = time.process_time()
        try:
            header = read(data)
            assert time.process_time() - start < MAX_SECONDS
        except BaseException as error:
            error.add_note(f"input {number}: {data[:3000]!r}") if hasattr(error, "add_note") else None
            raise
        refused += header is None
        damaged += header is not None and bool(header.damage)
        whole += header is not None and not header.damage
    # Each kind must occur, or the mutator tests less than it seems to.
    assert min(refused, damaged, whole) > INPUTS // SHARDS // 10


def test_mutated_zstd_payloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ZSTD_RECORD_BYTES", 1 << 20)
    choice = random.Random("zstd")
    compressor = zstandard.ZstdCompressor().compressobj()
    seeds = []
    for _ in range(4):
        piece = choice.randbytes(60) * choice.randrange(1, 80)
        seeds.append(compressor.compress(piece) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
    given = 0
    for number in range(INPUTS // 4):
        order = choice.choice("<>")
        records = ZstdRecords(Header(order))
        for place in range(len(seeds)):
            payload = mutated(choice, seeds[place : place + 1])
            type = choice.choice((COMPRESSED, COMPRESSED2))
            if type == COMPRESSED2:
                payload = Writer(order).pack("Q", choice.choice((len(payload), *NUMBERS[:-1]))) + payload
            try:
                given += len(records.decompress(type, payload)) > 0
            except DecodeError:
                break
            except BaseException as error:
                error.add_note(f"input {number}: {payload!r}") if hasattr(error, "add_note") else None
                raise
    assert given > INPUTS // 20
