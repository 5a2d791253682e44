"""``render`` and ``merge``: which option reaches which picture, and what is kept beside it."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from flameparse.cli import output
from flameparse.cli.dispatch import COMMANDS
from flameparse.cli.options import build_parser
from flameparse.cli.terminal import Console
from flameparse.render.svg import SvgOptions
from unit.cli_runs import OTHER_EVENT, TRACE, run_here


def picture(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> SvgOptions:
    """Run ``render`` up to the point where it would read, and catch how it would draw."""
    caught: list[SvgOptions] = []

    def catch(args: Namespace, console: Console, format_name: str, options: SvgOptions) -> int:
        caught.append(options)
        return 0

    monkeypatch.setattr("flameparse.cli.render.load_and_write", catch)
    assert run_here("render", "in", "-o", "out.svg", *arguments) == (0, b"", b"")
    return caught[0]


def test_defaults_are_the_pictures_own(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, default = picture(monkeypatch), SvgOptions()
    for name in SvgOptions.__slots__:
        assert getattr(chosen, name) == getattr(default, name), name


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--title", "a <b>"], "title", "a <b>"),
        (["--subtitle", "s"], "subtitle", "s"),
        (["--notes", "n"], "notes", "n"),
        (["--countname", "calls"], "countname", "calls"),
        (["--nametype", "Frame:"], "nametype", "Frame:"),
        (["--width", "800"], "width", 800),
        (["--fluid"], "fluid", True),
        (["--height", "20"], "height", 20),
        (["--minwidth", "0.5%"], "minwidth", "0.5%"),
        (["--minwidth", "2"], "minwidth", "2"),
        (["--fonttype", "serif"], "fonttype", "serif"),
        (["--fontsize", "9.5"], "fontsize", 9.5),
        (["--fontwidth", "0.6"], "fontwidth", 0.6),
        (["--truncate", "left"], "truncate", "left"),
        (["--colors", "js"], "colors", "js"),
        (["--bgcolors", "#010203"], "bgcolors", "#010203"),
        (["--uicolor", "#010203"], "uicolor", "#010203"),
        (["--strokecolor", "none"], "strokecolor", "none"),
        (["--search-color", "#010203"], "searchcolor", "#010203"),
        (["--hash"], "coloring", "hash"),
        (["--random"], "coloring", "random"),
        (["--colordiffusion"], "coloring", "width"),
        (["--inverted"], "inverted", True),
        (["--inverted"], "title", "Icicle Graph"),
        (["--reverse"], "reverse", True),
        (["--flamechart"], "flamechart", True),
        (["--base", "f", "--base", "g"], "base", {b"f", b"g"}),
        (["--total", "1000"], "total", 1000),
        (["--factor", "0.5"], "factor", 0.5),
        (["--no-script"], "script", False),
        (["--event", "cycles"], "event", b"cycles"),
        (["--weight", "samples"], "weight", "samples"),
        (["--tid"], "root", "tid"),
    ],
)
def test_option_reaches_the_picture(
    arguments: list[str], name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert getattr(picture(monkeypatch, *arguments), name) == value


def test_every_option_of_the_picture_can_be_given() -> None:
    actions = {action.dest for action in build_parser("render", COMMANDS["render"])._actions}
    assert set(SvgOptions.__slots__) - actions == {"palette_map"}  # that is --cp and --palette-map


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--width", "7"], b"width must be between 100 and 100000, not 7"),
        (["--colors", "mud"], None),
        (["--bgcolors", "red"], b"bgcolors must be a colour such as #1a2b3c, not 'red'"),
        (["--factor", "-1"], b"factor must not be negative, not -1.0"),
        (["--flamechart", "--reverse"], b"a flame chart keeps the order of time: it takes neither reverse nor base"),
    ],
)
def test_refusals(arguments: list[str], message: bytes | None, tmp_path: Path) -> None:
    code, out, err = run_here("render", "-", "-o", tmp_path / "x.svg", *arguments, stdin=TRACE)
    assert (code, out, err.count(b"\n")) == (2, b"", 1)
    assert message is None or err == b"flameparse: " + message + b"\n"
    assert os.listdir(tmp_path) == []


def titles(svg: bytes) -> set[str]:
    return {element.text or "" for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")}


@pytest.mark.parametrize("command", ["fold", "render", "merge"])
def test_svg(command: str, tmp_path: Path) -> None:
    path = tmp_path / "x.svg"
    assert run_here(command, "-", "-o", path, stdin=TRACE) == (0, b"", OTHER_EVENT)
    shown = " ".join(titles(path.read_bytes()))
    assert "leaf (100 " in shown
    assert "load" not in shown
    assert run_here(command, "-q", "--event", "page-faults", "--format", "svg", stdin=TRACE)[:2] != (
        0,
        path.read_bytes(),
    )


def test_warnings_of_the_picture_are_notes(tmp_path: Path) -> None:
    path = tmp_path / "x.svg"
    said = b"flameparse: low counts: 7 in all; the picture may mislead\n"
    assert run_here("render", "--event", "page-faults", "-o", path, stdin=TRACE) == (0, b"", said)
    assert run_here("render", "-q", "--event", "page-faults", "-o", path, stdin=TRACE) == (0, b"", b"")
    assert run_here("render", "-o", path) == (0, b"", b"flameparse: no samples in the input\n")
    assert ElementTree.fromstring(path.read_bytes()).tag == "{http://www.w3.org/2000/svg}svg"


def test_html_holds_every_event(tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    assert run_here("render", "--title", "the title", "-o", path, stdin=TRACE) == (0, b"", b"")
    page = path.read_bytes()
    assert page[:15].lower() == b"<!doctype html>"
    assert b"<title>the title" in page


def test_palette_map_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("palette.map").write_bytes(b"leaf->rgb(1,2,3)\n")
    assert run_here("render", "-q", "--cp", "-o", "x.svg", stdin=TRACE) == (0, b"", b"")
    assert b"#010203" in Path("x.svg").read_bytes()
    kept = Path("palette.map").read_bytes().splitlines()
    assert kept[1] == b"leaf->rgb(1,2,3)"
    assert [line.partition(b"->")[0] for line in kept] == [b"app", b"leaf", b"main"]
    assert run_here("render", "-q", "--palette-map", "other.map", "-o", "y.svg", stdin=TRACE)[0] == 0
    assert len(Path("other.map").read_bytes().splitlines()) == 3
    assert (
        run_here("render", "-q", "--strict", "--palette-map", "z.map", "-o", "z.svg", stdin=TRACE + b"junk\n")[0] == 4
    )
    assert sorted(os.listdir()) == ["other.map", "palette.map", "x.svg", "y.svg"]
    Path("other.map").write_bytes(b"nonsense\n")
    assert run_here("render", "-q", "--palette-map", "other.map", "-o", "y.svg", stdin=TRACE) == (
        2,
        b"",
        b"flameparse: palette map, line 1: wanted name->rgb(r,g,b)\n",
    )


def test_name_attributes(tmp_path: Path) -> None:
    attributes = tmp_path / "names"
    attributes.write_bytes(b"leaf\thref=https://example.com/leaf\tonclick=alert(1)\n")
    code, out, err = run_here("render", "--nameattr", attributes, "-o", "-", "--format", "svg", stdin=TRACE)
    assert (code, err) == (0, b"flameparse: name attributes, line 1: onclick left out\n" + OTHER_EVENT)
    assert b"https://example.com/leaf" in out
    assert b"onclick" not in out
    missing = tmp_path / "missing"
    assert run_here("render", "--nameattr", missing, "-o", "-", "--format", "svg", stdin=TRACE) == (
        4,
        b"",
        f"flameparse: {missing}: No such file or directory\n".encode(),
    )


def test_flame_chart_of_a_trace(tmp_path: Path) -> None:
    code, out, _ = run_here("render", "-q", "--flamechart", "-o", "-", "--format", "svg", stdin=TRACE)
    assert code == 0
    assert b"Flame Chart" in out


def test_merge_is_the_fold_of_all(tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    trace.write_bytes(TRACE)
    first, both = tmp_path / "first.msgpack", tmp_path / "both.msgpack"
    assert run_here("fold", trace, "-o", first) == (0, b"", b"")
    assert run_here("merge", first, trace, "-o", both) == (0, b"", b"")
    assert run_here("fold", "-q", both) == (0, b"app;main 100\napp;main;leaf 200\n", b"")
    assert run_here("merge", "-q", trace, "-", "-o", "-", "--format", "folded", stdin=TRACE) == (
        0,
        b"app;main 100\napp;main;leaf 200\n",
        b"",
    )


def test_formats_and_suffixes() -> None:
    for suffix, format_name in ((".folded", "folded"), (".txt", "folded"), (".MSGPACK", "msgpack"), (".svg", "svg")):
        args = Namespace(format=None, output=f"a.b/x{suffix}", event=[], weight=None)
        assert output.output_format(args) == format_name
    assert output.output_format(Namespace(format="html", output="x.svg", event=[], weight=None)) == "html"
    assert output.output_format(Namespace(format=None, output="-", event=[], weight=None)) == "folded"
