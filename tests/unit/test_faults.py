"""Reads that fail, signals, interruptions, a lack of memory: an error with its code, nothing torn, nobody hanging."""

from __future__ import annotations

import _thread
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from io import FileIO
from pathlib import Path

import pytest

import foreign
from decoded_text import sample
from flameparse import limits, source
from flameparse.errors import SourceError
from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.parallel import perf_script as parallel
from flameparse.pipeline import load
from unit.cli_runs import COMMAND, ENVIRONMENT, FOLDED, run_here

TEXT = b"".join(sample([b"leaf%d" % (i % 50), b"main"], comm=b"app%d" % (i % 3), period=i) for i in range(2_000))


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "trace"
    path.write_bytes(TEXT)
    return path


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 5_000)


def text_of(path, **options):
    return b"".join(folded_chunks(load(path, LoadOptions(**options))))


class FailingFile(FileIO):
    """A file whose read fails past some bytes, with some error, some of the times."""

    fails_at = 0
    error = errno.EIO
    short = None

    def readinto(self, buffer):
        if self.tell() >= self.fails_at:
            raise OSError(self.error, os.strerror(self.error))
        return super().readinto(memoryview(buffer)[: self.short])


@pytest.mark.parametrize("fails_at", [10, 100, 50_000, 200_000])
@pytest.mark.parametrize("threads", [1, 2])
def test_eio_midway(trace, tmp_path, monkeypatch, small_blocks, fails_at, threads):
    monkeypatch.setattr(source, "FileIO", FailingFile)
    monkeypatch.setattr(FailingFile, "fails_at", fails_at)
    before = _thread._count()
    with pytest.raises(SourceError, match="trace: Input/output error") as caught:
        load(trace, LoadOptions(threads=threads))
    assert isinstance(caught.value.__cause__, OSError)
    assert _thread._count() == before
    output = tmp_path / "out.folded"
    output.write_bytes(FOLDED)
    code, _, err = run_here("fold", "--threads", str(threads), trace, "-o", output)
    assert (code, output.read_bytes()) == (4, FOLDED)
    assert b"Input/output error" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.folded", "trace"]


@pytest.mark.parametrize("short", [1, 1_000])
def test_reads_that_give_little(trace, monkeypatch, short):
    expected = text_of(trace)
    monkeypatch.setattr(source, "FileIO", FailingFile)
    monkeypatch.setattr(FailingFile, "fails_at", 1 << 60)
    monkeypatch.setattr(FailingFile, "short", short)
    assert text_of(trace, threads=2) == expected


@pytest.mark.parametrize("threads", [1, 2])
def test_signals_while_reading_a_pipe(trace, tmp_path, small_blocks, threads):
    expected = text_of(trace)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    rang = []

    def write():
        with pipe.open("wb", buffering=0) as end:
            for start in range(0, len(TEXT), 9_001):
                end.write(TEXT[start : start + 9_001])
                time.sleep(0.002)

    writer = threading.Thread(target=write)
    saved = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        writer.start()
        assert text_of(pipe, threads=threads) == expected
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, saved)
        writer.join()
    assert len(rang) > 3


# A file that is open between two instructions when the handler strikes is closed by its destructor.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_while_threads_run(trace, monkeypatch, small_blocks, threads):
    """A handler's exception comes out of load() at once, whatever it waits for."""
    monkeypatch.setattr(parallel, "PIECES_BEFORE_THREADS", 0)
    choice = random.Random(threads)
    saved = signal.signal(signal.SIGALRM, signal.default_int_handler)
    before = _thread._count()
    interrupted = 0
    try:
        for _ in range(60):
            signal.setitimer(signal.ITIMER_REAL, choice.uniform(0.0002, 0.006))
            try:
                load([trace] * 3, LoadOptions(threads=threads))
            except KeyboardInterrupt:
                interrupted += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, saved)
    deadline = time.monotonic() + 5
    while _thread._count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _thread._count() == before
    assert interrupted > 5
    assert text_of(trace)


def test_ctrl_c_at_any_moment_of_the_command(tmp_path):
    pipe, output = tmp_path / "pipe", tmp_path / "out.folded"
    os.mkfifo(pipe)
    output.write_bytes(FOLDED)
    choice = random.Random(4)
    for _ in range(6):
        process = subprocess.Popen(
            [*COMMAND, "fold", "--threads", "2", str(pipe), "-o", str(output)],
            env=ENVIRONMENT, stderr=subprocess.PIPE,
        )  # fmt: skip
        with pipe.open("wb", buffering=0) as end:
            try:
                for _ in range(choice.randrange(1, 30)):
                    end.write(TEXT)
                process.send_signal(signal.SIGINT)
                # The pipe stays open: only the signal can end it.
                assert process.wait(timeout=5) == 130
            except BrokenPipeError:
                process.wait(timeout=5)
        with process.stderr:
            assert b"Traceback" not in process.stderr.read()
        assert output.read_bytes() == FOLDED
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out.folded", "pipe"]


