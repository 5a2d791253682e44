from typing import final

@final
class LookupTree:
    def __new__(cls, capacity: int) -> LookupTree: ...
