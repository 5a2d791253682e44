"""Grown benchmark inputs: the same seed gives the same bytes, and every sample is one that perf could have printed."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import corpus

ROOT = Path(__file__).parents[2]

RECORDING = b"""\
# ========
app 10/11 [000]  1.000000:     100 cycles:
\t          400100 leaf+0x10 (/bin/app)
\t          400200 middle+0x20 (/bin/app)
\t          400300 main+0x30 (/bin/app)

app 10/11  1.000100:     100 cycles:
\t          400180 other leaf+0x18 (/bin/app)
\t          400200 middle+0x28 (/bin/app)
\t          400340 main+0x70 (/bin/app)

app 10/11  1.000200:     100 cycles:
\t          400208 middle+0x28 (/bin/app)
\t          400500 second+0x50 (/bin/app)
\t          400340 main+0x70 (/bin/app)

V8 Worker 77  1.500000:         50 cpu-clock:
\tffffffff81000082 [unknown] ([kernel.kallsyms])

no call graph 5  1.600000:  1 cycles:  400200 main+0x20 (/bin/app)

"""


def first(count: int, seed: int, **options: object) -> list[bytes]:
    """Return the first samples grown from RECORDING."""
    recording = corpus.Recording(list(corpus.read_samples(RECORDING.splitlines())), {})
    return list(itertools.islice(corpus.Growth([recording], seed, **options), count))  # type: ignore[arg-type]


def digest() -> str:
    """Return what 500 samples of one seed hash to."""
    return hashlib.sha256(b"".join(first(500, 7))).hexdigest()


def test_reads_default_form_and_leaves_out_the_rest() -> None:
    samples = list(corpus.read_samples(RECORDING.splitlines()))
    assert [(sample.comm, sample.thread, sample.period, sample.event, len(sample.stack)) for sample in samples] == [
        (b"app", b"10/11", 100, b"cycles:", 3),
        (b"app", b"10/11", 100, b"cycles:", 3),
        (b"app", b"10/11", 100, b"cycles:", 3),
        (b"V8 Worker", b"77", 50, b"cpu-clock:", 1),
    ]
    assert samples[0].stack[0] == b"\t          400300 main+0x30 (/bin/app)"


def test_same_seed_same_bytes_in_every_process() -> None:
    """Bytes are hashed with another salt in each process, so a growth that leans on their order would differ."""
    program = "from tests.unit.test_benchmark_corpus import digest; print(digest())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, check=True, text=True,
        ).stdout.strip()
        for salt in ("1", "2")
    }  # fmt: skip
    assert digests == {digest()}
    assert first(500, 7) != first(500, 8)


def test_samples_are_well_formed_and_in_time_order() -> None:
    times = []
    for text in first(300, 1):
        header, *frames, end, after = text.split(b"\n")
        assert corpus.HEADER.match(header)
        assert frames and all(corpus.FRAME.match(frame) for frame in frames)
        assert (end, after) == (b"", b"")
        times.append(float(header.split(b"]")[1].split(b":")[0]))
    assert times == sorted(set(times))


def test_new_stacks_keep_recorded_caller_and_callee_pairs() -> None:
    recording = corpus.Recording(list(corpus.read_samples(RECORDING.splitlines())), {})
    growth = corpus.Growth([recording], 3)
    assert {b";".join(corpus.function(line).split(b"(")[0] for line in stack) for _, _, stack in growth.pool} == {
        b"main;middle",  # the third sample's leaf side under the first's root side
        b"main;second;middle;leaf",
        b"main;second;middle;other leaf",
    }


def test_a_moved_leaf_keeps_its_function() -> None:
    random = corpus.Random(5)
    line = b"\t          400100 f(int)+0x10 (/bin/app)"
    moved = corpus.leaf_elsewhere(line, random)
    assert corpus.function(moved) == corpus.function(line) == b"f(int)(/bin/app)"
    match = corpus.FRAME.match(moved)
    assert match is not None
    assert int(match["address"], 16) - int(match["offset"], 16) == 0x400100 - 0x10
    assert moved != line
    assert b"+0x" not in corpus.leaf_elsewhere(b"\t          400100 [unknown] (/bin/app)", random)


@pytest.mark.parametrize("kind", ["mixed", "high-cardinality"])
def test_grow_writes_the_size_asked_for_once(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "a.txt").write_bytes(RECORDING)
    with gzip.open(folder / "b.txt.gz", "wb") as file:
        file.write(RECORDING.replace(b"app", b"tool"))
    path = corpus.grow(kind, 1, seed=2, folder=folder, data=tmp_path)
    assert path.name == f"{kind}-1MB-seed2.txt"
    assert 1_000_000 <= path.stat().st_size < 1_001_000
    facts = json.loads(path.with_suffix(".json").read_text())
    text = path.read_bytes()
    assert (facts["bytes"], facts["samples"]) == (len(text), text.count(b"\n\n"))
    lines = [line for line in text.splitlines() if line[:1] == b"\t"]
    assert (facts["stack_lines"], facts["distinct_lines"]) == (len(lines), len(set(lines)))
    written = path.stat().st_mtime_ns
    assert corpus.grow(kind, 1, seed=2, folder=folder, data=tmp_path).stat().st_mtime_ns == written
    (folder / "a.txt").write_bytes(RECORDING.replace(b"middle", b"centre"))
    corpus.grow(kind, 1, seed=2, folder=folder, data=tmp_path)
    assert b"centre" in path.read_bytes()


def test_high_cardinality_is_mostly_new_stacks() -> None:
    growth = corpus.Growth(corpus.read_recordings(), 1, fresh=corpus.FRESH_STACKS, pool_stacks=500)
    size = sum(map(len, itertools.islice(growth, 3000)))
    assert growth.statistics(size).distinct_folded > 1500
