"""What another machine needs to name a recording's frames -> a directory, or one tar file; ``--symfs`` reads both.

To be run where the recording was made, soon after it: perf maps, jitdumps and the kernel's symbols do not last.
"""

from __future__ import annotations

import os

from flameparse.decode.sniff import PERF_DATA, SNIFF_BYTES, sniff
from flameparse.errors import MalformedError, SinkError, SourceError, UsageError
from flameparse.limits import MAX_KALLSYMS_BYTES
from flameparse.model.dso import Dso, DsoKind
from flameparse.model.profile import Profile
from flameparse.source import open_source
from flameparse.symbolize.bundle import (
    FORMAT,
    KALLSYMS,
    MANIFEST,
    TAR_BLOCK_BYTES,
    VDSO,
    VERSION,
    checksum,
    debug_member,
    elf_member,
    jitdump_member,
    map_member,
)
from flameparse.symbolize.elf_search import build_id_of
from flameparse.symbolize.options import HostFacts, SymbolOptions
from flameparse.symbolize.symbol_file import SymbolBytes, SymbolFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flameparse.parallel.threads import Progress
    from flameparse.sink import Chunk
    from flameparse.symbolize.finder import Finder

    Members = Iterator[tuple[str, SymbolFile]]

_STDOUT = "-"
_COPY_BYTES = 1 << 20
_ARCHIVES = (".gz", ".zst", ".xz", ".bz2", ".zip")
_MAX_OCTAL_SIZE = 8**11


class Collected:
    """What went into a bundle.

    Attributes:
        files: names of the members, in order.
        bytes: their sizes, summed.
        gaps: a line for each thing that could not be had.
        damage: a line for each way in which the recording is damaged.
    """

    __slots__ = ("bytes", "damage", "files", "gaps")

    def __init__(self) -> None:
        self.damage: list[str] = []
        self.files: list[str] = []
        self.bytes = 0
        self.gaps: list[str] = []


def collect_recording(
    path: str,
    out: str,
    options: SymbolOptions,
    *,
    threads: int = 1,
    takes_all: bool = False,
    is_strict: bool = False,
    progress: Progress | None = None,
) -> Collected:
    """Gather the files that the frames of a recording are named from.

    Args:
        path: a perf.data file, or ``-``.
        out: see ``collect``.
        options: where those files may come from.
        threads: to read the recording with.
        takes_all: files that were mapped without a sample in them too.
        is_strict: raise on a damaged recording, and write nothing.
        progress: called with bytes read, bytes of all (or None) and samples seen.

    Returns:
        What is in the bundle and what is not.

    Raises:
        SourceError: there is no recording, or it is none.
        DecodeError: its header is damaged, or, where ``is_strict``, anything of it.
        UsageError, SinkError: see ``collect``.
    """
    from flameparse.parallel.perf_data import decode_perf_data
    from flameparse.symbolize.finder import Finder
    from flameparse.symbolize.symbolize import group_frames

    _writer(out)  # a wrong name is told before long work
    with open_source(path) as source:
        if sniff(source.peek(SNIFF_BYTES), source.name) != PERF_DATA:
            raise UsageError(f"{source.name} is no perf.data: a text has its names already")
        recording, profile = decode_perf_data(source, Profile(), threads=threads, progress=progress)
        host = HostFacts.of_recording(recording.header, source)
    damage = profile.diagnostics.damage + ([] if source.damage is None else [source.damage])
    if damage and is_strict:
        raise MalformedError("; ".join(damage), format_name=PERF_DATA)
    dsos = profile.dsos.rows if takes_all else [group.dso for group in group_frames(profile)]
    finder = Finder(options, host, profile.dsos.rows)
    found = collect(out, finder, dsos, [(dump, pid) for dump, pid, _, _ in recording.jitdumps])
    found.damage = damage
    return found


