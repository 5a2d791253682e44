"""msgpack bytes -> Document; trusts nothing, so that whoever holds a Document may index its columns unchecked."""

from __future__ import annotations

import sys

from flameparse.document.check import (
    first_early,
    first_excess,
    first_falling,
    first_foreign,
    first_unsorted,
    value_end,
)
from flameparse.document.document import (
    COLUMNS,
    TIMELINE_COLUMNS,
    Document,
    EventUnit,
    FrameClass,
    FrameKind,
    FrameTier,
)
from flameparse.errors import DecodeError, LimitError, MalformedError, TruncatedError, UnsupportedError
from flameparse.limits import MAX_DOCUMENT_DEPTH, MAX_DOCUMENT_KEYS, MAX_DOCUMENT_META_BYTES, MAX_TOTAL_WEIGHT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flameparse.document.document import Typecode

FORMAT_NAME = "msgpack document"
MAGIC = b"\xa6format\xaaflameparse"
MAJOR = 1

_TYPECODES: dict[str, Typecode] = {
    "string_bytes": "B",
    **COLUMNS,
    **{f"timeline_{name}": typecode for name, typecode in TIMELINE_COLUMNS.items()},
}
_MAPS = ("meta", "diagnostics")
_SINCE_1_1 = ("frame_class", "frame_tier", "frame_presets")
_STR_HEAD_BYTES = {0xD9: 2, **dict.fromkeys(range(0xA0, 0xC0), 1)}
_BIN_HEAD_BYTES = {0xC4: 2, 0xC5: 3, 0xC6: 5}
_MAX_VERSION_BYTES = 19  # an array of two 64-bit ints

# Column of ids, the table they point into, whether NONE is a value.
_REFERENCES = (
    ("frame_name", "string", False),
    ("frame_dso", "string", True),
    ("stack_frame", "frame", False),
    ("event_name", "string", False),
    ("thread_comm", "string", True),
    ("total_event", "event", False),
    ("total_thread", "thread", True),
    ("total_stack", "stack", True),
    ("timeline_event", "event", False),
    ("timeline_thread", "thread", True),
    ("timeline_stack", "stack", True),
)

# Values a newer minor version may have added are read as the plainest one.
_KNOWN_VALUES = {
    "frame_kind": bytes(value if value < FrameKind.COUNT else FrameKind.USER for value in range(256)),
    "frame_class": bytes(value if value < FrameClass.COUNT else FrameClass.NONE for value in range(256)),
    "frame_tier": bytes(value if value in FrameTier.KNOWN else FrameTier.NONE for value in range(256)),
    "event_unit": bytes(value if value < EventUnit.COUNT else EventUnit.PERIOD for value in range(256)),
}


def looks_like_document(head: bytes) -> bool:
    """Tell a document by its first bytes; ``schema.md`` says why they are always these.

    Args:
        head: the first bytes of the input; 23 are enough.
    """
    return head.startswith(MAGIC, _map_head_bytes(head) or len(head))


def unpack(data: bytes | bytearray | memoryview[int], *, name: str = "") -> Document:
    """Read a document and check every rule of ``schema.md``.

    Columns are copies of the input's bytes, so they are aligned and the input may go. Time and memory are linear in
    the input's length, whatever it says of itself.

    Args:
        data: the whole file, decompressed.
        name: the input's name, for the errors.

    Returns:
        A document in which every id is within its table, every parent before its children and every sum of weights
        at most MAX_TOTAL_WEIGHT.

    Raises:
        TruncatedError: the bytes end inside the document.
        MalformedError: they are no document, or contradict themselves.
        LimitError: a cap of ``limits`` was passed.
        UnsupportedError: the document has another major version.
    """
    try:
        return _Reader(data if isinstance(data, bytes) else bytes(data)).read()
    except DecodeError as error:
        if name:
            error.args = (f"{name}: {error}",)
        raise


def _map_head_bytes(head: bytes) -> int:
    """Count the bytes before the first key of a map: 1, 3 or 5, or 0 for what is no map."""
    return {b"\xde": 3, b"\xdf": 5}.get(head[:1], 1 if b"\x80" <= head[:1] <= b"\x8f" else 0)


