"""The perf map that a JIT writes, ``/tmp/perf-PID.map``, to a symbol table.

Three lines; some writers put ``0x`` before the numbers, and a name may have blanks::

    7f525c006940 1a4 JS:*fib /app/cpu.js:4:14
    7f525c007640 858 RegExp:^(\\w+)-(\\d+)@((?:[a-z]+\\.)+[a-z]{2,})$
    0x7f08a8006300 0x2e8 JS:+'fib /app/cpu.js:4:14

The file only grows and has no times: memory that is used again is named again, and the last line about an address
tells what was there last. Source: tools/perf/Documentation/jit-interface.txt.
"""

from libc.stdint cimport UINT64_MAX, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp

from flameparse.model.growth cimport reserve
from flameparse.scan.line_scan cimport byte_before, find_newline, hex_value, is_blank, skip_blanks
from flameparse.symbolize.symbol_line cimport is_precise, parse_hex
from flameparse.symbolize.symbol_table cimport BIND_GLOBAL, BIND_WEAK, SymbolTable

from flameparse import limits
from flameparse.errors import LimitError


# What a line names. Where two overlap the higher one holds, of equals the later one.
cdef enum Rank:
    RANK_NO_SIZE = 0    # one address only
    RANK_NAMELESS = 1   # a function, but not which
    RANK_CODE = 2
    RANK_COUNT = 3


cdef const unsigned char* parse_number(
    const unsigned char* at, const unsigned char* end, uint64_t* value
) noexcept nogil:
    """Read hexadecimal digits, with or without ``0x``, and the blanks after them; NULL if that is not there."""
    if end - at > 2 and at[0] == c"0" and (at + 1)[0] | 32 == c"x":
        at += 2
    at = parse_hex(at, end, value)
    if at is NULL or at == end or not is_blank(at[0]):
        return NULL
    return skip_blanks(at, end)


cdef const unsigned char* parse_loosely(
    const unsigned char* at, const unsigned char* end, uint64_t* value
) noexcept nogil:
    """Read what strtoull() takes for a hexadecimal number; the byte after it, ``at`` itself where there is none.

    Source: strtoull(3), by which perf reads both numbers.
    """
    cdef const unsigned char* begin = at
    cdef bint negative = False
    cdef uint64_t total = 0
    while at < end and (at[0] == 32 or <unsigned char>(at[0] - 9) < 5):
        at += 1
    if at < end and (at[0] == c"-" or at[0] == c"+"):
        negative = at[0] == c"-"
        at += 1
    if end - at > 2 and at[0] == c"0" and (at + 1)[0] | 32 == c"x" and hex_value((at + 2)[0]) >= 0:
        at += 2
    value[0] = 0
    if at == end or hex_value(at[0]) < 0:
        return begin
    while at < end and hex_value(at[0]) >= 0:
        if total >> 60:
            value[0] = UINT64_MAX
        total = total << 4 | <uint64_t>hex_value(at[0])
        at += 1
    if not value[0]:
        value[0] = -total if negative else total
    return at


