"""What the process says and returns when all is well and when it is not; nothing half done stays behind."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from flameparse._version import __version__
from flameparse.errors import LimitError
from recording_builder import FINISHED_ROUND, Writer
from unit.cli_runs import COMMAND, ENVIRONMENT, FOLDED, OTHER_EVENT, TRACE, run_here, run_process

OLD = b"old output\n"
JUNK_LINE = b"perf: interrupted by something\n"
DAMAGED_TRACE = JUNK_LINE + TRACE.replace(b"app 10/12", JUNK_LINE + b"app 10/12")


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "trace.txt"
    path.write_bytes(TRACE)
    return path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output that is there already, in a folder where any left-over would show."""
    folder = tmp_path / "out"
    folder.mkdir()
    path = folder / "result.folded"
    path.write_bytes(OLD)
    return path


def untouched(output: Path) -> bool:
    return os.listdir(output.parent) == [output.name] and output.read_bytes() == OLD


def test_complete(trace: Path, output: Path) -> None:
    assert run_here("fold", trace) == (0, FOLDED, OTHER_EVENT)
    assert run_here("fold", "-q", trace, "-o", output) == (0, b"", b"")
    assert (os.listdir(output.parent), output.read_bytes()) == ([output.name], FOLDED)


def test_stdin_is_the_default_input(trace: Path) -> None:
    assert run_here("fold", "-q", stdin=TRACE) == (0, FOLDED, b"")
    assert run_here("fold", "-q", "-", stdin=TRACE) == (0, FOLDED, b"")


def test_empty_input_is_complete(output: Path) -> None:
    assert run_here("fold") == (0, b"", b"flameparse: no samples in the input\n")
    assert run_here("fold", "-q", "-o", output) == (0, b"", b"")
    assert output.read_bytes() == b""


def test_version_and_help() -> None:
    assert run_here("--version") == (0, f"flameparse {__version__}\n".encode(), b"")
    for arguments in (["--help"], ["-h"], ["help"]):
        code, out, err = run_here(*arguments)
        assert (code, err, out.splitlines()[0]) == (0, b"", b"usage: flameparse COMMAND [OPTION]... [IN]...")
    code, out, err = run_here("fold", "--help")
    assert (code, err, out.splitlines()[0]) == (0, b"", b"usage: flameparse fold [OPTION]... [IN]... [-o OUT]")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "no command: choose from fold, render, info, report, merge, collect, completion (see `flameparse --help`)",
        ),
        (
            ["fodl"],
            "no command 'fodl': choose from fold, render, info, report, merge, collect, completion "
            "(see `flameparse --help`)",
        ),
        (["fold", "--nope", "TRACE"], "unrecognized arguments: --nope (see `flameparse fold --help`)"),
        (
            ["fold", "TRACE", "-o", "OUT.xml"],
            "OUT.xml: suffix '.xml' names no format: use .folded .txt .msgpack .html .svg or --format",
        ),
        (
            ["fold", "TRACE", "-o", "OUT"],
            "OUT: suffix '' names no format: use .folded .txt .msgpack .html .svg or --format",
        ),
        (
            ["fold", "TRACE", "--format", "msgpack", "--weight", "samples"],
            "a document keeps both weights: --weight is not for it",
        ),
        (["render", "TRACE"], "no output: name a file with -o, or a --format for stdout"),
        (["merge", "TRACE"], "no output: name a file with -o, or a --format for stdout"),
        (["render", "TRACE", "-o", "OUT.folded"], "OUT.folded: render draws .html or .svg (fold writes the rest)"),
    ],
)
def test_usage(arguments: list[str], message: str, trace: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "OUT")
    given = [argument.replace("TRACE", str(trace)).replace("OUT", out) for argument in arguments]
    assert run_here(*given) == (2, b"", f"flameparse: {message.replace('OUT', out)}\n".encode())
    assert os.listdir(tmp_path) == [trace.name]


def test_damage_is_told_beside_the_output(output: Path) -> None:
    code, out, err = run_here("fold", "--event", "all", "-o", output, stdin=DAMAGED_TRACE)
    assert (code, out) == (3, b"")
    assert err == b"flameparse: 2 lines not understood (line 1, 6)\n"
    assert output.read_bytes() == FOLDED + b"db;load 7\n"


