"""A DSO -> its symbols, from places that may be trusted with it; or the reason why there are none.

A trace is untrusted. What it names on this machine counts only with the build id it gives, or, where it gives none, if
it was recorded here. Everything else comes from symbol roots: ``--symfs``, perf's build-id cache, /usr/lib/debug.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from functools import partial

from flameparse.errors import DecodeError, SourceError
from flameparse.limits import MAX_DUMP_PROCESSES, MAX_PERF_MAP_BYTES
from flameparse.model.dso import Dso, DsoKind
from flameparse.symbolize.bundle import (
    VDSO,
    Bundle,
    debug_member,
    elf_member,
    jitdump_member,
    map_member,
    open_bundle,
)
from flameparse.symbolize.elf_search import (
    ElfSearch,
    OpenElf,
    build_id_of,
    is_bare_name,
    is_same_build,
    looks_like_program,
)
from flameparse.symbolize.kernel_search import KernelSearch, module_name
from flameparse.symbolize.machine import is_this_machine, live_process, vdso
from flameparse.symbolize.options import PERF_RULES, HostFacts, SymbolOptions
from flameparse.symbolize.symbol_file import SymbolFile, is_special_place, open_beneath, open_local, open_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flameparse.symbolize.machine import LiveProcess
    from flameparse.symbolize.symbol_table import SymbolTable

    Opener = Callable[[], SymbolFile | None]

_DEBUG_ROOT = "/usr/lib/debug"
_DELETED = b" (deleted)"
_CLOCK_SLACK_SECONDS = 2.0
_DSOS_ASKED = 64  # about where a recording without a header was made


class Found:
    """What was found for one DSO.

    Attributes:
        table: its symbols, or None.
        file: where they are from, or empty.
        reason: one line: why there are none, or perhaps not all; empty where nothing is missing.
    """

    __slots__ = ("file", "reason", "table")

    def __init__(self, table: SymbolTable | None = None, file: str = "", reason: str = "") -> None:
        self.table = table
        self.file = file
        self.reason = reason


class Finder:
    """Finds symbols for one recording; may be asked by several threads at once.

    Args:
        options: what the user said.
        host: what the recording says of the machine it is of.
        dsos: those of the recording; looked at with the first question. Of the kernel's, the place of its symbols is
            taken for the modules too; of some files, device and inode, where the recording does not name its host.

    Attributes:
        opened: every file that was opened, in order.
        unverified: paths of this machine's files that were taken without a build id to tell that they are the same.
        refused: path of a jitdump to the reason why it was not opened.

    Raises:
        SourceError: the user named a file or directory that is not there, or as ``--symfs`` one that is of no use.
    """

    def __init__(self, options: SymbolOptions, host: HostFacts, dsos: Iterable[Dso] = ()) -> None:
        self.options = options
        self.host = host
        self.opened: list[str] = []
        self.unverified: list[bytes] = []
        self.refused: dict[bytes, str] = {}
        for path in (options.kallsyms, options.vmlinux, options.perf_map_dir, *options.perf_maps.values()):
            if path is not None and not os.path.lexists(path):
                raise SourceError(f"{path}: No such file or directory")
        self._dsos = dsos
        self._bundle: Bundle | None = None
        if options.symfs is not None:
            self._bundle = open_bundle(options.symfs)
            if self._bundle is not None and host.hostname and self._bundle.hostname not in ("", host.hostname):
                made_on = f"of {self._bundle.hostname}, and the recording of {host.hostname}"
                raise SourceError(f"{options.symfs} is {made_on}")
        self._is_local: bool | None = None
        self._vmlinux: tuple[SymbolTable, str] | tuple[()] | None = None  # (): looked for, and there is none
        self._kallsyms: tuple[dict[bytes, SymbolTable], str] | None = None
        self._kernel: KernelSearch | None = None
        self._tables: dict[tuple[object, ...], SymbolTable] = {}
        self._processes: dict[int, LiveProcess | None] = {}
        self._dump_readers: dict[object, int] = {}
        self._lock = allocate_lock()
        home = os.environ.get("HOME", "")
        self._cache = os.path.join(home, ".debug") if home else None
        self._has_debug_root = os.path.isdir(_DEBUG_ROOT)

    @property
    def is_local(self) -> bool:
        """Whether the recording was made on this machine, with the kernel that runs now.

        One without a header (its recorder was killed) does not say; then a mapped file tells by device and inode.
        """
        if self._is_local is None:
            host = self.host
            if host.hostname or host.release:
                self._is_local = is_this_machine(host.hostname, host.release)
            else:
                files = [dso for dso in self._dsos if dso.kind == DsoKind.FILE and dso.inode][:_DSOS_ASKED]
                if not files:
                    return False  # so far
                self._is_local = any(map(_is_same_inode, files))
        return self._is_local

    def find(self, dso: Dso) -> Found:
        """Find the symbols of one DSO."""
        if dso.kind in (DsoKind.KERNEL, DsoKind.MODULE):
            return self._find_kernel(dso)
        if dso.kind == DsoKind.PERF_MAP:
            return self._find_map(dso)
        if dso.kind in (DsoKind.FILE, DsoKind.VDSO):
            return self._find_elf(dso)
        return Found(reason="" if dso.kind == DsoKind.CODE else f"{os.fsdecode(dso.path)} is no file")

    def _process(self, pid: int) -> LiveProcess | None:
        """Find a recorded process, if it lives; one may have mapped thousands of files."""
        if not self.is_local:
            return None
        if pid not in self._processes:
            self._processes[pid] = live_process(pid, self.host.captured_at)
        return self._processes[pid]

    # Files

    def _find_elf(self, dso: Dso) -> Found:
        from flameparse.symbolize.elf import load_symbols

        with self.search_elf(dso) as search:
            runtime = search.mapped_file
            if runtime is None:
                return Found(reason="; ".join(search.notes) or self.absence(dso))
            named_by = search.debug or runtime
            debug = None if named_by is runtime else named_by.elf
            # A recording may name the same files in many ways.
            files = runtime.file.identity, named_by.file.identity, runtime.elf.build_id
            try:
                table = self._tables.get(files)
                if table is None:
                    table = self._tables[files] = load_symbols(runtime.elf, debug, rules=self.options.rules)
            except (DecodeError, SourceError) as error:
                return Found(reason=f"{named_by.file.path}: {error}")
            if dso.kind == DsoKind.FILE and not build_id_of(dso) and self.options.symfs is None:
                self.unverified.append(dso.path)
            reason = ""
            if search.debug is None:
                where = "; ".join(search.notes) or self._absence("no debug file of it", search.build_id)
                reason = f"{runtime.file.path} is stripped: {where}"
            if any(found.file.has_changed() for found in (runtime, named_by)):
                reason = f"{named_by.file.path} changed while it was read"
            return Found(table, named_by.file.path, reason)

    def search_elf(self, dso: Dso) -> ElfSearch:
        """Look for the files of a mapped ELF file or the vdso, in perf's order; the result is to be closed.

        The order: what the file's debug link names, perf's build-id cache, /usr/lib/debug by path and by build id, the
        file itself, as the process sees it if that lives, beside it, and within it.
        """
        search = ElfSearch(dso, self.options.rules, self.opened)
        mapped = self._open_mapped(dso, search)
        search.expect(mapped)
        any(self._steps(dso, search, mapped))
        search.look_inside()
        return search

    def _steps(self, dso: Dso, search: ElfSearch, mapped: OpenElf | None) -> Iterator[bool]:
        """Offer one file after the other; true once nothing is left to be found."""
        digits = search.build_id.hex().encode()
        directory, _, name = dso.path.removesuffix(_DELETED).rpartition(b"/")
        has_places = self._bundle is None and directory.startswith(b"/") and (mapped is not None or bool(digits))
        # Of another machine's files, only what stands beside one that was found here is looked at.
        has_neighbours = has_places and (self.is_local or self.options.symfs is not None or search.is_verified(mapped))
        if self._bundle is not None:
            yield search.take(search.open(self._bundle.open, debug_member(build_id_of(dso), dso.path)), is_vouched=True)
        elif has_neighbours and mapped is not None and (debug_link := mapped.elf.debug_link) is not None:
            link, checksum = debug_link
            for opener, place in (
                (self._open_beside, directory + b"/"),
                (self._open_beside, directory + b"/.debug/"),
                (self._open_debug, directory + b"/"),
            ):
                found = search.open(opener, place + link) if is_bare_name(link) else None
                yield search.take(found, is_vouched=found is not None and search.is_vouched_by(found, checksum))
        if digits and self._cache is not None:
            entry = b".build-id/" + digits[:2] + b"/" + digits[2:]
            is_vdso = dso.kind == DsoKind.VDSO
            yield search.take(search.open(open_beneath, self._cache, entry + (b"/vdso" if is_vdso else b"/elf")))
            yield search.take(search.open(open_beneath, self._cache, entry + b"/debug"))
        if has_places:
            yield search.take(search.open(self._open_debug, dso.path + b".debug"))
            yield search.take(search.open(self._open_debug, dso.path))
        if self._bundle is None and digits:
            entry = b"/.build-id/" + digits[:2] + b"/" + digits[2:] + b".debug"
            yield search.take(search.open(self._open_debug, entry))
        yield search.take(mapped, is_mapped=True)
        if has_neighbours:
            yield search.take(search.open(self._open_beside, directory + b"/.debug/" + name))
        if has_places and directory.startswith(b"/usr/lib/"):
            yield search.take(search.open(self._open_debug, dso.path[4:]))

    def _open_mapped(self, dso: Dso, search: ElfSearch) -> OpenElf | None:
        """Open the very file that was mapped, as far as may be told by its place."""
        if dso.kind == DsoKind.VDSO:
            return self._open_vdso(dso, search)
        if self._bundle is not None:
            return search.open(self._bundle.open, elf_member(build_id_of(dso), dso.path))
        if not dso.path.startswith(b"/"):
            return None
        # perf 6.1 looks for a deleted file by the name it prints, and never for what a process still has open.
        as_perf = self.options.rules == PERF_RULES
        path = dso.path if as_perf else dso.path.removesuffix(_DELETED)
        if self.options.symfs is not None:
            return search.open(open_beneath, self.options.symfs, path)
        if not self.is_local and not (build_id_of(dso) and looks_like_program(path)):
            return None
        process = self._process(dso.pid)
        was_deleted = path != dso.path
        found = None
        if process is not None and (process.is_apart or was_deleted):
            found = None if as_perf else search.open(process.open_mapped, path)
            if found is None and not was_deleted:
                found = search.open(process.open, path)
        if found is None and (not was_deleted or build_id_of(dso)):
            found = search.open(open_local, path)
        if found is None and process is not None and not as_perf:
            found = search.open(process.open_mapped, path)
        if found is not None and not build_id_of(dso) and self._is_newer(found):
            search.notes.append(f"{found.file.path} changed after the recording, which has no build id of it")
            return None
        return found

    def _open_vdso(self, dso: Dso, search: ElfSearch) -> OpenElf | None:
        if self._bundle is not None:
            return search.open(self._bundle.open, VDSO)
        own = search.open(vdso)
        if own is None or not (self.is_local or is_same_build(build_id_of(dso), own.elf.build_id)):
            return None
        return own

    def _is_newer(self, found: OpenElf) -> bool:
        end = self.host.captured_at
        return (
            self.options.rules != PERF_RULES and end is not None
            and found.file.modified_at() > end + _CLOCK_SLACK_SECONDS
        )  # fmt: skip

    def _open_beside(self, path: bytes) -> SymbolFile | None:
        """Open a file beside a mapped one."""
        if self.options.symfs is not None:
            return open_beneath(self.options.symfs, path)
        return open_local(path)

    def _open_debug(self, path: bytes) -> SymbolFile | None:
        """Open a file below /usr/lib/debug."""
        if self.options.symfs is not None:
            return open_beneath(self.options.symfs, os.fsencode(_DEBUG_ROOT) + path)
        return open_beneath(_DEBUG_ROOT, path) if self._has_debug_root else None

    def absence(self, dso: Dso) -> str:
        """Say that a mapped file was not found, and why not."""
        path = os.fsdecode(dso.path)
        if not self.is_local and self.options.symfs is None:
            if not build_id_of(dso):
                return f"{self._elsewhere()}, and there is no build id of {path}: give --symfs"
            if _exists(dso.path) and not looks_like_program(dso.path):
                return f"{self._elsewhere()}, and {path} is no program by its name and mode: give --symfs"
        return self._absence(f"no file {path}", build_id_of(dso))

    def _absence(self, what: str, build_id: bytes) -> str:
        symfs = self.options.symfs
        places = "~/.debug" if self._bundle is not None or not self._has_debug_root else f"~/.debug or {_DEBUG_ROOT}"
        where = f"{what} {'here' if symfs is None else f'in {symfs}'}"
        return f"{where}, and none with build id {build_id.hex()} below {places}" if build_id else where

    def _elsewhere(self) -> str:
        host = self.host
        if not host.hostname and not host.release:
            return "the recording does not say where it was made"
        return f"recorded on {host.hostname or '?'}, kernel {host.release or '?'}, which is not this machine"

    # The kernel

    def _find_kernel(self, dso: Dso) -> Found:
        with self._lock:
            if self._kernel is None:
                self._kernel = self.search_kernel(dso)
            search = self._kernel
            if dso.kind == DsoKind.KERNEL and self._vmlinux is None:
                self._vmlinux = search.vmlinux() or ()
            if dso.kind == DsoKind.KERNEL and self._vmlinux:
                return Found(*self._vmlinux)
            if self._kallsyms is None:
                self._kallsyms = search.kallsyms() or ({}, "")
        tables, file = self._kallsyms
        table = tables.get(b"" if dso.kind == DsoKind.KERNEL else module_name(dso.path))
        if table is not None:
            return Found(table, file)
        if tables:
            return Found(reason=f"{file} has no symbols of {os.fsdecode(dso.path)}")
        return Found(reason="; ".join(search.notes) or "no symbols of the kernel: give --kallsyms")

    def search_kernel(self, dso: Dso) -> KernelSearch:
        """Get ready to look for the symbols of the recorded kernel.

        Args:
            dso: the kernel's, or a module's where the recording has none of the kernel.
        """
        kernel = next((row for row in self._dsos if row.kind == DsoKind.KERNEL), dso)
        return KernelSearch(
            kernel, self.options, self.host, is_local=self.is_local, cache=self._cache, bundle=self._bundle,
            opened=self.opened,
        )  # fmt: skip

    # What JITs write

    def _find_map(self, dso: Dso) -> Found:
        from flameparse.symbolize.perf_map import read_perf_map

        notes: list[str] = []
        file = self.open_map(dso.pid, notes)
        if file is None:
            return Found(reason="; ".join(notes))
        with file:
            try:
                table, counts = read_perf_map(file.read_all(MAX_PERF_MAP_BYTES), rules=self.options.rules)
            except (SourceError, DecodeError) as error:
                return Found(reason=str(error))
            skipped = counts["unparsable"] + counts["torn"]
            notes = [f"{skipped} lines of {file.path} are damaged"] if skipped else []
            if file.has_changed():
                notes.append(f"{file.path} changed while it was read")
        return Found(table, file.path, "; ".join(notes))

    def open_map(self, pid: int, notes: list[str]) -> SymbolFile | None:
        """Open a process's perf map.

        Args:
            pid: the process, as the recording numbers it.
            notes: gets a line for each map that was there and not taken, or one that says that there is none.
        """
        name = f"perf-{pid}.map"
        file = self._first_trusted(self._map_openers(pid, name), pid, notes)
        if file is None and not notes:
            notes.append(f"no {name} {self._map_absence()}: give --perf-map {pid}=FILE")
        return file

    @property
    def _reads_local_maps(self) -> bool:
        return self.is_local and self._bundle is None

    def _map_openers(self, pid: int, name: str) -> Iterator[Opener]:
        directory, symfs, bundle, limit = (
            self.options.perf_map_dir, self.options.symfs, self._bundle, MAX_PERF_MAP_BYTES,
        )  # fmt: skip
        if pid in self.options.perf_maps:
            yield partial(open_named, self.options.perf_maps[pid], follow=False, max_bytes=limit)
            return
        if pid <= 0:
            return
        if directory is not None:
            yield partial(open_beneath, directory, name.encode(), follow=False, max_bytes=limit)
        if bundle is not None:
            yield partial(bundle.open, map_member(pid))
        elif symfs is not None:
            yield partial(open_beneath, symfs, b"tmp/" + name.encode(), follow=False, max_bytes=limit)
        if self._reads_local_maps:
            process = self._process(pid)
            if process is not None and (process.is_apart or process.inner_pid != pid):
                yield partial(process.open, f"/tmp/perf-{process.inner_pid}.map".encode(), max_bytes=limit)
            yield partial(open_local, b"/tmp/" + name.encode(), max_bytes=limit)

    def find_jitdump(self, path: bytes, pid: int) -> SymbolFile | None:
        """Open the jitdump a process mapped; where that may not be, ``refused`` says why.

        Args:
            path: as the recording has it.
            pid: the process, as the recording numbers it.
        """
        notes: list[str] = []
        file = self._first_trusted(self._jitdump_openers(path, pid), pid, notes)
        if file is not None:
            readers = self._dump_readers[file.identity] = self._dump_readers.get(file.identity, 0) + 1
            if readers > MAX_DUMP_PROCESSES:
                file.close()
                file = None
                notes.append(f"{os.fsdecode(path)} counts for no more than {MAX_DUMP_PROCESSES} processes")
        if file is None:
            self.refused[path] = "; ".join(notes) or f"no file {os.fsdecode(path)} {self._map_absence()}"
        return file

    def _jitdump_openers(self, path: bytes, pid: int) -> Iterator[Opener]:
        symfs, bundle = self.options.symfs, self._bundle
        if bundle is not None:
            yield partial(bundle.open, jitdump_member(path, pid))
        elif symfs is not None:
            yield partial(open_beneath, symfs, path, follow=False)
        if self._reads_local_maps:
            process = self._process(pid)
            if process is not None and process.is_apart:
                yield partial(process.open, path)
            yield partial(open_local, path)

    def _first_trusted(self, openers: Iterable[Opener], pid: int, notes: list[str]) -> SymbolFile | None:
        for opener in openers:
            try:
                file = opener()
            except SourceError as error:
                notes.append(str(error))
                continue
            if file is None:
                continue
            self.opened.append(file.path)
            if self._trusts_owner(file.uid, pid):
                return file
            file.close()
            notes.append(f"{file.path} is owned by {_user_name(file.uid)}: --force-map reads it")
        return None

    def _map_absence(self) -> str:
        if self.options.symfs is not None:
            return f"in {self.options.symfs}"
        return "here: it was not written, or is gone" if self.is_local else f"here: {self._elsewhere()}"

    def _trusts_owner(self, uid: int, pid: int) -> bool:
        """Whether a map of this owner is root's, ours or the traced user's: nobody else's names are believed."""
        if self.options.reads_any_map or uid in (0, os.getuid(), os.geteuid(), self.host.uid, _sudo_user()):
            return True
        process = self._process(pid)
        return process is not None and uid == process.uid


def _is_same_inode(dso: Dso) -> bool:
    if is_special_place(dso.path):
        return False
    try:
        status = os.lstat(dso.path)
    except (OSError, ValueError):
        return False
    return (os.major(status.st_dev) << 32 | os.minor(status.st_dev), status.st_ino) == (dso.device, dso.inode)


def _exists(path: bytes) -> bool:
    try:
        return not is_special_place(path) and os.path.lexists(path)
    except ValueError:
        return False


def _sudo_user() -> int | None:
    """Return who called sudo, if that is how we came to be root."""
    caller = os.environ.get("SUDO_UID", "")
    return int(caller) if caller.isascii() and caller.isdigit() and os.geteuid() == 0 else None


def _user_name(uid: int) -> str:
    from pwd import getpwuid

    try:
        return getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
