"""The tables, built by hand: each interns like a dict, and joins like two dicts added."""

from __future__ import annotations

import pytest

from flameparse.model.absorb import absorb, rarity_threshold
from flameparse.model.diagnostics import Diagnostics
from flameparse.model.event_table import EventTable
from flameparse.model.frame_table import FrameTable
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.model.stack_table import StackTable
from flameparse.model.string_table import StringTable
from flameparse.model.thread_table import ThreadTable

NONE = 0xFFFF_FFFF
UNKNOWN_ID = -(1 << 31)
MANY = 20_000  # more than any table starts with


def test_strings_are_stored_once():
    table = StringTable()
    texts = [b"", b"a", b"\0", b"a\0", b";\n", b"\xff" * 17, *(b"%d" % i for i in range(MANY))]
    ids = [table.add(text) for text in texts]
    assert ids == list(range(len(texts)))
    assert [table.add(text) for text in texts] == ids
    assert [table.get(id) for id in ids] == texts
    assert len(table) == table.count == len(texts)


@pytest.mark.parametrize("length", range(70))
def test_strings_of_every_length_differ_in_every_byte(length):
    table = StringTable()
    text = bytes(range(length))
    ids = {table.add(text)} | {table.add(text[:i] + b"\xfe" + text[i + 1 :]) for i in range(length)}
    assert len(ids) == length + 1


@pytest.mark.parametrize("text", [bytearray(b"abc"), memoryview(b"abc")])
def test_strings_are_copied_from_any_buffer(text):
    table = StringTable()
    id = table.add(text)
    if isinstance(text, bytearray):
        text[:] = b"xyz"
    assert table.get(id) == b"abc"
    assert table.add(b"abc") == id


@pytest.mark.parametrize("text", [memoryview(b"abcd")[::2], "abc", None, 5])
def test_what_is_no_byte_string_is_refused(text):
    with pytest.raises((TypeError, ValueError, BufferError)):
        StringTable().add(text)


def test_frames_are_one_where_every_field_agrees():
    table = FrameTable()
    rows = [(1, NONE, 0, 0), (1, 2, 0, 0), (2, 1, 0, 0), (1, 2, 1, 0), (1, 2, 3, 0), (NONE, 2, 0, 0), (NONE, 2, 0, 1)]
    rows += [(NONE, NONE, 0, 0xFFFF_FFFF_FFFF_FFFF), *((i, NONE, 2, i) for i in range(MANY))]
    ids = [table.add(*row) for row in rows]
    assert ids == list(range(len(rows)))
    assert [table.add(*row) for row in rows] == ids
    assert [table.get(id) for id in ids] == rows
    assert table.add(1) == 0


def test_threads_are_one_where_comm_pid_and_tid_agree():
    table = ThreadTable()
    rows = [(NONE, UNKNOWN_ID, UNKNOWN_ID), (NONE, -1, -1), (0, -1, -1), (0, 1, 2), (0, 2, 1), (1, 1, 2)]
    rows += [(3, i, i) for i in range(MANY)]
    ids = [table.add(*row) for row in rows]
    assert ids == list(range(len(rows)))
    assert [table.add(*row) for row in rows] == ids
    assert [table.get(id) for id in ids] == rows
    assert table.add(NONE) == 0


def test_stacks_are_a_tree():
    table = StackTable()
    known: dict[tuple[int, int], int] = {}
    parent = NONE
    for i in range(MANY):
        key = (parent, i * 7919 % 50)
        id = table.add(*key)
        assert known.setdefault(key, id) == id
        assert table.get(id) == key
        assert key[0] == NONE or key[0] < id
        parent = id if i % 11 else NONE
    assert len(table) == len(known)


@pytest.mark.parametrize("parent", [0, 1, NONE - 1])
def test_a_stack_needs_a_parent_that_is_there(parent):
    with pytest.raises(ValueError, match=f"no stack {parent}"):
        StackTable().add(parent, 0)


@pytest.mark.parametrize("table", [StringTable, FrameTable, StackTable, ThreadTable, EventTable])
@pytest.mark.parametrize("id", [0, NONE])
def test_a_row_that_is_not_there(table, id):
    with pytest.raises(IndexError):
        table().get(id)


def test_events_keep_the_first_mention_and_the_larger_unit():
    table = EventTable()
    assert table.next_place == 0
    assert [table.add(5, 0, 70), table.add(6, 1, 30), table.add(5, 1, 90)] == [0, 1, 0]
    assert table.add(5, 0, 10) == 0
    assert [table.get(0), table.get(1)] == [(5, 1, 10), (6, 1, 30)]
    assert table.next_place == 31
    assert len(table) == table.count == 2


