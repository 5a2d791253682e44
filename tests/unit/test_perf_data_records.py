"""Records of perf.data: what is no sample, every part of a sample, order, damage, files against streams and threads."""

from __future__ import annotations

import random
from array import array
from collections import Counter
from itertools import pairwise

import pytest

from decoded_recording import MemorySource, decode, fixture, totals
from flameparse import limits
from flameparse.decode.perf_data.attr import EventAttr
from flameparse.decode.perf_data.event_layout import EventLayouts
from flameparse.decode.perf_data.function_bounds import FunctionBounds
from flameparse.fold import fold
from flameparse.model.profile import Profile
from flameparse.parallel import perf_data
from flameparse.parallel.perf_data import decode_perf_data
from flameparse.passes import name_frames
from recording_builder import FINISHED_ROUND, Writer

IP, TID, TIME, ADDR, READ, CALLCHAIN, ID, CPU, PERIOD, STREAM_ID, RAW, BRANCH, REGS_USER, STACK_USER, WEIGHT = (
    1 << bit for bit in range(15)
)
DATA_SRC, IDENTIFIER, TRANSACTION, REGS_INTR, PHYS_ADDR, AUX, CGROUP, DATA_PAGE, CODE_PAGE, WEIGHT_STRUCT = (
    1 << bit for bit in range(15, 25)
)
FLAGS = 1 << 18 | 1 << 20  # sample_id_all, exclude_guest
KERNEL, USER, HYPERVISOR, GUEST, DEFERRED = (2**64 - n for n in (128, 512, 32, 2048, 640))
USUAL = IP | TID | TIME | CALLCHAIN | PERIOD
APP = b"/bin/app"


@pytest.fixture(params="<>")
def w(request):
    return Writer(request.param)


def attr(w, sample_type=USUAL, *, flags=FLAGS, **fields):
    return w.attr(flags=flags, sample_type=sample_type, sample_period=7, **fields)


def trailer(w, time, *, pid=1, tid=1):
    return w.pack("IIQ", pid, tid, time)


def sample(w, time=100, ips=(USER, 0x1010), *, pid=1, tid=1, period=5, misc=2, tail=b""):
    """Spell a sample of the usual parts."""
    chain = w.pack(f"{1 + len(ips)}Q", len(ips), *ips)
    return w.record(9, w.pack("QIIQQ", 0x1010, pid, tid, time, period) + chain + tail, misc)


def padded(text):
    return text + b"\0" * (8 - len(text) % 8)


def comm(w, text, time=0, *, pid=1, tid=1, misc=0):
    return w.record(3, w.pack("II", pid, tid) + padded(text) + trailer(w, time), misc)


def mmap(w, path=APP, time=0, *, pid=1, start=0x1000, size=0x1000, offset=0, misc=2):
    return w.record(1, w.pack("IIQQQ", pid, pid, start, size, offset) + padded(path) + trailer(w, time), misc)


def mmap2(w, path=APP, time=0, *, pid=1, start=0x1000, size=0x1000, offset=0, prot=5, flags=2, build_id=None):
    body = w.pack("IIQQQ", pid, pid, start, size, offset)
    if build_id is None:
        body += w.pack("IIQQ", 8, 1, 77, 1)
    else:
        body += bytes([len(build_id), 0, 0, 0]) + build_id.ljust(20, b"\0")
    body += w.pack("II", prot, flags) + padded(path) + trailer(w, time)
    return w.record(10, body, 2 | (1 << 14) * (build_id is not None))


def fork(w, time, *, pid, parent, tid=None, parent_tid=None, misc=0):
    ids = (pid, parent, pid if tid is None else tid, parent if parent_tid is None else parent_tid)
    return w.record(7, w.pack("4IQ", *ids, time) + trailer(w, time), misc)


def recording(w, *records, sample_type=USUAL, named=True, features=None, **fields):
    """Write a file with one event, a process 1 called app and its mapping at 0x1000."""
    head = comm(w, b"app") + mmap(w) if named else b""
    return w.file([(attr(w, sample_type, **fields), [11])], head + b"".join(records), features)


def only(profile):
    """The frames, samples and period of a Profile with one row."""
    ((key, weights),) = totals(profile).items()
    return key[-1], *weights


def test_a_sample(w):
    walked, profile = decode(recording(w, sample(w), sample(w, 101), sample(w, 102, (USER, 0x1010, 0x9000))))
    assert totals(profile) == {
        (b"cpu-clock", b"app", 1, 1, ((APP, 0x10),)): (2, 10),
        (b"cpu-clock", b"app", 1, 1, ((APP, 0x10), (None, 0x9000))): (1, 5),
    }
    assert (profile.samples.first_time_ns, profile.samples.last_time_ns) == (100, 102)
    assert profile.diagnostics.damage == []
    assert profile.diagnostics.dropped == {}
    assert profile.events.get(0)[1:] == (1, 100)
    assert walked.walk.record_counts == {"comm": 1, "mmap": 1}
    assert walked.walk.sample_count == 3


