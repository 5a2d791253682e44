"""One mapped ELF file -> the file its names are read from, and the one that says where its segments are.

Both are told by what they are, never by where they were: a file counts only if its build id is the recorded one. The
order of the places is perf's (``binary_type_symtab`` in tools/perf/util/symbol.c).
"""

from __future__ import annotations

import os

from flameparse.errors import DecodeError, SourceError
from flameparse.symbolize.options import PERF_RULES
from flameparse.symbolize.symbol_file import is_special_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flameparse.model.dso import Dso
    from flameparse.symbolize.elf import ElfFile
    from flameparse.symbolize.symbol_file import SymbolFile

_CRC_BYTES = 1 << 20


class OpenElf:
    """An open file and what it is as ELF."""

    __slots__ = ("elf", "file")

    def __init__(self, file: SymbolFile, elf: ElfFile) -> None:
        self.file = file
        self.elf = elf


class ElfSearch:
    """What was found so far for one DSO, and why other files were passed over.

    Args:
        dso: its build id decides.
        rules: PERF_RULES believe a debug file that nothing vouches for.
        opened: gathers the path of every file that is opened.

    Attributes:
        build_id: of the files that count; empty where neither the recording nor the mapped file has one.
        runtime: the first file with dynamic symbols, or None.
        debug: the first file with full symbols, or None.
        mapped: the file the recording names, with or without symbols, or None.
        notes: a line for each file that was there and not taken.
    """

    __slots__ = ("_files", "_opened", "_rules", "build_id", "debug", "mapped", "notes", "runtime")

    def __init__(self, dso: Dso, rules: str, opened: list[str]) -> None:
        self._rules = rules
        self._opened = opened
        self._files: list[SymbolFile] = []
        self.build_id = build_id_of(dso)
        self.runtime: OpenElf | None = None
        self.debug: OpenElf | None = None
        self.mapped: OpenElf | None = None
        self.notes: list[str] = []

    def __enter__(self) -> ElfSearch:
        return self

    def __exit__(self, *exception: object) -> None:
        for file in self._files:
            file.close()

    @property
    def mapped_file(self) -> OpenElf | None:
        """The file whose segments say what an address in the mapped one is; None where nothing was found.

        By perf's rules that is a debug file where no other has dynamic symbols.
        """
        last = (self.debug, self.mapped) if self._rules == PERF_RULES else (self.mapped, self.debug)
        return self.runtime or last[0] or last[1]

    def is_verified(self, found: OpenElf | None) -> bool:
        """Whether a file is the one the recording means, by build id."""
        return found is not None and is_same_build(self.build_id, found.elf.build_id)

    def is_vouched_by(self, found: OpenElf, checksum: int) -> bool:
        """Whether a checksum says that a file counts; looked at only where no build id does."""
        return not self.build_id and has_checksum(found.file, checksum)

    def open(self, opener: Callable[..., SymbolFile | None], *args: object, **limits: object) -> OpenElf | None:
        """Open a file as ELF; what keeps it from that, unless there is none, becomes a note."""
        from flameparse.symbolize.elf import ElfFile

        try:
            file = opener(*args, **limits)
        except SourceError as error:
            self.notes.append(str(error))
            return None
        if file is None:
            return None
        self._opened.append(file.path)
        self._files.append(file)
        try:
            if file.read_at(0, 4) != b"\x7fELF":  # nothing of what it is instead gets into a message
                self.notes.append(f"{file.path} is no ELF file")
                return None
            return OpenElf(file, ElfFile(file))
        except (DecodeError, SourceError) as error:
            self.notes.append(f"{file.path}: {error}")
            return None

    def expect(self, mapped: OpenElf | None) -> None:
        """Without a build id of record, that of the file at the recorded path is what counts from now on."""
        if mapped is not None and not self.build_id:
            self.build_id = mapped.elf.build_id

    def take(self, found: OpenElf | None, *, is_mapped: bool = False, is_vouched: bool = False) -> bool:
        """Keep a file if it is of the wanted build and has symbols that are missing yet.

        Args:
            found: or None.
            is_mapped: whether it is what the recording names, and not a companion.
            is_vouched: whether a companion counts where no build id tells.

        Returns:
            Whether nothing is left to be found.
        """
        if found is not None and self._is_wanted(found, is_mapped or is_vouched):
            if self.debug is None and found.elf.has_symtab:
                self.debug = found
            if self.runtime is None and found.elf.has_dynsym:
                self.runtime = found
            if is_mapped:
                self.mapped = found
        return self.debug is not None and self.runtime is not None

    def look_inside(self) -> None:
        """Without a debug file, take the names that the file has in itself, compressed; perf 6.1 does not know them."""
        found = self.mapped_file
        if self.debug is not None or found is None or self._rules == PERF_RULES:
            return
        try:
            inner = found.elf.mini_debug_info()
        except (DecodeError, SourceError) as error:
            self.notes.append(f"{found.file.path}: {error}")
            return
        if inner is not None and inner.has_symtab:
            self.debug = OpenElf(found.file, inner)

    def _is_wanted(self, found: OpenElf, counts_without_id: bool) -> bool:
        if not self.build_id:
            return counts_without_id or self._rules == PERF_RULES
        if self.is_verified(found):
            return True
        self.notes.append(
            f"build id differs: {found.file.path} has {found.elf.build_id.hex() or 'none'}, "
            f"the recording {self.build_id.hex()}"
        )
        return False


def build_id_of(dso: Dso) -> bytes:
    """Return a DSO's build id if it is one: 4 to 20 bytes."""
    return dso.build_id if 4 <= len(dso.build_id) <= 20 else b""


def is_same_build(recorded: bytes, found: bytes) -> bool:
    """Whether two build ids are the same; a recording may have filled its own up with zeros to 20 bytes."""
    return bool(found) and recorded in (found, found.ljust(20, b"\0"))


def has_checksum(file: SymbolFile, wanted: int) -> bool:
    """Whether a file's CRC-32 is the one a debug link gives."""
    from zlib import crc32

    found = offset = 0
    while piece := file.read_at(offset, _CRC_BYTES):
        found = crc32(piece, found)
        offset += len(piece)
    return found == wanted


def is_bare_name(name: bytes) -> bool:
    """Whether a debug link's name is one, and not a path."""
    return bool(name) and b"/" not in name and b"\0" not in name and name not in (b".", b"..")


def looks_like_program(path: bytes) -> bool:
    """Whether a file may be mapped code, by what can be known of it without opening it."""
    if is_special_place(path):
        return False
    try:
        return bool(os.lstat(path).st_mode & 0o111) or b".so" in os.path.basename(path)
    except (OSError, ValueError):
        return False
