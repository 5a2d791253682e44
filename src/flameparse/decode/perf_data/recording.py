"""One recording: its header, what it says beside samples, and where its samples are."""

from __future__ import annotations

import os

from flameparse import limits
from flameparse.decode.address_space import AddressSpace
from flameparse.decode.perf_data.event_layout import EventLayouts
from flameparse.decode.perf_data.function_bounds import FunctionBounds
from flameparse.decode.perf_data.header import AUXTRACE, HEADER_ATTR, TRACING_DATA, read_header
from flameparse.decode.perf_data.record_walk import RecordWalk
from flameparse.decode.perf_data.sample import SampleDecoder
from flameparse.decode.perf_data.zstd_records import COMPRESSED, COMPRESSED2, ZstdRecords
from flameparse.decode.side_events import SideEvents
from flameparse.errors import DecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from flameparse.decode.perf_data.header import SomeSource
    from flameparse.model.diagnostics import Diagnostics
    from flameparse.model.profile import Profile

    class RecordSource(SomeSource, Protocol):
        """What is needed of a ``flameparse.source.Source``."""

        name: str
        consumed: int

        def read_at_into(self, offset: int, buffer: memoryview[int]) -> int:
            """Fill a buffer from a place; bytes read."""

        def readinto(self, buffer: memoryview[int]) -> int:
            """Fill the front of a buffer with the next bytes; bytes read, 0 at the end."""


_FINISHED_ROUND = 68
_SAMPLE_READ = 1 << 4
_BLOCK_BYTES = 1 << 20
_ALL_TIME = (1 << 64) - 1


