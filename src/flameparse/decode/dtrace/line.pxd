from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t


cdef enum LineKind:
    BLANK_LINE = 0
    NUMBER_LINE = 1     # a count, or a key that is a number
    HEADING_LINE = 2    # CPU     ID                    FUNCTION:NAME
    BANNER_LINE = 3     # which probe fired
    TICK_LINE = 4       # the head of a sample that is not aggregated
    NOTE_LINE = 5       # what dtrace says of itself
    TABLE_LINE = 6      # of a distribution, as quantize() and lquantize() print it
    TEXT_LINE = 7       # a frame or keys


cdef struct DTraceLine:
    int kind
    uint64_t indent               # blanks before the text
    const unsigned char* text
    const unsigned char* end      # of the text, blanks cut
    uint64_t number               # of a number, without its sign; of a tick, milliseconds; of a note, samples lost
    bint is_negative
    const unsigned char* event    # of a banner or a tick: the probe's name
    const unsigned char* event_end
    const unsigned char* comm_end # of a tick; the comm begins the text
    int64_t pid                   # of a tick
    int32_t cpu                   # of a banner


cdef struct DTraceFrame:
    const unsigned char* module   # NULL where there is none
    const unsigned char* module_end
    const unsigned char* name     # name == name_end: only the address is known
    const unsigned char* name_end
    uint64_t address


cdef void read_line(const unsigned char* at, const unsigned char* end, DTraceLine* line) noexcept nogil
cdef void read_frame(const unsigned char* at, const unsigned char* end, DTraceFrame* frame) noexcept nogil
cdef const unsigned char* cut_offset(const unsigned char* at, const unsigned char* end) noexcept nogil
cdef const unsigned char* find_trailing_count(
    const unsigned char* at, const unsigned char* end, uint64_t* number, bint* is_negative
) noexcept nogil
cdef bint read_count(
    const unsigned char* at, const unsigned char* end, uint64_t* number, bint* is_negative
) noexcept nogil
cdef bint is_kernel_module(const unsigned char* module, size_t size) noexcept nogil
