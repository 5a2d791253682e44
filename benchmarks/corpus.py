"""Grow `perf script` texts of any size from the project's own recordings, the same bytes for the same seed.

    python -m benchmarks.corpus mixed 100 --seed 1

What a trace costs to fold depends on what repeats in it. In real mixes of some hundred MB, 95-98 % of the stack lines
are among the 10,000 most frequent, 1.6-3.3 % of the lines and 28-45 % of the whole stacks are distinct, and there are
some ten thousand folded stacks. `mixed` is grown to about that; in `high-cardinality` over half of the samples bring a
folded stack that was not there before.

A new stack is the root side of one recorded sample and the leaf side of another, joined at a function both went
through, so every caller and callee pair is real. A new line is a recorded leaf at another offset.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random

FIXTURES = Path(__file__).parents[1] / "fixtures" / "perf_script"
DATA = Path(__file__).parent / "data"

MAX_DEPTH = 127  # kernel.perf_event_max_stack
POOL_STACKS = 60_000  # distinct folded stacks a mixed trace levels off at
POOLED = 0.4  # share of samples with a stack of the pool; the others are as recorded, each recording alike
LEAF_JITTER = 0.36  # share of samples whose leaf is at an offset of its own
FRESH_STACKS = 0.6  # share of samples that bring a new stack, high cardinality
MAX_JOINS = 8  # joins of recorded samples in one new stack
MAX_ATTEMPTS = 500  # starts tried for a stack that is not there yet
CPUS = 8

# Plain comms only, so that every tool sees the same samples:
# node 21846 [001]  1450.765055:    1669449 cpu-clock:
HEADER = re.compile(
    rb"(?P<comm>[A-Za-z][\w.:/-]*(?: [A-Za-z][\w.:/-]*)*) +(?P<thread>\d+(?:/\d+)?) +(?:\[\d+\] +)?"
    rb"\d+\.\d{6}: +(?P<period>\d+) (?P<event>\S+:) *$"
)
# 	         17d2154 OPENSSL_LH_insert+0x64 (/usr/bin/node)
FRAME = re.compile(rb"\t *(?P<address>[0-9a-f]+) (?P<name>.+?)(?:\+0x(?P<offset>[0-9a-f]+))? (?P<module>\(.*\))$")

Stack = tuple[bytes, ...]  # frame lines, root first


@dataclass(frozen=True, slots=True)
class Sample:
    """One paragraph of a recording."""

    comm: bytes
    thread: bytes
    period: int
    event: bytes
    stack: Stack


Entry = tuple[int, Sample, Stack]  # number that is the same for what folds to one line, sample with the header, frames


class Recording:
    """The samples of one recording, with an index of the functions they go through."""

    def __init__(self, samples: list[Sample], ids: dict[bytes, int]) -> None:
        self.samples = samples
        self.functions = [
            tuple(ids.setdefault(function(line), len(ids)) for line in sample.stack) for sample in samples
        ]
        self.comms = [ids.setdefault(sample.comm, len(ids)) for sample in samples]
        self.keys = [hash((comm, *names)) for comm, names in zip(self.comms, self.functions, strict=True)]
        self.places: dict[int, list[tuple[int, int]]] = {}
        for number, functions in enumerate(self.functions):
            for depth, name in enumerate(functions):
                self.places.setdefault(name, []).append((number, depth))

    def graft(self, random: Random, known: set[int]) -> Entry | None:
        """Join samples at functions they share until the stack is none of those known; None after `MAX_JOINS`."""
        number = int(random.random() * len(self.samples))
        sample, comm = self.samples[number], self.comms[number]
        functions, stack = self.functions[number], sample.stack
        for _ in range(MAX_JOINS):
            cut = int(random.random() * len(functions))
            places = self.places[functions[cut]]
            other, place = places[int(random.random() * len(places))]
            functions = (functions[:cut] + self.functions[other][place:])[-MAX_DEPTH:]
            stack = (stack[:cut] + self.samples[other].stack[place:])[-MAX_DEPTH:]
            key = hash((comm, *functions))
            if key not in known:
                known.add(key)
                return key, sample, stack
        return None


@dataclass
class Statistics:
    """What repeats in a text. Counts only; ratios are what `summary` prints."""

    bytes: int = 0
    samples: int = 0
    stack_lines: int = 0
    distinct_lines: int = 0
    lines_of_top_10000: int = 0
    distinct_stacks: int = 0
    distinct_folded: int = 0

    def summary(self) -> str:
        """Say in one line what repeats."""
        return (
            f"{self.bytes / 1e6:.1f} MB, {self.samples} samples, {self.stack_lines} stack lines, "
            f"{self.distinct_lines} distinct ({self.distinct_lines / self.stack_lines:.1%}), "
            f"{self.lines_of_top_10000 / self.stack_lines:.1%} among the 10,000 most frequent, "
            f"{self.distinct_stacks} distinct stacks ({self.distinct_stacks / self.samples:.0%} of samples), "
            f"{self.distinct_folded} folded ({self.distinct_folded / self.samples:.0%})"
        )


def function(line: bytes) -> bytes:
    """Return what a frame line says without its address and offset; the line itself where it has another form."""
    match = FRAME.match(line)
    return match["name"] + match["module"] if match else line


def leaf_elsewhere(line: bytes, random: Random) -> bytes:
    """Move a frame line to another offset in its function."""
    match = FRAME.match(line)
    if match is None:
        return line
    offset = int(random.random() ** 2 * 65536)
    address = max(int(match["address"], 16) - int(match["offset"] or b"0", 16) + offset, 0)
    at = b"+0x%x" % offset if match["offset"] else b""
    return b"\t%16x %s%s %s" % (address, match["name"], at, match["module"])


def read_samples(lines: Iterable[bytes]) -> Iterator[Sample]:
    """Yield the samples in perf's default form; other paragraphs are left out."""
    header: re.Match[bytes] | None = None
    frames: list[bytes] = []
    for line in (*lines, b""):
        line = line.rstrip(b"\r\n")
        if line[:1] == b"\t":
            frames.append(line)
        elif line:
            header, frames = HEADER.match(line), []
        else:
            if header and frames:
                yield Sample(
                    header["comm"], header["thread"], int(header["period"]), header["event"], tuple(frames[::-1])
                )
            header, frames = None, []


