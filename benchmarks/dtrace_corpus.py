"""Make DTrace texts of any size, the same bytes for the same seed.

    python -m benchmarks.dtrace_corpus varied 100 --seed 1
    python -m benchmarks.dtrace_corpus repeated 100 --source example-dtrace-stacks.txt

No machine of this project has DTrace, so a call graph stands for the programs: each function calls some others, the
first of them most often, and a stack is a walk on from somewhere in an earlier one. `repeated` prints the stacks of one
interval over and over, or a text given. `varied` is an hour of a busy machine: some ten thousand stacks, few of them
most of the time, each frame at another offset each time. `ticks` are such stacks as 0x prints them, not aggregated. In
`fresh` every stack is one that was not there before.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

DATA = Path(__file__).parent / "data"
KINDS = ("repeated", "varied", "ticks", "fresh")

FUNCTIONS = 20_000
ROOTS = 40
CALLEES = 6  # functions that one calls, at the most
USUAL = 0.8  # share of calls that go to the first of them
SHARED = 0.25  # a stack leaves the one it goes on from at this power of a random share of its depth
DEPTHS = (20, 60)
OFFSETS = 4096
INTERVAL_STACKS = 2_000
HOUR_STACKS = 10_000
HEADER = b"CPU     ID                    FUNCTION:NAME\n  0  64091                        :tick-60s \n\n"

MODULES = [b"genunix", b"unix", b"zfs", b"libc.so.1", b"libstdc++.so.6", b"node", b"libjvm.so", b"postgres", b"Xorg"]
WORDS = [b"read", b"write", b"alloc", b"node", b"list", b"cache", b"free", b"lookup", b"run", b"page", b"find", b"map"]
SHAPES = [
    b"%s_%s_%d",
    b"%s_%s_%d",
    b"_%s%s%d",
    b"v8::%s::%s%d(v8::Isolate*, int)",
    b"std::vector<%s, std::allocator<%s> >::at%d(unsigned long) const",
]


def make_functions(random: Random) -> list[bytes]:
    """Return distinct frames without offsets, indented as dtrace prints them."""
    return [
        b" " * 14 + random.choice(MODULES) + b"`"
        + random.choice(SHAPES) % (random.choice(WORDS), random.choice(WORDS), number)
        for number in range(FUNCTIONS)
    ]  # fmt: skip


def walks(random: Random) -> Iterator[list[bytes]]:
    """Yield stacks without offsets, leaf first: walks through one call graph, each on from some way up another."""
    functions = make_functions(random)
    calls = [[random.randrange(FUNCTIONS) for _ in range(CALLEES)] for _ in functions]
    paths = [[root] for root in range(ROOTS)]
    while True:
        other = random.choice(paths)
        path = other[: 1 + int(len(other) * random.random() ** SHARED)]
        for _ in range(random.randint(*DEPTHS) - len(path)):
            path.append(calls[path[-1]][0 if random.random() < USUAL else random.randrange(CALLEES)])
        if len(paths) < HOUR_STACKS:
            paths.append(path)
        yield [functions[number] for number in reversed(path)]


def paragraphs(kind: str, seed: int) -> Iterator[bytes]:
    """Yield a text of endless stacks, each with its count or its tick."""
    random = Random(seed)
    stacks = walks(random)
    if kind in ("varied", "ticks"):
        hour = list(itertools.islice(stacks, HOUR_STACKS))
        # A stack's share is one over its place.
        shares = list(itertools.accumulate(1 / (place + 100) for place in range(HOUR_STACKS)))
        stacks = (random.choices(hour, cum_weights=shares)[0] for _ in itertools.repeat(None))
    texts: Iterator[bytes] = (
        b"".join(b"%s+0x%x\n" % (name, random.randrange(OFFSETS)) for name in stack) for stack in stacks
    )
    if kind == "repeated":
        texts = itertools.cycle(list(itertools.islice(texts, INTERVAL_STACKS)))
    for number, text in enumerate(texts):
        if kind == "ticks":
            yield b"node 8783 %d: profile-1ms:\n%s\n" % (1_000_000 + number, text)
        else:
            yield (b"" if number else HEADER) + b"%s%17d\n\n" % (text, random.randrange(1, 100))


def text_path(kind: str, size_mb: int, seed: int = 1, data: Path = DATA) -> Path:
    """Return where the text of that kind, size and seed is kept."""
    return data / f"dtrace-{kind}-{size_mb}MB-seed{seed}.txt"


def grow(kind: str, size_mb: int, seed: int = 1, data: Path = DATA, source: Path | None = None) -> Path:
    """Return the text of that kind, size and seed, made now unless it is there already, newer than this module.

    Args:
        kind: one of KINDS.
        size_mb: of the text, at least.
        seed: of all that is drawn.
        data: where it is kept.
        source: a text to repeat in place of one that is made.
    """
    path = text_path(f"{source.stem if source else kind}", size_mb, seed, data)
    if path.exists() and path.stat().st_mtime > Path(__file__).stat().st_mtime:
        return path
    data.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    size = 0
    with partial.open("wb", buffering=1 << 20) as file:
        for text in itertools.repeat(source.read_bytes()) if source else paragraphs(kind, seed):
            size += file.write(text)
            if size >= size_mb * 1_000_000:
                break
    os.replace(partial, path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.dtrace_corpus", description="Make a DTrace text.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("size_mb", type=int, metavar="MB")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--source", type=Path, help="a text to repeat in place of one that is made")
    arguments = parser.parse_args()
    path = grow(arguments.kind, arguments.size_mb, arguments.seed, source=arguments.source)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