def collect(out: str, finder: Finder, dsos: Iterable[Dso], jitdumps: Iterable[tuple[bytes, int]] = ()) -> Collected:
    """Gather the files that frames are named from, and write them, all or nothing.

    Equal files give an equal bundle, byte for byte.

    Args:
        out: a file ``….tar``, ``….tar.gz``, ``….tgz`` or ``….tar.zst``; ``-``: a plain tar to standard output; any
            other name is a directory, which must be empty or not there yet.
        finder: of the recording.
        dsos: the ones to be named, of whatever kind.
        jitdumps: path, as the recording has it, and process of each.

    Returns:
        What is in it and what is not.

    Raises:
        UsageError: ``out`` asks for an archive of another kind, or one whose compressor is not installed.
        SinkError: the bundle cannot be written.
        SourceError: a file was cut while it was read.
    """
    found = Collected()
    write = _writer(out)
    write(out, _counted(_members(finder, list(dsos), sorted(set(jitdumps)), found), found))
    return found


def _counted(members: Members, found: Collected) -> Members:
    for name, file in members:
        if name not in found.files:
            found.files.append(name)
            found.bytes += file.size
            yield name, file


def _members(finder: Finder, dsos: list[Dso], jitdumps: list[tuple[bytes, int]], found: Collected) -> Members:
    """Find one file after the other; each is closed when the next is asked for."""
    kernels = [dso for dso in dsos if dso.kind in (DsoKind.KERNEL, DsoKind.MODULE)]
    yield MANIFEST, _manifest(finder, kernels)
    if kernels:
        yield from _kallsyms(finder, kernels[0], found)
    for path, pid in jitdumps:
        dump = finder.find_jitdump(path, pid)
        if dump is None:
            found.gaps.append(finder.refused[path])
        else:
            with dump:
                yield jitdump_member(path, pid), dump
    for dso in sorted(dsos, key=lambda dso: (dso.kind, dso.path, dso.build_id, dso.pid)):
        if dso.kind in (DsoKind.FILE, DsoKind.VDSO):
            yield from _elf_files(finder, dso, found)
        elif dso.kind == DsoKind.PERF_MAP:
            notes: list[str] = []
            map = finder.open_map(dso.pid, notes)
            if map is not None:
                with map:
                    yield map_member(dso.pid), map
            elif not any(name.endswith(f"-jit-{dso.pid}.dump") for name in found.files):
                found.gaps += notes


def _manifest(finder: Finder, kernels: list[Dso]) -> SymbolFile:
    import json

    facts = {
        "format": FORMAT,
        "version": VERSION,
        "hostname": finder.host.hostname,
        "release": finder.host.release,
        "arch": finder.host.arch,
        "kernel_build_id": next((dso.build_id.hex() for dso in kernels if dso.kind == DsoKind.KERNEL), ""),
    }
    return SymbolBytes((json.dumps(facts, indent=2) + "\n").encode(), MANIFEST)


def _kallsyms(finder: Finder, kernel: Dso, found: Collected) -> Members:
    search = finder.search_kernel(kernel)
    for file in search.kallsyms_files():
        content = file.read_all(MAX_KALLSYMS_BYTES)
        if any(line.partition(b" ")[0].strip(b"0") for line in content.split(b"\n")):
            yield KALLSYMS, SymbolBytes(content, file.path)
            return
        search.note_zeros(file.path)
    found.gaps += search.notes


def _elf_files(finder: Finder, dso: Dso, found: Collected) -> Members:
    with finder.search_elf(dso) as search:
        runtime = search.mapped_file
        if runtime is None:
            found.gaps.append("; ".join(search.notes) or finder.absence(dso))
            return
        build_id = build_id_of(dso)
        yield VDSO if dso.kind == DsoKind.VDSO else elf_member(build_id, dso.path), runtime.file
        if search.debug is not None and search.debug.file is not runtime.file:
            yield debug_member(build_id, dso.path), search.debug.file


