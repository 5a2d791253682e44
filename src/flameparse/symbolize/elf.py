"""ELF files: headers, sections and notes, read as little as needed and every length checked; their symbol tables.

A file is read with ``read_at`` and never mapped: one that somebody cuts while it is mapped would kill the process.
"""

from __future__ import annotations

import struct
import sys
from array import array

from flameparse.errors import LimitError, MalformedError, TruncatedError, UnsupportedError
from flameparse.limits import (
    MAX_ELF_SECTIONS,
    MAX_INFLATED_SECTION_BYTES,
    MAX_LOAD_SEGMENTS,
    MAX_NOTE_BYTES,
    MAX_SECTION_BYTES,
    MAX_XZ_MEMORY_BYTES,
)
from flameparse.symbolize.elf_symbols import append_plt, append_stubs, append_symbols
from flameparse.symbolize.names.demangle import Demangler
from flameparse.symbolize.symbol_table import SymbolTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class ReadableAt(Protocol):
        """Where an ELF file's bytes come from: a ``SymbolFile``."""

        path: str
        size: int

        def read_at(self, offset: int, count: int) -> bytes:
            """Return the bytes at a place; fewer only where the file ends."""


FORMAT = "ELF file"

# Section types.
SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_RELA, SHT_NOTE, SHT_NOBITS, SHT_REL, SHT_DYNSYM = 1, 2, 3, 4, 7, 8, 9, 11
# Section flags.
SHF_ALLOC, SHF_COMPRESSED = 0x2, 0x800
# Segment types.
PT_LOAD, PT_NOTE = 1, 4
# Machines.
EM_SPARC, EM_ARM, EM_SPARCV9, EM_X86_64, EM_AARCH64 = 2, 40, 43, 62, 183

NT_GNU_BUILD_ID = 3
MAX_BUILD_ID_BYTES = 20

# Sections that are looked for by name have short ones.
_SECTION_NAME_BYTES = 255

# Sections may overlap, and the same ones may be read again: of a file at most so many times its size.
_MAX_READINGS = 8

# Counts that do not fit the header stand in section 0.
SHN_XINDEX = PN_XNUM = 0xFFFF

# Header and entry size of a .plt where they are not the section's entry size.
PLT_SIZES = {EM_ARM: (20, 12), EM_AARCH64: (32, 16), EM_SPARC: (48, 12), EM_SPARCV9: (128, 32)}


class Section:
    """One section header; the fields of ``Elf64_Shdr`` and the section's name."""

    __slots__ = ("address", "entry_bytes", "flags", "info", "link", "name", "offset", "size", "type")

    def __init__(
        self,
        name: bytes,
        type: int,
        flags: int,
        address: int,
        offset: int,
        size: int,
        link: int,
        info: int,
        entry_bytes: int,
    ) -> None:
        self.name = name
        self.type = type
        self.flags = flags
        self.address = address
        self.offset = offset
        self.size = size
        self.link = link
        self.info = info
        self.entry_bytes = entry_bytes


class Segment:
    """One program header."""

    __slots__ = ("address", "alignment", "file_bytes", "flags", "memory_bytes", "offset", "type")

    def __init__(
        self, type: int, flags: int, offset: int, address: int, file_bytes: int, memory_bytes: int, alignment: int
    ) -> None:
        self.type = type
        self.flags = flags
        self.offset = offset
        self.address = address
        self.file_bytes = file_bytes
        self.memory_bytes = memory_bytes
        self.alignment = alignment