def test_kernel_and_hypervisor_addresses_are_not_the_process_s(w):
    kernel = mmap(w, b"[kernel.kallsyms]_text", pid=2**32 - 1, start=2**63, size=2**62, offset=2**63, misc=1)
    ips = (HYPERVISOR, 0x1010, KERNEL, 2**63 + 5, USER, 0x1020)
    _, profile = decode(recording(w, kernel, sample(w, ips=ips)))
    assert only(profile)[0] == ((None, 0x1010), (b"[kernel.kallsyms]", 2**63 + 5), (APP, 0x20))
    assert [profile.frames.get(i)[2] for i in range(3)] == [1, 1, 0]


@pytest.mark.parametrize(
    ("ips", "frames", "count"),
    [
        ((USER, 0x1010, GUEST, 0x1020), (), "bad_chains"),
        ((USER, 0x1010, 2**64 - 4095), (), "bad_chains"),
        ((KERNEL, 0x7000, DEFERRED, 42), ((None, 0x7000),), "deferred_chains"),
        ((), (), None),
        ((0x1010, 2**64 - 4096), ((APP, 0x10), (None, 2**64 - 4096)), None),
    ],
)
def test_markers(w, ips, frames, count):
    _, profile = decode(recording(w, sample(w, ips=ips), sample(w, ips=ips)))
    assert only(profile) == (frames, 2, 10)
    assert profile.diagnostics.counts == ({count: 2} if count else {})


@pytest.mark.parametrize("misc", [4, 5])
def test_samples_of_guests_are_dropped(w, misc):
    _, profile = decode(recording(w, sample(w, misc=misc), sample(w)))
    assert profile.diagnostics.dropped == {"guest": 1}
    assert profile.samples.samples_seen == 2
    assert only(profile) == (((APP, 0x10),), 1, 5)


def test_a_thread_that_is_gone_has_no_code_not_the_kernel_s(w):
    kernel = mmap(w, b"[kernel.kallsyms]_text", pid=2**32 - 1, start=0, size=2**64 - 1, misc=1)
    ips = (KERNEL, 0x2000, USER, 0x1010)
    _, profile = decode(recording(w, kernel, sample(w, ips=ips, pid=2**32 - 1, tid=2**32 - 1)))
    assert totals(profile) == {(b"cpu-clock", b":-1", -1, -1, ((b"[kernel.kallsyms]", 0x2000), (None, 0x1010))): (1, 5)}
    assert [profile.frames.get(i)[2] for i in range(2)] == [1, 0]


@pytest.mark.parametrize(("misc", "frame"), [(2, (APP, 0x10)), (1, (None, 0x1010)), (0, (None, 0x1010))])
def test_without_call_chains_there_is_one_frame(w, misc, frame):
    body = w.pack("QIIQ", 0x1010, 1, 1, 100)
    _, profile = decode(recording(w, w.record(9, body, misc), sample_type=IP | TID | TIME))
    assert only(profile) == ((frame,), 1, 7)


def test_parts_a_sample_may_lack(w):
    _, profile = decode(w.file([(attr(w, 0), [])], w.record(9) * 3))
    assert totals(profile) == {(b"cpu-clock", b":-1", -1, -1, ()): (3, 21)}
    assert profile.samples.first_time_ns == -(2**63)


def test_the_idle_thread_and_threads_without_a_name(w):
    ids = (0, 9, 2**31, 2**32 - 1)
    data = recording(w, *(sample(w, pid=id, tid=id) for id in ids), named=False)
    assert {key[1:4] for key in totals(decode(data)[1])} == {
        (b"swapper", 0, 0), (b":9", 9, 9), (b":-2147483648", -(2**31), -(2**31)), (b":-1", -1, -1),
    }  # fmt: skip


ALL_PARTS = (
    USUAL | IDENTIFIER | ADDR | ID | STREAM_ID | CPU | READ | RAW | BRANCH | REGS_USER | STACK_USER | WEIGHT | DATA_SRC
    | TRANSACTION | REGS_INTR | PHYS_ADDR | CGROUP | DATA_PAGE | CODE_PAGE | AUX
)  # fmt: skip


def full_sample(w, *, stack=24, value=900, lost=0):
    """Spell a sample with every part there is."""
    return (
        w.pack("QQIIQQQQIIQ", 11, 0x1010, 1, 1, 100, 0xADD, 11, 0, 3, 0, 5)
        + w.pack("5Q", value, 1, 2, 11, lost)
        + w.pack("4Q", 3, USER, 0x1010, 0x1020)
        + w.pack("I", 12) + b"r" * 12
        + w.pack("2Q", 2, 77) + w.pack("6Q", *range(6)) + w.pack("2Q", 8, 9)
        + w.pack("4Q", 2, 1, 2, 3)
        + w.pack("Q", stack) + (b"s" * stack + w.pack("Q", 16) if stack else b"")
        + w.pack("3Q", 1, 2, 3)
        + w.pack("2Q", 2, 1)
        + w.pack("4Q", 1, 2, 3, 4)
        + w.pack("Q", 16) + b"a" * 16
    )  # fmt: skip


FULL = {"read_format": 0b10111, "branch_sample_type": 1 << 17 | 1 << 19, "sample_regs_user": 7, "sample_regs_intr": 2}


def full_recording(w, *bodies):
    """Write a recording whose samples have every part; its other records are not named, for their trailers differ."""
    return w.file([(attr(w, ALL_PARTS, **FULL), [11])], b"".join(w.record(9, body, 2) for body in bodies))


