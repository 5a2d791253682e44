"""What the bytes of a mangled name are."""


cdef inline bint is_digit(unsigned char byte) noexcept nogil:
    """Tell digits."""
    return c"0" <= byte <= c"9"


cdef inline bint is_word(unsigned char byte) noexcept nogil:
    """Tell letters, digits and the underscore."""
    return is_digit(byte) or c"a" <= byte | 0x20 <= c"z" or byte == c"_"


cdef inline int hex_digit(unsigned char byte) noexcept nogil:
    """The value of a hex digit, small letters only; -1 for other bytes."""
    if is_digit(byte):
        return byte - c"0"
    return byte - c"a" + 10 if c"a" <= byte <= c"f" else -1
