"""The compiled checks, each at the edge where it starts to refuse."""

from __future__ import annotations

import msgpack
import pytest

from document_builder import column
from flameparse.document import check
from flameparse.document.document import NONE
from flameparse.errors import LimitError, MalformedError, TruncatedError


@pytest.mark.parametrize(
    ("ids", "count", "none_allowed", "index"),
    [
        ([], 0, False, -1),
        ([0, 1, 2], 3, False, -1),
        ([0, 1, 3], 3, False, 2),
        ([NONE], 3, True, -1),
        ([0, NONE, 3], 3, False, 1),
        ([NONE - 1], 3, True, 0),
        ([NONE - 1], NONE, True, -1),
        ([0], 0, True, 0),
    ],
)
def test_first_foreign(ids, count, none_allowed, index):
    assert check.first_foreign(column("I", ids), count, none_allowed) == index


@pytest.mark.parametrize(
    ("parents", "index"), [([], -1), ([NONE, 0, 1, NONE], -1), ([0], 0), ([NONE, 1], 1), ([NONE, NONE - 1], 1)]
)
def test_first_early(parents, index):
    assert check.first_early(column("I", parents)) == index


@pytest.mark.parametrize(
    ("offsets", "index"), [([], -1), ([5], -1), ([0, 0, 1 << 63, (1 << 64) - 1], -1), ([0, 2, 1], 2), ([1 << 32, 0], 1)]
)
def test_first_falling(offsets, index):
    assert check.first_falling(column("Q", offsets)) == index


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        ([], -1),
        ([(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, NONE), (0, NONE, 0), (1, 0, 0)], -1),
        ([(0, 0, 0), (0, 0, 0)], 1),
        ([(0, 0, NONE), (0, 0, 1)], 1),
        ([(0, 1, 0), (0, 0, 1)], 1),
        ([(1, 0, 0), (0, 5, 5)], 1),
    ],
)
def test_first_unsorted(rows, index):
    assert check.first_unsorted(*(column("I", [row[i] for row in rows]) for i in range(3))) == index


@pytest.mark.parametrize(
    ("weights", "index"), [([], -1), ([4, 6], -1), ([4, 7], 1), ([11], 0), ([4, (1 << 64) - 1], 1), ([10, 0, 1], 2)]
)
def test_first_excess(weights, index):
    assert check.first_excess(column("Q", weights), 10) == index


VALUES = [
    *(None, True, False, 0, 127, 128, 255, 256, 65535, 65536, (1 << 32) - 1, 1 << 32, (1 << 64) - 1),
    *(-1, -32, -33, -128, -129, -32768, -32769, -(1 << 31), -(1 << 31) - 1, -(1 << 63), 1.5),
    *("x" * length for length in (0, 31, 32, 255, 256, 65535, 65536)),
    *(b"x" * length for length in (0, 255, 256, 65535, 65536)),
    *(list(range(length)) for length in (0, 15, 16, 65535, 65536)),
    *(dict.fromkeys(range(length)) for length in (0, 15, 16, 65535, 65536)),
    *(msgpack.ExtType(5, b"x" * length) for length in (0, 1, 2, 3, 4, 8, 16, 17, 255, 256, 65535, 65536)),
    {"a": [1, {"b": b"c"}], "d": []},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_value_end_agrees_with_the_reference_library(value):
    packed = msgpack.packb(value)
    assert check.value_end(b"\xc0" + packed + b"\xc0", 1, 3, False, "x") == 1 + len(packed)
    with pytest.raises(TruncatedError):
        check.value_end(packed[:-1], 0, 3, False, "x")


def test_value_end_takes_single_precision():
    assert check.value_end(msgpack.packb(1.5, use_single_float=True), 0, 0, False, "x") == 5


@pytest.mark.parametrize("head", [0xC1, *range(0xC7, 0xCC), *range(0xD4, 0xD9)])
def test_value_end_plain_refuses_floats_and_ext(head):
    with pytest.raises(MalformedError, match=f"^x: offset 0: byte 0x{head:02x} starts no value allowed here$"):
        check.value_end(bytes([head]) + bytes(300), 0, 3, True, "x")


def test_value_end_refuses_the_unused_byte_even_if_not_plain():
    with pytest.raises(MalformedError):
        check.value_end(b"\x91\xc1", 0, 3, False, "x")


@pytest.mark.parametrize("levels", [0, 1, 3, 16])
def test_value_end_counts_nesting(levels):
    deepest = b"\x91" * levels + b"\xc0"
    assert check.value_end(deepest, 0, levels, False, "x") == levels + 1
    with pytest.raises(LimitError, match=f"offset {levels + 1}: nested deeper than {levels} levels"):
        check.value_end(b"\x91" + deepest, 0, levels, False, "x")


def test_value_end_counts_empty_containers_as_nesting():
    with pytest.raises(LimitError):
        check.value_end(b"\x91\x90", 0, 1, False, "x")


@pytest.mark.parametrize("levels", [17, 1 << 40])
def test_value_end_never_passes_its_own_stack(levels):
    with pytest.raises(LimitError):
        check.value_end(b"\x91" * 100 + b"\xc0", 0, levels, False, "x")


@pytest.mark.parametrize(
    "head", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdc\xff\xff", b"\x8f", b"\x93\xc0"]
)
def test_value_end_refuses_counts_beyond_the_bytes_left(head):
    with pytest.raises(TruncatedError):
        check.value_end(head, 0, 3, False, "x")


@pytest.mark.parametrize("head", [b"\xc6", b"\xdb", b"\xc9"])
def test_value_end_refuses_lengths_beyond_the_bytes_left(head):
    with pytest.raises(TruncatedError, match=r"^x: offset 5: \d+ bytes wanted, 7 left$"):
        check.value_end(head + b"\xff\xff\xff\xff" + bytes(7), 0, 3, False, "x")


def test_value_end_at_the_end_of_the_input():
    with pytest.raises(TruncatedError, match=r"^x: offset 1: a value is missing$"):
        check.value_end(b"\xc0", 1, 3, False, "x")
