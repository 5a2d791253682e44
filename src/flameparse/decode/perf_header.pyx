"""The line that opens a sample in ``perf script`` text.

Every field but one can be missing, and the comm may hold anything, blanks, brackets and colons included; so the
line is read from its time stamp outwards::

    [VM:%5d VCPU:%03d] comm pid[/tid] [cpu] misc tod sec.frac: period event: rest
                                                     ^^^^^^^^^ anchor

Source: the start-of-sample printer of perf's builtin-script.c, as seen in perf 3.x to 6.x output.
"""

from libc.stdint cimport UINT64_MAX, int32_t, int64_t, uint64_t
from libc.string cimport memchr, memcmp

from flameparse.model.sample_table cimport UNKNOWN_CPU, UNKNOWN_TIME
from flameparse.model.thread_table cimport UNKNOWN_ID
from flameparse.scan.line_scan cimport (
    byte_before, hex_value, is_blank, is_digit, parse_decimal, parse_id, skip_blanks, skip_word, trim_blanks,
)


cdef enum:
    MAX_COMM_NUMBERS = 32  # words of a comm that could be ids


cdef const unsigned char* word_start(const unsigned char* begin, const unsigned char* end) noexcept nogil:
    """Where the last word of a text begins."""
    while end > begin and not is_blank(byte_before(end)):
        end -= 1
    return end


