"""The open-addressing index under every intern table.

A slot holds the entry's 32-bit tag above its id + 1, so growing needs no look at the keys; 0 is an empty slot.
The owner compares keys; the index only finds candidates::

    at = tag & index.mask
    while index.slots[at]:
        if index.slots[at] >> 32 == tag and <keys equal for slot_id(index.slots[at])>: ...
        at = (at + 1) & index.mask
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from flameparse.model.growth cimport allocate_large


cdef struct HashIndex:
    uint64_t* slots
    uint64_t mask
    uint64_t count


cdef inline uint32_t slot_id(uint64_t slot) noexcept nogil:
    """The entry a used slot stands for."""
    return <uint32_t>slot - 1


cdef inline int index_init(HashIndex* index, uint64_t expected) except -1 nogil:
    """Allocate empty slots for so many entries; it grows past them."""
    cdef uint64_t slot_count = 64
    while slot_count * 3 < 4 * expected:
        slot_count *= 2
    index.slots = <uint64_t*>allocate_large(slot_count * sizeof(uint64_t))
    if index.slots is NULL:
        with gil:
            raise MemoryError
    memset(index.slots, 0, slot_count * sizeof(uint64_t))
    index.mask = slot_count - 1
    index.count = 0
    return 0


cdef inline void index_free(HashIndex* index) noexcept nogil:
    """Release the slots."""
    free(index.slots)
    index.slots = NULL


cdef inline void index_clear(HashIndex* index) noexcept nogil:
    """Forget every entry, keeping the slots."""
    memset(index.slots, 0, (index.mask + 1) * sizeof(uint64_t))
    index.count = 0


cdef inline int index_grow(HashIndex* index) except -1 nogil:
    """Double the slots and put every entry in its new place."""
    cdef HashIndex bigger
    cdef uint64_t old, at, slot
    index_init(&bigger, (index.mask + 1) * 3 // 2)
    for old in range(index.mask + 1):
        slot = index.slots[old]
        if slot:
            at = (slot >> 32) & bigger.mask
            while bigger.slots[at]:
                at = (at + 1) & bigger.mask
            bigger.slots[at] = slot
    bigger.count = index.count
    free(index.slots)
    index[0] = bigger
    return 0


cdef inline int index_put(HashIndex* index, uint64_t at, uint32_t tag, uint32_t id) except -1 nogil:
    """Fill the empty slot ``at`` that the search for ``tag`` ended on.

    At most three quarters are used: then a search stays on one cache line.
    """
    index.slots[at] = <uint64_t>tag << 32 | (id + 1)
    index.count += 1
    if index.count * 4 > (index.mask + 1) * 3:
        index_grow(index)
    return 0
