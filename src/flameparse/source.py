"""A path, stdin or a compressed file -> a Source: one stream of bytes, read in bounded pieces."""

from __future__ import annotations

import os
import stat
import sys
from io import FileIO

from flameparse.errors import LimitError, SourceError
from flameparse.limits import (
    DEFAULT_MAX_MEMORY_BYTES,
    MAX_XZ_MEMORY_BYTES,
    MAX_ZSTD_WINDOW_BYTES,
    READ_BLOCK_BYTES,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    Read = Callable[[], bytes]  # the next compressed bytes, b"" at the end
    Member = Callable[[bytes, Read], Generator[bytes, None, bytes]]  # yields its content, returns the bytes after it

_MAGIC_BYTES = 10
_PIPE_BYTES = 1 << 20
_INPUT_BYTES = 64 << 10  # of compressed data, per read
_OUTPUT_BYTES = 256 << 10  # of decompressed data, per piece
_STEP_BYTES = 256  # of compressed and of decompressed data, where a failing step takes its output along
_MAX_ZSTD_BLOCK_BYTES = 128 << 10


def open_source(path: str | os.PathLike[str]) -> Source:
    """Open an input; whether it is compressed is told by its first bytes, never by its name.

    Args:
        path: a file, a FIFO or the like, or ``-`` for stdin.

    Raises:
        SourceError: it is missing, unreadable, a directory or a disk, or it is zstd data and no decoder is installed.
    """
    name = os.fspath(path)
    try:
        raw = FileIO(0, closefd=False) if name == "-" else FileIO(name)
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror or error}") from error
    try:
        return Source(raw, "standard input" if name == "-" else name)
    except BaseException:
        raw.close()
        raise


