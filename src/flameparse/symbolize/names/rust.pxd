"""Rust's mangled names as text."""

from libc.stdint cimport uint64_t

from flameparse.symbolize.names.name_text cimport NameText


cdef bint print_rust_v0(const unsigned char* name, uint64_t length, NameText* out) noexcept nogil
cdef bint print_rust_legacy(const unsigned char* name, uint64_t length, NameText* out) noexcept nogil
