"""The tables of an ELF file whose every entry is looked at: symbols and relocations, to rows of a SymbolTable."""

from libc.stdint cimport UINT64_MAX, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memchr

from flameparse.scan.byte_span cimport load_u16, load_u32, load_u64
from flameparse.symbolize.names.demangle cimport Demangler
from flameparse.symbolize.symbol_table cimport BIND_GLOBAL, BIND_LOCAL, BIND_WEAK, SymbolTable

cdef enum:
    # Symbol types.
    STT_NOTYPE = 0
    STT_OBJECT = 1
    STT_FUNC = 2
    STT_GNU_IFUNC = 10
    # Bindings.
    STB_GLOBAL = 1
    STB_WEAK = 2
    # Visibilities.
    STV_INTERNAL = 1
    STV_HIDDEN = 2
    # Sections that are none.
    SHN_UNDEF = 0
    SHN_ABS = 0xFFF1
    # Machines.
    EM_ARM = 40
    EM_X86_64 = 62
    EM_AARCH64 = 183
    # Relocations that fill a slot with the address of a function: of a symbol, or of what a resolver returns.
    R_X86_64_GLOB_DAT = 6
    R_X86_64_JUMP_SLOT = 7
    R_X86_64_IRELATIVE = 37
    R_AARCH64_GLOB_DAT = 1025
    R_AARCH64_JUMP_SLOT = 1026
    R_AARCH64_IRELATIVE = 1032
    RELA_BYTES = 24
    SYMBOL_BYTES = 24
    # Instructions of a stub on AArch64: bti c; adrp x16, PAGE; ldr x17, [x16, OFFSET]; br x17.
    BTI_C = 0xD503245Fu
    ADRP_X16 = 0x90000010u
    LDR_X17_X16 = 0xF9400211u
    BR_X17 = 0xD61F0220u
    MAX_STUB_BYTES = 32
    # What a section's symbols are to us; bits of `kinds`.
    IS_LOADED = 1
    TAKES_LABELS = 2
    # The length of a printed PLT name, as perf cuts it.
    MAX_PLT_NAME = 1023
    # Bytes of a string table to a note where the next name ends.
    STRIDE = 256


cdef struct ElfSymbol:
    uint32_t name
    uint8_t info
    uint8_t other
    uint16_t section
    uint64_t value
    uint64_t size


# A string table, and for each stride of it where the first name ends that ends in it or later: names may share their
# bytes, so that a search of every name's end could take the square of the file's size. So could the names of stubs, of
# which many may have the same.
cdef struct Strings:
    const unsigned char* text
    uint64_t size
    uint64_t* ends
    uint64_t stub_budget   # bytes of stubs' names that may still be read and written


cdef int open_strings(Strings* strings, const unsigned char[::1] text) except -1:
    """Prepare a string table; `ends` is the caller's to free.

    Raises:
        MemoryError: no room.
    """
    cdef uint64_t strides
    cdef const unsigned char* found
    cdef uint64_t i, at
    strings.size = text.shape[0]
    strings.text = &text[0] if strings.size else NULL
    strings.stub_budget = 16 * strings.size + (1 << 20)
    strides = (strings.size + STRIDE - 1) // STRIDE
    strings.ends = <uint64_t*>malloc((strides + 1) * sizeof(uint64_t))
    if strings.ends is NULL:
        raise MemoryError
    strings.ends[strides] = strings.size
    with nogil:
        for i in range(strides, 0, -1):
            at = (i - 1) * STRIDE
            found = <const unsigned char*>memchr(strings.text + at, 0, min(<uint64_t>STRIDE, strings.size - at))
            strings.ends[i - 1] = strings.ends[i] if found is NULL else <uint64_t>(found - strings.text)
    return 0


cdef inline uint64_t string_length(const Strings* strings, uint64_t at) noexcept nogil:
    """Bytes of the name at a place, which is in the table, up to its NUL or the table's end."""
    cdef uint64_t stride = at // STRIDE
    cdef uint64_t stop = min((stride + 1) * STRIDE, strings.size)
    cdef const unsigned char* found = <const unsigned char*>memchr(strings.text + at, 0, stop - at)
    if found is not NULL:
        return <uint64_t>(found - strings.text) - at
    return strings.ends[stride + 1] - at


