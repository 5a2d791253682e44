"""The graph of a C++ name as text."""

from libc.stdint cimport int64_t, uint32_t

from flameparse.symbolize.names.itanium_node cimport Node
from flameparse.symbolize.names.name_text cimport NameText


cdef enum:
    SCOPE_LIMIT = 256


# The template whose arguments the template parameters stand for, and the scope those are in.
cdef struct Scope:
    uint32_t node
    uint32_t outer


cdef struct Printer:
    Node* nodes
    NameText* out
    uint32_t depth
    uint32_t scope           # 0: none
    uint32_t scope_count
    uint32_t template_node   # the innermost template that is being printed
    int64_t pack_index       # which item of a pack stands for it; -1: all
    uint32_t lambdas         # how many lambdas stand around, in whose parameters the printer is
    uint32_t declarations    # the template parameters of the innermost of them
    uint32_t cv              # which of const and so on stand right around what is printed
    Scope scopes[SCOPE_LIMIT]


cdef bint print_itanium(Printer* printer, uint32_t node) noexcept nogil
