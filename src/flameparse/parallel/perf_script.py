"""One text of ``perf script`` or DTrace over as many decoders as there are threads.

The reader cuts its blocks at places that hide no state (the format's ``find_cut``). Each thread reads a piece for
itself, one at a time, and decodes it while it is still in its core's cache; reading and decoding let go of the GIL. At
the end the tables of all decoders become one Profile, which does not depend on who decoded what.
"""

from __future__ import annotations

from flameparse import limits
from flameparse.decode.perf_script import PerfScriptDecoder, find_cut
from flameparse.errors import UsageError
from flameparse.model.absorb import absorb, must_prune, prune, return_freed_memory
from flameparse.parallel.threads import run_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

    from flameparse.decode.dtrace.decoder import DTraceDecoder
    from flameparse.decode.dtrace.tool import DTraceToolDecoder
    from flameparse.model.profile import Profile
    from flameparse.parallel.threads import Progress
    from flameparse.source import Source

    Decoder = PerfScriptDecoder | DTraceDecoder | DTraceToolDecoder

# What the samples' first time is where none has one.
_NO_TIME = -(1 << 63)

# An input of fewer pieces is done before threads would have started.
PIECES_BEFORE_THREADS = 8


def decode_perf_script(
    source: Source,
    profile: Profile,
    *,
    dialect: str | None,
    keeps_addresses: bool,
    threads: int,
    max_memory: int,
    progress: Progress | None,
) -> Profile:
    """Decode a whole text.

    Args:
        source: the text.
        profile: empty; its samples table says what window to take and whether to keep the time line.
        dialect, keeps_addresses: see ``PerfScriptDecoder``.
        threads: decoders to run at once; a time line is read by one.
        max_memory: bytes of tables before rare stacks are folded into ``[other]``.
        progress: called with bytes read, bytes of all (or None) and samples seen.

    Returns:
        The Profile; not always the one given.

    Raises:
        SourceError: the system cannot read on.
        OverflowError: weights past 2**64 - 1.
    """
    decoder = PerfScriptDecoder(profile, dialect=dialect, keeps_addresses=keeps_addresses)
    return _decode(source, decoder, find_cut, threads=threads, max_memory=max_memory, progress=progress)


def decode_dtrace(
    source: Source,
    profile: Profile,
    *,
    dialect: str | None,
    threads: int,
    max_memory: int,
    progress: Progress | None,
) -> Profile:
    """Decode a whole text of DTrace's; arguments and result are those of ``decode_perf_script``.

    Raises:
        UsageError: a window is asked for, and no stack says when it was taken.
    """
    from flameparse.decode.dtrace.text import find_cut

    decoder: Decoder
    if dialect is None:
        from flameparse.decode.dtrace.decoder import DTraceDecoder

        decoder = DTraceDecoder(profile)
    else:
        from flameparse.decode.dtrace.tool import DTraceToolDecoder

        decoder, threads = DTraceToolDecoder(profile, dialect), 1
    profile = _decode(source, decoder, find_cut, threads=threads, max_memory=max_memory, progress=progress)
    if profile.samples.outside_window and profile.samples.first_time_ns == _NO_TIME:
        raise UsageError(f"{source.name}: it does not say when a stack was taken; leave out --from and --to")
    return profile


def _decode(
    source: Source,
    decoder: Decoder,
    find_cut: Callable[[ReadableBuffer, int], int],
    *,
    threads: int,
    max_memory: int,
    progress: Progress | None,
) -> Profile:
    """Decode a whole text, at first with one decoder, then with one for each thread."""
    threads = 1 if decoder.profile.samples.keeps_timeline else min(threads, limits.MAX_THREADS)
    shares: list[_Share] = []
    first = _Share(decoder, shares, max_memory)
    shares.append(first)
    reader = _Reader(source, find_cut)
    buffer = reader.new_buffer()
    while threads == 1 or reader.unit < PIECES_BEFORE_THREADS or not (reader.is_at_cut and first.decoder.is_settled):
        piece = reader.next_piece(buffer)
        if piece is None:
            break
        first.take(piece)
        if progress is not None:
            progress(source.consumed, source.size, first.samples_seen)
    else:
        shares += [_Share(first.decoder.sibling(), shares, max_memory) for _ in range(threads - 1)]
        _run_threads(reader, shares, progress)
    return _join(shares)


class _Piece:
    """Whole lines of the input, or at its end whatever is left.

    Attributes:
        buffer, length: the bytes.
        offset: place in the input.
        unit: number of the run of pieces it belongs to; a new one begins after a cut.
    """

    __slots__ = ("buffer", "length", "offset", "unit")

    def __init__(self, buffer: bytearray, length: int, offset: int, unit: int) -> None:
        self.buffer = buffer
        self.length = length
        self.offset = offset
        self.unit = unit


