"""The address space: what each kind of event means, by hand."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from flameparse.decode.address_space import AddressSpace, is_module_file, module_name
from flameparse.decode.side_events import SideEvents
from flameparse.model.dso import Dso, DsoKind
from flameparse.model.string_table import StringTable

NONE = 0xFFFFFFFF
IS_DATA, IS_EXEC, IS_UNLOAD, KEEPS_NO_MAPS, IS_HUGE = 1, 2, 4, 8, 16
KERNEL_MODE, USER_MODE, GUEST_KERNEL_MODE, GUEST_USER_MODE = 1, 2, 4, 5
KERNEL_PID = -1
USER, KERNEL, JIT = 0, 1, 2
ID = bytes(range(20))


class Space:
    """An address space that takes events one by one, each at a time of its own, and answers in words."""

    def __init__(self, rules: str = "precise", build_ids: tuple[tuple[int, int, bytes, bytes], ...] = ()) -> None:
        self.strings = StringTable()
        self.space = AddressSpace(self.strings, build_ids=build_ids, rules=rules)
        self.time = 0

    def take(self, events: SideEvents) -> int:
        self.space.apply_events(events)
        return self.time

    def next(self) -> tuple[SideEvents, int]:
        self.time += 10
        return SideEvents(), self.time

    def map(
        self, pid: int, start: int, size: int, path: bytes, file_offset: int = 0, *, build_id: bytes | None = None,
        flags: int = 0, cpumode: int = USER_MODE, device: int = 0, inode: int = 0,
    ) -> int:  # fmt: skip
        events, time = self.next()
        events.add_map(
            time, 0, pid, start, size, file_offset, self.strings.add(path), flags=flags, cpumode=cpumode,
            build_id=NONE if build_id is None else self.strings.add(build_id), device=device, inode=inode,
        )  # fmt: skip
        return self.take(events)

    def kernel(self, start: int, size: int, name: bytes, reference: int = 0) -> int:
        return self.map(KERNEL_PID, start, size, name, reference, cpumode=KERNEL_MODE)

    def symbol(self, start: int, size: int, name: bytes, flags: int = 0) -> int:
        events, time = self.next()
        events.add_kernel_symbol(time, 0, start, size, self.strings.add(name), flags)
        return self.take(events)

    def code(self, pid: int, start: int, size: int, name: bytes) -> int:
        events, time = self.next()
        events.add_code_load(time, 0, pid, start, size, self.strings.add(name), self.strings.add(b"/tmp/jit-1.dump"))
        return self.take(events)

    def fork(self, pid: int, parent: int, *, tid: int | None = None, flags: int = 0) -> int:
        events, time = self.next()
        events.add_fork(time, 0, pid, pid if tid is None else tid, parent, parent, flags)
        return self.take(events)

    def comm(self, tid: int, name: bytes, flags: int = 0, pid: int | None = None) -> int:
        events, time = self.next()
        events.add_comm(time, 0, tid if pid is None else pid, tid, self.strings.add(name), flags)
        return self.take(events)

    def find(self, pid: int, ip: int, time: int = 2**64 - 1) -> tuple[bytes, int, bytes | None] | None:
        """(path, address in the DSO, name)."""
        found = self.space.lookup(pid, ip, time, 1)
        if found is None:
            return None
        _, _, bias, dso, name, _ = found
        path = self.space.dsos.rows[dso].path
        return path, (ip + bias) % 2**64, None if name == NONE else self.strings.get(name)

    def dso(self, pid: int, ip: int) -> Dso:
        found = self.space.lookup(pid, ip)
        assert found is not None
        return self.space.dsos.rows[found[3]]

    def kind(self, pid: int, ip: int) -> int:
        found = self.space.lookup(pid, ip)
        assert found is not None
        return found[5]

    def called(self, tid: int, time: int = 2**64 - 1) -> bytes | None:
        comm = self.space.comm(tid, tid, time, 1)
        return None if comm == NONE else self.strings.get(comm)


def test_an_event_is_seen_by_what_comes_after_it() -> None:
    strings = StringTable()
    space = AddressSpace(strings)
    events = SideEvents()
    events.add_map(5, 100, 1, 0x1000, 0x1000, 0, strings.add(b"/bin/a"))
    space.apply_events(events)
    assert space.lookup(1, 0x1000, 4, 200) is None
    assert space.lookup(1, 0x1000, 5, 99) is None
    assert space.lookup(1, 0x1000, 5, 100) is None
    assert space.lookup(1, 0x1000, 5, 101) == (0x1000, 0x2000, 2**64 - 0x1000, 0, NONE, USER)
    assert space.lookup(1, 0x1000, 6, 0) == (0x1000, 0x2000, 2**64 - 0x1000, 0, NONE, USER)
    assert space.lookup(1, 0x0FFF) is None
    assert space.lookup(1, 0x1FFF) is not None
    assert space.lookup(1, 0x2000) is None
    assert space.lookup(2, 0x1000) is None


def test_a_later_map_cuts_the_older_ones() -> None:
    space = Space()
    before = space.map(1, 0x1000, 0x8000, b"/bin/a", 0x4000)
    space.map(1, 0x3000, 0x2000, b"/bin/b")
    assert space.find(1, 0x2FFF) == (b"/bin/a", 0x5FFF, None)
    assert space.find(1, 0x3000) == (b"/bin/b", 0, None)
    assert space.find(1, 0x4FFF) == (b"/bin/b", 0x1FFF, None)
    assert space.find(1, 0x5000) == (b"/bin/a", 0x8000, None)
    assert space.find(1, 0x3000, before) == (b"/bin/a", 0x6000, None)
    # Over the end of one, all of another and the beginning of a third.
    space.map(1, 0x2000, 0x4000, b"/bin/c")
    assert [space.find(1, ip) for ip in (0x1FFF, 0x2000, 0x5FFF, 0x6000)] == [
        (b"/bin/a", 0x4FFF, None), (b"/bin/c", 0, None), (b"/bin/c", 0x3FFF, None), (b"/bin/a", 0x9000, None),
    ]  # fmt: skip


def test_a_map_that_changes_nothing_makes_no_version() -> None:
    space = Space()
    space.map(1, 0x1000, 0x8000, b"/bin/a", 0x4000)
    first = space.space.version(1, 100, 0)
    assert first == 0
    # A page of it was made writable and executable again.
    space.map(1, 0x3000, 0x1000, b"/bin/a", 0x6000)
    space.map(1, 0x1000, 0x8000, b"/bin/a", 0x4000)
    assert space.space.version(1, 100, 0) == first
    space.map(1, 0x3000, 0x1000, b"/bin/a", 0x7000)
    assert space.space.version(1, 100, 0) == 1
    space.map(1, 0x8000, 0x2000, b"/bin/a", 0xB000)
    assert space.space.version(1, 100, 0) == 2


def test_an_event_before_those_applied_holds_from_the_last_one_on() -> None:
    space = Space()
    first = space.map(1, 0x1000, 0x1000, b"/bin/a")
    events = SideEvents()
    events.add_map(first - 5, 0, 1, 0x5000, 0x1000, 0, space.strings.add(b"/bin/late"))
    space.take(events)
    assert space.find(1, 0x5000, first - 1) is None
    assert space.find(1, 0x5000, first) == (b"/bin/late", 0, None)


def test_sizes_that_reach_past_the_last_address() -> None:
    space = Space()
    space.map(1, 2**64 - 0x1000, 2**64 - 1, b"/bin/a")
    space.map(1, 0x1000, 0, b"/bin/nothing")
    assert space.find(1, 2**64 - 2) == (b"/bin/a", 0xFFE, None)
    assert space.find(1, 0) is None
    assert space.find(1, 0x1000) is None


@pytest.mark.parametrize(
    ("path", "flags", "rules", "expected"),
    [
        (b"/usr/bin/node", 0, "precise", (DsoKind.FILE, b"/usr/bin/node", 0x10, USER)),
        (b"/usr/bin/node", IS_DATA, "precise", (DsoKind.FILE, b"/usr/bin/node", 0x10, USER)),
        (b"/usr/bin/node", IS_HUGE, "precise", (DsoKind.PERF_MAP, b"/tmp/perf-7.map", 0x1010, JIT)),
        (b"/usr/bin/node", IS_HUGE | IS_DATA, "precise", (DsoKind.NO_FILE, b"/usr/bin/node", 0x1010, USER)),
        (b"//anon", 0, "precise", (DsoKind.PERF_MAP, b"/tmp/perf-7.map", 0x1010, JIT)),
        (b"//anon", 0, "perf-6.1", (DsoKind.PERF_MAP, b"/tmp/perf-7.map", 0x1010, JIT)),
        (b"//anon", IS_DATA, "precise", (DsoKind.NO_FILE, b"//anon", 0x1010, USER)),
        (b"//anon2", 0, "precise", (DsoKind.FILE, b"//anon2", 0x10, USER)),
        (b"/dev/zero (deleted)", 0, "precise", (DsoKind.PERF_MAP, b"/tmp/perf-7.map", 0x1010, JIT)),
        (b"/anon_hugepage (deleted)", 0, "precise", (DsoKind.PERF_MAP, b"/tmp/perf-7.map", 0x1010, JIT)),
        (b"/SYSV00000000 (deleted)", 0, "precise", (DsoKind.PERF_MAP, b"/tmp/perf-7.map", 0x1010, JIT)),
        (b"/SYSV00000000 (deleted)", IS_DATA, "precise", (DsoKind.NO_FILE, b"/SYSV00000000 (deleted)", 0x1010, USER)),
        (b"[heap]", 0, "precise", (DsoKind.PERF_MAP, b"/tmp/perf-7.map", 0x1010, JIT)),
        (b"[heap]", IS_DATA, "precise", (DsoKind.NO_FILE, b"[heap]", 0x1010, USER)),
        (b"[heap]s", 0, "precise", (DsoKind.FILE, b"[heap]s", 0x10, USER)),
        (b"[stack:12]", 0, "precise", (DsoKind.PERF_MAP, b"/tmp/perf-7.map", 0x1010, JIT)),
        (b"[stack]", IS_DATA, "precise", (DsoKind.NO_FILE, b"[stack]", 0x1010, USER)),
        (b"[vdso]", 0, "precise", (DsoKind.VDSO, b"[vdso]", 0x10, USER)),
        (b"[vsyscall]", 0, "precise", (DsoKind.FILE, b"[vsyscall]", 0x10, USER)),
        (b"[anon:v8]", 0, "precise", (DsoKind.PERF_MAP, b"[anon:v8]", 0x1010, JIT)),
        (b"[anon:v8]", 0, "perf-6.1", (DsoKind.FILE, b"[anon:v8]", 0x10, USER)),
        (b"[anon:v8]", IS_DATA, "precise", (DsoKind.FILE, b"[anon:v8]", 0x10, USER)),
        (b"/memfd:m (deleted)", 0, "precise", (DsoKind.PERF_MAP, b"/memfd:m (deleted)", 0x1010, JIT)),
        (b"/memfd:m (deleted)", 0, "perf-6.1", (DsoKind.FILE, b"/memfd:m (deleted)", 0x10, USER)),
        (b"", 0, "precise", (DsoKind.FILE, b"", 0x10, USER)),
    ],
)
def test_what_a_name_means(path: bytes, flags: int, rules: str, expected: tuple[int, bytes, int, int]) -> None:
    space = Space(rules)
    space.map(7, 0x1000, 0x1000, path, flags=flags)
    found = space.find(7, 0x1010)
    assert found is not None
    assert (space.dso(7, 0x1010).kind, found[0], found[1], space.kind(7, 0x1010)) == expected


def test_the_vdso_has_addresses_of_its_own_image() -> None:
    space = Space()
    space.map(1, 0x7000, 0x2000, b"[vdso]", 0x7000)
    assert space.find(1, 0x7A40) == (b"[vdso]", 0xA40, None)


def test_a_memfd_that_is_an_elf_file_is_a_file() -> None:
    space = Space()
    space.map(1, 0x1000, 0x1000, b"/memfd:m (deleted)", 0x3000, build_id=ID)
    assert space.find(1, 0x1010) == (b"/memfd:m (deleted)", 0x3010, None)
    assert space.dso(1, 0x1010).kind == DsoKind.FILE


def test_dsos_are_told_apart_by_build_id_else_by_device_and_inode() -> None:
    space = Space(build_ids=((-1, USER_MODE, b"header", b"/bin/h"), (-1, GUEST_USER_MODE, b"guest", b"/bin/b")))
    space.map(1, 0x1000, 0x1000, b"/bin/a", build_id=ID)
    space.map(1, 0x2000, 0x1000, b"/bin/a", build_id=ID[::-1])
    space.map(2, 0x1000, 0x1000, b"/bin/a", build_id=ID)
    space.map(1, 0x3000, 0x1000, b"/bin/b", device=8 << 32 | 1, inode=5)
    space.map(1, 0x4000, 0x1000, b"/bin/b", device=8 << 32 | 1, inode=6)
    space.map(2, 0x4000, 0x1000, b"/bin/b", device=8 << 32 | 1, inode=5)
    space.map(1, 0x5000, 0x1000, b"/bin/h", inode=7)
    space.map(1, 0x6000, 0x1000, b"/bin/h", inode=8)
    space.map(1, 0x7000, 0x1000, b"/bin/h", build_id=ID)
    space.map(1, 0x8000, 0x1000, b"/bin/h", build_id=b"", inode=7)
    rows = [space.dso(1, 0x1000 * page) for page in range(1, 9)]
    assert [dso.build_id for dso in rows] == [ID, ID[::-1], b"", b"", b"header", b"header", ID, b"header"]
    assert space.dso(2, 0x1000) is rows[0]
    assert space.dso(2, 0x4000) is rows[2]
    assert (rows[2].device, rows[2].inode, rows[2].pid) == (8 << 32 | 1, 5, 1)
    assert rows[2] is not rows[3]
    assert rows[4] is rows[5] is rows[7]
    assert rows[4] is not rows[6]


def test_build_ids_that_come_later_are_for_later_mappings() -> None:
    space = Space()
    space.map(1, 0x1000, 0x1000, b"/bin/a", inode=1)
    space.space.add_build_ids([(-1, USER_MODE, ID, b"/bin/b")])
    space.map(1, 0x2000, 0x1000, b"/bin/b", inode=1)
    assert (space.dso(1, 0x1000).build_id, space.dso(1, 0x2000).build_id) == (b"", ID)


def test_a_child_has_what_its_parent_had() -> None:
    space = Space()
    space.map(1, 0x1000, 0x1000, b"//anon")
    forked = space.fork(2, 1)
    space.map(1, 0x2000, 0x1000, b"/bin/parent")
    space.map(2, 0x3000, 0x1000, b"//anon")
    assert space.find(2, 0x1000, forked - 1) is None
    assert space.find(2, 0x1000, forked) == (b"/tmp/perf-1.map", 0x1000, None)
    assert space.find(2, 0x1000) == (b"/tmp/perf-1.map", 0x1000, None)
    assert space.find(2, 0x2000) is None
    assert space.find(2, 0x3000) == (b"/tmp/perf-2.map", 0x3000, None)
    assert space.find(1, 0x3000) is None


def test_a_thread_shares_and_a_synthesised_process_has_nothing() -> None:
    space = Space()
    space.map(1, 0x1000, 0x1000, b"/bin/a")
    before = space.map(2, 0x1000, 0x1000, b"/bin/old")
    space.fork(1, 1, tid=5)
    assert space.find(1, 0x1000) == (b"/bin/a", 0, None)
    space.fork(2, 1, flags=KEEPS_NO_MAPS)
    assert space.find(2, 0x1000, before) == (b"/bin/old", 0, None)
    assert space.find(2, 0x1000) is None


def test_a_new_process_with_an_old_number_starts_afresh() -> None:
    space = Space()
    space.map(1, 0x1000, 0x1000, b"/bin/a")
    space.map(2, 0x5000, 0x1000, b"/bin/old")
    space.fork(2, 1)
    assert space.find(2, 0x5000) is None
    assert space.find(2, 0x1000) == (b"/bin/a", 0, None)
    space.fork(1, 99)
    assert space.find(1, 0x1000) is None


def test_exec_leaves_the_old_image() -> None:
    space = Space()
    space.map(1, 0x1000, 0x1000, b"/bin/sh")
    space.comm(1, b"ls", IS_EXEC)
    space.map(1, 0x5000, 0x1000, b"/bin/ls")
    assert space.find(1, 0x1000) == (b"/bin/sh", 0, None)


def test_names_of_threads() -> None:
    space = Space()
    assert space.called(0) == b"swapper"
    assert space.called(1) is None
    named = space.comm(1, b"sh")
    forked = space.fork(2, 1)
    renamed = space.comm(1, b"sh2")
    space.fork(1, 1, tid=3)
    space.comm(2, b"ls", IS_EXEC)
    assert [space.called(1, time) for time in (named - 1, named, renamed - 1, renamed)] == [None, b"sh", b"sh", b"sh2"]
    assert (space.called(2, forked), space.called(2)) == (b"sh", b"ls")
    assert space.called(3) == b"sh2"
    # One that nobody named makes another, with the number of one that is gone.
    space.fork(3, 50)
    assert space.called(3) is None
    space.fork(4, 0)
    assert space.called(4) == b"swapper"


def test_the_kernel() -> None:
    space = Space(build_ids=((-1, KERNEL_MODE, ID, b"[kernel.kallsyms]"), (-1, KERNEL_MODE, b"m" * 20, b"/x/ext4.ko")))
    assert space.find(KERNEL_PID, 0xFFFFFFFF81000000) is None
    space.kernel(0xFFFFFFFF81000000, 0x1200000, b"[kernel.kallsyms]_text", 0xFFFFFFFF81000040)
    space.kernel(0xFFFFFFFFC0000000, 0x1000, b"/x/ext4.ko")
    space.kernel(0xFFFFFFFFC0001000, 0x1000, b"[nf-tables]")
    space.kernel(0xFFFFFFFFC0002000, 0x1000, b"__entry_SYSCALL_64_trampoline")
    assert space.find(KERNEL_PID, 0xFFFFFFFF81000010) == (b"[kernel.kallsyms]", 0xFFFFFFFF81000010, None)
    assert space.find(KERNEL_PID, 0xFFFFFFFFC0000010) == (b"[ext4]", 0xFFFFFFFFC0000010, None)
    assert space.find(KERNEL_PID, 0xFFFFFFFFC0001010) == (b"[nf-tables]", 0xFFFFFFFFC0001010, None)
    # Its symbols may reach past the end that was recorded, so it takes all that is nobody else's.
    assert space.find(KERNEL_PID, 0xFFFFFFFFC0002010) == (b"[kernel.kallsyms]", 0xFFFFFFFFC0002010, None)
    kernel, module = space.dso(KERNEL_PID, 0xFFFFFFFF81000000), space.dso(KERNEL_PID, 0xFFFFFFFFC0000000)
    assert (kernel.kind, kernel.build_id, kernel.pid) == (DsoKind.KERNEL, ID, -1)
    assert (kernel.start, kernel.end) == (0xFFFFFFFF81000000, 0xFFFFFFFF82200000)
    assert (kernel.reference_name, kernel.reference_address) == (b"_text", 0xFFFFFFFF81000040)
    assert (module.kind, module.build_id, module.pid) == (DsoKind.MODULE, b"m" * 20, -1)
    assert space.kind(KERNEL_PID, 0xFFFFFFFF81000000) == space.kind(KERNEL_PID, 0xFFFFFFFFC0000000) == KERNEL


def test_a_kernel_whose_addresses_were_hidden() -> None:
    space = Space()
    space.kernel(0, 0, b"[kernel.kallsyms]_text")
    kernel = space.dso(KERNEL_PID, 0xFFFFFFFF81000000)
    assert (kernel.start, kernel.end) == (0, 2**64 - 1)
    assert (kernel.reference_name, kernel.reference_address) == (b"", 0)


def test_a_kernel_is_called_what_the_header_calls_it() -> None:
    path = b"/usr/lib/debug/boot/vmlinux-6.1.0"
    space = Space(build_ids=((-1, KERNEL_MODE, b"m" * 20, b"[ext4]"), (-1, KERNEL_MODE, ID, path)))
    space.kernel(0x1000, 0x1000, b"[kernel.kallsyms]_stext", 0x1000)
    assert space.find(KERNEL_PID, 0x1010) == (path, 0x1010, None)
    assert (space.dso(KERNEL_PID, 0x1010).build_id, space.dso(KERNEL_PID, 0x1010).reference_name) == (ID, b"_stext")


def test_guests_are_kept_out() -> None:
    space = Space()
    space.map(KERNEL_PID, 0x1000, 0x1000, b"[guest.kernel.kallsyms]_text", cpumode=GUEST_KERNEL_MODE)
    space.map(1, 0x1000, 0x1000, b"/bin/a", cpumode=GUEST_USER_MODE)
    space.map(KERNEL_PID, 0x1000, 0x1000, b"/bin/a", cpumode=USER_MODE)
    assert space.find(KERNEL_PID, 0x1000) is None
    assert space.find(1, 0x1000) is None


def test_no_process_is_the_kernel() -> None:
    space = Space()
    space.kernel(0x1000, 0x1000, b"[kernel.kallsyms]_text")
    space.map(1, 0x1000, 0x1000, b"/bin/a")
    space.fork(KERNEL_PID, 1)
    space.code(KERNEL_PID, 0x1000, 0x1000, b"f")
    space.fork(2, KERNEL_PID)
    assert space.find(KERNEL_PID, 0x1000) == (b"[kernel.kallsyms]", 0x1000, None)
    assert space.find(2, 0x1000) is None


@pytest.mark.parametrize(
    ("path", "name", "is_module"),
    [
        (b"/lib/modules/6.1.0/kernel/drivers/net/veth-pair.ko", b"[veth_pair]", True),
        (b"/lib/modules/6.1.0/kernel/fs/ext4/ext4.ko.xz", b"[ext4]", True),
        (b"/lib/modules/6.1.0/kernel/fs/ext4/ext4.ko.zst", b"[ext4]", True),
        (b"[ext4]", b"[ext4]", True),
        (b"[kernel.kallsyms]", b"[kernel.kallsyms]", False),
        (b"/boot/vmlinux-6.1.0", b"vmlinux-6.1.0", False),
        (b"/x/a.kosher", b"a.kosher", False),
    ],
)
def test_modules(path: bytes, name: bytes, is_module: bool) -> None:
    assert (module_name(path), is_module_file(path)) == (name, is_module)


def test_functions_of_the_kernel_come_and_go() -> None:
    space = Space()
    space.kernel(0x1000, 0x1000, b"[kernel.kallsyms]_text")
    loaded = space.symbol(0x5000, 0x100, b"bpf_prog_1")
    space.symbol(0x5000, 0x100, b"bpf_prog_1", IS_UNLOAD)
    space.symbol(0x5080, 0x100, b"bpf_prog_2")
    assert space.find(KERNEL_PID, 0x5090, loaded) == (b"bpf_prog_1", 0x5090, b"bpf_prog_1")
    assert space.find(KERNEL_PID, 0x5010) == (b"[kernel.kallsyms]", 0x5010, None)
    assert space.find(KERNEL_PID, 0x5090) == (b"bpf_prog_2", 0x5090, b"bpf_prog_2")
    assert (space.dso(KERNEL_PID, 0x5090).kind, space.kind(KERNEL_PID, 0x5090)) == (DsoKind.CODE, KERNEL)
    # The kernel, told again, does not hide them.
    space.kernel(0x1000, 0x9000, b"[kernel.kallsyms]_text")
    assert space.find(KERNEL_PID, 0x5090) == (b"bpf_prog_2", 0x5090, b"bpf_prog_2")


@pytest.mark.parametrize(("rules", "name"), [("precise", b"f"), ("perf-6.1", None)])
def test_a_function_between_the_ends_of_the_kernel(rules: str, name: bytes | None) -> None:
    space = Space(rules)
    space.kernel(0x1000, 0x1000, b"[kernel.kallsyms]_text")
    space.symbol(0x1FFF, 1, b"f")
    space.symbol(0x2000, 1, b"g")
    assert space.find(KERNEL_PID, 0x1FFF) == (b"f" if name else b"[kernel.kallsyms]", 0x1FFF, name)
    assert space.find(KERNEL_PID, 0x2000) == (b"g", 0x2000, b"g")


def test_code_outranks_memory_and_goes_with_a_file() -> None:
    space = Space()
    space.map(1, 0x1000, 0x4000, b"//anon")
    loaded = space.code(1, 0x1100, 0x100, b"f")
    for memory in (b"//anon", b"[anon:v8]", b"/memfd:m (deleted)", b"[heap]"):
        for flags in (0, IS_DATA, IS_HUGE):
            space.map(1, 0x1000, 0x1000, memory, flags=flags)
    dump = b"/tmp/jit-1.dump"
    assert space.find(1, 0x10FF) == (b"/tmp/perf-1.map", 0x10FF, None)
    assert space.find(1, 0x1100) == (dump, 0x1100, b"f")
    assert space.find(1, 0x11FF) == (dump, 0x11FF, b"f")
    assert (space.dso(1, 0x1100).kind, space.kind(1, 0x1100)) == (DsoKind.CODE, JIT)
    space.fork(2, 1)
    reused = space.code(1, 0x1180, 0x100, b"g")
    assert [space.find(1, ip) for ip in (0x1100, 0x1180)] == [(dump, 0x1100, b"f"), (dump, 0x1180, b"g")]
    space.map(1, 0x1000, 0x180, b"/bin/a")
    assert [space.find(1, ip) for ip in (0x1100, 0x1180)] == [(b"/bin/a", 0x100, None), (dump, 0x1180, b"g")]
    assert [space.find(1, 0x1180, time) for time in (loaded - 1, loaded, reused - 1, reused)] == [
        (b"/tmp/perf-1.map", 0x1180, None), (dump, 0x1180, b"f"), (dump, 0x1180, b"f"), (dump, 0x1180, b"g"),
    ]  # fmt: skip
    assert space.find(2, 0x1180) == (dump, 0x1180, b"f")


@pytest.mark.parametrize("rules", ["precise", "perf-6.1"])
def test_named_memory_does_not_hide_code(rules: str) -> None:
    space = Space(rules)
    space.code(1, 0x1100, 0x100, b"f")
    space.map(1, 0x1000, 0x1000, b"/memfd:m (deleted)")
    assert space.find(1, 0x1100) == (b"/tmp/jit-1.dump", 0x1100, b"f")


def test_events_without_names_are_passed_over() -> None:
    space = AddressSpace(StringTable())
    events = SideEvents()
    events.add_map(1, 1, 1, 0x1000, 0x1000, 0, NONE)
    events.add_comm(1, 2, 1, 1, NONE)
    space.apply_events(events)
    assert (space.lookup(1, 0x1000), space.comm(1, 1)) == (None, NONE)


def test_unknown_rules() -> None:
    with pytest.raises(ValueError, match="no rules 'perf-7'"):
        AddressSpace(StringTable(), rules="perf-7")


@pytest.mark.memory
@pytest.mark.parametrize("order", ["rising", "falling", "around the middle", "one in another", "the same two"])
def test_no_order_of_maps_costs_much(order: str) -> None:
    count = 20_000
    strings = StringTable()
    space = AddressSpace(strings)
    events = SideEvents()
    names = [strings.add(b"/bin/a"), strings.add(b"/bin/b")]
    for i in range(count):
        start, size = {
            "rising": (10 * i, 10),
            "falling": (10 * (count - i), 10),
            "around the middle": (10 * (count + (i if i % 2 else -i)), 10),
            "one in another": (i, 2 * (count - i) + 1),
            "the same two": (i % 2, 10),
        }[order]
        events.add_map(i, 1, 1, start, size, 0, names[i // 2 % 2])
    space.apply_events(events)
    # A path of 2 log2(20,000) = 29 nodes of 24 bytes, cut on two sides, doubled where the columns have just grown.
    assert space.memory_bytes < count * 29 * 24 * 4
    assert space.version(1, count // 2, 0) == count // 2 - 1


def test_an_early_moment_is_found_among_many_versions() -> None:
    space = AddressSpace(StringTable())
    events = SideEvents()
    name = space.strings.add(b"/bin/a")
    for i in range(100_000):
        events.add_map(i, 1, 1, i % 2, 1, i, name)
    space.apply_events(events)
    begin = time.process_time()
    assert [space.version(1, moment, 1) for moment in range(1, 20_001)] == list(range(20_000))
    # About 2 log2(100,000) = 33 steps each; one by one there would be two billion, which take several seconds.
    assert time.process_time() - begin < 1


def test_many_threads_ask_at_once() -> None:
    space = Space()
    for i in range(200):
        space.map(i % 7, 0x1000 * (i % 13), 0x1800, b"/bin/%d" % (i % 3))
    moments = [(pid, ip, time) for pid in range(8) for ip in range(0, 0xE000, 0x700) for time in range(0, 2000, 90)]
    expected = [space.find(*moment) for moment in moments]
    answers: list[list[object]] = []
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [
            threading.Thread(target=lambda: answers.append([space.find(*moment) for moment in moments]))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert answers == [expected] * 4
