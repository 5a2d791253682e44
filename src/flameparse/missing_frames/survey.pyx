"""Count the samples of JavaScript whose frames have no name, or no callers, and note what tells the version of V8.

One walk over frames, one over stacks and three over totals; a stack's facts are its caller's and those of one frame.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp

from flameparse.frames.classify cimport (
    CLASS_APP,
    CLASS_CORE,
    CLASS_CPP,
    CLASS_EVAL,
    CLASS_INIT,
    CLASS_INLINED,
    CLASS_INTERPRETER,
    CLASS_KERNEL,
    CLASS_NONE,
    CLASS_UNRESOLVED,
    CLASS_V8,
    classify_frame,
)
from flameparse.frames.kind cimport basename_offset, module_size
from flameparse.frames.symbol_text cimport begins_with, contains, ends_with
from flameparse.frames.v8_name cimport (
    NO_PLACE,
    TIER_BASELINE,
    TIER_INTERPRETED,
    TIER_MASK,
    TIER_MID,
    TIER_ON_STACK,
    TIER_SPECIALISED,
    V8_BUILTIN,
    V8_BYTECODE_HANDLER,
    V8_FUNCTION,
    V8_IC,
    V8_NONE,
    V8_REGEXP,
    V8_STUB,
    V8_UNKNOWN_TAG,
    V8Name,
    parse_bare_function,
    parse_v8_name,
)
from flameparse.model.frame_table cimport KIND_JIT, KIND_USER, NONE_ID, Frame, FrameTable
from flameparse.model.sample_table cimport SampleTable, Total
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.model.thread_table cimport UNKNOWN_ID, ThreadTable


cdef enum Trait:
    # Of a frame; a stack has those of all its frames.
    TRAIT_V8 = 1 << 0               # V8 at work: its C++, or code it made
    TRAIT_MADE = 1 << 1             # code that V8 made
    TRAIT_LISTED = 1 << 2           # a name that only a map or a dump tells
    TRAIT_FUNCTION = 1 << 3         # a function of JavaScript or WebAssembly by name
    TRAIT_INTERPRETED = 1 << 4      # one that the interpreter runs, by name
    TRAIT_TRAMPOLINE = 1 << 5       # one that the interpreter runs, without a name
    TRAIT_HANDLER = 1 << 6          # a part of the interpreter
    TRAIT_UNRESOLVED = 1 << 7       # code that somebody's JIT made, without a name
    TRAIT_OF_KERNEL = 1 << 8
    TRAIT_START = 1 << 9            # where processes and threads begin
    TRAIT_PERHAPS_START = 1 << 10   # a C library without symbols
    TRAIT_INLINED = 1 << 11
    TRAIT_IN_MAP = 1 << 26          # its module is a perf map, whose name has the pid
    TRAIT_IN_NODE = 1 << 27         # its module is Node's binary, whose path may have the version
    # What only some versions write.
    HINT_JS_TAG = 1 << 12
    HINT_LAZY_COMPILE = 1 << 13
    HINT_BASELINE = 1 << 14
    HINT_OLD_BASELINE = 1 << 15
    HINT_MID_TIER = 1 << 16
    HINT_INTERPRETED_FUNCTION = 1 << 17
    HINT_OLD_IC = 1 << 18
    HINT_HANDLER_IC = 1 << 19
    HINT_DOTTED_REGEXP = 1 << 20
    HINT_REGEXP_LESS = 1 << 21
    HINT_SPECIALISED = 1 << 22
    HINT_ON_STACK = 1 << 23
    HINT_ELF_BUILTINS = 1 << 24
    HINT_NODE_SCHEME = 1 << 25
    # Of a whole stack.
    INNERMOST_UNNAMED = 1 << 28     # the function nearest to the leaf is a trampoline
    ROOTED = 1 << 29


cdef enum:
    STACKS_BETWEEN_SIGNALS = 1 << 18
    MAX_LISTED_PIDS = 5
    # The kernel's limit unless kernel.perf_event_max_stack or the event says otherwise.
    USUAL_MAX_STACK = 127
    MAX_MAX_STACK = 0xFFFF
    # A limit that nobody told us shows when so many stacks begin nowhere at the greatest depth of all.
    STACKS_THAT_SHOW_A_LIMIT = 4
    # A process with less of the busiest one's samples does not count for the version: npm, a child that only began.
    LEAST_PART_OF_BUSIEST = 100
    LEAST_MAX_STACK = 16

# Hint, first and last major version of Node that it may be; 0 for an open end.
_VERSIONS = (
    (HINT_JS_TAG, 19, 0),
    (HINT_LAZY_COMPILE, 0, 18),
    (HINT_BASELINE, 16, 0),
    (HINT_OLD_BASELINE, 16, 18),
    (HINT_MID_TIER, 20, 0),
    (HINT_INTERPRETED_FUNCTION, 10, 15),
    (HINT_OLD_IC, 0, 9),
    (HINT_HANDLER_IC, 0, 11),
    (HINT_DOTTED_REGEXP, 24, 0),
    (HINT_REGEXP_LESS, 25, 0),
    (HINT_SPECIALISED, 24, 0),
    (HINT_ON_STACK, 25, 0),
    (HINT_ELF_BUILTINS, 12, 0),
    (HINT_NODE_SCHEME, 15, 0),
)


cdef struct StackFacts:
    uint32_t traits
    uint32_t leaf           # traits of the last frame that is not the kernel's
    uint32_t depth          # as the kernel counts: without inlined frames
    uint32_t trampolines
    uint32_t unresolved
    uint32_t map            # one more than the string id of the perf map with its code; 0 for none
    uint32_t binary         # the same of Node's binary


cdef struct Counts:
    uint64_t samples
    uint64_t interpreted
    uint64_t interpreted_frames
    uint64_t interpreted_innermost
    uint64_t interpreted_leaf
    uint64_t handlers
    uint64_t unresolved
    uint64_t unresolved_frames
    uint64_t named
    uint64_t interpreted_named
    uint64_t of_threads
    uint64_t at_limit
    uint64_t truncated
    uint64_t broken


cdef class Tally:
    """The working memory of one survey."""

    cdef uint32_t* frames           # traits by frame
    cdef StackFacts* stacks
    cdef uint32_t* process_of       # by thread; the last row is for samples without one
    cdef uint32_t* map_of           # by thread, as in StackFacts
    cdef uint32_t* process_traits
    cdef uint32_t* process_binary   # as in StackFacts
    cdef uint64_t* process_samples  # with code that V8 made
    cdef uint64_t* process_unresolved
    cdef uint8_t* runs_javascript   # by thread
    cdef uint32_t thread_count
    cdef uint32_t max_stack
    cdef uint32_t deepest
    cdef Counts counts

    def __cinit__(self, uint64_t frames, uint64_t stacks, uint64_t threads):
        self.frames = <uint32_t*>calloc(frames + 1, sizeof(uint32_t))
        self.stacks = <StackFacts*>calloc(stacks + 1, sizeof(StackFacts))
        self.process_of = <uint32_t*>calloc(threads + 1, sizeof(uint32_t))
        self.map_of = <uint32_t*>calloc(threads + 1, sizeof(uint32_t))
        self.process_traits = <uint32_t*>calloc(threads + 1, sizeof(uint32_t))
        self.process_binary = <uint32_t*>calloc(threads + 1, sizeof(uint32_t))
        self.process_samples = <uint64_t*>calloc(threads + 1, sizeof(uint64_t))
        self.process_unresolved = <uint64_t*>calloc(threads + 1, sizeof(uint64_t))
        self.runs_javascript = <uint8_t*>calloc(threads + 1, 1)
        self.thread_count = <uint32_t>threads
        if (
            self.frames is NULL or self.stacks is NULL or self.process_of is NULL or self.map_of is NULL
            or self.process_traits is NULL or self.process_binary is NULL or self.process_samples is NULL
            or self.process_unresolved is NULL or self.runs_javascript is NULL
        ):
            raise MemoryError

    def __dealloc__(self):
        free(self.frames)
        free(self.stacks)
        free(self.process_of)
        free(self.map_of)
        free(self.process_traits)
        free(self.process_binary)
        free(self.process_samples)
        free(self.process_unresolved)
        free(self.runs_javascript)

    cdef uint32_t look_at_frames(self, FrameTable table, StringTable strings) noexcept nogil:
        """Find the traits of every frame; returns those of all together."""
        cdef uint64_t i
        cdef uint32_t traits
        cdef uint32_t found = 0
        for i in range(table.count):
            traits = traits_of(&table.rows[i], strings)
            if traits & TRAIT_V8 and table.rows[i].kind == KIND_USER:
                if is_node_binary(table.rows[i].dso, strings):
                    traits |= TRAIT_IN_NODE
            if table.rows[i].kind == KIND_JIT and is_perf_map(table.rows[i].dso, strings):
                traits |= TRAIT_IN_MAP
            self.frames[i] = traits
            found |= traits
        return found

    cdef int look_at_stacks(self, StackTable table, FrameTable frames) except -1 nogil:
        """Give every stack the facts of its caller and of its own frame."""
        cdef uint64_t i
        cdef uint32_t parent, traits
        cdef StackFacts* facts
        for i in range(table.count):
            if i % STACKS_BETWEEN_SIGNALS == 0:
                with gil:
                    PyErr_CheckSignals()
            parent = table.rows[i].parent
            traits = self.frames[table.rows[i].frame]
            facts = &self.stacks[i]
            if parent == NONE_ID:
                if traits & (TRAIT_START | TRAIT_OF_KERNEL):
                    facts.traits = ROOTED
            else:
                facts[0] = self.stacks[parent]
                # Alone, it is a function that lost its callers; with something below, where all begin.
                if facts.depth == 1 and facts.traits & TRAIT_PERHAPS_START:
                    facts.traits |= ROOTED
            facts.depth += not traits & TRAIT_INLINED
            facts.trampolines += (traits & TRAIT_TRAMPOLINE) != 0
            facts.unresolved += (traits & TRAIT_UNRESOLVED) != 0
            if traits & TRAIT_TRAMPOLINE:
                facts.traits |= INNERMOST_UNNAMED
            elif traits & (TRAIT_FUNCTION | TRAIT_UNRESOLVED):
                facts.traits &= ~INNERMOST_UNNAMED
            facts.traits |= traits
            if not traits & TRAIT_OF_KERNEL:
                facts.leaf = traits
            if traits & TRAIT_IN_MAP:
                facts.map = frames.rows[table.rows[i].frame].dso + 1
            if traits & TRAIT_IN_NODE:
                facts.binary = frames.rows[table.rows[i].frame].dso + 1
        return 0

    cdef uint32_t row_of(self, const Total* total) noexcept nogil:
        """Give the row of a total's thread; the last one where it has none."""
        return total.thread if total.thread < self.thread_count else self.thread_count

    cdef int gather_maps(self, SampleTable table) noexcept nogil:
        """Find the perf map that the code of each thread is in."""
        cdef uint64_t i
        cdef uint32_t found
        for i in range(table.total_count):
            if table.totals[i].stack != NONE_ID:
                found = self.stacks[table.totals[i].stack].map
                if found:
                    self.map_of[self.row_of(&table.totals[i])] = found
        return 0

    cdef int gather_processes(self, SampleTable table) noexcept nogil:
        """Find what each process has, which tells its version."""
        cdef uint64_t i
        cdef uint32_t process
        cdef StackFacts* facts
        for i in range(table.total_count):
            if table.totals[i].stack != NONE_ID:
                process = self.process_of[self.row_of(&table.totals[i])]
                facts = &self.stacks[table.totals[i].stack]
                self.process_traits[process] |= facts.traits
                if facts.binary:
                    self.process_binary[process] = facts.binary
        return 0

    cdef int count_javascript(self, SampleTable table) noexcept nogil:
        """Add up the samples with code that V8 made, and note the threads they are of."""
        cdef uint64_t i, samples
        cdef uint32_t row, process
        cdef StackFacts* facts
        cdef bint has_unresolved
        for i in range(table.total_count):
            if table.totals[i].stack == NONE_ID:
                continue
            facts = &self.stacks[table.totals[i].stack]
            row = self.row_of(&table.totals[i])
            process = self.process_of[row]
            samples = table.totals[i].samples
            has_unresolved = facts.unresolved and self.process_traits[process] & TRAIT_V8
            if not (facts.traits & TRAIT_MADE or has_unresolved):
                continue
            self.runs_javascript[row] = 1
            self.process_samples[process] += samples
            self.counts.samples += samples
            if facts.trampolines:
                self.counts.interpreted += samples
                add_frames(&self.counts.interpreted_frames, samples, facts.trampolines)
                if facts.traits & INNERMOST_UNNAMED:
                    self.counts.interpreted_innermost += samples
                    if facts.leaf & (TRAIT_TRAMPOLINE | TRAIT_HANDLER):
                        self.counts.interpreted_leaf += samples
            if facts.leaf & TRAIT_HANDLER:
                self.counts.handlers += samples
            if has_unresolved:
                self.counts.unresolved += samples
                add_frames(&self.counts.unresolved_frames, samples, facts.unresolved)
                self.process_unresolved[process] += samples
            if facts.traits & TRAIT_LISTED:
                self.counts.named += samples
            if facts.traits & TRAIT_INTERPRETED:
                self.counts.interpreted_named += samples
        return 0

    cdef int find_limit(self, SampleTable table) noexcept nogil:
        """Decide at which depth the kernel stopped: as told, else where several stacks do that begin nowhere."""
        cdef uint64_t i
        cdef uint64_t ends = 0
        cdef StackFacts* facts
        cdef bint shows
        for i in range(table.total_count):
            if table.totals[i].stack == NONE_ID:
                continue
            facts = &self.stacks[table.totals[i].stack]
            if facts.depth > self.deepest:
                self.deepest = facts.depth
                ends = 0
            if facts.depth == self.deepest and not facts.traits & ROOTED:
                ends += 1
        if not self.max_stack:
            shows = ends >= STACKS_THAT_SHOW_A_LIMIT and self.deepest >= LEAST_MAX_STACK
            self.max_stack = self.deepest if shows else USUAL_MAX_STACK
        return 0

    cdef int count_lost_callers(self, SampleTable table, const unsigned char* of_v8) noexcept nogil:
        """Add up what begins nowhere in threads that run JavaScript: such a stack may have lost all that V8 made.

        Args:
            table: the samples.
            of_v8: for each event, whether V8 took the stacks down itself, which begins them with JavaScript.
        """
        cdef uint64_t i
        cdef uint32_t row
        cdef StackFacts* facts
        for i in range(table.total_count):
            row = table.totals[i].thread
            # Without a thread a stack begins with a label, or where --skip-after cut it.
            if table.totals[i].stack == NONE_ID or row >= self.thread_count or not self.runs_javascript[row]:
                continue
            if of_v8[table.totals[i].event]:
                continue
            facts = &self.stacks[table.totals[i].stack]
            self.counts.of_threads += table.totals[i].samples
            if facts.depth == self.max_stack:
                self.counts.at_limit += table.totals[i].samples
            if not facts.traits & ROOTED:
                if facts.depth == self.max_stack:
                    self.counts.truncated += table.totals[i].samples
                else:
                    self.counts.broken += table.totals[i].samples
        return 0


