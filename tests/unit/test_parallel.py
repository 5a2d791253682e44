"""Pieces, threads and pruning: one input over several decoders is one Profile."""

from __future__ import annotations

import _thread
import random
import threading
import time

import pytest

from decoded_text import decode_perf_script as decode_here
from decoded_text import folded, named, sample
from flameparse import limits
from flameparse.document.account import damage
from flameparse.errors import SourceError
from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.parallel import perf_script as parallel
from flameparse.parallel import threads as thread_start
from flameparse.pipeline import load


class FakeSource:
    """Bytes handed out in pieces of the sizes asked for, at most as large as the buffer."""

    name, size = "fake", None

    def __init__(self, text, sizes=None, fails_at=None, error=None):
        self.text, self.sizes, self.consumed = text, sizes, 0
        self.fails_at, self.error = fails_at, error

    def readinto(self, buffer):
        if self.fails_at is not None and self.consumed >= self.fails_at:
            raise self.error
        wanted = len(buffer) if self.sizes is None else max(1, self.sizes())
        piece = self.text[self.consumed : self.consumed + min(wanted, len(buffer))]
        buffer[: len(piece)] = piece
        self.consumed += len(piece)
        return len(piece)


def decode(source, *, threads=2, max_memory=1 << 30, timeline=False, progress=None, **window):
    return parallel.decode_perf_script(
        source,
        Profile(SampleTable(keeps_timeline=timeline, **window)),
        dialect=None,
        keeps_addresses=False,
        threads=threads,
        max_memory=max_memory,
        progress=progress,
    )


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 300)
    monkeypatch.setattr(parallel, "PIECES_BEFORE_THREADS", 2)
    before = _thread._count()
    yield
    assert _thread._count() == before


TEXT = b"".join(
    sample([b"leaf%d" % (i % 13), b"main"], comm=b"app%d" % (i % 3), period=i, time=f"{i}.000000") for i in range(400)
)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("sizes", [None, lambda: 1, lambda: 7, lambda: 299], ids=["all", "1", "7", "299"])
def test_reads_of_any_size(threads, sizes):
    profile = decode(FakeSource(TEXT, sizes), threads=threads)
    assert named_text(profile) == named_text(decode_here(TEXT))
    assert profile.diagnostics.counts["lines"] == TEXT.count(b"\n")


def test_reads_of_random_sizes():
    choice = random.Random(7)
    for threads in (1, 2, 3):
        profile = decode(FakeSource(TEXT, lambda: choice.randrange(1, 700)), threads=threads)
        assert named_text(profile) == named_text(decode_here(TEXT))


def named_text(profile):
    return b"".join(folded_chunks(folded(named(profile)), root="tid"))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_line_numbers_count_from_the_start_of_the_input(threads):
    parts = []
    expected = []
    lines = 0
    for i in range(60):
        parts.append(sample(period=i))
        lines += 4
        if i % 9 == 8:
            parts.append(b"what is this\n")
            lines += 1
            expected.append(lines)
    profile = decode(FakeSource(b"".join(parts)), threads=threads)
    assert profile.diagnostics.unknown_line_numbers == expected[:5]
    assert profile.diagnostics.counts["unknown_lines"] == len(expected)
    assert profile.diagnostics.counts["lines"] == lines


@pytest.mark.parametrize("threads", [1, 2])
def test_an_empty_source(threads):
    profile = decode(FakeSource(b""), threads=threads)
    assert profile.samples.samples_seen == 0


@pytest.mark.parametrize("threads", [1, 3])
def test_progress_rises_to_the_end(threads):
    seen = []
    decode(FakeSource(TEXT), threads=threads, progress=lambda *args: seen.append(args))
    assert [read for read, _, _ in seen] == sorted(read for read, _, _ in seen)
    assert seen[-1][:2] == (len(TEXT), None)


def test_a_time_line_is_read_by_one_thread():
    profile = decode(FakeSource(TEXT), threads=4, timeline=True)
    assert list(folded(named(profile)).timeline["period"]) == list(range(400))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_relative_windows_count_from_the_first_sample_however_late(threads):
    # More than PIECES_BEFORE_THREADS pieces say nothing of a sample's time.
    text = b"".join(b"app 1 [000] 0.000000: PERF_RECORD_MMAP2 1/1: [0x1]\n" for _ in range(100)) + TEXT
    profile = decode(FakeSource(text), threads=threads, from_ns=100 * 10**9, from_is_relative=True)
    assert profile.samples.held()[0] == 300
    assert profile.diagnostics.dropped == {"outside the window": 100}


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("fails_at", [0, 100, 1_000, 20_000])
def test_an_error_of_the_reader(threads, fails_at):
    error = SourceError("fake: Input/output error")
    with pytest.raises(SourceError) as caught:
        decode(FakeSource(TEXT, fails_at=fails_at, error=error), threads=threads)
    assert caught.value is error


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), MemoryError()])
def test_an_interruption_leaves_no_thread(threads, error):
    with pytest.raises(type(error)):
        decode(FakeSource(TEXT, fails_at=5_000, error=error), threads=threads)


