"""C++ names as g++ and clang mangle them, read into a graph."""

from libc.stdint cimport uint32_t

from flameparse.symbolize.names.itanium_parser cimport Parser


cdef uint32_t parse_itanium(Parser* parser) noexcept nogil
