"""The order of the stages: inputs to one Document. No other module knows it."""

from __future__ import annotations

import os

from flameparse import limits
from flameparse.decode import sniff
from flameparse.decode.perf_comments import read_comments
from flameparse.document.tree import ROOTS, shown_events
from flameparse.errors import DecodeError, FlameparseError, LimitError, SourceError, UsageError
from flameparse.fold import fold, unfold
from flameparse.model.absorb import absorb
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.passes import filter_bits, hidden_classes, name_frames, relabel, rename_comms, reshape, select
from flameparse.source import open_source
from flameparse.symbolize.options import PERF_RULES, PRECISE_RULES, SymbolOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from _typeshed import ReadableBuffer

    from flameparse.decode.perf_data.header import Header
    from flameparse.decode.perf_data.recording import Recording
    from flameparse.document.document import Document
    from flameparse.parallel.threads import Progress
    from flameparse.source import Source
    from flameparse.symbolize.finder import Finder

    Filter = tuple[str, bytes]
    Path = str | os.PathLike[str]

FILTER_KINDS = ("comm", "pid", "tid", "cpu", "frame")
COMPAT_TOOLS = ("stackcollapse-perf", "stackcollapse", "inferno")

# What `_fold` writes itself.
_OWN_META = ("tool", "tool_version", "root")

# What the samples' first time is where none has one.
_NO_TIME = -(1 << 63)

# As the decoder reads times: 2**63 ns are 292 years.
_LAST_SECOND = 8_999_999_999

# perf script prints no more of a stack.
_PERF_SCRIPT_FRAMES = 127

# A flag of perf_event_attr, and clock_gettime's number of the clock whose times JITs write.
_USES_CLOCKID = 1 << 25
_MONOTONIC = 1

# Of a recording that does not say where it was made.
_FILES_COMPARED = 64

# A cpu filter is a table of this many numbers; what is past it is treated as unknown.
_MAX_FILTERED_CPU = 65_536


