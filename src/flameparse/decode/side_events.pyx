"""The records of a recording that are no samples, in the order of time."""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy, memset

from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.growth cimport allocate_large, reserve
from flameparse.model.string_table cimport StringTable


cdef inline bint is_before(const SideEvent* left, const SideEvent* right) noexcept nogil:
    """Whether one event stands before another."""
    return left.time < right.time or (left.time == right.time and left.sequence < right.sequence)


cdef class SideEvents:
    """Rows of C structs, appended as they are met and sorted once."""

    def __dealloc__(self):
        free(self.rows)

    def __len__(self):
        return self.count

    cdef int append(self, SideEvent event) except -1 nogil:
        """Add an event at the end.

        Raises:
            MemoryError: no room.
        """
        reserve(<void**>&self.rows, &self.capacity, self.count + 1, sizeof(SideEvent))
        self.rows[self.count] = event
        self.count += 1
        return 0

    cdef int sort(self) except -1 nogil:
        """Order the events by (time, sequence); those equal in both stay as they were.

        A recording is nearly sorted: a few runs, where the buffers of several cpus were written one after the other.

        Raises:
            MemoryError: no room for a second copy, which only unsorted events need.
        """
        cdef uint64_t end = run_end(self.rows, 0, self.count)
        cdef SideEvent* merged
        if end == self.count:
            return 0
        merged = <SideEvent*>allocate_large(self.capacity * sizeof(SideEvent))
        if merged is NULL:
            with gil:
                raise MemoryError
        while end < self.count:
            merge_runs(self.rows, merged, self.count)
            self.rows, merged = merged, self.rows
            end = run_end(self.rows, 0, self.count)
        free(merged)
        return 0

    def get(self, uint64_t index):
        """``(time, sequence, kind, pid, tid, name, flags)`` of an event.

        Raises:
            IndexError: no such event.
        """
        cdef SideEvent* event = self.rows + index
        if index >= self.count:
            raise IndexError(index)
        return event.time, event.sequence, event.kind, event.pid, event.tid, event.name, event.flags

    def mapped_files(self, StringTable strings not None, uint64_t most):
        """``(path, device, inode)`` of the first files that were mapped, no more than ``most``."""
        cdef uint64_t i
        cdef dict files = {}
        for i in range(self.count):
            if len(files) == most:
                break
            if self.rows[i].kind == SIDE_MAP and self.rows[i].inode:
                files[strings.get(self.rows[i].name), self.rows[i].device, self.rows[i].inode] = None
        return list(files)

    def add_map(
        self, uint64_t time, uint64_t sequence, int32_t pid, uint64_t start, uint64_t size, uint64_t file_offset,
        uint32_t name, *, uint64_t device=0, uint64_t inode=0, uint32_t build_id=NONE_ID, uint8_t flags=0,
        uint8_t cpumode=2, int32_t tid=0,
    ):
        """Add: ``pid`` maps ``size`` bytes of the file ``name`` from ``file_offset`` on at ``start``."""
        cdef SideEvent event = blank(SIDE_MAP, time, sequence)
        event.start, event.size, event.file_offset = start, size, file_offset
        event.device, event.inode, event.build_id = device, inode, build_id
        event.pid, event.tid, event.name, event.flags, event.cpumode = pid, tid, name, flags, cpumode
        self.append(event)

    def add_comm(self, uint64_t time, uint64_t sequence, int32_t pid, int32_t tid, uint32_t name, uint8_t flags=0):
        """Add: the thread is called ``name`` from now on."""
        cdef SideEvent event = blank(SIDE_COMM, time, sequence)
        event.pid, event.tid, event.name, event.flags = pid, tid, name, flags
        self.append(event)

    def add_fork(
        self, uint64_t time, uint64_t sequence, int32_t pid, int32_t tid, int32_t parent_pid, int32_t parent_tid,
        uint8_t flags=0,
    ):
        """Add: a thread was made by another, of the same process or not."""
        cdef SideEvent event = blank(SIDE_FORK, time, sequence)
        event.pid, event.tid, event.parent_pid, event.parent_tid, event.flags = pid, tid, parent_pid, parent_tid, flags
        self.append(event)

    def add_kernel_symbol(
        self, uint64_t time, uint64_t sequence, uint64_t start, uint64_t size, uint32_t name, uint8_t flags=0
    ):
        """Add: the kernel gets, or loses, a function."""
        cdef SideEvent event = blank(SIDE_KERNEL_SYMBOL, time, sequence)
        event.start, event.size, event.name, event.flags, event.cpumode = start, size, name, flags, 1
        event.pid = -1
        self.append(event)

    def add_code_load(
        self, uint64_t time, uint64_t sequence, int32_t pid, uint64_t start, uint64_t size, uint32_t name, uint32_t path
    ):
        """Add: ``pid`` has the function ``name`` at ``start`` from now on, says the dump ``path``."""
        cdef SideEvent event = blank(SIDE_CODE_LOAD, time, sequence)
        event.start, event.size, event.name, event.build_id, event.pid = start, size, name, path, pid
        self.append(event)

    def add_code_loads(
        self, int32_t pid, uint32_t path, const uint64_t[::1] times, const uint64_t[::1] starts,
        const uint64_t[::1] sizes, const uint32_t[::1] names,
    ):
        """Add what a dump says, column by column, before all else that has the same time.

        Args:
            pid: process whose code it is.
            path: string id of the dump's path.
            times: of the trace's clock.
            starts, sizes: addresses and bytes.
            names: string ids.

        Raises:
            ValueError: columns of different lengths.
        """
        cdef SideEvent event = blank(SIDE_CODE_LOAD, 0, 0)
        cdef Py_ssize_t i
        if not times.shape[0] == starts.shape[0] == sizes.shape[0] == names.shape[0]:
            raise ValueError("columns of different lengths")
        event.pid, event.build_id = pid, path
        for i in range(times.shape[0]):
            event.time, event.start, event.size, event.name = times[i], starts[i], sizes[i], names[i]
            self.append(event)

    def jitdumps(self, StringTable strings not None):
        """List the dumps of JIT code that the recorded processes had mapped.

        A process that writes one maps it executable, for no other reason than to leave a record of its path.

        Source: tools/perf/Documentation/jitdump-specification.txt.

        Args:
            strings: what the names of the events are ids of.

        Returns:
            ``(path, pid, tid, time)`` of the first mapping of each path by each process, in the order of the events.
        """
        cdef uint64_t i
        cdef SideEvent* event
        found = {}
        for i in range(self.count):
            event = &self.rows[i]
            if (
                event.kind == SIDE_MAP
                and not event.flags & SIDE_IS_DATA
                and event.name < strings.count
                and is_dump(strings.at(event.name), strings.length(event.name))
            ):
                found.setdefault((event.name, event.pid), (strings.get(event.name), event.pid, event.tid, event.time))
        return list(found.values())

    @property
    def memory_bytes(self):
        """Bytes the table holds allocated."""
        return self.capacity * sizeof(SideEvent)


