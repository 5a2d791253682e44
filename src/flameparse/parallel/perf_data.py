"""One recording over as many decoders as there are threads.

Its records are walked once, which is cheap, for what is no sample. Then each thread reads a segment for itself, one at
a time, and decodes the samples in it; what an address meant is asked of one address space, which only answers. A
stream is read once, by one decoder.
"""

from __future__ import annotations

from flameparse import limits
from flameparse.decode.perf_data.recording import Recording
from flameparse.decode.perf_data.sample import name_unknown_threads, sort_timeline
from flameparse.model.absorb import absorb, must_prune
from flameparse.model.profile import Profile
from flameparse.parallel.threads import run_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flameparse.decode.perf_data.sample import SampleDecoder
    from flameparse.parallel.threads import Progress
    from flameparse.source import Source

# A recording of fewer segments is done before threads would have started.
SEGMENTS_BEFORE_THREADS = 8

# Segments that show which DSOs matter: 2 MiB hold some 15,000 samples.
_FIRST_SEGMENTS = 8


def decode_perf_data(
    source: Source,
    profile: Profile,
    *,
    threads: int,
    max_memory: int = limits.DEFAULT_MAX_MEMORY_BYTES,
    max_frames: int = 0,
    keeps_addresses: bool = False,
    rules: str = "precise",
    load_code: Callable[[Recording], None] | None = None,
    load_functions: Callable[[Recording, list[int]], None] | None = None,
    progress: Progress | None = None,
) -> tuple[Recording, Profile]:
    """Decode a whole recording to stacks of addresses.

    Args:
        source: the recording.
        profile: empty; its samples table says what window to take and whether to keep the time line.
        threads: decoders to run at once; a time line, a stream, and weights that are differences take one.
        max_memory: bytes of tables before rare stacks are folded into ``[other]``.
        max_frames: of one call chain; 0 for all.
        keeps_addresses: tell frames without a name apart by address.
        rules: see ``AddressSpace``.
        load_code: called once, when all that processes had mapped is known and before samples of processes with JIT
            dumps are decoded; may add to ``side_events``.
        load_functions: called once for a large file when some of its samples are decoded, with the rows of the DSOs
            met; may give ``Recording.functions`` the bounds of their functions, which makes the rest faster and the
            tables smaller.
        progress: called with bytes read, bytes of all (or None) and samples seen.

    Returns:
        The recording, and the Profile, not always the one given: frames without a name are an address in a row of
        ``dsos``.

    Raises:
        SourceError: the system cannot read on.
        DecodeError: the header is damaged or of a version that is not read.
        OverflowError: weights past 2**64 - 1.
    """
    recording = Recording(source, profile, max_frames=max_frames, keeps_addresses=keeps_addresses, rules=rules)
    if not recording.is_stream:
        recording.scan()
    if recording.is_stream:
        decoder = recording.new_decoder()
        decoders = [decoder]

        def advance() -> None:
            _keep_small(decoder, decoders, max_memory)
            if progress is not None:
                progress(source.consumed, source.size, profile.samples.samples_seen)

        recording.decode_stream(
            decoder,
            (lambda: None) if load_code is None else lambda: load_code(recording),
            advance,
            max_held=min(max_memory // 4, limits.MAX_HELD_BYTES),
        )
    else:
        if load_code is not None:
            load_code(recording)
        recording.settle()
        decoders = _decode_segments(recording, threads, max_memory, load_functions, progress)
    return recording, _join(recording, decoders)


def _decode_segments(
    recording: Recording,
    threads: int,
    max_memory: int,
    load_functions: Callable[[Recording, list[int]], None] | None,
    progress: Progress | None,
) -> list[SampleDecoder]:
    """Decode all segments of a scanned recording, on this thread and one more for each further decoder."""
    from _thread import allocate_lock
    from collections import deque

    source = recording.source
    segments = recording.walk.segments_found
    size = max((end - begin for begin, end in segments), default=0)
    last = max((end for _, end in segments), default=0)
    keeps_timeline = recording.profile.samples.keeps_timeline
    first = recording.new_decoder()
    decoders = [first]
    taking = allocate_lock()
    taken = recording.header.data_offset

    def decode(decoder: SampleDecoder, segment: tuple[int, int], buffer: memoryview[int]) -> None:
        nonlocal taken
        _keep_small(decoder, decoders, max_memory)
        begin, end = segment
        with taking:
            taken += end - begin
        filled = source.read_at_into(begin, buffer[: end - begin])
        decoder.feed(buffer, filled, begin)
        if begin + filled < end:  # the file was cut since it was scanned
            with taking:
                recording.header.stopped(begin + filled, last)
        if progress is not None and decoder is first:
            progress(taken, source.size, sum(decoder.profile.samples.samples_seen for decoder in decoders))

    if len(segments) >= SEGMENTS_BEFORE_THREADS and not recording.needs_order:
        if load_functions is not None and not recording.keeps_addresses:
            buffer = memoryview(bytearray(size))
            # From all over the recording, unless samples of one time must stay in order.
            step = max(len(segments) // _FIRST_SEGMENTS, 1)
            chosen = slice(_FIRST_SEGMENTS) if keeps_timeline else slice(None, None, step)
            for segment in segments[chosen]:
                decode(first, segment, buffer)
            del segments[chosen]
            load_functions(recording, first.dsos_met())
            first.forget_addresses()
        if not keeps_timeline:
            decoders += [first.sibling() for _ in range(min(threads, limits.MAX_THREADS) - 1)]
    count = len(decoders)
    # What an address means changes with time: who reads one stretch of it meets each change once.
    shares = [deque(segments[i * len(segments) // count : (i + 1) * len(segments) // count]) for i in range(count)]

    def next_segment(own: deque[tuple[int, int]]) -> tuple[int, int] | None:
        with taking:
            if own:
                return own.popleft()
            largest = max(shares, key=len)
            return largest.pop() if largest else None

    def work(share: tuple[SampleDecoder, deque[tuple[int, int]]], failures: list[BaseException]) -> None:
        decoder, own = share
        buffer = memoryview(bytearray(size))
        while not failures and (segment := next_segment(own)) is not None:
            decode(decoder, segment, buffer)

    run_threads(work, list(zip(decoders, shares, strict=True)))
    return decoders


def _keep_small(decoder: SampleDecoder, decoders: list[SampleDecoder], max_memory: int) -> None:
    """Fold rare stacks of one of the decoders together where the tables of all are too large."""
    if must_prune(decoder.memory_bytes, [each.memory_bytes for each in decoders], max_memory):
        decoder.prune()


def _join(recording: Recording, decoders: list[SampleDecoder]) -> Profile:
    """Add all decoders' tables to the largest ones; settle what only the end of a recording tells."""
    for decoder in decoders:
        decoder.finish()
    profiles = [decoder.profile for decoder in decoders]
    joined = max(profiles, key=lambda profile: profile.samples.total_count)
    if recording.is_stream and decoders[0].rename_events():
        joined = Profile(joined.samples.sibling())
        joined.strings, joined.dsos = profiles[0].strings, profiles[0].dsos
    for profile in profiles:
        if profile is not joined:
            absorb(joined, profile)
    name_unknown_threads(joined)
    sort_timeline(joined.samples)
    recording.give_account(joined.diagnostics, [place for decoder in decoders for place in decoder.malformed_places])
    joined.meta |= recording.header.meta()
    return joined
