"""One event of a recording: what was counted, and what each of its samples holds."""

from __future__ import annotations

from struct import unpack_from

from flameparse.decode.perf_data.event_name import spell_event
from flameparse.errors import TruncatedError

_LEAST_BYTES = 64  # of the first version of the struct
_KNOWN_BYTES = 112  # up to what is read here


class EventAttr:
    """A ``perf_event_attr``; what the writer's older, shorter one lacks is 0.

    Layout:
        0 u32 type · 4 u32 size, 0 means 64 · 8 u64 config · 16 u64 sample_period or frequency · 24 u64 sample_type ·
        32 u64 read_format · 40 u64 flags · 48 u32 wakeup · 52 u32 bp_type · 56 u64 config1 or bp_addr ·
        64 u64 config2 · 72 u64 branch_sample_type · 80 u64 sample_regs_user · 88 u32 sample_stack_user ·
        92 s32 clockid · 96 u64 sample_regs_intr · 104 u32 aux_watermark · 108 u16 sample_max_stack · more, unused
    Source: struct perf_event_attr, include/uapi/linux/perf_event.h. The flags are C bit fields: a big-endian writer
    puts the first one into the highest bit.

    Args:
        data: the struct; what is past its own size is not read.
        order: ``<`` or ``>``, of the writer.

    Attributes:
        type, config, config1, config2, bp_type: what was counted.
        size: bytes the writer gave it.
        sample_period: or samples per second, where ``is_freq``.
        is_freq: whether the kernel chose the periods.
        sample_type, read_format, branch_sample_type: what a sample holds.
        flags: bit 0 is ``disabled``, in either byte order.
        sample_regs_user, sample_regs_intr: which registers.
        sample_stack_user: bytes of stack asked for.
        sample_max_stack: the most frames asked for; 0 where the kernel's own limit held.
        clockid: of the times, where the flag ``use_clockid`` is set.
        ids: what samples and other records call the event by.
        name: as ``perf script`` prints it; never empty.
        is_named: whether the recording gave the name; else it is made of type, config and flags.

    Raises:
        TruncatedError: the data is shorter than the first version of the struct.
    """

    __slots__ = (
        "bp_type", "branch_sample_type", "clockid", "config", "config1", "config2", "flags", "ids", "is_freq",
        "is_named", "name", "read_format", "sample_max_stack", "sample_period", "sample_regs_intr", "sample_regs_user",
        "sample_stack_user", "sample_type", "size", "type",
    )  # fmt: skip

    type: int
    config: int
    sample_period: int
    sample_type: int
    read_format: int
    bp_type: int
    config1: int
    config2: int
    branch_sample_type: int
    sample_regs_user: int
    sample_stack_user: int
    clockid: int
    sample_regs_intr: int
    sample_max_stack: int

    def __init__(self, data: bytes, order: str) -> None:
        if len(data) < _LEAST_BYTES:
            raise TruncatedError(f"an event takes {_LEAST_BYTES} bytes or more, there are {len(data)}")
        self.size: int = unpack_from(order + "I", data, 4)[0] or _LEAST_BYTES
        (
            self.type, self.config, self.sample_period, self.sample_type, self.read_format, flags, self.bp_type,
            self.config1, self.config2, self.branch_sample_type, self.sample_regs_user, self.sample_stack_user,
            self.clockid, self.sample_regs_intr, self.sample_max_stack,
        ) = unpack_from(order + "I4x5Q4xI4QIiQ4xH", data[: self.size].ljust(_KNOWN_BYTES, b"\0"))  # fmt: skip
        self.flags: int = flags if order == "<" else int(f"{flags:064b}"[::-1], 2)
        self.is_freq = bool(self.flags >> 10 & 1)
        self.ids: list[int] = []
        self.name = spell_event(self.type, self.config, self.flags, self.config1, self.bp_type)
        self.is_named = False

    def call(self, name: bytes) -> None:
        """Take the name that the recording gives; an empty one says nothing."""
        if name:
            self.name = name
            self.is_named = True
