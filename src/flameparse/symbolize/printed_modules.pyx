"""Frames that perf or DTrace could not name: the module printed becomes a DSO to look them up in."""

from libc.stdint cimport uint64_t

from flameparse.model.frame_table cimport NONE_ID, Frame, FrameTable
from flameparse.model.string_table cimport StringTable

import os
import re

from flameparse.errors import DecodeError, SourceError
from flameparse.model.dso import Dso, DsoKind

_PERF_MAP = re.compile(rb"(?:.*/)?perf-(\d{1,10})\.map")
_MAPPING = re.compile(
    rb"PERF_RECORD_MMAP2? (-?\d{1,10})/-?\d{1,10}: \[0x([0-9a-f]{1,16})\(0x([0-9a-f]{1,16})\) @ (?:0x)?([0-9a-f]{1,16})"
    rb"(?: [^\]]*)?\]: \S+ (.+)"
)
_KERNEL = rb"[kernel.kallsyms]"
_PT_LOAD = 1


def adopt_modules(profile not None):
    """Bring a decoded text to address level: modules become rows of ``profile.dsos``, to which addresses are relative.

    Three modules as perf prints them, and what the address before them is::

        7fa4456738a8 [unknown] (/tmp/perf-8783.map)     actual address, named by the map
             a066b41 [unknown] (/usr/lib/chromium)      place in the file; before perf 5.19 the actual address,
                                                        which takes the lines of --show-mmap-events to place
        ffffffff8100 [unknown] ([kernel.kallsyms])      actual address

    Args:
        profile: decoded with ``keeps_addresses``; changed in place.
    """
    cdef StringTable strings = profile.strings
    cdef FrameTable frames = profile.frames
    cdef uint64_t i
    cdef Frame* frame
    cdef dict dso_ids = {}
    cdef dict mapped = mappings_by_path(profile)
    for i in range(frames.count):
        frame = &frames.rows[i]
        if frame.dso == NONE_ID:
            continue
        id = dso_ids.get(frame.dso)
        if id is None:
            dso = dso_of_module(strings.get(frame.dso))
            if dso.kind == DsoKind.KERNEL:
                dso.reference_name, dso.reference_address = mapped.get(_KERNEL, (b"", 0))
            id = dso_ids[frame.dso] = profile.dsos.intern(dso)
        if frame.name == NONE_ID and mapped:
            dso = profile.dsos.rows[id]
            if dso.kind == DsoKind.FILE:
                for start, size, file_offset in mapped.get(dso.path, ()):
                    if start <= frame.address < start + size:
                        frame.address = frame.address - <uint64_t>start + <uint64_t>file_offset
                        break
        frame.dso = id


def adopt_dtrace_modules(profile not None, options not None):
    """Bring a decoded text of DTrace's to address level.

    Three frames without a symbol, and what may name them::

        0x3cd5f8a04d20             the perf map of the process: of the pid in the stack's head or, where that has none,
                                   of the only perf map given
        node`0x100001234           the file of that name below --symfs, if one of its segments holds the address:
                                   where a library was loaded, DTrace does not say
        unix`0xfffffffffb8001d6    nothing: it stays an address

    Args:
        profile: decoded; changed in place.
        options: what the user said.
    """
    cdef StringTable strings = profile.strings
    cdef FrameTable frames = profile.frames
    cdef uint64_t i
    cdef Frame* frame
    cdef dict dso_ids = {}
    cdef dict segments = {}
    pids = perf_map_pids(options)
    bare = NONE_ID
    if len(pids) == 1:
        pid = pids.pop()
        bare = profile.dsos.intern(Dso(b"/tmp/perf-%d.map" % pid, DsoKind.PERF_MAP, pid=pid))
    for i in range(frames.count):
        frame = &frames.rows[i]
        if frame.dso == NONE_ID:
            if frame.name == NONE_ID and not frame.kind:
                frame.dso = bare
            continue
        id = dso_ids.get(frame.dso)
        if id is None:
            dso = dso_of_module(strings.get(frame.dso))
            if dso.kind != DsoKind.PERF_MAP:
                path, loaded = file_named(dso.path, options.symfs)
                dso = Dso(path or dso.path, DsoKind.FILE if path else DsoKind.NO_FILE)
            id = dso_ids[frame.dso] = profile.dsos.intern(dso)
            if dso.kind == DsoKind.FILE:
                segments[id] = loaded
        frame.dso = id
        if frame.name == NONE_ID:
            for start, size, file_offset in segments.get(id, ()):
                if start <= frame.address < start + size:
                    frame.address = frame.address - <uint64_t>start + <uint64_t>file_offset
                    break
            else:
                if id in segments:
                    # Not of this file as it was linked: nothing to look up there.
                    frame.dso = profile.dsos.intern(Dso(printed_name(profile.dsos.rows[id].path), DsoKind.NO_FILE))


