"""One line of DTrace's output: what it is, and what a frame says.

Source: dtrace(1) and the output format of libdtrace's ``stack()``, ``ustack()`` and aggregations (the Dynamic Tracing
Guide, chapters "Actions and Subroutines" and "Aggregations").
"""

from libc.stdint cimport UINT64_MAX, int32_t, uint64_t
from libc.string cimport memchr, memcmp

from flameparse.scan.line_scan cimport (
    byte_before, hex_value, is_blank, is_digit, parse_decimal, parse_id, skip_blanks, skip_word, trim_blanks,
)


cdef inline bint begins(
    const unsigned char* at, const unsigned char* end, const char* word, size_t size
) noexcept nogil:
    """Whether a text begins with a word of this size."""
    return <size_t>(end - at) >= size and memcmp(at, word, size) == 0


cdef inline const unsigned char* word_before(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """Where the last word of a text without trailing blanks begins."""
    while end > at and not is_blank(byte_before(end)):
        end -= 1
    return end


cdef void read_line(const unsigned char* at, const unsigned char* end, DTraceLine* line) noexcept nogil:
    """Tell what a line is.

    Layout, a line of each kind::

        CPU     ID                    FUNCTION:NAME
          0  64091                        :tick-60s
        node 8783 1477263: profile-1ms:
        dtrace: 32 drops on CPU 0
                   value  ------------- Distribution ------------- count
                       4 |@@@@@@@@@                                123
                      genunix`kmem_cache_free+0xce
                        1

    Args:
        at, end: the line without its line end.
        line: set.
    """
    line.text = skip_blanks(at, end)
    line.end = trim_blanks(line.text, end)
    line.indent = line.text - at
    line.event = NULL
    if line.text == line.end:
        line.kind = BLANK_LINE
    elif read_count(line.text, line.end, &line.number, &line.is_negative):
        line.kind = NUMBER_LINE
    elif (
        begins(line.text, line.end, b"CPU ", 4) and line.end - line.text > 17
        and memcmp(line.end - 13, b"FUNCTION:NAME", 13) == 0
    ):
        line.kind = HEADING_LINE
    elif is_digit(line.text[0]) and read_banner(line):
        line.kind = BANNER_LINE
    elif byte_before(line.end) == 58 and read_tick(line):
        line.kind = TICK_LINE
    elif line.indent == 0 and (
        begins(line.text, line.end, b"dtrace: ", 8) or (line.end - line.text == 2 and memcmp(line.text, b"^C", 2) == 0)
    ):
        line.kind = NOTE_LINE
        line.number = count_lost(line.text, line.end)
    elif is_table(line.text, line.end):
        line.kind = TABLE_LINE
    else:
        line.kind = TEXT_LINE


cdef bint read_count(
    const unsigned char* at, const unsigned char* end, uint64_t* number, bint* is_negative
) noexcept nogil:
    """Read a text that is one number with or without a minus; one past 2**64 - 1 is read as that."""
    cdef const unsigned char* after
    is_negative[0] = at < end and at[0] == 45
    if is_negative[0]:
        at += 1
    if at == end or not is_digit(at[0]):
        return False
    after = parse_decimal(at, end, number)
    if after is NULL:
        number[0] = UINT64_MAX
        after = at
        while after < end and is_digit(after[0]):
            after += 1
    return after == end


cdef bint read_banner(DTraceLine* line) noexcept nogil:
    """Read ``cpu id function:name``, which says that a probe fired."""
    cdef uint64_t cpu, id
    cdef const unsigned char* at = parse_decimal(line.text, line.end, &cpu)
    cdef const unsigned char* event
    if at is NULL or at == line.end or not is_blank(at[0]) or cpu > 65535:
        return False
    at = parse_decimal(skip_blanks(at, line.end), line.end, &id)
    if at is NULL or at == line.end or not is_blank(at[0]):
        return False
    at = skip_blanks(at, line.end)
    if skip_word(at, line.end) != line.end:
        return False
    event = line.end
    while event > at and byte_before(event) != 58:
        event -= 1
    if event == at or event == line.end:
        return False
    line.cpu = <int32_t>cpu
    line.event, line.event_end = event, line.end
    return True


cdef bint read_tick(DTraceLine* line) noexcept nogil:
    """Read ``execname pid milliseconds: probe:``; the first may hold blanks."""
    cdef const unsigned char* event = word_before(line.text, line.end)
    cdef const unsigned char* time_end = trim_blanks(line.text, event)
    cdef const unsigned char* time
    cdef const unsigned char* pid_end
    cdef const unsigned char* pid
    if event + 1 >= line.end or time_end == line.text or byte_before(time_end) != 58:
        return False
    time_end -= 1
    time = word_before(line.text, time_end)
    pid_end = trim_blanks(line.text, time)
    pid = word_before(line.text, pid_end)
    line.comm_end = trim_blanks(line.text, pid)
    if time == line.text or pid == line.text or line.comm_end == line.text:
        return False
    if parse_decimal(time, time_end, &line.number) != time_end or not parse_id(pid, pid_end, &line.pid):
        return False
    line.event, line.event_end = event, line.end - 1
    return True


cdef uint64_t count_lost(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """How many samples a note says were lost.

    Layout::

        dtrace: 32 drops on CPU 0
        dtrace: 1 aggregation drop on CPU 0
        dtrace: error on enabled probe ID 1 (ID 64091: profile:::profile-97): invalid address (0x0) in action #1

    Source: the messages of libdtrace's drop and error handlers. Other drops, as of dynamic variables, lose no stack.
    """
    cdef uint64_t number = 0
    if end - at < 9:
        return 0
    at += 8
    if begins(at, end, b"error on enabled probe ", 23):
        return 1
    at = parse_decimal(at, end, &number)
    if at is NULL:
        return 0
    at = skip_blanks(at, end)
    if begins(at, end, b"aggregation ", 12):
        at += 12
    return number if begins(at, end, b"drop", 4) else 0


cdef bint is_table(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """Whether a text is the heading of a distribution or one of its rows: a value, bars around a ``|``, a count."""
    cdef const unsigned char* bar
    if byte_before(end) == 116:
        return end - at > 40 and memcmp(end - 20, b" ------------- count", 20) == 0 and begins(at, end, b"value ", 6)
    if not is_digit(byte_before(end)):
        return False
    if begins(at, end, b"< ", 2) or begins(at, end, b">= ", 3):
        at = skip_blanks(skip_word(at, end), end)
    if at < end and at[0] == 45:
        at += 1
    bar = at
    while at < end and is_digit(at[0]):
        at += 1
    if at == bar:
        return False
    bar = <const unsigned char*>memchr(at, 124, end - at)
    if bar is NULL:
        return False
    while end > bar and is_digit(byte_before(end)):
        end -= 1
    while at < end and (is_blank(at[0]) or at[0] == 64 or at[0] == 124):
        at += 1
    return at == end


cdef bint read_address(const unsigned char* at, const unsigned char* end, uint64_t* address) noexcept nogil:
    """Read a text that is ``0x`` and up to 16 hex digits."""
    cdef uint64_t value = 0
    if end - at < 3 or end - at > 18 or at[0] != 48 or at[1] != 120:
        return False
    at += 2
    while at < end:
        if hex_value(at[0]) < 0:
            return False
        value = value << 4 | <uint64_t>hex_value(at[0])
        at += 1
    address[0] = value
    return True


cdef const unsigned char* cut_offset(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """The end of a name without its ``+0x...``; only hex digits to the very end are an offset."""
    cdef const unsigned char* digit = end
    while digit > at and hex_value(byte_before(digit)) >= 0:
        digit -= 1
    if digit < end and digit - at > 3 and memcmp(digit - 3, b"+0x", 3) == 0:
        return digit - 3
    return end


cdef void read_frame(const unsigned char* at, const unsigned char* end, DTraceFrame* frame) noexcept nogil:
    """Read a frame: a module is what stands before a backtick and holds no bracket, quote or slash.

    Layout::

        genunix`kmem_cache_free+0xce    unix`0xfffffffffb8001d6    0x7fff5fc01000
        StubRoutines (1)                [ ./f.py:3 (func_c) ]      (anon) as foo at path position 360

    Args:
        at, end: the text, without blanks around it.
        frame: set.
    """
    cdef const unsigned char* tick = <const unsigned char*>memchr(at, 96, end - at)
    cdef const unsigned char* byte = at
    frame.module = frame.module_end = NULL
    frame.address = 0
    if tick is not NULL and tick > at and tick + 1 < end:
        while byte < tick and memchr(b"()[]<>{}\"'/", byte[0], 11) is NULL:
            byte += 1
        if byte == tick:
            frame.module, frame.module_end = at, tick
            at = tick + 1
    frame.name = at
    frame.name_end = cut_offset(at, end)
    if read_address(at, frame.name_end, &frame.address):
        frame.name_end = at


cdef const unsigned char* find_trailing_count(
    const unsigned char* at, const unsigned char* end, uint64_t* number, bint* is_negative
) noexcept nogil:
    """The end of the keys on a line that ends in a count, two blanks or more before it; NULL where it does not.

    Layout: ``  bash                                                             5``, for keys that follow the stack.

    Args:
        at, end: the text, without blanks around it.
        number, is_negative: set to the count.
    """
    cdef const unsigned char* word = word_before(at, end)
    cdef const unsigned char* keys_end = trim_blanks(at, word)
    if keys_end == at or word - keys_end < 2 or not read_count(word, end, number, is_negative):
        return NULL
    return keys_end


cdef bint is_kernel_module(const unsigned char* module, size_t size) noexcept nogil:
    """Tell the modules that are the kernel itself: of illumos, macOS, FreeBSD and Linux.

    Layout: ``genunix unix mach_kernel kernel kernel.development com.apple.kec.pthread vmlinux vmlinux-5.4.17``.
    """
    cdef const unsigned char* end = module + size
    if size < 4:
        return False
    return (
        (size == 4 and memcmp(module, b"unix", 4) == 0)
        or (size == 7 and memcmp(module, b"genunix", 7) == 0)
        or (size == 11 and memcmp(module, b"mach_kernel", 11) == 0)
        or (begins(module, end, b"kernel", 6) and (size == 6 or module[6] == 46))
        or (begins(module, end, b"vmlinux", 7) and (size == 7 or module[7] == 45))
        or begins(module, end, b"com.apple.", 10)
    )
