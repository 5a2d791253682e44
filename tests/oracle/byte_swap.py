"""Rewrite a little-endian perf.data as a big-endian machine would have written it, field by field.

What is text or raw bytes stays; every integer is turned round; flag bits move to the other end of their word. A reader
that knows byte orders gives the same samples for both. Tests only.
"""

from __future__ import annotations

import struct

from oracle import perf_data_reference as reference


class Turner:
    """Walks one piece of the file and writes its twin."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.out = data, 0, bytearray()

    def __len__(self) -> int:
        return len(self.data) - self.at

    def turn(self, form: str) -> tuple[int, ...]:
        """Turn the integers of a struct format; their values."""
        size = struct.calcsize("<" + form)
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.out += struct.pack(">" + form, *values)
        self.at += size
        return values

    def word(self) -> int:
        return self.turn("Q")[0]

    def words(self, count: int) -> None:
        self.turn(f"{count}Q")

    def flags(self) -> int:
        """Move bit i of a word of bit fields to 63 - i."""
        value = struct.unpack_from("<Q", self.data, self.at)[0]
        self.out += struct.pack(">Q", int(f"{value:064b}"[::-1], 2))
        self.at += 8
        return value

    def keep(self, size: int | None = None) -> bytes:
        """Copy bytes that have no order."""
        end = len(self.data) if size is None else self.at + size
        piece = self.data[self.at : end]
        self.out += piece
        self.at = end
        return piece

    def string(self) -> None:
        self.keep(self.turn("I")[0])


def _attr(turner: Turner, size: int) -> None:
    """Turn a perf_event_attr of `size` bytes."""
    end = turner.at + size
    turner.turn("IIQQQQ")
    turner.flags()
    for form in ("II", "Q", "Q", "Q", "Q", "Ii", "Q", "IHH", "II", "Q", "Q"):
        if turner.at + struct.calcsize("<" + form) <= end:
            turner.turn(form)
    turner.keep(end - turner.at)


def _feature(number: int, data: bytes) -> bytes:
    """Turn the body of a header feature; one that flameparse and perf script do not read is kept as it is."""
    turner = Turner(data)
    if number in (3, 4, 5, 6, 8, 9):  # HOSTNAME OSRELEASE VERSION ARCH CPUDESC CPUID
        turner.string()
    elif number == 7:  # NRCPUS
        turner.turn("II")
    elif number in (10, 21, 23):  # TOTAL_MEM, SAMPLE_TIME, CLOCKID
        turner.words(len(data) // 8)
    elif number == 11:  # CMDLINE
        for _ in range(turner.turn("I")[0]):
            turner.string()
    elif number == 12:  # EVENT_DESC
        count, size = turner.turn("II")
        for _ in range(count):
            _attr(turner, size)
            ids = turner.turn("I")[0]
            turner.string()
            turner.words(ids)
    elif number == 16:  # PMU_MAPPINGS
        for _ in range(turner.turn("I")[0]):
            turner.turn("I")
            turner.string()
    elif number == 17:  # GROUP_DESC
        for _ in range(turner.turn("I")[0]):
            turner.string()
            turner.turn("II")
    elif number == 2:  # BUILD_ID
        while turner.at < len(data):
            _, _, size = turner.turn("IHH")
            turner.turn("i")
            turner.keep(size - 12)
    elif number == 27:  # COMPRESSED
        turner.turn("5I")
    elif number == 29:  # CLOCK_DATA
        turner.turn("IIQQ")
    turner.keep()
    return bytes(turner.out)


# Features whose bodies are turned; of the others the table entry is left out, so that nobody misreads them.
_TURNED = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 21, 23, 27, 29)


class Twin:
    """One perf.data in the other byte order."""

    def __init__(self, data: bytes) -> None:
        assert data[:8] == b"PERFILE2"
        self._recording = reference.Recording(data)
        self._data = data
        self.is_pipe = self._recording.is_pipe
        self.bytes = self._stream() if self.is_pipe else self._file()

    def _file(self) -> bytes:
        head = Turner(self._data[:104])
        head.keep(8)
        head.out[:8] = b"2ELIFREP"
        _, entry, attrs_at, attrs_size, start, size = head.turn("6Q")
        head.turn("2Q")
        bits = struct.unpack_from("<4Q", self._data, 72)
        numbers = [bit for bit in range(256) if bits[bit // 64] >> bit % 64 & 1]
        out = bytearray(self._data)
        for at in range(attrs_at, attrs_at + attrs_size, entry):
            piece = Turner(self._data[at : at + entry])
            _attr(piece, entry - 16)
            ids_at, ids_size = piece.turn("QQ")
            ids = Turner(self._data[ids_at : ids_at + ids_size])
            ids.words(ids_size // 8)
            out[at : at + entry] = piece.out
            out[ids_at : ids_at + ids_size] = ids.out
        end = start + size if size else len(self._data)
        out[start:end] = self._records(self._data[start:end])
        kept = []
        if size and end < len(self._data):
            table = [struct.unpack_from("<QQ", self._data, end + 16 * place) for place in range(len(numbers))]
            kept = [(number, *row) for number, row in zip(numbers, table, strict=True) if number in _TURNED]
            rows = bytearray()
            for number, at, length in kept:
                out[at : at + length] = _feature(number, self._data[at : at + length])
                rows += struct.pack(">QQ", at, length)
            out[end : end + len(rows)] = rows
        words = [0, 0, 0, 0]
        for number, *_ in kept or [(number,) for number in numbers]:
            words[number // 64] |= 1 << number % 64
        head.out += struct.pack(">4Q", *words)
        out[:104] = head.out
        return bytes(out)

    def _stream(self) -> bytes:
        return b"2ELIFREP" + struct.pack(">Q", 16) + self._records(self._data[16:])

    def _records(self, data: bytes) -> bytes:
        out = bytearray()
        at = 0
        while at + 8 <= len(data):
            type, misc, size = struct.unpack_from("<IHH", data, at)
            if size < 8 or at + size > len(data):
                break
            if type in (81, 83):
                raise ValueError("records inside zstd records are not turned")
            out += struct.pack(">IHH", type, misc, size) + self._record(type, misc, data[at + 8 : at + size])
            at += size
            if type == 66:
                raw = struct.unpack_from("<I", data, at - size + 8)[0] + 7 & ~7
                out += data[at : at + raw]
                at += raw
        return bytes(out + data[at:])

    def _record(self, type: int, misc: int, body: bytes) -> bytes:
        turner = Turner(body)
        if type == 9:
            self._sample(turner)
            return bytes(turner.out)
        if type < 64:
            attr = self._recording._event_of(type, body) or self._recording.attrs[0]
            trailer = self._recording._trailer_size(attr)
            self._kernel_record(turner, type, misc, len(body) - trailer)
            if attr.flag(18):
                for bit in (reference.TID, reference.TIME, reference.ID, reference.STREAM_ID, reference.CPU):
                    if attr.has(bit):
                        turner.turn("II" if bit in (reference.TID, reference.CPU) else "Q")
                if attr.has(reference.IDENTIFIER):
                    turner.word()
            return bytes(turner.out)
        self._user_record(turner, type)
        turner.keep()
        return bytes(turner.out)

    def _kernel_record(self, turner: Turner, type: int, misc: int, end: int) -> None:
        if type == 1:
            turner.turn("iiQQQ")
        elif type == 10:
            turner.turn("iiQQQ")
            if misc >> 14 & 1:
                turner.keep(24)
            else:
                turner.turn("IIQQ")
            turner.turn("II")
        elif type == 3:
            turner.turn("ii")
        elif type in (4, 7):
            turner.turn("iiiiQ")
        elif type in (2, 5, 6, 11, 13, 21):
            turner.words(end // 8)
        elif type in (12, 15):
            turner.turn("ii")
        elif type in (8, 16):
            turner.turn("ii")
            turner.words((end - 8) // 8)
        elif type == 17:
            turner.turn("QIHH")
        elif type == 18:
            turner.turn("HHI")
        elif type == 19:
            turner.word()
        turner.keep(end - turner.at)

    def _user_record(self, turner: Turner, type: int) -> None:
        if type == 64:
            _attr(turner, reference.attr_size(turner.data, "<"))
            turner.words(len(turner) // 8)
        elif type == 66:
            turner.turn("I")
        elif type == 67:
            turner.turn("i")
        elif type == 69:
            turner.words(len(turner) // 8)
        elif type == 73:
            for _ in range(turner.word()):
                turner.word()
                turner.keep(16)
        elif type == 74:  # mask or list of cpus: two 16-bit words first
            turner.turn("H")
            turner.turn(f"{len(turner) // 2}H")
        elif type == 78:
            if turner.turn("QQ")[0] in (1, 3):
                turner.words(len(turner) // 8)
        elif type == 79:
            turner.turn("QQQ")
            if len(turner) >= 24:
                turner.turn("QQ")
        elif type == 80:
            number = turner.word()
            turner.out += _feature(number, turner.data[turner.at :])
            turner.at = len(turner.data)

    def _sample(self, turner: Turner) -> None:
        attr = self._recording._event_of(9, turner.data) or self._recording.attrs[0]

        def words(*bits: int) -> None:
            turner.words(sum(map(attr.has, bits)))

        words(reference.IDENTIFIER, reference.IP)
        if attr.has(reference.TID):
            turner.turn("ii")
        words(reference.TIME, reference.ADDR, reference.ID, reference.STREAM_ID)
        if attr.has(reference.CPU):
            turner.turn("II")
        words(reference.PERIOD)
        if attr.has(reference.READ):
            extra = sum(attr.read_format >> bit & 1 for bit in (0, 1))
            each = 1 + sum(attr.read_format >> bit & 1 for bit in (2, 4))
            if attr.read_format >> 3 & 1:
                turner.words(extra + each * turner.word())
            else:
                turner.words(extra + each)
        if attr.has(reference.CALLCHAIN):
            turner.words(turner.word())
        if attr.has(reference.RAW):
            turner.string()
        if attr.has(reference.BRANCH_STACK):
            count = turner.word()
            turner.words(attr.branch_sample_type >> 17 & 1)
            for _ in range(count):
                turner.words(2)
                turner.flags()
            turner.words(count * (attr.branch_sample_type >> 19 & 1))
        if attr.has(reference.REGS_USER) and turner.word():
            turner.words(attr.regs_user.bit_count())
        if attr.has(reference.STACK_USER) and (size := turner.word()):
            turner.keep(size)
            turner.word()
        words(reference.WEIGHT)
        if attr.has(reference.WEIGHT_STRUCT):
            turner.turn("IHH")
        words(reference.DATA_SRC, reference.TRANSACTION)
        if attr.has(reference.REGS_INTR) and turner.word():
            turner.words(attr.regs_intr.bit_count())
        words(reference.PHYS_ADDR, reference.CGROUP, reference.DATA_PAGE_SIZE, reference.CODE_PAGE_SIZE)
        if attr.has(reference.AUX):
            turner.keep(turner.word())
        assert not len(turner), f"{len(turner)} bytes left over"


def swapped(data: bytes) -> bytes:
    """Return the big-endian twin of a little-endian perf.data."""
    return Twin(data).bytes
