"""How many hexadecimal digits stand in a row, eight bytes at a time.

Offsets differ in length from line to line: a loop over their digits would mostly pay for its mispredicted end.
"""

from libc.stdint cimport uint64_t


cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    /* The high bit of each byte that is a hexadecimal digit. */
    static inline uint64_t fp_hex_bytes(uint64_t word) {
        const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
        uint64_t low = word & ~high, letter = low | 0x20 * ones;
        uint64_t digits = (low + 0x50 * ones) & ~(low + 0x46 * ones);
        uint64_t letters = (letter + 0x1F * ones) & ~(letter + 0x19 * ones);
        return (digits | letters) & ~word & high;
    }

    static inline uint64_t fp_load_little(const unsigned char *at) {
        uint64_t word;
        memcpy(&word, at, 8);
    #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
    #endif
        return word;
    }

    static inline int fp_hex_digits_at(const unsigned char *at) {
        uint64_t other = ~fp_hex_bytes(fp_load_little(at)) & 0x8080808080808080u;
        return other ? __builtin_ctzll(other) >> 3 : 8;
    }

    static inline int fp_hex_digits_before(const unsigned char *at) {
        uint64_t other = ~fp_hex_bytes(fp_load_little(at - 8)) & 0x8080808080808080u;
        return other ? __builtin_clzll(other) >> 3 : 8;
    }
    """
    # Of the eight bytes that begin at a place, and of the eight before it; the caller has checked that they are there.
    int hex_digits_at "fp_hex_digits_at"(const unsigned char* at) noexcept nogil
    int hex_digits_before "fp_hex_digits_before"(const unsigned char* at) noexcept nogil
