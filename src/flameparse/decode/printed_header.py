"""What the header lines that ``perf script`` would print read as to a tool that has only the text.

A tool takes comm and ids out of a line by patterns, so an odd comm loses a part, and an event that is followed by the
fields of its tracepoint is not seen at all. To say what the tool says, each kind of line is written once and read by
the decoder that copies the tool.
"""

from __future__ import annotations

from os import urandom

from flameparse.decode.perf_script import PerfScriptDecoder
from flameparse.model.profile import Profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable

_PERIOD = 7
_NONE_ID = 0xFFFF_FFFF


def read_back(
    profile: Profile,
    pairs: Iterable[tuple[int, int]],
    *,
    dialect: str,
    followed_events: Container[bytes],
    cpu_events: Container[bytes],
    timed_events: Container[bytes],
    name_width: int = 0,
) -> tuple[Profile, dict[tuple[int, int], tuple[int, int, bool]]]:
    """Write and read the header line of each (event, thread).

    Args:
        profile: its events and threads are meant.
        pairs: ids of them.
        dialect: the tool, see ``PerfScriptDecoder``.
        followed_events: names of the events whose line goes on after the event.
        cpu_events: names of the events whose samples say their cpu.
        timed_events: names of the events whose samples say their time.
        name_width: columns that events are right-aligned in.

    Returns:
        A Profile, and for each pair its event and thread there and whether the tool sees the period. A pair that the
        tool does not see at all is missing.
    """
    text = bytearray()
    ordered = list(pairs)
    # A comm may hold line ends, and so whole samples: none of these has our module.
    module = urandom(8).hex().encode()
    for number, (event, thread) in enumerate(ordered):
        comm_id, _, tid = profile.threads.get(thread)
        comm = b"" if comm_id == _NONE_ID else profile.strings.get(comm_id)
        name = profile.strings.get(profile.events.get(event)[0])
        cpu = b" [000]" if name in cpu_events else b""
        time = b"     1.000000:" if name in timed_events else b""
        rest = b" field=1" if name in followed_events else b""
        text += b"%s %7d%s%s %10d %s: %s\n" % (comm, tid, cpu, time, _PERIOD, name.rjust(name_width), rest)
        text += b"\t%16x %d (%s)\n\n" % (0x1000, number, module)
    read = Profile()
    decoder = PerfScriptDecoder(read, dialect=dialect)
    consumed = decoder.feed(text, len(text), 0)
    decoder.finish(text[consumed:], len(text) - consumed, 0)
    meanings = {}
    for event, thread, stack, _, period in read.samples.total_rows():
        if stack == _NONE_ID:  # half of a comm with a line end in it can pass for a header
            continue
        symbol, dso, *_ = read.frames.get(read.stacks.get(stack)[1])
        if dso != _NONE_ID and read.strings.get(dso) == module:
            meanings[ordered[int(read.strings.get(symbol))]] = (event, thread, period == _PERIOD)
    return read, meanings
