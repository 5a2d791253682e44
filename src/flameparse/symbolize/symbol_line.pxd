"""What the readers of kallsyms and of perf maps do alike with a line."""

from libc.stdint cimport uint64_t

from flameparse.scan.line_scan cimport hex_value


cdef inline const unsigned char* parse_hex(
    const unsigned char* at, const unsigned char* end, uint64_t* value
) noexcept nogil:
    """Read 1 to 16 hexadecimal digits into ``value``; the byte after them, or NULL where there are none or more."""
    cdef const unsigned char* begin = at
    cdef uint64_t total = 0
    cdef int digit
    while at < end:
        digit = hex_value(at[0])
        if digit < 0:
            break
        total = total << 4 | <uint64_t>digit
        at += 1
    if at == begin or at - begin > 16:
        return NULL
    value[0] = total
    return at


cdef inline bint is_precise(str rules) except -1:
    """Whether rules are the precise ones.

    Raises:
        ValueError: they are neither ``perf-6.1`` nor ``precise``.
    """
    if rules not in ("perf-6.1", "precise"):
        raise ValueError(f"rules are perf-6.1 or precise, not {rules!r}")
    return rules == "precise"
