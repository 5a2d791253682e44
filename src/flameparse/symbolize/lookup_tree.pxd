"""A red-black tree of symbols by start address, of the very shape the Linux kernel's tree would have."""

cimport cython
from libc.stdint cimport uint32_t, uint64_t


cdef struct Node:
    uint64_t start
    uint32_t children[2]   # 0: none
    uint32_t parent
    bint is_red


@cython.final
cdef class LookupTree:
    # Node 0 stands for "no node" and is black; node i + 1 is row i.
    cdef Node* nodes
    cdef uint32_t root

    cdef void insert(self, uint32_t row, uint64_t start, uint32_t before, uint32_t after) noexcept nogil
    cdef void erase(self, uint32_t row) noexcept nogil
    cdef void refill(self, uint32_t parent) noexcept nogil
    cdef void rotate(self, uint32_t top, uint32_t side) noexcept nogil
    cdef void replace(self, uint32_t node, uint32_t heir) noexcept nogil
    cdef uint32_t last_before(self, uint64_t start) noexcept nogil
    cdef uint32_t neighbour(self, uint32_t node, uint32_t side) noexcept nogil
