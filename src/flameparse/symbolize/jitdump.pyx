"""The dump a JIT writes, ``jit-PID.dump``, to loads of code: which function was where, from which time on.

Layout, in the byte order of the machine that wrote it:
    header: u32 magic, version, total_size, elf_mach, pad, pid; u64 timestamp, flags
    record: u32 id, total_size; u64 time; then by id
        0 CODE_LOAD: u32 pid, tid; u64 vma, code_addr, code_size, code_index; name, NUL; code_size bytes of code
        1 CODE_MOVE: u32 pid, tid; u64 vma, old_addr, new_addr, code_size, code_index of the load
        2 CODE_DEBUG_INFO, before its load: u64 code_addr, count; count * (u64 address; u32 line, column; file, NUL)
        3 CODE_CLOSE, 4 CODE_UNWINDING_INFO: say nothing of names
Source: tools/perf/Documentation/jitdump-specification.txt.
"""

cimport cython
from libc.stdint cimport UINT64_MAX, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcpy

from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.growth cimport reserve
from flameparse.model.string_table cimport StringTable
from flameparse.scan.byte_span cimport load_u32, load_u64

from flameparse import limits
from flameparse.errors import MalformedError, TruncatedError, UnsupportedError


cdef enum:
    HEADER_BYTES = 40
    RECORD_HEADER_BYTES = 16
    LOAD_BYTES = 56         # up to the name
    MOVE_BYTES = 64
    DEBUG_INFO_BYTES = 32   # up to the first entry
    DEBUG_ENTRY_BYTES = 16  # up to the name of the file
    VERSION = 1
    COUNTER_TIMES = 1       # flag: times are the CPU's counter
    MAGIC = 0x4A695444
    SWAPPED_MAGIC = 0x4454694A

cdef enum RecordId:
    CODE_LOAD = 0
    CODE_MOVE = 1
    CODE_DEBUG_INFO = 2

cdef extern from *:
    """
    #include <stdint.h>
    #include <stdlib.h>

    struct fp_code_load { uint64_t time, offset, start, size, index; uint32_t name, file, line; };

    static inline int fp_compare_code_loads(const void *left, const void *right) {
        const struct fp_code_load *a = left, *b = right;
        if (a->time != b->time)
            return a->time < b->time ? -1 : 1;
        return a->offset < b->offset ? -1 : a->offset > b->offset;
    }

    static inline void fp_sort_code_loads(struct fp_code_load *loads, uint64_t count) {
        for (uint64_t i = 1; i < count; i++)
            if (fp_compare_code_loads(loads + i - 1, loads + i) > 0) {
                qsort(loads, count, sizeof *loads, fp_compare_code_loads);
                return;
            }
    }
    """
    ctypedef struct CodeLoad "struct fp_code_load":
        uint64_t time
        uint64_t offset     # of the record in the dump
        uint64_t start
        uint64_t size
        uint64_t index      # by which a move names the load
        uint32_t name
        uint32_t file
        uint32_t line
    # By time, then as they stand in the dump.
    void sort_loads "fp_sort_code_loads"(CodeLoad* loads, uint64_t count) noexcept nogil


