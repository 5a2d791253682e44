"""Samples: summed per (event, thread, stack) as they come and, on request, kept one by one in order."""

from libc.stdint cimport INT64_MAX, INT64_MIN, UINT64_MAX, int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free

from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.growth cimport reserve
from flameparse.model.hash_index cimport index_free, index_init, index_put, slot_id
from flameparse.scan.byte_hash cimport mix


cdef class SampleTable:
    """Takes samples, drops those outside the window, sums the rest.

    Summing at once is what keeps memory flat: a window over time or cpus needs the single sample, everything
    else a filter asks about survives in the totals.

    Args:
        keeps_timeline: also keep every sample, in input order.
        from_ns: first time taken, or None.
        to_ns: first time no longer taken, or None.
        from_is_relative, to_is_relative: whether these count from the first sample.
        allowed_cpus: one byte per cpu number, the last one for an unknown or larger number; 0 drops. None takes all.
    """

    def __cinit__(
        self, *, bint keeps_timeline=False, from_ns=None, to_ns=None, bint from_is_relative=False,
        bint to_is_relative=False, bytes allowed_cpus=None,
    ):
        index_init(&self.index, 1024)
        self.keeps_timeline = keeps_timeline
        self.from_ns = INT64_MIN if from_ns is None else from_ns
        self.to_ns = INT64_MAX if to_ns is None else to_ns
        self.from_is_relative = from_is_relative
        self.to_is_relative = to_is_relative
        self.has_window = from_ns is not None or to_ns is not None
        self.first_time_ns = UNKNOWN_TIME
        self.last_time_ns = UNKNOWN_TIME
        if allowed_cpus is not None:
            self.cpu_filter = allowed_cpus
            self.allowed_cpus = allowed_cpus
            self.allowed_cpu_count = len(allowed_cpus)

    def __dealloc__(self):
        free(self.timeline)
        free(self.totals)
        index_free(&self.index)

    def sibling(self):
        """An empty table with the same window, relative times settled: what another thread fills."""
        return SampleTable(
            keeps_timeline=self.keeps_timeline,
            from_ns=None if self.from_ns == INT64_MIN else self.from_ns,
            to_ns=None if self.to_ns == INT64_MAX else self.to_ns,
            from_is_relative=self.from_is_relative,
            to_is_relative=self.to_is_relative,
            allowed_cpus=self.cpu_filter,
        )

    cdef int open_window(self, int64_t first_time_ns) except -1 nogil:
        """Settle the times that count from the first sample."""
        if self.from_is_relative:
            self.from_ns = INT64_MAX if self.from_ns > INT64_MAX - first_time_ns else self.from_ns + first_time_ns
            self.from_is_relative = False
        if self.to_is_relative:
            self.to_ns = INT64_MAX if self.to_ns > INT64_MAX - first_time_ns else self.to_ns + first_time_ns
            self.to_is_relative = False
        return 0

    cdef int add(self, Sample sample, uint32_t* row_hint) except -1 nogil:
        """Take one sample.

        Args:
            sample: its ids are of this profile's tables.
            row_hint: NULL, or a guess at the row of the totals it adds to; set to the right one.

        Raises:
            MemoryError: no room.
            OverflowError: a sum past 2**64 - 1.
        """
        cdef Py_ssize_t cpu
        cdef Total total
        cdef Total* row
        cdef int64_t added
        self.samples_seen += 1
        if sample.period > <uint64_t>INT64_MAX:
            self.impossible_periods += 1
            return 0
        if sample.time_ns != UNKNOWN_TIME:
            if self.first_time_ns == UNKNOWN_TIME:
                self.open_window(sample.time_ns)
                self.first_time_ns = self.last_time_ns = sample.time_ns
            self.first_time_ns = min(self.first_time_ns, sample.time_ns)
            self.last_time_ns = max(self.last_time_ns, sample.time_ns)
            if sample.time_ns < self.from_ns or sample.time_ns >= self.to_ns:
                self.outside_window += 1
                return 0
        elif self.has_window:
            self.outside_window += 1
            return 0
        if self.allowed_cpus is not NULL:
            cpu = sample.cpu
            if cpu < 0 or cpu >= self.allowed_cpu_count:
                cpu = self.allowed_cpu_count - 1
            if not self.allowed_cpus[cpu]:
                self.on_other_cpus += 1
                return 0
        self.add_to_timeline(sample)
        total.event = sample.event
        total.thread = sample.thread
        total.stack = sample.stack
        total.samples = 1
        total.period = sample.period
        if row_hint is not NULL and row_hint[0] < self.total_count:
            row = &self.totals[row_hint[0]]
            if (
                row.stack == sample.stack and row.thread == sample.thread and row.event == sample.event
                and row.period <= UINT64_MAX - sample.period
            ):
                row.samples += 1
                row.period += sample.period
                return 0
        added = self.add_total(total)
        if row_hint is not NULL:
            row_hint[0] = <uint32_t>added
        return 0

    cdef int add_to_timeline(self, Sample sample) except -1 nogil:
        """Keep one sample in order, if this table does; its weight is not added to the totals."""
        if self.keeps_timeline:
            reserve(<void**>&self.timeline, &self.timeline_capacity, self.timeline_count + 1, sizeof(Sample))
            self.timeline[self.timeline_count] = sample
            self.timeline_count += 1
        return 0

    cdef void take_account(self, SampleTable other) noexcept nogil:
        """Add what another table saw and the time it spans, but not its rows."""
        self.samples_seen += other.samples_seen
        if other.first_time_ns != UNKNOWN_TIME:
            if self.first_time_ns == UNKNOWN_TIME:
                self.first_time_ns, self.last_time_ns = other.first_time_ns, other.last_time_ns
            self.first_time_ns = min(self.first_time_ns, other.first_time_ns)
            self.last_time_ns = max(self.last_time_ns, other.last_time_ns)

    cdef int64_t add_total(self, Total total) except -1 nogil:
        """Add samples already summed; the row they went to.

        Raises:
            MemoryError: no room.
            OverflowError: a sum past 2**64 - 1.
        """
        cdef uint64_t hashed = mix(
            (<uint64_t>total.stack << 32 | total.thread) ^ 0x9E3779B97F4A7C15u, total.event ^ 0xD6E8FEB86659FD93u
        )
        cdef uint32_t tag = <uint32_t>(hashed >> 32)
        cdef uint64_t at = tag & self.index.mask
        cdef uint64_t slot = self.index.slots[at]
        cdef Total* row
        while slot:
            row = &self.totals[slot_id(slot)]
            if (
                slot >> 32 == tag
                and row.stack == total.stack and row.thread == total.thread and row.event == total.event
            ):
                if row.period > UINT64_MAX - total.period:
                    with gil:
                        raise OverflowError("the periods of one stack sum past 2**64 - 1")
                row.samples += total.samples
                row.period += total.period
                return slot_id(slot)
            at = (at + 1) & self.index.mask
            slot = self.index.slots[at]
        reserve(<void**>&self.totals, &self.total_capacity, <uint64_t>self.total_count + 1, sizeof(Total))
        index_put(&self.index, at, tag, self.total_count)
        self.totals[self.total_count] = total
        self.total_count += 1
        return self.total_count - 1

    cdef int append_total(self, Total total) except -1 nogil:
        """Add a row without looking for one like it: ``fold`` adds up equal rows."""
        reserve(<void**>&self.totals, &self.total_capacity, <uint64_t>self.total_count + 1, sizeof(Total))
        self.totals[self.total_count] = total
        self.total_count += 1
        return 0

    def add_row(
        self, uint32_t event, uint32_t thread, uint32_t stack, uint64_t period=1, *, int32_t cpu=UNKNOWN_CPU,
        time_ns=None,
    ):
        """Take one sample from Python.

        Args:
            event, thread: ids.
            stack: stack id, or ``0xFFFFFFFF`` for a sample without frames.
            period: its weight.
            cpu: cpu number, -1 unknown.
            time_ns: clock time, or None.
        """
        cdef Sample sample
        sample.time_ns = UNKNOWN_TIME if time_ns is None else time_ns
        sample.period = period
        sample.stack = stack
        sample.thread = thread
        sample.event = event
        sample.cpu = cpu
        self.add(sample, NULL)

    def add_sum(self, uint32_t event, uint32_t stack, uint64_t samples, *, uint32_t thread=NONE_ID):
        """Take samples from Python that an input has summed, each with a weight of 1.

        Args:
            event: id.
            stack: stack id, or ``0xFFFFFFFF`` for samples without frames.
            samples: how many.
            thread: id.
        """
        self.samples_seen += samples
        self.add_total(Total(samples, samples, event, thread, stack))

    def total_rows(self):
        """Every total as ``(event, thread, stack, samples, period)``, in the order first seen."""
        cdef Total* row
        rows = []
        for i in range(self.total_count):
            row = &self.totals[i]
            rows.append((row.event, row.thread, row.stack, row.samples, row.period))
        return rows

    def see(self, uint64_t samples):
        """Account for samples that were dropped before the rest came here."""
        self.samples_seen += samples

    def held(self):
        """``(samples, period)`` summed over the totals.

        Raises:
            OverflowError: a sum past 2**63 - 1, which a document cannot hold.
        """
        cdef uint64_t i
        cdef uint64_t samples = 0
        cdef uint64_t period = 0
        for i in range(self.total_count):
            if (
                self.totals[i].samples > <uint64_t>INT64_MAX - samples
                or self.totals[i].period > <uint64_t>INT64_MAX - period
            ):
                raise OverflowError("the weights sum past 2**63 - 1")
            samples += self.totals[i].samples
            period += self.totals[i].period
        return samples, period

    @property
    def memory_bytes(self):
        """Bytes the totals hold allocated; the time line grows with the input whatever is done about stacks."""
        return self.total_capacity * sizeof(Total) + 8 * (self.index.mask + 1)
