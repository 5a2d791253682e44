"""Checked reads of integers from borrowed bytes of either byte order; nothing is read through a cast pointer."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    static inline uint16_t fp_u16(const unsigned char *at, int swaps) {
        uint16_t v; memcpy(&v, at, 2); return swaps ? __builtin_bswap16(v) : v;
    }
    static inline uint32_t fp_u32(const unsigned char *at, int swaps) {
        uint32_t v; memcpy(&v, at, 4); return swaps ? __builtin_bswap32(v) : v;
    }
    static inline uint64_t fp_u64(const unsigned char *at, int swaps) {
        uint64_t v; memcpy(&v, at, 8); return swaps ? __builtin_bswap64(v) : v;
    }
    """
    # The caller has checked that the bytes are there.
    uint16_t load_u16 "fp_u16"(const unsigned char* at, bint swaps) noexcept nogil
    uint32_t load_u32 "fp_u32"(const unsigned char* at, bint swaps) noexcept nogil
    uint64_t load_u64 "fp_u64"(const unsigned char* at, bint swaps) noexcept nogil


cdef struct ByteSpan:
    const unsigned char* at
    const unsigned char* end
    bint swaps   # the writer's byte order is not this machine's


cdef inline uint64_t bytes_left(ByteSpan* span) noexcept nogil:
    """Bytes that were not taken yet."""
    return <uint64_t>(span.end - span.at)


cdef inline bint skip_bytes(ByteSpan* span, uint64_t count) noexcept nogil:
    """Step over so many bytes; False, and nothing is taken, where there are fewer."""
    if count > bytes_left(span):
        return False
    span.at += count
    return True


cdef inline bint take_u64(ByteSpan* span, uint64_t* value) noexcept nogil:
    """Take the next 8 bytes; False, and nothing is taken, where there are fewer."""
    if bytes_left(span) < 8:
        return False
    value[0] = load_u64(span.at, span.swaps)
    span.at += 8
    return True


cdef inline bint take_u32(ByteSpan* span, uint32_t* value) noexcept nogil:
    """Take the next 4 bytes; False, and nothing is taken, where there are fewer."""
    if bytes_left(span) < 4:
        return False
    value[0] = load_u32(span.at, span.swaps)
    span.at += 4
    return True
