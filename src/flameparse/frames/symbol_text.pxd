"""What the rules of naming ask of a piece of a symbol or of a module's path."""

from libc.string cimport memcmp, strlen


cdef inline bint begins_with(const unsigned char* text, size_t size, const char* word) noexcept nogil:
    """Tell whether the text begins with a NUL-terminated word."""
    cdef size_t length = strlen(word)
    return size >= length and memcmp(text, word, length) == 0


cdef inline bint ends_with(const unsigned char* text, size_t size, const char* word) noexcept nogil:
    """Tell whether the text ends with a NUL-terminated word."""
    cdef size_t length = strlen(word)
    return size >= length and memcmp(text + size - length, word, length) == 0


cdef inline bint contains(const unsigned char* text, size_t size, const char* word) noexcept nogil:
    """Tell whether a short word occurs anywhere."""
    cdef size_t i
    for i in range(size):
        if text[i] == word[0] and begins_with(text + i, size - i, word):
            return True
    return False


cdef inline bint is_word(unsigned char byte) noexcept nogil:
    """Tell the bytes of an identifier: letters, digits, `_`, `$` and everything beyond ASCII."""
    return (
        c"a" <= byte | 0x20 <= c"z" or c"0" <= byte <= c"9" or byte == c"_" or byte == c"$" or byte >= 0x80
    )


cdef inline bint is_unknown(const unsigned char* text, size_t size) noexcept nogil:
    """Tell perf's word for a symbol or a module it does not know."""
    return size == 9 and memcmp(text, b"[unknown]", 9) == 0
