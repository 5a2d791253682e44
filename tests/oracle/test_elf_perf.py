"""The rules of perf 6.1, overlaps and all, against perf 6.1 itself."""

from __future__ import annotations

import random
import sys
from array import array
from pathlib import Path

import pytest

from elf_parts import ALLOC, EXEC, BytesFile, ElfParts, Symbol
from flameparse.symbolize import elf_symbols
from flameparse.symbolize.elf import ElfFile, load_symbols
from flameparse.symbolize.names.demangle import demangle
from oracle.perf_answers import is_perf_6_1, perf_names

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not is_perf_6_1(), reason="no perf 6.1"),
]

NAMES = [b"f", b"_f", b"__f", b"longer_name", b"SyS_f", b"name@@VER_1", b"_ZN4work3runEi", b"_ZN4workC1Ev",
         b"_ZN4workC2Ev", b"_ZN4work3endEv", b"SyS"]  # fmt: skip


def our_names(content: bytes, offsets: list[int]) -> list[bytes]:
    table = load_symbols(ElfFile(BytesFile(content)), rules="perf-6.1")
    rows = table.resolve(array("Q", offsets).tobytes())
    return [b"[unknown]" if row == 0xFFFFFFFF else demangle(table.name(row)) for row in rows]


def random_symbols(choice: random.Random, count: int, span: int) -> list[Symbol]:
    symbols = []
    for _ in range(count):
        size = choice.choice((0, 0, 1, 4, 16, 100, choice.randrange(span)))
        name = choice.choice(NAMES) + (b"%d" % choice.randrange(30) if choice.random() < 0.7 else b"")
        type, section = choice.choice((0, 1, 2, 2, 2, 2, 10, 3, 6)), choice.choice((1, 1, 1, 1, 2, 0, 0xFFF1))
        value = choice.choice((0x401000, 0x402000)) + choice.randrange(span)
        symbols.append(
            Symbol(name, value, size, type, choice.choice((0, 1, 1, 2, 10)), section, choice.choice((0, 0, 2)))
        )
    return symbols


@pytest.mark.parametrize("seed", range(12))
def test_random_symbols(seed: int, tmp_path: Path) -> None:
    choice = random.Random(seed)
    span = choice.choice((60, 400, 4000))
    parts = ElfParts()
    # One segment is not where its addresses say, and symbols outside both go by their section.
    parts.text(0x401000, 0x1000, 0x800)
    parts.section(b".rodata", flags=ALLOC, address=0x402000, offset=0x1800, size=0x1000)
    parts.segment(1, 0x1800, 0x402000, 0x700)
    parts.symbols(random_symbols(choice, choice.randrange(1, 150), span))
    parts.section(b".plt", flags=ALLOC | EXEC, address=0x401100, offset=0x1100, size=64, entry_bytes=16)
    exported = random_symbols(choice, choice.randrange(1, 80), span)
    dynsym = parts.symbols(exported, b".dynsym")
    # Where the very first one names a symbol that is not there, perf reads memory it never wrote.
    numbers = [choice.randrange(len(exported)), choice.randrange(90), 0]
    parts.relocations(b".rela.plt", [(0x5000, number, 7, 0) for number in numbers], dynsym)
    content = parts.build().ljust(0x4000, b"\0")
    path = tmp_path / "prog"
    path.write_bytes(content)
    offsets = list(range(0xFF0, 0x3400, 3 if span > 1000 else 1))
    if span <= 400:
        offsets = [
            o for o in offsets if o < 0x1000 + 3 * span or 0x1100 <= o < 0x1180 or 0x1800 <= o < 0x1800 + 2 * span
        ]
    assert our_names(content, offsets) == perf_names(path, offsets, tmp_path)


@pytest.mark.parametrize(
    "path", [Path(elf_symbols.__file__), Path(sys.executable).resolve()], ids=lambda path: path.name
)
def test_files_of_this_machine(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    file = ElfFile(BytesFile(content))
    table = load_symbols(file, rules="perf-6.1")
    edges = {edge for start, end, _ in table.ranges() for edge in (start - 1, start, (start + end) // 2, end - 1, end)}
    offsets = sorted(edge for edge in edges if 0 <= edge < len(content))
    offsets = random.Random(1).sample(offsets, min(2000, len(offsets)))
    if not file.has_symtab:
        pytest.skip("its names are in a debug file, where there is one")
    assert our_names(content, offsets) == perf_names(path, offsets, tmp_path)
