"""A seeded mutator and truncations over DTrace's text: only OverflowError leaves the decoder, and all adds up."""

from __future__ import annotations

import os
import random
import time

import pytest

from decoded_text import assert_conserved, folded
from flameparse import limits
from flameparse.decode.dtrace.decoder import DTraceDecoder
from flameparse.decode.dtrace.text import find_cut, looks_like_dtrace
from flameparse.decode.dtrace.tool import DTraceToolDecoder
from flameparse.document.document import Document
from flameparse.export.folded_text import folded_chunks
from flameparse.model.profile import Profile
from flameparse.passes import name_frames
from fuzz.test_text_mutator import MUTATIONS, sizes
from golden.dtrace_fixtures import FIXTURES, path_of
from oracle import dtrace_reference as reference

INPUTS = int(os.environ.get("FLAMEPARSE_FUZZ_INPUTS", "100000")) // 20
SHARDS = 4
MAX_SECONDS = 1.0
SEEDS = [path_of(fixture).read_bytes() for fixture in FIXTURES]
PIECES = [
    b"`",
    b"+0x",
    b"0x",
    b"  ",
    b"\t",
    b" 5",
    b"\n                5\n",
    b"\n\n",
    b":",
    b"CPU FUNCTION:NAME",
    b"-1\n",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\0",
    b"node 1 2: x:\n",
    b"18446744073709551615",
    b"9223372036854775807",
]
STYLES = {None: "tidy", "stackcollapse": "stackcollapse", "inferno": "inferno-dtrace"}


@pytest.fixture(autouse=True)
def small_memos(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder per input: its memos need room for the longest line, no more."""
    monkeypatch.setattr(limits, "MAX_LINE_MEMO_BYTES", 3 << 19)
    monkeypatch.setattr(limits, "MAX_CHAIN_MEMO_BYTES", 3 << 19)


def decode(text: bytes, block_sizes: list[int], dialect: str | None = None) -> Document | None:
    start = time.process_time()
    decoder = DTraceDecoder(Profile()) if dialect is None else DTraceToolDecoder(Profile(), dialect)
    try:
        at = end = 0
        for size in (*block_sizes, len(text)):
            end = min(end + size, len(text))
            at += decoder.feed(memoryview(text)[at:end], end - at, at)
        decoder.finish(text[at:], len(text) - at, at)
        assert_conserved(decoder.profile)
        return folded(name_frames(decoder.profile, style=STYLES[dialect], modules=dialect is None))
    except OverflowError:
        return None
    finally:
        assert time.process_time() - start < MAX_SECONDS


def in_two_units(text: bytes) -> Document | None:
    decoder = DTraceDecoder(Profile())
    place = find_cut(text, len(text))
    try:
        assert decoder.feed(text, place, 0) == place
        decoder.start_unit(1)
        rest = text[place:]
        consumed = decoder.feed(rest, len(rest), place)
        decoder.finish(rest[consumed:], len(rest) - consumed, place + consumed)
        return folded(name_frames(decoder.profile, style="tidy", modules=True))
    except OverflowError:
        return None


def lines_of(document: Document | None) -> bytes | None:
    try:
        return None if document is None else b"".join(folded_chunks(document, event=b"all"))
    except OverflowError:
        return b"too much"


def mutated(choice: random.Random) -> bytes:
    text = bytearray(choice.choice(SEEDS))
    for _ in range(choice.choice((0, 1, 2, 3, 8))):
        if not text:
            break
        if choice.random() < 0.4:
            at = choice.randrange(len(text) + 1)
            text[at:at] = choice.choice(PIECES)
        else:
            choice.choice(MUTATIONS)(choice, text)
    return bytes(text)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_texts(shard: int) -> None:
    choice = random.Random(f"dtrace {shard}")
    meaningful = 0
    for number in range(INPUTS // SHARDS):
        text = mutated(choice)
        try:
            looks_like_dtrace(text)
            whole = lines_of(decode(text, []))
            assert lines_of(decode(text, sizes(choice, text) if text else [])) == whole
            assert lines_of(in_two_units(text)) == whole
            for dialect in ("stackcollapse", "inferno"):
                assert lines_of(decode(text, [], dialect)) == lines_of(decode(text, [7] * 40, dialect))
        except BaseException as error:
            error.add_note(f"input {number}: {text!r}") if hasattr(error, "add_note") else None
            raise
        meaningful += bool(whole)
    assert meaningful > INPUTS // SHARDS // 2


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_prefix_reads_as_the_reference_reads_it(fixture: str) -> None:
    text = path_of(fixture).read_bytes()
    for end in range(len(text)):
        decoder = DTraceDecoder(Profile())
        consumed = decoder.feed(text[:end], end, 0) if end else 0
        decoder.finish(text[consumed:end], end - consumed, consumed)
        parser = reference.parse(text[:end])
        assert decoder.profile.samples.held()[0] == sum(sample.weight for sample in parser.samples)
        assert decoder.profile.diagnostics.counts.get("uncounted_stacks", 0) == parser.uncounted
        assert_conserved(decoder.profile)
