"""Passes: Profile to Profile. Whatever renames frames or drops samples after decoding is one of these.

Each walks the stack table once: a parent comes before its children, so what is known of a parent is known when a
child is reached.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy

from flameparse.errors import UsageError

from flameparse.frames.classify cimport (
    CLASS_APP,
    CLASS_CPP,
    CLASS_EVAL,
    CLASS_INTERPRETER,
    CLASS_KERNEL,
    CLASS_LIBC,
    CLASS_NATIVE,
    CLASS_RUST,
    CLASS_WASM,
    classify_frame,
    filter_of,
)
from flameparse.frames.kind cimport frame_kind
from flameparse.frames.symbol_text cimport begins_with, contains, ends_with
from flameparse.frames.tidy cimport FrameNamer
from flameparse.frames.v8_name cimport (
    TIER_INTERPRETED,
    TIER_MASK,
    V8_FUNCTION,
    V8_WASM,
    V8Name,
    parse_bare_function,
    parse_v8_name,
)
from flameparse.model.event_table cimport EventTable
from flameparse.model.frame_table cimport KIND_USER, NONE_ID, Frame, FrameTable, new_frame
from flameparse.model.growth cimport reserve
from flameparse.model.sample_table cimport Sample, SampleTable, Total
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.model.thread_table cimport ThreadTable

from flameparse.frames import classify
from flameparse.model.profile import Profile


cdef enum:
    STACKS_BETWEEN_SIGNALS = 1 << 18

cdef enum:
    # Where a frame stands in stacks.
    IN_KERNEL = 1
    ELSEWHERE = 2


cdef class StackMap:
    """Stacks of one table to stacks of another; NONE_ID where every frame was dropped."""

    cdef uint32_t* stacks
    cdef uint8_t* is_cut    # the stack lost its callers, and with them its place under a thread
    cdef uint8_t* roles     # FrameRole of the last frame that stayed
    cdef uint64_t count

    def __cinit__(self, uint64_t count):
        self.count = count
        self.stacks = <uint32_t*>malloc(count * sizeof(uint32_t) + 1)
        self.is_cut = <uint8_t*>calloc(count + 1, 1)
        self.roles = <uint8_t*>calloc(count + 1, 1)
        if self.stacks is NULL or self.is_cut is NULL or self.roles is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.stacks)
        free(self.is_cut)
        free(self.roles)


cdef class Flags:
    """A byte per row of some table, all 0 at first."""

    cdef uint8_t* rows

    def __cinit__(self, uint64_t count):
        self.rows = <uint8_t*>calloc(count + 1, 1)
        if self.rows is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.rows)


cdef class FrameNames:
    """The printed frames of every frame of a table, as FrameNamer gives them."""

    cdef uint32_t* parts
    cdef uint64_t part_count
    cdef uint64_t part_capacity
    cdef uint64_t* starts   # by frame; its end is the next one's start

    def __cinit__(self, FrameTable source, FrameTable target, StringTable strings, FrameNamer namer, bint java_root):
        cdef uint64_t i, part
        cdef Frame named
        cdef Frame* frame
        cdef char address_text[24]
        cdef int address_length
        cdef bint has_module
        cdef const unsigned char* name
        cdef const unsigned char* symbol
        cdef const unsigned char* module
        cdef size_t symbol_length, module_length
        cdef int kind
        cdef Flags in_rust = Flags(strings.count)
        self.starts = <uint64_t*>calloc(<uint64_t>source.count + 1, sizeof(uint64_t))
        if self.starts is NULL:
            raise MemoryError
        with nogil:
            for i in range(source.count):
                frame = &source.rows[i]
                if frame.dso != NONE_ID and frame.name != NONE_ID and begins_with(
                    strings.at(frame.name), strings.length(frame.name), b"std::rt::lang_start"
                ):
                    in_rust.rows[frame.dso] = 1
            for i in range(source.count):
                frame = &source.rows[i]
                has_module = frame.dso != NONE_ID
                module = strings.at(frame.dso) if has_module else NULL
                module_length = strings.length(frame.dso) if has_module else 0
                if frame.name == NONE_ID:
                    symbol, symbol_length = b"[unknown]", 9
                else:
                    symbol, symbol_length = strings.at(frame.name), strings.length(frame.name)
                kind = frame.kind
                if not kind:
                    kind = frame_kind(module, module_length, has_module, frame.address)
                address_length = snprintf(
                    address_text, sizeof(address_text), b"%llx", <unsigned long long>frame.address
                )
                namer.name(
                    symbol, symbol_length, module, module_length, has_module, frame.address,
                    <const unsigned char*>address_text, address_length, kind, java_root,
                )
                reserve(
                    <void**>&self.parts, &self.part_capacity, self.part_count + namer.part_count, sizeof(uint32_t)
                )
                named = new_frame(NONE_ID, frame.dso, KIND_USER, 0)
                for part in range(namer.part_count):
                    named.kind = <uint8_t>namer.part_kind[part]
                    name = namer.buffer + namer.part_start[part]
                    if frame.frame_class:
                        named.frame_class, named.tier, named.presets = frame.frame_class, frame.tier, frame.presets
                    elif namer.part_count == 1:
                        # What tidying cuts may say what a frame is.
                        set_class(&named, symbol, symbol_length, module, module_length, has_module)
                    else:
                        set_class(&named, name, namer.part_len[part], module, module_length, has_module)
                    # Paths of Rust look like those of C++ once their hash is gone; how the program starts tells.
                    if named.frame_class == CLASS_CPP and has_module and in_rust.rows[frame.dso]:
                        if contains(name, namer.part_len[part], b"::"):
                            named.frame_class = CLASS_RUST
                    # Most names print as they are, and looking one up costs more than naming it.
                    if (
                        frame.name != NONE_ID and namer.part_len[part] == symbol_length
                        and memcmp(name, symbol, symbol_length) == 0
                    ):
                        named.name = frame.name
                    else:
                        named.name = <uint32_t>strings.intern(name, namer.part_len[part])
                        symbol = strings.at(frame.name) if frame.name != NONE_ID else symbol
                        module = strings.at(frame.dso) if has_module else NULL
                    self.parts[self.part_count] = <uint32_t>target.intern(named)
                    self.part_count += 1
                self.starts[i + 1] = self.part_count

    def __dealloc__(self):
        free(self.parts)
        free(self.starts)


cdef StackMap map_stacks(StackTable source, FrameTable frames, FrameNames names, StackTable target):
    """Rebuild every stack from the printed frames; a frame that cuts starts its stack afresh."""
    cdef StackMap mapped = StackMap(source.count)
    cdef uint64_t i, part
    cdef uint32_t parent, frame, stack
    with nogil:
        for i in range(source.count):
            if i % STACKS_BETWEEN_SIGNALS == 0:
                with gil:
                    PyErr_CheckSignals()
            parent = source.rows[i].parent
            frame = source.rows[i].frame
            stack = NONE_ID
            if frames.rows[frame].cuts_callers:
                mapped.is_cut[i] = 1
            elif parent != NONE_ID:
                stack = mapped.stacks[parent]
                mapped.is_cut[i] = mapped.is_cut[parent]
            for part in range(names.starts[frame], names.starts[frame + 1]):
                stack = <uint32_t>target.extend(stack, names.parts[part])
            mapped.stacks[i] = stack
    return mapped


cdef object share_tables(object profile, SampleTable samples):
    """A profile with the same strings, threads, events and account, and tables of its own for the rest."""
    derived = Profile(samples)
    derived.strings, derived.threads, derived.events = profile.strings, profile.threads, profile.events
    derived.diagnostics, derived.meta = profile.diagnostics, profile.meta
    return derived


def name_frames(
    profile not None, *, str style="tidy", bint addrs=False, bint annotate_kernel=False, bint annotate_jit=False,
    skip_after=(), bint modules=False,
):
    """Give every frame the name it is printed under, its kind and its class.

    Args:
        profile: as decoded. Frames that already have a kind (from a document) keep it.
        style: of ``FrameNamer``.
        addrs: print the address of frames without a symbol.
        annotate_kernel, annotate_jit: append ``_[k]``, ``_[j]`` and, with either, ``_[i]``.
        skip_after: names as perf prints them; what called such a frame is dropped, with the root label.
        modules: print names as DTrace does, a module and a backtick before them.

    Returns:
        A Profile whose frames all have names and no addresses.

    Raises:
        MemoryError: no room.
    """
    cdef StringTable strings = profile.strings
    cdef FrameTable source_frames = profile.frames
    cdef StackTable source_stacks = profile.stacks
    cdef ThreadTable threads = profile.threads
    cdef SampleTable source = profile.samples
    cdef SampleTable samples = source.sibling()
    cdef FrameNamer namer = FrameNamer(
        style, addrs=addrs, annotate_kernel=annotate_kernel, annotate_jit=annotate_jit, modules=modules
    )
    cdef StackMap plain, java, mapped
    cdef FrameTable frames
    cdef StackTable stacks
    cdef uint64_t i
    cdef Total total
    cdef Sample sample
    cdef bytearray is_java
    cut = {NONE_ID if name == b"[unknown]" else strings.add(name) for name in skip_after}
    for i in range(source_frames.count):
        source_frames.rows[i].cuts_callers = source_frames.rows[i].name in cut if cut else 0
    derived = share_tables(profile, samples)
    derived.stacks = StackTable(source_stacks.count)
    derived.frames = FrameTable(source_frames.count)
    frames, stacks = derived.frames, derived.stacks
    is_java = bytearray(threads.count)
    if style in ("stackcollapse-perf", "inferno"):
        # Both tools clean Java names by the name of the process, not of the frame.
        for i in range(threads.count):
            comm = threads.rows[i].comm
            is_java[i] = comm != NONE_ID and strings.get(comm).startswith(b"java")
    plain = map_stacks(
        source_stacks, source_frames, FrameNames(source_frames, frames, strings, namer, False), stacks
    )
    java = plain
    if any(is_java):
        java = map_stacks(
            source_stacks, source_frames, FrameNames(source_frames, frames, strings, namer, True), stacks
        )
    for i in range(source.total_count):
        total = source.totals[i]
        if total.stack != NONE_ID:
            mapped = java if total.thread != NONE_ID and is_java[total.thread] else plain
            if mapped.is_cut[total.stack]:
                total.thread = NONE_ID
            total.stack = mapped.stacks[total.stack]
        samples.append_total(total)
    for i in range(source.timeline_count):
        sample = source.timeline[i]
        if sample.stack != NONE_ID:
            mapped = java if sample.thread != NONE_ID and is_java[sample.thread] else plain
            if mapped.is_cut[sample.stack]:
                sample.thread = NONE_ID
            sample.stack = mapped.stacks[sample.stack]
        samples.add_to_timeline(sample)
    samples.take_account(source)
    return derived


def classify_frames(profile not None):
    """Give a class to the frames that have none, by what their names say: those of folded text and of old documents.

    Without a module most functions of the kernel are nothing but names. What is only ever called by the kernel is its.

    Args:
        profile: with named frames; changed in place.
    """
    cdef FrameTable frames = profile.frames
    cdef StackTable stacks = profile.stacks
    cdef StringTable strings = profile.strings
    cdef Frame* frame
    cdef bint has_module
    cdef uint64_t i
    cdef uint32_t id, parent
    cdef Flags is_guess = Flags(frames.count)
    cdef Flags places = Flags(frames.count)
    cdef Flags in_kernel = Flags(stacks.count)
    with nogil:
        for i in range(frames.count):
            frame = &frames.rows[i]
            if not frame.frame_class:
                has_module = frame.dso != NONE_ID
                set_class(
                    frame, strings.at(frame.name), strings.length(frame.name),
                    strings.at(frame.dso) if has_module else NULL, strings.length(frame.dso) if has_module else 0,
                    has_module,
                )
                is_guess.rows[i] = not has_module and (
                    frame.frame_class == CLASS_CPP or frame.frame_class == CLASS_LIBC
                )
        for i in range(stacks.count):
            id, parent = stacks.rows[i].frame, stacks.rows[i].parent
            if frames.rows[id].frame_class == CLASS_KERNEL:
                in_kernel.rows[i] = 1
            elif is_guess.rows[id]:
                in_kernel.rows[i] = parent != NONE_ID and in_kernel.rows[parent]
                places.rows[id] |= <uint8_t>IN_KERNEL if in_kernel.rows[i] else <uint8_t>ELSEWHERE
        for i in range(frames.count):
            if places.rows[i] == IN_KERNEL:
                frames.rows[i].frame_class = CLASS_KERNEL


cdef int set_class(
    Frame* frame, const unsigned char* name, size_t size, const unsigned char* module, size_t module_size,
    bint has_module,
) noexcept nogil:
    """Write down what a frame of a known kind is."""
    cdef V8Name parsed
    frame.frame_class = classify_frame(name, size, module, module_size, has_module, frame.kind, &parsed)
    frame.tier = parsed.tier
    frame.presets = filter_of(name, size, frame.frame_class, &parsed)
    return 0


def select(
    profile not None, *, const uint8_t[::1] events=None, const uint8_t[::1] threads=None,
    const uint8_t[::1] wanted_frames=None, const uint8_t[::1] unwanted_frames=None, bint needs_frames=False,
):
    """Keep the samples of some events and threads, and of stacks with, or without, some frames.

    Args:
        profile: to choose from.
        events: one byte per event, 0 drops; None keeps all.
        threads: one byte per thread, 0 drops; None keeps all. Samples of no thread are kept only by None.
        wanted_frames: one byte per frame; a stack needs at least one that is set. None asks for nothing.
        unwanted_frames: one byte per frame; a stack with one that is set is dropped. None drops nothing.
        needs_frames: drop samples without frames.

    Returns:
        A Profile; what was dropped is in its diagnostics as ``filtered``.

    Raises:
        MemoryError: no room.
    """
    cdef SampleTable source = profile.samples
    cdef SampleTable samples = source.sibling()
    cdef StackTable stacks = profile.stacks
    cdef uint64_t count = stacks.count
    cdef uint8_t* keeps = <uint8_t*>malloc(count + 1)
    cdef uint8_t* has_wanted = <uint8_t*>malloc(count + 1)
    cdef uint64_t i
    cdef uint64_t dropped = 0
    cdef uint32_t parent, frame
    needs_frames = needs_frames or wanted_frames is not None
    try:
        if keeps is NULL or has_wanted is NULL:
            raise MemoryError
        for i in range(count):
            parent, frame = stacks.rows[i].parent, stacks.rows[i].frame
            keeps[i] = parent == NONE_ID or keeps[parent]
            has_wanted[i] = parent != NONE_ID and has_wanted[parent]
            if unwanted_frames is not None and unwanted_frames[frame]:
                keeps[i] = 0
            if wanted_frames is None or wanted_frames[frame]:
                has_wanted[i] = 1
        for i in range(source.total_count):
            if (events is None or events[source.totals[i].event]) and is_kept(
                source.totals[i].thread, source.totals[i].stack, threads, keeps, has_wanted, needs_frames
            ):
                samples.append_total(source.totals[i])
            else:
                dropped += source.totals[i].samples
        for i in range(source.timeline_count):
            if (events is None or events[source.timeline[i].event]) and is_kept(
                source.timeline[i].thread, source.timeline[i].stack, threads, keeps, has_wanted, needs_frames
            ):
                samples.add_to_timeline(source.timeline[i])
    finally:
        free(keeps)
        free(has_wanted)
    samples.take_account(source)
    derived = share_tables(profile, samples)
    derived.frames, derived.stacks = profile.frames, profile.stacks
    derived.diagnostics.drop("filtered", dropped)
    return derived


cdef bint is_kept(
    uint32_t thread, uint32_t stack, const uint8_t[::1] threads, const uint8_t* keeps, const uint8_t* has_wanted,
    bint needs_frames,
) noexcept:
    if threads is not None and (thread == NONE_ID or not threads[thread]):
        return False
    if stack == NONE_ID:
        return not needs_frames
    return keeps[stack] and has_wanted[stack]


def rename_comms(profile not None, rename not None):
    """Change the comm of every thread.

    Args:
        profile: changed in place; threads that become equal stay apart and merge when folded.
        rename: bytes to bytes.
    """
    cdef ThreadTable threads = profile.threads
    cdef StringTable strings = profile.strings
    cdef uint64_t i
    for i in range(threads.count):
        if threads.rows[i].comm != NONE_ID:
            threads.rows[i].comm = strings.add(rename(strings.get(threads.rows[i].comm)))


def relabel(profile not None, labels not None, meanings not None):
    """Give the samples the events and threads that a tool would read from their printed headers.

    Args:
        profile: to change the labels of.
        labels: a Profile with those events and threads.
        meanings: (event, thread) of ``profile`` to (event, thread) of ``labels`` and whether periods count; samples of
            what is missing are dropped.

    Returns:
        A Profile with the same stacks.

    Raises:
        MemoryError: no room.
        OverflowError: a sum past 2**64 - 1.
    """
    cdef SampleTable source = profile.samples
    cdef SampleTable samples = source.sibling()
    cdef StringTable strings = profile.strings
    cdef StringTable label_strings = labels.strings
    cdef Total total
    cdef Sample sample
    cdef uint64_t i
    cdef uint64_t unseen = 0
    derived = share_tables(profile, samples)
    derived.frames, derived.stacks = profile.frames, profile.stacks
    derived.threads, derived.events = ThreadTable(), EventTable()

    settled = {}
    for (old_event, old_thread), (event, thread, has_period) in meanings.items():
        _, unit, place = profile.events.get(old_event)
        name = strings.add(label_strings.get(labels.events.get(event)[0]))
        comm, pid, tid = labels.threads.get(thread)
        settled[old_event, old_thread] = (
            derived.events.add(name, unit if has_period else 0, place),
            derived.threads.add(comm if comm == NONE_ID else strings.add(label_strings.get(comm)), pid, tid),
            has_period,
        )
    for i in range(source.total_count):
        total = source.totals[i]
        if (total.event, total.thread) in settled:
            total.event, total.thread, has_period = settled[total.event, total.thread]
            if not has_period:
                total.period = total.samples
            samples.add_total(total)
        else:
            unseen += total.samples
    for i in range(source.timeline_count):
        sample = source.timeline[i]
        if (sample.event, sample.thread) in settled:
            sample.event, sample.thread, has_period = settled[sample.event, sample.thread]
            if not has_period:
                sample.period = 1
            samples.add_to_timeline(sample)
    derived.diagnostics.drop("header that the tool does not see", unseen)
    samples.take_account(source)
    return derived


cdef enum TierMode:
    TIERS_KEEP = 0
    TIERS_MERGE = 1
    TIERS_STRIP = 2


cdef enum FrameRole:
    # What a frame is to the frames of the interpreter that it calls.
    ROLE_OTHER = 0
    ROLE_INTERPRETED = 1    # a function whose frame the interpreter runs in
    ROLE_COMPILED = 2       # a function with code of its own
    ROLE_TRAMPOLINE = 3     # the frame of a function that nothing names
    ROLE_HANDLER = 4        # a part of the interpreter


cdef class FrameShapes:
    """What becomes of every frame of a table: its new id, NONE_ID when hidden, and its role."""

    cdef uint32_t* ids
    cdef uint8_t* roles
    cdef unsigned char* buffer
    cdef uint64_t capacity

    def __cinit__(
        self, FrameTable source, FrameTable target, StringTable strings, TierMode tiers, const uint8_t[::1] hidden,
        int filters,
    ):
        cdef uint64_t i
        cdef Frame frame
        self.ids = <uint32_t*>malloc(source.count * sizeof(uint32_t) + 1)
        self.roles = <uint8_t*>malloc(<uint64_t>source.count + 1)
        if self.ids is NULL or self.roles is NULL:
            raise MemoryError
        with nogil:
            for i in range(source.count):
                frame = source.rows[i]
                self.roles[i] = role_of(&frame, strings)
                if hidden[frame.frame_class] or frame.presets & filters:
                    self.ids[i] = NONE_ID
                    continue
                if tiers != TIERS_KEEP and (is_javascript(frame.frame_class) or frame.tier):
                    frame.name = <uint32_t>self.without_tier(strings, frame.name, tiers)
                    frame.tier = 0
                self.ids[i] = <uint32_t>target.intern(frame)

    def __dealloc__(self):
        free(self.ids)
        free(self.roles)
        free(self.buffer)

    cdef int64_t without_tier(self, StringTable strings, uint32_t id, TierMode tiers) except -1 nogil:
        """Write the name of a function of V8's so that its versions in all tiers get the same."""
        cdef const unsigned char* name = strings.at(id)
        cdef size_t size = strings.length(id)
        cdef size_t used = 0
        cdef V8Name parsed
        if not (
            parse_v8_name(name, size, &parsed) or parse_bare_function(name, size, &parsed)
        ) or not V8_FUNCTION <= parsed.kind <= V8_WASM:
            return id
        if parsed.kind == V8_WASM:
            if ends_with(name, size, b"-liftoff"):
                size -= 8
            elif ends_with(name, size, b"-turbofan"):
                size -= 9
        reserve(<void**>&self.buffer, &self.capacity, size + 16, 1)
        if tiers == TIERS_MERGE and parsed.tag_len:
            # Up to Node 18 the tag of a function depends on its tier, too.
            if parsed.kind == V8_FUNCTION or parsed.kind == V8_WASM:
                memcpy(self.buffer, b"JS", 2)
                used = 2
            else:
                memcpy(self.buffer, name, parsed.tag_len)
                used = parsed.tag_len
            self.buffer[used] = c":"
            used += 1
        if tiers == TIERS_STRIP and parsed.name_len == 0:
            memcpy(self.buffer + used, b"(anonymous)", 11)
            used += 11
        memcpy(self.buffer + used, name + parsed.name_at, size - parsed.name_at)
        return strings.intern(self.buffer, used + size - parsed.name_at)


