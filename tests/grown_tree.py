"""A call tree of any size grown from a seed, for measurements."""

from __future__ import annotations

import random
from array import array

from stack_tree import INLINED, JIT, KERNEL, PROCESS, USER


class GrownTree:
    """The columns of a call tree, appended node by node in pre-order."""

    unit, event, bare_weight = "samples", b"cycles", 0

    def __init__(self) -> None:
        self.name, self.depth = array("I"), array("I")
        self.kind, self.self_weight = array("B"), array("Q")
        self._ids: dict[bytes, int] = {}

    def add(self, depth: int, name: bytes, weight: int, kind: int) -> None:
        """Append a node; `depth` is at most one more than that of the node before."""
        self.name.append(self._ids.setdefault(name, len(self._ids)))
        self.depth.append(depth)
        self.kind.append(kind)
        self.self_weight.append(weight)

    def finish(self) -> GrownTree:
        """Close the tree: no more nodes."""
        self.frame_class = self.tier = self.presets = array("B", bytes(len(self.name)))
        self._names = list(self._ids)
        self.name_offsets = range(len(self._names) + 1)
        self.total = sum(self.self_weight)
        return self

    def name_bytes(self, name: int) -> bytes:
        """The bytes of a name."""
        return self._names[name]


_WORDS = [
    "parse", "read", "write", "buffer", "stream", "socket", "connect", "accept", "handle", "request", "response",
    "queue", "push", "pop", "table", "index", "lookup", "insert", "merge", "sort", "scan", "emit", "encode",
    "decode", "compress", "inflate", "alloc", "release", "cache", "visit", "node", "render", "layout", "paint",
    "schedule", "wait", "notify", "lock", "timer", "event", "loop", "flush", "commit", "begin", "apply", "resolve",
    "bind", "compile", "inline", "lower", "select",
]  # fmt: skip


def grown(node_count: int, *, seed: int = 1, function_count: int = 23_000) -> GrownTree:
    """Grow a tree like a sampled service's: stacks 30 to 60 deep, few callees per function, heavy-tailed weights.

    Args:
        node_count: most nodes it may have; about that many.
        seed: equal seeds give equal trees.
        function_count: distinct functions to draw from.
    """
    chance = random.Random(seed)
    functions = []
    for number in range(function_count):
        words = [chance.choice(_WORDS) for _ in range(chance.randint(4, 7))]
        kind = KERNEL if number % 9 == 0 else JIT if number % 4 == 0 else INLINED if number % 17 == 0 else USER
        namespace = "" if kind == KERNEL else f"{words[0]}::{words[1].title()}::"
        functions.append((f"{namespace}{'_'.join(words[2:])}_{number:x}".encode(), kind))
    callees = [
        sorted({int(function_count * chance.random() ** 1.6) for _ in range(14)}, key=lambda f: functions[f][0])
        for _ in range(function_count)
    ]
    tree = GrownTree()
    tree.add(0, b"service", 0, PROCESS)
    # Pending: depth, function, distinct stacks below; the last is grown next, so children are pushed in reverse.
    pending = [(1, function, node_count // 24) for function in reversed(callees[0][:20])]
    while pending and len(tree.name) < node_count:
        depth, function, stacks = pending.pop()
        name, kind = functions[function]
        ends = depth > 60 or (stacks <= 1 and chance.random() < 0.45)
        weight = min(int(chance.paretovariate(1.1)), 1 << 20) if ends or chance.random() < 0.03 else 0
        tree.add(depth, name, weight, kind)
        if ends:
            continue
        width = 1 if chance.random() < 0.55 else min(len(callees[function]), chance.randint(2, 9), max(1, stacks))
        chosen = sorted(chance.sample(range(len(callees[function])), width), reverse=True)
        shares = [chance.random() ** 2 + 0.02 for _ in chosen]
        for position, share in zip(chosen, shares, strict=True):
            part = int(stacks * share / sum(shares))
            if part or position == chosen[0]:
                pending.append((depth + 1, callees[function][position], part))
    return tree.finish()
