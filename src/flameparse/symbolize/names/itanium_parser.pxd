"""The parser of C++ names: where it stands, how it takes bytes, how it makes nodes."""

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport strlen

from flameparse.symbolize.names.itanium_node cimport NODE_LIST, NODE_NAME, Kind, Node


cdef struct Parser:
    const unsigned char* at
    const unsigned char* end
    Node* nodes                # the first is none: 0 says that something could not be read
    uint32_t node_count
    uint32_t node_limit
    uint32_t* substitutions
    uint32_t substitution_count
    uint32_t substitution_limit
    uint32_t last_name         # what a constructor is called
    uint32_t depth
    bint in_expression
    bint in_conversion
    bint has_scopes            # a name followed `sr`, which may be read in two ways
    bint old_scopes            # read it the old way, as a type
    uint32_t max_depth         # how deep names, types and expressions may stand in each other
    bint as_perf               # read nothing that perf 6.1 does not


# Nodes


cdef inline uint32_t add(Parser* p, Kind kind, uint32_t left, uint32_t right) noexcept nogil:
    """Make a node; 0 where there are too many."""
    cdef Node* node = p.nodes + p.node_count
    if p.node_count >= p.node_limit:
        return 0
    node.kind = kind
    node.left = left
    node.right = right
    node.number = 0
    node.text = NULL
    p.node_count += 1
    return p.node_count - 1


cdef inline uint32_t add_text(Parser* p, Kind kind, const unsigned char* text, uint32_t length) noexcept nogil:
    """Make a node that holds bytes of the name."""
    cdef uint32_t node = add(p, kind, 0, 0)
    if node:
        p.nodes[node].text = text
        p.nodes[node].number = length
    return node


cdef inline uint32_t add_word(Parser* p, Kind kind, const char* word) noexcept nogil:
    """Make a node that holds a word of ours."""
    return add_text(p, kind, <const unsigned char*> word, <uint32_t> strlen(word))


cdef inline uint32_t add_number(Parser* p, Kind kind, uint32_t left, int64_t number) noexcept nogil:
    """Make a node that holds a number; 0 where the number is none (-1)."""
    cdef uint32_t node = add(p, kind, left, 0) if number >= 0 else 0
    if node:
        p.nodes[node].number = <uint32_t> number
    return node


cdef inline uint32_t wrap(Parser* p, Kind kind, uint32_t left) noexcept nogil:
    """Make a node of one that was read."""
    return add(p, kind, left, 0) if left else 0


cdef inline uint32_t join(Parser* p, Kind kind, uint32_t left, uint32_t right) noexcept nogil:
    """Make a node of two that were read."""
    return add(p, kind, left, right) if left and right else 0


cdef inline uint32_t mark(Parser* p, Kind kind, uint32_t left, const char* word) noexcept nogil:
    """Make a node of one that was read and a word."""
    cdef uint32_t node = add_word(p, kind, word) if left else 0
    if node:
        p.nodes[node].left = left
    return node


cdef inline uint32_t remember(Parser* p, uint32_t node) noexcept nogil:
    """Make a node one that `S_` may stand for."""
    if node == 0 or p.substitution_count >= p.substitution_limit:
        return 0
    p.substitutions[p.substitution_count] = node
    p.substitution_count += 1
    return node


cdef inline bint append(Parser* p, uint32_t* first, uint32_t* last, uint32_t item) noexcept nogil:
    """Add an item to a list; False where there is none."""
    cdef uint32_t cell = wrap(p, NODE_LIST, item)
    if cell == 0:
        return False
    if first[0] == 0:
        first[0] = cell
    else:
        p.nodes[last[0]].right = cell
    last[0] = cell
    return True


# Bytes


cdef inline unsigned char peek(Parser* p, uint32_t ahead) noexcept nogil:
    """The byte so far ahead; 0 behind the end."""
    return p.at[ahead] if p.at + ahead < p.end else 0


cdef inline bint take(Parser* p, unsigned char byte) noexcept nogil:
    """Step over a byte, if it is this one."""
    if p.at < p.end and p.at[0] == byte:
        p.at += 1
        return True
    return False


cdef inline bint take_code(Parser* p, const char* code) noexcept nogil:
    """Step over two bytes, if they are these."""
    if p.end - p.at >= 2 and p.at[0] == <unsigned char> code[0] and p.at[1] == <unsigned char> code[1]:
        p.at += 2
        return True
    return False
