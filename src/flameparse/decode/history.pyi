from typing import final

@final
class History:
    owner_count: int
    version_count: int
    @property
    def memory_bytes(self) -> int: ...
