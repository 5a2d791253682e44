from libc.stdint cimport int32_t, int64_t, uint64_t


cdef enum Dialect:
    DIALECT_NATIVE = 0
    DIALECT_STACKCOLLAPSE = 1
    DIALECT_INFERNO = 2


cdef enum HeaderKind:
    NOT_A_HEADER = 0
    SAMPLE_HEADER = 1
    RECORD_LINE = 2   # a PERF_RECORD_* line that perf prints between samples


cdef struct Header:
    const unsigned char* comm        # NULL where the line has none
    const unsigned char* comm_end
    const unsigned char* event       # NULL where the line has none
    const unsigned char* event_end
    const unsigned char* rest        # what follows the event
    const unsigned char* thread_end  # end of comm, pid, tid, cpu: what repeats from sample to sample
    int64_t time_ns                  # UNKNOWN_TIME where the line has none
    uint64_t period                  # 1 where the line has none
    bint has_period
    int32_t pid                      # UNKNOWN_ID where the line has none
    int32_t tid
    int32_t cpu


cdef int parse_header(
    const unsigned char* at, const unsigned char* end, int dialect, bint anchored_only, Header* header
) noexcept nogil
cdef void parse_thread(const unsigned char* at, const unsigned char* end, Header* header) noexcept nogil
cdef const unsigned char* find_frame(
    const unsigned char* at, const unsigned char* end, const unsigned char** frame_end
) noexcept nogil