@cython.final
cdef class CodeLoads:
    """What one dump says, in order of time, by columns.

    Attributes:
        pid: the process, as it knows itself.
        size: bytes of the dump.
        stopped_at: bytes of it that were read: fewer than ``size`` where it was cut or damaged.
        malformed: records that were stepped over since they contradict themselves.
    """

    cdef CodeLoad* rows
    cdef readonly uint64_t count
    cdef uint64_t capacity
    cdef StringTable strings
    cdef dict row_of_index         # made when a move asks, from the first rows
    cdef uint64_t indexed_count
    cdef readonly uint32_t pid
    cdef readonly uint64_t size
    cdef readonly uint64_t stopped_at
    cdef readonly uint64_t malformed
    cdef uint64_t max_record_bytes
    cdef bint swaps
    # Of times that are the CPU's counter.
    cdef bint converts_times
    cdef uint64_t time_shift
    cdef uint64_t time_multiplier
    cdef uint64_t time_zero
    # What the last debug info says of the load that follows it.
    cdef uint64_t debug_start
    cdef uint32_t debug_file
    cdef uint32_t debug_line

    def __cinit__(self, StringTable strings not None):
        self.strings = strings
        self.row_of_index = {}
        self.max_record_bytes = limits.MAX_JITDUMP_RECORD_BYTES
        self.debug_file = NONE_ID
        reserve(<void**>&self.rows, &self.capacity, 1, sizeof(CodeLoad))

    def __dealloc__(self):
        free(self.rows)

    def __len__(self):
        return self.count

    @property
    def times(self):
        """u64: of the trace's clock."""
        return self.column(&self.rows.time, 8)

    @property
    def starts(self):
        """u64: addresses."""
        return self.column(&self.rows.start, 8)

    @property
    def sizes(self):
        """u64: bytes."""
        return self.column(&self.rows.size, 8)

    @property
    def names(self):
        """u32: string ids."""
        return self.column(&self.rows.name, 4)

    @property
    def files(self):
        """u32: string ids of the source files, 0xFFFFFFFF where the dump does not say."""
        return self.column(&self.rows.file, 4)

    @property
    def lines(self):
        """u32: lines in them of the first code that has one, 0 where the dump does not say."""
        return self.column(&self.rows.line, 4)

    cdef object column(self, const void* field, size_t width):
        """Copy a field of all rows; ``field`` points to that of the first one."""
        cdef bytearray values = bytearray(self.count * width)
        cdef unsigned char* value = values
        cdef uint64_t i
        for i in range(self.count):
            memcpy(value + i * width, <const unsigned char*>field + i * sizeof(CodeLoad), width)
        return memoryview(values).cast("Q" if width == 8 else "I")

    cdef int read_header(self, const unsigned char[::1] header, time_conversion) except -1:
        """Read the header and step to the first record.

        Raises:
            DecodeError: as ``read_jitdump``.
        """
        cdef const unsigned char* at
        cdef uint32_t version
        cdef uint64_t flags
        if header.shape[0] < HEADER_BYTES:
            raise TruncatedError(
                f"{header.shape[0]} bytes are no header of {HEADER_BYTES}", format_name="jitdump", offset=0
            )
        at = &header[0]
        self.swaps = load_u32(at, False) == SWAPPED_MAGIC
        if not self.swaps and load_u32(at, False) != MAGIC:
            raise MalformedError(f"begins with {bytes(header[:4])!r}", format_name="jitdump", offset=0)
        version = load_u32(at + 4, self.swaps)
        self.stopped_at = load_u32(at + 8, self.swaps)
        self.pid = load_u32(at + 20, self.swaps)
        flags = load_u64(at + 32, self.swaps)
        if version != VERSION or flags & ~<uint64_t>COUNTER_TIMES:
            raise UnsupportedError(f"version {version} with flags {flags:#x}", format_name="jitdump", offset=4)
        if not HEADER_BYTES <= self.stopped_at <= self.size:
            raise MalformedError(f"a header of {self.stopped_at} bytes", format_name="jitdump", offset=8)
        self.converts_times = flags & COUNTER_TIMES
        if self.converts_times:
            if time_conversion is None or time_conversion[0] > 63:
                raise UnsupportedError(
                    "its times are the CPU's counter, and the recording does not say what that means",
                    format_name="jitdump", offset=32,
                )
            self.time_shift, self.time_multiplier, self.time_zero = time_conversion
        return 0

    cdef uint64_t trace_time(self, uint64_t time) noexcept nogil:
        """A record's time by the trace's clock.

        Source: tsc_to_perf_time(), tools/perf/util/tsc.c, of which all is modulo 2**64.
        """
        if not self.converts_times:
            return time
        return (
            self.time_zero + (time >> self.time_shift) * self.time_multiplier
            + ((time & ((<uint64_t>1 << self.time_shift) - 1)) * self.time_multiplier >> self.time_shift)
        )

    cdef int read_block(self, const unsigned char* block, uint64_t length) except -1 nogil:
        """Read the records that begin in a block; ``stopped_at`` is moved past each.

        One that goes past the end of the block is left for the next one, unless it is the first: then all that says
        something is in it.

        Args:
            block: the bytes from ``stopped_at`` on, ``RECORD_HEADER_BYTES`` at least.
            length: how many.

        Returns:
            0 where the dump ends within a record, or what follows is none; else 1.
        """
        cdef const unsigned char* record
        cdef uint64_t at = 0
        cdef uint64_t total, here
        cdef uint32_t id
        while length - at >= RECORD_HEADER_BYTES:
            record = block + at
            id = load_u32(record, self.swaps)
            total = load_u32(record + 4, self.swaps)
            if total < RECORD_HEADER_BYTES or total > min(self.max_record_bytes, self.size - self.stopped_at):
                return 0
            here = min(total, length - at)
            if here < total and at and id <= CODE_DEBUG_INFO:
                return 1
            if id == CODE_LOAD:
                self.malformed += not self.take_load(record, here)
            elif id == CODE_MOVE:
                self.malformed += not self.take_move(record, here)
            elif id == CODE_DEBUG_INFO:
                self.malformed += not self.take_debug_info(record, here)
            self.stopped_at += total
            if here < total:
                return 1
            at += total
        return 1

    cdef int take_load(self, const unsigned char* record, uint64_t length) except -1 nogil:
        """Add a load; 0 if it makes no sense. Some writers leave the code itself away."""
        cdef const unsigned char* name = record + LOAD_BYTES
        cdef const unsigned char* name_end
        cdef CodeLoad load
        if length <= LOAD_BYTES:
            return 0
        name_end = <const unsigned char*>memchr(name, 0, length - LOAD_BYTES)
        if name_end is NULL:
            return 0
        load.index = load_u64(record + 48, self.swaps)
        load.file = NONE_ID
        load.line = 0
        if self.debug_file != NONE_ID and self.debug_start == load_u64(record + 32, self.swaps):
            load.file = self.debug_file
            load.line = self.debug_line
        self.debug_file = NONE_ID
        load.name = <uint32_t>self.strings.intern(name, name_end - name)
        return self.add(&load, record, load_u64(record + 32, self.swaps), load_u64(record + 40, self.swaps))

    cdef int take_move(self, const unsigned char* record, uint64_t length) except -1 nogil:
        """Add a load of code that was loaded elsewhere before; 0 if it was not."""
        cdef CodeLoad load
        cdef int64_t row
        if length < MOVE_BYTES:
            return 0
        row = self.find_index(load_u64(record + 56, self.swaps))
        if row < 0:
            return 0
        load = self.rows[row]
        return self.add(&load, record, load_u64(record + 40, self.swaps), load_u64(record + 48, self.swaps))

    cdef int add(
        self, CodeLoad* load, const unsigned char* record, uint64_t start, uint64_t size
    ) except -1 nogil:
        """Add a row with the time and place of a record; 0 if there is no such place."""
        if size > min(self.max_record_bytes, UINT64_MAX - start):
            return 0
        load.time = self.trace_time(load_u64(record + 8, self.swaps))
        load.offset = self.stopped_at
        load.start = start
        load.size = size
        reserve(<void**>&self.rows, &self.capacity, self.count + 1, sizeof(CodeLoad))
        self.rows[self.count] = load[0]
        self.count += 1
        return 1

    cdef int64_t find_index(self, uint64_t index) except -2 with gil:
        """The row of the last load that has such an index, or -1."""
        while self.indexed_count < self.count:
            self.row_of_index[self.rows[self.indexed_count].index] = self.indexed_count
            self.indexed_count += 1
        return self.row_of_index.get(index, -1)

    cdef int take_debug_info(self, const unsigned char* record, uint64_t length) except -1 nogil:
        """Keep the first line of the code that is loaded next; 0 if it makes no sense.

        A file ``\\xff`` is that of the entry before.
        """
        cdef const unsigned char* name = record + (DEBUG_INFO_BYTES + DEBUG_ENTRY_BYTES)
        cdef const unsigned char* name_end
        self.debug_file = NONE_ID
        if length < DEBUG_INFO_BYTES:
            return 0
        if not load_u64(record + 24, self.swaps):
            return 1
        if length <= DEBUG_INFO_BYTES + DEBUG_ENTRY_BYTES:
            return 0
        name_end = <const unsigned char*>memchr(name, 0, length - DEBUG_INFO_BYTES - DEBUG_ENTRY_BYTES)
        if name_end is NULL:
            return 0
        if name < name_end and name[0] != 0xFF:
            self.debug_start = load_u64(record + 16, self.swaps)
            self.debug_file = <uint32_t>self.strings.intern(name, name_end - name)
            self.debug_line = load_u32(record + 40, self.swaps)
        return 1


