"""Maps, forks and names of a recording, kept so that any moment can be asked about.

Every process has a tree of disjoint mappings. A change makes a new tree that shares all but one path with the old one
(Driscoll and others, Making data structures persistent, 1989), and a version that says from when on it holds. So a fork
costs nothing, any number of threads can look up different moments at once, and samples need no sorting.

Functions that came with the recording (jitdump, BPF) have a second tree per version, which is asked first: memory that
is mapped, unmapped or protected under them does not hide them, while a file that is mapped over them takes them away.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport UINT64_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memset, strlen

from flameparse.decode.history cimport History, Version
from flameparse.decode.mapping_tree cimport Mapping, MappingTrees
from flameparse.decode.perf_data.abi cimport CPUMODE_GUEST_KERNEL, CPUMODE_GUEST_USER, CPUMODE_KERNEL
from flameparse.decode.side_events cimport (
    SIDE_CODE_LOAD, SIDE_COMM, SIDE_FORK, SIDE_IS_DATA, SIDE_IS_HUGE, SIDE_IS_UNLOAD, SIDE_KEEPS_NO_MAPS,
    SIDE_KERNEL_SYMBOL, SIDE_MAP, SideEvent, SideEvents,
)
from flameparse.model.frame_table cimport KIND_JIT, KIND_KERNEL, KIND_USER, NONE_ID
from flameparse.model.growth cimport reserve
from flameparse.model.hash_index cimport index_free, index_init, index_put, slot_id
from flameparse.model.string_table cimport StringTable
from flameparse.scan.byte_hash cimport hash_bytes

from os import urandom

from flameparse.model.dso import Dso, DsoKind, DsoTable

# The same numbers as DsoKind.
cdef enum:
    DSO_KERNEL = 0
    DSO_MODULE = 1
    DSO_FILE = 2
    DSO_PERF_MAP = 3
    DSO_CODE = 4
    DSO_VDSO = 5
    DSO_NO_FILE = 6

cdef int32_t KERNEL_PID = -1
cdef bytes KERNEL_NAME = b"[kernel.kallsyms]"


cdef class AddressSpace:
    """The mappings of all processes and the names of all threads, at every moment of a recording.

    Building (``apply``) and asking (everything else) take turns; while nothing is applied, any number of threads ask.

    Args:
        strings: what names in events are ids of.
        dsos: table the mappings' DSOs are added to; a new one by default.
        build_ids: what the recording's header knows: ``(pid, cpumode, build id, path)``.
        rules: ``"perf-6.1"`` to take every name for what perf 6.1 takes it, ``"precise"`` for what is right. They
            differ in two things. Executable memory called ``[anon:...]`` or ``/memfd:...`` and without a build id was
            filled by a JIT: its addresses are actual ones, and names come from the process's perf map
            (``DsoKind.PERF_MAP`` with the path as recorded); perf 6.1 looks for a file of that name. And a kernel
            function that was announced has its name even between the ends of the kernel.
    """

    def __cinit__(self):
        self.seed = int.from_bytes(urandom(8), "little")
        self.trees = MappingTrees()
        self.processes = History()
        self.threads = History()
        index_init(&self.dso_index, 64)

    def __init__(self, StringTable strings not None, dsos=None, *, build_ids=(), str rules="precise"):
        if rules not in ("perf-6.1", "precise"):
            raise ValueError(f"no rules {rules!r}")
        self.strings = strings
        self.dsos = DsoTable() if dsos is None else dsos
        self.is_precise = rules == "precise"
        self.build_ids = {}
        self.kernel_path = KERNEL_NAME
        self.add_build_ids(build_ids)
        # The idle thread is never announced.
        self.threads.set(0, 0, 0, strings.add(b"swapper"), 0)

    def __dealloc__(self):
        free(self.known_dsos)
        index_free(&self.dso_index)

    def add_build_ids(self, build_ids):
        """Learn which files were mapped; they give mappings whose own record has no build id one.

        Args:
            build_ids: ``(pid, cpumode, build id, path)`` each.
        """
        for _, cpumode, build_id, path in build_ids:
            if cpumode in (CPUMODE_GUEST_KERNEL, CPUMODE_GUEST_USER):
                continue
            if cpumode == CPUMODE_KERNEL and not is_module_file(path):
                self.kernel_path = path
            self.build_ids[path] = build_id

    def apply_events(self, SideEvents events not None):
        """Take events into account, in order of (time, sequence); they are sorted where they are not.

        Args:
            events: none may be before one that was applied already; it would hold from that one's time on.
        """
        events.sort()
        self.apply(events.rows, events.count)

    def lookup(self, int32_t pid, uint64_t ip, uint64_t time=UINT64_MAX, uint64_t sequence=UINT64_MAX):
        """Find the mapping that covers an address before a moment.

        Args:
            pid: process; -1 for the kernel.
            ip: actual address.
            time, sequence: the moment; by default the end.

        Returns:
            ``(start, end, bias, dso, name, kind)``, or None where nothing is mapped.
        """
        cdef uint32_t found = self.find(self.version_at(self.process_of(pid), time, sequence, NONE_ID), ip)
        cdef Mapping* mapping
        if found == NONE_ID:
            return None
        mapping = &self.mappings[found]
        return mapping.start, mapping.end, mapping.bias, mapping.dso, mapping.name, mapping.kind

    def version(self, int32_t pid, uint64_t time, uint64_t sequence, uint32_t hint=NONE_ID):
        """Number of the mappings a process had before a moment, whatever version is tried first; 0xFFFFFFFF: none."""
        return self.version_at(self.process_of(pid), time, sequence, hint)

    def comm(self, int32_t pid, int32_t tid, uint64_t time=UINT64_MAX, uint64_t sequence=UINT64_MAX):
        """String id of what a thread was called before a moment, or ``0xFFFFFFFF``."""
        return self.comm_at(pid, tid, time, sequence)

    @property
    def memory_bytes(self):
        """Bytes the tables hold allocated."""
        return (
            self.trees.memory_bytes + self.processes.memory_bytes + self.threads.memory_bytes
            + (self.dso_index.mask + 1) * sizeof(uint64_t)
            + self.known_dso_capacity * sizeof(KnownDso)
        )

    # Asking.

    cdef uint32_t process_of(self, int32_t pid) noexcept nogil:
        """Find a process; -1 is the kernel.

        Returns:
            Its row, or NONE_ID for one that no event named.
        """
        return self.processes.owner_of(pid)

    cdef uint32_t version_at(
        self, uint32_t process, uint64_t time, uint64_t sequence, uint32_t hint
    ) noexcept nogil:
        """Find the mappings a process had just before a moment.

        Args:
            process: row, or NONE_ID.
            time, sequence: the moment; events that have both are not seen by it.
            hint: version of the same process to try first, or NONE_ID.

        Returns:
            The version, or NONE_ID where nothing was mapped yet.
        """
        return self.processes.version_at(process, time, sequence, hint)

    cdef uint32_t find(self, uint32_t version, uint64_t ip) noexcept nogil:
        """Find the mapping that covers an address.

        Args:
            version: of a process, or NONE_ID.
            ip: actual address.

        Returns:
            Its place in ``mappings``, or NONE_ID.
        """
        cdef uint32_t found = NONE_ID
        if version != NONE_ID:
            found = self.trees.find(self.processes.versions[version].code, ip)
            if found == NONE_ID:
                found = self.trees.find(self.processes.versions[version].value, ip)
        return found

    cdef uint32_t comm_at(self, int32_t pid, int32_t tid, uint64_t time, uint64_t sequence) noexcept nogil:
        """Find what a thread was called just before a moment.

        Args:
            pid: process of the thread; thread ids are unique without it.
            tid: thread.
            time, sequence: the moment.

        Returns:
            A string id, or NONE_ID for a thread without a name: it is to be called ``:TID``.
        """
        cdef uint32_t version = self.threads.version_at(self.threads.owner_of(tid), time, sequence, NONE_ID)
        return NONE_ID if version == NONE_ID else self.threads.versions[version].value

    # Building.

    cdef int apply(self, const SideEvent* events, uint64_t count) except -1:
        """Take events into account.

        Args:
            events: in order of (time, sequence), none before one that was applied already; it would hold from that
                one's time on.
            count: how many.

        Raises:
            MemoryError: no room.
            OverflowError: 2**32 - 1 rows of a table.
        """
        cdef const SideEvent* event
        cdef uint64_t i
        for i in range(count):
            if i & 0xFFFF == 0xFFFF:
                PyErr_CheckSignals()
            event = &events[i]
            if event.cpumode == CPUMODE_GUEST_KERNEL or event.cpumode == CPUMODE_GUEST_USER:
                continue  # samples of guests are not counted, and their processes have the numbers of ours
            if event.kind == SIDE_MAP:
                self.apply_map(event)
            elif event.kind == SIDE_COMM:
                self.threads.set(event.tid, event.time, event.sequence, event.name, 0)
            elif event.kind == SIDE_FORK:
                self.apply_fork(event)
            elif event.kind == SIDE_KERNEL_SYMBOL:
                self.apply_kernel_symbol(event)
            elif event.kind == SIDE_CODE_LOAD:
                self.apply_code_load(event)
        self.mappings = self.trees.mappings
        return 0

    cdef int apply_map(self, const SideEvent* event) except -1:
        """Map a file or memory into a process or into the kernel, over whatever was there."""
        cdef bint is_kernel = event.cpumode == CPUMODE_KERNEL
        cdef DsoKey key
        cdef Mapping mapping
        cdef int32_t pid = KERNEL_PID if is_kernel else event.pid
        cdef const Version* newest = self.processes.newest(pid)
        cdef uint32_t root = 0
        cdef uint32_t code = 0
        if event.name >= self.strings.count or (event.pid == KERNEL_PID and not is_kernel):
            return 0
        if not self.key_of(event, &key):
            return 0
        mapping.start = event.start
        mapping.end = end_of(event.start, event.size)
        if key.kind == DSO_KERNEL and event.start == 0 and event.size == 0:
            mapping.end = UINT64_MAX  # written by one who may not see addresses
        if mapping.start == mapping.end:
            return 0
        mapping.dso = <uint32_t>self.dso_of(&key, event.pid)
        mapping.name = NONE_ID
        mapping.bias = 0
        mapping.kind = KIND_USER
        if key.kind == DSO_FILE:
            mapping.bias = event.file_offset - event.start
        elif key.kind == DSO_VDSO:
            mapping.bias = 0 - event.start
        elif key.kind == DSO_PERF_MAP:
            mapping.kind = KIND_JIT
        elif is_kernel:
            mapping.kind = KIND_KERNEL
        if newest is not NULL:
            root, code = newest.value, newest.code
        if key.kind == DSO_KERNEL:
            self.learn_kernel(event, &mapping)
            if root == 0:
                # Only its symbols tell where it ends: perf moves the ends there once it has read them.
                mapping.start, mapping.end = 0, UINT64_MAX
        root = <uint32_t>self.trees.put(root, mapping)
        if key.kind == DSO_VDSO or (
            key.kind == DSO_FILE
            and not is_named_memory(self.strings.at(event.name), self.strings.length(event.name))
        ):
            code = <uint32_t>self.trees.clear(code, mapping.start, mapping.end)
        return self.processes.set(pid, event.time, event.sequence, root, code)

    cdef int learn_kernel(self, const SideEvent* event, const Mapping* mapping) except -1:
        """Note where the kernel is, and what the address of one of its symbols was."""
        dso = self.dsos.rows[mapping.dso]
        dso.start = self.kernel_start = mapping.start
        dso.end = self.kernel_end = mapping.end
        if event.file_offset:
            dso.reference_name = self.strings.get(event.name)[len(KERNEL_NAME) :]
            dso.reference_address = event.file_offset
        return 0

    cdef int apply_fork(self, const SideEvent* event) except -1:
        """Give a new process what its parent has, and a new thread the name of the one that made it."""
        cdef const Version* parent = self.threads.newest(event.parent_tid)
        cdef uint32_t root = 0
        cdef uint32_t code = 0
        self.threads.set(
            event.tid, event.time, event.sequence, NONE_ID if parent is NULL else parent.value, 0
        )
        if event.pid == event.parent_pid or event.pid == KERNEL_PID:
            return 0
        parent = self.processes.newest(event.parent_pid)
        if parent is not NULL and event.parent_pid != KERNEL_PID and not event.flags & SIDE_KEEPS_NO_MAPS:
            root, code = parent.value, parent.code
        return self.processes.set(event.pid, event.time, event.sequence, root, code)

    cdef int apply_kernel_symbol(self, const SideEvent* event) except -1:
        """Give the kernel a function, or take it away."""
        cdef const Version* newest = self.processes.newest(KERNEL_PID)
        cdef uint32_t root = 0
        cdef uint32_t code = 0
        cdef Mapping mapping
        if newest is not NULL:
            root, code = newest.value, newest.code
        if event.flags & SIDE_IS_UNLOAD:
            code = <uint32_t>self.trees.clear(code, event.start, end_of(event.start, event.size))
        elif self.function_of(event, event.name, KIND_KERNEL, &mapping) and (
            self.is_precise or not self.kernel_start <= event.start < self.kernel_end
        ):
            code = <uint32_t>self.trees.put(code, mapping)
        return self.processes.set(KERNEL_PID, event.time, event.sequence, root, code)

    cdef int apply_code_load(self, const SideEvent* event) except -1:
        """Give a process a function that its JIT wrote."""
        cdef const Version* newest = self.processes.newest(event.pid)
        cdef uint32_t root = 0
        cdef uint32_t code = 0
        cdef Mapping mapping
        if event.pid == KERNEL_PID or not self.function_of(event, event.build_id, KIND_JIT, &mapping):
            return 0
        if newest is not NULL:
            root, code = newest.value, newest.code
        code = <uint32_t>self.trees.put(code, mapping)
        return self.processes.set(event.pid, event.time, event.sequence, root, code)

    cdef int function_of(self, const SideEvent* event, uint32_t path, uint8_t kind, Mapping* mapping) except -1:
        """Describe one function as a mapping; 0 where it has no bytes.

        Args:
            event: where it is and what it is called.
            path: string id of its DSO's path.
            kind: FrameKind of its frames.
            mapping: filled in.
        """
        cdef DsoKey key
        mapping.start = event.start
        mapping.end = end_of(event.start, event.size)
        if mapping.start == mapping.end:
            return 0
        memset(&key, 0, sizeof(key))
        key.kind, key.name, key.build_id, key.pid = DSO_CODE, path, NONE_ID, event.pid
        mapping.dso = <uint32_t>self.dso_of(&key, event.pid)
        mapping.bias = 0
        mapping.name = event.name
        mapping.kind = kind
        return 1

    # DSOs.

    cdef bint key_of(self, const SideEvent* event, DsoKey* key) noexcept nogil:
        """Tell what a mapping's addresses are relative to; False for one that is of no use.

        Layout, by the name::

            [kernel.kallsyms]_text                              the kernel, by a record of cpu mode 1; so are:
            /lib/modules/6.1.0/kernel/fs/ext4/ext4.ko [ext4]    a module
            //anon /dev/zero /anon_hugepage                     memory: if executable, the process's perf map
            [heap] [stack] [stack:123] /SYSV00000000            the same
            [vdso]                                              the kernel's page of user code
            [anon:v8] /memfd:doublemapper (deleted)             memory, if executable and by the precise rules
            /usr/bin/node [vsyscall] and anything else          a file

        Source: tools/perf/util/map.c and machine.c of Linux 6.1; Documentation/filesystems/proc.rst for the names.
        """
        cdef const unsigned char* name = self.strings.at(event.name)
        cdef size_t length = self.strings.length(event.name)
        cdef bint is_data = event.flags & SIDE_IS_DATA
        memset(key, 0, sizeof(DsoKey))
        key.name = event.name
        key.build_id = event.build_id
        if event.cpumode == CPUMODE_KERNEL:
            if begins_with(name, length, b"[kernel.kallsyms]"):
                key.kind = DSO_KERNEL
                key.name = NONE_ID
            elif begins_with(name, length, b"/") or begins_with(name, length, b"["):
                key.kind = DSO_MODULE
            else:
                return False
        elif (
            event.flags & SIDE_IS_HUGE
            or is_equal(name, length, b"//anon")
            or begins_with(name, length, b"/dev/zero")
            or begins_with(name, length, b"/anon_hugepage")
            or is_equal(name, length, b"[heap]")
            or begins_with(name, length, b"[stack")
            or begins_with(name, length, b"/SYSV")
        ):
            key.kind = DSO_NO_FILE if is_data else DSO_PERF_MAP
            key.build_id = NONE_ID
            if not is_data:
                key.pid = event.pid
                key.name = NONE_ID
        elif is_equal(name, length, b"[vdso]"):
            key.kind = DSO_VDSO
        elif (
            self.is_precise
            and not is_data
            and is_named_memory(name, length)
            and (event.build_id == NONE_ID or self.strings.length(event.build_id) == 0)
        ):
            key.kind = DSO_PERF_MAP
            key.pid = event.pid
        else:
            key.kind = DSO_FILE
            key.device = event.device
            key.inode = event.inode
        return True

    cdef int64_t dso_of(self, const DsoKey* key, int32_t pid) except -1:
        """Find or add the DSO of a mapping of a process; its row."""
        cdef uint32_t tag = <uint32_t>(hash_bytes(<const unsigned char*>key, sizeof(DsoKey), self.seed) >> 32)
        cdef uint64_t at = tag & self.dso_index.mask
        cdef uint64_t slot = self.dso_index.slots[at]
        cdef uint64_t count = self.dso_index.count
        cdef uint32_t row
        while slot:
            if slot >> 32 == tag and memcmp(&self.known_dsos[slot_id(slot)].key, key, sizeof(DsoKey)) == 0:
                row = self.known_dsos[slot_id(slot)].row
                break
            at = (at + 1) & self.dso_index.mask
            slot = self.dso_index.slots[at]
        else:
            row = self.dsos.intern(self.make_dso(key, pid))
            reserve(<void**>&self.known_dsos, &self.known_dso_capacity, count + 1, sizeof(KnownDso))
            index_put(&self.dso_index, at, tag, <uint32_t>count)
            self.known_dsos[count].key = key[0]
            self.known_dsos[count].row = row
        return row

    cdef object make_dso(self, const DsoKey* key, int32_t pid):
        """Describe the DSO of a key, first mapped by a process."""
        cdef bytes path = b"" if key.name == NONE_ID else self.strings.get(key.name)
        cdef bytes build_id = b""
        if key.kind == DSO_CODE:
            return Dso(path, DsoKind.CODE, pid=key.pid)
        if key.kind == DSO_KERNEL:
            path = self.kernel_path
        elif key.kind == DSO_PERF_MAP and key.name == NONE_ID:
            path = b"/tmp/perf-%d.map" % key.pid
        if key.kind != DSO_PERF_MAP and key.kind != DSO_NO_FILE:
            if key.build_id != NONE_ID:
                build_id = self.strings.get(key.build_id)
            build_id = build_id or self.build_ids.get(path, b"")
        if key.kind == DSO_MODULE:
            path = module_name(path)
        if key.kind == DSO_KERNEL or key.kind == DSO_MODULE:
            pid = KERNEL_PID
        return Dso(path, key.kind, build_id=build_id, pid=pid, device=key.device, inode=key.inode)


cdef inline uint64_t end_of(uint64_t start, uint64_t size) noexcept nogil:
    """Past the last address; the last of all is never covered."""
    return start + size if size <= UINT64_MAX - start else UINT64_MAX


cdef inline bint begins_with(const unsigned char* name, size_t length, const char* start) noexcept nogil:
    """Whether a name begins with a text."""
    return length >= strlen(start) and memcmp(name, start, strlen(start)) == 0


cdef inline bint is_equal(const unsigned char* name, size_t length, const char* text) noexcept nogil:
    """Whether a name is a text."""
    return length == strlen(text) and memcmp(name, text, length) == 0


cdef inline bint is_named_memory(const unsigned char* name, size_t length) noexcept nogil:
    """Whether a mapping's name is one that a program gave to memory of its own."""
    return begins_with(name, length, b"[anon:") or begins_with(name, length, b"/memfd:")


def module_name(bytes path not None):
    """Name a kernel module as it is printed: its file's name without endings, in brackets, with underscores.

    Layout::

        /lib/modules/6.1.0/kernel/drivers/net/veth-pair.ko.xz    [veth_pair]
        [ext4]                                                   [ext4]
    """
    base = path.rpartition(b"/")[2]
    if base.startswith(b"[") or not is_module_file(path):
        return base
    return b"[" + base.rpartition(b".ko")[0].replace(b"-", b"_") + b"]"


def is_module_file(bytes path not None):
    """Whether a path of kernel code is that of a module, and not the kernel itself."""
    base = path.rpartition(b"/")[2]
    if base.startswith(b"["):
        return not base.startswith((b"[kernel.kallsyms]", b"[guest.kernel.kallsyms", b"[vdso", b"[vsyscall]"))
    return base.endswith((b".ko", b".ko.gz", b".ko.xz", b".ko.zst"))
