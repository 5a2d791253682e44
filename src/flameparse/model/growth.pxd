"""Memory of the C columns and indexes that a table owns."""

from libc.stdint cimport uint64_t


cdef extern from *:
    """
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>
    #ifdef __linux__
    #include <sys/mman.h>
    #endif

    #define FP_HUGE_PAGE ((size_t)2 << 20)

    /* Tables are read at random: with 4 KiB pages the address translation misses more than the cache does, so large
       blocks ask for large pages (measured: 15 % of the decoder's time). Freed by free(). */
    static inline void *fp_allocate_large(size_t size) {
        void *block = NULL;
        if (size < FP_HUGE_PAGE)
            return malloc(size ? size : 1);
        size = (size + FP_HUGE_PAGE - 1) & ~(FP_HUGE_PAGE - 1);
        if (posix_memalign(&block, FP_HUGE_PAGE, size))
            return NULL;
    #ifdef MADV_HUGEPAGE
        madvise(block, size, MADV_HUGEPAGE);
    #endif
        return block;
    }

    static inline void *fp_reallocate_large(void *block, size_t used, size_t size) {
        void *moved;
        if (size < FP_HUGE_PAGE)
            return realloc(block, size);
        moved = fp_allocate_large(size);
        if (moved) {
            if (used)
                memcpy(moved, block, used);
            free(block);
        }
        return moved;
    }

    static inline void fp_prefetch(const void *at) { __builtin_prefetch(at); }
    """
    void* allocate_large "fp_allocate_large"(size_t size) noexcept nogil
    void* reallocate_large "fp_reallocate_large"(void* block, size_t used, size_t size) noexcept nogil
    void prefetch "fp_prefetch"(const void* at) noexcept nogil


cdef inline int reserve(void** column, uint64_t* capacity, uint64_t wanted, size_t item_bytes) except -1 nogil:
    """Make room for ``wanted`` items, doubling; the column may move.

    Args:
        column: address of the owning pointer.
        capacity: items it has room for; updated.
        wanted: items it must have room for.
        item_bytes: size of one item.

    Raises:
        MemoryError: the allocator refused; the column is as it was.
    """
    cdef uint64_t grown = capacity[0]
    cdef void* moved
    if wanted <= grown:
        return 0
    while grown < wanted:
        grown = grown * 2 if grown else 64
    moved = reallocate_large(column[0], capacity[0] * item_bytes, grown * item_bytes)
    if moved is NULL:
        with gil:
            raise MemoryError
    column[0] = moved
    capacity[0] = grown
    return 0
