from libc.stdint cimport int64_t, uint32_t, uint64_t

from flameparse.decode.dtrace.line cimport DTraceFrame
from flameparse.decode.line_memo cimport Memo
from flameparse.model.event_table cimport EventTable
from flameparse.model.frame_table cimport FrameTable
from flameparse.model.growth cimport reserve
from flameparse.model.sample_table cimport Sample, SampleTable
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.model.thread_table cimport ThreadTable


cdef class DTraceStack:
    cdef readonly object profile
    cdef StringTable strings
    cdef FrameTable frames
    cdef StackTable stacks
    cdef ThreadTable threads
    cdef EventTable events
    cdef SampleTable samples
    cdef Memo chains
    cdef bint tells_kernel
    # The stack: its frames leaf first, its keys outermost first, as frames too.
    cdef uint32_t* chain
    cdef uint64_t length
    cdef uint64_t capacity
    cdef uint64_t room          # of the capacity, what the cap allows frames
    cdef bint is_cut            # it is deeper than the cap
    cdef uint32_t* keys
    cdef uint64_t key_count
    cdef uint64_t key_capacity
    # Of the whole input.
    cdef uint32_t* kernel_twins  # frame to the same frame as kernel code, or 0
    cdef uint64_t twin_capacity
    cdef uint64_t twin_count
    cdef uint32_t event
    cdef uint32_t negative_event
    cdef set cut_names
    cdef uint64_t cut_stacks
    cdef uint64_t uncounted
    cdef uint64_t negative_values
    cdef uint64_t max_name_bytes
    cdef uint64_t max_comm_bytes
    cdef uint64_t max_stack_frames
    cdef uint64_t max_total

    cdef inline int push(self, uint32_t frame) except -1 nogil:
        """Add the next caller."""
        if self.length == self.room:
            if self.length >= self.max_stack_frames:
                self.is_cut = True
                return 0
            reserve(<void**>&self.chain, &self.capacity, self.length + 1, sizeof(uint32_t))
            self.room = min(self.capacity, self.max_stack_frames)
        self.chain[self.length] = frame
        self.length += 1
        return 0

    cdef int add_keys(self, const unsigned char* text, const unsigned char* end) except -1 nogil
    cdef int64_t frame_of(self, DTraceFrame* text) except -1 nogil
    cdef int64_t intern_capped(self, const unsigned char* text, size_t length, size_t cap) except -1 nogil
    cdef int close(self, uint64_t count, bint is_negative, uint64_t place) except -1 nogil
    cdef int close_sample(self, Sample* sample, uint32_t probe, uint64_t place) except -1 nogil
    cdef int drop(self) noexcept nogil
    cdef void forget(self) noexcept nogil
    cdef int64_t event_of(self, bint is_negative, uint64_t place) except -1 nogil
    cdef int64_t intern(self, uint32_t thread, uint32_t** hint) except -1 nogil
    cdef int place_frames(self, uint32_t thread) except -1 nogil
    cdef int64_t kernel_twin(self, uint32_t id) except -1 nogil
    cdef int64_t map_of(self, int pid) except -1 with gil
    cdef int64_t intern_cut(self, const unsigned char* text, size_t length, size_t cap) except -1 with gil
    cdef object hand_over(self)
