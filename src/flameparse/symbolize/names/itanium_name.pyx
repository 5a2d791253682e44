"""C++ names as g++ and clang mangle them, read into a graph."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcmp

from flameparse.symbolize.names.itanium_codes cimport (
    BUILTINS, NEWER_OPERATOR_COUNT, OPERATOR_COUNT, OPERATORS, SPECIALS_OF_NAMES, SPECIALS_OF_TYPES, STANDARDS, WORDS,
    Coded, Standard,
)
from flameparse.symbolize.names.itanium_node cimport (
    NODE_ARRAY, NODE_ATTACHED, NODE_BINARY, NODE_BINDING, NODE_BRACES, NODE_BUILTIN, NODE_CALL, NODE_CAST,
    NODE_CHOICE, NODE_CONSTRUCTION, NODE_CONSTRUCTOR, NODE_CONVERSION, NODE_CV, NODE_DECLARATION, NODE_DECLTYPE,
    NODE_DEFAULT_ARGUMENT, NODE_DESIGNATED, NODE_DESTRUCTOR, NODE_ENCODING, NODE_EXPANSION, NODE_FOLD, NODE_FUNCTION,
    NODE_FUNCTION_MARK, NODE_FUNCTION_PARAMETER, NODE_LAMBDA, NODE_LIST, NODE_LITERAL, NODE_LOCAL, NODE_MEMBER,
    NODE_MODULE, NODE_NAME, NODE_NEW, NODE_OPERATOR, NODE_PACK_LENGTH, NODE_PAIR, NODE_PARAMETER, NODE_POINTER,
    NODE_POSTFIX, NODE_QUALIFIED, NODE_REFERENCE, NODE_SPECIAL, NODE_SUFFIXED, NODE_TAGGED, NODE_TEMPLATE,
    NODE_TEMPORARY, NODE_UNARY, NODE_UNNAMED, NODE_VECTOR, NODE_VENDOR_MARK, Node, skip_marks,
)
from flameparse.symbolize.names.itanium_parser cimport (
    Parser, add, add_number, add_text, add_word, append, join, mark, peek, remember, take, take_code, wrap,
)
from flameparse.symbolize.names.symbol_bytes cimport is_digit


cdef uint32_t parse_itanium(Parser* parser) noexcept nogil:
    """Read a mangled name up to where its parameters begin; what stands behind that is not looked at.

    Layout: `_Z` and an <encoding>, or `_GLOBAL__I_` (`D`; `.` or `$` for the `_`) and the name of a file or function.
    Source: Itanium C++ ABI, section 5.1, "External Names (a.k.a. Mangling)"; GNU's constructors of files.

    Args:
        parser: at the first byte of the name, with room for nodes and substitutions.

    Returns:
        The node of the name, or 0 where there is none.
    """
    cdef const unsigned char* start = parser.at
    cdef uint32_t name
    parser.old_scopes = False
    while True:
        parser.at = start
        parser.node_count = 0
        add(parser, NODE_NAME, 0, 0)
        parser.substitution_count = 0
        parser.last_name = 0
        parser.depth = 0
        parser.in_expression = parser.in_conversion = parser.has_scopes = False
        name = read_encoding(parser, True) if take_code(parser, b"_Z") else read_file_function(parser)
        if name or not parser.has_scopes or parser.old_scopes:
            return name
        parser.old_scopes = True


cdef uint32_t read_file_function(Parser* p) noexcept nogil:
    """Read the name of the function that runs the constructors or destructors of a file."""
    cdef const unsigned char* at = p.at
    cdef uint32_t name
    if p.end - at < 11 or memcmp(at, <const char*> b"_GLOBAL_", 8) or at[10] != c"_":
        return 0
    if at[8] not in (c"_", c".", c"$") or at[9] not in (c"I", c"D"):
        return 0
    p.at += 11
    if take_code(p, b"_Z"):
        name = read_encoding(p, False)
    else:
        name = add_text(p, NODE_NAME, p.at, <uint32_t> (p.end - p.at))
    if at[9] == c"I":
        return mark(p, NODE_SPECIAL, name, b"global constructors keyed to ")
    return mark(p, NODE_SPECIAL, name, b"global destructors keyed to ")


# Codes and numbers


cdef const char* take_coded(Parser* p, const Coded* table) noexcept nogil:
    """Step over a code of a table; its text, or NULL where none stands."""
    while table.text is not NULL:
        if take_code(p, table.code):
            return table.text
        table += 1
    return NULL


cdef int64_t read_number(Parser* p) noexcept nogil:
    """Read a decimal number; 0 where no digit stands, -1 if it is too large."""
    cdef int64_t value = 0
    while is_digit(peek(p, 0)):
        value = value * 10 + (p.at[0] - c"0")
        if value > 0x7FFFFFFF:
            return -1
        p.at += 1
    return value


cdef int64_t read_index(Parser* p) noexcept nogil:
    """Read `_` as 0, `0_` as 1, `1_` as 2 and so on; -1 where none stands."""
    cdef int64_t value
    if take(p, c"_"):
        return 0
    value = read_number(p) if is_digit(peek(p, 0)) else -1
    return value + 1 if value >= 0 and take(p, c"_") else -1


cdef bint skip_discriminator(Parser* p) noexcept nogil:
    """Step over the number that tells equal names of one function apart: `_D`, `__DD_`."""
    cdef bint is_long
    cdef int64_t value
    if not take(p, c"_"):
        return True
    is_long = take(p, c"_")
    value = read_number(p)
    return value >= 0 and (not is_long or value < 10 or take(p, c"_"))


cdef bint skip_offset(Parser* p, unsigned char form) noexcept nogil:
    """Step over what a thunk adds: `NUMBER_`, or `NUMBER_NUMBER_` where it is virtual."""
    take(p, c"n")
    if read_number(p) < 0 or not take(p, c"_"):
        return False
    if form == c"h":
        return True
    take(p, c"n")
    return form == c"v" and read_number(p) >= 0 and take(p, c"_")


# Names


cdef uint32_t read_encoding(Parser* p, bint is_whole) noexcept nogil:
    """Read a function or variable; of the whole name only the part without its parameters and marks."""
    cdef uint32_t name
    cdef uint32_t function
    p.depth += 1
    if p.depth > p.max_depth:
        return 0
    if peek(p, 0) == c"T" or peek(p, 0) == c"G":
        name = read_special(p)
    else:
        name = read_name(p)
        if name and is_whole:
            name = skip_marks(p.nodes, name)
            if p.nodes[name].kind == NODE_LOCAL:
                p.nodes[name].right = skip_marks(p.nodes, p.nodes[name].right)
        elif name and p.at < p.end and p.at[0] != c"E":
            function = read_signature(p, returns(p.nodes, name))
            if function and p.nodes[name].kind == NODE_LOCAL:
                p.nodes[function].left = 0
            name = join(p, NODE_ENCODING, name, function)
    p.depth -= 1
    return name


cdef bint returns(const Node* nodes, uint32_t name) noexcept nogil:
    """Tell whether the signature of a function so named begins with what it returns, as those of templates do."""
    while nodes[name].kind == NODE_LOCAL or nodes[name].kind == NODE_FUNCTION_MARK:
        name = nodes[name].right if nodes[name].kind == NODE_LOCAL else nodes[name].left
    if nodes[name].kind != NODE_TEMPLATE:
        return False
    name = nodes[name].left
    while nodes[name].kind == NODE_QUALIFIED or nodes[name].kind == NODE_LOCAL:
        name = nodes[name].right
    return nodes[name].kind not in (NODE_CONSTRUCTOR, NODE_DESTRUCTOR, NODE_CONVERSION)


cdef uint32_t read_special(Parser* p) noexcept nogil:
    """Read what the compiler makes for a type or function: tables, thunks, guards."""
    cdef uint32_t base
    cdef const char* text = take_coded(p, SPECIALS_OF_TYPES)
    if text is not NULL:
        return mark(p, NODE_SPECIAL, read_type(p), text)
    text = take_coded(p, SPECIALS_OF_NAMES)
    if text is not NULL:
        return mark(p, NODE_SPECIAL, read_name(p), text)
    if take_code(p, b"GR"):
        base = read_name(p)
        return add_number(p, NODE_TEMPORARY, base, read_number(p)) if base else 0
    if take_code(p, b"TA"):
        return mark(p, NODE_SPECIAL, read_template_argument(p), b"template parameter object for ")
    if take_code(p, b"GA"):
        return mark(p, NODE_SPECIAL, read_encoding(p, False), b"hidden alias for ")
    if take_code(p, b"GT"):
        text = b"transaction clone for "
        if peek(p, 0) == c"n":
            text = b"non-transaction clone for "
        p.at += p.at < p.end
        return mark(p, NODE_SPECIAL, read_encoding(p, False), text)
    if take_code(p, b"GI"):
        base = 0
        while peek(p, 0) == c"W":
            base = read_module(p, base)
            if base == 0:
                return 0
        return mark(p, NODE_SPECIAL, base, b"initializer for module ")
    if take_code(p, b"TC"):
        base = read_type(p)
        if base == 0 or read_number(p) < 0 or not take(p, c"_"):
            return 0
        return join(p, NODE_CONSTRUCTION, read_type(p), base)
    if not take(p, c"T"):
        return 0
    if take(p, c"h"):
        return mark(p, NODE_SPECIAL, read_encoding(p, False) if skip_offset(p, c"h") else 0, b"non-virtual thunk to ")
    if take(p, c"v"):
        return mark(p, NODE_SPECIAL, read_encoding(p, False) if skip_offset(p, c"v") else 0, b"virtual thunk to ")
    if take(p, c"c") and p.end - p.at > 2:
        p.at += 1
        if skip_offset(p, p.at[-1]) and p.at < p.end:
            p.at += 1
            if skip_offset(p, p.at[-1]):
                return mark(p, NODE_SPECIAL, read_encoding(p, False), b"covariant return thunk to ")
    return 0


cdef uint32_t read_name(Parser* p) noexcept nogil:
    """Read a <name>."""
    cdef uint32_t name
    cdef bint is_known = False
    if peek(p, 0) == c"N":
        return read_nested_name(p)
    if peek(p, 0) == c"Z":
        return read_local_name(p)
    if take_code(p, b"St"):
        name = join(p, NODE_QUALIFIED, add_word(p, NODE_NAME, b"std"), read_unqualified_name(p, 0))
    elif peek(p, 0) == c"S":
        name = read_substitution(p, False)
        is_known = p.nodes[name].kind != NODE_MODULE
        if not is_known:
            name = read_unqualified_name(p, name)
    else:
        name = read_unqualified_name(p, 0)
    if peek(p, 0) != c"I":
        return name
    if not is_known:
        name = remember(p, name)
    return join(p, NODE_TEMPLATE, name, read_template_arguments(p)) if name else 0


cdef uint32_t read_nested_name(Parser* p) noexcept nogil:
    """Read `N` [marks] parts `E`."""
    cdef uint32_t name
    cdef unsigned char letters[4]
    cdef int count = 0
    cdef const char* reference = NULL
    p.at += 1
    while count < 3 and peek(p, 0) in (c"r", c"V", c"K"):
        letters[count] = p.at[0]
        count += 1
        p.at += 1
    if not p.as_perf:
        take(p, c"H")  # a member function that names its object
    if take(p, c"R"):
        reference = b" &"
    elif take(p, c"O"):
        reference = b" &&"
    name = read_prefix(p)
    if name == 0 or not take(p, c"E"):
        return 0
    while count:
        count -= 1
        name = mark(p, NODE_FUNCTION_MARK, name, cv_text(letters[count]))
    return name if reference is NULL else mark(p, NODE_FUNCTION_MARK, name, reference)


cdef const char* cv_text(unsigned char letter) noexcept nogil:
    """What stands for a cv-qualifier."""
    if letter == c"K":
        return b" const"
    return <const char*> b" volatile" if letter == c"V" else <const char*> b" restrict"


cdef uint32_t read_prefix(Parser* p) noexcept nogil:
    """Read the parts of a nested name; each but the last may be referred to later."""
    cdef uint32_t name = 0
    cdef uint32_t part
    cdef unsigned char byte
    while True:
        byte = peek(p, 0)
        if byte == c"E":
            return name
        if byte == c"M" and name:
            p.at += 1  # what follows stands in the initializer of the member
            continue
        if byte == c"I":
            name = join(p, NODE_TEMPLATE, name, read_template_arguments(p)) if name else 0
        elif byte == c"S" or byte == c"T" or (byte == c"D" and peek(p, 1) in (c"T", c"t")):
            if byte == c"S" and name:
                part = read_substitution(p, False)
                part = read_unqualified_name(p, part) if p.nodes[part].kind == NODE_MODULE else 0
                name = remember(p, join(p, NODE_QUALIFIED, name, part))
            elif name:
                return 0
            elif byte == c"S":
                name = read_substitution(p, True)
                if p.nodes[name].kind == NODE_MODULE:
                    name = remember(p, read_unqualified_name(p, name))
            elif byte == c"T":
                name = read_template_parameter(p)
            else:
                name = read_type(p)
        else:
            part = read_unqualified_name(p, 0)
            name = join(p, NODE_QUALIFIED, name, part) if name else part
        if name == 0 or (byte != c"S" and peek(p, 0) != c"E" and not remember(p, name)):
            return 0


cdef uint32_t read_local_name(Parser* p) noexcept nogil:
    """Read `Z` function `E` and what stands in that function."""
    cdef uint32_t function
    cdef uint32_t name
    cdef int64_t argument = -1
    p.at += 1
    function = read_encoding(p, False)
    if function == 0 or not take(p, c"E"):
        return 0
    if p.nodes[function].kind == NODE_ENCODING:
        p.nodes[p.nodes[function].right].left = 0
    if take(p, c"s"):
        name = add_word(p, NODE_NAME, b"string literal") if skip_discriminator(p) else 0
        return join(p, NODE_LOCAL, function, name)
    if take(p, c"d"):
        argument = read_index(p)
        if argument < 0:
            return 0
    name = read_name(p)
    if name and p.nodes[name].kind not in (NODE_LAMBDA, NODE_UNNAMED) and not skip_discriminator(p):
        return 0
    if name and argument >= 0:
        name = add_number(p, NODE_DEFAULT_ARGUMENT, name, argument)
    return join(p, NODE_LOCAL, function, name)


cdef uint32_t read_unqualified_name(Parser* p, uint32_t module) noexcept nogil:
    """Read a name without what it stands in, its module, of which parts may have been read, and its ABI tags."""
    cdef unsigned char byte
    cdef uint32_t name
    cdef uint32_t first = 0
    cdef uint32_t last = 0
    while peek(p, 0) == c"W":
        module = read_module(p, module)
        if module == 0:
            return 0
    if not p.as_perf:
        take(p, c"F")  # a friend that is defined in its class
    byte = peek(p, 0)
    if is_digit(byte):
        name = read_source_name(p)
    elif c"a" <= byte <= c"z":
        name = read_operator_name(p)
    elif byte == c"L":
        p.at += 1
        name = read_source_name(p)
        if name and not skip_discriminator(p):
            return 0
    elif take_code(p, b"Ul"):
        name = read_lambda(p)
    elif take_code(p, b"Ut"):
        name = remember(p, add_number(p, NODE_UNNAMED, 0, read_index(p)))
    elif take_code(p, b"DC"):
        while not take(p, c"E"):
            if not append(p, &first, &last, read_source_name(p)):
                return 0
        name = wrap(p, NODE_BINDING, first)
    elif byte == c"C" or byte == c"D":
        name = read_constructor(p)
    else:
        return 0
    if module:
        name = join(p, NODE_ATTACHED, name, module)
    return read_tags(p, name)


cdef uint32_t read_module(Parser* p, uint32_t parent) noexcept nogil:
    """Read a part of the name of a module, `W`, or `WP` for a partition; it may be referred to later."""
    cdef uint32_t node
    cdef bint is_partition
    p.at += 1
    is_partition = take(p, c"P")
    node = read_source_name(p)
    if node:
        node = remember(p, add(p, NODE_MODULE, parent, node))
    if node:
        p.nodes[node].number = is_partition
    return node


cdef uint32_t read_tags(Parser* p, uint32_t name) noexcept nogil:
    """Read the ABI tags behind a name; a constructor is not called after them."""
    cdef uint32_t last_name = p.last_name
    while name and take(p, c"B"):
        name = join(p, NODE_TAGGED, name, read_source_name(p))
    p.last_name = last_name
    return name


cdef uint32_t read_source_name(Parser* p) noexcept nogil:
    """Read a length and so many bytes; those of an unnamed namespace begin with `_GLOBAL_`, a sign and an N."""
    cdef int64_t length = read_number(p)
    cdef const unsigned char* text = p.at
    if length <= 0 or length > p.end - text:
        return 0
    p.at += length
    if (
        length >= 10 and text[9] == c"N" and text[8] in (c".", c"_", c"$")
        and memcmp(text, <const char*> b"_GLOBAL_", 8) == 0
    ):
        p.last_name = add_word(p, NODE_NAME, b"(anonymous namespace)")
    else:
        p.last_name = add_text(p, NODE_NAME, text, <uint32_t> length)
    return p.last_name


cdef uint32_t read_operator_name(Parser* p) noexcept nogil:
    """Read the name of an operator function; `on` says, in an expression, that one follows."""
    cdef bint in_expression = p.in_expression
    cdef uint32_t name
    if take_code(p, b"on"):
        p.in_expression = False
    if take_code(p, b"li"):
        name = mark(p, NODE_SPECIAL, read_source_name(p), b"operator\"\" ")
    else:
        name = read_operator(p)
    p.in_expression = in_expression
    return name


cdef uint32_t read_operator(Parser* p) noexcept nogil:
    """Read the code of an operator, and the type that a conversion or cast goes to."""
    cdef bint in_conversion = p.in_conversion
    cdef uint32_t node
    cdef int i
    if take_code(p, b"cv"):
        p.in_conversion = not p.in_expression
        node = wrap(p, NODE_CONVERSION if p.in_conversion else NODE_CAST, read_type(p))
        p.in_conversion = in_conversion
        return node
    if peek(p, 0) == c"v" and is_digit(peek(p, 1)):
        p.at += 2
        return mark(p, NODE_SPECIAL, read_source_name(p), b"operator ")
    for i in range(OPERATOR_COUNT - NEWER_OPERATOR_COUNT * p.as_perf):
        if take_code(p, OPERATORS[i].code):
            node = add_word(p, NODE_OPERATOR, OPERATORS[i].text)
            if node:
                p.nodes[node].left = p.at[-2] << 8 | p.at[-1]
                p.nodes[node].right = OPERATORS[i].operands
            return node
    return 0


cdef uint32_t read_constructor(Parser* p) noexcept nogil:
    """Read which constructor or destructor; it is called as the last name that was read."""
    cdef bint inherits
    if take(p, c"C"):
        inherits = take(p, c"I")
        if not c"1" <= peek(p, 0) <= c"5":
            return 0
        p.at += 1
        if inherits and not read_type(p):
            return 0
        return wrap(p, NODE_CONSTRUCTOR, p.last_name)
    p.at += 1
    if peek(p, 0) not in (c"0", c"1", c"2", c"4", c"5"):
        return 0
    p.at += 1
    return wrap(p, NODE_DESTRUCTOR, p.last_name)


cdef uint32_t read_lambda(Parser* p) noexcept nogil:
    """Read a lambda behind its `Ul`: declarations of template parameters, parameters, `E` and which; no constraints."""
    cdef uint32_t first = 0
    cdef uint32_t last = 0
    cdef uint32_t node
    while is_declaration(p):
        if not append(p, &first, &last, read_declaration(p)):
            return 0
    node = read_parameters(p) if skip_constraint(p) else 0
    if node == 0 or not skip_constraint(p) or not take(p, c"E"):
        return 0
    node = add_number(p, NODE_LAMBDA, node, read_index(p))
    if node:
        p.nodes[node].right = first
    return node


cdef uint32_t read_substitution(Parser* p, bint in_prefix) noexcept nogil:
    """Read `S` and what it stands for: one of those before, or a name of the standard library."""
    cdef const Standard* standard = STANDARDS
    cdef uint64_t index = 0
    cdef uint32_t node
    cdef unsigned char byte
    p.at += 1
    byte = peek(p, 0)
    if byte == c"_" or is_digit(byte) or c"A" <= byte <= c"Z":
        if byte != c"_":
            while is_digit(byte) or c"A" <= byte <= c"Z":
                index = index * 36 + (byte - c"0" if byte <= c"9" else byte - c"A" + 10)
                if index > p.substitution_count:
                    return 0
                p.at += 1
                byte = peek(p, 0)
            index += 1
        return p.substitutions[index] if take(p, c"_") and index < p.substitution_count else 0
    while standard.letter != byte:
        standard += 1
        if standard.letter == 0:
            return 0
    p.at += 1
    if standard.constructor is not NULL:
        p.last_name = add_word(p, NODE_NAME, standard.constructor)
    node = add_word(
        p, NODE_BUILTIN, standard.full if in_prefix and peek(p, 0) in (c"C", c"D") else standard.text
    )
    return remember(p, read_tags(p, node)) if peek(p, 0) == c"B" else node


# Types


cdef uint32_t read_type(Parser* p) noexcept nogil:
    """Read a <type>; all but those of one word may be referred to later."""
    cdef uint32_t node
    cdef bint is_new = True
    p.depth += 1
    if p.depth > p.max_depth:
        return 0
    node = read_fresh_type(p, &is_new)
    p.depth -= 1
    return remember(p, node) if is_new else node


cdef uint32_t read_fresh_type(Parser* p, bint* is_new) noexcept nogil:
    """Read a type; tells whether it is one that was not yet read and has more than a word."""
    cdef unsigned char byte = peek(p, 0)
    cdef uint32_t node
    if is_type_mark(p):
        return read_marked_type(p)
    if is_digit(byte) or byte == c"N" or byte == c"Z":
        return read_name(p)
    if byte == c"S":
        byte = peek(p, 1)
        if is_digit(byte) or byte == c"_" or c"A" <= byte <= c"Z":
            node = read_substitution(p, False)
            if p.nodes[node].kind == NODE_MODULE:
                node = read_unqualified_name(p, node)
                if peek(p, 0) != c"I":
                    return node
                node = remember(p, node)
            if peek(p, 0) == c"I":
                return join(p, NODE_TEMPLATE, node, read_template_arguments(p))
            is_new[0] = False
            return node
        node = read_name(p)
        is_new[0] = node == 0 or p.nodes[node].kind != NODE_BUILTIN
        return node
    if byte == c"T":
        return read_parameter_type(p)
    if byte == c"D":
        return read_extended_type(p, is_new)
    if byte == c"F":
        return read_function(p)
    p.at += p.at < p.end
    if byte == c"P":
        return wrap(p, NODE_POINTER, read_type(p))
    if byte == c"R" or byte == c"O":
        node = wrap(p, NODE_REFERENCE, read_type(p))
        if node:
            p.nodes[node].number = 1 if byte == c"R" else 2
        return node
    if byte == c"C":
        return mark(p, NODE_SUFFIXED, read_type(p), b" _Complex")
    if byte == c"G":
        return mark(p, NODE_SUFFIXED, read_type(p), b" _Imaginary")
    if byte == c"M":
        node = read_type(p)
        return join(p, NODE_MEMBER, node, read_type(p)) if node else 0
    if byte == c"A":
        return read_array(p)
    if byte == c"u" or byte == c"U":
        node = read_source_name(p)
        if node and peek(p, 0) == c"I" and not (byte == c"u" and p.as_perf):
            node = join(p, NODE_TEMPLATE, node, read_template_arguments(p))
        if byte == c"u" or node == 0:
            return node
        return join(p, NODE_VENDOR_MARK, read_type(p), node)
    if not c"a" <= byte <= c"z" or BUILTINS[byte - c"a"] is NULL:
        return 0
    is_new[0] = False
    node = add_word(p, NODE_BUILTIN, BUILTINS[byte - c"a"])
    if node:
        p.nodes[node].left = byte
    return node


cdef bint is_type_mark(Parser* p) noexcept nogil:
    """Tell whether a qualifier of a type or of a function type stands next."""
    cdef unsigned char byte = peek(p, 0)
    return byte in (c"r", c"V", c"K") or (byte == c"D" and peek(p, 1) in (c"x", c"o", c"O", c"w"))


cdef uint32_t read_marked_type(Parser* p) noexcept nogil:
    """Read the qualifiers of a type, outermost first, and the type; those of a function go behind its parameters."""
    cdef uint32_t operand = 0
    cdef uint32_t node
    cdef uint32_t last = 0
    cdef const char* text
    cdef bint is_cv = False
    p.depth += 1
    if p.depth > p.max_depth:
        return 0
    if peek(p, 0) != c"D":
        is_cv = True
        text = cv_text(p.at[0])
        p.at += 1
    else:
        p.at += 2
        if p.at[-1] == c"x":
            text = b" transaction_safe"
        elif p.at[-1] == c"w":
            text = b" throw"
            while not take(p, c"E"):
                if not append(p, &operand, &last, read_type(p)):
                    return 0
        else:
            text = b" noexcept"
            if p.at[-1] == c"O":
                operand = read_expression(p)
                if operand == 0 or not take(p, c"E"):
                    return 0
    if is_type_mark(p):
        node = read_marked_type(p)
    elif peek(p, 0) == c"F":
        node = read_function(p)
    else:
        node = read_type(p)
    p.depth -= 1
    if is_cv and node and p.nodes[node].kind not in (NODE_FUNCTION, NODE_FUNCTION_MARK):
        return mark(p, NODE_CV, node, text)
    node = mark(p, NODE_FUNCTION_MARK, node, text)
    if node:
        p.nodes[node].right = operand
    return node


cdef uint32_t read_parameter_type(Parser* p) noexcept nogil:
    """Read a template parameter as a type; `I` after that of a conversion may belong to the conversion."""
    cdef const unsigned char* at
    cdef uint32_t substitution_count
    cdef uint32_t last_name
    cdef uint32_t arguments
    cdef uint32_t node = read_template_parameter(p)
    if node == 0 or peek(p, 0) != c"I":
        return node
    if not p.in_conversion:
        node = remember(p, node)
        return join(p, NODE_TEMPLATE, node, read_template_arguments(p)) if node else 0
    at = p.at
    substitution_count = p.substitution_count
    last_name = p.last_name
    arguments = read_template_arguments(p)
    if arguments and peek(p, 0) == c"I":
        node = remember(p, node)
        return join(p, NODE_TEMPLATE, node, arguments)
    p.at = at
    p.substitution_count = substitution_count
    p.last_name = last_name
    return node


cdef uint32_t read_extended_type(Parser* p, bint* is_new) noexcept nogil:
    """Read a type of `D` and a letter."""
    cdef uint32_t node
    cdef uint32_t count
    cdef const char* word = take_coded(p, WORDS)
    if word is not NULL:
        is_new[0] = False
        return add_word(p, NODE_BUILTIN, word)
    p.at += 1
    if take(p, c"t") or take(p, c"T"):
        node = wrap(p, NODE_DECLTYPE, read_expression(p))
        return node if take(p, c"E") else 0
    if take(p, c"p"):
        return wrap(p, NODE_EXPANSION, read_type(p))
    if take(p, c"v"):
        count = read_expression(p) if take(p, c"_") else read_digits(p)
        return join(p, NODE_VECTOR, read_type(p), count) if count and take(p, c"_") else 0
    if take(p, c"F"):
        is_new[0] = False
        node = mark(p, NODE_SPECIAL, read_digits(p), b"_Float")
        if node and take(p, c"x"):
            return mark(p, NODE_SUFFIXED, node, b"x")
        if node and take(p, c"b"):
            return add_word(p, NODE_BUILTIN, b"std::bfloat16_t")
        return node if take(p, c"_") else 0
    return 0


cdef uint32_t read_digits(Parser* p) noexcept nogil:
    """Read a decimal number as it stands."""
    cdef const unsigned char* text = p.at
    while is_digit(peek(p, 0)):
        p.at += 1
    return add_text(p, NODE_NAME, text, <uint32_t> (p.at - text)) if p.at > text else 0


cdef uint32_t read_function(Parser* p) noexcept nogil:
    """Read a function type: `F` [`Y`] signature [`R` or `O`] `E`."""
    cdef uint32_t node
    p.at += 1
    take(p, c"Y")
    node = read_signature(p, True)
    if node and take(p, c"R"):
        p.nodes[node].number = 1
    elif node and take(p, c"O"):
        p.nodes[node].number = 2
    return node if take(p, c"E") else 0


cdef uint32_t read_signature(Parser* p, bint returns_first) noexcept nogil:
    """Read what a function returns, if that is said, and its parameters."""
    cdef uint32_t result = 0
    cdef uint32_t parameters
    if take(p, c"J") or returns_first:
        result = read_type(p)
        if result == 0:
            return 0
    parameters = read_parameters(p)
    return add(p, NODE_FUNCTION, result, parameters) if parameters and skip_constraint(p) else 0


cdef uint32_t read_parameters(Parser* p) noexcept nogil:
    """Read the types of parameters, at least one; void alone is an empty list."""
    cdef uint32_t first = 0
    cdef uint32_t last = 0
    cdef unsigned char byte
    while True:
        byte = peek(p, 0)
        if p.at >= p.end or byte in (c"E", c".", c"Q", c"_") or (byte in (c"R", c"O") and peek(p, 1) == c"E"):
            break
        if not append(p, &first, &last, read_type(p)):
            return 0
    if first and first == last and p.nodes[p.nodes[first].left].kind == NODE_BUILTIN:
        if p.nodes[p.nodes[first].left].left == c"v":
            p.nodes[first].left = 0
    return first


cdef uint32_t read_array(Parser* p) noexcept nogil:
    """Read an array type behind its `A`: [count] `_` element."""
    cdef uint32_t count = 0
    cdef uint32_t element
    cdef uint32_t node
    if peek(p, 0) != c"_":
        count = read_digits(p) if is_digit(peek(p, 0)) else read_expression(p)
        if count == 0:
            return 0
    element = read_type(p) if take(p, c"_") else 0
    node = wrap(p, NODE_ARRAY, element)
    if node:
        p.nodes[node].right = count
    return node


# Templates


cdef uint32_t read_template_parameter(Parser* p) noexcept nogil:
    """Read `T` and which; the level of a nested one (`L`) is dropped."""
    p.at += 1
    if take(p, c"L") and (read_number(p) < 0 or not take(p, c"_")):
        return 0
    return add_number(p, NODE_PARAMETER, 0, read_index(p))


cdef uint32_t read_template_arguments(Parser* p) noexcept nogil:
    """Read `I` or `J` (a pack), arguments, `E`."""
    p.at += 1
    return read_arguments(p)


cdef uint32_t read_arguments(Parser* p) noexcept nogil:
    """Read template arguments up to their `E`; a constraint behind them is not kept."""
    cdef uint32_t last_name = p.last_name
    cdef uint32_t first = 0
    cdef uint32_t last = 0
    p.depth += 1
    if p.depth > p.max_depth:
        return 0
    while not take(p, c"E"):
        if not append(p, &first, &last, read_template_argument(p)) or not skip_constraint(p):
            return 0
    p.depth -= 1
    p.last_name = last_name
    return first if first else add(p, NODE_LIST, 0, 0)


cdef uint32_t read_template_argument(Parser* p) noexcept nogil:
    """Read a type, expression, value or pack; the declaration of its parameter is not kept."""
    cdef unsigned char byte
    cdef uint32_t node
    if not p.as_perf and is_declaration(p) and not read_declaration(p):
        return 0
    byte = peek(p, 0)
    if byte == c"L":
        return read_literal(p)
    if byte == c"I" or byte == c"J":
        return read_template_arguments(p)
    if take(p, c"X"):
        node = read_expression(p)
        return node if take(p, c"E") else 0
    return read_type(p)


cdef bint is_declaration(Parser* p) noexcept nogil:
    """Tell whether the declaration of a template parameter stands next."""
    return peek(p, 0) == c"T" and (peek(p, 1) in (c"y", c"n", c"t", c"p") or peek(p, 1) == c"k" and not p.as_perf)


cdef uint32_t read_declaration(Parser* p) noexcept nogil:
    """Read what a template parameter is: `y` a type, `k` one of a concept, `n` a value, `t` a template, `p` a pack."""
    cdef const unsigned char* letter = p.at + 1
    cdef uint32_t left = 0
    cdef uint32_t last = 0
    cdef uint32_t node = 0
    p.depth += 1
    if p.depth > p.max_depth or not is_declaration(p):
        return 0
    p.at += 2
    if letter[0] == c"p":
        node = read_declaration(p)
        if node:
            p.nodes[node].right = 1
    elif letter[0] == c"t":
        while not take(p, c"E"):
            if not append(p, &left, &last, read_declaration(p)) or not skip_constraint(p):
                return 0
        node = add_text(p, NODE_DECLARATION, letter, 1)
    else:
        if letter[0] != c"y":
            left = read_name(p) if letter[0] == c"k" else read_type(p)
            if left == 0:
                return 0
        node = add_text(p, NODE_DECLARATION, letter, 1)
    if left and node:
        p.nodes[node].left = left
    p.depth -= 1
    return node


cdef bint skip_constraint(Parser* p) noexcept nogil:
    """Step over `Q` and what a template requires, if it stands here."""
    return p.as_perf or not take(p, c"Q") or read_expression(p) != 0


# Expressions


cdef uint32_t read_expression(Parser* p) noexcept nogil:
    """Read an <expression>."""
    cdef bint in_expression = p.in_expression
    cdef uint32_t node
    p.depth += 1
    if p.depth > p.max_depth:
        return 0
    p.in_expression = True
    node = read_term(p)
    p.in_expression = in_expression
    p.depth -= 1
    return node


cdef uint32_t read_term(Parser* p) noexcept nogil:
    """Read an expression that is no operator with its operands, or one that is."""
    cdef unsigned char byte = peek(p, 0)
    cdef uint32_t node
    if byte == c"L":
        return read_literal(p)
    if byte == c"T":
        return read_template_parameter(p)
    if is_digit(byte) or (byte == c"o" and peek(p, 1) == c"n"):
        return read_templated(p, read_unqualified_name(p, 0))
    if take_code(p, b"sr"):
        return read_scoped_name(p)
    if take_code(p, b"sp"):
        return wrap(p, NODE_EXPANSION, read_expression(p))
    if take_code(p, b"sZ"):
        return wrap(p, NODE_PACK_LENGTH, read_expression(p))
    if take_code(p, b"sP"):
        return wrap(p, NODE_PACK_LENGTH, read_arguments(p))
    if take_code(p, b"il"):
        node = read_terms(p, c"E")
        return add(p, NODE_BRACES, 0, node) if node else 0
    if take_code(p, b"tl"):
        node = read_type(p)
        return join(p, NODE_BRACES, node, read_terms(p, c"E")) if node else 0
    if not p.as_perf and (take_code(p, b"rq") or take_code(p, b"rQ")):
        return read_requirements(p)
    if take_code(p, b"fp"):
        return read_function_parameter(p)
    if byte == c"f" and peek(p, 1) == c"L" and is_digit(peek(p, 2)) and not p.as_perf:  # of a function around it
        p.at += 2
        return read_function_parameter(p) if read_number(p) >= 0 and take(p, c"p") else 0
    if byte == c"f":
        return read_fold(p)
    if take(p, c"u"):
        node = read_source_name(p)
        return join(p, NODE_CALL, node, read_arguments(p)) if node else 0
    return read_operation(p)


cdef uint32_t read_terms(Parser* p, unsigned char end) noexcept nogil:
    """Read expressions up to a byte that ends them."""
    cdef uint32_t first = 0
    cdef uint32_t last = 0
    while not take(p, end):
        if not append(p, &first, &last, read_expression(p)):
            return 0
    return first if first else add(p, NODE_LIST, 0, 0)


cdef uint32_t read_templated(Parser* p, uint32_t name) noexcept nogil:
    """Read the template arguments of a name in an expression, if it has any."""
    if name and peek(p, 0) == c"I":
        return join(p, NODE_TEMPLATE, name, read_template_arguments(p))
    return name


cdef uint32_t read_scoped_name(Parser* p) noexcept nogil:
    """Read, behind `sr`, a name and what it stands in: a type, or (not before 2013) names and `E`."""
    cdef uint32_t scope = 0
    cdef uint32_t part
    if is_digit(peek(p, 0)) and not p.old_scopes:
        p.has_scopes = True
        while not take(p, c"E"):
            part = read_templated(p, read_source_name(p))
            scope = join(p, NODE_QUALIFIED, scope, part) if scope else part
            if scope == 0:
                return 0
    else:
        scope = read_type(p)
        if scope == 0:
            return 0
    if not p.as_perf and take_code(p, b"dn"):
        part = wrap(p, NODE_DESTRUCTOR, read_source_name(p) if is_digit(peek(p, 0)) else read_type(p))
    else:
        part = read_unqualified_name(p, 0)
    return read_templated(p, join(p, NODE_QUALIFIED, scope, part))


cdef uint32_t read_function_parameter(Parser* p) noexcept nogil:
    """Read which parameter of the function, or `T` for this."""
    cdef int64_t index = -1
    if not take(p, c"T"):
        index = read_index(p)
        if index < 0:
            return 0
    return add_number(p, NODE_FUNCTION_PARAMETER, 0, index + 1)


cdef uint32_t read_literal(Parser* p) noexcept nogil:
    """Read `L`, a type, a value and `E`; or `L`, the mangled name of a function or variable, and `E`."""
    cdef const unsigned char* text
    cdef uint32_t node
    cdef bint is_negative
    p.at += 1
    if take_code(p, b"_Z") or take(p, c"Z"):
        node = read_encoding(p, False)
        return node if take(p, c"E") else 0
    node = read_type(p)
    if node == 0:
        return 0
    if p.nodes[node].kind == NODE_BUILTIN and p.nodes[node].left == 0 and take(p, c"E"):
        return node  # nullptr
    is_negative = take(p, c"n")
    text = p.at
    while p.at < p.end and p.at[0] != c"E":
        p.at += 1
    node = wrap(p, NODE_LITERAL, node)
    if node == 0 or not take(p, c"E"):
        return 0
    p.nodes[node].right = is_negative
    p.nodes[node].text = text
    p.nodes[node].number = <uint32_t> (p.at - 1 - text)
    return node


cdef uint32_t read_fold(Parser* p) noexcept nogil:
    """Read a fold: `fl` and `fr` over a pack, `fL` and `fR` with a first or last operand."""
    cdef const unsigned char* form = p.at + 1
    cdef uint32_t left
    cdef uint32_t right = 0
    cdef uint32_t node
    cdef uint32_t operator
    if peek(p, 1) not in (c"l", c"r", c"L", c"R"):
        return 0
    p.at += 2
    operator = read_operator(p)
    left = read_expression(p) if operator else 0
    if left and (form[0] == c"L" or form[0] == c"R"):
        right = read_expression(p)
        if right == 0:
            return 0
    node = wrap(p, NODE_FOLD, left)
    if node:
        p.nodes[node].right = right
        p.nodes[node].number = operator
        p.nodes[node].text = form
    return node


cdef uint32_t read_requirements(Parser* p) noexcept nogil:
    """Read a requires expression; it is not kept."""
    if p.at[-1] == c"Q" and not (read_parameters(p) and take(p, c"_")):
        return 0
    while not take(p, c"E"):
        if take(p, c"X"):
            if not read_expression(p):
                return 0
            take(p, c"N")
            if take(p, c"R") and not read_name(p):
                return 0
        elif take(p, c"T"):
            if not read_type(p):
                return 0
        elif peek(p, 0) != c"Q" or not skip_constraint(p):
            return 0
    return add_word(p, NODE_NAME, b"requires {...}")


cdef uint32_t read_operation(Parser* p) noexcept nogil:
    """Read an operator and its operands."""
    cdef const unsigned char* code = p.at
    cdef uint32_t operator
    cdef uint32_t left
    cdef uint32_t right = 0
    cdef uint32_t operands
    if take_code(p, b"di") or take_code(p, b"dx") or take_code(p, b"dX"):
        return read_designated(p)
    operator = read_operator(p)
    if operator == 0:
        return 0
    if p.nodes[operator].kind == NODE_CAST:
        p.nodes[operator].right = read_terms(p, c"E") if take(p, c"_") else read_expression(p)
        return operator if p.nodes[operator].right else 0
    if p.nodes[operator].kind != NODE_OPERATOR:
        return 0
    operands = p.nodes[operator].right
    if operands == 0:
        return wrap(p, NODE_UNARY, operator)
    if operands == 1:
        if code[1] == c"i" or code[1] == c"t" and (code[0] == c"s" or code[0] == c"a" and not p.as_perf):  # of a type
            return join(p, NODE_UNARY, operator, read_type(p))
        if code[0] == code[1] and not take(p, c"_"):  # ++ and --
            return join(p, NODE_POSTFIX, operator, read_expression(p))
        return join(p, NODE_UNARY, operator, read_expression(p))
    if operands == 3:
        if code[0] == c"n":
            return read_new(p)
        left = read_expression(p)
        right = read_expression(p) if left else 0
        right = join(p, NODE_PAIR, right, read_expression(p)) if right else 0
        return join(p, NODE_CHOICE, left, right)
    left = read_type(p) if code[1] == c"c" else read_expression(p)  # the casts that have a name
    if left == 0:
        return 0
    if code[0] == c"c" and code[1] == c"l":
        right = read_terms(p, c"E")
    elif (code[0] == c"d" or code[0] == c"p") and code[1] == c"t" and not begins_scope(p):  # . and ->
        right = read_templated(p, read_unqualified_name(p, 0))
    else:
        right = read_expression(p)
    left = join(p, NODE_BINARY, left, right)
    if left:
        p.nodes[left].number = operator
    return left


cdef bint begins_scope(Parser* p) noexcept nogil:
    """Tell whether a name with its scope stands next, `gs` or `sr`."""
    return (peek(p, 0) == c"g" and peek(p, 1) == c"s") or (peek(p, 0) == c"s" and peek(p, 1) == c"r")


cdef uint32_t read_new(Parser* p) noexcept nogil:
    """Read what follows `nw`: arguments `_` type, and `E`, `pi` arguments `E`, or braces."""
    cdef uint32_t arguments = read_terms(p, c"_")
    cdef uint32_t type_node = read_type(p) if arguments else 0
    cdef uint32_t values = 0
    if type_node == 0:
        return 0
    if not take(p, c"E"):
        values = read_terms(p, c"E") if take_code(p, b"pi") else read_expression(p)
        if values == 0:
            return 0
    return join(p, NODE_NEW, arguments, add(p, NODE_PAIR, type_node, values))


cdef uint32_t read_designated(Parser* p) noexcept nogil:
    """Read a designated initializer: `di` name, `dx` index, `dX` first and last index; and a value."""
    cdef const unsigned char* form = p.at - 1
    cdef uint32_t last = 0
    cdef uint32_t left = read_unqualified_name(p, 0) if form[0] == c"i" else read_expression(p)
    if left and form[0] == c"X":
        last = read_expression(p)
        if last == 0:
            return 0
    left = join(p, NODE_DESIGNATED, left, read_expression(p)) if left else 0
    if left:
        p.nodes[left].number = last
        p.nodes[left].text = form
    return left
