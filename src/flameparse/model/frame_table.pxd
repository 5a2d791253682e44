from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from flameparse.model.hash_index cimport HashIndex


cdef extern from *:
    """
    #define FP_NONE_ID 0xFFFFFFFFu
    """
    const uint32_t NONE_ID "FP_NONE_ID"  # "no such thing" in every id column


cdef enum FrameKind:
    KIND_USER = 0
    KIND_KERNEL = 1
    KIND_JIT = 2
    KIND_INLINED = 3


cdef struct Frame:
    uint64_t address     # only of a frame without a symbol, so that it can be resolved late; else 0
    uint32_t name        # string id, or NONE_ID for a frame without a symbol
    uint32_t dso         # string id of the module as printed, or NONE_ID
    uint8_t kind         # FrameKind
    uint8_t frame_class  # FrameClass of frames/classify, 0 until it is known
    uint8_t tier         # V8Tier of frames/v8_name
    uint8_t presets      # FrameFilter bits of frames/classify
    uint8_t cuts_callers # a pass asked to drop this frame's callers and the root label


cdef inline Frame new_frame(uint32_t name, uint32_t dso, uint8_t kind, uint64_t address) noexcept nogil:
    """A frame that nothing is known of but what its arguments say."""
    cdef Frame frame
    frame.name, frame.dso, frame.kind, frame.address = name, dso, kind, address
    frame.frame_class = frame.tier = frame.presets = frame.cuts_callers = 0
    return frame


cdef class FrameTable:
    cdef Frame* rows
    cdef readonly uint32_t count
    cdef uint64_t capacity
    cdef HashIndex index

    cdef int64_t intern(self, Frame frame) except -1 nogil
