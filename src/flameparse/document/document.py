"""The Document: everything a renderer, exporter or report ever sees of a recording."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from typing import Literal

    Typecode = Literal["B", "I", "i", "Q", "q"]  # as in the array module

NONE = 0xFFFF_FFFF  # an id that stands for "no such thing"
UNKNOWN_ID = -(1 << 31)  # a pid or tid the input did not give; -1 is a real value

# The order is the order in the file.
COLUMNS: dict[str, Typecode] = {
    "string_offsets": "Q",
    "frame_name": "I",
    "frame_dso": "I",
    "frame_kind": "B",
    "frame_class": "B",
    "frame_tier": "B",
    "frame_presets": "B",
    "stack_parent": "I",
    "stack_frame": "I",
    "event_name": "I",
    "event_unit": "B",
    "thread_comm": "I",
    "thread_pid": "i",
    "thread_tid": "i",
    "total_event": "I",
    "total_thread": "I",
    "total_stack": "I",
    "total_samples": "Q",
    "total_period": "Q",
}
TIMELINE_COLUMNS: dict[str, Typecode] = {
    "event": "I",
    "thread": "I",
    "stack": "I",
    "cpu": "i",
    "time_ns": "q",
    "period": "Q",
}


class FrameKind:
    """The values of ``frame_kind``; plain ints, as they live in columns."""

    USER = 0
    KERNEL = 1
    JIT = 2
    INLINED = 3
    COUNT = 4


class FrameClass:
    """The values of ``frame_class``: what a frame is to the reader of a picture; plain ints."""

    NONE = 0  # nobody has classified it
    NAMES = (
        "none", "app", "deps", "core", "native", "inlined", "regexp", "wasm", "eval", "v8", "interpreter", "libuv",
        "openssl", "libc", "cpp", "kernel", "init", "jvm", "go", "rust", "python", "unresolved",
    )  # fmt: skip
    COUNT = len(NAMES)


class FrameTier:
    """The values of ``frame_tier``: which of V8's compilers made the code, and two marks that may be added."""

    NONE = 0  # not V8's, or V8 does not say
    NAMES = ("none", "interpreted", "baseline", "mid", "optimised", "experimental")
    ON_STACK = 0x10  # entered in the middle of a loop
    SPECIALISED = 0x20  # compiled for one context
    KNOWN = frozenset(tier | marks for tier in range(6) for marks in (0, 0x10, 0x20, 0x30))


class EventUnit:
    """The values of ``event_unit``: what ``total_period`` counts; plain ints, as they live in columns."""

    SAMPLES = 0  # the input had no period
    PERIOD = 1  # the event's own count
    NANOSECONDS = 2
    BYTES = 3
    COUNT = 4
    NAMES = ("samples", "period", "nanoseconds", "bytes")


