"""A slow second reading of perf.data, written from the format and not from the decoder.

Everything stays an object, records are delivered one by one in the order `perf script` delivers them, and each process
has a plain list of mappings that is searched from end to end. Tests only; the shipped package never imports it.
"""

from __future__ import annotations

import bisect
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

KERNEL, USER, HYPERVISOR = 1, 2, 3
KERNEL_PATH = b"[kernel.kallsyms]"
NO_TIME = (0, 2**64 - 1)
MAX_STACK = 127
PROT_EXEC, MAP_HUGETLB = 4, 0x40000

# Bits of sample_type.
IP, TID, TIME, ADDR, READ, CALLCHAIN, ID, CPU, PERIOD, STREAM_ID, RAW, BRANCH_STACK, REGS_USER, STACK_USER = range(14)
WEIGHT, DATA_SRC, IDENTIFIER, TRANSACTION, REGS_INTR, PHYS_ADDR, AUX, CGROUP = range(14, 22)
DATA_PAGE_SIZE, CODE_PAGE_SIZE, WEIGHT_STRUCT = 22, 23, 24

CONTEXTS = {2**64 - 32: HYPERVISOR, 2**64 - 128: KERNEL, 2**64 - 512: USER}
FIRST_CONTEXT = 2**64 - 4095
SOFTWARE = (
    b"cpu-clock task-clock page-faults context-switches cpu-migrations minor-faults major-faults alignment-faults"
    b" emulation-faults dummy bpf-output cgroup-switches"
).split()
HARDWARE = (
    b"cycles instructions cache-references cache-misses branches branch-misses bus-cycles stalled-cycles-frontend"
    b" stalled-cycles-backend ref-cycles"
).split()


class Damaged(Exception):
    """Nothing can be read on from here."""


@dataclass
class Frame:
    """One frame: where the code was, and where that is in the file it was mapped from (None: in no mapping)."""

    ip: int
    mode: int
    path: bytes | None
    address: int


@dataclass
class Sample:
    """One sample, or one member of a group that one sample read; frames leaf first."""

    comm: bytes
    pid: int
    tid: int
    cpu: int | None
    time_ns: int | None
    event: bytes
    period: int
    frames: list[Frame] = field(default_factory=list)
    offset: int = 0


@dataclass
class Attr:
    """One event, as far as reading its records needs it."""

    type: int
    config: int
    period: int
    sample_type: int
    read_format: int
    flags: int
    branch_sample_type: int
    regs_user: int
    regs_intr: int
    use_clockid: bool
    ids: list[int]
    name: bytes

    def has(self, bit: int) -> bool:
        return bool(self.sample_type >> bit & 1)

    def flag(self, bit: int) -> bool:
        return bool(self.flags >> bit & 1)


@dataclass
class Mapping:
    """One mapping of a process, or of the kernel."""

    start: int
    end: int
    path: bytes
    bias: int  # address in the file = ip + bias


@dataclass
class Thread:
    """One thread: what it is called, and the mappings it shares with its process."""

    pid: int
    tid: int
    comm: bytes
    is_named: bool
    maps: list[Mapping]


