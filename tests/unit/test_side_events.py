"""Side events: their order, and the dumps of JIT code among them."""

from __future__ import annotations

import random
from array import array

import pytest

from flameparse.decode.address_space import AddressSpace
from flameparse.decode.side_events import SideEvents
from flameparse.model.string_table import StringTable

IS_DATA = 1


def in_order(keys: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """(time, sequence, place before) of events after they were applied, which sorts them."""
    events = SideEvents()
    for place, (time, sequence) in enumerate(keys):
        events.add_comm(time, sequence, 1, place, 0)
    AddressSpace(StringTable()).apply_events(events)
    return [(*events.get(i)[:2], events.get(i)[4]) for i in range(len(events))]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 1000])
def test_events_are_sorted_and_equal_ones_stay_in_order(count: int) -> None:
    chance = random.Random(count)
    keys = [(chance.choice([0, 1, 2, 2**64 - 1]), chance.choice([0, 7, 2**64 - 1])) for _ in range(count)]
    expected = [(*key, place) for place, key in enumerate(keys)]
    expected.sort(key=lambda row: row[:2])
    assert in_order(keys) == expected


def test_runs_are_merged() -> None:
    falling = [(time, 0) for time in range(300, 0, -1)]
    assert [row[0] for row in in_order(falling)] == list(range(1, 301))
    two_cpus = [(time, 0) for time in [*range(0, 100, 2), *range(1, 100, 2)]]
    assert [row[0] for row in in_order(two_cpus)] == list(range(100))


def test_get_refuses_a_row_that_is_not_there() -> None:
    events = SideEvents()
    events.add_comm(5, 6, 7, 8, 9, 2)
    assert events.get(0) == (5, 6, 1, 7, 8, 9, 2)
    with pytest.raises(IndexError):
        events.get(1)


@pytest.mark.parametrize(
    ("path", "is_dump"),
    [
        (b"/tmp/jit-1.dump", True),
        (b"jit-1.dump", True),
        (b"/home/u/.debug/jit/llvm-IR-jit-20260101-abc/jit-4194304.dump", True),
        (b"/tmp/jit-.dump", False),
        (b"/tmp/jit-1a.dump", False),
        (b"/tmp/jit--1.dump", False),
        (b"/tmp/xjit-1.dump", False),
        (b"/tmp/it-1.dump", False),
        (b"1.dump", False),
        (b"/jit-1/2.dump", False),
        (b"/tmp/jit-1.dump/", False),
        (b"/tmp/jit-1.dumps", False),
        (b"/tmp/jit-1.dump (deleted)", False),
        (b".dump", False),
        (b"", False),
    ],
)
def test_dumps_are_known_by_name(path: bytes, is_dump: bool) -> None:
    strings = StringTable()
    events = SideEvents()
    events.add_map(9, 1, 12, 0x1000, 0x1000, 0, strings.add(path), tid=13)
    assert events.jitdumps(strings) == ([(path, 12, 13, 9)] if is_dump else [])


def test_dumps_are_listed_once_per_process() -> None:
    strings = StringTable()
    events = SideEvents()
    first, second = strings.add(b"/tmp/jit-1.dump"), strings.add(b"/tmp/jit-2.dump")
    events.add_map(1, 1, 1, 0x1000, 0x1000, 0, first, flags=IS_DATA)
    events.add_map(2, 2, 1, 0x1000, 0x1000, 0, first, tid=4)
    events.add_map(3, 3, 1, 0x1000, 0x1000, 0, second, tid=4)
    events.add_map(4, 4, 1, 0x1000, 0x1000, 0, first, tid=5)
    events.add_map(5, 5, 2, 0x1000, 0x1000, 0, first, tid=6)
    events.add_comm(6, 6, 3, 3, first)
    assert events.jitdumps(strings) == [
        (b"/tmp/jit-1.dump", 1, 4, 2),
        (b"/tmp/jit-2.dump", 1, 4, 3),
        (b"/tmp/jit-1.dump", 2, 6, 5),
    ]


def test_code_loads_are_added_as_columns() -> None:
    strings = StringTable()
    events = SideEvents()
    f, g, dump = strings.add(b"f"), strings.add(b"g"), strings.add(b"/tmp/jit-1.dump")
    events.add_code_loads(1, dump, array("Q", [5, 5]), array("Q", [64, 72]), array("Q", [16, 8]), array("I", [f, g]))
    space = AddressSpace(strings)
    space.apply_events(events)
    assert space.lookup(1, 71, 5, 1) == (64, 72, 0, 0, f, 2)
    assert space.lookup(1, 72, 5, 1) == (72, 80, 0, 0, g, 2)
    assert space.lookup(1, 72, 5, 0) is None
    assert space.dsos.rows[0].path == b"/tmp/jit-1.dump"
    with pytest.raises(ValueError, match="different lengths"):
        events.add_code_loads(1, dump, array("Q", [5]), array("Q", [64, 72]), array("Q", [16, 8]), array("I", [f, g]))
    assert len(events) == 2