def _unique(pairs: list[tuple[object, object]]) -> dict[str, object]:
    """Build a map, refusing what readers would disagree about."""
    result = {key: value for key, value in pairs if isinstance(key, str)}
    if len(result) != len(pairs):
        raise ValueError("a key is no text, or a repeated one")
    return result


class _Reader:
    """One pass over the map, then one over each column; offsets are kept for the errors."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.starts: dict[str, int] = {}  # known key -> offset of its payload
        self.string_bytes = b""
        self.columns: dict[str, memoryview[int]] = {}
        self.maps: dict[str, dict[str, object]] = {}

    def read(self) -> Document:
        self.read_map()
        for key in (*_MAPS, "string_bytes", *COLUMNS):
            if key not in self.starts and key not in _SINCE_1_1:
                raise self.malformed(f"no {key}", len(self.data))
        columns = self.columns
        timeline = {name: columns[key] for name in TIMELINE_COLUMNS if (key := f"timeline_{name}") in columns}
        if timeline and len(timeline) != len(TIMELINE_COLUMNS):
            raise self.malformed("only a part of the timeline's columns", len(self.data))
        self.check_strings()
        self.check_rows()
        return Document(
            string_bytes=self.string_bytes,
            timeline=timeline or None,
            meta=self.maps["meta"],
            diagnostics=self.maps["diagnostics"],
            **{name: columns[name] for name in COLUMNS if name in columns},
        )

    def read_map(self) -> None:
        data = self.data
        offset = _map_head_bytes(data)
        if not looks_like_document(data):
            if (offset or not data) and MAGIC.startswith(data[offset:]):
                raise TruncatedError("the first key is cut", format_name=FORMAT_NAME, offset=len(data))
            raise self.malformed('no map that starts with "format": "flameparse"', 0)
        count = data[0] & 0x0F if offset == 1 else int.from_bytes(data[1:offset], "big")
        if count > MAX_DOCUMENT_KEYS:
            raise LimitError(f"{count} keys, at most {MAX_DOCUMENT_KEYS} are read", format_name=FORMAT_NAME, offset=0)
        offset += len(MAGIC)
        seen = {b"format"}
        while len(seen) < count:
            key_offset = offset
            offset = value_end(data, key_offset, 1, False, FORMAT_NAME)
            payload = key_offset + _STR_HEAD_BYTES.get(data[key_offset], 0)
            key = data[payload:offset]
            if payload == key_offset or key in seen:
                raise self.malformed("the key is no text, or a repeated one", key_offset)
            if len(seen) == 1 and key != b"version":
                raise self.malformed('the second key is not "version"', key_offset)
            seen.add(key)
            offset = self.read_value(key.decode("utf-8", "replace"), offset)
        if len(seen) == 1:
            raise self.malformed("no version", offset)
        if offset != len(data):
            raise self.malformed(f"{len(data) - offset} bytes after the end", offset)

    def read_value(self, key: str, start: int) -> int:
        """Take in one value, or step over it if its key is unknown; returns the offset past it."""
        plain = key == "version" or key in _MAPS
        end = value_end(self.data, start, MAX_DOCUMENT_DEPTH - 1, plain, FORMAT_NAME)
        if key == "version":
            self.check_version(start, end)
        elif key in _MAPS:
            self.starts[key] = start
            self.read_plain_map(key, start, end)
        elif key in _TYPECODES:
            head_bytes = _BIN_HEAD_BYTES.get(self.data[start])
            if head_bytes is None:
                raise self.malformed(f"{key} is no bin", start)
            self.starts[key] = start + head_bytes
            self.read_column(key, self.data[start + head_bytes : end])
        return end

    def check_version(self, start: int, end: int) -> None:
        version = self.plain_value(start, end) if end - start <= _MAX_VERSION_BYTES else None
        if not isinstance(version, list) or [type(part) for part in version] != [int, int]:
            raise self.malformed("version is not [major, minor]", start)
        if version[0] != MAJOR:
            message = f"version {version[0]}.{version[1]}; this program reads {MAJOR}.x"
            raise UnsupportedError(message, format_name=FORMAT_NAME, offset=start)

    def read_plain_map(self, key: str, start: int, end: int) -> None:
        if end - start > MAX_DOCUMENT_META_BYTES:
            message = f"{key} takes {end - start} bytes, at most {MAX_DOCUMENT_META_BYTES} are read"
            raise LimitError(message, format_name=FORMAT_NAME, offset=start)
        value = self.plain_value(start, end)
        if not isinstance(value, dict):
            raise self.malformed(f"{key} is no map", start)
        self.maps[key] = value

    def plain_value(self, start: int, end: int) -> object:
        """Build the objects of a value that ``value_end`` found whole, shallow and plain."""
        from msgpack import unpackb  # type: ignore[import-untyped]

        value: object
        try:
            value = unpackb(self.data[start:end], unicode_errors="surrogateescape", object_pairs_hook=_unique)
        except ValueError as error:
            raise self.malformed(str(error), start) from error
        return value

    def read_column(self, key: str, payload: bytes) -> None:
        if key == "string_bytes":
            self.string_bytes = payload
            return
        if key in _KNOWN_VALUES:
            payload = payload.translate(_KNOWN_VALUES[key])
        typecode = _TYPECODES[key]
        item_bytes = {"B": 1, "I": 4, "i": 4, "Q": 8, "q": 8}[typecode]
        if len(payload) % item_bytes:
            raise self.malformed(f"{key}: {len(payload)} bytes are no multiple of {item_bytes}", self.starts[key])
        column = memoryview(payload).cast(typecode)
        if sys.byteorder == "big" and item_bytes > 1:
            from array import array

            swapped = array(typecode, column)
            swapped.byteswap()
            column = memoryview(swapped)
        self.columns[key] = column

    def check_strings(self) -> None:
        offsets = self.columns["string_offsets"]
        if not offsets:
            raise self.malformed("string_offsets is empty", self.starts["string_offsets"])
        self.refuse("string_offsets", first_falling(offsets), "smaller than the one before")
        if offsets[0] != 0 or offsets[-1] != len(self.string_bytes):
            message = f"string_offsets span {offsets[0]} to {offsets[-1]}, not 0 to {len(self.string_bytes)}"
            raise self.malformed(message, self.starts["string_offsets"])

    def check_rows(self) -> None:
        columns = self.columns
        rows = {"string": len(columns["string_offsets"]) - 1}
        for key, column in columns.items():
            table = key.partition("_")[0]
            if key != "string_offsets" and rows.setdefault(table, len(column)) != len(column):
                raise self.malformed(f"{key} differs in length from another column of its table", self.starts[key])
        for key, table, none_allowed in _REFERENCES:
            if key in columns:
                index = first_foreign(columns[key], rows[table], none_allowed)
                self.refuse(key, index, f"past the {rows[table]} rows of its table")
        self.refuse("stack_parent", first_early(columns["stack_parent"]), "not before its own row")
        unsorted = first_unsorted(columns["total_event"], columns["total_thread"], columns["total_stack"])
        self.refuse("total_event", unsorted, "(event, thread, stack) not greater than in the row before")
        for key in ("total_samples", "total_period", "timeline_period"):
            index = first_excess(columns[key], MAX_TOTAL_WEIGHT) if key in columns else -1
            if index >= 0:
                message = f"the sum of {key} passes {MAX_TOTAL_WEIGHT}"
                raise LimitError(message, format_name=FORMAT_NAME, offset=self.starts[key] + 8 * index)
        if "timeline_cpu" in columns and min(columns["timeline_cpu"], default=0) < -1:
            raise self.malformed("timeline_cpu holds a number below -1", self.starts["timeline_cpu"])

    def refuse(self, key: str, index: int, reason: str) -> None:
        """Raise for the row a check found, if it found one."""
        if index >= 0:
            column = self.columns[key]
            offset = self.starts[key] + index * column.itemsize
            raise self.malformed(f"{key}[{index}] is {column[index]}: {reason}", offset)

    def malformed(self, message: str, offset: int) -> MalformedError:
        return MalformedError(message, format_name=FORMAT_NAME, offset=offset)