cdef bint is_javascript(uint8_t frame_class) noexcept nogil:
    """Tell the classes whose frames are functions that V8 compiled."""
    return CLASS_APP <= frame_class <= CLASS_NATIVE or CLASS_WASM <= frame_class <= CLASS_EVAL


cdef uint8_t role_of(const Frame* frame, StringTable strings) noexcept nogil:
    """Say what a frame is to the interpreter's frames below it."""
    if frame.frame_class == CLASS_INTERPRETER:
        if contains(strings.at(frame.name), strings.length(frame.name), b"InterpreterEntryTrampoline"):
            return ROLE_TRAMPOLINE
        return ROLE_HANDLER
    if is_javascript(frame.frame_class) and frame.frame_class != CLASS_WASM:
        return ROLE_INTERPRETED if frame.tier & TIER_MASK == TIER_INTERPRETED else ROLE_COMPILED
    return ROLE_OTHER


cdef bint is_part_of(uint8_t role, uint8_t caller) noexcept nogil:
    """Tell whether a frame of the interpreter belongs to its caller's frame.

    A handler works for whatever function called it. A trampoline below compiled code is the frame of another function,
    and stays; below an interpreted function, or a trampoline, it adds nothing.
    """
    if role == ROLE_HANDLER:
        return caller != ROLE_OTHER
    return role == ROLE_TRAMPOLINE and caller != ROLE_OTHER and caller != ROLE_COMPILED


