from collections.abc import Sequence
from typing import TypeAlias, final

from flameparse.document.document import Document

Event: TypeAlias = bytes | Sequence[bytes] | None
ROOTS: tuple[str, ...]

@final
class Tree:
    names_blob: bytes
    name_offsets: memoryview[int]
    name: memoryview[int]
    parent: memoryview[int]
    depth: memoryview[int]
    kind: memoryview[int]
    frame_class: memoryview[int]
    tier: memoryview[int]
    presets: memoryview[int]
    is_stack: memoryview[int]
    self_weight: memoryview[int]
    total_weight: memoryview[int]
    bare_weight: int
    total: int
    unit: str
    event: bytes
    def name_bytes(self, name: int) -> bytes: ...
    def __len__(self) -> int: ...

def shown_events(names: list[bytes], event: Event) -> list[int]: ...
def on_one_line(name: bytes) -> bytes: ...
def root_labels(document: Document, root: str | None) -> list[bytes | None]: ...
def build_tree(
    document: Document,
    *,
    event: Event = None,
    weight: str | None = None,
    root: str | None = None,
    one_line: bool = False,
    apart: bool = False,
) -> Tree: ...
def timeline_rows(
    document: Document, *, event: Event = None, weight: str | None = None, root: str | None = None
) -> tuple[list[tuple[bytes | None, int, int]], str, bytes]: ...
def build_timeline_tree(
    document: Document, *, event: Event = None, weight: str | None = None, root: str | None = None
) -> Tree: ...
