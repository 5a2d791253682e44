"""What another machine needs to name a recording's frames, in a directory or one tar file.

Layout::

    manifest.json                what it is, and which machine it is of
    elf/ab/cdef…                 a mapped file, by its build id; without one elf/path/ and a hash of its path
    debug/ab/cdef…               its separate symbols, named alike
    maps/perf-PID.map            a process's JIT functions
    jitdump/HASH-jit-PID.dump    the same with times; the hash is that of the path the recording has
    kallsyms                     the kernel's symbols
    vdso                         the kernel's page of user code
"""

from __future__ import annotations

import os

from flameparse.errors import SourceError
from flameparse.limits import MAX_BUNDLE_BYTES, MAX_BUNDLE_MEMBERS
from flameparse.symbolize.symbol_file import SymbolFile, open_beneath, open_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MANIFEST = "manifest.json"
KALLSYMS = "kallsyms"
VDSO = "vdso"
FORMAT = "flameparse bundle"
VERSION = 1

TAR_BLOCK_BYTES = 512
_COPY_BYTES = 1 << 20
_MAX_MANIFEST_BYTES = 1 << 20


def elf_member(build_id: bytes, path: bytes) -> str:
    """Name the place of a mapped file; its path counts only where it has no build id."""
    return "elf/" + _key(build_id, path)


def debug_member(build_id: bytes, path: bytes) -> str:
    """Name the place of a mapped file's separate symbols."""
    return "debug/" + _key(build_id, path)


def map_member(pid: int) -> str:
    """Name the place of a process's perf map."""
    return f"maps/perf-{pid}.map"


def jitdump_member(path: bytes, pid: int) -> str:
    """Name the place of the jitdump a process mapped from a path."""
    return f"jitdump/{_hash(path)}-jit-{pid}.dump"


def _key(build_id: bytes, path: bytes) -> str:
    digits = build_id.hex()
    return f"{digits[:2]}/{digits[2:]}" if digits else f"path/{_hash(path)}"


def _hash(path: bytes) -> str:
    from hashlib import sha256

    return sha256(path).hexdigest()[:32]


def open_bundle(path: str) -> Bundle | None:
    """Open what ``--symfs`` names, as it is.

    Args:
        path: a directory, or a tar file, plain or compressed.

    Returns:
        None for a directory that is no bundle.

    Raises:
        SourceError: it is missing, damaged, or a tar file that is no bundle.
    """
    if os.path.isdir(path):
        bundle = Bundle(path, None)
        return bundle if bundle.read_manifest() else None
    bundle = Bundle(path, _TarFile(path))
    if not bundle.read_manifest():
        raise SourceError(f"{path} is no bundle: there is no {MANIFEST} in it")
    return bundle


class Bundle:
    """A bundle, open for reading.

    Attributes:
        path: as the user named it.
        hostname, release: of the machine it is of.
        kernel_build_id: of that machine's kernel, or empty.
    """

    __slots__ = ("_tar", "hostname", "kernel_build_id", "path", "release")

    def __init__(self, path: str, tar: _TarFile | None) -> None:
        self.path = path
        self._tar = tar
        self.hostname = self.release = ""
        self.kernel_build_id = b""

    def open(self, member: str) -> SymbolFile | None:
        """Open a member, or return None where there is none; it counts as ours, for the user gave the bundle.

        Raises:
            SourceError: it is not a regular file.
        """
        tar = self._tar
        file = open_beneath(self.path, member.encode(), follow=False) if tar is None else tar.open(member)
        if file is not None:
            file.uid = os.getuid()
        return file

    def read_manifest(self) -> bool:
        """Learn which machine this is of; whether it is a bundle at all.

        Raises:
            SourceError: it is a later version's.
        """
        import json

        file = self.open(MANIFEST)
        if file is None:
            return False
        with file:
            try:
                manifest: Any = json.loads(file.read_all(_MAX_MANIFEST_BYTES))
            except (ValueError, RecursionError):
                return False
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            return False
        if manifest.get("version") != VERSION:
            raise SourceError(f"{self.path} is of bundle version {manifest.get('version')!r}: only {VERSION} is known")
        self.hostname, self.release = str(manifest.get("hostname", "")), str(manifest.get("release", ""))
        try:
            self.kernel_build_id = bytes.fromhex(str(manifest.get("kernel_build_id", "")))
        except ValueError:
            return False
        return True