def reshape(
    profile not None, *, str tiers="keep", hide=(), only=(), filters=(), bint collapse_interpreter=False,
):
    """Hide frames by class and make frames of one function one; samples and their weights all stay.

    Layout, what the tiers make of ``JS:*fib /app/cpu.js:4:14`` and of ``InterpretedFunction:fib /app/cpu.js:4``::

        keep    as they are
        merge   JS:fib /app/cpu.js:4:14       JS:fib /app/cpu.js:4
        strip   fib /app/cpu.js:4:14          fib /app/cpu.js:4

    Args:
        profile: with named frames.
        tiers: ``"keep"``, ``"merge"`` or ``"strip"``.
        hide: classes whose frames are taken out of their stacks; what they weigh becomes their callers'.
        only: classes beside which all are hidden; empty hides none.
        filters: presets, keys of ``FILTERS``, whose frames are hidden as well.
        collapse_interpreter: make the interpreter's frames a part of the function they work for.

    Returns:
        A Profile. A stack without frames left keeps its thread.

    Raises:
        UsageError: no such class, preset or way to treat tiers.
        MemoryError: no room.
    """
    cdef FrameTable source_frames = profile.frames
    cdef StackTable source_stacks = profile.stacks
    cdef SampleTable source = profile.samples
    cdef SampleTable samples = source.sibling()
    cdef StackTable stacks
    cdef StackMap mapped
    cdef FrameShapes shapes
    cdef uint64_t i
    cdef uint32_t parent, frame, stack
    cdef uint8_t caller
    cdef Total total
    cdef Sample sample
    hidden = hidden_classes(hide, only)
    derived = share_tables(profile, samples)
    derived.stacks = stacks = StackTable(source_stacks.count)
    derived.frames = FrameTable(source_frames.count)
    shapes = FrameShapes(
        source_frames, derived.frames, profile.strings, tier_mode(tiers), hidden, filter_bits(filters)
    )
    mapped = StackMap(source_stacks.count)
    with nogil:
        for i in range(source_stacks.count):
            if i % STACKS_BETWEEN_SIGNALS == 0:
                with gil:
                    PyErr_CheckSignals()
            parent = source_stacks.rows[i].parent
            frame = source_stacks.rows[i].frame
            stack = NONE_ID if parent == NONE_ID else mapped.stacks[parent]
            caller = <uint8_t>ROLE_OTHER if parent == NONE_ID else mapped.roles[parent]
            if shapes.ids[frame] != NONE_ID and not (collapse_interpreter and is_part_of(shapes.roles[frame], caller)):
                stack = <uint32_t>stacks.extend(stack, shapes.ids[frame])
                caller = shapes.roles[frame]
            mapped.stacks[i] = stack
            mapped.roles[i] = caller
    for i in range(source.total_count):
        total = source.totals[i]
        if total.stack != NONE_ID:
            total.stack = mapped.stacks[total.stack]
        samples.append_total(total)
    for i in range(source.timeline_count):
        sample = source.timeline[i]
        if sample.stack != NONE_ID:
            sample.stack = mapped.stacks[sample.stack]
        samples.add_to_timeline(sample)
    samples.take_account(source)
    return derived


