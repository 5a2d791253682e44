"""Profile to Document in one canonical order, and back."""

from __future__ import annotations

import random

import pytest

from document_builder import small_document
from flameparse.document.document import NONE, UNKNOWN_ID, Document
from flameparse.document.reader import unpack
from flameparse.document.writer import pack
from flameparse.fold import fold, unfold
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.passes import rename_comms

Row = tuple[bytes, tuple[bytes | None, int, int] | None, tuple[tuple[bytes, bytes | None, int], ...], int]


def build(rows: list[Row], *, events: list[bytes], timeline: bool = False) -> Profile:
    """A profile of (event, thread, frames root first, period), interned in the order of the rows."""
    profile = Profile(SampleTable(keeps_timeline=timeline))
    add = profile.strings.add
    for event, thread, frames, period in rows:
        stack = NONE
        for name, dso, kind in frames:
            dso_id = NONE if dso is None else add(dso)
            stack = profile.stacks.add(stack, profile.frames.add(add(name), dso_id, kind))
        thread_id = NONE
        if thread is not None:
            thread_id = profile.threads.add(NONE if thread[0] is None else add(thread[0]), *thread[1:])
        event_id = profile.events.add(add(event), 1, events.index(event))
        profile.samples.add_row(event_id, thread_id, stack, period)
    return profile


def done(profile: Profile) -> Document:
    return fold(profile, meta={}, diagnostics={})


ROWS: list[Row] = [
    (b"zeta", (b"x", 1, 2), ((b"main", b"/m", 0), (b"leaf", b"/m", 0)), 5),
    (b"zeta", (b"x", 1, 2), ((b"main", b"/m", 0),), 1),
    (b"alpha", (b"x", -1, 2), ((b"main", b"/m", 0), (b"leaf", b"/m", 0)), 7),
    (b"zeta", (None, UNKNOWN_ID, UNKNOWN_ID), ((b"main", None, 0), (b"leaf", b"/n", 2)), 3),
    (b"zeta", None, (), 2),
    (b"zeta", (b"x", 1, 2), (), 9),
    (b"alpha", (b"w", 1, 2), ((b"", None, 1), (b"\xff;\0", None, 3)), 4),
    (b"zeta", (b"x", 1, 2), ((b"main", b"/m", 1),), 6),
]


def test_the_canonical_order_by_hand():
    document = done(build(ROWS, events=[b"zeta", b"alpha"]))
    strings = [document.string(i) for i in range(len(document.string_offsets) - 1)]
    assert strings == [b"", b"/m", b"/n", b"alpha", b"leaf", b"main", b"w", b"x", b"zeta", b"\xff;\0"]
    assert list(zip(document.frame_name, document.frame_dso, document.frame_kind, strict=True)) == [
        (0, NONE, 1),
        (4, 1, 0),
        (4, 2, 2),
        (5, 1, 0),
        (5, 1, 1),
        (5, NONE, 0),
        (9, NONE, 3),
    ]
    assert document.stack_parent.tolist() == [NONE, 0, NONE, 2, NONE, NONE, 5]
    assert document.stack_frame.tolist() == [0, 6, 3, 1, 4, 5, 2]
    assert [strings[i] for i in document.event_name] == [b"zeta", b"alpha"]
    assert document.event_unit.tolist() == [1, 1]
    assert document.thread_comm.tolist() == [6, 7, 7, NONE]
    assert document.thread_pid.tolist() == [1, -1, 1, UNKNOWN_ID]
    totals = zip(document.total_event, document.total_thread, document.total_stack, strict=True)
    weights = zip(document.total_samples, document.total_period, strict=True)
    assert list(zip(totals, weights, strict=True)) == [
        ((0, 2, 2), (1, 1)),
        ((0, 2, 3), (1, 5)),
        ((0, 2, 4), (1, 6)),
        ((0, 2, NONE), (1, 9)),
        ((0, 3, 6), (1, 3)),
        ((0, NONE, NONE), (1, 2)),
        ((1, 0, 1), (1, 4)),
        ((1, 1, 3), (1, 7)),
    ]
    assert document.timeline is None


