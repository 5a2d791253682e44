"""The order of the stages: inputs to one Document. No other module knows it."""

from __future__ import annotations

import os

from flameparse import limits
from flameparse.decode import sniff
from flameparse.decode.perf_comments import read_comments
from flameparse.document.account import as_int, as_list, modules
from flameparse.document.tree import ROOTS, shown_events
from flameparse.errors import DecodeError, FlameparseError, LimitError, SourceError, UsageError
from flameparse.fold import fold, unfold
from flameparse.frames.unknown_tags import unknown_tags
from flameparse.load_options import LoadOptions, View
from flameparse.missing_frames.survey import survey
from flameparse.model.absorb import absorb
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.passes import (
    classify_frames,
    name_frames,
    relabel,
    rename_comms,
    reshape,
    select,
)
from flameparse.source import open_source
from flameparse.symbolize.options import PERF_RULES, PRECISE_RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from _typeshed import ReadableBuffer

    from flameparse.decode.perf_data.header import Header
    from flameparse.decode.perf_data.recording import Recording
    from flameparse.document.document import Document
    from flameparse.load_options import Filter
    from flameparse.parallel.threads import Progress
    from flameparse.source import Source
    from flameparse.symbolize.finder import Finder

    Path = str | os.PathLike[str]

# What `_fold` writes itself.
_OWN_META = ("tool", "tool_version", "root")

# What the samples' first time is where none has one.
_NO_TIME = -(1 << 63)

# As the decoder reads times: 2**63 ns are 292 years.
_LAST_SECOND = 8_999_999_999

# perf script prints no more of a stack.
_PERF_SCRIPT_FRAMES = 127

_NO_THREAD = 0xFFFF_FFFF
_KIND_JIT = 2

# A flag of perf_event_attr, and clock_gettime's number of the clock whose times JITs write.
_USES_CLOCKID = 1 << 25
_MONOTONIC = 1

# Of a recording that does not say where it was made.
_FILES_COMPARED = 64

# A cpu filter is a table of this many numbers; what is past it is treated as unknown.
_MAX_FILTERED_CPU = 65_536


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
    for path, facts in _files(inputs if isinstance(inputs, (list, tuple)) else [inputs]):
        with open_source(path) as source:
            try:
                profile, input_root = _decode(source, options, progress)
                profile.meta = {**facts, **profile.meta}
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
        profile = _filter(joined, options)
        found = _survey(profile)
        return _fold(_show(profile, options), options.root or root or "comm", found)
    except OverflowError as error:
        raise LimitError(str(error)) from error


def _files(inputs: Sequence[Path]) -> Iterator[tuple[Path, dict[str, object]]]:
    """Take the files that inputs are, with what is said of each beside it."""
    for path in inputs:
        if os.path.isdir(path):
            from flameparse.folders import recordings_in

            yield from recordings_in(os.fspath(path))
        else:
            yield path, {}


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
    if format_name == sniff.CPU_PROFILE:
        return _decode_cpu_profile(source, options), None
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
    classify_frames(profile)
    return profile, root


def _decode_cpu_profile(source: Source, options: LoadOptions) -> Profile:
    from flameparse.decode.cpuprofile import decode_cpu_profile
    from flameparse.folders import thread_of
    from flameparse.frames.classify import class_and_tier

    if options.compat is not None or options.addrs:
        raise UsageError(f"{source.name}: the names in a CPU profile are settled; --compat and --addrs come too late")
    if _has(options, "cpu"):
        raise UsageError(f"{source.name}: a CPU profile keeps no cpus to filter by")
    profile = Profile(_sample_table(options))
    needs_times = options.timeline or options.time_from is not None or options.time_to is not None
    ids = thread_of(source.name)
    decode_cpu_profile(
        source.read(limits.MAX_CPU_PROFILE_BYTES),
        profile,
        thread=_NO_THREAD if ids is None else profile.threads.add(profile.strings.add(b"node"), *ids),
        needs_times=needs_times,
        class_of=lambda name: class_and_tier(name, None, _KIND_JIT)[0],
    )
    return _name(profile, options, style="raw")


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
                        times = memoryview(bytes(memoryview(loads.times).nbytes)).cast("Q")
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


def _show(profile: Profile, options: LoadOptions) -> Profile:
    """Hide and join frames by what they are, or write down that a view of the document should."""
    view = options.view or View.of_meta(profile.meta.get("view"))
    chosen = view.to_meta()
    profile.meta = {key: value for key, value in profile.meta.items() if key != "view"}
    if options.keeps_hidden and chosen:
        profile.meta["view"] = chosen
    if options.keeps_hidden or not chosen:
        return profile
    return reshape(
        profile,
        tiers=view.v8_tiers,
        hide=view.hide,
        only=view.only,
        filters=view.filters,
        collapse_interpreter=view.collapse_interpreter,
    )


def _survey(profile: Profile) -> dict[str, object]:
    """Say what the JavaScript of a Profile lacks, before anything is hidden; nothing where there is none."""
    javascript = survey(profile)
    if javascript is None:
        return {}
    tags = unknown_tags(profile.frames, profile.strings)
    return {
        "javascript": javascript,
        **({"unknown_tags": {tag.decode("ascii"): count for tag, count in tags.items()}} if tags else {}),
    }


def _fold(profile: Profile, root: str, found: Mapping[str, object]) -> Document:
    """Fold a Profile and write down how it came about, and what else was found."""
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
    diagnostics |= found
    meta: dict[str, object] = {"tool": "flameparse", "tool_version": __version__, "root": root, **profile.meta}
    return fold(profile, meta=meta, diagnostics=diagnostics)


def _module_rows(modules: dict[tuple[bytes, str], dict[str, object]]) -> list[object]:
    """What was resolved per DSO, the one with the most nameless frames first; so many as a document may hold."""
    rows = [{"path": path, "build_id": build_id, **row} for (path, build_id), row in modules.items()]
    rows.sort(key=lambda row: (as_int(row["named"]) - as_int(row["frames"]), row["path"], row["build_id"]))
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
        account.drop(str(reason), as_int(samples))
    if sum(account.dropped.values()) > limits.MAX_COUNT:
        raise OverflowError("the dropped samples sum past 2**63 - 1")
    profile.samples.see(sum(account.dropped.values()))
    for key, value in found.items():
        if key not in ("samples_seen", "samples_folded"):
            account.count(key, as_int(value))
    account.damage += [str(text) for text in as_list(found.get("damage"))]
    for row in modules(document):
        account.add_module(**row)
    lines = [as_int(line) for line in as_list(found.get("unknown_line_numbers"))]
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
