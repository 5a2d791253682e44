"""Our reader of ELF files against pyelftools, readelf and nm, on files of this machine and on built ones."""

from __future__ import annotations

import io
import re
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection, SymbolTableSection

from elf_parts import ALLOC, LOCAL, NOTYPE, OBJECT, BytesFile, ElfParts, Symbol
from flameparse.symbolize import elf_symbols
from flameparse.symbolize.elf import ElfFile, load_symbols
from foreign import run

BUILT = {
    f"built {bits} {order} {machine}": (bits, order, machine)
    for bits, order, machine in ((64, "<", 62), (64, ">", 22), (32, "<", 40), (32, ">", 8))
}


def system_files() -> list[Path]:
    """Programs and libraries that are there: this Python, what it loads, the C library, our own extensions."""
    places = [Path(sys.executable).resolve(), Path(elf_symbols.__file__)]
    for folder in ("/lib/x86_64-linux-gnu", "/lib64", "/usr/lib", "/lib/aarch64-linux-gnu"):
        places += [Path(folder, name) for name in ("libc.so.6", "libm.so.6", "libstdc++.so.6", "ld-linux-x86-64.so.2")]
    places.append(Path(sysconfig.get_config_var("LIBDIR") or "/", sysconfig.get_config_var("INSTSONAME") or "-"))
    places += [Path(path) for path in (shutil.which("node"), shutil.which("perf")) if path]
    return sorted({path.resolve() for path in places if path.is_file() and path.stat().st_size < 40 << 20})


def content_of(source: Path | str) -> bytes:
    if isinstance(source, Path):
        return source.read_bytes()
    bits, order, machine = BUILT[source]
    parts = ElfParts(bits, order, machine, type=2)
    parts.text(0x401000, 0x1000, 0x1000)
    parts.section(b".note.gnu.build-id", 7, parts.note(b"GNU\0", 3, bytes(range(20))), flags=ALLOC)
    parts.symbols(
        [Symbol(b"f%d" % i, 0x401000 + 16 * i, i % 20, (2, OBJECT, NOTYPE)[i % 3], i % 3) for i in range(90)]
        + [Symbol(b"local", 0x401000, 5, binding=LOCAL)]
    )
    return parts.build()


SOURCES = [*system_files(), *BUILT]


@pytest.fixture(params=SOURCES, ids=str)
def both(request: pytest.FixtureRequest) -> tuple[ElfFile, ELFFile]:
    content = content_of(request.param)
    return ElfFile(BytesFile(content)), ELFFile(io.BytesIO(content))


def test_headers(both: tuple[ElfFile, ELFFile]) -> None:
    ours, theirs = both
    assert (ours.is_64, ours.is_big_endian) == (theirs.elfclass == 64, not theirs.little_endian)
    assert [
        (s.name.decode(), s.flags, s.address, s.offset, s.size, s.link, s.info, s.entry_bytes) for s in ours.sections
    ] == [
        (s.name, *(s["sh_" + key] for key in ("flags", "addr", "offset", "size", "link", "info", "entsize")))
        for s in theirs.iter_sections()
    ]
    assert [(s.offset, s.address, s.file_bytes, s.memory_bytes, s.flags, s.alignment) for s in ours.segments] == [
        tuple(s["p_" + key] for key in ("offset", "vaddr", "filesz", "memsz", "flags", "align"))
        for s in theirs.iter_segments()
    ]


def test_build_id(both: tuple[ElfFile, ELFFile]) -> None:
    ours, theirs = both
    section = theirs.get_section_by_name(".note.gnu.build-id")
    if section is None:
        assert ours.build_id == b""
        return
    assert isinstance(section, NoteSection)
    assert ours.build_id.hex() == next(iter(section.iter_notes()))["n_desc"]


