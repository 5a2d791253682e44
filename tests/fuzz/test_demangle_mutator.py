"""A seeded mutator over mangled names: whatever a symbol table holds is read in bounded time, or left alone.

FLAMEPARSE_FUZZ_INPUTS asks for another number of inputs.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from flameparse.limits import MAX_NAME_BYTES
from flameparse.symbolize.names.demangle import Demangler

INPUTS = int(os.environ.get("FLAMEPARSE_FUZZ_INPUTS", "30000"))
SHARDS = 3
MAX_SECONDS = 0.1  # of CPU and name; those of a few hundred bytes take microseconds
MANGLED_FIRST = (b"_Z", b"_R", b"_G", b"caml")

NAMES = Path(__file__).parent.parent / "oracle" / "mangled_names.tsv"
SEEDS = [
    *(line.split(b"\t")[0] for line in NAMES.read_bytes().splitlines()),
    b"camlStdlib__anon_fn$5bstdlib$2eml$3a334$2c0$2d$2d54$5d_1453",
    b"Ljava/util/regex/Pattern$BmpCharProperty;match(Ljava/util/regex/Matcher;ILjava/lang/CharSequence;[[J)Z",
    b"_Z3fooIiQaa1CIT_EntsrT_5valueEvv",
    b"_Z3fooITtTyTniE1aEvv",
]
PIECES = [
    b"S_", b"S0_", b"SZ_", b"T_", b"T0_", b"TL0__", b"I", b"E", b"J", b"P", b"R", b"O", b"K", b"F", b"v", b"N", b"Z",
    b"St", b"Ss", b"UlvE_", b"UlT_E_", b"UlTyT_E_", b"Ut_", b"DpT_", b"1a", b"C1", b"D0", b"cv", b"cl", b"X", b"L",
    b"Li1E", b"A3_", b"M", b"sr", b"pl", b"_Z", b"Do", b"B1x", b"d_", b"sZ", b"sPE", b"fp_", b"fL0p_", b"flpl", b"dt",
    b"U", b"W", b"Q", b"rq", b"Tk", b"GR", b"TV", b"Dv4_", b"ad", b"L_Z1fvE", b"B_", b"B0_", b"Bz_", b"RL0_", b"FG_",
    b"Kh5_", b"D", b"u3a_b", b"s_", b"99999999999", b"2147483647", b"17h0123456789abcdefE", b"$u7b$", b"..",
    b".llvm.1", b"__", b"$", b"[", b";", b"(", b")", b"\0", b"\xff",
]  # fmt: skip


def mutate(choice: random.Random) -> bytes:
    name = bytearray(choice.choice(SEEDS))
    for _ in range(choice.randrange(1, 5)):
        at = choice.randrange(len(name) + 1)
        match choice.randrange(7):
            case 0:
                name[at:at] = choice.choice(PIECES)
            case 1:
                del name[at : at + choice.randrange(1, 12)]
            case 2:
                other = choice.choice(SEEDS)
                start = choice.randrange(len(other))
                name[at:at] = other[start : start + choice.randrange(1, 60)]
            case 3:
                start = choice.randrange(len(name) + 1)
                name[at:at] = name[start : start + choice.randrange(1, 60)]
            case 4:
                del name[at:]
            case 5:
                name[at:at] = choice.choice(PIECES) * choice.choice((2, 40, 300))
            case _:
                name[at : at + 1] = bytes([choice.randrange(256)])
    return bytes(name)


@pytest.mark.parametrize("rules", ["precise", "perf-6.1"])
@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_names_are_read_or_left_alone(shard: int, rules: str) -> None:
    choice = random.Random(f"demangle {rules} {shard}")
    demangler = Demangler(rules)
    changed = 0
    for _ in range(INPUTS // SHARDS):
        name = mutate(choice)
        started = time.process_time()
        text = demangler.text_of(name)
        assert time.process_time() - started < MAX_SECONDS, name
        assert text == name or len(text) <= MAX_NAME_BYTES, name
        assert text == name or name.startswith(MANGLED_FIRST) or b")" in name, name
        changed += text != name
        if changed % 50 == 0:
            assert text == Demangler(rules).text_of(name), name  # nothing is left of the names before
    assert changed > INPUTS // SHARDS // 10
