from libc.stdint cimport uint64_t
from libc.string cimport memcmp, strlen


cdef inline bint begins_with(const unsigned char* text, size_t size, const char* word) noexcept nogil:
    """Tell whether the text begins with a NUL-terminated word."""
    cdef size_t length = strlen(word)
    return size >= length and memcmp(text, word, length) == 0


cdef inline bint ends_with(const unsigned char* text, size_t size, const char* word) noexcept nogil:
    """Tell whether the text ends with a NUL-terminated word."""
    cdef size_t length = strlen(word)
    return size >= length and memcmp(text + size - length, word, length) == 0


cdef size_t module_size(const unsigned char* module, size_t size) noexcept nogil
cdef size_t basename_offset(const unsigned char* module, size_t size) noexcept nogil
cdef int frame_kind(const unsigned char* module, size_t module_len, bint has_module, uint64_t address) noexcept nogil
