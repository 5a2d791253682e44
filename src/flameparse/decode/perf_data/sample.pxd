from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from flameparse.decode.address_space cimport AddressSpace
from flameparse.decode.line_memo cimport Memo
from flameparse.decode.perf_data.event_layout cimport EventLayout, EventLayouts
from flameparse.decode.perf_data.function_bounds cimport FunctionBounds
from flameparse.decode.perf_data.record_walk cimport RecordWalk
from flameparse.model.event_table cimport EventTable
from flameparse.model.frame_table cimport FrameTable
from flameparse.model.sample_table cimport Sample, SampleTable
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.model.thread_table cimport ThreadTable
from flameparse.scan.byte_span cimport ByteSpan


cdef enum:
    PROCESS_SLOTS = 1024
    THREAD_SLOTS = 1024
    CHAIN_LANES = 64
    MAX_CHAIN = 8192 + 64   # more than fit a record
    FIRST_SITES = 5


cdef struct SampleParts:
    # What stands behind the words of fixed place; the pointers point into the record.
    uint64_t ip
    uint32_t cpumode
    const unsigned char* chain
    uint64_t chain_length
    const unsigned char* branches
    uint64_t branch_count
    uint64_t user_ip
    const unsigned char* values   # of the events read with this one
    uint64_t value_count
    uint32_t value_bytes          # of each
    uint32_t value_id_at          # in each
    bint has_user_ip
    bint has_user_stack


cdef struct KnownIp:
    uint64_t ip
    uint32_t entry     # 1 above the frame; 0: the slot is empty
    uint32_t version   # of the mappings the frame was found by


cdef struct KnownIps:
    # What the addresses of one process meant last time, in open addressing.
    KnownIp* slots
    uint64_t mask
    uint64_t count


cdef struct LastChain:
    # The last chain of a thread, root first: the next one most often has the same callers.
    uint64_t* ips          # as recorded, markers too
    uint32_t* frames       # of those that are no markers
    uint64_t capacity      # of both
    uint64_t length
    uint32_t known         # row of known addresses that the callers, behind the last marker, are of
    uint32_t version


cdef struct KnownThread:
    int32_t pid
    int32_t tid
    uint32_t comm
    uint32_t thread


cdef struct Space:
    # One process at one time, or the kernel.
    uint32_t process
    uint32_t version
    uint32_t known     # row of known addresses
    bint is_user


cdef class SampleDecoder:
    cdef readonly object profile
    cdef AddressSpace space
    cdef FunctionBounds functions
    cdef EventLayouts layouts
    cdef StringTable strings
    cdef FrameTable frames
    cdef StackTable stacks
    cdef ThreadTable threads
    cdef EventTable events
    cdef SampleTable samples
    cdef bint swaps
    cdef bint names_come_late
    cdef uint64_t max_frames
    cdef uint64_t unmapped_mask   # what is kept of an address that nothing is mapped at
    cdef uint32_t* event_of        # by layout: row of the events, or NONE_ID
    cdef uint64_t event_capacity
    cdef uint32_t event_count
    cdef uint64_t* previous        # by row of layouts.ids: the value last read
    cdef uint64_t previous_capacity
    cdef uint64_t previous_count
    # What is known.
    cdef KnownIps* known           # by process, behind rows for what belongs to none
    cdef uint64_t known_capacity
    cdef uint64_t known_rows
    cdef uint64_t known_count      # addresses, of all
    cdef uint64_t max_known
    cdef KnownIp no_slot           # the empty slot of rows that have none of their own
    cdef uint64_t seed
    cdef Space elsewhere           # of a hypervisor: nothing is known of it
    cdef Space unmapped            # of a thread that was gone: it has no process any more
    cdef LastChain lanes[CHAIN_LANES]
    cdef Space spaces[PROCESS_SLOTS]  # of processes as the last sample met them
    cdef int32_t pids[PROCESS_SLOTS]
    cdef KnownThread known_threads[THREAD_SLOTS]
    cdef Memo chains
    # The sample being decoded, and the one before it, whose stack is yet to be interned.
    cdef uint32_t* chain
    cdef uint64_t chain_length
    cdef bint has_user_frames
    cdef uint32_t* waiting
    cdef uint64_t waiting_length
    cdef uint32_t waiting_tag
    cdef bint is_waiting
    cdef Sample waiting_sample
    # The account.
    cdef uint64_t guest
    cdef uint64_t unknown_event
    cdef uint64_t malformed
    cdef uint64_t malformed_sites[FIRST_SITES]
    cdef uint32_t malformed_site_count
    cdef uint64_t bad_chains
    cdef uint64_t truncated
    cdef uint64_t not_unwound
    cdef uint64_t deferred

    cdef int open_tables(self)
    cdef int decode_records(
        self, const unsigned char* at, const unsigned char* end, uint64_t sequence
    ) except -1 nogil
    cdef int decode_sample(self, const unsigned char* record, uint32_t size, uint64_t sequence) except -1 nogil
    cdef int drop_malformed(self, uint64_t sequence) noexcept nogil
    cdef int push_parts(
        self, const SampleParts* parts, const EventLayout* layout, int32_t tid, const Space* user, const Space* kernel
    ) except -1 nogil
    cdef int push_chain(
        self, const unsigned char* ips, uint64_t count, LastChain* last, const Space* user, const Space* kernel
    ) except -1 nogil
    cdef uint64_t count_shared(self, const LastChain* last, const unsigned char* ips, uint64_t count) noexcept nogil
    cdef int push_run(
        self, const unsigned char* ips, uint64_t count, size_t stride, const Space* user, const Space* kernel
    ) except -1 nogil
    cdef int push_ip(self, uint64_t ip, const Space* space) except -1 nogil
    cdef int64_t resolve(self, uint64_t ip, const Space* space, uint64_t at) except -1 nogil
    cdef int widen(self, LastChain* last, uint64_t count) except -1 nogil
    cdef const Space* space_behind(self, uint64_t marker, const Space* user, const Space* kernel) noexcept nogil
    cdef int reserve_known(self, uint64_t rows) except -1 nogil
    cdef int grow_known(self, KnownIps* known) except -1 nogil
    cdef int forget_known(self) noexcept nogil
    cdef int enter(self, int32_t pid, uint64_t time, uint64_t sequence, Space* space) except -1 nogil
    cdef int64_t thread_at(self, int32_t pid, int32_t tid, uint64_t time, uint64_t sequence) except -1 nogil
    cdef int64_t event_at(self, uint32_t layout, uint64_t place) except -1 nogil
    cdef int64_t add_event(self, uint32_t layout, uint64_t place) except -1 with gil
    cdef int finish_sample(self, Sample* sample) except -1 nogil
    cdef int finish_values(self, const SampleParts* parts, Sample* sample, uint64_t place) except -1 nogil
    cdef int settle(self) except -1 nogil
