"""DTrace text read slowly and plainly, a whole input at a time: what the decoder is compared with."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from oracle import perf_script_reference

HEADING = re.compile(rb"CPU .*FUNCTION:NAME", re.S)
BANNER = re.compile(rb"(\d+)[ \t]+\d+[ \t]+[^ \t]*:([^ \t:]+)")
TICK = re.compile(rb"(.*[^ \t])[ \t]+(-?\d{1,10})[ \t]+(\d+):[ \t]+([^ \t]+):", re.S)
NOTE = re.compile(rb"dtrace: .*|\^C", re.S)
NUMBER = re.compile(rb"-?\d+")
KEYS_AND_COUNT = re.compile(rb"(.*[^ \t])[ \t]{2,}(-?\d+)", re.S)
FRAME = re.compile(rb"(?:([^`()\[\]<>{}\"'/]+)`)?(.+)", re.S)
LOSS = re.compile(rb"dtrace: (?:(\d+)[ \t]*(?:aggregation )?drop|error on enabled probe ).*", re.S)
TABLE = re.compile(
    rb"value .*-------------[ ]Distribution[ ]------------- count|(?:(?:<|>=)[ ][ \t]*)?-?\d+[ \t@]*\|[ \t@|]*\d+", re.S
)

Frame = tuple["bytes | None", "bytes | int"]  # module and name, or address


class Sample(NamedTuple):
    """One stack: leaf first, and the keys that are its roots, outermost first."""

    event: bytes
    comm: bytes | None
    pid: int | None
    cpu: int | None
    time_ns: int | None
    weight: int
    frames: list[Frame]
    keys: list[bytes]


class Line(NamedTuple):
    indent: int
    text: bytes  # with the blanks after it
    is_number: bool


def read_frame(text: bytes) -> Frame:
    match = FRAME.fullmatch(text)
    assert match is not None
    module, name = match.groups()
    name = re.sub(rb"(?s)(?<=.)\+0x[0-9a-fA-F]+\Z", b"", name)
    if re.fullmatch(rb"0x[0-9a-fA-F]{1,16}", name):
        return module, int(name, 16)
    return module, name


def split_keys(text: bytes) -> list[bytes]:
    return [key for key in re.split(rb"[ \t]*\t[ \t]*| {2,}\t*[ \t]*", text.strip(b" \t")) if key]


class Parser:
    """Gathers lines until something says that a stack is whole."""

    def __init__(self, text: bytes) -> None:
        self.samples: list[Sample] = []
        self.unknown_lines: list[int] = []
        self.other_lines = 0
        self.uncounted = 0
        self.lost = 0
        self.lines: list[Line] = []
        self.head: tuple[str, bytes, bytes | None, int | None, int | None, int | None] | None = None
        text = text.removeprefix(b"\xef\xbb\xbf")
        for number, raw in enumerate(text.split(b"\n"), 1):
            self.take(raw.removesuffix(b"\r"), number)
        self.end()

    def take(self, raw: bytes, number: int) -> None:
        text = raw.lstrip(b" \t")
        indent = len(raw) - len(text)
        bare = text.rstrip(b" \t")
        if not bare:
            if self.head is not None and self.head[0] == "banner" and not self.lines:
                self.head = None
            self.drop_printed()
            is_number_alone = [line.is_number for line in self.lines] == [True]
            if is_number_alone and (indent_of(self.lines) == 0 or width(self.lines) != 9):
                self.end()
        elif NUMBER.fullmatch(bare):
            if self.lines or (self.head is not None and self.head[0] == "tick"):
                self.count(int(bare))
            else:
                self.head = None
                self.lines.append(Line(indent, bare, True))
        elif HEADING.fullmatch(bare) and len(bare) > 17:
            self.end()
        elif (match := BANNER.fullmatch(bare)) and int(match[1]) < 65536:
            self.end()
            self.head = ("banner", match[2], None, None, int(match[1]), None)
        elif (match := TICK.fullmatch(bare)) and abs(int(match[2])) < 1 << 31 and int(match[3]) < 1 << 64:
            self.end()
            time = int(match[3]) * 1_000_000
            self.head = ("tick", match[4], match[1], int(match[2]), None, time if time < 1 << 63 else None)
        elif indent == 0 and NOTE.fullmatch(bare):
            self.drop_printed()
            if loss := LOSS.fullmatch(bare):
                self.lost += int(loss[1] or 1)
        elif TABLE.fullmatch(bare):
            self.other_lines += 1
            if not self.in_tick():
                if self.sort_lines()[3]:
                    self.uncounted += 1
                else:
                    self.other_lines += len(self.lines)
                self.lines, self.head = [], None
        else:
            self.take_text(Line(indent, text, False), number)

    def take_text(self, line: Line, number: int) -> None:
        match = KEYS_AND_COUNT.fullmatch(line.text.rstrip(b" \t"))
        if match and not self.in_tick():
            # Keys and a count, where frames end or where the stack before them was empty.
            if len(self.lines) == 1 and not self.lines[0].is_number and self.lines[0].indent == line.indent:
                before = KEYS_AND_COUNT.fullmatch(self.lines[0].text.rstrip(b" \t"))
                if before:
                    self.lines = []
                    self.add(int(before[2]), [], split_keys(before[1]))
            keys, frames, indent, is_sure = self.sort_lines()
            is_key = line.text[:1].isdigit()
            if is_key and self.lines and not is_sure:
                are_keys = self.lines[0].is_number or line.indent > indent_of(self.lines)
                keys = [key for lead in self.lines for key in split_keys(lead.text)] if are_keys else []
                frames = [] if are_keys else [read_frame(lead.text.rstrip(b" \t")) for lead in self.lines]
            if is_key or (frames and line.indent < indent and (is_sure or line.indent < self.lines[0].indent)):
                self.lines = []
                self.add(int(match[2]), frames, keys + split_keys(match[1]))
                return
        if line.indent == 0 and not isinstance(read_frame(line.text.rstrip(b" \t"))[1], int):
            _, frames, indent, is_sure = self.sort_lines()
            if read_frame(line.text.rstrip(b" \t"))[0] is None and frames and indent and is_sure:
                self.unknown_lines.append(number)
                return
        self.lines.append(line)

    def drop_printed(self) -> None:
        """Forget lines at column 0 that nothing but a script's own prints look like."""
        if not self.in_tick() and self.lines and not self.sort_lines()[3] and all(map(is_plain, self.lines)):
            self.other_lines += len(self.lines)
            self.lines = []

    def in_tick(self) -> bool:
        return self.head is not None and (self.head[0] == "tick" or bool(self.lines))

    def sort_lines(self) -> tuple[list[bytes], list[Frame], int, bool]:
        """Keys, frames, the first frame's indentation, and whether a frame is surely there."""
        if self.in_tick():
            frames = [read_frame(line.text.rstrip(b" \t")) for line in self.lines]
            return [], frames, indent_of(self.lines), bool(frames)
        if not self.lines:
            return [], [], 0, False
        first = self.lines[0]
        leads = 1
        if not first.is_number and first.indent >= 14:
            return [], [read_frame(line.text.rstrip(b" \t")) for line in self.lines], first.indent, True
        if not first.is_number:
            while leads < min(8, len(self.lines)) and self.lines[leads].indent == first.indent:
                leads += 1
        rest = self.lines[leads:]
        keys: list[bytes] = []
        are_keys = first.is_number or (
            rest[0].indent > first.indent if rest else self.lines[leads - 1].text[-1:] in (b" ", b"\t")
        )
        if are_keys:
            for line in self.lines[:leads]:
                keys += split_keys(line.text)
        frame_lines = rest if are_keys else self.lines
        frames = [read_frame(line.text.rstrip(b" \t")) for line in frame_lines]
        return keys, frames, indent_of(frame_lines), bool(rest)

    def count(self, value: int) -> None:
        keys, frames, _, _ = self.sort_lines()
        self.lines, self.head = [], None
        self.add(value, frames, keys)

    def add(self, value: int, frames: list[Frame], keys: list[bytes]) -> None:
        event = b"negative values" if value < 0 else b"count"
        self.head = None
        self.samples.append(Sample(event, None, None, None, None, abs(value), frames, keys))

    def end(self) -> None:
        self.drop_printed()
        if self.head is not None and self.in_tick():
            _, event, comm, pid, cpu, time_ns = self.head
            frames = [read_frame(line.text.rstrip(b" \t")) for line in self.lines]
            self.samples.append(Sample(event, comm, pid, cpu, time_ns, 1, frames, []))
        elif len(self.lines) == 1 and self.lines[0].is_number:
            self.add(int(self.lines[0].text), [], [])
        elif len(self.lines) == 1 and (match := KEYS_AND_COUNT.fullmatch(self.lines[0].text.rstrip(b" \t"))):
            self.add(int(match[2]), [], split_keys(match[1]))
        elif self.lines:
            self.uncounted += 1
        self.lines, self.head = [], None


