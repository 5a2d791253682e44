"""Folded text and documents say the same, whatever the names, the order, the parts and the way they are handed over."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from decoded_text import decode_folded, folded
from flameparse.decode.folded_text import FoldedTextDecoder
from flameparse.document.document import Document
from flameparse.document.reader import unpack
from flameparse.document.writer import pack
from flameparse.export.folded_text import folded_chunks
from flameparse.fold import fold, unfold
from flameparse.model.absorb import absorb
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.pipeline import load

LARGEST = (1 << 63) - 1
FEWER = settings(max_examples=settings().max_examples // 4)

# Any bytes but what parts frames and lines; names that share a beginning are common.
names = st.one_of(
    st.sampled_from(
        [b"a", b"a b", b"a1", b"ab", b"a ", b" a", b"", b"[unknown]", b"f_[k]", b"g_[j]", b"\xff\0", b"\r", b"#"]
    ),
    st.binary(max_size=6).map(lambda name: name.translate(None, b";\n")),
)
# A line of one name that begins like a comment is one.
stacks = st.lists(names, min_size=1, max_size=5).map(tuple).filter(lambda stack: stack != (b"",))
weights = st.one_of(st.integers(0, 9), st.sampled_from([2**31, 2**32, 2**53, 2**53 + 1, 2**58]))
totals = st.dictionaries(
    stacks.filter(lambda stack: len(stack) > 1 or not (stack[0] + b" ").startswith(b"# ")), weights, max_size=8
)


def lines_of(stacks: dict[tuple[bytes, ...], int]) -> list[bytes]:
    return [b"%s %d\n" % (b";".join(stack), weight) for stack, weight in stacks.items()]


def written(text: bytes) -> bytes:
    return b"".join(folded_chunks(folded(decode_folded(text))))


def canonical(stacks: dict[tuple[bytes, ...], int]) -> bytes:
    """The lines in the order of their stacks."""
    ordered = sorted(stacks.items(), key=lambda item: b";".join(item[0]))
    return b"".join(lines_of(dict(ordered)))


@FEWER
@given(totals)
@example({(b"a",): LARGEST})
@example({(b"a",): LARGEST - 1, (b"a", b"b"): 1})
def test_folded_to_document_to_folded(stacks):
    text = canonical(stacks)
    document = folded(decode_folded(text))
    assert b"".join(folded_chunks(unpack(pack(document)))) == text
    # Names are what stands between the semicolons.
    found = {document.string(name) for name in document.frame_name}
    assert found == {name for stack in stacks for name in stack}


@FEWER
@given(totals, st.randoms(use_true_random=False), st.lists(st.integers(1, 40)))
def test_order_of_lines_and_place_of_cuts_do_not_matter(stacks, choice, sizes):
    lines = lines_of(stacks)
    choice.shuffle(lines)
    shuffled = b"".join(lines)
    expected = folded(decode_folded(canonical(stacks)))
    assert folded(decode_folded(shuffled)) == expected
    assert folded(decode_folded(shuffled, sizes)) == expected
    assert folded(decode_folded(shuffled.removesuffix(b"\n"), sizes)) == expected
    assert folded(decode_folded(shuffled.replace(b"\n", b"\r\n"), sizes)) == expected


def joined(*parts: Document) -> Document:
    profile = Profile()
    for part in parts:
        other = Profile()
        unfold(part, other)
        absorb(profile, other, place=profile.events.next_place)
    return fold(profile, meta={}, diagnostics={})


def unordered_events(document: Document) -> tuple[object, ...]:
    """What a document says, whatever event was seen first."""

    def text(id: int) -> bytes | None:
        return None if id == 0xFFFF_FFFF else document.string(id)

    stacks: list[tuple[object, ...]] = []
    for parent, frame in zip(document.stack_parent, document.stack_frame, strict=True):
        frame_row = (text(document.frame_name[frame]), text(document.frame_dso[frame]), document.frame_kind[frame])
        stacks.append((*(stacks[parent] if parent != 0xFFFF_FFFF else ()), frame_row))
    threads = list(zip(map(text, document.thread_comm), document.thread_pid, document.thread_tid, strict=True))
    rows = [
        (
            document.string(document.event_name[event]),
            document.event_unit[event],
            None if thread == 0xFFFF_FFFF else threads[thread],
            None if stack == 0xFFFF_FFFF else stacks[stack],
            samples,
            period,
        )
        for event, thread, stack, samples, period in zip(
            document.total_event, document.total_thread, document.total_stack, document.total_samples,
            document.total_period, strict=True,
        )
    ]  # fmt: skip
    return tuple(sorted(rows, key=repr))


NAMES = [b"x", b"y", b"", b"x;y"]
rows = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(-1, 3),
        st.lists(st.integers(0, 15), max_size=3),
        st.sampled_from([0, 1, 7, 2**53]),
    ),
    max_size=6,
)


@rows.map
def small_documents(rows: list[tuple[int, int, list[int], int]]) -> Document:
    """Few events, threads, frames and modules, so that what is equal meets."""
    profile = Profile()
    ids = [profile.strings.add(name) for name in NAMES]
    for place, (event, thread, frames, period) in enumerate(rows):
        stack = 0xFFFF_FFFF
        for frame in frames:
            stack = profile.stacks.add(stack, profile.frames.add(ids[frame % 4], ids[frame // 4], frame % 3))
        event_id = profile.events.add(ids[event], event % 2, place)
        thread_id = 0xFFFF_FFFF if thread < 0 else profile.threads.add(ids[thread], thread, 1)
        profile.samples.add_row(event_id, thread_id, stack, period)
    return fold(profile, meta={}, diagnostics={})


@FEWER
@given(small_documents, small_documents, small_documents)
def test_merge_is_associative_and_but_for_the_first_event_commutative(a, b, c):
    whole = joined(a, b, c)
    assert joined(joined(a, b), c) == whole
    assert joined(a, joined(b, c)) == whole
    assert unordered_events(joined(c, a, b)) == unordered_events(whole)
    assert joined(whole) == whole
    assert sum(whole.total_samples) == sum(sum(part.total_samples) for part in (a, b, c))


@FEWER
@given(totals, st.integers(1, 4), st.randoms(use_true_random=False))
def test_shards_merged_are_the_whole(stacks, count, choice):
    lines = lines_of(stacks) * 2
    shards: list[list[bytes]] = [[] for _ in range(count)]
    for line in lines:
        choice.choice(shards).append(line)
    whole = fold(decode_folded(b"".join(lines)), meta={}, diagnostics={})
    assert joined(*(folded(decode_folded(b"".join(shard))) for shard in shards)) == whole


@given(st.binary(max_size=120), st.lists(st.integers(1, 20)))
def test_any_bytes_are_counted_or_folded(text, sizes):
    profile = decode_folded(text)
    document = folded(profile)
    counts = profile.diagnostics.counts
    lines = text.split(b"\n")
    said = [line for line in lines if line.removesuffix(b"\r") and not line.startswith(b"# ")]
    assert counts.get("unknown_lines", 0) <= len(lines)
    assert len(profile.samples.total_rows()) + counts.get("unknown_lines", 0) <= max(len(said), len(lines))
    assert folded(decode_folded(text, sizes)) == document
    assert unpack(pack(document)) == document


@pytest.mark.parametrize("weight", [2**31 - 1, 2**31, 2**32, 2**53, 2**53 + 1, LARGEST - 1, LARGEST])
def test_counts_are_exact(weight, tmp_path):
    text = b"a;b %d\n" % weight
    first = tmp_path / "a.folded"
    first.write_bytes(text)
    document = load(first)
    assert list(document.total_samples) == list(document.total_period) == [weight]
    stored = tmp_path / "a.msgpack"
    stored.write_bytes(pack(document))
    again = load(stored)
    assert b"".join(folded_chunks(again)) == text
    assert pack(again) == stored.read_bytes()


@pytest.mark.parametrize("buffer", [bytearray, memoryview, lambda text: memoryview(bytearray(text))])
def test_buffers_of_any_kind(buffer):
    text = b"a;b 1\nc 2\n"
    decoder = FoldedTextDecoder(Profile())
    assert decoder.feed(buffer(text), len(text)) == len(text)
    decoder.finish(b"", 0)
    assert folded(decoder.profile) == folded(decode_folded(text))


def test_the_tables_do_not_change_with_the_buffer():
    text = bytearray(b"a;b 1\na;b;c 2\n")
    decoder = FoldedTextDecoder(Profile())
    decoder.feed(text, 6)
    text[:6] = b"#" * 6
    decoder.feed(memoryview(text)[6:], len(text) - 6)
    text[:] = b"!" * len(text)
    decoder.finish(b"", 0)
    assert b"".join(folded_chunks(folded(decoder.profile))) == b"a;b 1\na;b;c 2\n"


@pytest.mark.parametrize("wrong", [memoryview(b"a 1\na 1\n")[::2], memoryview(b"a 1\n").cast("I"), "a 1\n", None])
def test_buffers_that_are_none(wrong):
    decoder = FoldedTextDecoder(Profile())
    for call in (lambda: decoder.feed(wrong, 1), lambda: decoder.finish(wrong, 1)):
        with pytest.raises((TypeError, ValueError, BufferError)):
            call()


@pytest.mark.parametrize("length", [5, 1 << 40, -1])
def test_a_length_past_the_buffer(length):
    for call in (FoldedTextDecoder(Profile()).feed, FoldedTextDecoder(Profile()).finish):
        with pytest.raises(ValueError, match="length past the end"):
            call(b"a 1\n", length)


def test_reuse_after_an_error():
    decoder = FoldedTextDecoder(Profile())
    decoder.feed(b"a;b 5\n", 6)
    for _ in range(3):
        with pytest.raises(OverflowError):
            decoder.feed(b"a;c %d\n" % LARGEST, 24)
    decoder.feed(b"a;b;c 7\n", 8)
    decoder.finish(b"", 0)
    assert decoder.profile.samples.held() == (12, 12)
    assert b"".join(folded_chunks(folded(decoder.profile))) == b"a;b 5\na;b;c 7\n"


def test_a_time_line_keeps_the_order_of_lines():
    lines = [b"a;b 3\n", b"a 1\n", b"a;b 2\n"]
    document = folded(decode_folded(b"".join(lines), timeline=True))
    assert list(document.timeline["period"]) == [3, 1, 2]
    profile = Profile(SampleTable(keeps_timeline=True))
    unfold(document, profile)
    assert fold(profile, meta={}, diagnostics=document.diagnostics) == document


def test_a_large_text_in_any_order(tmp_path: Path) -> None:
    choice = random.Random(3)
    found: dict[tuple[bytes, ...], int] = {}
    for _ in range(30_000):
        stack = tuple(b"%x" % choice.randrange(30) for _ in range(choice.randrange(1, 12)))
        found[stack] = found.get(stack, 0) + 1
    lines = lines_of(found)
    choice.shuffle(lines)
    trace = tmp_path / "x.folded"
    trace.write_bytes(b"".join(lines))
    assert b"".join(folded_chunks(load(trace))) == canonical(found)
