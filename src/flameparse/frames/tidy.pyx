"""The name a frame is printed under: ours, or letter by letter that of a reference collapser."""

from libc.stdint cimport uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp, memcpy

from flameparse.errors import UsageError

from flameparse.frames.arguments cimport find_arguments
from flameparse.frames.collapser_rules cimport (
    drop_quotes,
    dtrace_arguments,
    inferno_arguments,
    is_inferno_jit,
    is_inferno_kernel,
    is_stackcollapse_jit,
    is_stackcollapse_kernel,
    stackcollapse_arguments,
    without_trailing_space,
)
from flameparse.frames.kind cimport basename_offset, module_size
from flameparse.frames.rust_name cimport has_any_hash, has_escape, rust_hash, undo_escapes, undo_known_escapes
from flameparse.frames.symbol_text cimport begins_with, contains, ends_with, is_unknown, is_word
from flameparse.model.frame_table cimport KIND_INLINED, KIND_JIT, KIND_KERNEL
from flameparse.model.growth cimport reserve

cdef enum:
    # Room in a part for brackets, 16 hex digits and an annotation.
    PART_OVERHEAD = 64


cdef class FrameNamer:
    """Names frames, one at a time, each a root-first list of printed frames: a JIT's inlined calls are several.

    Layout, symbol and what the styles print for it::

        symbol                             raw       tidy              stackcollapse-perf  inferno
        [unknown] (/lib/libc.so.6)         [libc.so.6] in all four
        f(int) const                       as it is  f                 f                   f
        std::function<void (int)>::g(int)  as it is  ...<void (int)>::g  std::function<void  ...<void (int)>::g
        core::f::h0123456789abcdef         as it is  core::f           as it is            core::f
        La/B;::x->Lc/D;::y                 as it is  a/B::x c/D::y     La/B:::x Lc/D:::y_[i]  the same
        JS:*(anonymous) /app/x.js:3:4      as it is  as it is          JS:*                JS:*

    Source: `tidy` is documented by tests/unit/test_tidy.py; the other two are what the named tools print.

    Args:
        style: "raw", "tidy", "stackcollapse-perf" or "inferno"; of DTrace's frames, "stackcollapse" or
            "inferno-dtrace", for which a symbol is the whole frame without its offset.
        addrs: whether the names of unknown frames carry their address.
        annotate_kernel: whether kernel frames end in `_[k]`.
        annotate_jit: whether JIT frames end in `_[j]`; inlined ones end in `_[i]` with either.
        modules: whether a module and a backtick stand before a name, as DTrace prints it: "raw" and "tidy" then print
            the address of a frame without a symbol too.

    Raises:
        UsageError: no such style.
    """

    def __cinit__(
        self, str style, *, bint addrs=False, bint annotate_kernel=False, bint annotate_jit=False,
        bint modules=False,
    ):
        if style == "raw":
            self.style = NAME_RAW
        elif style == "tidy":
            self.style = NAME_TIDY
        elif style == "stackcollapse-perf":
            self.style = NAME_STACKCOLLAPSE
        elif style == "inferno":
            self.style = NAME_INFERNO
        elif style == "stackcollapse":
            self.style = NAME_DTRACE_STACKCOLLAPSE
        elif style == "inferno-dtrace":
            self.style = NAME_DTRACE_INFERNO
        else:
            raise UsageError(
                f"no naming style {style!r}: raw, tidy, stackcollapse-perf, inferno, stackcollapse or inferno-dtrace"
            )
        self.addrs = addrs
        self.annotate_kernel = annotate_kernel
        self.annotate_jit = annotate_jit
        self.modules = modules

    def __dealloc__(self):
        free(self.buffer)
        free(self.repaired)
        free(self.part_start)
        free(self.part_len)
        free(self.part_kind)

    def name_parts(
        self,
        bytes symbol,
        bytes module,
        uint64_t address=0,
        int kind=0,
        bint java_root=False,
        bytes address_text=b"",
    ):
        """Name one frame from Python; `name` says how.

        Args:
            symbol: the symbol without its offset.
            module: the module without its parentheses, or None.
            address: the program counter, used where there is no `address_text`.
            kind: the frame's kind, 0 user, 1 kernel, 2 JIT, 3 inlined.
            java_root: whether the process is a JVM by its name.
            address_text: the program counter as printed.

        Returns:
            (name, kind) of every printed frame, root first; empty when the style drops the frame.
        """
        cdef bytes path = b"" if module is None else module
        self.name(
            symbol, len(symbol), path, len(path), module is not None, address, address_text, len(address_text), kind,
            java_root,
        )
        return [
            (self.buffer[self.part_start[i] : self.part_start[i] + self.part_len[i]], self.part_kind[i])
            for i in range(self.part_count)
        ]

    cdef int name(
        self, const unsigned char* symbol, size_t symbol_len, const unsigned char* module, size_t module_len,
        bint has_module, uint64_t address, const unsigned char* address_text, size_t address_text_len, int kind,
        bint java_root,
    ) except -1 nogil:
        """Name one frame; every distinct one needs it once.

        The result is `part_count` rows: `part_len[i]` bytes of `buffer` at `part_start[i]`, of kind `part_kind[i]`,
        good until the next call. Time is linear in the symbol's length.

        Args:
            symbol: the symbol as perf printed it, without its trailing `+0x` offset.
            symbol_len: its length in bytes; 0 counts as `[unknown]`, in the compat styles as a blank name.
            module: the module without its parentheses.
            module_len: its length in bytes.
            has_module: False where the input named none.
            address: the program counter, printed in hex where there is no text of it.
            address_text: the program counter as the input spells it.
            address_text_len: its length in bytes, or 0.
            kind: the frame's kind, as `frame_kind` says.
            java_root: whether the process's name begins with "java"; only the compat styles ask.

        Returns:
            The number of printed frames; 0 when the style drops the frame.

        Raises:
            MemoryError: no room for the name.
        """
        self.frame = Naming(
            module, module_len if has_module else 0, has_module, address, address_text, address_text_len, kind,
            java_root,
        )
        self.used = 0
        self.part_count = 0
        if self.style == NAME_STACKCOLLAPSE or self.style == NAME_INFERNO:
            self.name_compat(symbol, symbol_len)
        elif self.style == NAME_DTRACE_STACKCOLLAPSE or self.style == NAME_DTRACE_INFERNO:
            self.name_dtrace(symbol, symbol_len)
        elif symbol_len == 0 or is_unknown(symbol, symbol_len):
            self.open_part(0, kind)
            self.put_unknown()
            self.close_part()
        elif self.style == NAME_RAW or is_located(symbol, symbol_len):
            self.open_part(symbol_len, kind)
            self.put_module()
            self.put(symbol, symbol_len)
            self.close_part()
        else:
            self.name_tidy(symbol, symbol_len)
        return <int> self.part_count

    cdef int name_tidy(self, const unsigned char* text, size_t size) except -1 nogil:
        """Split off the calls a JIT inlined, and shorten each part."""
        cdef size_t begin = 0
        cdef size_t end = 0
        cdef size_t start
        cdef int kind = self.frame.kind
        while True:
            end = find_inlined(text, begin, size, self.frame.kind == KIND_JIT)
            self.open_part(end - begin, kind)
            if begin == 0:
                self.put_module()
            start = self.used
            self.put_tidy(text + begin, end - begin)
            # A name that would be shortened again is not of the forms we know: better whole than wrong.
            if self.used - start != end - begin and not is_settled(
                self.buffer + start, self.used - start, self.frame.kind == KIND_JIT
            ):
                self.used = start
                self.put(text + begin, end - begin)
            self.close_part()
            if end == size:
                return 0
            begin = end + 2
            kind = KIND_INLINED

    cdef int put_tidy(self, const unsigned char* text, size_t size) noexcept nogil:
        """Write a name without its Rust hash, its Java type brackets or its argument list, whichever it has."""
        cdef size_t tail = size
        cdef size_t cut = rust_hash(text, size, &tail)
        cdef size_t after
        cdef const unsigned char* opening
        if cut:
            if has_escape(text, cut):
                self.used += undo_escapes(text, cut, self.buffer + self.used)
            else:
                self.put(text, cut)
            return self.put(text + tail, size - tail)
        cut = java_class(text, size)
        if cut:
            self.put(text + 1, cut - 1)
            after = cut + 1
            opening = <const unsigned char*> memchr(text + after, c"(", size - after)
            if opening is not NULL and memchr(opening, c")", text + size - opening) is not NULL:
                return self.put(text + after, opening - text - after)
            return self.put(text + after, size - after)
        if find_arguments(text, size, &cut, &after):
            self.put(text, cut)
            return self.put(text + after, size - after)
        return self.put(text, size)

    cdef int name_compat(self, const unsigned char* text, size_t size) except -1 nogil:
        """Name a frame as a reference collapser does: split at every arrow, then name each part."""
        cdef size_t begin = 0
        cdef size_t end
        if begins_with(text, size, b"("):
            return 0
        if self.style == NAME_INFERNO and has_any_hash(text, size):
            reserve(<void**> &self.repaired, &self.repaired_capacity, size, 1)
            size = undo_known_escapes(text, size, self.repaired)
            text = self.repaired
        if self.style == NAME_STACKCOLLAPSE:
            # Perl's split drops empty fields at the end, and has none at all in an empty text.
            while ends_with(text, size, b"->"):
                size -= 2
            if size == 0:
                return 0
        while True:
            end = find_arrow(text, begin, size)
            self.open_part(end - begin, KIND_INLINED if begin else self.frame.kind)
            self.put_compat(text + begin, end - begin)
            self.close_part()
            if end == size:
                return 0
            begin = end + 2

    cdef int put_compat(self, const unsigned char* text, size_t size) noexcept nogil:
        """Write one part as the collapsers' substitutions leave it, in their order."""
        cdef size_t start = self.used
        cdef unsigned char* name = self.buffer + start
        if is_unknown(text, size):
            self.put_unknown()
        else:
            self.put(text, size)
        size = self.used - start
        replace_semicolons(name, size)
        if self.style == NAME_INFERNO:
            size = inferno_arguments(name, size)
        else:
            size = drop_quotes(name, stackcollapse_arguments(name, size))
        self.used = start + size
        if self.frame.java_root and begins_with(name, size, b"L") and memchr(name, c"/", size) is not NULL:
            self.part_start[self.part_count] += 1
        return 0

    cdef int name_dtrace(self, const unsigned char* text, size_t size) except -1 nogil:
        """Name a frame of DTrace's as a reference collapser does: cut, then split at every arrow."""
        cdef size_t begin = 0
        cdef size_t end, skipped
        cdef const unsigned char* tick
        cdef bint has_arrow = find_arrow(text, 0, size) < size
        size = dtrace_arguments(text, size)
        tick = <const unsigned char*> memchr(text, c"`", size)
        if self.style == NAME_DTRACE_INFERNO and tick is not NULL:
            skipped = tick + 1 - text
            # The blank before what was cut goes with a hash, and stays without one.
            end = skipped + without_trailing_space(text + skipped, size - skipped)
            if has_any_hash(text + skipped, end - skipped):
                reserve(<void**> &self.repaired, &self.repaired_capacity, end, 1)
                memcpy(self.repaired, text, skipped)
                size = skipped + undo_known_escapes(text + skipped, end - skipped, self.repaired + skipped)
                text = self.repaired
        if self.style == NAME_DTRACE_STACKCOLLAPSE:
            # Perl's split drops empty fields at the end.
            while ends_with(text, size, b"->"):
                size -= 2
            if size == 0:
                return 0
        while True:
            end = find_arrow(text, begin, size)
            skipped = 0
            if self.style == NAME_DTRACE_STACKCOLLAPSE:
                skipped = 1 if begin < end and text[begin] == c"L" else 0
            elif has_arrow:
                while begin + skipped < end and text[begin + skipped] == c"L":
                    skipped += 1
            self.open_part(end - begin, KIND_INLINED if begin else self.frame.kind)
            self.put(text + begin + skipped, end - begin - skipped)
            replace_semicolons(self.buffer + self.part_start[self.part_count], end - begin - skipped)
            self.close_part()
            if end == size:
                return 0
            begin = end + 2

    cdef int put_module(self) noexcept nogil:
        """Write the module and a backtick, where DTrace would: a JIT's code has none."""
        cdef size_t base
        if self.modules and self.frame.has_module and self.frame.kind != KIND_JIT:
            base = basename_offset(self.frame.module, self.frame.module_len)
            self.put(self.frame.module + base, self.frame.module_len - base)
            self.put(b"`", 1)
        return 0

    cdef int open_part(self, size_t size, int kind) except -1 nogil:
        """Begin a printed frame, with room for a text of this size or for the name of an unknown frame."""
        cdef uint64_t capacity = self.part_capacity
        if self.part_count == capacity:
            reserve(<void**> &self.part_start, &capacity, self.part_count + 1, sizeof(size_t))
            capacity = self.part_capacity
            reserve(<void**> &self.part_len, &capacity, self.part_count + 1, sizeof(size_t))
            capacity = self.part_capacity
            reserve(<void**> &self.part_kind, &capacity, self.part_count + 1, sizeof(int))
            self.part_capacity = capacity
        size += self.used + self.frame.module_len + self.frame.address_text_len + PART_OVERHEAD
        reserve(<void**> &self.buffer, &self.capacity, size, 1)
        self.part_start[self.part_count] = self.used
        self.part_kind[self.part_count] = kind
        return 0

    cdef int close_part(self) noexcept nogil:
        """End the printed frame that was begun, with its annotation."""
        cdef unsigned char mark[4]
        mark[0] = c"_"
        mark[1] = c"["
        mark[2] = <unsigned char> self.annotation()
        mark[3] = c"]"
        if mark[2]:
            self.put(mark, 4)
        self.part_len[self.part_count] = self.used - self.part_start[self.part_count]
        self.part_count += 1
        return 0

    cdef char annotation(self) noexcept nogil:
        """Choose the letter that marks the open part, or 0."""
        cdef size_t start = self.part_start[self.part_count]
        cdef const unsigned char* name = self.buffer + start
        cdef size_t size = self.used - start
        cdef int kind = self.part_kind[self.part_count]
        if self.style == NAME_DTRACE_STACKCOLLAPSE or self.style == NAME_DTRACE_INFERNO:
            return c"i" if self.part_count > 0 else 0
        if self.style == NAME_STACKCOLLAPSE or self.style == NAME_INFERNO:
            if self.part_count > 0:
                return 0 if contains(name, size, b"_[i]") else c"i"
            if self.annotate_kernel and (
                is_inferno_kernel(self.frame.module, self.frame.module_len) if self.style == NAME_INFERNO
                else is_stackcollapse_kernel(self.frame.module, self.frame.module_len)
            ):
                return c"k"
            if self.annotate_jit and (
                is_inferno_jit(self.frame.module, self.frame.module_len) if self.style == NAME_INFERNO
                else is_stackcollapse_jit(self.frame.module, self.frame.module_len)
            ):
                return 0 if contains(name, size, b"_[j]") else c"j"
            return 0
        if ends_with(name, size, b"_[i]") or ends_with(name, size, b"_[k]") or ends_with(name, size, b"_[j]"):
            return 0
        if kind == KIND_INLINED and (self.annotate_kernel or self.annotate_jit):
            return c"i"
        if kind == KIND_KERNEL and self.annotate_kernel:
            return c"k"
        return c"j" if kind == KIND_JIT and self.annotate_jit else 0

    cdef int put(self, const unsigned char* text, size_t size) noexcept nogil:
        """Append text; `open_part` made the room."""
        if size:
            memcpy(self.buffer + self.used, text, size)
        self.used += size
        return 0

    cdef int put_unknown(self) noexcept nogil:
        """Write the name of a frame without a symbol: its module's file name, or `[unknown]`."""
        cdef const unsigned char* module = self.frame.module
        cdef size_t size = self.frame.module_len
        cdef bint compat = self.style == NAME_STACKCOLLAPSE or self.style == NAME_INFERNO
        cdef size_t base
        cdef char digits[20]
        if self.modules:
            self.put_module()
            size = snprintf(digits, sizeof(digits), b"0x%llx", <unsigned long long> self.frame.address)
            return self.put(<const unsigned char*> digits, size)
        if not compat:
            size = module_size(module, size)
        base = basename_offset(module, size)
        self.put(b"[", 1)
        if not self.frame.has_module or is_unknown(module, size) or (not compat and base == size):
            self.put(b"unknown", 7)
        else:
            self.put(module + base, size - base)
        if self.addrs:
            self.put(b" <", 2)
            if self.frame.address_text_len:
                self.put(self.frame.address_text, self.frame.address_text_len)
            else:
                size = snprintf(digits, sizeof(digits), b"%llx", <unsigned long long> self.frame.address)
                self.put(<const unsigned char*> digits, size)
            self.put(b">", 1)
        return self.put(b"]", 1)


