"""Names of address ranges: one type for ELF files, kallsyms and perf maps."""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from flameparse.symbolize.lookup_tree cimport LookupTree
from flameparse.symbolize.names.demangle cimport Demangler


cdef enum SymbolBinding:
    BIND_LOCAL = 0
    BIND_GLOBAL = 1
    BIND_WEAK = 2


cdef struct Symbol:
    uint64_t start
    uint64_t end          # past the last byte; equal to start where the source gives no size
    uint64_t name         # place in the table's names
    uint32_t name_length
    uint8_t binding       # SymbolBinding
    uint8_t is_bare       # the source gave no size
    uint8_t is_contested  # see SymbolTable.is_contested


# A row that was dropped when the table had so many rows: the tree of perf's rule is replayed from this.
cdef struct Drop:
    uint32_t row
    uint32_t rows_then


cdef struct Key:
    uint64_t start
    uint32_t row


# What of a demangled name decides between aliases.
cdef struct Spelling:
    uint64_t underscores   # leading ones
    uint64_t length
    bint is_system_call    # one of the kernel's second names of a system call


cdef struct Interval:
    uint64_t start
    uint64_t end
    uint32_t row


@cython.final
cdef class SymbolTable:
    cdef Symbol* rows
    cdef readonly uint64_t count
    cdef uint64_t capacity
    cdef unsigned char* names
    cdef uint64_t names_used
    cdef uint64_t names_capacity

    # Rows that were not dropped, by start, equal starts as they came; the first `settled` rows of the table are in it.
    cdef uint32_t* order
    cdef uint64_t order_count
    cdef uint64_t order_capacity
    cdef uint64_t settled
    cdef Drop* drops
    cdef uint64_t drop_count
    cdef uint64_t drop_capacity
    # After flatten: disjoint, by start.
    cdef Interval* intervals
    cdef uint64_t interval_count
    cdef uint64_t interval_capacity

    cdef int append(
        self, uint64_t start, uint64_t end, const unsigned char* name, uint64_t length, uint8_t binding
    ) except -1 nogil
    cdef int append_named(
        self, uint64_t start, uint64_t end, uint64_t name, uint64_t length, uint8_t binding
    ) except -1 nogil
    cdef int64_t add_names(self, const unsigned char* text, uint64_t length) except -1 nogil
    cdef int64_t find(self, uint64_t address) noexcept nogil
    cdef int64_t find_start(self, uint64_t start) noexcept nogil

    cdef int sort_rows(self) except -1 nogil
    cdef Key* sort_by_start(self, Key* keys, uint64_t n) noexcept nogil
    cdef int fill_gaps(self, const uint64_t* limits, uint64_t limit_count, int modules) except -1 nogil
    cdef int choose_aliases(self, Demangler demangler) except -1 nogil
    cdef bint is_module_border(self, const Symbol* symbol, const Symbol* following, int modules) noexcept nogil
    cdef int prefers_second(
        self, const Symbol* first, const Symbol* second, Demangler demangler, uint64_t* budget
    ) except -1 nogil
    cdef int spell(self, const Symbol* symbol, Demangler demangler, Spelling* spelling) except -1 nogil
    cdef int drop(self, uint32_t row) except -1 nogil
    cdef int flatten_nested(self) except -1 nogil
    cdef int flatten_tree(self, LookupTree tree) except -1 nogil
    cdef int flatten_latest(self, LookupTree tree) except -1 nogil
    cdef int mark_contested(self) except -1 nogil
    cdef bint is_named_alike(self, const Symbol* first, const Symbol* second) noexcept nogil
    cdef int replay(self, LookupTree tree) except -1 nogil
    cdef int emit(self, uint64_t start, uint64_t end, uint32_t row) except -1 nogil
    cdef Symbol* at(self, uint64_t row) except NULL
