from __future__ import annotations

import lzma
import random
import struct
import time
import tracemalloc
import zlib

import pytest

from elf_parts import (
    ABS,
    ALLOC,
    COMPRESSED,
    EXEC,
    FUNC,
    IFUNC,
    LOAD,
    LOCAL,
    NOBITS,
    NOTE,
    NOTYPE,
    OBJECT,
    PROGBITS,
    RELA,
    SECTION,
    STRTAB,
    SYMTAB,
    TLS,
    UNIQUE,
    WEAK,
    BytesFile,
    ElfParts,
    Symbol,
)  # fmt: skip
from flameparse.errors import DecodeError, LimitError, MalformedError, TruncatedError, UnsupportedError
from flameparse.symbolize import elf
from flameparse.symbolize.elf import ElfFile, load_symbols
from flameparse.symbolize.symbol_table import SymbolTable

RULES = ["precise", "perf-6.1"]
FORMS = [(64, "<"), (64, ">"), (32, "<"), (32, ">")]
ARM, PPC64, AARCH64, X86_64, I386 = 40, 21, 183, 62, 3


def opened(builder: ElfParts) -> ElfFile:
    return ElfFile(BytesFile(builder.build()))


def at(table: SymbolTable, *addresses: int) -> list[bytes | None]:
    rows = table.resolve(struct.pack(f"{len(addresses)}Q", *addresses))
    return [None if row == 0xFFFFFFFF else table.name(row) for row in rows]


def ranges(table: SymbolTable) -> list[tuple[int, int, bytes]]:
    return [(start, end, table.name(row)) for start, end, row in table.ranges()]


def program(*symbols: Symbol, table: bytes = b".symtab", **form: object) -> ElfFile:
    """A program of one section, address 0x401000 at offset 0x1000, and these symbols."""
    builder = ElfParts(**form)
    builder.text(0x401000, 0x1000, 0x1000)
    builder.symbols(list(symbols), table)
    return opened(builder)


