"""Bytewise order of many byte strings, by qsort over spans that cache their first eight bytes."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport qsort


cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    struct fp_text_span { uint64_t head; const unsigned char *text; uint64_t length; uint32_t id; };

    static inline uint64_t fp_text_head(const unsigned char *text, uint64_t length) {
        uint64_t head = 0;
        for (uint64_t i = 0; i < 8; i++)
            head = head << 8 | (i < length ? text[i] : 0);
        return head;
    }

    static inline int fp_compare_spans(const void *left, const void *right) {
        const struct fp_text_span *a = left, *b = right;
        uint64_t shorter = a->length < b->length ? a->length : b->length;
        int order;
        if (a->head != b->head)
            return a->head < b->head ? -1 : 1;
        order = shorter ? memcmp(a->text, b->text, shorter) : 0;
        if (order)
            return order;
        return a->length < b->length ? -1 : a->length > b->length;
    }
    """
    struct TextSpan "fp_text_span":
        uint64_t head
        const unsigned char* text
        uint64_t length
        uint32_t id
    uint64_t text_head "fp_text_head"(const unsigned char* text, uint64_t length) noexcept nogil
    int compare_spans "fp_compare_spans"(const void* left, const void* right) noexcept nogil


cdef inline void sort_spans(TextSpan* spans, uint64_t count) noexcept nogil:
    """Sort spans bytewise, a prefix before what it begins; fills their heads first."""
    cdef uint64_t i
    for i in range(count):
        spans[i].head = text_head(spans[i].text, spans[i].length)
    qsort(spans, count, sizeof(TextSpan), compare_spans)
