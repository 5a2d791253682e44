"""Mangled names to the ones people wrote."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcpy

from flameparse.model.growth cimport reserve
from flameparse.symbolize.names.itanium_name cimport parse_itanium
from flameparse.symbolize.names.itanium_node cimport Node
from flameparse.symbolize.names.itanium_parser cimport Parser
from flameparse.symbolize.names.itanium_text cimport print_itanium
from flameparse.symbolize.names.ocaml_java cimport print_java, print_ocaml
from flameparse.symbolize.names.rust cimport print_rust_legacy, print_rust_v0

from flameparse import limits

cdef enum:
    # perf 6.1 leaves longer names of C++ as they are.
    PERF_MAX_CXX_BYTES = 1024


def demangle(bytes name not None):
    """Return a mangled name of C++, Rust, OCaml or Java as its source spells it, and any other name itself."""
    return Demangler().text_of(name)


cdef class Demangler:
    """Gives mangled names the spelling of their source; one per thread.

    Functions are written as perf writes them: without parameters, results, hashes and the marks of clones
    (`[clone .cold]`), but with template arguments. Names that are no mangled ones, or nonsense, stay as they are.

    Args:
        rules: ``"perf-6.1"``: each name as perf 6.1 prints it, which knows the C++ of 2022 and no names of more than
            1,024 bytes, and is a byte off in large numbers of Rust. ``"precise"``: whatever we can read.
    """

    def __cinit__(self, str rules not None="precise"):
        self.out.as_perf = rules == "perf-6.1"
        self.out.max_depth = limits.MAX_MANGLED_DEPTH
        self.max_text_bytes = limits.MAX_NAME_BYTES
        self.max_bytes = limits.MAX_MANGLED_BYTES
        self.max_cxx_bytes = min(self.max_bytes, <uint64_t> PERF_MAX_CXX_BYTES) if self.out.as_perf else self.max_bytes
        self.steps_per_byte = limits.MAX_STEPS_PER_MANGLED_BYTE

    def __dealloc__(self):
        free(self.text)
        free(self.nodes)
        free(self.substitutions)

    def text_of(self, bytes name not None):
        """Return a mangled name as its source spells it, and any other name itself."""
        self.demangle(name, len(name))
        return self.text[:self.length]

    cdef int demangle(self, const unsigned char* name, uint64_t length) except -1 nogil:
        """Write a name into `text` as its source spells it.

        Args:
            name: the name; kept by nobody.
            length: its length in bytes.

        Returns:
            1, or 0 where the name is not a mangled one: then `text` is the name itself.

        Raises:
            MemoryError: the allocator refused.
        """
        cdef bint is_mangled = False
        reserve(<void**> &self.text, &self.capacity, max(length, self.max_text_bytes), 1)
        if 3 < length <= self.max_bytes:
            self.start(length)
            if name[0] != c"_":
                is_mangled = print_ocaml(name, length, &self.out)
            elif name[1] == c"R":
                is_mangled = print_rust_v0(name, length, &self.out)
            elif name[1] == c"Z" and name[2] == c"N":
                is_mangled = print_rust_legacy(name, length, &self.out)
            if not is_mangled and name[0] == c"_" and length <= self.max_cxx_bytes:
                is_mangled = self.demangle_cxx(name, length)
            if not is_mangled and memchr(name, c")", length) is not NULL:
                self.start(length)
                is_mangled = print_java(name, length, &self.out)
        if is_mangled:
            self.length = self.out.length
        else:
            memcpy(self.text, name, length)
            self.length = length
        return is_mangled

    cdef void start(self, uint64_t length) noexcept nogil:
        """Empty the text."""
        self.out.text = self.text
        self.out.length = 0
        self.out.limit = self.max_text_bytes
        self.out.steps = <uint32_t> (self.steps_per_byte * length)
        self.out.last = 0
        self.out.failed = False

    cdef int demangle_cxx(self, const unsigned char* name, uint64_t length) except -1 nogil:
        """Write a name of C++; 0 where it is none."""
        cdef Parser parser
        cdef uint32_t node
        if name[1] != c"Z" and name[1] != c"G":
            return 0
        reserve(<void**> &self.nodes, &self.node_capacity, 4 * length, sizeof(Node))
        reserve(<void**> &self.substitutions, &self.substitution_capacity, length, sizeof(uint32_t))
        parser.as_perf = self.out.as_perf
        parser.max_depth = self.out.max_depth
        parser.at = name
        parser.end = name + length
        parser.nodes = self.nodes
        parser.node_limit = <uint32_t> (4 * length)
        parser.substitutions = self.substitutions
        parser.substitution_limit = <uint32_t> length
        node = parse_itanium(&parser)
        if node == 0:
            return 0
        self.start(length)
        self.printer.nodes = self.nodes
        self.printer.out = &self.out
        return print_itanium(&self.printer, node)
