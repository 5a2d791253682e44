"""Distinct byte strings, each stored once and named by a dense id."""

from libc.stdint cimport UINT32_MAX, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy

from flameparse.model.growth cimport reserve
from flameparse.model.hash_index cimport index_free, index_init, index_put, slot_id
from flameparse.scan.byte_hash cimport hash_bytes

from os import urandom


cdef class StringTable:
    """Interns byte strings: names, comms, module paths. Names need not be UTF-8."""

    def __cinit__(self):
        index_init(&self.index, 256)
        reserve(<void**>&self.offsets, &self.offset_capacity, 1, sizeof(uint64_t))
        reserve(<void**>&self.blob, &self.blob_capacity, 1, 1)
        self.offsets[0] = 0
        self.count = 0
        self.seed = int.from_bytes(urandom(8), "little")

    def __dealloc__(self):
        free(self.blob)
        free(self.offsets)
        index_free(&self.index)

    def __len__(self):
        return self.count

    cdef int64_t intern(self, const unsigned char* text, size_t length) except -1 nogil:
        """Find or add a string.

        Args:
            text: its bytes; copied when new. Must not point into this table.
            length: how many.

        Returns:
            Its id, 0 up.

        Raises:
            MemoryError: no room.
            OverflowError: 2**32 - 1 distinct strings.
        """
        cdef uint64_t hashed = hash_bytes(text, length, self.seed)
        cdef uint32_t tag = <uint32_t>(hashed >> 32)
        cdef uint64_t at = tag & self.index.mask
        cdef uint64_t slot = self.index.slots[at]
        cdef uint64_t end
        cdef uint32_t id
        while slot:
            if slot >> 32 == tag:
                id = slot_id(slot)
                if self.length(id) == length and memcmp(self.at(id), text, length) == 0:
                    return id
            at = (at + 1) & self.index.mask
            slot = self.index.slots[at]
        if self.count == UINT32_MAX - 1:
            with gil:
                raise OverflowError("more than 2**32 - 2 distinct strings")
        end = self.offsets[self.count]
        reserve(<void**>&self.blob, &self.blob_capacity, end + length, 1)
        reserve(<void**>&self.offsets, &self.offset_capacity, <uint64_t>self.count + 2, sizeof(uint64_t))
        id = self.count
        index_put(&self.index, at, tag, id)
        memcpy(self.blob + end, text, length)
        self.offsets[id + 1] = end + length
        self.count += 1
        return id

    def add(self, const unsigned char[::1] text not None):
        """Find or add a string from Python.

        Args:
            text: any bytes.

        Returns:
            Its id.
        """
        return self.intern(&text[0] if text.shape[0] else self.blob, text.shape[0])

    def get(self, uint32_t id):
        """The bytes of a string.

        Raises:
            IndexError: no such id.
        """
        if id >= self.count:
            raise IndexError(id)
        return self.at(id)[: self.length(id)]

    @property
    def memory_bytes(self):
        """Bytes the table holds allocated."""
        return self.blob_capacity + 8 * self.offset_capacity + 8 * (self.index.mask + 1)