cdef inline void read_symbol(const unsigned char* at, bint is_64, bint swaps, ElfSymbol* symbol) noexcept nogil:
    """Read one entry of a symbol table.

    Layout: 64 bits: u32 name, u8 info, u8 other, u16 section, u64 value, u64 size; 32 bits: u32 name, u32 value,
    u32 size, u8 info, u8 other, u16 section. ``info`` is binding << 4 | type, the low bits of ``other`` the visibility.
    Source: Elf64_Sym, Elf32_Sym, <elf.h>.
    """
    symbol.name = load_u32(at, swaps)
    if is_64:
        symbol.info = at[4]
        symbol.other = at[5]
        symbol.section = load_u16(at + 6, swaps)
        symbol.value = load_u64(at + 8, swaps)
        symbol.size = load_u64(at + 16, swaps)
    else:
        symbol.value = load_u32(at + 4, swaps)
        symbol.size = load_u32(at + 8, swaps)
        symbol.info = at[12]
        symbol.other = at[13]
        symbol.section = load_u16(at + 14, swaps)


cdef inline bint is_mapping_symbol(const unsigned char* name, uint64_t length) noexcept nogil:
    """Whether a name is one of those that mark code and data on ARM: ``$a``, ``$d``, ``$t``, ``$x``, also ``$x.5``."""
    return length >= 2 and name[0] == c"$" and name[1] in b"adtx" and (length == 2 or name[2] == c".")


cdef inline uint64_t bias_of(
    uint64_t address, const uint64_t* segments, uint64_t segment_count, uint64_t otherwise
) noexcept nogil:
    """What is added to an address to get a file offset, modulo 2**64.

    Args:
        address: as the program was linked.
        segments: start, size and bias of each that is loaded; the first one that has the address counts.
        segment_count: how many.
        otherwise: the answer where none has it.
    """
    cdef uint64_t i
    for i in range(segment_count):
        if address >= segments[3 * i] and address - segments[3 * i] < segments[3 * i + 1]:
            return segments[3 * i + 2]
    return otherwise


def append_symbols(
    SymbolTable table not None, const unsigned char[::1] symbols not None, const unsigned char[::1] strings not None,
    const unsigned char[::1] kinds not None, const uint64_t[::1] biases not None, const uint64_t[::1] loads not None,
    *, bint is_64, bint swaps, int machine, const unsigned char[::1] opd not None, uint64_t opd_number,
    uint64_t opd_address, bint stops,
):
    """Append the symbols that name code or data of a program, as places in its file.

    Args:
        table: receives them.
        symbols: the symbol table; bytes past its last whole entry are passed over.
        strings: its names.
        kinds: of each section, whether its symbols count, labels too.
        biases: of each section, what is added to an address to get a file offset.
        loads: start, size and such a bias of each loaded segment, which outrank the sections.
        is_64, swaps, machine: of the file.
        opd: content of the section of function descriptors; empty where there is none.
        opd_number, opd_address: of that section in the file of the symbols.
        stops: whether to stop, as perf does, at a symbol that would count if its section were there.

    Returns:
        Whether the end was reached.

    Raises:
        MemoryError: no room.
    """
    cdef uint64_t entry_bytes = 24 if is_64 else 16
    cdef uint64_t n = symbols.shape[0] // entry_bytes
    cdef uint64_t section_count = min(kinds.shape[0], biases.shape[0])
    cdef uint64_t segment_count = loads.shape[0] // 3
    cdef const uint64_t* segments = &loads[0] if segment_count else NULL
    cdef uint64_t opd_size = opd.shape[0]
    cdef bint reached_end = True
    cdef bint is_arm = machine == EM_ARM or machine == EM_AARCH64
    cdef uint64_t i, k, length, names
    cdef int type, binding
    cdef Strings name_table
    cdef ElfSymbol symbol
    open_strings(&name_table, strings)
    try:
        with nogil:
            names = table.add_names(name_table.text, name_table.size)
            for i in range(n):
                read_symbol(&symbols[i * entry_bytes], is_64, swaps, &symbol)
                type = symbol.info & 15
                if symbol.section in (SHN_UNDEF, SHN_ABS) or symbol.name == 0 or symbol.name >= name_table.size:
                    continue
                if type == STT_NOTYPE:
                    if (symbol.other & 3) in (STV_INTERNAL, STV_HIDDEN):
                        continue
                elif type != STT_FUNC and type != STT_GNU_IFUNC and type != STT_OBJECT:
                    continue
                if symbol.section >= section_count:
                    if stops:
                        reached_end = False
                        break
                    continue
                if not kinds[symbol.section] & IS_LOADED:
                    continue
                if type == STT_NOTYPE and not kinds[symbol.section] & TAKES_LABELS:
                    continue
                length = string_length(&name_table, symbol.name)
                if is_arm and is_mapping_symbol(name_table.text + symbol.name, length):
                    continue
                if opd_size >= 8 and symbol.section == opd_number:
                    k = symbol.value - opd_address
                    if k > opd_size - 8:
                        continue
                    symbol.value = load_u64(&opd[k], swaps)
                if machine == EM_ARM and type == STT_FUNC:
                    symbol.value &= ~<uint64_t>1
                symbol.value += bias_of(symbol.value, segments, segment_count, biases[symbol.section])
                binding = symbol.info >> 4
                table.append_named(
                    symbol.value,
                    symbol.value + min(symbol.size, UINT64_MAX - symbol.value),
                    names + symbol.name,
                    length,
                    BIND_GLOBAL if binding == STB_GLOBAL else BIND_WEAK if binding == STB_WEAK else BIND_LOCAL,
                )
    finally:
        free(name_table.ends)
    return reached_end


