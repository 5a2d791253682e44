from libc.stdint cimport int64_t, uint32_t, uint64_t

from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.growth cimport prefetch
from flameparse.model.hash_index cimport HashIndex, slot_id
from flameparse.model.sample_table cimport Sample, SampleTable
from flameparse.model.stack_table cimport StackTable
from flameparse.scan.byte_hash cimport hash_bytes


cdef struct MemoLine:
    # A record's head; the line's text, line end included, follows it, so that a hit costs one cache miss.
    uint32_t length
    uint32_t frame  # what the line says
    uint32_t next   # record of the line that followed it last time, or NONE_ID


cdef struct MemoChain:
    # A record's head; the frame ids follow it.
    uint32_t length
    uint32_t stack
    uint32_t total  # row of the totals it was last added to, or NONE_ID


cdef class Memo:
    cdef uint32_t* arena    # records end to end; a record's id is its place, in words
    cdef uint64_t used
    cdef uint64_t capacity
    cdef HashIndex index
    cdef uint64_t seed

    cdef inline bint has_room(self, size_t length) noexcept nogil:
        """Whether a record of so many bytes after its head fits."""
        return self.used + 4 + (length >> 2) < self.capacity

    cdef inline MemoLine* line(self, uint32_t id) noexcept nogil:
        """The line of a record."""
        return <MemoLine*>(self.arena + id)

    cdef inline MemoChain* chain(self, uint32_t id) noexcept nogil:
        """The chain of a record."""
        return <MemoChain*>(self.arena + id)

    cdef inline void expect(self, uint32_t tag) noexcept nogil:
        """Start loading the slot where the search for a tag begins."""
        prefetch(&self.index.slots[tag & self.index.mask])

    cdef inline void expect_record(self, uint32_t tag) noexcept nogil:
        """Start loading the record that the first slot of a search names, once the slot is there."""
        cdef uint64_t slot = self.index.slots[tag & self.index.mask]
        if slot:
            prefetch(self.arena + slot_id(slot))

    cdef inline uint32_t tag_of(self, const void* text, uint32_t length) noexcept nogil:
        """What ``find`` and ``put`` look a byte string up by."""
        return <uint32_t>(hash_bytes(<const unsigned char*>text, length, self.seed) >> 32)

    cdef void clear(self) noexcept nogil
    cdef uint32_t find(self, const void* text, uint32_t length, uint32_t tag) noexcept nogil
    cdef int64_t put(self, const void* text, uint32_t length, uint32_t tag, uint32_t meaning) except -1 nogil


cdef inline int add_with_chain(
    SampleTable samples, Sample* sample, StackTable stacks, Memo chains, const uint32_t* chain, uint64_t length,
    uint32_t tag,
) except -1 nogil:
    """Give a sample its stack, from the memo where the whole chain is known, and hand it over.

    Args:
        samples, sample: where to, and what; its ``stack`` is set.
        stacks: the chain's stack is interned there.
        chains: the memo.
        chain: frame ids, leaf first.
        length: how many; 0 for a sample without frames.
        tag: the chain's, as ``chains.tag_of`` gives it.

    Raises:
        MemoryError: no room.
        OverflowError: a weight past 2**64 - 1.
    """
    cdef uint32_t size = <uint32_t>(length * sizeof(uint32_t))
    cdef uint32_t known
    cdef MemoChain* row
    if not length:
        sample.stack = NONE_ID
        return samples.add(sample[0], NULL)
    known = chains.find(chain, size, tag)
    if known == NONE_ID:
        sample.stack = <uint32_t>stacks.intern_leaf_first(chain, length, sample.thread)
        if not chains.has_room(size):
            chains.clear()
            if not chains.has_room(size):  # larger than the whole memo
                return samples.add(sample[0], NULL)
        known = <uint32_t>chains.put(chain, size, tag, sample.stack)
    row = chains.chain(known)
    sample.stack = row.stack
    return samples.add(sample[0], &row.total)
