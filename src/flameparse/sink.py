"""Bytes -> a file that is whole or untouched, or an open descriptor."""

from __future__ import annotations

import os
import stat

from flameparse.errors import SinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Chunk = bytes | bytearray | memoryview[int]

_BLOCK_BYTES = 256 << 10  # smaller chunks are gathered up to this before they are written
_STREAM_NAMES = {1: "standard output", 2: "standard error"}
_STREAM_PATHS = {"/dev/stdout": 1, "/dev/fd/1": 1, "/dev/stderr": 2, "/dev/fd/2": 2}


def write_atomic(path: str | os.PathLike[str], chunks: Iterable[Chunk]) -> int:
    """Write a file so that others see the old one or the whole new one, never a part.

    The bytes go to a new file in the same directory, which takes the target's place once they are on the disk. Where
    the system can, that file has no name until then, so even a kill leaves nothing. A new file's mode is the umask's,
    a replaced one's is kept. A symbolic link stays, and what it points to is replaced. A target that is no regular
    file (a FIFO, /dev/null, /dev/stdout) is written to directly.

    Args:
        path: the target.
        chunks: its content; what they raise passes through, after the clean-up.

    Returns:
        Bytes written.

    Raises:
        SinkError: the file cannot be written; the old one is as it was.
        BrokenPipeError: the target is a pipe that nobody reads any more.
    """
    name = os.fspath(path)
    if name in _STREAM_PATHS:
        return write_stream(_STREAM_PATHS[name], chunks)
    if not os.path.basename(name):
        raise SinkError(f"{name!r} names no file")
    blame = _Blame(name)
    with blame:
        mode = _mode_of(name)
    if mode is None or stat.S_ISREG(mode):
        return _replace(name, mode, chunks, blame)
    with blame:
        fd = os.open(name, os.O_WRONLY | os.O_NOCTTY)
    try:
        return _write(fd, chunks, blame)
    finally:
        with blame:
            os.close(fd)


def write_stream(fd: int, chunks: Iterable[Chunk]) -> int:
    """Write all chunks to an open descriptor, however little it takes at a time.

    Args:
        fd: such as 1 for stdout; stays open.
        chunks: what to write; what they raise passes through.

    Returns:
        Bytes written.

    Raises:
        SinkError: the descriptor takes no more (disk full, closed).
        BrokenPipeError: it is a pipe that nobody reads any more.
    """
    return _write(fd, chunks, _Blame(_STREAM_NAMES.get(fd, f"descriptor {fd}")))


class _Blame:
    """Turns an OSError of the block into a SinkError that names the output; a closed pipe is the caller's to judge."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise SinkError(f"{self.name}: {error.strerror or error}") from error


def _mode_of(name: str) -> int | None:
    try:
        return os.stat(name).st_mode
    except FileNotFoundError:
        return None


def _replace(name: str, old_mode: int | None, chunks: Iterable[Chunk], blame: _Blame) -> int:
    target = os.path.realpath(name)
    temporary = os.path.join(os.path.dirname(target), f".flameparse-{os.urandom(8).hex()}.tmp")
    mode = 0o666 if old_mode is None else old_mode & 0o777
    with blame:
        fd, unnamed = _create(temporary, mode)
    try:
        with blame:
            if old_mode is not None:
                os.fchmod(fd, mode)  # open() took the umask off
        written = _write(fd, chunks, blame)
        with blame:
            os.fsync(fd)
            if unnamed:
                # The descriptor arguments make Python call linkat(), which follows the link in /proc.
                os.link(f"/proc/self/fd/{fd}", temporary, src_dir_fd=fd, dst_dir_fd=fd, follow_symlinks=True)
            closing, fd = fd, -1
            os.close(closing)
            os.replace(temporary, target)
    except BaseException:
        if fd >= 0:
            _quietly(os.close, fd)
        _quietly(os.unlink, temporary)  # it may never have got its name, or be in its place already
        raise
    return written


def _create(temporary: str, mode: int) -> tuple[int, bool]:
    """Open a new file for what ``temporary`` will name; returns its descriptor and whether it still lacks the name."""
    if hasattr(os, "O_TMPFILE") and os.path.exists("/proc/self/fd"):
        try:
            return os.open(os.path.dirname(temporary), os.O_WRONLY | os.O_TMPFILE, mode), True
        except OSError:
            pass  # not every file system has it
    return os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), False


def _quietly(call: Callable[[Any], None], argument: object) -> None:
    """Clean up after an error, which is the one to tell."""
    try:
        call(argument)
    except OSError:
        pass


def _write(fd: int, chunks: Iterable[Chunk], blame: _Blame) -> int:
    total = 0
    pending = bytearray()
    for chunk in chunks:
        view = memoryview(chunk).cast("B")
        total += len(view)
        if len(pending) + len(view) < _BLOCK_BYTES:
            pending += view
            continue
        with blame:
            _put(fd, pending)
            _put(fd, view)
        pending = bytearray()
    with blame:
        _put(fd, pending)
    return total


def _put(fd: int, data: Chunk) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:  # someone set the terminal or pipe we share to non-blocking
            from select import select

            select([], [fd], [])
