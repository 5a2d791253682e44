"""Documents for tests: one small by hand, any by hypothesis."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

from hypothesis import strategies as st

from flameparse.document.document import COLUMNS, NONE, TIMELINE_COLUMNS, UNKNOWN_ID, Document


def column(typecode: str, values: Iterable[int]) -> memoryview:
    """Make a column from its values."""
    return memoryview(array(typecode, values))


def build_document(
    strings: Sequence[bytes] = (),
    *,
    timeline: Mapping[str, Iterable[int]] | None = None,
    meta: Mapping[str, object] | None = None,
    diagnostics: Mapping[str, object] | None = None,
    **columns: Iterable[int],
) -> Document:
    """Make a document from plain lists; a column not named is empty."""
    offsets = [0]
    for string in strings:
        offsets.append(offsets[-1] + len(string))
    unclassified = [0] * len(columns.get("frame_name", ()))
    traits = {"frame_class": unclassified, "frame_tier": unclassified, "frame_presets": unclassified}
    columns = {"string_offsets": offsets, **traits, **columns}
    return Document(
        string_bytes=b"".join(strings),
        timeline=None
        if timeline is None
        else {name: column(typecode, timeline[name]) for name, typecode in TIMELINE_COLUMNS.items()},
        meta=meta,
        diagnostics=diagnostics,
        **{name: column(typecode, columns.get(name, ())) for name, typecode in COLUMNS.items()},
    )


def small_document(*, timeline: bool = True) -> Document:
    """Two events, three threads, five stacks, every kind of id that may be NONE."""
    return build_document(
        [b"cycles", b"cpu-clock", b"main", b"a;b\n\xff\x00", b"/bin/x", b"node", b""],
        frame_name=[2, 3, 6],
        frame_dso=[4, NONE, 4],
        frame_kind=[0, 1, 2],
        frame_class=[14, 15, 1],
        frame_tier=[0, 0, 0x34],
        frame_presets=[2, 0, 64],
        stack_parent=[NONE, 0, 1, NONE, 0],
        stack_frame=[0, 1, 2, 1, 0],
        event_name=[0, 1],
        event_unit=[1, 2],
        thread_comm=[5, NONE, 5],
        thread_pid=[1, -1, UNKNOWN_ID],
        thread_tid=[2, 2, UNKNOWN_ID],
        total_event=[0, 0, 0, 0, 1],
        total_thread=[0, 0, 1, NONE, 2],
        total_stack=[1, NONE, 4, 3, 2],
        total_samples=[2, 1, 1, 1, (1 << 63) - 6],
        total_period=[20, 1, 0, 7, 1 << 40],
        timeline={
            "event": [0, 0, 1],
            "thread": [0, NONE, 2],
            "stack": [1, NONE, 2],
            "cpu": [3, -1, 0],
            "time_ns": [1 << 60, -5, 0],
            "period": [20, 1, 1 << 40],
        }
        if timeline
        else None,
        meta={"tool": "flameparse", "root": "comm", "argv": [b"\xff\x00", "perf", None, True], "cpus": {"count": -1}},
        diagnostics={"samples_seen": 5, "dropped": {"no_frames": 2, "bad_line": 0}, "lost": (1 << 64) - 1},
    )


_scalars = (
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(max_size=8) | st.binary(max_size=8)
)
plain_maps = st.dictionaries(
    st.text(max_size=8),
    _scalars | st.lists(_scalars, max_size=3) | st.dictionaries(st.text(max_size=8), _scalars, max_size=3),
    max_size=4,
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Draw a valid document in the canonical order: any names, any ids, with and without a timeline."""

    def ids(count: int, rows: int, *, none: bool) -> list[int]:
        choice = st.integers(0, count - 1) if count else st.nothing()
        choice = choice | st.just(NONE) if none else choice
        return draw(st.lists(choice, min_size=rows, max_size=rows)) if count or none else []

    def numbers(rows: int, low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=rows, max_size=rows))

    strings = draw(st.lists(st.binary(max_size=12), max_size=6))
    names = len(strings)
    frames, events, threads, samples = (draw(st.integers(0, 5)) for _ in range(4))
    frames, events = (frames, events) if names else (0, 0)
    stacks = draw(st.integers(0, 8)) if frames else 0
    keys = st.tuples(
        st.integers(0, max(events - 1, 0)),
        st.sampled_from([*range(threads), NONE]),
        st.sampled_from([*range(stacks), NONE]),
    )
    rows = sorted(draw(st.sets(keys, max_size=10))) if events else []
    samples = samples if events else 0
    int32 = (-(1 << 31), (1 << 31) - 1)
    timeline = {
        "event": ids(events, samples, none=False),
        "thread": ids(threads, samples, none=True),
        "stack": ids(stacks, samples, none=True),
        "cpu": numbers(samples, -1, 1 << 20),
        "time_ns": numbers(samples, -(1 << 63), (1 << 63) - 1),
        "period": numbers(samples, 0, (1 << 63) // 10 - 1),
    }
    return build_document(
        strings,
        frame_name=ids(names, frames, none=False),
        frame_dso=ids(names, frames, none=True),
        frame_kind=numbers(frames, 0, 3),
        frame_class=numbers(frames, 0, 21),
        frame_tier=numbers(frames, 0, 5),
        frame_presets=numbers(frames, 0, 127),
        stack_parent=[draw(st.sampled_from([*range(row), NONE])) for row in range(stacks)],
        stack_frame=ids(frames, stacks, none=False),
        event_name=ids(names, events, none=False),
        event_unit=numbers(events, 0, 3),
        thread_comm=ids(names, threads, none=True),
        thread_pid=numbers(threads, *int32),
        thread_tid=numbers(threads, *int32),
        total_event=[row[0] for row in rows],
        total_thread=[row[1] for row in rows],
        total_stack=[row[2] for row in rows],
        total_samples=numbers(len(rows), 0, (1 << 63) // 10 - 1),
        total_period=numbers(len(rows), 0, (1 << 63) // 10 - 1),
        timeline=timeline if draw(st.booleans()) else None,
        meta=draw(plain_maps),
        diagnostics=draw(plain_maps),
    )