class _TarFile:
    """The regular files of a tar archive, by name; nothing is unpacked by name.

    A compressed archive is decompressed once, into a file that has no name.

    Raises:
        SourceError: it cannot be read, is damaged, or holds more than the caps allow.
    """

    __slots__ = ("_content", "_members")

    def __init__(self, path: str) -> None:
        self._content = _decompressed(path)
        self._members = dict(self._list_members())
        manifest = next((name for name in self._members if name.rpartition("/")[2] == MANIFEST), "")
        prefix = manifest.removesuffix(MANIFEST)  # tar was told to pack the directory, or "."
        self._members = {
            name.removeprefix(prefix): place for name, place in self._members.items() if name.startswith(prefix)
        }

    def open(self, member: str) -> SymbolFile | None:
        """Open a member, or return None where there is none."""
        place = self._members.get(member)
        return None if place is None else self._content.part(*place, f"{self._content.path}:{member}")

    def _list_members(self) -> list[tuple[str, tuple[int, int]]]:
        """List name, offset and size of each regular file.

        Layout, of each header, in 512 bytes, followed by the content in whole blocks; numbers are octal text, or
        binary after a byte 0x80:
            0 name (100), 124 size (12), 148 checksum (8), 156 type (1), 257 "ustar" (5), 345 prefix of the name (155)
            type '0', NUL or '7': a regular file; others are stepped over, by their size
            two blocks of zeros, or the end of the file, end it
        Source: pax(1), ustar interchange format, POSIX.1-2008.
        """
        found: list[tuple[str, tuple[int, int]]] = []
        place = 0
        while any(header := self._content.read_at(place, TAR_BLOCK_BYTES)):
            try:
                is_header = len(header) == TAR_BLOCK_BYTES and _tar_number(header[148:156]) == checksum(header)
                size = _tar_number(header[124:136]) if is_header else 0
            except ValueError:
                is_header = False
            if not is_header or size > self._content.size - place - TAR_BLOCK_BYTES:
                raise SourceError(f"{self._content.path}: no tar archive, or a damaged one, at byte {place}")
            place += TAR_BLOCK_BYTES
            if header[156:157] in (b"0", b"\0", b"7"):
                name = header[:100].partition(b"\0")[0]
                if header[257:263] == b"ustar\0" and header[345]:
                    name = header[345:500].partition(b"\0")[0] + b"/" + name
                found.append((name.decode("utf-8", "surrogateescape"), (place, size)))
                if len(found) > MAX_BUNDLE_MEMBERS:
                    raise SourceError(f"{self._content.path}: more than {MAX_BUNDLE_MEMBERS} files")
            place += -(-size // TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES
        return found


def checksum(header: bytes) -> int:
    """Sum a tar header's bytes, its checksum counted as eight blanks."""
    return sum(header[:148]) + 8 * 0x20 + sum(header[156:])


def _tar_number(field: bytes) -> int:
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    return int(field.strip(b" \0") or b"0", 8)


def _decompressed(path: str) -> SymbolFile:
    from flameparse.source import open_source

    with open_source(path) as source:
        if source.is_seekable:
            return open_named(path)
        from tempfile import TemporaryFile

        with TemporaryFile(buffering=0) as copy:
            buffer = memoryview(bytearray(_COPY_BYTES))
            total = 0
            while count := source.readinto(buffer):
                total += count
                if total > MAX_BUNDLE_BYTES:
                    raise SourceError(f"{path}: more than {MAX_BUNDLE_BYTES} bytes")
                rest = buffer[:count]
                while rest:
                    rest = rest[copy.write(rest) :]
            if source.damage is not None:
                raise SourceError(f"{path}: {source.damage}")
            return SymbolFile(os.dup(copy.fileno()), path)
