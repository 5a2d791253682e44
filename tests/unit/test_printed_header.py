"""What the compat modes read from the header lines that perf would print."""

from __future__ import annotations

import pytest

from flameparse.decode.printed_header import read_back
from flameparse.model.profile import Profile
from flameparse.passes import relabel

UNKNOWN = -(1 << 31)


def labels_of(
    comm: bytes, event: bytes = b"cpu-clock", *, dialect="stackcollapse-perf", followed=(), tid=7, is_timed=True
):
    profile = Profile()
    thread = profile.threads.add(profile.strings.add(comm), 5, tid)
    id = profile.events.add(profile.strings.add(event), 1)
    profile.samples.add_row(id, thread, 0xFFFF_FFFF, 100)
    timed = {event} if is_timed else ()
    read, meanings = read_back(
        profile, [(id, thread)], dialect=dialect, followed_events=followed, cpu_events={event}, timed_events=timed
    )
    relabelled = relabel(profile, read, meanings)
    [(new_event, new_thread, stack, samples, period)] = relabelled.samples.total_rows()
    assert (stack, samples) == (0xFFFF_FFFF, 1)
    name = relabelled.strings.get(relabelled.events.get(new_event)[0])
    new_comm, pid, tid = relabelled.threads.get(new_thread)
    return name, relabelled.strings.get(new_comm), pid, tid, period


@pytest.mark.parametrize(
    ("comm", "expected"),
    [
        (b"node", (b"node", UNKNOWN, 7)),
        (b"Web Content", (b"Web Content", UNKNOWN, 7)),
        # The tool takes the first number after a blank for the id.
        (b"pool 12 x", (b"pool", UNKNOWN, 12)),
        # A line end in the comm: the tool reads the second line.
        (b"a\nbc", (b"bc", UNKNOWN, 7)),
        # Whole samples in it, as no kernel allows.
        (b"x 1 1.0: 7 e: \n\t1000 99 (m)\n\nbc", (b"bc", UNKNOWN, 7)),
        (b"x 1 1.0: 7 e: \n\t1000 name (m)\n\nbc", (b"bc", UNKNOWN, 7)),
    ],
)
def test_comm_and_ids_are_what_the_tool_reads(comm: bytes, expected: tuple[bytes, int, int]) -> None:
    assert labels_of(comm) == (b"cpu-clock", *expected, 100)


def test_an_event_with_fields_behind_it_is_not_seen() -> None:
    name, comm, _, _, period = labels_of(b"x1", b"sched:sched_switch", followed={b"sched:sched_switch"})
    assert (name, comm, period) == (b"", b"x1", 1)


def test_without_a_time_the_tool_sees_no_event() -> None:
    assert labels_of(b"node", is_timed=False) == (b"", b"node", UNKNOWN, 7, 1)


def test_inferno_reads_the_same_plain_line() -> None:
    assert labels_of(b"node", dialect="inferno") == (b"cpu-clock", b"node", UNKNOWN, 7, 100)