def test_every_part_of_a_sample(w):
    data = full_recording(w, full_sample(w), full_sample(w, stack=0, value=950), full_sample(w, value=950))
    _, profile = decode(data, window={"allowed_cpus": b"\0\0\0\1\0"})
    # Weights are what the counter counted since it was read last; nothing since then is no sample.
    assert totals(profile) == {(b"cpu-clock", b":1", 1, 1, ((None, 0x1010), (None, 0x1020))): (2, 950)}
    assert profile.diagnostics.counts == {"not_unwound": 2}
    assert profile.samples.samples_seen == 2


def test_a_sample_that_is_not_as_long_as_its_parts_is_dropped(w):
    body = full_sample(w)
    bodies = [body[:length] for length in range(0, len(body), 4)] + [body + b"\0" * 8, body]
    _, profile = decode(full_recording(w, *bodies))
    assert profile.diagnostics.dropped == {"malformed sample": len(bodies) - 1}
    assert profile.samples.samples_seen == len(bodies)
    assert only(profile)[1:] == (1, 900)
    first = len(full_recording(w))
    places = [first + sum(8 + len(other) for other in bodies[:i]) for i in range(5)]
    where = ", ".join(map(str, places))
    assert profile.diagnostics.damage == [f"{len(bodies) - 1} malformed samples (at offset {where}, ...)"]


def test_parts_of_kernels_to_come_stand_at_the_end(w):
    data = recording(w, sample(w, tail=b"new word"), sample_type=USUAL | 1 << 25)
    assert only(decode(data)[1]) == (((APP, 0x10),), 1, 5)


@pytest.mark.parametrize("part", ["chain", "raw", "branches", "stack", "values", "aux"])
def test_counts_that_no_record_can_hold(w, part):
    huge = 2**61 + 1
    start = w.pack("QIIQQ", 0x1010, 1, 1, 100, 5)
    bit, body = {
        "chain": (CALLCHAIN, w.pack("QQ", huge, 1)),
        "raw": (RAW, w.pack("II", 2**32 - 1, 0)),
        "branches": (BRANCH, w.pack("4Q", huge, 1, 2, 3)),
        "stack": (STACK_USER, w.pack("QQ", 2**64 - 8, 1)),
        "values": (READ, w.pack("QQ", huge, 1)),
        "aux": (AUX, w.pack("QQ", 2**64 - 1, 1)),
    }[part]
    data = recording(w, w.record(9, start + body, 2), sample_type=USUAL & ~CALLCHAIN | bit, read_format=8)
    assert decode(data)[1].diagnostics.dropped == {"malformed sample": 1}


def group_values(w, *pairs):
    return w.pack("Q", len(pairs)) + b"".join(w.pack("QQ", *pair) for pair in pairs)


def test_a_group_gives_a_sample_for_each_member_that_counted(w):
    def one(time, *pairs):
        words = w.pack("QIIQQQ", 0x1010, 1, 1, time, 11, 5)
        return w.record(9, words + group_values(w, *pairs) + w.pack("3Q", 2, USER, 0x1010), 2)

    kind = USUAL | READ | ID
    events = [(w.attr(1, 0, FLAGS, sample_type=kind, read_format=12), [11]),
              (w.attr(1, 2, FLAGS, sample_type=kind, read_format=12), [12])]  # fmt: skip
    records = [one(1, (100, 11), (3, 12)), one(2, (150, 11), (3, 12)), one(3, (150, 11), (4, 12), (9, 99))]
    walked, profile = decode(w.file(events, b"".join(records)), threads=4)
    assert walked.needs_order
    stack = ((None, 0x1010),)
    assert totals(profile) == {
        (b"cpu-clock", b":1", 1, 1, stack): (2, 150),
        (b"page-faults", b":1", 1, 1, stack): (2, 4),
    }
    assert profile.diagnostics.dropped == {"unknown event": 1}


def test_events_of_one_moment_come_in_the_order_of_their_values(w):
    kind = USUAL | READ | ID
    events = [(w.attr(1, number, FLAGS, sample_type=kind, read_format=12), [10 + number]) for number in (3, 0, 2)]
    words = w.pack("QIIQQQ", 0x1010, 1, 1, 5, 10, 5)
    values = group_values(w, (0, 77), (7, 10), (3, 13), (9, 12))
    _, profile = decode(w.file(events, w.record(9, words + values + w.pack("3Q", 2, USER, 0x1010), 2)))
    assert first_seen(profile) == [b"cpu-clock", b"context-switches", b"page-faults"]


def test_events_of_samples_without_a_time_come_in_the_order_of_the_file(w):
    kind = (USUAL & ~TIME) | ID
    events = [(w.attr(1, number, FLAGS, sample_type=kind), [10 + number]) for number in (0, 2)]
    records = [w.record(9, w.pack("QII5Q", 0x1010, 1, 1, id, 5, 2, USER, 0x1010), 2) for id in (12, 10, 12)]
    _, profile = decode(w.file(events, b"".join(records)))
    assert first_seen(profile) == [b"page-faults", b"cpu-clock"]


def first_seen(profile):
    events = [profile.events.get(number) for number in range(len(profile.events))]
    return [name for _, name in sorted((place, profile.strings.get(name)) for name, _, place in events)]


