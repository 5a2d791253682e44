"""A seeded mutator over CPU profiles, of their bytes and of their values: only DecodeError and OverflowError leave."""

from __future__ import annotations

import json
import os
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from decoded_text import assert_conserved, folded
from flameparse.decode.cpuprofile import decode_cpu_profile
from flameparse.decode.sniff import SNIFF_BYTES, sniff
from flameparse.errors import DecodeError, UnknownFormatError
from flameparse.model.profile import Profile
from flameparse.passes import name_frames
from fuzz.test_text_mutator import MUTATIONS

INPUTS = int(os.environ.get("FLAMEPARSE_FUZZ_INPUTS", "100000")) // 10
SHARDS = 4
MAX_SECONDS = 1.0
FOLDER = Path(__file__).parents[2] / "fixtures" / "cpuprofile"
SEEDS = [(FOLDER / f"{name}.cpuprofile").read_bytes() for name in ("head_form", "late_samples", "node24_eval")]
VALUES: list[Any] = [
    None, True, -1, 0, 1, 2, 3, 1 << 31, 1 << 62, 1 << 64, 10**400, -(10**20), 0.5, 1e308, float("inf"), "", "x;y\n",
    "\ud800", "(root)", [], [1], [[1]], {}, {"id": 1},
]  # fmt: skip


def decode(content: bytes) -> bool:
    """Decode what may be a profile; whether it is one."""
    start = time.process_time()
    profile = Profile()
    with suppress(UnknownFormatError, DecodeError):
        sniff(content[:SNIFF_BYTES], "x")
    try:
        decode_cpu_profile(content, profile)
        assert_conserved(profile)
        profile.samples.held()
        folded(name_frames(profile, style="raw"))
    except (DecodeError, OverflowError):
        return False
    finally:
        assert time.process_time() - start < MAX_SECONDS
    return True


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value of JSON: what holds it and the key or number it has there."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += [(value, key), *places(item)]
    return found


@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_values(shard: int) -> None:
    choice = random.Random(f"values {shard}")
    meaningful = 0
    for number in range(INPUTS // SHARDS):
        recorded = json.loads(choice.choice(SEEDS))
        for _ in range(choice.choice((1, 1, 2, 4))):
            holder, key = choice.choice(places(recorded))
            if choice.random() < 0.2:
                del holder[key]
            elif choice.random() < 0.3:
                other, its_key = choice.choice(places(recorded) or [(holder, key)])
                holder[key] = json.loads(json.dumps(other[its_key]))
            else:
                holder[key] = choice.choice(VALUES)
        content = json.dumps(recorded).encode()
        try:
            meaningful += decode(content)
        except BaseException as error:
            error.add_note(f"input {number}: {content!r}") if hasattr(error, "add_note") else None
            raise
    assert INPUTS // SHARDS // 10 < meaningful < INPUTS // SHARDS


@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_bytes(shard: int) -> None:
    choice = random.Random(f"bytes {shard}")
    for number in range(INPUTS // SHARDS):
        content = bytearray(choice.choice(SEEDS))
        for _ in range(choice.choice((1, 1, 2, 4))):
            if content:
                choice.choice(MUTATIONS)(choice, content)
        try:
            decode(bytes(content))
        except BaseException as error:
            error.add_note(f"input {number}: {bytes(content)!r}") if hasattr(error, "add_note") else None
            raise


@pytest.mark.parametrize("seed", SEEDS)
def test_no_prefix_is_a_profile(seed: bytes) -> None:
    for end in range(len(seed.rstrip())):
        assert not decode(seed[:end])
