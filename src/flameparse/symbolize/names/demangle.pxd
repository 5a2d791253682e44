"""Mangled names to the ones people wrote."""

from libc.stdint cimport uint32_t, uint64_t

from flameparse.symbolize.names.itanium_node cimport Node
from flameparse.symbolize.names.itanium_text cimport Printer
from flameparse.symbolize.names.name_text cimport NameText


cdef class Demangler:
    # The result of the last call, good until the next one.
    cdef unsigned char* text
    cdef uint64_t length

    cdef uint64_t max_bytes
    cdef uint64_t max_cxx_bytes
    cdef uint64_t max_text_bytes
    cdef uint64_t steps_per_byte
    cdef uint64_t capacity
    cdef Node* nodes
    cdef uint64_t node_capacity
    cdef uint32_t* substitutions
    cdef uint64_t substitution_capacity
    cdef NameText out
    cdef Printer printer

    # 1: demangled into text; 0: not a mangled name, text is the name itself (copied).
    cdef int demangle(self, const unsigned char* name, uint64_t length) except -1 nogil
    cdef void start(self, uint64_t length) noexcept nogil
    cdef int demangle_cxx(self, const unsigned char* name, uint64_t length) except -1 nogil
