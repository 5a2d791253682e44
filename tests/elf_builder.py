"""Writes small ELF files by hand: a page of code, symbols in it, a build id, a link to a debug file."""

from __future__ import annotations

from struct import pack

CODE_OFFSET = 0x1000  # of the code in the file, and its address too
_CODE_BYTES = 0x100


def tiny_elf(
    *,
    build_id: bytes = b"",
    symtab: tuple[bytes, ...] = (),
    dynsym: tuple[bytes, ...] = (),
    debug_link: tuple[bytes, int] | None = None,
    debug_data: bytes = b"",
) -> bytes:
    """Write a 64-bit little-endian shared library; each symbol is a function of 16 bytes, one after the other.

    Layout: <elf.h>; the header, one PT_LOAD of the whole file, sections, section headers.
    """
    body = bytearray(CODE_OFFSET + _CODE_BYTES)
    rows: list[tuple[bytes, int, int, int, int, int, int, int]] = [
        (b".text", 1, 6, CODE_OFFSET, CODE_OFFSET, _CODE_BYTES, 0, 0)
    ]

    def add(name: bytes, type: int, content: bytes, *, link: int = 0, entry_bytes: int = 0) -> int:
        body.extend(bytes(-len(body) % 8))
        rows.append((name, type, 2 * (type in (7, 11)), len(body), len(body), len(content), link, entry_bytes))
        body.extend(content)
        return len(rows)

    if build_id:
        add(b".note.gnu.build-id", 7, pack("<III4s", 4, len(build_id), 3, b"GNU\0") + build_id)
    for section, strings, type, names in (
        (b".symtab", b".strtab", 2, symtab),
        (b".dynsym", b".dynstr", 11, dynsym),
    ):
        if names:
            text = b"\0" + b"".join(name + b"\0" for name in names)
            symbols = bytes(24)
            for i, name in enumerate(names):
                symbols += pack("<IBBHQQ", text.index(b"\0" + name + b"\0") + 1, 0x12, 0, 1, CODE_OFFSET + 16 * i, 16)
            add(section, type, symbols, link=add(strings, 3, text), entry_bytes=24)
    if debug_link is not None:
        name, checksum = debug_link
        add(b".gnu_debuglink", 1, name + bytes(4 - len(name) % 4) + pack("<I", checksum))
    if debug_data:
        add(b".gnu_debugdata", 1, debug_data)
    names_text = b"\0" + b"".join(row[0] + b"\0" for row in rows) + b".shstrtab\0"
    add(b".shstrtab", 3, names_text)
    body.extend(bytes(-len(body) % 8))
    headers = bytes(64)
    for name, type, flags, address, offset, size, link, entry_bytes in rows:
        place = names_text.index(b"\0" + name + b"\0") + 1
        headers += pack("<IIQQQQIIQQ", place, type, flags, address, offset, size, link, int(link > 0), 4, entry_bytes)
    header = pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\2\1\1", 3, 62, 1, 0, 64, len(body), 0, 64, 56, 1, 64, len(rows) + 1, len(rows),
    )  # fmt: skip
    body[: len(header)] = header
    body[64:120] = pack("<IIQQQQQQ", 1, 5, 0, 0, 0, len(body), len(body), 0x1000)
    return bytes(body + headers)