class ElfFile:
    r"""The headers of an ELF file; sections are read when asked for.

    Layout: e_ident[16] (``\x7fELF``, class 1 = 32 or 2 = 64 bits, data 1 = little or 2 = big endian), then u16 type,
    u16 machine, u32 version, entry, phoff, shoff (u32 or u64 by class), u32 flags, u16 ehsize, phentsize, phnum,
    shentsize, shnum, shstrndx.
    Source: System V ABI, chapter 4, Object Files; <elf.h>.

    Args:
        file: its bytes; must stay open as long as sections are read.

    Attributes:
        path: of the file.
        is_64, is_big_endian, type, machine: of the header.
        sections, segments: in the file's order.

    Raises:
        DecodeError: it is no ELF file, or its headers are damaged.
        SourceError: the system cannot read.
    """

    __slots__ = (
        "_build_id", "_by_name", "_bytes_to_inflate", "_bytes_to_read", "_file", "_order", "is_64", "is_big_endian",
        "machine", "path", "sections", "segments", "type",
    )  # fmt: skip

    def __init__(self, file: ReadableAt) -> None:
        self._file = file
        self.path = file.path
        self._bytes_to_read = _MAX_READINGS * file.size
        self._bytes_to_inflate = MAX_INFLATED_SECTION_BYTES
        ident = file.read_at(0, 64)
        if ident[:4] != b"\x7fELF":
            raise MalformedError(f"{ident[:4]!r} where \\x7fELF is expected", format_name=FORMAT, offset=0)
        if len(ident) < 52 or ident[4:5] not in b"\1\2" or ident[5:6] not in b"\1\2":
            raise MalformedError("header of unknown class or byte order, or cut", format_name=FORMAT, offset=4)
        self.is_64 = ident[4] == 2
        self.is_big_endian = ident[5] == 2
        self._order = ">" if self.is_big_endian else "<"
        if self.is_64 and len(ident) < 64:
            raise TruncatedError("the header is cut", format_name=FORMAT, offset=len(ident))
        (self.type, self.machine, _, _, phoff, shoff, _, _, phentsize, phnum, shentsize, shnum, shstrndx) = (
            struct.unpack_from(self._order + ("HHIQQQIHHHHHH" if self.is_64 else "HHIIIIIHHHHHH"), ident, 16)
        )
        rows = self._section_rows(shoff, shentsize, shnum)
        if rows and phnum == PN_XNUM:
            phnum = rows[0][7]
        if rows and shstrndx == SHN_XINDEX:
            shstrndx = rows[0][6]
        self.sections: list[Section] = self._named(rows, shstrndx)
        self.segments: list[Segment] = self._segments(phoff, phentsize, phnum)
        self._by_name: dict[bytes, int] = {}
        for number, section in enumerate(self.sections):
            if number:
                self._by_name.setdefault(section.name, number)
        self._build_id: bytes | None = None

    def _read(self, offset: int, count: int, what: str) -> bytes:
        if count > MAX_SECTION_BYTES:
            raise LimitError(f"{what} has more than MAX_SECTION_BYTES", format_name=FORMAT, offset=offset)
        if offset + count > self._file.size:
            raise TruncatedError(f"{what} ends past the end of the file", format_name=FORMAT, offset=offset)
        self._bytes_to_read -= count
        if self._bytes_to_read < 0:
            raise LimitError("its sections are larger together than the file", format_name=FORMAT, offset=offset)
        data = self._file.read_at(offset, count)
        if len(data) != count:
            raise TruncatedError(f"{what} is cut", format_name=FORMAT, offset=offset + len(data))
        return data

    def _section_rows(self, offset: int, entry_bytes: int, count: int) -> list[tuple[int, ...]]:
        """Read the section headers.

        Layout: u32 name, u32 type, flags, addr, offset, size (u32 or u64 by class), u32 link, u32 info, addralign,
        entsize (by class). A count of 0 beside an offset stands in ``size`` of header 0.
        Source: Elf64_Shdr, Elf32_Shdr, <elf.h>.
        """
        if offset == 0:
            return []
        layout = struct.Struct(self._order + ("IIQQQQIIQQ" if self.is_64 else "IIIIIIIIII"))
        if entry_bytes != layout.size:
            raise MalformedError(f"section headers of {entry_bytes} bytes", format_name=FORMAT, offset=offset)
        if count == 0:
            count = layout.unpack(self._read(offset, layout.size, "the section header table"))[5]
        if count > self._file.size // layout.size:
            raise MalformedError(f"{count} sections in a file of {self._file.size} bytes", format_name=FORMAT)
        if count > MAX_ELF_SECTIONS:
            raise LimitError(f"{count} sections, more than MAX_ELF_SECTIONS", format_name=FORMAT)
        return list(layout.iter_unpack(self._read(offset, count * layout.size, "the section header table")))

    def _named(self, rows: list[tuple[int, ...]], names_row: int) -> list[Section]:
        """Give section headers their names; without a table of names all are nameless."""
        names = b""
        if 0 < names_row < len(rows) and rows[names_row][1] != SHT_NOBITS:
            names = self._read(rows[names_row][4], rows[names_row][5], "the table of section names")
        sections = []
        for name, type, flags, address, offset, size, link, info, _, entry_bytes in rows:
            text = names[name : name + _SECTION_NAME_BYTES].partition(b"\0")[0] if name else b""
            sections.append(Section(text, type, flags, address, offset, size, link, info, entry_bytes))
        return sections

    def _segments(self, offset: int, entry_bytes: int, count: int) -> list[Segment]:
        """Read the program headers.

        Layout: 64 bits: u32 type, u32 flags, u64 offset, vaddr, paddr, filesz, memsz, align; 32 bits: u32 type, offset,
        vaddr, paddr, filesz, memsz, flags, align.
        Source: Elf64_Phdr, Elf32_Phdr, <elf.h>.
        """
        if offset == 0 or count == 0:
            return []
        layout = struct.Struct(self._order + ("IIQQQQQQ" if self.is_64 else "IIIIIIII"))
        if entry_bytes != layout.size:
            raise MalformedError(f"program headers of {entry_bytes} bytes", format_name=FORMAT, offset=offset)
        if count > self._file.size // layout.size:
            raise MalformedError(f"{count} segments in a file of {self._file.size} bytes", format_name=FORMAT)
        if count > MAX_ELF_SECTIONS:
            raise LimitError(f"{count} segments, more than MAX_ELF_SECTIONS", format_name=FORMAT)
        segments = []
        for row in layout.iter_unpack(self._read(offset, count * layout.size, "the program header table")):
            if self.is_64:
                type, flags, place, address, _, file_bytes, memory_bytes, alignment = row
            else:
                type, place, address, _, file_bytes, memory_bytes, flags, alignment = row
            segments.append(Segment(type, flags, place, address, file_bytes, memory_bytes, alignment))
        return segments

    def section_number(self, name: bytes) -> int:
        """Find the first section of a name; 0 where there is none."""
        return self._by_name.get(name, 0)

    def section(self, name: bytes, *types: int) -> Section | None:
        """Find the first section of a name, if it is of one of these types."""
        section = self.sections[self._by_name[name]] if name in self._by_name else None
        return section if section is not None and (not types or section.type in types) else None

    def section_bytes(self, section: Section) -> bytes:
        """Return a section's content, inflated if need be; nothing where the file holds none of it.

        Raises:
            LimitError: all that is asked for inflates to more than ``MAX_INFLATED_SECTION_BYTES``.
            DecodeError: it is cut or damaged, or its compression is unknown.
            SourceError: the system cannot read.
        """
        if section.type == SHT_NOBITS:
            return b""
        data = self._read(section.offset, section.size, "section " + section.name.decode("latin-1"))
        if section.flags & SHF_COMPRESSED:
            return self._inflated(data, section.offset)
        if section.name.startswith(b".zdebug") and data[:4] == b"ZLIB":
            return self._unzip(data[12:], int.from_bytes(data[4:12], "big"), section.offset)
        return data

    def _inflated(self, data: bytes, offset: int) -> bytes:
        """Inflate a compressed section.

        Layout: 64 bits: u32 type, u32 reserved, u64 size, u64 addralign; 32 bits: u32 type, u32 size, u32 addralign;
        then the stream. Type 1 is zlib, 2 zstd.
        Source: Elf64_Chdr, Elf32_Chdr, <elf.h>.
        """
        layout = struct.Struct(self._order + ("I4xQQ" if self.is_64 else "III"))
        if len(data) < layout.size:
            raise TruncatedError("a compressed section without its header", format_name=FORMAT, offset=offset)
        type, size, _ = layout.unpack_from(data)
        if type == 1:
            return self._unzip(data[layout.size :], size, offset)
        raise UnsupportedError(f"a section of compression {type}", format_name=FORMAT, offset=offset)

    def _unzip(self, data: bytes, size: int, offset: int) -> bytes:
        import zlib

        if size > self._bytes_to_inflate:
            raise LimitError("sections of more than MAX_INFLATED_SECTION_BYTES", format_name=FORMAT, offset=offset)
        self._bytes_to_inflate -= size
        try:
            inflated = zlib.decompressobj().decompress(data, size + 1)
        except zlib.error as error:
            raise MalformedError(f"a compressed section: {error}", format_name=FORMAT, offset=offset) from error
        if len(inflated) != size:
            raise MalformedError(f"a compressed section is not {size} bytes long", format_name=FORMAT, offset=offset)
        return inflated

    @property
    def has_symtab(self) -> bool:
        """Whether it has the table of all names, which ``strip`` removes."""
        return self.section(b".symtab", SHT_SYMTAB) is not None

    @property
    def has_dynsym(self) -> bool:
        """Whether it has the names that other files link to, as each file has that a program maps."""
        return self.section(b".dynsym", SHT_DYNSYM) is not None

    @property
    def has_opd(self) -> bool:
        """Whether its functions are known by descriptors, as on 64-bit big-endian PowerPC."""
        return self.section(b".opd", SHT_PROGBITS) is not None

    @property
    def build_id(self) -> bytes:
        """What the linker called this build; empty where it did not."""
        if self._build_id is None:
            self._build_id = self._find_build_id()
        return self._build_id

    def _find_build_id(self) -> bytes:
        budget = MAX_NOTE_BYTES
        places = [
            (s.offset, s.size, 4) for s in self.sections if s.type == SHT_NOTE and s.name == b".note.gnu.build-id"
        ]
        places += [(s.offset, s.file_bytes, 8 if s.alignment == 8 else 4) for s in self.segments if s.type == PT_NOTE]
        places += [(s.offset, s.size, 4) for s in self.sections if s.type == SHT_NOTE]
        for offset, size, alignment in places:
            size = min(size, budget)
            budget -= size
            build_id = self._build_id_of(self._file.read_at(offset, size), alignment)
            if build_id:
                return build_id
        return b""

    def _build_id_of(self, notes: bytes, alignment: int) -> bytes:
        """Find the build id among notes; empty where it is not there.

        Layout: u32 name length, u32 description length, u32 type, name, padding, description, padding.
        Source: Elf64_Nhdr, <elf.h>; NT_GNU_BUILD_ID of the name "GNU".
        """
        at = 0
        while at + 12 <= len(notes):
            name_bytes, bytes_, type = struct.unpack_from(self._order + "III", notes, at)
            start = at + 12 + name_bytes
            start += -start % alignment
            if type == NT_GNU_BUILD_ID and notes[at + 12 : at + 12 + name_bytes] == b"GNU\0":
                return notes[start : start + bytes_][:MAX_BUILD_ID_BYTES] if start + bytes_ <= len(notes) else b""
            at = start + bytes_
            at += -at % alignment
        return b""

    @property
    def debug_link(self) -> tuple[bytes, int] | None:
        """File name and CRC-32 of the file that holds this one's debug information.

        Layout: name, NUL, padding to 4 bytes, u32 CRC-32 of that file.
        Source: GDB manual, Separate Debug Files.
        """
        section = self.section(b".gnu_debuglink")
        if section is None or not 6 <= section.size <= 4096:
            return None
        data = self.section_bytes(section)
        end = data.find(b"\0")
        crc_at = end + 1 + -(end + 1) % 4
        if end <= 0 or crc_at + 4 > len(data):
            return None
        return data[:end], struct.unpack_from(self._order + "I", data, crc_at)[0]

    def mini_debug_info(self) -> ElfFile | None:
        """Open the compressed file within this one that has the names ``strip`` would have removed.

        Returns:
            None where there is none.

        Raises:
            DecodeError: it is damaged or too large.
            SourceError: the system cannot read.
        """
        section = self.section(b".gnu_debugdata", SHT_PROGBITS)
        if section is None:
            return None
        from flameparse.symbolize.symbol_file import SymbolBytes

        data = _unxz(self.section_bytes(section), section.offset)
        return ElfFile(SymbolBytes(data, self.path + " .gnu_debugdata"))