cdef int add_frames(uint64_t* sum, uint64_t samples, uint64_t frames) noexcept nogil:
    """Add what samples of so many frames make, up to the largest count that a document holds."""
    cdef uint64_t room = <uint64_t>INT64_MAX - sum[0]
    sum[0] = <uint64_t>INT64_MAX if samples > room // frames else sum[0] + samples * frames
    return 0


cdef uint32_t traits_of(const Frame* frame, StringTable strings) noexcept nogil:
    """Say what a frame tells of V8.

    Layout, `symbol (module)`::

        JS:~main /app/cpu.js:17:3 (/tmp/perf-7.map)         listed, a function, interpreted
        Builtins_InterpreterEntryTrampoline (node)          an interpreted function that nothing names
        Builtins_LdarHandler   BytecodeHandler:Ldar         a part of the interpreter
        [perf-7.map] (/tmp/perf-7.map)   [anon] (//anon)    not resolved
        __libc_start_main   start_thread   [libc.so.6]      where stacks begin
    """
    cdef V8Name parsed
    cdef const unsigned char* name = NULL
    cdef const unsigned char* module = NULL
    cdef size_t size = 0
    cdef size_t module_len = 0
    cdef size_t base = 0
    cdef bint has_module = frame.dso != NONE_ID
    cdef uint8_t frame_class
    if frame.name != NONE_ID:
        name, size = strings.at(frame.name), strings.length(frame.name)
    if has_module:
        module = strings.at(frame.dso)
        module_len = module_size(module, strings.length(frame.dso))
        base = basename_offset(module, module_len)
    if frame.kind != KIND_USER and size > 4 and ends_with(name, size, b"]") and begins_with(name + size - 4, 4, b"_["):
        size -= 4
    if (
        has_module and size > module_len - base and name[module_len - base] == c"`"
        and memcmp(name, module + base, module_len - base) == 0
    ):
        name += module_len - base + 1
        size -= module_len - base + 1
    if frame.kind == KIND_USER and is_start(name, size):
        return TRAIT_START
    frame_class = frame.frame_class
    if frame_class == CLASS_NONE:
        frame_class = classify_frame(name, size, module, module_len, has_module, frame.kind, &parsed)
    if frame_class == CLASS_KERNEL:
        return TRAIT_OF_KERNEL
    if frame_class == CLASS_INLINED:
        return TRAIT_INLINED
    if frame_class == CLASS_UNRESOLVED:
        return traits_without_name(name, size, module, module_len, base, has_module, frame.kind)
    if frame_class == CLASS_CPP:
        return TRAIT_V8 if has_module and is_node(module, module_len) else 0
    if not parse_v8_name(name, size, &parsed) and frame_class < CLASS_V8:
        parse_bare_function(name, size, &parsed)
    if frame_class == CLASS_INTERPRETER:
        if contains(name, size, b"InterpreterEntryTrampoline"):
            return TRAIT_V8 | TRAIT_MADE | TRAIT_TRAMPOLINE | elf_hint(name, size)
        if ends_with(name, size, b"Handler") or parsed.kind == V8_BYTECODE_HANDLER:
            return TRAIT_V8 | TRAIT_MADE | TRAIT_HANDLER | elf_hint(name, size)
        return TRAIT_V8 | TRAIT_MADE | elf_hint(name, size)
    if frame_class == CLASS_V8:
        if begins_with(name, size, b"Builtins_"):
            return TRAIT_V8 | TRAIT_MADE | elf_hint(name, size)
        if begins_with(name, size, b"Handler:UnknownBytecodeHa"):
            return TRAIT_V8 | TRAIT_MADE | TRAIT_HANDLER | HINT_HANDLER_IC  # Node 10 lists handlers so, too
        if parsed.kind == V8_IC:
            return TRAIT_V8 | TRAIT_MADE | (
                HINT_HANDLER_IC if begins_with(name, size, b"Handler:") else HINT_OLD_IC
            )
        if parsed.kind == V8_BUILTIN or parsed.kind == V8_STUB:
            return TRAIT_V8 | TRAIT_MADE
        return TRAIT_V8
    if CLASS_APP <= frame_class <= CLASS_EVAL or frame_class == CLASS_INIT:
        return traits_of_function(name, size, frame_class, &parsed)
    return 0


