"""Frames that are addresses of a DSO get the names its symbols give them.

Three steps, of which the middle one runs for several DSOs at once: ``group_frames`` sorts a profile's frames by DSO,
``DsoFrames.resolve`` looks them up and demangles, ``settle`` writes names and modules into the profile.
"""

from libc.stdint cimport UINT64_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from flameparse.model.frame_table cimport NONE_ID, Frame, FrameTable
from flameparse.model.growth cimport reserve
from flameparse.model.sample_table cimport SampleTable
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.scan.byte_hash cimport hash_bytes
from flameparse.symbolize.names.demangle cimport Demangler
from flameparse.symbolize.symbol_table cimport Symbol, SymbolTable

from flameparse import limits
from flameparse.model.dso import DsoKind

# What is kept of an address that nothing names: the half of the address space, which tells kernel from user.
cdef uint64_t HALF = 0xFFFF000000000000u


cdef class DsoFrames:
    """The frames of one DSO that have no name yet.

    Attributes:
        dso: the ``Dso``.
        dso_row: its place in the profile's DSOs.
        module: what is printed behind its frames.
        found: where its symbols came from; set by the caller of ``resolve``.
        count: frames.
        named: those that have a name after ``resolve``.
    """

    cdef readonly object dso
    cdef readonly uint32_t dso_row
    cdef readonly bytes module
    cdef bytes suffix           # what a tool reads as the end of each name; None where it reads the module whole
    cdef public object found
    cdef uint32_t* frames       # rows of the frame table
    cdef uint64_t* addresses    # of each
    cdef uint32_t* names        # of each, after resolve: place in the two columns below, or NONE_ID
    cdef uint8_t* contested     # of each, after resolve: whether its symbol is
    cdef readonly uint32_t count
    cdef readonly uint32_t named
    cdef uint64_t* name_ends    # of each distinct name
    cdef uint64_t name_count
    cdef uint64_t name_capacity
    cdef unsigned char* text    # all distinct names, end to end
    cdef uint64_t text_used
    cdef uint64_t text_capacity

    def __cinit__(self, dso, uint32_t dso_row, uint32_t capacity):
        self.dso = dso
        self.dso_row = dso_row
        self.module = dso.path
        self.frames = <uint32_t*>malloc(capacity * sizeof(uint32_t) + 1)
        self.addresses = <uint64_t*>malloc(capacity * sizeof(uint64_t) + 1)
        self.names = <uint32_t*>malloc(capacity * sizeof(uint32_t) + 1)
        self.contested = <uint8_t*>calloc(capacity + 1, 1)
        if self.frames is NULL or self.addresses is NULL or self.names is NULL or self.contested is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.frames)
        free(self.addresses)
        free(self.names)
        free(self.contested)
        free(self.name_ends)
        free(self.text)

    def read_as_tool(self):
        """Take name and module as a tool does that looks for the last `` (`` of the line ``name+0x10 (module)``.

        A module like ``/tmp/app (deleted)`` has one itself; then what stands before that counts as the name.
        """
        cdef Py_ssize_t cut = self.dso.path.rfind(b" (")
        if cut >= 0:
            self.suffix = b" (" + self.dso.path[:cut]
            self.module = self.dso.path[cut + 2 :]

    def resolve(self, SymbolTable table not None, bint demangles, str rules not None="precise"):
        """Look every address up; several DSOs may do so at once.

        Args:
            table: the DSO's symbols.
            demangles: whether names may be mangled.
            rules: see ``Demangler``.

        Raises:
            MemoryError: no room.
        """
        cdef Demangler demangler = Demangler(rules) if demangles else None
        cdef uint32_t* name_of_row = <uint32_t*>calloc(table.count + 1, sizeof(uint32_t))  # 0: not seen yet
        if name_of_row is NULL:
            raise MemoryError
        try:
            with nogil:
                self.look_up(table, demangler, name_of_row)
        finally:
            free(name_of_row)
        if self.suffix is not None:
            self.spell_out(table)

    cdef int look_up(self, SymbolTable table, Demangler demangler, uint32_t* name_of_row) except -1 nogil:
        cdef uint32_t i
        cdef int64_t row
        cdef Symbol* symbol
        # Names of a file may share their bytes; past this, an address stays without one.
        cdef uint64_t budget = 16 * table.names_used + (1 << 20)
        for i in range(self.count):
            self.names[i] = NONE_ID
            row = table.find(self.addresses[i])
            if row < 0:
                continue
            if not name_of_row[row]:
                symbol = &table.rows[row]
                if symbol.name_length > budget:
                    continue
                budget -= symbol.name_length
                if demangler is None:
                    self.keep(table.names + symbol.name, symbol.name_length)
                else:
                    demangler.demangle(table.names + symbol.name, symbol.name_length)
                    budget -= min(budget, demangler.length)
                    self.keep(demangler.text, demangler.length)
                name_of_row[row] = <uint32_t>self.name_count
            self.names[i] = name_of_row[row] - 1
            self.contested[i] = table.rows[row].is_contested
            self.named += 1
        return 0

    cdef int span(self, uint64_t* low, uint64_t* high) except -1:
        """The addresses that are the DSO's: all, but of the kernel those that its symbols cover.

        Its mapping reaches further than it does, since what lies past the recorded end may have symbols too.
        """
        cdef SymbolTable table = None if self.found is None else self.found.table
        low[0], high[0] = 0, UINT64_MAX
        if self.dso.kind == DsoKind.KERNEL:
            if table is not None and table.interval_count:
                low[0], high[0] = table.intervals[0].start, table.intervals[table.interval_count - 1].end
            elif self.dso.end:
                low[0], high[0] = self.dso.start, self.dso.end
        return 0

    cdef int spell_out(self, SymbolTable table) except -1:
        """Replace every frame's name by all that the tool takes for it."""
        cdef uint32_t i
        cdef uint64_t begin
        names = [self.text[self.name_ends[i - 1] if i else 0 : self.name_ends[i]] for i in range(self.name_count)]
        self.name_count = self.text_used = 0
        for i in range(self.count):
            if self.names[i] != NONE_ID:
                begin = table.rows[table.find(self.addresses[i])].start
                spelt = names[self.names[i]] + b"+0x%x" % (self.addresses[i] - begin) + self.suffix
                self.names[i] = <uint32_t>self.name_count
                self.keep(spelt, len(spelt))
        return 0

    cdef int keep(self, const unsigned char* name, uint64_t length) except -1 nogil:
        reserve(<void**>&self.name_ends, &self.name_capacity, self.name_count + 1, sizeof(uint64_t))
        reserve(<void**>&self.text, &self.text_capacity, self.text_used + length, 1)
        if length:
            memcpy(self.text + self.text_used, name, length)
        self.text_used += length
        self.name_ends[self.name_count] = self.text_used
        self.name_count += 1
        return 0


