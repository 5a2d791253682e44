"""Document to folded text: one stack per line, root first, ``;`` between frames, a space and the weight.

Lines are sorted by the bytes of their stack, as the reference tools sort them. Siblings ``a`` and ``a b`` then part
the line of ``a`` itself from the lines below ``a;``, since a blank sorts before ``;``. So the walk orders, among the
children of a node, two things for each child: its own line under ``name``, and its subtree under ``name;``.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memcmp, memcpy

from flameparse.document.tree cimport Tree
from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.growth cimport reserve

from flameparse.document.tree import build_tree, on_one_line, timeline_rows

cdef enum:
    CHUNK_BYTES = 1 << 20


cdef struct Item:
    uint64_t order        # rank of the line's, or of the subtree's, sort key
    uint64_t prefix_bytes # of the parent's stack with its final ';'
    uint32_t node
    bint is_subtree


cdef int compare_items(const void* left, const void* right) noexcept nogil:
    cdef uint64_t a = (<const Item*>left).order
    cdef uint64_t b = (<const Item*>right).order
    # Last first: they are taken from the end.
    return (a < b) - (a > b)


cdef class FoldedWriter:
    """Writes the lines of a tree, a chunk at a time."""

    cdef const unsigned char[::1] blob
    cdef const uint64_t[::1] offsets
    cdef const uint32_t[::1] name
    cdef const uint32_t[::1] parent
    cdef const uint8_t[::1] is_stack
    cdef const uint64_t[::1] weight
    cdef uint64_t* ranks        # of "name" at 2 * id and of "name;" at 2 * id + 1
    cdef uint32_t* ends         # by node: first node past its subtree
    cdef Item* items
    cdef uint64_t item_count
    cdef uint64_t item_capacity
    cdef unsigned char* prefix
    cdef uint64_t prefix_capacity
    cdef unsigned char* out
    cdef uint64_t out_used
    cdef uint64_t out_capacity

    def __cinit__(self, Tree tree not None):
        self.blob = tree.names_blob
        self.offsets = tree.name_offsets
        self.name = tree.name
        self.parent = tree.parent
        self.is_stack = tree.is_stack
        self.weight = tree.self_weight
        self.rank_names()
        self.find_ends()
        self.push_children(0, self.name.shape[0], 0)

    def __dealloc__(self):
        free(self.ranks)
        free(self.ends)
        free(self.items)
        free(self.prefix)
        free(self.out)

    cdef int rank_names(self) except -1:
        """Rank every name twice: as a line's end and, with ``;``, as a subtree's start.

        A tree's names are sorted. Going through them, a name with ``;`` comes once no name that begins with it and goes
        on below ``;`` is left; until then it waits on a stack, the longest on top.
        """
        cdef uint64_t count = self.offsets.shape[0] - 1
        cdef uint64_t i, top, length
        cdef uint64_t depth = 0
        cdef uint64_t rank = 0
        cdef const unsigned char* blob = &self.blob[0] if self.blob.shape[0] else NULL
        cdef uint32_t* waiting = <uint32_t*>malloc(count * sizeof(uint32_t) + 1)
        self.ranks = <uint64_t*>malloc(2 * count * sizeof(uint64_t) + 1)
        try:
            if waiting is NULL or self.ranks is NULL:
                raise MemoryError
            for i in range(count):
                while depth:
                    top = waiting[depth - 1]
                    length = self.offsets[top + 1] - self.offsets[top]
                    if (
                        length < self.offsets[i + 1] - self.offsets[i] and blob[self.offsets[i] + length] < 59
                        and memcmp(blob + self.offsets[i], blob + self.offsets[top], length) == 0
                    ):
                        break
                    self.ranks[2 * top + 1] = rank
                    rank += 1
                    depth -= 1
                self.ranks[2 * i] = rank
                rank += 1
                waiting[depth] = <uint32_t>i
                depth += 1
            while depth:
                depth -= 1
                self.ranks[2 * <uint64_t>waiting[depth] + 1] = rank
                rank += 1
        finally:
            free(waiting)
        return 0

    cdef int find_ends(self) except -1:
        """Where each subtree ends in pre-order."""
        cdef uint64_t count = self.name.shape[0]
        cdef uint64_t i
        self.ends = <uint32_t*>malloc(count * sizeof(uint32_t) + 1)
        if self.ends is NULL:
            raise MemoryError
        for i in range(count):
            self.ends[i] = <uint32_t>(i + 1)
        for i in range(count, 0, -1):
            if self.parent[i - 1] != NONE_ID:
                self.ends[self.parent[i - 1]] = max(self.ends[self.parent[i - 1]], self.ends[i - 1])
        return 0

    cdef int push_children(self, uint64_t node, uint64_t end, uint64_t prefix_bytes) except -1 nogil:
        """Put the lines and subtrees of siblings on the stack of work, in order.

        Args:
            node: the first sibling.
            end: past the last one's subtree.
            prefix_bytes: of the prefix they share.
        """
        cdef uint64_t first = self.item_count
        cdef Item* item
        while node < end:
            reserve(<void**>&self.items, &self.item_capacity, self.item_count + 2, sizeof(Item))
            if self.is_stack[node]:
                item = &self.items[self.item_count]
                item[0] = Item(self.ranks[2 * self.name[node]], prefix_bytes, <uint32_t>node, False)
                self.item_count += 1
            if self.ends[node] > node + 1:
                item = &self.items[self.item_count]
                item[0] = Item(self.ranks[2 * self.name[node] + 1], prefix_bytes, <uint32_t>node, True)
                self.item_count += 1
            node = self.ends[node]
        if self.item_count - first > 1:
            qsort(self.items + first, self.item_count - first, sizeof(Item), compare_items)
        return 0

    cdef int write_line(self, Item item) except -1 nogil:
        """Append ``prefix;name weight``."""
        cdef uint64_t id = self.name[item.node]
        cdef uint64_t length = self.offsets[id + 1] - self.offsets[id]
        cdef uint64_t weight = self.weight[item.node]
        cdef unsigned char digits[24]
        cdef int digit_at = 24
        reserve(<void**>&self.out, &self.out_capacity, self.out_used + item.prefix_bytes + length + 24, 1)
        if item.prefix_bytes:
            memcpy(self.out + self.out_used, self.prefix, item.prefix_bytes)
        self.out_used += item.prefix_bytes
        if length:
            memcpy(self.out + self.out_used, &self.blob[self.offsets[id]], length)
        self.out_used += length
        digit_at -= 1
        digits[digit_at] = 10
        while True:
            digit_at -= 1
            digits[digit_at] = <unsigned char>(48 + weight % 10)
            weight //= 10
            if weight == 0:
                break
        digit_at -= 1
        digits[digit_at] = 32
        memcpy(self.out + self.out_used, digits + digit_at, 24 - digit_at)
        self.out_used += 24 - digit_at
        return 0

    cdef int enter(self, Item item) except -1 nogil:
        """Add a node to the prefix and its children to the work."""
        cdef uint64_t id = self.name[item.node]
        cdef uint64_t length = self.offsets[id + 1] - self.offsets[id]
        cdef uint64_t end = item.prefix_bytes + length + 1
        reserve(<void**>&self.prefix, &self.prefix_capacity, end, 1)
        if length:
            memcpy(self.prefix + item.prefix_bytes, &self.blob[self.offsets[id]], length)
        self.prefix[end - 1] = 59
        return self.push_children(<uint64_t>item.node + 1, self.ends[item.node], end)

    def next_chunk(self):
        """The next whole lines, about a mebibyte; empty at the end."""
        cdef Item item
        self.out_used = 0
        with nogil:
            while self.item_count and self.out_used < CHUNK_BYTES:
                self.item_count -= 1
                item = self.items[self.item_count]
                if item.is_subtree:
                    self.enter(item)
                else:
                    self.write_line(item)
        return PyBytes_FromStringAndSize(<char*>self.out, self.out_used)


def folded_chunks(document not None, *, event=None, weight=None, root=None):
    """Write the folded text of one view.

    Args:
        document: a valid document.
        event, weight, root: see ``flameparse.document.tree.build_tree``.

    Yields:
        bytes: whole lines.

    Raises:
        UsageError: no such event, weight or root.
    """
    tree = build_tree(document, event=event, weight=weight, root=root, one_line=True)
    cdef FoldedWriter writer = FoldedWriter(tree)
    while chunk := writer.next_chunk():
        yield chunk


def timeline_chunks(document not None, *, event=None, weight=None, root=None):
    """Write one line per sample in time order, for a flame chart; equal neighbours become one line.

    Args:
        document: one that keeps its time line.
        event, weight, root: see ``flameparse.document.tree.build_tree``.

    Yields:
        bytes: whole lines.

    Raises:
        UsageError: no time line, or no such event, weight or root.
    """
    rows, _, _ = timeline_rows(document, event=event, weight=weight, root=root)
    texts = {}
    last = None
    pending = 0
    for label, stack, sample_weight in rows:
        if (label, stack) != last:
            if last is not None:
                yield b"%s %d\n" % (texts[last], pending)
            last = (label, stack)
            pending = 0
            if last not in texts:
                texts[last] = stack_text(document, label, stack)
        pending += sample_weight
    if last is not None:
        yield b"%s %d\n" % (texts[last], pending)


def stack_text(document not None, label, uint32_t stack):
    """One stack, root first, as folded text holds it."""
    names = []
    while stack != NONE_ID:
        names.append(on_one_line(document.string(document.frame_name[document.stack_frame[stack]])))
        stack = document.stack_parent[stack]
    if label is not None:
        names.append(on_one_line(label))
    return b";".join(reversed(names)) or b"[unknown]"