def append_plt(
    SymbolTable table not None, const unsigned char[::1] relocations not None,
    const unsigned char[::1] symbols not None, const unsigned char[::1] strings not None, Demangler demangler not None,
    *, bint is_64, bint swaps, bint has_addends, uint64_t offset, uint64_t entry_bytes,
):
    """Append ``name@plt`` for each relocation of the PLT, whose stubs are taken to stand in the same order.

    Layout of a relocation: offset, info, and with addends an addend, u64 or u32 by class; ``info`` is symbol << 32 |
    type, with 32 bits symbol << 8 | type.
    Source: Elf64_Rela and its sisters, <elf.h>; dso__synthesize_plt_symbols, tools/perf/util/symbol-elf.c of Linux 6.1.

    Args:
        table: receives them.
        relocations, symbols, strings: ``.rela.plt``, ``.dynsym``, ``.dynstr``.
        demangler: for the names, which are cut to 1,023 bytes once demangled.
        is_64, swaps, has_addends: how to read them.
        offset, entry_bytes: of the first stub, and of each.

    Returns:
        How many were appended.

    Raises:
        MemoryError: no room.
    """
    cdef uint64_t word = 8 if is_64 else 4
    cdef uint64_t relocation_bytes = word * (3 if has_addends else 2)
    cdef uint64_t symbol_bytes = 24 if is_64 else 16
    cdef uint64_t n = relocations.shape[0] // relocation_bytes
    cdef uint64_t symbol_count = symbols.shape[0] // symbol_bytes
    cdef const unsigned char* at
    cdef uint64_t i, number
    cdef uint64_t name = 0
    cdef Strings name_table
    open_strings(&name_table, strings)
    try:
        with nogil:
            for i in range(n):
                at = &relocations[i * relocation_bytes] + word
                number = load_u64(at, swaps) >> 32 if is_64 else load_u32(at, swaps) >> 8
                if number < symbol_count:
                    name = load_u32(&symbols[number * symbol_bytes], swaps)
                append_stub(table, demangler, &name_table, name, offset, offset + entry_bytes)
                offset += entry_bytes
    finally:
        free(name_table.ends)
    return n


# Memory that a stub jumps through, and what the dynamic linker puts there.
cdef struct Slot:
    uint64_t address
    uint64_t name        # place in .dynstr; 0: none, it is what `resolver` returns
    uint64_t resolver


cdef int compare_slots(const void* first, const void* second) noexcept nogil:
    cdef uint64_t a = (<const Slot*>first).address
    cdef uint64_t b = (<const Slot*>second).address
    return (a > b) - (a < b)


