"""Which addresses a decoder may take for one, told by the symbols that will name them."""

from __future__ import annotations

import pytest

from flameparse.model.dso import Dso, DsoKind
from flameparse.model.profile import Profile
from flameparse.parallel.symbols import Symbols
from flameparse.symbolize.finder import Found
from flameparse.symbolize.symbol_table import SymbolTable

TABLE = SymbolTable()
TABLE.add(0x10, 0x20, b"f")
TABLE.flatten("precise")


class FakeFinder:
    unverified = ()

    def find(self, dso: Dso) -> Found:
        return Found(None if dso.path == b"[gone]" else TABLE)


class FakeRecording:
    def __init__(self, *dsos: Dso) -> None:
        self.profile = Profile()
        self.functions = self
        self.told: dict[int, list[int]] = {}
        for dso in dsos:
            self.profile.dsos.intern(dso)

    def set(self, row: int, pairs: memoryview) -> None:
        self.told[row] = pairs.tolist()


@pytest.mark.parametrize(("as_tool", "deleted"), [(False, {1: [0x10, 0x20]}), (True, {})])
def test_names_that_keep_their_offset_keep_their_addresses(as_tool: bool, deleted: dict[int, list[int]]) -> None:
    recording = FakeRecording(
        Dso(b"/bin/app", DsoKind.FILE), Dso(b"/bin/old (deleted)", DsoKind.FILE), Dso(b"[gone]", DsoKind.KERNEL),
        Dso(b"[gone]", DsoKind.FILE),
    )  # fmt: skip
    Symbols(FakeFinder(), 2).give_bounds(recording, [0, 1, 2, 3], as_tool=as_tool)
    assert recording.told == {0: [0x10, 0x20], 3: []} | deleted
