from typing import final

from _typeshed import ReadableBuffer

@final
class FunctionBounds:
    def __new__(cls) -> FunctionBounds: ...
    def set(self, dso: int, pairs: ReadableBuffer) -> None: ...
