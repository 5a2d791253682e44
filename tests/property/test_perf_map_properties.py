"""Perf maps against a model that notes for every single address what holds there."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from flameparse.symbolize.perf_map import read_perf_map

FEWER = settings(max_examples=settings().max_examples // 5)

FIRST, LAST = 0x1000, 0x1040
NONE = 0xFFFFFFFF

Line = tuple[int, int, bytes]

line = st.tuples(
    st.integers(FIRST, LAST),
    st.sampled_from([0, 1, 2, 3, 5, 8, 16, 40]),
    st.sampled_from([b"JS:*f", b"JS:~f", b"JS:^g", b"Eval:~", b"Builtin:x", b"std::~y", b"z", b"JS:"]),
)
junk = st.sampled_from(
    [b"", b"at new f (a.js)", b"1000", b"1000 10", b"1000 10 ", b"1000 xyz", b"12345678123456781 1 a"]
)


def holders(lines: list[Line]) -> dict[int, int]:
    """Number of the line that holds at each address: those without size are put down first, then nameless ones."""
    at: dict[int, int] = {}
    for number in sorted(range(len(lines)), key=lambda number: (lines[number][1] > 0, lines[number][2] != b"JS:")):
        start, size, _ = lines[number]
        span = range(start, start + max(size, 1))
        replaced = {at[address] for address in span if address in at}
        at = {address: holder for address, holder in at.items() if holder not in replaced}
        at.update(dict.fromkeys(span, number))
    return at


def spelt(name: bytes, number: int) -> bytes:
    """Tell the lines apart by their numbers, but those that say nothing."""
    return name if name == b"JS:" else b"%s%d" % (name, number)


def written(lines: list[Line]) -> bytes:
    return b"".join(
        b"%x %x %s\n" % (start, size, spelt(name, number)) for number, (start, size, name) in enumerate(lines)
    )


@FEWER
@given(st.lists(line, max_size=25))
def test_the_later_line_evicts_what_it_overlaps(lines):
    table, counts = read_perf_map(written(lines))
    at = holders(lines)
    addresses = range(FIRST - 1, LAST + 42)
    rows = table.resolve(struct.pack(f"{len(addresses)}Q", *addresses))
    found = {address: table.name(row) for address, row in zip(addresses, rows, strict=True) if row != NONE}
    assert found == {address: spelt(lines[number][2], number) for address, number in at.items()}
    assert counts == {"unparsable": 0, "torn": 0, "replaced": len(lines) - len(set(at.values()))}


@FEWER
@given(st.lists(line, max_size=25))
def test_a_function_is_contested_where_a_line_of_another_name_overlaps_it(lines):
    table, _ = read_perf_map(b"".join(b"%x %x %s\n" % line for line in lines))
    at = holders(lines)
    expected = {}
    for number in set(at.values()):
        start, size, name = lines[number]
        expected[start] = any(
            start < other + length and other < start + size and length and name != another and another != b"JS:"
            for other, length, another in lines
        )
    assert {start: table.is_contested(row) for start, _, row in table.ranges()} == expected


@FEWER
@given(st.lists(line | junk, max_size=25), st.booleans())
def test_lines_that_say_nothing_change_nothing(lines, is_torn):
    sense = [one for one in lines if isinstance(one, tuple)]
    numbers = iter(range(len(sense)))
    text = b"".join(
        one + b"\n" if isinstance(one, bytes) else b"%x %x %s\n" % (*one[:2], spelt(one[2], next(numbers)))
        for one in lines
    )
    table, counts = read_perf_map(text + (b"1000 100 torn" if is_torn else b""))
    expected, expected_counts = read_perf_map(written(sense))
    assert [(start, end, table.name(row)) for start, end, row in table.ranges()] == [
        (start, end, expected.name(row)) for start, end, row in expected.ranges()
    ]
    assert counts == {**expected_counts, "unparsable": len(lines) - len(sense), "torn": int(is_torn)}


@FEWER
@given(st.lists(line, max_size=25))
def test_perf_answers_with_a_line_that_covers_the_address(lines):
    table, counts = read_perf_map(written(lines), rules="perf-6.1")
    # Names have three bytes and more but for those of one letter in the first ten lines.
    kept = [(*line, number) for number, line in enumerate(lines) if len(line[2]) > 1 or number > 9]
    assert counts == {"unparsable": len(lines) - len(kept), "torn": 0, "replaced": 0}
    covered: dict[int, set[bytes]] = {}
    for start, size, name, number in kept:
        for address in range(start, start + max(size, 1)):
            covered.setdefault(address, set()).add(spelt(name, number))
    addresses = range(FIRST - 1, LAST + 42)
    for address, row in zip(addresses, table.resolve(struct.pack(f"{len(addresses)}Q", *addresses)), strict=True):
        if row != NONE:
            assert table.name(row) in covered[address]
        else:
            # A tree of one line misses nothing.
            assert len(kept) > 1 or address not in covered
