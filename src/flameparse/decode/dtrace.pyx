"""DTrace's text to tables: aggregated stacks with their counts, and stacks printed as they were taken.

Three stacks, each in another form: of ``@[stack()]``, of ``@[execname, ustack()]`` and of a clause that aggregates
nothing::

                  genunix`kmem_cache_free+0xce
                  unix`sys_syscall+0x17a
                    1

      node
                  node`uv_run+0x12c
                    7
    node 8783 1477263: profile-1ms:
                  node`uv_run+0x12c

Frames stand leaf first. What stands before them with less indentation, and what stands on the line of the count, are
further keys of the aggregation: they become the roots of the stack. Empty lines only part the stacks of one clause from
each other; a stack ends with its count or, where none is printed, before the next one's head.

A line of a stack that began says what it says wherever it stands, whatever its offset. So it is compared, but for that,
with the line that followed its predecessor last time, then looked up among all lines seen, and parsed only where both
fail.

Source: output of libdtrace's aggregations and of ``stack()``, ``ustack()`` and ``jstack()``.
"""

from libc.stdint cimport INT64_MAX, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy

from flameparse.decode.dtrace_line cimport (
    BANNER_LINE, BLANK_LINE, HEADING_LINE, NOTE_LINE, NUMBER_LINE, TEXT_LINE, TICK_LINE, DTraceFrame, DTraceLine,
    find_trailing_count, is_kernel_module, read_count, read_frame, read_line,
)
from flameparse.decode.line_memo cimport Memo, MemoChain, MemoLine
from flameparse.model.event_table cimport EventTable
from flameparse.model.frame_table cimport KIND_KERNEL, KIND_USER, NONE_ID, Frame, FrameTable
from flameparse.model.growth cimport reserve
from flameparse.model.sample_table cimport UNKNOWN_CPU, UNKNOWN_TIME, Sample, SampleTable, Total
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.model.thread_table cimport UNKNOWN_ID, Thread, ThreadTable
from flameparse.scan.byte_hash cimport hash_bytes
from flameparse.scan.line_scan cimport (
    byte_before, find_newline, hex_value, is_blank, is_digit, parse_decimal, skip_blanks, skip_word, trim_blanks,
)

from flameparse import limits
from flameparse.model.profile import Profile

cdef enum Dialect:
    DIALECT_NATIVE = 0
    DIALECT_STACKCOLLAPSE = 1
    DIALECT_INFERNO = 2

DIALECTS = {None: DIALECT_NATIVE, "stackcollapse": DIALECT_STACKCOLLAPSE, "inferno": DIALECT_INFERNO}

cdef enum Tick:
    NO_TICK = 0         # a count ends the stack
    AFTER_BANNER = 1    # whether the next line is a frame tells if the probe printed the stack itself
    IN_TICK = 2         # the stack weighs 1

cdef enum:
    MAX_LEADS = 8
    STACK_COLUMNS = 14      # how far dtrace indents frames
    KEY_COLUMNS = 9         # how wide it prints a number of 32 bits; a count is wider
    STACKCOLLAPSE_HEADER = 3

# As in frames/kind: what only the kernel's half of the address space holds.
cdef uint64_t KERNEL_ADDRESS = 0xFFFF000000000000u
# Past any place in an input: of the event that is to be shown last.
cdef uint64_t LATE_PLACE = 0x1000000000000u


cdef struct Lead:
    # A line before the first frame that is surely one: its text, and the frame it is if no key.
    uint64_t start
    uint64_t length
    uint32_t frame


cdef inline const unsigned char* skip_offset(
    const unsigned char* at, const unsigned char* end, bint may_have_one
) noexcept nogil:
    """The line end where a line goes on with nothing or, if it may, an offset; else NULL."""
    if at[0] == 10:
        return at
    if not may_have_one or end - at < 5 or memcmp(at, b"+0x", 3) != 0 or hex_value(at[3]) < 0:
        return NULL
    at += 4
    while at < end and hex_value(at[0]) >= 0:
        at += 1
    return at if at < end and at[0] == 10 else NULL


