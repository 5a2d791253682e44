"""The numbers of perf's binary records, and where the words of a record stand.

Layout of every record: u32 type, u16 misc, u16 size, body; size counts these 8 bytes too.
Source: struct perf_event_header, enum perf_event_type and enum perf_event_sample_format,
include/uapi/linux/perf_event.h; enum perf_user_event_type, tools/lib/perf/include/perf/event.h.
"""

from libc.stdint cimport uint64_t


cdef enum:
    RECORD_HEADER_BYTES = 8


cdef enum RecordType:
    RECORD_MMAP = 1
    RECORD_LOST = 2
    RECORD_COMM = 3
    RECORD_EXIT = 4
    RECORD_THROTTLE = 5
    RECORD_FORK = 7
    RECORD_SAMPLE = 9
    RECORD_MMAP2 = 10
    RECORD_LOST_SAMPLES = 13
    RECORD_KSYMBOL = 17
    FIRST_USER_RECORD = 64
    USER_FINISHED_ROUND = 68
    # perf's own types end below 100, simpleperf's begin at 32768; what is past these is no record but other bytes.
    RECORD_TYPE_END = 65536


cdef enum Misc:
    MISC_CPUMODE = 7
    MISC_MMAP_DATA = 1 << 13        # of MMAP
    MISC_COMM_EXEC = 1 << 13        # of COMM
    MISC_FORK_EXEC = 1 << 13        # of FORK: synthesised
    MISC_MMAP_BUILD_ID = 1 << 14    # of MMAP2
    MISC_LOST_BY_BPF = 1 << 15      # of LOST_SAMPLES: a filter dropped them


cdef enum CpuMode:
    CPUMODE_UNKNOWN = 0
    CPUMODE_KERNEL = 1
    CPUMODE_USER = 2
    CPUMODE_HYPERVISOR = 3
    CPUMODE_GUEST_KERNEL = 4
    CPUMODE_GUEST_USER = 5


cdef enum SampleBit:
    SAMPLE_IP = 1 << 0
    SAMPLE_TID = 1 << 1
    SAMPLE_TIME = 1 << 2
    SAMPLE_ADDR = 1 << 3
    SAMPLE_READ = 1 << 4
    SAMPLE_CALLCHAIN = 1 << 5
    SAMPLE_ID = 1 << 6
    SAMPLE_CPU = 1 << 7
    SAMPLE_PERIOD = 1 << 8
    SAMPLE_STREAM_ID = 1 << 9
    SAMPLE_RAW = 1 << 10
    SAMPLE_BRANCH_STACK = 1 << 11
    SAMPLE_REGS_USER = 1 << 12
    SAMPLE_STACK_USER = 1 << 13
    SAMPLE_WEIGHT = 1 << 14
    SAMPLE_DATA_SRC = 1 << 15
    SAMPLE_IDENTIFIER = 1 << 16
    SAMPLE_TRANSACTION = 1 << 17
    SAMPLE_REGS_INTR = 1 << 18
    SAMPLE_PHYS_ADDR = 1 << 19
    SAMPLE_AUX = 1 << 20
    SAMPLE_CGROUP = 1 << 21
    SAMPLE_DATA_PAGE_SIZE = 1 << 22
    SAMPLE_CODE_PAGE_SIZE = 1 << 23
    SAMPLE_WEIGHT_STRUCT = 1 << 24
    SAMPLE_BIT_END = 1 << 25        # what later kernels add stands at the end of a sample
    # Of these, what stands behind the call chain.
    SAMPLE_BEHIND_CHAIN = 0x1FEFC00


cdef enum ReadBit:
    READ_TIME_ENABLED = 1 << 0
    READ_TIME_RUNNING = 1 << 1
    READ_ID = 1 << 2
    READ_GROUP = 1 << 3
    READ_LOST = 1 << 4


cdef enum BranchBit:
    BRANCH_CALL_STACK = 1 << 11
    BRANCH_HW_INDEX = 1 << 17
    BRANCH_COUNTERS = 1 << 19


cdef enum AttrFlag:
    ATTR_SAMPLE_ID_ALL = 1 << 18


cdef extern from *:
    """
    #define FP_CONTEXT_FIRST ((uint64_t)-4095)
    #define FP_CONTEXT_HYPERVISOR ((uint64_t)-32)
    #define FP_CONTEXT_KERNEL ((uint64_t)-128)
    #define FP_CONTEXT_USER ((uint64_t)-512)
    #define FP_CONTEXT_USER_DEFERRED ((uint64_t)-640)
    """
    # Values of a call chain from the first of these on are no addresses: they say what mode the ones after them are of.
    const uint64_t CONTEXT_FIRST "FP_CONTEXT_FIRST"
    const uint64_t CONTEXT_HYPERVISOR "FP_CONTEXT_HYPERVISOR"
    const uint64_t CONTEXT_KERNEL "FP_CONTEXT_KERNEL"
    const uint64_t CONTEXT_USER "FP_CONTEXT_USER"
    const uint64_t CONTEXT_USER_DEFERRED "FP_CONTEXT_USER_DEFERRED"
