"""Folded text to tables: what this package and the reference tools write.

Three lines::

    node;main;JS:*tick app.js:3 12
    node;main;entry_SYSCALL_64_[k] 3
    # a comment, as an empty line, says nothing

The weight is the last word; flamegraph.pl takes fractions, which are rounded here and counted. Sorted lines share
their beginnings, so a line is only read from where it parts from the one before.
"""

from libc.stdint cimport UINT64_MAX, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp, memcpy

from flameparse.model.frame_table cimport (
    KIND_INLINED,
    KIND_JIT,
    KIND_KERNEL,
    KIND_USER,
    NONE_ID,
    Frame,
    FrameTable,
    new_frame,
)
from flameparse.model.growth cimport reserve
from flameparse.model.sample_table cimport UNKNOWN_CPU, UNKNOWN_TIME, Sample, SampleTable, Total
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.scan.line_scan cimport byte_before, find_newline, is_digit, parse_decimal

from flameparse import limits


cdef struct Level:
    uint64_t end      # of the frame's name in the line, where its ';' or the blank before the weight is
    uint32_t stack


cdef class FoldedTextDecoder:
    """Decodes folded text into a Profile. Its frames have their names and there are no threads and events.

    Args:
        profile: the tables to fill.
    """

    cdef readonly object profile
    cdef StringTable strings
    cdef FrameTable frames
    cdef StackTable stacks
    cdef SampleTable samples
    cdef uint32_t event
    cdef Level* levels          # of the line before
    cdef uint64_t level_count
    cdef uint64_t level_capacity
    cdef unsigned char* last    # text of the line before, without the weight
    cdef uint64_t last_length
    cdef uint64_t last_capacity
    cdef uint64_t line_number
    cdef uint64_t unknown_lines
    cdef uint64_t rounded_lines
    cdef uint64_t long_lines
    cdef bint discarding
    cdef list unknown_sites
    cdef uint64_t max_line_bytes
    cdef uint64_t max_total

    def __cinit__(self, profile not None):
        self.profile = profile
        self.strings = profile.strings
        self.frames = profile.frames
        self.stacks = profile.stacks
        self.samples = profile.samples
        self.event = profile.events.add(self.strings.add(b""))
        self.unknown_sites = []
        self.max_line_bytes = limits.MAX_LINE_BYTES
        self.max_total = limits.MAX_TOTAL_WEIGHT

    def __dealloc__(self):
        free(self.levels)
        free(self.last)

    def feed(self, const unsigned char[::1] block not None, Py_ssize_t length):
        """Decode the whole lines at the start of a block.

        Args:
            block: text that begins where the last call stopped.
            length: bytes of it that are filled.

        Returns:
            Bytes consumed. What is left is the start of a line and must begin the next block.

        Raises:
            MemoryError: no room.
            OverflowError: the weights of all lines sum past 2**63 - 1.
        """
        cdef const unsigned char* begin
        cdef const unsigned char* at
        cdef const unsigned char* end
        cdef const unsigned char* newline
        if not 0 <= length <= block.shape[0]:
            raise ValueError("length past the end of the block")
        if length == 0:
            return 0
        with nogil:
            begin = at = &block[0]
            end = at + length
            while True:
                newline = find_newline(at, end)
                if newline is NULL:
                    break
                if self.discarding:
                    self.discarding = False
                else:
                    self.decode_line(at, newline)
                at = newline + 1
            if self.discarding:
                at = end
            elif <uint64_t>(end - at) > self.max_line_bytes:
                self.take_long_line()
                self.discarding = True
                at = end
        return at - begin

    def finish(self, const unsigned char[::1] rest not None, Py_ssize_t length):
        """Decode a last line that has no end and hand over the account."""
        if not 0 <= length <= rest.shape[0]:
            raise ValueError("length past the end of the block")
        if length and not self.discarding:
            self.decode_line(&rest[0], &rest[0] + length)
        diagnostics = self.profile.diagnostics
        diagnostics.count("unknown_lines", self.unknown_lines)
        diagnostics.count("rounded_lines", self.rounded_lines)
        diagnostics.count("long_lines", self.long_lines)
        diagnostics.unknown_line_numbers += self.unknown_sites

    cdef int take_long_line(self) except -1 nogil:
        """Account for a line past the cap: its weight cannot be had, so it says nothing."""
        self.long_lines += 1
        return self.note_unknown()

    cdef int note_unknown(self) except -1 nogil:
        """Account for a line that is no stack."""
        self.line_number += 1
        self.unknown_lines += 1
        if self.unknown_lines <= 5:
            with gil:
                self.unknown_sites.append(self.line_number)
        return 0

    cdef int decode_line(self, const unsigned char* at, const unsigned char* end) except -1 nogil:
        """Add one line's weight to its stack."""
        cdef const unsigned char* blank
        cdef uint64_t weight
        cdef Sample sample
        cdef Total total
        if <uint64_t>(end - at) > self.max_line_bytes:
            return self.take_long_line()
        if end > at and byte_before(end) == 13:
            end -= 1
        if <uint64_t>(end - at) > self.max_line_bytes:
            # Its weight is past the cap, so the line says nothing.
            self.long_lines += 1
            return self.note_unknown()
        # A process may be named "# x": a comment has no frames and weight.
        if end == at or (
            at[0] == 35 and end - at > 1 and at[1] == 32
            and (not is_digit(byte_before(end)) or memchr(at, 59, end - at) is NULL)
        ):
            self.line_number += 1
            return 0
        blank = end
        while blank > at and byte_before(blank) != 32:
            blank -= 1
        if blank == at or not self.parse_weight(blank, end, &weight):
            return self.note_unknown()
        self.line_number += 1
        sample.stack = total.stack = self.stack_of(at, blank - 1)
        sample.event = total.event = self.event
        sample.thread = total.thread = NONE_ID
        sample.cpu = UNKNOWN_CPU
        sample.time_ns = UNKNOWN_TIME
        sample.period = total.samples = total.period = weight
        if weight > self.max_total - min(self.max_total, self.samples.samples_seen):
            with gil:
                raise OverflowError("the weights sum past 2**63 - 1")
        self.samples.samples_seen += weight
        self.samples.add_to_timeline(sample)
        self.samples.add_total(total)
        return 0

    cdef bint parse_weight(self, const unsigned char* at, const unsigned char* end, uint64_t* weight) noexcept nogil:
        """Read a decimal number, a fraction rounded half up; False for anything else."""
        cdef const unsigned char* point = parse_decimal(at, end, weight)
        cdef const unsigned char* digit
        if point is NULL or point == end:
            return point is not NULL
        if point[0] != 46 or point + 1 == end:
            return False
        digit = point + 1
        while digit < end:
            if not is_digit(digit[0]):
                return False
            digit += 1
        if point[1] >= 53 and weight[0] < UINT64_MAX:
            weight[0] += 1
        self.rounded_lines += 1
        return True

    cdef uint32_t stack_of(self, const unsigned char* at, const unsigned char* end) except? 0xFFFFFFFF nogil:
        """Intern the stack of a line, sharing what it has in common with the line before."""
        cdef uint64_t length = end - at
        cdef uint64_t level = 0
        cdef uint64_t start = 0
        cdef uint64_t same = 0
        cdef uint64_t shorter = min(length, self.last_length)
        cdef uint32_t stack = NONE_ID
        cdef const unsigned char* semicolon
        if length == 0:
            self.level_count = self.last_length = 0
            return NONE_ID
        while same < shorter and at[same] == self.last[same]:
            same += 1
        # A level is shared if its whole name is, and the ';' after it here too.
        while level < self.level_count and self.levels[level].end < same and at[self.levels[level].end] == 59:
            stack = self.levels[level].stack
            start = self.levels[level].end + 1
            level += 1
        while True:
            semicolon = <const unsigned char*>memchr(at + start, 59, length - start)
            if semicolon is NULL:
                semicolon = end
            stack = <uint32_t>self.stacks.extend(stack, self.frame_of(at + start, semicolon))
            reserve(<void**>&self.levels, &self.level_capacity, level + 1, sizeof(Level))
            self.levels[level].end = semicolon - at
            self.levels[level].stack = stack
            level += 1
            if semicolon == end:
                break
            start = semicolon + 1 - at
        self.level_count = level
        reserve(<void**>&self.last, &self.last_capacity, length, 1)
        memcpy(self.last, at, length)
        self.last_length = length
        return stack

    cdef uint32_t frame_of(self, const unsigned char* at, const unsigned char* end) except? 0xFFFFFFFF nogil:
        """Intern a frame; an ``_[k]``-like ending tells its kind and stays in the name."""
        cdef Frame frame = new_frame(NONE_ID, NONE_ID, KIND_USER, 0)
        if end - at > 4 and memcmp(end - 4, b"_[", 2) == 0 and byte_before(end) == 93:
            if (end - 2)[0] == 107:
                frame.kind = KIND_KERNEL
            elif (end - 2)[0] == 106:
                frame.kind = KIND_JIT
            elif (end - 2)[0] == 105:
                frame.kind = KIND_INLINED
        frame.name = <uint32_t>self.strings.intern(at, end - at)
        return <uint32_t>self.frames.intern(frame)