def test_samples_are_summed():
    table = SampleTable()
    for event, thread, stack, period in [(0, 0, 0, 5), (0, 0, 1, 1), (0, 0, 0, 7), (1, 0, 0, 2), (0, NONE, NONE, 0)]:
        table.add_row(event, thread, stack, period)
    assert table.total_rows() == [
        (0, 0, 0, 2, 12),
        (0, 0, 1, 1, 1),
        (1, 0, 0, 1, 2),
        (0, NONE, NONE, 1, 0),
    ]
    assert table.samples_seen == 5
    assert table.held() == (5, 15)
    assert table.timeline_count == 0


def test_a_sum_past_64_bits_is_an_error_and_loses_nothing():
    table = SampleTable()
    for _ in range(2):
        table.add_row(0, 0, 0, (1 << 63) - 1)
    with pytest.raises(OverflowError, match="sum past"):
        table.add_row(0, 0, 0, 2)
    assert table.total_rows() == [(0, 0, 0, 2, (1 << 64) - 2)]


def test_a_period_past_63_bits_is_dropped_and_counted():
    table = SampleTable()
    table.add_row(0, 0, 0, 1 << 63)
    table.add_row(0, 0, 0, 5)
    assert table.total_rows() == [(0, 0, 0, 1, 5)]
    assert (table.samples_seen, table.impossible_periods) == (2, 1)


def test_totals_past_63_bits_are_an_error():
    table = SampleTable()
    table.add_row(0, 0, 0, (1 << 63) - 1)
    table.add_row(0, 0, 1, 1)
    with pytest.raises(OverflowError, match=r"sum past 2\*\*63 - 1"):
        table.held()


def times(table: SampleTable, *values: float | None, cpu: int = -1) -> int:
    for value in values:
        table.add_row(0, 0, 0, cpu=cpu, time_ns=None if value is None else round(value * 1e9))
    return table.held()[0]


@pytest.mark.parametrize(
    ("window", "kept"),
    [
        ({}, 5),
        ({"from_ns": 2_000_000_000}, 3),
        ({"to_ns": 2_000_000_000}, 1),
        ({"from_ns": 1_000_000_000, "to_ns": 2_000_000_000}, 1),
        ({"from_ns": 1_000_000_000, "from_is_relative": True}, 3),
        ({"to_ns": 500_000_001, "to_is_relative": True}, 1),
        ({"from_ns": 0, "from_is_relative": True, "to_ns": 3_000_000_000}, 3),
        ({"from_ns": 9_000_000_000}, 0),
    ],
)
def test_windows(window, kept):
    table = SampleTable(**window)
    # The end is left out, and where a window is asked for, a sample without a time is outside it.
    assert times(table, 1, 2, 2.999999999, 3, None) == kept
    assert table.samples_seen == 5
    assert table.outside_window == 5 - kept
    assert (table.first_time_ns, table.last_time_ns) == (1_000_000_000, 3_000_000_000)


def test_a_sibling_has_the_window_of_the_first_sample():
    table = SampleTable(from_ns=1_000_000_000, from_is_relative=True)
    assert times(table, 10) == 0
    sibling = table.sibling()
    assert times(sibling, 10.5, 11, 12) == 2
    assert sibling.samples_seen == 3


def test_cpu_filter():
    table = SampleTable(allowed_cpus=bytes([1, 0, 0]))
    for cpu, kept in ((0, 1), (1, 1), (2, 1), (-1, 1), (1 << 30, 1), (0, 2)):
        assert times(table, 1, cpu=cpu) == kept
    assert times(SampleTable(allowed_cpus=bytes([0, 0, 1])), 1, cpu=-1) == 1
    assert times(SampleTable(allowed_cpus=bytes([0, 0, 1])), 1, cpu=77) == 1


def build(*samples: tuple[bytes, bytes | None, bytes, int], timeline: bool = False) -> Profile:
    """A profile of (event, comm, semicolon-joined stack root first, period)."""
    profile = Profile(SampleTable(keeps_timeline=timeline))
    for place, (event, comm, stack_text, period) in enumerate(samples):
        event_id = profile.events.add(profile.strings.add(event), 1, place)
        thread = NONE if comm is None else profile.threads.add(profile.strings.add(comm), 1, 2)
        stack = NONE
        for name in stack_text.split(b";") if stack_text else ():
            stack = profile.stacks.add(stack, profile.frames.add(profile.strings.add(name)))
        profile.samples.add_row(event_id, thread, stack, period)
    return profile


def spelled(profile: Profile) -> dict[tuple[bytes, bytes | None, bytes], tuple[int, int]]:
    """Totals with every id looked up."""
    found = {}
    for event, thread, stack, samples, period in profile.samples.total_rows():
        names: list[bytes] = []
        while stack != NONE:
            stack, frame = profile.stacks.get(stack)
            names.append(profile.strings.get(profile.frames.get(frame)[0]))
        comm = None if thread == NONE else profile.strings.get(profile.threads.get(thread)[0])
        key = (profile.strings.get(profile.events.get(event)[0]), comm, b";".join(reversed(names)))
        before = found.get(key, (0, 0))
        found[key] = (before[0] + samples, before[1] + period)
    return found


