"""Arguments to options: every spelling, every refusal, and that options may stand anywhere."""

from __future__ import annotations

import os
from argparse import Namespace

import pytest

from flameparse.cli.dispatch import COMMANDS
from flameparse.cli.options import (
    FRAME_CLASSES,
    FRAME_FILTERS,
    V8_TIERS,
    build_parser,
    chosen_event,
    chosen_root,
    load_options,
    parse,
)
from flameparse.errors import UsageError
from flameparse.frames.classify import CLASSES, FILTERS
from flameparse.load_options import TIER_MODES


def parsed(command: str, *arguments: str) -> Namespace:
    return parse(build_parser(command, COMMANDS[command]), arguments)


def test_defaults_are_the_pipelines_own() -> None:
    from flameparse.load_options import LoadOptions

    chosen, default = load_options(parsed("fold", "trace")), LoadOptions()
    for name in LoadOptions.__slots__:
        assert getattr(chosen, name) == getattr(default, name), name


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--threads", "3"], "threads", 3),
        (["-n", "3"], "threads", 3),
        (["--nthreads", "3"], "threads", 3),
        (["--max-memory", "512M"], "max_memory", 512 << 20),
        (["--max-memory", "2g"], "max_memory", 2 << 30),
        (["--max-memory", "4096"], "max_memory", 4096),
        (["--include", "comm=^a;b$"], "include", (("comm", b"^a;b$"),)),
        (["--exclude", "pid=1", "--exclude", "frame=a=b"], "exclude", (("pid", b"1"), ("frame", b"a=b"))),
        (["--include", os.fsdecode(b"frame=\xff")], "include", (("frame", b"\xff"),)),
        (["--from", "12.5"], "time_from", "12.5"),
        (["--from", "+3"], "time_from", "+3"),
        (["--to=+0.000001"], "time_to", "+0.000001"),
        (["--names", "raw"], "names", "raw"),
        (["--compat", "inferno"], "compat", "inferno"),
        (["--compat", "stackcollapse-perf"], "compat", "stackcollapse-perf"),
        (["--kernel"], "annotate_kernel", True),
        (["--kernel"], "annotate_jit", False),
        (["--jit"], "annotate_jit", True),
        (["--all"], "annotate_kernel", True),
        (["--all"], "annotate_jit", True),
        (["--addrs"], "addrs", True),
        (["--skip-after", "f", "--skip-after", "g h"], "skip_after", (b"f", b"g h")),
        (["--root", "none"], "root", "none"),
        (["--pid"], "root", "pid"),
        (["--tid"], "root", "tid"),
        (["--tid", "--pid"], "root", "tid"),
        (["--no-aggregate"], "timeline", True),
    ],
)
def test_option_reaches_the_pipeline(arguments: list[str], name: str, value: object) -> None:
    assert getattr(load_options(parsed("fold", *arguments, "trace")), name) == value


@pytest.mark.parametrize(
    ("arguments", "view"),
    [
        (["--v8-tiers", "merge"], {"v8_tiers": "merge"}),
        (["--hide", "libc", "--hide", "kernel"], {"hide": ["kernel", "libc"]}),
        (["--only", "app"], {"only": ["app"]}),
        (["--filter", "ics", "--filter", "0x"], {"filters": ["0x", "ics"]}),
        (["--collapse-interpreter"], {"collapse_interpreter": True}),
        (["--v8-tiers", "keep"], {}),
        (["--show-all"], {}),
    ],
)
def test_classes_reach_the_pipeline_as_a_view(arguments: list[str], view: dict[str, object]) -> None:
    chosen = load_options(parsed("fold", *arguments, "trace")).view
    assert chosen is not None
    assert chosen.to_meta() == view


def test_without_an_option_a_document_says_what_is_shown() -> None:
    assert load_options(parsed("fold", "trace")).view is None


def test_show_all_goes_with_nothing_that_hides() -> None:
    with pytest.raises(UsageError, match="--show-all leaves nothing out"):
        load_options(parsed("fold", "--show-all", "--hide", "v8", "trace"))


