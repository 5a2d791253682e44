"""The graph of a C++ name as text, spelled as GNU's tools spell it.

C++ puts a declarator into its type (`void (*)(int)`), so each type prints in two halves: what stands to the left of the
name that it would declare, and what stands to the right. All else has a left half only.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from flameparse.symbolize.names.itanium_node cimport (
    NODE_ARRAY, NODE_ATTACHED, NODE_BINARY, NODE_BINDING, NODE_BRACES, NODE_BUILTIN, NODE_CALL, NODE_CAST,
    NODE_CHOICE, NODE_CONSTRUCTION, NODE_CONSTRUCTOR, NODE_CONVERSION, NODE_CV, NODE_DECLARATION, NODE_DECLTYPE,
    NODE_DEFAULT_ARGUMENT, NODE_DESIGNATED, NODE_DESTRUCTOR, NODE_ENCODING, NODE_EXPANSION, NODE_FOLD, NODE_FUNCTION,
    NODE_FUNCTION_MARK, NODE_FUNCTION_PARAMETER, NODE_LAMBDA, NODE_LIST, NODE_LITERAL, NODE_LOCAL, NODE_MEMBER,
    NODE_MODULE, NODE_NAME, NODE_NEW, NODE_OPERATOR, NODE_PACK_LENGTH, NODE_PARAMETER, NODE_POINTER, NODE_POSTFIX,
    NODE_QUALIFIED, NODE_REFERENCE, NODE_SPECIAL, NODE_SUFFIXED, NODE_TAGGED, NODE_TEMPLATE, NODE_TEMPORARY,
    NODE_UNARY, NODE_UNNAMED, NODE_VECTOR, NODE_VENDOR_MARK, skip_marks,
)
from flameparse.symbolize.names.name_text cimport put, put_number, put_word, step


cdef bint print_itanium(Printer* printer, uint32_t node) noexcept nogil:
    """Write a name; False where it makes no sense, or grows beyond its bounds.

    Args:
        printer: with the graph and an empty text.
        node: the name.
    """
    printer.depth = printer.scope = printer.scope_count = printer.template_node = printer.lambdas = 0
    printer.declarations = printer.cv = 0
    printer.pack_index = 0
    show(printer, node)
    return not printer.out.failed


# Text


cdef void put_ordinal(Printer* p, const char* word, uint64_t number, const char* end) noexcept nogil:
    """Write a number that counts from 0 as one that counts from 1."""
    put_word(p.out, word)
    put_number(p.out, number + 1)
    put_word(p.out, end)


# Template parameters


cdef uint32_t argument(Printer* p, uint32_t parameter, uint32_t* scope) noexcept nogil:
    """What a template parameter stands for, a pack as a whole, or 0; steps out to the scope that this is in."""
    cdef uint32_t cell
    cdef uint32_t _
    if scope[0] == 0:
        p.out.failed = True
        return 0
    cell = p.nodes[p.scopes[scope[0]].node].right
    scope[0] = p.scopes[scope[0]].outer
    for _ in range(p.nodes[parameter].number):
        cell = p.nodes[cell].right
        if cell == 0 or not step(p.out):
            return 0
    return p.nodes[cell].left


cdef uint32_t argument_item(Printer* p, uint32_t parameter, uint32_t* scope) noexcept nogil:
    """What a template parameter stands for; of a pack the item that is being printed."""
    cdef int64_t _
    cdef uint32_t node = argument(p, parameter, scope)
    if p.nodes[node].kind == NODE_LIST and p.pack_index >= 0:
        for _ in range(p.pack_index):
            node = p.nodes[node].right
            if node == 0 or not step(p.out):
                break
        node = p.nodes[node].left
    if node == 0:
        p.out.failed = True
    return node


cdef uint32_t find_pack(Printer* p, uint32_t node) noexcept nogil:
    """The pack that a pattern is expanded over, or 0."""
    cdef uint32_t scope = p.scope
    cdef uint32_t pack
    cdef uint8_t kind = p.nodes[node].kind
    if node == 0 or not enter(p):
        return 0
    pack = 0
    if kind == NODE_PARAMETER and scope:
        pack = argument(p, node, &scope)
        if p.nodes[pack].kind != NODE_LIST:
            pack = 0
    elif kind not in (
        NODE_NAME, NODE_BUILTIN, NODE_PARAMETER, NODE_TAGGED, NODE_OPERATOR, NODE_LAMBDA, NODE_UNNAMED,
        NODE_FUNCTION_PARAMETER, NODE_DEFAULT_ARGUMENT, NODE_EXPANSION,
    ):
        pack = find_pack(p, p.nodes[node].left)
        if pack == 0 and kind != NODE_REFERENCE and kind != NODE_LITERAL:
            pack = find_pack(p, p.nodes[node].right)
    p.depth -= 1
    return pack


cdef int64_t count_items(Printer* p, uint32_t cell) noexcept nogil:
    """How many items a pack has; an expansion in it counts by its own pack."""
    cdef int64_t count = 0
    while cell and p.nodes[cell].left and step(p.out):
        if p.nodes[p.nodes[cell].left].kind == NODE_EXPANSION:
            count += count_items(p, find_pack(p, p.nodes[p.nodes[cell].left].left))
        else:
            count += 1
        cell = p.nodes[cell].right
    return count


cdef inline bint enter(Printer* p) noexcept nogil:
    """Go one level down, and count a visit; the caller takes the level back."""
    if p.depth >= 2 * p.out.max_depth or not step(p.out):
        p.out.failed = True
        return False
    p.depth += 1
    return True


# Types


cdef inline void show(Printer* p, uint32_t node) noexcept nogil:
    """Write a node: both halves."""
    show_left(p, node)
    show_right(p, node)


cdef void show_left(Printer* p, uint32_t node) noexcept nogil:
    """Write all of a name or expression; of a type what stands left of the name that it would declare."""
    cdef uint8_t kind = p.nodes[node].kind
    cdef uint32_t left = p.nodes[node].left
    cdef uint32_t cv = p.cv
    cdef uint32_t outer = p.scope
    cdef uint32_t sign = 0
    p.cv = 0
    if node == 0 or not enter(p):
        p.out.failed = True
        return
    if kind == NODE_NAME or kind == NODE_BUILTIN:
        put(p.out, p.nodes[node].text, p.nodes[node].number)
    elif kind == NODE_POINTER:
        show_left(p, left)
        open_declarator(p, declarator(p, left))
        put_word(p.out, b"*")
    elif kind == NODE_REFERENCE:
        left = referred(p, node, &sign)
        p.nodes[node].right += 1
        show_left(p, left)
        open_declarator(p, declarator(p, left))
        p.nodes[node].right -= 1
        put(p.out, <const unsigned char*> b"&&", sign)
        p.scope = outer
    elif kind == NODE_CV:
        show_cv(p, node, cv)
    elif kind == NODE_PARAMETER:
        if p.lambdas:
            show_lambda_parameter(p, p.nodes[node].number)
        else:
            p.nodes[node].left += 1
            p.cv = cv
            show_left(p, argument_item(p, node, &p.scope))
            p.nodes[node].left -= 1
            p.scope = outer
    elif kind == NODE_FUNCTION:
        show_result(p, left)
    elif kind == NODE_FUNCTION_MARK:
        show_left(p, left)
        if p.nodes[skip_marks(p.nodes, left)].kind != NODE_FUNCTION:
            show_mark(p, node)
    elif kind == NODE_MEMBER:
        show_left(p, p.nodes[node].right)
        kind = declarator(p, p.nodes[node].right)
        if kind == NODE_FUNCTION and p.out.last != c" ":
            put_word(p.out, b" ")
        open_declarator(p, kind)
        if p.out.last != c"(":
            put_word(p.out, b" ")
        show(p, left)
        put_word(p.out, b"::*")
    elif kind == NODE_ARRAY:
        p.cv = cv
        show_left(p, left)
    elif kind == NODE_VECTOR:
        show_left(p, left)
        put_word(p.out, b" __vector(")
        show(p, p.nodes[node].right)
        put_word(p.out, b")")
    elif kind == NODE_SUFFIXED:
        show_left(p, left)
        put(p.out, p.nodes[node].text, p.nodes[node].number)
    elif kind == NODE_VENDOR_MARK:
        show_left(p, left)
        put_word(p.out, b" ")
        show(p, p.nodes[node].right)
    else:
        show_name(p, node)
    p.depth -= 1


cdef void show_right(Printer* p, uint32_t node) noexcept nogil:
    """Write what stands right of the name that a type would declare."""
    cdef uint8_t kind = p.nodes[node].kind
    cdef uint32_t left = p.nodes[node].left
    cdef uint32_t outer = p.scope
    cdef uint32_t sign = 0
    if kind == NODE_POINTER or kind == NODE_REFERENCE or kind == NODE_MEMBER:
        if not enter(p):
            return
        if kind == NODE_REFERENCE:
            left = referred(p, node, &sign)
            p.nodes[node].right += 1
        elif kind == NODE_MEMBER:
            left = p.nodes[node].right
        if declarator(p, left):
            put_word(p.out, b")")
        show_right(p, left)
        if kind == NODE_REFERENCE:
            p.nodes[node].right -= 1
        p.scope = outer
        p.depth -= 1
    elif kind == NODE_CV or kind == NODE_VECTOR or kind == NODE_SUFFIXED or kind == NODE_VENDOR_MARK:
        if not enter(p):
            return
        if kind == NODE_CV and declarator(p, left) == NODE_FUNCTION:
            put_word(p.out, b")")
        show_right(p, left)
        p.depth -= 1
    elif kind == NODE_PARAMETER and not p.lambdas:
        if not enter(p):
            return
        p.nodes[node].left += 1
        show_right(p, argument_item(p, node, &p.scope))
        p.nodes[node].left -= 1
        p.scope = outer
        p.depth -= 1
    elif kind == NODE_FUNCTION or (
        kind == NODE_FUNCTION_MARK and p.nodes[skip_marks(p.nodes, node)].kind == NODE_FUNCTION
    ):
        if not enter(p):
            return
        show_parameters(p, skip_marks(p.nodes, node), node)
        p.depth -= 1
    elif kind == NODE_ARRAY:
        if not enter(p):
            return
        if p.out.last != c"]":
            put_word(p.out, b" ")
        put_word(p.out, b"[")
        if p.nodes[node].right:
            show(p, p.nodes[node].right)
        put_word(p.out, b"]")
        show_right(p, left)
        p.depth -= 1


cdef uint32_t referred(Printer* p, uint32_t node, uint32_t* sign) noexcept nogil:
    """What a reference refers to, and whether by & or &&; steps into the scope that this is in.

    Of a reference to a reference one is left. A parameter that is referred to again is a substitution: it stands for
    what it stood for where it was met first, unless it is met within itself.
    """
    cdef uint32_t inner = p.nodes[node].left
    cdef uint32_t target = inner
    cdef uint32_t scope = p.scope
    sign[0] = p.nodes[node].number
    if p.nodes[inner].kind == NODE_PARAMETER and not p.lambdas:
        if p.nodes[inner].right == 0:
            p.nodes[inner].right = p.scope + 1
        elif p.nodes[inner].left == 0 and p.nodes[node].right == 0:
            p.scope = scope = p.nodes[inner].right - 1
        target = argument_item(p, inner, &scope)
    if p.nodes[target].kind != NODE_REFERENCE:
        return inner
    if target != inner:
        p.scope = scope
    if sign[0] == 2:
        sign[0] = p.nodes[target].number
    return p.nodes[target].left


cdef uint8_t declarator(Printer* p, uint32_t node) noexcept nogil:
    """NODE_FUNCTION or NODE_ARRAY where a sign that points to such a type needs parentheses around it; or 0."""
    cdef uint32_t scope = p.scope
    cdef uint8_t kind
    cdef bint is_cv = False
    while step(p.out):
        kind = p.nodes[node].kind
        if kind == NODE_PARAMETER and not p.lambdas:
            node = argument_item(p, node, &scope)
        elif kind == NODE_CV or kind == NODE_FUNCTION_MARK or kind == NODE_SUFFIXED or kind == NODE_VENDOR_MARK:
            is_cv = is_cv or kind == NODE_CV
            node = p.nodes[node].left
        elif kind == NODE_FUNCTION and not is_cv or kind == NODE_ARRAY:
            return kind
        else:
            break
    return 0


cdef bint is_open(Printer* p, uint32_t node) noexcept nogil:
    """Tell whether a type has a right half."""
    cdef uint32_t outer = p.scope
    cdef uint32_t sign
    cdef uint8_t kind
    cdef bint found = False
    while step(p.out):
        kind = p.nodes[node].kind
        if kind == NODE_PARAMETER and not p.lambdas:
            node = argument_item(p, node, &p.scope)
        elif kind == NODE_REFERENCE:
            node = referred(p, node, &sign)
        elif kind in (NODE_CV, NODE_FUNCTION_MARK, NODE_SUFFIXED, NODE_VENDOR_MARK, NODE_POINTER, NODE_VECTOR):
            node = p.nodes[node].left
        elif kind == NODE_MEMBER:
            node = p.nodes[node].right
        else:
            found = kind == NODE_FUNCTION or kind == NODE_ARRAY
            break
    p.scope = outer
    return found


cdef void open_declarator(Printer* p, uint8_t kind) noexcept nogil:
    """Begin the parentheses around a sign that points to a function or array."""
    if kind == NODE_ARRAY or (kind == NODE_FUNCTION and p.out.last not in (c"(", c"*", c" ")):
        put_word(p.out, b" ")
    if kind:
        put_word(p.out, b"(")


cdef void show_cv(Printer* p, uint32_t node, uint32_t outer) noexcept nogil:
    """Write the left half of a type and its const or the like, unless the same stands around it.

    Args:
        outer: the first letters of those that stand around it, a bit each.
    """
    cdef uint32_t left = p.nodes[node].left
    cdef uint32_t letter = 1 << (p.nodes[node].text[1] & 31)
    p.cv = outer | letter
    show_left(p, left)
    p.cv = 0
    if declarator(p, left) == NODE_FUNCTION:
        put_word(p.out, <const char*> b"(" if p.out.last == c" " else <const char*> b" (")
    if not outer & letter:
        put(p.out, p.nodes[node].text, p.nodes[node].number)


cdef void show_result(Printer* p, uint32_t result) noexcept nogil:
    """Write the left half of what a function returns, if that is known."""
    if result:
        show_left(p, result)
        if not is_open(p, result):
            put_word(p.out, b" ")


cdef void show_parameters(Printer* p, uint32_t function, uint32_t marks) noexcept nogil:
    """Write the right half of a function.

    Args:
        function: the function.
        marks: it or its name, with what else stands behind the parameters.
    """
    put_word(p.out, b"(")
    show(p, p.nodes[function].right)
    put_word(p.out, b")")
    show_marks(p, marks)
    if p.nodes[function].number:
        put_word(p.out, b" ")
        put(p.out, <const unsigned char*> b"&&", p.nodes[function].number)
    if p.nodes[function].left:
        show_right(p, p.nodes[function].left)


cdef void show_marks(Printer* p, uint32_t node) noexcept nogil:
    """Write the marks of a function, innermost first."""
    if p.nodes[node].kind == NODE_FUNCTION_MARK and enter(p):
        show_marks(p, p.nodes[node].left)
        show_mark(p, node)
        p.depth -= 1


cdef void show_mark(Printer* p, uint32_t node) noexcept nogil:
    """Write one mark of a function."""
    put(p.out, p.nodes[node].text, p.nodes[node].number)
    if p.nodes[node].right:
        put_word(p.out, b"(")
        show(p, p.nodes[node].right)
        put_word(p.out, b")")


# Names


cdef void show_name(Printer* p, uint32_t node) noexcept nogil:
    """Write a name."""
    cdef uint8_t kind = p.nodes[node].kind
    cdef uint32_t left = p.nodes[node].left
    cdef uint32_t right = p.nodes[node].right
    if kind == NODE_QUALIFIED or kind == NODE_LOCAL:
        show(p, left)
        put_word(p.out, b"::")
        show(p, right)
    elif kind == NODE_TEMPLATE:
        show_template(p, node)
    elif kind == NODE_LIST:
        show_list(p, node)
    elif kind == NODE_ENCODING:
        show_encoding(p, left, right)
    elif kind == NODE_CONSTRUCTOR:
        show(p, left)
    elif kind == NODE_DESTRUCTOR:
        put_word(p.out, b"~")
        show(p, left)
    elif kind == NODE_TAGGED:
        show(p, left)
        put_word(p.out, b"[abi:")
        show(p, right)
        put_word(p.out, b"]")
    elif kind == NODE_OPERATOR:
        put_word(p.out, b"operator")
        if c"a" <= p.nodes[node].text[0] <= c"z":
            put_word(p.out, b" ")
        put(p.out, p.nodes[node].text, p.nodes[node].number - (p.nodes[node].text[p.nodes[node].number - 1] == c" "))
    elif kind == NODE_CONVERSION:
        show_conversion(p, left)
    elif kind == NODE_LAMBDA:
        show_lambda(p, node)
    elif kind == NODE_DECLARATION:
        show_declaration(p, node, -1)
    elif kind == NODE_UNNAMED:
        put_ordinal(p, b"{unnamed type#", p.nodes[node].number, b"}")
    elif kind == NODE_DEFAULT_ARGUMENT:
        show_default_argument(p, node)
        show(p, left)
    elif kind == NODE_SPECIAL:
        put(p.out, p.nodes[node].text, p.nodes[node].number)
        show(p, left)
    elif kind == NODE_CONSTRUCTION:
        put_word(p.out, b"construction vtable for ")
        show(p, left)
        put_word(p.out, b"-in-")
        show(p, right)
    elif kind == NODE_TEMPORARY:
        put_word(p.out, b"reference temporary #")
        put_number(p.out, p.nodes[node].number)
        put_word(p.out, b" for ")
        show(p, left)
    elif kind == NODE_ATTACHED:
        show(p, left)
        put_word(p.out, b"@")
        show(p, right)
    elif kind == NODE_MODULE:
        if left:
            show(p, left)
        if p.nodes[node].number:
            put_word(p.out, b":")
        elif left:
            put_word(p.out, b".")
        show(p, right)
    elif kind == NODE_BINDING:
        put_word(p.out, b"[")
        show(p, left)
        put_word(p.out, b"]")
    else:
        show_expression(p, node)


cdef void show_list(Printer* p, uint32_t cell) noexcept nogil:
    """Write the items of a list; no comma stands behind the last that has a text."""
    cdef uint64_t end = p.out.length
    cdef uint64_t start
    if p.nodes[cell].left == 0 and p.nodes[cell].right == 0:
        return
    while step(p.out):
        start = p.out.length
        if p.nodes[cell].left:
            show(p, p.nodes[cell].left)
        if p.out.length > start:
            end = p.out.length
        cell = p.nodes[cell].right
        if cell == 0:
            break
        put_word(p.out, b", ")
    p.out.length = end


cdef void show_template(Printer* p, uint32_t node) noexcept nogil:
    """Write a template and its arguments."""
    cdef uint32_t outer = p.template_node
    p.template_node = node
    show(p, p.nodes[node].left)
    show_template_arguments(p, node)
    p.template_node = outer


cdef void show_template_arguments(Printer* p, uint32_t node) noexcept nogil:
    """Write the arguments of a template in their brackets."""
    put_word(p.out, <const char*> b" <" if p.out.last == c"<" else <const char*> b"<")
    show(p, p.nodes[node].right)
    put_word(p.out, <const char*> b" >" if p.out.last == c">" else <const char*> b">")


cdef void show_lambda(Printer* p, uint32_t node) noexcept nogil:
    """Write a lambda: its template parameters if they are declared, its parameters, and which of its function it is."""
    cdef uint32_t outer = p.declarations
    cdef uint32_t cell = p.nodes[node].right
    cdef int64_t i = 0
    p.declarations = cell
    p.lambdas += 1
    put_word(p.out, b"{lambda")
    while cell and step(p.out):
        put_word(p.out, <const char*> b", " if i else <const char*> b"<")
        show_declaration(p, p.nodes[cell].left, i)
        cell = p.nodes[cell].right
        i += 1
    put_word(p.out, <const char*> b">(" if i else <const char*> b"(")
    show(p, p.nodes[node].left)
    p.lambdas -= 1
    p.declarations = outer
    put_ordinal(p, b")#", p.nodes[node].number, b"}")


cdef void show_declaration(Printer* p, uint32_t node, int64_t index) noexcept nogil:
    """Write the declaration of a template parameter, which has no name; -1 for those of a template that is one."""
    cdef unsigned char letter = p.nodes[node].text[0]
    if letter == c"y":
        put_word(p.out, b"typename")
    elif letter != c"t":
        show(p, p.nodes[node].left)
    else:
        put_word(p.out, b"template<")
        if p.nodes[node].left:
            show(p, p.nodes[node].left)
        put_word(p.out, b"> class")
    if p.nodes[node].right:
        put_word(p.out, b"...")
    if index >= 0:
        put_word(p.out, b" ")
        show_placeholder(p, letter, index)


cdef void show_placeholder(Printer* p, unsigned char letter, uint64_t index) noexcept nogil:
    """Write what stands for the name of a template parameter, which is not in the mangled name."""
    if letter == c"n":
        put_word(p.out, b"$N")
    else:
        put_word(p.out, <const char*> b"$TT" if letter == c"t" else <const char*> b"$T")
    put_number(p.out, index)


cdef void show_lambda_parameter(Printer* p, uint64_t index) noexcept nogil:
    """Write a template parameter of a lambda: one that is declared, or that of an auto."""
    cdef uint32_t cell = p.declarations
    cdef uint64_t i = 0
    while cell and i < index and step(p.out):
        cell = p.nodes[cell].right
        i += 1
    if cell:
        show_placeholder(p, p.nodes[p.nodes[cell].left].text[0], index)
    else:
        put_ordinal(p, b"auto:", index, b"")


cdef void show_default_argument(Printer* p, uint32_t node) noexcept nogil:
    """Write whose default argument a name stands in."""
    put_ordinal(p, b"{default arg#", p.nodes[node].number, b"}::")


cdef void show_conversion(Printer* p, uint32_t result) noexcept nogil:
    """Write a conversion function; its type may have parameters of its own template."""
    cdef uint32_t outer = p.scope
    put_word(p.out, b"operator ")
    if p.template_node:
        push_scope(p, p.template_node)
    if p.out.as_perf and p.nodes[result].kind == NODE_TEMPLATE:  # whose arguments know no parameters of the conversion
        show(p, p.nodes[result].left)
        p.scope = outer
        show_template_arguments(p, result)
    else:
        show(p, result)
        p.scope = outer


cdef void push_scope(Printer* p, uint32_t template_node) noexcept nogil:
    """Let template parameters stand for the arguments of a template."""
    if p.scope_count + 1 >= SCOPE_LIMIT:
        p.out.failed = True
        return
    p.scope_count += 1
    p.scopes[p.scope_count].node = template_node
    p.scopes[p.scope_count].outer = p.scope
    p.scope = p.scope_count


cdef void show_encoding(Printer* p, uint32_t name, uint32_t function) noexcept nogil:
    """Write a function with its parameters, and what it returns where the mangled name says so."""
    cdef uint32_t outer = p.scope
    cdef uint32_t function_scope
    cdef uint32_t inner
    cdef uint32_t plain = skip_marks(p.nodes, name)
    cdef uint32_t local = 0
    if p.nodes[plain].kind == NODE_LOCAL:
        local = p.nodes[plain].right
        if p.nodes[local].kind == NODE_DEFAULT_ARGUMENT:
            local = p.nodes[local].left
    inner = skip_marks(p.nodes, local) if local else plain
    if p.nodes[inner].kind == NODE_TEMPLATE:
        push_scope(p, inner)
    show_result(p, p.nodes[function].left)
    function_scope = p.scope
    p.scope = outer
    if local:
        show(p, p.nodes[plain].left)
        put_word(p.out, b"::")
        if p.nodes[p.nodes[plain].right].kind == NODE_DEFAULT_ARGUMENT:
            show_default_argument(p, p.nodes[plain].right)
    show(p, inner)
    p.scope = function_scope
    show_parameters(p, function, local if local else name)
    p.scope = outer


# Expressions


cdef void show_operand(Printer* p, uint32_t node) noexcept nogil:
    """Write an operand, in parentheses unless it is a name."""
    if p.nodes[node].kind in (NODE_NAME, NODE_QUALIFIED, NODE_BRACES, NODE_FUNCTION_PARAMETER):
        show(p, node)
        return
    put_word(p.out, b"(")
    show(p, node)
    put_word(p.out, b")")


cdef void show_operator(Printer* p, uint32_t node) noexcept nogil:
    """Write the sign of an operator."""
    put(p.out, p.nodes[node].text, p.nodes[node].number)


cdef void show_expression(Printer* p, uint32_t node) noexcept nogil:
    """Write an expression."""
    cdef uint8_t kind = p.nodes[node].kind
    cdef uint32_t left = p.nodes[node].left
    cdef uint32_t right = p.nodes[node].right
    if kind == NODE_LITERAL:
        show_literal(p, node)
    elif kind == NODE_UNARY:
        show_unary(p, left, right)
    elif kind == NODE_BINARY:
        show_binary(p, p.nodes[node].number, left, right)
    elif kind == NODE_POSTFIX:
        show_operand(p, right)
        show_operator(p, left)
    elif kind == NODE_CHOICE:
        show_operand(p, left)
        put_word(p.out, b"?")
        show_operand(p, p.nodes[right].left)
        put_word(p.out, b" : ")
        show_operand(p, p.nodes[right].right)
    elif kind == NODE_DECLTYPE:
        put_word(p.out, b"decltype (")
        show(p, left)
        put_word(p.out, b")")
    elif kind == NODE_EXPANSION:
        show_expansion(p, left)
    elif kind == NODE_FUNCTION_PARAMETER:
        if p.nodes[node].number == 0:
            put_word(p.out, b"this")
        else:
            put_ordinal(p, b"{parm#", p.nodes[node].number - 1, b"}")
    elif kind == NODE_CAST:
        put_word(p.out, b"(")
        show(p, left)
        put_word(p.out, b")")
        show_operand(p, right)
    elif kind == NODE_CALL:
        show(p, left)
        put_word(p.out, b"(")
        show(p, right)
        put_word(p.out, b")")
    elif kind == NODE_BRACES:
        if left:
            show(p, left)
        put_word(p.out, b"{")
        show(p, right)
        put_word(p.out, b"}")
    elif kind == NODE_PACK_LENGTH:
        put_number(p.out, count_items(p, left if p.nodes[left].kind == NODE_LIST else find_pack(p, left)))
    elif kind == NODE_FOLD:
        show_fold(p, node)
    elif kind == NODE_DESIGNATED:
        show_designated(p, node)
    elif kind == NODE_NEW:
        put_word(p.out, b"new ")
        if p.nodes[left].left:
            show_operand(p, left)
            put_word(p.out, b" ")
        show(p, p.nodes[right].left)
        if p.nodes[right].right:
            show_operand(p, p.nodes[right].right)
    else:
        p.out.failed = True


cdef void show_literal(Printer* p, uint32_t node) noexcept nogil:
    """Write a value: integers and bool as C++ spells them, all else behind its type, floats as their bytes."""
    cdef uint32_t left = p.nodes[node].left
    cdef uint32_t letter = p.nodes[left].left if p.nodes[left].kind == NODE_BUILTIN else 0
    cdef bint is_integer = letter in (c"i", c"j", c"l", c"m", c"x", c"y")
    cdef bint is_float = letter in (c"d", c"e", c"f", c"g")
    if letter == c"b" and p.nodes[node].number == 1 and not p.nodes[node].right:
        if p.nodes[node].text[0] == c"0" or p.nodes[node].text[0] == c"1":
            put_word(p.out, <const char*> b"true" if p.nodes[node].text[0] == c"1" else <const char*> b"false")
            return
    if not is_integer:
        put_word(p.out, b"(")
        show(p, left)
        put_word(p.out, b")")
    if p.nodes[node].right:
        put_word(p.out, b"-")
    if is_float:
        put_word(p.out, b"[")
    put(p.out, p.nodes[node].text, p.nodes[node].number)
    if is_float:
        put_word(p.out, b"]")
    if letter in (c"j", c"m", c"y"):
        put_word(p.out, b"u")
    if letter in (c"l", c"m"):
        put_word(p.out, b"l")
    elif letter in (c"x", c"y"):
        put_word(p.out, b"ll")


cdef void show_unary(Printer* p, uint32_t operator, uint32_t operand) noexcept nogil:
    """Write an operator and its operand; the address of a function without its parameters."""
    cdef uint32_t code = p.nodes[operator].left
    show_operator(p, operator)
    if operand == 0:
        return
    if code == (c"a" << 8 | c"d") and p.nodes[operand].kind == NODE_ENCODING:
        if p.nodes[p.nodes[operand].left].kind == NODE_QUALIFIED:
            operand = p.nodes[operand].left
    if code == (c"g" << 8 | c"s"):
        show(p, operand)
    elif code == (c"s" << 8 | c"t") or code == (c"n" << 8 | c"x"):
        put_word(p.out, b"(")
        show(p, operand)
        put_word(p.out, b")")
    else:
        show_operand(p, operand)


cdef void show_binary(Printer* p, uint32_t operator, uint32_t left, uint32_t right) noexcept nogil:
    """Write an operator between its operands; `>` in parentheses, for it would end template arguments."""
    cdef uint32_t code = p.nodes[operator].left
    if (code & 0xFF) == c"c":  # the casts that have a name
        show_operator(p, operator)
        put_word(p.out, b"<")
        show(p, left)
        put_word(p.out, b">(")
        show(p, right)
        put_word(p.out, b")")
        return
    if code == (c"g" << 8 | c"t"):
        put_word(p.out, b"(")
    if code == (c"c" << 8 | c"l") and p.nodes[left].kind == NODE_ENCODING:
        left = p.nodes[left].left
    show_operand(p, left)
    if code == (c"i" << 8 | c"x"):
        put_word(p.out, b"[")
        show(p, right)
        put_word(p.out, b"]")
    else:
        if code != (c"c" << 8 | c"l"):
            show_operator(p, operator)
        show_operand(p, right)
    if code == (c"g" << 8 | c"t"):
        put_word(p.out, b")")


cdef void show_fold(Printer* p, uint32_t node) noexcept nogil:
    """Write a fold; a pack in it stands as a whole."""
    cdef unsigned char form = p.nodes[node].text[0]
    cdef int64_t pack_index = p.pack_index
    p.pack_index = -1
    put_word(p.out, b"(")
    if form == c"l":
        put_word(p.out, b"...")
    else:
        show_operand(p, p.nodes[node].left)
    show_operator(p, p.nodes[node].number)
    if form == c"l":
        show_operand(p, p.nodes[node].left)
    else:
        put_word(p.out, b"...")
    if p.nodes[node].right:
        show_operator(p, p.nodes[node].number)
        show_operand(p, p.nodes[node].right)
    put_word(p.out, b")")
    p.pack_index = pack_index


cdef void show_designated(Printer* p, uint32_t node) noexcept nogil:
    """Write an initializer that says which member or element it is for; there may be a chain of them."""
    cdef uint32_t right = p.nodes[node].right
    put_word(p.out, <const char*> b"." if p.nodes[node].text[0] == c"i" else <const char*> b"[")
    show(p, p.nodes[node].left)
    if p.nodes[node].number:
        put_word(p.out, b" ... ")
        show(p, p.nodes[node].number)
    if p.nodes[node].text[0] != c"i":
        put_word(p.out, b"]")
    if p.nodes[right].kind == NODE_DESIGNATED:
        show(p, right)
    else:
        put_word(p.out, b"=")
        show_operand(p, right)


cdef void show_expansion(Printer* p, uint32_t pattern) noexcept nogil:
    """Write a pattern once for each item of its pack, or with an ellipsis where that is not known."""
    cdef int64_t pack_index = p.pack_index
    cdef int64_t i
    cdef int64_t count
    cdef uint32_t pack = find_pack(p, pattern)
    if pack == 0:
        show_operand(p, pattern)
        put_word(p.out, b"...")
        return
    count = count_items(p, pack)
    for i in range(count):
        p.pack_index = i
        if i:
            put_word(p.out, b", ")
        show(p, pattern)
    p.pack_index = pack_index
