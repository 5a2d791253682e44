from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from flameparse.model.hash_index cimport HashIndex


cdef enum:
    UNKNOWN_ID = -2147483648  # a pid or tid the input does not give; -1 is a value perf prints


cdef struct Thread:
    uint32_t comm  # string id, or NONE_ID where the input has no comm
    int32_t pid
    int32_t tid


cdef class ThreadTable:
    cdef Thread* rows
    cdef readonly uint32_t count
    cdef uint64_t capacity
    cdef HashIndex index

    cdef int64_t intern(self, Thread thread) except -1 nogil
