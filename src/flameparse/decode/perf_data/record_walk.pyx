"""The records of a recording from first to last: what is no sample is understood here, samples are passed over or held.

In a file this is the first of two passes: it gathers which code was where at any time, and where the file can be cut
into segments, so that the second pass can decode samples in any order. In a stream there is no second pass: samples
are held until a finished round says that nothing older will follow.
"""

from libc.stdint cimport UINT64_MAX, int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcpy, memset

from flameparse.decode.perf_data.abi cimport (
    FIRST_USER_RECORD, MISC_COMM_EXEC, MISC_CPUMODE, MISC_FORK_EXEC, MISC_LOST_BY_BPF, MISC_MMAP_BUILD_ID,
    MISC_MMAP_DATA, RECORD_COMM, RECORD_EXIT, RECORD_FORK, RECORD_HEADER_BYTES, RECORD_KSYMBOL, RECORD_LOST,
    RECORD_LOST_SAMPLES, RECORD_MMAP, RECORD_MMAP2, RECORD_SAMPLE, RECORD_TYPE_END, USER_FINISHED_ROUND,
)
from flameparse.decode.perf_data.event_layout cimport EventLayout, EventLayouts
from flameparse.decode.side_events cimport (
    SIDE_COMM, SIDE_EXIT, SIDE_FORK, SIDE_IS_DATA, SIDE_IS_EXEC, SIDE_IS_HUGE, SIDE_IS_UNLOAD, SIDE_KEEPS_NO_MAPS,
    SIDE_KERNEL_SYMBOL, SIDE_MAP, SideEvent, SideEvents,
)
from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.growth cimport reserve
from flameparse.model.string_table cimport StringTable
from flameparse.scan.byte_span cimport load_u16, load_u32, load_u64

from flameparse import limits

cdef enum:
    PROT_EXEC = 4
    MAP_HUGETLB = 0x40000
    KSYMBOL_UNREGISTER = 1

# How the record types that the account knows by name are called.
_TYPE_NAMES = {
    1: "mmap", 2: "lost", 3: "comm", 4: "exit", 5: "throttle", 6: "unthrottle", 7: "fork", 8: "read", 9: "sample",
    10: "mmap2", 11: "aux", 12: "itrace_start", 13: "lost_samples", 14: "switch", 15: "switch_cpu_wide",
    16: "namespaces", 17: "ksymbol", 18: "bpf_event", 19: "cgroup", 20: "text_poke", 21: "aux_output_hw_id",
    22: "callchain_deferred", 64: "header_attr", 65: "event_type", 66: "tracing_data", 67: "build_id",
    68: "finished_round", 69: "id_index", 70: "auxtrace_info", 71: "auxtrace", 72: "auxtrace_error", 73: "thread_map",
    74: "cpu_map", 75: "stat_config", 76: "stat", 77: "stat_round", 78: "event_update", 79: "time_conv",
    80: "header_feature", 81: "compressed", 82: "finished_init", 83: "compressed2", 84: "bpf_metadata",
    85: "schedstat_cpu", 86: "schedstat_domain",
}  # fmt: skip


