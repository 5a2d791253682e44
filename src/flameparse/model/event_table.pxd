from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from flameparse.model.hash_index cimport HashIndex


cdef enum WeightUnit:
    UNIT_SAMPLES = 0
    UNIT_PERIOD = 1
    UNIT_NANOSECONDS = 2
    UNIT_BYTES = 3


cdef struct Event:
    uint32_t name        # string id; the empty string where the input names none
    uint8_t unit         # WeightUnit of the samples' periods
    uint64_t first_seen  # place in the input, any rising measure


cdef class EventTable:
    cdef Event* rows
    cdef readonly uint32_t count
    cdef uint64_t capacity
    cdef HashIndex index

    cdef int64_t intern(self, uint32_t name, uint64_t place) except -1 nogil