def is_plain(line: Line) -> bool:
    module, name = read_frame(line.text.rstrip(b" \t"))
    has_count = line.is_number or KEYS_AND_COUNT.fullmatch(line.text.rstrip(b" \t"))
    return line.indent == 0 and module is None and isinstance(name, bytes) and not has_count


def indent_of(lines: list[Line]) -> int:
    return lines[0].indent if lines else 0


def width(lines: list[Line]) -> int:
    return lines[0].indent + len(lines[0].text)


def parse(text: bytes) -> Parser:
    """Read a whole text."""
    return Parser(text)


def printed(frame: Frame, names: str) -> list[bytes]:
    """The names a frame prints under, root first."""
    module, name = frame
    prefix = b"" if module is None else module + b"`"
    if isinstance(name, int):
        return [prefix + b"0x%x" % name]
    parts = perf_script_reference.frame_names(name, module, names)
    return [prefix + parts[0], *parts[1:]]


def stack(sample: Sample, names: str = "raw") -> list[bytes]:
    """A sample's frames as printed, root first."""
    frames = [part for frame in reversed(sample.frames) for part in printed(frame, names)]
    return [*sample.keys, *frames]


def fold(parser: Parser, *, names: str = "tidy", event: bytes | None = None) -> bytes:
    """The folded text of one event: the first, but negative values only where nothing else is."""
    events = sorted({sample.event for sample in parser.samples}, key=lambda name: name == b"negative values")
    firsts = [sample.event for sample in parser.samples if sample.event != b"negative values"]
    chosen = event or (firsts[0] if firsts else events[0] if events else b"")
    totals: Counter[bytes] = Counter()
    for sample in parser.samples:
        if sample.event == chosen:
            names_of = [] if sample.comm is None else [sample.comm]
            names_of += stack(sample, names)
            line = b";".join(name.replace(b";", b":") for name in names_of) or b"[unknown]"
            totals[line] += sample.weight
    return b"".join(b"%s %d\n" % item for item in sorted(totals.items(), key=lambda item: item[0].split(b";")))
