from typing import final

@final
class LineMemo:
    count: int
    def __new__(cls, max_bytes: int, max_lines: int) -> LineMemo: ...

@final
class ChainMemo:
    count: int
    def __new__(cls, max_frames: int, max_chains: int) -> ChainMemo: ...
