"""Trees of disjoint mappings that share what they have in common."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t


cdef struct Mapping:
    uint64_t start
    uint64_t end
    uint64_t bias    # address in the DSO = ip + bias, modulo 2**64
    uint32_t dso     # row of the DsoTable
    uint32_t name    # string id where the mapping is one named function, else NONE_ID
    uint8_t kind     # FrameKind of its frames


# Ordered by start, and a heap by priority. Those that a tree in use has never change.
cdef struct Node:
    uint64_t start      # of its mapping
    uint32_t left
    uint32_t right
    uint32_t mapping
    uint32_t priority


cdef class MappingTrees:
    cdef Mapping* mappings
    cdef Node* nodes            # node 0 is the empty tree
    cdef readonly uint32_t mapping_count
    cdef readonly uint32_t node_count
    cdef uint64_t mapping_capacity
    cdef uint64_t node_capacity
    cdef uint32_t fresh         # nodes from here on are in no tree in use
    cdef uint64_t seed

    cdef int64_t put(self, uint32_t root, Mapping mapping) except -1
    cdef int64_t clear(self, uint32_t root, uint64_t start, uint64_t end) except -1
    cdef uint32_t find(self, uint32_t root, uint64_t ip) noexcept nogil
    cdef int cut_out(self, uint32_t root, uint64_t start, uint64_t end, uint32_t* low, uint32_t* high) except -1
    cdef int split(self, uint32_t root, uint64_t start, uint32_t* low, uint32_t* high) except -1
    cdef int64_t merge(self, uint32_t low, uint32_t high) except -1
    cdef int64_t own(self, uint32_t node) except -1
    cdef int64_t plant(self, Mapping mapping) except -1
    cdef int64_t add_node(self, Node node) except -1
    cdef int64_t add_mapping(self, Mapping mapping) except -1
