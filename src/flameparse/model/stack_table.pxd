from libc.stdint cimport int64_t, uint32_t, uint64_t

from flameparse.model.hash_index cimport HashIndex


cdef struct StackNode:
    uint32_t parent  # stack id, or NONE_ID for a stack of one frame
    uint32_t frame   # frame id


cdef enum:
    STACK_LANES = 16


cdef struct StackPath:
    # The stack last interned in a lane, root first: each frame and, as its parent, the stack it ends.
    StackNode* nodes
    uint64_t capacity
    uint64_t length


cdef class StackTable:
    cdef StackNode* rows
    cdef readonly uint32_t count
    cdef uint64_t capacity
    cdef HashIndex index
    cdef StackPath lanes[STACK_LANES]

    cdef int64_t extend(self, uint32_t parent, uint32_t frame) except -1 nogil
    cdef int64_t intern_leaf_first(self, const uint32_t* chain, size_t length, uint32_t lane) except -1 nogil
