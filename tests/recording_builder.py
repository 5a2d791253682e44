"""Writes perf.data by hand, field by field, in either byte order; what is wrong with a file is written as asked."""

from __future__ import annotations

from struct import pack

FINISHED_ROUND = 68


class BytesSource:
    """A source over bytes in memory, seekable or not."""

    def __init__(self, data: bytes, is_seekable: bool = True) -> None:
        self.data = data
        self.is_seekable = is_seekable
        self.size = len(data) if is_seekable else None

    def read_at(self, offset: int, count: int) -> bytes:
        assert self.is_seekable
        assert offset >= 0
        assert count <= max(len(self.data), 4096)  # no size is believed; a table of features may be cut
        return self.data[offset:][:count]

    def peek(self, count: int) -> bytes:
        assert not self.is_seekable
        return self.data[:count]


class Writer:
    """Writes the parts of a recording.

    Args:
        order: ``<`` or ``>``.
    """

    def __init__(self, order: str = "<") -> None:
        self.order = order
        self.magic = b"PERFILE2" if order == "<" else b"2ELIFREP"

    def pack(self, form: str, *values: int | bytes) -> bytes:
        return pack(self.order + form, *values)

    def string(self, text: bytes) -> bytes:
        padded = text + b"\0" * (64 - len(text) % 64)
        return self.pack("I", len(padded)) + padded

    def strings(self, *texts: bytes) -> bytes:
        return self.pack("I", len(texts)) + b"".join(map(self.string, texts))

    def attr(self, type: int = 1, config: int = 0, flags: int = 1 << 20, size: int = 128, **fields: int) -> bytes:
        """Spell an attr; ``fields`` are named as in EventAttr."""
        bits = flags if self.order == "<" else int(f"{flags:064b}"[::-1], 2)
        names = ("sample_period", "sample_type", "read_format")
        head = self.pack("IIQ", type, size, config) + self.pack("3Q", *(fields.get(name, 0) for name in names))
        names = ("bp_type", "config1", "config2", "branch_sample_type", "sample_regs_user", "sample_stack_user")
        head += self.pack("QII4QI", bits, 0, *(fields.get(name, 0) for name in names))
        names = ("clockid", "sample_regs_intr")
        head += self.pack("iQI", *(fields.get(name, 0) for name in names), 0)
        head += self.pack("HH", fields.get("sample_max_stack", 0), 0)
        return head.ljust(size, b"\xee")[: size or 64]

    def record(self, type: int, payload: bytes = b"", misc: int = 0) -> bytes:
        return self.pack("IHH", type, misc, 8 + len(payload)) + payload

    def build_id(self, path: bytes, id: bytes, *, pid: int = -1, misc: int = 2, size: int | None = None) -> bytes:
        """Spell one build id record; with its size where that is given."""
        misc |= (size is not None) << 15
        tail = pack("B3x", size or 0)
        return self.record(67, self.pack("i", pid) + id.ljust(20, b"\0") + tail + path + b"\0\0\0", misc)

    def event_desc(self, events: list[tuple[bytes, bytes, list[int]]]) -> bytes:
        """Spell the descriptions of events: attr, name, ids."""
        text = self.pack("II", len(events), len(events[0][0]))
        for attr, name, ids in events:
            text += attr + self.pack("I", len(ids)) + self.string(name) + self.pack(f"{len(ids)}Q", *ids)
        return text

    def tracing_data(self, formats: dict[bytes, dict[bytes, int]]) -> bytes:
        """Spell tracing data: system to name to id."""

        def sized(text: bytes) -> bytes:
            return self.pack("Q", len(text)) + text

        def spell(name: bytes, id: int) -> bytes:
            return sized(b"name: %b\nID: %d\nformat:\n\tfield:int pid;\toffset:8;\n" % (name, id))

        text = b"\x17\x08\x44tracing0.6\0" + bytes([self.order == ">", 8]) + self.pack("I", 4096)
        text += b"header_page\0" + sized(b"page") + b"header_event\0" + sized(b"event")
        own = formats.get(b"ftrace", {})
        text += self.pack("I", len(own)) + b"".join(spell(*item) for item in own.items())
        systems = [item for item in formats.items() if item[0] != b"ftrace"]
        text += self.pack("I", len(systems))
        for system, names in systems:
            text += system + b"\0" + self.pack("I", len(names)) + b"".join(spell(*item) for item in names.items())
        return text + self.pack("IIQ", 0, 0, 0)

    def file(
        self,
        attrs: list[tuple[bytes, list[int]]] | None = None,
        records: bytes | None = None,
        features: dict[int, bytes] | None = None,
        *,
        header_bytes: int = 104,
        is_killed: bool = False,
        long_bits: int = 64,
    ) -> bytes:
        """Write a file: header, ids, events, records, features."""
        attrs = [(self.attr(), [11])] if attrs is None else attrs
        records = self.record(FINISHED_ROUND) if records is None else records
        features = features or {}
        at = header_bytes
        ids, entries = b"", b""
        for attr, numbers in attrs:
            entries += attr + self.pack("QQ", at + len(ids), 8 * len(numbers))
            ids += self.pack(f"{len(numbers)}Q", *numbers)
        entry_bytes = len(attrs[0][0]) + 16 if attrs else 144
        events_at = at + len(ids)
        records_at = events_at + len(entries)
        bitmap = sum(1 << number for number in features)
        words = [bitmap >> at & ((1 << long_bits) - 1) for at in range(0, 256, long_bits)]
        header = self.magic + self.pack("QQ", header_bytes, entry_bytes)
        header += self.pack("QQ", events_at, len(entries))
        header += self.pack("QQ", records_at, 0 if is_killed else len(records)) + self.pack("QQ", 0, 0)
        header += self.pack(f"{len(words)}{'Q' if long_bits == 64 else 'I'}", *words)
        content = header.ljust(header_bytes, b"\0")[:header_bytes] + ids + entries + records
        if is_killed:
            return content
        at = len(content) + 16 * len(features)
        for number in sorted(features):
            content += self.pack("QQ", at, len(features[number]))
            at += len(features[number])
        return content + b"".join(features[number] for number in sorted(features))

    def pipe(self, *records: bytes) -> bytes:
        return self.magic + self.pack("Q", 16) + b"".join(records)

    def full_features(self) -> dict[int, bytes]:
        """Spell every feature that is read, with two events to describe."""
        return {
            1: self.tracing_data({b"ftrace": {b"function": 1}, b"sched": {b"sched_switch": 372, b"sched_wakeup": 373}}),
            2: self.build_id(b"/bin/app", b"\1" * 20) + self.build_id(b"[kernel.kallsyms]", b"\2" * 16, misc=1),
            3: self.string(b"vm"),
            4: self.string(b"6.1.0"),
            5: self.string(b"6.1.192"),
            6: self.string(b"x86_64"),
            7: self.pack("II", 8, 4),
            8: self.string(b"Some CPU"),
            11: self.strings(b"/usr/bin/perf", b"record", b"it's"),
            12: self.event_desc(
                [(self.attr(), b"cpu-clock:u", [11]), (self.attr(2, 372), b"sched:sched_switch", [12])]
            ),
            17: self.pack("I", 1) + self.string(b"{anon_group}") + self.pack("II", 0, 2),
            20: b"anything",
            21: self.pack("QQ", 1_000, 2_000),
            23: self.pack("Q", 1),
            24: self.pack("Q", 1),
            27: self.pack("5I", 0, 1, 1, 3, 4096),
            29: self.pack("IIQQ", 1, 1, 10**18, 5_000),
        }

    def full_file(self) -> bytes:
        """Write a file with two events and every feature that is read."""
        return self.file([(self.attr(), [11]), (self.attr(2, 372), [12, 13])], features=self.full_features())
