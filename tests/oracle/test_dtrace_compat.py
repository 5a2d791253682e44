"""In the compat modes DTrace text comes out byte for byte as the tools fold it."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from benchmarks.peers import find_inferno

from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load

TOOLS = ("stackcollapse", "inferno")
EXPECTED = ("example-dtrace-stacks", "scope_with_no_argument_list")
HEADER = b"CPU     ID                    FUNCTION:NAME\n  0  64091                        :tick-60s \n\n"

PERF = find_inferno(install=False)
INFERNO = Path(PERF.command[0]).with_name("inferno-collapse-dtrace") if PERF else None
needs_inferno = pytest.mark.skipif(INFERNO is None or not INFERNO.exists(), reason="needs inferno-collapse-dtrace")


def compat(path: Path, tool: str) -> bytes:
    return b"".join(folded_chunks(load([str(path)], LoadOptions(compat=tool))))


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("tool", TOOLS)
def test_corpus(name: str, tool: str, corpus: Path) -> None:
    path = corpus / "dtrace" / f"{name}.txt"
    assert compat(path, tool) == path.with_suffix(".folded").read_bytes()


def test_every_expected_file_is_compared(corpus: Path) -> None:
    assert {path.stem for path in (corpus / "dtrace").glob("*.folded")} == set(EXPECTED)


@pytest.mark.parametrize("tool", TOOLS)
def test_corpus_without_expected_files(tool: str, corpus: Path) -> None:
    bug = b"unix`0xfffffffffb8001d6;unix`trap;unix`pagefault;genunix`segvn_fault 1\n"
    assert compat(corpus / "dtrace" / "flamegraph-bug.txt", tool) == bug
    assert compat(corpus / "dtrace" / "only-header-lines.txt", tool) == b""


# What each tool makes of a frame, by the tools themselves.
FRAMES = [
    (b"m`f+0x1", b"m`f", b"m`f"),
    (b"libstdc++.so.6`foo", b"libstdc+", b"libstdc+"),
    (b"m`A::operator+(A const&)", b"m`A::operator", b"m`A::operator"),
    (b"m`A::operator++", b"m`A::operator+", b"m`A::operator+"),
    (b"m`Foo::bar(std::function<void (int)>)", b"m`Foo::bar(std::function<void ", b"m`Foo::bar(std::function<void "),
    (b"m`f(int, char)", b"m`f(int, char)", b"m`f(int, char)"),
    (b"Ljava/io/X;::m", b"java/io/X:::m", b"Ljava/io/X:::m"),
    (b"LLa->LLb;c", b"La;Lb:c_[i]", b"a;b:c_[i]"),
    (b"a->", b"a", b"a;_[i]"),
    (b"+0x1", b"-", b"-"),
    (b"-5", b"-5", b"-5"),
    (b"  0  64091                        :tick-60s", b"0  64091                        :tick-60s", None),
    (b"m`a::b::h0123456789abcdef+0x1", b"m`a::b::h0123456789abcdef", b"m`a::b"),
    (b"m`a::h0123456789abcdef (.cold)+0x1", b"m`a::h0123456789abcdef ", b"m`a"),
    (b"m`_$LT$a..b$GT$::c::h0123456789abcdef+0x1", b"m`_$LT$a..b$GT$::c::h0123456789abcdef", b"m`<a::b>::c"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "perl", "inferno"), FRAMES)
def test_frames(frame: bytes, perl: bytes, inferno: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(HEADER + b"              %s\n              m`main+0x1\n                5\n" % frame)
    assert compat(path, "stackcollapse") == b"m`main;%s 5\n" % perl
    assert compat(path, "inferno") == b"m`main;%s 5\n" % (perl if inferno is None else inferno)


def test_count_with_trailing_blanks_is_a_frame_to_one(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(HEADER + b"              m`f+0x1\n                5  \n              m`g\n                1\n")
    assert compat(path, "stackcollapse") == b"m`g;5  ;m`f 1\n"
    assert compat(path, "inferno") == b"m`f 5\nm`g 1\n"


def test_headers_are_skipped_as_each_does(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    text = b"              m`f\n              m`g\n                5\n\n              m`h\n                1\n"
    path.write_bytes(text)
    assert compat(path, "stackcollapse") == b"m`h 1\n"
    assert compat(path, "inferno") == b"m`h 1\n"


MODULES = ["genunix`", "libc.so.1`", "Google Chrome`", "libstdc++.so.6`", ""]
PARTS = ["foo", "A", "A<int>", "B<C, D<e> >", "operator+", "operator->", "operator()", "~A", "$x", "L", "Ljava/io/X;"]
TAILS = [
    "", "()", "(int, char)", "(A const&) const", "<std::pair<int, A>, B>", "(std::function<void (int)>)", "->Lb;::g",
    "::h0123456789abcdef", "::h0123456789abcdef.llvm.99887766", "::h0123456789abcdef (.cold)", "::{closure#1}",
]  # fmt: skip
OFFSETS = ["", "+0x1", "+0x12c", "+5"]
HELPERS = [
    "(anon) as foo at path position 360",
    "<< adaptor >>",
    "StubRoutines (1)",
    "F.main([Lx;)V",
    "[ ./f.py:3 (f) ]",
]


@needs_inferno
@pytest.mark.parametrize("seed", range(4))
def test_inferno_on_names_of_languages(seed: int, tmp_path: Path) -> None:
    choice = random.Random(seed)

    def frame() -> str:
        if choice.random() < 0.1:
            return choice.choice(HELPERS)
        parts = "::".join(choice.choices(PARTS, k=choice.randrange(1, 4)))
        return choice.choice(MODULES) + parts + choice.choice(TAILS) + choice.choice(OFFSETS)

    text = choice.choice((HEADER, b"\n"))
    for _ in range(300):
        text += b"".join(b"              %s\n" % frame().encode() for _ in range(choice.randrange(1, 5)))
        text += b"%17d%s\n%s" % (choice.randrange(9), b" " * choice.randrange(3), b"\n" * choice.randrange(3))
    path = tmp_path / "trace"
    path.write_bytes(text)
    done = subprocess.run([str(INFERNO), str(path)], capture_output=True, check=True)
    assert compat(path, "inferno") == done.stdout


@needs_inferno
@pytest.mark.parametrize("seed", range(4))
def test_inferno_on_made_up_names(seed: int, tmp_path: Path) -> None:
    choice = random.Random(seed)
    pieces = [
        "m`",
        "f",
        "::",
        "(",
        ")",
        "<",
        ">",
        "->",
        "+",
        "+0x1f",
        ";",
        "L",
        "_",
        "::h0123456789abcdef",
        "$LT$",
        "..",
        " ",
        "a1",
        "int, char",
        "$u7b$",
        "'",
        "*",
        "~",
    ]
    text = HEADER
    for number in range(300):
        for _ in range(choice.randrange(1, 5)):
            name = "".join(choice.choice(pieces) for _ in range(choice.randrange(1, 9))).strip()
            # An arrow behind the last plus takes the L before the name away: no program prints that.
            if ("->" in name.rpartition("+")[2] and "+" in name) or not name:
                continue
            text += b"              %s\n" % name.encode()
        text += b"              m`main%d+0x1\n%17d\n\n" % (number % 40, choice.randrange(1000))
    path = tmp_path / "trace"
    path.write_bytes(text)
    done = subprocess.run([str(INFERNO), str(path)], capture_output=True, check=True)
    assert compat(path, "inferno") == done.stdout