def _writer(out: str) -> Callable[[str, Members], None]:
    if out == _STDOUT or out.endswith(".tar"):
        return lambda out, members: _write_tar(out, _tar_chunks(members))
    if out.endswith((".tar.gz", ".tgz")):
        from zlib import compressobj

        gzip = compressobj(wbits=31)
        return lambda out, members: _write_tar(out, _compressed(_tar_chunks(members), gzip.compress, gzip.flush))
    if out.endswith(".tar.zst"):
        compress, flush = _zstd()
        return lambda out, members: _write_tar(out, _compressed(_tar_chunks(members), compress, flush))
    if out.endswith(_ARCHIVES):
        raise UsageError(f"{out}: a bundle is a directory, or .tar, .tar.gz, .tgz or .tar.zst")
    return _write_directory


def _write_tar(out: str, chunks: Iterable[Chunk]) -> None:
    from flameparse.sink import write_atomic

    write_atomic("/dev/stdout" if out == _STDOUT else out, chunks)


def _write_directory(out: str, members: Members) -> None:
    """Write files into a new directory, which gets its name when it is whole."""
    from shutil import rmtree

    from flameparse.sink import write_atomic

    target = os.path.abspath(out)
    temporary = os.path.join(os.path.dirname(target), f".flameparse-{os.urandom(8).hex()}.tmp")
    try:
        if os.path.lexists(target) and (not os.path.isdir(target) or os.listdir(target)):
            raise SinkError(f"{out}: is there already, and is not an empty directory")
        os.mkdir(temporary)
        for name, file in members:
            path = os.path.join(temporary, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_atomic(path, _content(file))
        os.rename(temporary, target)
    except OSError as error:
        rmtree(temporary, ignore_errors=True)
        raise SinkError(f"{out}: {error.strerror or error}") from error
    except BaseException:
        rmtree(temporary, ignore_errors=True)
        raise


def _tar_chunks(members: Members) -> Iterator[bytes]:
    for name, file in members:
        yield tar_header(name.encode(), file.size)
        yield from _content(file)
        yield bytes(-file.size % TAR_BLOCK_BYTES)
    yield bytes(2 * TAR_BLOCK_BYTES)


def tar_header(name: bytes, size: int) -> bytes:
    """Make the header of a regular file that belongs to nobody in particular and has no date.

    Layout: see ``flameparse.symbolize.bundle``; mode at 100, uid 108, gid 116 (8 each), mtime 136 (12).
    Source: pax(1), ustar interchange format, POSIX.1-2008.
    """
    size_field = b"%011o\0" % size if size < _MAX_OCTAL_SIZE else b"\x80" + size.to_bytes(11, "big")
    header = (
        name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size_field + b"00000000000\0" + b" " * 8 + b"0"
        + bytes(100) + b"ustar\00000"
    ).ljust(TAR_BLOCK_BYTES, b"\0")  # fmt: skip
    return header[:148] + b"%06o\0 " % checksum(header) + header[156:]


def _content(file: SymbolFile) -> Iterator[bytes]:
    for offset in range(0, file.size, _COPY_BYTES):
        wanted = min(_COPY_BYTES, file.size - offset)
        piece = file.read_at(offset, wanted)
        if len(piece) != wanted:
            raise SourceError(f"{file.path} was cut while it was read")
        yield piece


def _compressed(
    chunks: Iterable[bytes], compress: Callable[[bytes], bytes], flush: Callable[[], bytes]
) -> Iterator[bytes]:
    for chunk in chunks:
        yield compress(chunk)
    yield flush()


def _zstd() -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    import sys

    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdCompressor

        compressor = ZstdCompressor()
        return compressor.compress, compressor.flush
    try:
        from zstandard import ZstdCompressor
    except ImportError as error:
        raise UsageError("a .tar.zst: pip install flameparse[zstd] to write it") from error
    writer = ZstdCompressor().compressobj()
    return writer.compress, writer.flush