@pytest.mark.parametrize("threads", [2, 4])
def test_an_interruption_in_the_progress_bar(threads, monkeypatch):
    take = parallel._Share.take

    def slow_in_workers(share, piece):
        if _thread.get_ident() != threading.main_thread().ident:
            time.sleep(0.01)
        take(share, piece)

    def interrupt(*_):
        if _thread._count():
            raise KeyboardInterrupt

    monkeypatch.setattr(parallel._Share, "take", slow_in_workers)
    with pytest.raises(KeyboardInterrupt):
        decode(FakeSource(TEXT), threads=threads, progress=interrupt)


@pytest.mark.parametrize("threads", [2, 4])
@pytest.mark.parametrize("error", [MemoryError("none left"), KeyboardInterrupt(), RuntimeError("bug")])
def test_an_error_of_a_worker(threads, error, monkeypatch):
    take = parallel._Share.take

    def failing(share, piece):
        if _thread.get_ident() != threading.main_thread().ident:
            raise error
        # Slower than a worker, so that there is something left for one.
        time.sleep(0.001)
        take(share, piece)

    monkeypatch.setattr(parallel._Share, "take", failing)
    with pytest.raises(type(error)) as caught:
        decode(FakeSource(TEXT * 5), threads=threads)
    assert caught.value is error


def test_an_overflow_in_a_worker():
    text = TEXT + sample(period=2**63 - 1) * 3 + TEXT
    with pytest.raises(OverflowError):
        decode(FakeSource(text), threads=3)


MANY = b"".join(
    sample([b"hot"], period=10) if i % 3 else sample([b"cold%d" % i, b"below"], comm=b"c%d" % (i % 5), period=10)
    for i in range(3_000)
)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("timeline", [False, True])
def test_rare_stacks_go_to_other_at_the_memory_cap(threads, timeline, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 20_000)
    trace = tmp_path / "trace"
    trace.write_bytes(MANY)
    document = load(trace, LoadOptions(threads=threads, timeline=timeline, max_memory=1 << 16))
    lines = dict(line.rsplit(b" ", 1) for line in b"".join(folded_chunks(document)).splitlines())
    assert sum(map(int, lines.values())) == 30_000
    assert sum(document.total_samples) == document.diagnostics["samples_folded"] == 3_000
    assert lines[b"app;hot"] == b"20000"
    other = sum(int(weight) for stack, weight in lines.items() if stack.endswith(b";[other]"))
    assert other == 10 * document.diagnostics["rare_samples"]
    # The last block's rare stacks are still apart.
    assert 5_000 < other < 10_000
    assert f"{other // 10} samples of rare stacks folded into [other]" in damage(document)
    assert {stack.split(b";")[0] for stack in lines} == {b"app", *(b"c%d" % i for i in range(5))}
    if timeline:
        assert len(document.timeline["period"]) == 3_000
        assert sum(document.timeline["period"]) == 30_000


def test_enough_memory_folds_nothing_away(tmp_path):
    trace = tmp_path / "trace"
    trace.write_bytes(MANY)
    assert damage(load(trace, LoadOptions(threads=2))) is None


def test_no_more_decoders_than_the_cap(monkeypatch):
    started = []
    start = thread_start.start_thread
    monkeypatch.setattr(limits, "MAX_THREADS", 2)
    monkeypatch.setattr(thread_start, "start_thread", lambda *arguments: started.append(1) or start(*arguments))
    decode(FakeSource(TEXT), threads=9)
    assert len(started) == 1


def test_ctrl_c_does_not_wait_for_a_thread_that_waits_for_a_pipe() -> None:
    from flameparse.parallel.threads import run_threads

    released = threading.Event()
    before = _thread._count()

    def work(share: int, _: list[BaseException]) -> None:
        if share == 0:
            raise KeyboardInterrupt
        released.wait(30)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_threads(work, [0, 1])
    assert time.monotonic() - start < 10
    released.set()
    while _thread._count() > before and time.monotonic() - start < 20:
        time.sleep(0.01)
