"""Memory follows distinct stacks, not the length of the input."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from decoded_text import sample
from flameparse import limits
from flameparse.pipeline import LoadOptions
from unit.cli_runs import COMMAND, ENVIRONMENT

pytestmark = [
    pytest.mark.memory,
    pytest.mark.skipif(not hasattr(os, "wait4") or sys.platform != "linux", reason="asks Linux for the peak"),
]

MIB = 1 << 20


def block_of(number: int, *, distinct: bool) -> bytes:
    """About 300 KB of text: 50 stacks again and again or, ``distinct``, lines that never came before on them."""
    more = b"%08x" % number if distinct else b""
    frames = [b"frame_number_%d_of_a_c++_program_with_long_names" % i for i in range(20)]
    text = b"".join(
        sample([b"leaf%d" % i, *frames[: i % 20]], period=i, time=f"{number}.{i:06}") for i in range(50)
    )
    # What follows the plus sign is cut, so it makes lines and no stacks.
    return (text.replace(b"+0x10", b"+0x1" + more) if distinct else text) * 6


def fold(size: int, *options: str, distinct: bool = False) -> tuple[int, int, bytes, bytes]:
    """Fold so many bytes from a pipe; exit code, peak bytes, stdout, stderr."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [*COMMAND, "fold", *options, "-"], stdin=subprocess.PIPE, stdout=out, stderr=err, env=ENVIRONMENT
        )
        assert process.stdin is not None
        sent = number = 0
        block = block_of(0, distinct=False)
        with process.stdin:
            while sent < size:
                if distinct:
                    block = block_of(number, distinct=True)
                    number += 1
                process.stdin.write(block)
                sent += len(block)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return process.returncode, usage.ru_maxrss * 1024, out.read(), err.read()


def test_default_of_max_memory_at_its_cap():
    assert LoadOptions().max_memory == limits.DEFAULT_MAX_MEMORY_BYTES == 2 << 30


@pytest.mark.parametrize("threads", ["1", "2"])
def test_peak_of_a_long_stream_with_few_stacks(threads):
    code, short_peak, short_text, _ = fold(30 * MIB, "--threads", threads)
    assert code == 0
    code, long_peak, long_text, _ = fold(300 * MIB, "--threads", threads)
    assert code == 0
    assert long_text.count(b"\n") == short_text.count(b"\n") == 50
    assert long_peak <= 128 * MIB
    assert long_peak - short_peak <= 32 * MIB


def test_peak_of_many_distinct_lines_and_few_stacks():
    """More than the memo of lines holds several times over."""
    size = 5 * limits.MAX_LINE_MEMO_BYTES
    code, peak, text, _ = fold(size, "--threads", "1", distinct=True)
    assert code == 0
    assert text.count(b"\n") == 50
    assert peak <= 128 * MIB


@pytest.mark.parametrize("threads", ["1", "2"])
def test_peak_at_the_memory_cap(threads, tmp_path):
    count = 400_000
    trace: Path = tmp_path / "trace"
    with trace.open("wb") as file:
        for start in range(0, count, 4_000):
            file.write(b"".join(sample([b"distinct_leaf_number_%d" % i], period=10) for i in range(start, start + 4_000)))
    peaks = {}
    for memory in ("1G", "24M"):
        process = subprocess.Popen(
            [*COMMAND, "fold", "--threads", threads, "--max-memory", memory, str(trace), "-o", str(tmp_path / "o.folded")],
            stderr=subprocess.PIPE, env=ENVIRONMENT,
        )  # fmt: skip
        assert process.stderr is not None
        with process.stderr:
            said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peaks[memory] = usage.ru_maxrss * 1024
        lines = (tmp_path / "o.folded").read_bytes().splitlines()
        assert sum(int(line.rsplit(b" ", 1)[1]) for line in lines) == 10 * count
        if memory == "24M":
            assert process.returncode == 3
            assert b"samples of rare stacks folded into [other] at the memory cap" in said
            assert len(lines) < count // 2
        else:
            assert (process.returncode, said) == (0, b"")
            assert len(lines) == count
    assert peaks["24M"] < peaks["1G"]
    assert peaks["24M"] < 128 * MIB
