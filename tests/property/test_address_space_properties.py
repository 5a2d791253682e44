"""The address space against a model that keeps no state: it walks the events back from the moment in question."""

from __future__ import annotations

import random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from flameparse.decode.address_space import AddressSpace
from flameparse.decode.side_events import SideEvents
from flameparse.model.string_table import StringTable

FEWER = settings(max_examples=settings().max_examples // 4)

IS_DATA, IS_UNLOAD, KEEPS_NO_MAPS = 1, 4, 8
KERNEL_MODE, USER_MODE = 1, 2
USER, KERNEL, JIT = 0, 1, 2
NONE = 0xFFFFFFFF
KERNEL_PID = -1
LAST = 2**64 - 1
PIDS = [1, 2]
FILES = [b"/bin/a", b"/lib/b.so", b"[vdso]"]
MEMORY = [b"//anon", b"[heap]", b"/memfd:jit (deleted)"]
KERNEL_MAPS = [b"[kernel.kallsyms]_text", b"/lib/modules/6.1.0/mod.ko"]
DUMP = b"/tmp/jit-1.dump"
IPS = [*range(16), *range(LAST - 15, LAST + 1)]


class Map(NamedTuple):
    pid: int
    path: bytes
    start: int
    size: int
    file_offset: int
    is_data: bool


class Code(NamedTuple):
    pid: int
    name: bytes
    start: int
    size: int


class KernelSymbol(NamedTuple):
    name: bytes
    start: int
    size: int
    is_unload: bool


class Fork(NamedTuple):
    pid: int
    parent: int
    keeps_no_maps: bool


class Comm(NamedTuple):
    pid: int
    name: bytes


Event = Map | Code | KernelSymbol | Fork | Comm


class Meaning(NamedTuple):
    """What one address means."""

    path: bytes
    bias: int
    name: bytes
    kind: int


def covers(event: Map | Code | KernelSymbol, ip: int) -> bool:
    return event.start <= ip < min(event.start + event.size, LAST)


def mapped(event: Map, rules: str) -> Meaning:
    """What an address means that a mapping covers."""
    if event.path in KERNEL_MAPS:
        return Meaning(b"[mod]" if event.path.endswith(b".ko") else b"[kernel.kallsyms]", 0, b"", KERNEL)
    if event.path in (b"//anon", b"[heap]"):
        if event.is_data:
            return Meaning(event.path, 0, b"", USER)
        return Meaning(b"/tmp/perf-%d.map" % event.pid, 0, b"", JIT)
    if event.path in MEMORY and rules == "precise" and not event.is_data:
        return Meaning(event.path, 0, b"", JIT)
    offset = 0 if event.path == b"[vdso]" else event.file_offset
    return Meaning(event.path, (offset - event.start) % 2**64, b"", USER)


def user_meaning(events: list[Event], pid: int, ip: int, rules: str) -> Meaning | None:
    """What an address of a process means after some events."""
    memory = None
    for event in reversed(events):
        if isinstance(event, Fork) and event.pid == pid != event.parent:
            if event.keeps_no_maps:
                break
            pid = event.parent
        elif isinstance(event, Code) and event.pid == pid and covers(event, ip):
            return Meaning(DUMP, 0, event.name, JIT)
        elif isinstance(event, Map) and event.pid == pid and covers(event, ip):
            # Code that lies under memory is still there, code under a file is not.
            memory = memory or mapped(event, rules)
            if event.path in FILES:
                break
    return memory


def kernel_meaning(events: list[Event], ip: int, rules: str) -> Meaning | None:
    """What an address of the kernel means after some events."""
    maps = [event for event in events if isinstance(event, Map) and event.pid == KERNEL_PID and event.size]
    for number in range(len(events) - 1, -1, -1):
        event = events[number]
        if isinstance(event, KernelSymbol) and covers(event, ip):
            if event.is_unload:
                break
            kernels = [
                map for map in events[:number] if isinstance(map, Map) and map.path == KERNEL_MAPS[0] and map.size
            ]
            if rules == "precise" or not kernels or not covers(kernels[-1], event.start):
                return Meaning(event.name, 0, event.name, KERNEL)
    for map in reversed(maps):
        if covers(map, ip) or (map is maps[0] and map.path == KERNEL_MAPS[0] and ip != LAST):
            return mapped(map, rules)
    return None


def comm(events: list[Event], tid: int) -> bytes:
    """What a thread is called after some events; nothing where that is not known."""
    for event in reversed(events):
        if isinstance(event, Comm) and event.pid == tid:
            return event.name
        if isinstance(event, Fork) and event.pid == tid:
            tid = event.parent
    return b"swapper" if tid == 0 else b""


def add(events: SideEvents, strings: StringTable, time: int, sequence: int, event: Event) -> None:
    """Add an event of the model."""
    if isinstance(event, Map):
        events.add_map(
            time, sequence, event.pid, event.start, event.size, event.file_offset, strings.add(event.path),
            flags=IS_DATA if event.is_data else 0, cpumode=KERNEL_MODE if event.pid == KERNEL_PID else USER_MODE,
        )  # fmt: skip
    elif isinstance(event, Code):
        names = strings.add(event.name), strings.add(DUMP)
        events.add_code_load(time, sequence, event.pid, event.start, event.size, *names)
    elif isinstance(event, KernelSymbol):
        flags = IS_UNLOAD if event.is_unload else 0
        events.add_kernel_symbol(time, sequence, event.start, event.size, strings.add(event.name), flags)
    elif isinstance(event, Fork):
        flags = KEEPS_NO_MAPS if event.keeps_no_maps else 0
        events.add_fork(time, sequence, event.pid, event.pid, event.parent, event.parent, flags)
    else:
        events.add_comm(time, sequence, event.pid, event.pid, strings.add(event.name))


def meaning(space: AddressSpace, pid: int, ip: int, time: int, sequence: int) -> Meaning | None:
    """What the address space says."""
    found = space.lookup(pid, ip, time, sequence)
    if found is None:
        return None
    start, end, bias, dso, name, kind = found
    assert start <= ip < end
    return Meaning(space.dsos.rows[dso].path, bias, b"" if name == NONE else space.strings.get(name), kind)


starts = st.one_of(st.integers(1, 12), st.integers(LAST - 12, LAST - 1))
sizes = st.one_of(st.integers(0, 8), st.sampled_from([LAST - 8, LAST]))
pids = st.sampled_from(PIDS)
names = st.sampled_from([b"f", b"g"])
offsets = st.sampled_from([0, 1, 2, LAST])
events = st.one_of(
    st.builds(Map, pids, st.sampled_from(FILES + MEMORY), starts, sizes, offsets, st.booleans()),
    st.builds(Map, st.just(KERNEL_PID), st.sampled_from(KERNEL_MAPS), starts, sizes, offsets, st.just(False)),
    st.builds(Code, pids, names, starts, sizes),
    st.builds(KernelSymbol, names, starts, sizes, st.booleans()),
    st.builds(Fork, pids, pids, st.booleans()),
    st.builds(Comm, pids, names),
)
timelines = st.lists(st.tuples(st.integers(0, 4), events), max_size=12)


@FEWER
@given(timelines, st.sampled_from(["precise", "perf-6.1"]), st.integers(0, 12), st.randoms(use_true_random=False))
def test_every_address_at_every_moment(
    timeline: list[tuple[int, Event]], rules: str, cut: int, order: random.Random
) -> None:
    strings = StringTable()
    space = AddressSpace(strings, rules=rules)
    records = [(time, sequence, event) for sequence, (time, event) in enumerate(timeline, 1)]
    records.sort(key=lambda record: record[:2])
    in_order = [event for _, _, event in records]
    for part in (records[:cut], records[cut:]):
        side_events = SideEvents()
        for record in order.sample(part, len(part)):
            add(side_events, strings, *record)
        space.apply_events(side_events)
    # Just before each event, and after all.
    moments = [record[:2] for record in records] + [(5, 0)]
    for count, (time, sequence) in enumerate(moments):
        before = in_order[:count]
        for ip in IPS:
            assert meaning(space, KERNEL_PID, ip, time, sequence) == kernel_meaning(before, ip, rules)
            for pid in PIDS:
                assert meaning(space, pid, ip, time, sequence) == user_meaning(before, pid, ip, rules)
        for tid in (0, *PIDS):
            found = space.comm(tid, tid, time, sequence)
            assert (b"" if found == NONE else strings.get(found)) == comm(before, tid)


@FEWER
@given(st.lists(st.integers(1, 6), max_size=40), st.integers(0, 7))
def test_a_version_is_found_whatever_the_hint(times: list[int], moment: int) -> None:
    strings = StringTable()
    space = AddressSpace(strings)
    side_events = SideEvents()
    name = strings.add(b"/bin/a")
    for sequence, time in enumerate(sorted(times)):
        side_events.add_map(time, sequence, 1, 10 * sequence, 10, 0, name)
    space.apply_events(side_events)
    # Each event makes one version, and no other process has any.
    expected = sum(time < moment for time in times) - 1
    for hint in (NONE, *range(len(times))):
        assert space.version(1, moment, 0, hint) == (NONE if expected < 0 else expected)
