"""A seeded mutator over `perf script` text and folded text, from bytes to folded text, in this process.

What may leave the decoders is OverflowError alone: weights whose sum cannot be counted. All else that is wrong with a
text is counted, so every other exception is a bug. FLAMEPARSE_FUZZ_INPUTS asks for another number of inputs.
"""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from decoded_text import assert_conserved, decode_folded, decode_perf_script, folded, named
from flameparse import limits
from flameparse.decode.perf_script import PerfScriptDecoder, find_cut
from flameparse.document.account import damage
from flameparse.document.document import Document
from flameparse.export.folded_text import folded_chunks
from flameparse.model.profile import Profile
from golden.perf_script_fixtures import FOLDER
from oracle.test_perf_script_forms import FORMS

INPUTS = int(os.environ.get("FLAMEPARSE_FUZZ_INPUTS", "100000"))
SHARDS = 4
MAX_SECONDS = 1.0  # of CPU, per input and way to decode it
MAX_SEED_BYTES = 6_000
LONG_LINES_PER_INPUT = 1 / 2_000

PERF_SCRIPT_SEEDS = [
    *(path.read_bytes() for path in sorted(FOLDER.glob("*.txt")) if path.stat().st_size < MAX_SEED_BYTES),
    *(form[0] for form in FORMS.values() if form[0]),
]
FOLDED_SEEDS = [
    *(path.read_bytes()[:MAX_SEED_BYTES] for path in sorted(FOLDER.glob("*.folded"))),
    b"# note\na 1\na b 2\na1 3\na;b;c 4.5\na;b;\xff\x00;_[k] 5\r\n\n;;x 6\n 7\n;b_[j] 8\n"
    b"no weight\na;b 18446744073709551615",
]
NUMBERS = [
    b"0",
    b"-1",
    b"1",
    *(b"%d" % (2**n + d) for n in (31, 32, 53, 63, 64) for d in (-1, 0)),
    b"9" * 40,
    b"00",
    b"",
]
PIECES = [
    b";", b":", b": ", b" ", b"\t", b"(", b")", b"[", b"]", b"/", b"#", b"# ", b"+0x1", b"=> ", b" insn: 00",
    b" ilen: 3", b"PERF_RECORD_LOST lost 5", b"[000]", b"1.000001:", b"VM:1 VCPU:2 ", b"_[k]", b"(deleted)", b"->",
    b"<", b">", b"operator()", b"\xef\xbb\xbf", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\0", b"\r", b"\n", b"\r\n",
    b"\n\n", b"\n\t1 a (b)\n",
]  # fmt: skip

Mutation = Callable[[random.Random, bytearray], None]


def flip(choice: random.Random, text: bytearray) -> None:
    text[choice.randrange(len(text))] ^= 1 << choice.randrange(8)


def set_byte(choice: random.Random, text: bytearray) -> None:
    text[choice.randrange(len(text))] = choice.choice(
        (0, 9, 10, 13, 32, 35, 40, 41, 58, 59, 91, 93, 255, choice.randrange(256))
    )


def insert_piece(choice: random.Random, text: bytearray) -> None:
    at = choice.randrange(len(text) + 1)
    text[at:at] = choice.choice(PIECES)


def cut(choice: random.Random, text: bytearray) -> None:
    del text[choice.randrange(len(text)) :]


def remove(choice: random.Random, text: bytearray) -> None:
    at = choice.randrange(len(text))
    del text[at : at + choice.randrange(1, 20)]


def repeat(choice: random.Random, text: bytearray) -> None:
    at, to = choice.randrange(len(text)), choice.randrange(len(text))
    text[to:to] = text[at : at + choice.randrange(1, 80)]


def spoil_blank(choice: random.Random, text: bytearray) -> None:
    """Double or delete a blank, or make it the other one."""
    at = text.find(choice.choice((b" ", b"\t")), choice.randrange(len(text)))
    if at >= 0:
        text[at : at + 1] = choice.choice((b"", b"  ", b"\t", b" " * choice.randrange(1, 200)))


def spoil_number(choice: random.Random, text: bytearray) -> None:
    at = choice.randrange(len(text))
    while at < len(text) and not 48 <= text[at] <= 57:
        at += 1
    end = at
    while end < len(text) and 48 <= text[end] <= 57:
        end += 1
    text[at:end] = choice.choice(NUMBERS)


def long_run(choice: random.Random, text: bytearray) -> None:
    at = choice.randrange(len(text))
    text[at:at] = bytes([text[at]]) * choice.choice((17, 90, 300, 5_000))


def change_lines(choice: random.Random, text: bytearray) -> None:
    """Swap, double or delete lines."""
    lines = text.splitlines(keepends=True)
    at, other = choice.randrange(len(lines)), choice.randrange(len(lines))
    match choice.randrange(3):
        case 0:
            lines[at], lines[other] = lines[other], lines[at]
        case 1:
            lines.insert(at, lines[other])
        case _:
            del lines[at]
    text[:] = b"".join(lines)


def splice(choice: random.Random, text: bytearray) -> None:
    """Put lines of another seed among these."""
    lines = choice.choice(choice.choice((PERF_SCRIPT_SEEDS, FOLDED_SEEDS))).splitlines(keepends=True)
    start = choice.randrange(len(lines))
    at = text.find(b"\n", choice.randrange(len(text))) + 1
    text[at:at] = b"".join(lines[start : start + choice.randrange(1, 12)])


MUTATIONS: tuple[Mutation, ...] = (
    flip, set_byte, set_byte, insert_piece, insert_piece, cut, remove, repeat, spoil_blank, spoil_blank, spoil_number,
    spoil_number, long_run, change_lines, change_lines, splice,
)  # fmt: skip


