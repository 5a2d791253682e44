"""The kernel's list of its symbols to symbol tables.

Three lines; a module's name follows a tab::

    ffffffff81000000 T _stext
    ffffffff81231950 t quirk_radeon_pm.part.0
    ffffffffc0201000 t nft_do_chain	[nf_tables]

There are no sizes: a symbol ends where the next begins. Source: s_show(), kernel/kallsyms.c.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp

from flameparse.model.growth cimport reserve
from flameparse.scan.line_scan cimport byte_before, find_newline
from flameparse.symbolize.symbol_line cimport is_precise, parse_hex
from flameparse.symbolize.symbol_table cimport BIND_GLOBAL, BIND_LOCAL, BIND_WEAK, Symbol, SymbolTable

from flameparse import limits
from flameparse.errors import LimitError, MalformedError, UnsupportedError


cdef bint is_kept(unsigned char type) noexcept nogil:
    """Whether perf keeps a symbol of such a type: text, weak, data or bss, global or local."""
    type |= 32
    return type == c"t" or type == c"w" or type == c"d" or type == c"b"


cdef bint can_be_reference(unsigned char type) noexcept nogil:
    return type | 32 == c"t" or type | 32 == c"w" or type == c"A"


cdef uint8_t binding_of(unsigned char type) noexcept nogil:
    if type == c"W":
        return BIND_WEAK
    return BIND_GLOBAL if type < c"a" else BIND_LOCAL


cdef bint is_module(const unsigned char* tab, const unsigned char* end) noexcept nogil:
    """Whether what follows a name is a tab and ``[module]``."""
    return end - tab > 3 and (tab + 1)[0] == c"[" and byte_before(end) == c"]"


cdef uint64_t leading_underscores(const unsigned char* name, uint64_t length) noexcept nogil:
    cdef uint64_t count = 0
    while count < length and name[count] == c"_":
        count += 1
    return count


cdef bint is_worse(const Symbol* later, const Symbol* kept, const unsigned char* names) noexcept nogil:
    """Whether the later name of an address says less: weak, local, or with more underscores before it."""
    if (later.binding == BIND_WEAK) != (kept.binding == BIND_WEAK):
        return later.binding == BIND_WEAK
    if (later.binding == BIND_GLOBAL) != (kept.binding == BIND_GLOBAL):
        return kept.binding == BIND_GLOBAL
    return (
        leading_underscores(names + later.name, later.name_length)
        > leading_underscores(names + kept.name, kept.name_length)
    )


cdef class KernelSymbols:
    """The symbols of one kallsyms and their modules."""

    cdef SymbolTable table       # all of them; names with what follows: tab and ``[module]``
    cdef uint32_t* module_of     # of each row, the place in modules
    cdef uint64_t capacity
    cdef list modules            # names; the first is the kernel itself, b""
    cdef dict module_ids
    cdef bint has_addresses
    cdef bint has_reference
    cdef uint64_t reference      # address of the symbol that was asked for

    def __cinit__(self):
        self.table = SymbolTable()
        self.modules = [b""]
        self.module_ids = {b"": 0}

    def __dealloc__(self):
        free(self.module_of)

    cdef int read(
        self, const unsigned char* at, const unsigned char* end,
        const unsigned char* reference, uint64_t reference_length,
    ) except -1 nogil:
        """Read all whole lines; what is none of kallsyms is stepped over, as perf does.

        Args:
            at, end: the text.
            reference, reference_length: name of the kernel's symbol whose address is wanted.

        Raises:
            LimitError: too many modules.
            MemoryError: no room.
        """
        cdef const unsigned char* line_end
        cdef const unsigned char* name
        cdef const unsigned char* tab
        cdef const unsigned char* module = NULL
        cdef uint64_t length
        cdef uint64_t module_length = 0
        cdef uint32_t last_module = 0
        cdef uint64_t start = 0
        cdef unsigned char type
        while at < end:
            line_end = find_newline(at, end)
            if line_end is NULL:
                return 0
            name = parse_hex(at, line_end, &start)
            at = line_end + 1
            if name is NULL or line_end - name < 4 or name[0] != c" " or (name + 2)[0] != c" ":
                continue
            type = (name + 1)[0]
            name += 3
            length = line_end - name
            tab = <const unsigned char*>memchr(name, c"\t", length)
            if (
                not self.has_reference and length == reference_length and can_be_reference(type)
                and memcmp(name, reference, length) == 0
            ):
                self.has_reference = True
                self.reference = start
            if not is_kept(type) or name[0] == c"$":
                continue
            if name == tab or tab is not NULL and not is_module(tab, line_end):
                continue
            reserve(<void**>&self.module_of, &self.capacity, self.table.count + 1, sizeof(uint32_t))
            self.module_of[self.table.count] = 0
            if tab is not NULL:
                if module is NULL or line_end - tab - 3 != module_length or memcmp(tab + 2, module, module_length) != 0:
                    module = tab + 2
                    module_length = line_end - tab - 3
                    last_module = self.intern_module(module, module_length)
                self.module_of[self.table.count] = last_module
            self.table.append(start, start, name, length, binding_of(type))
            self.has_addresses |= start != 0
        return 0

    cdef uint32_t intern_module(self, const unsigned char* name, uint64_t length) except 0xFFFFFFFF with gil:
        cdef bytes key = name[:length]
        cdef uint32_t id = self.module_ids.setdefault(key, len(self.modules))
        if id == <uint32_t>len(self.modules):
            if id > <uint32_t>limits.MAX_KERNEL_MODULES:
                raise LimitError(
                    f"more than {limits.MAX_KERNEL_MODULES} modules (MAX_KERNEL_MODULES)", format_name="kallsyms"
                )
            self.modules.append(key)
        return id

    cdef void relocate(self, uint64_t delta, bint drops_modules) noexcept nogil:
        """Move the kernel to where it was when it was recorded.

        Args:
            delta: where it is now, minus that.
            drops_modules: they did not move with the kernel, so nothing is known of theirs.
        """
        cdef Symbol* rows = self.table.rows
        cdef uint64_t i
        cdef uint64_t kept = 0
        for i in range(self.table.count):
            if self.module_of[i] == 0:
                rows[i].start -= delta
                rows[i].end -= delta
            elif drops_modules:
                continue
            rows[kept] = rows[i]
            self.module_of[kept] = self.module_of[i]
            kept += 1
        self.table.count = kept

    cdef int choose_names(self, SymbolTable table, bint precise) except -1 nogil:
        """Keep one name per address: the last, but by precise rules no worse one.

        perf 6.1 chooses while all but the last have no size, by which they lose. Among equals the last is right often:
        ``__x64_sys_fork`` comes after ``__do_sys_fork`` and ``__ia32_sys_fork``.
        """
        cdef uint64_t i
        cdef uint64_t kept = 0
        cdef Symbol* row
        cdef Symbol* last = NULL
        table.sort_rows()
        for i in range(table.order_count):
            row = table.rows + table.order[i]
            if last is NULL or row.start != last.start:
                kept += 1
            elif precise and is_worse(row, last, table.names):
                continue
            table.order[kept - 1] = table.order[i]
            last = row
        table.order_count = kept
        return 0

    cdef dict split(self, bint keeps_all):
        """Give each module a table of its own.

        Args:
            keeps_all: the kernel's table keeps the symbols of the modules.
        """
        cdef SymbolTable table = self.table
        cdef dict tables = {b"": table}
        cdef SymbolTable part
        cdef uint64_t i = 0
        cdef uint64_t kept = 0
        while i < table.order_count:
            name = self.modules[self.module_of[table.order[i]]]
            part = None if not name else tables.setdefault(name, SymbolTable())
            with nogil:
                i = self.split_run(table, part, i, &kept, keeps_all)
        table.order_count = kept
        for part in tables.values():
            part.flatten("precise")
        return tables

    cdef uint64_t split_run(
        self, SymbolTable table, SymbolTable part, uint64_t i, uint64_t* kept, bint keeps_all
    ) except 0 nogil:
        """Split off rows in order from ``i`` on, up to one of another module; where it stopped."""
        cdef uint32_t module = self.module_of[table.order[i]]
        cdef const unsigned char* name
        cdef Symbol* row
        while i < table.order_count and self.module_of[table.order[i]] == module:
            row = table.rows + table.order[i]
            if module:
                name = table.names + row.name
                row.name_length = <uint32_t>(<const unsigned char*>memchr(name, c"\t", row.name_length) - name)
                part.append(row.start, row.end, name, row.name_length, row.binding)
            if keeps_all or not module:
                table.order[kept[0]] = table.order[i]
                kept[0] += 1
            i += 1
        return i


def read_kallsyms(
    const unsigned char[::1] data not None,
    *,
    bytes reference_name=b"",
    uint64_t reference_address=0,
    str rules="precise",
):
    """Read a kernel's symbols, at the addresses they had when a recording was made.

    By the rules of perf 6.1 the last name of an address is taken, and a module's last symbol reaches to the next one.

    Args:
        data: the text; a last line without newline was cut and does not count.
        reference_name: a symbol of the kernel, ``_text`` or ``_stext``; empty where none is known.
        reference_address: its address in the recording.
        rules: ``perf-6.1`` or ``precise``.

    Returns:
        Tables, ready for ``resolve``, by name of module; the kernel's is ``b""``. By precise rules that one has the
        modules' symbols too, for a module that was loaded while recording; and where the kernel has moved since, none
        of any module, for each moves by itself.

    Raises:
        UnsupportedError: all addresses are zero: they were hidden from the reader.
        MalformedError: no symbol at all, or none of the name that is wanted.
        LimitError: more modules than ``MAX_KERNEL_MODULES``.
        MemoryError: no room.
    """
    cdef bint precise = is_precise(rules)
    cdef KernelSymbols symbols = KernelSymbols()
    cdef const unsigned char* reference = reference_name
    cdef uint64_t reference_length = len(reference_name)
    cdef uint64_t delta
    if data.shape[0]:
        with nogil:
            symbols.read(&data[0], &data[0] + data.shape[0], reference, reference_length)
    if not symbols.table.count:
        raise MalformedError("no symbol in it", format_name="kallsyms")
    if not symbols.has_addresses:
        raise UnsupportedError("all addresses are zero: the reader had no right to see them", format_name="kallsyms")
    if reference_length and not symbols.has_reference:
        raise MalformedError(f"no symbol {reference_name!r}, by which to place the kernel", format_name="kallsyms")
    delta = symbols.reference - reference_address if reference_length else 0
    if delta:
        symbols.relocate(delta, precise)
    with nogil:
        symbols.choose_names(symbols.table, precise)
    symbols.table.close_gaps(modules=rules)
    return symbols.split(precise)
