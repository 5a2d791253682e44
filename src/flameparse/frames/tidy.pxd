from libc.stdint cimport uint64_t


cdef enum NameStyle:
    NAME_RAW = 0
    NAME_TIDY = 1
    NAME_STACKCOLLAPSE = 2
    NAME_INFERNO = 3
    NAME_DTRACE_STACKCOLLAPSE = 4
    NAME_DTRACE_INFERNO = 5


cdef struct Naming:
    # What the input says of the frame being named, borrowed for one call.
    const unsigned char* module
    size_t module_len
    bint has_module
    uint64_t address
    const unsigned char* address_text
    size_t address_text_len
    int kind
    bint java_root


cdef class FrameNamer:
    cdef NameStyle style
    cdef bint addrs
    cdef bint annotate_kernel
    cdef bint annotate_jit
    cdef bint modules
    cdef Naming frame
    cdef unsigned char* buffer      # the printed names of the last frame, end to end
    cdef size_t used
    cdef uint64_t capacity
    cdef unsigned char* repaired    # a Rust name with its escapes undone, before it is split
    cdef uint64_t repaired_capacity
    cdef size_t* part_start         # one row per printed frame
    cdef size_t* part_len
    cdef int* part_kind
    cdef size_t part_count
    cdef uint64_t part_capacity

    cdef int name(
        self, const unsigned char* symbol, size_t symbol_len, const unsigned char* module, size_t module_len,
        bint has_module, uint64_t address, const unsigned char* address_text, size_t address_text_len, int kind,
        bint java_root,
    ) except -1 nogil
    cdef int name_tidy(self, const unsigned char* text, size_t size) except -1 nogil
    cdef int put_tidy(self, const unsigned char* text, size_t size) noexcept nogil
    cdef int name_compat(self, const unsigned char* text, size_t size) except -1 nogil
    cdef int put_compat(self, const unsigned char* text, size_t size) noexcept nogil
    cdef int open_part(self, size_t size, int kind) except -1 nogil
    cdef int close_part(self) noexcept nogil
    cdef int put(self, const unsigned char* text, size_t size) noexcept nogil
    cdef int put_unknown(self) noexcept nogil
    cdef int name_dtrace(self, const unsigned char* text, size_t size) except -1 nogil
    cdef int put_module(self) noexcept nogil
    cdef char annotation(self) noexcept nogil
