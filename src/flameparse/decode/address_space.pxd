"""Which code an address meant, in which process, at which time; what a thread was called at that time."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from flameparse.decode.history cimport History
from flameparse.decode.mapping_tree cimport Mapping, MappingTrees
from flameparse.decode.side_events cimport SideEvent
from flameparse.model.hash_index cimport HashIndex
from flameparse.model.string_table cimport StringTable


# What the DSO of a mapping depends on; what does not matter is 0, or NONE_ID.
cdef struct DsoKey:
    uint64_t device
    uint64_t inode
    uint32_t name
    uint32_t build_id
    int32_t pid         # of a perf map
    uint32_t kind       # DsoKind


cdef struct KnownDso:
    DsoKey key
    uint32_t row        # of the DsoTable


cdef class AddressSpace:
    cdef readonly StringTable strings
    cdef readonly object dsos
    cdef Mapping* mappings      # of trees; good until the next apply
    cdef MappingTrees trees
    cdef History processes      # value: tree of mappings; code: tree of functions, which outrank them
    cdef History threads        # value: comm, a string id or NONE_ID
    cdef bint is_precise
    cdef dict build_ids         # path to build id, as the recording's header has them
    cdef bytes kernel_path
    cdef uint64_t kernel_start  # as recorded
    cdef uint64_t kernel_end
    cdef KnownDso* known_dsos
    cdef uint64_t known_dso_capacity
    cdef HashIndex dso_index
    cdef uint64_t seed

    cdef int apply(self, const SideEvent* events, uint64_t count) except -1
    cdef uint32_t process_of(self, int32_t pid) noexcept nogil
    cdef uint32_t version_at(
        self, uint32_t process, uint64_t time, uint64_t sequence, uint32_t hint
    ) noexcept nogil
    cdef uint32_t find(self, uint32_t version, uint64_t ip) noexcept nogil
    cdef uint32_t comm_at(self, int32_t pid, int32_t tid, uint64_t time, uint64_t sequence) noexcept nogil
    cdef int apply_map(self, const SideEvent* event) except -1
    cdef int learn_kernel(self, const SideEvent* event, const Mapping* mapping) except -1
    cdef int apply_fork(self, const SideEvent* event) except -1
    cdef int apply_kernel_symbol(self, const SideEvent* event) except -1
    cdef int apply_code_load(self, const SideEvent* event) except -1
    cdef int function_of(self, const SideEvent* event, uint32_t path, uint8_t kind, Mapping* mapping) except -1
    cdef bint key_of(self, const SideEvent* event, DsoKey* key) noexcept nogil
    cdef int64_t dso_of(self, const DsoKey* key, int32_t pid) except -1
    cdef object make_dso(self, const DsoKey* key, int32_t pid)