# Python as it has started takes what it needs; from there on it gets so many bytes more.
LIMITED = """
import resource, sys
import flameparse.cli.dispatch, flameparse.cli.fold, flameparse.cli.options, flameparse.parallel, threading, _queue
import flameparse.export.folded_text, flameparse.pipeline, flameparse.decode.folded_text, flameparse.document.writer
from flameparse.__main__ import main
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (size, size))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.memory
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize("threads", [1, 2])
def test_an_address_space_that_is_too_small(tmp_path, threads):
    trace, output = tmp_path / "trace", tmp_path / "out.folded"
    trace.write_bytes(b"".join(sample([b"leaf%d" % i, b"f" * 90]) for i in range(40_000)))
    codes = []
    for mebibytes in (0, 1, 2, 3, 4, 6, 8, 12, 20, 28, 44, 48, 56, 64, 80, 100, 130, 160, 1_000):
        output.write_bytes(FOLDED)
        arguments = ["fold", "--threads", str(threads), str(trace), "-o", str(output)]
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, str(mebibytes << 20), *arguments],
            env=ENVIRONMENT, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        codes.append(done.returncode)
        assert done.returncode in (0, 5), (mebibytes, done)
        assert b"Traceback" not in done.stderr, (mebibytes, done)
        if done.returncode == 5:
            # Python itself may say before that a thread had no memory to start with.
            assert done.stderr.endswith(b"flameparse: out of memory (try --max-memory)\n")
            assert output.read_bytes() == FOLDED
        else:
            assert output.read_bytes().count(b"\n") == 40_000
    assert codes[0] == 5
    assert codes[-1] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.folded", "trace"]


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
/* Fails the nth allocation of this thread once armed; a library that says so by ENOMEM. */
static __thread long left;
static __thread long failed;
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
static int fails(void) { return left && --left == 0 && ++failed; }
void arm(long nth) { failed = 0; left = nth; }
long disarm(void) { left = 0; return failed; }
void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t m) { return fails() ? NULL : __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }
int posix_memalign(void **p, size_t a, size_t n) {
    if (fails()) return ENOMEM;
    *p = __libc_memalign(a, n);
    return *p ? 0 : ENOMEM;
}
"""

SWEEP = """
import ctypes, sys
sys.path.insert(0, sys.argv[2])
from decoded_text import decode_folded, decode_perf_script, folded, named, sample
from flameparse.export.folded_text import folded_chunks, timeline_chunks
from flameparse.document.tree import build_timeline_tree
from flameparse.document.writer import pack
from flameparse.document.reader import unpack
from flameparse.fold import unfold
from flameparse.model.absorb import absorb
from flameparse.model.profile import Profile
from flameparse.passes import select

shim = ctypes.CDLL(sys.argv[1])
text = b"".join(
    sample([b"f%d" % (i % 90), b"ns::g<int>(%d)" % i, b"h" * i], comm=b"c%d" % i, pid=i, event=b"e%d" % (i % 4))
    for i in range(200)
)
lines = b"".join(b"a%d;b;c%d %d\\n" % (i % 7, i, i) for i in range(300))

def perf_script():
    profile = named(decode_perf_script(text, timeline=True))
    return b"".join(folded_chunks(folded(profile))) + b"".join(timeline_chunks(folded(profile)))

def folded_text():
    return b"".join(folded_chunks(folded(decode_folded(lines))))

def document():
    return pack(unpack(packed))

def merge():
    profile, other = Profile(), Profile()
    unfold(whole, profile)
    unfold(whole, other)
    absorb(profile, other, least_samples=2)
    return pack(folded(select(profile, wanted_frames=bytes([1]) * len(profile.frames))))

whole = folded(named(decode_perf_script(text)))
packed = pack(whole)
for task in (perf_script, folded_text, document, merge):
    expected = task()
    failures = nth = 0
    while True:
        nth += 1
        shim.arm(nth)
        try:
            found = task()
        except MemoryError:
            found = None
        if not shim.disarm():
            break
        failures += found is None
        assert found in (None, expected), (task, nth)
    assert task() == expected
    print(task.__name__, nth - 1, failures)
"""


@pytest.mark.memory
def test_every_allocation_may_fail(tmp_path):
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler or sys.platform != "linux" or os.confstr("CS_GNU_LIBC_VERSION") is None:
        pytest.skip("needs a C compiler and glibc")
    code, library = tmp_path / "shim.c", tmp_path / "shim.so"
    code.write_text(SHIM)
    foreign.run([compiler, "-shared", "-fPIC", "-O1", str(code), "-o", str(library), "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, str(library), str(Path(__file__).parents[1])],
        env={**ENVIRONMENT, "LD_PRELOAD": str(library)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    counts = [line.split() for line in done.stdout.splitlines()]
    assert [name for name, _, _ in counts] == ["perf_script", "folded_text", "document", "merge"]
    # Nearly every one is an error; there are as many as the tables have columns to grow.
    assert sum(int(failures) for _, _, failures in counts) > 400
    assert all(2 * int(failures) > int(allocations) for _, allocations, failures in counts)
