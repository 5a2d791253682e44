"""What shows of a text without decoding it: whether it is DTrace's, and where it can be cut."""

from libc.stdint cimport uint64_t

from flameparse.decode.dtrace.line cimport (
    BANNER_LINE, BLANK_LINE, HEADING_LINE, NUMBER_LINE, TEXT_LINE, TICK_LINE, DTraceFrame, DTraceLine,
    find_trailing_count, read_frame, read_line,
)
from flameparse.scan.line_scan cimport byte_before, find_newline, hex_value, is_blank


def looks_like_dtrace(const unsigned char[::1] head not None):
    """Whether the first lines of an input are DTrace's.

    The heading tells, or the head of a stack that has no count with a frame after it, or a frame that no other format
    has: indented, with a module before a backtick, or a bare ``0x`` address. Stacks between ``@[`` and ``]: 5`` are
    bpftrace's.

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
        if line.indent == 0 and line.text[0] == 64:
            return False
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
