"""Text to Document without files and threads: what the fuzzers and properties compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flameparse.decode.folded_text import FoldedTextDecoder
from flameparse.decode.perf_script import PerfScriptDecoder
from flameparse.document.document import Document
from flameparse.fold import fold
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.passes import name_frames


def decode_perf_script(
    text: bytes, sizes: Iterable[int] = (), *, dialect: str | None = None, timeline: bool = False
) -> Profile:
    """Decode a `perf script` text, handed over in blocks of these sizes, then whatever is left at once."""
    decoder = PerfScriptDecoder(Profile(SampleTable(keeps_timeline=timeline)), dialect=dialect)
    start = 0
    for end in (*_ends(text, sizes), len(text)):
        start += decoder.feed(memoryview(text)[start:end], end - start, start)
    decoder.finish(text[start:], len(text) - start, start)
    return decoder.profile


def decode_folded(text: bytes, sizes: Iterable[int] = (), *, timeline: bool = False) -> Profile:
    """Decode a folded text, handed over in blocks of these sizes, then whatever is left at once."""
    decoder = FoldedTextDecoder(Profile(SampleTable(keeps_timeline=timeline)))
    start = 0
    for end in (*_ends(text, sizes), len(text)):
        start += decoder.feed(memoryview(text)[start:end], end - start)
    decoder.finish(text[start:], len(text) - start)
    return decoder.profile


def _ends(text: bytes, sizes: Iterable[int]) -> Iterable[int]:
    end = 0
    for size in sizes:
        end += size
        if end >= len(text):
            return
        yield end


def named(profile: Profile, dialect: str | None = None) -> Profile:
    """Name the frames of a `perf script` text's profile."""
    return name_frames(profile, style=dialect or "tidy")


def folded(profile: Profile) -> Document:
    """Fold a profile whose frames have names; its account goes along."""
    account = profile.diagnostics
    return fold(profile, meta={}, diagnostics={**account.counts, "dropped": dict(account.dropped)})


def assert_conserved(profile: Profile) -> None:
    """Every sample seen is held or was dropped for a reason."""
    assert profile.samples.samples_seen == profile.samples.held()[0] + sum(profile.diagnostics.dropped.values())


def sample(
    frames: Sequence[bytes] = (b"leaf", b"main"),
    *,
    comm: bytes = b"app",
    pid: int = 10,
    tid: int = 11,
    cpu: int = 0,
    time: str = "1.000000",
    period: int | None = 1,
    event: bytes = b"cycles",
    module: bytes = b"/bin/app",
) -> bytes:
    """One sample as perf prints it, leaf first."""
    period_text = b"" if period is None else b"%d " % period
    head = b"%s %d/%d [%03d] %s: %s%s:\n" % (comm, pid, tid, cpu, time.encode(), period_text, event)
    return head + b"".join(b"\t    400100 %s+0x10 (%s)\n" % (frame, module) for frame in frames) + b"\n"