cdef uint32_t traits_of_function(
    const unsigned char* name, size_t size, uint8_t frame_class, const V8Name* parsed
) noexcept nogil:
    """Say what the name of a function, an eval, a regular expression or WebAssembly tells; nothing if not V8's."""
    cdef uint32_t traits = TRAIT_V8 | TRAIT_MADE | TRAIT_LISTED
    cdef uint8_t tier = parsed.tier & TIER_MASK
    cdef bint is_new = begins_with(name, size, b"JS:")
    if parsed.kind == V8_NONE or (parsed.kind == V8_UNKNOWN_TAG and parsed.line == NO_PLACE):
        return 0
    if parsed.kind == V8_REGEXP:
        if begins_with(name, size, b"RegExp.<"):
            return traits | HINT_DOTTED_REGEXP | HINT_REGEXP_LESS
        return traits | (HINT_DOTTED_REGEXP if begins_with(name, size, b"RegExp.") else 0)
    traits |= TRAIT_FUNCTION
    if tier == TIER_INTERPRETED:
        traits |= TRAIT_INTERPRETED
    elif tier == TIER_BASELINE:
        traits |= HINT_BASELINE if is_new or parsed.kind != V8_FUNCTION else HINT_OLD_BASELINE
    elif tier == TIER_MID and is_new:
        traits |= HINT_MID_TIER
    if is_new:
        traits |= HINT_JS_TAG
    elif begins_with(name, size, b"LazyCompile:"):
        traits |= HINT_LAZY_COMPILE
    elif begins_with(name, size, b"InterpretedFunction:"):
        traits |= HINT_INTERPRETED_FUNCTION
    if parsed.tier & TIER_SPECIALISED:
        traits |= HINT_SPECIALISED
    if parsed.tier & TIER_ON_STACK:
        traits |= HINT_ON_STACK
    if frame_class == CLASS_CORE and begins_with(name + parsed.file_at, size - parsed.file_at, b"node:"):
        traits |= HINT_NODE_SCHEME
    return traits