cdef class DTraceDecoder:
    """Decodes one text, or one thread's share of it, into a Profile of its own.

    Args:
        profile: the tables to fill. A frame's ``dso`` is its module; one without a symbol keeps its address.
        dialect: None for our reading, else ``"stackcollapse"`` or ``"inferno"`` for theirs.
    """

    cdef readonly object profile
    cdef readonly object dialect_name
    cdef StringTable strings
    cdef FrameTable frames
    cdef StackTable stacks
    cdef ThreadTable threads
    cdef EventTable events
    cdef SampleTable samples
    cdef Memo lines
    cdef Memo chains
    cdef int dialect
    # The stack being read.
    cdef uint32_t* chain
    cdef uint64_t chain_length
    cdef uint64_t chain_capacity
    cdef uint64_t indent        # of its first frame
    cdef bint is_cut            # it is deeper than the cap
    cdef uint32_t* keys         # outermost first, as frames
    cdef uint64_t key_count
    cdef uint64_t key_capacity
    cdef Lead leads[MAX_LEADS]
    cdef int lead_count
    cdef uint64_t lead_indent
    cdef bint lead_is_number
    cdef unsigned char* lead_text
    cdef uint64_t lead_used
    cdef uint64_t lead_capacity
    cdef uint32_t predicted
    cdef uint32_t previous
    cdef int tick
    cdef Sample sample          # of a stack that has no count
    cdef uint32_t probe         # string id of what took it
    cdef uint32_t* kernel_twins  # frame to the same frame as kernel code, or 0
    cdef uint64_t twin_capacity
    cdef uint64_t twin_count
    # The input as a whole.
    cdef bint is_open
    cdef int header_left        # lines the tool skips; -1: up to the first empty one
    cdef bint discarding
    cdef uint64_t line_number
    cdef uint64_t place
    cdef uint32_t event
    cdef uint32_t negative_event
    # The account.
    cdef uint64_t unknown_lines
    cdef uint64_t optional_lines
    cdef uint64_t long_lines
    cdef set cut_names
    cdef uint64_t cut_stacks
    cdef uint64_t uncounted
    cdef uint64_t negative_values
    cdef uint64_t lost
    cdef uint64_t unit
    cdef list unknown_sites
    cdef uint64_t max_name_bytes
    cdef uint64_t max_comm_bytes
    cdef uint64_t max_line_bytes
    cdef uint64_t max_stack_frames
    cdef uint64_t max_total

    def __cinit__(self, profile not None, *, dialect=None):
        self.profile = profile
        self.dialect_name = dialect
        self.dialect = DIALECTS[dialect]
        self.strings = profile.strings
        self.frames = profile.frames
        self.stacks = profile.stacks
        self.threads = profile.threads
        self.events = profile.events
        self.samples = profile.samples
        self.lines = Memo(limits.MAX_LINE_MEMO_BYTES)
        self.chains = Memo(limits.MAX_CHAIN_MEMO_BYTES)
        self.max_name_bytes = limits.MAX_NAME_BYTES
        self.max_comm_bytes = limits.MAX_COMM_BYTES
        self.max_line_bytes = limits.MAX_LINE_BYTES
        self.max_stack_frames = limits.MAX_STACK_FRAMES
        self.max_total = limits.MAX_TOTAL_WEIGHT
        self.unknown_sites = []
        self.cut_names = set()
        self.predicted = self.previous = NONE_ID
        self.event = self.negative_event = NONE_ID
        if self.dialect == DIALECT_STACKCOLLAPSE:
            self.header_left = STACKCOLLAPSE_HEADER
        elif self.dialect == DIALECT_INFERNO:
            self.header_left = -1

    def __dealloc__(self):
        free(self.chain)
        free(self.keys)
        free(self.lead_text)
        free(self.kernel_twins)

    def sibling(self):
        """A decoder for another share of the same text, with tables of its own.

        Call it once this one has seen the start of the text: a tool's idea of the header is about that alone.
        """
        cdef DTraceDecoder other = DTraceDecoder(Profile(self.samples.sibling()), dialect=self.dialect_name)
        other.is_open = self.is_open
        other.header_left = self.header_left
        return other

    def start_unit(self, uint64_t unit):
        """Close the stack being read and begin a share that was cut at a safe place.

        Args:
            unit: the share's number; line numbers count from its start.
        """
        if self.dialect == DIALECT_NATIVE:
            self.end_stack()
        self.unit = unit
        self.line_number = 0

    def feed(self, const unsigned char[::1] block not None, Py_ssize_t length, uint64_t offset):
        """Decode the whole lines at the start of a block.

        Args:
            block: text that begins where the last call stopped.
            length: bytes of it that are filled.
            offset: place of the block in the input; only its order matters.

        Returns:
            Bytes consumed. What is left is the start of a line and must begin the next block.

        Raises:
            MemoryError: no room.
            OverflowError: the counts sum past 2**63 - 1.
        """
        cdef Py_ssize_t consumed
        if not 0 <= length <= block.shape[0]:
            raise ValueError("length past the end of the block")
        if length == 0:
            return 0
        with nogil:
            consumed = self.decode_lines(&block[0], &block[0] + length, offset)
        return consumed

    def finish(self, const unsigned char[::1] rest not None, Py_ssize_t length, uint64_t offset):
        """Decode a last line that has no end, close the last stack and hand over the account."""
        if not 0 <= length <= rest.shape[0]:
            raise ValueError("length past the end of the rest")
        if length and not self.discarding:
            self.place = offset
            self.decode_line(&rest[0], length, False)
        self.end_stack()
        diagnostics = self.profile.diagnostics
        diagnostics.count("unknown_lines", self.unknown_lines)
        diagnostics.count("optional_lines", self.optional_lines)
        diagnostics.count("long_lines", self.long_lines)
        diagnostics.cut_names |= self.cut_names
        diagnostics.count("cut_stacks", self.cut_stacks)
        diagnostics.count("lost", self.lost)
        diagnostics.count("negative_values", self.negative_values)
        diagnostics.count("uncounted_stacks", self.uncounted)
        diagnostics.drop("without a count", self.uncounted)
        diagnostics.drop("outside the window", self.samples.outside_window)
        diagnostics.drop("filtered", self.samples.on_other_cpus)
        diagnostics.drop("impossible period", self.samples.impossible_periods)
        diagnostics.count("impossible_periods", self.samples.impossible_periods)

    @property
    def is_settled(self):
        """Whether the first stack is read, from which header and times of the whole input are understood."""
        return (
            self.is_open and self.header_left == 0
            and not (self.samples.from_is_relative or self.samples.to_is_relative)
        )

    @property
    def lines_in_unit(self):
        """Lines read since the last ``start_unit``."""
        return self.line_number

    @property
    def unknown_line_sites(self):
        """``(unit, line)`` of the first unknown lines, 1-based within the unit."""
        return list(self.unknown_sites)

    cdef Py_ssize_t decode_lines(
        self, const unsigned char* begin, const unsigned char* end, uint64_t offset
    ) except -1 nogil:
        """Decode up to the last line end of a block; bytes consumed."""
        cdef const unsigned char* at = begin
        cdef const unsigned char* newline
        cdef const unsigned char* text
        cdef MemoLine* line
        cdef uint32_t known, tag, length
        cdef uint64_t count = 0
        while at < end:
            if self.predicted != NONE_ID and not self.discarding:
                line = self.lines.line(self.predicted)
                if line.length < <size_t>(end - at) and memcmp(line + 1, at, line.length) == 0:
                    newline = skip_offset(at + line.length, end, self.dialect == DIALECT_NATIVE)
                    if newline is not NULL:
                        self.push(line.frame)
                        self.line_number += 1
                        self.previous = self.predicted
                        self.predicted = line.next
                        at = newline + 1
                        continue
            if self.chain_length and not self.discarding:
                # A stack has begun: an empty line says nothing, and a number is its count.
                if at[0] == 10:
                    self.line_number += 1
                    at += 1
                    continue
                text = skip_blanks(at, end)
                if text < end and is_digit(text[0]) and self.dialect == DIALECT_NATIVE:
                    text = parse_decimal(text, end, &count)
                    if text is not NULL and text < end and text[0] == 10:
                        self.line_number += 1
                        self.place = offset + (at - begin)
                        self.close(count, False)
                        at = text + 1
                        continue
            newline = find_newline(at, end)
            if newline is NULL:
                break
            if self.discarding:
                self.discarding = False
                at = newline + 1
                continue
            text = skip_blanks(at, newline)
            # A digit begins a count, a banner or, as 0x, an address.
            if self.header_left == 0 and text < newline and (not is_digit(text[0]) or text[1] == 120):
                length = <uint32_t>(self.said_by(at, newline) - at)
                tag = self.lines.tag_of(at, length)
                known = self.lines.find(at, length, tag)
                if known != NONE_ID:
                    line = self.lines.line(known)
                    self.line_number += 1
                    if self.chain_length:
                        if self.previous != NONE_ID:
                            self.lines.line(self.previous).next = known
                        self.push(line.frame)
                    else:
                        self.take_first(line.frame, text - at, text, newline)
                    self.follow(known)
                    at = newline + 1
                    continue
            self.place = offset + (at - begin)
            self.decode_line(at, newline + 1 - at, True)
            at = newline + 1
        if self.discarding:
            return end - begin
        # The one byte more may be the CR of a line at the cap.
        if <uint64_t>(end - at) > self.max_line_bytes + 1:
            self.place = offset + (at - begin)
            self.decode_line(at, end - at, False)
            self.discarding = True
            return end - begin
        return at - begin

    cdef inline const unsigned char* said_by(
        self, const unsigned char* at, const unsigned char* newline
    ) noexcept nogil:
        """The end of what a line is remembered by: of a frame with an offset, all before that."""
        cdef const unsigned char* digit = newline
        if self.dialect != DIALECT_NATIVE:
            return newline  # to tools, what follows any last plus is the offset
        while digit > at and hex_value(byte_before(digit)) >= 0:
            digit -= 1
        if digit < newline and digit - at > 4 and memcmp(digit - 3, b"+0x", 3) == 0:
            digit -= 3
            if byte_before(digit) != 96 and not is_blank(byte_before(digit)):
                return digit
        return newline

    cdef inline void follow(self, uint32_t known) noexcept nogil:
        """Expect what followed a line last time, once the stack has begun."""
        self.previous = self.predicted = NONE_ID
        if self.chain_length:
            self.previous = known
            self.predicted = self.lines.line(known).next

    cdef inline int push(self, uint32_t frame) except -1 nogil:
        """Add the next caller to the stack being read."""
        if self.chain_length == self.chain_capacity:
            if self.chain_length >= self.max_stack_frames:
                self.is_cut = True
                return 0
            reserve(<void**>&self.chain, &self.chain_capacity, self.chain_length + 1, sizeof(uint32_t))
            self.chain_capacity = min(self.chain_capacity, self.max_stack_frames)
        self.chain[self.chain_length] = frame
        self.chain_length += 1
        return 0

    cdef int decode_line(self, const unsigned char* at, size_t length, bint is_whole) except -1 nogil:
        """Decode a line the memo does not know.

        Args:
            at: its first byte.
            length: its bytes, line end included.
            is_whole: it has its line end, so the memo may keep it.
        """
        cdef const unsigned char* begin = at
        cdef const unsigned char* end = at + length
        cdef DTraceLine line
        self.line_number += 1
        if end > at and byte_before(end) == 10:
            end -= 1
        if end > at and byte_before(end) == 13:
            end -= 1
        if <uint64_t>(end - at) > self.max_line_bytes:
            end = at + self.max_line_bytes
            self.long_lines += 1
            is_whole = False
        if not self.is_open:
            self.is_open = True
            if end - at >= 3 and memcmp(at, b"\xef\xbb\xbf", 3) == 0:
                at += 3
                is_whole = False
        if self.dialect != DIALECT_NATIVE:
            return self.decode_as_tool(at, end, begin, length, is_whole)
        read_line(at, end, &line)
        if line.kind == BLANK_LINE:
            return self.take_blank()
        if line.kind == NUMBER_LINE:
            return self.take_number(&line)
        if line.kind == TEXT_LINE:
            return self.take_text(&line, begin, length, is_whole)
        self.optional_lines += 1
        if line.kind == NOTE_LINE:
            self.count_drops(line.text, line.end)
            return 0
        self.end_stack()
        if line.kind == BANNER_LINE:
            self.begin_tick(&line, AFTER_BANNER)
        elif line.kind == TICK_LINE:
            self.begin_tick(&line, IN_TICK)
        return 0

    cdef int decode_as_tool(
        self, const unsigned char* at, const unsigned char* end, const unsigned char* line, size_t length,
        bint is_whole,
    ) except -1 nogil:
        """Decode a line as a tool does: past the header it is empty, a count, or a frame whatever it says."""
        cdef const unsigned char* text = skip_blanks(at, end)
        cdef const unsigned char* text_end = trim_blanks(text, end)
        cdef Frame frame
        cdef uint64_t number
        cdef bint is_negative
        if self.header_left:
            if self.header_left > 0:
                self.header_left -= 1
            elif text == text_end:
                self.header_left = 0
            return 0
        if text == text_end:
            return 0
        if self.dialect == DIALECT_STACKCOLLAPSE:
            text_end = end
        if read_count(text, text_end, &number, &is_negative) and not is_negative:
            return self.close(number, False)
        frame.address = 0
        frame.dso = NONE_ID
        frame.kind = frame.cuts_callers = 0
        end = text_end
        while end > text and byte_before(end) != 43:
            end -= 1
        if end > text:
            text_end = end - 1
        if text == text_end:
            frame.name = <uint32_t>self.strings.intern(b"-", 1)
        else:
            frame.name = self.intern_capped(text, text_end - text, self.max_name_bytes)
        return self.keep_frame(<uint32_t>self.frames.intern(frame), line, length, is_whole)

    cdef int take_blank(self) except -1 nogil:
        """An empty line parts the stacks of one clause, unless what stands before it is a count without a stack."""
        cdef uint64_t columns
        if self.tick == AFTER_BANNER:
            self.tick = NO_TICK
        if self.lead_is_number:
            columns = self.lead_indent + self.leads[0].length
            # dtrace prints a pid in 9 columns: such a key may stand before a stack that is empty.
            if columns != KEY_COLUMNS or self.lead_indent == 0:
                self.end_stack()
        return 0

    cdef int take_number(self, DTraceLine* line) except -1 nogil:
        """A number after frames is their count; before them it is a key, or the count of an empty stack."""
        cdef bint is_key
        if self.lead_count:
            is_key = self.lead_is_number or is_padded(self.lead_text, &self.leads[self.lead_count - 1])
            self.settle_leads(is_key)
        elif self.chain_length == 0 and self.tick != IN_TICK:
            self.tick = NO_TICK
            self.add_lead(NONE_ID, line.indent, line.text, line.end)
            self.lead_is_number = True
            return 0
        return self.close(line.number, line.is_negative)

    cdef int take_text(
        self, DTraceLine* line, const unsigned char* begin, size_t length, bint is_whole
    ) except -1 nogil:
        """Take a line that is a frame, or keys."""
        cdef DTraceFrame text
        cdef uint64_t number = 0
        cdef bint is_negative = False
        cdef const unsigned char* keys_end
        cdef uint32_t frame
        keys_end = find_trailing_count(line.text, line.end, &number, &is_negative)
        # What such a line is depends on those before it.
        is_whole = is_whole and keys_end is NULL
        if keys_end is not NULL and self.tick != IN_TICK:
            if self.lead_count == 1 and line.indent == self.lead_indent and not self.lead_is_number:
                # Line after line of keys with a count: the stacks were empty.
                self.close_lead(self.lead_text, self.lead_text + self.lead_used, False)
            if self.lead_count and not self.lead_is_number and line.indent < self.lead_indent:
                self.settle_leads(False)
            if self.chain_length and line.indent < self.indent:
                self.add_keys(line.text, keys_end)
                return self.close(number, is_negative)
        read_frame(line.text, line.end, &text)
        if line.indent == 0 and text.module is NULL and text.name != text.name_end:
            if self.chain_length and self.indent:
                return self.note_unknown()
            is_whole = False
        frame = <uint32_t>self.frame_of(&text)
        if self.chain_length == 0:
            self.take_first(frame, line.indent, line.text, begin + length)
            return self.remember(frame, begin, length, is_whole)
        return self.keep_frame(frame, begin, length, is_whole)

    cdef int take_first(
        self, uint32_t frame, uint64_t indent, const unsigned char* text, const unsigned char* end
    ) except -1 nogil:
        """Take a line before the first frame that surely is one; the line after it may tell that it was a key."""
        while end > text and (byte_before(end) == 10 or byte_before(end) == 13):
            end -= 1
        if self.dialect != DIALECT_NATIVE:
            return self.push(frame)
        if self.tick:
            self.tick = IN_TICK
            self.indent = indent
            return self.push(frame)
        if self.lead_count:
            if (
                self.lead_is_number or indent != self.lead_indent or indent >= STACK_COLUMNS
                or self.lead_count == MAX_LEADS
            ):
                self.settle_leads(self.lead_is_number or indent > self.lead_indent)
                if not self.chain_length:
                    self.indent = indent
                return self.push(frame)
        return self.add_lead(frame, indent, text, end)

    cdef int add_lead(
        self, uint32_t frame, uint64_t indent, const unsigned char* text, const unsigned char* end
    ) except -1 nogil:
        """Set a line aside until it is known what it is."""
        cdef Lead* lead = &self.leads[self.lead_count]
        reserve(<void**>&self.lead_text, &self.lead_capacity, self.lead_used + (end - text), 1)
        memcpy(self.lead_text + self.lead_used, text, end - text)
        lead.start = self.lead_used
        lead.length = end - text
        lead.frame = frame
        self.lead_used += end - text
        self.lead_count += 1
        self.lead_indent = indent
        return 0

    cdef int settle_leads(self, bint are_keys) except -1 nogil:
        """Make the lines set aside keys, or frames."""
        cdef int i
        cdef const unsigned char* text
        for i in range(self.lead_count):
            if are_keys:
                text = self.lead_text + self.leads[i].start
                self.add_keys(text, trim_blanks(text, text + self.leads[i].length))
            else:
                self.indent = self.lead_indent
                self.push(self.leads[i].frame)
        self.drop_leads()
        return 0

    cdef void drop_leads(self) noexcept nogil:
        """Forget the lines set aside."""
        self.lead_count = 0
        self.lead_used = 0
        self.lead_is_number = False

    cdef int add_keys(self, const unsigned char* text, const unsigned char* end) except -1 nogil:
        """Add the keys of a line, which two blanks or more part."""
        cdef const unsigned char* after
        cdef Frame frame
        frame.address = 0
        frame.dso = NONE_ID
        frame.cuts_callers = 0
        frame.kind = KIND_USER
        while text < end:
            after = skip_word(text, end)
            while after + 1 < end and after[0] == 32 and not is_blank(after[1]):
                after = skip_word(after + 1, end)
            frame.name = self.intern_capped(text, after - text, self.max_name_bytes)
            reserve(<void**>&self.keys, &self.key_capacity, self.key_count + 1, sizeof(uint32_t))
            self.keys[self.key_count] = <uint32_t>self.frames.intern(frame)
            self.key_count += 1
            text = skip_blanks(after, end)
        return 0

    cdef int keep_frame(
        self, uint32_t frame, const unsigned char* line, size_t length, bint is_whole
    ) except -1 nogil:
        """Add a parsed frame to the stack and its line to the memo."""
        self.push(frame)
        return self.remember(frame, line, length, is_whole)

    cdef int remember(self, uint32_t frame, const unsigned char* line, size_t length, bint is_whole) except -1 nogil:
        """Keep what a line says in the memo."""
        cdef uint32_t known, tag
        self.predicted = NONE_ID
        if not is_whole:
            self.previous = NONE_ID
            return 0
        length = self.said_by(line, line + length - 1) - line
        if not self.lines.has_room(length):
            self.lines.clear()
            self.previous = NONE_ID
            if not self.lines.has_room(length):
                return 0
        tag = self.lines.tag_of(line, <uint32_t>length)
        known = self.lines.find(line, <uint32_t>length, tag)
        if known == NONE_ID:
            known = <uint32_t>self.lines.put(line, <uint32_t>length, tag, frame)
        if self.previous != NONE_ID:
            self.lines.line(self.previous).next = known
        self.previous = known if self.chain_length else NONE_ID
        return 0

    cdef int64_t frame_of(self, DTraceFrame* text) except -1 nogil:
        """Intern the frame of a line."""
        cdef Frame frame
        frame.cuts_callers = 0
        frame.kind = KIND_USER
        frame.address = 0
        frame.dso = NONE_ID
        if text.module is not NULL:
            frame.dso = self.intern_capped(text.module, text.module_end - text.module, self.max_name_bytes)
        if text.name == text.name_end:
            frame.name = NONE_ID
            frame.address = text.address
        else:
            frame.name = self.intern_capped(text.name, text.name_end - text.name, self.max_name_bytes)
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

    cdef int note_unknown(self) except -1 nogil:
        """Account for a line that is nothing we know."""
        self.unknown_lines += 1
        if self.unknown_lines <= 5:
            with gil:
                self.unknown_sites.append((self.unit, self.line_number))
        return 0

    cdef void count_drops(self, const unsigned char* at, const unsigned char* end) noexcept nogil:
        """Add what ``dtrace: 32 drops on CPU 0`` and ``dtrace: 5 aggregation drops on CPU 0`` say."""
        cdef uint64_t number = 0
        if end - at < 9:
            return
        at = parse_decimal(at + 8, end, &number)
        if at is NULL:
            return
        at = skip_blanks(at, end)
        if end - at > 12 and memcmp(at, b"aggregation ", 12) == 0:
            at += 12
        if end - at >= 5 and memcmp(at, b"drops", 5) == 0 and number <= <uint64_t>INT64_MAX - self.lost:
            self.lost += number

    cdef int begin_tick(self, DTraceLine* line, int tick) except -1 nogil:
        """Begin a stack that is printed with the probe that took it."""
        cdef Thread thread
        self.tick = tick
        self.sample.period = 1
        self.sample.time_ns = UNKNOWN_TIME
        self.sample.cpu = UNKNOWN_CPU
        self.sample.thread = NONE_ID
        self.probe = <uint32_t>self.intern_capped(line.event, line.event_end - line.event, self.max_name_bytes)
        if tick == AFTER_BANNER:
            self.sample.cpu = line.cpu
            return 0
        if line.number <= <uint64_t>INT64_MAX // 1000000:
            self.sample.time_ns = <int64_t>line.number * 1000000
        thread.comm = self.intern_capped(line.text, line.comm_end - line.text, self.max_comm_bytes)
        thread.pid = <int>line.pid
        thread.tid = UNKNOWN_ID
        self.sample.thread = <uint32_t>self.threads.intern(thread)
        return 0

    cdef int end_stack(self) except -1 nogil:
        """Close the stack being read where no count does."""
        if self.tick == IN_TICK:
            return self.close_tick()
        if self.lead_is_number:
            return self.close_lead(self.lead_text, self.lead_text + self.leads[0].length, True)
        if self.lead_count == 1 and self.close_lead(self.lead_text, self.lead_text + self.lead_used, False):
            return 0
        if self.lead_count or self.chain_length:
            self.samples.samples_seen += 1
            self.uncounted += 1
        return self.forget()

    cdef int close_lead(self, const unsigned char* text, const unsigned char* end, bint is_number) except -1 nogil:
        """Close an empty stack: its count alone, or its keys and count; 0 where it is neither."""
        cdef uint64_t number = 0
        cdef bint is_negative = False
        cdef const unsigned char* keys_end = text
        end = trim_blanks(text, end)
        if is_number:
            read_count(text, end, &number, &is_negative)
        else:
            keys_end = find_trailing_count(text, end, &number, &is_negative)
            if keys_end is NULL:
                return 0
        self.add_keys(text, keys_end)
        self.drop_leads()
        self.close(number, is_negative)
        return 1

    cdef int forget(self) noexcept nogil:
        """Get ready for the next stack."""
        self.drop_leads()
        self.chain_length = self.key_count = 0
        self.is_cut = False
        self.tick = NO_TICK
        self.predicted = self.previous = NONE_ID
        return 0

    cdef int close_tick(self) except -1 nogil:
        """Count a stack that was printed as it was taken."""
        cdef uint32_t* hint = NULL
        self.sample.event = <uint32_t>self.events.intern(self.probe, self.place)
        self.sample.stack = <uint32_t>self.stack_of(self.sample.thread, &hint)
        self.samples.add(self.sample, hint)
        return self.forget()

    cdef int close(self, uint64_t count, bint is_negative) except -1 nogil:
        """Add the stack being read with its count."""
        cdef Total total
        cdef Sample sample
        cdef uint64_t known = self.samples.samples_seen
        cdef uint32_t* hint = NULL
        cdef Total* row
        if count > <uint64_t>INT64_MAX:
            self.samples.samples_seen += 1
            self.samples.impossible_periods += 1
            return self.forget()
        if count > self.max_total - min(self.max_total, known):
            with gil:
                raise OverflowError("the counts sum past 2**63 - 1")
        self.samples.samples_seen += count
        if self.samples.has_window:
            self.samples.outside_window += count
            return self.forget()
        if self.samples.allowed_cpus is not NULL and not self.samples.allowed_cpus[self.samples.allowed_cpu_count - 1]:
            self.samples.on_other_cpus += count
            return self.forget()
        sample.event = total.event = self.event_of(is_negative)
        sample.thread = total.thread = NONE_ID
        sample.stack = total.stack = <uint32_t>self.stack_of(NONE_ID, &hint)
        sample.cpu = UNKNOWN_CPU
        sample.time_ns = UNKNOWN_TIME
        sample.period = total.samples = total.period = count
        self.samples.add_to_timeline(sample)
        if hint is not NULL and hint[0] < self.samples.total_count:
            row = &self.samples.totals[hint[0]]
            if row.stack == total.stack and row.thread == NONE_ID and row.event == total.event:
                row.samples += count
                row.period += count
                return self.forget()
        known = <uint64_t>self.samples.add_total(total)
        if hint is not NULL:
            hint[0] = <uint32_t>known
        return self.forget()

    cdef int64_t event_of(self, bint is_negative) except -1 nogil:
        """Intern the event of counted stacks, or of those whose value is below zero: no sum can hold both."""
        if is_negative:
            self.negative_values += 1
            if self.negative_event == NONE_ID:
                self.negative_event = <uint32_t>self.events.intern(
                    <uint32_t>self.strings.intern(b"negative values", 15), LATE_PLACE + self.place
                )
            return self.negative_event
        if self.event == NONE_ID:
            self.event = <uint32_t>self.events.intern(<uint32_t>self.strings.intern(b"count", 5), self.place)
        return self.event

    cdef int64_t stack_of(self, uint32_t thread, uint32_t** hint) except -1 nogil:
        """Intern the stack being read.

        Args:
            thread: whose it is, which says where its addresses without a module are looked up.
            hint: set to the row of the totals it was last added to, or NULL.
        """
        cdef uint32_t known, tag, size
        cdef uint64_t i
        cdef MemoChain* chain
        self.cut_stacks += self.is_cut
        if self.chain_length + self.key_count == 0:
            return NONE_ID
        reserve(
            <void**>&self.chain, &self.chain_capacity, self.chain_length + self.key_count + 1, sizeof(uint32_t)
        )
        for i in range(self.key_count):
            self.chain[self.chain_length] = self.keys[self.key_count - 1 - i]
            self.chain_length += 1
        self.chain[self.chain_length] = thread
        size = <uint32_t>((self.chain_length + 1) * sizeof(uint32_t))
        tag = self.chains.tag_of(self.chain, size)
        known = self.chains.find(self.chain, size, tag)
        if known == NONE_ID:
            if not self.chains.has_room(size):
                self.chains.clear()
                if not self.chains.has_room(size):
                    # Larger than the whole memo.
                    self.place_frames(thread)
                    return self.stacks.intern_leaf_first(self.chain, self.chain_length, 0)
            known = <uint32_t>self.chains.put(self.chain, size, tag, NONE_ID)
            self.place_frames(thread)
            self.chains.chain(known).stack = <uint32_t>self.stacks.intern_leaf_first(
                self.chain, self.chain_length, 0
            )
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
        if self.dialect != DIALECT_NATIVE:
            return 0
        for i in range(self.chain_length - self.key_count):
            frame = self.frames.rows[self.chain[i]]
            if frame.dso != dso and frame.dso != NONE_ID:
                dso = frame.dso
                dso_is_kernel = is_kernel_module(self.strings.at(dso), self.strings.length(dso))
            if (frame.dso != NONE_ID and dso_is_kernel) or frame.address >= KERNEL_ADDRESS:
                kernel = i + 1
        for i in range(kernel):
            self.chain[i] = <uint32_t>self.kernel_twin(self.chain[i])
        if thread != NONE_ID:
            for i in range(kernel, self.chain_length - self.key_count):
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