def append_stubs(
    SymbolTable table not None, list sections not None, const unsigned char[::1] relocations not None,
    const unsigned char[::1] symbols not None, const unsigned char[::1] strings not None, Demangler demangler not None,
    const uint64_t[::1] loads not None, *, int machine, bint swaps,
):
    """Append ``name@plt`` for each stub, told by the slot its code jumps through.

    So it does not matter how a linker lays stubs out, nor in how many sections.

    Args:
        table: receives them; in order, so that the functions which resolvers stand for can be looked up.
        sections: (address, file offset, bytes of a stub, content) of each section of stubs.
        relocations: Elf64_Rela of all sections together.
        symbols, strings: ``.dynsym``, ``.dynstr``; empty in a static program.
        demangler: for the names.
        loads: as of ``append_symbols``.
        machine, swaps: of the file; x86-64 and AArch64 are known.

    Raises:
        MemoryError: no room.
    """
    cdef uint64_t n = relocations.shape[0] // RELA_BYTES
    cdef uint64_t segment_count = loads.shape[0] // 3
    cdef const uint64_t* segments = &loads[0] if segment_count else NULL
    cdef uint64_t address, offset, stub_bytes, slot_count
    cdef const unsigned char[::1] code
    cdef Strings name_table
    cdef Slot* slots = <Slot*>malloc((n + 1) * sizeof(Slot))
    if slots is NULL:
        raise MemoryError
    open_strings(&name_table, strings)
    try:
        with nogil:
            slot_count = 0
            if n:
                slot_count = read_slots(
                    &relocations[0], n, &symbols[0] if symbols.shape[0] else NULL, symbols.shape[0] // SYMBOL_BYTES,
                    swaps, slots,
                )
            qsort(slots, slot_count, sizeof(Slot), compare_slots)
        for address, offset, stub_bytes, code in sections:
            if code.shape[0] == 0:
                continue
            with nogil:
                if machine == EM_X86_64:
                    scan_x86(
                        table, demangler, &name_table, slots, slot_count, segments, segment_count,
                        &code[0], code.shape[0], address, offset, stub_bytes,
                    )
                else:
                    scan_aarch64(
                        table, demangler, &name_table, slots, slot_count, segments, segment_count,
                        &code[0], code.shape[0], address, offset,
                    )
    finally:
        free(name_table.ends)
        free(slots)


cdef uint64_t read_slots(
    const unsigned char* relocations, uint64_t n, const unsigned char* symbols, uint64_t symbol_count, bint swaps,
    Slot* slots,
) noexcept nogil:
    """Gather the slots that stubs may jump through; how many.

    Layout: u64 offset, u64 info = symbol << 32 | type, u64 addend.
    Source: Elf64_Rela, <elf.h>.
    """
    cdef uint64_t count = 0
    cdef uint64_t i, info, number
    cdef uint32_t type
    cdef const unsigned char* at
    for i in range(n):
        at = relocations + i * RELA_BYTES
        info = load_u64(at + 8, swaps)
        type = <uint32_t>info
        number = info >> 32
        slots[count].address = load_u64(at, swaps)
        slots[count].name = slots[count].resolver = 0
        if type in (R_X86_64_IRELATIVE, R_AARCH64_IRELATIVE):
            slots[count].resolver = load_u64(at + 16, swaps)
        elif type in (R_X86_64_GLOB_DAT, R_X86_64_JUMP_SLOT, R_AARCH64_GLOB_DAT, R_AARCH64_JUMP_SLOT):
            if number >= symbol_count:
                continue
            slots[count].name = load_u32(symbols + number * SYMBOL_BYTES, swaps)
        else:
            continue
        count += 1
    return count


cdef int scan_x86(
    SymbolTable table, Demangler demangler, Strings* strings, const Slot* slots, uint64_t slot_count,
    const uint64_t* segments, uint64_t segment_count, const unsigned char* code, uint64_t size, uint64_t address,
    uint64_t offset, uint64_t stub_bytes,
) except -1 nogil:
    """Find ``jmp *SLOT(%rip)``, bytes ff 25 and the distance from the next instruction."""
    cdef uint64_t i, start
    cdef const Slot* slot
    for i in range(size - 5 if size > 5 else 0):
        if code[i] != 0xFF or code[i + 1] != 0x25:
            continue
        slot = find_slot(slots, slot_count, address + i + 6 + <uint64_t><int32_t>load_le32(code + i + 2))
        if slot is not NULL:
            start = i - i % stub_bytes
            append_named_stub(
                table, demangler, strings, slot, segments, segment_count, offset + start,
                offset + min(start + stub_bytes, size),
            )
    return 0