cdef uint32_t elf_hint(const unsigned char* name, size_t size) noexcept nogil:
    """Tell builtins that are symbols of the binary."""
    return HINT_ELF_BUILTINS if begins_with(name, size, b"Builtins_") else 0


cdef uint32_t traits_without_name(
    const unsigned char* name, size_t size, const unsigned char* module, size_t module_len, size_t base,
    bint has_module, int kind,
) noexcept nogil:
    """Say what a frame without a symbol tells by its module."""
    if size == 7 and memcmp(name, b"[other]", 7) == 0:
        return TRAIT_START  # rare stacks that were summed up
    if not has_module:
        # Folded text has what a collapser made of the module, DTrace the bare address.
        if (begins_with(name, size, b"[perf-") and contains(name, size, b".map")) or begins_with(name, size, b"0x"):
            return TRAIT_UNRESOLVED
        return 0
    if kind == KIND_JIT or begins_with(module, module_len, b"//anon") or begins_with(module, module_len, b"[anon"):
        return TRAIT_UNRESOLVED
    if is_node(module, module_len):
        return TRAIT_V8
    module += base
    module_len -= base
    if begins_with(module, module_len, b"libc.") or begins_with(module, module_len, b"libc-") or (
        begins_with(module, module_len, b"libpthread") or begins_with(module, module_len, b"ld-")
    ):
        return TRAIT_PERHAPS_START
    return 0


