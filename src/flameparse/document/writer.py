"""Document -> msgpack bytes, as ``schema.md`` lays them out; equal documents give equal bytes."""

from __future__ import annotations

import sys

from flameparse.document.document import COLUMNS, TIMELINE_COLUMNS
from flameparse.errors import UsageError
from flameparse.limits import MAX_DOCUMENT_COLUMN_BYTES, MAX_DOCUMENT_DEPTH, MAX_DOCUMENT_META_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flameparse.document.document import Document

VERSION = (1, 1)


def pack(document: Document) -> bytes:
    """Pack a document into the bytes of its file.

    Args:
        document: in the canonical order.

    Raises:
        UsageError: ``meta`` or ``diagnostics`` holds what a document cannot, or a column is too large.
    """
    return b"".join(document_chunks(document))


def document_chunks(document: Document) -> Iterator[bytes | memoryview[int]]:
    """Pack a document piece by piece, so that a large one is never twice in memory.

    Everything that can be refused is refused before the first chunk.

    Args:
        document: in the canonical order.

    Yields:
        The file's bytes; columns are views of the document's own.

    Raises:
        UsageError: ``meta`` or ``diagnostics`` holds what a document cannot, or a column is too large.
    """
    from msgpack import Packer  # type: ignore[import-untyped]

    columns = {"string_bytes": memoryview(document.string_bytes)}
    columns.update((name, getattr(document, name)) for name in COLUMNS)
    if document.timeline is not None:
        columns.update((f"timeline_{name}", document.timeline[name]) for name in TIMELINE_COLUMNS)
    for name, column in columns.items():
        if column.nbytes > MAX_DOCUMENT_COLUMN_BYTES:
            raise UsageError(f"{name} takes {column.nbytes} bytes; a document's column holds less than 4 GiB")

    packer = Packer(unicode_errors="surrogateescape")
    head = [
        packer.pack_map_header(4 + len(columns)),
        packer.pack("format") + packer.pack("flameparse"),
        packer.pack("version") + packer.pack(VERSION),
    ]
    for name, value in (("meta", document.meta), ("diagnostics", document.diagnostics)):
        try:
            packed = packer.pack(_sorted(value, MAX_DOCUMENT_DEPTH - 1))
        except (ValueError, OverflowError) as error:  # a lone surrogate, an int past 64 bits
            raise UsageError(f"{name} cannot be packed: {error}") from error
        if len(packed) > MAX_DOCUMENT_META_BYTES:
            raise UsageError(f"{name} takes {len(packed)} bytes packed; a document holds {MAX_DOCUMENT_META_BYTES}")
        head.append(packer.pack(name) + packed)
    yield b"".join(head)

    for name, column in columns.items():
        yield packer.pack(name) + _bin_head(column.nbytes)
        yield _little_endian(column)


def _sorted(value: object, levels: int) -> object:
    """Copy a plain value with its maps in key order; ``levels`` is how deep containers may still nest."""
    if value is None or isinstance(value, (bool, int, str, bytes)):
        return value
    if levels and isinstance(value, list):
        return [_sorted(item, levels - 1) for item in value]
    if levels and isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _sorted(value[key], levels - 1) for key in sorted(value)}
    raise UsageError(f"a document cannot hold this {type(value).__name__} in meta or diagnostics: {value!r:.80}")


def _bin_head(length: int) -> bytes:
    if length < 1 << 8:
        return b"\xc4" + length.to_bytes(1, "big")
    if length < 1 << 16:
        return b"\xc5" + length.to_bytes(2, "big")
    return b"\xc6" + length.to_bytes(4, "big")


def _little_endian(column: memoryview[int]) -> memoryview[int]:
    if sys.byteorder == "big" and column.itemsize > 1:
        from array import array

        swapped = array(column.format, column)
        swapped.byteswap()
        column = memoryview(swapped)
    return column.cast("B")
