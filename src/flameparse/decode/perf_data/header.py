"""What stands around the records of a recording: a file's header and features, or the records a pipe has for them."""

from __future__ import annotations

from struct import iter_unpack, pack, unpack_from

from flameparse import limits
from flameparse.decode.perf_data import features
from flameparse.decode.perf_data.attr import EventAttr
from flameparse.decode.perf_data.features import Fields
from flameparse.errors import DecodeError, LimitError, MalformedError, TruncatedError, UnsupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    ReadAt = Callable[[int, int], bytes]

    class SomeSource(Protocol):
        """What is needed of a ``flameparse.source.Source``."""

        is_seekable: bool
        size: int | None

        def read_at(self, offset: int, count: int) -> bytes:
            """Bytes at a place, fewer only at the end."""

        def peek(self, count: int) -> bytes:
            """The next bytes, fewer only at the end."""


FORMAT = "perf.data"
PIPE_HEADER_BYTES = 16

# Types of records.
HEADER_ATTR = 64
TRACING_DATA = 66
BUILD_ID = 67
AUXTRACE = 71
EVENT_UPDATE = 78
TIME_CONV = 79
HEADER_FEATURE = 80

_ORDERS = {b"PERFILE2": "<", b"2ELIFREP": ">"}
_OLD_HEADER_BYTES = 72
_HEADER_BYTES = 104
_ID_RANGE_BYTES = 16
_LEAST_ENTRY_BYTES = 64 + _ID_RANGE_BYTES
_TRACEPOINT = 2
_RAW = 4
_DYNAMIC = 6  # this type and all above it, of which each machine has its own
_SAMPLE_TIME = 1 << 2
_SAMPLE_CPU = 1 << 7
_SAMPLE_RAW = 1 << 10
_SAMPLE_ACCESS = 1 << 3 | 1 << 14 | 1 << 15 | 1 << 24  # address, weight of either kind, where the data was
_NAME_UPDATE = 2


