"""Loops over a document's columns and msgpack values that Python would make slow: each is one pass, none recurses."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from flameparse.errors import LimitError, MalformedError, TruncatedError

cdef enum:
    NONE = 0xFFFFFFFF
    MAX_LEVELS = 16


def first_foreign(const uint32_t[::1] ids, uint64_t count, bint none_allowed):
    """Find an id that points past its table.

    Args:
        ids: u32 column.
        count: rows of the table the ids point into.
        none_allowed: whether NONE is a value here.

    Returns:
        Index of the first bad id, or -1.
    """
    cdef Py_ssize_t i
    for i in range(ids.shape[0]):
        if ids[i] >= count and not (none_allowed and ids[i] == <uint32_t>NONE):
            return i
    return -1


def first_early(const uint32_t[::1] parents):
    """Find a stack whose parent does not stand before it; without one, every walk to the root ends.

    Args:
        parents: u32 column of row ids or NONE.

    Returns:
        Index of the first bad row, or -1.
    """
    cdef Py_ssize_t i
    for i in range(parents.shape[0]):
        if parents[i] >= <uint64_t>i and parents[i] != <uint32_t>NONE:
            return i
    return -1


def first_falling(const uint64_t[::1] offsets):
    """Find an offset smaller than the one before it.

    Args:
        offsets: u64 column.

    Returns:
        Index of the first bad offset, or -1.
    """
    cdef Py_ssize_t i
    for i in range(1, offsets.shape[0]):
        if offsets[i] < offsets[i - 1]:
            return i
    return -1


def first_unsorted(const uint32_t[::1] events, const uint32_t[::1] threads, const uint32_t[::1] stacks):
    """Find a row that is not greater than the one before it, as (event, thread, stack).

    Args:
        events: u32 column.
        threads: u32 column of the same length.
        stacks: u32 column of the same length.

    Returns:
        Index of the first bad row, or -1.
    """
    cdef Py_ssize_t i
    cdef uint64_t row, previous
    for i in range(1, events.shape[0]):
        if events[i] > events[i - 1]:
            continue
        row = <uint64_t>threads[i] << 32 | stacks[i]
        previous = <uint64_t>threads[i - 1] << 32 | stacks[i - 1]
        if events[i] < events[i - 1] or row <= previous:
            return i
    return -1


def first_excess(const uint64_t[::1] weights, uint64_t limit):
    """Find the row at which the running sum passes a limit.

    Args:
        weights: u64 column.
        limit: the largest sum allowed.

    Returns:
        Index of that row, or -1.
    """
    cdef Py_ssize_t i
    cdef uint64_t room = limit
    for i in range(weights.shape[0]):
        if weights[i] > room:
            return i
        room -= weights[i]
    return -1


def value_end(const unsigned char[::1] data, Py_ssize_t start, Py_ssize_t levels, bint plain, str format_name):
    """Step over one msgpack value without building anything, so that a hostile length costs nothing.

    Layout: a head byte, then a big-endian length of 0, 1, 2 or 4 bytes, then that many bytes or values:
        00-7f, e0-ff int            80-8f map   90-9f array   a0-bf str
        c0 nil  c2 c3 bool          c4-c6 bin   d9-db str     dc dd array   de df map
        ca cb float  cc-d3 int      c7-c9 ext   d4-d8 ext of 1, 2, 4, 8, 16 bytes
    Source: the msgpack specification, spec.md of github.com/msgpack/msgpack.

    Args:
        data: the whole input.
        start: offset of the value.
        levels: how deep containers may nest in it; a scalar needs 0. At most 16.
        plain: refuse floats and ext values.
        format_name: for the errors.

    Returns:
        Offset just past the value.

    Raises:
        TruncatedError: the input ends inside the value.
        MalformedError: a byte that starts no value, or one that ``plain`` refuses.
        LimitError: the value nests deeper than ``levels``.
    """
    cdef Py_ssize_t size = data.shape[0], offset = start, level = 0, length_bytes, i
    cdef uint64_t[MAX_LEVELS + 1] remaining  # values still to come, per open container
    cdef uint64_t length, items
    cdef uint8_t head
    cdef bint is_container

    remaining[0] = 1
    while True:
        while remaining[level] == 0:
            if level == 0:
                return offset
            level -= 1
        remaining[level] -= 1
        if offset >= size:
            raise TruncatedError("a value is missing", format_name=format_name, offset=offset)
        head = data[offset]
        if head == 0xC1 or plain and (0xC7 <= head <= 0xCB or 0xD4 <= head <= 0xD8):
            raise MalformedError(f"byte 0x{head:02x} starts no value allowed here",
                                 format_name=format_name, offset=offset)
        offset += 1

        # What the head says: bytes of a length field, then a fixed number of bytes or items.
        length_bytes = 0
        length = 0
        items = 0
        is_container = False
        if 0x80 <= head <= 0x9F:
            is_container = True
            items = (head & 0x0F) << (1 if head <= 0x8F else 0)
        elif 0xA0 <= head <= 0xBF:
            length = head & 0x1F
        elif 0xC4 <= head <= 0xC6:
            length_bytes = 1 << (head - 0xC4)
        elif 0xC7 <= head <= 0xC9:
            length_bytes = 1 << (head - 0xC7)
            length = 1
        elif head == 0xCA:
            length = 4
        elif head == 0xCB:
            length = 8
        elif 0xCC <= head <= 0xD3:
            length = 1 << (head & 3)
        elif 0xD4 <= head <= 0xD8:
            length = 1 + (1 << (head - 0xD4))
        elif 0xD9 <= head <= 0xDB:
            length_bytes = 1 << (head - 0xD9)
        elif 0xDC <= head <= 0xDF:
            is_container = True
            length_bytes = 4 if head & 1 else 2

        if length_bytes > size - offset:
            raise TruncatedError(f"a length of {length_bytes} bytes is cut", format_name=format_name, offset=offset)
        for i in range(length_bytes):
            items = items << 8 | data[offset + i]
        offset += length_bytes
        if not is_container:
            length += items
            if length > <uint64_t>(size - offset):
                raise TruncatedError(f"{length} bytes wanted, {size - offset} left",
                                     format_name=format_name, offset=offset)
            offset += <Py_ssize_t>length
            continue
        if head >= 0xDE:
            items <<= 1
        if items > <uint64_t>(size - offset):
            raise TruncatedError(f"{items} values wanted, {size - offset} bytes left",
                                 format_name=format_name, offset=offset)
        level += 1
        if level > levels or level > MAX_LEVELS:
            raise LimitError(f"nested deeper than {levels} levels", format_name=format_name, offset=offset)
        remaining[level] = items
