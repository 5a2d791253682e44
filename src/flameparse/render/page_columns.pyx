"""Tree columns to the bytes an HTML page carries: small numbers that deflate well and decode in one loop."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from array import array

ctypedef fused Unsigned:
    uint32_t
    uint64_t


cdef inline Py_ssize_t packed_size(uint64_t value) noexcept nogil:
    """Count the LEB128 bytes of a number."""
    cdef Py_ssize_t size = 1
    while value > 127:
        value >>= 7
        size += 1
    return size


cdef inline uint8_t* put(uint8_t* out, uint64_t value) noexcept nogil:
    """Write a number as LEB128 and return the place after it."""
    while value > 127:
        out[0] = <uint8_t> (value & 127) | 128
        value >>= 7
        out += 1
    out[0] = <uint8_t> value
    return out + 1


def pack_numbers(const Unsigned[::1] values) -> bytes:
    """Write a column of unsigned numbers as LEB128, so that the small ones, which are the most, take one byte.

    Layout: per number 7 bits a byte, the lowest first; the top bit says that more follow.

    Args:
        values: the numbers, 32 or 64 bits wide.

    Returns:
        The bytes of all numbers end to end.
    """
    cdef Py_ssize_t i, size = 0
    with nogil:
        for i in range(values.shape[0]):
            size += packed_size(values[i])
    cdef bytes packed = PyBytes_FromStringAndSize(NULL, size)
    cdef uint8_t* out = <uint8_t*> PyBytes_AS_STRING(packed)
    with nogil:
        for i in range(values.shape[0]):
            out = put(out, values[i])
    return packed


cdef inline Py_ssize_t place_of(
    uint64_t value, const uint64_t[::1] rising, Py_ssize_t low, Py_ssize_t high
) noexcept nogil:
    """Find a value that stands in a stretch of a rising column."""
    cdef Py_ssize_t middle
    while low < high:
        middle = (low + high) // 2
        if rising[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def number_frames(
    const uint32_t[::1] name, const uint8_t[::1] kind, const uint8_t[::1] frame_class, const uint8_t[::1] tier,
    const uint8_t[::1] presets, *, const uint32_t[::1] place, const uint8_t[::1] class_of_kind,
) -> tuple:
    """Number the distinct (name, class, tier, presets) of a tree from 1, in the order of the names; 0 is the whole.

    Args:
        name, kind, frame_class, tier, presets: columns of the nodes.
        place: of each name id, its place in the order wanted.
        class_of_kind: the class of a node that has none, by its kind.

    Returns:
        Five columns: the frame of each node, and of each frame the place of its name, its class, tier and presets.

    Raises:
        ValueError: the columns differ in length, or a name id, a kind or a place is out of range.
    """
    cdef Py_ssize_t i, n = name.shape[0], name_count = place.shape[0]
    cdef uint8_t shown
    if not n == kind.shape[0] == frame_class.shape[0] == tier.shape[0] == presets.shape[0]:
        raise ValueError("columns of one tree differ in length")
    for i in range(name_count):
        if place[i] >= name_count:
            raise ValueError(f"name {i}: place {place[i]} of {name_count}")
    key_column = array("Q", bytes(8 * n))
    cdef uint64_t[::1] key = key_column
    for i in range(n):
        if name[i] >= name_count or kind[i] >= class_of_kind.shape[0]:
            raise ValueError(f"node {i}: name {name[i]} of {name_count}, kind {kind[i]} of {class_of_kind.shape[0]}")
        shown = frame_class[i] or class_of_kind[kind[i]]
        key[i] = <uint64_t> place[name[i]] << 24 | <uint64_t> shown << 16 | <uint64_t> tier[i] << 8 | presets[i]
    frames = array("Q", sorted(set(key_column)))
    frame_of_node = array("I", bytes(4 * n))
    cdef uint64_t[::1] distinct = frames
    cdef uint32_t[::1] frame = frame_of_node
    with nogil:
        for i in range(n):
            frame[i] = <uint32_t> (place_of(key[i], distinct, 0, distinct.shape[0]) + 1)
    parts = [array("B", [value >> shift & 255 for value in frames]) for shift in (16, 8, 0)]
    return frame_of_node, array("I", [value >> 24 for value in frames]), *parts


def pack_shape(const uint32_t[::1] frame, const uint32_t[::1] depth, Py_ssize_t frame_count) -> tuple:
    """Write a pre-order tree as small numbers: each node by its rank among the callees its caller's frame has anywhere.

    Layout, all LEB128:
        callees: for frame 0 (the caller of roots) to frame_count, how many distinct callees it has, then these in
            rising order, each as the difference to the one before (the first to 0);
        ranks: of each node, the index of its frame among the callees of its caller's frame;
        pops: before each node, how many open nodes to close: 0 for a first child, 1 for a sibling, and so on.

    Args:
        frame: frame of each node, 1 to frame_count.
        depth: depth of each node, 0 for roots.
        frame_count: how many frames there are.

    Returns:
        The three packed columns, and how many callees the first one lists.

    Raises:
        ValueError: the first node is not a root, a node is more than one deeper than the node before it, or a frame
            is out of range.
    """
    cdef Py_ssize_t i, n = frame.shape[0]
    if depth.shape[0] != n:
        raise ValueError(f"{n} frames but {depth.shape[0]} depths")
    cdef uint32_t[::1] pops = array("I", bytes(4 * n))
    cdef uint32_t[::1] rank = array("I", bytes(4 * n))
    cdef uint32_t[::1] open_frame = array("I", bytes(4 * n + 4))
    call_column = array("Q", bytes(8 * n))
    cdef uint64_t[::1] call = call_column
    cdef uint64_t open_count = 0
    for i in range(n):
        if depth[i] > open_count:
            raise ValueError(f"node {i}: depth {depth[i]} where at most {open_count} is possible in pre-order")
        if frame[i] < 1 or frame[i] > frame_count:
            raise ValueError(f"node {i}: frame {frame[i]} of {frame_count}")
        pops[i] = <uint32_t> (open_count - depth[i])
        open_count = <uint64_t> depth[i] + 1
        call[i] = (<uint64_t> open_frame[depth[i]] << 32) | frame[i]
        open_frame[open_count] = frame[i]

    cdef uint64_t[::1] distinct = array("Q", sorted(set(call_column)))
    cdef Py_ssize_t call_count = distinct.shape[0], at = 0, listed = 0
    cdef uint64_t[::1] first = array("Q", bytes(8 * (frame_count + 2)))
    cdef uint32_t[::1] table = array("I", bytes(4 * (call_count + frame_count + 1)))
    cdef Py_ssize_t caller, head
    cdef uint32_t before
    for caller in range(frame_count + 1):
        first[caller] = at
        head = listed
        listed += 1
        before = 0
        while at < call_count and <Py_ssize_t> (distinct[at] >> 32) == caller:
            table[listed] = <uint32_t> distinct[at] - before
            before = <uint32_t> distinct[at]
            listed += 1
            at += 1
        table[head] = <uint32_t> (at - first[caller])
    first[frame_count + 1] = at

    with nogil:
        for i in range(n):
            caller = <Py_ssize_t> (call[i] >> 32)
            rank[i] = <uint32_t> (place_of(call[i], distinct, first[caller], first[caller + 1]) - first[caller])
    return pack_numbers(table), pack_numbers(rank), pack_numbers(pops), call_count
