from typing import final

@final
class MappingTrees:
    mapping_count: int
    node_count: int
    @property
    def memory_bytes(self) -> int: ...
