"""Growing a C column that a table owns."""

from libc.stdint cimport uint64_t
from libc.stdlib cimport realloc


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
    moved = realloc(column[0], grown * item_bytes)
    if moved is NULL:
        with gil:
            raise MemoryError
    column[0] = moved
    capacity[0] = grown
    return 0
