"""Sample records to tables: which event, thread and stack, at the level of addresses.

The loop does little for a sample: words of fixed place, then each address of the chain to a frame id, then the chain of
ids to a stack. An address is looked up among those its process had before; only a new one, or one of a process that has
mapped something since, asks the address space. A chain is looked up one sample late: what the look-up needs has been
loaded into the cache by then.
"""

from libc.stdint cimport INT64_MAX, UINT64_MAX, int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memmove, memset

from flameparse.decode.address_space cimport AddressSpace
from flameparse.decode.mapping_tree cimport Mapping
from flameparse.decode.line_memo cimport Memo, add_with_chain
from flameparse.decode.perf_data.abi cimport (
    BRANCH_CALL_STACK, BRANCH_COUNTERS, BRANCH_HW_INDEX, CONTEXT_FIRST, CONTEXT_HYPERVISOR, CONTEXT_KERNEL,
    CONTEXT_USER, CONTEXT_USER_DEFERRED, CPUMODE_GUEST_KERNEL, CPUMODE_GUEST_USER, CPUMODE_KERNEL, CPUMODE_USER,
    MISC_CPUMODE, READ_GROUP, READ_ID, READ_LOST, READ_TIME_ENABLED, READ_TIME_RUNNING, RECORD_HEADER_BYTES,
    RECORD_SAMPLE, SAMPLE_AUX, SAMPLE_BEHIND_CHAIN, SAMPLE_BIT_END, SAMPLE_BRANCH_STACK, SAMPLE_CALLCHAIN,
    SAMPLE_CGROUP, SAMPLE_CODE_PAGE_SIZE, SAMPLE_DATA_PAGE_SIZE, SAMPLE_DATA_SRC, SAMPLE_PHYS_ADDR, SAMPLE_RAW,
    SAMPLE_READ, SAMPLE_REGS_INTR, SAMPLE_REGS_USER, SAMPLE_STACK_USER, SAMPLE_TRANSACTION, SAMPLE_WEIGHT,
    SAMPLE_WEIGHT_STRUCT,
)
from flameparse.decode.perf_data.event_layout cimport EventLayout, EventLayouts
from flameparse.decode.perf_data.function_bounds cimport FunctionBounds
from flameparse.decode.perf_data.record_walk cimport HeldSample, RecordWalk
from flameparse.decode.side_events cimport SideEvent, SideEvents
from flameparse.model.event_table cimport UNIT_PERIOD
from flameparse.model.frame_table cimport KIND_KERNEL, KIND_USER, NONE_ID, Frame, new_frame
from flameparse.model.growth cimport reserve
from flameparse.model.sample_table cimport UNKNOWN_CPU, UNKNOWN_TIME, Sample, SampleTable
from flameparse.model.thread_table cimport Thread, ThreadTable
from flameparse.scan.byte_hash cimport mix
from flameparse.scan.byte_span cimport (
    ByteSpan, bytes_left, load_u16, load_u32, load_u64, skip_bytes, take_u32, take_u64,
)

from os import urandom

from flameparse import limits
from flameparse.model.absorb import prune, return_freed_memory
from flameparse.model.profile import Profile


# Rows of known addresses: those of no process, then a process each.
cdef enum:
    KNOWN_ELSEWHERE = 0
    KNOWN_UNMAPPED = 1
    FIRST_KNOWN = 2
    LEAST_SLOTS = 8   # many processes have a sample or two


cdef int32_t KERNEL_PID = -1
cdef uint64_t KNOWN_FACTOR = 0xD6E8FEB86659FD93u


cdef bint take_registers(
    ByteSpan* body, uint32_t count, int32_t wanted, uint64_t* value, bint* has_value
) noexcept nogil:
    """Step over registers and keep one of them; False where the record is too short.

    Layout: u64 abi; u64[count] unless abi is 0.
    Source: PERF_SAMPLE_REGS_USER, include/uapi/linux/perf_event.h.

    Args:
        body: at the abi; on return just past the last register.
        count: how many registers the event asked for.
        wanted: place of the one to keep, or -1.
        value, has_value: receive it; untouched where it is not there.
    """
    cdef uint64_t abi
    if not take_u64(body, &abi):
        return False
    if abi == 0:
        return True
    if count * 8 > bytes_left(body):
        return False
    if wanted >= 0:
        value[0] = load_u64(body.at + 8 * wanted, body.swaps)
        has_value[0] = True
    body.at += 8 * count
    return True


