from typing import final

from flameparse.decode.perf_data.attr import EventAttr

@final
class EventLayouts:
    attrs: list[EventAttr]
    count: int
    id_count: int
    def __new__(cls, *, swaps: bool = False, arch: str = "") -> EventLayouts: ...
    def __len__(self) -> int: ...
    def add(self, attr: EventAttr) -> int: ...