cdef bint is_padded(const unsigned char* text, const Lead* lead) noexcept nogil:
    """Whether blanks follow a line's text, as dtrace prints strings that are keys."""
    return lead.length > 0 and is_blank((text + lead.start + lead.length - 1)[0])


def looks_like_dtrace(const unsigned char[::1] head not None):
    """Whether the first lines of an input are DTrace's.

    The heading tells, or the head of a stack that has no count with a frame after it, or a frame that no other format
    has: indented, with a module before a backtick, or a bare ``0x`` address.

    Args:
        head: the first bytes of the input.
    """
    cdef const unsigned char* at
    cdef const unsigned char* end
    cdef const unsigned char* line_end
    cdef DTraceLine line
    cdef DTraceFrame frame
    cdef int seen = 0
    if head.shape[0] == 0:
        return False
    at = &head[0]
    end = at + head.shape[0]
    while at < end and seen < 40:
        line_end = find_newline(at, end)
        if line_end is NULL:
            line_end = end
        read_line(at, line_end - 1 if line_end > at and byte_before(line_end) == 13 else line_end, &line)
        at = line_end + 1
        if line.kind == BLANK_LINE:
            continue
        seen += 1
        if line.kind == HEADING_LINE:
            return True
        if line.kind == TEXT_LINE and line.indent > 1:
            read_frame(line.text, line.end, &frame)
            if (frame.module is not NULL and not begins_with_address(line.text, line.end)) or (
                frame.module is NULL and frame.name == frame.name_end
            ):
                return True
    return False


