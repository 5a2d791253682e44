from typing import final

@final
class FrameTable:
    count: int
    def __new__(cls, expected: int = 0) -> FrameTable: ...
    def __len__(self) -> int: ...
    def add(
        self,
        name: int,
        dso: int = ...,
        kind: int = ...,
        address: int = 0,
        frame_class: int = 0,
        tier: int = 0,
        presets: int = 0,
    ) -> int: ...
    def get(self, id: int) -> tuple[int, int, int, int]: ...
    def traits(self, id: int) -> tuple[int, int, int]: ...
    @property
    def memory_bytes(self) -> int: ...
