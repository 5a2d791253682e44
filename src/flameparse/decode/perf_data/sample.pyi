from typing import final

from _typeshed import ReadableBuffer

from flameparse.decode.address_space import AddressSpace
from flameparse.decode.perf_data.event_layout import EventLayouts
from flameparse.decode.perf_data.function_bounds import FunctionBounds
from flameparse.decode.perf_data.record_walk import RecordWalk
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable

def name_unknown_threads(profile: Profile) -> None: ...
def sort_timeline(samples: SampleTable) -> None: ...

@final
class SampleDecoder:
    profile: Profile
    def __new__(
        cls,
        profile: Profile,
        space: AddressSpace,
        layouts: EventLayouts,
        functions: FunctionBounds,
        *,
        max_frames: int = 0,
        keeps_addresses: bool = False,
        first_time: int | None = None,
        names_come_late: bool = False,
    ) -> SampleDecoder: ...
    def sibling(self) -> SampleDecoder: ...
    def feed(self, block: ReadableBuffer, length: int, offset: int) -> None: ...
    def feed_held(self, walk: RecordWalk, until: int) -> None: ...
    def dsos_met(self) -> list[int]: ...
    def forget_addresses(self) -> None: ...
    def rename_events(self) -> bool: ...
    def finish(self) -> None: ...
    @property
    def malformed_places(self) -> list[int]: ...