cdef int scan_aarch64(
    SymbolTable table, Demangler demangler, Strings* strings, const Slot* slots, uint64_t slot_count,
    const uint64_t* segments, uint64_t segment_count, const unsigned char* code, uint64_t size, uint64_t address,
    uint64_t offset,
) except -1 nogil:
    """Find ``adrp x16, PAGE; ldr x17, [x16, OFFSET]`` and the branch after it."""
    cdef uint64_t i, start, end, target
    cdef uint32_t page, load
    cdef const Slot* slot
    for i in range(0, size - 7 if size > 7 else 0, 4):
        page = load_le32(code + i)
        load = load_le32(code + i + 4)
        if (page & 0x9F00001Fu) != ADRP_X16 or (load & 0xFFC003FFu) != LDR_X17_X16:
            continue
        # 21 bits of pages, signed: the upper 19 from bit 5, the lower two from bit 29; 12 bits of words.
        target = (<uint64_t>(page >> 5 & 0x7FFFF) << 2 | (page >> 29 & 3)) << 12
        if target & (<uint64_t>1 << 32):
            target -= <uint64_t>1 << 33
        target += ((address + i) & ~<uint64_t>0xFFF) + <uint64_t>(load >> 10 & 0xFFF) * 8
        slot = find_slot(slots, slot_count, target)
        if slot is NULL:
            continue
        start = i - 4 if i >= 4 and load_le32(code + i - 4) == BTI_C else i
        end = i + 8
        while end + 4 <= size and end - start < MAX_STUB_BYTES and load_le32(code + end) != BR_X17:
            end += 4
        append_named_stub(
            table, demangler, strings, slot, segments, segment_count, offset + start, offset + min(end + 4, size)
        )
    return 0


cdef inline uint32_t load_le32(const unsigned char* at) noexcept nogil:
    """Read an instruction's 32 bits, little endian whatever the data of the file are."""
    return at[0] | <uint32_t>at[1] << 8 | <uint32_t>at[2] << 16 | <uint32_t>at[3] << 24


cdef const Slot* find_slot(const Slot* slots, uint64_t count, uint64_t address) noexcept nogil:
    """Find the slot at an address; NULL where there is none."""
    cdef uint64_t low = 0
    cdef uint64_t high = count
    cdef uint64_t middle
    while low < high:
        middle = (low + high) >> 1
        if slots[middle].address < address:
            low = middle + 1
        else:
            high = middle
    return slots + low if low < count and slots[low].address == address else NULL


cdef int append_named_stub(
    SymbolTable table, Demangler demangler, Strings* strings, const Slot* slot, const uint64_t* segments,
    uint64_t segment_count, uint64_t start, uint64_t end,
) except -1 nogil:
    """Append a stub, unless nothing names what it calls."""
    cdef int64_t row
    if slot.name:
        return append_stub(table, demangler, strings, slot.name, start, end)
    row = table.find_start(slot.resolver + bias_of(slot.resolver, segments, segment_count, 0))
    if row < 0:
        return 0
    return append_stub_of(
        table, demangler, strings, table.names + table.rows[row].name, table.rows[row].name_length, start, end
    )


cdef int append_stub_of(
    SymbolTable table, Demangler demangler, Strings* strings, const unsigned char* name, uint64_t name_length,
    uint64_t start, uint64_t end,
) except -1 nogil:
    """Append a stub of the function of a name, unless the budget is spent."""
    cdef uint64_t place = table.names_used
    cdef uint64_t length
    if name_length + MAX_PLT_NAME > strings.stub_budget:
        return 0
    demangler.demangle(name, name_length)
    length = min(demangler.length, <uint64_t>MAX_PLT_NAME)
    strings.stub_budget -= name_length + length
    table.add_names(demangler.text, length)
    table.add_names(b"@plt", min(<uint64_t>4, MAX_PLT_NAME - length))
    return table.append_named(start, end, place, table.names_used - place, BIND_GLOBAL)


cdef int append_stub(
    SymbolTable table, Demangler demangler, Strings* strings, uint64_t name, uint64_t start, uint64_t end
) except -1 nogil:
    """Append a stub of the function whose name stands at a place of the string table; past it, of none."""
    if name >= strings.size:
        return append_stub_of(table, demangler, strings, table.names, 0, start, end)
    return append_stub_of(
        table, demangler, strings, strings.text + name, string_length(strings, name), start, end
    )
