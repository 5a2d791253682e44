from libc.stdint cimport uint32_t, uint64_t


cdef struct Bounds:
    const uint64_t* pairs   # start and end of each function, in order
    uint64_t count
    bint is_known


cdef class FunctionBounds:
    cdef Bounds* rows       # by row of the DsoTable
    cdef uint64_t count
    cdef uint64_t capacity
    cdef dict buffers

    cdef uint64_t representative(self, uint32_t dso, uint64_t address) noexcept nogil