class Recording:
    """Reads all of a recording but its samples, or, of a stream, hands those on as their time is settled.

    Args:
        source: at its start.
        profile: receives strings and DSOs, and of a stream the samples.
        max_frames, keeps_addresses: see ``SampleDecoder``.
        rules: see ``AddressSpace``.

    Attributes:
        source: as given.
        header: what the recording says of itself; of a stream it grows until the end.
        side_events: maps, forks, names of threads: all of them once a file was scanned; of a stream those that no
            sample needed yet. Code loads go in here.
        functions: of DSOs whose symbols were read before the samples; may stay empty.
        space: what addresses mean; filled from the side events.
        walk: the account of the records passed.
        end: where the records should end; None where only the input's end says that.
    """

    __slots__ = (
        "_is_stored_stream", "_rules", "end", "functions", "header", "keeps_addresses", "layouts", "max_frames",
        "profile", "side_events",
        "source", "space", "walk",
    )  # fmt: skip

    def __init__(
        self,
        source: RecordSource,
        profile: Profile,
        *,
        max_frames: int = 0,
        keeps_addresses: bool = False,
        rules: str = "precise",
    ) -> None:
        self.source = source
        self.profile = profile
        self.max_frames = max_frames
        self.keeps_addresses = keeps_addresses
        self._rules = rules
        self._is_stored_stream = False
        self.functions = FunctionBounds()
        self._begin(holds_samples=not source.is_seekable)

    def _begin(self, *, holds_samples: bool) -> None:
        self.header = read_header(self.source)
        arch = self.header.arch.decode("ascii", "replace") or os.uname().machine
        self.layouts = EventLayouts(swaps=self.header.swaps, arch=arch)
        self._add_events()
        self.side_events = SideEvents()
        self.walk = RecordWalk(
            self.layouts,
            self.side_events,
            self.profile.strings,
            holds_samples=holds_samples or self.header.is_compressed,
        )
        self.space = AddressSpace(
            self.profile.strings, self.profile.dsos, build_ids=self.header.build_ids, rules=self._rules
        )
        size = self.header.data_size
        self.end = None if size is None else self.header.data_offset + size

    @property
    def is_stream(self) -> bool:
        """Whether the records can be read only once, from first to last."""
        return not self.source.is_seekable or self.header.is_compressed or self._is_stored_stream

    @property
    def needs_order(self) -> bool:
        """Whether a sample's weight depends on the samples before it."""
        return any(attr.sample_type & _SAMPLE_READ for attr in self.header.attrs)

    @property
    def jitdumps(self) -> list[tuple[bytes, int, int, int]]:
        """``(path, pid, tid, time)`` of each dump of JIT code that a process had mapped."""
        return self.side_events.jitdumps(self.profile.strings)

    def scan(self) -> None:
        """Walk all records of a file, once; find its segments.

        A file that turns out to hold compressed records is a stream from then on.
        """
        offset = self.header.data_offset
        end = self.end if self.end is not None else self.source.size or 0
        buffer = memoryview(bytearray(_BLOCK_BYTES))
        while not self.walk.is_stopped and offset < end:
            filled = self.source.read_at_into(offset, buffer[: end - offset])
            at = 0
            while at < filled:
                consumed = self.walk.feed(buffer[at:], filled - at, offset + at)
                at += consumed
                record = self.walk.user_record
                if record is None:
                    break
                if record[0] in (COMPRESSED, COMPRESSED2):
                    self._is_stored_stream = True
                    self._begin(holds_samples=True)
                    return
                trailing = self.header.trailing_bytes(record[0], record[2])
                self.take_user_record(*record, b"" if record[0] == AUXTRACE else self._read(offset + at, trailing))
                at += trailing
            if not at:
                break
            offset += at
        if offset != end:
            self.header.stopped(min(offset, end), max(offset, end))

    def settle(self) -> None:
        """Take all side events of a scanned file into account; samples can be decoded from now on."""
        self.space.add_build_ids(self.header.build_ids)
        self.space.apply_events(self.side_events)
        # Decoders on several threads only look names up.
        for name in (b"[other]", *(attr.name for attr in self.header.attrs)):
            self.profile.strings.add(name)

    def new_decoder(self) -> SampleDecoder:
        """A decoder of the recording's samples into its profile."""
        first_time = self.walk.first_sample_time
        return SampleDecoder(
            self.profile,
            self.space,
            self.layouts,
            self.functions,
            max_frames=self.max_frames,
            keeps_addresses=self.keeps_addresses,
            first_time=None if first_time == _ALL_TIME else first_time,
            names_come_late=self.is_stream,
        )

    def decode_stream(
        self, decoder: SampleDecoder, load_code: Callable[[], None], report: Callable[[], None], *, max_held: int
    ) -> None:
        """Read a stream to its end, samples and all.

        Args:
            decoder: of its samples.
            load_code: called when all side events are known that samples still wait for.
            report: called now and then.
            max_held: bytes of samples that wait for what may still be said of their time, or for code, before they are
                decoded with what is known.
        """
        stream = _Stream(self, decoder, max_held)
        buffer = memoryview(bytearray(limits.READ_BLOCK_BYTES))
        left = self.header.data_offset
        while left and (count := self.source.readinto(buffer[:left])):
            left -= count
        while stream.is_open and (count := self.source.readinto(buffer[: stream.wanted])):
            stream.feed(buffer[:count])
            report()
        if stream.received == self.end and not self.source.is_seekable:
            self._read_tail(buffer)
        self.space.add_build_ids(self.header.build_ids)
        load_code()
        decoder.feed_held(self.walk, _ALL_TIME)
        late_ids = {path: build_id for _, _, build_id, path in self.header.build_ids}
        for dso in self.profile.dsos.rows:
            dso.build_id = dso.build_id or late_ids.get(dso.path, b"")
        expected = max(stream.expected, self.end or 0)
        if stream.offset < expected or not stream.is_whole:
            self.header.stopped(stream.offset, expected)

    def give_account(self, diagnostics: Diagnostics, malformed_places: list[int]) -> None:
        """Say what was lost, skipped and damaged.

        Args:
            diagnostics: receives it.
            malformed_places: where the first samples stand that had to be dropped.
        """
        diagnostics.damage += self.header.damage
        if malformed_places:
            places = ", ".join(map(str, sorted(malformed_places)[: limits.MAX_UNKNOWN_LINE_SITES]))
            count = diagnostics.counts.get("malformed_samples", 0)
            diagnostics.damage.append(f"{count} malformed samples (at offset {places}{', ...' if count > 5 else ''})")
        counts = self.walk.record_counts
        for what, how_many in (
            ("lost", self.walk.lost),
            ("throttled", counts.get("throttle", 0)),
            ("unknown_records", counts.get("unknown", 0)),
            ("malformed_records", self.walk.malformed),
            ("records_of_unknown_events", self.walk.unknown_ids),
        ):
            diagnostics.count(what, how_many)

    def _read_tail(self, buffer: memoryview[int]) -> None:
        """Read the features of a file that was read as a stream."""
        tail = bytearray()
        while len(tail) < limits.MAX_FEATURE_BYTES and (count := self.source.readinto(buffer)):
            tail += buffer[:count]
        self.header.read_tail(bytes(tail))

    def _read(self, offset: int, count: int) -> bytes:
        return self.source.read_at(offset, min(count, limits.MAX_FEATURE_BYTES)) if count else b""

    def _add_events(self) -> None:
        for attr in self.header.attrs[self.layouts.count :]:
            self.layouts.add(attr)

    def take_user_record(self, type: int, misc: int, payload: bytes, trailing: bytes = b"") -> None:
        """Take over what a record of perf's own says; see ``Header.user_record``."""
        self.header.user_record(type, misc, payload, trailing)
        if type == HEADER_ATTR:
            self._add_events()


