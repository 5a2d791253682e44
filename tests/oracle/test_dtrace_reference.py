"""The decoder reads DTrace's text as the slow reference does, stack by stack, whatever the text and however cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flameparse.decode.dtrace.decoder import DTraceDecoder
from flameparse.decode.dtrace.text import find_cut
from flameparse.document.document import NONE, UNKNOWN_ID, Document
from flameparse.load_options import LoadOptions
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.passes import name_frames
from flameparse.pipeline import load
from golden.dtrace_fixtures import FIXTURES, path_of
from oracle import dtrace_reference as reference

CORPUS = ("example-dtrace-stacks", "flamegraph-bug", "only-header-lines", "scope_with_no_argument_list")

MODULES = st.sampled_from([b"", b"libc.so.1`", b"genunix`", b"unix`", b"node`", b"Google Chrome`", b"libstdc++.so.6`"])
NAMES = st.sampled_from(
    [b"read", b"main", b"A::operator+", b"A::operator++(int)", b"0x7fff0000", b"0xfffffffffb800000", b"f(int) const",
     b"Func.main([Ljava/lang/String;)V", b"<< adaptor >>", b"(anon) as f at a.js position 36", b"[ ./f.py:3 (c) ]",
     b"_$LT$u8$GT$::f::h0123456789abcdef", b"x+0x", b"a;b", b"caf\xc3\xa9", b"\xff", b"+0x12", b"bash", b"a b:"]
)  # fmt: skip
OFFSETS = st.sampled_from([b"", b"", b"+0x1", b"+0x12c", b"+1", b"+0xg"])
FRAMES = st.builds(lambda *parts: b"".join(parts), st.just(b" " * 14), MODULES, NAMES, OFFSETS)
COUNTS = st.sampled_from([b"1", b"7", b"0", b"-3", b"250000"])
COUNT_LINES = st.builds(
    lambda blanks, count, after: b" " * blanks + count + after,
    st.sampled_from([16, 13, 1, 0]), COUNTS, st.sampled_from([b"", b"  "]),
)  # fmt: skip
KEYS = st.sampled_from(
    [b"  bash" + b" " * 46, b"  bash" + b" " * 40 + b"   1234", b"     1234", b"  a b  c d", b"bash", b"  x\t\ty"]
)
STACKS = st.lists(FRAMES, max_size=5)
AGGREGATED = st.builds(
    lambda key, stack, more, count, blank: key + stack + more + [count] + blank,
    st.lists(KEYS, max_size=2), STACKS, st.one_of(st.just([]), st.builds(lambda more: [b"", *more], STACKS)),
    st.one_of(COUNT_LINES, st.just(b"  sshd" + b" " * 46 + b"        6"), st.just(b" " * 16 + b"9" + b" " * 16 + b"6")),
    st.sampled_from([[], [b""], [b"", b""]]),
)  # fmt: skip
HEADS = st.sampled_from(
    [b"CPU     ID                    FUNCTION:NAME", b"  0  64091                        :tick-60s ",
     b"  3      2                             :END", b"node 8783 1477263: profile-1ms:", b"a b 9 0: tick:",
     b"dtrace: 32 drops on CPU 0", b"dtrace: 1 aggregation drop on CPU 1", b"^C", b"hello, world", b"", b" \t",
     b"dtrace: error on enabled probe ID 1 (ID 7: profile:::profile-97): invalid address (0x0)", b"bash  ",
     b"           value  ------------- Distribution ------------- count    ",
     b"               4 |@@@@@@@@@@@@@@@@@@@@@                    5        ", b"             < 0 |               0 "]
)  # fmt: skip
PRINTED = st.builds(
    lambda head, blanks, stack: [head, *blanks, *stack, b""], HEADS, st.sampled_from([[], [b""]]), STACKS
)
ANY_LINE = st.one_of(FRAMES, COUNT_LINES, KEYS, HEADS).map(lambda line: [line])
TEXTS = st.lists(st.one_of(AGGREGATED, PRINTED, ANY_LINE), max_size=8).map(
    lambda parts: b"".join(line + b"\n" for part in parts for line in part)
)


def decode(text: bytes, ends: list[int], *, units: bool = False) -> Profile:
    """Decode in blocks that end at these places; or as two shares that were cut apart."""
    decoder = DTraceDecoder(Profile(SampleTable(keeps_timeline=True)))
    cut = find_cut(text, len(text)) if units else 0
    start = 0
    for end in [*sorted(ends), len(text)] if not units else [cut, len(text)]:
        start += decoder.feed(memoryview(text)[start:end], end - start, start)
        if units and end == cut:
            assert start == cut
            decoder.start_unit(1)
    decoder.finish(text[start:], len(text) - start, start)
    return decoder.profile


def stacks_of(profile: Profile) -> list[tuple[bytes, ...]]:
    """Every stack of the table, root first, as printed raw."""
    stacks: list[tuple[bytes, ...]] = []
    for stack in range(profile.stacks.count):
        parent, frame = profile.stacks.get(stack)
        name = profile.strings.get(profile.frames.get(frame)[0])
        stacks.append((*(stacks[parent] if parent != NONE else ()), name))
    return stacks


def totals(profile: Profile) -> dict[tuple[object, ...], tuple[int, int]]:
    profile = name_frames(profile, style="raw", modules=True)
    stacks = stacks_of(profile)
    found: dict[tuple[object, ...], tuple[int, int]] = {}
    for event, thread, stack, samples, period in profile.samples.total_rows():
        comm, pid, _ = profile.threads.get(thread) if thread != NONE else (NONE, UNKNOWN_ID, 0)
        key = (
            profile.strings.get(profile.events.get(event)[0]), None if comm == NONE else profile.strings.get(comm),
            None if pid == UNKNOWN_ID else pid, stacks[stack] if stack != NONE else (),
        )  # fmt: skip
        had = found.get(key, (0, 0))
        found[key] = (had[0] + samples, had[1] + period)
    return found


def expected_totals(parser: reference.Parser) -> dict[tuple[object, ...], tuple[int, int]]:
    found: dict[tuple[object, ...], tuple[int, int]] = {}
    for sample in parser.samples:
        key = (sample.event, sample.comm, sample.pid, tuple(reference.stack(sample)))
        had = found.get(key, (0, 0))
        found[key] = (had[0] + sample.weight, had[1] + sample.weight)
    return found


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, data=st.data())
def test_any_text(text: bytes, data: st.DataObject) -> None:
    parser = reference.parse(text)
    expected = expected_totals(parser)
    ends = data.draw(st.lists(st.integers(0, len(text)), max_size=4))
    for profile in (decode(text, []), decode(text, ends), decode(text, [], units=True)):
        assert totals(profile) == expected
        counts = profile.diagnostics.counts
        assert counts.get("unknown_lines", 0) == len(parser.unknown_lines)
        assert counts.get("uncounted_stacks", 0) == parser.uncounted
        assert counts.get("other_lines", 0) == parser.other_lines
        assert counts.get("lost", 0) == parser.lost


def document_samples(document: Document) -> list[dict[str, Any]]:
    timeline = document.timeline
    assert timeline is not None
    frames: list[list[bytes]] = []
    for parent, frame in zip(document.stack_parent, document.stack_frame, strict=True):
        frames.append([*(frames[parent] if parent != NONE else []), document.string(document.frame_name[frame])])
    rows = zip(*(timeline[key] for key in ("event", "thread", "stack", "cpu", "time_ns", "period")), strict=True)
    return [
        {
            "event": document.string(document.event_name[event]),
            "comm": None if thread == NONE else document.string(document.thread_comm[thread]),
            "pid": None if thread == NONE else document.thread_pid[thread],
            "cpu": None if cpu == -1 else cpu,
            "time_ns": None if time_ns < 0 else time_ns,
            "weight": period,
            "frames": frames[stack] if stack != NONE else [],
        }
        for event, thread, stack, cpu, time_ns, period in rows
    ]


def check_samples(path: Path) -> None:
    """Compare stack by stack, in order."""
    parser = reference.parse(path.read_bytes())
    document = load([str(path)], LoadOptions(names="raw", timeline=True))
    expected = [
        {
            "event": sample.event, "comm": sample.comm, "pid": sample.pid, "cpu": sample.cpu,
            "time_ns": sample.time_ns, "weight": sample.weight, "frames": reference.stack(sample),
        }
        for sample in parser.samples
    ]  # fmt: skip
    assert document_samples(document) == expected
    assert document.diagnostics.get("uncounted_stacks", 0) == parser.uncounted


@pytest.mark.parametrize("fixture", FIXTURES)
def test_fixture(fixture: str) -> None:
    check_samples(path_of(fixture))


@pytest.mark.parametrize("name", CORPUS)
def test_corpus(name: str, corpus: Path) -> None:
    check_samples(corpus / "dtrace" / f"{name}.txt")


def test_corpus_has_no_other_text(corpus: Path) -> None:
    assert {path.stem for path in (corpus / "dtrace").glob("*.txt")} == set(CORPUS)