def perf_map_pids(options):
    """The processes whose perf maps were given."""
    pids = set(options.perf_maps)
    if not pids and options.perf_map_dir is not None:
        try:
            names = [_PERF_MAP.fullmatch(os.fsencode(name)) for name in os.listdir(options.perf_map_dir)]
        except OSError as error:
            raise SourceError(f"{options.perf_map_dir}: {error.strerror}") from error
        pids = {int(name[1]) for name in names if name is not None}
    return pids


def printed_name(bytes path not None):
    """The last component of a path, as DTrace prints a module."""
    return path.rpartition(b"/")[2]


def file_named(bytes name not None, symfs):
    """Find the ELF file of a name below a directory, the one highest up.

    Returns:
        Its path from there, and (address, size, place in the file) of its loaded segments; None where there is none.
    """
    if symfs is None or not os.path.isdir(symfs) or b"/" in name:
        return None, ()
    from flameparse.symbolize.elf import ElfFile
    from flameparse.symbolize.symbol_file import open_beneath

    root = os.fsencode(symfs)
    for directory, folders, files in os.walk(root):
        folders.sort()
        if name in files:
            path = b"/" + os.path.relpath(os.path.join(directory, name), root)
            file = open_beneath(symfs, path)
            if file is None:
                continue
            with file:
                try:
                    elf = ElfFile(file)
                except (DecodeError, SourceError):
                    continue
                return path, [(s.address, s.file_bytes, s.offset) for s in elf.segments if s.type == _PT_LOAD]
    return None, ()


def mappings_by_path(profile):
    """Read the mapping lines: path to (start, size, place in the file) of each, the kernel's to its reference."""
    mapped = {}
    for line in profile.mapping_lines:
        match = _MAPPING.fullmatch(line.rstrip())
        if match is None:
            continue
        start, size, file_offset = (int(text, 16) for text in match.group(2, 3, 4))
        path = match[5]
        if path.startswith(_KERNEL):
            mapped[_KERNEL] = path[len(_KERNEL):], file_offset
        elif match[1] != b"-1":
            mapped.setdefault(path, set()).add((start, size, file_offset))
    return mapped


def dso_of_module(bytes module not None):
    """Tell what kind of DSO a module is by its printed name.

    Args:
        module: the module without its parentheses.

    Returns:
        A ``Dso`` whose path is the module.
    """
    match = _PERF_MAP.fullmatch(module)
    if match is not None:
        return Dso(module, DsoKind.PERF_MAP, pid=int(match[1]))
    if module.startswith(b"[vdso"):
        return Dso(module, DsoKind.VDSO)
    if module.startswith((b"[kernel", b"[guest.kernel")):
        return Dso(module, DsoKind.KERNEL if module.startswith(_KERNEL) else DsoKind.NO_FILE)
    if module.startswith(b"/") and not module.startswith(b"//"):
        is_module = module.partition(b".ko")[2] in (b"", b".xz", b".gz", b".zst") and b".ko" in module
        return Dso(module, DsoKind.MODULE if is_module else DsoKind.FILE)
    is_module = re.fullmatch(rb"\[[A-Za-z0-9_-]+\]", module) and module not in (b"[heap]", b"[vsyscall]", b"[unknown]")
    return Dso(module, DsoKind.MODULE if is_module else DsoKind.NO_FILE)
