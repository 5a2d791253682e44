"""Where every frame of a call tree goes: which are drawn, from which weight to which, in which row."""

from __future__ import annotations

from flameparse import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flameparse.document.tree import Tree
    from flameparse.render.svg.regroup import RegroupedTree

NONE = 0xFFFFFFFF


class Layout:
    """The drawn frames of a tree, in pre-order; a picture's x axis is weight, and stays whole numbers until written.

    Attributes:
        nodes: tree nodes drawn.
        starts: for each of them, the weight left of it.
        rows: one more than the deepest depth drawn.
        pruned: frames too narrow to be drawn, with all above them.
        minimum_weight: the least weight drawn.
    """

    __slots__ = ("minimum_weight", "nodes", "pruned", "rows", "starts")

    def __init__(self, tree: Tree | RegroupedTree, minimum_weight: int) -> None:
        """Place the frames.

        Args:
            tree: a call tree in pre-order; children begin where their parent begins, its self weight is last.
            minimum_weight: lighter frames are left out, at least 1; raised where more than `limits.MAX_SVG_FRAMES`
                frames would be drawn.
        """
        weights = list(tree.total_weight)
        self.minimum_weight = _capped(weights, max(1, minimum_weight))
        self.nodes: list[int] = []
        self.starts: list[int] = []
        self.pruned = 0
        self.rows = 0
        depths = tree.depth
        next_start = [0] * len(weights)
        next_root = 0
        for node, parent in enumerate(tree.parent):
            weight = weights[node]
            if parent == NONE:
                start = next_root
                next_root += weight
            else:
                start = next_start[parent]
                next_start[parent] = start + weight
            if weight < self.minimum_weight:
                self.pruned += 1
                continue
            next_start[node] = start
            self.nodes.append(node)
            self.starts.append(start)
            self.rows = max(self.rows, depths[node] + 1)


def _capped(weights: list[int], minimum_weight: int) -> int:
    """Raise the minimum until no more frames than the cap are left; parents outweigh children, so trees stay whole."""
    drawn = [weight for weight in weights if weight >= minimum_weight]
    if len(drawn) <= limits.MAX_SVG_FRAMES:
        return minimum_weight
    drawn.sort(reverse=True)
    return drawn[limits.MAX_SVG_FRAMES] + 1