@pytest.mark.parametrize("sample_type", [USUAL | ID, USUAL | IDENTIFIER])
def test_the_event_of_a_sample_is_told_by_its_id(w, sample_type):
    def one(id):
        words = [0x1010, 1, 1, 100]
        form = "QIIQ"
        at = 0 if sample_type & IDENTIFIER else 4
        words.insert(at, id)
        form = form[:at] + "Q" + form[at:]
        return w.record(9, w.pack(form + "4Q", *words, 5, 2, USER, 0x1010), 2)

    events = [(attr(w, sample_type), [11, 13]), (w.attr(1, 2, FLAGS, sample_type=sample_type), [12])]
    data = w.file(events, b"".join(map(one, (12, 11, 13, 0, 77))))
    _, profile = decode(data)
    assert {key[0]: weights[0] for key, weights in totals(profile).items()} == {b"page-faults": 1, b"cpu-clock": 3}
    assert profile.diagnostics.dropped == {"unknown event": 1}


BRANCHES = [(0x1100, 0x1200, 0), (0x1300, 0x1400, 0)]


def lbr_sample(w, ips, branches=BRANCHES):
    words = w.pack("QIIQQ", 0x1010, 1, 1, 100, 5) + w.pack(f"{1 + len(ips)}Q", len(ips), *ips)
    return w.record(9, words + w.pack("Q", len(branches)) + b"".join(w.pack("3Q", *row) for row in branches), 2)


@pytest.mark.parametrize(
    ("ips", "branches", "addresses"),
    [
        ((KERNEL, 0x8000, USER, 0x1010, 0x1020), BRANCHES, [0x8000, 0x200, 0x100, 0x300]),
        ((KERNEL, 0x8000), BRANCHES, [0x8000]),
        ((USER, 0x1010), [], [0x10]),
    ],
)
def test_call_stacks_of_the_branch_record(w, ips, branches, addresses):
    data = recording(w, lbr_sample(w, ips, branches), sample_type=USUAL | BRANCH, branch_sample_type=1 << 11)
    assert [address for _, address in only(decode(data)[1])[0]] == addresses


def test_other_branch_stacks_say_nothing_of_callers(w):
    data = recording(w, lbr_sample(w, (USER, 0x1010)), sample_type=USUAL | BRANCH)
    assert only(decode(data)[1])[0] == ((APP, 0x10),)


@pytest.mark.parametrize(
    ("ips", "addresses"),
    [((), [0x40]), ((KERNEL, 0x8000), [0x8000, 0x40]), ((KERNEL, 0x8000, USER, 0x1010), [0x8000, 0x10])],
)
def test_a_copy_of_the_stack_begins_with_the_user_s_registers(w, ips, addresses):
    words = w.pack("QIIQQ", 0x1010, 1, 1, 100, 5) + w.pack(f"{1 + len(ips)}Q", len(ips), *ips)
    words += w.pack("3Q", 2, 0x7777, 0x1040) + w.pack("3Q", 8, 1, 8)
    kind = USUAL | REGS_USER | STACK_USER
    fields = {"sample_type": kind, "sample_regs_user": 1 << 7 | 1 << 8, "features": {6: w.string(b"x86_64")}}
    _, profile = decode(recording(w, w.record(9, words, 2), **fields))
    assert [address for _, address in only(profile)[0]] == addresses
    assert profile.diagnostics.counts == {"not_unwound": 1}


@pytest.mark.parametrize(("length", "truncated"), [(4, 0), (5, 1), (6, 1)])
def test_chains_at_the_kernel_s_limit_are_counted(w, length, truncated):
    data = recording(w, sample(w, ips=(KERNEL, 0x8000, USER, *range(0x1000, 0x1000 + length - 1))), sample_max_stack=5)
    assert decode(data)[1].diagnostics.counts.get("truncated_stacks", 0) == truncated
    usual = recording(w, sample(w, ips=(USER, *range(0x1000, 0x107E))), sample(w, ips=(USER, *range(0x1000, 0x107F))))
    assert decode(usual)[1].diagnostics.counts == {"truncated_stacks": 1}


def test_chains_are_cut_on_request(w):
    ips = (KERNEL, 0x8000, USER, 0x1010, 0x1020, 0x1030)
    _, profile = decode(recording(w, sample(w, ips=ips), sample(w, ips=ips)), max_frames=3)
    assert only(profile) == (((None, 0x8000), (APP, 0x10), (APP, 0x20)), 2, 10)


def test_maps_and_names_hold_from_their_time_on(w):
    records = [
        sample(w, 300), sample(w, 100), sample(w, 200),
        mmap2(w, b"/bin/new", 150, offset=0x5000), comm(w, b"late", 250),
    ]  # fmt: skip
    _, profile = decode(recording(w, *records))
    assert {(key[1], key[4]) for key in totals(profile)} == {
        (b"app", ((APP, 0x10),)), (b"app", ((b"/bin/new", 0x5010),)), (b"late", ((b"/bin/new", 0x5010),)),
    }  # fmt: skip


def test_records_without_a_time_hold_from_where_they_stand(w):
    rounds = w.record(FINISHED_ROUND)
    records = [sample(w, 100), rounds, sample(w, 200), rounds, mmap2(w, b"/bin/new"), sample(w, 90), sample(w, 150)]
    for is_seekable in (True, False):
        _, profile = decode(recording(w, *records), is_seekable=is_seekable)
        assert {key[4]: count for key, (count, _) in totals(profile).items()} == {
            ((APP, 0x10),): 2, ((b"/bin/new", 0x10),): 2,
        }  # fmt: skip


