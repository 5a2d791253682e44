"""What the two reference collapsers are seen to do: what they cut, and what they call kernel or JIT code."""

from libc.stdint cimport int64_t

from flameparse.frames.symbol_text cimport begins_with, contains, ends_with, is_unknown, is_word


cdef size_t stackcollapse_arguments(const unsigned char* name, size_t size) noexcept nogil:
    """Measure what stackcollapse-perf.pl leaves: up to the first parenthesis, unless a Go receiver `.(x).` occurs."""
    cdef size_t receiver = size
    cdef size_t i
    for i in range(size):
        if receiver == size and begins_with(name + i, size - i, b".("):
            receiver = i
        if i > receiver + 1 and begins_with(name + i, size - i, b")."):
            return size
    for i in range(size):
        if name[i] == c"(" and not begins_with(name + i, size - i, b"(anonymous namespace)"):
            return i
    return size


cdef size_t drop_quotes(unsigned char* name, size_t size) noexcept nogil:
    """Close the gaps that quotes leave; returns the new length."""
    cdef size_t used = 0
    cdef size_t i
    for i in range(size):
        if name[i] != c'"' and name[i] != c"'":
            name[used] = name[i]
            used += 1
    return used


cdef size_t inferno_arguments(const unsigned char* name, size_t size) noexcept nogil:
    """Measure what inferno leaves: up to the first parenthesis at bracket depth 0, but a Go receiver's and C++'s
    `(anonymous namespace)`."""
    cdef int64_t depth = 0
    cdef size_t i
    for i in range(size):
        if (
            name[i] == c"(" and depth == 0 and (i == 0 or name[i - 1] != c".")
            and not begins_with(name + i, size - i, b"(anonymous namespace)")
        ):
            return i
        if name[i] == c"<" or name[i] == c"{" or name[i] == c"[" or name[i] == c"(":
            depth += 1
        elif name[i] == c">" or name[i] == c"}" or name[i] == c"]" or name[i] == c")":
            depth -= 1
    return size


cdef size_t dtrace_arguments(const unsigned char* name, size_t size) noexcept nogil:
    """Measure what both collapsers of DTrace's text leave: up to the last `(` or `<` behind the first `::`."""
    cdef size_t scope = 0
    cdef size_t i = size
    while scope < size and not begins_with(name + scope, size - scope, b"::"):
        scope += 1
    while i > scope + 2:
        i -= 1
        if name[i] == c"(" or name[i] == c"<":
            return i
    return size


cdef size_t without_trailing_space(const unsigned char* name, size_t size) noexcept nogil:
    """Measure a name without the blanks at its end, as inferno does before it looks for a Rust hash."""
    while size and (name[size - 1] == c" " or 9 <= name[size - 1] <= 13):
        size -= 1
    return size


cdef bint is_stackcollapse_kernel(const unsigned char* module, size_t size) noexcept nogil:
    """Tell what stackcollapse-perf.pl takes for kernel code."""
    return (begins_with(module, size, b"[") or ends_with(module, size, b"vmlinux")) and not contains(
        module, size, b"unknown"
    )


cdef bint is_stackcollapse_jit(const unsigned char* module, size_t size) noexcept nogil:
    """Tell what stackcollapse-perf.pl takes for a JIT's code: `/tmp/perf-PID.map` anywhere in the module."""
    cdef size_t i, digits
    for i in range(size):
        if module[i] == c"/" and begins_with(module + i, size - i, b"/tmp/perf-"):
            digits = i + 10
            while digits < size and c"0" <= module[digits] <= c"9":
                digits += 1
            if digits > i + 10 and begins_with(module + digits, size - digits, b".map"):
                return True
    return False


cdef bint is_inferno_kernel(const unsigned char* module, size_t size) noexcept nogil:
    """Tell what inferno takes for kernel code: bracketed but not unknown, vmlinux with any version, or a .ko file."""
    cdef size_t i = size
    if (begins_with(module, size, b"[") and not is_unknown(module, size)) or ends_with(module, size, b".ko"):
        return True
    while i > 0 and module[i - 1] < 0x80 and module[i - 1] != c"$" and (
        is_word(module[i - 1]) or module[i - 1] == c"-" or module[i - 1] == c"."
    ):
        i -= 1
        if begins_with(module + i, size - i, b"vmlinux"):
            return True
    return False


cdef bint is_inferno_jit(const unsigned char* module, size_t size) noexcept nogil:
    """Tell what inferno takes for a JIT's code: maps under /tmp, and the images of `perf inject --jit`."""
    if begins_with(module, size, b"/tmp/perf-") and ends_with(module, size, b".map"):
        return True
    return ends_with(module, size, b".so") and contains(module, size, b"/jitted-")