class LoadOptions:
    """What to take from the inputs and how to name it.

    Args:
        threads: decoders to run at once, 64 at the most; 0 for as many as there are cores.
        names: ``"tidy"`` cuts arguments and the like, ``"raw"`` keeps names as perf printed them.
        compat: a tool whose naming, filtering and weights to copy, or None.
        root: label above each stack: ``"none"``, ``"comm"``, ``"pid"`` or ``"tid"``; None for what a document says of
            itself, else ``"comm"``.
        events: names of the events to keep, see ``flameparse.document.tree.shown_events``; none for all.
        include, exclude: (kind, regex) pairs; kind is one of comm, pid, tid, cpu, frame. A sample needs one match
            among the includes of each kind named, and no match among the excludes.
        time_from, time_to: seconds on the trace's clock, ``"+3"`` from the first sample; the end is left out.
        annotate_kernel, annotate_jit: append ``_[k]``, ``_[j]`` and, with either, ``_[i]``.
        addrs: print the address of frames without a symbol.
        skip_after: names as perf prints them; what called such a frame is dropped.
        v8_tiers: ``"keep"``, ``"merge"`` or ``"strip"``; see ``flameparse.passes.reshape``, as the next four.
        hide, only: classes whose frames are left out of their stacks, or which alone stay.
        filters: presets of frames that are left out.
        collapse_interpreter: make the interpreter's frames a part of the function they work for.
        timeline: keep every sample apart, in time order.
        max_memory: bytes for the distinct stacks of a trace, at the peak, before rare ones are folded into
            ``[other]``.
        symbols: where names come from that the trace does not hold; None for this machine's own files.

    Raises:
        UsageError: a value that is none of those.
    """

    __slots__ = (
        "addrs", "annotate_jit", "annotate_kernel", "collapse_interpreter", "compat", "events", "exclude", "filters",
        "hide", "include", "max_memory", "names", "only", "root", "skip_after", "symbols", "threads", "time_from",
        "time_to", "timeline", "v8_tiers",
    )  # fmt: skip

    def __init__(
        self,
        *,
        threads: int = 0,
        names: str = "tidy",
        compat: str | None = None,
        root: str | None = None,
        events: Sequence[bytes] = (),
        include: Sequence[Filter] = (),
        exclude: Sequence[Filter] = (),
        time_from: str | None = None,
        time_to: str | None = None,
        annotate_kernel: bool = False,
        annotate_jit: bool = False,
        addrs: bool = False,
        skip_after: Sequence[bytes] = (),
        v8_tiers: str = "keep",
        hide: Sequence[str] = (),
        only: Sequence[str] = (),
        filters: Sequence[str] = (),
        collapse_interpreter: bool = False,
        timeline: bool = False,
        max_memory: int = limits.DEFAULT_MAX_MEMORY_BYTES,
        symbols: SymbolOptions | None = None,
    ) -> None:
        for value, known, what in (
            (names, ("tidy", "raw"), "names"),
            (compat, (None, *COMPAT_TOOLS), "compat"),
            (root, (None, *ROOTS), "root"),
            (v8_tiers, ("keep", "merge", "strip"), "v8_tiers"),
        ):
            if value not in known:
                raise UsageError(f"{what} {value!r}: one of {', '.join(map(str, known))}")
        if threads < 0:
            raise UsageError(f"threads {threads}: 0 or more")
        for kind, _ in (*include, *exclude):
            if kind not in FILTER_KINDS:
                raise UsageError(f"filter {kind!r}: one of {', '.join(FILTER_KINDS)}")
        hidden_classes(hide, only)
        filter_bits(filters)
        self.threads = threads
        self.names = names
        self.compat = compat
        self.root = root
        self.events = tuple(events)
        self.include = tuple(include)
        self.exclude = tuple(exclude)
        self.time_from = time_from
        self.time_to = time_to
        self.annotate_kernel = annotate_kernel
        self.annotate_jit = annotate_jit
        self.addrs = addrs
        self.skip_after = tuple(skip_after)
        self.v8_tiers = v8_tiers
        self.hide = tuple(hide)
        self.only = tuple(only)
        self.filters = tuple(filters)
        self.collapse_interpreter = collapse_interpreter
        self.timeline = timeline
        self.max_memory = max_memory
        self.symbols = symbols or SymbolOptions()


def load(
    inputs: Path | list[Path] | tuple[Path, ...], options: LoadOptions | None = None, progress: Progress | None = None
) -> Document:
    """Read traces, folded text and documents into one Document.

    Args:
        inputs: a path or several; ``-`` is stdin.
        options: None for the defaults.
        progress: called now and then with bytes read, bytes of the input (None for a pipe) and samples seen.

    Returns:
        The Document of all inputs together. Damage that could be worked around is in its diagnostics.

    Raises:
        SourceError: an input cannot be had or is no format we know.
        DecodeError: an input is damaged beyond use, or weights sum past what can be counted.
        UsageError: options that do not fit the input.
    """
    options = options or LoadOptions()
    joined: Profile | None = None
    root = None
    for path in inputs if isinstance(inputs, (list, tuple)) else [inputs]:
        if os.path.isdir(path):
            from flameparse.decode.perf_data import recording_file

            path = recording_file(os.fspath(path))
        with open_source(path) as source:
            try:
                profile, input_root = _decode(source, options, progress)
                if source.damage is not None:
                    profile.diagnostics.damage.append(f"{source.name}: {source.damage}")
                joined = profile if joined is None else _join(joined, profile)
            except DecodeError as error:
                name = "" if str(error).startswith(source.name) else f"{source.name}: "
                error.args = (f"{name}{error}" + (f"; {source.damage}" if source.damage else ""),)
                raise
            except OverflowError as error:
                raise LimitError(f"{source.name}: {error}") from error
        root = root or input_root
    if joined is None:
        raise UsageError("no input")
    joined.meta |= _span(joined) or {}
    try:
        return _fold(_reshape(_filter(joined, options), options), options.root or root or "comm")
    except OverflowError as error:
        raise LimitError(str(error)) from error


