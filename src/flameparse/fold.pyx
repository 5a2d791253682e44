"""Profile to Document and back: what is used, once, in one canonical order.

Equal content gives equal bytes whatever order it was read in: strings bytewise, frames by (name, module, kind,
class, tier, presets),
threads by (comm, pid, tid), stacks in pre-order with siblings by frame, totals by (event, thread, stack); only events
keep the order they were first seen in, since the first is the one shown.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from flameparse.model.counting_sort cimport order_by_key
from flameparse.model.event_table cimport EventTable
from flameparse.model.frame_table cimport KIND_USER, NONE_ID, Frame, FrameTable, new_frame
from flameparse.model.sample_table cimport UNKNOWN_TIME, Sample, SampleTable, Total
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.model.thread_table cimport Thread, ThreadTable
from flameparse.scan.text_order cimport TextSpan, sort_spans

from flameparse.document.document import Document


cdef class Column:
    """A typed column being filled, which becomes a memoryview without a copy."""

    cdef bytearray store
    cdef void* data

    def __cinit__(self, uint64_t count, size_t item_bytes):
        self.store = bytearray(count * item_bytes)
        self.data = <void*><char*>self.store

    cdef object view(self, str typecode):
        return memoryview(self.store).cast(typecode)

    cdef uint32_t* u32(self) noexcept:
        return <uint32_t*>self.data

    cdef uint64_t* u64(self) noexcept:
        return <uint64_t*>self.data


cdef class Scratch:
    """Ids of one table while they are renumbered; released with the object whatever happens."""

    cdef uint32_t* ids

    def __cinit__(self, uint64_t count, uint32_t fill=0):
        cdef uint64_t i
        self.ids = <uint32_t*>malloc(count * sizeof(uint32_t) + 1)
        if self.ids is NULL:
            raise MemoryError
        for i in range(count):
            self.ids[i] = fill

    def __dealloc__(self):
        free(self.ids)


cdef class Folder:
    """One run of ``fold``: what is used of each table and its new number (NONE_ID: not used)."""

    cdef StringTable strings
    cdef FrameTable frames
    cdef StackTable stacks
    cdef ThreadTable threads
    cdef EventTable events
    cdef SampleTable samples
    cdef Scratch string_ids
    cdef Scratch frame_ids
    cdef Scratch stack_ids
    cdef Scratch thread_ids
    cdef Scratch event_ids
    cdef dict columns

    def __cinit__(self, profile not None):
        self.strings = profile.strings
        self.frames = profile.frames
        self.stacks = profile.stacks
        self.threads = profile.threads
        self.events = profile.events
        self.samples = profile.samples
        self.string_ids = Scratch(self.strings.count, NONE_ID)
        self.frame_ids = Scratch(self.frames.count, NONE_ID)
        self.stack_ids = Scratch(self.stacks.count, NONE_ID)
        self.thread_ids = Scratch(self.threads.count, NONE_ID)
        self.event_ids = Scratch(self.events.count, NONE_ID)
        self.columns = {}

    cdef int mark(self) except -1:
        """Give every used row of every table a number that is not NONE_ID."""
        cdef uint64_t i
        cdef uint32_t stack
        cdef Total* total
        cdef Frame* frame
        cdef uint32_t* used = self.string_ids.ids
        for i in range(self.samples.total_count):
            total = &self.samples.totals[i]
            if (
                total.event >= self.events.count
                or (total.thread != NONE_ID and total.thread >= self.threads.count)
                or (total.stack != NONE_ID and total.stack >= self.stacks.count)
            ):
                raise ValueError(f"total {i} points past a table")
            self.event_ids.ids[total.event] = 0
            if total.thread != NONE_ID:
                self.thread_ids.ids[total.thread] = 0
            if total.stack != NONE_ID:
                self.stack_ids.ids[total.stack] = 0
        # A parent has a smaller id than its children.
        for i in range(self.stacks.count, 0, -1):
            stack = <uint32_t>(i - 1)
            if self.stack_ids.ids[stack] != NONE_ID:
                if self.stacks.rows[stack].frame >= self.frames.count:
                    raise ValueError(f"stack {stack} points past the frames")
                self.frame_ids.ids[self.stacks.rows[stack].frame] = 0
                if self.stacks.rows[stack].parent != NONE_ID:
                    self.stack_ids.ids[self.stacks.rows[stack].parent] = 0
        for i in range(self.frames.count):
            if self.frame_ids.ids[i] != NONE_ID:
                frame = &self.frames.rows[i]
                if frame.name >= self.strings.count or (frame.dso != NONE_ID and frame.dso >= self.strings.count):
                    raise ValueError(f"frame {i} has no name")
                used[frame.name] = 0
                if frame.dso != NONE_ID:
                    used[frame.dso] = 0
        for i in range(self.threads.count):
            if self.thread_ids.ids[i] != NONE_ID and self.threads.rows[i].comm != NONE_ID:
                used[self.threads.rows[i].comm] = 0
        for i in range(self.events.count):
            if self.event_ids.ids[i] != NONE_ID:
                used[self.events.rows[i].name] = 0
        return 0

    cdef int number_strings(self) except -1:
        """Sort the used strings and lay them end to end."""
        cdef uint64_t count = 0
        cdef uint64_t size = 0
        cdef uint64_t i
        cdef TextSpan* spans
        cdef unsigned char* blob
        cdef uint64_t* offsets
        cdef Column offset_column
        spans = <TextSpan*>malloc(self.strings.count * sizeof(TextSpan) + 1)
        if spans is NULL:
            raise MemoryError
        try:
            for i in range(self.strings.count):
                if self.string_ids.ids[i] != NONE_ID:
                    spans[count].text = self.strings.at(<uint32_t>i)
                    spans[count].length = self.strings.length(<uint32_t>i)
                    spans[count].id = <uint32_t>i
                    size += spans[count].length
                    count += 1
            sort_spans(spans, count)
            offset_column = Column(count + 1, 8)
            offsets = offset_column.u64()
            store = bytearray(size)
            blob = <unsigned char*><char*>store
            for i in range(count):
                self.string_ids.ids[spans[i].id] = <uint32_t>i
                memcpy(blob + offsets[i], spans[i].text, spans[i].length)
                offsets[i + 1] = offsets[i] + spans[i].length
        finally:
            free(spans)
        self.columns["string_bytes"] = store
        self.columns["string_offsets"] = offset_column.view("Q")
        return 0

    cdef uint32_t string_id(self, uint32_t old) noexcept nogil:
        return NONE_ID if old == NONE_ID else self.string_ids.ids[old]

    cdef int number_frames(self) except -1:
        """Sort the used frames by name, module and traits; ones that differ in nothing become one."""
        cdef uint64_t used = 0
        cdef uint64_t string_count = len(self.columns["string_offsets"]) - 1
        cdef uint64_t i
        cdef uint32_t id, last
        cdef uint32_t count = 0
        cdef Scratch names = Scratch(self.frames.count)
        cdef Scratch dsos = Scratch(self.frames.count)
        cdef Scratch traits = Scratch(self.frames.count)
        cdef Scratch presets = Scratch(self.frames.count)
        cdef Scratch order = Scratch(self.frames.count)
        cdef Scratch other = Scratch(self.frames.count)
        cdef Column name_column, dso_column, kind_column, class_column, tier_column, preset_column
        cdef Frame* frame
        for i in range(self.frames.count):
            if self.frame_ids.ids[i] != NONE_ID:
                frame = &self.frames.rows[i]
                order.ids[used] = <uint32_t>i
                names.ids[i] = self.string_ids.ids[frame.name]
                dsos.ids[i] = self.string_id(frame.dso)
                traits.ids[i] = (frame.kind & 3) << 11 | (frame.frame_class & 31) << 6 | (frame.tier & 63)
                presets.ids[i] = frame.presets
                used += 1
        order_by_key(presets.ids, 1 << 8, order.ids, other.ids, used)
        order_by_key(traits.ids, 1 << 13, other.ids, order.ids, used)
        order_by_key(dsos.ids, string_count, order.ids, other.ids, used)
        order_by_key(names.ids, string_count, other.ids, order.ids, used)
        name_column, dso_column = Column(used, 4), Column(used, 4)
        kind_column, class_column, tier_column = Column(used, 1), Column(used, 1), Column(used, 1)
        preset_column = Column(used, 1)
        for i in range(used):
            id = order.ids[i]
            if i:
                last = order.ids[i - 1]
                if (
                    names.ids[id] == names.ids[last]
                    and dsos.ids[id] == dsos.ids[last]
                    and traits.ids[id] == traits.ids[last]
                    and presets.ids[id] == presets.ids[last]
                ):
                    self.frame_ids.ids[id] = count - 1
                    continue
            name_column.u32()[count] = names.ids[id]
            dso_column.u32()[count] = dsos.ids[id]
            (<uint8_t*>kind_column.data)[count] = <uint8_t>(traits.ids[id] >> 11)
            (<uint8_t*>class_column.data)[count] = <uint8_t>(traits.ids[id] >> 6 & 31)
            (<uint8_t*>tier_column.data)[count] = <uint8_t>(traits.ids[id] & 63)
            (<uint8_t*>preset_column.data)[count] = <uint8_t>presets.ids[id]
            self.frame_ids.ids[id] = count
            count += 1
        self.columns["frame_name"] = name_column.view("I")[:count]
        self.columns["frame_dso"] = dso_column.view("I")[:count]
        self.columns["frame_kind"] = kind_column.view("B")[:count]
        self.columns["frame_class"] = class_column.view("B")[:count]
        self.columns["frame_tier"] = tier_column.view("B")[:count]
        self.columns["frame_presets"] = preset_column.view("B")[:count]
        return 0

    cdef int number_threads(self) except -1:
        """Sort the used threads by comm, pid and tid; ones that were renamed alike become one."""
        cdef uint64_t i
        cdef uint64_t count = 0
        cdef Thread* row
        cdef Column comm, pid, tid
        used = []
        for i in range(self.threads.count):
            if self.thread_ids.ids[i] != NONE_ID:
                row = &self.threads.rows[i]
                used.append((self.string_id(row.comm), row.pid, row.tid, i))
        used.sort()
        comm, pid, tid = Column(len(used), 4), Column(len(used), 4), Column(len(used), 4)
        last = None
        for comm_id, pid_value, tid_value, old in used:
            if (comm_id, pid_value, tid_value) != last:
                last = (comm_id, pid_value, tid_value)
                comm.u32()[count] = comm_id
                (<int32_t*>pid.data)[count] = pid_value
                (<int32_t*>tid.data)[count] = tid_value
                count += 1
            self.thread_ids.ids[<uint64_t>old] = <uint32_t>(count - 1)
        self.columns["thread_comm"] = comm.view("I")[:count]
        self.columns["thread_pid"] = pid.view("i")[:count]
        self.columns["thread_tid"] = tid.view("i")[:count]
        return 0

    cdef int number_events(self) except -1:
        """Order the used events by where they were first seen."""
        cdef uint64_t i
        cdef Column name, unit
        used = []
        for i in range(self.events.count):
            if self.event_ids.ids[i] != NONE_ID:
                used.append((self.events.rows[i].first_seen, self.string_ids.ids[self.events.rows[i].name], i))
        used.sort()
        name, unit = Column(len(used), 4), Column(len(used), 1)
        for number, (_, name_id, old) in enumerate(used):
            name.u32()[<uint64_t>number] = name_id
            (<uint8_t*>unit.data)[<uint64_t>number] = self.events.rows[<uint64_t>old].unit
            self.event_ids.ids[<uint64_t>old] = number
        self.columns["event_name"] = name.view("I")
        self.columns["event_unit"] = unit.view("B")
        return 0

    cdef int number_stacks(self) except -1:
        """Put the used stacks in pre-order, siblings by frame."""
        cdef uint64_t count = self.stacks.count
        cdef uint64_t frame_count = len(self.columns["frame_name"])
        cdef uint64_t used = 0
        cdef uint64_t i
        cdef uint32_t id, parent, number
        cdef Scratch frames = Scratch(count)
        cdef Scratch parents = Scratch(count)
        cdef Scratch order = Scratch(count)
        cdef Scratch by_parent = Scratch(count)
        cdef Scratch sizes = Scratch(count)
        cdef Scratch next_free = Scratch(count)
        cdef uint32_t next_root = 0
        cdef Column parent_column, frame_column
        for i in range(count):
            if self.stack_ids.ids[i] != NONE_ID:
                order.ids[used] = <uint32_t>i
                frames.ids[i] = self.frame_ids.ids[self.stacks.rows[i].frame]
                parents.ids[i] = self.stacks.rows[i].parent
                used += 1
        order_by_key(frames.ids, frame_count, order.ids, by_parent.ids, used)
        order_by_key(parents.ids, count, by_parent.ids, order.ids, used)
        # Subtree sizes, children before parents: ids of children are the larger ones.
        for i in range(count, 0, -1):
            id = <uint32_t>(i - 1)
            if self.stack_ids.ids[id] != NONE_ID:
                sizes.ids[id] += 1
                if parents.ids[id] != NONE_ID:
                    sizes.ids[parents.ids[id]] += sizes.ids[id]
        # Siblings now stand together in order; each starts where the one before it ends. A parent must have its
        # number before its children get theirs, and `order` has them by the parent's old id, which is smaller than
        # the child's: one pass in that order does it, roots (NONE) first.
        for i in range(used):
            id = order.ids[i]
            if parents.ids[id] == NONE_ID:
                self.stack_ids.ids[id] = next_root
                next_free.ids[id] = next_root + 1
                next_root += sizes.ids[id]
        for i in range(used):
            id = order.ids[i]
            parent = parents.ids[id]
            if parent != NONE_ID:
                number = next_free.ids[parent]
                self.stack_ids.ids[id] = number
                next_free.ids[id] = number + 1
                next_free.ids[parent] = number + sizes.ids[id]
        parent_column, frame_column = Column(used, 4), Column(used, 4)
        for i in range(used):
            id = order.ids[i]
            number = self.stack_ids.ids[id]
            frame_column.u32()[number] = frames.ids[id]
            parent_column.u32()[number] = NONE_ID if parents.ids[id] == NONE_ID else self.stack_ids.ids[parents.ids[id]]
        self.columns["stack_parent"] = parent_column.view("I")
        self.columns["stack_frame"] = frame_column.view("I")
        return 0

    cdef int fill_totals(self) except -1:
        """Sort the totals by event, thread and stack and add up those that became equal."""
        cdef uint64_t count = self.samples.total_count
        cdef uint64_t i
        cdef uint64_t row = 0
        cdef Total* total
        cdef Scratch events = Scratch(count)
        cdef Scratch threads = Scratch(count)
        cdef Scratch stacks = Scratch(count)
        cdef Scratch order = Scratch(count)
        cdef Scratch other = Scratch(count)
        cdef Column event = Column(count, 4)
        cdef Column thread = Column(count, 4)
        cdef Column stack = Column(count, 4)
        cdef Column samples = Column(count, 8)
        cdef Column period = Column(count, 8)
        cdef uint32_t id
        for i in range(count):
            total = &self.samples.totals[i]
            order.ids[i] = <uint32_t>i
            events.ids[i] = self.event_ids.ids[total.event]
            threads.ids[i] = NONE_ID if total.thread == NONE_ID else self.thread_ids.ids[total.thread]
            stacks.ids[i] = NONE_ID if total.stack == NONE_ID else self.stack_ids.ids[total.stack]
        order_by_key(stacks.ids, len(self.columns["stack_frame"]), order.ids, other.ids, count)
        order_by_key(threads.ids, len(self.columns["thread_comm"]), other.ids, order.ids, count)
        order_by_key(events.ids, len(self.columns["event_name"]), order.ids, other.ids, count)
        for i in range(count):
            id = other.ids[i]
            total = &self.samples.totals[id]
            if row and (
                event.u32()[row - 1] == events.ids[id] and thread.u32()[row - 1] == threads.ids[id]
                and stack.u32()[row - 1] == stacks.ids[id]
            ):
                row -= 1
            event.u32()[row] = events.ids[id]
            thread.u32()[row] = threads.ids[id]
            stack.u32()[row] = stacks.ids[id]
            samples.u64()[row] += total.samples
            if period.u64()[row] > <uint64_t>-1 - total.period:
                raise OverflowError("the periods of one stack sum past 2**64 - 1")
            period.u64()[row] += total.period
            row += 1
        self.columns["total_event"] = event.view("I")[:row]
        self.columns["total_thread"] = thread.view("I")[:row]
        self.columns["total_stack"] = stack.view("I")[:row]
        self.columns["total_samples"] = samples.view("Q")[:row]
        self.columns["total_period"] = period.view("Q")[:row]
        return 0

    cdef object timeline(self):
        """The sample rows in input order, or None."""
        cdef uint64_t count = self.samples.timeline_count
        cdef uint64_t i
        cdef Sample* sample
        cdef Column event, thread, stack, cpu, time_ns, period
        if not self.samples.keeps_timeline:
            return None
        event, thread, stack, cpu = Column(count, 4), Column(count, 4), Column(count, 4), Column(count, 4)
        time_ns, period = Column(count, 8), Column(count, 8)
        for i in range(count):
            sample = &self.samples.timeline[i]
            event.u32()[i] = self.event_ids.ids[sample.event]
            thread.u32()[i] = NONE_ID if sample.thread == NONE_ID else self.thread_ids.ids[sample.thread]
            stack.u32()[i] = NONE_ID if sample.stack == NONE_ID else self.stack_ids.ids[sample.stack]
            (<int32_t*>cpu.data)[i] = sample.cpu
            (<int64_t*>time_ns.data)[i] = sample.time_ns
            period.u64()[i] = sample.period
        return {
            "event": event.view("I"), "thread": thread.view("I"), "stack": stack.view("I"), "cpu": cpu.view("i"),
            "time_ns": time_ns.view("q"), "period": period.view("Q"),
        }


def fold(profile not None, *, dict meta not None, dict diagnostics not None):
    """Make the Document of a Profile.

    Args:
        profile: every frame that is used must have a name.
        meta: for the document's ``meta``.
        diagnostics: for the document's ``diagnostics``.

    Returns:
        A Document in canonical order.

    Raises:
        MemoryError: no room.
        OverflowError: a sum past 2**64 - 1.
    """
    cdef Folder folder = Folder(profile)
    folder.mark()
    folder.number_strings()
    folder.number_frames()
    PyErr_CheckSignals()
    folder.number_threads()
    folder.number_events()
    folder.number_stacks()
    PyErr_CheckSignals()
    folder.fill_totals()
    return Document(timeline=folder.timeline(), meta=meta, diagnostics=diagnostics, **folder.columns)


cdef Scratch intern_strings(StringTable strings, const unsigned char[::1] blob, const uint64_t[::1] offsets):
    cdef Py_ssize_t i
    cdef Scratch ids = Scratch(offsets.shape[0])
    # Any address will do for strings of no length.
    cdef const unsigned char* base = &blob[0] if blob.shape[0] else <const unsigned char*>ids.ids
    for i in range(offsets.shape[0] - 1):
        ids.ids[i] = <uint32_t>strings.intern(base + offsets[i], offsets[i + 1] - offsets[i])
    return ids


def unfold(document not None, profile not None):
    """Add a Document's content to a Profile, so that passes can work on it and several can merge.

    Args:
        document: a valid document, as the reader gives it.
        profile: receives it, the time line too if its samples keep one. A window set on its samples drops nothing.

    Raises:
        MemoryError: no room.
        OverflowError: a sum past 2**64 - 1.
    """
    cdef StringTable strings = profile.strings
    cdef FrameTable frames = profile.frames
    cdef StackTable stacks = profile.stacks
    cdef ThreadTable threads = profile.threads
    cdef EventTable events = profile.events
    cdef SampleTable samples = profile.samples
    cdef Scratch string_ids = intern_strings(strings, document.string_bytes, document.string_offsets)
    cdef const uint32_t[::1] first = document.frame_name
    cdef const uint32_t[::1] second = document.frame_dso
    cdef const uint8_t[::1] kind = document.frame_kind
    cdef const uint8_t[::1] frame_class = document.frame_class
    cdef const uint8_t[::1] tier = document.frame_tier
    cdef const uint8_t[::1] presets = document.frame_presets
    cdef Scratch frame_ids = Scratch(first.shape[0])
    cdef Scratch stack_ids, thread_ids, event_ids
    cdef const uint32_t[::1] third
    cdef const uint64_t[::1] sample_counts, periods
    cdef const int32_t[::1] cpus
    cdef const int64_t[::1] times
    cdef Py_ssize_t i
    cdef Frame frame = new_frame(NONE_ID, NONE_ID, KIND_USER, 0)
    cdef Total total
    cdef Sample sample
    for i in range(first.shape[0]):
        frame.name = string_ids.ids[first[i]]
        frame.dso = NONE_ID if second[i] == NONE_ID else string_ids.ids[second[i]]
        frame.kind, frame.frame_class, frame.tier, frame.presets = kind[i], frame_class[i], tier[i], presets[i]
        frame_ids.ids[i] = <uint32_t>frames.intern(frame)
    first, second = document.stack_parent, document.stack_frame
    stack_ids = Scratch(first.shape[0])
    for i in range(first.shape[0]):
        stack_ids.ids[i] = <uint32_t>stacks.extend(
            NONE_ID if first[i] == NONE_ID else stack_ids.ids[first[i]], frame_ids.ids[second[i]]
        )
    thread_ids = Scratch(len(document.thread_comm))
    for i, (comm, pid, tid) in enumerate(zip(document.thread_comm, document.thread_pid, document.thread_tid)):
        thread_ids.ids[i] = threads.add(NONE_ID if comm == NONE_ID else string_ids.ids[<uint32_t>comm], pid, tid)
    event_ids = Scratch(len(document.event_name))
    place = 1 + max((events.get(j)[2] for j in range(len(events))), default=0)
    for i, (name, unit) in enumerate(zip(document.event_name, document.event_unit)):
        event_ids.ids[i] = events.add(string_ids.ids[<uint32_t>name], unit, place + i)
    if document.timeline is not None and samples.keeps_timeline:
        first, second, third = document.timeline["event"], document.timeline["thread"], document.timeline["stack"]
        cpus, times, periods = document.timeline["cpu"], document.timeline["time_ns"], document.timeline["period"]
        for i in range(first.shape[0]):
            sample.event = event_ids.ids[first[i]]
            sample.thread = NONE_ID if second[i] == NONE_ID else thread_ids.ids[second[i]]
            sample.stack = NONE_ID if third[i] == NONE_ID else stack_ids.ids[third[i]]
            sample.cpu = cpus[i]
            sample.time_ns = times[i]
            sample.period = periods[i]
            samples.add_to_timeline(sample)
            if sample.time_ns != UNKNOWN_TIME:
                if samples.first_time_ns == UNKNOWN_TIME:
                    samples.first_time_ns = samples.last_time_ns = sample.time_ns
                samples.first_time_ns = min(samples.first_time_ns, sample.time_ns)
                samples.last_time_ns = max(samples.last_time_ns, sample.time_ns)
    first, second, third = document.total_event, document.total_thread, document.total_stack
    sample_counts, periods = document.total_samples, document.total_period
    for i in range(first.shape[0]):
        total.event = event_ids.ids[first[i]]
        total.thread = NONE_ID if second[i] == NONE_ID else thread_ids.ids[second[i]]
        total.stack = NONE_ID if third[i] == NONE_ID else stack_ids.ids[third[i]]
        total.samples = sample_counts[i]
        total.period = periods[i]
        samples.samples_seen += total.samples
        samples.add_total(total)