class Header:
    """What a recording says of itself: all of it at once in a file, growing record by record in a stream.

    Attributes:
        order: ``<`` or ``>``, of the writer's integers, as ``struct`` spells it.
        swaps: whether that is not this machine's.
        is_pipe: whether events and features come as records, to be given to ``user_record``.
        is_killed: whether the recorder never came to write the end of the file.
        is_compressed: whether the recorder was to put records into zstd records.
        is_directory: whether the recorder wrote a folder, with a copy of the kernel's symbols.
        data_offset: of the first record.
        data_size: bytes of records that are there; None in a stream, which ends where its input does.
        attrs: the events.
        place_of_id: id to place in ``attrs``, of all events.
        id_count: how many ids there are; more than in ``place_of_id`` where events share one.
        feature_numbers: of the features that the file's header announces.
        features: payloads by number, of those that are there.
        damage: what is missing or broken, a line each; none of a recording that is whole.
        stop: where the records stop and where they should, or None.
        hostname, release, version, arch, cpu: of the recorder's machine, kernel and perf; empty where unknown.
        command: the recorder's command line.
        cpus_available, cpus_online: 0 where unknown.
        build_ids: pid (-1 for the host's kernel and all processes), cpumode (1 kernel, 2 user), id and path of files.
        tracepoints: ``config`` of a tracepoint to ``system:name``.
        groups: name, place of the leader in ``attrs`` and number of members of each group of events.
        first_time, last_time: of all samples, in nanoseconds; 0 where unknown.
        clock_resolution: nanoseconds; 0 where the recorder chose no clock.
        clock_data: a clock's number and one moment in nanoseconds, of the wall clock and of that clock; or None.
        time_conv: shift, multiplier and zero that turn the CPU's counter into time; or None.
        captured_at: seconds since 1970, when the file was last written, which is what perf calls its capture; None
            unless who opened the file says so.
    """

    __slots__ = (
        "arch", "attrs", "build_ids", "captured_at", "clock_data", "clock_resolution", "command", "cpu",
        "cpus_available", "cpus_online", "damage", "data_offset", "data_size", "feature_numbers", "features",
        "first_time", "groups", "hostname", "id_count", "is_compressed", "is_directory", "is_killed", "is_pipe",
        "last_time", "order", "place_of_id", "release", "stop", "swaps", "time_conv", "tracepoints",
        "version",
    )  # fmt: skip

    def __init__(self, order: str) -> None:
        self.order = order
        self.swaps = pack("=H", 1) != pack(order + "H", 1)
        self.is_pipe = False
        self.is_killed = False
        self.is_compressed = False
        self.is_directory = False
        self.data_offset = PIPE_HEADER_BYTES
        self.data_size: int | None = None
        self.attrs: list[EventAttr] = []
        self.place_of_id: dict[int, int] = {}
        self.id_count = 0
        self.feature_numbers: list[int] = []
        self.features: dict[int, bytes] = {}
        self.damage: list[str] = []
        self.stop: tuple[int, int] | None = None
        self.hostname = self.release = self.version = self.arch = self.cpu = b""
        self.command: list[bytes] = []
        self.cpus_available = self.cpus_online = 0
        self.build_ids: list[tuple[int, int, bytes, bytes]] = []
        self.tracepoints: dict[int, bytes] = {}
        self.groups: list[tuple[bytes, int, int]] = []
        self.first_time = self.last_time = 0
        self.clock_resolution = 0
        self.clock_data: tuple[int, int, int] | None = None
        self.time_conv: tuple[int, int, int] | None = None
        self.captured_at: float | None = None

    @property
    def cpu_events(self) -> frozenset[bytes]:
        """Names of the events whose samples ``perf script`` prints with their cpu."""
        return self._printed_with(dict.fromkeys(range(_DYNAMIC + 1), _SAMPLE_CPU))

    @property
    def timed_events(self) -> frozenset[bytes]:
        """Names of the events whose samples ``perf script`` prints with their time."""
        return self._printed_with(dict.fromkeys(range(_DYNAMIC + 1), _SAMPLE_TIME))

    @property
    def followed_events(self) -> frozenset[bytes]:
        """Names of the events after which ``perf script`` prints more: a tracepoint's fields, an access's address."""
        return self._printed_with({_TRACEPOINT: _SAMPLE_RAW, _RAW: _SAMPLE_ACCESS})

    def user_record(self, type: int, misc: int, payload: bytes, trailing: bytes = b"") -> None:
        """Take over what a record of type 64 or above says, if it is of use; what is broken is noted in ``damage``.

        Args:
            type, misc: of its header.
            payload: what follows its header.
            trailing: the ``trailing_bytes`` that follow a TRACING_DATA; of no other record they are needed.

        Raises:
            LimitError: more events, or ids of events, than any recorder can have.
        """
        fields = Fields(payload, self.order)
        try:
            if type == HEADER_ATTR:
                size = unpack_from(self.order + "I", payload.ljust(8, b"\0"), 4)[0] or 64
                self.add_event(fields.take(size), fields.left // 8)
                self.add_ids(fields.u64s(fields.left // 8))
            elif type == HEADER_FEATURE:
                number = fields.u64()
                if fields.left and number not in self.features:  # one without a payload marks the end
                    self.take_feature(number, fields.take(fields.left))
            elif type == EVENT_UPDATE:
                self._update_event(fields)
            elif type == BUILD_ID:
                self.build_ids.append(features.read_build_id(misc, fields))
            elif type == TRACING_DATA and features.TRACING_DATA not in self.features:
                self.take_feature(features.TRACING_DATA, trailing)
            elif type == TIME_CONV:
                self.time_conv = (fields.u64(), fields.u64(), fields.u64())
        except LimitError:
            raise
        except DecodeError as error:
            self.note(f"record of type {type}: {error}")

    def trailing_bytes(self, type: int, payload: bytes) -> int:
        """Count the raw bytes that follow a record and are no part of its size.

        Layout: AUXTRACE begins with u64 size; TRACING_DATA with u32 size, rounded up to 8.
        Source: struct perf_record_auxtrace and perf_record_header_tracing_data, tools/lib/perf/include/perf/event.h.
        """
        if type == AUXTRACE and len(payload) >= 8:
            return int(unpack_from(self.order + "Q", payload)[0])
        if type == TRACING_DATA and len(payload) >= 4:
            return int(unpack_from(self.order + "I", payload)[0]) + 7 & ~7
        return 0

    def take_feature(self, number: int, payload: bytes, damage: str = "") -> None:
        """Take over one feature; what is broken is noted in ``damage``.

        Args:
            number, payload: of the feature.
            damage: what is wrong with the payload, where that is known.
        """
        self.features[number] = payload
        try:
            features.read_feature(self, number, payload)
        except DecodeError as error:
            damage = damage or str(error)
        if damage:
            self.note(f"feature {number}: {damage}")

    def read_tail(self, tail: bytes) -> None:
        """Take over the features of a file that is not seekable.

        Args:
            tail: what follows its records, up to ``limits.MAX_FEATURE_BYTES``; less if it is cut.
        """
        assert self.data_size is not None
        start = self.data_offset + self.data_size
        _read_features(self, _window(tail, start), start, start + len(tail))

    def stopped(self, offset: int, end: int) -> None:
        """Note that the records stop before the end that the file announces; said twice, the earlier place counts."""
        if self.stop is not None:
            self.damage.remove("stopped at offset {} of {}".format(*self.stop))
            offset, end = min(offset, self.stop[0]), max(end, self.stop[1])
        self.stop = offset, end
        self.damage.append(f"stopped at offset {offset} of {end}")

    def name_tracepoints(self) -> None:
        """Name the events that are tracepoints by the tracing data."""
        for attr in self.attrs:
            self._name_tracepoint(attr)

    def note(self, damage: str) -> None:
        """Add a line to ``damage``; of many, the first ones stand for all."""
        if len(self.damage) < limits.MAX_DAMAGE_NOTES:
            self.damage.append(damage)

    def meta(self) -> dict[str, object]:
        """Facts for a document's ``meta``: as text those that ``perf script --header`` would print.

        ``max_stack`` is there where the recorder was told how many frames a stack may have, and a number.
        """
        facts = {
            "captured_on": _local_time(self.captured_at),
            "host": self.hostname,
            "kernel": self.release,
            "perf_version": self.version,
            "arch": self.arch,
            "cpu": self.cpu,
            "command": b" ".join(self.command).replace(b"'", b"\\'"),
        }
        max_stack = max((attr.sample_max_stack for attr in self.attrs), default=0)
        return {
            key: value[: limits.MAX_NAME_BYTES].strip().decode("utf-8", "backslashreplace")
            for key, value in facts.items()
            if value
        } | ({"max_stack": max_stack} if max_stack else {})

    def add_event(self, attr: bytes, id_count: int) -> None:
        """Add an event that has so many ids, which may be given next.

        Raises:
            LimitError: there are too many events or ids.
            TruncatedError: the attr is shorter than the first version of the struct.
        """
        if len(self.attrs) >= limits.MAX_EVENTS:
            raise LimitError(f"more than {limits.MAX_EVENTS} events", format_name=FORMAT)
        if id_count > limits.MAX_EVENT_IDS - self.id_count:
            raise LimitError(f"more than {limits.MAX_EVENT_IDS} ids of events", format_name=FORMAT)
        event = EventAttr(attr, self.order)
        self._name_tracepoint(event)
        self.attrs.append(event)
        self.id_count += id_count

    def add_ids(self, ids: list[int]) -> None:
        """Give the last event its ids."""
        self.attrs[-1].ids = ids
        place = len(self.attrs) - 1
        for id in ids:
            self.place_of_id.setdefault(id, place)

    def _update_event(self, fields: Fields) -> None:
        """Take a name that comes late.

        Layout: u64 kind of update (2: a name), u64 id of the event, name padded with NUL.
        Source: struct perf_record_event_update, tools/lib/perf/include/perf/event.h.
        """
        kind, id = fields.u64(), fields.u64()
        place = self.place_of_id.get(id)
        if kind == _NAME_UPDATE and place is not None:
            self.attrs[place].call(fields.take(fields.left).partition(b"\0")[0])

    def _printed_with(self, fields: dict[int, int]) -> frozenset[bytes]:
        """Name the events that ``perf script`` prints with one of some fields: what the first of a type has, all get.

        Args:
            fields: type of an event to the ``sample_type`` bits meant.
        """
        first: dict[int, int] = {}
        for attr in self.attrs:
            first.setdefault(min(attr.type, _DYNAMIC), attr.sample_type)
        types = {type for type, bits in first.items() if bits & fields.get(type, 0)}
        return frozenset(attr.name for attr in self.attrs if min(attr.type, _DYNAMIC) in types)

    def _name_tracepoint(self, attr: EventAttr) -> None:
        if attr.type == _TRACEPOINT and not attr.is_named:
            attr.name = self.tracepoints.get(attr.config, attr.name)


def start_stream(head: bytes) -> Header:
    """Begin the header of a pipe's stream, whose events and features come as records.

    Args:
        head: its first ``PIPE_HEADER_BYTES`` bytes: magic, u64 16.

    Raises:
        TruncatedError: there are fewer.
        MalformedError: they are not a pipe's.
        UnsupportedError: a version of the format.
    """
    order = _byte_order(head)
    size = unpack_from(order + "Q", head, 8)[0]
    if size != PIPE_HEADER_BYTES:
        raise MalformedError(f"a pipe's header of {size} bytes", format_name=FORMAT, offset=8)
    header = Header(order)
    header.is_pipe = True
    return header


def read_header(source: SomeSource) -> Header:
    """Read a recording's header, events and features.

    Of a source that is not seekable the features stand where nothing was read yet: give ``Header.read_tail`` what
    follows the records. A stored pipe gives a Header with ``is_pipe``.

    Layout:
        0 magic "PERFILE2", reversed by a big-endian writer · 8 u64 header size, 16 in a pipe · 16 u64 bytes of an
        event · 24 {u64 offset, u64 size} of the events · 40 the same of the records · 56 of nothing any more ·
        72 u64[4] bitmap of features, which the oldest header of 72 bytes lacks · more, unused
    Source: struct perf_file_header, tools/perf/util/header.h.

    Args:
        source: at its start.

    Raises:
        TruncatedError: it ends within the header or the events.
        MalformedError: the header contradicts itself.
        UnsupportedError: a version of the format, or a form that cannot be read from a source that is not seekable.
        LimitError: more events, or ids of events, than any recorder can have.
        SourceError: the system cannot read.
    """
    fixed = source.read_at(0, _HEADER_BYTES) if source.is_seekable else source.peek(_HEADER_BYTES)
    order = _byte_order(fixed)
    header_bytes = unpack_from(order + "Q", fixed, 8)[0]
    if header_bytes == PIPE_HEADER_BYTES:
        return start_stream(fixed)
    if header_bytes < _OLD_HEADER_BYTES:
        raise MalformedError(f"a header of {header_bytes} bytes", format_name=FORMAT, offset=8)
    if len(fixed) < min(header_bytes, _HEADER_BYTES):
        raise TruncatedError(f"the header has {header_bytes} bytes", format_name=FORMAT, offset=len(fixed))
    header = Header(order)
    entry_bytes, events_start, events_bytes, header.data_offset, data_bytes = unpack_from(order + "5Q", fixed, 16)
    read_at: ReadAt
    if source.is_seekable:
        read_at, size = source.read_at, source.size or 0
    elif events_start + events_bytes <= min(header.data_offset, limits.MAX_FEATURE_BYTES):
        head = source.peek(events_start + events_bytes)
        read_at, size = _window(head, 0), len(head)
    else:
        raise UnsupportedError("its events stand behind its records: decompress it into a file", format_name=FORMAT)
    _read_events(header, events_start, events_bytes, entry_bytes, read_at, size)
    if header_bytes >= _HEADER_BYTES:
        header.feature_numbers = _feature_numbers(fixed[_OLD_HEADER_BYTES:], order)
        header.is_compressed = features.COMPRESSED in header.feature_numbers
        header.is_directory = features.DIR_FORMAT in header.feature_numbers
    if source.is_seekable:
        _find_records_end(header, data_bytes, read_at, size)
    elif data_bytes or (
        header.data_offset <= limits.MAX_FEATURE_BYTES
        and _has_table(header, source.peek(header.data_offset + 8)[header.data_offset :], header.data_offset)
    ):
        header.data_size = data_bytes
    else:
        _note_killed(header)
    return header


def _byte_order(head: bytes) -> str:
    if len(head) < PIPE_HEADER_BYTES:
        raise TruncatedError(f"the header has {PIPE_HEADER_BYTES} bytes or more", format_name=FORMAT, offset=len(head))
    order = _ORDERS.get(head[:8])
    if order is None:
        if head.startswith(b"PERFFILE"):
            raise UnsupportedError("version 1 of the format, which is not read", format_name=FORMAT)
        raise MalformedError(f"it begins with {head[:8]!r}", format_name=FORMAT, offset=0)
    return order


def _window(data: bytes, start: int) -> ReadAt:
    """Read from bytes that stand at ``start`` of a file."""
    view = memoryview(data)
    return lambda offset, count: view[offset - start :][:count].tobytes()


def _read_events(header: Header, start: int, length: int, entry_bytes: int, read_at: ReadAt, size: int) -> None:
    """Read the section of events.

    Layout: each entry of ``entry_bytes`` is an attr, then {u64 offset, u64 size} of an array of u64 ids.
    """
    if not _LEAST_ENTRY_BYTES <= entry_bytes <= limits.MAX_ATTR_BYTES + _ID_RANGE_BYTES:
        raise MalformedError(f"events of {entry_bytes} bytes", format_name=FORMAT, offset=16)
    if start + length > size:
        raise TruncatedError(f"the events end at offset {start + length}", format_name=FORMAT, offset=size)
    count = length // entry_bytes
    if not count:
        raise MalformedError("no events", format_name=FORMAT, offset=32)
    if count > limits.MAX_EVENTS:
        raise LimitError(f"{count} events, more than {limits.MAX_EVENTS}", format_name=FORMAT, offset=32)
    for place in range(count):
        entry = read_at(start + place * entry_bytes, entry_bytes)
        ids_at, ids_bytes = unpack_from(header.order + "QQ", entry, entry_bytes - _ID_RANGE_BYTES)
        if ids_at + ids_bytes > size:
            header.note(f"event {place}: its ids would end at offset {ids_at + ids_bytes} of {size}")
            ids_bytes = 0
        id_count = ids_bytes // 8
        header.add_event(entry[:-_ID_RANGE_BYTES], id_count)
        header.add_ids(Fields(read_at(ids_at, 8 * id_count), header.order).u64s(id_count))


def _feature_numbers(bitmap: bytes, order: str) -> list[int]:
    """List the features that the file's header announces.

    Layout: 256 bits in words of the writer's longs. A big-endian writer's may have 32 bits: then the host name, which
    perf always writes, is not where it is with 64.
    """
    words = unpack_from(order + "4Q", bitmap)
    numbers = [64 * i + bit for i, word in enumerate(words) for bit in range(64) if word >> bit & 1]
    if order == ">" and features.HOSTNAME not in numbers:
        words = unpack_from(order + "8I", bitmap)
        short = [32 * i + bit for i, word in enumerate(words) for bit in range(32) if word >> bit & 1]
        if features.HOSTNAME in short:
            return short
    return numbers


def _find_records_end(header: Header, data_bytes: int, read_at: ReadAt, size: int) -> None:
    """See how many bytes of records there are, and read the features if they stand behind them."""
    end = header.data_offset + data_bytes
    if end > size:
        header.data_size = max(size - header.data_offset, 0)
        header.stopped(size, end)
    elif data_bytes or _has_table(header, read_at(end, 8), end):
        header.data_size = data_bytes
        _read_features(header, read_at, end, size)
    else:
        _note_killed(header)
        header.data_size = size - header.data_offset


def _note_killed(header: Header) -> None:
    header.is_killed = True
    header.note("the recorder was killed")


def _has_table(header: Header, start: bytes, offset: int) -> bool:
    """Whether a file that announces no records has features where they would be: the first follows their table."""
    first = offset + 16 * len(header.feature_numbers)
    return len(start) == 8 and unpack_from(header.order + "Q", start)[0] == first


def _read_features(header: Header, read_at: ReadAt, start: int, size: int) -> None:
    """Read the features behind the records.

    Layout: for each bit of the bitmap, lowest first, {u64 offset, u64 size}; what these name follows.
    """
    table_bytes = 16 * len(header.feature_numbers)
    table = read_at(start, table_bytes)
    if len(table) < table_bytes:
        header.note(f"its features stopped at offset {size} of {start + table_bytes}")
    most_bytes = bytes_allowed = min(limits.MAX_FEATURE_BYTES, max(size - start, 0))
    entries = iter_unpack(header.order + "QQ", table[: len(table) & ~15])
    for number, (offset, length) in zip(header.feature_numbers, entries, strict=False):  # the table may be cut
        if offset < start + table_bytes:
            header.note(f"feature {number}: begins at offset {offset}, before the features")
            continue
        there = min(length, max(size - offset, 0))
        bytes_allowed -= there
        if bytes_allowed < 0:
            header.note(f"features of more than {most_bytes} bytes")
            return
        cut = f"stopped at offset {size} of {offset + length}" if there < length else ""
        header.take_feature(number, read_at(offset, there), cut)


def _local_time(moment: float | None) -> bytes:
    if moment is None:
        return b""
    from time import ctime

    return ctime(moment).encode()
