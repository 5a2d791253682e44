from collections.abc import Iterator
from typing import final

from flameparse.document.document import Document
from flameparse.document.tree import Event, Tree

@final
class FoldedWriter:
    def __new__(cls, tree: Tree) -> FoldedWriter: ...
    def next_chunk(self) -> bytes: ...

def folded_chunks(
    document: Document, *, event: Event = None, weight: str | None = None, root: str | None = None
) -> Iterator[bytes]: ...
def timeline_chunks(
    document: Document, *, event: Event = None, weight: str | None = None, root: str | None = None
) -> Iterator[bytes]: ...
def stack_text(document: Document, label: bytes | None, stack: int) -> bytes: ...