def _unxz(data: bytes, offset: int) -> bytes:
    import lzma

    try:
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_MEMORY_BYTES)
        inflated = decompressor.decompress(data, MAX_INFLATED_SECTION_BYTES)
    except (lzma.LZMAError, EOFError, MemoryError) as error:
        raise MalformedError(f".gnu_debugdata: {error}", format_name=FORMAT, offset=offset) from error
    if not decompressor.eof:
        if len(inflated) == MAX_INFLATED_SECTION_BYTES:
            raise LimitError(".gnu_debugdata is more than MAX_INFLATED_SECTION_BYTES", format_name=FORMAT)
        raise TruncatedError(".gnu_debugdata is cut", format_name=FORMAT, offset=offset)
    return inflated


def load_symbols(runtime: ElfFile, debug: ElfFile | None = None, *, rules: str = "precise") -> SymbolTable:
    """Read the names of a file's code, ready for look-ups of file offsets.

    First ``.symtab``, then ``.dynsym``, closing gaps and choosing among aliases; then the stubs of the PLT.

    Args:
        runtime: the file that was mapped: its segments turn addresses into file offsets.
        debug: the file with the names, where it is another one.
        rules: ``"perf-6.1"``: perf 6.1's answer for every address, right or wrong: gaps are closed after the first
            table, though the second one may have a symbol in them. (Where perf gives up at a symbol of a section that
            is not there, it also names nothing at the first address it looks up.) ``"precise"``: names of both files,
            no symbol without size reaches to a later symbol or section, and stubs in all sections of stubs.

    Raises:
        DecodeError: a table is cut or damaged.
        SourceError: the system cannot read.
    """
    is_precise = rules == "precise"
    source = runtime if debug is None else debug
    table = SymbolTable()
    demangler = Demangler(rules)
    limits = _section_ends(runtime) if is_precise else None
    tables = []
    for name, type in ((b".symtab", SHT_SYMTAB), (b".dynsym", SHT_DYNSYM)):
        for file in (source, runtime) if is_precise else (source,):
            section = file.section(name, type)
            if section is not None:
                tables.append(_SymbolSection(file, section))
                break
    table.make_room(sum(part.count for part in tables), sum(len(part.strings) for part in tables))
    for part in tables:
        if not part.append_to(table, runtime, stops=not is_precise):
            break
        if not is_precise or part is tables[-1]:
            table.close_gaps(limits=limits)
            table.drop_aliases(demangler)
    else:
        if is_precise:
            _append_stubs(table, runtime, demangler)
        elif len(table):
            _append_plt(table, runtime, demangler)
    table.flatten(rules)
    return table


