from libc.stdint cimport int64_t, uint32_t, uint64_t

from flameparse.model.hash_index cimport HashIndex


cdef class StringTable:
    cdef unsigned char* blob
    cdef uint64_t* offsets  # count + 1 of them: string i is blob[offsets[i] : offsets[i + 1]]
    cdef readonly uint32_t count
    cdef uint64_t blob_capacity
    cdef uint64_t offset_capacity
    cdef uint64_t seed
    cdef HashIndex index

    cdef int64_t intern(self, const unsigned char* text, size_t length) except -1 nogil
    cdef inline const unsigned char* at(self, uint32_t id) noexcept nogil:
        """First byte of a string; valid until the next ``intern``."""
        return self.blob + self.offsets[id]

    cdef inline size_t length(self, uint32_t id) noexcept nogil:
        """Bytes of a string."""
        return self.offsets[id + 1] - self.offsets[id]