def test_forks_and_threads(w):
    records = [
        fork(w, 10, pid=2, parent=1), fork(w, 20, pid=1, parent=1, tid=5, parent_tid=1), comm(w, b"thread", 30, tid=5),
        fork(w, 40, pid=3, parent=1, misc=1 << 13), w.record(4, w.pack("4IQ", 2, 1, 2, 1, 50) + trailer(w, 50)),
        *(sample(w, 60, pid=pid, tid=tid) for pid, tid in ((2, 2), (1, 5), (3, 3))),
    ]  # fmt: skip
    _, profile = decode(recording(w, *records))
    assert {(key[1:]) for key in totals(profile)} == {
        (b"app", 2, 2, ((APP, 0x10),)), (b"thread", 1, 5, ((APP, 0x10),)), (b"app", 3, 3, ((None, 0x1010),)),
    }  # fmt: skip


def test_both_forms_of_mmap2(w):
    build_id = bytes(range(1, 21))
    records = [mmap2(w, b"/bin/a", 1), mmap2(w, b"/bin/b", 2, start=0x3000, build_id=build_id), sample(w)]
    _, profile = decode(recording(w, *records))
    rows = {dso.path: (dso.device, dso.inode, dso.build_id) for dso in profile.dsos.rows}
    assert rows[b"/bin/a"] == (8 << 32 | 1, 77, b"")
    assert rows[b"/bin/b"][2] == build_id


def test_data_is_not_code_and_symbols_of_the_kernel_have_names(w):
    at = 2**63
    symbol = w.pack("QIHH", at, 64, 1, 0) + padded(b"bpf_prog_1") + trailer(w, 50)
    gone = w.pack("QIHH", at, 64, 1, 1) + padded(b"bpf_prog_1") + trailer(w, 200)
    records = [
        mmap(w, b"[kernel.kallsyms]_text", pid=2**32 - 1, start=at, size=2**62, offset=at, misc=1),
        w.record(17, symbol), w.record(17, gone), sample(w, 100, (KERNEL, at + 5)), sample(w, 300, (KERNEL, at + 5)),
    ]  # fmt: skip
    _, profile = decode(recording(w, *records))
    assert {key[4] for key in totals(profile)} == {(b"bpf_prog_1",), ((b"[kernel.kallsyms]", at + 5),)}


def test_more_lost_samples_than_can_be_counted(w):
    lost = w.record(2, w.pack("QQ", 11, 2**63) + trailer(w, 1))
    _, profile = decode(recording(w, lost, lost, w.record(13, w.pack("Q", 9) + trailer(w, 1))))
    assert profile.diagnostics.counts == {"lost": 2**64 - 1}


def test_what_was_lost_and_skipped_is_counted(w):
    records = [
        w.record(2, w.pack("QQ", 11, 40) + trailer(w, 1)),
        w.record(13, w.pack("Q", 2) + trailer(w, 1)),
        w.record(13, w.pack("Q", 1000) + trailer(w, 1), 1 << 15),
        w.record(5, w.pack("3Q", 1, 11, 11) + trailer(w, 1)) * 3,
        w.record(40, b"12345678") * 2,
        w.record(99),
        w.record(300),
        w.record(2, b"cut"),
        w.record(1, w.pack("II", 1, 1)),
        sample(w),
    ]
    walked, profile = decode(recording(w, *records))
    assert profile.diagnostics.counts == {"lost": 42, "throttled": 3, "unknown_records": 4, "malformed_records": 2}
    assert only(profile) == (((APP, 0x10),), 1, 5)
    assert walked.walk.record_counts == {
        "comm": 1, "mmap": 2, "lost": 2, "lost_samples": 2, "throttle": 3, "unknown": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    "rest",
    [
        b"\0" * 64,
        b"[ perf record: Woken up 1 times to write data ]\n",
        b"\x09\0\0\0\0\0\7\0" + b"\0" * 64,
        b"\x09\0\0\0\0\0\x48\0" + b"\0" * 63,
        b"\x09\0\0\0\0\0\x48",
    ],
)
@pytest.mark.parametrize("form", ["file", "stored pipe", "pipe"])
def test_reading_stops_where_there_is_no_record(rest, form):
    w = Writer()
    records = comm(w, b"app") + mmap(w) + sample(w)
    if form == "file":
        data = w.file([(attr(w), [11])], records + rest, is_killed=True)
    else:
        data = w.pipe(w.record(64, attr(w) + w.pack("Q", 11)), records, rest)
    _, profile = decode(data, is_seekable=form != "pipe")
    assert only(profile) == (((APP, 0x10),), 1, 5)
    assert profile.diagnostics.damage[-1] == f"stopped at offset {len(data) - len(rest)} of {len(data)}"