class _SymbolSection:
    """One symbol table of a file and the names it refers to, in memory."""

    __slots__ = ("count", "file", "strings", "symbols")

    def __init__(self, file: ElfFile, section: Section) -> None:
        self.file = file
        self.symbols = _entries(file, section, 24 if file.is_64 else 16)
        self.strings = _linked_strings(file, section)
        self.count = len(self.symbols) // section.entry_bytes

    def append_to(self, table: SymbolTable, runtime: ElfFile, *, stops: bool) -> bool:
        """Append the symbols that count; False where it stopped at one of a section that is not there."""
        sections = self.file.sections
        # By number of the section: whether symbols in it count, labels too, and what makes addresses file offsets.
        kinds = bytearray(len(sections))
        biases = array("Q", bytes(8 * len(sections)))
        for number, own in enumerate(sections):
            # In a file of debug information the sections of the program are empty: what they are, the program knows.
            place = runtime.sections[number] if own.type == SHT_NOBITS and number < len(runtime.sections) else own
            kinds[number] = bool(own.flags & SHF_ALLOC) + 2 * (b"text" in place.name or b"data" in place.name)
            biases[number] = (place.offset - place.address) % (1 << 64)
        opd = runtime.section(b".opd", SHT_PROGBITS)
        opd_number = runtime.section_number(b".opd") if opd is not None else 0
        return append_symbols(
            table,
            self.symbols,
            self.strings,
            kinds,
            biases,
            _load_segments(runtime),
            is_64=self.file.is_64,
            swaps=_swaps(self.file),
            machine=self.file.machine,
            opd=runtime.section_bytes(opd) if opd is not None else b"",
            opd_number=opd_number,
            opd_address=sections[opd_number].address if opd_number < len(sections) else 0,
            stops=stops,
        )


