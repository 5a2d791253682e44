"""A perf.data in memory to its samples, one by one, through the decoder as the pipeline runs it."""

from __future__ import annotations

import io
from pathlib import Path

from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.parallel.perf_data import decode_perf_data

NONE = 0xFFFF_FFFF


class MemorySource:
    """A source over bytes, whole or a few at a time."""

    name = "memory"

    def __init__(self, data: bytes, *, is_seekable: bool = True, step: int = 1 << 20) -> None:
        self.data, self.is_seekable, self.step = data, is_seekable, step
        self.size = len(data) if is_seekable else None
        self._stream = io.BytesIO(data)

    @property
    def consumed(self) -> int:
        return self._stream.tell()

    def peek(self, count: int) -> bytes:
        at = self._stream.tell()
        return self.data[at : at + count]

    def readinto(self, buffer) -> int:
        return self._stream.readinto(memoryview(buffer)[: self.step])

    def read_at(self, offset: int, count: int) -> bytes:
        assert self.is_seekable
        return self.data[offset : offset + count]

    def read_at_into(self, offset: int, buffer) -> int:
        piece = self.read_at(offset, len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def decode(
    data, *, threads=1, timeline=False, window=None, is_seekable=True, step=1 << 20, keeps_addresses=True, **options
):
    """Decode bytes; the recording and the Profile."""
    source = MemorySource(data, is_seekable=is_seekable, step=step)
    profile = Profile(SampleTable(keeps_timeline=timeline, **(window or {})))
    return decode_perf_data(source, profile, threads=threads, keeps_addresses=keeps_addresses, **options)


def frame_of(profile, id):
    """``(module, address)`` of a frame, or its name."""
    name, dso, _, address = profile.frames.get(id)
    if name != NONE:
        return profile.strings.get(name)
    return (None if dso == NONE else profile.dsos.rows[dso].path, address)


def stack_of(profile, id):
    """The frames of a stack, leaf first."""
    frames = []
    while id != NONE:
        id, frame = profile.stacks.get(id)
        frames.append(frame_of(profile, frame))
    return frames


def totals(profile):
    """``(event, comm, pid, tid, frames)`` to ``(samples, period)``."""
    found = {}
    for event, thread, stack, count, period in profile.samples.total_rows():
        comm, pid, tid = profile.threads.get(thread)
        name = profile.strings.get(profile.events.get(event)[0])
        key = (name, profile.strings.get(comm), pid, tid, tuple(stack_of(profile, stack)))
        assert key not in found
        found[key] = (count, period)
    return found


def fixture(name: str) -> bytes:
    """The bytes of one of the recordings kept as fixtures."""
    return (Path(__file__).parents[1] / "fixtures" / "perf_data" / f"{name}.data").read_bytes()
