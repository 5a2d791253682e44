"""Progress: one line, on a terminal only, after one second only, gone at the end."""

from __future__ import annotations

import os
import pty
import subprocess
import time

import pytest

from flameparse.cli import terminal
from flameparse.cli.terminal import Console
from unit.cli_runs import COMMAND, ENVIRONMENT, TRACE, run_process


class Screen:
    """What a terminal would be sent, with a clock the test turns by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, on_terminal: bool = True) -> None:
        self.now = 100.0
        self.sent = b""
        monkeypatch.setattr(terminal.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(terminal.os, "isatty", lambda number: on_terminal)
        monkeypatch.setattr(terminal.os, "write", self.write)

    def write(self, number: int, text: bytes) -> int:
        assert number == 2
        self.sent += text
        return len(text)


def test_line_is_drawn_over_itself_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(monkeypatch)
    console = Console()
    screen.now += 0.99
    console.progress(10_000_000, 40_000_000, 1234)
    assert screen.sent == b""
    screen.now += 0.01
    console.progress(20_000_000, 40_000_000, 12345)
    first = b"20 MB 50%  20 MB/s  12,345 samples"
    assert screen.sent == b"\r" + first
    console.progress(20_000_001, 40_000_000, 12346)  # too soon to draw again
    assert screen.sent == b"\r" + first
    screen.now += 1
    console.progress(9_000_000, None, 1)
    second = b"9 MB  15 MB/s  1 samples"  # of a second input, after 20 MB of the first
    assert screen.sent == b"\r" + first + b"\r" + second.ljust(len(first))
    screen.sent = b""
    console.error("broken")
    assert screen.sent == b"\r" + b" " * len(second) + b"\rflameparse: broken\n"
    screen.sent = b""
    console.clear()
    assert screen.sent == b""


@pytest.mark.parametrize(("on_terminal", "quiet"), [(False, False), (True, True)])
def test_nothing_is_drawn(on_terminal: bool, quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(monkeypatch, on_terminal)
    console = Console()
    console.quiet = quiet
    screen.now += 5
    console.progress(1, 2, 3)
    console.clear()
    assert screen.sent == b""


def fold_slowly(seconds: float, stderr: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [*COMMAND, "fold"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr, env=ENVIRONMENT
    )
    assert process.stdin is not None
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        process.stdin.write(TRACE * 4000)
        process.stdin.flush()
        time.sleep(0.05)
    process.stdin.close()
    return process


@pytest.mark.parametrize(("seconds", "drawn"), [(2.0, True), (0.1, False)])
def test_on_a_terminal(seconds: float, drawn: bool) -> None:
    leader, follower = pty.openpty()
    process = fold_slowly(seconds, follower)
    assert process.wait(timeout=30) == 0
    os.close(follower)
    screen = b""
    try:
        while piece := os.read(leader, 65536):
            screen += piece
    except OSError:
        pass  # how Linux tells that the other end is closed
    os.close(leader)
    lines = screen.replace(b"\r\n", b"\n").split(b"\n")
    assert (b" MB/s  " in lines[0]) == drawn
    assert b"\x1b" not in screen
    assert lines[0].split(b"\r")[-1] == (
        b"flameparse: showing cycles only; also there: page-faults (--event NAME, or --event all)"
    )
    assert lines[1:] == [b""]


def test_not_in_a_file() -> None:
    process = fold_slowly(1.5, subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == 0
    assert said == b"flameparse: showing cycles only; also there: page-faults (--event NAME, or --event all)\n"


def test_a_document_is_refused_on_a_terminal() -> None:
    leader, follower = pty.openpty()
    try:
        done = run_process("fold", "--format", "msgpack", stdin=TRACE, stdout=follower)
        assert (done.returncode, done.stderr) == (
            2,
            b"flameparse: a document is not for a terminal: use -o FILE or a pipe\n",
        )
        assert run_process("fold", "-q", "--format", "msgpack", stdin=TRACE).returncode == 0
    finally:
        os.close(leader)
        os.close(follower)


def test_no_input_on_a_terminal_is_a_usage_error() -> None:
    leader, follower = pty.openpty()
    try:
        done = subprocess.run(
            [*COMMAND, "fold"], stdin=follower, capture_output=True, env=ENVIRONMENT, timeout=30, check=False
        )
    finally:
        os.close(leader)
        os.close(follower)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"flameparse: no input: name a file, or pipe one in (see `flameparse fold --help`)\n"
