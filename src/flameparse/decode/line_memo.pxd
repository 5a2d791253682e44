from libc.stdint cimport int64_t, uint32_t, uint64_t

from flameparse.model.hash_index cimport HashIndex


cdef struct MemoLine:
    const unsigned char* text  # with its line end, owned by the memo
    uint32_t length
    uint32_t frame             # what the line says
    uint32_t next              # the line that followed it last time, or NONE_ID


cdef class LineMemo:
    cdef unsigned char* arena
    cdef uint64_t arena_used
    cdef uint64_t arena_bytes
    cdef MemoLine* lines
    cdef readonly uint32_t count
    cdef uint32_t capacity
    cdef uint64_t seed
    cdef HashIndex index

    cdef int64_t find(self, const unsigned char* text, size_t length) noexcept nogil
    cdef int64_t put(self, const unsigned char* text, size_t length, uint32_t frame) except -1 nogil


cdef class ChainMemo:
    cdef uint32_t* arena
    cdef uint64_t arena_used
    cdef uint64_t arena_capacity
    cdef uint64_t* starts   # of each chain in the arena; its end is the next one's start
    cdef uint32_t* stacks
    cdef readonly uint32_t count
    cdef uint32_t capacity
    cdef HashIndex index

    cdef int64_t find(self, const uint32_t* chain, size_t length, uint32_t* tag) noexcept nogil
    cdef int put(self, const uint32_t* chain, size_t length, uint32_t tag, uint32_t stack) except -1 nogil
