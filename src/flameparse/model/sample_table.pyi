from typing import final

@final
class SampleTable:
    keeps_timeline: bool
    timeline_count: int
    total_count: int
    samples_seen: int
    outside_window: int
    on_other_cpus: int
    impossible_periods: int
    first_time_ns: int
    last_time_ns: int
    def __new__(
        cls,
        *,
        keeps_timeline: bool = False,
        from_ns: int | None = None,
        to_ns: int | None = None,
        from_is_relative: bool = False,
        to_is_relative: bool = False,
        allowed_cpus: bytes | None = None,
    ) -> SampleTable: ...
    def sibling(self) -> SampleTable: ...
    def add_row(
        self, event: int, thread: int, stack: int, period: int = 1, *, cpu: int = ..., time_ns: int | None = None
    ) -> None: ...
    def add_sum(self, event: int, stack: int, samples: int, *, thread: int = ...) -> None: ...
    def total_rows(self) -> list[tuple[int, int, int, int, int]]: ...
    def see(self, samples: int) -> None: ...
    def held(self) -> tuple[int, int]: ...
    @property
    def memory_bytes(self) -> int: ...