cdef const unsigned char* string_end(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """Where a text ends for C: before its first NUL."""
    cdef const unsigned char* nul = <const unsigned char*>memchr(at, 0, end - at)
    return end if nul is NULL else nul


cdef bint says_nothing(const unsigned char* name, const unsigned char* end) noexcept nogil:
    """Whether a name is a tag without a function, such as ``LazyCompile:``, or V8's word for any bytecode handler.

    Node 8 and 10 list a builtin under its name and again so for each function that it implements; Node 10 lists every
    bytecode handler a second time as ``Handler:UnknownBytecodeHadler``.
    """
    cdef const unsigned char* at = name
    if end - name == 29 and memcmp(name, b"Handler:UnknownBytecodeHadler", 29) == 0:
        return True
    while at < end and <unsigned char>((at[0] | 32) - c"a") < 26:
        at += 1
    return at > name and at < end and at[0] == c":" and skip_blanks(at + 1, end) == end


cdef struct MapLine:
    uint64_t start
    uint64_t size
    const unsigned char* name
    uint32_t name_length
    uint32_t rank


cdef class MapLines:
    """The lines of one map; they point into its bytes."""

    cdef MapLine* rows
    cdef uint64_t count
    cdef uint64_t capacity
    cdef uint64_t max_count
    cdef uint64_t unparsable
    cdef uint64_t torn

    def __cinit__(self):
        self.max_count = limits.MAX_PERF_MAP_ENTRIES

    def __dealloc__(self):
        free(self.rows)

    cdef int add(
        self, uint64_t start, uint64_t size, const unsigned char* name, const unsigned char* end, Rank rank
    ) except -1 nogil:
        if self.count == self.max_count:
            with gil:
                raise LimitError(f"more than {self.max_count} lines (MAX_PERF_MAP_ENTRIES)", format_name="perf map")
        reserve(<void**>&self.rows, &self.capacity, self.count + 1, sizeof(MapLine))
        self.rows[self.count] = MapLine(start, size, name, <uint32_t>(end - name), rank)
        self.count += 1
        return 0

    cdef int read(self, const unsigned char* at, const unsigned char* end) except -1 nogil:
        """Read the lines that are whole and make sense; count the others."""
        cdef const unsigned char* line
        cdef const unsigned char* line_end
        cdef uint64_t start = 0
        cdef uint64_t size = 0
        while at < end:
            line = at
            line_end = find_newline(at, end)
            if line_end is NULL:
                self.torn += 1
                return 0
            at = line_end + 1
            if line_end > line and byte_before(line_end) == c"\r":
                line_end -= 1
            line = parse_number(line, line_end, &start)
            if line is not NULL:
                line = parse_number(line, line_end, &size)
            if line is NULL or line == line_end or size > UINT64_MAX - start:
                self.unparsable += 1
            elif not size:
                self.add(start, 0, line, line_end, RANK_NO_SIZE)
            else:
                # V8 lists bytecode (``~``) too. It is never executed where it lies, but the trampolines that
                # --interpreted-frames-native-stack makes of it are, so that such a line counts like any other.
                self.add(start, size, line, line_end, RANK_NAMELESS if says_nothing(line, line_end) else RANK_CODE)
        return 0

    cdef int read_as_perf(self, const unsigned char* at, const unsigned char* end) except -1 nogil:
        """Read what perf 6.1 takes for lines: garbage too, but no name of one or two bytes.

        Each line loses its last byte, which is the newline unless the file ends without one.
        """
        cdef const unsigned char* line
        cdef const unsigned char* line_end
        cdef uint64_t start = 0
        cdef uint64_t size = 0
        while at < end:
            line = at
            line_end = find_newline(at, end)
            if line_end is NULL:
                line_end = end - 1
                self.torn += 1
            at = line_end + 1
            line = parse_loosely(line, string_end(line, line_end), &start)
            if line_end - line > 3:
                line = parse_loosely(line + 1, string_end(line + 1, line_end), &size)
            if line_end - line > 3:
                self.add(start, size, line + 1, string_end(line + 1, line_end), RANK_CODE)
            else:
                self.unparsable += 1
        return 0

    cdef int fill(self, SymbolTable table) except -1 nogil:
        """Append the lines to a table, the lower ranks first and as weak names, each in the order of the text."""
        cdef uint64_t i
        cdef uint32_t rank
        cdef uint8_t binding
        cdef MapLine* line
        for rank in range(RANK_COUNT):
            binding = BIND_GLOBAL if rank == RANK_CODE else BIND_WEAK
            for i in range(self.count):
                line = self.rows + i
                if line.rank == rank:
                    table.append(line.start, line.start + line.size, line.name, line.name_length, binding)
        return 0


def read_perf_map(const unsigned char[::1] data not None, *, str rules="precise"):
    """Read a perf map; its addresses are the process's own.

    Args:
        data: the text, all of it.
        rules: ``perf-6.1``: every line counts, and where they overlap perf's tree decides; ``precise``: the last line
            about an address holds, but never one without size over one that has one, nor one that says nothing over a
            name.

    Returns:
        A table ready for ``resolve``, and counts: ``unparsable`` lines, ``torn`` ones (the last, without newline) and,
        by precise rules, those that others ``replaced``.

    Raises:
        LimitError: the map is longer than ``MAX_PERF_MAP_BYTES`` or ``MAX_PERF_MAP_ENTRIES``.
    """
    cdef bint precise = is_precise(rules)
    cdef MapLines lines = MapLines()
    cdef SymbolTable table = SymbolTable()
    if data.shape[0] > limits.MAX_PERF_MAP_BYTES:
        raise LimitError(f"more than {limits.MAX_PERF_MAP_BYTES} bytes (MAX_PERF_MAP_BYTES)", format_name="perf map")
    if data.shape[0]:
        with nogil:
            if precise:
                lines.read(&data[0], &data[0] + data.shape[0])
            else:
                lines.read_as_perf(&data[0], &data[0] + data.shape[0])
            lines.fill(table)
    table.flatten("latest" if precise else rules)
    counts = {
        "unparsable": lines.unparsable,
        "torn": lines.torn,
        "replaced": table.count - table.interval_count if precise else 0,
    }
    return table, counts
