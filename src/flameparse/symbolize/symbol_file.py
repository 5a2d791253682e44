"""A path -> an open regular file and nothing else: what a trace names may be a trap."""

from __future__ import annotations

import os
import stat

from flameparse.errors import SourceError
from flameparse.limits import MAX_SYMBOL_FILE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_STEP = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_LINKS = 40
_MAX_PATH_BYTES = 4096
_PROC_READ_BYTES = 64 << 10  # the kernel gives less than that at a time

# Where a file may do harm by being opened, or make the machine look for another one: no trace names one there.
_SPECIAL_PLACES = (b"dev", b"proc", b"sys", b"run", b"net", b"misc")


class SymbolFile:
    """An open regular file, or a part of one, read by place; safe on several threads at once.

    Args:
        fd: its descriptor, owned from here on.
        path: for messages.
        start, size: the part, or None for the whole file as it is now.

    Attributes:
        path: for messages.
        size: bytes.
        uid: its owner.
        identity: the same for all paths that lead to it.
    """

    __slots__ = ("_fd", "_stamp", "_start", "identity", "path", "size", "uid")

    def __init__(self, fd: int, path: str, *, start: int = 0, size: int | None = None) -> None:
        self._fd = fd
        self._start = start
        self.path = path
        status = os.fstat(fd)
        self._stamp = (status.st_size, status.st_mtime_ns)
        self.size = status.st_size if size is None else size
        self.uid = status.st_uid
        self.identity = (status.st_dev, status.st_ino, start)

    def __enter__(self) -> SymbolFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; more than once is fine."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def read_at(self, offset: int, count: int) -> bytes:
        """Return the bytes at a place; fewer only where the file ends.

        Args:
            offset: from the start of the file.
            count: bytes wanted; no memory is taken for what is past the end.

        Raises:
            SourceError: the system cannot read.
        """
        if offset < 0 or offset >= self.size:
            return b""
        left = min(count, self.size - offset)
        pieces = []
        try:
            while left > 0 and (piece := os.pread(self._fd, left, self._start + offset)):
                pieces.append(piece)
                offset += len(piece)
                left -= len(piece)
        except OSError as error:
            raise SourceError(f"{self.path}: {error.strerror or error}") from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_all(self, max_bytes: int) -> bytes:
        """Return the whole content, of the files in /proc too, which say that they are empty.

        Args:
            max_bytes: the most there may be.

        Raises:
            SourceError: there is more, or the system cannot read.
        """
        if self.size > max_bytes:
            raise SourceError(f"{self.path} is larger than {max_bytes} bytes")
        if self.size:
            return self.read_at(0, self.size)
        content = bytearray()
        try:
            while piece := os.pread(self._fd, _PROC_READ_BYTES, len(content)):
                content += piece
                if len(content) > max_bytes:
                    raise SourceError(f"{self.path} is larger than {max_bytes} bytes")
        except OSError as error:
            raise SourceError(f"{self.path}: {error.strerror or error}") from error
        return bytes(content)

    def part(self, start: int, size: int, path: str) -> SymbolFile:
        """Return a part of it as a file of its own."""
        return SymbolFile(os.dup(self._fd), path, start=self._start + start, size=size)

    def has_changed(self) -> bool:
        """Whether somebody wrote to the file since it was opened."""
        status = os.fstat(self._fd)
        return (status.st_size, status.st_mtime_ns) != self._stamp

    def modified_at(self) -> float:
        """When the content was written last, in seconds since the epoch."""
        return self._stamp[1] / 1e9


class SymbolBytes(SymbolFile):
    """The same over bytes in memory.

    Args:
        content: all of it.
        path: what to call it in messages.
    """

    __slots__ = ("_content",)

    def __init__(self, content: bytes, path: str) -> None:
        self._fd = -1
        self._content = content
        self.path = path
        self.size = len(content)
        self.uid = os.getuid()
        self.identity = (-1, -1, hash(content))

    def read_at(self, offset: int, count: int) -> bytes:
        """Return the bytes at a place; fewer only at the end."""
        return self._content[offset : offset + max(count, 0)] if offset >= 0 else b""

    def read_all(self, max_bytes: int) -> bytes:
        """Return the whole content."""
        return self._content

    def has_changed(self) -> bool:
        """Nobody writes to it."""
        return False


def open_named(path: str, *, follow: bool = True, max_bytes: int = MAX_SYMBOL_FILE_BYTES) -> SymbolFile:
    """Open a file that the user named.

    Args:
        path: as typed.
        follow: whether it may be a symbolic link.
        max_bytes: the most it may hold.

    Raises:
        SourceError: there is none, or it is not a regular file.
    """
    try:
        status = os.stat(path, follow_symlinks=follow)
        _check_regular(status, path)
        fd = os.open(path, _READ & ~os.O_NOFOLLOW if follow else _READ)
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    return _checked(fd, path, max_bytes)


