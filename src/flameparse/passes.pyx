"""Passes: Profile to Profile. Whatever renames frames or drops samples after decoding is one of these.

Each walks the stack table once: a parent comes before its children, so what is known of a parent is known when a
child is reached.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp

from flameparse.frames.kind cimport frame_kind
from flameparse.frames.tidy cimport FrameNamer
from flameparse.model.event_table cimport EventTable
from flameparse.model.frame_table cimport NONE_ID, Frame, FrameTable
from flameparse.model.growth cimport reserve
from flameparse.model.sample_table cimport Sample, SampleTable, Total
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.model.thread_table cimport ThreadTable

from flameparse.model.profile import Profile


cdef enum:
    STACKS_BETWEEN_SIGNALS = 1 << 18


cdef class StackMap:
    """Stacks of one table to stacks of another; NONE_ID where every frame was dropped."""

    cdef uint32_t* stacks
    cdef uint8_t* is_cut    # the stack lost its callers, and with them its place under a thread
    cdef uint64_t count

    def __cinit__(self, uint64_t count):
        self.count = count
        self.stacks = <uint32_t*>malloc(count * sizeof(uint32_t) + 1)
        self.is_cut = <uint8_t*>calloc(count + 1, 1)
        if self.stacks is NULL or self.is_cut is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.stacks)
        free(self.is_cut)


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
        self.starts = <uint64_t*>calloc(<uint64_t>source.count + 1, sizeof(uint64_t))
        if self.starts is NULL:
            raise MemoryError
        with nogil:
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
                named.address = 0
                named.dso = frame.dso
                named.cuts_callers = 0
                for part in range(namer.part_count):
                    named.kind = <uint8_t>namer.part_kind[part]
                    name = namer.buffer + namer.part_start[part]
                    # Most names print as they are, and looking one up costs more than naming it.
                    if (
                        frame.name != NONE_ID and namer.part_len[part] == symbol_length
                        and memcmp(name, symbol, symbol_length) == 0
                    ):
                        named.name = frame.name
                    else:
                        named.name = <uint32_t>strings.intern(name, namer.part_len[part])
                        symbol = strings.at(frame.name) if frame.name != NONE_ID else symbol
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
    skip_after=(),
):
    """Give every frame the name it is printed under, and its kind.

    Args:
        profile: as decoded. Frames that already have a kind (from a document) keep it.
        style: ``"tidy"``, ``"raw"``, ``"stackcollapse-perf"`` or ``"inferno"``.
        addrs: print the address of frames without a symbol.
        annotate_kernel, annotate_jit: append ``_[k]``, ``_[j]`` and, with either, ``_[i]``.
        skip_after: names as perf prints them; what called such a frame is dropped, with the root label.

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
        style, addrs=addrs, annotate_kernel=annotate_kernel, annotate_jit=annotate_jit
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
