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
with the line that followed its predecessor last time; where that fails, some lines are looked up at once among all seen
and what they say is loaded together; only what was never seen is parsed.

Source: output of libdtrace's aggregations and of ``stack()``, ``ustack()`` and ``jstack()``.
"""

from libc.stdint cimport INT64_MAX, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy

from flameparse.decode.dtrace.line cimport (
    BANNER_LINE, BLANK_LINE, NOTE_LINE, NUMBER_LINE, TABLE_LINE, TEXT_LINE, TICK_LINE, DTraceFrame, DTraceLine,
    cut_offset, find_trailing_count, read_count, read_frame, read_line,
)
from flameparse.decode.dtrace.stack cimport DTraceStack
from flameparse.decode.line_memo cimport Memo, MemoLine
from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.growth cimport reserve
from flameparse.model.sample_table cimport UNKNOWN_CPU, UNKNOWN_TIME, Sample
from flameparse.model.thread_table cimport UNKNOWN_ID, Thread
from flameparse.scan.hex_run cimport hex_digits_at, hex_digits_before
from flameparse.scan.line_scan cimport (
    byte_before, find_newline, is_blank, is_digit, parse_decimal, skip_blanks, trim_blanks,
)

from flameparse import limits
from flameparse.model.profile import Profile

cdef enum Tick:
    NO_TICK = 0         # a count ends the stack
    AFTER_BANNER = 1    # whether the next line is a frame tells if the probe printed the stack itself
    IN_TICK = 2         # the stack weighs 1

cdef enum:
    MAX_LEADS = 8
    LINES_AHEAD = 3
    STACK_COLUMNS = 14      # how far dtrace indents frames
    KEY_COLUMNS = 9         # how wide it prints a number of 32 bits; a count is wider


cdef struct Lead:
    # A line before the first frame that is surely one: its text, and the frame it is if no key.
    uint64_t start
    uint64_t length
    uint32_t frame


cdef struct Ahead:
    # A line whose meaning is being loaded.
    const unsigned char* newline
    uint32_t length     # of what it is remembered by
    uint32_t tag


cdef inline const unsigned char* skip_offset(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """The line end where a line goes on with nothing or an offset; NULL where not, or not seen at one look."""
    if at[0] == 10:
        return at
    if end - at < 12 or memcmp(at, b"+0x", 3) != 0:
        return NULL
    at += 3 + hex_digits_at(at + 3)
    return at if at[0] == 10 and byte_before(at) != 120 else NULL


cdef inline const unsigned char* said_by(const unsigned char* text, const unsigned char* newline) noexcept nogil:
    """The end of what a line is remembered by: of a frame with an offset, all before that."""
    cdef int digits = hex_digits_before(newline) if newline - text > 11 else 8
    cdef const unsigned char* cut = newline - digits - 3
    if digits == 8:
        cut = cut_offset(text, newline)
    elif digits == 0 or memcmp(cut, b"+0x", 3) != 0:
        return newline
    # Nothing before it, or a module alone: then it is a name.
    return newline if cut > text and (byte_before(cut) == 96 or is_blank(byte_before(cut))) else cut


cdef class DTraceDecoder:
    """Decodes one text, or one thread's share of it, into a Profile of its own.

    Args:
        profile: the tables to fill; see ``DTraceStack``.
    """

    cdef readonly object profile
    cdef DTraceStack stack
    cdef Memo lines
    cdef uint64_t indent        # of the stack's first frame
    cdef Lead leads[MAX_LEADS]
    cdef int lead_count
    cdef uint64_t lead_indent
    cdef bint lead_is_number
    cdef bint leads_are_plain   # at column 0, and nothing that only a frame or keys with a count are
    cdef unsigned char* lead_text
    cdef uint64_t lead_used
    cdef uint64_t lead_capacity
    cdef uint32_t predicted
    cdef uint32_t previous
    cdef int tick
    cdef Sample sample          # of a stack that has no count
    cdef uint32_t probe         # string id of what took it
    # The input as a whole.
    cdef bint is_open
    cdef bint discarding
    cdef uint64_t line_number
    cdef uint64_t place
    # The account.
    cdef uint64_t unknown_lines
    cdef uint64_t other_lines
    cdef uint64_t optional_lines
    cdef uint64_t long_lines
    cdef uint64_t lost
    cdef uint64_t unit
    cdef list unknown_sites
    cdef uint64_t max_line_bytes

    def __cinit__(self, profile not None):
        self.profile = profile
        self.stack = DTraceStack(profile, tells_kernel=True)
        self.lines = Memo(limits.MAX_LINE_MEMO_BYTES)
        self.max_line_bytes = limits.MAX_LINE_BYTES
        self.unknown_sites = []
        self.predicted = self.previous = NONE_ID

    def __dealloc__(self):
        free(self.lead_text)

    def sibling(self):
        """A decoder for another share of the same text, with tables of its own.

        Call it once this one has seen the start of the text.
        """
        cdef DTraceDecoder other = DTraceDecoder(Profile(self.stack.samples.sibling()))
        other.is_open = self.is_open
        return other

    def start_unit(self, uint64_t unit):
        """Close the stack being read and begin a share that was cut at a safe place.

        Args:
            unit: the share's number; line numbers count from its start.
        """
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
        diagnostics = self.stack.hand_over()
        diagnostics.count("unknown_lines", self.unknown_lines)
        diagnostics.count("other_lines", self.other_lines)
        diagnostics.count("optional_lines", self.optional_lines)
        diagnostics.count("long_lines", self.long_lines)
        diagnostics.count("lost", self.lost)

    @property
    def is_settled(self):
        """Whether the first line is read, and a sample from which times of the whole input count."""
        return self.is_open and not (self.stack.samples.from_is_relative or self.stack.samples.to_is_relative)

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
        cdef uint64_t count = 0
        while at < end:
            if self.is_open and not (self.discarding or self.lead_count or self.tick == AFTER_BANNER):
                at = self.take_known(at, end)
                if at == end:
                    break
                if at[0] == 10:
                    # Between the halves of a stack, or between stacks.
                    self.line_number += 1
                    at += 1
                    continue
                text = skip_blanks(at, end)
                if self.stack.length and text < end and is_digit(text[0]):
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
            else:
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

    cdef const unsigned char* take_known(self, const unsigned char* at, const unsigned char* end) except NULL nogil:
        """Take the frames that come next, up to a line of another kind or one that was not seen yet; where that is."""
        cdef Ahead ahead[LINES_AHEAD]
        cdef const unsigned char* newline
        cdef MemoLine* line
        cdef uint32_t known
        cdef uint64_t length, line_number
        cdef int i, count
        while True:
            known, length, line_number = self.predicted, self.stack.length, self.line_number
            while known != NONE_ID and length < self.stack.room:
                line = self.lines.line(known)
                if line.length >= <size_t>(end - at) or memcmp(line + 1, at, line.length) != 0:
                    break
                newline = skip_offset(at + line.length, end)
                if newline is NULL:
                    break
                self.stack.chain[length] = line.frame
                length += 1
                line_number += 1
                self.previous = known
                known = line.next
                at = newline + 1
            self.predicted, self.stack.length, self.line_number = known, length, line_number
            count = 0
            newline = at - 1
            while count < LINES_AHEAD and self.look_ahead(
                &ahead[count], newline + 1, end, self.stack.length > 0 or count > 0
            ):
                newline = ahead[count].newline
                count += 1
            for i in range(count):
                self.lines.expect_record(ahead[i].tag)
            for i in range(count):
                known = self.lines.find(at, ahead[i].length, ahead[i].tag)
                if known == NONE_ID:
                    return at
                line = self.lines.line(known)
                if self.previous != NONE_ID:
                    self.lines.line(self.previous).next = known
                if not self.stack.length:
                    self.indent = STACK_COLUMNS
                self.stack.push(line.frame)
                self.line_number += 1
                self.previous = known
                self.predicted = line.next
                at = ahead[i].newline + 1
            if count < LINES_AHEAD:
                return at

    cdef inline bint look_ahead(
        self, Ahead* ahead, const unsigned char* at, const unsigned char* end, bint in_stack
    ) noexcept nogil:
        """Prepare to look up a line that must be a frame if it is known; False where it may be none or is not whole."""
        cdef const unsigned char* text = at + STACK_COLUMNS
        if end - at <= STACK_COLUMNS or memcmp(at, b"              ", STACK_COLUMNS) != 0:
            if not in_stack:
                return False
            text = skip_blanks(at, end)
        # Whatever begins with a digit is no frame, or an address.
        if end - text < 2 or text[0] <= 57 and text[0] != 40 and (text[0] != 48 or text[1] != 120):
            return False
        ahead.newline = find_newline(text, end)
        if ahead.newline is NULL:
            return False
        ahead.length = <uint32_t>(said_by(text, ahead.newline) - at)
        ahead.tag = self.lines.tag_of(text, ahead.length - <uint32_t>(text - at))
        self.lines.expect(ahead.tag)
        return True

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
        read_line(at, end, &line)
        if line.kind == BLANK_LINE:
            return self.take_blank()
        if line.kind == NUMBER_LINE:
            return self.take_number(&line)
        if line.kind == TEXT_LINE:
            return self.take_text(&line, begin, length, is_whole)
        if line.kind == TABLE_LINE:
            return self.take_table()
        self.optional_lines += 1
        if line.kind == NOTE_LINE:
            self.drop_plain_leads()
            if line.number <= <uint64_t>INT64_MAX - self.lost:
                self.lost += line.number
            return 0
        self.end_stack()
        if line.kind == BANNER_LINE:
            self.begin_tick(&line, AFTER_BANNER)
        elif line.kind == TICK_LINE:
            self.begin_tick(&line, IN_TICK)
        return 0

    cdef int take_blank(self) except -1 nogil:
        """An empty line parts the stacks of one clause, unless what stands before it is a count without a stack."""
        cdef uint64_t columns
        if self.tick == AFTER_BANNER:
            self.tick = NO_TICK
        self.drop_plain_leads()
        if self.lead_is_number:
            columns = self.lead_indent + self.leads[0].length
            # dtrace prints a pid in 9 columns: such a key may stand before a stack that is empty.
            if columns != KEY_COLUMNS or self.lead_indent == 0:
                self.end_stack()
        return 0

    cdef int take_table(self) except -1 nogil:
        """A distribution is no count: what it belongs to goes, unless that was no stack."""
        self.other_lines += 1
        if self.stack.length and self.tick != IN_TICK:
            self.stack.drop()
        if self.tick != IN_TICK:
            self.other_lines += self.lead_count
            self.forget()
        return 0

    cdef int take_number(self, DTraceLine* line) except -1 nogil:
        """A number after frames is their count; before them it is a key, or the count of an empty stack."""
        if self.lead_count:
            self.settle_leads(self.lead_is_number or self.last_lead_is_padded())
        elif self.stack.length == 0 and self.tick != IN_TICK:
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
        cdef bint is_plain, are_numbers
        cdef const unsigned char* keys_end
        cdef uint32_t frame
        keys_end = find_trailing_count(line.text, line.end, &number, &is_negative)
        # What such a line is depends on those before it.
        is_whole = is_whole and keys_end is NULL
        if keys_end is not NULL and self.tick != IN_TICK:
            if self.lead_count == 1 and line.indent == self.lead_indent and not self.lead_is_number:
                # Line after line of keys with a count: the stacks were empty.
                self.close_lead(self.lead_text, self.lead_text + self.lead_used, False)
            # No frame begins with a digit and ends in a number.
            are_numbers = is_digit(line.text[0])
            if self.lead_count and (are_numbers or (line.indent < self.lead_indent and not self.lead_is_number)):
                self.settle_leads(self.lead_is_number or line.indent > self.lead_indent)
            if are_numbers or (self.stack.length and line.indent < self.indent):
                self.stack.add_keys(line.text, keys_end)
                return self.close(number, is_negative)
        read_frame(line.text, line.end, &text)
        is_plain = line.indent == 0 and text.module is NULL and text.name != text.name_end
        if is_plain:
            if self.stack.length and self.indent:
                return self.note_unknown()
            is_whole = False
        frame = <uint32_t>self.stack.frame_of(&text)
        self.take_frame(frame, is_plain and keys_end is NULL, line.indent, line.text, begin + length)
        return self.remember(frame, begin, length, is_whole)

    cdef int take_frame(
        self, uint32_t frame, bint is_plain, uint64_t indent, const unsigned char* text, const unsigned char* end
    ) except -1 nogil:
        """Add a frame to the stack; before the first that surely is one, the line after it may tell that it was a key.

        Args:
            frame: what the line says as a frame.
            is_plain: a script may have printed it.
            indent, text: where its text begins.
            end: the end of the line.
        """
        if self.stack.length:
            return self.stack.push(frame)
        if self.tick:
            self.tick = IN_TICK
        elif self.lead_count == 0 and indent < STACK_COLUMNS:
            return self.set_aside(frame, is_plain, indent, text, end)
        elif self.lead_count:
            if not self.lead_is_number and indent == self.lead_indent and self.lead_count < MAX_LEADS:
                return self.set_aside(frame, is_plain, indent, text, end)
            self.settle_leads(self.lead_is_number or indent > self.lead_indent)
        if not self.stack.length:
            self.indent = indent
        return self.stack.push(frame)

    cdef int set_aside(
        self, uint32_t frame, bint is_plain, uint64_t indent, const unsigned char* text, const unsigned char* end
    ) except -1 nogil:
        """Set a line aside that is a key or a frame, with the blanks after it."""
        self.leads_are_plain = is_plain and (self.leads_are_plain or not self.lead_count)
        while end > text and (byte_before(end) == 10 or byte_before(end) == 13):
            end -= 1
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

    cdef bint last_lead_is_padded(self) noexcept nogil:
        """Whether blanks follow the text set aside last, as dtrace prints strings that are keys."""
        return self.lead_used > 0 and is_blank(self.lead_text[self.lead_used - 1])

    cdef int settle_leads(self, bint are_keys) except -1 nogil:
        """Make the lines set aside keys, or frames."""
        cdef int i
        cdef const unsigned char* text
        for i in range(self.lead_count):
            if are_keys:
                text = self.lead_text + self.leads[i].start
                self.stack.add_keys(text, trim_blanks(text, text + self.leads[i].length))
            else:
                self.indent = self.lead_indent
                self.stack.push(self.leads[i].frame)
        self.drop_leads()
        return 0

    cdef void drop_leads(self) noexcept nogil:
        """Forget the lines set aside."""
        self.lead_count = 0
        self.lead_used = 0
        self.lead_is_number = self.leads_are_plain = False

    cdef void drop_plain_leads(self) noexcept nogil:
        """Drop what a script printed before its stacks."""
        if self.leads_are_plain:
            self.other_lines += self.lead_count
            self.drop_leads()

    cdef int remember(self, uint32_t frame, const unsigned char* line, size_t length, bint is_whole) except -1 nogil:
        """Keep what a line says in the memo."""
        cdef uint32_t known, tag
        cdef const unsigned char* text = skip_blanks(line, line + length)
        self.predicted = NONE_ID
        if is_whole:
            length = said_by(text, line + length - 1) - line
            if not self.lines.has_room(length):
                self.lines.clear()
                self.previous = NONE_ID
                is_whole = self.lines.has_room(length)
        if not is_whole:
            self.previous = NONE_ID
            return 0
        tag = self.lines.tag_of(text, <uint32_t>(line + length - text))
        known = self.lines.find(line, <uint32_t>length, tag)
        if known == NONE_ID:
            known = <uint32_t>self.lines.put(line, <uint32_t>length, tag, frame)
        if self.previous != NONE_ID:
            self.lines.line(self.previous).next = known
        self.previous = known if self.stack.length else NONE_ID
        return 0

    cdef int note_unknown(self) except -1 nogil:
        """Account for a line that is nothing we know."""
        self.unknown_lines += 1
        if self.unknown_lines <= 5:
            with gil:
                self.unknown_sites.append((self.unit, self.line_number))
        return 0

    cdef int begin_tick(self, DTraceLine* line, int tick) except -1 nogil:
        """Begin a stack that is printed with the probe that took it."""
        cdef Thread thread
        self.tick = tick
        self.sample.period = 1
        self.sample.time_ns = UNKNOWN_TIME
        self.sample.cpu = UNKNOWN_CPU
        self.sample.thread = NONE_ID
        self.probe = <uint32_t>self.stack.intern_capped(
            line.event, line.event_end - line.event, self.stack.max_name_bytes
        )
        if tick == AFTER_BANNER:
            self.sample.cpu = line.cpu
            return 0
        if line.number <= <uint64_t>INT64_MAX // 1000000:
            self.sample.time_ns = <int64_t>line.number * 1000000
        thread.comm = <uint32_t>self.stack.intern_capped(
            line.text, line.comm_end - line.text, self.stack.max_comm_bytes
        )
        thread.pid = <int>line.pid
        thread.tid = UNKNOWN_ID
        self.sample.thread = <uint32_t>self.stack.threads.intern(thread)
        return 0

    cdef int end_stack(self) except -1 nogil:
        """Close the stack being read where no count does."""
        if self.tick == IN_TICK:
            self.stack.close_sample(&self.sample, self.probe, self.place)
            return self.forget()
        self.drop_plain_leads()
        if self.lead_is_number:
            return self.close_lead(self.lead_text, self.lead_text + self.leads[0].length, True)
        if self.lead_count == 1 and self.close_lead(self.lead_text, self.lead_text + self.lead_used, False):
            return 0
        if self.lead_count or self.stack.length:
            self.stack.drop()
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
        self.stack.add_keys(text, keys_end)
        self.close(number, is_negative)
        return 1

    cdef int close(self, uint64_t count, bint is_negative) except -1 nogil:
        """Add the stack with its count."""
        self.stack.close(count, is_negative, self.place)
        return self.forget()

    cdef int forget(self) noexcept nogil:
        """Get ready for the next stack."""
        self.drop_leads()
        self.stack.forget()
        self.tick = NO_TICK
        self.predicted = self.previous = NONE_ID
        return 0