def hidden_classes(hide, only):
    """One byte per class, 1 where its frames are hidden."""
    for name in (*hide, *only):
        if name not in classify.CLASSES[1:]:
            raise UsageError(f"no frame class {name!r}: one of {', '.join(classify.CLASSES[1:])}")
    return bytes(name in hide or (len(only) > 0 and name not in only) for name in classify.CLASSES)


def filter_bits(filters):
    """The bits of `FrameFilter` that presets stand for."""
    bits = 0
    for name in filters:
        if name not in classify.FILTERS:
            raise UsageError(f"no filter {name!r}: one of {', '.join(classify.FILTERS)}")
        bits |= classify.FILTERS[name]
    return bits


cdef TierMode tier_mode(str tiers):
    """Read what to do with tiers."""
    if tiers == "keep":
        return TIERS_KEEP
    if tiers == "merge":
        return TIERS_MERGE
    if tiers == "strip":
        return TIERS_STRIP
    raise UsageError(f"no way to treat tiers {tiers!r}: keep, merge or strip")


def shapes_of(names not None, classes not None, tiers not None, *, str mode):
    """What ``reshape`` knows of frames, for a picture in which its work can be done and undone.

    Args:
        names, classes, tiers: of each frame, its printed name, the document's ``frame_class`` or any other byte, and
            the document's ``frame_tier``.
        mode: ``"merge"`` or ``"strip"``.

    Returns:
        The names without tiers; and one byte per frame, its FrameRole.
    """
    cdef StringTable strings = StringTable()
    cdef FrameTable frames = FrameTable(len(names))
    cdef FrameTable joined = FrameTable(len(names))
    cdef FrameShapes shapes
    cdef uint32_t id
    ids = [
        frames.add(strings.add(name), frame_class=frame_class, tier=tier)
        for name, frame_class, tier in zip(names, classes, tiers)
    ]
    shapes = FrameShapes(frames, joined, strings, tier_mode(mode), bytes(256), 0)
    without_tiers, roles = [], bytearray()
    for id in ids:
        without_tiers.append(strings.get(joined.rows[shapes.ids[id]].name))
        roles.append(shapes.roles[id])
    return without_tiers, bytes(roles)
