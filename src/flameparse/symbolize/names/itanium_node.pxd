"""The graph of a C++ name: the parser builds it, the printer walks it."""

from libc.stdint cimport uint8_t, uint32_t


# What a node is; then what it holds. `text` has `number` bytes, other numbers are said.
cdef enum Kind:
    NODE_NAME                # text
    NODE_BUILTIN             # text; left: its letter, or 0 for those that have more
    NODE_QUALIFIED           # left::right
    NODE_LOCAL               # left, a function, and ::right
    NODE_DEFAULT_ARGUMENT    # left, which stands in the default of the parameter of that number
    NODE_TEMPLATE            # left<right>
    NODE_LIST                # left, an item or 0; right, the rest or 0. A list that is an item is a parameter pack
    NODE_PARAMETER           # the template parameter of that number; left, right: notes of the printer
    NODE_TAGGED              # left[abi:right]
    NODE_CONSTRUCTOR         # left
    NODE_DESTRUCTOR          # ~left
    NODE_CONVERSION          # operator left
    NODE_OPERATOR            # text; left: both letters of its code; right: how many operands
    NODE_LAMBDA              # left, its parameters; right, a list of declarations or 0; number
    NODE_DECLARATION         # text: the letter of a template parameter; left, a type, concept, list or 0; right: a pack
    NODE_UNNAMED             # number
    NODE_BINDING             # left, a list of names
    NODE_MODULE              # left, what it is a part of, or 0; right; number: 1 for a partition
    NODE_ATTACHED            # left, a name; right, its module
    NODE_SPECIAL             # text, then left
    NODE_CONSTRUCTION        # left-in-right
    NODE_TEMPORARY           # left, a reference; number: which of its temporaries
    NODE_ENCODING            # left, a name; right, a function
    NODE_FUNCTION            # left, its result or 0; right, its parameters; number: 0, or how long its & or && is
    NODE_FUNCTION_MARK       # left, a function or the name of one; text behind its parameters; right, an operand or 0
    NODE_CV                  # left, a type; text
    NODE_POINTER             # left
    NODE_REFERENCE           # left; number: how long its & or && is; right: a note of the printer
    NODE_MEMBER              # left, a class; right, the type of its member
    NODE_ARRAY               # left, an element; right, the count or 0
    NODE_VECTOR              # left, an element; right, the count
    NODE_SUFFIXED            # left, a type; text
    NODE_VENDOR_MARK         # left, a type; right, a name
    NODE_EXPANSION           # left, a pattern that has a pack
    NODE_DECLTYPE            # left
    NODE_LITERAL             # left, a type; text; right: 1 if it is negative
    NODE_FUNCTION_PARAMETER  # number, 0 for this
    NODE_UNARY               # left, an operator; right, its operand or 0
    NODE_POSTFIX             # left, an operator; right, its operand
    NODE_BINARY              # number: the operator; left, right
    NODE_CHOICE              # left ? right.left : right.right
    NODE_NEW                 # left, a list; right.left, a type; right.right, what it is made from, or 0
    NODE_PAIR                # left, right
    NODE_FOLD                # number: the operator; left, and right or 0; text: the letter of its form
    NODE_CAST                # left, a type; right, what is cast
    NODE_CALL                # left(right)
    NODE_BRACES              # left, a type or 0; right, a list
    NODE_DESIGNATED          # left, a name or index; number: 0 or the last index; right, a value; text: its letter
    NODE_PACK_LENGTH         # left, a pattern or a list


cdef struct Node:
    uint8_t kind
    uint32_t left
    uint32_t right
    uint32_t number
    const unsigned char* text


cdef inline uint32_t skip_marks(const Node* nodes, uint32_t name) noexcept nogil:
    """The name without the `const` and `&` of its function."""
    while nodes[name].kind == NODE_FUNCTION_MARK:
        name = nodes[name].left
    return name
