"""Distinct stacks as a tree: a stack is its caller's stack and one frame more."""

from libc.stdint cimport UINT32_MAX, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free

from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.growth cimport reserve
from flameparse.model.hash_index cimport index_free, index_init, index_put, slot_id
from flameparse.scan.byte_hash cimport mix


cdef class StackTable:
    """Interns stacks. A parent is always added before its children, so one pass over ids is a tree walk.

    Args:
        expected: how many there will be at least, so that the index need not grow up to there.
    """

    def __cinit__(self, uint64_t expected=0):
        index_init(&self.index, max(expected, <uint64_t>512))

    def __dealloc__(self):
        cdef int lane
        for lane in range(STACK_LANES):
            free(self.lanes[lane].nodes)
        free(self.rows)
        index_free(&self.index)

    def __len__(self):
        return self.count

    cdef int64_t extend(self, uint32_t parent, uint32_t frame) except -1 nogil:
        """Find or add the stack that is ``parent`` with ``frame`` called from it.

        Args:
            parent: stack id, or NONE_ID to start a stack.
            frame: frame id.

        Returns:
            The stack's id, above its parent's.

        Raises:
            MemoryError: no room.
            OverflowError: 2**32 - 1 distinct stacks.
        """
        cdef uint64_t hashed = mix(
            (<uint64_t>parent << 32 | frame) ^ 0x9E3779B97F4A7C15u, 0xD6E8FEB86659FD93u
        )
        cdef uint32_t tag = <uint32_t>(hashed >> 32)
        cdef uint64_t at = tag & self.index.mask
        cdef uint64_t slot = self.index.slots[at]
        cdef StackNode* row
        while slot:
            if slot >> 32 == tag:
                row = &self.rows[slot_id(slot)]
                if row.frame == frame and row.parent == parent:
                    return slot_id(slot)
            at = (at + 1) & self.index.mask
            slot = self.index.slots[at]
        if self.count == UINT32_MAX - 1:
            with gil:
                raise OverflowError("more than 2**32 - 2 distinct stacks")
        reserve(<void**>&self.rows, &self.capacity, <uint64_t>self.count + 1, sizeof(StackNode))
        index_put(&self.index, at, tag, self.count)
        row = &self.rows[self.count]
        row.parent = parent
        row.frame = frame
        self.count += 1
        return self.count - 1

    cdef int64_t intern_leaf_first(self, const uint32_t* chain, size_t length, uint32_t lane) except -1 nogil:
        """Find or add a whole stack; its id.

        The stacks of a thread share their callers, so only what differs from its last one, from the root down, is
        looked up.

        Args:
            chain: frame ids, leaf first.
            length: how many, at least one.
            lane: number of the thread; threads of equal number modulo STACK_LANES share a last stack.
        """
        cdef StackPath* path = &self.lanes[lane % STACK_LANES]
        cdef uint32_t stack = NONE_ID
        cdef size_t level = 0
        cdef size_t shared = min(length, path.length)
        reserve(<void**>&path.nodes, &path.capacity, length, sizeof(StackNode))
        while level < shared and path.nodes[level].frame == chain[length - 1 - level]:
            stack = path.nodes[level].parent
            level += 1
        path.length = level
        while level < length:
            stack = <uint32_t>self.extend(stack, chain[length - 1 - level])
            path.nodes[level].frame = chain[length - 1 - level]
            path.nodes[level].parent = stack
            level += 1
            path.length = level
        return stack

    def add(self, uint32_t parent, uint32_t frame):
        """Find or add a stack from Python.

        Args:
            parent: stack id, or ``0xFFFFFFFF`` to start a stack.
            frame: frame id.

        Returns:
            Its id.

        Raises:
            ValueError: no such parent.
        """
        if parent != NONE_ID and parent >= self.count:
            raise ValueError(f"no stack {parent}")
        return self.extend(parent, frame)

    def get(self, uint32_t id):
        """``(parent, frame)`` of a stack.

        Raises:
            IndexError: no such id.
        """
        if id >= self.count:
            raise IndexError(id)
        return self.rows[id].parent, self.rows[id].frame

    @property
    def memory_bytes(self):
        """Bytes the table holds allocated."""
        return self.capacity * sizeof(StackNode) + 8 * (self.index.mask + 1)
