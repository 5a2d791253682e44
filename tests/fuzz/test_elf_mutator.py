"""A seeded mutator over small ELF files: headers, tables, notes, compressed parts.

Only DecodeError may leave the reader; what it gives must be sorted, disjoint and the same the second time.
FLAMEPARSE_FUZZ_INPUTS asks for another number of inputs.
"""

from __future__ import annotations

import gc
import lzma
import os
import random
import struct
import time
import zlib
from itertools import pairwise
from pathlib import Path

import pytest

from elf_parts import ALLOC, COMPRESSED, EXEC, NOBITS, BytesFile, ElfParts, Symbol
from flameparse.errors import DecodeError
from flameparse.symbolize import elf
from flameparse.symbolize.elf import ElfFile, load_symbols

INPUTS = int(os.environ.get("FLAMEPARSE_FUZZ_INPUTS", "100000")) // 5
SHARDS = 4
MAX_SECONDS = 1.0  # of CPU, per input

STUB = b"\xf3\x0f\x1e\xfa\xff\x25\xf6\x2f\x00\x00\x66\x90\x66\x90\x66\x90"
EDGES = (0, 1, 2, 7, 0x7F, 0xFF, 0xFFF1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 63, (1 << 64) - 24, (1 << 64) - 1)


def program(bits: int, order: str, machine: int, *, debug: bool = False) -> bytes:
    """Build a program with all that the reader looks at, or its debug file."""
    parts = ElfParts(bits, order, machine)
    if debug:
        parts.section(b".text", NOBITS, flags=ALLOC | EXEC, address=0x1000, offset=64, size=0x100)
    else:
        parts.text(0x1000, 0x200, 0x100)
        code = STUB * 2 + struct.pack("<4I", 0x90000010, 0xF9400211, 0x91000210, 0xD61F0220)
        parts.section(b".plt", content=code, flags=ALLOC | EXEC, address=0x2000, entry_bytes=16)
        parts.segment(1, 0x300, 0x3000, 0x100, 0x200)
        note = parts.note(b"GNU\0", 1, b"abi.") + parts.note(b"GNU\0", 3, bytes(range(20)))
        parts.section(b".note.gnu.build-id", 7, note, offset=0x180)
        parts.segment(4, 0x180, 0x180, len(note))
        dynsym = parts.symbols([Symbol(b"puts", 0, section=0), Symbol(b"_ZN4work3runEi", 0x1010, 8)], b".dynsym")
        parts.relocations(b".rela.plt", [(0x5000, 1, 7, 0), (0x5008, 0, 37, 0x1010)], dynsym)
        if machine == 21:
            parts.section(b".opd", content=struct.pack(order + "3Q", 0x1020, 0, 0), flags=ALLOC, address=0x4000)
    parts.section(b".gnu_debuglink", content=b"app.debug\0\0\0abcd")
    words = b"words " * 50
    head = struct.pack(order + ("IIQQ" if bits == 64 else "III"), *((1, 0, 300, 1) if bits == 64 else (1, 300, 1)))
    parts.section(b".debug_a", content=head + zlib.compress(words), flags=COMPRESSED)
    parts.section(b".zdebug_b", content=b"ZLIB" + struct.pack(">Q", 300) + zlib.compress(words))
    names = [b"main", b"_main", b"f", b"_ZN4workC1Ev", b"_ZN4workC2Ev", b"$x.1", b"label", b"x" * 300]
    parts.symbols(
        [
            Symbol(name, 0x1000 + 8 * (i // 2), (0, 8, 40)[i % 3], (2, 1, 0)[i % 3], i % 3)
            for i, name in enumerate(names)
        ]
    )
    return parts.build()


PROGRAMS = [program(b, o, m) for b, o, m in ((64, "<", 62), (64, "<", 183), (64, ">", 21), (32, "<", 40), (32, ">", 3))]
DEBUG_FILES = [program(b, o, 62, debug=True) for b, o in ((64, "<"), (32, ">"))]
INNER = ElfParts()
INNER.section(b".gnu_debugdata", content=lzma.compress(DEBUG_FILES[0]))
SEEDS = [*PROGRAMS, *DEBUG_FILES, INNER.build()]


def spoil(choice: random.Random, content: bytearray) -> None:
    """Change one thing, most often in a header or a table."""
    at = choice.randrange(len(content))
    match choice.randrange(8):
        case 0:
            content[at] ^= 1 << choice.randrange(8)
        case 1:
            del content[at:]
        case 2:
            other = choice.choice(SEEDS)
            content[at : at + 64] = other[at : at + 64]
        case 3:
            content[at:at] = bytes(choice.randrange(1, 40))
        case _:
            # The section headers stand at the end, the header at the start, tables in between.
            near = choice.choice((choice.randrange(64), len(content) - 1 - choice.randrange(1200), at))
            near = max(0, near) // 2 * 2
            size, edge = choice.choice((2, 4, 8)), choice.choice(EDGES)
            order = "big" if content[5:6] == b"\2" else "little"
            content[near : near + size] = (edge % (1 << 8 * size)).to_bytes(size, order)


def mutated(choice: random.Random) -> bytes:
    content = bytearray(choice.choice(SEEDS))
    for _ in range(choice.choice((0, 1, 1, 1, 2, 3, 6))):
        if content:
            spoil(choice, content)
    return bytes(content)


Account = tuple[object, ...]


def account(content: bytes, debug: bytes | None, rules: str) -> Account | None:
    """All that the reader says of a file; None where it refuses it."""
    start = time.process_time()
    try:
        file = ElfFile(BytesFile(content))
        identity = (file.build_id, file.debug_link, file.has_symtab, file.has_dynsym, file.has_opd)
        assert len(file.build_id) <= 20
        sections = []
        for section in file.sections:
            try:
                sections.append(file.section_bytes(section))
            except DecodeError as error:
                sections.append(str(error).encode())
        try:
            inner = file.mini_debug_info()
        except DecodeError:
            inner = None
        other = ElfFile(BytesFile(debug)) if debug is not None else inner
        table = load_symbols(file, other, rules=rules)
        ranges = table.ranges()
        assert all(start < end for start, end, _ in ranges)
        assert all(one[1] <= next_one[0] for one, next_one in pairwise(ranges))
        names = [table.name(row) for _, _, row in ranges]
        asked = [place for start, end, _ in ranges for place in (start, end - 1)]
        rows = table.resolve(struct.pack(f"{len(asked)}Q", *asked))
        assert list(rows) == [row for _, _, row in ranges for _ in range(2)]
        return (*identity, sections, ranges, names)
    except DecodeError:
        return None
    finally:
        assert time.process_time() - start < MAX_SECONDS


def check(choice: random.Random) -> bool:
    content = mutated(choice)
    debug = mutated(choice) if choice.random() < 0.2 else None
    rules = choice.choice(("precise", "perf-6.1"))
    once = account(content, debug, rules)
    if choice.random() < 0.05:
        assert account(content, debug, rules) == once
    return once is not None


@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_files(shard: int) -> None:
    choice = random.Random(f"elf {shard}")
    count = INPUTS // SHARDS
    meaningful = 0
    for number in range(count):
        state = choice.getstate()
        try:
            meaningful += check(choice)
        except BaseException as error:
            choice.setstate(state)
            error.add_note(f"input {number}: {mutated(choice)!r}") if hasattr(error, "add_note") else None
            raise
    assert meaningful > count // 3


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_a_file_cut_anywhere(seed: int) -> None:
    content = SEEDS[seed]
    whole = account(content, None, "precise")
    assert whole is not None
    for size in range(len(content)):
        account(content[:size], None, "precise")


def test_a_file_that_is_cut_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elf, "MAX_NOTE_BYTES", 1 << 10)

    class Shrinking(BytesFile):
        size = len(PROGRAMS[0])

        def read_at(self, offset: int, count: int) -> bytes:
            data = super().read_at(offset, count)
            return data[: len(data) * 9 // 10] if len(self.reads) > self.allowed else data

    for allowed in range(20):
        file = Shrinking(PROGRAMS[0])
        file.allowed = allowed
        try:
            load_symbols(ElfFile(file))
        except DecodeError:
            pass
        else:
            assert allowed >= len(file.reads)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.memory
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_no_memory_is_lost() -> None:
    def rounds(count: int) -> int:
        choice = random.Random("leak elf")
        for _ in range(count):
            check(choice)
        gc.collect()
        return resident_bytes()

    before = rounds(1_000)
    assert rounds(3_000) - before < 4 << 20
