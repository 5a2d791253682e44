"""The account of what an input gave, lost and hid; it travels in every output."""

from __future__ import annotations

from flameparse import limits


class Diagnostics:
    """Counts per input, added up when inputs or threads are joined.

    Attributes:
        counts: reason to how many. ``lines``, ``unknown_lines``, ``optional_lines`` (recognised, not part of a
            sample), ``long_lines``, ``cut_stacks``, ``lost`` (samples the kernel says it lost), ``rare_samples``
            (folded into ``[other]`` at the memory cap); of symbolized inputs ``frames_seen``, ``frames_unnamed`` and
            ``ambiguous_frames`` (by a perf map that has several functions there), each frame counted as often as it
            stands in a sample.
        dropped: reason to samples dropped for it, by a filter or for damage.
        cut_names: hashes of the names that were longer than the cap, so that threads count each once.
        unknown_line_numbers: the first few, 1-based, of the input last decoded.
        damage: what the container said of its own damage ("gzip data ends early ...").
        modules: path and build id (hex) to what was resolved there: ``frames``, ``named`` and ``ambiguous``, counted
            like the above, ``file`` that gave the names, ``reason`` why it did not.
    """

    __slots__ = ("counts", "cut_names", "damage", "dropped", "modules", "unknown_line_numbers")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.cut_names: set[int] = set()
        self.dropped: dict[str, int] = {}
        self.unknown_line_numbers: list[int] = []
        self.damage: list[str] = []
        self.modules: dict[tuple[bytes, str], dict[str, object]] = {}

    def count(self, what: str, how_many: int = 1) -> None:
        """Add to a counter, up to the largest a document holds; zero leaves no entry."""
        if how_many:
            self.counts[what] = min(self.counts.get(what, 0) + how_many, limits.MAX_COUNT)

    def drop(self, reason: str, samples: int) -> None:
        """Account for samples that will not be in the output."""
        if samples:
            self.dropped[reason] = min(self.dropped.get(reason, 0) + samples, limits.MAX_COUNT)

    def add_module(
        self, path: bytes, *, build_id: bytes, frames: int, named: int, ambiguous: int = 0, file: str, reason: str
    ) -> None:
        """Account for the frames of one DSO; several processes' DSOs of one path and build id are one row."""
        row = self.modules.setdefault(
            (path, build_id.hex()), {"frames": 0, "named": 0, "ambiguous": 0, "file": "", "reason": ""}
        )
        for key, more in (("frames", frames), ("named", named), ("ambiguous", ambiguous)):
            had = row[key]
            assert isinstance(had, int)
            row[key] = min(had + more, limits.MAX_COUNT)
        # Names of files may be no text, and a document's text is UTF-8 whoever reads it.
        for key, text in (("file", file), ("reason", reason)):
            row[key] = row[key] or text.encode("utf-8", "backslashreplace").decode()

    def absorb(self, other: Diagnostics) -> None:
        """Add another account to this one."""
        for what, how_many in other.counts.items():
            self.count(what, how_many)
        for reason, samples in other.dropped.items():
            self.drop(reason, samples)
        room = max(0, limits.MAX_UNKNOWN_LINE_SITES - len(self.unknown_line_numbers))
        self.unknown_line_numbers += other.unknown_line_numbers[:room]
        self.cut_names |= other.cut_names
        self.damage += other.damage
        for (path, build_id), row in other.modules.items():
            frames, named, ambiguous = row["frames"], row["named"], row["ambiguous"]
            assert isinstance(frames, int)
            assert isinstance(named, int)
            assert isinstance(ambiguous, int)
            self.add_module(
                path,
                build_id=bytes.fromhex(build_id),
                frames=frames,
                named=named,
                ambiguous=ambiguous,
                file=str(row["file"]),
                reason=str(row["reason"]),
            )