def read_jitdump(file, StringTable strings not None, *, tuple time_conversion=None):
    """Read the loads and moves of a dump; what they say holds until other code comes to the same place.

    A closing record says nothing that ends a name, and the code itself and what unwinds it are stepped over.

    Args:
        file: has ``size`` and ``read_at(offset, count)``.
        strings: gets the names.
        time_conversion: shift, multiplier and zero of the recording's time, for a dump whose times are the CPU's
            counter.

    Returns:
        ``CodeLoads``, of a cut or damaged dump those before the damage.

    Raises:
        TruncatedError: it ends within its header.
        MalformedError: it is no dump.
        UnsupportedError: another version, or counter times and no ``time_conversion``.
        MemoryError: no room.
    """
    cdef CodeLoads loads = CodeLoads(strings)
    cdef const unsigned char[::1] block
    cdef int goes_on = 1
    loads.size = file.size
    loads.read_header(file.read_at(0, HEADER_BYTES), time_conversion)
    while goes_on and loads.size - loads.stopped_at >= RECORD_HEADER_BYTES:
        block = file.read_at(loads.stopped_at, limits.READ_BLOCK_BYTES)
        if block.shape[0] < RECORD_HEADER_BYTES:
            break
        with nogil:
            goes_on = loads.read_block(&block[0], block.shape[0])
    with nogil:
        sort_loads(loads.rows, loads.count)
    return loads