cdef class RecordWalk:
    """Walks one recording.

    Args:
        layouts: of its events; those of a stream are added as they come.
        side_events: receives what is no sample.
        strings: receives the names.
        holds_samples: stream mode.

    Attributes:
        is_stopped: what came next was no record.
        user_record: None, or ``(type, misc, body)`` of the record of perf's own that ended the last ``feed``.
        first_sample_time: the least time of all samples, 2**64 - 1 where none has one.
        sample_count: samples passed over or held.
        lost: samples the kernel says it lost, 2**64 - 1 at the most.
        unknown_ids: records, other than samples, of events that the header does not know.
        malformed: records, other than samples, too short for what they must hold.
        settled_time: nothing older than that follows.
        held_count: samples held.
    """

    def __cinit__(
        self, EventLayouts layouts not None, SideEvents side_events not None, StringTable strings not None, *,
        bint holds_samples=False,
    ):
        self.layouts = layouts
        self.swaps = layouts.swaps
        self.side_events = side_events
        self.strings = strings
        self.holds_samples = holds_samples
        self.first_sample_time = UINT64_MAX
        self.segment_bytes = limits.READ_BLOCK_BYTES
        memset(self.counts, 0, sizeof(self.counts))

    def __dealloc__(self):
        free(self.segments)
        free(self.held)
        free(self.held_bytes)

    def feed(self, const unsigned char[::1] block not None, Py_ssize_t length, uint64_t offset):
        """Walk the whole records at the start of a block, up to the first of perf's own.

        Args:
            block: bytes that begin where the last call stopped.
            length: bytes of it that are filled.
            offset: place of the block among all records.

        Returns:
            Bytes consumed. What is left must begin the next block, unless ``is_stopped``.

        Raises:
            MemoryError: no room.
        """
        cdef Py_ssize_t consumed
        cdef uint32_t size
        if not 0 <= length <= block.shape[0]:
            raise ValueError("length past the end of the block")
        self.user_record = None
        if length == 0 or self.is_stopped:
            return 0
        with nogil:
            consumed = self.walk(&block[0], length, offset)
        if length - consumed >= RECORD_HEADER_BYTES and not self.is_stopped:
            size = load_u16(&block[consumed] + 6, self.swaps)
            if size <= length - consumed:
                self.user_record = (
                    load_u32(&block[consumed], self.swaps),
                    load_u16(&block[consumed] + 4, self.swaps),
                    bytes(block[consumed + RECORD_HEADER_BYTES : consumed + size]),
                )
                consumed += size
        return consumed

    @property
    def segments_found(self):
        """``(begin, end)`` of each segment, in order: twice ``limits.READ_BLOCK_BYTES`` and a record at most."""
        return [(self.segments[i].begin, self.segments[i].end) for i in range(self.segment_count)]

    @property
    def record_counts(self):
        """Name of a record type to how many there were; those without a name are ``unknown``."""
        counts = {}
        for type in range(COUNTED_TYPES + 1):
            if self.counts[type]:
                name = _TYPE_NAMES.get(type, "unknown")
                counts[name] = counts.get(name, 0) + self.counts[type]
        return counts

    @property
    def held_bytes_count(self):
        """Bytes of samples held."""
        return self.held_size + self.held_count * sizeof(HeldSample)

    cdef Py_ssize_t walk(self, const unsigned char* begin, Py_ssize_t length, uint64_t offset) except -1 nogil:
        """Walk kernel records; bytes consumed, up to the first user record or what is not whole.

        Layout: u32 type, u16 misc, u16 size with these 8 bytes.
        Source: struct perf_event_header, include/uapi/linux/perf_event.h.
        """
        cdef const unsigned char* at = begin
        cdef const unsigned char* end = begin + length
        cdef uint32_t type, size
        cdef uint64_t time
        cdef bint swaps = self.swaps
        cdef uint64_t segment = offset
        while end - at >= RECORD_HEADER_BYTES:
            type = load_u32(at, swaps)
            size = load_u16(at + 6, swaps)
            if size < RECORD_HEADER_BYTES or type >= RECORD_TYPE_END:
                self.is_stopped = True
                break
            if size > end - at:
                break
            if type >= FIRST_USER_RECORD:
                self.counts[min(type, <uint32_t>COUNTED_TYPES)] += 1
                if type != USER_FINISHED_ROUND:
                    break
                # What came before the round before this one ended is now complete.
                self.settled_time = self.round_time
                self.round_time = self.largest_time
                if self.holds_samples:
                    break
            elif type == RECORD_SAMPLE:
                time = self.time_of(at, type, size)
                if time != 0 and time != UINT64_MAX:
                    self.largest_time = max(self.largest_time, time)
                    self.first_sample_time = min(self.first_sample_time, time)
                self.sample_count += 1
                if self.holds_samples:
                    self.hold_sample(at, size, time, offset + (at - begin))
            else:
                self.counts[type] += 1
                self.take_kernel_record(at, type, size, offset + (at - begin))
            at += size
            if offset + (at - begin) - segment >= self.segment_bytes:
                self.mark_segment(segment, offset + (at - begin))
                segment = offset + (at - begin)
        self.mark_segment(segment, offset + (at - begin))
        return at - begin

    cdef uint64_t time_of(self, const unsigned char* record, uint32_t type, uint32_t size) noexcept nogil:
        """When a record was written; 2**64 - 1 where it does not say."""
        cdef EventLayout* layout
        cdef uint32_t row
        if type == RECORD_SAMPLE:
            row = self.layouts.layout_of_sample(record, size)
            if row == NONE_ID:
                return UINT64_MAX
            layout = &self.layouts.rows[row]
            if layout.time_at == 0 or layout.time_at + 8 > size:
                return UINT64_MAX
            return load_u64(record + layout.time_at, self.swaps)
        row = self.layouts.layout_of_record(record, size)
        if row == NONE_ID:
            return UINT64_MAX
        layout = &self.layouts.rows[row]
        if layout.trailer_time_at == 0 or RECORD_HEADER_BYTES + layout.trailer_bytes > size:
            return UINT64_MAX
        return load_u64(record + (size - layout.trailer_time_at), self.swaps)

    cdef int take_kernel_record(
        self, const unsigned char* record, uint32_t type, uint32_t size, uint64_t sequence
    ) except -1 nogil:
        """Understand a record of the kernel that is no sample.

        Layout: LOST: u64 id, u64 lost; LOST_SAMPLES: u64 lost; then the trailer.
        Source: enum perf_event_type, include/uapi/linux/perf_event.h.
        """
        cdef SideEvent event
        cdef uint64_t time
        cdef uint64_t lost = 0
        if type == RECORD_LOST or type == RECORD_LOST_SAMPLES:
            if size < (24 if type == RECORD_LOST else 16):
                self.malformed += 1
            elif type == RECORD_LOST:
                lost = load_u64(record + 16, self.swaps)
            elif not load_u16(record + 4, self.swaps) & MISC_LOST_BY_BPF:
                lost = load_u64(record + 8, self.swaps)
            self.lost += min(lost, UINT64_MAX - self.lost)
            return 0
        time = self.time_of(record, type, size)
        if time == 0 or time == UINT64_MAX:
            # Not sorted with the rest: it holds from where it stands.
            time = self.settled_time
        else:
            self.largest_time = max(self.largest_time, time)
        memset(&event, 0, sizeof(event))
        event.time = time
        event.sequence = sequence
        event.name = event.build_id = NONE_ID
        if self.take_side_event(record, type, size, &event):
            self.side_events.append(event)
        return 0

    cdef int take_side_event(
        self, const unsigned char* record, uint32_t type, uint32_t size, SideEvent* event
    ) except -1 nogil:
        """Fill in what a record says of code and threads; 0 for one that says nothing of these or is too short.

        Layout, behind the header:
            MMAP: u32 pid, tid; u64 addr, len, pgoff; char name[]
            MMAP2: u32 pid, tid; u64 addr, len, pgoff; either u32 maj, min; u64 ino, ino_generation
                   or (misc bit 14) u8 size, u8 0, u16 0, u8 build_id[20]; u32 prot, flags; char name[]
            COMM: u32 pid, tid; char comm[]
            FORK, EXIT: u32 pid, ppid, tid, ptid; u64 time
            KSYMBOL: u64 addr; u32 len; u16 type, flags; char name[]
        Names end at a zero byte. The trailer follows.
        Source: enum perf_event_type, include/uapi/linux/perf_event.h.
        """
        cdef bint swaps = self.swaps
        cdef uint32_t misc = load_u16(record + 4, swaps)
        cdef uint32_t row = self.layouts.layout_of_record(record, size)
        cdef uint32_t trailer = 0
        cdef uint32_t end, name_place
        if row == NONE_ID:
            # The trailer of the first event is what all events without an id in a fixed place have.
            self.unknown_ids += 1
            row = 0
        if self.layouts.count:
            trailer = self.layouts.rows[row].trailer_bytes
        event.cpumode = misc & MISC_CPUMODE
        if type == RECORD_MMAP or type == RECORD_MMAP2:
            name_place = 40 if type == RECORD_MMAP else 72
        elif type == RECORD_COMM:
            name_place = 16
        elif type == RECORD_FORK or type == RECORD_EXIT:
            name_place = 32
        elif type == RECORD_KSYMBOL:
            name_place = 24
        else:
            return 0
        if size < name_place + trailer:
            self.malformed += 1
            return 0
        end = size - trailer
        if type == RECORD_FORK or type == RECORD_EXIT:
            event.kind = SIDE_FORK if type == RECORD_FORK else SIDE_EXIT
            event.pid = <int32_t>load_u32(record + 8, swaps)
            event.parent_pid = <int32_t>load_u32(record + 12, swaps)
            event.tid = <int32_t>load_u32(record + 16, swaps)
            event.parent_tid = <int32_t>load_u32(record + 20, swaps)
            if type == RECORD_FORK and misc & MISC_FORK_EXEC:
                event.flags = SIDE_KEEPS_NO_MAPS
            return 1
        event.name = <uint32_t>self.name_at(record, name_place, end)
        if type == RECORD_KSYMBOL:
            event.kind = SIDE_KERNEL_SYMBOL
            event.pid = event.tid = -1
            event.start = load_u64(record + 8, swaps)
            event.size = load_u32(record + 16, swaps)
            if load_u16(record + 22, swaps) & KSYMBOL_UNREGISTER:
                event.flags = SIDE_IS_UNLOAD
            return 1
        event.pid = <int32_t>load_u32(record + 8, swaps)
        event.tid = <int32_t>load_u32(record + 12, swaps)
        if type == RECORD_COMM:
            event.kind = SIDE_COMM
            if misc & MISC_COMM_EXEC:
                event.flags = SIDE_IS_EXEC
            return 1
        event.kind = SIDE_MAP
        event.start = load_u64(record + 16, swaps)
        event.size = load_u64(record + 24, swaps)
        event.file_offset = load_u64(record + 32, swaps)
        if type == RECORD_MMAP:
            if misc & MISC_MMAP_DATA:
                event.flags = SIDE_IS_DATA
            return 1
        if misc & MISC_MMAP_BUILD_ID:
            event.build_id = <uint32_t>self.strings.intern(record + 44, min(<uint32_t>record[40], <uint32_t>20))
        else:
            event.device = <uint64_t>load_u32(record + 40, swaps) << 32 | load_u32(record + 44, swaps)
            event.inode = load_u64(record + 48, swaps)
        if not load_u32(record + 64, swaps) & PROT_EXEC:
            event.flags |= SIDE_IS_DATA
        if load_u32(record + 68, swaps) & MAP_HUGETLB:
            event.flags |= SIDE_IS_HUGE
        return 1

    cdef int64_t name_at(
        self, const unsigned char* record, uint32_t place, uint32_t end
    ) except -1 nogil:
        """Intern the name between two places of a record, up to its zero byte."""
        cdef const unsigned char* name = record + place
        cdef size_t length = end - place
        cdef const void* zero = memchr(name, 0, length)
        if zero is not NULL:
            length = <const unsigned char*>zero - name
        return self.strings.intern(name, length)

    cdef int hold_sample(
        self, const unsigned char* record, uint32_t size, uint64_t time, uint64_t sequence
    ) except -1 nogil:
        """Keep a copy of a sample until its time is settled."""
        reserve(<void**>&self.held, &self.held_capacity, self.held_count + 1, sizeof(HeldSample))
        reserve(<void**>&self.held_bytes, &self.held_byte_capacity, self.held_size + size, 1)
        memcpy(self.held_bytes + self.held_size, record, size)
        self.held[self.held_count].time = 0 if time == UINT64_MAX else time
        self.held[self.held_count].sequence = sequence
        self.held[self.held_count].place = self.held_size
        self.held_count += 1
        self.held_size += size
        return 0

    cdef int mark_segment(self, uint64_t begin, uint64_t end) except -1 nogil:
        """Remember a run of whole records; one that continues a short one makes it longer."""
        cdef Segment* last
        if self.holds_samples or begin == end:
            return 0
        if self.segment_count:
            last = self.segments + (self.segment_count - 1)
            if last.end == begin and last.end - last.begin < self.segment_bytes:
                last.end = end
                return 0
        reserve(<void**>&self.segments, &self.segment_capacity, self.segment_count + 1, sizeof(Segment))
        self.segments[self.segment_count].begin = begin
        self.segments[self.segment_count].end = end
        self.segment_count += 1
        return 0