def test_equal_content_in_any_order_gives_equal_bytes():
    choice = random.Random(1)
    rows = [
        (
            choice.choice([b"zeta", b"alpha"]),
            choice.choice([row[1] for row in ROWS]),
            tuple(choice.choice([frame for row in ROWS for frame in row[2]]) for _ in range(choice.randrange(6))),
            choice.randrange(100),
        )
        for _ in range(300)
    ]
    expected = pack(done(build(rows, events=[b"zeta", b"alpha"])))
    for _ in range(20):
        choice.shuffle(rows)
        assert pack(done(build(rows, events=[b"zeta", b"alpha"]))) == expected


def test_what_no_total_uses_is_left_out():
    profile = build(ROWS, events=[b"zeta", b"alpha"])
    expected = pack(done(profile))
    unused = profile.strings.add(b"unused")
    profile.stacks.add(0, profile.frames.add(unused, unused))
    profile.threads.add(unused)
    profile.events.add(unused)
    assert pack(done(profile)) == expected


def test_an_empty_profile():
    document = done(Profile())
    assert list(document.string_offsets) == [0]
    assert len(document.total_event) == len(document.stack_frame) == len(document.event_name) == 0
    assert unpack(pack(document)) == document
    assert done(Profile(SampleTable(keeps_timeline=True))).timeline is not None


def test_threads_renamed_alike_become_one():
    profile = build(
        [(b"e", (comm, 1, 2), ((b"f", None, 0),), 10) for comm in (b"a b", b"a_b", b"a b")] + ROWS[:1],
        events=[b"e", b"zeta"],
        timeline=True,
    )
    rename_comms(profile, lambda comm: comm.replace(b" ", b"_"))
    document = done(profile)
    assert [document.string(comm) for comm in document.thread_comm] == [b"a_b", b"x"]
    assert (document.total_samples.tolist(), document.total_period.tolist()) == ([3, 1], [30, 5])
    assert document.timeline["thread"].tolist() == [0, 0, 0, 1]
    assert unpack(pack(document)) == document


def test_the_time_line_keeps_its_order():
    document = done(build(ROWS, events=[b"zeta", b"alpha"], timeline=True))
    assert document.timeline["period"].tolist() == [row[3] for row in ROWS]
    assert document.timeline["event"].tolist() == [0, 0, 1, 0, 0, 0, 1, 0]
    assert document.timeline["stack"].tolist() == [3, 2, 3, 6, NONE, NONE, 1, 4]


def test_a_sum_past_64_bits_is_an_error():
    largest = (1 << 63) - 1
    rows = [(b"e", (comm, 1, 2), ((b"f", None, 0),), largest) for comm in (b"a", b"b", b"c")]
    profile = build(rows, events=[b"e"])
    assert list(done(profile).total_period) == [largest] * 3
    rename_comms(profile, lambda comm: b"a")
    with pytest.raises(OverflowError, match=r"sum past 2\*\*64 - 1"):
        done(profile)


def folded_again(document: Document, *, timeline: bool) -> Document:
    profile = Profile(SampleTable(keeps_timeline=timeline))
    unfold(document, profile)
    return fold(profile, meta=document.meta, diagnostics=document.diagnostics)


@pytest.mark.parametrize("timeline", [False, True])
def test_unfold_undoes_fold(timeline):
    document = done(build(ROWS, events=[b"zeta", b"alpha"], timeline=timeline))
    assert folded_again(document, timeline=timeline) == document
    without = folded_again(document, timeline=False)
    assert without.timeline is None
    assert (without.total_period, without.stack_parent) == (document.total_period, document.stack_parent)


def test_the_times_of_a_time_line_are_remembered():
    profile = Profile(SampleTable(keeps_timeline=True))
    unfold(small_document(), profile)
    assert (profile.samples.first_time_ns, profile.samples.last_time_ns) == (-5, 1 << 60)
    assert profile.samples.timeline_count == 3
    # The totals are as the document says, not the time line added up.
    assert profile.samples.held() == ((1 << 63) - 1, 28 + (1 << 40))


def test_events_of_a_second_document_follow_those_of_the_first():
    profile = Profile()
    unfold(done(build(ROWS[2:3], events=[b"zeta", b"alpha"])), profile)
    unfold(done(build(ROWS, events=[b"zeta", b"alpha"])), profile)
    document = done(profile)
    assert [document.string(name) for name in document.event_name] == [b"alpha", b"zeta"]