class _Stream:
    """Feeds a walk with bytes as they come: keeps the part of a record, opens compressed ones, passes over raw data.

    Attributes:
        offset: bytes taken, and the header before them.
        received: bytes that came, the header too.
        is_open: whether more can be taken.
    """

    __slots__ = (
        "_decoder", "_inner_rest", "_max_held", "_recording", "_rest", "_sequence", "_tracing_record", "_trailing",
        "_trailing_left", "_waits_for_code", "_walk", "_zstd", "is_open", "offset", "received",
    )  # fmt: skip

    def __init__(self, recording: Recording, decoder: SampleDecoder, max_held: int) -> None:
        self._recording = recording
        self._decoder = decoder
        self._max_held = max_held
        self._walk = recording.walk
        self._zstd: ZstdRecords | None = None
        self._rest = self._inner_rest = b""
        self._sequence = 0
        self._trailing_left = 0
        self._trailing = bytearray()
        self._tracing_record: tuple[int, int, bytes] | None = None
        self._waits_for_code = False
        self.offset = self.received = recording.header.data_offset
        self.is_open = True

    @property
    def wanted(self) -> int | None:
        """The most bytes to feed next; None for any number."""
        end = self._recording.end
        return None if end is None else end - self.received

    @property
    def expected(self) -> int:
        """Where the stream would end at the least: what was begun must come to its end."""
        return max(self.received, self.offset + self._trailing_left)

    @property
    def is_whole(self) -> bool:
        """Whether no record that was inside compressed ones is cut."""
        return not self._inner_rest

    def feed(self, data: memoryview[int]) -> None:
        """Take the next bytes."""
        self.received += len(data)
        self._rest = self._take(self._rest + bytes(data))
        if self._walk.is_stopped or self.received == self._recording.end:
            self.is_open = False
        if self._walk.held_bytes_count > self._max_held:
            self._recording.profile.diagnostics.count("early_samples", self._walk.held_count)
            self._decoder.feed_held(self._walk, _ALL_TIME)

    def _take(self, data: bytes) -> bytes:
        """Walk the records of the stream itself; the rest, which begins the next piece."""
        view = memoryview(data)
        at = 0
        while at < len(data) and self.is_open:
            if self._trailing_left:
                count = min(self._trailing_left, len(data) - at)
                self._take_trailing(view[at : at + count])
                record = None
            else:
                count = self._walk.feed(view[at:], len(data) - at, self._sequence)
                self._sequence += count
                record = self._walk.user_record
            at += count
            self.offset += count
            if record is not None:
                self._take_user_record(*record)
            elif not count or self._walk.is_stopped:
                break
        return data[at:]

    def _take_inner(self, data: bytes) -> bytes:
        """Walk the records that were inside compressed ones; the rest, which begins the next piece."""
        view = memoryview(data)
        at = 0
        while at < len(data) and self.is_open:
            count = self._walk.feed(view[at:], len(data) - at, self._sequence)
            self._sequence += count
            at += count
            record = self._walk.user_record
            if record is None:
                break
            if record[0] == _FINISHED_ROUND:
                self._settle_round()
            elif record[0] not in (COMPRESSED, COMPRESSED2):
                self._recording.take_user_record(*record)
        return data[at:]

    def _take_user_record(self, type: int, misc: int, payload: bytes) -> None:
        if type == _FINISHED_ROUND:
            self._settle_round()
        elif type in (COMPRESSED, COMPRESSED2):
            self._zstd = self._zstd or ZstdRecords(self._recording.header)
            try:
                self._inner_rest = self._take_inner(self._inner_rest + self._zstd.decompress(type, payload))
            except DecodeError as error:
                self._recording.header.note(str(error))
                self.is_open = False
        else:
            self._trailing_left = self._recording.header.trailing_bytes(type, payload)
            if type == TRACING_DATA and 0 < self._trailing_left <= limits.MAX_FEATURE_BYTES:
                self._tracing_record = type, misc, payload
            else:
                self._recording.take_user_record(type, misc, payload)

    def _take_trailing(self, data: memoryview[int]) -> None:
        """Pass over the raw data behind a record, or gather it where it is of use."""
        self._trailing_left -= len(data)
        if self._tracing_record is None:
            return
        self._trailing += data
        if not self._trailing_left:
            self._recording.take_user_record(*self._tracing_record, bytes(self._trailing))
            self._tracing_record = None
            self._trailing.clear()

    def _settle_round(self) -> None:
        """Decode what is settled, unless dumps of JIT code are to be read first, which are whole at the end only."""
        self._waits_for_code = self._waits_for_code or bool(self._recording.jitdumps)
        if not self._waits_for_code:
            self._decoder.feed_held(self._walk, self._walk.settled_time)