class Document:
    """Totals per (event, thread, stack) and the tables their ids point into.

    The constructor takes the columns as they are: whoever makes them keeps the rules of ``schema.md``, and the reader
    checks them all. Equal content in the canonical order gives equal files.

    Args:
        string_bytes: all strings end to end; any bytes, need not be UTF-8.
        string_offsets: u64, one more than strings: string i is ``string_bytes[offsets[i]:offsets[i + 1]]``.
        frame_name: string id; ``;`` is not replaced, only writers do that.
        frame_dso: string id of the module's path, or NONE.
        frame_kind: FrameKind.
        frame_class: FrameClass; None for frames that nobody has classified.
        frame_tier: FrameTier, None as well.
        frame_presets: bits of FilterPreset, None as well.
        stack_parent: stack id of the caller, smaller than the row's own id, or NONE.
        stack_frame: frame id.
        event_name: string id; events in the order first seen.
        event_unit: EventUnit.
        thread_comm: string id, or NONE.
        thread_pid: i32, or UNKNOWN_ID.
        thread_tid: i32, or UNKNOWN_ID.
        total_event: event id; the rows are unique and sorted by (event, thread, stack).
        total_thread: thread id, or NONE.
        total_stack: stack id, or NONE for samples without frames.
        total_samples: u64, samples of the row.
        total_period: u64, their summed weight in the event's unit; 1 each where the input had no period.
        timeline: None, or the columns of TIMELINE_COLUMNS with one row per sample in the input's order; ``cpu`` is -1
            where unknown.
        meta: what was recorded and how; values are None, bool, int, str, bytes, list or dict, nested at most once.
        diagnostics: what was dropped and lost; values as in ``meta``.
    """

    __slots__ = ("diagnostics", "meta", "string_bytes", "timeline", *COLUMNS)

    string_bytes: bytes | bytearray | memoryview[int]
    string_offsets: memoryview[int]
    frame_name: memoryview[int]
    frame_dso: memoryview[int]
    frame_kind: memoryview[int]
    frame_class: memoryview[int]
    frame_tier: memoryview[int]
    frame_presets: memoryview[int]
    stack_parent: memoryview[int]
    stack_frame: memoryview[int]
    event_name: memoryview[int]
    event_unit: memoryview[int]
    thread_comm: memoryview[int]
    thread_pid: memoryview[int]
    thread_tid: memoryview[int]
    total_event: memoryview[int]
    total_thread: memoryview[int]
    total_stack: memoryview[int]
    total_samples: memoryview[int]
    total_period: memoryview[int]
    timeline: dict[str, memoryview[int]] | None
    meta: dict[str, object]
    diagnostics: dict[str, object]

    def __init__(
        self,
        *,
        string_bytes: bytes | bytearray | memoryview[int],
        string_offsets: memoryview[int],
        frame_name: memoryview[int],
        frame_dso: memoryview[int],
        frame_kind: memoryview[int],
        stack_parent: memoryview[int],
        stack_frame: memoryview[int],
        event_name: memoryview[int],
        event_unit: memoryview[int],
        thread_comm: memoryview[int],
        thread_pid: memoryview[int],
        thread_tid: memoryview[int],
        total_event: memoryview[int],
        total_thread: memoryview[int],
        total_stack: memoryview[int],
        total_samples: memoryview[int],
        total_period: memoryview[int],
        frame_class: memoryview[int] | None = None,
        frame_tier: memoryview[int] | None = None,
        frame_presets: memoryview[int] | None = None,
        timeline: Mapping[str, memoryview[int]] | None = None,
        meta: Mapping[str, object] | None = None,
        diagnostics: Mapping[str, object] | None = None,
    ) -> None:
        self.string_bytes = string_bytes
        self.string_offsets = string_offsets
        self.frame_name = frame_name
        self.frame_dso = frame_dso
        self.frame_kind = frame_kind
        unknown = memoryview(bytes(len(frame_name)))
        self.frame_class = unknown if frame_class is None else frame_class
        self.frame_tier = unknown if frame_tier is None else frame_tier
        self.frame_presets = unknown if frame_presets is None else frame_presets
        self.stack_parent = stack_parent
        self.stack_frame = stack_frame
        self.event_name = event_name
        self.event_unit = event_unit
        self.thread_comm = thread_comm
        self.thread_pid = thread_pid
        self.thread_tid = thread_tid
        self.total_event = total_event
        self.total_thread = total_thread
        self.total_stack = total_stack
        self.total_samples = total_samples
        self.total_period = total_period
        self.timeline = None if timeline is None else dict(timeline)
        self.meta = dict(meta or {})
        self.diagnostics = dict(diagnostics or {})

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Document:
        """Read a document's file, compressed or not, and check every rule of ``schema.md``.

        Args:
            path: the file, or ``-`` for standard input.

        Raises:
            SourceError: the file cannot be read.
            DecodeError: it is no document, or a damaged one.
        """
        from flameparse.document.reader import FORMAT_NAME, unpack
        from flameparse.errors import MalformedError
        from flameparse.source import open_source

        with open_source(path) as source:
            content = source.read()
            if source.damage is not None:
                raise MalformedError(f"{source.name}: {source.damage}", format_name=FORMAT_NAME)
            return unpack(content, name=source.name)

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write the document to a file, whole or not at all.

        Args:
            path: the file; an old one is replaced only once the new one is complete.

        Returns:
            Bytes written.

        Raises:
            SinkError: the file cannot be written.
            UsageError: ``meta`` or ``diagnostics`` holds what a document cannot, or a column is too large.
        """
        from flameparse.document.writer import document_chunks
        from flameparse.sink import write_atomic

        return write_atomic(path, document_chunks(self))

    def string(self, id: int) -> bytes:
        """Return the string of an id.

        Raises:
            IndexError: the id is NONE, negative or past the table.
        """
        if id < 0:
            raise IndexError("a string id is not negative")
        start, end = self.string_offsets[id], self.string_offsets[id + 1]
        return bytes(self.string_bytes[start:end])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Document):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # equal by content, and its columns may be writable

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{len(column)} {name}"
            for name, column in (
                ("events", self.event_name),
                ("threads", self.thread_pid),
                ("frames", self.frame_name),
                ("stacks", self.stack_parent),
                ("totals", self.total_event),
            )
        )
        return f"<Document: {counts}{'' if self.timeline is None else ', timeline'}>"
