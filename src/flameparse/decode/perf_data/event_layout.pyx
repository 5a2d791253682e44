"""What the records of each event hold, and which event a record belongs to."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from flameparse.decode.perf_data.abi cimport (
    ATTR_SAMPLE_ID_ALL, SAMPLE_ADDR, SAMPLE_CPU, SAMPLE_ID, SAMPLE_IDENTIFIER, SAMPLE_IP, SAMPLE_PERIOD,
    SAMPLE_STREAM_ID, SAMPLE_TID, SAMPLE_TIME,
)
from flameparse.model.growth cimport reserve
from flameparse.model.hash_index cimport index_free, index_init, index_put

from os import urandom

# The register that holds the instruction pointer: enum perf_event_x86_regs, perf_event_arm_regs ...,
# arch/*/include/uapi/asm/perf_regs.h.
_IP_REGISTERS = {"x86_64": 8, "i386": 8, "i686": 8, "aarch64": 32, "arm64": 32, "arm": 15, "riscv64": 0}

# The kernel's limit where none was asked for: kernel.perf_event_max_stack.
_USUAL_MAX_STACK = 127

# Words of fixed place, in the order a sample has them.
_FIXED_WORDS = (
    SAMPLE_IDENTIFIER, SAMPLE_IP, SAMPLE_TID, SAMPLE_TIME, SAMPLE_ADDR, SAMPLE_ID, SAMPLE_STREAM_ID, SAMPLE_CPU,
    SAMPLE_PERIOD,
)
# The words at the end of every other record, in order.
_TRAILER_WORDS = (SAMPLE_TID, SAMPLE_TIME, SAMPLE_ID, SAMPLE_STREAM_ID, SAMPLE_CPU, SAMPLE_IDENTIFIER)


def _place(sample_type, bit):
    """Where a word of fixed place stands in a sample; 0 where it does not."""
    if not sample_type & bit:
        return 0
    return 8 + 8 * sum(1 for before in _FIXED_WORDS[: _FIXED_WORDS.index(bit)] if sample_type & before)


def _trailer_place(sample_type, bit):
    """How far before the end of a record a word of its trailer begins; 0 where there is none."""
    if not sample_type & bit:
        return 0
    return 8 * sum(1 for word in _TRAILER_WORDS[_TRAILER_WORDS.index(bit) :] if sample_type & word)


cdef class EventLayouts:
    """The layouts of all events of a recording, by row and by id.

    Args:
        swaps: whether the recording's byte order is not this machine's.
        arch: of the recorder's machine, as ``uname -m`` says it.

    Attributes:
        attrs: the ``EventAttr`` of each row.
    """

    def __cinit__(self, *, bint swaps=False, arch=""):
        index_init(&self.index, 64)
        self.attrs = []
        self.swaps = swaps
        self.arch = arch
        self.seed = int.from_bytes(urandom(8), "little")

    def __dealloc__(self):
        free(self.rows)
        free(self.ids)
        index_free(&self.index)

    def __len__(self):
        return self.count

    def add(self, attr not None):
        """Add an event; its row.

        Layout, of a sample, in words, [x] only when its bit is set:
            header [IDENTIFIER] [IP] [TID: u32 pid, tid] [TIME] [ADDR] [ID] [STREAM_ID] [CPU: u32 cpu, 0] [PERIOD] ...
        of any other record, where the attr's flag sample_id_all is set:
            header ... [TID: u32 pid, tid] [TIME] [ID] [STREAM_ID] [CPU: u32 cpu, 0] [IDENTIFIER]
        Source: enum perf_event_type, comments of PERF_RECORD_MMAP and PERF_RECORD_SAMPLE,
        include/uapi/linux/perf_event.h.

        Args:
            attr: an ``EventAttr``.
        """
        cdef EventLayout* row
        cdef uint64_t sample_type = attr.sample_type
        reserve(<void**>&self.rows, &self.capacity, <uint64_t>self.count + 1, sizeof(EventLayout))
        row = &self.rows[self.count]
        memset(row, 0, sizeof(EventLayout))
        row.sample_type = sample_type
        row.read_format = attr.read_format
        row.branch_sample_type = attr.branch_sample_type
        row.sample_period = attr.sample_period
        row.fixed_bytes = 8 + 8 * sum(1 for word in _FIXED_WORDS if sample_type & word)
        row.ip_at = _place(sample_type, SAMPLE_IP)
        row.tid_at = _place(sample_type, SAMPLE_TID)
        row.time_at = _place(sample_type, SAMPLE_TIME)
        row.cpu_at = _place(sample_type, SAMPLE_CPU)
        row.period_at = _place(sample_type, SAMPLE_PERIOD)
        row.user_registers = bin(attr.sample_regs_user).count("1")
        row.interrupt_registers = bin(attr.sample_regs_intr).count("1")
        register = _IP_REGISTERS.get(self.arch, 64)
        row.ip_register = -1
        if attr.sample_regs_user >> register & 1:
            row.ip_register = bin(attr.sample_regs_user & ((1 << register) - 1)).count("1")
        row.max_stack = attr.sample_max_stack or _USUAL_MAX_STACK
        if attr.flags & ATTR_SAMPLE_ID_ALL:
            row.trailer_bytes = 8 * sum(1 for word in _TRAILER_WORDS if sample_type & word)
            row.trailer_time_at = _trailer_place(sample_type, SAMPLE_TIME)
        if self.count == 0:
            id_word = SAMPLE_IDENTIFIER if sample_type & SAMPLE_IDENTIFIER else SAMPLE_ID
            self.id_at = _place(sample_type, id_word)
            if attr.flags & ATTR_SAMPLE_ID_ALL:
                self.trailer_id_at = _trailer_place(sample_type, id_word)
        self.count += 1
        self.attrs.append(attr)
        for id in attr.ids:
            self.add_id(id, self.count - 1)
        return self.count - 1

    cdef int add_id(self, uint64_t id, uint32_t layout) except -1:
        """Say which event an id belongs to; the last word on it holds."""
        cdef uint32_t known = self.find_id(id)
        cdef uint32_t tag = <uint32_t>(mix(id ^ self.seed, self.seed | 1) >> 32)
        cdef uint64_t at = tag & self.index.mask
        if known != NONE_ID:
            self.ids[known].layout = layout
            return 0
        while self.index.slots[at]:
            at = (at + 1) & self.index.mask
        reserve(<void**>&self.ids, &self.id_capacity, <uint64_t>self.id_count + 1, sizeof(EventId))
        self.ids[self.id_count].id = id
        self.ids[self.id_count].layout = layout
        index_put(&self.index, at, tag, self.id_count)
        self.id_count += 1
        return 0
