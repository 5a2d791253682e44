"""What is asked of the pipeline: which samples to take, what to call their frames, and which of those to show."""

from __future__ import annotations

from flameparse import limits
from flameparse.document.tree import ROOTS
from flameparse.errors import UsageError
from flameparse.frames.classify import CLASSES, FILTERS
from flameparse.passes import filter_bits, hidden_classes
from flameparse.symbolize.options import SymbolOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Filter = tuple[str, bytes]

FILTER_KINDS = ("comm", "pid", "tid", "cpu", "frame")
COMPAT_TOOLS = ("stackcollapse-perf", "stackcollapse", "inferno")

# What may become of the versions of a function that V8's compilers make.
TIER_MODES = ("keep", "merge", "strip")


class View:
    """What a view of stacks leaves out and joins; the stacks of the document may stay whole.

    Args:
        v8_tiers: ``"keep"``, ``"merge"`` or ``"strip"``; see ``flameparse.passes.reshape``, as the rest.
        hide, only: classes whose frames are left out of their stacks, or which alone stay.
        filters: presets of frames that are left out.
        collapse_interpreter: make the interpreter's frames a part of the function they work for.

    Raises:
        UsageError: a value that is none of those.
    """

    __slots__ = ("collapse_interpreter", "filters", "hide", "only", "v8_tiers")

    def __init__(
        self,
        *,
        v8_tiers: str = "keep",
        hide: Sequence[str] = (),
        only: Sequence[str] = (),
        filters: Sequence[str] = (),
        collapse_interpreter: bool = False,
    ) -> None:
        if v8_tiers not in TIER_MODES:
            raise UsageError(f"v8_tiers {v8_tiers!r}: one of {', '.join(TIER_MODES)}")
        hidden_classes(hide, only)
        filter_bits(filters)
        self.v8_tiers = v8_tiers
        self.hide = tuple(hide)
        self.only = tuple(only)
        self.filters = tuple(filters)
        self.collapse_interpreter = collapse_interpreter

    @classmethod
    def of_meta(cls, meta: object) -> View:
        """Read what ``to_meta`` wrote; what this version does not know is left out."""
        found = meta if isinstance(meta, dict) else {}
        tiers = found.get("v8_tiers")
        return cls(
            v8_tiers=str(tiers) if tiers in TIER_MODES else "keep",
            hide=[str(name) for name in _names(found.get("hide")) if name in CLASSES[1:]],
            only=[str(name) for name in _names(found.get("only")) if name in CLASSES[1:]],
            filters=[str(name) for name in _names(found.get("filters")) if name in FILTERS],
            collapse_interpreter=found.get("collapse_interpreter") is True,
        )

    def to_meta(self) -> dict[str, object]:
        """What a document says of its view: what differs from showing all; empty if nothing does."""
        return {
            **({"v8_tiers": self.v8_tiers} if self.v8_tiers != "keep" else {}),
            **{key: sorted(set(names)) for key in ("hide", "only", "filters") if (names := getattr(self, key))},
            **({"collapse_interpreter": True} if self.collapse_interpreter else {}),
        }


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
        view: what to leave out of the stacks and to join in them; None for what a document says of itself.
        keeps_hidden: leave the stacks whole and write the view down in the document instead, so that it can be undone.
        timeline: keep every sample apart, in time order.
        max_memory: bytes for the distinct stacks of a trace, at the peak, before rare ones are folded into
            ``[other]``.
        symbols: where names come from that the trace does not hold; None for this machine's own files.

    Raises:
        UsageError: a value that is none of those.
    """

    __slots__ = (
        "addrs", "annotate_jit", "annotate_kernel", "compat", "events", "exclude", "include", "keeps_hidden",
        "max_memory", "names", "root", "skip_after", "symbols", "threads", "time_from", "time_to", "timeline", "view",
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
        view: View | None = None,
        keeps_hidden: bool = False,
        timeline: bool = False,
        max_memory: int = limits.DEFAULT_MAX_MEMORY_BYTES,
        symbols: SymbolOptions | None = None,
    ) -> None:
        for value, known, what in (
            (names, ("tidy", "raw"), "names"),
            (compat, (None, *COMPAT_TOOLS), "compat"),
            (root, (None, *ROOTS), "root"),
        ):
            if value not in known:
                raise UsageError(f"{what} {value!r}: one of {', '.join(map(str, known))}")
        if threads < 0:
            raise UsageError(f"threads {threads}: 0 or more")
        for kind, _ in (*include, *exclude):
            if kind not in FILTER_KINDS:
                raise UsageError(f"filter {kind!r}: one of {', '.join(FILTER_KINDS)}")
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
        self.view = view
        self.keeps_hidden = keeps_hidden
        self.timeline = timeline
        self.max_memory = max_memory
        self.symbols = symbols or SymbolOptions()


def _names(value: object) -> list[object]:
    return value if isinstance(value, list) else []
