from libc.stdint cimport int32_t, uint32_t, uint64_t

from flameparse.decode.perf_data.abi cimport RECORD_HEADER_BYTES, SAMPLE_ID, SAMPLE_IDENTIFIER
from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.hash_index cimport HashIndex, slot_id
from flameparse.scan.byte_hash cimport mix
from flameparse.scan.byte_span cimport load_u64


cdef struct EventLayout:
    # Places count in bytes from a record's first byte; 0: not there.
    uint64_t sample_type
    uint64_t read_format
    uint64_t branch_sample_type
    uint64_t sample_period
    uint32_t fixed_bytes         # header and words of fixed place, which all samples of the event have
    uint32_t ip_at
    uint32_t tid_at
    uint32_t time_at
    uint32_t cpu_at
    uint32_t period_at
    uint32_t user_registers      # how many
    uint32_t interrupt_registers
    int32_t ip_register          # place of the instruction pointer among the user registers, or -1
    uint32_t max_stack           # a chain of so many frames was cut by the kernel
    uint32_t trailer_bytes       # at the end of every other record
    uint32_t trailer_time_at     # from the end of a record


cdef struct EventId:
    uint64_t id
    uint32_t layout


cdef class EventLayouts:
    cdef readonly list attrs
    cdef EventLayout* rows
    cdef readonly uint32_t count
    cdef uint64_t capacity
    cdef EventId* ids
    cdef readonly uint32_t id_count
    cdef uint64_t id_capacity
    cdef HashIndex index
    cdef uint64_t seed
    cdef bint swaps
    cdef object arch
    # Where an id stands, by the first event: what all others must agree with.
    cdef uint32_t id_at          # in a sample
    cdef uint32_t trailer_id_at  # from the end of any other record

    cdef inline uint32_t find_id(self, uint64_t id) noexcept nogil:
        """Row of ``ids``, or NONE_ID."""
        cdef uint32_t tag = <uint32_t>(mix(id ^ self.seed, self.seed | 1) >> 32)
        cdef uint64_t at = tag & self.index.mask
        cdef uint64_t slot = self.index.slots[at]
        while slot:
            if slot >> 32 == tag and self.ids[slot_id(slot)].id == id:
                return slot_id(slot)
            at = (at + 1) & self.index.mask
            slot = self.index.slots[at]
        return NONE_ID

    cdef inline uint32_t layout_of_id(self, uint64_t id) noexcept nogil:
        """Row of the event an id belongs to, or NONE_ID; synthesised records have 0, which is the first event."""
        cdef uint32_t row
        if id == 0:
            return 0
        row = self.find_id(id)
        return NONE_ID if row == NONE_ID else self.ids[row].layout

    cdef inline uint32_t layout_of_sample(self, const unsigned char* record, uint64_t size) noexcept nogil:
        """Row of the event a sample is of, or NONE_ID.

        Layout: the id is the first word where IDENTIFIER is set, else it stands behind IP, TID, TIME and ADDR.
        Source: evsel__calc_id_pos, tools/perf/util/evsel.c.
        """
        if self.count == 1 or (self.id_at == 0 and self.count):
            return 0
        if self.count == 0 or self.id_at + 8 > size:
            return NONE_ID
        return self.layout_of_id(load_u64(record + self.id_at, self.swaps))

    cdef inline uint32_t layout_of_record(self, const unsigned char* record, uint64_t size) noexcept nogil:
        """Row of the event whose ring held a record that is no sample, or NONE_ID.

        Layout: the id is the last word where IDENTIFIER is set, else it stands before STREAM_ID and CPU.
        Source: evsel__calc_is_pos, tools/perf/util/evsel.c.
        """
        if self.count == 1 or (self.trailer_id_at == 0 and self.count):
            return 0
        if self.count == 0 or RECORD_HEADER_BYTES + self.trailer_id_at > size:
            return NONE_ID
        return self.layout_of_id(load_u64(record + (size - self.trailer_id_at), self.swaps))

    cdef int add_id(self, uint64_t id, uint32_t layout) except -1
