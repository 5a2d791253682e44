"""From `perf script` text to Document: the same whatever the cut, the threads, the order and the parts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from decoded_text import assert_conserved, decode_perf_script, folded, named, sample
from flameparse import limits
from flameparse.decode.perf_script import PerfScriptDecoder, find_cut
from flameparse.document.account import damage
from flameparse.document.document import Document
from flameparse.document.reader import unpack
from flameparse.document.writer import pack
from flameparse.errors import LimitError
from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.model.profile import Profile
from flameparse.parallel import perf_script as parallel
from flameparse.pipeline import load
from oracle import perf_script_reference as reference

LARGEST = (1 << 63) - 1
FEW = settings(max_examples=settings().max_examples // 4)
FEWER = settings(max_examples=settings().max_examples // 8)

frame_names = st.sampled_from([b"main", b"leaf", b"a b", b"f(int)", b"x;y", b"op<T>", b"[unknown]", b"\xff\xfe", b"#n"])
samples = st.builds(
    sample,
    st.lists(frame_names, max_size=4),
    comm=st.sampled_from([b"app", b"V8 Worker", b"semi;colon", b"a 7 b", b"#x", b"(x)"]),
    pid=st.integers(-1, 2),
    tid=st.integers(-1, 2),
    cpu=st.integers(0, 3),
    time=st.integers(0, 30).map(lambda seconds: f"{seconds}.000000"),
    period=st.sampled_from([None, 0, 1, 250_000, 2**31, 2**32, 2**53 + 1]),
    event=st.sampled_from([b"cycles", b"cycles:u", b"sched:switch"]),
    module=st.sampled_from([b"/bin/app", b"[kernel.kallsyms]", b"/tmp/perf-1.map", b"/a b (deleted)"]),
)
noise = st.sampled_from(
    [b"perf: a warning\n", b"\t\n", b"\r\n", b"# note\n", b"x 1 [000] 1.000000: PERF_RECORD_COMM: x:1/1\n", b"  zzz\n"]
)
# A recording begins with a sample, which says that samples have headers.
texts = st.tuples(samples, st.lists(st.one_of(samples, samples, noise), max_size=8)).map(
    lambda parts: parts[0] + b"".join(parts[1])
)
block_sizes = st.lists(st.integers(1, 90), max_size=60)


def decoded(text: bytes, sizes: list[int] | tuple[int, ...] = ()) -> Document:
    profile = named(decode_perf_script(text, sizes))
    assert_conserved(profile)
    return folded(profile)


@FEW
@given(texts, block_sizes, st.integers(0, 30))
def test_any_place_of_blocks(text, sizes, missing):
    expected = decoded(text)
    assert decoded(text, sizes) == expected
    cut = text[: max(0, len(text) - missing)]
    assert decoded(cut, sizes) == decoded(cut)


@FEW
@given(texts)
def test_as_the_reference_reads_it(text):
    expected = reference.parse(text)
    document = decoded(text)
    assert sum(document.total_samples) == len(expected)
    assert sum(document.total_period) == sum(one.weight for one in expected)
    assert document.diagnostics.get("unknown_lines", 0) == len(expected.unknown_lines)
    for root in ("none", "comm", "pid", "tid"):
        for weight in ("period", "samples"):
            lines = b"".join(folded_chunks(document, event=b"all", root=root, weight=weight))
            wanted = reference.fold(expected, event=b"all", root=root, weight=weight)
            # A sample of nothing has no name there.
            if not wanted.startswith(b" "):
                assert lines == wanted


@FEW
@given(st.lists(samples, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_order_of_samples_does_not_matter(parts, choice):
    first, rest = parts[0], parts[1:]
    expected = decoded(b"".join(parts))
    choice.shuffle(rest)
    shuffled = decoded(first + b"".join(rest))
    # But for which event is seen first.
    if [expected.string(i) for i in expected.event_name] == [shuffled.string(i) for i in shuffled.event_name]:
        assert shuffled == expected
    for root in ("comm", "tid"):
        view = {"event": b"all", "root": root}
        assert b"".join(folded_chunks(shuffled, **view)) == b"".join(folded_chunks(expected, **view))


@FEW
@given(texts)
def test_crlf_is_lf(text):
    lines = text.replace(b"\r\n", b"\n")
    assert decoded(lines.replace(b"\n", b"\r\n")) == decoded(lines)


@FEW
@given(st.lists(samples, min_size=1, max_size=6))
def test_a_decoder_reused_counts_again(parts):
    text = b"".join(parts)
    decoder = PerfScriptDecoder(Profile())
    for unit in range(3):
        decoder.start_unit(unit)
        assert decoder.feed(text, len(text), unit * len(text)) == len(text)
    decoder.finish(b"", 0, 0)
    assert folded(named(decoder.profile)) == decoded(text * 3)


@FEW
@given(texts)
def test_find_cut_hides_no_state(text):
    place = find_cut(text, len(text))
    assert 0 <= place <= len(text)
    first, second = decode_perf_script(text[:place]), decode_perf_script(text[place:])
    assert first.samples.held()[0] + second.samples.held()[0] == decode_perf_script(text).samples.held()[0]


@FEW
@given(st.binary(max_size=200), block_sizes)
def test_any_bytes_are_decoded_alike(text, sizes):
    assert decoded(text, sizes) == decoded(text)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    def choose(size: int, pieces: int) -> None:
        monkeypatch.setattr(limits, "READ_BLOCK_BYTES", size)
        monkeypatch.setattr(parallel, "PIECES_BEFORE_THREADS", pieces)

    return choose


@FEWER
@given(texts, st.integers(1, 400), st.integers(1, 3), st.integers(0, 3), st.sampled_from([None, "+5", "4"]))
@example(b"# c\n" * 50 + sample(time="3.000000") + sample(time="9.000000"), 20, 3, 0, "+5")
def test_files_read_by_threads(folder, text, size, threads, pieces, time_from):
    trace = folder / "trace"
    trace.write_bytes(text)
    expected = load(trace, LoadOptions(threads=1, time_from=time_from))
    saved = limits.READ_BLOCK_BYTES, parallel.PIECES_BEFORE_THREADS
    limits.READ_BLOCK_BYTES, parallel.PIECES_BEFORE_THREADS = size, pieces
    try:
        found = load(trace, LoadOptions(threads=threads, time_from=time_from))
    finally:
        limits.READ_BLOCK_BYTES, parallel.PIECES_BEFORE_THREADS = saved
    assert found == expected
    assert pack(found) == pack(expected)


@FEWER
@given(st.lists(samples, min_size=1, max_size=12), st.integers(1, 4))
def test_shards_merged_are_the_whole(folder, parts, count):
    step = -(-len(parts) // count)
    shards = []
    for number, start in enumerate(range(0, len(parts), step)):
        shards.append(folder / f"shard{number}")
        shards[-1].write_bytes(b"".join(parts[start : start + step]))
    whole = folder / "whole"
    whole.write_bytes(b"".join(parts))
    assert load(shards) == load(whole)
    # By way of documents too.
    stored = []
    for shard in shards:
        stored.append(shard.with_suffix(".msgpack"))
        stored[-1].write_bytes(pack(load(shard)))
    merged = load(stored)
    merged.meta = load(whole).meta
    merged.diagnostics = load(whole).diagnostics
    assert merged == load(whole)


@pytest.mark.parametrize("period", [2**31 - 1, 2**31, 2**32, 2**53, 2**53 + 1, LARGEST - 1, LARGEST])
def test_periods_are_exact(period, tmp_path):
    trace = tmp_path / "trace"
    trace.write_bytes(sample(period=period))
    document = unpack(pack(load(trace)))
    assert list(document.total_period) == [period]
    text = b"".join(folded_chunks(document))
    assert text == b"app;main;leaf %d\n" % period
    trace.write_bytes(text)
    again = unpack(pack(load(trace)))
    assert b"".join(folded_chunks(again)) == text


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "text",
    [
        sample(period=LARGEST) + sample(),
        sample(period=LARGEST) + sample(event=b"other"),
        sample(period=LARGEST) * 3,
    ],
)
def test_periods_past_what_can_be_counted(text, threads, tmp_path, blocks):
    blocks(60, 0)
    trace = tmp_path / "trace"
    trace.write_bytes(text)
    with pytest.raises(LimitError, match=r"sum past 2\*\*6[34] - 1"):
        load(trace, LoadOptions(threads=threads))
    with pytest.raises(LimitError, match=r"sum past 2\*\*6[34] - 1"):
        load([trace, trace], LoadOptions(threads=threads))


@pytest.mark.parametrize("period", [LARGEST + 1, 2**64 - 1, 2**64, 10**30])
@pytest.mark.parametrize("threads", [1, 3])
def test_an_impossible_period_costs_its_sample(period, threads, tmp_path):
    trace = tmp_path / "trace"
    trace.write_bytes(sample(period=4) + sample(period=period) + sample(period=5))
    document = load(trace, LoadOptions(threads=threads))
    assert list(document.total_period) == [9]
    assert document.diagnostics["dropped"] == {"impossible period": 1}
    assert damage(document) == "1 samples dropped for a period past 2**63 - 1"


def test_reuse_after_an_error():
    text = sample(period=LARGEST)
    decoder = PerfScriptDecoder(Profile())
    decoder.feed(text, len(text), 0)
    with pytest.raises(OverflowError):
        decoder.feed(text * 4, len(text) * 4, 0)
    # The sample that was being read is still there, and does not count either.
    with pytest.raises(OverflowError):
        decoder.start_unit(1)
    decoder.start_unit(1)
    more = sample([b"g"]) + sample([b"g"])
    decoder.feed(more, len(more), 0)
    decoder.finish(b"", 0, 0)
    rows = sorted(row[3:] for row in decoder.profile.samples.total_rows())
    assert (2, 2) in rows
    assert (2, 2 * LARGEST) in rows
    # A fresh one knows nothing of it.
    assert decode_perf_script(more).samples.held() == (2, 2)


@pytest.mark.parametrize("buffer", [bytearray, memoryview, lambda text: memoryview(bytearray(text))])
def test_buffers_of_any_kind(buffer):
    text = sample() * 3
    decoder = PerfScriptDecoder(Profile())
    assert decoder.feed(buffer(text), len(text), 0) == len(text)
    decoder.finish(buffer(b""), 0, 0)
    assert folded(named(decoder.profile)) == decoded(text)


def test_the_tables_do_not_change_with_the_buffer():
    text = bytearray(sample())
    decoder = PerfScriptDecoder(Profile())
    for number in range(4):
        text[:] = sample([b"leaf", b"main%d" % (number % 2)])[: len(text)].ljust(len(text), b"\n")
        decoder.feed(text, len(text), 0)
        text[:] = b"!" * len(text)
    decoder.finish(b"", 0, 0)
    stacks = b"".join(folded_chunks(folded(named(decoder.profile))))
    assert stacks == b"app;main0;leaf 2\napp;main1;leaf 2\n"


@pytest.mark.parametrize("wrong", [memoryview(b"abcdefgh")[::2], memoryview(b"abcdefgh").cast("I"), "text", None])
def test_buffers_that_are_none(wrong):
    decoder = PerfScriptDecoder(Profile())
    for call in (
        lambda: decoder.feed(wrong, 1, 0),
        lambda: decoder.finish(wrong, 1, 0),
        lambda: find_cut(wrong, 1),
    ):
        with pytest.raises((TypeError, ValueError, BufferError)):
            call()


@pytest.mark.parametrize("length", [5, 1 << 40, -1])
def test_a_length_past_the_buffer(length):
    decoder = PerfScriptDecoder(Profile())
    for call in (decoder.feed, decoder.finish):
        with pytest.raises(ValueError, match="length"):
            call(b"a 1\n", length, 0)
    with pytest.raises(ValueError, match="length"):
        find_cut(b"a 1\n", length)