def _join(joined: Profile, profile: Profile) -> Profile:
    """Add an input to those before it; of what they say of themselves, what they say alike is kept."""
    if joined.samples.samples_seen + profile.samples.samples_seen > limits.MAX_TOTAL_WEIGHT:
        raise OverflowError("the samples of all inputs sum past 2**63 - 1")
    spans = [span for span in (_span(joined), _span(profile)) if span is not None]
    joined.meta = {key: value for key, value in joined.meta.items() if profile.meta.get(key) == value}
    if spans:
        joined.meta["first_time_ns"] = min(span["first_time_ns"] for span in spans)
        joined.meta["last_time_ns"] = max(span["last_time_ns"] for span in spans)
    absorb(joined, profile, place=joined.events.next_place)
    return joined


def damage(document: Document) -> str | None:
    """Say in one line what was wrong with the inputs of a document; None for sound ones.

    Args:
        document: as ``load`` gives it, or read from a file that was written of a damaged input.
    """
    found = document.diagnostics
    parts = [str(text) for text in _as_list(found.get("damage"))]
    lines = _as_list(found.get("unknown_line_numbers"))
    at = f" (line {', '.join(map(str, lines))}{', ...' if _as_int(found.get('unknown_lines')) > len(lines) else ''})"
    for key, what in (
        ("unknown_lines", "lines not understood" + at),
        ("long_lines", f"lines longer than {limits.MAX_LINE_BYTES} bytes, cut there"),
        ("cut_stacks", f"stacks deeper than {limits.MAX_STACK_FRAMES} frames, cut there"),
        ("cut_names", "names past the length cap, cut there"),
        ("impossible_periods", "samples dropped for a period past 2**63 - 1"),
        ("uncounted_stacks", "stacks without a count, dropped"),
        ("rare_samples", "samples of rare stacks folded into [other] at the memory cap"),
    ):
        if count := _as_int(found.get(key)):
            parts.append(f"{count} {what}")
    return "; ".join(parts) or None


def modules(document: Document) -> list[dict[str, Any]]:
    """What a document says of the DSOs its frames were resolved in.

    Returns:
        For each ``path``, ``build_id`` (raw), ``frames`` and ``named`` (each frame counted as often as it stands in a
        sample), the ``file`` that gave the names and the ``reason`` why it did not give all.
    """
    found = []
    for row in _as_list(document.diagnostics.get("modules")):
        if isinstance(row, dict) and isinstance(row.get("path"), bytes):
            try:
                build_id = bytes.fromhex(str(row.get("build_id")))
            except ValueError:
                build_id = b""
            text = {key: str(row.get(key) or "") for key in ("file", "reason")}
            counts = {key: _as_int(row.get(key)) for key in ("frames", "named")}
            found.append({"path": row["path"], "build_id": build_id, **counts, **text})
    return found


