"""Cursors over one line of borrowed text. All are bounded by ``end`` and never read past it."""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memchr


cdef inline const unsigned char* find_newline(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """The first LF at or after ``at``, or NULL; the C library's vector search."""
    return <const unsigned char*>memchr(at, 10, end - at)


cdef inline unsigned char byte_before(const unsigned char* at) noexcept nogil:
    """The byte that ends just before ``at``."""
    return (at - 1)[0]


cdef inline bint is_blank(unsigned char byte) noexcept nogil:
    """A space or a tab: what separates the fields of a line."""
    return byte == 32 or byte == 9


cdef inline bint is_digit(unsigned char byte) noexcept nogil:
    """An ASCII decimal digit."""
    return <unsigned char>(byte - 48) < 10


cdef inline int hex_value(unsigned char byte) noexcept nogil:
    """0..15 for a hexadecimal digit in either case, else -1."""
    cdef unsigned char low = byte | 32
    if <unsigned char>(byte - 48) < 10:
        return byte - 48
    if <unsigned char>(low - 97) < 6:
        return low - 87
    return -1


cdef inline const unsigned char* skip_blanks(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """The first byte that is no blank, or ``end``."""
    while at < end and is_blank(at[0]):
        at += 1
    return at


cdef inline const unsigned char* skip_word(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """The first blank, or ``end``."""
    while at < end and not is_blank(at[0]):
        at += 1
    return at


cdef inline const unsigned char* trim_blanks(const unsigned char* begin, const unsigned char* end) noexcept nogil:
    """The end of the text once its trailing blanks are gone."""
    while end > begin and is_blank(byte_before(end)):
        end -= 1
    return end


cdef inline const unsigned char* parse_decimal(
    const unsigned char* at, const unsigned char* end, uint64_t* value
) noexcept nogil:
    """Read digits into ``value``; the byte after them, or NULL without a digit or past 2**64 - 1."""
    cdef const unsigned char* begin = at
    cdef uint64_t total = 0
    cdef unsigned int digit
    while at < end and is_digit(at[0]):
        digit = at[0] - 48
        if total > 1844674407370955161u or (total == 1844674407370955161u and digit > 5):
            return NULL
        total = total * 10 + digit
        at += 1
    if at == begin:
        return NULL
    value[0] = total
    return at


cdef inline bint parse_id(const unsigned char* at, const unsigned char* end, int64_t* value) noexcept nogil:
    """Whether the whole text is a process or thread id: digits, or ``-1``."""
    cdef uint64_t number = 0
    cdef bint negative = at < end and at[0] == 45
    if negative:
        at += 1
    if end - at > 10 or parse_decimal(at, end, &number) != end or number > 2147483647:
        return False
    value[0] = -<int64_t>number if negative else <int64_t>number
    return True
