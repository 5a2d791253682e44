from typing import final

from _typeshed import ReadableBuffer

from flameparse.model.profile import Profile

@final
class FoldedTextDecoder:
    profile: Profile
    def __new__(cls, profile: Profile) -> FoldedTextDecoder: ...
    def feed(self, block: ReadableBuffer, length: int) -> int: ...
    def finish(self, rest: ReadableBuffer, length: int) -> None: ...
