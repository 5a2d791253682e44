"""Memory follows distinct stacks, not the length of the input."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from decoded_text import sample
from flameparse import limits
from flameparse.load_options import LoadOptions
from recording_builder import FINISHED_ROUND, Writer
from unit.cli_runs import ENVIRONMENT

pytestmark = [pytest.mark.memory, pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak")]

MIB = 1 << 20


def block_of(number: int, *, distinct: bool) -> bytes:
    """About 300 KB of text: 50 stacks again and again or, ``distinct``, lines that never came before on them."""
    more = b"%08x" % number if distinct else b""
    frames = [b"frame_number_%d_of_a_c++_program_with_long_names" % i for i in range(20)]
    text = b"".join(sample([b"leaf%d" % i, *frames[: i % 20]], period=i, time=f"{number}.{i:06}") for i in range(50))
    # What follows the plus sign is cut, so it makes lines and no stacks.
    return (text.replace(b"+0x10", b"+0x1" + more) if distinct else text) * 6


# The command, then its peak on stderr: what the system tells of a child includes what its parent held at the fork.
COMMAND = """
import sys
from flameparse.__main__ import main
code = main(sys.argv[1:])
with open("/proc/self/status") as status:
    print(next(line for line in status if line.startswith("VmHWM")).split()[1], file=sys.stderr)
sys.exit(code)
"""


class Run:
    """A command at its end.

    Attributes:
        code, out, err: as of any process.
        peak: most bytes it held.
    """

    def __init__(self, *arguments: str, stdin: Iterable[bytes] = ()) -> None:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, *arguments],
                stdin=subprocess.PIPE, stdout=out, stderr=err, env=ENVIRONMENT,
            )  # fmt: skip
            assert process.stdin is not None
            with process.stdin:
                for block in stdin:
                    process.stdin.write(block)
            self.code = process.wait(timeout=120)
            out.seek(0)
            err.seek(0)
            self.out = out.read()
            *said, peak = err.read().splitlines()
            self.err = b"\n".join(said)
            self.peak = int(peak) * 1024


def stream(size: int, *, distinct: bool = False) -> Iterator[bytes]:
    """Blocks of so many bytes together."""
    number = 0
    block = block_of(0, distinct=distinct)
    while size > 0:
        if distinct:
            block = block_of(number, distinct=True)
        number += 1
        size -= len(block)
        yield block


def test_default_of_max_memory_at_its_cap():
    assert LoadOptions().max_memory == limits.DEFAULT_MAX_MEMORY_BYTES == 2 << 30


@pytest.mark.parametrize("threads", ["1", "2"])
def test_peak_of_a_long_stream_with_few_stacks(threads):
    short, long = (Run("fold", "--threads", threads, "-", stdin=stream(size * MIB)) for size in (30, 300))
    for run in (short, long):
        assert (run.code, run.err, run.out.count(b"\n")) == (0, b"", 50)
    assert long.peak <= 128 * MIB
    assert long.peak - short.peak <= 32 * MIB


def test_peak_of_many_distinct_lines_and_few_stacks():
    """More than the memo of lines holds several times over."""
    size = 5 * limits.MAX_LINE_MEMO_BYTES
    run = Run("fold", "--threads", "1", "-", stdin=stream(size, distinct=True))
    assert (run.code, run.out.count(b"\n")) == (0, 50)
    assert run.peak <= 128 * MIB


@pytest.mark.parametrize("threads", ["1", "2"])
def test_peak_at_the_memory_cap(threads):
    count = 400_000

    def distinct_stacks() -> Iterator[bytes]:
        for start in range(0, count, 4_000):
            yield b"".join(sample([b"distinct_leaf_number_%d" % i], period=10) for i in range(start, start + 4_000))

    roomy, tight = (
        Run("fold", "--threads", threads, "--max-memory", memory, "-", stdin=distinct_stacks())
        for memory in ("1G", "24M")
    )
    for run in (roomy, tight):
        assert sum(int(line.rsplit(b" ", 1)[1]) for line in run.out.splitlines()) == 10 * count
    assert (roomy.code, roomy.err, roomy.out.count(b"\n")) == (0, b"", count)
    assert tight.code == 3
    assert b"samples of rare stacks folded into [other] at the memory cap" in tight.err
    assert tight.out.count(b"\n") < count // 2
    assert tight.peak < roomy.peak
    assert tight.peak < 128 * MIB


def recording_of_distinct_stacks(count: int) -> bytes:
    """A recording of one thread that was at another address each time, with a weight of 10."""
    writer = Writer()
    tid_time_chain = 1 << 1 | 1 << 2 | 1 << 5
    samples = [
        writer.record(9, writer.pack("IIQQQQ", 5, 5, time, 2, 2**64 - 512, 0x10_0000 + 16 * time), misc=2)
        for time in range(1, count + 1)
    ]
    rounds = [b"".join(samples[i : i + 4_000]) + writer.record(FINISHED_ROUND) for i in range(0, count, 4_000)]
    attr = writer.attr(sample_type=tid_time_chain, sample_period=10)
    return writer.file([(attr, [11])], b"".join(rounds))


@pytest.mark.parametrize("input", ["one thread", "two threads", "stream"])
def test_peak_of_a_recording_at_the_memory_cap(input: str, tmp_path: Path) -> None:
    count = 200_000
    recording = recording_of_distinct_stacks(count)
    if input != "stream":
        path = tmp_path / "perf.data"
        path.write_bytes(recording)
    arguments = [
        "--addrs",
        "--threads",
        "2" if input == "two threads" else "1",
        "-" if input == "stream" else str(path),
    ]
    roomy, tight = (
        Run("fold", "--max-memory", memory, *arguments, stdin=[recording] if input == "stream" else [])
        for memory in ("1G", "12M")
    )
    for run in (roomy, tight):
        assert sum(int(line.rsplit(b" ", 1)[1]) for line in run.out.splitlines()) == 10 * count
    assert (roomy.code, roomy.out.count(b"\n")) == (0, count)
    assert tight.code == 3
    assert b"samples of rare stacks folded into [other] at the memory cap" in tight.err
    others = [line for line in tight.out.splitlines() if b"[other]" in line]
    assert [line.rsplit(b" ", 1)[0] for line in others] == [b":5;[other]"]
    assert tight.out.count(b"\n") < count // 2
    assert tight.peak < roomy.peak
    assert tight.peak < 128 * MIB
