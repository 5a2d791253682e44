"""Where the argument list of a demangled function name stands.

The rule, as somebody reading a flame graph would want it: only the parameters of the function itself go, with the
qualifiers behind them (``const``, ``&&``). Lists that say *which* function it is stay: those of template arguments,
lambdas and enclosing functions. What is not understood, such as a name cut short, is left alone.
"""

from libc.string cimport memchr, memcmp, strlen

from flameparse.frames.symbol_text cimport begins_with, is_word

cdef enum:
    # A function that returns a pointer to a function that returns a pointer ...: nobody goes further.
    MAX_DECLARATORS = 8
    NOWHERE = -1


cdef struct Groups:
    # The last two parentheses groups outside all other brackets, as offsets of their parentheses.
    Py_ssize_t last_open
    Py_ssize_t last_close
    Py_ssize_t previous_open
    Py_ssize_t previous_close
    Py_ssize_t operator_end   # just past the last `operator` and its symbol; NOWHERE without one


cdef bint find_arguments(
    const unsigned char* text, size_t size, size_t* cut_begin, size_t* cut_end
) noexcept nogil:
    """Find the argument list of the function a demangled name is about.

    Layout, what is cut between the bars::

        std::function<void (int)>::operator()|(int) const|
        f(int)::{lambda(char)#1}::operator()|(char) const|
        void (*signal|(int, void (*)(int))|)(int)            the list stands inside its return type
        foo|(int) const| [clone .cold]
        net/http.(*Client).Do    operator()    foo<bar(int)  nothing

    Source: the grammar binutils' and LLVM's demanglers print (Itanium C++ ABI, section 5.1).

    Args:
        text: the name.
        size: its length in bytes.
        cut_begin: set to the offset of the opening parenthesis.
        cut_end: set to just past the closing parenthesis and its qualifiers.

    Returns:
        Whether there is one; the two offsets are untouched when not.
    """
    cdef Py_ssize_t begin = 0
    cdef Py_ssize_t end = <Py_ssize_t> size
    cdef Py_ssize_t after, at
    cdef Groups groups
    cdef int _level
    # Most names without arguments are told by what follows their last parenthesis, if they have any.
    at = end
    while at > 0 and text[at - 1] != c")":
        at -= 1
    if at == 0 or not is_suffix(text, skip_qualifiers(text, at, end), end):
        return False
    for _level in range(MAX_DECLARATORS):
        if not find_groups(text, begin, end, &groups) or groups.last_open <= begin:
            return False
        at = groups.last_open
        after = skip_qualifiers(text, groups.last_close + 1, end)
        if not is_suffix(text, after, end):
            return False
        if is_declarator(text, at, groups.last_close):
            begin = at + 1
            end = groups.last_close
            continue
        if groups.previous_close == at - 1 and is_declarator(text, groups.previous_open, groups.previous_close):
            begin = groups.previous_open + 1
            end = groups.previous_close
            continue
        if not may_precede_arguments(text, begin, at, groups.operator_end):
            return False
        cut_begin[0] = <size_t> at
        cut_end[0] = <size_t> after
        return True
    return False


cdef bint find_groups(
    const unsigned char* text, Py_ssize_t begin, Py_ssize_t end, Groups* groups
) noexcept nogil:
    """Walk over the name once, with a count of open brackets; False when they do not balance.

    Within parentheses only parentheses count, so the comparisons of `f<(a>b)>` cannot be taken for brackets.
    """
    cdef Py_ssize_t i = begin
    cdef Py_ssize_t j
    cdef size_t parens = 0
    cdef size_t brackets = 0
    cdef bint recorded = False
    cdef unsigned char byte
    groups.last_open = groups.last_close = groups.previous_open = groups.previous_close = NOWHERE
    groups.operator_end = NOWHERE
    while i < end:
        byte = text[i]
        if is_word(byte):
            j = skip_operator(text, i, end) if byte == c"o" and parens == 0 else i
            if j > i:
                if brackets == 0:
                    groups.operator_end = j
                i = j
                continue
            while i + 1 < end and is_word(text[i + 1]):
                i += 1
        elif byte == c"(":
            if parens == 0:
                # " (.cold)" is how LLVM marks a clone, not a list.
                recorded = brackets == 0 and (i == begin or not begins_at(text, i - 1, end, b" (."))
                if recorded:
                    groups.previous_open = groups.last_open
                    groups.previous_close = groups.last_close
                    groups.last_open = i
            parens += 1
        elif byte == c")":
            if parens == 0:
                return False
            parens -= 1
            if parens == 0 and recorded:
                groups.last_close = i
        elif parens == 0:
            if byte == c"<":
                j = skip_comparison(text, begin, i, end)
                if j > i:
                    i = j
                    continue
                brackets += 1
            elif byte == c"{" or byte == c"[":
                brackets += 1
            elif byte == c"}" or byte == c"]" or (byte == c">" and (i == begin or text[i - 1] != c"-")):
                if brackets == 0:
                    return False
                brackets -= 1
        i += 1
    return parens == 0 and brackets == 0