cdef bint is_start(const unsigned char* name, size_t size) noexcept nogil:
    """Tell where a process or a thread is entered: names of glibc, musl, macOS, illumos and FreeBSD."""
    return (
        begins_with(name, size, b"__libc_start_") or begins_with(name, size, b"_dl_start")
        or (size == 4 and memcmp(name, b"main", 4) == 0) or (size == 5 and memcmp(name, b"start", 5) == 0)
        or begins_with(name, size, b"__clone") or begins_with(name, size, b"__GI___clone")
        or begins_with(name, size, b"_lwp_start") or begins_with(name, size, b"_thr_setup")
        or (size == 5 and memcmp(name, b"clone", 5) == 0) or (size == 6 and memcmp(name, b"clone3", 6) == 0)
        or (size == 6 and memcmp(name, b"_start", 6) == 0) or (size == 14 and memcmp(name, b"_pthread_start", 14) == 0)
        or (size == 12 and (memcmp(name, b"start_thread", 12) == 0 or memcmp(name, b"thread_start", 12) == 0))
    )


cdef bint is_perf_map(uint32_t dso, StringTable strings) noexcept nogil:
    """Tell `/tmp/perf-PID.map` among the modules of JIT code."""
    return dso != NONE_ID and ends_with(strings.at(dso), strings.length(dso), b".map")


