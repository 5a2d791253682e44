"""Distinct (comm, pid, tid): which thread a sample was taken in."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free

from flameparse.model.growth cimport reserve
from flameparse.model.hash_index cimport index_free, index_init, index_put, slot_id
from flameparse.scan.byte_hash cimport mix


cdef class ThreadTable:
    """Interns threads; one that renames itself is two."""

    def __cinit__(self):
        index_init(&self.index, 64)

    def __dealloc__(self):
        free(self.rows)
        index_free(&self.index)

    def __len__(self):
        return self.count

    cdef int64_t intern(self, Thread thread) except -1 nogil:
        """Find or add a thread; its id, 0 up."""
        cdef uint64_t hashed = mix(
            (<uint64_t>thread.comm << 32 | <uint32_t>thread.pid) ^ 0x9E3779B97F4A7C15u,
            <uint64_t><uint32_t>thread.tid ^ 0xD6E8FEB86659FD93u,
        )
        cdef uint32_t tag = <uint32_t>(hashed >> 32)
        cdef uint64_t at = tag & self.index.mask
        cdef uint64_t slot = self.index.slots[at]
        cdef Thread* row
        while slot:
            row = &self.rows[slot_id(slot)]
            if slot >> 32 == tag and row.comm == thread.comm and row.pid == thread.pid and row.tid == thread.tid:
                return slot_id(slot)
            at = (at + 1) & self.index.mask
            slot = self.index.slots[at]
        reserve(<void**>&self.rows, &self.capacity, <uint64_t>self.count + 1, sizeof(Thread))
        index_put(&self.index, at, tag, self.count)
        self.rows[self.count] = thread
        self.count += 1
        return self.count - 1

    def add(self, uint32_t comm, int32_t pid=UNKNOWN_ID, int32_t tid=UNKNOWN_ID):
        """Find or add a thread from Python; its id.

        Args:
            comm: string id, or ``0xFFFFFFFF`` for none.
            pid: process id; ``-2**31`` when unknown.
            tid: thread id; ``-2**31`` when unknown.
        """
        return self.intern(Thread(comm, pid, tid))

    def get(self, uint32_t id):
        """``(comm, pid, tid)`` of a thread.

        Raises:
            IndexError: no such id.
        """
        if id >= self.count:
            raise IndexError(id)
        return self.rows[id].comm, self.rows[id].pid, self.rows[id].tid