def warnings(document: Document) -> list[str]:
    """Say, a line each, what of a sound input more than one percent is missing or has no name."""
    found = document.diagnostics
    seen, lost = _as_int(found.get("samples_seen")), _as_int(found.get("lost"))
    frames, unnamed = _as_int(found.get("frames_seen")), _as_int(found.get("frames_unnamed"))
    dropped = found.get("dropped")
    counts = {**found, **(dropped if isinstance(dropped, dict) else {})}
    lines = []
    if negative := _as_int(found.get("negative_values")):
        lines.append(f"{negative} values are below zero: by their size, they are the event 'negative values'")
    if lost * 100 > seen + lost:
        lines.append(
            f"{_percent(lost, seen + lost)} of the samples were lost while recording ({lost} of {seen + lost})"
        )
    for key, what in (
        ("truncated_stacks", "end at the recording's depth cap, so their callers are missing"),
        (
            "not_unwound",
            "carry a copy of the user stack (--call-graph dwarf), which is not unwound: "
            "only the function they were in is shown",
        ),
        (
            "early_samples",
            "were decoded before all was read that their processes had mapped by then: "
            "a larger --max-memory, or a file instead of a pipe, would do",
        ),
        ("unknown event", "are of no event that the recording describes"),
    ):
        count = _as_int(counts.get(key))
        if count * 100 > seen:
            lines.append(f"{_percent(count, seen)} of the samples {what}")
    if unnamed * 100 > frames:
        line = f"{_percent(unnamed, frames)} of the frames have no name"
        rows = [row for row in modules(document) if row["frames"] > row["named"]]
        if rows:
            worst = max(rows, key=lambda row: row["frames"] - row["named"])
            path = worst["path"].decode("utf-8", "backslashreplace")
            line += f", most of them in {path}" + (f": {worst['reason']}" if worst["reason"] else "")
        lines.append(line)
    return lines


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _as_int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _decode(source: Source, options: LoadOptions, progress: Progress | None) -> tuple[Profile, str | None]:
    """Read one input to a Profile whose frames have their names, and the root label its own content asks for."""
    head = source.peek(sniff.SNIFF_BYTES)
    format_name = sniff.sniff(head, source.name)
    if options.compat == ("stackcollapse-perf" if format_name == sniff.DTRACE else "stackcollapse"):
        raise UsageError(f"{source.name}: {options.compat} does not read {format_name}")
    if format_name == sniff.PERF_SCRIPT:
        profile = _decode_perf_script(source, options, progress)
        profile.meta = read_comments(head)
        return profile, None
    if format_name == sniff.DTRACE:
        return _decode_dtrace(source, options, progress), None
    if format_name == sniff.PERF_DATA:
        return _decode_perf_data(source, options, progress), None
    if format_name == sniff.EMPTY:
        return Profile(SampleTable(keeps_timeline=options.timeline)), None
    if options.time_from is not None or options.time_to is not None or _has(options, "cpu"):
        raise UsageError(f"{source.name}: {format_name} keeps no times and cpus to filter by")
    if options.compat is not None or options.addrs:
        raise UsageError(f"{source.name}: the names in {format_name} are settled; --compat and --addrs come too late")
    profile = Profile(SampleTable(keeps_timeline=options.timeline))
    root = None
    if format_name == sniff.FOLDED_TEXT:
        _decode_folded_text(source, profile, progress)
    else:
        root = _decode_document(source, profile)
    profile = _filter_threads(profile, options)
    if options.annotate_kernel or options.annotate_jit or options.skip_after:
        profile = name_frames(
            profile,
            style="raw",
            annotate_kernel=options.annotate_kernel,
            annotate_jit=options.annotate_jit,
            skip_after=options.skip_after,
        )
    return profile, root


def _decode_folded_text(source: Source, profile: Profile, progress: Progress | None) -> None:
    from flameparse.decode.folded_text import FoldedTextDecoder

    decoder = FoldedTextDecoder(profile)
    buffer = bytearray(limits.MAX_LINE_BYTES + 2 + limits.READ_BLOCK_BYTES)
    view = memoryview(buffer)
    filled = 0
    while count := source.readinto(view[filled : filled + limits.READ_BLOCK_BYTES]):
        filled += count
        consumed = decoder.feed(buffer, filled)
        view[: filled - consumed] = bytes(view[consumed:filled])
        filled -= consumed
        if progress is not None:
            progress(source.consumed, source.size, profile.samples.samples_seen)
    decoder.finish(buffer, filled)


def _decode_document(source: Source, profile: Profile) -> str | None:
    """Add a document to an empty Profile; the root label it was folded for."""
    from flameparse.document.reader import unpack

    document = unpack(source.read(), name=source.name)
    if profile.samples.keeps_timeline and document.timeline is None and len(document.total_event):
        raise UsageError(f"{source.name}: this document keeps no time order; fold the trace with --no-aggregate")
    unfold(document, profile)
    _take_account(document, profile)
    profile.meta = {key: value for key, value in document.meta.items() if key not in _OWN_META}
    recorded_root = document.meta.get("root")
    return str(recorded_root) if recorded_root in ROOTS else None


