"""A slow second reading of `perf script` text, written from the format and not from the decoder.

Every line is tried against whole-line regular expressions, and every sample stays an object: nothing is shared with the
shipped decoder, so that an equal result means something. Tests only; the shipped package never imports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

UNKNOWN = b"[unknown]"
PC_FIELD_WIDTH = 17  # a blank and the address, right-aligned in 16 columns

_TID = rb"(?:(?P<pid>-?\d{1,10})/)?(?P<tid>-?\d{1,10})"
_CPU = rb"\[(?P<cpu>-?\d{1,6})\]"
_MISC = rb"[KUHGgMESp]{1,6}"
_TIME_OF_DAY = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}(?:\d{3})?"
_TIME = rb"(?P<seconds>\d{1,11})\.(?P<fraction>\d{6}|\d{9}):(?=[ \t]|$)"
_GAP = rb"[ \t]+"
_MODE_AND_DAY = rb"(?:" + _MISC + _GAP + rb")?(?:" + _TIME_OF_DAY + _GAP + rb")?"
_BETWEEN = rb"(?:" + _CPU + _GAP + rb")?" + _MODE_AND_DAY
_COMM = rb"[ \t]*(?P<comm>.*?)(?:(?<=[ \t])|^)"

_VM_PREFIX = re.compile(rb"[ \t]*VM:[ \t]*-?\d+ VCPU:[ \t]*-?\d+ ")
# By thread and time, by cpu and time, by time alone; the leftmost time wins in each.
_TIMED = (
    re.compile(_COMM + _TID + _GAP + _BETWEEN + _TIME + rb"(?P<rest>.*)", re.S),
    re.compile(_COMM + _CPU + _GAP + _MODE_AND_DAY + _TIME + rb"(?P<rest>.*)", re.S),
    re.compile(_COMM + _MODE_AND_DAY + _TIME + rb"(?P<rest>.*)", re.S),
)
_THREAD_PLACE = re.compile(rb"(?:(?<=[ \t])|^)(?=-?\d)")
_UNTIMED = re.compile(_TID + _GAP + _BETWEEN + rb"(?P<rest>.*)", re.S)

_REST = re.compile(rb"[ \t]*(?:(?P<period>\d+)[ \t]+)?(?P<event>[^ \t]+):(?:(?=[ \t])(?P<after>.*))?$", re.S)
_REST_SPACED_EVENT = re.compile(rb"[ \t]*(?:(?P<period>\d+)[ \t]+)?(?P<event>[^ \t].*?):[ \t]*$", re.S)
_REST_NO_EVENT = re.compile(rb"[ \t]*(?P<period>\d+)?[ \t]*$")
_RECORD = re.compile(rb"[ \t]*PERF_RECORD_(?P<kind>[A-Z0-9_]+)(?=[ \t:(]|$)(?P<rest>.*)", re.S)
_LOST = re.compile(rb".*\blost[ \t]+(\d+)")

_PC = rb"(?:0x)?(?P<pc>[0-9a-fA-F]{1,16})"
_FRAME_START = re.compile(rb"[ \t]*" + _PC + rb"(?:[ \t](?P<text>.*)|$)", re.S)
_PC_FIELD = re.compile(rb" +[0-9a-f]{1,16}(?= )")
_TRAILER = re.compile(rb"(?: ilen: \d+)?(?: insn:(?: [0-9a-f]{2})*)?[ \t]*$")
_OFFSET = re.compile(rb"\+0x[0-9a-f]+$")

_SOURCE_LINE = re.compile(rb"  [^ \t]")
_BRANCH = rb"[^ \t]+/[^ \t]+/[MPN-]/[X-]/[A-]/\d+(?:/[^ \t]*)?"
_OPTIONAL = re.compile(
    rb"[ \t]*(?:insn:|ilen:|ABI:\d|instruction trace error\b|" + _BRANCH + rb"(?:[ \t]+" + _BRANCH + rb")*[ \t]*$"
    rb"|\[?\d+/[a-z]+: \d+/0x[0-9a-f]+)"
)


Frame = tuple[int, bytes, "bytes | None"]  # address, name, module


@dataclass
class Sample:
    """One sample as printed; what the header does not say is None (event: empty)."""

    comm: bytes | None
    pid: int | None
    tid: int | None
    cpu: int | None
    time_ns: int | None
    period: int | None
    event: bytes
    frames: list[Frame] = field(default_factory=list)

    @property
    def weight(self) -> int:
        return 1 if self.period is None else self.period


class Samples(list):  # type: ignore[type-arg]
    """The samples of one input, and what else its lines were."""

    def __init__(self) -> None:
        super().__init__()
        self.unknown_lines: list[int] = []
        self.optional_lines = 0
        self.lost = 0


def split_module(text: bytes) -> tuple[bytes, bytes] | None:
    """Split `name (module)` at the outermost bracket that closes at the end of the line."""
    if not text.endswith(b")"):
        return None
    depth = 0
    for i in range(len(text) - 1, -1, -1):
        depth += (text[i] == ord(")")) - (text[i] == ord("("))
        if depth == 0:
            return (text[:i].strip(b" \t"), text[i + 1 : -1]) if i == 0 or text[i - 1] in b" \t" else None
    return None


def read_frame(line: bytes) -> Frame | None:
    """Read `pc name+0xoffset (module)`; the module is None where the line has none."""
    line = line.rstrip(b" \t")
    match = _FRAME_START.match(line)
    if not match:
        return None
    text = (match["text"] or b"").strip(b" \t")
    split = split_module(text)
    name, module = split if split else (text, None)
    return int(match["pc"], 16), _OFFSET.sub(b"", name), module


def read_same_line_frame(after: bytes) -> Frame | None:
    """Read the frame that stands behind the event, after any tracepoint fields."""
    after = _TRAILER.sub(b"", after.split(b" => ")[0])
    fields = [match.start() for match in _PC_FIELD.finditer(after) if len(match[0]) >= PC_FIELD_WIDTH]
    for start in [*fields[-1:], 0]:
        frame = read_frame(after[start:])
        if frame and (frame[2] is not None or (frame[1] and start in fields)):
            return frame
    return None


def read_rest(rest: bytes) -> tuple[int | None, bytes, bytes] | None:
    """Read `[period] event: …` behind the time: period, event, what follows."""
    match = _REST.match(rest) or _REST_SPACED_EVENT.match(rest)
    if match:
        period = match["period"]
        return int(period) if period else None, match["event"], match.groupdict().get("after") or b""
    match = _REST_NO_EVENT.match(rest)
    if match:
        return int(match["period"]) if match["period"] else None, b"", b""
    return (None, b"", rest) if read_same_line_frame(rest) else None


def make_sample(found: Mapping[str, bytes | None], rest: tuple[int | None, bytes, bytes]) -> Sample:
    def number(key: str) -> int | None:
        value = found.get(key)
        return None if value is None else int(value)

    fraction = found.get("fraction")
    time_ns = None if fraction is None else int(found["seconds"] or 0) * 10**9 + int(fraction.ljust(9, b"0"))
    comm = (found["comm"] or b"").strip(b" \t") or None
    period, event, after = rest
    sample = Sample(comm, number("pid"), number("tid"), number("cpu"), time_ns, period, event)
    frame = read_same_line_frame(after)
    if frame:
        sample.frames.append(frame)
    return sample


def strip_vm(line: bytes) -> bytes:
    match = _VM_PREFIX.match(line)
    return line[match.end() :] if match else line


def read_strong_header(line: bytes) -> Sample | None:
    """Read a header that cannot be anything else: it has a thread and a time."""
    match = _TIMED[0].match(strip_vm(line))
    rest = read_rest(match["rest"]) if match else None
    return make_sample(match.groupdict(), rest) if match and rest else None


def untimed_matches(line: bytes) -> Iterator[dict[str, bytes]]:
    """Every way to read `comm tid rest`, shortest comm first."""
    for place in _THREAD_PLACE.finditer(line):
        match = _UNTIMED.match(line, place.start())
        if match:
            yield {**match.groupdict(), "comm": line[: place.start()]}


def read_weak_header(line: bytes) -> Sample | None:
    """Read a header with a time but no thread, or with a thread but no time."""
    line = strip_vm(line)
    for pattern in _TIMED[1:]:
        match = pattern.match(line)
        if match:
            rest = read_rest(match["rest"])
            if rest:
                return make_sample(match.groupdict(), rest)
    for untimed in untimed_matches(line):
        match = _REST.match(untimed["rest"])
        if match and (not (match["after"] or b"").strip() or read_same_line_frame(match["after"])):
            return make_sample(untimed, read_rest(untimed["rest"]))  # type: ignore[arg-type]
    for untimed in untimed_matches(line):
        rest = untimed["rest"].strip(b" \t")
        if (rest == b"" or rest.isdigit()) and line[-1:] in b" \t":
            return make_sample(untimed, (int(rest) if rest else None, b"", b""))
    return None


def read_record(line: bytes) -> re.Match[bytes] | None:
    """Recognise a PERF_RECORD_ line: its kind follows the thread, cpu and time, each of which may be absent."""
    if b"PERF_RECORD_" not in line:
        return None
    line = strip_vm(line)
    for pattern in _TIMED:
        match = pattern.match(line)
        if match:
            return _RECORD.match(match["rest"])
    threads = (_RECORD.match(untimed["rest"]) for untimed in untimed_matches(line))
    return _RECORD.match(line) or next(filter(None, threads), None)


def read_line(line: bytes, in_sample: bool, has_source: bool) -> Sample | Frame | re.Match[bytes] | str:
    """Say what a line is, given that a sample is open and that a source line may follow.

    Returns:
        A header's sample, a frame, a PERF_RECORD_ line's match, or "comment", "optional", "unknown".
    """
    record = read_record(line)
    header = read_strong_header(line)
    if record or header:
        return record or header  # type: ignore[return-value]
    if line.startswith(b"#"):
        return "comment"
    indented = line[:1] in b" \t"
    header = read_weak_header(line)
    if header and not (in_sample and indented):
        return header
    frame = read_frame(line)
    if frame and frame[2] is not None:
        return frame
    if _OPTIONAL.match(line) or (has_source and _SOURCE_LINE.match(line)):
        return "optional"
    if frame and indented:
        return frame
    return header or "unknown"


def parse(data: bytes) -> Samples:
    """Read a whole `perf script` text."""
    samples = Samples()
    current: Sample | None = None
    headerless: bool | None = None  # whether the first line that says anything is a frame: then paragraphs are samples
    has_source = one_line = False
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").split(b"\n"), 1):
        line = line.removesuffix(b"\r")
        if not line.strip():
            current, has_source, one_line = None, False, False
            continue
        found = read_line(line, current is not None, has_source)
        if found == "comment":
            continue
        if headerless is None:
            headerless = isinstance(found, tuple)
        if isinstance(found, tuple) and one_line and line.startswith(b"\t"):
            # A chain follows, so what stood on the header's line was another field.
            current = samples[-1]
            current.frames.clear()
        if isinstance(found, tuple) and headerless and not current:
            current = Sample(None, None, None, None, None, None, b"")
            samples.append(current)
        has_source = current is not None
        one_line = isinstance(found, Sample) and bool(found.frames)
        if isinstance(found, Sample):
            samples.append(found)
            current = None if found.frames else found  # a sample on one line is whole
            has_source = True
        elif isinstance(found, re.Match):
            current, has_source = None, False
            samples.optional_lines += 1
            lost = _LOST.match(found["rest"]) if found["kind"].startswith(b"LOST") else None
            samples.lost += int(lost[1]) if lost else 0
        elif isinstance(found, tuple) and current:
            current.frames.append(found)
        elif found == "optional":
            samples.optional_lines += 1
        else:
            samples.unknown_lines.append(number)
    return samples


# ---- names ----

_V8 = re.compile(rb"(?:LazyCompile|Function|Script|Eval|JS|RegExp|Builtin|BytecodeHandler|Stub|Handler|IC|Wasm):")
_OPERATOR = re.compile(
    rb"\boperator(?:\(\)|<=>|<<=|>>=|->\*|<<|>>|->|[-+*/%^&|!=<>]=|&&|\|\||\+\+|--|\[\]|[-+*/%^&|~!=<>,])"
)
_RUST_HASH = re.compile(rb"::h[0-9a-f]{16}$")
_RUST_MARKS = {
    b"$LT$": b"<", b"$GT$": b">", b"$RF$": b"&", b"$BP$": b"*", b"$C$": b",", b"$LP$": b"(", b"$RP$": b")",
    b"$SP$": b"@", b"$u20$": b" ", b"$u27$": b"'", b"$u5b$": b"[", b"$u5d$": b"]", b"$u7b$": b"{", b"$u7d$": b"}",
    b"$u7e$": b"~",
}  # fmt: skip
_JAVA_METHOD = re.compile(rb"L([^;<>()]+);::(.+)")
_ANONYMOUS = b"(anonymous namespace)"


def cut_arguments(name: bytes) -> bytes:
    """Cut the last argument list and what qualifies it; brackets are matched, and those of an outer function stay."""
    depth = i = 0
    start = None
    while i < len(name):
        operator = _OPERATOR.match(name, i)
        if operator or name.startswith(_ANONYMOUS, i):
            i = operator.end() if operator else i + len(_ANONYMOUS)
            continue
        byte = name[i : i + 1]
        if byte in b"(<[{":
            if byte == b"(" and depth == 0:
                start = i if i and name[i - 1 : i] != b"." else None
            depth += 1
        elif byte in b")>]}" and name[i - 1 : i + 1] != b"->":
            depth -= 1
            if byte == b")" and depth == 0 and start is not None and not name.startswith(b"::", i + 1):
                return name[:start].rstrip()
        i += 1
    return name


def tidy(name: bytes) -> list[bytes]:
    """Make a symbol readable: Java's inlined calls become frames, callers first; V8's names stay as they are."""
    if _V8.match(name):
        return [name]
    calls = [_JAVA_METHOD.fullmatch(call) for call in name.split(b"->")]
    if all(calls):
        return [b"%s::%s" % call.groups() for call in calls if call]
    if _RUST_HASH.search(name):
        name = _RUST_HASH.sub(b"", name)
        for mark, meant in _RUST_MARKS.items():
            name = name.replace(mark, meant)
        name = name.removeprefix(b"_") if name.startswith(b"_<") else name
        name = name.replace(b"::_<", b"::<").replace(b"::_{", b"::{").replace(b"..", b"::")
    return [cut_arguments(name)]


def frame_names(name: bytes, module: bytes | None, names: str) -> list[bytes]:
    """Name a frame as folded text prints it by default, before `;` is replaced."""
    if name in (b"", UNKNOWN):
        if module and module != UNKNOWN:
            return [b"[" + module.removesuffix(b" (deleted)").rsplit(b"/", 1)[-1] + b"]"]
        return [UNKNOWN]
    return tidy(name) if names == "tidy" else [name]


def root_label(sample: Sample, root: str) -> bytes:
    comm = UNKNOWN if sample.comm is None else sample.comm
    pid = b"?" if sample.pid is None else b"%d" % sample.pid
    tid = b"?" if sample.tid is None else b"%d" % sample.tid
    return {"none": b"", "comm": comm, "pid": comm + b"-" + pid, "tid": comm + b"-" + pid + b"/" + tid}[root]


def fold(
    samples: list[Sample],
    *,
    names: str = "tidy",
    root: str = "comm",
    weight: str = "period",
    event: bytes | None = None,
) -> bytes:
    """Fold samples into `root;frame;frame weight` lines sorted by stack; event None is the first seen, b"all" any."""
    if event is None and samples:
        event = samples[0].event
    totals: dict[bytes, int] = {}
    for sample in samples:
        if event not in (b"all", sample.event):
            continue
        parts = [root_label(sample, root)] if root != "none" else []
        for _, name, module in reversed(sample.frames):
            parts += frame_names(name, module, names)
        key = b";".join(part.replace(b";", b":") for part in parts)
        totals[key] = totals.get(key, 0) + (sample.weight if weight == "period" else 1)
    return b"".join(b"%s %d\n" % item for item in sorted(totals.items()))