def _append_plt(table: SymbolTable, file: ElfFile, demangler: Demangler) -> None:
    """Append a symbol for each stub of ``.plt``, as perf 6.1 does, which goes by its number."""
    symbols = file.section(b".dynsym", SHT_DYNSYM)
    relocations = file.section(b".rela.plt") or file.section(b".rel.plt")
    plt = file.section(b".plt")
    if symbols is None or relocations is None or plt is None or relocations.type not in (SHT_RELA, SHT_REL):
        return
    if file.sections[relocations.link : relocations.link + 1] != [symbols]:
        return
    header_bytes, entry_bytes = PLT_SIZES.get(file.machine, (plt.entry_bytes, plt.entry_bytes))
    append_plt(
        table,
        _entries(file, relocations, _relocation_bytes(file, relocations)),
        _entries(file, symbols, 24 if file.is_64 else 16),
        _linked_strings(file, symbols),
        demangler,
        is_64=file.is_64,
        swaps=_swaps(file),
        has_addends=relocations.type == SHT_RELA,
        offset=(plt.offset + header_bytes) % (1 << 64),
        entry_bytes=entry_bytes,
    )


def _append_stubs(table: SymbolTable, file: ElfFile, demangler: Demangler) -> None:
    """Append a symbol for each stub, by what its code does where we can read that, else by its number."""
    if not file.is_64 or file.machine not in (EM_X86_64, EM_AARCH64):
        _append_plt(table, file, demangler)
        return
    stubs = [file.section(name, SHT_PROGBITS) for name in (b".plt", b".plt.sec", b".plt.got", b".iplt")]
    sections = [
        (section.address, section.offset, 8 if section.entry_bytes == 8 else 16, file.section_bytes(section))
        for section in stubs
        if section is not None
    ]
    if not sections:
        return
    relocations = [s for s in file.sections if s.type == SHT_RELA and s.flags & SHF_ALLOC]
    symbols = file.section(b".dynsym", SHT_DYNSYM)
    append_stubs(
        table,
        sections,
        b"".join(_entries(file, section, 24) for section in relocations),
        b"" if symbols is None else _entries(file, symbols, 24),
        b"" if symbols is None else _linked_strings(file, symbols),
        demangler,
        _load_segments(file),
        machine=file.machine,
        swaps=_swaps(file),
    )


