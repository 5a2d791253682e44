"""What a document says of the DSOs that its frames were resolved in, and the lines that are made of it."""

from __future__ import annotations

import pytest
from msgpack import unpackb

from flameparse import limits
from flameparse.cli.info import summarise
from flameparse.document.account import modules, warnings
from flameparse.document.document import Document
from flameparse.document.writer import pack
from flameparse.fold import fold
from flameparse.model.diagnostics import Diagnostics
from flameparse.model.profile import Profile
from flameparse.pipeline import _fold, load
from unit.cli_runs import run_here


def account(*rows: tuple[bytes, int, int]) -> Diagnostics:
    diagnostics = Diagnostics()
    for path, frames, named in rows:
        diagnostics.add_module(
            path, build_id=b"\xab", frames=frames, named=named, ambiguous=named // 2, file="", reason="gone"
        )
    return diagnostics


def folded(diagnostics: Diagnostics) -> Document:
    profile = Profile()
    profile.diagnostics = diagnostics
    return _fold(profile, "comm", {})


def test_the_ones_with_the_most_nameless_frames_come_first_and_no_more_than_a_document_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [(b"a", 5, 5), (b"b", 9, 1), (b"c", 9, 2), (b"d", 0, 0)]
    assert [row["path"] for row in modules(folded(account(*rows)))] == [b"b", b"c", b"a", b"d"]
    monkeypatch.setattr(limits, "MAX_MODULE_ROWS", 2)
    assert [row["path"] for row in modules(folded(account(*rows)))] == [b"b", b"c"]


def test_one_path_and_build_id_is_one_row() -> None:
    diagnostics = account((b"a", 5, 5), (b"a", 4, 1))
    diagnostics.absorb(account((b"a", 1, 0), (b"b", limits.MAX_COUNT, 0)))
    diagnostics.absorb(account((b"b", 1, 0)))
    assert {
        path: (row["frames"], row["named"], row["ambiguous"]) for (path, _), row in diagnostics.modules.items()
    } == {b"a": (10, 6, 2), b"b": (limits.MAX_COUNT, 0, 0)}


def test_a_document_keeps_its_modules_when_it_is_read_again(tmp_path) -> None:
    profile = Profile()
    profile.diagnostics = account((b"a\xff", 5, 5), (b"b", 9, 1))
    profile.samples.add_row(
        profile.events.add(profile.strings.add(b"e")), profile.threads.add(profile.strings.add(b"c")), 0xFFFF_FFFF
    )
    document = _fold(profile, "comm", {})
    path = tmp_path / "d.msgpack"
    document.write(str(path))
    assert modules(load(str(path))) == modules(document)
    assert modules(load([str(path), str(path)])) == [
        {**row, **{key: 2 * row[key] for key in ("frames", "named", "ambiguous")}} for row in modules(document)
    ]


def test_rows_that_make_no_sense_are_passed_over() -> None:
    document = fold(Profile(), meta={}, diagnostics={"modules": [1, {"path": "text"}, {"path": b"x", "frames": -1}]})
    assert modules(document) == [
        {"path": b"x", "build_id": b"", "frames": 0, "named": 0, "ambiguous": 0, "file": "", "reason": ""},
    ]
    document.diagnostics["modules"][2]["build_id"] = "odd"
    assert modules(document)[0]["build_id"] == b""


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"samples_seen": 100, "lost": 1}, []),
        (
            {"samples_seen": 98, "lost": 2},
            ["2.0 % of the samples were lost while recording (2 of 100)"],
        ),
        ({"frames_seen": 100, "frames_unnamed": 1}, []),
        ({"frames_seen": 100, "frames_unnamed": 2}, ["2.0 % of the frames have no name"]),
        (
            {"samples_seen": 100, "truncated_stacks": 2},
            ["2.0 % of the samples end at the recording's depth cap, so their callers are missing"],
        ),
        (
            {"samples_seen": 10, "not_unwound": 10},
            [
                "100.0 % of the samples carry a copy of the user stack (--call-graph dwarf), which is not unwound: "
                "only the function they were in is shown"
            ],
        ),
        (
            {"samples_seen": 100, "early_samples": 2},
            [
                "2.0 % of the samples were decoded before all was read that their processes had mapped by then: "
                "a larger --max-memory, or a file instead of a pipe, would do"
            ],
        ),
        ({"samples_seen": 100, "dropped": {"unknown event": 1}}, []),
        (
            {"samples_seen": 100, "dropped": {"unknown event": 2}},
            ["2.0 % of the samples are of no event that the recording describes"],
        ),
        ({"samples_seen": 100, "dropped": 5}, []),
        ({"frames_seen": 100, "ambiguous_frames": 1}, []),
        (
            {"frames_seen": 50, "ambiguous_frames": 1},
            [
                "2.0 % of the frames stand where a perf map has several functions, one after the other: the last is "
                "taken; node --perf-prof under perf record -k mono has exact names"
            ],
        ),
        ({"frames_seen": 0}, []),
    ],
)
def test_more_than_one_percent_is_said(counts: dict[str, object], expected: list[str]) -> None:
    assert warnings(fold(Profile(), meta={}, diagnostics=counts)) == expected


def test_the_worst_module_is_named() -> None:
    diagnostics = account((b"good", 90, 90), (b"bad", 5, 1), (b"worse", 9, 1))
    diagnostics.count("frames_seen", 104)
    diagnostics.count("frames_unnamed", 12)
    assert warnings(folded(diagnostics)) == ["11.5 % of the frames have no name, most of them in worse: gone"]


def test_info_lists_them() -> None:
    summary = summarise(folded(account((b"b\xff", 9, 1))))
    assert summary["diagnostics"]["modules"] == [
        {"path": "b\\xff", "build_id": "ab", "frames": 9, "named": 1, "ambiguous": 0, "file": "", "reason": "gone"}
    ]


def test_info_counts_ambiguous_frames(tmp_path) -> None:
    profile = Profile()
    profile.diagnostics.count("frames_seen", 50)
    profile.diagnostics.count("ambiguous_frames", 1)
    path = tmp_path / "d.msgpack"
    _fold(profile, "comm", {}).write(str(path))
    _, out, err = run_here("info", path)
    assert b"frames with several JIT names  1\n" in out
    assert b"2.0 % of the frames stand where a perf map has several functions" in err


def test_what_is_no_text_does_not_make_the_document_unreadable() -> None:
    diagnostics = Diagnostics()
    for path, text in ((b"/x\xff", "no file /x\udcff here"), (b"/y", "of another kernel (\ud800)")):
        diagnostics.add_module(path, build_id=b"", frames=1, named=0, file=text, reason=text)
    rows = unpackb(bytes(pack(folded(diagnostics))))["diagnostics"]["modules"]
    assert [(row["path"], row["file"], row["reason"]) for row in rows] == [
        (b"/x\xff", "no file /x\\udcff here", "no file /x\\udcff here"),
        (b"/y", "of another kernel (\\ud800)", "of another kernel (\\ud800)"),
    ]
