"""What a recording says beside samples: which code was where, which thread was called what, from when on."""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t


cdef enum SideKind:
    SIDE_MAP = 0          # pid maps [start, start + size) of a file from file_offset on
    SIDE_COMM = 1         # tid of pid is called name
    SIDE_FORK = 2         # tid of pid was made by parent_tid of parent_pid
    SIDE_EXIT = 3
    SIDE_KERNEL_SYMBOL = 4  # the kernel (pid -1) has one function called name at [start, start + size), or loses it
    SIDE_CODE_LOAD = 5    # pid has one function called name at [start, start + size)


cdef enum SideFlag:
    SIDE_IS_DATA = 1      # a mapping that is not executable
    SIDE_IS_EXEC = 2      # a comm set by exec
    SIDE_IS_UNLOAD = 4    # a kernel symbol that goes away
    SIDE_KEEPS_NO_MAPS = 8  # a synthesised fork: the child does not inherit the parent's mappings
    SIDE_IS_HUGE = 16     # MAP_HUGETLB: the name says nothing


cdef struct SideEvent:
    uint64_t time         # of the trace's clock; 0: valid from the start
    uint64_t sequence     # place in the stream of records; orders events, and samples, of equal time
    uint64_t start
    uint64_t size
    uint64_t file_offset
    uint64_t device       # major << 32 | minor
    uint64_t inode
    int32_t pid
    int32_t tid
    int32_t parent_pid
    int32_t parent_tid
    uint32_t name         # string id: path, comm or symbol
    uint32_t build_id     # string id of the raw bytes, or NONE_ID; of a code load, of the path of its dump
    uint8_t kind          # SideKind
    uint8_t flags         # SideFlag
    uint8_t cpumode       # of the record: 1 kernel, 2 user, 4 and 5 guest


cdef class SideEvents:
    cdef SideEvent* rows
    cdef readonly uint64_t count
    cdef uint64_t capacity

    cdef int append(self, SideEvent event) except -1 nogil
    cdef int sort(self) except -1 nogil