A = ((b"e", b"x", b"a;b", 5), (b"e", b"x", b"a", 1), (b"e", None, b"", 2), (b"f", b"y", b"a;b", 3))
B = ((b"f", b"y", b"a;b", 10), (b"e", b"x", b"a;b", 20), (b"g", None, b"z", 30))


def test_absorb_adds():
    target, source = build(*A), build(*B)
    before = spelled(source)
    absorb(target, source)
    assert target.samples.total_count == 5
    assert spelled(target) == {
        (b"e", b"x", b"a;b"): (2, 25),
        (b"e", b"x", b"a"): (1, 1),
        (b"e", None, b""): (1, 2),
        (b"f", b"y", b"a;b"): (2, 13),
        (b"g", None, b"z"): (1, 30),
    }
    assert spelled(source) == before
    assert target.samples.samples_seen == 7


def test_absorb_into_an_empty_profile_is_a_copy_of_what_is_used():
    source = build(*A)
    source.strings.add(b"never used")
    source.frames.add(0)
    target = Profile()
    absorb(target, source)
    assert spelled(target) == spelled(source)
    assert b"never used" not in [target.strings.get(i) for i in range(len(target.strings))]


def test_absorb_orders_the_events_of_several_inputs():
    target = build(*A)
    absorb(target, build(*B), place=target.events.next_place)
    events = sorted((target.events.get(i)[2], target.strings.get(target.events.get(i)[0])) for i in range(3))
    assert [name for _, name in events] == [b"e", b"f", b"g"]


@pytest.mark.parametrize("timeline", [False, True])
def test_absorb_folds_rare_stacks_into_other(timeline):
    source = build(*A, *A[:1] * 3, *A[3:], timeline=timeline)
    target = Profile(source.samples.sibling())
    absorb(target, source, least_samples=2)
    assert spelled(target) == {
        (b"e", b"x", b"a;b"): (4, 20),
        (b"e", b"x", b"[other]"): (1, 1),
        (b"e", None, b"[other]"): (1, 2),
        (b"f", b"y", b"a;b"): (2, 6),
    }
    assert target.diagnostics.counts == {"rare_samples": 2}
    assert target.samples.samples_seen == 8
    assert target.samples.timeline_count == 8 * timeline


def test_rare_samples_are_counted_once_however_often_tables_are_pruned():
    profile = build(*A)
    for _ in range(3):
        smaller = Profile()
        absorb(smaller, profile, least_samples=5)
        profile = smaller
    assert spelled(profile) == {
        (b"e", b"x", b"[other]"): (2, 6),
        (b"e", None, b"[other]"): (1, 2),
        (b"f", b"y", b"[other]"): (1, 3),
    }
    assert profile.diagnostics.counts == {"rare_samples": 4}


def test_absorb_refuses_a_sum_past_64_bits():
    row = (b"e", b"x", b"a", (1 << 63) - 1)
    target = build(row, row)
    with pytest.raises(OverflowError):
        absorb(target, build(row))


@pytest.mark.parametrize(
    ("counts", "threshold"), [([1], 2), ([1, 1, 9], 2), ([3, 9], 4), ([5, 5, 5], 6), ([2_000], 1024), ([1, 2, 3, 4], 3)]
)
def test_rarity_threshold_is_above_half_of_the_totals(counts, threshold):
    table = SampleTable()
    for stack, count in enumerate(counts):
        for _ in range(count):
            table.add_row(0, 0, stack)
    assert rarity_threshold(table) == threshold


def test_accounts_add_up():
    first, second = Diagnostics(), Diagnostics()
    first.count("lines", 3)
    first.count("none", 0)
    first.unknown_line_numbers = [1, 2, 3, 4]
    second.count("lines", 4)
    second.drop("filtered", 5)
    second.drop("nothing", 0)
    second.unknown_line_numbers = [7, 8]
    second.damage.append("cut")
    second.cut_names = {1, 2}
    first.absorb(second)
    assert first.counts == {"lines": 7}
    assert first.dropped == {"filtered": 5}
    assert first.unknown_line_numbers == [1, 2, 3, 4, 7]
    assert first.damage == ["cut"]
    assert first.cut_names == {1, 2}
    first.unknown_line_numbers += [9, 9, 9]
    first.absorb(second)
    assert first.unknown_line_numbers == [1, 2, 3, 4, 7, 9, 9, 9]


def test_memory_is_that_of_the_tables():
    profile = Profile()
    before = profile.memory_bytes
    for i in range(MANY):
        name = profile.strings.add(b"%08d" % i)
        stack = profile.stacks.add(NONE, profile.frames.add(name))
        profile.samples.add_row(0, 0, stack)
    # 8 bytes of text, and rows of 24, 8 and 32 bytes.
    assert before + MANY * 72 < profile.memory_bytes < MANY * 400
