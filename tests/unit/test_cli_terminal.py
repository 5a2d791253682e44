"""Names come from whoever made the trace: none of them may act on the terminal that shows them."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flameparse.cli.terminal import table, term_safe
from unit.cli_runs import run_here

BIDI = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
HOSTILE = [
    "\x1b[2J",
    "\x1b]52;c;Zm9v\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "a\x7fb",
    "a\rb",
    "a\vb",
    "\u2028",
    "\x00",
    "\x1b]0;title\x1b\\",
    "\x85",
]


def acts(character: str) -> bool:
    """Say whether a terminal would obey the character, by the Unicode tables rather than by our list."""
    return unicodedata.category(character) in ("Cc", "Zl", "Zp") or character in BIDI


def unsafe(printed: bytes) -> set[str]:
    return {character for character in printed.decode("utf-8") if acts(character)} - {"\n", "\t"}


@pytest.mark.interpreted
@given(st.text() | st.binary())
@settings(max_examples=2000)
def test_term_safe_keeps_all_else(text: str | bytes) -> None:
    shown = text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")
    assert term_safe(text) == "".join(character for character in shown if not acts(character))


def test_term_safe_drops_every_control_there_is() -> None:
    assert term_safe("".join(map(chr, range(0x110000)))) == "".join(
        character if not 0xD800 <= ord(character) < 0xE000 else f"\\u{ord(character):04x}"
        for character in map(chr, range(0x110000))
        if not acts(character)
    )


def test_table() -> None:
    assert table(["n", "name"], [["1,000", "a\x1bb"], ["2", "longer\nname"]]) == (
        "    n  name\n1,000  ab\n    2  longername\n"
    )
    assert table(["n", "name"], []) == "n  name\n"


NAMES = st.one_of(
    st.sampled_from(HOSTILE).map(lambda text: text.encode()),
    st.text(min_size=1, max_size=12).map(lambda text: text.encode("utf-8", "replace")),
    st.binary(min_size=1, max_size=12),
).map(lambda name: name.replace(b"\n", b" "))


@st.composite
def traces(draw: st.DrawFn) -> bytes:
    """Build a trace whose every name is hostile: comm, event, symbol and module, and unknown lines."""
    samples = []
    for _ in range(draw(st.integers(1, 4))):
        comm, event, symbol, module, unknown = (draw(NAMES) for _ in range(5))
        samples.append(b"%b 7/7 [000] 1.500000: 3 %b:\n\t 1f %b (/%b)\n\n%b\n" % (comm, event, symbol, module, unknown))
    return b"app 1/1 [000] 1.000000: 1 cycles:\n\t 1 main (/bin/app)\n\n" + b"".join(samples)


@given(trace=traces())
@settings(max_examples=300)
@pytest.mark.parametrize(
    "arguments",
    [
        ["info"],
        ["info", "--json"],
        ["report"],
        ["report", "--json", "--event", "all"],
        ["report", "-v", "--strict"],
        ["fold", "-o", "/dev/null", "--format", "folded"],
        ["render", "-o", "/dev/null", "--format", "svg"],
        ["render", "-o", "/dev/null", "--format", "html"],
        ["merge", "-o", "/dev/null", "--format", "msgpack"],
    ],
    ids=" ".join,
)
def test_no_command_prints_a_control_character(arguments: list[str], trace: bytes) -> None:
    code, out, err = run_here(*arguments, stdin=trace)
    assert code in (0, 3, 4)
    assert (unsafe(out), unsafe(err)) == (set(), set())
    if "--json" in arguments:
        json.loads(out)
    assert code == 4 or out or arguments[0] not in ("info", "report")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_messages_about_names_on_the_command_line(hostile: str, tmp_path: Path) -> None:
    name = hostile.replace("\x00", "\x01")
    for arguments in (
        [name],
        ["fold", str(tmp_path / name)],
        ["fold", "-", "-o", str(tmp_path / "none" / f"{name}.folded")],
        ["fold", "-", "-o", f"x.{name}"],
        ["fold", f"--{name}"],
        ["fold", "--include", name],
        ["fold", "--weight", name],
        ["info", "--threads", name],
        ["completion", name],
    ):
        code, out, err = run_here(*arguments)
        assert code in (2, 4, 5)
        assert (out, unsafe(err), err.count(b"\n")) == (b"", set(), 1)


@pytest.mark.parametrize("arguments", [["--help"], ["fold", "--help"], ["completion", "zsh"], ["--version"]])
def test_no_colour(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    code, out, err = run_here(*arguments)
    assert (code, unsafe(out), err) == (0, set(), b"")