def test_damage_of_a_recording_names_its_file(trace: Path, output: Path) -> None:
    path = trace.with_name("perf.data")
    records = Writer().record(FINISHED_ROUND)
    path.write_bytes(Writer().file(records=records + b"\1\0\0"))
    code, _, err = run_here("fold", "--event", "all", trace, path, "-o", output)
    stop = len(path.read_bytes())
    assert (code, err) == (3, f"flameparse: {path}: stopped at offset {stop - 3} of {stop}\n".encode())


def test_strict_damage_writes_nothing(output: Path) -> None:
    code, out, err = run_here("fold", "--strict", "-o", output, stdin=DAMAGED_TRACE)
    assert (code, out, err.count(b"\n")) == (4, b"", 1)
    assert err.startswith(b"flameparse: ")
    assert untouched(output)
    assert run_here("fold", "--strict", stdin=DAMAGED_TRACE)[:2] == (4, b"")


def test_truncated_gzip(tmp_path: Path, output: Path) -> None:
    whole = gzip.compress(TRACE * 2000)
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[:-300])
    code, _, err = run_here("fold", "-q", path, "-o", output)
    assert (code, err.count(b"\n")) == (3, 1)
    assert str(path).encode() in err
    name, weight = output.read_bytes().splitlines()[1].rsplit(b" ", 1)
    assert name == b"app;main;leaf"
    assert 0 < int(weight) < 100 * 2000
    output.write_bytes(OLD)
    assert run_here("fold", "--strict", path, "-o", output)[0] == 4
    assert untouched(output)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, b"No such file or directory"),
        (b"\x00\x01\x02 nothing anybody knows\n" * 20, None),
        (b"\x7fELF" + bytes(200), None),
    ],
)
def test_unusable_input(content: bytes | None, reason: bytes | None, tmp_path: Path, output: Path) -> None:
    path = tmp_path / "input"
    if content is not None:
        path.write_bytes(content)
    code, out, err = run_here("fold", path, "-o", output)
    assert (code, out) == (4, b"")
    assert err.startswith(b"flameparse: %s: " % str(path).encode())
    assert err.count(b"\n") == 1
    if reason is not None:
        assert reason in err
    assert untouched(output)


def test_a_directory_is_no_input(tmp_path: Path, output: Path) -> None:
    code, out, err = run_here("fold", tmp_path, "-o", output)
    assert (code, out) == (4, b"")
    wanted = b"a file named data (perf), stacks.PID.out (0x) or *.cpuprofile (node)"
    assert err == b"flameparse: %s: is a folder without a recording, which would be %s\n" % (bytes(tmp_path), wanted)
    assert untouched(output)


def test_one_unusable_input_of_several_stops_all(trace: Path, tmp_path: Path, output: Path) -> None:
    missing = tmp_path / "missing"
    for inputs in ([trace, missing], [missing, trace]):
        code, out, err = run_here("fold", *inputs, "-o", output)
        assert (code, out) == (4, b"")
        assert err == b"flameparse: %s: No such file or directory\n" % str(missing).encode()
        assert untouched(output)


