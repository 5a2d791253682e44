from libc.stdint cimport int64_t, uint32_t, uint64_t

from flameparse.decode.perf_data.event_layout cimport EventLayouts
from flameparse.decode.side_events cimport SideEvent, SideEvents
from flameparse.model.string_table cimport StringTable


cdef enum:
    COUNTED_TYPES = 128   # records of types past these are counted together


cdef struct Segment:
    # Whole records that a decoder can take apart from all others.
    uint64_t begin
    uint64_t end


cdef struct HeldSample:
    uint64_t time
    uint64_t sequence
    uint64_t place        # in the bytes held


cdef class RecordWalk:
    cdef readonly EventLayouts layouts
    cdef readonly SideEvents side_events
    cdef StringTable strings
    cdef bint swaps
    cdef bint holds_samples
    cdef readonly bint is_stopped
    cdef readonly object user_record
    # Times: what the records of a finished round were sorted up to.
    cdef readonly uint64_t first_sample_time
    cdef uint64_t largest_time
    cdef uint64_t round_time
    cdef readonly uint64_t settled_time
    # The account.
    cdef uint64_t counts[COUNTED_TYPES + 1]
    cdef readonly uint64_t sample_count
    cdef readonly uint64_t lost
    cdef readonly uint64_t unknown_ids
    cdef readonly uint64_t malformed
    # File mode: where the recording may be cut.
    cdef Segment* segments
    cdef uint64_t segment_count
    cdef uint64_t segment_capacity
    cdef uint64_t segment_bytes
    # Stream mode: samples whose time is not settled yet.
    cdef HeldSample* held
    cdef readonly uint64_t held_count
    cdef uint64_t held_capacity
    cdef unsigned char* held_bytes
    cdef uint64_t held_size
    cdef uint64_t held_byte_capacity

    cdef Py_ssize_t walk(self, const unsigned char* begin, Py_ssize_t length, uint64_t offset) except -1 nogil
    cdef int take_kernel_record(
        self, const unsigned char* record, uint32_t type, uint32_t size, uint64_t sequence
    ) except -1 nogil
    cdef int take_side_event(
        self, const unsigned char* record, uint32_t type, uint32_t size, SideEvent* event
    ) except -1 nogil
    cdef int64_t name_at(
        self, const unsigned char* record, uint32_t place, uint32_t end
    ) except -1 nogil
    cdef uint64_t time_of(self, const unsigned char* record, uint32_t type, uint32_t size) noexcept nogil
    cdef int hold_sample(
        self, const unsigned char* record, uint32_t size, uint64_t time, uint64_t sequence
    ) except -1 nogil
    cdef int mark_segment(self, uint64_t begin, uint64_t end) except -1 nogil