def test_aux_data_and_tracing_data_are_passed_over(w):
    tracing = w.tracing_data({b"ftrace": {}, b"sched": {b"sched_switch": 372}})
    records = [
        w.record(64, w.attr(2, 372, FLAGS, sample_type=USUAL) + w.pack("Q", 11)),
        w.record(66, w.pack("I", len(tracing))) + tracing + b"\0" * (-len(tracing) % 8),
        comm(w, b"app"), mmap(w), sample(w),
        w.record(71, w.pack("3Q4I", 70_000, 0, 0, 0, 0, 0, 0)) + (sample(w) * 1100)[:70_000],
        sample(w),
    ]  # fmt: skip
    for is_seekable in (True, False):
        _, profile = decode(w.pipe(*records), is_seekable=is_seekable, step=4000)
        assert totals(profile) == {(b"sched:sched_switch", b"app", 1, 1, ((APP, 0x10),)): (2, 10)}
        assert profile.diagnostics.damage == []
    data = w.pipe(*records)
    aux_end = len(data) - len(sample(w))
    for is_seekable in (True, False):
        _, profile = decode(data[: aux_end - 1000], is_seekable=is_seekable)
        assert only(profile)[1] == 1
        assert profile.diagnostics.damage == [f"stopped at offset {aux_end - 1000} of {aux_end}"]


def many(w, rounds=40, per_round=60, seed=1):
    """Write a pipe whose rounds are out of order within, as those of several cpus are."""
    choice = random.Random(seed)
    records = [w.record(64, attr(w) + w.pack("Q", 11)), comm(w, b"app"), mmap(w)]
    for number in range(rounds):
        # A round may hold what is older than the end of the one before it, but not of the one before that.
        times = [choice.randrange(max(0, number - 1) * 1000, number * 1000 + 1000) + 1 for _ in range(per_round)]
        for time in times:
            kind = choice.random()
            if kind < 0.05:
                path = b"/lib/%d" % choice.randrange(5)
                records.append(mmap2(w, path, time, start=choice.randrange(1, 4) << 12))
            elif kind < 0.08:
                records.append(comm(w, b"name %d" % choice.randrange(4), time))
            else:
                ips = [choice.randrange(0x1000, 0x4000, 64) for _ in range(choice.randrange(6))]
                records.append(sample(w, time, (USER, *ips)))
        records.append(w.record(FINISHED_ROUND))
    return w.pipe(*records)


@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 20])
def test_a_stream_gives_what_the_file_gives(w, step):
    data = many(w, rounds=6 if step < 1000 else 40)
    walked, expected = decode(data)
    streamed, profile = decode(data, is_seekable=False, step=step)
    assert totals(profile) == totals(expected)
    assert profile.diagnostics.counts == expected.diagnostics.counts == {}
    assert streamed.walk.record_counts == walked.walk.record_counts
    assert (streamed.is_stream, walked.is_stream) == (True, False)


def test_a_stream_lets_go_of_what_is_settled(w, monkeypatch):
    held = []
    flush = perf_data.Recording.new_decoder

    class Spy:
        def __init__(self, decoder):
            self.decoder = decoder

        def feed_held(self, walk, until):
            self.decoder.feed_held(walk, until)
            held.append(walk.held_count)

        def __getattr__(self, name):
            return getattr(self.decoder, name)

    monkeypatch.setattr(perf_data.Recording, "new_decoder", lambda recording: Spy(flush(recording)))
    _, profile = decode(many(w), is_seekable=False, step=5000)
    assert profile.samples.samples_seen > 2000
    assert len(held) == 41
    assert max(held) < 130
    assert held[-1] == 0


def test_a_stream_that_never_ends_a_round_is_decoded_at_the_cap(w, monkeypatch):
    monkeypatch.setattr(limits, "MAX_HELD_BYTES", 10_000)
    head = w.record(64, attr(w) + w.pack("Q", 11)) + comm(w, b"app") + mmap(w)
    _, profile = decode(w.pipe(head, *(sample(w, 100 + i) for i in range(1000))), is_seekable=False, step=1000)
    assert only(profile) == (((APP, 0x10),), 1000, 5000)
    assert 500 < profile.diagnostics.counts["early_samples"] < 1000


def test_a_file_in_a_compressed_input_is_a_stream(w):
    data = w.file(
        [(attr(w), [11])],
        comm(w, b"app") + mmap(w) + sample(w) + w.record(FINISHED_ROUND),
        {2: w.build_id(APP, b"\5" * 20), 12: w.event_desc([(attr(w), b"its:name", [11])])},
    )
    _, expected = decode(data)
    _, profile = decode(data, is_seekable=False, step=50)
    assert totals(profile) == totals(expected) == {(b"its:name", b"app", 1, 1, ((APP, 0x10),)): (1, 5)}
    assert [dso.build_id for dso in profile.dsos.rows] == [dso.build_id for dso in expected.dsos.rows]
    assert [dso.build_id for dso in profile.dsos.rows if dso.path == APP] == [b"\5" * 20]


def test_events_that_turn_out_to_have_one_name_are_one(w):
    kind = USUAL | IDENTIFIER
    body = w.pack("QIIQQ3Q", 0x1010, 1, 1, 100, 5, 2, USER, 0x1010)
    records = [
        w.record(64, attr(w, kind) + w.pack("Q", 11)),
        w.record(64, w.attr(1, 2, FLAGS, sample_type=kind) + w.pack("Q", 12)),
        *(w.record(9, w.pack("Q", id) + body, 2) for id in (11, 12)),
        w.record(78, w.pack("QQ", 2, 12) + padded(b"cpu-clock")),
    ]  # fmt: skip
    for is_seekable in (True, False):
        _, profile = decode(w.pipe(*records), is_seekable=is_seekable)
        assert totals(profile) == {(b"cpu-clock", b":1", 1, 1, ((None, 0x1010),)): (2, 10)}


