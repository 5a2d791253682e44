"""Lines of all recordings dropped, doubled, swapped and cut: decoder and reference still read the same samples."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from golden.perf_script_fixtures import FIXTURES, path_of, text_of
from oracle import perf_script_reference as reference
from oracle.test_perf_script_reference import check_samples

ROUNDS = 300
SMALL = [fixture for fixture in FIXTURES if path_of(fixture).stat().st_size < 20_000]


def shuffled(seed: int) -> bytes:
    """Take lines of two recordings and spoil a few."""
    choice = random.Random(seed)
    lines: list[bytes] = []
    for fixture in choice.sample(SMALL, 2):
        text = text_of(fixture).splitlines(keepends=True)
        start = choice.randrange(len(text))
        lines += text[start : start + choice.randrange(5, 40)]
    for _ in range(choice.randrange(6)):
        at, other = choice.randrange(len(lines)), choice.randrange(len(lines))
        match choice.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[other])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at] = lines[at][: choice.randrange(len(lines[at]) + 1)].rstrip(b"\n") + b"\n"
            case _:
                lines.insert(at, b"\n")
    text = b"".join(lines)
    return text[: choice.randrange(len(text) + 1)] if choice.random() < 0.3 else text


@pytest.mark.parametrize("first", range(0, ROUNDS, 50))
def test_spoiled_lines_are_read_alike(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + 50):
        text = shuffled(seed)
        if reference.parse(text):  # without one the format is anybody's guess
            trace = tmp_path / f"{seed}.txt"
            trace.write_bytes(text)
            check_samples(trace, text)