class Cursor:
    """Reads words of one record, in the byte order of the machine that wrote them."""

    def __init__(self, data: bytes, order: str, at: int = 0) -> None:
        self.data, self.order, self.at = data, order, at

    def take(self, form: str) -> tuple[int, ...]:
        form = self.order + form
        size = struct.calcsize(form)
        if self.at + size > len(self.data):
            raise Damaged(f"{size} bytes wanted at {self.at} of {len(self.data)}")
        values = struct.unpack_from(form, self.data, self.at)
        self.at += size
        return values

    def u64(self) -> int:
        return self.take("Q")[0]

    def u32(self) -> int:
        return self.take("I")[0]

    def raw(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise Damaged(f"{size} bytes wanted at {self.at} of {len(self.data)}")
        self.at += size
        return self.data[self.at - size : self.at]

    def string(self) -> bytes:
        return self.raw(self.u32()).split(b"\0", 1)[0]


def name_of(type: int, config: int, flags: int) -> bytes:
    """Name an event that the recording does not name."""
    if type == 1 and config < len(SOFTWARE):
        name = SOFTWARE[config]
    elif type == 0 and config < len(HARDWARE):
        name = HARDWARE[config]
    elif type == 2:
        return b"tracepoint:%d" % config
    else:
        return b"%s:%x" % ({4: b"raw"}.get(type, b"unknown"), config)
    excluded = {letter for bit, letter in ((4, "u"), (5, "k"), (6, "h")) if flags >> bit & 1}
    wanted = "".join(letter for letter in "ukh" if letter not in excluded) if excluded else ""
    precise = "p" * (flags >> 15 & 3)
    return name + (b":" + (wanted + precise).encode() if wanted or precise else b"")


def read_attr(data: bytes, order: str) -> Attr:
    """Read one perf_event_attr; what an older one lacks is zero."""
    data = data.ljust(136, b"\0")
    type, _, config, period, sample_type, read_format = struct.unpack_from(order + "IIQQQQ", data)
    flags = struct.unpack_from(order + "Q", data, 40)[0]
    if order == ">":
        flags = int(f"{flags:064b}"[::-1], 2)
    branch, regs_user = struct.unpack_from(order + "QQ", data, 72)
    regs_intr = struct.unpack_from(order + "Q", data, 96)[0]
    name = name_of(type, config, flags)
    clocked = bool(flags >> 25 & 1)
    return Attr(type, config, period, sample_type, read_format, flags, branch, regs_user, regs_intr, clocked, [], name)


def attr_size(data: bytes, order: str) -> int:
    return struct.unpack_from(order + "I", data, 4)[0] or 64


class Recording:
    """One perf.data, read whole.

    Attributes:
        samples: in the order `perf script` prints them.
        stopped_at: where reading ended because of damage; None at the end of the data.
        lost: what the kernel says it lost.
        records: count per record type; ``unknown_ids`` counts samples of no known event.
        leftover: bytes that stayed behind in samples; 0 when every part was understood.
    """

    def __init__(self, data: bytes) -> None:
        self.samples: list[Sample] = []
        self.attrs: list[Attr] = []
        self.features: dict[int, bytes] = {}
        self.records: Counter[int] = Counter()
        self.stopped_at: int | None = None
        self.lost = self.unknown_ids = self.leftover = self.bad_samples = 0
        self.side: list[tuple[int, int, int, bytes]] = []  # time, type, misc, body: every kernel record but samples
        self._threads: dict[int, Thread] = {}
        self._kernel: list[Mapping] = []
        self._last_read: dict[int, int] = {}
        self._queue: list[tuple[int, int, int, int, bytes]] = []  # time, sequence, type, misc, body
        self._newest = self._limit = 0
        self._data = data
        self.order = {b"PERFILE2": "<", b"2ELIFREP": ">"}[data[:8]]
        self.size_of_header = self._unpack("Q", 8)[0]
        self.is_pipe = self.size_of_header == 16
        self._thread(0, 0).comm = b"swapper"
        if self.is_pipe:
            start, end = 16, len(data)
        else:
            start, end = self._read_file_header()
        for offset, type, misc, body in self._records(start, end):
            self.records[type] += 1
            self._receive(offset, type, misc, body)
        self._flush(2**64)
        del self._data

    def _unpack(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self.order + form, self._data, at)

    # Header

    def _read_file_header(self) -> tuple[int, int]:
        size, attrs_at, attrs_size, start, data_size = self._unpack("5Q", 16)
        for at in range(attrs_at, attrs_at + attrs_size, size):
            attr = read_attr(self._data[at : at + size - 16], self.order)
            ids_at, ids_size = self._unpack("QQ", at + size - 16)
            attr.ids = list(self._unpack(f"{ids_size // 8}Q", ids_at))
            self.attrs.append(attr)
        end = start + data_size if data_size else len(self._data)
        if data_size and end <= len(self._data):
            bits = self._unpack("4Q", 72)
            numbers = [bit for bit in range(256) if bits[bit // 64] >> bit % 64 & 1]
            try:
                for place, number in enumerate(numbers):
                    at, length = self._unpack("QQ", end + 16 * place)
                    if at + length <= len(self._data):
                        self._feature(number, self._data[at : at + length])
            except struct.error:
                pass  # cut inside the table
        return start, min(end, len(self._data))

    def _feature(self, number: int, body: bytes) -> None:
        self.features[number] = body
        if number == 12:  # EVENT_DESC
            cursor = Cursor(body, self.order)
            count, size = cursor.take("II")
            for place in range(count):
                cursor.raw(size)
                ids, name = cursor.u32(), cursor.string()
                cursor.raw(8 * ids)
                if place < len(self.attrs):
                    self.attrs[place].name = name

    # Records

    def _records(self, start: int, end: int) -> Iterator[tuple[int, int, int, bytes]]:
        """Yield (place in the stream of records, type, misc, body), those inside zstd records in their place."""
        inner = b""
        at, place = start, start
        stream = None
        while at < end:
            if at + 8 > end:
                self.stopped_at = at
                return
            type, misc, size = self._unpack("IHH", at)
            if size < 8 or at + size > end:
                self.stopped_at = at
                return
            body = self._data[at + 8 : at + size]
            extra = 0
            if type == 71 and len(body) >= 8:
                extra = self._unpack("Q", at + 8)[0]
            elif type == 66 and self.is_pipe:
                extra = (self._unpack("I", at + 8)[0] + 7) & ~7
            if type in (81, 83):
                import zstandard

                stream = stream or zstandard.ZstdDecompressor().decompressobj()
                packed = body if type == 81 else body[8 : 8 + self._unpack("Q", at + 8)[0]]
                inner += stream.decompress(packed)
                while len(inner) >= 8:
                    inner_type, inner_misc, inner_size = struct.unpack_from(self.order + "IHH", inner)
                    if inner_size < 8:
                        self.stopped_at = at
                        return
                    if inner_size > len(inner):
                        break
                    yield place, inner_type, inner_misc, inner[8:inner_size]
                    inner = inner[inner_size:]
                    place += inner_size
            else:
                yield place, type, misc, body
            at += size + extra
            place += size + extra
        if inner:
            self.stopped_at = at

    def _receive(self, offset: int, type: int, misc: int, body: bytes) -> None:
        """Queue a record that has a time, deliver another at once."""
        if type >= 64:
            self._user_record(type, body)
            return
        try:
            time = self._time_of(type, body)
        except Damaged:
            self.bad_samples += 1
            return
        if type != 9:
            self.side.append((time, type, misc, body))
        if time in NO_TIME:
            self._deliver(0, offset, type, misc, body)
        else:
            self._newest = max(self._newest, time)
            bisect.insort(self._queue, (time, offset, type, misc, body), key=lambda row: row[:2])

    def _user_record(self, type: int, body: bytes) -> None:
        cursor = Cursor(body, self.order)
        if type == 64:  # HEADER_ATTR
            size = attr_size(body, self.order)
            attr = read_attr(cursor.raw(size), self.order)
            attr.ids = list(cursor.take(f"{(len(body) - size) // 8}Q"))
            self.attrs.append(attr)
        elif type == 68:  # FINISHED_ROUND
            self._flush(self._limit)
            self._limit = self._newest
        elif type == 78:  # EVENT_UPDATE
            kind, id = cursor.take("QQ")
            if kind == 2 and (attr := self._attr_of(id)):
                attr.name = body[16:].split(b"\0", 1)[0]
        elif type == 80:  # HEADER_FEATURE
            number = cursor.u64()
            if len(body) > 8:
                self._feature(number, body[8:])

    def _flush(self, limit: int) -> None:
        count = bisect.bisect_right(self._queue, limit, key=lambda row: row[0])
        ready, self._queue = self._queue[:count], self._queue[count:]
        for time, offset, type, misc, body in ready:
            self._deliver(time, offset, type, misc, body)

    # What belongs to which event

    def _attr_of(self, id: int) -> Attr | None:
        if id == 0:
            return self.attrs[0]
        return next((attr for attr in self.attrs if id in attr.ids), None)

    def _event_of(self, type: int, body: bytes) -> Attr | None:
        if not self.attrs:
            raise Damaged("a record before any event")
        first = self.attrs[0]
        if len(self.attrs) == 1:
            return first
        if type == 9:
            before = 0 if first.has(IDENTIFIER) else 8 * sum(map(first.has, (IP, TID, TIME, ADDR)))
            if not (first.has(IDENTIFIER) or first.has(ID)):
                return first
            return self._attr_of(Cursor(body, self.order, before).u64())
        if not first.flag(18) or not (first.has(IDENTIFIER) or first.has(ID)):
            return first
        back = 8 if first.has(IDENTIFIER) else 8 * sum(map(first.has, (ID, STREAM_ID, CPU)))
        if back > len(body):
            raise Damaged("a record shorter than its trailer")
        return self._attr_of(Cursor(body, self.order, len(body) - back).u64())

    def _trailer_size(self, attr: Attr) -> int:
        return 8 * sum(map(attr.has, (TID, TIME, ID, STREAM_ID, CPU, IDENTIFIER))) if attr.flag(18) else 0

    def _time_of(self, type: int, body: bytes) -> int:
        attr = self._event_of(type, body)
        if attr is None or not attr.has(TIME):
            return 0
        if type == 9:
            return Cursor(body, self.order, 8 * sum(map(attr.has, (IDENTIFIER, IP, TID)))).u64()
        if not attr.flag(18):
            return 0
        back = 8 * (1 + sum(map(attr.has, (ID, STREAM_ID, CPU, IDENTIFIER))))
        if back > len(body):
            raise Damaged("a record shorter than its trailer")
        return Cursor(body, self.order, len(body) - back).u64()

    # Delivery

    def _deliver(self, time: int, offset: int, type: int, misc: int, body: bytes) -> None:
        try:
            attr = self._event_of(type, body)
            if type == 9:
                if attr is None:
                    self.unknown_ids += 1
                    return
                self._sample(attr, offset, misc, body)
                return
            trailer = self._trailer_size(attr or self.attrs[0])
            cursor = Cursor(body[: len(body) - trailer], self.order)
            if type == 1:  # MMAP
                pid, _, start, size, file_offset = cursor.take("iiQQQ")
                self._map(misc, pid, start, size, file_offset, 0 if misc >> 13 & 1 else PROT_EXEC, 0, cursor)
            elif type == 10:  # MMAP2
                pid, _, start, size, file_offset = cursor.take("iiQQQ")
                cursor.raw(24)
                prot, flags = cursor.take("II")
                self._map(misc, pid, start, size, file_offset, prot, flags, cursor)
            elif type == 3:  # COMM
                pid, tid = cursor.take("ii")
                thread = self._thread(pid, tid)
                thread.comm, thread.is_named = cursor.data[8:].split(b"\0", 1)[0], True
            elif type == 7:  # FORK
                self._fork(misc, *cursor.take("iiii"))
            elif type == 17:  # KSYMBOL
                start, size, _, flags = cursor.take("QIHH")
                name = cursor.data[16:].split(b"\0", 1)[0]
                if flags & 1:
                    self._kernel = [map for map in self._kernel if map.start != start or map.path != name]
                else:
                    self._kernel.append(Mapping(start, start + size, name, 0))
            elif type == 2:  # LOST
                self.lost += cursor.take("QQ")[1]
            elif type == 13:  # LOST_SAMPLES
                self.lost += cursor.u64()
        except Damaged:
            self.bad_samples += 1

    # Threads and mappings

    def _thread(self, pid: int, tid: int) -> Thread:
        thread = self._threads.get(tid)
        if thread is None:
            maps = [] if pid in (tid, -1) else self._thread(pid, pid).maps
            thread = self._threads[tid] = Thread(pid, tid, b":%d" % tid, False, maps)
        return thread

    def _fork(self, misc: int, pid: int, parent_pid: int, tid: int, parent_tid: int) -> None:
        parent = self._thread(parent_pid, parent_tid)
        if parent.pid != parent_pid:
            del self._threads[parent_tid]
            parent = self._thread(parent_pid, parent_tid)
        self._threads.pop(tid, None)
        child = self._thread(pid, tid)
        if parent.is_named:
            child.comm, child.is_named = parent.comm, True
        if pid != parent.pid and not misc >> 13 & 1:
            child.maps[:] = parent.maps

    def _map(
        self, misc: int, pid: int, start: int, size: int, file_offset: int, prot: int, flags: int, cursor: Cursor
    ) -> None:
        name = cursor.data[cursor.at :].split(b"\0", 1)[0]
        if misc & 7 in (4, 5):
            return
        end = min(start + size, 2**64)
        if misc & 7 == KERNEL:
            path = KERNEL_PATH if name.startswith(KERNEL_PATH) else name
            if path.startswith(b"/"):
                stem = path.rpartition(b"/")[2].split(b".", 1)[0]
                path = b"[" + stem.replace(b"-", b"_") + b"]"
            self._kernel = [map for map in self._kernel if map.path != path]
            self._kernel.append(Mapping(start, end, path, 0))
            return
        thread = self._thread(pid, pid)
        is_anonymous = name == b"//anon" or name.startswith((b"/dev/zero", b"/anon_hugepage")) or flags & MAP_HUGETLB
        has_no_file = name == b"[heap]" or name.startswith((b"[stack", b"/SYSV"))
        bias = file_offset - start
        if is_anonymous or has_no_file:
            bias = 0
            if prot & PROT_EXEC:
                name = b"/tmp/perf-%d.map" % pid
        elif name == b"[vdso]":
            bias = -start
        pieces = []
        for map in thread.maps:
            if map.end <= start or end <= map.start:
                pieces.append(map)
                continue
            if map.start < start:
                pieces.append(Mapping(map.start, start, map.path, map.bias))
            if end < map.end:
                pieces.append(Mapping(end, map.end, map.path, map.bias))
        thread.maps[:] = [*pieces, Mapping(start, end, name, bias)]

    def _frame(self, thread: Thread, mode: int, ip: int) -> Frame:
        maps = {KERNEL: self._kernel, USER: thread.maps}.get(mode, [])
        for map in reversed(maps):
            if map.start <= ip < map.end:
                return Frame(ip, mode, map.path, (ip + map.bias) % 2**64)
        if mode == KERNEL and any(map.path == KERNEL_PATH and map.start <= ip for map in maps):
            return Frame(ip, mode, KERNEL_PATH, ip)  # code of the kernel's own start lies behind what the record says
        return Frame(ip, mode, None, ip)

    # Samples

    def _read_values(self, attr: Attr, cursor: Cursor) -> list[tuple[int, int]]:
        """Read the counters of PERF_SAMPLE_READ: (id, value) of each."""
        has_enabled, has_running, has_id, is_group, has_lost = (attr.read_format >> bit & 1 for bit in range(5))
        count = cursor.u64() if is_group else 1
        values = []
        if is_group:
            cursor.raw(8 * (has_enabled + has_running))
        for _ in range(count):
            value = cursor.u64()
            if not is_group:
                cursor.raw(8 * (has_enabled + has_running))
            values.append((cursor.u64() if has_id else 0, value))
            cursor.raw(8 * has_lost)
        return values

    def _sample(self, attr: Attr, offset: int, misc: int, body: bytes) -> None:
        cursor = Cursor(body, self.order)
        word = dict.fromkeys(range(25), 0)

        def take(*bits: int) -> None:
            for bit in bits:
                if attr.has(bit):
                    word[bit] = cursor.u64()

        pid = tid = -1
        cpu = None
        take(IDENTIFIER, IP)
        if attr.has(TID):
            pid, tid = cursor.take("ii")
        take(TIME, ADDR, ID, STREAM_ID)
        if attr.has(CPU):
            cpu, _ = cursor.take("II")
        take(PERIOD)
        values = self._read_values(attr, cursor) if attr.has(READ) else []
        chain = list(cursor.take(f"{cursor.u64()}Q")) if attr.has(CALLCHAIN) else None
        if attr.has(RAW):
            cursor.raw(cursor.u32())
        if attr.has(BRANCH_STACK):
            branches = cursor.u64()
            cursor.raw(8 * (attr.branch_sample_type >> 17 & 1))
            cursor.raw(24 * branches)
            cursor.raw(8 * branches * (attr.branch_sample_type >> 19 & 1))
        if attr.has(REGS_USER) and cursor.u64():
            cursor.raw(8 * attr.regs_user.bit_count())
        if attr.has(STACK_USER) and (size := cursor.u64()):
            cursor.raw(size + 8)
        if attr.has(WEIGHT) or attr.has(WEIGHT_STRUCT):
            cursor.u64()
        take(DATA_SRC, TRANSACTION)
        if attr.has(REGS_INTR) and cursor.u64():
            cursor.raw(8 * attr.regs_intr.bit_count())
        take(PHYS_ADDR, CGROUP, DATA_PAGE_SIZE, CODE_PAGE_SIZE)
        if attr.has(AUX):
            cursor.raw(cursor.u64())
        self.leftover += len(body) - cursor.at

        mode = misc & 7
        if mode in (4, 5):
            return
        thread = self._thread(pid, tid)
        frames = [self._frame(thread, mode, word[IP])]
        if chain is not None:
            frames = self._chain(thread, chain)
        period = word[PERIOD] if attr.has(PERIOD) else attr.period
        time = word[TIME] if attr.has(TIME) else None
        sample = Sample(thread.comm, pid, tid, cpu, time, attr.name, period, frames, offset)
        if not values:
            self.samples.append(sample)
        for id, value in values:
            event = self._attr_of(id) if id else None
            period = value - self._last_read.get(id, 0)
            self._last_read[id] = value
            if event is None:
                self.unknown_ids += 1
            elif period:
                one = Sample(thread.comm, pid, tid, cpu, time, event.name, period % 2**64, frames, offset)
                self.samples.append(one)

    def _chain(self, thread: Thread, chain: list[int]) -> list[Frame]:
        frames: list[Frame] = []
        mode = USER
        for ip in chain:
            if len(frames) == MAX_STACK:
                break
            if ip >= FIRST_CONTEXT:
                if ip not in CONTEXTS:
                    return []
                mode = CONTEXTS[ip]
            else:
                frames.append(self._frame(thread, mode, ip))
        return frames


def read(path: str | Path) -> Recording:
    """Read a perf.data or a pipe stored in a file."""
    return Recording(Path(path).read_bytes())