def test_code_is_loaded_before_samples_that_need_it(w):
    path = b"/tmp/jit-1.dump"
    records = [sample(w, 50), mmap2(w, path, 60, start=0x9000), *(w.record(FINISHED_ROUND) for _ in range(4)),
               sample(w, 200, (USER, 0x5010)), *(w.record(FINISHED_ROUND) for _ in range(4))]  # fmt: skip

    def load(recorded):
        calls.append(recorded.jitdumps)
        name = recorded.profile.strings.add(b"jitted")
        recorded.side_events.add_code_loads(
            1, recorded.profile.strings.add(path), array("Q", [100]), array("Q", [0x5000]), array("Q", [64]),
            array("I", [name]),
        )  # fmt: skip

    for is_seekable in (True, False):
        calls = []
        _, profile = decode(recording(w, *records), is_seekable=is_seekable, load_code=load)
        assert calls == [[(path, 1, 1, 60)]]
        assert {key[4] for key in totals(profile)} == {((APP, 0x10),), (b"jitted",)}


@pytest.fixture
def small_segments(monkeypatch):
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 700)
    monkeypatch.setattr(perf_data, "SEGMENTS_BEFORE_THREADS", 2)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_and_cuts_change_nothing(w, threads, small_segments):
    data = many(w)
    limits.READ_BLOCK_BYTES = 700
    walked, profile = decode(data, threads=threads)
    assert len(walked.walk.segments_found) > 100
    limits.READ_BLOCK_BYTES = 1 << 20
    assert totals(profile) == totals(decode(data)[1])


def test_segments_hold_every_record_but_perf_s_own(w, small_segments):
    data = many(w)
    walked, _ = decode(data)
    segments = walked.walk.segments_found
    assert all(begin < end <= begin + 2 * 700 + 65_535 for begin, end in segments)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(segments))
    gaps = len(data) - 16 - sum(end - begin for begin, end in segments)
    assert gaps == len(w.record(64, attr(w) + w.pack("Q", 11)))


def test_bounds_of_functions_make_their_addresses_one_frame(w, small_segments):
    data = many(w)
    plain = decode(data)[1]
    met = []

    def load(recorded, rows):
        met.append(rows)
        for row in rows:
            recorded.functions.set(row, array("Q", [0, 0x400, 0x800, 0xC00]))

    _, profile = decode(data, threads=2, load_functions=load, keeps_addresses=False)
    assert len(met) == 1
    assert sorted(met[0]) == list(range(len(profile.dsos)))

    def first(frame):
        module, address = frame
        return (module, 0 if module is None else min(address, 0xC00) & ~0x3FF)

    def merged(found):
        sums = {}
        for key, (count, period) in found.items():
            key = (*key[:4], tuple(map(first, key[4])))
            had = sums.get(key, (0, 0))
            sums[key] = (had[0] + count, had[1] + period)
        return sums

    assert merged(totals(profile)) == merged(totals(plain))
    assert profile.frames.count < 0.8 * plain.frames.count


def test_addresses_that_are_kept_are_no_functions(w, small_segments):
    data = many(w)
    _, profile = decode(data, load_functions=lambda recorded, rows: pytest.fail("not asked for"))
    assert totals(profile) == totals(decode(data)[1])


@pytest.mark.parametrize("pairs", [[1], [5, 4], [0, 8, 4, 12]])
def test_bounds_that_are_none(pairs):
    with pytest.raises(ValueError, match=r"bounds|start"):
        FunctionBounds().set(0, array("Q", pairs))


def test_a_time_line_is_in_order_and_windows_count_from_the_first_sample(w):
    records = [sample(w, time, (USER, 0x1000 + time)) for time in (500, 100, 300, 200, 400)]
    window = {"from_ns": 100, "to_ns": 300, "from_is_relative": True, "to_is_relative": True}
    for is_seekable in (True, False):
        _, profile = decode(recording(w, *records), is_seekable=is_seekable, window=window)
        assert {key[4] for key in totals(profile)} == {((APP, 200),), ((APP, 300),)}
        assert profile.diagnostics.dropped == {"outside the window": 3}


@pytest.mark.parametrize("kind", [USUAL, USUAL & ~TIME])
def test_samples_of_one_time_stay_in_order(w, small_segments, kind):
    if kind & TIME:
        records = [part for i in range(100) for part in (comm(w, b"name %d" % i, 100), sample(w))]
    else:
        part = w.pack("QIIQ3Q", 0x1010, 1, 1, 5, 2, USER, 0x1010)
        ids = w.pack("II", 1, 1)
        records = [w.record(3, ids + padded(b"name %d" % i) + ids) + w.record(9, part, 2) for i in range(100)]
    data = recording(w, *records, sample_type=kind, named=False)
    _, profile = decode(data, timeline=True, load_functions=lambda *_: None, keeps_addresses=False)
    folded = fold(name_frames(profile), meta={}, diagnostics={})
    names = [folded.string(folded.thread_comm[thread]) for thread in folded.timeline["thread"]]
    assert names == [b"name %d" % i for i in range(100)]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_file_that_is_cut_while_it_is_read_is_no_whole_one(w, small_segments, threads):
    data = recording(w, *(sample(w, 100 + i) for i in range(200)))
    source = MemorySource(data)

    def cut(_):
        source.data = data[:4000]

    read, profile = decode_perf_data(source, Profile(), threads=threads, load_code=cut)
    assert profile.diagnostics.damage == [f"stopped at offset 4000 of {read.end}"]
    assert 0 < profile.samples.samples_seen < 60


