"""Adding one Profile to another: how threads' shares, several inputs and pruned tables come together."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp

from flameparse.model.event_table cimport EventTable
from flameparse.model.frame_table cimport NONE_ID, Frame, FrameTable
from flameparse.model.sample_table cimport Sample, SampleTable, Total
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.model.thread_table cimport Thread, ThreadTable


cdef extern from *:
    """
    #ifdef __GLIBC__
    #include <malloc.h>
    #define fp_trim_heap() malloc_trim(0)
    #else
    #define fp_trim_heap() ((void)0)
    #endif
    """
    void fp_trim_heap() noexcept nogil


cdef class IdMap:
    """Ids of one table to ids of another, NONE_ID until mapped."""

    cdef uint32_t* ids

    def __cinit__(self, uint64_t count):
        cdef uint64_t i
        self.ids = <uint32_t*>malloc(count * sizeof(uint32_t) + 1)
        if self.ids is NULL:
            raise MemoryError
        for i in range(count):
            self.ids[i] = NONE_ID

    def __dealloc__(self):
        free(self.ids)


cdef class Absorption:
    """One run of ``absorb``; rows of every table are copied when the first sample needs them.

    Decoders of one recording share its strings and DSOs: then these ids stay as they are.
    """

    cdef StringTable strings, source_strings
    cdef FrameTable frames, source_frames
    cdef StackTable stacks, source_stacks
    cdef ThreadTable threads, source_threads
    cdef IdMap string_ids, frame_ids, stack_ids, thread_ids
    cdef bint shares_dsos

    def __cinit__(self, target not None, source not None):
        self.strings, self.source_strings = target.strings, source.strings
        self.frames, self.source_frames = target.frames, source.frames
        self.stacks, self.source_stacks = target.stacks, source.stacks
        self.threads, self.source_threads = target.threads, source.threads
        self.string_ids = IdMap(self.source_strings.count)
        self.shares_dsos = target.dsos is source.dsos
        self.frame_ids = IdMap(self.source_frames.count)
        self.stack_ids = IdMap(self.source_stacks.count)
        self.thread_ids = IdMap(self.source_threads.count)

    cdef int64_t string(self, uint32_t id) except -1 nogil:
        if id == NONE_ID or self.strings is self.source_strings:
            return id
        if self.string_ids.ids[id] == NONE_ID:
            self.string_ids.ids[id] = <uint32_t>self.strings.intern(
                self.source_strings.at(id), self.source_strings.length(id)
            )
        return self.string_ids.ids[id]

    cdef int64_t frame(self, uint32_t id) except -1 nogil:
        cdef Frame row
        if self.frame_ids.ids[id] == NONE_ID:
            row = self.source_frames.rows[id]
            row.name = self.string(row.name)
            if not self.shares_dsos:
                row.dso = self.string(row.dso)
            self.frame_ids.ids[id] = <uint32_t>self.frames.intern(row)
        return self.frame_ids.ids[id]

    cdef int64_t thread(self, uint32_t id) except -1 nogil:
        cdef Thread row
        if id == NONE_ID:
            return NONE_ID
        if self.thread_ids.ids[id] == NONE_ID:
            row = self.source_threads.rows[id]
            row.comm = self.string(row.comm)
            self.thread_ids.ids[id] = <uint32_t>self.threads.intern(row)
        return self.thread_ids.ids[id]

    cdef bint is_other(self, uint32_t stack) noexcept nogil:
        """Whether a stack of the source is what rare stacks were folded into before."""
        cdef Frame* frame
        if stack == NONE_ID or self.source_stacks.rows[stack].parent != NONE_ID:
            return False
        frame = &self.source_frames.rows[self.source_stacks.rows[stack].frame]
        return (
            frame.dso == NONE_ID and frame.name != NONE_ID and self.source_strings.length(frame.name) == 7
            and memcmp(self.source_strings.at(frame.name), b"[other]", 7) == 0
        )

    cdef int map_stacks(self, SampleTable samples, uint64_t least_samples) except -1 nogil:
        """Copy every stack that a kept total ends in, callers first."""
        cdef uint64_t i
        cdef uint32_t id
        cdef uint32_t* ids = self.stack_ids.ids
        for i in range(samples.total_count):
            id = samples.totals[i].stack
            if id != NONE_ID and samples.totals[i].samples >= least_samples:
                ids[id] = 0
        # Callers have smaller ids: mark upwards from the last, then copy from the first.
        for i in range(self.source_stacks.count, 0, -1):
            if ids[i - 1] == 0 and self.source_stacks.rows[i - 1].parent != NONE_ID:
                ids[self.source_stacks.rows[i - 1].parent] = 0
        for i in range(self.source_stacks.count):
            if ids[i] == 0:
                id = self.source_stacks.rows[i].parent
                ids[i] = <uint32_t>self.stacks.extend(
                    NONE_ID if id == NONE_ID else ids[id], self.frame(self.source_stacks.rows[i].frame)
                )
        return 0


def absorb(target not None, source not None, *, uint64_t least_samples=0, uint64_t place=0):
    """Add a Profile to another.

    Args:
        target: receives rows, totals, time line and diagnostics.
        source: unchanged.
        place: added to where the source's events were first seen; ``target.events.next_place`` puts another input's
            events after those there.
        least_samples: stacks with fewer samples become the one-frame stack ``[other]``, their weight kept.

    Raises:
        MemoryError: no room.
        OverflowError: a sum past 2**64 - 1.
    """
    cdef Absorption run = Absorption(target, source)
    cdef SampleTable samples = target.samples
    cdef SampleTable source_samples = source.samples
    cdef EventTable events = target.events
    cdef EventTable source_events = source.events
    cdef uint32_t other = NONE_ID
    cdef IdMap event_ids = IdMap(source_events.count)
    cdef uint64_t i
    cdef uint64_t rare_samples = 0
    cdef Total total
    cdef Sample sample
    for i in range(source_events.count):
        event_ids.ids[i] = events.add(
            run.string(source_events.rows[i].name), source_events.rows[i].unit, source_events.rows[i].first_seen + place
        )
    run.map_stacks(source_samples, least_samples)
    if least_samples:
        other = target.stacks.add(NONE_ID, target.frames.add(target.strings.add(b"[other]")))
    for i in range(source_samples.total_count):
        total = source_samples.totals[i]
        total.event = event_ids.ids[total.event]
        total.thread = run.thread(total.thread)
        if total.samples < least_samples:
            if not run.is_other(total.stack):
                rare_samples += total.samples
            total.stack = other
        elif total.stack != NONE_ID:
            total.stack = run.stack_ids.ids[total.stack]
        samples.add_total(total)
    for i in range(source_samples.timeline_count):
        sample = source_samples.timeline[i]
        sample.event = event_ids.ids[sample.event]
        sample.thread = run.thread(sample.thread)
        if sample.stack != NONE_ID:
            sample.stack = run.stack_ids.ids[sample.stack]
            if sample.stack == NONE_ID:
                sample.stack = other
        samples.add_to_timeline(sample)
    samples.take_account(source_samples)
    target.diagnostics.absorb(source.diagnostics)
    target.diagnostics.count("rare_samples", rare_samples)


def must_prune(uint64_t size, list sizes not None, uint64_t max_memory):
    """Whether the tables of all decoders are too large, and those of one are among the larger ones.

    Args:
        size: bytes of that one's tables.
        sizes: of every decoder's tables.
        max_memory: bytes that the command may use.
    """
    # Pruning, naming, folding and writing each need the tables again: about four times them at the peak.
    return sum(sizes) > max_memory // 4 and size * len(sizes) >= sum(sizes)


def prune(source not None, target not None):
    """Add a Profile to an empty one, the rarer half of its stacks as ``[other]``; see ``absorb``."""
    absorb(target, source, least_samples=rarity_threshold(source.samples))


def rarity_threshold(samples not None):
    """The sample count that at least half of the totals do not reach: what pruning keeps starts there.

    Args:
        samples: a SampleTable with at least one total.
    """
    cdef SampleTable table = samples
    cdef uint64_t i
    cdef uint64_t reached = 0
    # Counts past the last cell are never rare.
    cdef uint64_t histogram[1024]
    for i in range(1024):
        histogram[i] = 0
    for i in range(table.total_count):
        histogram[min(table.totals[i].samples, <uint64_t>1023)] += 1
    for i in range(1024):
        reached += histogram[i]
        if reached * 2 >= table.total_count:
            return i + 1
    return 1024


def return_freed_memory():
    """Give the system back what dropped tables held; the C library would keep it for what may come."""
    with nogil:
        fp_trim_heap()