def _section_ends(file: ElfFile) -> bytes:
    """File offsets at which sections of the program end, sorted."""
    ends = {s.offset + s.size for s in file.sections if s.flags & SHF_ALLOC and s.type != SHT_NOBITS}
    return array("Q", sorted(end for end in ends if end < 1 << 64)).tobytes()


def _load_segments(file: ElfFile) -> array[int]:
    """Start, size and distance to the file offset of each segment that is mapped."""
    loads = array("Q")
    for segment in file.segments:
        size = max(segment.memory_bytes, segment.file_bytes)
        if segment.type == PT_LOAD and size:
            loads.extend((segment.address, size, (segment.offset - segment.address) % (1 << 64)))
    if len(loads) > 3 * MAX_LOAD_SEGMENTS:
        raise LimitError("more than MAX_LOAD_SEGMENTS segments", format_name=FORMAT)
    return loads


def _entries(file: ElfFile, section: Section, entry_bytes: int) -> bytes:
    """Return the content of a table; its entries must have the size that the format gives them."""
    if section.entry_bytes != entry_bytes:
        name = section.name.decode("latin-1")
        raise MalformedError(f"{name} has entries of {section.entry_bytes} bytes", format_name=FORMAT)
    return file.section_bytes(section)


def _linked_strings(file: ElfFile, section: Section) -> bytes:
    """Return the strings that a section's names stand in."""
    if not 0 < section.link < len(file.sections) or file.sections[section.link].type != SHT_STRTAB:
        raise MalformedError(f"{section.name.decode('latin-1')} has no table of strings", format_name=FORMAT)
    return file.section_bytes(file.sections[section.link])


def _relocation_bytes(file: ElfFile, section: Section) -> int:
    return (24 if file.is_64 else 12) if section.type == SHT_RELA else (16 if file.is_64 else 8)


def _swaps(file: ElfFile) -> bool:
    return file.is_big_endian != (sys.byteorder == "big")