class _Reader:
    """Cuts an input into pieces.

    Attributes:
        unit: of the piece to come.
        is_at_cut: that piece can be decoded apart from the ones before it.
    """

    __slots__ = ("_find_cut", "_offset", "_rest", "is_at_cut", "source", "unit")

    def __init__(self, source: Source, find_cut: Callable[[ReadableBuffer, int], int]) -> None:
        self.source = source
        self._find_cut = find_cut
        self.unit = 0
        self.is_at_cut = True
        self._offset = 0
        self._rest = b""

    @staticmethod
    def new_buffer() -> bytearray:
        """A buffer for ``next_piece``: a line at the cap with its line end, and the block that may hold that."""
        return bytearray(limits.MAX_LINE_BYTES + 2 + limits.READ_BLOCK_BYTES)

    def next_piece(self, buffer: bytearray) -> _Piece | None:
        """Read on until there is a piece; None at the end.

        Args:
            buffer: receives its bytes.
        """
        view = memoryview(buffer)
        filled = len(self._rest)
        view[:filled] = self._rest
        length = 0
        while not length:
            count = self._fill(view[filled : filled + limits.READ_BLOCK_BYTES])
            filled += count
            is_cut = True
            if not count:
                if not filled:
                    return None
                length = filled
                break
            length = self._find_cut(buffer, filled)
            if not length:
                is_cut = False
                length = buffer.rfind(b"\n", 0, filled) + 1
            if not length and filled > limits.MAX_LINE_BYTES + 1:
                length = filled
        piece = _Piece(buffer, length, self._offset, self.unit)
        self._rest = bytes(view[length:filled])
        self._offset += length
        self.unit += is_cut
        self.is_at_cut = is_cut
        return piece

    def _fill(self, block: memoryview[int]) -> int:
        # A pipe gives a few kilobytes at a time: a piece for each would cost more than to decode it.
        filled = 0
        while filled < len(block) and (count := self.source.readinto(block[filled:])):
            filled += count
        return filled


class _Share:
    """What one decoder does of an input.

    Attributes:
        decoder: a new one takes over when tables are pruned.
        lines_by_unit: lines of each finished unit.
    """

    __slots__ = (
        "_max_memory", "_rest", "_rest_offset", "_shares", "_unit", "decoder", "lines_by_unit", "unknown_sites",
    )  # fmt: skip

    def __init__(self, decoder: Decoder, shares: list[_Share], max_memory: int) -> None:
        self.decoder = decoder
        self._shares = shares  # all there are, this one too
        self.lines_by_unit: dict[int, int] = {}
        self.unknown_sites: list[tuple[int, int]] = []
        self._max_memory = max_memory
        self._unit = 0
        self._rest = b""
        self._rest_offset = 0

    @property
    def samples_seen(self) -> int:
        """Samples decoded so far."""
        return self.decoder.profile.samples.samples_seen

    def take(self, piece: _Piece) -> None:
        """Decode a piece."""
        if piece.unit != self._unit:
            self._end_unit()
            if must_prune(self._memory_bytes, [share._memory_bytes for share in self._shares], self._max_memory):
                self._prune()
            self._unit = piece.unit
            self.decoder.start_unit(piece.unit)
        consumed = self.decoder.feed(piece.buffer, piece.length, piece.offset)
        # Only the end of the input has a line without an end.
        self._rest = bytes(memoryview(piece.buffer)[consumed : piece.length])
        self._rest_offset = piece.offset + consumed

    def close(self) -> Profile:
        """End the last line and sample; the share's Profile."""
        self.decoder.finish(self._rest, len(self._rest), self._rest_offset)
        self._end_unit()
        self.unknown_sites += self.decoder.unknown_line_sites
        return self.decoder.profile

    def _end_unit(self) -> None:
        self.lines_by_unit[self._unit] = self.lines_by_unit.get(self._unit, 0) + self.decoder.lines_in_unit

    @property
    def _memory_bytes(self) -> int:
        return self.decoder.profile.memory_bytes

    def _prune(self) -> None:
        """Fold the rarer half of the stacks into ``[other]`` and go on with the tables that are left."""
        self.decoder.start_unit(self._unit)
        smaller = self.decoder.sibling()
        self.decoder.finish(b"", 0, 0)
        full = self.decoder.profile
        prune(full, smaller.profile)
        self.unknown_sites += self.decoder.unknown_line_sites
        self.decoder = smaller
        del full
        return_freed_memory()


def _run_threads(reader: _Reader, shares: list[_Share], progress: Progress | None) -> None:
    """Read and decode the rest of the input, on this thread and one more for each further share."""
    from _thread import allocate_lock

    reading = allocate_lock()

    def report() -> None:
        if progress is not None:
            source = reader.source
            progress(source.consumed, source.size, sum(share.samples_seen for share in shares))

    def work(share: _Share, failures: list[BaseException]) -> None:
        buffer = reader.new_buffer()
        while not failures:
            with reading:
                piece = reader.next_piece(buffer)
                # What follows an uncut piece is for the same decoder, so nobody else may read it.
                while piece is not None and not reader.is_at_cut:
                    share.take(piece)
                    piece = reader.next_piece(buffer)
            if piece is None:
                break
            share.take(piece)
            if share is shares[0]:
                report()

    run_threads(work, shares)
    report()


def _join(shares: list[_Share]) -> Profile:
    """Add all shares to the largest one; line numbers of one share continue those of the units before it."""
    profiles = [share.close() for share in shares]
    lines: dict[int, int] = {}
    for share in shares:
        for unit, count in share.lines_by_unit.items():
            lines[unit] = lines.get(unit, 0) + count
    numbers = []
    for share in shares:
        for site_unit, line in share.unknown_sites:
            numbers.append(line + sum(count for unit, count in lines.items() if unit < site_unit))
    joined = max(profiles, key=lambda profile: profile.samples.total_count)
    for profile in profiles:
        if profile is not joined:
            absorb(joined, profile)
    joined.diagnostics.unknown_line_numbers = sorted(numbers)[: limits.MAX_UNKNOWN_LINE_SITES]
    joined.diagnostics.count("lines", sum(lines.values()))
    return joined
