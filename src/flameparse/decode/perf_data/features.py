"""The sections behind the records of a recording, each one fact about the machine, the recorder or the events.

A parser stores what it reads as it goes, so a section that is cut gives what it holds; then it raises.
"""

from __future__ import annotations

from struct import Struct, unpack

from flameparse.errors import MalformedError, TruncatedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flameparse.decode.perf_data.header import Header

TRACING_DATA = 1
COMPRESSED = 27
DIR_FORMAT = 24
HOSTNAME = 3

_BUILD_ID_BYTES = 20
_HAS_SIZE = 1 << 15  # misc bit of a build id record
_LEAST_RECORD_BYTES = 8 + 4 + 24
_OLD_KERNEL = b"nel.kallsyms]"  # [kernel.kallsyms], read four bytes too late
_TRACING_MAGIC = b"\x17\x08\x44tracing"


class Fields:
    """Takes one field after the other from a payload.

    Args:
        data: the payload.
        order: ``<`` or ``>``, of its integers.
    """

    __slots__ = ("_u32", "_u64", "at", "data", "order")

    def __init__(self, data: bytes, order: str) -> None:
        self.data = data
        self.at = 0
        self.order = order
        self._u32 = Struct(order + "I")
        self._u64 = Struct(order + "Q")

    @property
    def left(self) -> int:
        """Bytes that were not taken yet."""
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        """Take so many bytes.

        Raises:
            TruncatedError: there are fewer.
        """
        if count > self.left:
            raise TruncatedError(f"{count} bytes announced, {self.left} are there")
        self.at += count
        return self.data[self.at - count : self.at]

    def u32(self) -> int:
        """Take an integer of 4 bytes."""
        value: int = self._u32.unpack(self.take(4))[0]
        return value

    def u64(self) -> int:
        """Take an integer of 8 bytes."""
        value: int = self._u64.unpack(self.take(8))[0]
        return value

    def u64s(self, count: int) -> list[int]:
        """Take so many integers of 8 bytes."""
        data = self.take(8 * count)
        return list(unpack(f"{self.order}{count}Q", data))

    def string(self) -> bytes:
        """Take a u32 length and a string of it that is padded with NUL."""
        return self.take(self.u32()).partition(b"\0")[0]

    def c_string(self) -> bytes:
        """Take a string and the NUL behind it."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise TruncatedError("a string without an end")
        return self.take(end + 1 - self.at)[:-1]


def read_feature(header: Header, number: int, payload: bytes) -> None:
    """Take over what one section says; of a number that is not known nothing is.

    Source: tools/perf/Documentation/perf.data-file-format.txt; numbers: enum in tools/perf/util/header.h.

    Raises:
        DecodeError: it is cut or contradicts itself; what stands before that place was taken.
    """
    parse = _PARSERS.get(number)
    if parse is not None:
        parse(header, Fields(payload, header.order))


def _tracing_data(header: Header, fields: Fields) -> None:
    r"""Take the names of tracepoints from copies of their ``format`` files, and name events by them.

    Layout:
        magic 17 08 44 "tracing", version string with its NUL, u8 is big-endian, u8 bytes of a long, u32 page size,
        "header_page\0" u64 size text, "header_event\0" u64 size text,
        u32 count, count * (u64 size, text) of ftrace's own events,
        u32 count, count * (system with its NUL, u32 count, count * (u64 size, text)), more that is not read
    Each text begins with the lines ``name: sched_switch`` and ``ID: 372``.
    Source: tools/perf/util/trace-event-info.c.

    Raises:
        DecodeError: it is cut or something else; the names before that place were taken.
    """
    try:
        if fields.take(len(_TRACING_MAGIC)) != _TRACING_MAGIC:
            raise MalformedError("the tracing data has another magic")
        fields.c_string()
        is_big = fields.take(1) == b"\1"
        fields.take(1 + 4)
        rest = Fields(fields.take(fields.left), ">" if is_big else "<")
        for _ in range(2):
            rest.c_string()
            rest.take(rest.u64())
        for _ in range(rest.u32()):
            _read_format(header, b"ftrace", rest)
        for _ in range(rest.u32()):
            system = rest.c_string()
            for _ in range(rest.u32()):
                _read_format(header, system, rest)
    finally:
        header.name_tracepoints()


def _read_format(header: Header, system: bytes, fields: Fields) -> None:
    facts = dict(line.partition(b": ")[::2] for line in fields.take(fields.u64()).split(b"\n", 2)[:2])
    id = facts.get(b"ID", b"")
    if b"name" in facts and id.isdigit() and len(id) <= 20:
        header.tracepoints[int(id)] = b"%b:%b" % (system, facts[b"name"])


def _build_ids(header: Header, fields: Fields) -> None:
    """Read which file had which build id.

    Layout, over and over: header {u32 type, u16 misc, u16 size}, s32 pid, u8 id[20], u8 size, 3 bytes, path with NULs.
        The size counts where misc bit 15 is set; before 2020 the id has 20 bytes, shorter ones end in zeros. Before
        2010 there was no pid.
    """
    found: list[tuple[int, int, bytes, bytes]] = []
    try:
        _read_build_ids(fields, found, True)
    finally:
        if any(path.startswith(_OLD_KERNEL) for _, _, _, path in found):
            fields.at = 0
            found.clear()
            _read_build_ids(fields, found, False)
        header.build_ids += found


def _read_build_ids(fields: Fields, found: list[tuple[int, int, bytes, bytes]], has_pid: bool) -> None:
    record = Struct(fields.order + "4xHH")
    while fields.left:
        misc, size = record.unpack(fields.take(8))
        if size < _LEAST_RECORD_BYTES:
            raise MalformedError(f"a build id record of {size} bytes")
        found.append(read_build_id(misc, Fields(fields.take(size - 8), fields.order), has_pid))


def read_build_id(misc: int, fields: Fields, has_pid: bool = True) -> tuple[int, int, bytes, bytes]:
    """Read what follows the header of one build id record: pid, cpumode, id and path."""
    pid = fields.u32() if has_pid else 0xFFFF_FFFF
    id = fields.take(_BUILD_ID_BYTES)
    size = fields.take(4)[0]
    if misc & _HAS_SIZE:
        id = id[:size]
    else:
        while id.endswith(b"\0\0\0\0"):
            id = id[:-4]
    return pid - (pid >> 31 << 32), misc & 7, id, fields.take(fields.left).partition(b"\0")[0]


def _text(name: str) -> Callable[[Header, Fields], None]:
    return lambda header, fields: setattr(header, name, fields.string())


def _cpus(header: Header, fields: Fields) -> None:
    header.cpus_available = fields.u32()
    header.cpus_online = fields.u32()


def _command(header: Header, fields: Fields) -> None:
    header.command = []
    for _ in range(fields.u32()):
        header.command.append(fields.string())


def _event_descriptions(header: Header, fields: Fields) -> None:
    """Take the names of the events, which stand in the order of the events.

    Layout: u32 count, u32 bytes of an attr, count * (attr, u32 number of ids, string, u64 ids).
    """
    count, attr_bytes = fields.u32(), fields.u32()
    for attr in header.attrs[:count]:
        fields.take(attr_bytes)
        id_count = fields.u32()
        name = fields.string()
        if not attr.is_named:
            attr.call(name)
        fields.take(8 * id_count)


def _groups(header: Header, fields: Fields) -> None:
    header.groups = []
    for _ in range(fields.u32()):
        header.groups.append((fields.string(), fields.u32(), fields.u32()))


def _sample_time(header: Header, fields: Fields) -> None:
    header.first_time, header.last_time = fields.u64s(2)


def _clock_resolution(header: Header, fields: Fields) -> None:
    header.clock_resolution = fields.u64()


def _clock_data(header: Header, fields: Fields) -> None:
    """Read one moment on two clocks: u32 version, u32 clockid, u64 wall clock, u64 clock."""
    if fields.u32() == 1:
        header.clock_data = (fields.u32(), fields.u64(), fields.u64())


_PARSERS: dict[int, Callable[[Header, Fields], None]] = {
    TRACING_DATA: _tracing_data,
    2: _build_ids,
    HOSTNAME: _text("hostname"),
    4: _text("release"),
    5: _text("version"),
    6: _text("arch"),
    7: _cpus,
    8: _text("cpu"),
    11: _command,
    12: _event_descriptions,
    17: _groups,
    21: _sample_time,
    23: _clock_resolution,
    29: _clock_data,
}