def mutated(choice: random.Random, seeds: list[bytes]) -> bytes:
    """Take some lines of a seed and spoil them."""
    lines = choice.choice(seeds).splitlines(keepends=True)
    start = choice.randrange(len(lines)) if choice.random() < 0.8 else 0
    text = bytearray(b"".join(lines[start : start + choice.randrange(1, 25)]))
    for _ in range(choice.choice((0, 1, 1, 2, 3, 8))):
        if text:
            choice.choice(MUTATIONS)(choice, text)
    if text and choice.random() < LONG_LINES_PER_INPUT:
        at = choice.randrange(len(text))
        piece = choice.choice([*PIECES, b"x", b"(a", b"a)", b":x ", b"1.000000: ", bytes(text[at : at + 30]) or b"1"])
        text[at:at] = piece * ((limits.MAX_LINE_BYTES + choice.randrange(-9, 9)) // len(piece))
    return bytes(text)


def sizes(choice: random.Random, text: bytes) -> list[int]:
    """Block sizes that cut a text into a few blocks; now and then into bytes."""
    most = 1 if len(text) < 300 and choice.random() < 0.1 else max(2, len(text) // choice.randrange(1, 6))
    return [choice.randrange(1, most + 1) for _ in range(1 if most == 2 else 300)]


def in_two_units(text: bytes) -> Profile:
    """Decode as two threads' shares would be, one after the other by the same decoder."""
    decoder = PerfScriptDecoder(Profile())
    place = find_cut(text, len(text))
    decoder.feed(text, place, 0)
    if place:
        decoder.start_unit(1)
    rest = text[place:]
    consumed = decoder.feed(rest, len(rest), place)
    decoder.finish(rest[consumed:], len(rest) - consumed, place + consumed)
    return decoder.profile


def decoded(decode: Callable[[], Profile]) -> Document | None:
    """Fold what one way to decode gives; None where the weights pass what can be counted."""
    start = time.process_time()
    try:
        profile = decode()
        assert_conserved(profile)
        return folded(profile)
    except OverflowError:
        return None
    finally:
        assert time.process_time() - start < MAX_SECONDS


def check_text(document: Document) -> None:
    """A view of all events can be written, sums up, and damage can be told."""
    try:
        text = b"".join(folded_chunks(document, event=b"all", weight="samples"))
    except OverflowError:
        assert max(document.total_samples) > 1 << 40
    else:
        lines = text.split(b"\n")
        assert lines.pop() == b""
        stacks = [line.rsplit(b" ", 1) for line in lines]
        assert sum(int(weight) for _, weight in stacks) == sum(document.total_samples)
        names = [stack for stack, _ in stacks]
        assert names == sorted(set(names))
    damage(document)


def check_perf_script(choice: random.Random, text: bytes) -> bool:
    dialect = choice.choice((None, None, "stackcollapse-perf", "inferno"))
    timeline = choice.random() < 0.2
    once = decoded(lambda: named(decode_perf_script(text, dialect=dialect, timeline=timeline), dialect))
    blocks = sizes(choice, text)
    assert decoded(lambda: named(decode_perf_script(text, blocks, dialect=dialect, timeline=timeline), dialect)) == once
    if dialect is None and not timeline:
        assert decoded(lambda: named(in_two_units(text))) == once
    if once is None:
        return False
    check_text(once)
    return len(once.total_event) > 0


def check_folded(choice: random.Random, text: bytes) -> bool:
    timeline = choice.random() < 0.2
    once = decoded(lambda: decode_folded(text, timeline=timeline))
    blocks = sizes(choice, text)
    assert decoded(lambda: decode_folded(text, blocks, timeline=timeline)) == once
    if once is None:
        return False
    check_text(once)
    # What was written says the same again.
    written = b"".join(folded_chunks(once))
    if not any(line.startswith(b"# ") and b";" not in line for line in written.splitlines()):
        assert b"".join(folded_chunks(folded(decode_folded(written)))) == written
    return len(once.total_event) > 0


FORMATS = {"perf_script": (check_perf_script, PERF_SCRIPT_SEEDS), "folded": (check_folded, FOLDED_SEEDS)}


@pytest.fixture(autouse=True)
def small_memos(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder per input: its memos need room for the longest line, no more, so that they come from the heap."""
    monkeypatch.setattr(limits, "MAX_LINE_MEMO_BYTES", 3 << 19)
    monkeypatch.setattr(limits, "MAX_CHAIN_MEMO_BYTES", 3 << 19)


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("name", FORMATS)
def test_mutated_texts(name: str, shard: int) -> None:
    check, seeds = FORMATS[name]
    count = INPUTS * (7 if name == "perf_script" else 3) // 10 // SHARDS
    choice = random.Random(f"{name} {shard}")
    meaningful = 0
    for number in range(count):
        text = mutated(choice, seeds)
        try:
            meaningful += check(choice, text)
        except BaseException as error:
            error.add_note(f"input {number}: {text[:3000]!r}") if hasattr(error, "add_note") else None
            raise
    # Most must still say something, or the mutator tests less than it seems to.
    assert meaningful > count // 2


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.memory
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize("name", FORMATS)
def test_no_memory_is_lost(name: str) -> None:
    check, seeds = FORMATS[name]

    def rounds(count: int) -> int:
        choice = random.Random(f"leak {name}")
        for _ in range(count):
            check(choice, mutated(choice, seeds))
        gc.collect()
        return resident_bytes()

    before = rounds(2_000)
    assert rounds(6_000) - before < 4 << 20
