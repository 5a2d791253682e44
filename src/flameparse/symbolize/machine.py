"""What this machine says of itself: its name, its kernel, its living processes."""

from __future__ import annotations

import os
import sys

from flameparse.errors import SourceError
from flameparse.limits import MAX_SYMBOL_FILE_BYTES
from flameparse.symbolize.symbol_file import SymbolBytes, SymbolFile, is_special_place, open_local, open_named

_GNU_BUILD_ID = 3
_MAX_VDSO_BYTES = 1 << 20
_MAX_PROC_BYTES = 16 << 20


def is_this_machine(hostname: str, release: str) -> bool:
    """Whether a host and its kernel, as a recording names them, are the ones we run on."""
    here = os.uname()
    return bool(hostname) and (hostname, release) == (here.nodename, here.release)


def kernel_build_id() -> bytes:
    """Return the running kernel's build id, or empty bytes where it does not say.

    Layout, of each note in /sys/kernel/notes:
        name size u32, description size u32, type u32, name and description, each padded to 4 bytes
    Source: Elf32_Nhdr and NT_GNU_BUILD_ID in elf.h.
    """
    notes = _proc_file("/sys/kernel/notes")
    place = 0
    while place + 12 <= len(notes):
        name_size, size, kind = (int.from_bytes(notes[place + i : place + i + 4], sys.byteorder) for i in (0, 4, 8))
        place += 12
        name = notes[place : place + name_size]
        place += (name_size + 3) & ~3
        if kind == _GNU_BUILD_ID and name == b"GNU\0":
            return notes[place : place + size]
        place += (size + 3) & ~3
    return b""


def vdso() -> SymbolFile | None:
    """Return the image of the kernel's page of user code, as it is in our own memory."""
    for start, end, path in _mappings(os.getpid()):
        if path == b"[vdso]" and end - start <= _MAX_VDSO_BYTES:
            try:
                fd = os.open("/proc/self/mem", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return None
            try:
                return SymbolBytes(os.pread(fd, end - start, start), "[vdso]")
            except OSError:
                return None
            finally:
                os.close(fd)
    return None


class LiveProcess:
    """A process that ran when a recording ended and runs still.

    Attributes:
        root: its root directory; what is in it is as little to be trusted as the trace.
        uid: its owner.
        inner_pid: its number in its own container.
        is_apart: whether it sees another file system than we do.
    """

    __slots__ = ("_pid", "inner_pid", "is_apart", "root", "uid")

    def __init__(self, pid: int, uid: int, inner_pid: int) -> None:
        self._pid = pid
        self.uid = uid
        self.inner_pid = inner_pid
        self.root = f"/proc/{pid}/root"
        self.is_apart = _link(f"/proc/{pid}/ns/mnt") != _link("/proc/self/ns/mnt") or _link(self.root) != "/"

    def open(self, path: bytes, *, max_bytes: int = MAX_SYMBOL_FILE_BYTES) -> SymbolFile | None:
        """Open what the process has at a path, under the conditions of ``open_local``."""
        return open_local(path, root=self.root, max_bytes=max_bytes)

    def open_mapped(self, path: bytes) -> SymbolFile | None:
        """Open a file that the process has mapped, though it may have lost its name since."""
        if is_special_place(path):
            return None
        for start, end, mapped in _mappings(self._pid):
            if mapped in (path, path + b" (deleted)"):
                try:
                    return open_named(f"/proc/{self._pid}/map_files/{start:x}-{end:x}")
                except SourceError:
                    break
        if os.fsencode(_link(f"/proc/{self._pid}/exe")) in (path, path + b" (deleted)"):
            try:
                return open_named(f"/proc/{self._pid}/exe")
            except SourceError:
                pass
        return None


def live_process(pid: int, captured_at: float | None) -> LiveProcess | None:
    r"""Find the process a recording means, if it lives; a younger one of the same number is another.

    Layout:
        /proc/PID/stat: pid (comm) state … with field 22 the start in clock ticks since the boot
        /proc/PID/status: lines ``Uid:\treal effective saved file`` and ``NSpid:\touter … inner``
    Source: man 5 proc.
    """
    if pid <= 0:
        return None
    status = _proc_file(f"/proc/{pid}/status")
    fields = _proc_file(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    if not status or len(fields) < 20:
        return None
    if captured_at is not None and booted_at() + int(fields[19]) / os.sysconf("SC_CLK_TCK") > captured_at + 1:
        return None
    facts = dict(line.partition(b":")[::2] for line in status.split(b"\n"))
    return LiveProcess(pid, int(facts[b"Uid"].split()[1]), int(facts.get(b"NSpid", b"%d" % pid).split()[-1]))


def booted_at() -> int:
    """Return when this machine was started, in seconds since the epoch.

    Layout, of a line of /proc/stat: ``btime SECONDS``.
    Source: man 5 proc.
    """
    lines = _proc_file("/proc/stat").split(b"\n")
    return next((int(line.split()[1]) for line in lines if line.startswith(b"btime ")), 0)


def _mappings(pid: int) -> list[tuple[int, int, bytes]]:
    """List (start, end, path) of a process, from lines like ``7f00-7f10 r-xp 00001000 08:01 123   /usr/lib/x.so``."""
    found = []
    for line in _proc_file(f"/proc/{pid}/maps").split(b"\n"):
        columns = line.split(None, 5)
        if len(columns) == 6:
            start, _, end = columns[0].partition(b"-")
            found.append((int(start, 16), int(end, 16), columns[5]))
    return found


def _proc_file(path: str) -> bytes:
    try:
        with open_named(path, follow=False) as file:
            return file.read_all(_MAX_PROC_BYTES)
    except SourceError:
        return b""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