def _decode_perf_script(source: Source, options: LoadOptions, progress: Progress | None) -> Profile:
    from flameparse.parallel.perf_script import decode_perf_script

    rules = PRECISE_RULES if options.compat is None else PERF_RULES
    symbols = options.symbols.with_rules(rules)
    profile = decode_perf_script(
        source,
        Profile(_sample_table(options)),
        dialect=options.compat,
        keeps_addresses=options.addrs or symbols.is_given,
        threads=options.threads or _core_count(),
        max_memory=options.max_memory,
        progress=progress,
    )
    if symbols.is_given:
        from flameparse.parallel.symbols import Symbols
        from flameparse.symbolize.finder import Finder
        from flameparse.symbolize.options import HostFacts
        from flameparse.symbolize.printed_modules import adopt_modules

        adopt_modules(profile)
        found = Symbols(Finder(symbols, HostFacts(), profile.dsos.rows), options.threads or _core_count())
        found.name_frames(profile, rules=rules, as_tool=options.compat is not None, keeps_addresses=options.addrs)
    return _name(profile, options)


def _decode_dtrace(source: Source, options: LoadOptions, progress: Progress | None) -> Profile:
    from flameparse.parallel.perf_script import decode_dtrace

    symbols = options.symbols
    if options.compat is not None and symbols.is_given:
        raise UsageError(f"{source.name}: with --compat, frames of DTrace text keep the names they have")
    profile = decode_dtrace(
        source,
        Profile(_sample_table(options)),
        dialect=options.compat,
        threads=options.threads or _core_count(),
        max_memory=options.max_memory,
        progress=progress,
    )
    if symbols.is_given:
        from flameparse.parallel.symbols import Symbols
        from flameparse.symbolize.finder import Finder
        from flameparse.symbolize.options import HostFacts
        from flameparse.symbolize.printed_modules import adopt_dtrace_modules

        adopt_dtrace_modules(profile, symbols)
        found = Symbols(Finder(symbols, HostFacts(), profile.dsos.rows), options.threads or _core_count())
        found.name_frames(profile, rules=PRECISE_RULES, as_tool=False, keeps_addresses=True)
    style = {None: options.names, "inferno": "inferno-dtrace"}.get(options.compat, options.compat)
    return _name(profile, options, style=style, modules=options.compat is None)


def _decode_perf_data(source: Source, options: LoadOptions, progress: Progress | None) -> Profile:
    from flameparse.decode.perf_data import kernel_copy
    from flameparse.model.dso import Dso, DsoKind
    from flameparse.parallel.perf_data import decode_perf_data
    from flameparse.parallel.symbols import Symbols
    from flameparse.symbolize.finder import Finder
    from flameparse.symbolize.options import HostFacts

    rules = PRECISE_RULES if options.compat is None else PERF_RULES
    profile = Profile(_sample_table(options))
    threads = options.threads or _core_count()
    found = None

    def prepare(recording: Recording) -> None:
        """Before samples are decoded: what JITs wrote down says what addresses mean at which time."""
        nonlocal found
        header = recording.header
        host = HostFacts.of_recording(header, source)
        symbols = options.symbols.with_rules(rules, kallsyms=kernel_copy(source.name))
        dsos = profile.dsos.rows
        if not (header.hostname or header.release or dsos):
            # A recorder that was killed: only files that are the same here say that it was this machine.
            files = recording.side_events.mapped_files(profile.strings, _FILES_COMPARED)
            dsos = [Dso(path, DsoKind.FILE, device=device, inode=inode) for path, device, inode in files]
        found = Symbols(Finder(symbols, host, dsos), threads)
        if options.compat is None:
            _load_code(recording, found.finder)

    def give_bounds(recording: Recording, rows: list[int]) -> None:
        """Once some samples are decoded: the symbols of what they met tell which addresses need not be kept apart."""
        assert found is not None
        found.give_bounds(recording, rows, as_tool=options.compat is not None)

    recording, profile = decode_perf_data(
        source,
        profile,
        threads=threads,
        max_memory=options.max_memory,
        max_frames=_PERF_SCRIPT_FRAMES if options.compat else 0,
        keeps_addresses=options.addrs,
        rules=rules,
        load_code=prepare,
        load_functions=give_bounds,
        progress=progress,
    )
    assert found is not None
    account = profile.diagnostics
    account.damage = [f"{source.name}: {text}" for text in account.damage]
    found.name_frames(profile, rules=rules, as_tool=options.compat is not None, keeps_addresses=options.addrs)
    if options.compat is not None:
        profile = _read_back_headers(profile, recording.header, options.compat)
    else:
        rename_comms(profile, lambda comm: comm or b"[unknown]")
    return _name(profile, options)


