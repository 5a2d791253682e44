"""Where names may come from: what the user allows, and what a recording says of the machine it was made on."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class RecordingHeader(Protocol):
        """What is needed of a ``flameparse.decode.perf_data.header.Header``."""

        hostname: bytes
        release: bytes
        arch: bytes

    class RecordingFile(Protocol):
        """What is needed of a ``flameparse.source.Source``."""

        uid: int | None
        modified_at: float | None


PERF_RULES = "perf-6.1"  # the files perf 6.1 takes, and of them the names it takes
PRECISE_RULES = "precise"


class SymbolOptions:
    """What the user said of symbol files; not changed once made.

    Attributes:
        symfs: a bundle, or a directory laid out like the recorded machine's ``/``; None: this machine's files.
        perf_maps: process to perf map.
        perf_map_dir: directory of files ``perf-PID.map``, or None.
        kallsyms, vmlinux: the recorded kernel's, or None.
        force_map: read perf maps and jitdumps whoever owns them.
        rules: PERF_RULES or PRECISE_RULES.
    """

    __slots__ = ("force_map", "kallsyms", "perf_map_dir", "perf_maps", "rules", "symfs", "vmlinux")

    def __init__(
        self,
        *,
        symfs: str | None = None,
        perf_maps: Mapping[int, str] | None = None,
        perf_map_dir: str | None = None,
        kallsyms: str | None = None,
        vmlinux: str | None = None,
        force_map: bool = False,
        rules: str = PRECISE_RULES,
    ) -> None:
        self.symfs = symfs
        self.perf_maps = dict(perf_maps or {})
        self.perf_map_dir = perf_map_dir
        self.kallsyms = kallsyms
        self.vmlinux = vmlinux
        self.force_map = force_map
        self.rules = rules

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SymbolOptions) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    __hash__ = None  # type: ignore[assignment]

    def with_rules(self, rules: str, *, kallsyms: str | None = None) -> SymbolOptions:
        """The same options by these rules, with this kallsyms file where the user named none of the kernel's."""
        copy = SymbolOptions(rules=rules)
        for name in self.__slots__:
            if name != "rules":
                setattr(copy, name, getattr(self, name))
        if not (self.kallsyms or self.vmlinux):
            copy.kallsyms = kallsyms
        return copy

    @property
    def is_given(self) -> bool:
        """Whether the user named any source of names."""
        return bool(self.symfs or self.perf_maps or self.perf_map_dir or self.kallsyms or self.vmlinux)

    @property
    def reads_any_map(self) -> bool:
        """Whether maps are read whoever owns them, as perf does."""
        return self.force_map or self.rules == PERF_RULES


class HostFacts:
    """What a recording says of where and when it was made.

    Attributes:
        hostname, release, arch: of the machine and its kernel; empty where the recording does not say.
        uid: owner of the recording, or None.
        captured_at: when it had ended, in seconds since the epoch, or None.
    """

    __slots__ = ("arch", "captured_at", "hostname", "release", "uid")

    def __init__(
        self,
        *,
        hostname: str | bytes = "",
        release: str | bytes = "",
        arch: str | bytes = "",
        uid: int | None = None,
        captured_at: float | None = None,
    ) -> None:
        self.hostname = os.fsdecode(hostname)
        self.release = os.fsdecode(release)
        self.arch = os.fsdecode(arch)
        self.uid = uid
        self.captured_at = captured_at

    @classmethod
    def of_recording(cls, header: RecordingHeader, source: RecordingFile) -> HostFacts:
        """Gather what the header of a recording and its file say."""
        return cls(
            hostname=header.hostname,
            release=header.release,
            arch=header.arch,
            uid=source.uid,
            captured_at=source.modified_at,
        )
