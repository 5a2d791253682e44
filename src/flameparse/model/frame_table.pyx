"""Distinct frames: symbol, module, kind, and the address where there is no symbol."""

from libc.stdint cimport UINT32_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free

from flameparse.model.growth cimport reserve
from flameparse.model.hash_index cimport index_free, index_init, index_put, slot_id
from flameparse.scan.byte_hash cimport mix


cdef class FrameTable:
    """Interns frames; two frames are one when every field agrees.

    Args:
        expected: how many there will be at least, so that the index need not grow up to there.
    """

    def __cinit__(self, uint64_t expected=0):
        index_init(&self.index, max(expected, <uint64_t>128))

    def __dealloc__(self):
        free(self.rows)
        index_free(&self.index)

    def __len__(self):
        return self.count

    cdef int64_t intern(self, Frame frame) except -1 nogil:
        """Find or add a frame; its id, 0 up.

        Raises:
            MemoryError: no room.
            OverflowError: 2**32 - 1 distinct frames.
        """
        cdef uint64_t hashed = mix(
            (<uint64_t>frame.name << 32 | frame.dso) ^ 0x9E3779B97F4A7C15u,
            frame.address ^ (<uint64_t>frame.kind << 56) ^ (<uint64_t>frame.cuts_callers << 48)
            ^ (<uint64_t>frame.tier << 40) ^ 0xD6E8FEB86659FD93u,
        )
        cdef uint32_t tag = <uint32_t>(hashed >> 32)
        cdef uint64_t at = tag & self.index.mask
        cdef uint64_t slot = self.index.slots[at]
        cdef Frame* row
        while slot:
            if slot >> 32 == tag:
                row = &self.rows[slot_id(slot)]
                if (
                    row.name == frame.name and row.dso == frame.dso and row.address == frame.address
                    and row.kind == frame.kind and row.frame_class == frame.frame_class
                    and row.tier == frame.tier and row.presets == frame.presets
                    and row.cuts_callers == frame.cuts_callers
                ):
                    return slot_id(slot)
            at = (at + 1) & self.index.mask
            slot = self.index.slots[at]
        if self.count == UINT32_MAX - 1:
            with gil:
                raise OverflowError("more than 2**32 - 2 distinct frames")
        reserve(<void**>&self.rows, &self.capacity, <uint64_t>self.count + 1, sizeof(Frame))
        index_put(&self.index, at, tag, self.count)
        self.rows[self.count] = frame
        self.count += 1
        return self.count - 1

    def add(
        self, uint32_t name, uint32_t dso=NONE_ID, int kind=KIND_USER, uint64_t address=0,
        int frame_class=0, int tier=0, int presets=0,
    ):
        """Find or add a frame from Python; its id.

        Args:
            name: string id, or ``0xFFFFFFFF`` for a frame without a symbol.
            dso: string id of the module, or ``0xFFFFFFFF``.
            kind: 0 user, 1 kernel, 2 JIT, 3 inlined.
            address: of a frame without a symbol.
            frame_class, tier, presets: what the document's columns of that name hold.
        """
        cdef Frame frame = new_frame(name, dso, <uint8_t>kind, address)
        frame.frame_class, frame.tier, frame.presets = <uint8_t>frame_class, <uint8_t>tier, <uint8_t>presets
        return self.intern(frame)

    def get(self, uint32_t id):
        """``(name, dso, kind, address)`` of a frame.

        Raises:
            IndexError: no such id.
        """
        if id >= self.count:
            raise IndexError(id)
        cdef Frame* row = &self.rows[id]
        return row.name, row.dso, row.kind, row.address

    def traits(self, uint32_t id):
        """``(frame_class, tier, presets)`` of a frame.

        Raises:
            IndexError: no such id.
        """
        if id >= self.count:
            raise IndexError(id)
        return self.rows[id].frame_class, self.rows[id].tier, self.rows[id].presets

    @property
    def memory_bytes(self):
        """Bytes the table holds allocated."""
        return self.capacity * sizeof(Frame) + 8 * (self.index.mask + 1)
