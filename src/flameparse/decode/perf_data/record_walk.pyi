from typing import final

from _typeshed import ReadableBuffer

from flameparse.decode.perf_data.event_layout import EventLayouts
from flameparse.decode.side_events import SideEvents
from flameparse.model.string_table import StringTable

@final
class RecordWalk:
    layouts: EventLayouts
    side_events: SideEvents
    is_stopped: bool
    user_record: tuple[int, int, bytes] | None
    first_sample_time: int
    sample_count: int
    lost: int
    unknown_ids: int
    malformed: int
    settled_time: int
    held_count: int
    def __new__(
        cls, layouts: EventLayouts, side_events: SideEvents, strings: StringTable, *, holds_samples: bool = False
    ) -> RecordWalk: ...
    def feed(self, block: ReadableBuffer, length: int, offset: int) -> int: ...
    @property
    def segments_found(self) -> list[tuple[int, int]]: ...
    @property
    def record_counts(self) -> dict[str, int]: ...
    @property
    def held_bytes_count(self) -> int: ...
