from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from flameparse.model.hash_index cimport HashIndex


cdef enum:
    UNKNOWN_CPU = -1


cdef extern from *:
    """
    #define FP_UNKNOWN_TIME INT64_MIN
    """
    const int64_t UNKNOWN_TIME "FP_UNKNOWN_TIME"


cdef struct Sample:
    int64_t time_ns   # UNKNOWN_TIME where the input has none
    uint64_t period   # 1 where the input has none
    uint32_t stack    # stack id, or NONE_ID for a sample without frames
    uint32_t thread
    uint32_t event
    int32_t cpu       # UNKNOWN_CPU where the input has none


cdef struct Total:
    uint64_t samples
    uint64_t period
    uint32_t event
    uint32_t thread   # NONE_ID where a pass dropped the root, or folded text has no threads
    uint32_t stack


cdef class SampleTable:
    cdef Sample* timeline
    cdef readonly uint64_t timeline_count
    cdef uint64_t timeline_capacity
    cdef readonly bint keeps_timeline
    cdef Total* totals
    cdef readonly uint32_t total_count
    cdef uint64_t total_capacity
    cdef HashIndex index
    cdef readonly uint64_t samples_seen
    cdef readonly uint64_t outside_window
    cdef readonly uint64_t on_other_cpus
    cdef readonly uint64_t impossible_periods  # no event counts past 2**63 - 1: a torn or hostile line
    cdef readonly int64_t first_time_ns
    cdef readonly int64_t last_time_ns
    cdef int64_t from_ns
    cdef int64_t to_ns
    cdef bint from_is_relative
    cdef bint to_is_relative
    cdef bint has_window
    cdef object cpu_filter
    cdef const uint8_t* allowed_cpus
    cdef Py_ssize_t allowed_cpu_count

    cdef int add(self, Sample sample, uint32_t* row_hint) except -1 nogil
    cdef int add_to_timeline(self, Sample sample) except -1 nogil
    cdef void take_account(self, SampleTable other) noexcept nogil
    cdef int64_t add_total(self, Total total) except -1 nogil
    cdef int append_total(self, Total total) except -1 nogil
    cdef int open_window(self, int64_t first_time_ns) except -1 nogil