def test_options_may_stand_between_inputs() -> None:
    args = parsed("fold", "a", "--pid", "b", "-o", "out.folded", "-", "--", "-c")
    assert (args.inputs, args.output, chosen_root(args)) == (["a", "b", "-", "-c"], "out.folded", "pid")


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ([], None),
        (["--event", "a"], b"a"),
        (["--event-filter=a:ppp"], b"a:ppp"),
        (["--event", "a", "--event", "b;c"], (b"a", b"b;c")),
        (["--event", "all"], b"all"),
    ],
)
def test_which_event_is_shown(events: list[str], shown: bytes | tuple[bytes, ...] | None) -> None:
    assert chosen_event(parsed("fold", *events, "trace")) == shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threads", "0"], "argument -n/--threads/--nthreads: '0' is not a number above zero"),
        (["--threads", "-1"], "argument -n/--threads/--nthreads: '-1' is not a number above zero"),
        (["--threads", "1e3"], "argument -n/--threads/--nthreads: '1e3' is not a number above zero"),
        (["--threads", "٣"], "argument -n/--threads/--nthreads: '٣' is not a number above zero"),
        (["--max-memory", "0"], "argument --max-memory: '0' is not a size like 512M or 2G"),
        (["--max-memory", "5X"], "argument --max-memory: '5X' is not a size like 512M or 2G"),
        (["--from", "-1"], "argument --from: '-1' is not a time like 12.5, or +3 from the first sample"),
        (["--to", "nan"], "argument --to: 'nan' is not a time like 12.5, or +3 from the first sample"),
        (
            ["--include", "dso=x"],
            "argument --include: 'dso=x' is not KIND=REGEX with KIND one of comm, pid, tid, cpu, frame",
        ),
        (
            ["--include", "comm"],
            "argument --include: 'comm' is not KIND=REGEX with KIND one of comm, pid, tid, cpu, frame",
        ),
        (
            ["--exclude", "frame=("],
            "argument --exclude: 'frame=(': missing ), unterminated subpattern at position 0",
        ),
        (["--pi"], "unrecognized arguments: --pi"),
        (["--event"], "argument --event/--event-filter: expected one argument"),
    ],
)
def test_refusals(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed("fold", "trace", *arguments)
    assert str(caught.value) == f"{message} (see `flameparse fold --help`)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-", "a", "-"], "stdin (-) can be read only once"),
        (["a", "--event", "all", "--event", "x"], "--event all cannot be joined with another --event"),
    ],
)
def test_contradictions(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed("fold", *arguments)
    assert str(caught.value) == message


def test_without_inputs_stdin_is_read_unless_it_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda number: False)
    assert parsed("info").inputs == ["-"]
    monkeypatch.setattr(os, "isatty", lambda number: True)
    with pytest.raises(UsageError) as caught:
        parsed("info")
    assert str(caught.value) == "no input: name a file, or pipe one in (see `flameparse info --help`)"
    assert parsed("info", "-").inputs == ["-"]


@pytest.mark.parametrize("command", ["fold", "render", "info", "report", "merge"])
def test_shared_options_are_spelled_alike(command: str) -> None:
    shared = ["-n", "2", "--max-memory", "1G", "--strict", "-q", "-v", "--event", "e", "--from", "+1", "--to", "+2"]
    output = ["-o", "x.svg"] if command in ("render", "merge") else []
    args = parsed(command, *shared, "--include", "comm=a", "--exclude", "cpu=0", *output, "in")
    options = load_options(args)
    assert (options.threads, options.max_memory, args.strict, args.event) == (2, 1 << 30, True, [b"e"])
    assert (options.time_from, options.time_to) == ("+1", "+2")
    assert (options.include, options.exclude) == ((("comm", b"a"),), (("cpu", b"0"),))
    assert (args.quiet, args.verbose) == (True, True)


def test_classes_and_filters_are_those_there_are() -> None:
    assert CLASSES[1:] == FRAME_CLASSES
    assert tuple(FILTERS) == FRAME_FILTERS
    assert TIER_MODES == V8_TIERS


@pytest.mark.parametrize(
    "arguments", [["--hide", "none"], ["--only", "nodeCore"], ["--filter", "v8"], ["--v8-tiers", "x"]]
)
def test_classes_that_there_are_not(arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        parsed("fold", *arguments, "trace")
