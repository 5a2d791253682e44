"""The text of a demangled name while it is written: bounded in length and in the work that it may take."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, strlen


cdef struct NameText:
    unsigned char* text
    uint64_t length
    uint64_t limit        # bytes that there is room for
    uint32_t steps        # parts of the name that may still be visited
    unsigned char last    # the byte written last, even if it was taken back
    bint failed           # the name makes no sense, or grew beyond its bounds
    uint32_t max_depth    # how deep the parts of the name may stand in each other
    bint as_perf          # write what perf 6.1 writes, mistakes included


cdef inline void put(NameText* out, const unsigned char* text, uint64_t length) noexcept nogil:
    """Write bytes."""
    if length > out.limit - out.length:
        out.failed = True
    elif length:
        memcpy(out.text + out.length, text, length)
        out.length += length
        out.last = text[length - 1]


cdef inline void put_word(NameText* out, const char* word) noexcept nogil:
    """Write a word of ours."""
    put(out, <const unsigned char*> word, strlen(word))


cdef inline void put_number(NameText* out, uint64_t number) noexcept nogil:
    """Write a number."""
    cdef unsigned char digits[20]
    cdef int i = 20
    while True:
        i -= 1
        digits[i] = <unsigned char> (c"0" + number % 10)
        number = number // 10
        if number == 0:
            break
    put(out, digits + i, 20 - i)


cdef inline bint step(NameText* out) noexcept nogil:
    """Count a visit; False where there were too many, or something failed before."""
    if out.steps == 0 or out.failed:
        out.failed = True
        return False
    out.steps -= 1
    return True
