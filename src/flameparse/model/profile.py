"""The tables a decoder fills and every later stage reads."""

from __future__ import annotations

from flameparse.model.diagnostics import Diagnostics
from flameparse.model.dso import DsoTable
from flameparse.model.event_table import EventTable
from flameparse.model.frame_table import FrameTable
from flameparse.model.sample_table import SampleTable
from flameparse.model.stack_table import StackTable
from flameparse.model.string_table import StringTable
from flameparse.model.thread_table import ThreadTable


class Profile:
    """All tables of one or more inputs; can be built by hand in a test.

    Args:
        samples: a table with its window set, or None for one that takes everything.

    Attributes:
        strings: names, comms, module paths, event names.
        frames, stacks, threads, events, samples: the tables; ids are rows, 0 up.
        dsos: what frames without a name are addresses of. While a profile is at address level, a frame's ``dso`` is a
            row of it; ``symbolize`` turns names and modules into string ids.
        mapping_lines: of a text whose addresses are kept, the ``PERF_RECORD_MMAP...`` lines from that word on.
        diagnostics: the loss account.
        meta: facts for the document's ``meta``.
    """

    __slots__ = (
        "diagnostics", "dsos", "events", "frames", "mapping_lines", "meta", "samples", "stacks", "strings", "threads",
    )  # fmt: skip

    def __init__(self, samples: SampleTable | None = None) -> None:
        self.strings = StringTable()
        self.frames = FrameTable()
        self.stacks = StackTable()
        self.threads = ThreadTable()
        self.events = EventTable()
        self.samples = SampleTable() if samples is None else samples
        self.dsos = DsoTable()
        self.mapping_lines: list[bytes] = []
        self.diagnostics = Diagnostics()
        self.meta: dict[str, object] = {}

    def take_tables(self, other: Profile) -> None:
        """Put another profile's tables and account in the place of this one's, but for strings and DSOs."""
        self.frames, self.stacks, self.threads = other.frames, other.stacks, other.threads
        self.events, self.samples = other.events, other.samples
        self.diagnostics = other.diagnostics

    @property
    def memory_bytes(self) -> int:
        """Bytes the tables hold allocated."""
        return (
            self.strings.memory_bytes + self.frames.memory_bytes + self.stacks.memory_bytes + self.samples.memory_bytes
        )
