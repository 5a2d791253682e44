"""Stable order by a small integer key, in linear time; several passes, least key first, sort by several keys."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free


cdef inline int order_by_key(
    const uint32_t* keys, uint64_t key_count, const uint32_t* order, uint32_t* sorted_order, uint64_t count
) except -1 nogil:
    """Reorder row numbers by the key of each row, equal keys in the order given.

    Args:
        keys: key of each row; one that is ``key_count`` or more (NONE) sorts last.
        key_count: keys are below it.
        order: ``count`` row numbers.
        sorted_order: receives them.
        count: rows.

    Raises:
        MemoryError: no room for one counter per key.
    """
    cdef uint64_t* starts = <uint64_t*>calloc(key_count + 2, sizeof(uint64_t))
    cdef uint64_t i, key
    if starts is NULL:
        with gil:
            raise MemoryError
    for i in range(count):
        key = min(<uint64_t>keys[order[i]], key_count)
        starts[key + 1] += 1
    for i in range(key_count + 1):
        starts[i + 1] += starts[i]
    for i in range(count):
        key = min(<uint64_t>keys[order[i]], key_count)
        sorted_order[starts[key]] = order[i]
        starts[key] += 1
    free(starts)
    return 0