def open_beneath(
    root: str, path: bytes, *, follow: bool = True, max_bytes: int = MAX_SYMBOL_FILE_BYTES
) -> SymbolFile | None:
    """Open a file of a symbol root; links lead where they would if the root were the machine's.

    Args:
        root: a directory that the user, or the system's packages, filled.
        path: below it; may be untrusted, with or without a leading slash.
        follow: whether the file itself may be a link; directories may.
        max_bytes: the most it may hold.

    Returns:
        None where there is no such file.

    Raises:
        SourceError: it is not a regular file, or cannot be opened.
    """
    return _open(root, path, lambda places, status, is_last: follow or not is_last, max_bytes)


def is_special_place(path: bytes) -> bool:
    """Whether a path leads where no program lies and a mere look may do harm."""
    return next((name for name in path.split(b"/") if name not in (b"", b".")), b"") in _SPECIAL_PLACES


def open_local(path: bytes, *, root: str = "/", max_bytes: int = MAX_SYMBOL_FILE_BYTES) -> SymbolFile | None:
    """Open a file of this machine that a trace named.

    The kernel gives the paths of mapped files without links, so a link there means that the path is from elsewhere or
    a trap. The exceptions are directories the system moved: links of root that stand in ``/`` or ``/usr``, such as
    ``/lib`` to ``usr/lib``.

    Args:
        path: absolute, without ``..``.
        root: what a process that the trace named has for ``/``.
        max_bytes: the most it may hold.

    Returns:
        None where there is no such file.

    Raises:
        SourceError: it is reached by a link, is not a regular file, lies where no program does, or cannot be opened.
    """
    if not path.startswith(b"/") or b".." in path.split(b"/"):
        return None
    if is_special_place(path):
        raise SourceError(f"{os.fsdecode(path)} is not a place of programs")
    return _open(root, path, _is_moved_directory, max_bytes)


def _is_moved_directory(places: list[bytes], status: os.stat_result, is_last: bool) -> bool:
    return status.st_uid == 0 and places in ([], [b"usr"]) and not is_last


def _open(
    root: str, path: bytes, may_follow: Callable[[list[bytes], os.stat_result, bool], bool], max_bytes: int
) -> SymbolFile | None:
    """Walk from a root to a file by one open directory after the other, so that nobody can swap one for a link.

    Args:
        root: where ``/`` and the ``..`` of that lead.
        path: untrusted.
        may_follow: given the directories walked, what stands there, and whether it ends the path, decides on a link.
        max_bytes: the most it may hold.
    """
    if b"\0" in path or len(path) > _MAX_PATH_BYTES:
        return None
    whole = os.path.join(root, os.fsdecode(path.lstrip(b"/")))
    if not _exists(whole, root):
        return None
    pending = path.split(b"/")[::-1]
    links = 0
    try:
        directories = [os.open(root, _STEP & ~os.O_NOFOLLOW)]
    except OSError:
        return None
    places: list[bytes] = []
    try:
        while pending:
            name = pending.pop()
            if name in (b"", b"."):
                continue
            if name == b"..":
                if places:
                    places.pop()
                    os.close(directories.pop())
                continue
            status = os.stat(name, dir_fd=directories[-1], follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                links += 1
                if links > _MAX_LINKS or not may_follow(places, status, not any(pending)):
                    raise SourceError(f"{whole} is a symbolic link, or reached by one")
                target = os.readlink(name, dir_fd=directories[-1])
                if target.startswith(b"/"):
                    places.clear()
                    while len(directories) > 1:
                        os.close(directories.pop())
                pending += target.split(b"/")[::-1]
            elif stat.S_ISDIR(status.st_mode):
                directories.append(os.open(name, _STEP, dir_fd=directories[-1]))
                places.append(name)
            else:
                _check_regular(status, whole)
                if any(pending):
                    return None
                return _checked(os.open(name, _READ, dir_fd=directories[-1]), whole, max_bytes)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SourceError(f"{whole}: {error.strerror or error}") from error
    finally:
        for directory in directories:
            os.close(directory)
    raise SourceError(f"{whole} is a directory")


def _exists(whole: str, root: str) -> bool:
    """Whether a walk is worth while; only beneath ``/`` is the system's answer the one that counts."""
    if root != "/":
        return True
    try:
        os.lstat(whole)
    except (OSError, ValueError) as error:
        return not isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError))
    return True


def _check_regular(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        kinds = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a FIFO", stat.S_IFLNK: "a symbolic link",
                 stat.S_IFSOCK: "a socket"}  # fmt: skip
        raise SourceError(f"{path} is {kinds.get(stat.S_IFMT(status.st_mode), 'a device')}, not a file")


def _checked(fd: int, path: str, max_bytes: int) -> SymbolFile:
    """Look again at what was opened: between a look at a name and its opening it may become another thing."""
    file = SymbolFile(fd, path)
    try:
        _check_regular(os.fstat(fd), path)
        if file.size > max_bytes:
            raise SourceError(f"{path} is larger than {max_bytes} bytes")
    except SourceError:
        file.close()
        raise
    return file