def _load_code(recording: Recording, finder: Finder) -> None:
    """Read the dumps of JIT code that processes had mapped, and say which could not be read."""
    from flameparse.symbolize.jitdump import read_jitdump

    strings, account = recording.profile.strings, recording.profile.diagnostics
    header = recording.header
    for path, pid, _, _ in recording.jitdumps:
        file = finder.find_jitdump(path, pid)
        reason = ""
        if file is None:
            reason = finder.refused.get(path, "")
        else:
            with file:
                try:
                    loads = read_jitdump(file, strings, time_conversion=header.time_conv)
                except (DecodeError, SourceError) as error:
                    reason = str(error)
                else:
                    times: ReadableBuffer = loads.times
                    if not all(attr.flags & _USES_CLOCKID and attr.clockid == _MONOTONIC for attr in header.attrs):
                        reason = "recorded without -k mono, so that its times mean nothing: reused addresses mix"
                        times = bytes(len(memoryview(loads.times).cast("B")))
                    recording.side_events.add_code_loads(
                        pid, strings.add(path), times, loads.starts, loads.sizes, loads.names
                    )
                    if loads.stopped_at < loads.size:
                        reason = f"damaged: stopped at offset {loads.stopped_at} of {loads.size}"
        if reason:
            account.add_module(path, build_id=b"", frames=0, named=0, file="", reason=reason)


def _read_back_headers(profile: Profile, header: Header, tool: str) -> Profile:
    """Label samples as a tool would that reads what ``perf script`` prints of them."""
    from flameparse.decode.printed_header import read_back

    pairs = {(event, thread) for event, thread, *_ in profile.samples.total_rows()}
    labels, meanings = read_back(
        profile,
        pairs,
        dialect=tool,
        followed_events=header.followed_events,
        cpu_events=header.cpu_events,
        timed_events=header.timed_events,
        name_width=max((len(attr.name) for attr in header.attrs), default=0),
    )
    return relabel(profile, labels, meanings)


def _sample_table(options: LoadOptions) -> SampleTable:
    from_ns, from_is_relative = _parse_time(options.time_from)
    to_ns, to_is_relative = _parse_time(options.time_to)
    return SampleTable(
        keeps_timeline=options.timeline,
        from_ns=from_ns,
        to_ns=to_ns,
        from_is_relative=from_is_relative,
        to_is_relative=to_is_relative,
        allowed_cpus=_allowed_cpus(options),
    )


def _name(profile: Profile, options: LoadOptions, *, style: str | None = None, modules: bool = False) -> Profile:
    """Give the frames of a trace the names they are printed under; see ``name_frames``."""
    # Before names are settled: --skip-after takes the thread away from a stack.
    profile = _filter_threads(profile, options)
    profile = name_frames(
        profile,
        style=style or options.compat or options.names,
        modules=modules,
        addrs=options.addrs,
        annotate_kernel=options.annotate_kernel,
        annotate_jit=options.annotate_jit,
        skip_after=options.skip_after,
    )
    if options.compat is not None:
        rename_comms(profile, lambda comm: comm.replace(b" ", b"_"))
    if options.compat == "inferno" and style is None:
        # inferno prints nothing for a sample without frames.
        profile = select(profile, needs_frames=True)
    return profile