class TestHeaders:
    @pytest.mark.parametrize(("bits", "order"), FORMS)
    def test_all_fields(self, bits, order):
        builder = ElfParts(bits, order, machine=X86_64, type=2)
        builder.text(0x401000, 0x1000, 0x234)
        builder.section(b".data", flags=3, address=0x5000, content=b"abc", info=7, link=1, entry_bytes=9)
        builder.segment(4, 0x300, 0x301, 0x302, 0x303, 8)
        file = opened(builder)
        assert (file.is_64, file.is_big_endian) == (bits == 64, order == ">")
        assert (file.machine, file.type, file.path) == (X86_64, 2, "test.elf")
        assert [section.name for section in file.sections] == [b"", b".text", b".data", b".shstrtab"]
        text, data = file.sections[1:3]
        assert (text.type, text.flags, text.address, text.offset, text.size) == (1, 6, 0x401000, 0x1000, 0x234)
        assert (data.link, data.info, data.entry_bytes, data.size) == (1, 7, 9, 3)
        assert file.section_bytes(data) == b"abc"
        assert [
            (s.type, s.flags, s.offset, s.address, s.file_bytes, s.memory_bytes, s.alignment) for s in file.segments
        ] == [(1, 5, 0x1000, 0x401000, 0x234, 0x234, 4096), (4, 5, 0x300, 0x301, 0x302, 0x303, 8)]
        assert not file.has_symtab
        assert not file.has_dynsym
        assert file.section_number(b".data") == 2
        assert file.section_number(b".bss") == 0

    def test_counts_that_do_not_fit_the_header_stand_in_section_0(self):
        builder = ElfParts()
        builder.text(0x1000, 0x1000, 10)
        builder.sections[0].size, builder.sections[0].link, builder.sections[0].info = 3, 2, 1
        content = bytearray(builder.build())
        struct.pack_into("<H", content, 56, 0xFFFF)  # phnum
        struct.pack_into("<HH", content, 60, 0, 0xFFFF)  # shnum, shstrndx
        file = ElfFile(BytesFile(bytes(content)))
        assert [section.name for section in file.sections] == [b"", b".text", b".shstrtab"]
        assert len(file.segments) == 1

    def test_the_first_of_two_sections_of_a_name_counts_and_its_type_must_fit(self):
        builder = ElfParts()
        builder.section(b".symtab", PROGBITS)
        builder.section(b".symtab", SYMTAB, entry_bytes=24)
        file = opened(builder)
        assert file.section_number(b".symtab") == 1
        assert not file.has_symtab

    @pytest.mark.memory
    def test_a_name_without_end_is_not_kept_for_every_section(self):
        builder = ElfParts()
        for _ in range(2000):
            builder.section(b"", content=b"")
        content = bytearray(builder.build())
        content += bytes(-len(content) % 8)
        names_at, names = len(content), b".long" * 40_000
        content += names
        headers_at = struct.unpack_from("<Q", content, 40)[0]
        for number in range(1, 2001):
            struct.pack_into("<I", content, headers_at + 64 * number, number)
        struct.pack_into("<IIQQQQ", content, headers_at + 64 * 2001, 1, STRTAB, 0, 0, names_at, len(names))
        tracemalloc.start()
        file = ElfFile(BytesFile(bytes(content)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert file.sections[5].name == (b".long" * 51)[:255]
        assert peak < 4 << 20  # 2,000 times 200,000 bytes would be 400 MB

    @pytest.mark.parametrize("excess", [-1, 0])
    @pytest.mark.parametrize("what", ["sections", "segments"])
    def test_headers_have_a_cap(self, monkeypatch, what, excess):
        builder = ElfParts()
        for number in range(18):
            if what == "sections":
                builder.section(b".a")
            else:
                builder.segment(LOAD, 0, 4096 * number, 1)
        count = 20 if what == "sections" else 18  # beside ours, the first one and the one with the names
        monkeypatch.setattr(elf, "MAX_ELF_SECTIONS", count + excess)
        if excess < 0:
            with pytest.raises(LimitError, match=f"{count} {what}, more than MAX_ELF_SECTIONS"):
                opened(builder)
        else:
            assert len(getattr(opened(builder), what)) == count

    @pytest.mark.parametrize("content", [b"", b"\x7fELF", b"#!/bin/sh\n" * 10, b"\x7fELF\3\1" + bytes(60)])
    def test_what_is_no_elf_file_is_refused(self, content):
        with pytest.raises(MalformedError):
            ElfFile(BytesFile(content))

    @pytest.mark.parametrize(
        ("place", "code", "value"),
        [
            (40, "<Q", 1 << 60),  # section headers past the end
            (40, "<Q", (1 << 64) - 8),
            (58, "<H", 0),  # size of a section header
            (58, "<H", 63),
            (60, "<H", 0xFFFE),  # their count
            (32, "<Q", (1 << 64) - 8),
            (54, "<H", 0),  # size of a program header
            (56, "<H", 0xFFFE),
        ],
    )
    def test_impossible_headers_are_refused(self, place, code, value):
        builder = ElfParts()
        builder.text(0x1000, 0x1000, 10)
        content = bytearray(builder.build())
        struct.pack_into(code, content, place, value)
        with pytest.raises(DecodeError):
            ElfFile(BytesFile(bytes(content)))

    def test_a_file_that_is_shorter_than_it_was_is_told(self):
        class Cut(BytesFile):
            size = 1 << 20

        content = ElfParts().build()
        with pytest.raises(TruncatedError):
            ElfFile(Cut(content[:-10]))

    def test_names_past_their_table_are_empty(self):
        builder = ElfParts()
        builder.section(b".text")
        content = bytearray(builder.build())
        sections_at = struct.unpack_from("<Q", content, 40)[0]
        struct.pack_into("<I", content, sections_at + 64, 0xFFFFFFF0)
        assert [section.name for section in ElfFile(BytesFile(bytes(content))).sections] == [b"", b"", b".shstrtab"]

    def test_no_more_is_read_than_needed(self):
        builder = ElfParts()
        builder.section(b".text", content=bytes(1 << 20), flags=ALLOC | EXEC, address=0x1000)
        builder.section(b".debug_info", content=bytes(1 << 20))
        builder.symbols([Symbol(b"f", 0x1000, 16)])
        file = BytesFile(builder.build())
        load_symbols(ElfFile(file))
        assert sum(count for _, count in file.reads) < 1500

    def test_load_segments_have_a_cap(self, monkeypatch):
        monkeypatch.setattr(elf, "MAX_LOAD_SEGMENTS", 3)
        builder = ElfParts()
        builder.text(0x1000, 0x1000, 16)
        builder.symbols([Symbol(b"f", 0x1000, 16)])
        for _ in range(2):
            builder.segment(LOAD, 0, 0, 1)
        assert ranges(load_symbols(opened(builder))) == [(0x1000, 0x1010, b"f")]
        builder.segment(LOAD, 0, 0, 1)
        with pytest.raises(LimitError, match="MAX_LOAD_SEGMENTS"):
            load_symbols(opened(builder))


class TestIdentity:
    @pytest.mark.parametrize(("bits", "order"), FORMS)
    @pytest.mark.parametrize("align", [4, 8])
    def test_build_id_among_other_notes(self, bits, order, align):
        builder = ElfParts(bits, order)
        notes = builder.note(b"GNU\0", 1, b"abi.", align) + builder.note(b"Go\0\0", 3, b"other", align)
        notes += builder.note(b"GNU\0", 3, bytes(range(20)), align)
        builder.section(b".x", content=notes, offset=0x400)
        builder.segment(4, 0x400, 0x400, len(notes), align=align)
        assert opened(builder).build_id == bytes(range(20))

    def test_build_id_of_a_section(self):
        builder = ElfParts()
        builder.section(b".note.other", NOTE, builder.note(b"GNU\0", 3, b"wrong..."))
        builder.section(b".note.gnu.build-id", NOTE, builder.note(b"GNU\0", 3, b"12345678"))
        assert opened(builder).build_id == b"12345678"

    @pytest.mark.parametrize(
        "notes",
        [b"", b"\4\0\0\0", struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes(19), struct.pack("<III", 1 << 31, 9, 3)],
    )
    def test_no_build_id(self, notes):
        builder = ElfParts()
        builder.section(b".note.gnu.build-id", NOTE, notes)
        assert opened(builder).build_id == b""

    def test_notes_have_a_cap(self, monkeypatch):
        builder = ElfParts()
        notes = builder.note(b"x\0\0\0", 3, bytes(84)) + builder.note(b"GNU\0", 3, b"12345678")
        assert len(notes) == 124
        builder.section(b".note", NOTE, notes)
        for cap, build_id in ((124, b"12345678"), (123, b"")):
            monkeypatch.setattr(elf, "MAX_NOTE_BYTES", cap)
            assert opened(builder).build_id == build_id

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("name", [b"a", b"app.debug", b"abc", b"1234567"])
    def test_debug_link(self, order, name):
        builder = ElfParts(order=order)
        content = name + b"\0" * (4 - len(name) % 4) + struct.pack(order + "I", 0xDEADBEEF)
        builder.section(b".gnu_debuglink", content=content)
        assert opened(builder).debug_link == (name, 0xDEADBEEF)

    @pytest.mark.parametrize("content", [b"", b"abc", b"\0\0\0\0\0\0\0\0", b"abcdefgh", b"abcdefgh\0\0\0\0\1\2\3"])
    def test_no_debug_link(self, content):
        builder = ElfParts()
        builder.section(b".gnu_debuglink", content=content)
        assert opened(builder).debug_link is None


class TestCompressed:
    CONTENT = b"some words, " * 1000

    def compressed(self, bits: int = 64, order: str = "<", *, kind: int = 1, size: int | None = None) -> ElfFile:
        size = len(self.CONTENT) if size is None else size
        head = struct.pack(
            order + ("IIQQ" if bits == 64 else "III"), *((kind, 0, size, 1) if bits == 64 else (kind, size, 1))
        )
        builder = ElfParts(bits, order)
        builder.section(b".debug_info", content=head + zlib.compress(self.CONTENT), flags=COMPRESSED)
        return opened(builder)

    @pytest.mark.parametrize(("bits", "order"), FORMS)
    def test_zlib(self, bits, order):
        file = self.compressed(bits, order)
        assert file.section_bytes(file.sections[1]) == self.CONTENT

    def test_the_older_form(self):
        builder = ElfParts()
        content = b"ZLIB" + struct.pack(">Q", len(self.CONTENT)) + zlib.compress(self.CONTENT)
        builder.section(b".zdebug_info", content=content)
        file = opened(builder)
        assert file.section_bytes(file.sections[1]) == self.CONTENT

    @pytest.mark.parametrize("excess", [-1, 0, 1])
    def test_the_cap(self, monkeypatch, excess):
        monkeypatch.setattr(elf, "MAX_INFLATED_SECTION_BYTES", len(self.CONTENT) + excess)
        file = self.compressed()
        if excess < 0:
            with pytest.raises(LimitError, match="MAX_INFLATED_SECTION_BYTES"):
                file.section_bytes(file.sections[1])
        else:
            assert file.section_bytes(file.sections[1]) == self.CONTENT

    def test_the_cap_is_of_all_sections_together(self, monkeypatch):
        monkeypatch.setattr(elf, "MAX_INFLATED_SECTION_BYTES", 2 * len(self.CONTENT) + 1)
        file = self.compressed()
        for _ in range(2):
            assert file.section_bytes(file.sections[1]) == self.CONTENT
        with pytest.raises(LimitError, match="MAX_INFLATED_SECTION_BYTES"):
            file.section_bytes(file.sections[1])

    def test_sections_that_overlap_are_not_read_time_and_again(self):
        # A stub, and 1,000 sections of relocations that are all the same bytes.
        builder = ElfParts()
        builder.section(b".plt", content=bytes(16), flags=ALLOC | EXEC, address=0x1000, entry_bytes=16)
        first = builder.relocations(b".rela.a", [(0x5000, 1, 7, 0)] * 10_000, 0)
        content = builder.build()
        place = struct.unpack_from("<Q", content, struct.unpack_from("<Q", content, 40)[0] + 64 * first + 24)[0]
        for _ in range(1000):
            builder.section(b".rela.b", RELA, flags=ALLOC, offset=place, size=240_000, entry_bytes=24)
        with pytest.raises(LimitError, match="larger together than the file"):
            load_symbols(opened(builder))

    @pytest.mark.parametrize("size", [0, 11_999, 12_001, 1 << 40, (1 << 64) - 1])
    def test_a_size_that_lies(self, size):
        file = self.compressed(size=size)
        with pytest.raises(DecodeError):
            file.section_bytes(file.sections[1])

    def test_unknown_compression(self):
        file = self.compressed(kind=2)
        with pytest.raises(UnsupportedError):
            file.section_bytes(file.sections[1])

    def test_damaged(self):
        builder = ElfParts()
        builder.section(b".debug_a", content=b"\1\0\0\0", flags=COMPRESSED)
        builder.section(b".debug_b", content=struct.pack("<IIQQ", 1, 0, 10, 1) + b"no stream", flags=COMPRESSED)
        file = opened(builder)
        for section, error in zip(file.sections[1:3], (TruncatedError, MalformedError), strict=True):
            with pytest.raises(error):
                file.section_bytes(section)

    @pytest.mark.parametrize("excess", [-1, 0, 1])
    def test_plain_sections_have_a_cap(self, monkeypatch, excess):
        builder = ElfParts()
        builder.section(b".data", content=bytes(5000))
        file = opened(builder)
        monkeypatch.setattr(elf, "MAX_SECTION_BYTES", 5000 + excess)
        if excess < 0:
            with pytest.raises(LimitError, match="MAX_SECTION_BYTES"):
                file.section_bytes(file.sections[1])
        else:
            assert file.section_bytes(file.sections[1]) == bytes(5000)


class TestMiniDebugInfo:
    def file(self, content: bytes) -> ElfFile:
        builder = ElfParts()
        builder.text(0x401000, 0x1000, 0x1000)
        builder.symbols([Symbol(b"exported", 0x401000, 16)], b".dynsym")
        builder.section(b".gnu_debugdata", content=content)
        return opened(builder)

    def inner(self) -> bytes:
        builder = ElfParts()
        builder.section(b".text", NOBITS, flags=ALLOC | EXEC, address=0x401000, offset=0x40, size=0x1000)
        builder.symbols([Symbol(b"hidden", 0x401010, 16, binding=LOCAL)])
        return builder.build()

    def test_its_names_join_those_of_the_file(self):
        file = self.file(lzma.compress(self.inner()))
        inner = file.mini_debug_info()
        assert inner is not None
        assert inner.has_symtab
        assert inner.path == "test.elf .gnu_debugdata"
        table = load_symbols(file, inner)
        assert ranges(table) == [(0x1000, 0x1010, b"exported"), (0x1010, 0x1020, b"hidden")]

    def test_there_is_none(self):
        assert opened(ElfParts()).mini_debug_info() is None

    def test_damaged(self):
        packed = lzma.compress(self.inner())
        for content in (b"", b"not xz", packed[:-30], lzma.compress(b"not ELF")):
            with pytest.raises(DecodeError):
                self.file(content).mini_debug_info()

    def test_a_bomb(self, monkeypatch):
        monkeypatch.setattr(elf, "MAX_INFLATED_SECTION_BYTES", 100_000)
        with pytest.raises(LimitError, match="MAX_INFLATED_SECTION_BYTES"):
            self.file(lzma.compress(bytes(100_001))).mini_debug_info()


class TestWhichSymbols:
    @pytest.mark.parametrize("rules", RULES)
    @pytest.mark.parametrize(("bits", "order"), FORMS)
    def test_every_form(self, bits, order, rules):
        file = program(Symbol(b"main", 0x401000, 32), Symbol(b"work", 0x401020, 16), bits=bits, order=order)
        assert ranges(load_symbols(file, rules=rules)) == [(0x1000, 0x1020, b"main"), (0x1020, 0x1030, b"work")]

    @pytest.mark.parametrize("rules", RULES)
    @pytest.mark.parametrize(
        ("symbol", "counts"),
        [
            (Symbol(b"f", 0x401000, 16, FUNC), True),
            (Symbol(b"f", 0x401000, 16, IFUNC), True),
            (Symbol(b"f", 0x401000, 16, OBJECT), True),
            (Symbol(b"f", 0x401000, 16, NOTYPE), True),
            (Symbol(b"f", 0x401000, 16, binding=UNIQUE), True),
            (Symbol(b"f", 0x401000, 16, binding=WEAK, other=2), True),
            (Symbol(b"f", 0x401000, 16, NOTYPE, other=1), False),
            (Symbol(b"f", 0x401000, 16, NOTYPE, other=2), False),
            (Symbol(b"f", 0x401000, 16, NOTYPE, other=3), True),
            (Symbol(b"f", 0x401000, 16, NOTYPE, section=ABS), False),
            (Symbol(b"f", 0x401000, 16, FUNC, section=ABS), False),
            (Symbol(b"f", 0x401000, 16, FUNC, section=0), False),
            (Symbol(b"f", 0x401000, 16, FUNC, section=9), False),
            (Symbol(b"f", 0x401000, 16, SECTION), False),
            (Symbol(b"f", 0x401000, 16, TLS), False),
            (Symbol(b"", 0x401000, 16, FUNC), False),
            (Symbol(b"$x", 0x401000, 16, NOTYPE), True),
        ],
    )
    def test_one_symbol(self, symbol, counts, rules):
        assert at(load_symbols(program(symbol), rules=rules), 0x1008) == [symbol.name if counts else None]

    @pytest.mark.parametrize(
        ("section", "flags", "type", "counts"),
        [
            (b".text.hot", ALLOC | EXEC, NOTYPE, True),
            (b".rodata", ALLOC, NOTYPE, True),
            (b".init", ALLOC | EXEC, NOTYPE, False),
            (b".init", ALLOC | EXEC, FUNC, True),
            (b".text.unlikely", 0, FUNC, False),
            (b".gnu.warning.text", 0, NOTYPE, False),
        ],
    )
    def test_sections(self, section, flags, type, counts):
        builder = ElfParts()
        builder.section(section, flags=flags, address=0x2000, offset=0x1000, size=64)
        builder.symbols([Symbol(b"f", 0x2000, 16, type)])
        assert at(load_symbols(opened(builder), rules="perf-6.1"), 0x1000) == [b"f" if counts else None]

    @pytest.mark.parametrize(("rules", "winner"), [("precise", b"_ZN1aF1bEv"), ("perf-6.1", b"_a_longer_name_")])
    def test_aliases_are_compared_as_they_are_printed(self, rules, winner):
        # A mangling that perf does not know begins, for it, with an underscore as the other name does.
        file = program(Symbol(b"_ZN1aF1bEv", 0x401000, 16), Symbol(b"_a_longer_name_", 0x401000, 16))
        assert at(load_symbols(file, rules=rules), 0x1000) == [winner]

    def test_perf_gives_up_at_a_symbol_of_a_section_that_is_not_there(self):
        builder = ElfParts()
        builder.text(0x401000, 0x1000, 0x1000)
        builder.section(b".plt", content=bytes(64), flags=ALLOC | EXEC, address=0x2000, entry_bytes=16)
        builder.symbols([Symbol(b"a", 0x401000)])
        good, bad, late = Symbol(b"b", 0x401010), Symbol(b"bad", 0, section=77), Symbol(b"late", 0x401020, 8)
        dynsym = builder.symbols([good, Symbol(b"tls", 0, type=TLS, section=77), bad, late], b".dynsym")
        builder.relocations(b".rela.plt", [(0x5000, 1, 7, 0)], dynsym)
        # The gap after "a" was closed, to the end of the page's successor; that after "b" is not, "late" is not read,
        # and there are no stubs. In the tree, "b" is to the right of "a" and never reached.
        assert ranges(load_symbols(opened(builder), rules="perf-6.1")) == [(0x1000, 0x2000, b"a")]
        assert ranges(load_symbols(opened(builder))) == [
            (0x1000, 0x1010, b"a"), (0x1010, 0x1020, b"b"), (0x1020, 0x1028, b"late"),
        ]  # fmt: skip

    @pytest.mark.parametrize("machine", [ARM, AARCH64])
    def test_arm_marks_of_code_and_data_are_no_names(self, machine):
        names = [b"$a", b"$d", b"$t", b"$x", b"$x.17", b"$xyz", b"$b", b"$"]
        symbols = [Symbol(name, 0x401000 + 16 * i, 16, NOTYPE, LOCAL) for i, name in enumerate(names)]
        table = load_symbols(program(*symbols, machine=machine))
        assert at(table, *(0x1000 + 16 * i for i in range(8))) == [None] * 5 + [b"$xyz", b"$b", b"$"]

    def test_arm_thumb_functions_have_an_odd_address(self):
        symbols = Symbol(b"thumb", 0x401001, 16), Symbol(b"data", 0x401021, 16, OBJECT)
        for machine, starts in ((ARM, (0x1000, 0x1021)), (AARCH64, (0x1001, 0x1021))):
            table = load_symbols(program(*symbols, machine=machine, bits=32))
            assert [start for start, _, _ in table.ranges()] == list(starts)

    def test_function_descriptors(self):
        builder = ElfParts(order=">", machine=PPC64)
        builder.text(0x401000, 0x1000, 0x1000)
        content = struct.pack(">QQQQQQ", 0x401100, 0, 0, 0x401200, 0, 0)
        opd = builder.section(b".opd", content=content, flags=ALLOC, address=0x500000)
        builder.symbols(
            [Symbol(b"first", 0x500000, 32, section=opd), Symbol(b"second", 0x500018, 32, section=opd)]
            + [Symbol(b"past", 0x500000 + place, 32, section=opd) for place in (41, 48, -8)]
        )
        file = opened(builder)
        assert file.has_opd
        assert ranges(load_symbols(file)) == [(0x1100, 0x1120, b"first"), (0x1200, 0x1220, b"second")]


class TestAddresses:
    @pytest.mark.parametrize("rules", RULES)
    def test_the_first_segment_that_has_an_address_outranks_the_section(self, rules):
        builder = ElfParts()
        builder.section(b".text", flags=ALLOC, address=0x2CB0, offset=0x1CB0, size=0x1000)
        for offset, address, size in ((0, 0, 0x1000), (0x1800, 0x2C00, 0x100), (0x7777, 0x2C00, 0x1000)):
            builder.segment(LOAD, offset, address, size)
        builder.segment(7, 0x9999, 0x2000, 0x1000)  # not loaded
        builder.symbols([Symbol(b"f", 0x2CB0, 16), Symbol(b"g", 0x2D00, 16), Symbol(b"none", 0x4000, 16)])
        starts = [start for start, _, _ in load_symbols(opened(builder), rules=rules).ranges()]
        assert starts == [0x18B0, 0x3000, 0x7877]

    def test_segments_count_what_is_in_memory(self):
        builder = ElfParts()
        builder.section(b".bss", flags=ALLOC, address=0x3000, offset=0x5000, size=0x1000)
        builder.segment(LOAD, 0x800, 0x2000, 0x10, 0x2000)
        builder.symbols([Symbol(b"zeroed", 0x3000, 16, OBJECT)])
        assert ranges(load_symbols(opened(builder))) == [(0x1800, 0x1810, b"zeroed")]

    def test_a_debug_file_is_placed_by_the_program(self):
        runtime = ElfParts()
        runtime.text(0x401000, 0x1000, 0x1000)
        runtime.section(b".rodata.str", flags=ALLOC, address=0x900000, offset=0x2000, size=64)
        runtime.symbols([Symbol(b"exported", 0x401100, 16)], b".dynsym")
        debug = ElfParts()
        debug.section(b".text", NOBITS, flags=ALLOC | EXEC, address=0x401000, offset=0x40, size=0x1000)
        debug.section(b".rodata.str", NOBITS, flags=ALLOC, address=0x900000, offset=0x40, size=64)
        debug.section(b".dynsym", NOBITS, flags=ALLOC)
        debug.symbols(
            [
                Symbol(b"main", 0x401000, 16),
                Symbol(b"words", 0x900000, 16, OBJECT, section=2),
                Symbol(b"lost", 0x401200, 4, section=3),
            ]
        )
        main, words = (0x1000, 0x1010, b"main"), (0x2000, 0x2010, b"words")
        lost, exported = (0x1200, 0x1204, b"lost"), (0x1100, 0x1110, b"exported")
        # perf takes all names from the file with the names.
        assert ranges(load_symbols(opened(runtime), opened(debug), rules="perf-6.1")) == [main, lost, words]
        assert ranges(load_symbols(opened(runtime), opened(debug))) == [main, exported, lost, words]

    def test_sizes_past_the_end_of_the_address_space(self):
        file = program(Symbol(b"f", 0x401000, (1 << 64) - 1), Symbol(b"g", 0x401010, (1 << 64) - 0x1011))
        assert ranges(load_symbols(file)) == [
            (0x1000, 0x1010, b"f"), (0x1010, (1 << 64) - 1, b"g"),
        ]  # fmt: skip

    def test_bare_symbols_do_not_reach_into_the_next_section_where_we_are_precise(self):
        builder = ElfParts()
        builder.text(0x401000, 0x1000, 0x80)
        builder.text(0x402000, 0x2000, 0x80, b".fini")
        builder.symbols([Symbol(b"_start", 0x401000), Symbol(b"bare", 0x401040), Symbol(b"_fini", 0x402000, section=2)])
        start, bare, fini = (0x1000, 0x1040, b"_start"), (0x1040, 0x1080, b"bare"), (0x2000, 0x2080, b"_fini")
        assert ranges(load_symbols(opened(builder))) == [start, bare, fini]
        bare, fini = (0x1040, 0x2000, b"bare"), (0x2000, 0x3000, b"_fini")
        assert ranges(load_symbols(opened(builder), rules="perf-6.1")) == [start, bare, fini]


class TestTwoTables:
    def test_the_better_of_both_names(self):
        builder = ElfParts()
        builder.text(0x401000, 0x1000, 0x1000)
        builder.symbols([Symbol(b"__local", 0x401000, 16, binding=LOCAL), Symbol(b"printf@@V_2", 0x401100, 16)])
        builder.symbols([Symbol(b"exported", 0x401000, 16), Symbol(b"printf", 0x401100, 16)], b".dynsym")
        for rules in RULES:
            table = load_symbols(opened(builder), rules=rules)
            assert ranges(table) == [(0x1000, 0x1010, b"exported"), (0x1100, 0x1110, b"printf@@V_2")]

    def test_a_stripped_file_has_the_names_others_link_to(self):
        file = program(Symbol(b"f", 0x401000, 16), table=b".dynsym")
        assert (file.has_symtab, file.has_dynsym) == (False, True)
        assert ranges(load_symbols(file)) == [(0x1000, 0x1010, b"f")]

    @pytest.mark.parametrize("rules", RULES)
    def test_no_table_at_all(self, rules):
        assert ranges(load_symbols(opened(ElfParts()), rules=rules)) == []

    @pytest.mark.parametrize("entry_bytes", [0, 1, 16, 23, 25, 1 << 40])
    def test_entries_of_another_size_are_refused(self, entry_bytes):
        builder = ElfParts()
        builder.symbols([Symbol(b"f", 0x1000, 16)])
        builder.sections[-1].entry_bytes = entry_bytes
        with pytest.raises(MalformedError, match="entries"):
            load_symbols(opened(builder))

    @pytest.mark.parametrize("link", [0, 2, 3, 4, 1 << 31])
    def test_a_table_without_strings_is_refused(self, link):
        builder = ElfParts()
        builder.symbols([Symbol(b"f", 0x1000, 16)])
        builder.sections[-1].link = link
        if link == 3:
            builder.sections[-1].link = 1
            builder.sections[1].type = PROGBITS
        with pytest.raises(MalformedError, match="strings"):
            load_symbols(opened(builder))

    @pytest.mark.parametrize("size", [1 << 62, (1 << 64) - 24, 1 << 20])
    def test_a_table_past_the_end_is_refused(self, size):
        builder = ElfParts()
        builder.symbols([Symbol(b"f", 0x1000, 16)])
        builder.sections[-1].size = size
        with pytest.raises(DecodeError):
            load_symbols(opened(builder))

    def test_a_torn_last_entry_is_passed_over(self):
        builder = ElfParts()
        builder.text(0x1000, 0x1000, 64)
        builder.symbols([Symbol(b"f", 0x1000, 16), Symbol(b"g", 0x1010, 16)])
        builder.sections[-1].size -= 1
        assert ranges(load_symbols(opened(builder))) == [(0x1000, 0x1010, b"f")]

    def test_names_end_with_their_table(self):
        builder = ElfParts()
        builder.text(0x1000, 0x1000, 64)
        builder.symbols([Symbol(b"first", 0x1000, 16), Symbol(b"second", 0x1010, 16)])
        strings = builder.sections[-2]
        assert strings.content == b"\0first\0second\0"
        strings.size -= 2
        assert ranges(load_symbols(opened(builder))) == [(0x1000, 0x1010, b"first"), (0x1010, 0x1020, b"secon")]
        strings.size = 7
        assert ranges(load_symbols(opened(builder))) == [(0x1000, 0x1010, b"first")]

    @pytest.mark.parametrize("length", [254, 255, 256, 257, 511, 512, 513, 5000])
    def test_long_names(self, length):
        symbols = [Symbol(bytes([65 + i]) * length, 0x401000 + 16 * i, 16) for i in range(9)]
        table = load_symbols(program(*symbols))
        assert at(table, *(0x1000 + 16 * i for i in range(9))) == [symbol.name for symbol in symbols]

    def test_names_that_share_their_bytes_take_linear_time(self):
        # All symbols name tails of the same 4 MiB.
        builder = ElfParts()
        builder.text(0x1000, 0x1000, 1 << 20)
        builder.symbols([Symbol(b"f", 0x1000 + 16 * i, 16) for i in range(20_000)])
        table, strings = builder.sections[-1], builder.sections[-2]
        strings.content = b"\0" + b"x" * (4 << 20)
        strings.size = len(strings.content)
        rows = bytearray(table.content)
        for i in range(20_000):
            struct.pack_into("<I", rows, 24 * (i + 1), i + 1)
            struct.pack_into("<Q", rows, 24 * (i + 1) + 8, 0x1000)
        table.content = bytes(rows)
        file = opened(builder)
        before = time.process_time()
        symbols = load_symbols(file)
        assert time.process_time() - before < 1
        assert [(start, end) for start, end, _ in symbols.ranges()] == [(0x1000, 0x1010)]
        assert len(symbols.name(symbols.ranges()[0][2])) == 4 << 20

    @pytest.mark.parametrize(
        "names", [(b"x" * 400_000 + b"a", b"x" * 400_000 + b"b"), (b"_" * 400_000, b"_" * 400_001)]
    )
    def test_long_names_of_many_aliases_take_linear_time(self, names):
        builder = ElfParts()
        builder.text(0x1000, 0x1000, 4096)
        builder.symbols([Symbol(name, 0x1000, 16) for name in names])
        table = builder.sections[-1]
        table.content += table.content[24:] * 10_000
        table.size = len(table.content)
        file = opened(builder)
        before = time.process_time()
        symbols = load_symbols(file)
        assert time.process_time() - before < 0.5
        assert [(start, end) for start, end, _ in symbols.ranges()] == [(0x1000, 0x1010)]
        assert symbols.name(symbols.ranges()[0][2]) in names


class TestStubs:
    # Of GNU ld on x86-64: push the third word of the slots, jump; then a stub for each.
    HEADER = b"\xff\x35\x02\0\0\0\xff\x25\x04\0\0\0\x0f\x1f\x40\0"

    def plt(self, *slots: int, address: int = 0x2000, head: bytes = b"") -> bytes:
        """16 bytes for each slot: the head, a jump through the slot, padding."""
        code = b""
        for slot in slots:
            following = address + len(code) + len(head) + 6
            code += (head + b"\xff\x25" + struct.pack("<i", slot - following)).ljust(16, b"\x90")
        return code

    def file(self, sections: list[tuple[bytes, bytes, int]], **form: object) -> ElfFile:
        """x86-64 code of stubs, relocations for slots 0x5000, 0x5008 (puts, C++) and 0x5010 (a resolver)."""
        builder = ElfParts(**form)
        builder.text(0x401000, 0x1000, 0x1000)
        builder.segment(LOAD, 0x2000, 0x2000, 0x1000)
        for name, code, address in sections:
            builder.section(name, content=code, flags=ALLOC | EXEC, address=address, offset=address, entry_bytes=16)
        dynsym = builder.symbols(
            [Symbol(b"puts", 0, section=0), Symbol(b"_ZN4work3runEi", 0, section=0), Symbol(b"main", 0x401000, 16)],
            b".dynsym",
        )
        builder.relocations(b".rela.dyn", [(0x5000, 1, 6, 0), (0x6000, 0, 8, 77)], dynsym)
        builder.relocations(b".rela.plt", [(0x5008, 2, 7, 0), (0x5010, 0, 37, 0x401000), (0x5018, 99, 7, 0)], dynsym)
        return opened(builder)

    def test_stubs_are_named_by_what_they_jump_through(self):
        plt = self.HEADER + self.plt(0x5008, 0x5010, 0x5018, address=0x2010)
        got = self.plt(0x5000, address=0x2100)
        file = self.file([(b".plt", plt, 0x2000), (b".plt.got", got, 0x2100)])
        assert ranges(load_symbols(file)) == [
            (0x1000, 0x1010, b"main"), (0x2010, 0x2020, b"work::run@plt"), (0x2020, 0x2030, b"main@plt"),
            (0x2100, 0x2110, b"puts@plt"),
        ]  # fmt: skip

    def test_one_long_name_of_many_stubs_takes_linear_time(self):
        name = b"_ZN" + b"1a" * 30_000 + b"Ev"
        builder = ElfParts()
        builder.section(
            b".plt", content=self.plt(*[0x5000] * 20_000), flags=ALLOC | EXEC, address=0x2000, entry_bytes=16
        )
        dynsym = builder.symbols([Symbol(name, 0, section=0)], b".dynsym")
        builder.relocations(b".rela.plt", [(0x5000, 1, 7, 0)], dynsym)
        before = time.process_time()
        table = load_symbols(opened(builder))
        assert time.process_time() - before < 1
        assert 1 < len(table) < 100
        assert table.name(0) == name[:1023]

    def test_stubs_with_landing_pads(self):
        lazy = self.HEADER + b"\xf3\x0f\x1e\xfa\x68\0\0\0\0\xf2\xe9\xe1\xff\xff\xff\x90"
        pads = self.plt(0x5008, 0x5000, address=0x2100, head=b"\xf3\x0f\x1e\xfa\xf2")
        file = self.file([(b".plt", lazy, 0x2000), (b".plt.sec", pads, 0x2100)])
        assert ranges(load_symbols(file))[1:] == [
            (0x2100, 0x2110, b"work::run@plt"), (0x2110, 0x2120, b"puts@plt"),
        ]  # fmt: skip

    def test_perf_goes_by_the_number(self):
        plt = self.HEADER + self.plt(0x5008, 0x5010, 0x5018, address=0x2010)
        file = self.file([(b".plt", plt, 0x2000), (b".plt.sec", plt, 0x2100)])
        # One without a name is "@plt", one whose symbol is not there has the name of the one before.
        assert ranges(load_symbols(file, rules="perf-6.1"))[1:] == [
            (0x2010, 0x2020, b"work::run@plt"), (0x2020, 0x2030, b"@plt"), (0x2030, 0x2040, b"@plt"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("machine", "first", "size"), [(AARCH64, 32, 16), (ARM, 20, 12), (X86_64, 16, 16), (2, 48, 12), (43, 128, 32)]
    )
    @pytest.mark.parametrize(("bits", "order"), FORMS)
    def test_sizes_of_machines(self, machine, first, size, bits, order):
        builder = ElfParts(bits, order, machine)
        builder.text(0x401000, 0x1000, 0x1000)
        builder.section(b".plt", flags=ALLOC, address=0x2000, offset=0x2000, size=64, entry_bytes=16)
        symbols = [Symbol(b"a", 0, section=0), Symbol(b"b", 0, section=0), Symbol(b"main", 0x401000, 16)]
        dynsym = builder.symbols(symbols, b".dynsym")
        builder.relocations(b".rel.plt", [(0x5000, 1, 7, 0), (0x5008, 2, 7, 0)], dynsym, addends=False)
        assert ranges(load_symbols(opened(builder), rules="perf-6.1"))[1:] == [
            (0x2000 + first, 0x2000 + first + size, b"a@plt"),
            (0x2000 + first + size, 0x2000 + first + 2 * size, b"b@plt"),
        ]

    def test_perf_wants_the_table_of_names_that_others_link_to_and_one_symbol(self):
        for link, symbols in ((0, [Symbol(b"main", 0x401000, 16)]), (None, [])):
            builder = ElfParts()
            builder.text(0x401000, 0x1000, 0x1000)
            builder.section(b".plt", flags=ALLOC, address=0x2000, offset=0x2000, size=64, entry_bytes=16)
            dynsym = builder.symbols([Symbol(b"puts", 0, section=0), *symbols], b".dynsym")
            builder.relocations(b".rela.plt", [(0x5000, 1, 7, 0)], dynsym if link is None else link)
            assert at(load_symbols(opened(builder), rules="perf-6.1"), 0x2010) == [None]

    def test_long_names_are_cut_as_perf_cuts_them(self):
        for length, expected in ((1019, b"x" * 1019 + b"@plt"), (1021, b"x" * 1021 + b"@p"), (3000, b"x" * 1023)):
            builder = ElfParts()
            builder.text(0x401000, 0x1000, 0x1000)
            builder.section(b".plt", flags=ALLOC, address=0x2000, offset=0x2000, size=64, entry_bytes=16)
            symbols = [Symbol(b"x" * length, 0, section=0), Symbol(b"main", 0x401000, 16)]
            dynsym = builder.symbols(symbols, b".dynsym")
            builder.relocations(b".rela.plt", [(0x5000, 1, 7, 0)], dynsym)
            assert at(load_symbols(opened(builder), rules="perf-6.1"), 0x2010) == [expected]

    @pytest.mark.parametrize("order", ["<", ">"])
    def test_aarch64(self, order):
        def stub(here: int, slot: int, pad: bool) -> bytes:
            pages = (slot >> 12) - ((here + 4 * pad) >> 12)
            adrp = 0x90000010 | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
            load = 0xF9400211 | (slot & 0xFFF) // 8 << 10
            words = [0xD503245F] * pad + [adrp, load, 0x91000210, 0xD61F0220]
            return struct.pack(f"<{len(words)}I", *words)

        code = stub(0x2000, 0x50F8, False) + stub(0x2010, 0x50F0, True) + stub(0x2024, 0x1000, False)
        code += stub(0x2034, 0x5100, False) + b"\0\0\0"
        builder = ElfParts(order=order, machine=AARCH64)
        builder.text(0x401000, 0x1000, 0x1000)
        builder.section(b".plt", content=code, flags=ALLOC | EXEC, address=0x2000, offset=0x2000)
        dynsym = builder.symbols([Symbol(b"a", 0, section=0), Symbol(b"b", 0, section=0)], b".dynsym")
        rows = [(0x50F8, 1, 1026, 0), (0x50F0, 2, 1025, 0), (0x1000, 1, 1026, 0), (0x5100, 0, 1032, 0x401000)]
        builder.relocations(b".rela.plt", rows, dynsym)
        builder.symbols([Symbol(b"resolver", 0x401000, 16)])
        assert ranges(load_symbols(opened(builder)))[1:] == [
            (0x2000, 0x2010, b"a@plt"), (0x2010, 0x2024, b"b@plt"), (0x2024, 0x2034, b"a@plt"),
            (0x2034, 0x2044, b"resolver@plt"),
        ]  # fmt: skip


def test_many_symbols_in_random_order():
    choice = random.Random(3)
    symbols = [Symbol(b"f%d" % i, 0x401000 + 16 * i, 16) for i in range(5000)]
    shuffled = choice.sample(symbols, len(symbols))
    for rules in RULES:
        builder = ElfParts()
        builder.text(0x401000, 0x1000, 16 * 5000)
        builder.symbols(shuffled)
        table = load_symbols(opened(builder), rules=rules)
        assert ranges(table) == [(0x1000 + 16 * i, 0x1010 + 16 * i, b"f%d" % i) for i in range(5000)]
