cdef inline bint is_word(unsigned char byte) noexcept nogil:
    """Tell the bytes of an identifier: letters, digits, `_`, `$` and everything beyond ASCII."""
    return (
        c"a" <= byte | 0x20 <= c"z" or c"0" <= byte <= c"9" or byte == c"_" or byte == c"$" or byte >= 0x80
    )


cdef bint find_arguments(
    const unsigned char* text, size_t size, size_t* cut_begin, size_t* cut_end
) noexcept nogil
cdef bint is_suffix(const unsigned char* text, Py_ssize_t i, Py_ssize_t end) noexcept nogil
