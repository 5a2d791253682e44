"""perf's symbol tree, slow and apart from the product: objects, one function per case of the textbook algorithm."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise


class Node:
    def __init__(self, start: int, end: int, row: int) -> None:
        self.start, self.end, self.row = start, end, row
        self.left: Node | None = None
        self.right: Node | None = None
        self.up: Node | None = None
        self.red = True


def red(node: Node | None) -> bool:
    return node is not None and node.red


class Tree:
    """Red-black insertion and deletion as in Cormen et al., with None for the leaves."""

    def __init__(self) -> None:
        self.root: Node | None = None

    def _hang(self, old: Node, new: Node | None) -> None:
        if old.up is None:
            self.root = new
        elif old.up.left is old:
            old.up.left = new
        else:
            old.up.right = new
        if new is not None:
            new.up = old.up

    def _left_rotate(self, x: Node) -> None:
        y = x.right
        assert y is not None
        x.right = y.left
        if y.left is not None:
            y.left.up = x
        self._hang(x, y)
        y.left, x.up = x, y

    def _right_rotate(self, x: Node) -> None:
        y = x.left
        assert y is not None
        x.left = y.right
        if y.right is not None:
            y.right.up = x
        self._hang(x, y)
        y.right, x.up = x, y

    def insert(self, node: Node) -> None:
        at, parent = self.root, None
        while at is not None:
            parent = at
            at = at.left if node.start < at.start else at.right
        node.up = parent
        if parent is None:
            self.root = node
        elif node.start < parent.start:
            parent.left = node
        else:
            parent.right = node
        while node.up is not None and node.up.red:
            parent, grand = node.up, node.up.up
            assert grand is not None
            is_left = parent is grand.left
            uncle = grand.right if is_left else grand.left
            if red(uncle):
                assert uncle is not None
                parent.red = uncle.red = False
                grand.red = True
                node = grand
                continue
            if node is (parent.right if is_left else parent.left):
                node = parent
                (self._left_rotate if is_left else self._right_rotate)(node)
                assert node.up is not None
                parent = node.up
            parent.red, grand.red = False, True
            (self._right_rotate if is_left else self._left_rotate)(grand)
        assert self.root is not None
        self.root.red = False

    def erase(self, node: Node) -> None:
        if node.left is not None and node.right is not None:
            heir = node.right
            while heir.left is not None:
                heir = heir.left
            was_red, child, parent = heir.red, heir.right, heir.up
            if parent is node:
                parent = heir
            else:
                self._hang(heir, child)
                heir.right = node.right
                heir.right.up = heir
            self._hang(node, heir)
            heir.left, heir.red = node.left, node.red
            heir.left.up = heir
        else:
            was_red, child, parent = node.red, node.left or node.right, node.up
            self._hang(node, child)
        if not was_red:
            self._repair(child, parent)

    def _repair(self, node: Node | None, parent: Node | None) -> None:
        while parent is not None and not red(node):
            is_left = parent.left is node
            turn, back = (self._left_rotate, self._right_rotate) if is_left else (self._right_rotate, self._left_rotate)
            sibling = parent.right if is_left else parent.left
            assert sibling is not None
            if sibling.red:
                sibling.red, parent.red = False, True
                turn(parent)
                sibling = parent.right if is_left else parent.left
                assert sibling is not None
            near, far = (sibling.left, sibling.right) if is_left else (sibling.right, sibling.left)
            if not red(near) and not red(far):
                sibling.red = True
                node, parent = parent, parent.up
                continue
            if not red(far):
                assert near is not None
                near.red, sibling.red = False, True
                back(sibling)
                sibling, far = near, sibling
            assert far is not None
            sibling.red, parent.red, far.red = parent.red, False, False
            turn(parent)
            node, parent = self.root, None
        if node is not None:
            node.red = False

    def find(self, address: int) -> int | None:
        at = self.root
        while at is not None:
            if address < at.start:
                at = at.left
            elif address > at.end or (address == at.end and at.end != at.start):
                at = at.right
            else:
                return at.row
        return None

    def in_order(self) -> Iterator[Node]:
        stack: list[Node] = []
        at = self.root
        while stack or at is not None:
            while at is not None:
                stack.append(at)
                at = at.left
            at = stack.pop()
            yield at
            at = at.right


Row = tuple[int, int, bytes, int]


def is_better(second: Node, first: Node, rows: list[Row]) -> bool:
    def rank(node: Node) -> tuple[bool, bool, bool, int, int]:
        _, _, name, binding = rows[node.row]
        underscores = len(name) - len(name.lstrip(b"_"))
        return (node.end > node.start, binding != 2, binding == 1, -underscores, len(name))

    if rank(first) != rank(second):
        return rank(second) > rank(first)
    return rows[first.row][2].startswith((b"SyS", b"compat_SyS"))


def answers(batches: list[list[Row]], loose: list[Row], addresses: list[int]) -> list[int | None]:
    """What perf answers for addresses: rows are numbered through all batches.

    Args:
        batches: symbol tables; after each, gaps are closed and aliases chosen.
        loose: rows inserted at the end without either.
        addresses: asked for.
    """
    tree = Tree()
    rows: list[Row] = []
    for batch in [*batches, loose]:
        for start, end, name, binding in batch:
            tree.insert(Node(start, end, len(rows)))
            rows.append((start, end, name, binding))
        if batch is loose:
            break
        nodes = list(tree.in_order())
        for node, following in pairwise(nodes):
            if node.start == node.end:
                node.end = following.start
        if nodes and nodes[-1].start == nodes[-1].end:
            nodes[-1].end = (nodes[-1].start + 4095) // 4096 * 4096 + 4096
        kept = nodes[0] if nodes else None
        for node in nodes[1:]:
            assert kept is not None
            if node.start != kept.start:
                kept = node
            elif is_better(node, kept, rows):
                tree.erase(kept)
                kept = node
            else:
                tree.erase(node)
    return [tree.find(address) for address in addresses]