cdef bint is_located(const unsigned char* text, size_t size) noexcept nogil:
    """Recognise the names that carry a place in a source file or a regular expression: never shortened.

    Layout::

        JS:*(anonymous) /app/x.js:3:4    a tag, one colon: V8, and other JITs
        RegExp.> src: '(a|b)' flags: ''  V8 from 13 on
        py::<lambda>:/app/x(1).py        CPython's perf trampolines

    Source: v8/src/logging/log.cc, cpython/Python/perf_trampoline.c.
    """
    cdef size_t i = 0
    if begins_with(text, size, b"RegExp."):
        return True
    if begins_with(text, size, b"py::"):
        i = 4
        while i < size and (text[i] != c":" or begins_with(text + i, size - i, b"::")):
            i += 2 if text[i] == c":" else 1
        return i < size
    while i < size and is_word(text[i]):
        i += 1
    return 0 < i < size and text[i] == c":" and (i + 1 == size or text[i + 1] != c":")


cdef bint is_settled(const unsigned char* text, size_t size, bint jit) noexcept nogil:
    """Tell whether a shortened name would stay as it is if it were named again."""
    cdef size_t unused = 0
    cdef size_t also_unused = 0
    if size == 0 or is_unknown(text, size):
        return False
    return is_located(text, size) or not (
        rust_hash(text, size, &unused) or java_class(text, size) or find_arguments(text, size, &unused, &also_unused)
        or find_inlined(text, 0, size, jit) < size
    )