class Source:
    """One input as a stream of decompressed bytes.

    Args:
        raw: the open file; closed with the source.
        name: for messages.

    Attributes:
        name: for messages.
        size: bytes on disk from where it begins, or None for a pipe.
        consumed: bytes on disk read so far.
        uid: owner of a regular file, else None.
        modified_at: when it was last written, in seconds since the epoch; None where it is no regular file.
        is_seekable: whether ``read_at`` works: a regular file that is not compressed.
        damage: None, or how the compressed data is broken; known once ``readinto`` has returned 0. All that could be
            decompressed before the break was delivered; of corrupt (not cut) xz and bzip2 data up to 255 bytes less.
    """

    __slots__ = (
        "_compression", "_delivered", "_head", "_pieces", "_raw", "_start", "consumed", "damage", "is_seekable",
        "modified_at", "name", "size", "uid",
    )  # fmt: skip

    def __init__(self, raw: FileIO, name: str) -> None:
        self._raw = raw
        self.name = name
        self.consumed = 0
        self.damage: str | None = None
        status = os.fstat(raw.fileno())
        if stat.S_ISBLK(status.st_mode):
            raise SourceError(f"{name}: is a disk, not a file")
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        if stat.S_ISFIFO(status.st_mode):
            _widen_pipe(raw.fileno())
        self.uid = None if self.size is None else status.st_uid
        self.modified_at = None if self.size is None else status.st_mtime
        self._start = 0
        if self.size is not None:
            self._start = raw.tell()  # stdin may be a file that was read in part
            self.size = max(0, self.size - self._start)
        magic = b""
        while len(magic) < _MAGIC_BYTES and (more := self._read_raw(_MAGIC_BYTES - len(magic))):
            magic += more
        self._compression, member = _sniff_compression(magic, name)
        self._pieces = filter(None, _pieces(member, magic, self._read_raw)) if member else None
        self._head = memoryview(b"" if member else magic)  # what was read and not handed on
        self.is_seekable = self.size is not None and member is None
        self._delivered = 0  # decompressed bytes that went to _head

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; stdin stays open."""
        self._raw.close()

    def readinto(self, buffer: bytearray | memoryview[int]) -> int:
        """Fill the front of a buffer with the next bytes.

        Args:
            buffer: of any size; it may be filled only in part before the end.

        Returns:
            Bytes read; 0 at the end, or where compressed data is broken.

        Raises:
            SourceError: the system cannot read on.
        """
        target = memoryview(buffer).cast("B")
        if not self._head:
            if self._pieces is None:
                return self._read_raw_into(target)
            self._head = memoryview(self._next_piece())
        count = min(len(target), len(self._head))
        target[:count] = self._head[:count]
        self._head = self._head[count:]
        return count

    def peek(self, count: int) -> bytes:
        """Return the next bytes without consuming them, fewer only if the input ends.

        Raises:
            SourceError: the system cannot read on.
        """
        if len(self._head) < count:
            head = bytearray(self._head)
            while len(head) < count and (
                more := self._read_raw(count - len(head)) if self._pieces is None else self._next_piece()
            ):
                head += more
            self._head = memoryview(head)
        return self._head[:count].tobytes()

    def read_at(self, offset: int, count: int) -> bytes:
        """Return the bytes at a place of a seekable source, fewer only if it ends; what ``readinto`` gives next stays.

        Args:
            offset: from the start of the input.
            count: bytes wanted; memory for all of them is taken at once.

        Raises:
            SourceError: the system cannot read.
        """
        buffer = bytearray(count)
        return bytes(memoryview(buffer)[: self.read_at_into(offset, buffer)])

    def read_at_into(self, offset: int, buffer: bytearray | memoryview[int]) -> int:
        """Fill a buffer from a place of a seekable source; safe on several threads at once.

        Args:
            offset: from the start of the input.
            buffer: of any size.

        Returns:
            Bytes read; fewer than the buffer has only if the input ends.

        Raises:
            SourceError: the system cannot read.
        """
        target = memoryview(buffer).cast("B")
        filled = 0
        try:
            while filled < len(target) and (
                count := os.preadv(self._raw.fileno(), [target[filled:]], self._start + offset + filled)
            ):
                filled += count
        except (OSError, OverflowError) as error:
            raise SourceError(f"{self.name}: {getattr(error, 'strerror', None) or error}") from error
        return filled

    def read(self, max_bytes: int = DEFAULT_MAX_MEMORY_BYTES) -> bytes:
        """Return everything that is left, for formats that are one piece.

        Args:
            max_bytes: the most that may be left.

        Raises:
            LimitError: there is more.
            SourceError: the system cannot read on.
        """
        content = bytearray()
        buffer = memoryview(bytearray(READ_BLOCK_BYTES))
        while count := self.readinto(buffer):
            content += buffer[:count]
            if len(content) > max_bytes:
                raise LimitError(f"more than {max_bytes} bytes in {self.name}", offset=max_bytes)
        return bytes(content)

    def _read_raw_into(self, target: memoryview[int]) -> int:
        try:
            while (count := self._raw.readinto(target)) is None:  # a non-blocking pipe with nothing in it
                from select import select

                select([self._raw], [], [])
        except OSError as error:
            raise SourceError(f"{self.name}: {error.strerror or error}") from error
        self.consumed += count
        return count

    def _read_raw(self, count: int = _INPUT_BYTES) -> bytes:
        buffer = memoryview(bytearray(count))
        return buffer[: self._read_raw_into(buffer)].tobytes()

    def _next_piece(self) -> bytes:
        assert self._pieces is not None
        try:
            piece = next(self._pieces, b"")
        except _DamageError as error:
            self.damage = f"{self._compression} data {error} after {self._delivered} decompressed bytes"
            return b""
        self._delivered += len(piece)
        return piece


def _widen_pipe(fd: int) -> None:
    """Ask for a pipe of a mebibyte: with the usual 64 KiB, writer and reader wake each other for every few lines."""
    try:
        from fcntl import F_SETPIPE_SZ, fcntl

        fcntl(fd, F_SETPIPE_SZ, _PIPE_BYTES)
    except (ImportError, OSError):
        pass  # not Linux, or past the user's allowance: slower, not wrong


class _DamageError(Exception):
    """Compressed data is cut or corrupt; says which."""

    @classmethod
    def corrupt(cls, error: object) -> _DamageError:
        return cls(f"is corrupt ({error})")


def _sniff_compression(magic: bytes, name: str) -> tuple[str, Member | None]:
    if magic.startswith(b"\x1f\x8b\x08"):
        return "gzip", _gzip_member
    if magic.startswith(b"\xfd7zXZ\x00"):
        return "xz", _xz_member
    if magic.startswith(b"BZh") and magic[4:] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bzip2", _bzip2_member
    if magic.startswith(b"\x28\xb5\x2f\xfd") or _is_skippable(magic):
        return "zstd", _zstd_member(name)
    return "", None


def _pieces(member: Member, data: bytes, read: Read) -> Iterator[bytes]:
    """Decompress members one after the other, with zero bytes between them at most."""
    while data:
        data = yield from member(data, read)
        while not (data := data.lstrip(b"\0")) and (data := read()):
            pass


def _gzip_member(data: bytes, read: Read) -> Generator[bytes, None, bytes]:
    import zlib

    decoder = zlib.decompressobj(wbits=31)
    piece = b""
    while not decoder.eof:
        if not data and len(piece) < _OUTPUT_BYTES:
            data = _read_on(read)
        before = decoder.copy()
        try:
            piece = decoder.decompress(data, _OUTPUT_BYTES)
        except zlib.error as error:
            yield _until_error(before, data)
            raise _DamageError.corrupt(error) from error
        yield piece
        data = decoder.unconsumed_tail
    return decoder.unused_data


def _until_error(decoder: Any, data: bytes) -> bytes:
    """Decompress byte by byte what a failing call held back."""
    import zlib

    content = bytearray()
    try:
        for i in range(len(data)):
            rest = data[i : i + 1]
            while byte := decoder.decompress(rest, 1):
                content += byte
                rest = decoder.unconsumed_tail
    except zlib.error:
        pass
    return bytes(content)


def _xz_member(data: bytes, read: Read) -> Generator[bytes, None, bytes]:
    from lzma import FORMAT_XZ, LZMADecompressor, LZMAError

    return _stepwise(LZMADecompressor(FORMAT_XZ, memlimit=MAX_XZ_MEMORY_BYTES), LZMAError, data, read)


def _bzip2_member(data: bytes, read: Read) -> Generator[bytes, None, bytes]:
    from bz2 import BZ2Decompressor

    return _stepwise(BZ2Decompressor(), OSError, data, read)


def _stepwise(decoder: Any, error_type: type[Exception], data: bytes, read: Read) -> Generator[bytes, None, bytes]:
    """Decompress one member in small steps: a call that fails keeps its output, and these cannot be copied before."""
    view = memoryview(data)
    gathered = bytearray()
    while not decoder.eof:
        step = b""
        if decoder.needs_input:
            if not view:
                yield bytes(gathered)
                gathered.clear()
                view = memoryview(_read_on(read))
            step, view = view[:_STEP_BYTES].tobytes(), view[_STEP_BYTES:]
        try:
            gathered += decoder.decompress(step, _STEP_BYTES)
        except error_type as error:
            yield bytes(gathered)
            raise _DamageError.corrupt(error) from error
        if len(gathered) >= _OUTPUT_BYTES:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)
    return bytes(decoder.unused_data) + view.tobytes()


def _read_on(read: Read) -> bytes:
    data = read()
    if not data:
        raise _DamageError("ends early")
    return data


def _is_skippable(magic: bytes) -> bool:
    return 0x50 <= magic[0] <= 0x5F and magic[1:4] == b"\x2a\x4d\x18" if magic else False


def _zstd_member(name: str) -> Member:
    """Choose a decoder of zstd frames.

    Raises:
        SourceError: none is installed.
    """
    new_decoder: Callable[[], Any]
    error_type: type[Exception]
    if sys.version_info >= (3, 14):
        from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

        options: dict[int, int] = {DecompressionParameter.window_log_max: MAX_ZSTD_WINDOW_BYTES.bit_length() - 1}
        new_decoder, error_type = lambda: ZstdDecompressor(options=options), ZstdError
    else:
        try:
            import zstandard
        except ImportError as error:
            raise SourceError(f"{name}: zstd data: pip install flameparse[zstd] to read it") from error
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW_BYTES)
        new_decoder, error_type = decompressor.decompressobj, zstandard.ZstdError
    return lambda data, read: _zstd_frame(new_decoder(), error_type, data, read)


def _zstd_frame(decoder: Any, error_type: type[Exception], data: bytes, read: Read) -> Generator[bytes, None, bytes]:
    """Decompress one frame block by block, so that a piece is a block at most and a cut frame is noticed.

    Layout:
        frame: magic u32 = 0xFD2FB528, descriptor u8, [window u8], [dictionary id], [content size], blocks,
               [checksum u32]
            descriptor: bits 7-6 content size code, 5 single segment (no window byte), 2 checksum, 1-0 dictionary code
        block: u24 = size << 3 | type << 1 | last, then size bytes; type 1 repeats one byte and holds only that
        skippable frame: magic u32 = 0x184D2A50 to 5F, size u32, size bytes
    Source: RFC 8878, section 3.1.
    """
    buffer = bytearray(data)

    def take(count: int) -> bytes:
        while len(buffer) < count:
            buffer.extend(_read_on(read))
        taken = bytes(buffer[:count])
        del buffer[:count]
        return taken

    head = take(5)
    if _is_skippable(head):
        left = int.from_bytes(head[4:] + take(3), "little")
        while left:
            left -= len(take(min(left, _INPUT_BYTES)))
        return bytes(buffer)
    descriptor = head[4]
    single_segment = descriptor >> 5 & 1
    head += take((1 - single_segment) + (0, 1, 2, 4)[descriptor & 3] + (single_segment, 2, 4, 8)[descriptor >> 6])
    last = False
    try:
        decoder.decompress(head)
        while not last:
            block = take(3)
            word = int.from_bytes(block, "little")
            last, size = bool(word & 1), word >> 3
            if size > _MAX_ZSTD_BLOCK_BYTES:
                raise _DamageError.corrupt(f"a block of {size} bytes")
            try:
                block += take(1 if word >> 1 & 3 == 1 else size)
            except _DamageError:
                yield decoder.decompress(block + buffer)  # of a block that is not compressed, a part is of use
                raise
            yield decoder.decompress(block)
        if descriptor & 4:
            decoder.decompress(take(4))
    except error_type as error:
        raise _DamageError.corrupt(error) from error
    return bytes(buffer)
