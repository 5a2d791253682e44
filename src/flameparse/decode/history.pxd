"""What held for a process, or for a thread, at every moment."""

from libc.stdint cimport int32_t, uint32_t, uint64_t

from flameparse.model.hash_index cimport HashIndex


# What holds for an owner from a moment on, until its next version.
cdef struct Version:
    uint64_t time
    uint64_t sequence
    uint32_t value
    uint32_t code
    uint32_t older      # the owner's version before it, or NONE_ID
    uint32_t newer
    uint32_t jump       # an older one further back, so that any is found in few steps; of the oldest one itself
    uint32_t depth      # number of older ones


cdef struct Owner:
    int32_t id
    uint32_t newest     # version


cdef class History:
    cdef Owner* owners
    cdef Version* versions
    cdef readonly uint32_t owner_count
    cdef readonly uint32_t version_count
    cdef uint64_t owner_capacity
    cdef uint64_t version_capacity
    cdef HashIndex index
    cdef uint64_t seed

    cdef int set(self, int32_t id, uint64_t time, uint64_t sequence, uint32_t value, uint32_t code) except -1
    cdef const Version* newest(self, int32_t id) noexcept nogil
    cdef uint32_t owner_of(self, int32_t id) noexcept nogil
    cdef uint32_t version_at(self, uint32_t owner, uint64_t time, uint64_t sequence, uint32_t hint) noexcept nogil