def group_frames(profile not None):
    """Sort the nameless frames of a profile at address level by DSO.

    Args:
        profile: each frame's ``dso`` is a row of ``profile.dsos``.

    Returns:
        A ``DsoFrames`` for every DSO that has such frames, those with the most first.
    """
    cdef FrameTable frames = profile.frames
    cdef list rows = profile.dsos.rows
    cdef uint64_t dso_count = len(rows)
    cdef uint32_t* counts = <uint32_t*>calloc(dso_count + 1, sizeof(uint32_t))
    cdef uint64_t i
    cdef Frame* frame
    cdef DsoFrames group
    cdef list groups = []
    if counts is NULL:
        raise MemoryError
    try:
        for i in range(frames.count):
            frame = &frames.rows[i]
            if frame.name == NONE_ID and frame.dso < dso_count:
                counts[frame.dso] += 1
        groups = [DsoFrames(rows[i], i, counts[i]) if counts[i] else None for i in range(dso_count)]
    finally:
        free(counts)
    for i in range(frames.count):
        frame = &frames.rows[i]
        if frame.name == NONE_ID and frame.dso < dso_count:
            group = <DsoFrames>groups[frame.dso]
            group.frames[group.count] = <uint32_t>i
            group.addresses[group.count] = frame.address
            group.names[group.count] = NONE_ID
            group.count += 1
    return sorted((found for found in groups if found is not None), key=frame_count, reverse=True)


def frame_count(DsoFrames group not None):
    """Frames of a group, to sort by."""
    return group.count


