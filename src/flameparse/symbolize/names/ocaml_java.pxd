"""Mangled names of OCaml and of Java methods as text."""

from libc.stdint cimport uint64_t

from flameparse.symbolize.names.name_text cimport NameText


cdef bint print_ocaml(const unsigned char* name, uint64_t length, NameText* out) noexcept nogil
cdef bint print_java(const unsigned char* name, uint64_t length, NameText* out) noexcept nogil
