"""``perf script`` text to tables.

A sample is a header, its frames leaf first, and an empty line. One paragraph of three samples, as perf prints it::

    node  8783 [000]  1477.263450:    5025125 cpu-clock:
    	ffffffff8161df6c get_page_from_freelist+0x166c ([kernel.kallsyms])
    	    7fa4456738a8 [unknown] (/tmp/perf-8783.map)

Lines repeat, so the loop below first compares a line with the one that followed its predecessor last time, then
looks it up among all lines seen, and parses it only where both fail. What a line inside a sample says depends on
that line alone; an empty line forgets all state. So the text may be cut before any header or empty line and the
pieces decoded apart.

Source: perf's builtin-script.c output, perf 3.x to 6.x, and simpleperf's report-sample text.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp, memcpy

from flameparse.decode.line_memo cimport Memo, MemoLine, add_with_chain
from flameparse.decode.perf_header cimport (
    DIALECT_INFERNO, DIALECT_NATIVE, DIALECT_STACKCOLLAPSE, NOT_A_HEADER, RECORD_LINE, Header,
    find_frame, parse_header, parse_thread,
)
from flameparse.model.event_table cimport UNIT_PERIOD, EventTable
from flameparse.model.frame_table cimport KIND_USER, NONE_ID, Frame, FrameTable, new_frame
from flameparse.model.growth cimport reserve
from flameparse.model.sample_table cimport UNKNOWN_CPU, UNKNOWN_TIME, Sample, SampleTable
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.model.thread_table cimport UNKNOWN_ID, Thread, ThreadTable
from flameparse.scan.byte_hash cimport hash_bytes
from flameparse.scan.line_scan cimport (
    byte_before, find_newline, hex_value, is_blank, parse_decimal, skip_blanks, skip_word, trim_blanks,
)

from flameparse import limits
from flameparse.model.profile import Profile

DIALECTS = {None: DIALECT_NATIVE, "stackcollapse-perf": DIALECT_STACKCOLLAPSE, "inferno": DIALECT_INFERNO}

cdef enum:
    THREAD_CACHE_SLOTS = 256
    THREAD_CACHE_BYTES = 80

cdef enum State:
    BETWEEN_SAMPLES = 0
    IN_SAMPLE = 1


cdef struct FrameText:
    uint64_t address
    const unsigned char* name
    const unsigned char* name_end
    const unsigned char* module      # NULL where the line has none
    const unsigned char* module_end


cdef struct CachedThread:
    uint32_t length
    uint32_t thread
    int32_t cpu
    unsigned char text[THREAD_CACHE_BYTES]


cdef inline const unsigned char* cut_return(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """The end of a line without its CR: lines may end in CR LF."""
    return end - 1 if end > at and byte_before(end) == 13 else end


cdef const unsigned char* cut_offset(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """The end of a name without its ``+0x...``; only hex digits to the very end are an offset."""
    cdef const unsigned char* digit = end
    while digit > at and hex_value(byte_before(digit)) >= 0:
        digit -= 1
    if digit < end and digit - at > 3 and memcmp(digit - 3, b"+0x", 3) == 0:
        return digit - 3
    return end


cdef const unsigned char* find_module(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """The parenthesis that opens the module at the end of a line, or NULL.

    Parentheses are matched from the end, since a path may hold some: ``(memfd:x (deleted))``. Where they do not
    match, the last blank before a parenthesis decides.
    """
    cdef const unsigned char* open_at = end - 1
    cdef int depth = 0
    while open_at >= at:
        if open_at[0] == 41:
            depth += 1
        elif open_at[0] == 40:
            depth -= 1
            if depth == 0:
                return open_at if open_at > at and is_blank(byte_before(open_at)) else NULL
        open_at -= 1
    return last_module(at, end)


cdef const unsigned char* last_module(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """The last parenthesis after a blank, or NULL: where the reference tools see the module."""
    cdef const unsigned char* open_at = end - 1
    while open_at > at:
        if open_at[0] == 40 and is_blank(byte_before(open_at)):
            return open_at
        open_at -= 1
    return NULL


cdef bint parse_frame(
    const unsigned char* at, const unsigned char* end, int dialect, FrameText* frame
) noexcept nogil:
    """Read ``address name+0xoffset (module)``; name and module may be missing.

    A line at column 0, as old versions of perf print, must end in a module, or any text that starts with a word like
    ``add`` would do.
    """
    cdef bint indented = at < end and is_blank(at[0])
    cdef const unsigned char* word
    cdef const unsigned char* open_at
    cdef uint64_t address = 0
    cdef int digit
    at = skip_blanks(at, end)
    end = trim_blanks(at, end)
    word = at
    while at < end:
        digit = hex_value(at[0])
        if digit < 0:
            break
        address = address << 4 | <uint64_t>digit
        at += 1
    if at == word or at - word > 16 or (at < end and not is_blank(at[0])):
        return False
    frame.address = address
    at = skip_blanks(at, end)
    frame.name = at
    frame.name_end = end
    frame.module = frame.module_end = NULL
    if at < end and byte_before(end) == 41:
        # A name may be missing: then the blank before the module is the one before the name.
        open_at = find_module(at - 1, end) if dialect == DIALECT_NATIVE else last_module(at - 1, end)
        if open_at is not NULL:
            frame.module = open_at + 1
            frame.module_end = end - 1
            frame.name_end = open_at if dialect != DIALECT_NATIVE else trim_blanks(at, open_at)
            if dialect != DIALECT_NATIVE and open_at > at:
                frame.name_end = open_at - 1
    frame.name_end = cut_offset(at, frame.name_end)
    return indented or frame.module is not NULL


cdef bint is_optional(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """Whether a line is one that perf prints beside samples.

    ``-F +insn``, ``+iregs``, ``+uregs``, ``+brstack``, ``+bpf-output``, ``+metric``, Intel PT's error notes, records
    without a thread, and the further lines of ``PERF_RECORD_NAMESPACES``.
    """
    cdef const unsigned char* word = skip_blanks(at, end)
    cdef Py_ssize_t left = end - word
    if left >= 23 and memcmp(word, b"instruction trace error", 23) == 0:
        return True
    if word == at:
        return left > 12 and memcmp(word, b"PERF_RECORD_", 12) == 0
    return (
        (left >= 5 and memcmp(word, b"insn:", 5) == 0)
        or (left >= 5 and memcmp(word, b"ilen:", 5) == 0)
        or (left >= 4 and memcmp(word, b"ABI:", 4) == 0)
        or (left >= 7 and memcmp(word, b"metric:", 7) == 0)
        or (left >= 11 and memcmp(word, b"BPF output:", 11) == 0)
        or (left >= 5 and memcmp(word, b"0x", 2) == 0 and memchr(word, 47, skip_word(word, end) - word) is not NULL)
        or is_namespace(word, end)
    )


cdef bint is_namespace(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """Whether a text begins like ``[0/net: 4/0xf0000098`` or, in the lines after it, ``1/uts: ...``."""
    cdef uint64_t number
    if at < end and at[0] == 91:
        at += 1
    at = parse_decimal(at, end, &number)
    if at is NULL or at == end or at[0] != 47:
        return False
    return byte_before(skip_word(at, end)) == 58


cdef class PerfScriptDecoder:
    """Decodes one text, or one thread's share of it, into a Profile of its own.

    Args:
        profile: the tables to fill.
        dialect: None for our reading, else ``"stackcollapse-perf"`` or ``"inferno"`` for theirs.
        keeps_addresses: tell frames without a symbol apart by address. Without it only their half of the address
            space is kept, so that memory grows with stacks and not with addresses.
    """

    cdef readonly object profile
    cdef readonly object dialect_name
    cdef readonly bint keeps_addresses
    cdef StringTable strings
    cdef FrameTable frames
    cdef StackTable stacks
    cdef ThreadTable threads
    cdef EventTable events
    cdef SampleTable samples
    cdef Memo lines
    cdef Memo chains
    cdef int dialect
    # The sample being read.
    cdef int state
    cdef bint is_cut            # its stack is deeper than the cap
    cdef bint after_one_line    # the line before was a sample with its frame, which a source line may follow
    cdef Sample sample
    cdef uint32_t* chain
    cdef uint64_t chain_length
    cdef uint64_t chain_capacity
    cdef uint32_t predicted
    cdef uint32_t previous
    # The sample before it, whose stack is yet to be interned.
    cdef bint is_waiting
    cdef Sample waiting_sample
    cdef uint32_t* waiting
    cdef uint64_t waiting_length
    cdef uint64_t waiting_capacity
    cdef uint32_t waiting_tag
    # What repeats from header to header.
    cdef CachedThread cached_threads[THREAD_CACHE_SLOTS]
    cdef uint32_t last_event
    cdef uint32_t last_dso
    # The input as a whole.
    cdef bint is_open
    cdef bint is_headerless
    cdef bint discarding
    cdef uint64_t line_number
    cdef uint64_t place
    # The account.
    cdef uint64_t unknown_lines
    cdef uint64_t optional_lines
    cdef uint64_t long_lines
    cdef set cut_names
    cdef uint64_t cut_stacks
    cdef uint64_t lost
    cdef uint64_t unit
    cdef list unknown_sites
    cdef uint64_t max_name_bytes
    cdef uint64_t max_comm_bytes
    cdef uint64_t max_line_bytes
    cdef uint64_t max_stack_frames

    def __cinit__(self, profile not None, *, dialect=None, bint keeps_addresses=False):
        self.profile = profile
        self.dialect_name = dialect
        self.dialect = DIALECTS[dialect]
        self.keeps_addresses = keeps_addresses
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
        self.unknown_sites = []
        self.cut_names = set()
        self.predicted = self.previous = NONE_ID
        self.last_event = NONE_ID
        self.last_dso = NONE_ID

    def __dealloc__(self):
        free(self.chain)
        free(self.waiting)

    def sibling(self):
        """A decoder for another share of the same text, with tables of its own.

        Call it once this one has seen the start of the text: whether samples have headers is told by the first.
        """
        cdef PerfScriptDecoder other = PerfScriptDecoder(
            Profile(self.samples.sibling()), dialect=self.dialect_name, keeps_addresses=self.keeps_addresses
        )
        other.is_open = self.is_open
        other.is_headerless = self.is_headerless
        return other

    def start_unit(self, uint64_t unit):
        """Close the sample being read and begin a share that was cut at a safe place.

        Args:
            unit: the share's number; line numbers count from its start.
        """
        self.end_sample()
        self.settle()
        self.predicted = self.previous = NONE_ID
        self.after_one_line = False
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
            OverflowError: weights past 2**64 - 1.
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
        """Decode a last line that has no end, close the last sample and hand over the account."""
        if not 0 <= length <= rest.shape[0]:
            raise ValueError("length past the end of the rest")
        if length and not self.discarding:
            self.place = offset
            self.decode_line(&rest[0], length, False)
        self.end_sample()
        self.settle()
        diagnostics = self.profile.diagnostics
        diagnostics.count("unknown_lines", self.unknown_lines)
        diagnostics.count("optional_lines", self.optional_lines)
        diagnostics.count("long_lines", self.long_lines)
        diagnostics.cut_names |= self.cut_names
        diagnostics.count("cut_stacks", self.cut_stacks)
        diagnostics.count("lost", self.lost)
        diagnostics.drop("outside the window", self.samples.outside_window)
        diagnostics.drop("filtered", self.samples.on_other_cpus)
        diagnostics.drop("impossible period", self.samples.impossible_periods)
        diagnostics.count("impossible_periods", self.samples.impossible_periods)

    @property
    def is_settled(self):
        """Whether the first sample is read, from which headers and times of the whole input are understood."""
        return self.is_open and not (self.samples.from_is_relative or self.samples.to_is_relative)

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
        cdef MemoLine* line
        cdef uint32_t known
        cdef uint32_t tag
        cdef const unsigned char* leaf = NULL
        cdef const unsigned char* leaf_end = NULL
        cdef uint32_t leaf_tag = 0
        while at < end:
            if self.state == IN_SAMPLE and not self.discarding:
                if self.predicted != NONE_ID:
                    line = self.lines.line(self.predicted)
                    if line.length <= <size_t>(end - at) and memcmp(line + 1, at, line.length) == 0:
                        self.push_frame(line.frame)
                        self.line_number += 1
                        self.previous = self.predicted
                        self.predicted = line.next
                        at += line.length
                        continue
                if at[0] == 10:
                    self.line_number += 1
                    at += 1
                    # Behind the header comes the leaf frame, which nothing predicts: start loading what the memo will
                    # be asked for.
                    leaf = find_newline(at, end)
                    if leaf is not NULL:
                        leaf += 1
                        leaf_end = find_newline(leaf, end)
                        if leaf_end is not NULL and leaf_end - leaf < 4096:
                            leaf_tag = self.lines.tag_of(leaf, <uint32_t>(leaf_end + 1 - leaf))
                            self.lines.expect(leaf_tag)
                        else:
                            leaf = NULL
                    self.end_sample()
                    continue
                if at == leaf:
                    newline, tag = leaf_end, leaf_tag
                else:
                    newline = find_newline(at, end)
                    if newline is NULL:
                        break
                    tag = self.lines.tag_of(at, <uint32_t>(newline + 1 - at))
                known = self.lines.find(at, <uint32_t>(newline + 1 - at), tag)
                if known != NONE_ID:
                    line = self.lines.line(known)
                    if self.previous != NONE_ID:
                        self.lines.line(self.previous).next = known
                    self.push_frame(line.frame)
                    self.line_number += 1
                    self.previous = known
                    self.predicted = line.next
                    at = newline + 1
                    continue
            else:
                newline = find_newline(at, end)
                if newline is NULL:
                    break
                if leaf is not NULL:
                    self.lines.expect_record(leaf_tag)
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

    cdef inline int push_frame(self, uint32_t frame) except -1 nogil:
        """Add the next caller to the sample being read."""
        if self.chain_length == self.chain_capacity:
            if self.chain_length >= self.max_stack_frames:
                self.is_cut = True
                return 0
            reserve(<void**>&self.chain, &self.chain_capacity, self.chain_length + 1, sizeof(uint32_t))
            self.chain_capacity = min(self.chain_capacity, self.max_stack_frames)
        self.chain[self.chain_length] = frame
        self.chain_length += 1
        return 0

    cdef int end_sample(self) except -1 nogil:
        """Set the sample being read, if there is one, aside for ``settle``.

        The tables are too large for the cache. So a sample waits until the next one is whole: by then what its stack
        is looked up in has been loaded.
        """
        if self.state != IN_SAMPLE:
            return 0
        self.settle()
        self.state = BETWEEN_SAMPLES
        self.cut_stacks += self.is_cut
        self.is_cut = False
        self.waiting, self.chain = self.chain, self.waiting
        self.waiting_capacity, self.chain_capacity = self.chain_capacity, self.waiting_capacity
        self.waiting_length = self.chain_length
        self.waiting_sample = self.sample
        self.waiting_tag = self.chains.tag_of(self.waiting, <uint32_t>(self.waiting_length * sizeof(uint32_t)))
        self.chains.expect(self.waiting_tag)
        self.is_waiting = True
        return 0

    cdef int reopen_sample(self) noexcept nogil:
        """Read frames for the sample just set aside: what looked like its frame was another field of the header."""
        self.sample = self.waiting_sample
        self.is_waiting = False
        self.state = IN_SAMPLE
        self.chain_length = 0
        self.previous = self.predicted = NONE_ID
        return 0

    cdef int settle(self) except -1 nogil:
        """Intern the stack of the sample set aside, if there is one, and hand the sample over."""
        if not self.is_waiting:
            return 0
        self.is_waiting = False
        return add_with_chain(
            self.samples, &self.waiting_sample, self.stacks, self.chains, self.waiting, self.waiting_length,
            self.waiting_tag,
        )

    cdef int begin_sample(self) except -1 nogil:
        """Close the sample before and start reading frames."""
        self.end_sample()
        self.chains.expect_record(self.waiting_tag)
        self.state = IN_SAMPLE
        self.chain_length = 0
        self.previous = self.predicted = NONE_ID
        return 0

    cdef int decode_line(self, const unsigned char* at, size_t length, bint is_whole) except -1 nogil:
        """Decode a line the memo does not know.

        Args:
            at: its first byte.
            length: its bytes, line end included.
            is_whole: it has its line end, so the memo may keep it.
        """
        cdef const unsigned char* end = at + length
        cdef const unsigned char* text_end = end
        cdef FrameText frame
        cdef bint is_after_one_line = self.after_one_line
        self.line_number += 1
        self.after_one_line = False
        if text_end > at and byte_before(text_end) == 10:
            text_end -= 1
        text_end = cut_return(at, text_end)
        if <uint64_t>(text_end - at) > self.max_line_bytes:
            text_end = at + self.max_line_bytes
            self.long_lines += 1
            is_whole = False
        if not self.is_open and text_end - at >= 3 and memcmp(at, b"\xef\xbb\xbf", 3) == 0:
            at += 3
            is_whole = False
        if skip_blanks(at, text_end) == text_end:
            return self.end_sample()
        # A header with its time is one wherever it stands: even after "#", as a thread may be named, and after
        # blanks, where its comm could pass for an address. Only a tab says frame first.
        if at[0] != 9 and self.take_header(at, text_end, True):
            return 0
        if at[0] == 35:
            return 0
        if is_after_one_line and at[0] == 9 and parse_frame(at, text_end, self.dialect, &frame):
            self.reopen_sample()
            return self.take_frame(&frame, at, length, is_whole)
        if self.state == IN_SAMPLE and is_blank(at[0]) and parse_frame(at, text_end, self.dialect, &frame):
            return self.take_frame(&frame, at, length, is_whole)
        if is_optional(at, text_end):
            self.optional_lines += 1
            return 0
        if at[0] != 9 and self.take_header(at, text_end, False):
            return 0
        if parse_frame(at, text_end, self.dialect, &frame):
            if not self.is_open:
                self.is_open = self.is_headerless = True
            if self.state == IN_SAMPLE:
                return self.take_frame(&frame, at, length, is_whole)
            if self.is_headerless:
                self.begin_headerless_sample()
                return self.take_frame(&frame, at, length, is_whole)
        elif (
            (is_after_one_line or self.state == IN_SAMPLE)
            and text_end - at > 2 and at[0] == 32 and at[1] == 32 and not is_blank(at[2])
        ):
            # -F +srcline: two blanks and the place in the source.
            self.optional_lines += 1
            return 0
        self.unknown_lines += 1
        if self.unknown_lines <= 5:
            with gil:
                self.unknown_sites.append((self.unit, self.line_number))
        return 0

    cdef bint take_header(self, const unsigned char* at, const unsigned char* end, bint anchored_only) except -1 nogil:
        """Begin a sample, or account for a record line; False where the line is neither."""
        cdef Header header
        cdef FrameText frame
        cdef const unsigned char* rest
        cdef int kind = parse_header(at, end, self.dialect, anchored_only, &header)
        if kind == NOT_A_HEADER:
            return False
        self.is_open = True
        if kind == RECORD_LINE:
            self.end_sample()
            self.optional_lines += 1
            self.count_lost(header.rest, end)
            if self.keeps_addresses and end - header.rest > 16 and memcmp(header.rest, b"PERF_RECORD_MMAP", 16) == 0:
                self.keep_mapping(header.rest, end)
            return True
        self.begin_sample()
        self.sample.time_ns = header.time_ns
        self.sample.period = header.period
        self.sample.event = self.event_of(&header)
        if header.has_period and self.events.rows[self.sample.event].unit < UNIT_PERIOD:
            self.events.rows[self.sample.event].unit = UNIT_PERIOD
        self.set_thread(at, &header)
        rest = find_frame(header.rest, end, &end)
        if rest is not NULL and parse_frame(rest, end, self.dialect, &frame):
            # Recorded without a call graph: the one frame is on the header's line and the sample is whole.
            self.push_frame(self.frame_of(&frame))
            self.end_sample()
            self.after_one_line = True
        return True

    cdef int begin_headerless_sample(self) except -1 nogil:
        """Begin a sample of a text printed without any header field (``-F ip,sym``)."""
        cdef Thread thread
        cdef Header header
        self.begin_sample()
        header.event = NULL
        self.sample.time_ns = UNKNOWN_TIME
        self.sample.period = 1
        self.sample.cpu = UNKNOWN_CPU
        self.sample.event = self.event_of(&header)
        thread.comm = NONE_ID
        thread.pid = thread.tid = UNKNOWN_ID
        self.sample.thread = <uint32_t>self.threads.intern(thread)
        return 0

    cdef int take_frame(
        self, FrameText* frame, const unsigned char* line, size_t length, bint is_whole
    ) except -1 nogil:
        """Add a parsed frame to the sample and its line to the memo."""
        cdef uint32_t id = self.frame_of(frame)
        cdef uint32_t known = NONE_ID
        cdef uint32_t tag = 0
        self.push_frame(id)
        self.predicted = NONE_ID
        if is_whole:
            if not self.lines.has_room(length):
                self.lines.clear()
                self.previous = NONE_ID
                if not self.lines.has_room(length):
                    return 0
            tag = self.lines.tag_of(line, <uint32_t>length)
            known = self.lines.find(line, <uint32_t>length, tag)
            if known == NONE_ID:
                known = <uint32_t>self.lines.put(line, <uint32_t>length, tag, id)
            if self.previous != NONE_ID:
                self.lines.line(self.previous).next = known
        self.previous = known
        return 0

    cdef int64_t frame_of(self, FrameText* text) except -1 nogil:
        """Intern the frame of a line."""
        cdef Frame frame = new_frame(NONE_ID, NONE_ID, KIND_USER, 0)
        cdef size_t name_length = text.name_end - text.name
        if text.module is not NULL:
            frame.dso = self.dso_of(text.module, text.module_end - text.module)
        if name_length == 0 or (name_length == 9 and memcmp(text.name, b"[unknown]", 9) == 0):
            frame.address = text.address if self.keeps_addresses else text.address & 0xFFFF000000000000u
        else:
            frame.name = self.intern_capped(text.name, name_length, self.max_name_bytes)
        return <uint32_t>self.frames.intern(frame)

    cdef int64_t dso_of(self, const unsigned char* text, size_t length) except -1 nogil:
        """Intern a module; most often the one before again."""
        if (
            self.last_dso == NONE_ID or self.strings.length(self.last_dso) != length
            or memcmp(self.strings.at(self.last_dso), text, length) != 0
        ):
            self.last_dso = self.intern_capped(text, length, self.max_name_bytes)
        return self.last_dso

    cdef int64_t intern_capped(self, const unsigned char* text, size_t length, size_t cap) except -1 nogil:
        """Intern a string, cut where it is longer than its cap."""
        if length <= cap:
            return self.strings.intern(text, length)
        return self.intern_cut(text, length, cap)

    cdef int64_t intern_cut(self, const unsigned char* text, size_t length, size_t cap) except -1 with gil:
        """Intern the start of a string and a hash, so that distinct ones stay distinct.

        Out of line: a function with Python variables takes the GIL whenever it is entered.
        """
        cdef uint64_t hashed = hash_bytes(text, length, 0)
        self.cut_names.add(hashed)
        return self.strings.add(text[: cap - 17] + b"#%016x" % hashed)

    cdef int64_t event_of(self, Header* header) except -1 nogil:
        """Intern the event of a header; nearly always the last one again."""
        cdef size_t length = 0 if header.event is NULL else header.event_end - header.event
        cdef uint32_t name
        if self.last_event != NONE_ID:
            name = self.events.rows[self.last_event].name
            if self.strings.length(name) == length and (
                length == 0 or memcmp(self.strings.at(name), header.event, length) == 0
            ):
                return self.last_event
        if length:
            name = self.intern_capped(header.event, length, self.max_name_bytes)
        else:
            name = <uint32_t>self.strings.intern(b"", 0)
        self.last_event = <uint32_t>self.events.intern(name, self.place)
        return self.last_event

    cdef int set_thread(self, const unsigned char* line, Header* header) except -1 nogil:
        """Set the sample's thread and cpu, from the cache where the same bytes were read before."""
        cdef size_t length = header.thread_end - line
        cdef CachedThread* cached = NULL
        cdef Thread thread
        if self.dialect == DIALECT_NATIVE:
            if length <= THREAD_CACHE_BYTES:
                cached = &self.cached_threads[hash_bytes(line, length, 0) & (THREAD_CACHE_SLOTS - 1)]
                if cached.length == length and length and memcmp(cached.text, line, length) == 0:
                    self.sample.thread = cached.thread
                    self.sample.cpu = cached.cpu
                    return 0
            parse_thread(line, header.thread_end, header)
        thread.comm = NONE_ID
        if header.comm is not NULL:
            thread.comm = self.intern_capped(header.comm, header.comm_end - header.comm, self.max_comm_bytes)
        thread.pid = header.pid
        thread.tid = header.tid
        self.sample.thread = <uint32_t>self.threads.intern(thread)
        self.sample.cpu = header.cpu
        if cached is not NULL:
            cached.length = <uint32_t>length
            cached.thread = self.sample.thread
            cached.cpu = header.cpu
            memcpy(cached.text, line, length)
        return 0

    cdef int keep_mapping(self, const unsigned char* at, const unsigned char* end) except -1 with gil:
        """Remember what ``--show-mmap-events`` says: addresses may need it to be named."""
        self.profile.mapping_lines.append(at[: end - at])
        return 0

    cdef void count_lost(self, const unsigned char* at, const unsigned char* end) noexcept nogil:
        """Add what ``PERF_RECORD_LOST lost N`` or ``PERF_RECORD_LOST_SAMPLES lost N`` says."""
        cdef uint64_t number = 0
        if end - at < 16 or memcmp(at, b"PERF_RECORD_LOST", 16) != 0:
            return
        at = skip_blanks(skip_word(at, end), end)
        if end - at > 5 and memcmp(at, b"lost ", 5) == 0 and parse_decimal(skip_blanks(at + 5, end), end, &number):
            self.lost += number


def looks_like_perf_script(const unsigned char[::1] head not None):
    """Whether the first lines of an input are ``perf script`` text.

    Other texts have indented words and numbers before colons too. So a header needs its time, or to be the first line,
    or the frame that belongs to it; and a frame needs its module, or its address right-aligned in 16 columns.

    Args:
        head: the first bytes of the input.
    """
    cdef const unsigned char* at
    cdef const unsigned char* end
    cdef const unsigned char* line_end
    cdef const unsigned char* text_end
    cdef Header header
    cdef FrameText frame
    cdef bint is_first = True
    cdef bint after_header = False
    if head.shape[0] == 0:
        return False
    at = &head[0]
    end = at + head.shape[0]
    while at < end:
        line_end = find_newline(at, end)
        if line_end is NULL:
            line_end = end
        text_end = cut_return(at, line_end)
        if parse_header(at, text_end, DIALECT_NATIVE, True, &header) != NOT_A_HEADER:
            return True
        if parse_frame(at, text_end, DIALECT_NATIVE, &frame) and (
            after_header or (is_blank(at[0]) and (frame.module is not NULL or frame.name - at > 17))
        ):
            return True
        after_header = (
            at < text_end and at[0] != 9 and at[0] != 35
            and parse_header(at, text_end, DIALECT_NATIVE, False, &header) != NOT_A_HEADER
        )
        if after_header and (is_first or find_frame(header.rest, text_end, &text_end) is not NULL):
            return True
        is_first = is_first and (at == text_end or at[0] == 35)
        at = line_end + 1
    return False


def find_cut(const unsigned char[::1] block not None, Py_ssize_t length):
    """Where a block can be cut so that its halves can be decoded apart.

    An empty line closes a sample whatever stands before it, and a header with its time begins one.

    Args:
        block: text that begins at the start of a line.
        length: bytes of it that are filled.

    Returns:
        The last such place, 0 if there is none.
    """
    cdef const unsigned char* begin
    cdef const unsigned char* line
    cdef const unsigned char* line_end
    cdef const unsigned char* text_end
    cdef Header header
    if not 0 <= length <= block.shape[0]:
        raise ValueError("length past the end of the block")
    if length == 0:
        return 0
    begin = &block[0]
    line_end = begin + length
    while line_end > begin and byte_before(line_end) != 10:
        line_end -= 1
    while line_end > begin:
        line = line_end - 1
        while line > begin and byte_before(line) != 10:
            line -= 1
        text_end = cut_return(line, line_end - 1)
        if skip_blanks(line, text_end) == text_end:
            return line_end - begin
        if line[0] != 9 and parse_header(line, text_end, DIALECT_NATIVE, True, &header) != NOT_A_HEADER:
            return line - begin
        line_end = line
    return 0
