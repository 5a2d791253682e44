"""Frames of ``perf script`` text that perf could not name: the module it printed becomes a DSO to look them up in."""

from libc.stdint cimport uint64_t

from flameparse.model.frame_table cimport NONE_ID, Frame, FrameTable
from flameparse.model.string_table cimport StringTable

import re

from flameparse.model.dso import Dso, DsoKind

_PERF_MAP = re.compile(rb"(?:.*/)?perf-(\d{1,10})\.map")
_MAPPING = re.compile(
    rb"PERF_RECORD_MMAP2? (-?\d{1,10})/-?\d{1,10}: \[0x([0-9a-f]{1,16})\(0x([0-9a-f]{1,16})\) @ (?:0x)?([0-9a-f]{1,16})"
    rb"(?: [^\]]*)?\]: \S+ (.+)"
)
_KERNEL = rb"[kernel.kallsyms]"


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