def test_addresses_are_forgotten_at_the_cap(w, monkeypatch):
    expected = totals(decode(many(w))[1])
    monkeypatch.setattr(limits, "MAX_KNOWN_ADDRESSES", 5)
    assert totals(decode(many(w))[1]) == expected


def test_the_memo_of_chains_may_be_full(w, monkeypatch):
    expected = totals(decode(many(w))[1])
    monkeypatch.setattr(limits, "MAX_CHAIN_MEMO_BYTES", 400)
    assert totals(decode(many(w))[1]) == expected


def test_layouts():
    w = Writer()
    layouts = EventLayouts(arch="x86_64")
    first = EventAttr(attr(w), "<")
    first.ids = [5, 6]
    assert (layouts.add(first), layouts.add(first), len(layouts), layouts.id_count) == (0, 1, 2, 2)
    assert layouts.attrs == [first, first]


@pytest.mark.parametrize("name", ["plain", "pipe", "multi_event", "group_read", "zstd", "many_fields", "dwarf"])
def test_fixtures_as_streams_and_on_threads(name, monkeypatch, small_segments):
    if name == "zstd":
        pytest.importorskip("zstandard")
    data = fixture(name)
    _, expected = decode(data)
    assert expected.samples.samples_seen
    assert expected.diagnostics.damage == []
    for options in ({"is_seekable": False, "step": 333}, {"threads": 3}, {"timeline": True}):
        _, profile = decode(data, **options)
        assert totals(profile) == totals(expected)
        assert profile.diagnostics.counts == expected.diagnostics.counts


def sums(profile, *columns):
    """Samples and weights by some of event, comm, pid and tid."""
    found = Counter()
    for key, (count, period) in totals(profile).items():
        chosen = tuple(key[i] for i in columns)
        found[chosen, "samples"] += count
        found[chosen, "weight"] += period
    return found


@pytest.mark.parametrize("name", ["plain", "pipe", "multi_event", "group_read", "counter_reads", "zstd", "processes"])
@pytest.mark.parametrize("threads", [1, 3])
def test_pruning_keeps_all_but_rare_stacks(name, threads, small_segments):
    if name == "zstd":
        pytest.importorskip("zstandard")
    data = fixture(name)
    for is_seekable in (True, False):
        _, expected = decode(data, is_seekable=is_seekable)
        _, profile = decode(data, threads=threads, is_seekable=is_seekable, step=2000, max_memory=16)
        columns = (0, 2, 3) if is_seekable else (0,)  # a thread may be named after its first samples were decoded
        assert sums(profile, *columns) == sums(expected, *columns)
        assert profile.samples.samples_seen == expected.samples.samples_seen
        rare = profile.diagnostics.counts.pop("rare_samples")
        profile.diagnostics.counts.pop("early_samples", None)
        assert profile.diagnostics.counts == expected.diagnostics.counts
        assert profile.diagnostics.dropped == expected.diagnostics.dropped
        assert rare == sum(count for key, (count, _) in totals(profile).items() if key[4] == (b"[other]",))
        assert 0 < rare <= expected.samples.samples_seen


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_first_malformed_samples_are_named_whoever_decodes_them(w, threads, small_segments):
    parts = [w.record(9, b"short") if i % 15 == 7 else sample(w, 100 + i) for i in range(600)]
    data = recording(w, *parts)
    first = len(data) - sum(map(len, parts))
    places = [first + sum(map(len, parts[:i])) for i in range(7, 600, 15)]
    _, profile = decode(data, threads=threads, keeps_addresses=False, load_functions=lambda *_: None)
    (line,) = profile.diagnostics.damage
    assert line == f"40 malformed samples (at offset {', '.join(map(str, places[:5]))}, ...)"


def test_pruning_keeps_places_of_damage_and_windows(w, small_segments):
    samples = [w.record(9, b"short") if i % 40 == 7 else sample(w, 100 + i, (USER, 0x1000 + 8 * i)) for i in range(200)]
    data = recording(w, comm(w, b"app"), mmap(w), *samples)
    window = {"to_ns": 50, "to_is_relative": True}
    _, expected = decode(data, window=window)
    _, profile = decode(data, window=window, max_memory=16)
    assert profile.diagnostics.counts.pop("rare_samples") == 48
    assert profile.diagnostics.counts == expected.diagnostics.counts
    assert profile.diagnostics.dropped == expected.diagnostics.dropped == {
        "malformed sample": 5, "outside the window": 147,
    }  # fmt: skip
    assert profile.diagnostics.damage == expected.diagnostics.damage
    assert profile.samples.samples_seen == 200
    assert set(totals(profile)) == {(b"cpu-clock", b"app", 1, 1, (b"[other]",))}
