"""A red-black tree of symbols by start address, of the very shape the Linux kernel's tree would have.

perf keeps symbols in the kernel's tree and descends it by start address alone. Where symbols overlap, the one it meets
first wins, so which it is depends on the tree's shape, and that on the order of all insertions and removals.
"""

cimport cython
from libc.stdint cimport UINT32_MAX, uint32_t, uint64_t
from libc.stdlib cimport calloc, free


@cython.final
cdef class LookupTree:
    """Holds rows of a table by start address; side 0 of a node is left, side 1 right.

    Args:
        capacity: rows are below it.
    """

    def __cinit__(self, uint64_t capacity):
        if capacity >= UINT32_MAX:
            raise OverflowError("more than 2**32 - 2 symbols")
        self.nodes = <Node*>calloc(capacity + 1, sizeof(Node))
        if self.nodes is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.nodes)

    cdef void insert(self, uint32_t row, uint64_t start, uint32_t before, uint32_t after) noexcept nogil:
        """Add a row that is not in the tree, at a place the caller knows.

        A descent from the root ends below one of the two neighbours: below the one before if that has nothing on its
        right, else on the left of the one after, which then has nothing there.

        Args:
            row: the new one.
            start: its start.
            before, after: nodes it comes between, 0 for none: the one before starts there or earlier, the one after
                later.

        Source: rb_insert_color, lib/rbtree.c of Linux; the classic algorithm with at most two rotations.
        """
        cdef Node* nodes = self.nodes
        cdef uint32_t node = row + 1
        cdef uint32_t side = before != 0 and not nodes[before].children[1]
        cdef uint32_t parent = before if side else after
        cdef uint32_t grand, uncle
        nodes[node].start = start
        nodes[node].children[0] = nodes[node].children[1] = 0
        nodes[node].parent = parent
        nodes[node].is_red = True
        if parent:
            nodes[parent].children[side] = node
        else:
            self.root = node
        while nodes[nodes[node].parent].is_red:
            parent = nodes[node].parent
            grand = nodes[parent].parent
            side = nodes[grand].children[1] == parent
            uncle = nodes[grand].children[1 - side]
            if nodes[uncle].is_red:
                nodes[parent].is_red = nodes[uncle].is_red = False
                nodes[grand].is_red = True
                node = grand
                continue
            if nodes[parent].children[1 - side] == node:
                self.rotate(parent, side)
                parent = node
            nodes[parent].is_red = False
            nodes[grand].is_red = True
            self.rotate(grand, 1 - side)
            break
        nodes[self.root].is_red = False

    cdef void erase(self, uint32_t row) noexcept nogil:
        """Take a row out; where it has two children, the next in order takes its place.

        Source: rb_erase, lib/rbtree.c of Linux.
        """
        cdef Node* nodes = self.nodes
        cdef uint32_t node = row + 1
        cdef uint32_t left = nodes[node].children[0]
        cdef uint32_t right = nodes[node].children[1]
        cdef uint32_t gap = nodes[node].parent   # below it a subtree may now be one black node short
        cdef uint32_t child = left | right       # what fills the place, where there is one child at most
        cdef uint32_t heir
        cdef bint was_red = nodes[node].is_red
        if left and right:
            heir = right
            while nodes[heir].children[0]:
                heir = nodes[heir].children[0]
            child = nodes[heir].children[1]
            was_red = nodes[heir].is_red
            gap = nodes[heir].parent
            if gap == node:
                gap = heir
            else:
                nodes[gap].children[0] = child
                nodes[heir].children[1] = right
                nodes[right].parent = heir
            nodes[heir].children[0] = left
            nodes[left].parent = heir
            nodes[heir].is_red = nodes[node].is_red
            self.replace(node, heir)
        else:
            self.replace(node, child)
        if child:
            nodes[child].parent = gap
            nodes[child].is_red = False
        elif not was_red:
            self.refill(gap)

    cdef void refill(self, uint32_t parent) noexcept nogil:
        """Give one side of a node, from which a black leaf was taken, its black node back."""
        cdef Node* nodes = self.nodes
        cdef uint32_t node = 0
        cdef uint32_t side, sibling, near, far
        while parent:
            side = nodes[parent].children[1] == node
            sibling = nodes[parent].children[1 - side]
            if nodes[sibling].is_red:
                nodes[sibling].is_red = False
                nodes[parent].is_red = True
                self.rotate(parent, side)
                sibling = nodes[parent].children[1 - side]
            near = nodes[sibling].children[side]
            far = nodes[sibling].children[1 - side]
            if not nodes[far].is_red:
                if not nodes[near].is_red:
                    nodes[sibling].is_red = True
                    if nodes[parent].is_red:
                        nodes[parent].is_red = False
                        return
                    node = parent
                    parent = nodes[node].parent
                    continue
                self.rotate(sibling, 1 - side)
                far = sibling
                sibling = near
            nodes[sibling].is_red = nodes[parent].is_red
            nodes[parent].is_red = nodes[far].is_red = False
            self.rotate(parent, side)
            return

    cdef void rotate(self, uint32_t top, uint32_t side) noexcept nogil:
        """Move a node down to one side; its child on the other takes its place."""
        cdef Node* nodes = self.nodes
        cdef uint32_t riser = nodes[top].children[1 - side]
        cdef uint32_t inner = nodes[riser].children[side]
        nodes[top].children[1 - side] = inner
        if inner:
            nodes[inner].parent = top
        self.replace(top, riser)
        nodes[riser].children[side] = top
        nodes[top].parent = riser

    cdef void replace(self, uint32_t node, uint32_t heir) noexcept nogil:
        """Put a node, or none, where another one hangs."""
        cdef Node* nodes = self.nodes
        cdef uint32_t parent = nodes[node].parent
        if not parent:
            self.root = heir
        else:
            nodes[parent].children[nodes[parent].children[1] == node] = heir
        if heir:
            nodes[heir].parent = parent

    cdef uint32_t last_before(self, uint64_t start) noexcept nogil:
        """Find the rightmost node that starts before an address; 0 where there is none."""
        cdef uint32_t at = self.root
        cdef uint32_t found = 0
        while at:
            if self.nodes[at].start < start:
                found = at
                at = self.nodes[at].children[1]
            else:
                at = self.nodes[at].children[0]
        return found

    cdef uint32_t neighbour(self, uint32_t node, uint32_t side) noexcept nogil:
        """Find the next node in order (side 1) or the one before (side 0).

        Node 0 stands before the first and after the last: it is what follows the last, and its next is the first.
        """
        cdef Node* nodes = self.nodes
        cdef uint32_t at = nodes[node].children[side] if node else self.root
        if at:
            while nodes[at].children[1 - side]:
                at = nodes[at].children[1 - side]
            return at
        at = nodes[node].parent
        while at and nodes[at].children[side] == node:
            node = at
            at = nodes[at].parent
        return at