def _filter_threads(profile: Profile, options: LoadOptions) -> Profile:
    """Keep what the filters on comm, pid and tid keep."""
    if not any(_has(options, kind) for kind in ("comm", "pid", "tid")):
        return profile
    if not profile.threads.count and profile.samples.total_count:
        raise UsageError("this input does not say comm, pid and tid; filter by frame")
    rows = [profile.threads.get(i) for i in range(profile.threads.count)]
    kept = bytearray(b"\1" * len(rows))
    for column, kind in enumerate(("comm", "pid", "tid")):
        accepts = _acceptor(options, kind)
        for i, row in enumerate(rows):
            known = row[column] not in (0xFFFF_FFFF, -(1 << 31))
            text = b"" if not known else profile.strings.get(row[0]) if kind == "comm" else b"%d" % row[column]
            kept[i] &= accepts(text)
    return select(profile, threads=kept)


def _filter(profile: Profile, options: LoadOptions) -> Profile:
    """Keep what the choice of events and the filters on frames keep."""
    events = frames_in = frames_out = None
    if options.events:
        names = [profile.strings.get(profile.events.get(i)[0]) for i in range(len(profile.events))]
        shown = shown_events(names, options.events)
        events = bytearray(i in shown for i in range(len(names)))
    if _has(options, "frame"):
        names = [profile.strings.get(profile.frames.get(i)[0]) for i in range(profile.frames.count)]
        wanted, unwanted = _patterns(options.include, "frame"), _patterns(options.exclude, "frame")
        if wanted:
            frames_in = bytearray(any(pattern(name) for pattern in wanted) for name in names)
        if unwanted:
            frames_out = bytearray(any(pattern(name) for pattern in unwanted) for name in names)
    if events is frames_in is frames_out is None:
        return profile
    return select(profile, events=events, wanted_frames=frames_in, unwanted_frames=frames_out)


def _reshape(profile: Profile, options: LoadOptions) -> Profile:
    """Hide and join frames by what they are."""
    if options.v8_tiers == "keep" and not (
        options.hide or options.only or options.filters or options.collapse_interpreter
    ):
        return profile
    return reshape(
        profile,
        tiers=options.v8_tiers,
        hide=options.hide,
        only=options.only,
        filters=options.filters,
        collapse_interpreter=options.collapse_interpreter,
    )


def _fold(profile: Profile, root: str) -> Document:
    """Fold a Profile and write down how it came about."""
    from flameparse._version import __version__

    account = profile.diagnostics
    folded, _ = profile.samples.held()
    seen = profile.samples.samples_seen
    diagnostics: dict[str, object] = {"samples_seen": seen, "samples_folded": folded, **account.counts}
    if account.cut_names:
        diagnostics["cut_names"] = len(account.cut_names) + account.counts.get("cut_names", 0)
    if account.dropped:
        diagnostics["dropped"] = dict(account.dropped)
    if account.unknown_line_numbers:
        diagnostics["unknown_line_numbers"] = list(account.unknown_line_numbers)
    if account.damage:
        diagnostics["damage"] = list(account.damage)
    if account.modules:
        diagnostics["modules"] = _module_rows(account.modules)
    if seen != folded + sum(account.dropped.values()):
        raise FlameparseError(
            f"{seen} samples seen, {folded} folded and {sum(account.dropped.values())} dropped do not add up: "
            "this is a bug in flameparse"
        )
    meta: dict[str, object] = {"tool": "flameparse", "tool_version": __version__, "root": root, **profile.meta}
    return fold(profile, meta=meta, diagnostics=diagnostics)


