"""A call tree made from stacks of any byte names, with every column the SVG reads."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from itertools import takewhile

NONE = 0xFFFFFFFF
USER, KERNEL, JIT, INLINED, PROCESS = range(5)


class StackTree:
    """Stacks merged from the root, in pre-order, siblings sorted bytewise.

    Args:
        stacks: root-first names of each stack and its weight; the empty stack is bare weight.
        kinds: kinds of the names that are not user code.
        traits: (class, tier, presets) of the names that have them.
    """

    def __init__(
        self,
        stacks: Mapping[tuple[bytes, ...], int],
        *,
        kinds: Mapping[bytes, int] | None = None,
        traits: Mapping[bytes, tuple[int, int, int]] | None = None,
        unit: str = "samples",
        event: bytes = b"cycles",
    ) -> None:
        self.unit, self.event = unit, event
        self.bare_weight = stacks.get((), 0)
        self.total = sum(stacks.values())
        self.name, self.parent, self.depth = array("I"), array("I"), array("I")
        self.kind, self.self_weight, self.total_weight = array("B"), array("Q"), array("Q")
        self.frame_class, self.tier, self.presets = array("B"), array("B"), array("B")
        ids: dict[bytes, int] = {}
        path: tuple[bytes, ...] = ()
        open_nodes: list[int] = []
        for stack, weight in sorted(stacks.items()):
            shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(path, stack, strict=False)))
            del open_nodes[shared:]
            for name in stack[shared:]:
                self.name.append(ids.setdefault(name, len(ids)))
                self.parent.append(open_nodes[-1] if open_nodes else NONE)
                self.depth.append(len(open_nodes))
                self.kind.append((kinds or {}).get(name, USER))
                for column, value in zip(
                    (self.frame_class, self.tier, self.presets), (traits or {}).get(name, (0, 0, 0)), strict=True
                ):
                    column.append(value)
                self.self_weight.append(0)
                self.total_weight.append(0)
                open_nodes.append(len(self.name) - 1)
            if stack:
                self.self_weight[open_nodes[-1]] += weight
                for node in open_nodes:
                    self.total_weight[node] += weight
            path = stack
        self._names = list(ids)
        self.name_offsets = range(len(ids) + 1)

    def name_bytes(self, name: int) -> bytes:
        return self._names[name]