cdef inline SideEvent blank(uint8_t kind, uint64_t time, uint64_t sequence) noexcept:
    """An event that says nothing yet."""
    cdef SideEvent event
    memset(&event, 0, sizeof(SideEvent))
    event.kind, event.time, event.sequence, event.cpumode = kind, time, sequence, 2
    event.name = event.build_id = NONE_ID
    return event


cdef bint is_dump(const unsigned char* path, size_t length) noexcept nogil:
    """Whether a path's last part is ``jit-NUMBER.dump``."""
    cdef const unsigned char* at = path + length
    cdef const unsigned char* digits
    if length < 10 or memcmp(at - 5, b".dump", 5) != 0:
        return False
    digits = at = at - 5
    while at > path and c"0" <= (at - 1)[0] <= c"9":
        at -= 1
    if at == digits or at - path < 4 or memcmp(at - 4, b"jit-", 4) != 0:
        return False
    at -= 4
    return at == path or (at - 1)[0] == c"/"


cdef uint64_t run_end(const SideEvent* rows, uint64_t at, uint64_t count) noexcept nogil:
    """Find where the sorted run that begins at ``at`` ends."""
    if at == count:
        return count
    at += 1
    while at < count and not is_before(&rows[at], &rows[at - 1]):
        at += 1
    return at


cdef void merge_runs(const SideEvent* rows, SideEvent* merged, uint64_t count) noexcept nogil:
    """Merge each run with the one after it, which halves their number."""
    cdef uint64_t left = 0, middle, right, end, at = 0
    while at < count:
        left = at
        right = middle = run_end(rows, left, count)
        end = run_end(rows, middle, count)
        while left < middle and right < end:
            if is_before(&rows[right], &rows[left]):
                merged[at] = rows[right]
                right += 1
            else:
                merged[at] = rows[left]
                left += 1
            at += 1
        memcpy(&merged[at], &rows[left], (middle - left) * sizeof(SideEvent))
        at += middle - left
        memcpy(&merged[at], &rows[right], (end - right) * sizeof(SideEvent))
        at += end - right
