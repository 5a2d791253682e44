"""The stack that is being read from DTrace's text, and how it comes into the tables."""

from libc.stdint cimport INT64_MAX, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free

from flameparse.decode.dtrace.line cimport DTraceFrame, is_kernel_module
from flameparse.decode.line_memo cimport Memo, MemoChain
from flameparse.model.frame_table cimport KIND_KERNEL, KIND_USER, NONE_ID, Frame, new_frame
from flameparse.model.growth cimport reserve
from flameparse.model.sample_table cimport UNKNOWN_CPU, UNKNOWN_TIME, Sample, Total
from flameparse.scan.byte_hash cimport hash_bytes
from flameparse.scan.line_scan cimport is_blank, skip_blanks, skip_word

from flameparse import limits

# As in frames/kind: what only the kernel's half of the address space holds.
cdef uint64_t KERNEL_ADDRESS = 0xFFFF000000000000u
# Past any place in an input: of the event that is to be shown last.
cdef uint64_t LATE_PLACE = 0x1000000000000u


cdef class DTraceStack:
    """Takes frames and keys, then the count or the sample that closes the stack.

    Args:
        profile: the tables to fill. A frame's ``dso`` is its module; one without a symbol keeps its address.
        tells_kernel: mark kernel frames, and let addresses without a module be those of the process.
    """

    def __cinit__(self, profile not None, *, bint tells_kernel):
        self.profile = profile
        self.strings = profile.strings
        self.frames = profile.frames
        self.stacks = profile.stacks
        self.threads = profile.threads
        self.events = profile.events
        self.samples = profile.samples
        self.chains = Memo(limits.MAX_CHAIN_MEMO_BYTES)
        self.tells_kernel = tells_kernel
        self.event = self.negative_event = NONE_ID
        self.cut_names = set()
        self.max_name_bytes = limits.MAX_NAME_BYTES
        self.max_comm_bytes = limits.MAX_COMM_BYTES
        self.max_stack_frames = limits.MAX_STACK_FRAMES
        self.max_total = limits.MAX_TOTAL_WEIGHT

    def __dealloc__(self):
        free(self.chain)
        free(self.keys)
        free(self.kernel_twins)

    cdef int add_keys(self, const unsigned char* text, const unsigned char* end) except -1 nogil:
        """Add the keys of a line, which two blanks or more part."""
        cdef const unsigned char* after
        cdef Frame frame = new_frame(NONE_ID, NONE_ID, KIND_USER, 0)
        while text < end:
            after = skip_word(text, end)
            while after + 1 < end and after[0] == 32 and not is_blank(after[1]):
                after = skip_word(after + 1, end)
            frame.name = <uint32_t>self.intern_capped(text, after - text, self.max_name_bytes)
            reserve(<void**>&self.keys, &self.key_capacity, self.key_count + 1, sizeof(uint32_t))
            self.keys[self.key_count] = <uint32_t>self.frames.intern(frame)
            self.key_count += 1
            text = skip_blanks(after, end)
        return 0

    cdef int64_t frame_of(self, DTraceFrame* text) except -1 nogil:
        """Intern the frame of a line."""
        cdef Frame frame = new_frame(NONE_ID, NONE_ID, KIND_USER, 0)
        if text.module is not NULL:
            frame.dso = <uint32_t>self.intern_capped(text.module, text.module_end - text.module, self.max_name_bytes)
        if text.name == text.name_end:
            frame.address = text.address
        else:
            frame.name = <uint32_t>self.intern_capped(text.name, text.name_end - text.name, self.max_name_bytes)
        return <uint32_t>self.frames.intern(frame)

    cdef int64_t intern_capped(self, const unsigned char* text, size_t length, size_t cap) except -1 nogil:
        """Intern a string, cut where it is longer than its cap."""
        if length <= cap:
            return self.strings.intern(text, length)
        return self.intern_cut(text, length, cap)

    cdef int64_t intern_cut(self, const unsigned char* text, size_t length, size_t cap) except -1 with gil:
        """Intern the start of a string and a hash, so that distinct ones stay distinct."""
        cdef uint64_t hashed = hash_bytes(text, length, 0)
        self.cut_names.add(hashed)
        return self.strings.add(text[: cap - 17] + b"#%016x" % hashed)

    cdef int close(self, uint64_t count, bint is_negative, uint64_t place) except -1 nogil:
        """Add the stack with its count.

        Raises:
            OverflowError: the counts sum past 2**63 - 1.
        """
        cdef Total total
        cdef Sample sample
        cdef Total* row
        cdef uint32_t* hint = NULL
        cdef uint64_t seen = self.samples.samples_seen
        if count > <uint64_t>INT64_MAX:
            self.samples.samples_seen += 1
            self.samples.impossible_periods += 1
            self.forget()
            return 0
        if count > self.max_total - min(self.max_total, seen):
            with gil:
                raise OverflowError("the counts sum past 2**63 - 1")
        self.samples.samples_seen += count
        if self.samples.has_window:
            self.samples.outside_window += count
            self.forget()
            return 0
        if self.samples.allowed_cpus is not NULL and not self.samples.allowed_cpus[self.samples.allowed_cpu_count - 1]:
            self.samples.on_other_cpus += count
            self.forget()
            return 0
        sample.event = total.event = <uint32_t>self.event_of(is_negative, place)
        sample.thread = total.thread = NONE_ID
        sample.stack = total.stack = <uint32_t>self.intern(NONE_ID, &hint)
        sample.cpu = UNKNOWN_CPU
        sample.time_ns = UNKNOWN_TIME
        sample.period = total.samples = total.period = count
        self.samples.add_to_timeline(sample)
        self.forget()
        if hint is not NULL and hint[0] < self.samples.total_count:
            row = &self.samples.totals[hint[0]]
            if row.stack == total.stack and row.thread == NONE_ID and row.event == total.event:
                row.samples += count
                row.period += count
                return 0
        seen = <uint64_t>self.samples.add_total(total)
        if hint is not NULL:
            hint[0] = <uint32_t>seen
        return 0

    cdef int close_sample(self, Sample* sample, uint32_t probe, uint64_t place) except -1 nogil:
        """Count the stack of a sample that was printed as it was taken; sets its event and its stack.

        Args:
            sample: the rest of it is known.
            probe: string id of what took it.
            place: where in the input, for the order of events.
        """
        cdef uint32_t* hint = NULL
        sample.event = <uint32_t>self.events.intern(probe, place)
        sample.stack = <uint32_t>self.intern(sample.thread, &hint)
        self.forget()
        return self.samples.add(sample[0], hint)

    cdef int drop(self) noexcept nogil:
        """Account for a stack that no count closes, and forget it."""
        self.samples.samples_seen += 1
        self.uncounted += 1
        self.forget()
        return 0

    cdef void forget(self) noexcept nogil:
        """Get ready for the next stack."""
        self.length = self.key_count = 0
        self.is_cut = False

    cdef int64_t event_of(self, bint is_negative, uint64_t place) except -1 nogil:
        """Intern the event of counted stacks, or of those whose value is below zero: no sum can hold both."""
        if is_negative:
            self.negative_values += 1
            if self.negative_event == NONE_ID:
                self.negative_event = <uint32_t>self.events.intern(
                    <uint32_t>self.strings.intern(b"negative values", 15), LATE_PLACE + place
                )
            return self.negative_event
        if self.event == NONE_ID:
            self.event = <uint32_t>self.events.intern(<uint32_t>self.strings.intern(b"count", 5), place)
        return self.event

    cdef int64_t intern(self, uint32_t thread, uint32_t** hint) except -1 nogil:
        """Intern the stack, its keys as roots.

        Args:
            thread: whose it is, which says where its addresses without a module are looked up.
            hint: set to the row of the totals it was last added to, or NULL.
        """
        cdef uint32_t known, tag, size, root
        cdef uint64_t i
        cdef uint64_t length = self.length
        cdef MemoChain* chain
        self.cut_stacks += self.is_cut
        if length + self.key_count == 0:
            return NONE_ID
        reserve(<void**>&self.chain, &self.capacity, length + self.key_count + 1, sizeof(uint32_t))
        for i in range(self.key_count):
            self.chain[length] = self.keys[self.key_count - 1 - i]
            length += 1
        self.chain[length] = thread
        size = <uint32_t>((length + 1) * sizeof(uint32_t))
        tag = self.chains.tag_of(self.chain, size)
        known = self.chains.find(self.chain, size, tag)
        if known == NONE_ID:
            if not self.chains.has_room(size):
                self.chains.clear()
            if self.chains.has_room(size):
                known = <uint32_t>self.chains.put(self.chain, size, tag, NONE_ID)
            root = self.chain[length - 1]
            self.place_frames(thread)
            # Stacks of one root share most of their callers.
            root = <uint32_t>self.stacks.intern_leaf_first(self.chain, length, root)
            if known == NONE_ID:  # larger than the whole memo
                return root
            self.chains.chain(known).stack = root
        chain = self.chains.chain(known)
        hint[0] = &chain.total
        return chain.stack

    cdef int place_frames(self, uint32_t thread) except -1 nogil:
        """Tell kernel frames, and whose addresses those without a module are.

        Kernel code is what the kernel's own modules call, down to the leaf: any other module may be a driver or a
        program, by its name alone.
        """
        cdef uint64_t i
        cdef uint64_t kernel = 0
        cdef Frame frame
        cdef uint32_t dso = NONE_ID
        cdef bint dso_is_kernel = False
        if not self.tells_kernel:
            return 0
        for i in range(self.length):
            frame = self.frames.rows[self.chain[i]]
            if frame.dso != dso and frame.dso != NONE_ID:
                dso = frame.dso
                dso_is_kernel = is_kernel_module(self.strings.at(dso), self.strings.length(dso))
            if (frame.dso != NONE_ID and dso_is_kernel) or frame.address >= KERNEL_ADDRESS:
                kernel = i + 1
        for i in range(kernel):
            self.chain[i] = <uint32_t>self.kernel_twin(self.chain[i])
        if thread != NONE_ID and self.threads.rows[thread].pid >= 0:
            for i in range(kernel, self.length):
                frame = self.frames.rows[self.chain[i]]
                if frame.name == NONE_ID and frame.dso == NONE_ID:
                    frame.dso = <uint32_t>self.map_of(self.threads.rows[thread].pid)
                    self.chain[i] = <uint32_t>self.frames.intern(frame)
        return 0

    cdef int64_t kernel_twin(self, uint32_t id) except -1 nogil:
        """The same frame as kernel code."""
        cdef Frame frame
        cdef uint32_t twin
        if id < self.twin_count and self.kernel_twins[id]:
            return self.kernel_twins[id]
        frame = self.frames.rows[id]
        frame.kind = KIND_KERNEL
        twin = <uint32_t>self.frames.intern(frame)
        reserve(<void**>&self.kernel_twins, &self.twin_capacity, <uint64_t>id + 1, sizeof(uint32_t))
        while self.twin_count <= id:
            self.kernel_twins[self.twin_count] = 0
            self.twin_count += 1
        self.kernel_twins[id] = twin
        return twin

    cdef int64_t map_of(self, int pid) except -1 with gil:
        """Intern the name that a process's perf map has."""
        return self.strings.add(b"/tmp/perf-%d.map" % pid)

    cdef object hand_over(self):
        """Write the account of the whole input into the profile."""
        diagnostics = self.profile.diagnostics
        diagnostics.cut_names |= self.cut_names
        diagnostics.count("cut_stacks", self.cut_stacks)
        diagnostics.count("negative_values", self.negative_values)
        diagnostics.count("uncounted_stacks", self.uncounted)
        diagnostics.drop("without a count", self.uncounted)
        diagnostics.drop("outside the window", self.samples.outside_window)
        diagnostics.drop("filtered", self.samples.on_other_cpus)
        diagnostics.drop("impossible period", self.samples.impossible_periods)
        diagnostics.count("impossible_periods", self.samples.impossible_periods)
        return diagnostics