cdef bint take_values(ByteSpan* body, uint64_t read_format, SampleParts* parts) noexcept nogil:
    """Take the counter values read with a sample; False where the record is too short.

    Layout, in u64 words, [x] only when its PERF_FORMAT_ bit is set:
        without GROUP: value [time_enabled] [time_running] [id] [lost]
        with GROUP:    nr [time_enabled] [time_running] nr * (value [id] [lost])
    Source: struct read_format, include/uapi/linux/perf_event.h.

    Args:
        body: at the first word; on return just past the last.
        parts: receives the values that have an id.
    """
    cdef uint64_t count = 1
    cdef uint32_t times = 8 * (
        ((read_format & READ_TIME_ENABLED) != 0) + <uint32_t>((read_format & READ_TIME_RUNNING) != 0)
    )
    cdef uint32_t value_bytes = 8 + 8 * (
        ((read_format & READ_ID) != 0) + <uint32_t>((read_format & READ_LOST) != 0)
    )
    cdef const unsigned char* values
    if read_format & READ_GROUP:
        if not take_u64(body, &count) or not skip_bytes(body, times):
            return False
        values = body.at
        if count > bytes_left(body) // value_bytes:
            return False
        body.at += count * value_bytes
    else:
        values = body.at
        if not skip_bytes(body, times + value_bytes):
            return False
    if read_format & READ_ID:
        parts.values = values
        parts.value_count = count
        parts.value_bytes = value_bytes
        parts.value_id_at = 8 if read_format & READ_GROUP else 8 + times
    return True


cdef bint take_branches(ByteSpan* body, uint64_t branch_sample_type, SampleParts* parts) noexcept nogil:
    """Take the branch stack of a sample; False where the record is too short.

    Layout: u64 nr; [u64 hw_idx]; nr * {u64 from, to, flags}; [nr * u64 counters]; [x] when its bit is set in
    branch_sample_type.
    Source: PERF_SAMPLE_BRANCH_STACK, include/uapi/linux/perf_event.h.
    """
    cdef uint64_t count
    cdef uint64_t entry_bytes = 32 if branch_sample_type & BRANCH_COUNTERS else 24
    if not take_u64(body, &count):
        return False
    if branch_sample_type & BRANCH_HW_INDEX and not skip_bytes(body, 8):
        return False
    if count > bytes_left(body) // entry_bytes:
        return False
    parts.branches = body.at
    parts.branch_count = count
    body.at += count * entry_bytes
    return True


cdef bint take_parts(ByteSpan* body, const EventLayout* layout, SampleParts* parts) noexcept nogil:
    """Take what stands behind the words of fixed place; False where the record is shorter or longer than that.

    Layout, [x] only when its bit is set in sample_type:
        [READ] [CALLCHAIN: u64 nr, ips[nr]] [RAW: u32 size, bytes] [BRANCH_STACK] [REGS_USER]
        [STACK_USER: u64 size; where it is not 0, the bytes and u64 dyn_size] [WEIGHT or WEIGHT_STRUCT] [DATA_SRC]
        [TRANSACTION] [REGS_INTR] [PHYS_ADDR] [CGROUP] [DATA_PAGE_SIZE] [CODE_PAGE_SIZE] [AUX: u64 size, bytes]
    The comment in the header has AUX before the page sizes; the kernel writes it last.
    Source: enum perf_event_type, PERF_RECORD_SAMPLE, include/uapi/linux/perf_event.h; perf_output_sample,
    kernel/events/core.c.
    """
    cdef uint64_t sample_type = layout.sample_type
    cdef uint64_t size
    cdef uint32_t raw_size
    cdef uint64_t unused
    cdef bint has_unused
    if sample_type & SAMPLE_READ and not take_values(body, layout.read_format, parts):
        return False
    if sample_type & SAMPLE_CALLCHAIN:
        if not take_u64(body, &size) or size > bytes_left(body) >> 3:
            return False
        parts.chain = body.at
        parts.chain_length = size
        body.at += size << 3
    if sample_type & SAMPLE_BEHIND_CHAIN == 0:
        return body.at == body.end or sample_type >= SAMPLE_BIT_END
    if sample_type & SAMPLE_RAW:
        if not take_u32(body, &raw_size) or not skip_bytes(body, raw_size):
            return False
    if sample_type & SAMPLE_BRANCH_STACK and not take_branches(body, layout.branch_sample_type, parts):
        return False
    if sample_type & SAMPLE_REGS_USER:
        if not take_registers(body, layout.user_registers, layout.ip_register, &parts.user_ip, &parts.has_user_ip):
            return False
    if sample_type & SAMPLE_STACK_USER:
        if not take_u64(body, &size):
            return False
        if size:
            if not skip_bytes(body, size) or not skip_bytes(body, 8):
                return False
            parts.has_user_stack = True
    if sample_type & (SAMPLE_WEIGHT | SAMPLE_WEIGHT_STRUCT) and not skip_bytes(body, 8):
        return False
    if sample_type & SAMPLE_DATA_SRC and not skip_bytes(body, 8):
        return False
    if sample_type & SAMPLE_TRANSACTION and not skip_bytes(body, 8):
        return False
    if sample_type & SAMPLE_REGS_INTR:
        if not take_registers(body, layout.interrupt_registers, -1, &unused, &has_unused):
            return False
    if sample_type & SAMPLE_PHYS_ADDR and not skip_bytes(body, 8):
        return False
    if sample_type & SAMPLE_CGROUP and not skip_bytes(body, 8):
        return False
    if sample_type & SAMPLE_DATA_PAGE_SIZE and not skip_bytes(body, 8):
        return False
    if sample_type & SAMPLE_CODE_PAGE_SIZE and not skip_bytes(body, 8):
        return False
    if sample_type & SAMPLE_AUX:
        if not take_u64(body, &size) or not skip_bytes(body, size):
            return False
    # What a newer kernel adds, it adds at the end.
    return body.at == body.end or sample_type >= SAMPLE_BIT_END


