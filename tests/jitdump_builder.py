"""Builds jitdumps, record by record, in either byte order."""

from __future__ import annotations

import struct


class DumpFile:
    """Bytes read by place, as a ``SymbolFile`` is."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = len(content)

    def read_at(self, offset: int, count: int) -> bytes:
        return self.content[offset : offset + count]


class DumpBuilder:
    def __init__(
        self, order: str = "<", *, flags: int = 0, version: int = 1, header: bytes = b"", pid: int = 77
    ) -> None:
        self.order = order
        self.content = struct.pack(
            f"{order}6I2Q", 0x4A695444, version, 40 + len(header), 62, 0, pid, 123, flags
        ) + header  # fmt: skip

    def record(self, id: int, time: int, body: bytes, *, total_size: int | None = None) -> DumpBuilder:
        size = 16 + len(body) if total_size is None else total_size
        self.content += struct.pack(f"{self.order}2IQ", id, size, time) + body
        return self

    def load(
        self, time: int, start: int, size: int, name: bytes, *, index: int = 0, code: bytes | None = None
    ) -> DumpBuilder:
        fixed = struct.pack(f"{self.order}2I4Q", 77, 78, start ^ 1, start, size, index)
        return self.record(0, time, fixed + name + b"\0" + (b"\xcc" * size if code is None else code))

    def move(self, time: int, old: int, new: int, size: int, *, index: int = 0) -> DumpBuilder:
        return self.record(1, time, struct.pack(f"{self.order}2I5Q", 77, 78, new ^ 1, old, new, size, index))

    def debug_info(self, time: int, start: int, entries: list[tuple[int, int, int, bytes]]) -> DumpBuilder:
        body = struct.pack(f"{self.order}2Q", start, len(entries))
        for address, line, column, file in entries:
            body += struct.pack(f"{self.order}Q2I", address, line, column) + file + b"\0"
        return self.record(2, time, body)

    def close(self, time: int) -> DumpBuilder:
        return self.record(3, time, b"")

    def unwinding_info(self, time: int) -> DumpBuilder:
        return self.record(4, time, struct.pack(f"{self.order}3Q", 20, 20, 0) + bytes(24))

    def file(self) -> DumpFile:
        return DumpFile(self.content)