cdef bint begins_with_address(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """Whether the first of several words is hexadecimal, as in frames of other tools."""
    while at < end and hex_value(at[0]) >= 0:
        at += 1
    return at < end and is_blank(at[0])


def find_cut(const unsigned char[::1] block not None, Py_ssize_t length):
    """Where a block can be cut so that its halves can be decoded apart.

    A count that follows a frame closes a stack, and the head of a stack begins one.

    Args:
        block: text that begins at the start of a line.
        length: bytes of it that are filled.

    Returns:
        The last such place, 0 if there is none.
    """
    cdef const unsigned char* begin
    cdef const unsigned char* at
    cdef const unsigned char* line_end
    cdef const unsigned char* after_number = NULL
    cdef DTraceLine line
    cdef uint64_t number
    cdef bint is_negative
    if not 0 <= length <= block.shape[0]:
        raise ValueError("length past the end of the block")
    if length == 0:
        return 0
    begin = &block[0]
    line_end = begin + length
    while line_end > begin and byte_before(line_end) != 10:
        line_end -= 1
    while line_end > begin:
        at = line_end - 1
        while at > begin and byte_before(at) != 10:
            at -= 1
        read_line(at, line_end - 1, &line)
        if line.kind == TEXT_LINE and after_number is not NULL and (
            find_trailing_count(line.text, line.end, &number, &is_negative) is NULL
        ):
            return after_number - begin
        after_number = line_end if line.kind == NUMBER_LINE else NULL
        if line.kind == HEADING_LINE or line.kind == BANNER_LINE or line.kind == TICK_LINE:
            return at - begin
        line_end = at
    return 0
