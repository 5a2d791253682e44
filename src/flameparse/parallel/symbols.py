"""The symbols of a recording's DSOs, several loaded at once."""

from __future__ import annotations

from flameparse.model.dso import DsoKind
from flameparse.parallel.threads import run_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from flameparse.decode.perf_data.recording import Recording
    from flameparse.model.dso import Dso
    from flameparse.model.profile import Profile
    from flameparse.symbolize.finder import Finder, Found
    from flameparse.symbolize.symbolize import DsoFrames

    Item = TypeVar("Item")


class Symbols:
    """Finds the symbols of each DSO once.

    Args:
        finder: finds them.
        threads: to do so on.
    """

    def __init__(self, finder: Finder, threads: int) -> None:
        self.finder = finder
        self._threads = threads
        self._found: dict[Dso, Found] = {}

    def give_bounds(self, recording: Recording, rows: list[int], *, as_tool: bool) -> None:
        """Tell the decoders of a recording which addresses will have the same name.

        Args:
            recording: whose ``functions`` are told.
            rows: of its DSOs, those to load symbols for.
            as_tool: see ``DsoFrames.read_as_tool``: names that keep their offset differ from address to address.
        """
        if as_tool:
            rows = [row for row in rows if b" (" not in recording.profile.dsos.rows[row].path]
        dsos = [recording.profile.dsos.rows[row] for row in rows]
        self._for_each(self._find, dsos)
        for row, dso in zip(rows, dsos, strict=True):
            table = self._found[dso].table
            if table is not None:
                recording.functions.set(row, table.bounds())
            elif dso.kind != DsoKind.KERNEL:  # that an address lies outside of it is seen by the address
                recording.functions.set(row, memoryview(b"").cast("Q"))

    def name_frames(self, profile: Profile, *, rules: str, as_tool: bool, keeps_addresses: bool) -> None:
        """Give the frames of a profile at address level their names.

        Args:
            profile: changed in place.
            rules: by which names are demangled.
            as_tool: see ``DsoFrames.read_as_tool``.
            keeps_addresses: see ``settle``.
        """
        from flameparse.symbolize.symbolize import demangles, group_frames, settle

        def resolve(group: DsoFrames) -> None:
            group.found = self._find(group.dso)
            if as_tool:
                group.read_as_tool()
            if group.found.table is not None:
                group.resolve(group.found.table, demangles(group.dso.kind), rules)

        groups = group_frames(profile)
        self._for_each(resolve, groups)
        settle(profile, groups, keeps_addresses=keeps_addresses)
        profile.diagnostics.count("unverified_files", len(self.finder.unverified))

    def _find(self, dso: Dso) -> Found:
        found = self._found.get(dso)
        if found is None:
            found = self._found[dso] = self.finder.find(dso)
        return found

    def _for_each(self, work: Callable[[Item], object], items: Iterable[Item]) -> None:
        """Do something for each of several DSOs, the first ones first, on all threads."""
        waiting = list(items)
        threads = min(self._threads, len(waiting))
        waiting.reverse()

        def take(_: int, failures: list[BaseException]) -> None:
            while not failures and waiting:
                try:
                    item = waiting.pop()
                except IndexError:  # another thread took the last one
                    break
                work(item)

        run_threads(take, list(range(max(1, threads))))