def read_recordings(folder: Path = FIXTURES) -> list[Recording]:
    """Read the recordings of a folder: samples in perf's default form, of the most frequent event.

    Other tools fold one event only, so a second one would be work that they do not do.
    """
    found = []
    for path in sorted(folder.glob("*.txt*")):
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            found.append(list(read_samples(file)))
    events = Counter(sample.event for samples in found for sample in samples)
    if not events:
        raise SystemExit(f"{folder}: no recordings to grow from")
    [(event, _)] = events.most_common(1)
    ids: dict[bytes, int] = {}
    kept = ([sample for sample in samples if sample.event == event] for samples in found)
    return [Recording(samples, ids) for samples in kept if samples]


class Growth:
    """An endless stream of samples grown from recordings; `statistics` sums up what it gave."""

    def __init__(
        self, recordings: list[Recording], seed: int, *, fresh: float = 0.0, pool_stacks: int = POOL_STACKS
    ) -> None:
        self.random = Random(seed)
        self.recordings = recordings
        self.fresh = fresh
        self.shares = list(accumulate(len(recording.samples) for recording in recordings))
        self.folded = {key for recording in recordings for key in recording.keys}
        self.pool: list[Entry] = []
        while len(self.pool) < pool_stacks and (new := self.new_stack()):
            self.pool.append(new)
        # A stack's share is one over its place: few stacks make most of the samples, many come once.
        self.ranks = list(accumulate(1 / (place + 100) for place in range(len(self.pool))))
        self.lines: Counter[bytes] = Counter()
        self.stacks: set[int] = set()
        self.given: set[int] = set()
        self.sample_count = 0

    def new_stack(self) -> Entry | None:
        """Return a stack that folds to something new; None when the recordings seem to hold no more."""
        for _ in range(MAX_ATTEMPTS):
            recording = self.recordings[bisect(self.shares, int(self.random.random() * self.shares[-1]))]
            if new := recording.graft(self.random, self.folded):
                return new
        self.fresh = 0.0
        return None

    def choose(self) -> Entry:
        """Choose the next sample's stack: a new one, one of the pool, or a recorded one."""
        uniform = self.random.random
        if uniform() < self.fresh and (new := self.new_stack()):
            return new
        if self.pool and uniform() < POOLED:
            return self.pool[bisect(self.ranks, uniform() * self.ranks[-1])]
        recording = self.recordings[int(uniform() * len(self.recordings))]
        number = int(uniform() * len(recording.samples))
        sample = recording.samples[number]
        return recording.keys[number], sample, sample.stack

    def __iter__(self) -> Iterator[bytes]:
        uniform = self.random.random
        time_us = 1_000_000_000
        while True:
            key, sample, stack = self.choose()
            *callers, leaf = stack
            if uniform() < LEAF_JITTER:
                leaf = leaf_elsewhere(leaf, self.random)
            lines = (leaf, *reversed(callers))
            self.lines.update(lines)
            self.stacks.add(hash(lines))
            self.given.add(key)
            self.sample_count += 1
            time_us += 1 + int(uniform() * 400)
            yield b"%s %s [%03d] %d.%06d: %10d %s \n%s\n\n" % (
                sample.comm,
                sample.thread,
                int(uniform() * CPUS),
                *divmod(time_us, 1_000_000),
                sample.period,
                sample.event,
                b"\n".join(lines),
            )

    def statistics(self, size: int) -> Statistics:
        """Sum up the samples given so far, which took `size` bytes."""
        return Statistics(
            bytes=size,
            samples=self.sample_count,
            stack_lines=self.lines.total(),
            distinct_lines=len(self.lines),
            lines_of_top_10000=sum(count for _, count in self.lines.most_common(10_000)),
            distinct_stacks=len(self.stacks),
            distinct_folded=len(self.given),
        )