cdef Py_ssize_t skip_operator(const unsigned char* text, Py_ssize_t i, Py_ssize_t end) noexcept nogil:
    """Step over `operator` and its symbol, whose brackets are none; returns `i` where there is no such word.

    `operator<<` may also be `operator<` with template arguments: what follows decides.
    """
    cdef Py_ssize_t at = i + 8
    cdef Py_ssize_t run = 0
    if end - i < 8 or memcmp(text + i, b"operator", 8) != 0 or (at < end and is_word(text[at])):
        return i
    if begins_at(text, at, end, b"()") or begins_at(text, at, end, b"[]"):
        return at + 2
    if begins_at(text, at, end, b"->*") or begins_at(text, at, end, b"<=>"):
        return at + 3
    if begins_at(text, at, end, b"->"):
        return at + 2
    if at == end or (text[at] != c"<" and text[at] != c">"):
        return at
    while at + run < end and text[at + run] == text[at]:
        run += 1
    if at + run < end and text[at + run] == c"=":
        return at + min(run, 2) + 1
    if run != 2 or text[at] == c">" or at + 2 == end or text[at + 2] == c" ":
        return at + min(run, 2)
    if text[at + 2] == c"(" and not begins_at(text, at + 2, end, b"(anonymous"):
        return at + 2
    return at + 1


cdef Py_ssize_t skip_comparison(
    const unsigned char* text, Py_ssize_t begin, Py_ssize_t i, Py_ssize_t end
) noexcept nogil:
    """Step over a `<`, `<=` or `<<` of an expression, as in `enable_if<(sizeof (T))<(8)>`; returns `i` at a bracket."""
    cdef Py_ssize_t j = i
    cdef unsigned char before = text[i - 1] if i > begin else 0
    if before != c")" and before != c" ":
        return i
    while j < end and (text[j] == c"<" or text[j] == c"="):
        j += 1
    if j == end or text[j] != (c"(" if before == c")" else c" "):
        return i
    if before == c")" and i - begin >= 10 and memcmp(text + i - 10, b"operator()", 10) == 0:
        return i
    return j


cdef bint is_declarator(const unsigned char* text, Py_ssize_t opening, Py_ssize_t closing) noexcept nogil:
    """Tell the middle of a type, `(*name`, `(&name` or `(Class::*name`: behind a space, or in another such one."""
    cdef Py_ssize_t i = opening + 1
    if opening <= 0 or memchr(b" *&", text[opening - 1], 3) is NULL:
        return False
    while i < closing and (is_word(text[i]) or text[i] == c":"):
        i += 1
    if i == opening + 1:
        return text[i] == c"*" or text[i] == c"&"
    return text[i] == c"*" and text[i - 1] == c":"


cdef bint may_precede_arguments(
    const unsigned char* text, Py_ssize_t begin, Py_ssize_t opening, Py_ssize_t operator_end
) noexcept nogil:
    """Tell whether what stands before a parenthesis ends a function's name.

    Not a space (`StubRoutines (1)`), not a dot (Go's receivers), not a colon, not a quote ('lambda'(int)).
    """
    cdef unsigned char before = text[opening - 1]
    if before == c"e" and opening - begin >= 8 and memcmp(text + opening - 8, b"decltype", 8) == 0:
        return False
    if is_word(before) or before == c">" or before == c"]" or before == c"}":
        return True
    # Only an operator's name ends in a symbol, and only a conversion to a function pointer in a parenthesis.
    return operator_end != NOWHERE and memchr(b"+-*/%^&|~!=<,)", before, 14) is not NULL


cdef Py_ssize_t skip_qualifiers(const unsigned char* text, Py_ssize_t i, Py_ssize_t end) noexcept nogil:
    """Step over the qualifiers of a member function behind its arguments."""
    cdef Py_ssize_t before = NOWHERE
    while i != before:
        before = i
        i = skip_qualifier(text, i, end, b" const")
        i = skip_qualifier(text, i, end, b" volatile")
        i = skip_qualifier(text, i, end, b" &&")
        i = skip_qualifier(text, i, end, b" &")
    return i


cdef Py_ssize_t skip_qualifier(
    const unsigned char* text, Py_ssize_t i, Py_ssize_t end, const char* word
) noexcept nogil:
    """Step over one given qualifier, if it stands here as a whole word."""
    cdef Py_ssize_t after = i + <Py_ssize_t> strlen(word)
    if not begins_at(text, i, end, word) or (after < end and text[after] != c" " and text[after] != c"@"):
        return i
    return after


cdef bint is_suffix(const unsigned char* text, Py_ssize_t i, Py_ssize_t end) noexcept nogil:
    """Tell whether the rest of a name is only what compilers, linkers and JITs hang on: it is kept.

    Layout: ` [clone .cold]`, ` (.isra.0)`, `@plt`, `@@GLIBCXX_3.4`, .NET's `[Tier0]`, the ` [3]` of an array type; any
    number of them.
    """
    while i < end:
        if begins_at(text, i, end, b" [clone "):
            i = skip_tag(text, i + 8, end, c"]")
        elif begins_at(text, i, end, b" (."):
            i = skip_tag(text, i + 2, end, c")")
        elif text[i] == c"[":
            i = skip_tag(text, i + 1, end, c"]")
        elif begins_at(text, i, end, b" ["):
            i = skip_tag(text, i + 2, end, c"]")
        elif text[i] == c"@":
            while i < end and (is_word(text[i]) or text[i] == c"." or text[i] == c"@"):
                i += 1
        else:
            return False
        if i == NOWHERE:
            return False
    return True


cdef Py_ssize_t skip_tag(
    const unsigned char* text, Py_ssize_t i, Py_ssize_t end, unsigned char closing
) noexcept nogil:
    """Step over the words and dots of a tag and its closing bracket; NOWHERE if it holds anything else."""
    while i < end and (is_word(text[i]) or text[i] == c"."):
        i += 1
    return i + 1 if i < end and text[i] == closing else NOWHERE


cdef bint begins_at(const unsigned char* text, Py_ssize_t i, Py_ssize_t end, const char* word) noexcept nogil:
    """Tell whether a word stands at an offset."""
    return begins_with(text + i, <size_t> (end - i), word)
