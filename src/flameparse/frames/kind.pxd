from libc.stdint cimport uint64_t


cdef size_t module_size(const unsigned char* module, size_t size) noexcept nogil
cdef size_t basename_offset(const unsigned char* module, size_t size) noexcept nogil
cdef int frame_kind(const unsigned char* module, size_t module_len, bint has_module, uint64_t address) noexcept nogil
