"""Made DTrace texts: the same seed gives the same bytes, and every stack has the form its kind says."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from benchmarks import dtrace_corpus

STACK = re.compile(rb"(?: {14}[^`\n]+`[^\n]+\+0x[0-9a-f]+\n){20,60} {15,16}\d+\n\n")
TICK = re.compile(rb"node 8783 \d+: profile-1ms:\n(?: {14}[^`\n]+`[^\n]+\+0x[0-9a-f]+\n){20,60}\n")


def first(count: int, kind: str, seed: int) -> list[bytes]:
    return list(itertools.islice(dtrace_corpus.paragraphs(kind, seed), count))


@pytest.mark.parametrize("kind", dtrace_corpus.KINDS)
def test_stacks_have_their_form(kind: str) -> None:
    texts = first(50, kind, 1)
    assert texts == first(50, kind, 1) != first(50, kind, 2)
    texts[0] = texts[0].removeprefix(dtrace_corpus.HEADER)
    assert all((TICK if kind == "ticks" else STACK).fullmatch(text) for text in texts)


def test_a_stack_goes_on_from_another() -> None:
    roots = {text.splitlines()[-3].rpartition(b"+")[0] for text in first(500, "fresh", 1)}
    assert len(roots) <= dtrace_corpus.ROOTS


def test_repeated_stacks_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dtrace_corpus, "INTERVAL_STACKS", 3)
    texts = [text.rstrip().rpartition(b"\n")[0] for text in first(9, "repeated", 1)]
    assert texts[3:6] == texts[6:] and len(set(texts[3:])) == 3


def test_grow_writes_the_size_asked_for_once(tmp_path: Path) -> None:
    path = dtrace_corpus.grow("varied", 1, seed=2, data=tmp_path)
    assert path.name == "dtrace-varied-1MB-seed2.txt"
    assert 1_000_000 <= path.stat().st_size < 1_010_000
    written = path.stat().st_mtime_ns
    assert dtrace_corpus.grow("varied", 1, seed=2, data=tmp_path).stat().st_mtime_ns == written


def test_grow_repeats_a_text(tmp_path: Path) -> None:
    source = tmp_path / "example.txt"
    source.write_bytes(b"              m`f+0x1\n                1\n\n" * 5000)
    path = dtrace_corpus.grow("repeated", 1, data=tmp_path, source=source)
    assert path.name == "dtrace-example-1MB-seed1.txt"
    assert path.read_bytes() == source.read_bytes() * 5
