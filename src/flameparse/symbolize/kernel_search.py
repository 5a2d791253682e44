"""The recorded kernel -> its symbols and its modules', never another kernel's.

The order of the places is perf's: ``--kallsyms``, ``--vmlinux``, a vmlinux in the build-id cache and in the system's
places, what the running kernel says of itself, kallsyms in the build-id cache.
"""

from __future__ import annotations

import os
from functools import partial

from flameparse.errors import DecodeError, SourceError, UnsupportedError
from flameparse.limits import MAX_KALLSYMS_BYTES
from flameparse.symbolize.bundle import KALLSYMS
from flameparse.symbolize.elf_search import build_id_of, is_same_build
from flameparse.symbolize.machine import booted_at, kernel_build_id
from flameparse.symbolize.symbol_file import SymbolFile, open_beneath, open_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flameparse.model.dso import Dso
    from flameparse.symbolize.bundle import Bundle
    from flameparse.symbolize.elf import ElfFile
    from flameparse.symbolize.options import HostFacts, SymbolOptions
    from flameparse.symbolize.symbol_table import SymbolTable

    Opener = Callable[[], SymbolFile | None]

_PROC_KALLSYMS = "/proc/kallsyms"


class KernelSearch:
    """Looks for the symbols of one kernel.

    Args:
        kernel: its DSO; build id and reference symbol count.
        options, host: of the recording.
        is_local: whether it was recorded on this machine, with the kernel that runs now.
        cache: perf's build-id cache, or None.
        bundle: what ``--symfs`` names, if it is one.
        opened: gathers the path of every file that is opened.

    Attributes:
        notes: a line for each place that had symbols and gave none.
    """

    __slots__ = ("_build_id", "_bundle", "_cache", "_host", "_is_local", "_kernel", "_opened", "_options", "notes")

    def __init__(
        self,
        kernel: Dso,
        options: SymbolOptions,
        host: HostFacts,
        *,
        is_local: bool,
        cache: str | None,
        bundle: Bundle | None,
        opened: list[str],
    ) -> None:
        self._kernel = kernel
        self._build_id = build_id_of(kernel)
        self._options = options
        self._host = host
        self._is_local = is_local
        self._cache = cache
        self._bundle = bundle
        self._opened = opened
        self.notes: list[str] = []

    def vmlinux(self) -> tuple[SymbolTable, str] | None:
        """Load the kernel's own ELF file: its symbols and where they are from."""
        if self._options.kallsyms is not None:
            return None
        for opener in self._vmlinux_openers():
            try:
                file = opener()
                if file is not None:
                    with file:
                        self._opened.append(file.path)
                        return self._read_vmlinux(file), file.path
            except (SourceError, DecodeError) as error:
                self.notes.append(str(error))
        return None

    def kallsyms(self) -> tuple[dict[bytes, SymbolTable], str] | None:
        """Load a list of the kernel's symbols: tables by name of module, b"" the kernel's, and where they are from."""
        from flameparse.symbolize.kallsyms import read_kallsyms

        for file in self.kallsyms_files():
            try:
                tables = read_kallsyms(
                    file.read_all(MAX_KALLSYMS_BYTES),
                    reference_name=self._kernel.reference_name,
                    reference_address=self._kernel.reference_address,
                    rules=self._options.rules,
                )
                return tables, file.path
            except UnsupportedError:
                self.note_zeros(file.path)
            except SourceError as error:
                self.notes.append(str(error))
            except DecodeError as error:
                self.notes.append(f"{file.path}: {error}")
        return None

    def note_zeros(self, path: str) -> None:
        """Say that a list of symbols does not show where they are."""
        hint = ": run as root, or sysctl kernel.kptr_restrict=0" if path == _PROC_KALLSYMS else ""
        self.notes.append(f"{path} shows only zeros{hint}")

    def kallsyms_files(self) -> Iterator[SymbolFile]:
        """Open lists of the recorded kernel's symbols, one after the other; what is passed over becomes a note.

        Each is closed when the next is asked for.
        """
        for opener in self._kallsyms_openers():
            try:
                file = opener()
            except SourceError as error:
                self.notes.append(str(error))
                continue
            if file is not None:
                self._opened.append(file.path)
                with file:
                    yield file

    def _vmlinux_openers(self) -> Iterator[Opener]:
        named = self._options.vmlinux
        if named is not None:
            yield partial(open_named, named)
            return
        if not self._build_id:  # nothing could tell the right one
            return
        digits = self._build_id.hex()
        if self._cache is not None:
            cache = self._cache
            yield partial(open_beneath, cache, f".build-id/{digits[:2]}/{digits[2:]}/elf".encode())
        if self._bundle is not None:
            return
        release = self._host.release
        root = self._options.symfs or "/"
        if release and "/" not in release and release not in (".", ".."):
            for path in (
                f"boot/vmlinux-{release}",
                f"usr/lib/debug/boot/vmlinux-{release}",
                f"lib/modules/{release}/build/vmlinux",
                f"usr/lib/debug/lib/modules/{release}/vmlinux",
                f"usr/lib/debug/boot/vmlinux-{release}.debug",
            ):
                yield partial(open_beneath, root, path.encode())

    def _read_vmlinux(self, file: SymbolFile) -> SymbolTable:
        from flameparse.symbolize.elf import ElfFile, load_symbols

        elf = ElfFile(file)
        if self._build_id and not is_same_build(self._build_id, elf.build_id):
            raise SourceError(
                f"build id differs: {file.path} has {elf.build_id.hex() or 'none'}, "
                f"the recording {self._build_id.hex()}"
            )
        return self._at_recorded_addresses(load_symbols(elf, rules=self._options.rules), elf)

    def _at_recorded_addresses(self, by_offset: SymbolTable, elf: ElfFile) -> SymbolTable:
        """Turn file offsets to addresses, and those to where the kernel was when it was recorded."""
        from flameparse.symbolize.elf import PT_LOAD
        from flameparse.symbolize.symbol_table import SymbolTable

        name, address = self._kernel.reference_name, self._kernel.reference_address
        loads = [(s.offset, s.offset + s.file_bytes, s.address - s.offset) for s in elf.segments if s.type == PT_LOAD]

        def bias_of(offset: int) -> int | None:
            return next((bias for first, last, bias in loads if first <= offset < last), None)

        moved_by = 0
        if name:
            # Looked for among all: other symbols of its address may have been preferred to it.
            offsets = (by_offset.start(row) for row in range(len(by_offset)) if by_offset.name(row) == name)
            reference = next((at + bias for at in offsets if (bias := bias_of(at)) is not None), None)
            if reference is None:
                raise SourceError(f"{elf.path} has no symbol {name.decode()}, by which to place the kernel")
            moved_by = address - reference
        table = SymbolTable()
        for start, end, row in by_offset.ranges():
            bias = bias_of(start)
            if bias is not None and 0 <= start + bias + moved_by < 1 << 64:
                table.add(start + bias + moved_by, end + bias + moved_by, by_offset.name(row))
        table.flatten(self._options.rules)
        return table

    def _kallsyms_openers(self) -> Iterator[Opener]:
        named, bundle = self._options.kallsyms, self._bundle
        if named is not None:
            yield partial(open_named, named)
            return
        if bundle is not None:
            if self._is_kernel_of(bundle):
                yield partial(bundle.open, KALLSYMS)
            else:
                self.notes.append(f"{bundle.path} is of another kernel ({bundle.release or 'unknown'})")
        elif self._options.symfs is None:
            if self._is_running():
                yield partial(open_named, _PROC_KALLSYMS, follow=False)
            else:
                self.notes.append(self._other_kernel())
        if self._build_id and self._cache is not None:
            cache = self._cache
            yield partial(open_beneath, cache, f"[kernel.kallsyms]/{self._build_id.hex()}/kallsyms".encode())

    def _is_kernel_of(self, bundle: Bundle) -> bool:
        if self._build_id and bundle.kernel_build_id:
            return is_same_build(self._build_id, bundle.kernel_build_id)
        return (bundle.hostname, bundle.release) == (self._host.hostname, self._host.release)

    def _is_running(self) -> bool:
        running = kernel_build_id()
        if self._build_id and running:
            return is_same_build(self._build_id, running)
        # One that says nothing of its kernel is of this machine by its files; it may be of a kernel before this boot.
        end = self._host.captured_at
        return self._is_local and (bool(self._host.release) or end is None or end >= booted_at())

    def _other_kernel(self) -> str:
        here = os.uname()
        if self._build_id:
            return f"the recorded kernel has build id {self._build_id.hex()}, the running one another: give --kallsyms"
        if not self._host.release:
            return "the recording does not say which kernel it is of: give --kallsyms"
        return (
            f"recorded on {self._host.hostname or '?'} with kernel {self._host.release}, and this is {here.nodename} "
            f"with {here.release}: give --kallsyms"
        )


def module_name(path: bytes) -> bytes:
    """Name a kernel module as kallsyms does, from ``[ext4]`` or ``/lib/modules/6.1/…/snd-hda.ko.xz``."""
    name = path.rpartition(b"/")[2].partition(b".ko")[0].strip(b"[]")
    return name.replace(b"-", b"_")
