"""The same weights under another tree: rooted at chosen functions, or merged from the leaf.

Stacks may be 100,000 frames deep, so nothing here recurses.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flameparse.document.tree import Tree

NONE = 0xFFFFFFFF


class RegroupedTree:
    """A call tree made from another: the columns of `flameparse.document.tree.Tree`, names shared with the source.

    Args:
        source: the tree whose names, unit and event this one has.

    Attributes:
        cut: branches that were left out because they are too light to be drawn.
    """

    __slots__ = (
        "_source", "bare_weight", "cut", "depth", "event", "frame_class", "kind", "name", "name_offsets", "parent",
        "self_weight", "total", "total_weight", "unit",
    )  # fmt: skip

    def __init__(self, source: Tree | RegroupedTree) -> None:
        self._source = source
        self.name_offsets: Sequence[int] = source.name_offsets
        self.unit: str = source.unit
        self.event: bytes = source.event
        self.name: list[int] = []
        self.parent: list[int] = []
        self.depth: list[int] = []
        self.kind: list[int] = []
        self.frame_class: list[int] = []
        self.self_weight: list[int] = []
        self.total_weight: list[int] = []
        self.bare_weight = 0
        self.total = 0
        self.cut = 0

    def name_bytes(self, name: int) -> bytes:
        """Give the bytes of one name of the source tree."""
        return self._source.name_bytes(name)

    def add(self, node: int, parent: int, self_weight: int, total_weight: int) -> int:
        """Append a node that looks like one of the source, after its parent and elder siblings, and give its id."""
        self.name.append(self._source.name[node])
        self.parent.append(parent)
        self.depth.append(0 if parent == NONE else self.depth[parent] + 1)
        self.kind.append(self._source.kind[node])
        self.frame_class.append(self._source.frame_class[node])
        self.self_weight.append(self_weight)
        self.total_weight.append(total_weight)
        return len(self.name) - 1


def rooted_at(tree: Tree | RegroupedTree, names: frozenset[bytes]) -> RegroupedTree:
    """Keep the stacks that pass through one of the names, each from its outermost such frame on.

    Args:
        tree: any call tree.
        names: exact frame names.

    Returns:
        A tree whose roots are named by `names`; its total is the weight of the stacks kept.
    """
    wanted = {name for name in range(len(tree.name_offsets) - 1) if tree.name_bytes(name) in names}
    node_of: dict[tuple[int, int], int] = {}
    children: list[list[int]] = []
    roots: list[int] = []
    merged = RegroupedTree(tree)  # nodes in the order they are met, not yet in pre-order
    place: list[int] = []
    for source, (name, parent, self_weight) in enumerate(zip(tree.name, tree.parent, tree.self_weight, strict=True)):
        below = NONE if parent == NONE else place[parent]
        if below == NONE and name not in wanted:
            place.append(NONE)
            continue
        node = node_of.get((below, name))
        if node is None:
            node = node_of[(below, name)] = merged.add(source, below, 0, 0)
            children.append([])
            (roots if below == NONE else children[below]).append(node)
        merged.self_weight[node] += self_weight
        place.append(node)
    totals = list(merged.self_weight)
    for node in range(len(totals) - 1, -1, -1):
        if merged.parent[node] != NONE:
            totals[merged.parent[node]] += totals[node]

    def lightest_name_last(nodes: list[int]) -> list[int]:
        return sorted(nodes, key=lambda node: tree.name_bytes(merged.name[node]), reverse=True)

    ordered = RegroupedTree(merged)
    ordered.total = sum(totals[node] for node in roots)
    pending = [(node, NONE) for node in lightest_name_last(roots)]
    while pending:
        node, parent = pending.pop()
        new = ordered.add(node, parent, merged.self_weight[node], totals[node])
        pending += ((child, new) for child in lightest_name_last(children[node]))
    return ordered


def from_the_leaf(tree: Tree | RegroupedTree, minimum_weight: int) -> RegroupedTree:
    """Merge the stacks from their innermost frame: roots are the functions that ran, above each its callers.

    The whole such tree has as many nodes as all stacks together have frames, so a branch lighter than the minimum is
    cut where it begins, and counted.

    Args:
        tree: any call tree.
        minimum_weight: the least weight of a branch that is built, at least 1.
    """
    names, parents = list(tree.name), list(tree.parent)
    result = RegroupedTree(tree)
    result.bare_weight, result.total = tree.bare_weight, tree.total

    def add_groups(members: list[tuple[int, int]], below: int) -> None:
        groups: dict[int, list[tuple[int, int]]] = {}
        for node, weight in members:
            groups.setdefault(names[node], []).append((node, weight))
        for name in sorted(groups, key=tree.name_bytes, reverse=True):
            weight = sum(weight for _, weight in groups[name])
            if weight >= minimum_weight:
                pending.append((groups[name], weight, below))
            else:
                result.cut += 1

    pending: list[tuple[list[tuple[int, int]], int, int]] = []
    add_groups([(node, weight) for node, weight in enumerate(tree.self_weight) if weight], NONE)
    while pending:
        members, weight, below = pending.pop()
        callers = [(parents[node], part) for node, part in members if parents[node] != NONE]
        ended = weight - sum(part for _, part in callers)
        new = result.add(members[0][0], below, ended, weight)
        add_groups(callers, new)
    return result