cdef size_t find_arrow(const unsigned char* text, size_t begin, size_t size) noexcept nogil:
    """Find the next `->`; `size` where there is none."""
    cdef const unsigned char* at = text + begin
    while True:
        at = <const unsigned char*> memchr(at, c"-", text + size - at)
        if at is NULL or at + 1 == text + size:
            return size
        if at[1] == c">":
            return at - text
        at += 1


cdef size_t find_inlined(const unsigned char* text, size_t begin, size_t size, bint jit) noexcept nogil:
    """Find the arrow between a compiled method and one inlined into it; `size` where there is none.

    Anything from a JIT may be split; elsewhere both sides must be Java methods, for an arrow is also C++'s operator and
    part of types: neither has brackets open before it, or blanks around it, or `operator` right before it.
    """
    cdef size_t at = find_arrow(text, begin, size)
    cdef size_t i = begin
    cdef size_t parens = 0
    if at == size or not (jit or java_class(text + begin, size - begin)):
        return size
    while at < size:
        while i < at:
            if text[i] == c"(":
                parens += 1
            elif text[i] == c")" and parens:
                parens -= 1
            i += 1
        if (
            parens == 0 and at > begin and at + 2 < size and text[at - 1] != c" " and text[at + 2] != c" "
            and not begins_with(text + at + 2, size - at - 2, b"->")
            and not ends_with(text + begin, at - begin, b"operator")
            and (jit or java_class(text + at + 2, size - at - 2))
        ):
            return at
        at = find_arrow(text, at + 2, size)
    return size


cdef size_t java_class(const unsigned char* text, size_t size) noexcept nogil:
    """Recognise `Lorg/acme/Job$1;::run`, a JVM type before a method.

    Returns:
        The offset of the `;`, or 0.
    """
    cdef size_t i = 1
    if size == 0 or text[0] != c"L":
        return 0
    while i < size and (is_word(text[i]) or (text[i] and memchr(b"/.+-", text[i], 4) is not NULL)):
        i += 1
    return i if 1 < i and i + 3 < size and memcmp(text + i, b";::", 3) == 0 else 0


cdef void replace_semicolons(unsigned char* name, size_t size) noexcept nogil:
    """Write `:` for the byte that folded text separates frames with."""
    cdef unsigned char* at = <unsigned char*> memchr(name, c";", size)
    while at is not NULL:
        at[0] = c":"
        at = <unsigned char*> memchr(at, c";", name + size - at)
