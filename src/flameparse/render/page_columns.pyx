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


def number_frames(const uint32_t[::1] name, const uint8_t[::1] kind, const uint32_t[::1] place) -> tuple:
    """Number the distinct (name, kind) pairs of a tree from 1, in the order of the names; 0 is left for the whole.

    Args:
        name: name id of each node.
        kind: kind of each node, 0 to 15.
        place: of each name id, its place in the order wanted.

    Returns:
        Three columns: the frame of each node, and of each frame the place of its name and its kind.

    Raises:
        ValueError: a name id, a kind or a place is out of range.
    """
    cdef Py_ssize_t i, n = name.shape[0], name_count = place.shape[0]
    if kind.shape[0] != n:
        raise ValueError(f"{n} names but {kind.shape[0]} kinds")
    for i in range(name_count):
        if place[i] >= name_count:
            raise ValueError(f"name {i}: place {place[i]} of {name_count}")
    cdef uint32_t[::1] number = array("I", bytes(4 * 16 * name_count))
    for i in range(n):
        if name[i] >= name_count or kind[i] >= 16:
            raise ValueError(f"node {i}: name {name[i]} of {name_count}, kind {kind[i]} of 16")
        number[16 * <Py_ssize_t> place[name[i]] + kind[i]] = 1
    frame_place = array("I")
    frame_kind = array("B")
    for i in range(16 * name_count):
        if number[i]:
            frame_place.append(i // 16)
            frame_kind.append(i % 16)
            number[i] = <uint32_t> len(frame_place)
    frame_of_node = array("I", bytes(4 * n))
    cdef uint32_t[::1] frame = frame_of_node
    for i in range(n):
        frame[i] = number[16 * <Py_ssize_t> place[name[i]] + kind[i]]
    return frame_of_node, frame_place, frame_kind


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
    cdef Py_ssize_t call_count = distinct.shape[0], at = 0, listed = 0, middle, low, high
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
            low, high = first[caller], first[caller + 1]
            while low < high:
                middle = (low + high) // 2
                if distinct[middle] < call[i]:
                    low = middle + 1
                else:
                    high = middle
            rank[i] = <uint32_t> (low - first[caller])
    return pack_numbers(table), pack_numbers(rank), pack_numbers(pops), call_count
