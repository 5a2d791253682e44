cdef bint find_arguments(
    const unsigned char* text, size_t size, size_t* cut_begin, size_t* cut_end
) noexcept nogil
cdef bint is_suffix(const unsigned char* text, Py_ssize_t i, Py_ssize_t end) noexcept nogil
