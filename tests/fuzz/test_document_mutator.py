"""A seeded mutator over the document reader: only DecodeError leaves it, and what it accepts is safe to index.

FLAMEPARSE_FUZZ_INPUTS asks for more inputs than the default.
"""

from __future__ import annotations

import os
import random
import time

import msgpack
import pytest

from document_builder import build_document, small_document
from flameparse.document.document import NONE, Document, EventUnit, FrameKind
from flameparse.document.reader import unpack
from flameparse.document.writer import pack
from flameparse.errors import DecodeError
from flameparse.limits import MAX_TOTAL_WEIGHT

INPUTS = int(os.environ.get("FLAMEPARSE_FUZZ_INPUTS", "60000"))
SHARDS = 3
MAX_SECONDS = 1.0  # of CPU, per input

SEEDS = [
    pack(small_document()),
    pack(small_document(timeline=False)),
    pack(build_document()),
    msgpack.packb({**msgpack.unpackb(pack(small_document())), "future": [1, {"a": [b"x", 1.5]}]}),
]
INTEGERS = [value & ((1 << 64) - 1) for value in (0, 1, -1, 127, 128, 255, 1 << 31, (1 << 31) - 1, 1 << 32, 1 << 63)]
# Heads that start a value, with lengths that matter.
HEADS = [bytes([head]) for head in (*range(0x80, 0xA2), *range(0xC0, 0xE1))]


def flip(random: random.Random, data: bytearray) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def set_byte(random: random.Random, data: bytearray) -> None:
    data[random.randrange(len(data))] = random.randrange(256)


def set_head(random: random.Random, data: bytearray) -> None:
    data[(at := random.randrange(len(data))) : at + 1] = random.choice(HEADS)


def set_integer(random: random.Random, data: bytearray) -> None:
    size = random.choice((1, 2, 4, 8))
    at = random.randrange(len(data))
    value = random.choice(INTEGERS) & ((1 << 8 * size) - 1)
    data[at : at + size] = value.to_bytes(size, random.choice(("little", "big")))


def cut(random: random.Random, data: bytearray) -> None:
    del data[random.randrange(len(data)) :]


def remove(random: random.Random, data: bytearray) -> None:
    at = random.randrange(len(data))
    del data[at : at + random.randrange(1, 16)]


def repeat(random: random.Random, data: bytearray) -> None:
    at, to = random.randrange(len(data)), random.randrange(len(data))
    data[to:to] = data[at : at + random.randrange(1, 64)]


def splice(random: random.Random, data: bytearray) -> None:
    other = random.choice(SEEDS)
    data[random.randrange(len(data)) :] = other[random.randrange(len(other)) :]


def grow(random: random.Random, data: bytearray) -> None:
    data += random.choice((b"\0", b"\xc0", b"\xa1a\xc0", data[:40]))


MUTATIONS = (flip, flip, set_byte, set_head, set_integer, set_integer, set_integer, cut, remove, repeat, splice, grow)


def mutated_column(random: random.Random) -> bytes:
    """Break one column's numbers only, which the byte mutations rarely reach with the map still whole."""
    fields = msgpack.unpackb(random.choice(SEEDS[:2]))
    key = random.choice([key for key, value in fields.items() if isinstance(value, bytes) and value])
    column = bytearray(fields[key])
    for _ in range(random.randrange(1, 3)):
        random.choice((flip, set_byte, set_integer))(random, column)
    fields[key] = bytes(column)
    return msgpack.packb(fields)


def mutated(random: random.Random) -> bytes:
    if random.random() < 0.3:
        return mutated_column(random)
    data = bytearray(random.choice(SEEDS))
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        if data:
            random.choice(MUTATIONS)(random, data)
    return bytes(data)


def assert_safe(document: Document) -> None:
    """Index everything by everything, as a renderer would without looking."""
    strings = len(document.string_offsets) - 1
    sizes = {"string": strings, "frame": len(document.frame_name), "stack": len(document.stack_parent)}
    sizes |= {"event": len(document.event_name), "thread": len(document.thread_pid)}
    names = [document.string(id) for id in range(strings)]
    assert b"".join(names) == document.string_bytes
    references = [
        (document.frame_name, "string", False),
        (document.frame_dso, "string", True),
        (document.stack_parent, "stack", True),
        (document.stack_frame, "frame", False),
        (document.event_name, "string", False),
        (document.thread_comm, "string", True),
    ]
    tables = [(document.total_event, document.total_thread, document.total_stack)]
    if document.timeline:
        tables.append(tuple(document.timeline[name] for name in ("event", "thread", "stack")))
    for event, thread, stack in tables:
        references += [(event, "event", False), (thread, "thread", True), (stack, "stack", True)]
    for column, table, none_allowed in references:
        assert all(id < sizes[table] or (none_allowed and id == NONE) for id in column)
    assert all(parent < stack or parent == NONE for stack, parent in enumerate(document.stack_parent))
    rows = list(zip(document.total_event, document.total_thread, document.total_stack, strict=True))
    assert rows == sorted(set(rows))
    assert len(document.total_samples) == len(document.total_period) == len(rows)
    assert max(sum(document.total_samples), sum(document.total_period)) <= MAX_TOTAL_WEIGHT
    assert all(kind < FrameKind.COUNT for kind in document.frame_kind)
    assert all(unit < EventUnit.COUNT for unit in document.event_unit)
    assert type(document.meta) is type(document.diagnostics) is dict


@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_documents(shard):
    source = random.Random(f"document {shard}")
    accepted = refused = 0
    for number in range(INPUTS // SHARDS):
        data = mutated(source)
        start = time.process_time()
        try:
            document = unpack(data)
        except DecodeError as error:
            refused += 1
            assert error.format_name == "msgpack document", number
            assert 0 <= error.offset <= len(data), number
        else:
            accepted += 1
            assert_safe(document)
            again = unpack(data)
            assert again == document, number
        assert time.process_time() - start < MAX_SECONDS, number
    # Both must be common, or the mutator tests less than it seems to.
    assert accepted > INPUTS // SHARDS // 50
    assert refused > INPUTS // SHARDS // 2
