from libc.stdint cimport uint8_t, uint32_t, uint64_t


cdef class Tree:
    cdef readonly bytes names_blob
    cdef readonly object name_offsets
    cdef readonly object name
    cdef readonly object parent
    cdef readonly object depth
    cdef readonly object kind
    cdef readonly object frame_class
    cdef readonly object tier
    cdef readonly object presets
    cdef readonly object is_stack
    cdef readonly object self_weight
    cdef readonly object total_weight
    cdef readonly object bare_weight
    cdef readonly object total
    cdef readonly str unit
    cdef readonly bytes event
