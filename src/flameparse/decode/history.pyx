"""What held for a process, or for a thread, at every moment.

Versions are chained from the newest back, and each has a jump over some powers of two of them: any moment is found in
about 2 log2(n) steps, and adding one touches no other but its neighbour (Myers, An applicative random-access stack,
1983).
"""

from libc.stdint cimport UINT32_MAX, int32_t, uint32_t, uint64_t
from libc.stdlib cimport free

from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.growth cimport reserve
from flameparse.model.hash_index cimport index_free, index_init, index_put, slot_id
from flameparse.scan.byte_hash cimport mix

from os import urandom


cdef class History:
    """Versions of what owners, known by a number, have."""

    def __cinit__(self):
        self.seed = int.from_bytes(urandom(8), "little")
        index_init(&self.index, 64)

    def __dealloc__(self):
        free(self.owners)
        free(self.versions)
        index_free(&self.index)

    cdef int set(self, int32_t id, uint64_t time, uint64_t sequence, uint32_t value, uint32_t code) except -1:
        """Let an owner have something from a moment on; no version is made where it has that already.

        Args:
            id: the owner.
            time, sequence: the moment; one before the owner's newest version is taken for that one's.
            value, code: what it has.

        Raises:
            MemoryError: no room.
            OverflowError: 2**32 - 1 versions.
        """
        cdef uint32_t owner = self.owner_of(id)
        cdef uint32_t made = self.version_count
        cdef uint32_t older = NONE_ID
        cdef uint32_t tag
        cdef uint64_t at
        cdef Version* row
        cdef Version* last
        cdef Version* jump
        if owner != NONE_ID:
            older = self.owners[owner].newest
            last = &self.versions[older]
            if last.value == value and last.code == code:
                return 0
        if made == UINT32_MAX - 1:
            raise OverflowError("more than 2**32 - 2 versions")
        reserve(<void**>&self.versions, &self.version_capacity, <uint64_t>made + 1, sizeof(Version))
        if owner == NONE_ID:
            owner = self.owner_count
            reserve(<void**>&self.owners, &self.owner_capacity, <uint64_t>owner + 1, sizeof(Owner))
            tag = tag_of(id, self.seed)
            at = tag & self.index.mask
            while self.index.slots[at]:
                at = (at + 1) & self.index.mask
            index_put(&self.index, at, tag, owner)
            self.owners[owner].id = id
            self.owner_count += 1
        row = &self.versions[made]
        row.time, row.sequence, row.value, row.code = time, sequence, value, code
        row.older, row.newer, row.jump, row.depth = older, NONE_ID, made, 0
        if older != NONE_ID:
            last = &self.versions[older]
            last.newer = made
            if not is_before(last, time, sequence):
                row.time, row.sequence = last.time, last.sequence
            row.depth = last.depth + 1
            # After two jumps of the same length comes one over both.
            jump = &self.versions[last.jump]
            if last.depth - jump.depth == jump.depth - self.versions[jump.jump].depth:
                row.jump = jump.jump
            else:
                row.jump = older
        self.owners[owner].newest = made
        self.version_count += 1
        return 0

    cdef const Version* newest(self, int32_t id) noexcept nogil:
        """The last version of an owner, good until the next one is made; NULL for one that has none."""
        cdef uint32_t owner = self.owner_of(id)
        return NULL if owner == NONE_ID else &self.versions[self.owners[owner].newest]

    cdef uint32_t owner_of(self, int32_t id) noexcept nogil:
        """The row of an owner, or NONE_ID for one that has no versions."""
        cdef uint32_t tag = tag_of(id, self.seed)
        cdef uint64_t at = tag & self.index.mask
        cdef uint64_t slot = self.index.slots[at]
        while slot:
            if slot >> 32 == tag and self.owners[slot_id(slot)].id == id:
                return slot_id(slot)
            at = (at + 1) & self.index.mask
            slot = self.index.slots[at]
        return NONE_ID

    cdef uint32_t version_at(self, uint32_t owner, uint64_t time, uint64_t sequence, uint32_t hint) noexcept nogil:
        """Find the newest version that began before a moment.

        Args:
            owner: row, or NONE_ID.
            time, sequence: the moment; a version that began in it is not yet seen.
            hint: version of the same owner that is looked at first, or NONE_ID.

        Returns:
            The version, or NONE_ID where none began before.
        """
        cdef uint32_t version, jump
        if owner == NONE_ID:
            return NONE_ID
        if hint != NONE_ID and is_before(&self.versions[hint], time, sequence):
            version = self.versions[hint].newer
            if version == NONE_ID or not is_before(&self.versions[version], time, sequence):
                return hint
        version = self.owners[owner].newest
        while version != NONE_ID and not is_before(&self.versions[version], time, sequence):
            jump = self.versions[version].jump
            if jump == version or is_before(&self.versions[jump], time, sequence):
                version = self.versions[version].older
            else:
                version = jump
        return version

    @property
    def memory_bytes(self):
        """Bytes the tables hold allocated."""
        return (
            self.owner_capacity * sizeof(Owner)
            + self.version_capacity * sizeof(Version)
            + (self.index.mask + 1) * sizeof(uint64_t)
        )


cdef inline bint is_before(const Version* version, uint64_t time, uint64_t sequence) noexcept nogil:
    """Whether a version began before a moment."""
    return version.time < time or (version.time == time and version.sequence < sequence)


cdef inline uint32_t tag_of(int32_t id, uint64_t seed) noexcept nogil:
    """What the index finds an owner by."""
    return <uint32_t>(mix(<uint64_t><uint32_t>id ^ seed, 0xD6E8FEB86659FD93u) >> 32)
