"""The events sampled, a handful per recording."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free

from flameparse.model.growth cimport reserve
from flameparse.model.hash_index cimport index_free, index_init, index_put, slot_id
from flameparse.scan.byte_hash cimport mix


cdef class EventTable:
    """Interns events by name and remembers where each was first seen, since the first is the one shown."""

    def __cinit__(self):
        index_init(&self.index, 32)

    def __dealloc__(self):
        free(self.rows)
        index_free(&self.index)

    def __len__(self):
        return self.count

    cdef int64_t intern(self, uint32_t name, uint64_t place) except -1 nogil:
        """Find or add an event; its id, 0 up.

        Args:
            name: string id.
            place: where in the input this mention is; the least is kept.
        """
        cdef uint32_t tag = <uint32_t>(mix(name ^ 0x9E3779B97F4A7C15u, 0xD6E8FEB86659FD93u) >> 32)
        cdef uint64_t at = tag & self.index.mask
        cdef uint32_t id
        while self.index.slots[at]:
            id = slot_id(self.index.slots[at])
            if self.rows[id].name == name:
                self.rows[id].first_seen = min(self.rows[id].first_seen, place)
                return id
            at = (at + 1) & self.index.mask
        reserve(<void**>&self.rows, &self.capacity, <uint64_t>self.count + 1, sizeof(Event))
        index_put(&self.index, at, tag, self.count)
        self.rows[self.count].name = name
        self.rows[self.count].unit = UNIT_SAMPLES
        self.rows[self.count].first_seen = place
        self.count += 1
        return self.count - 1

    def add(self, uint32_t name, int unit=UNIT_SAMPLES, uint64_t place=0):
        """Find or add an event from Python; its id.

        Args:
            name: string id.
            unit: 0 samples, 1 period, 2 nanoseconds, 3 bytes; a found event takes the larger of the two.
            place: where in the input it is.
        """
        cdef int64_t id = self.intern(name, place)
        self.rows[id].unit = max(self.rows[id].unit, unit)
        return id

    @property
    def next_place(self):
        """The first place after all events here: where another input's begin."""
        return 1 + max([self.rows[i].first_seen for i in range(self.count)], default=-1)

    def get(self, uint32_t id):
        """``(name, unit, first_seen)`` of an event.

        Raises:
            IndexError: no such id.
        """
        if id >= self.count:
            raise IndexError(id)
        return self.rows[id].name, self.rows[id].unit, self.rows[id].first_seen