cdef bint is_node_binary(uint32_t dso, StringTable strings) noexcept nogil:
    """Tell Node among the modules of frames that are V8's."""
    return dso != NONE_ID and is_node(strings.at(dso), strings.length(dso))


cdef bint is_node(const unsigned char* module, size_t size) noexcept nogil:
    """Tell the binaries that Node comes as."""
    cdef size_t base
    size = module_size(module, size)
    base = basename_offset(module, size)
    module += base
    size -= base
    return (
        (size == 4 and memcmp(module, b"node", 4) == 0) or (size == 6 and memcmp(module, b"nodejs", 6) == 0)
        or begins_with(module, size, b"libnode.") or (size == 8 and memcmp(module, b"electron", 8) == 0)
    )


def survey(profile not None):
    """Count what is missing from the JavaScript of a profile; all figures are samples unless they say frames.

    Args:
        profile: with named frames, before any are hidden.

    Returns:
        None where no sample has code that V8 made. Else a dict of whole numbers and short lists of them:
        ``samples`` have such code; of them ``interpreted`` have functions that the interpreter ran and nothing names,
        ``interpreted_frames`` so many, ``interpreted_innermost`` as the function nearest to the leaf and
        ``interpreted_leaf`` as the leaf, or with a handler there; ``handlers`` are in a bytecode handler;
        ``unresolved`` have code of V8's that no map names, ``unresolved_frames`` so many, ``unresolved_pids`` in these
        processes, the worst first; ``named`` have functions that a map or dump named, ``interpreted_named`` such that
        the interpreter ran. ``thread_samples`` are those of the threads that run JavaScript: of them ``at_limit``
        have ``max_stack`` frames, of which ``truncated`` lost their callers so, and ``broken`` begin nowhere for
        another reason; ``deepest`` is the most frames that a stack has. ``threads`` run JavaScript in one process,
        and ``node_first`` to ``node_last`` may be the versions of all processes, 0 where that end is open.

    Raises:
        MemoryError: no room.
    """
    cdef FrameTable frames = profile.frames
    cdef StackTable stacks = profile.stacks
    cdef ThreadTable threads = profile.threads
    cdef StringTable strings = profile.strings
    cdef SampleTable table = profile.samples
    cdef Tally tally = Tally(frames.count, stacks.count, threads.count)
    cdef uint32_t traits, i
    told = profile.meta.get("max_stack")
    tally.max_stack = told if type(told) is int and 0 < told <= MAX_MAX_STACK else 0
    with nogil:
        traits = tally.look_at_frames(frames, strings)
    if not traits & (TRAIT_MADE | TRAIT_UNRESOLVED):
        return None
    with nogil:
        tally.look_at_stacks(stacks, frames)
        tally.gather_maps(table)
    processes = {}
    for i in range(threads.count):
        key = (threads.rows[i].pid, None)
        if key[0] == UNKNOWN_ID and tally.map_of[i]:
            key = (pid_of_map(strings.get(tally.map_of[i] - 1)), None)
        if key[0] == UNKNOWN_ID:
            key = (UNKNOWN_ID, threads.rows[i].comm)
        tally.process_of[i] = processes.setdefault(key, len(processes))
    tally.process_of[threads.count] = len(processes)
    events = [strings.get(profile.events.get(i)[0]) for i in range(len(profile.events))]
    cdef bytes v8_events = bytes(name in (b"cpu-profile", b"cpu-profile-hits") for name in events)
    cdef const unsigned char* of_v8 = v8_events
    with nogil:
        tally.gather_processes(table)
        tally.count_javascript(table)
        tally.find_limit(table)
        tally.count_lost_callers(table, of_v8)
    if not tally.counts.samples:
        return None
    running = {}
    for i in range(threads.count):
        if tally.runs_javascript[i]:
            running.setdefault(tally.process_of[i], set()).add(threads.rows[i].tid)
    unresolved = sorted(
        (-<int64_t>tally.process_unresolved[row], pid) for (pid, _), row in processes.items()
        if pid != UNKNOWN_ID and tally.process_unresolved[row]
    )
    busiest = max(tally.process_samples[i] for i in range(threads.count + 1))
    ranges = [
        versions(tally.process_traits[i], strings.get(tally.process_binary[i] - 1) if tally.process_binary[i] else b"")
        for i in range(threads.count + 1) if tally.process_samples[i] > busiest // LEAST_PART_OF_BUSIEST
    ]
    lasts = [high for _, high in ranges]
    return {
        "samples": tally.counts.samples,
        "interpreted": tally.counts.interpreted,
        "interpreted_frames": tally.counts.interpreted_frames,
        "interpreted_innermost": tally.counts.interpreted_innermost,
        "interpreted_leaf": tally.counts.interpreted_leaf,
        "handlers": tally.counts.handlers,
        "unresolved": tally.counts.unresolved,
        "unresolved_frames": tally.counts.unresolved_frames,
        "unresolved_pids": [pid for _, pid in unresolved[:MAX_LISTED_PIDS]],
        "named": tally.counts.named,
        "interpreted_named": tally.counts.interpreted_named,
        "thread_samples": tally.counts.of_threads,
        "at_limit": tally.counts.at_limit,
        "truncated": tally.counts.truncated,
        "broken": tally.counts.broken,
        "max_stack": tally.max_stack,
        "deepest": tally.deepest,
        "threads": max(map(len, running.values()), default=0),
        "node_first": min(low for low, _ in ranges),
        "node_last": max(lasts) if all(lasts) else 0,
    }


cdef tuple versions(uint32_t traits, bytes binary):
    """The first and last major version of Node that a process may be; 0: open, both where hints disagree."""
    first, last = 0, 0
    for hint, low, high in _VERSIONS:
        if traits & hint:
            first = max(first, low)
            last = min(last or high, high or last)
    if first and last and first > last:
        return 0, 0
    major = major_of_path(binary)
    if major and major >= first and (not last or major <= last):
        return major, major
    return first, last


cdef int64_t pid_of_map(bytes path):
    """Read the pid off `/tmp/perf-PID.map`; UNKNOWN_ID where there is none."""
    digits = path[:-4].rpartition(b"-")[2]
    return int(digits) if digits.isdigit() and len(digits) <= 10 else UNKNOWN_ID


def major_of_path(bytes path not None):
    """Read the version that installers put into a binary's path: ``/node/v22.3.0/``, ``/node-v18.20.2-linux-x64/``.

    Returns:
        The major version, 0 where there is none.
    """
    for part in path.replace(b"-", b"/").split(b"/"):
        numbers = part.removeprefix(b"v").split(b".")
        if len(numbers) == 3 and all(number.isdigit() and len(number) < 4 for number in numbers):
            return int(numbers[0])
    return 0
