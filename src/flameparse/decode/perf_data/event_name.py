"""What an event is called where the recording does not say: its type, its config and the modes it leaves out."""

from __future__ import annotations

_HARDWARE = (
    b"cycles", b"instructions", b"cache-references", b"cache-misses", b"branches", b"branch-misses", b"bus-cycles",
    b"stalled-cycles-frontend", b"stalled-cycles-backend", b"ref-cycles",
)  # fmt: skip
_SOFTWARE = (
    b"cpu-clock", b"task-clock", b"page-faults", b"context-switches", b"cpu-migrations", b"minor-faults",
    b"major-faults", b"alignment-faults", b"emulation-faults", b"dummy",
)  # fmt: skip
# Caches, each with the operations it has.
_CACHES = (
    (b"L1-dcache", (0, 1, 2)), (b"L1-icache", (0, 2)), (b"LLC", (0, 1, 2)), (b"dTLB", (0, 1, 2)), (b"iTLB", (0,)),
    (b"branch", (0,)), (b"node", (0, 1, 2)),
)  # fmt: skip
_OPERATIONS = ((b"load", b"loads"), (b"store", b"stores"), (b"prefetch", b"prefetches"))


def spell_event(type: int, config: int, flags: int, address: int, access: int) -> bytes:
    """Name an event as perf 6.1 does; only a tracepoint, which perf does not name, also says which one it is.

    Args:
        type, config, flags: of the ``EventAttr``.
        address, access: of a breakpoint: its ``config1`` and ``bp_type``.

    Returns:
        Such as ``cpu-clock:u``.
    """
    if type == 0:
        name = _one_of(_HARDWARE, config & 0xFFFF_FFFF, b"unknown-hardware")
        if config >> 32:  # the kind of core that counted
            name = b"cpu/%b/" % name
    elif type == 1:
        name = _one_of(_SOFTWARE, config, b"unknown-software")
    elif type == 2:
        return b"tracepoint:%d" % config
    elif type == 3:
        name = _cache_name(config & 0xFF, config >> 8 & 0xFF, config >> 16 & 0xFF)
    elif type == 4:
        name = b"raw 0x%x" % config
    elif type == 5:
        name = b"mem:0x%x:" % address + b"".join(b"rwx"[bit : bit + 1] for bit in range(3) if access >> bit & 1)
    else:
        return b"unknown attr type: %d" % (type - (type >> 31 << 32))
    return name + _modifiers(flags)


def _one_of(names: tuple[bytes, ...], number: int, unknown: bytes) -> bytes:
    return names[number] if number < len(names) else unknown


def _cache_name(cache: int, operation: int, result: int) -> bytes:
    if cache >= len(_CACHES):
        return b"unknown-ext-hardware-cache-type"
    if operation >= len(_OPERATIONS):
        return b"unknown-ext-hardware-cache-op"
    if result > 1:
        return b"unknown-ext-hardware-cache-result"
    name, operations = _CACHES[cache]
    if operation not in operations:
        return b"invalid-cache"
    one, many = _OPERATIONS[operation]
    return b"%b-%b-misses" % (name, one) if result else b"%b-%b" % (name, many)


def _modifiers(flags: int) -> bytes:
    """Spell which modes are counted, where that is not what perf asks for of itself.

    Layout of the flags: bit 4 excludes user, 5 kernel, 6 hypervisor mode; 15 and 16 are the precision; 19 excludes the
    host, 20 the guest.
    """
    excludes_host, excludes_guest = flags >> 19 & 1, flags >> 20 & 1
    precision = flags >> 15 & 3
    letters = b"p" * precision
    if flags & 0x70:
        letters = bytes(letter for letter, bit in ((107, 5), (117, 4), (104, 6)) if not flags >> bit & 1) + letters
    if excludes_host or excludes_guest == bool(flags & 0x70 or precision):
        letters += b"H"[excludes_host:] + b"G"[excludes_guest:]
    return b":" + letters if letters else b""