@pytest.mark.parametrize("arguments", [["fold", "-q"], ["info"], ["report", "-q"], ["--version"], ["--help"]])
def test_full_disk_behind_stdout(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = run_process(*arguments, stdin=TRACE, stdout=full)
    assert done.returncode == 5
    assert done.stderr == b"flameparse: standard output: No space left on device\n"


def test_missing_output_folder(trace: Path, tmp_path: Path) -> None:
    target = tmp_path / "none" / "out.folded"
    code, out, err = run_here("fold", trace, "-o", target)
    assert (code, out) == (5, b"")
    assert err == f"flameparse: {target}: cannot write in {str(target.parent)!r}\n".encode()
    assert os.listdir(tmp_path) == [trace.name]


@pytest.mark.parametrize("arguments", [["fold", "-q"], ["info"], ["report", "-q"], ["--version"], ["--help"]])
def test_closed_pipe_is_silent(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run_process(*arguments, stdin=TRACE, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_head_closes_the_pipe_midway() -> None:
    many = b"".join(
        b"app 1/1 1.000000: 1 cycles:\n\t 1 function_%d (/bin/app)\n\n" % number for number in range(20_000)
    )
    shell = '"$0" -m flameparse fold | head -c0; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", shell, COMMAND[0]], input=many, capture_output=True, env=ENVIRONMENT, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == (b"141\n", b"")


def test_closed_stdout_and_stderr(trace: Path, output: Path) -> None:
    shell = '"$0" -m flameparse "$@" >&-'
    done = subprocess.run(["bash", "-c", shell, COMMAND[0], "fold", trace], capture_output=True, env=ENVIRONMENT)
    assert (done.returncode, done.stderr.count(b"\n")) == (5, 2)  # the note on other events, then the error
    shell = '"$0" -m flameparse "$@" 2>&-'
    done = subprocess.run(["bash", "-c", shell, COMMAND[0], "fold", trace], capture_output=True, env=ENVIRONMENT)
    assert (done.returncode, done.stdout) == (0, FOLDED)


@pytest.mark.parametrize("stage", ["waiting for input", "half way"])
def test_ctrl_c(stage: str, output: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "fold", "-o", str(output)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    assert process.stdin is not None
    assert process.stderr is not None
    if stage == "half way":
        process.stdin.write(TRACE * 20_000)
        process.stdin.flush()
    else:
        time.sleep(0.5)  # past start-up, where the interpreter itself would answer
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    assert time.monotonic() - started < 0.2
    assert process.stderr.read() == b""
    process.stdin.close()
    process.stderr.close()
    assert untouched(output)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (MemoryError(), 5, b"flameparse: out of memory (try --max-memory)\n"),
        (OverflowError("weights past 2**64 - 1"), 4, b"flameparse: weights past 2**64 - 1\n"),
        (OSError(5, "Input/output error", "/etc/x"), 5, b"flameparse: /etc/x: Input/output error\n"),
        (OSError(5, "Input/output error"), 5, b"flameparse: Input/output error\n"),
        (LimitError("too deep", format_name="msgpack document", offset=3), 4, None),
        (KeyboardInterrupt(), 130, b""),
        (BrokenPipeError(), 141, b""),
    ],
)
def test_each_error_has_its_code(
    error: BaseException, code: int, said: bytes | None, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("flameparse.pipeline.load", fail)
    expected = b"flameparse: msgpack document: offset 3: too deep\n" if said is None else said
    assert run_here("fold", "in", "-o", output) == (code, b"", expected)
    assert untouched(output)


def test_an_output_that_cannot_be_made(trace: Path) -> None:
    if not os.path.isdir("/proc/self"):
        pytest.skip("no /proc here")
    code, out, err = run_here("fold", "-q", trace, "-o", "/proc/flameparse.folded")
    assert (code, out) == (5, b"")
    assert err.startswith(b"flameparse: /proc/flameparse.folded: ")
    assert err.count(b"\n") == 1


def test_a_read_only_folder(trace: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    output.parent.chmod(0o500)
    try:
        assert run_here("fold", "-q", trace, "-o", output)[:2] == (5, b"")
        new = output.with_name("new.folded")
        said = f"flameparse: {new}: cannot write in {str(output.parent)!r}\n".encode()
        assert run_here("fold", trace, "-o", new) == (5, b"", said)
        monkeypatch.chdir(output.parent)
        assert run_here("fold", "-q", trace) == (0, FOLDED, b"")
        assert run_here("fold", "-q", trace, "--format", "folded", "-o", "/dev/null") == (0, b"", b"")
    finally:
        output.parent.chmod(0o700)
    assert untouched(output)


@pytest.mark.parametrize(
    ("arguments", "folded"),
    [
        (["--event", "page-faults"], b"db;load 7\n"),
        (["--event", "cycles", "--event", "page-faults"], FOLDED + b"db;load 7\n"),
        (["--event", "all"], FOLDED + b"db;load 7\n"),
        (["--event-filter=cycles"], FOLDED),
        (["--weight", "samples", "--event", "all"], b"app;main 1\napp;main;leaf 1\ndb;load 1\n"),
        (["--root", "none", "--event", "all"], b"load 7\nmain 50\nmain;leaf 100\n"),
        (["--no-aggregate", "--event", "all"], b"app;main;leaf 100\napp;main 50\ndb;load 7\n"),
    ],
)
def test_chosen_events_and_shapes_make_no_note(arguments: list[str], folded: bytes) -> None:
    assert run_here("fold", *arguments, stdin=TRACE) == (0, folded, b"")


def test_stage_times_are_said_when_verbose() -> None:
    code, out, err = run_here("fold", "-v", "--event", "all", stdin=TRACE)
    assert (code, out) == (0, FOLDED + b"db;load 7\n")
    assert [line.partition(b": ")[2].partition(b": ")[0] for line in err.splitlines()] == [b"read and fold", b"write"]