def settle(profile not None, list groups not None, *, bint keeps_addresses=False):
    """Write the names that were found, and every frame's module, into a profile, and take account.

    Args:
        profile: at address level; afterwards ``name`` and ``dso`` of its frames are string ids.
        groups: what ``group_frames`` gave, resolved as far as it could be.
        keeps_addresses: tell frames without a name apart by address.

    Raises:
        MemoryError: no room.
    """
    cdef FrameTable frames = profile.frames
    cdef StringTable strings = profile.strings
    cdef DsoFrames group
    cdef uint32_t i, id, unknown
    cdef uint64_t begin, end, low, high
    cdef Frame* frame
    cdef uint64_t* uses = count_uses(profile)
    cdef uint32_t* name_ids
    cdef uint64_t used, named, ambiguous
    cdef uint64_t all_ambiguous = 0
    cdef list modules = [dso.path for dso in profile.dsos.rows]
    cdef uint32_t module_count = len(modules)
    try:
        for group in groups:
            modules[group.dso_row] = group.module
            unknown = NONE_ID if group.suffix is None else strings.add(b"[unknown]" + group.suffix)
            group.span(&low, &high)
            name_ids = <uint32_t*>malloc(group.name_count * sizeof(uint32_t) + 1)
            if name_ids is NULL:
                raise MemoryError
            try:
                begin = 0
                for i in range(group.name_count):
                    end = group.name_ends[i]
                    name_ids[i] = intern_name(profile, group.text + begin, end - begin)
                    begin = end
                used = named = ambiguous = 0
                for i in range(group.count):
                    id = group.frames[i]
                    frame = &frames.rows[id]
                    if group.names[i] == NONE_ID and not low <= frame.address < high:
                        frame.dso = NONE_ID
                        continue
                    used += uses[id]
                    if group.names[i] != NONE_ID:
                        frame.name = name_ids[group.names[i]]
                        frame.address = 0
                        named += uses[id]
                        ambiguous += uses[id] if group.contested[i] else 0
                    else:
                        frame.name = unknown
            finally:
                free(name_ids)
            all_ambiguous += ambiguous
            profile.diagnostics.add_module(
                group.dso.path, build_id=group.dso.build_id, frames=used, named=named, ambiguous=ambiguous,
                file="" if group.found is None else group.found.file,
                reason="" if group.found is None else group.found.reason,
            )
        modules = [strings.add(module) for module in modules]
        used = named = 0
        for i in range(frames.count):
            frame = &frames.rows[i]
            used += uses[i]
            named += uses[i] if frame.name != NONE_ID else 0
            if frame.name == NONE_ID and not keeps_addresses:
                frame.address = frame.address & HALF if frame.dso == NONE_ID else 0
            if frame.dso < module_count:
                frame.dso = modules[frame.dso]
    finally:
        free(uses)
    profile.diagnostics.count("frames_seen", used)
    profile.diagnostics.count("frames_unnamed", used - named)
    profile.diagnostics.count("ambiguous_frames", all_ambiguous)


cdef uint32_t intern_name(profile, const unsigned char* name, uint64_t length) except NONE_ID:
    """Intern a name, or of a very long one the start and a hash, so that distinct ones stay distinct."""
    cdef StringTable strings = profile.strings
    cdef uint64_t cap = limits.MAX_NAME_BYTES
    cdef uint64_t hashed
    if length <= cap:
        return <uint32_t>strings.intern(name, length)
    hashed = hash_bytes(name, length, 0)
    profile.diagnostics.cut_names.add(hashed)
    return strings.add(name[: cap - 17] + b"#%016x" % hashed)


cdef uint64_t* count_uses(profile) except NULL:
    """Over all samples, how often each frame stands in a stack; freed by the caller."""
    cdef FrameTable frames = profile.frames
    cdef StackTable stacks = profile.stacks
    cdef SampleTable samples = profile.samples
    cdef uint64_t i
    cdef uint64_t* through = <uint64_t*>calloc(<uint64_t>stacks.count + 1, sizeof(uint64_t))
    cdef uint64_t* uses = <uint64_t*>calloc(<uint64_t>frames.count + 1, sizeof(uint64_t))
    if through is NULL or uses is NULL:
        free(through)
        free(uses)
        raise MemoryError
    for i in range(samples.total_count):
        if samples.totals[i].stack != NONE_ID:
            through[samples.totals[i].stack] += samples.totals[i].samples
    # Callers have smaller ids.
    for i in range(stacks.count, 0, -1):
        uses[stacks.rows[i - 1].frame] += through[i - 1]
        if stacks.rows[i - 1].parent != NONE_ID:
            through[stacks.rows[i - 1].parent] += through[i - 1]
    free(through)
    return uses


def demangles(int kind):
    """Whether perf, and we, take the names of such a DSO for mangled ones."""
    return kind in (DsoKind.FILE, DsoKind.VDSO)
