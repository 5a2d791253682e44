"""What ``info`` says of a trace, number for number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from recording_builder import Writer
from unit.cli_runs import FOLDED, OTHER_EVENT, TRACE, run_here

JUNK = b"nothing perf prints\n"


def info(*arguments: str, stdin: bytes = TRACE) -> dict[str, Any]:
    code, out, err = run_here("info", "--json", *arguments, stdin=stdin)
    assert (code, err) == (0, b"")
    found: dict[str, Any] = json.loads(out)
    return found


def test_json() -> None:
    found = info()
    assert found["events"] == [
        {"name": "cycles", "samples": 2, "weight": 150, "unit": "period"},
        {"name": "page-faults", "samples": 1, "weight": 7, "unit": "period"},
    ]
    assert found["processes"] == [
        {"comm": "app", "pid": 10, "samples": 2},
        {"comm": "db", "pid": 20, "samples": 1},
    ]
    assert (found["threads"], found["stacks"], found["frames"], found["has_timeline"]) == (3, 3, 3, False)
    assert (found["meta"]["first_time_ns"], found["meta"]["last_time_ns"]) == (1_000_000_000, 2_250_000_000)
    assert (found["diagnostics"]["samples_seen"], found["diagnostics"]["samples_folded"]) == (3, 3)


def test_seen_is_folded_and_dropped_with_the_reason() -> None:
    account = info("--from", "+0.5", "--exclude", "comm=^db$")["diagnostics"]
    assert account["samples_seen"] == 3
    assert account["samples_folded"] == 1
    assert sorted(account["dropped"].values()) == [1, 1]


def test_table() -> None:
    code, out, err = run_here("info", stdin=TRACE)
    assert (code, err) == (0, b"")
    assert out.decode() == (
        "samples seen     3\n"
        "samples folded   3\n"
        "samples dropped  0\n"
        "samples lost     0\n"
        "unknown lines    0\n"
        "time             1.000000000 to 2.250000000 (1.250000000 s)\n"
        "threads          3\n"
        "distinct stacks  3\n"
        "distinct frames  3\n"
        "\n"
        "samples  weight    unit  event\n"
        "      2     150  period  cycles\n"
        "      1       7  period  page-faults\n"
        "\n"
        "samples  pid  process\n"
        "      2   10  app\n"
        "      1   20  db\n"
    )


def test_what_records_lack_is_in_the_table() -> None:
    w = Writer()
    attr = w.attr(sample_type=1 << 5)  # a chain and nothing else
    good, hopeless, late = (
        w.record(9, w.pack("QQQ", 2, marker, 0x1010), 2) for marker in (2**64 - 512, 2**64 - 2048, 2**64 - 640)
    )
    code, out, _ = run_here("info", stdin=w.file([(attr, [11])], good + hopeless * 2 + late * 3 + w.record(1, b"cut")))
    assert code == 0
    facts = dict(line.split("  ", 1) for line in out.decode().partition("\n\n")[0].splitlines())
    assert {name: facts[name].strip() for name in facts if name.startswith(("chains", "records"))} == {
        "chains of no use": "2",
        "chains without a user part": "3",
        "records too short": "1",
    }


def test_unknown_lines_are_counted_and_the_first_five_named() -> None:
    code, out, err = run_here("info", stdin=TRACE + JUNK * 7)
    assert (code, err) == (3, b"flameparse: 7 lines not understood (line 11, 12, 13, 14, 15, ...)\n")
    assert b"unknown lines    7 (first at line 11, 12, 13, 14, 15)\n" in out


def test_only_the_busiest_processes_are_listed() -> None:
    many = b"".join(b"p%d %d/%d 1.000000: 1 cycles:\n\t 1 f (/p)\n\n" % (pid, pid, pid) for pid in range(1, 41))
    code, out, err = run_here("info", stdin=many)
    assert (code, err) == (0, b"")
    lines = out.decode().splitlines()
    assert lines[-1] == "and 10 more (--json lists all)"
    assert len(lines) == lines.index("samples  pid  process") + 1 + 30 + 1
    assert len(info(stdin=many)["processes"]) == 40


def test_a_document_and_folded_text_can_be_asked_too(tmp_path: Path) -> None:
    document = tmp_path / "trace.msgpack"
    assert run_here("fold", "-o", document, stdin=TRACE) == (0, b"", b"")
    from_trace, from_document = info(), info(str(document))
    for key in ("events", "processes", "threads", "stacks", "frames"):
        assert from_document[key] == from_trace[key]
    folded = info(stdin=b"a;b 3\na 4\n")
    assert folded["events"] == [{"name": "", "samples": 7, "weight": 7, "unit": "samples"}]
    assert folded["processes"] == []


def test_what_a_document_asks_to_leave_out_is_said_and_counted_all_the_same(tmp_path: Path) -> None:
    document = tmp_path / "trace.msgpack"
    hiding = ("--hide", "kernel", "--hide", "cpp", "--v8-tiers", "merge", "--collapse-interpreter")
    assert run_here("fold", *hiding, "-o", document, stdin=TRACE) == (0, b"", b"")
    assert info(str(document))["frames"] == info()["frames"] == 3
    code, out, err = run_here("info", document)
    assert (code, err) == (0, b"")
    assert [line for line in out.decode().splitlines() if line.startswith("view")] == [
        "view             v8 tiers: merge",
        "view             hide: cpp, kernel",
        "view             collapse interpreter: True",
    ]
    assert run_here("fold", document) == (0, b"app 150\n", OTHER_EVENT)
    assert run_here("fold", document, "--show-all") == (0, FOLDED, OTHER_EVENT)


def test_empty_input() -> None:
    code, out, err = run_here("info")
    assert (code, err) == (0, b"flameparse: no samples in the input\n")
    assert out.startswith(b"samples seen     0\n")
