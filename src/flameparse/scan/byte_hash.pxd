"""A fast 64-bit hash of byte strings for the intern tables.

Folds 16 input bytes per 64x64->128-bit multiply. Both factors depend on a seed drawn at random per table, so that a
hostile trace cannot aim for collisions (nor cancel what came before by a zero factor); equality is always decided on
the bytes, never on the hash.
"""

from libc.stdint cimport uint64_t


cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    static inline uint64_t fp_mix(uint64_t a, uint64_t b) {
    #ifdef __SIZEOF_INT128__
        __uint128_t product = (__uint128_t)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    #else
        uint64_t x = a * 0x9E3779B97F4A7C15u ^ (b << 32 | b >> 32) * 0xC2B2AE3D27D4EB4Fu;
        x ^= x >> 29; x *= 0xBF58476D1CE4E5B9u; return x ^ x >> 32;
    #endif
    }

    static inline uint64_t fp_load64(const unsigned char *at) { uint64_t v; memcpy(&v, at, 8); return v; }
    static inline uint64_t fp_load32(const unsigned char *at) { uint32_t v; memcpy(&v, at, 4); return v; }

    static inline uint64_t fp_hash_bytes(const unsigned char *at, size_t length, uint64_t seed) {
        const uint64_t k0 = 0xA0761D6478BD642Fu, k1 = 0xE7037ED1A0B428DBu;
        uint64_t secret = seed ^ k0, state = fp_mix(seed ^ k1, length ^ k0), a, b;
        if (length > 16) {
            size_t left = length;
            while (left > 16) {
                state = fp_mix(fp_load64(at) ^ secret, fp_load64(at + 8) ^ state);
                at += 16;
                left -= 16;
            }
            /* The last 16 bytes, overlapping what was read. */
            a = fp_load64(at + left - 16);
            b = fp_load64(at + left - 8);
        } else if (length >= 8) {
            a = fp_load64(at);
            b = fp_load64(at + length - 8);
        } else if (length >= 4) {
            a = fp_load32(at);
            b = fp_load32(at + length - 4);
        } else if (length > 0) {
            a = (uint64_t)at[0] << 16 | (uint64_t)at[length >> 1] << 8 | at[length - 1];
            b = 0;
        } else {
            a = b = 0;
        }
        return fp_mix(fp_mix(a ^ secret, b ^ state), k0 ^ length);
    }
    """
    uint64_t hash_bytes "fp_hash_bytes"(const unsigned char* at, size_t length, uint64_t seed) noexcept nogil
    uint64_t mix "fp_mix"(uint64_t a, uint64_t b) noexcept nogil