def _module_rows(modules: dict[tuple[bytes, str], dict[str, object]]) -> list[object]:
    """What was resolved per DSO, the one with the most nameless frames first; so many as a document may hold."""
    rows = [{"path": path, "build_id": build_id, **row} for (path, build_id), row in modules.items()]
    rows.sort(key=lambda row: (_as_int(row["named"]) - _as_int(row["frames"]), row["path"], row["build_id"]))
    return list(rows[: limits.MAX_MODULE_ROWS])


def _span(profile: Profile) -> dict[str, int] | None:
    """First and last time of a profile: of its samples, and of documents that went into it."""
    known = [
        (first, last)
        for first, last in (
            (profile.samples.first_time_ns, profile.samples.last_time_ns),
            (profile.meta.get("first_time_ns"), profile.meta.get("last_time_ns")),
        )
        if isinstance(first, int) and isinstance(last, int) and first != _NO_TIME
    ]
    if not known:
        return None
    return {"first_time_ns": min(first for first, _ in known), "last_time_ns": max(last for _, last in known)}


def _take_account(document: Document, profile: Profile) -> None:
    """Carry a document's own loss account over to the profile it becomes."""
    account = profile.diagnostics
    found = document.diagnostics
    dropped = found.get("dropped")
    for reason, samples in dropped.items() if isinstance(dropped, dict) else ():
        account.drop(str(reason), _as_int(samples))
    if sum(account.dropped.values()) > limits.MAX_COUNT:
        raise OverflowError("the dropped samples sum past 2**63 - 1")
    profile.samples.see(sum(account.dropped.values()))
    for key, value in found.items():
        if key not in ("samples_seen", "samples_folded"):
            account.count(key, _as_int(value))
    account.damage += [str(text) for text in _as_list(found.get("damage"))]
    for row in modules(document):
        account.add_module(**row)
    lines = [_as_int(line) for line in _as_list(found.get("unknown_line_numbers"))]
    account.unknown_line_numbers += [line for line in lines if line][: limits.MAX_UNKNOWN_LINE_SITES]


def _has(options: LoadOptions, kind: str) -> bool:
    return any(filter_kind == kind for filter_kind, _ in (*options.include, *options.exclude))


def _patterns(filters: Iterable[Filter], kind: str) -> list[Callable[[bytes], object]]:
    import re

    try:
        return [re.compile(pattern).search for filter_kind, pattern in filters if filter_kind == kind]
    except re.error as error:
        raise UsageError(f"{kind} filter: {error.pattern!r}: {error}") from error


def _acceptor(options: LoadOptions, kind: str) -> Callable[[bytes], bool]:
    """Whether a value of one kind passes its includes and excludes."""
    wanted, unwanted = _patterns(options.include, kind), _patterns(options.exclude, kind)
    return lambda text: (
        (not wanted or any(pattern(text) for pattern in wanted)) and not any(pattern(text) for pattern in unwanted)
    )


def _allowed_cpus(options: LoadOptions) -> bytes | None:
    if not _has(options, "cpu"):
        return None
    accepts = _acceptor(options, "cpu")
    return bytes([*(accepts(b"%d" % cpu) for cpu in range(_MAX_FILTERED_CPU)), accepts(b"")])


def _parse_time(text: str | None) -> tuple[int | None, bool]:
    """``12.5`` or ``+12.5`` to nanoseconds and whether they count from the first sample."""
    if text is None:
        return None, False
    whole, point, fraction = text.removeprefix("+").partition(".")
    if not whole.isdigit() or (point and not fraction.isdigit()) or len(whole) > 10 or int(whole) > _LAST_SECOND:
        raise UsageError(f"time {text!r}: seconds such as 12.5, or +3 from the first sample")
    return int(whole) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0), text.startswith("+")


def _core_count() -> int:
    from os import cpu_count

    try:
        from os import sched_getaffinity
    except ImportError:
        return cpu_count() or 1
    return len(sched_getaffinity(0))