def expected_rows(theirs: ELFFile, name: str) -> list[tuple[int, int, bytes]]:
    """(file offset, size, name) of each symbol that counts, told with pyelftools' words."""
    table = theirs.get_section_by_name(name)
    rows: list[tuple[int, int, bytes]] = []
    if not isinstance(table, SymbolTableSection):
        return rows
    loads = [segment for segment in theirs.iter_segments("PT_LOAD") if segment["p_memsz"]]
    for symbol in table.iter_symbols():
        number, type = symbol["st_shndx"], symbol["st_info"]["type"]
        if not isinstance(number, int) or not symbol.name:
            continue
        section = theirs.get_section(number)
        if not section["sh_flags"] & 2:
            continue
        if type == "STT_NOTYPE":
            if symbol["st_other"]["visibility"] in ("STV_HIDDEN", "STV_INTERNAL"):
                continue
            if "text" not in section.name and "data" not in section.name:
                continue
        elif type not in ("STT_FUNC", "STT_OBJECT", "STT_GNU_IFUNC", "STT_LOOS"):
            continue
        value = symbol["st_value"]
        if theirs["e_machine"] == "EM_ARM" and type == "STT_FUNC":
            value &= ~1
        for load in loads:
            if load["p_vaddr"] <= value < load["p_vaddr"] + max(load["p_memsz"], load["p_filesz"]):
                value += load["p_offset"] - load["p_vaddr"]
                break
        else:
            value += section["sh_offset"] - section["sh_addr"]
        rows.append((value % (1 << 64), symbol["st_size"], symbol.name.encode("utf-8")))
    return rows


def test_symbols(both: tuple[ElfFile, ELFFile]) -> None:
    ours, theirs = both
    expected = [*expected_rows(theirs, ".symtab"), *expected_rows(theirs, ".dynsym")]
    table = load_symbols(ours, rules="perf-6.1")
    rows = [
        (table.start(row), table.end(row) - table.start(row) if size else 0, table.name(row))
        for row, (_, size, _) in enumerate(expected)
    ]
    assert rows == expected
    # What follows are stubs.
    assert all(table.name(row).endswith(b"@plt") for row in range(len(expected), len(table)))


@pytest.mark.skipif(not shutil.which("readelf"), reason="no readelf")
@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_notes_and_links_as_readelf_prints_them(source: Path | str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content_of(source))
    file = ElfFile(BytesFile(path.read_bytes()))
    text = run(["readelf", "-nW", str(path)]).stdout.decode()
    found = re.search(r"Build ID: ([0-9a-f]+)", text)
    assert file.build_id.hex() == (found[1] if found else "")
    if file.debug_link is None:
        assert file.section(b".gnu_debuglink") is None
        return
    text = run(["readelf", "--debug-dump=links", str(path)]).stdout.decode()
    assert f"Separate debug info file: {file.debug_link[0].decode()}\n  CRC value: {file.debug_link[1]:#x}" in text


@pytest.mark.skipif(not shutil.which("nm"), reason="no nm")
@pytest.mark.parametrize("path", system_files(), ids=str)
def test_functions_nm_lists_are_found_at_their_start(path: Path) -> None:
    content = path.read_bytes()
    file = ElfFile(BytesFile(content))
    table = load_symbols(file)
    listed = run(["nm", "--dynamic", "--defined-only", "--format=posix", str(path)]).stdout.decode().splitlines()
    starts: dict[int, set[bytes]] = {}
    for line in listed:
        name, kind, value, *_ = line.split()
        if kind in "TtWi":
            starts.setdefault(int(value, 16), set()).add(name.encode())
    addresses = sorted(starts)
    loads = [segment for segment in file.segments if segment.type == 1]
    offsets = [
        next(s.offset + a - s.address for s in loads if s.address <= a < s.address + s.memory_bytes) for a in addresses
    ]
    rows = table.resolve(b"".join(offset.to_bytes(8, sys.byteorder) for offset in offsets))
    assert [table.start(row) for row in rows] == offsets
