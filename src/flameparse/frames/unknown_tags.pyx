"""Tags of generated code that no V8 known here writes: a sign of a version newer than this parser."""

from libc.stdint cimport uint32_t

from flameparse.frames.v8_name cimport V8_NONE, V8_UNKNOWN_TAG, V8Name, parse_v8_name
from flameparse.model.frame_table cimport KIND_JIT, NONE_ID, FrameTable
from flameparse.model.string_table cimport StringTable

from flameparse import limits


def unknown_tags(FrameTable frames not None, StringTable strings not None):
    """Count the frames whose names have such tags; other JITs write what looks alike, so V8 must be among them.

    Args:
        frames: with their kinds, as `name_frames` leaves them.
        strings: their names.

    Returns:
        Tag to frames, the most frequent first, at most ``limits.MAX_UNKNOWN_TAGS``.

    Raises:
        MemoryError: no room.
    """
    cdef V8Name parsed
    cdef uint32_t i, name
    cdef bint is_v8 = False
    cdef bytes tag
    cdef dict counts = {}
    with nogil:
        for i in range(frames.count):
            name = frames.rows[i].name
            if frames.rows[i].kind != KIND_JIT or name == NONE_ID:
                continue
            parse_v8_name(strings.at(name), strings.length(name), &parsed)
            if parsed.kind == V8_UNKNOWN_TAG:
                with gil:
                    tag = strings.at(name)[:parsed.tag_len]
                    counts[tag] = counts.get(tag, 0) + 1
            elif parsed.kind != V8_NONE:
                is_v8 = True
    if not is_v8:
        return {}
    return dict(sorted(counts.items(), key=lambda row: (-row[1], row[0]))[: limits.MAX_UNKNOWN_TAGS])