def digest_of_sources(folder: Path) -> str:
    """Return what a grown text depends on beside its name: the recordings and this module."""
    digest = hashlib.sha256()
    for path in (Path(__file__), *sorted(folder.glob("*.txt*"))):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def text_path(kind: str, size_mb: int, seed: int = 1, data: Path = DATA) -> Path:
    """Return where the text of that kind, size and seed is kept."""
    return data / f"{kind}-{size_mb}MB-seed{seed}.txt"


def grow(kind: str, size_mb: int, seed: int = 1, folder: Path = FIXTURES, data: Path = DATA) -> Path:
    """Return the text of that kind, size and seed, grown now unless it is there from the same recordings."""
    path = text_path(kind, size_mb, seed, data)
    facts = path.with_suffix(".json")
    sources = digest_of_sources(folder)
    if path.exists() and facts.exists() and json.loads(facts.read_text())["sources"] == sources:
        return path
    data.mkdir(parents=True, exist_ok=True)
    facts.unlink(missing_ok=True)
    growth = Growth(read_recordings(folder), seed, fresh=FRESH_STACKS if kind == "high-cardinality" else 0.0)
    partial = path.with_suffix(".partial")
    size = 0
    with partial.open("wb", buffering=1 << 20) as file:
        for sample in growth:
            size += file.write(sample)
            if size >= size_mb * 1_000_000:
                break
    os.replace(partial, path)
    statistics = growth.statistics(size)
    facts.write_text(
        json.dumps({"sources": sources, **vars(statistics), "summary": statistics.summary()}, indent=1) + "\n"
    )
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.corpus", description="Grow a perf script text from recordings.")
    parser.add_argument("kind", choices=["mixed", "high-cardinality"])
    parser.add_argument("size_mb", type=int, metavar="MB")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    path = grow(arguments.kind, arguments.size_mb, arguments.seed)
    print(f"{path}: {json.loads(path.with_suffix('.json').read_text())['summary']}")


if __name__ == "__main__":
    main()
