"""DTrace's text as the reference collapsers read it: past the header a line is empty, a count, or else a frame."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp

from flameparse.decode.dtrace.line cimport read_count
from flameparse.decode.dtrace.stack cimport DTraceStack
from flameparse.model.frame_table cimport KIND_USER, NONE_ID, Frame, new_frame
from flameparse.scan.line_scan cimport byte_before, find_newline, skip_blanks, trim_blanks

from flameparse import limits
from flameparse.model.profile import Profile

cdef enum:
    UP_TO_BLANK = -1
    STACKCOLLAPSE_HEADER = 3


cdef class DTraceToolDecoder:
    """Decodes one text; a share of it could not be told from the whole, since frames may look like heads of stacks.

    Its methods are those of ``DTraceDecoder``.

    Args:
        profile: the tables to fill. A frame's name is its line without what follows the last plus.
        tool: ``"stackcollapse"`` or ``"inferno"``.
    """

    cdef readonly object profile
    cdef object tool
    cdef DTraceStack stack
    cdef int header_left        # lines the tool skips
    cdef bint keeps_blanks      # at the end of a line
    cdef bint is_open
    cdef bint discarding
    cdef uint64_t line_number
    cdef uint64_t place
    cdef uint64_t long_lines
    cdef uint64_t max_line_bytes

    def __cinit__(self, profile not None, str tool not None):
        self.profile = profile
        self.tool = tool
        self.stack = DTraceStack(profile, tells_kernel=False)
        self.keeps_blanks = tool == "stackcollapse"
        self.header_left = STACKCOLLAPSE_HEADER if self.keeps_blanks else UP_TO_BLANK
        self.max_line_bytes = limits.MAX_LINE_BYTES

    def sibling(self):
        """A decoder that goes on where this one stops, with tables of its own."""
        cdef DTraceToolDecoder other = DTraceToolDecoder(Profile(self.stack.samples.sibling()), self.tool)
        other.is_open = self.is_open
        other.header_left = self.header_left
        return other

    def start_unit(self, uint64_t unit):
        """Begin a share: line numbers count from its start."""
        self.line_number = 0

    def feed(self, const unsigned char[::1] block not None, Py_ssize_t length, uint64_t offset):
        """Decode the whole lines at the start of a block; bytes consumed."""
        cdef Py_ssize_t consumed
        if not 0 <= length <= block.shape[0]:
            raise ValueError("length past the end of the block")
        if length == 0:
            return 0
        with nogil:
            consumed = self.decode_lines(&block[0], &block[0] + length, offset)
        return consumed

    def finish(self, const unsigned char[::1] rest not None, Py_ssize_t length, uint64_t offset):
        """Decode a last line that has no end and hand over the account."""
        if not 0 <= length <= rest.shape[0]:
            raise ValueError("length past the end of the rest")
        if length and not self.discarding:
            self.place = offset
            self.decode_line(&rest[0], &rest[0] + length)
        if self.stack.length:
            self.stack.drop()
        self.stack.hand_over().count("long_lines", self.long_lines)

    @property
    def is_settled(self):
        """Whether the header is read, and a sample from which times of the whole input count."""
        return self.header_left == 0

    @property
    def lines_in_unit(self):
        """Lines read since the last ``start_unit``."""
        return self.line_number

    @property
    def unknown_line_sites(self):
        """None: every line says something."""
        return []

    cdef Py_ssize_t decode_lines(
        self, const unsigned char* begin, const unsigned char* end, uint64_t offset
    ) except -1 nogil:
        """Decode up to the last line end of a block; bytes consumed."""
        cdef const unsigned char* at = begin
        cdef const unsigned char* newline = find_newline(at, end)
        while newline is not NULL:
            self.place = offset + (at - begin)
            if not self.discarding:
                self.decode_line(at, newline)
            self.discarding = False
            at = newline + 1
            newline = find_newline(at, end)
        # The one byte more may be the CR of a line at the cap.
        if not self.discarding and <uint64_t>(end - at) > self.max_line_bytes + 1:
            self.decode_line(at, end)
            self.discarding = True
        return end - begin if self.discarding else at - begin

    cdef int decode_line(self, const unsigned char* at, const unsigned char* end) except -1 nogil:
        """Decode a line without its line end."""
        cdef const unsigned char* text
        cdef const unsigned char* text_end
        cdef Frame frame = new_frame(NONE_ID, NONE_ID, KIND_USER, 0)
        cdef uint64_t number
        cdef bint is_negative
        self.line_number += 1
        if end > at and byte_before(end) == 13:
            end -= 1
        if <uint64_t>(end - at) > self.max_line_bytes:
            end = at + self.max_line_bytes
            self.long_lines += 1
        if not self.is_open and end - at >= 3 and memcmp(at, b"\xef\xbb\xbf", 3) == 0:
            at += 3
        self.is_open = True
        text = skip_blanks(at, end)
        text_end = trim_blanks(text, end)
        if self.header_left:
            if self.header_left > 0:
                self.header_left -= 1
            elif text == text_end:
                self.header_left = 0
            return 0
        if text == text_end:
            return 0
        if self.keeps_blanks:
            text_end = end
        if read_count(text, text_end, &number, &is_negative) and not is_negative:
            return self.stack.close(number, False, self.place)
        end = text_end
        while end > text and byte_before(end) != 43:
            end -= 1
        if end > text:
            text_end = end - 1
        if text == text_end:
            frame.name = <uint32_t>self.stack.strings.intern(b"-", 1)
        else:
            frame.name = <uint32_t>self.stack.intern_capped(text, text_end - text, self.stack.max_name_bytes)
        return self.stack.push(<uint32_t>self.stack.frames.intern(frame))