cdef class SampleDecoder:
    """Decodes the samples of one recording, or one thread's share of them, into a Profile.

    Args:
        profile: the tables to fill. Several decoders may share its strings, which then must hold every event's name.
        space: what addresses and threads mean, at any time; only read.
        layouts: of the events.
        functions: whose addresses are one frame each.
        max_frames: of one chain, as ``perf script`` cuts it; 0 for all.
        keeps_addresses: tell addresses that nothing is mapped at apart. Without it only their half of the address
            space is kept: what a broken call chain holds is another number each time.
        first_time: where the window of the samples table counts from, or None for the first sample.
        names_come_late: what events are called is known at the end only, by ``rename_events``.
    """

    def __cinit__(
        self, profile not None, AddressSpace space not None, EventLayouts layouts not None,
        FunctionBounds functions not None, *, uint64_t max_frames=0, bint keeps_addresses=False, first_time=None,
        bint names_come_late=False,
    ):
        cdef int i
        self.profile = profile
        self.space = space
        self.layouts = layouts
        self.functions = functions
        self.swaps = layouts.swaps
        self.names_come_late = names_come_late
        self.open_tables()
        self.max_frames = max_frames if max_frames else UINT64_MAX
        self.unmapped_mask = UINT64_MAX if keeps_addresses else 0xFFFF000000000000u
        self.chains = Memo(limits.MAX_CHAIN_MEMO_BYTES)
        self.seed = int.from_bytes(urandom(8), "little")
        self.max_known = limits.MAX_KNOWN_ADDRESSES
        self.chain = <uint32_t*>malloc(MAX_CHAIN * sizeof(uint32_t))
        self.waiting = <uint32_t*>malloc(MAX_CHAIN * sizeof(uint32_t))
        if self.chain is NULL or self.waiting is NULL:
            raise MemoryError
        # What is looked up in a slot never is the number of the next one.
        for i in range(PROCESS_SLOTS):
            self.pids[i] = i + 1
        self.reserve_known(FIRST_KNOWN)
        self.elsewhere.process = self.elsewhere.version = NONE_ID
        self.elsewhere.known = KNOWN_ELSEWHERE
        self.unmapped.process = self.unmapped.version = NONE_ID
        self.unmapped.known = KNOWN_UNMAPPED
        self.unmapped.is_user = True
        if first_time is not None:
            self.samples.open_window(min(first_time, INT64_MAX))

    cdef int open_tables(self):
        """Fill the tables that the profile has now."""
        cdef int i
        self.strings = self.profile.strings
        self.frames = self.profile.frames
        self.stacks = self.profile.stacks
        self.threads = self.profile.threads
        self.events = self.profile.events
        self.samples = self.profile.samples
        for i in range(THREAD_SLOTS):
            self.known_threads[i].tid = i + 1
        return 0

    def __dealloc__(self):
        cdef int i
        free(self.event_of)
        free(self.previous)
        self.forget_known()
        free(self.known)
        for i in range(CHAIN_LANES):
            free(self.lanes[i].ips)
            free(self.lanes[i].frames)
        free(self.chain)
        free(self.waiting)

    def sibling(self):
        """A decoder for another share of the same recording, with tables of its own but for the strings."""
        profile = Profile(self.samples.sibling())
        profile.strings = self.profile.strings
        profile.dsos = self.profile.dsos
        return SampleDecoder(
            profile, self.space, self.layouts, self.functions,
            max_frames=0 if self.max_frames == UINT64_MAX else self.max_frames,
            keeps_addresses=self.unmapped_mask == UINT64_MAX,
        )

    def prune(self):
        """Fold the rarer half of the stacks into ``[other]``; strings, which decoders share, stay."""
        smaller = Profile(self.samples.sibling())
        smaller.strings = self.strings
        smaller.dsos = self.profile.dsos
        self.finish()
        prune(self.profile, smaller)
        self.profile.take_tables(smaller)
        # Events were taken over in their order, so their rows are the same.
        self.open_tables()
        self.chains.clear()
        self.forget_addresses()
        return_freed_memory()

    def feed(self, const unsigned char[::1] block not None, Py_ssize_t length, uint64_t offset):
        """Decode the samples among whole records.

        Args:
            block: records from end to end, as ``RecordWalk.segments_found`` has them.
            length: bytes of it that are filled.
            offset: place of the block among all records.

        Raises:
            MemoryError: no room.
            OverflowError: weights past 2**64 - 1.
        """
        if not 0 <= length <= block.shape[0]:
            raise ValueError("length past the end of the block")
        if length:
            with nogil:
                self.decode_records(&block[0], &block[0] + length, offset)

    def feed_held(self, RecordWalk walk not None, uint64_t until):
        """Take what a stream's walk holds, up to a time: first its side events, then its samples.

        Args:
            walk: lets go of what is taken.
            until: the last time taken.
        """
        cdef uint64_t kept = 0
        cdef uint64_t kept_bytes = 0
        cdef uint64_t i
        cdef uint32_t size
        cdef uint64_t first_time = UINT64_MAX
        cdef HeldSample* held
        cdef SideEvents events = walk.side_events
        cdef uint64_t settled = 0
        events.sort()
        while settled < events.count and events.rows[settled].time <= until:
            settled += 1
        if settled:
            self.space.apply(events.rows, settled)
            events.count -= settled
            memmove(events.rows, events.rows + settled, events.count * sizeof(SideEvent))
        for i in range(walk.held_count):
            if walk.held[i].time:
                first_time = min(first_time, walk.held[i].time)
        if self.samples.first_time_ns == UNKNOWN_TIME and first_time <= <uint64_t>INT64_MAX:
            self.samples.open_window(first_time)
        with nogil:
            for i in range(walk.held_count):
                held = &walk.held[i]
                size = load_u16(walk.held_bytes + held.place + 6, self.swaps)
                if held.time <= until:
                    self.decode_sample(walk.held_bytes + held.place, size, held.sequence)
                    continue
                if kept != i:
                    memmove(walk.held_bytes + kept_bytes, walk.held_bytes + held.place, size)
                    walk.held[kept] = held[0]
                    walk.held[kept].place = kept_bytes
                kept += 1
                kept_bytes += size
        walk.held_count = kept
        walk.held_size = kept_bytes

    def dsos_met(self):
        """Rows of the DSOs whose addresses are frames, those of most frames first."""
        cdef uint32_t i
        counts = [0] * len(self.profile.dsos)
        for i in range(self.frames.count):
            if self.frames.rows[i].dso != NONE_ID and self.frames.rows[i].name == NONE_ID:
                counts[self.frames.rows[i].dso] += 1
        return sorted((row for row, count in enumerate(counts) if count), key=counts.__getitem__, reverse=True)

    def forget_addresses(self):
        """Find the frames of addresses anew, since bounds of functions have become known."""
        cdef int i
        self.forget_known()
        for i in range(CHAIN_LANES):
            self.lanes[i].length = 0

    def rename_events(self):
        """Call events as their attrs are called now.

        Returns:
            Whether two rows have one name, so that the Profile must be absorbed by another to make them one.
        """
        names = set()
        cdef uint32_t i
        for i in range(self.event_count):
            if self.event_of[i] != NONE_ID:
                name = self.strings.add(self.layouts.attrs[i].name)
                self.events.rows[self.event_of[i]].name = name
                names.add(name)
        return len(names) < len(self.events)

    def finish(self):
        """Hand over the last sample, and the account since the last time."""
        self.settle()
        diagnostics = self.profile.diagnostics
        for reason, count in (
            ("guest", self.guest), ("unknown event", self.unknown_event), ("malformed sample", self.malformed),
        ):
            self.samples.samples_seen += count
            diagnostics.drop(reason, count)
        diagnostics.drop("outside the window", self.samples.outside_window)
        diagnostics.drop("filtered", self.samples.on_other_cpus)
        diagnostics.drop("impossible period", self.samples.impossible_periods)
        diagnostics.count("impossible_periods", self.samples.impossible_periods)
        diagnostics.count("malformed_samples", self.malformed)
        diagnostics.count("bad_chains", self.bad_chains)
        diagnostics.count("truncated_stacks", self.truncated)
        diagnostics.count("not_unwound", self.not_unwound)
        diagnostics.count("deferred_chains", self.deferred)
        self.guest = self.unknown_event = self.malformed = self.bad_chains = 0
        self.truncated = self.not_unwound = self.deferred = 0

    @property
    def malformed_places(self):
        """Where the first few samples stand that are shorter or longer than what they must hold."""
        return [self.malformed_sites[i] for i in range(self.malformed_site_count)]

    @property
    def memory_bytes(self):
        """Bytes of the tables that ``prune`` makes smaller."""
        return self.frames.memory_bytes + self.stacks.memory_bytes + self.samples.memory_bytes

    cdef int decode_records(
        self, const unsigned char* at, const unsigned char* end, uint64_t sequence
    ) except -1 nogil:
        """Decode the samples among whole records."""
        cdef uint32_t size
        cdef const unsigned char* begin = at
        while end - at >= RECORD_HEADER_BYTES:
            size = load_u16(at + 6, self.swaps)
            if size < RECORD_HEADER_BYTES or size > end - at:
                break
            if load_u32(at, self.swaps) == RECORD_SAMPLE:
                self.decode_sample(at, size, sequence + (at - begin))
            at += size
        return 0

    cdef int decode_sample(self, const unsigned char* record, uint32_t size, uint64_t sequence) except -1 nogil:
        """Decode one sample record."""
        cdef bint swaps = self.swaps
        cdef uint32_t row = self.layouts.layout_of_sample(record, size)
        cdef const EventLayout* layout
        cdef SampleParts parts
        cdef ByteSpan body
        cdef Sample sample
        cdef Space user, kernel
        cdef uint64_t time = 0
        cdef int32_t pid = -1
        cdef int32_t tid = -1
        if self.is_waiting:
            self.chains.expect_record(self.waiting_tag)
        if row == NONE_ID:
            self.unknown_event += 1
            return 0
        layout = &self.layouts.rows[row]
        if size < layout.fixed_bytes:
            return self.drop_malformed(sequence)
        memset(&parts, 0, sizeof(parts))
        body.at = record + layout.fixed_bytes
        body.end = record + size
        body.swaps = swaps
        if not take_parts(&body, layout, &parts):
            return self.drop_malformed(sequence)
        parts.cpumode = load_u16(record + 4, swaps) & MISC_CPUMODE
        if parts.cpumode == CPUMODE_GUEST_KERNEL or parts.cpumode == CPUMODE_GUEST_USER:
            self.guest += 1
            return 0
        if layout.ip_at:
            parts.ip = load_u64(record + layout.ip_at, swaps)
        if layout.tid_at:
            pid = <int32_t>load_u32(record + layout.tid_at, swaps)
            tid = <int32_t>load_u32(record + layout.tid_at + 4, swaps)
        sample.time_ns = UNKNOWN_TIME
        if layout.time_at:
            time = load_u64(record + layout.time_at, swaps)
            sample.time_ns = <int64_t>min(time, <uint64_t>INT64_MAX)
        sample.cpu = <int32_t>load_u32(record + layout.cpu_at, swaps) if layout.cpu_at else UNKNOWN_CPU
        sample.period = load_u64(record + layout.period_at, swaps) if layout.period_at else layout.sample_period
        sample.thread = <uint32_t>self.thread_at(pid, tid, time, sequence)
        if pid == KERNEL_PID:
            user = self.unmapped
        else:
            self.enter(pid, time, sequence, &user)
        self.enter(KERNEL_PID, time, sequence, &kernel)
        self.push_parts(&parts, layout, tid, &user, &kernel)
        self.not_unwound += parts.has_user_stack
        if layout.sample_type & SAMPLE_READ and parts.values is not NULL:
            return self.finish_values(&parts, &sample, time if layout.time_at else sequence)
        sample.event = <uint32_t>self.event_at(row, time if layout.time_at else sequence)
        return self.finish_sample(&sample)

    cdef int drop_malformed(self, uint64_t sequence) noexcept nogil:
        """Account for a sample that is not as long as what it must hold; the first sites are kept, in order."""
        cdef uint32_t i = min(self.malformed_site_count, <uint32_t>FIRST_SITES - 1)
        self.malformed += 1
        if self.malformed_site_count < FIRST_SITES:
            self.malformed_site_count += 1
        elif sequence > self.malformed_sites[i]:
            return 0
        while i and self.malformed_sites[i - 1] > sequence:
            self.malformed_sites[i] = self.malformed_sites[i - 1]
            i -= 1
        self.malformed_sites[i] = sequence
        return 0

    cdef int push_parts(
        self, const SampleParts* parts, const EventLayout* layout, int32_t tid, const Space* user, const Space* kernel
    ) except -1 nogil:
        """Make the frames of a sample, leaf first.

        Where the branch stack holds calls, it gives the user part: where the last call went, then where each came
        from. Without a chain there is one frame, of the instruction pointer.
        Source: resolve_lbr_callchain_sample, thread__resolve_callchain_sample, tools/perf/util/machine.c.
        """
        cdef uint64_t i
        cdef uint64_t calls = 0
        cdef uint64_t frame_count = 0
        cdef LastChain* last = &self.lanes[<uint32_t>tid % CHAIN_LANES]
        self.chain_length = 0
        self.has_user_frames = False
        if not layout.sample_type & SAMPLE_CALLCHAIN:
            if layout.ip_at:
                self.push_ip(
                    parts.ip,
                    user if parts.cpumode == CPUMODE_USER
                    else kernel if parts.cpumode == CPUMODE_KERNEL else &self.elsewhere,
                )
        elif layout.branch_sample_type & BRANCH_CALL_STACK and parts.branch_count:
            while calls < parts.chain_length and load_u64(parts.chain + 8 * calls, self.swaps) != CONTEXT_USER:
                calls += 1
            self.push_run(parts.chain, calls, 8, user, kernel)
            if calls < parts.chain_length:
                self.push_run(parts.branches + 8, 1, 24, user, kernel)
                self.push_run(parts.branches, parts.branch_count, 24, user, kernel)
        else:
            if parts.chain_length > self.max_frames:
                self.push_run(parts.chain, parts.chain_length, 8, user, kernel)
            else:
                self.push_chain(parts.chain, parts.chain_length, last, user, kernel)
            if parts.chain_length >= layout.max_stack:
                for i in range(parts.chain_length):
                    frame_count += load_u64(parts.chain + 8 * i, self.swaps) < CONTEXT_FIRST
                self.truncated += frame_count >= layout.max_stack
        if parts.has_user_ip and parts.has_user_stack and not self.has_user_frames and parts.user_ip:
            self.push_ip(parts.user_ip, user)
        return 0

    cdef int push_chain(
        self, const unsigned char* ips, uint64_t count, LastChain* last, const Space* user, const Space* kernel
    ) except -1 nogil:
        """Add a chain, leaf first, taking over the frames of the callers it shares with the one before it.

        Args:
            ips: the chain.
            count: its length, markers too.
            last: the chain before it of a thread that may be the same; becomes this one.
        """
        cdef uint64_t shared = self.count_shared(last, ips, count)
        cdef uint64_t own = count - shared
        cdef uint64_t i, ip
        cdef const Space* space = user
        cdef bint swaps = self.swaps
        if last.capacity < count:
            self.widen(last, count)
        last.length = shared
        for i in range(count):
            if i == own and space.known == last.known and space.version == last.version:
                # The rest is shared, and means what it meant.
                while shared:
                    shared -= 1
                    self.chain[self.chain_length] = last.frames[shared]
                    self.chain_length += 1
                self.has_user_frames = self.has_user_frames or space.is_user
                break
            ip = load_u64(ips + 8 * i, swaps)
            last.ips[count - 1 - i] = ip
            if ip < CONTEXT_FIRST:
                self.push_ip(ip, space)
                last.frames[count - 1 - i] = self.chain[self.chain_length - 1]
            else:
                space = self.space_behind(ip, user, kernel)
                if space is NULL:
                    last.length = 0
                    return 0
        last.length = count
        last.known = space.known
        last.version = space.version
        return 0

    cdef inline uint64_t count_shared(
        self, const LastChain* last, const unsigned char* ips, uint64_t count
    ) noexcept nogil:
        """How many callers, from the root on, a chain has in common with another; none beyond a marker."""
        cdef uint64_t limit = min(count, last.length)
        cdef uint64_t shared = 0
        cdef uint64_t ip
        while shared < limit:
            ip = load_u64(ips + 8 * (count - 1 - shared), self.swaps)
            if ip != last.ips[shared] or ip >= CONTEXT_FIRST:
                break
            shared += 1
        return shared

    cdef int widen(self, LastChain* last, uint64_t count) except -1 nogil:
        """Make room for a chain."""
        cdef uint64_t capacity = last.capacity
        reserve(<void**>&last.ips, &capacity, count, sizeof(uint64_t))
        reserve(<void**>&last.frames, &last.capacity, count, sizeof(uint32_t))
        return 0

    cdef const Space* space_behind(self, uint64_t marker, const Space* user, const Space* kernel) noexcept nogil:
        """What the addresses behind a marker are of; NULL where they cannot be told.

        A marker that is not the host's makes the whole chain worthless, as for perf; one that says that the user part
        comes later ends it.
        Source: add_callchain_ip, tools/perf/util/machine.c.
        """
        if marker == CONTEXT_KERNEL:
            return kernel
        if marker == CONTEXT_USER:
            return user
        if marker == CONTEXT_HYPERVISOR:
            return &self.elsewhere
        if marker == CONTEXT_USER_DEFERRED:
            self.deferred += 1
        else:
            self.bad_chains += 1
            self.chain_length = 0
        return NULL

    cdef int push_run(
        self, const unsigned char* ips, uint64_t count, size_t stride, const Space* user, const Space* kernel
    ) except -1 nogil:
        """Add addresses to the chain, no more than ``max_frames``.

        Args:
            ips: the first address.
            count: how many, markers too.
            stride: bytes from one to the next.
        """
        cdef const Space* space = user
        cdef uint64_t i, ip
        cdef uint64_t left = self.max_frames
        for i in range(count):
            ip = load_u64(ips + i * stride, self.swaps)
            if ip >= CONTEXT_FIRST:
                space = self.space_behind(ip, user, kernel)
                if space is NULL:
                    break
            elif left:
                left -= 1
                self.push_ip(ip, space)
            else:
                break
        return 0

    cdef inline int push_ip(self, uint64_t ip, const Space* space) except -1 nogil:
        """Add the frame of an address to the chain."""
        cdef KnownIps* known = &self.known[space.known]
        cdef uint64_t at = mix(ip ^ self.seed, KNOWN_FACTOR) & known.mask
        cdef KnownIp* slot = &known.slots[at]
        cdef uint32_t frame
        while slot.entry and slot.ip != ip:
            at = (at + 1) & known.mask
            slot = &known.slots[at]
        if slot.entry and slot.version == space.version:
            frame = slot.entry - 1
        else:
            frame = <uint32_t>self.resolve(ip, space, at)
        self.has_user_frames = self.has_user_frames or space.is_user
        if self.chain_length < MAX_CHAIN:
            self.chain[self.chain_length] = frame
            self.chain_length += 1
        return 0

    cdef int64_t resolve(self, uint64_t ip, const Space* space, uint64_t at) except -1 nogil:
        """Ask the address space what an address means and remember it; its frame.

        Args:
            at: the slot where the address is known, or the empty one where it will be.
        """
        cdef uint32_t mapping = NONE_ID
        cdef Mapping* row
        cdef Frame frame = new_frame(NONE_ID, NONE_ID, KIND_USER, 0)
        cdef KnownIps* known = &self.known[space.known]
        cdef KnownIp* slot
        if not known.slots[at].entry:
            if self.known_count == self.max_known:
                self.forget_known()
            if (known.count + 1) * 4 > (known.mask + 1) * 3:
                self.grow_known(known)
            at = mix(ip ^ self.seed, KNOWN_FACTOR) & known.mask
            while known.slots[at].entry:
                at = (at + 1) & known.mask
            known.count += 1
            self.known_count += 1
        slot = &known.slots[at]
        if space.version != NONE_ID:
            mapping = self.space.find(space.version, ip)
        if mapping == NONE_ID:
            frame.address = ip & self.unmapped_mask
            frame.kind = KIND_USER if space.is_user else KIND_KERNEL
        else:
            row = &self.space.mappings[mapping]
            frame.name = row.name
            frame.dso = row.dso
            frame.address = 0 if row.name != NONE_ID else self.functions.representative(row.dso, ip + row.bias)
            frame.kind = row.kind
        slot.ip = ip
        slot.entry = <uint32_t>self.frames.intern(frame) + 1
        slot.version = space.version
        return slot.entry - 1

    cdef int reserve_known(self, uint64_t rows) except -1 nogil:
        """Make rows of known addresses."""
        reserve(<void**>&self.known, &self.known_capacity, rows, sizeof(KnownIps))
        while self.known_rows < rows:
            self.known[self.known_rows].slots = &self.no_slot
            self.known[self.known_rows].mask = 0
            self.known[self.known_rows].count = 0
            self.known_rows += 1
        return 0

    cdef int grow_known(self, KnownIps* known) except -1 nogil:
        """Make the slots of one process four times as many."""
        cdef KnownIps grown
        cdef uint64_t i, at
        grown.count = known.count
        grown.mask = max((known.mask + 1) * 4, <uint64_t>LEAST_SLOTS) - 1
        grown.slots = <KnownIp*>calloc(grown.mask + 1, sizeof(KnownIp))
        if grown.slots is NULL:
            with gil:
                raise MemoryError
        for i in range(known.mask + 1):
            if known.slots[i].entry:
                at = mix(known.slots[i].ip ^ self.seed, KNOWN_FACTOR) & grown.mask
                while grown.slots[at].entry:
                    at = (at + 1) & grown.mask
                grown.slots[at] = known.slots[i]
        if known.slots != &self.no_slot:
            free(known.slots)
        known[0] = grown
        return 0

    cdef int forget_known(self) noexcept nogil:
        """Forget all known addresses."""
        cdef uint64_t i
        for i in range(self.known_rows):
            if self.known[i].slots != &self.no_slot:
                free(self.known[i].slots)
            self.known[i].slots = &self.no_slot
            self.known[i].mask = self.known[i].count = 0
        self.known_count = 0
        return 0

    cdef inline int enter(self, int32_t pid, uint64_t time, uint64_t sequence, Space* space) except -1 nogil:
        """Find a process, -1 for the kernel, and the version of its mappings at a moment."""
        cdef uint32_t at = <uint32_t>pid & (PROCESS_SLOTS - 1)
        cdef Space* cached = &self.spaces[at]
        if self.pids[at] != pid or cached.process == NONE_ID:
            self.pids[at] = pid
            cached.is_user = pid != KERNEL_PID
            cached.process = self.space.process_of(pid)
            cached.version = NONE_ID
            cached.known = KNOWN_UNMAPPED
            if cached.process != NONE_ID:
                cached.known = cached.process + FIRST_KNOWN
                self.reserve_known(<uint64_t>cached.known + 1)
        if cached.process != NONE_ID:
            cached.version = self.space.version_at(cached.process, time, sequence, cached.version)
        space[0] = cached[0]
        return 0

    cdef inline int64_t thread_at(self, int32_t pid, int32_t tid, uint64_t time, uint64_t sequence) except -1 nogil:
        """Intern the thread of a sample, as it was called then."""
        cdef KnownThread* known = &self.known_threads[<uint32_t>tid & (THREAD_SLOTS - 1)]
        cdef uint32_t comm = self.space.comm_at(pid, tid, time, sequence)
        cdef Thread thread
        if known.pid == pid and known.tid == tid and known.comm == comm:
            return known.thread
        thread.comm = comm
        thread.pid = pid
        thread.tid = tid
        known.thread = <uint32_t>self.threads.intern(thread)
        known.pid = pid
        known.tid = tid
        known.comm = comm
        return known.thread

    cdef inline int64_t event_at(self, uint32_t layout, uint64_t place) except -1 nogil:
        """Row of the events for one of the layouts.

        Args:
            layout: row of the layouts.
            place: of the sample; the event that has the least comes first.
        """
        cdef uint32_t event
        if layout >= self.event_count or self.event_of[layout] == NONE_ID:
            return self.add_event(layout, place)
        event = self.event_of[layout]
        self.events.rows[event].first_seen = min(self.events.rows[event].first_seen, place)
        return event

    cdef int64_t add_event(self, uint32_t layout, uint64_t place) except -1 with gil:
        """Intern the event of a layout. Out of line, since it takes the GIL."""
        cdef uint32_t event
        reserve(<void**>&self.event_of, &self.event_capacity, self.layouts.count, sizeof(uint32_t))
        while self.event_count < self.layouts.count:
            self.event_of[self.event_count] = NONE_ID
            self.event_count += 1
        name = b"%d" % layout if self.names_come_late else self.layouts.attrs[layout].name
        event = <uint32_t>self.events.add(self.strings.add(name), UNIT_PERIOD, place)
        self.event_of[layout] = event
        return event

    cdef int finish_values(self, const SampleParts* parts, Sample* sample, uint64_t place) except -1 nogil:
        """Hand over one sample for each event read: its weight is what it counted since it was read last.

        Source: deliver_sample_group, deliver_sample_value, tools/perf/util/session.c.
        """
        cdef uint64_t value
        cdef uint32_t id
        cdef uint64_t length = self.chain_length
        cdef const unsigned char* at = parts.values
        cdef bint is_first = True
        for _ in range(parts.value_count):
            value = load_u64(at, self.swaps)
            id = self.layouts.find_id(load_u64(at + parts.value_id_at, self.swaps))
            at += parts.value_bytes
            place += 1  # the events of one moment are in the order of their values
            if id == NONE_ID:
                self.unknown_event += 1
                continue
            reserve(<void**>&self.previous, &self.previous_capacity, self.layouts.id_count, sizeof(uint64_t))
            while self.previous_count < self.layouts.id_count:
                self.previous[self.previous_count] = 0
                self.previous_count += 1
            sample.period = value - self.previous[id]
            self.previous[id] = value
            if sample.period == 0:
                continue
            sample.event = <uint32_t>self.event_at(self.layouts.ids[id].layout, place)
            if not is_first:
                memcpy(self.chain, self.waiting, length * sizeof(uint32_t))
                self.chain_length = length
            is_first = False
            self.finish_sample(sample)
        return 0

    cdef int finish_sample(self, Sample* sample) except -1 nogil:
        """Set the sample that was decoded aside for ``settle``."""
        self.settle()
        self.waiting, self.chain = self.chain, self.waiting
        self.waiting_length = self.chain_length
        self.waiting_sample = sample[0]
        self.waiting_tag = self.chains.tag_of(self.waiting, <uint32_t>(self.waiting_length * sizeof(uint32_t)))
        self.chains.expect(self.waiting_tag)
        self.is_waiting = True
        return 0

    cdef int settle(self) except -1 nogil:
        """Intern the stack of the sample set aside, if there is one, and hand the sample over."""
        if not self.is_waiting:
            return 0
        self.is_waiting = False
        return add_with_chain(
            self.samples, &self.waiting_sample, self.stacks, self.chains, self.waiting, self.waiting_length,
            self.waiting_tag,
        )


