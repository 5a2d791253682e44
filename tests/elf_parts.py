"""ELF files for tests, put together part by part, of either class and byte order, right or wrong."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

PROGBITS, SYMTAB, STRTAB, RELA, NOTE, NOBITS, REL, DYNSYM = 1, 2, 3, 4, 7, 8, 9, 11
ALLOC, EXEC, COMPRESSED = 2, 4, 0x800
LOAD = 1
NOTYPE, OBJECT, FUNC, SECTION, TLS, IFUNC = 0, 1, 2, 3, 6, 10
LOCAL, GLOBAL, WEAK, UNIQUE = 0, 1, 2, 10
ABS = 0xFFF1


@dataclass
class Symbol:
    name: bytes
    value: int
    size: int = 0
    type: int = FUNC
    binding: int = GLOBAL
    section: int = 1
    other: int = 0


@dataclass
class _Section:
    name: bytes
    type: int = 0
    content: bytes = b""
    flags: int = 0
    address: int = 0
    offset: int | None = None
    size: int = 0
    link: int = 0
    info: int = 0
    entry_bytes: int = 0


def _no_section() -> list[_Section]:
    return [_Section(b"", offset=0)]


@dataclass
class ElfParts:
    """Collects parts; ``build`` lays them out: header, segments, contents, section headers."""

    bits: int = 64
    order: str = "<"
    machine: int = 62
    type: int = 3
    sections: list[_Section] = field(default_factory=_no_section)
    segments: list[tuple[int, int, int, int, int, int, int]] = field(default_factory=list)

    def section(
        self,
        name: bytes,
        type: int = PROGBITS,
        content: bytes = b"",
        *,
        flags: int = 0,
        address: int = 0,
        offset: int | None = None,
        size: int | None = None,
        link: int = 0,
        info: int = 0,
        entry_bytes: int = 0,
    ) -> int:
        """Add a section, at the next free place of the file unless it says where; its number."""
        size = len(content) if size is None else size
        self.sections.append(_Section(name, type, content, flags, address, offset, size, link, info, entry_bytes))
        return len(self.sections) - 1

    def text(self, address: int, offset: int, size: int, name: bytes = b".text") -> int:
        """Add a section of code that nobody reads, and the segment that loads it."""
        self.segment(LOAD, offset, address, size)
        return self.section(name, flags=ALLOC | EXEC, address=address, offset=offset, size=size)

    def segment(
        self, type: int, offset: int, address: int, size: int, memory: int | None = None, align: int = 4096
    ) -> None:
        self.segments.append((type, 5, offset, address, size, size if memory is None else memory, align))

    def symbols(self, symbols: list[Symbol], name: bytes = b".symtab") -> int:
        """Add a symbol table and, before it, its strings; the number of the table."""
        layout = struct.Struct(self.order + ("IBBHQQ" if self.bits == 64 else "IIIBBH"))
        strings = bytearray(1)
        rows = bytearray(layout.size)
        for symbol in symbols:
            place = len(strings) if symbol.name else 0
            strings += symbol.name + b"\0" if symbol.name else b""
            value, size = (number % (1 << self.bits) for number in (symbol.value, symbol.size))
            info = symbol.binding << 4 | symbol.type
            if self.bits == 64:
                rows += layout.pack(place, info, symbol.other, symbol.section, value, size)
            else:
                rows += layout.pack(place, value, size, info, symbol.other, symbol.section)
        is_static = name == b".symtab"
        names = self.section(b".strtab" if is_static else b".dynstr", STRTAB, bytes(strings))
        type = SYMTAB if is_static else DYNSYM
        return self.section(name, type, bytes(rows), link=names, entry_bytes=layout.size)

    def relocations(
        self, name: bytes, rows: list[tuple[int, int, int, int]], link: int, *, addends: bool = True
    ) -> int:
        """Add (offset, symbol, type, addend) rows; the number of the section."""
        is_64 = self.bits == 64
        layout = struct.Struct(self.order + ("QQ" if is_64 else "II") + ("q" if is_64 else "i") * addends)
        content = b"".join(
            layout.pack(offset, symbol << (32 if is_64 else 8) | type, *([addend] if addends else []))
            for offset, symbol, type, addend in rows
        )
        kind = RELA if addends else REL
        return self.section(name, kind, content, flags=ALLOC, link=link, entry_bytes=layout.size)

    def note(self, name: bytes, type: int, description: bytes, align: int = 4) -> bytes:
        """Pack one note."""
        head = struct.pack(self.order + "III", len(name), len(description), type) + name
        head += bytes(-len(head) % align)
        return head + description + bytes(-len(description) % align)

    def build(self) -> bytes:
        is_64 = self.bits == 64
        names = bytearray(1)
        places = []
        for name in [*(section.name for section in self.sections), b".shstrtab"]:
            places.append(len(names) if name else 0)
            names += name + b"\0" if name else b""
        sections = [*self.sections, _Section(b".shstrtab", STRTAB, bytes(names), size=len(names))]
        head_bytes, segment_bytes = (64, 56) if is_64 else (52, 32)
        out = bytearray(head_bytes + segment_bytes * len(self.segments))
        headers = bytearray()
        for place, section in zip(places, sections, strict=True):
            offset = section.offset
            if offset is None:
                out += bytes(-len(out) % 8)
                offset = len(out)
                out += section.content
            elif section.content:
                out += bytes(max(0, offset + len(section.content) - len(out)))
                out[offset : offset + len(section.content)] = section.content
            headers += struct.pack(
                self.order + ("IIQQQQIIQQ" if is_64 else "IIIIIIIIII"),
                place, section.type, section.flags, section.address, offset, section.size, section.link, section.info,
                1, section.entry_bytes,
            )  # fmt: skip
        out += bytes(-len(out) % 8)
        sections_at = len(out)
        out += headers
        for number, (type, flags, offset, address, size, memory, align) in enumerate(self.segments):
            if is_64:
                row = struct.pack(self.order + "IIQQQQQQ", type, flags, offset, address, address, size, memory, align)
            else:
                row = struct.pack(self.order + "IIIIIIII", type, offset, address, address, size, memory, flags, align)
            out[head_bytes + number * segment_bytes : head_bytes + (number + 1) * segment_bytes] = row
        ident = b"\x7fELF" + bytes((2 if is_64 else 1, 1 if self.order == "<" else 2, 1)) + bytes(9)
        out[:head_bytes] = ident + struct.pack(
            self.order + ("HHIQQQIHHHHHH" if is_64 else "HHIIIIIHHHHHH"),
            self.type, self.machine, 1, 0, head_bytes if self.segments else 0, sections_at, 0, head_bytes,
            segment_bytes, len(self.segments), 64 if is_64 else 40, len(sections), len(sections) - 1,
        )  # fmt: skip
        return bytes(out)


@dataclass
class BytesFile:
    """Stands in for a SymbolFile; ``reads`` tells what was asked of it."""

    content: bytes
    path: str = "test.elf"
    reads: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.content)

    def read_at(self, offset: int, count: int) -> bytes:
        self.reads.append((offset, count))
        return self.content[offset : offset + count]