cdef bint is_misc(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """Whether a word is the letters of ``-F +misc``: cpu mode, then E, S, Sp."""
    if at == end or end - at > 6:
        return False
    while at < end:
        if memchr(b"KUHGguhMDEFSTLBp", at[0], 16) is NULL:
            return False
        at += 1
    return True


cdef bint is_date(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """Whether a word is the ``yyyy-mm-dd`` of ``-F +tod``."""
    return end - at == 10 and at[4] == 45 and at[7] == 45 and is_digit(at[0]) and is_digit(at[9])


cdef const unsigned char* find_time(
    const unsigned char* begin, const unsigned char* end, const unsigned char** colon, int64_t* time_ns
) noexcept nogil:
    """Find the time: a word ``digits.digits:`` with six or nine digits after the point; its start, or NULL.

    It is the first such word after an id, a cpu or misc letters, so that a comm that looks like one is not taken; where
    no field stands before any, it is the first of all.
    """
    cdef const unsigned char* at = begin
    cdef const unsigned char* point
    cdef const unsigned char* first
    cdef const unsigned char* before
    cdef const unsigned char* found = NULL
    cdef uint64_t seconds, fraction
    cdef bint follows_field
    while True:
        at = <const unsigned char*>memchr(at, 58, end - at)
        if at is NULL:
            return found
        point = at
        while point > begin and is_digit(byte_before(point)):
            point -= 1
        if (at - point == 6 or at - point == 9) and point > begin and byte_before(point) == 46:
            point -= 1
            first = point
            while first > begin and is_digit(byte_before(first)):
                first -= 1
            if (
                first < point
                and (first == begin or is_blank(byte_before(first)))
                and (at + 1 == end or is_blank(at[1]))
                and parse_decimal(first, point, &seconds) is not NULL and seconds < 9000000000u
            ):
                before = trim_blanks(begin, first)
                follows_field = before > begin and (
                    is_digit(byte_before(before)) or byte_before(before) == 93
                    or is_misc(word_start(begin, before), before)
                )
                if found is NULL or follows_field:
                    parse_decimal(point + 1, at, &fraction)
                    time_ns[0] = seconds * 1000000000 + (fraction if at - point == 10 else fraction * 1000)
                    colon[0] = at
                    found = first
                if follows_field:
                    return found
        at += 1


cdef const unsigned char* take_cpu(
    const unsigned char* begin, const unsigned char* end, int32_t* cpu
) noexcept nogil:
    """Read a ``[cpu]`` at the end of a text; the end of what is before it."""
    cdef const unsigned char* word = word_start(begin, end)
    cdef int64_t number
    if end - word >= 5 and word[0] == 91 and byte_before(end) == 93 and parse_id(word + 1, end - 1, &number):
        cpu[0] = <int32_t>number
        return trim_blanks(begin, word)
    return end


cdef bint parse_ids(const unsigned char* at, const unsigned char* end, Header* header) noexcept nogil:
    """Read ``tid`` or ``pid/tid``; whether the text is that and nothing else."""
    cdef const unsigned char* slash = <const unsigned char*>memchr(at, 47, end - at)
    cdef int64_t pid = UNKNOWN_ID
    cdef int64_t tid
    if slash is not NULL:
        if not parse_id(at, slash, &pid):
            return False
        at = slash + 1
    if not parse_id(at, end, &tid):
        return False
    header.pid = <int32_t>pid
    header.tid = <int32_t>tid
    return True


cdef const unsigned char* skip_guest(const unsigned char* at, const unsigned char* end) noexcept nogil:
    """Step over ``VM:%5d VCPU:%03d``, which perf prints before the comm of a guest's sample."""
    cdef const unsigned char* next
    cdef uint64_t number
    next = skip_blanks(at, end)
    if end - next < 10 or memcmp(next, b"VM:", 3) != 0:
        return at
    next = parse_decimal(skip_blanks(next + 3, end), end, &number)
    if next is NULL:
        return at
    next = skip_blanks(next, end)
    if end - next < 6 or memcmp(next, b"VCPU:", 5) != 0:
        return at
    next = parse_decimal(next + 5, end, &number)
    return at if next is NULL else next


cdef void parse_thread(const unsigned char* at, const unsigned char* end, Header* header) noexcept nogil:
    """Read comm, ids, cpu and misc letters: all that stands before the time.

    Args:
        at: start of the line.
        end: where the time, or what replaces it, begins.
        header: its ``comm``, ``pid``, ``tid`` and ``cpu`` are set.
    """
    cdef const unsigned char* word
    cdef const unsigned char* before
    at = skip_blanks(skip_guest(at, end), end)
    end = trim_blanks(at, end)
    header.cpu = UNKNOWN_CPU
    header.pid = header.tid = UNKNOWN_ID
    word = word_start(at, end)
    before = trim_blanks(at, word)
    if end - word >= 12 and is_digit(word[0]) and word[2] == 58 and is_date(word_start(at, before), before):
        end = trim_blanks(at, word_start(at, before))
        word = word_start(at, end)
        before = trim_blanks(at, word)
    if is_misc(word, end) and before > at and (byte_before(before) == 93 or is_digit(byte_before(before))):
        end = before
    end = take_cpu(at, end, &header.cpu)
    word = word_start(at, end)
    if parse_ids(word, end, header):
        end = trim_blanks(at, word)
    header.comm = at if end > at else NULL
    header.comm_end = end


cdef int parse_event(const unsigned char* at, const unsigned char* end, Header* header) noexcept nogil:
    """Read ``period event: rest``, each of them optional; a HeaderKind.

    An event may be a tracepoint with arguments behind it or, named by the user, hold blanks: then the line must end in
    its colon. Text that is neither an event nor a frame is no header but, most likely, the torn start of one.
    """
    cdef const unsigned char* word_end
    cdef const unsigned char* next
    cdef uint64_t number
    at = skip_blanks(at, end)
    header.event = header.event_end = NULL
    header.has_period = False
    header.period = 1
    header.rest = at
    if end - at > 12 and memcmp(at, b"PERF_RECORD_", 12) == 0:
        return RECORD_LINE
    word_end = skip_word(at, end)
    next = at
    while next < word_end and is_digit(next[0]):
        next += 1
    if next == word_end and next > at:
        if parse_decimal(at, word_end, &number) is NULL:
            number = UINT64_MAX
        next = skip_blanks(word_end, end)
        # A number before an event is the period; before anything else it is a bare address.
        if next == end or byte_before(skip_word(next, end)) == 58 or byte_before(trim_blanks(next, end)) == 58:
            header.period = number
            header.has_period = True
            at = next
            word_end = skip_word(at, end)
    if word_end - at < 2 or byte_before(word_end) != 58:
        word_end = trim_blanks(at, end)
    if word_end - at > 1 and byte_before(word_end) == 58:
        header.event = at
        header.event_end = word_end - 1
        header.rest = word_end
        return SAMPLE_HEADER
    return SAMPLE_HEADER if at == word_end or find_frame(header.rest, word_end, &next) is not NULL else NOT_A_HEADER


cdef const unsigned char* find_frame(
    const unsigned char* at, const unsigned char* end, const unsigned char** frame_end
) noexcept nogil:
    """Find the frame that perf prints behind the event where there is no call graph.

    Before it may stand a tracepoint's arguments or ``-F +addr``, behind it ``-F +insn`` or the target of a branch. The
    address is the last one that, right-aligned in 16 columns, has a blank before it; or all that follows is a frame
    with its module.

    Args:
        at: behind the event's colon, its blanks included.
        end: of the line.
        frame_end: set to the end of the frame.

    Returns:
        Its first blank or digit, or NULL.
    """
    cdef const unsigned char* digit
    cdef const unsigned char* word
    cdef const unsigned char* found = NULL
    digit = at
    while digit + 4 <= end:
        if memcmp(digit, b" => ", 4) == 0:
            end = digit
            break
        digit += 1
    digit = end
    while digit > at and (hex_value(byte_before(digit)) >= 0 or byte_before(digit) == 32):
        digit -= 1
    # "insn:" and its bytes, "ilen:" and its number.
    while digit - at > 6 and (memcmp(digit - 6, b" insn:", 6) == 0 or memcmp(digit - 6, b" ilen:", 6) == 0):
        digit -= 6
        end = digit
        while digit > at and (hex_value(byte_before(digit)) >= 0 or byte_before(digit) == 32):
            digit -= 1
    end = trim_blanks(at, end)
    frame_end[0] = end
    digit = at
    while digit < end:
        word = digit
        while digit < end and digit[0] == 32:
            digit += 1
        if digit > word and digit < end:
            while digit < end and hex_value(digit[0]) >= 0:
                digit += 1
            if digit < end and digit[0] == 32 and digit - word >= 17 and byte_before(digit) != 32:
                found = word
                continue
        while digit < end and digit[0] != 32:
            digit += 1
    if found is NULL and end > at and byte_before(end) == 41:
        word = skip_blanks(at, end)
        digit = word
        while digit < end and hex_value(digit[0]) >= 0:
            digit += 1
        if digit > word and digit - word <= 16 and digit < end and is_blank(digit[0]):
            found = at
    return found


cdef int parse_without_time(const unsigned char* at, const unsigned char* end, Header* header) noexcept nogil:
    """Read a header with no time: ``comm pid[/tid] [cpu] period event:``, or as much of that as there is.

    Without an event the line must end in the blank that perf ends every field with, or any text with a number last
    would do.
    """
    cdef const unsigned char* begin = at
    cdef const unsigned char* word
    cdef const unsigned char* word_end
    cdef const unsigned char* next
    cdef const unsigned char* next_end
    cdef int64_t number
    cdef int kind
    cdef int tries = 0
    header.time_ns = UNKNOWN_TIME
    word = skip_blanks(skip_guest(at, end), end)
    # Each try reads the whole line.
    while word < end and tries < MAX_COMM_NUMBERS:
        word_end = skip_word(word, end)
        if parse_ids(word, word_end, header):
            tries += 1
            header.thread_end = word_end
            next = skip_blanks(word_end, end)
            next_end = skip_word(next, end)
            if (
                next_end - next >= 5 and next[0] == 91 and byte_before(next_end) == 93
                and parse_id(next + 1, next_end - 1, &number)
            ):
                header.thread_end = next_end
                next = skip_blanks(next_end, end)
            kind = parse_event(next, end, header)
            if kind == RECORD_LINE:
                return kind
            if kind == SAMPLE_HEADER and (
                is_blank(byte_before(end)) if header.event is NULL
                else skip_blanks(header.rest, end) == end or find_frame(header.rest, end, &next) is not NULL
            ):
                parse_thread(begin, header.thread_end, header)
                return SAMPLE_HEADER
        word = skip_blanks(word_end, end)
    return NOT_A_HEADER


cdef void reread_as_stackcollapse(const unsigned char* begin, const unsigned char* end, Header* header) noexcept nogil:
    """Take the fields as stackcollapse-perf.pl does, where it sees a header.

    The comm is at least two bytes and ends before the first blanks, digits, optional ``/digits``, blank. Event and
    period exist only if the line ends in ``: [period] event:``; a period of 0 counts 1.
    """
    cdef const unsigned char* at
    cdef const unsigned char* word
    cdef const unsigned char* slash
    cdef uint64_t number
    cdef int64_t id
    if begin == end or is_blank(begin[0]):
        return
    at = begin + 2
    while at < end:
        word = skip_blanks(at, end)
        if word > at and word < end and is_digit(word[0]):
            slash = word
            while slash < end and is_digit(slash[0]):
                slash += 1
            header.pid = UNKNOWN_ID
            header.tid = <int32_t>id if parse_id(word, slash, &id) else 0
            word = slash
            while word < end and word[0] == 47:
                word += 1
            if word < end and is_digit(word[0]):
                header.pid = header.tid
                slash = word
                while word < end and is_digit(word[0]):
                    word += 1
                header.tid = <int32_t>id if parse_id(slash, word, &id) else 0
            if word < end and is_blank(word[0]):
                header.comm = begin
                header.comm_end = at
                break
        at = max(at + 1, word)
    else:
        return
    header.event = header.event_end = NULL
    header.has_period = False
    header.period = 1
    end = trim_blanks(begin, end)
    if end - begin < 4 or byte_before(end) != 58:
        return
    word = word_start(begin, end)
    at = trim_blanks(begin, word)
    slash = at
    while slash > begin and is_digit(byte_before(slash)):
        slash -= 1
    if word == at or word + 1 == end:
        return
    if trim_blanks(begin, slash) > begin and byte_before(trim_blanks(begin, slash)) == 58:
        header.event = word
        header.event_end = end - 1
        if slash < at and parse_decimal(slash, at, &number) == at and number:
            header.period = number
            header.has_period = True


cdef void reread_as_inferno(const unsigned char* begin, const unsigned char* end, Header* header) noexcept nogil:
    """Take the fields as inferno-collapse-perf does, where it sees a header.

    Words are parted by single spaces; the first that is all digits, or digits with a slash, and not at the start ends
    the comm. The event is the last word before the second colon after it, cut at its first colon; the period is the
    word one space before that, so a padded event has none.
    """
    cdef const unsigned char* word = begin
    cdef const unsigned char* at = begin
    cdef const unsigned char* slash = NULL
    cdef const unsigned char* colon
    cdef const unsigned char* event
    cdef uint64_t number
    cdef int64_t id
    cdef bint digits = True
    while True:
        if at == end:
            return
        if at[0] == 32:
            if digits and at > word and word > begin:
                break
            word = at + 1
            digits = True
            slash = NULL
        elif at[0] == 47:
            if digits:
                slash = at
        elif not is_digit(at[0]):
            digits = False
        at += 1
    header.pid = UNKNOWN_ID
    if slash is not NULL:
        header.pid = <int32_t>id if parse_id(word, slash, &id) else 0
        word = slash + 1
    header.tid = <int32_t>id if parse_id(word, at, &id) else 0
    word = slash if slash is not NULL else word
    while word > begin and byte_before(word) != 32:
        word -= 1
    header.comm = skip_blanks(begin, word)
    header.comm_end = trim_blanks(header.comm, word)
    header.event = header.event_end = NULL
    header.has_period = False
    header.period = 1
    colon = <const unsigned char*>memchr(at, 58, end - at)
    if colon is NULL:
        return
    event = colon + 1
    colon = <const unsigned char*>memchr(event, 58, end - event)
    if colon is NULL:
        # No time: what stands before the only colon.
        colon = event - 1
        event = at
    word = event
    event = trim_blanks(event, colon)
    while event > word and byte_before(event) != 32:
        event -= 1
    header.event = event
    header.event_end = colon
    if event > word:
        at = event - 1
        while at > word and byte_before(at) != 32:
            at -= 1
        if at < event - 1 and parse_decimal(at, event - 1, &number) == event - 1:
            header.period = number
            header.has_period = True


cdef int parse_header(
    const unsigned char* at, const unsigned char* end, int dialect, bint anchored_only, Header* header
) noexcept nogil:
    """Read a line that may open a sample.

    Three of them::

        V8 WorkerThread 1201/1207  [001]  1405.905167:    1001001 cpu-clock:u:
        perf  7313 [000]  1402.816090: sched:sched_switch: prev_comm=perf prev_pid=7313
        java 19983 cycles:

    Args:
        at, end: the line without its end.
        dialect: whose reading of comm, ids, event and period to take.
        anchored_only: accept only a header with a time.
        header: filled where the result is SAMPLE_HEADER; with RECORD_LINE only ``rest`` is.

    Returns:
        A HeaderKind.
    """
    cdef const unsigned char* colon
    cdef const unsigned char* time = find_time(at, end, &colon, &header.time_ns)
    cdef int kind
    if time is not NULL:
        kind = parse_event(colon + 1, end, header)
        if kind == SAMPLE_HEADER:
            header.thread_end = time
            if dialect == DIALECT_NATIVE:
                # The caller reads the thread, if it has not read these very bytes before.
                return kind
            parse_thread(at, time, header)
    elif anchored_only:
        return NOT_A_HEADER
    else:
        kind = parse_without_time(at, end, header)
    if kind == SAMPLE_HEADER:
        if dialect == DIALECT_STACKCOLLAPSE:
            reread_as_stackcollapse(at, end, header)
        elif dialect == DIALECT_INFERNO:
            reread_as_inferno(at, end, header)
    return kind