def name_unknown_threads(profile not None):
    """Call each thread whose name the recording does not tell by its number, ``:TID``, as perf does."""
    cdef ThreadTable threads = profile.threads
    cdef uint32_t i
    for i in range(threads.count):
        if threads.rows[i].comm == NONE_ID:
            threads.rows[i].comm = profile.strings.add(b":%d" % threads.rows[i].tid)


def sort_timeline(samples not None):
    """Put the time line of a SampleTable in order; samples of equal time stay as they are."""
    cdef SampleTable table = samples
    merge_sort(table.timeline, table.timeline_count)


cdef int merge_sort(Sample* rows, uint64_t count) except -1:
    """Sort by time, merging runs of doubling length; what is sorted already is only looked at."""
    cdef Sample* source = rows
    cdef Sample* target
    cdef Sample* spare
    cdef uint64_t width = 1
    cdef uint64_t i, left, right, middle, end
    for i in range(1, count):
        if rows[i].time_ns < rows[i - 1].time_ns:
            break
    else:
        return 0
    spare = target = <Sample*>malloc(count * sizeof(Sample))
    if spare is NULL:
        raise MemoryError
    while width < count:
        i = 0
        while i < count:
            left = i
            right = middle = min(i + width, count)
            end = min(middle + width, count)
            while i < end:
                if left < middle and (right == end or source[left].time_ns <= source[right].time_ns):
                    target[i] = source[left]
                    left += 1
                else:
                    target[i] = source[right]
                    right += 1
                i += 1
        source, target = target, source
        width *= 2
    if source != rows:
        memcpy(rows, source, count * sizeof(Sample))
    free(spare)
    return 0
