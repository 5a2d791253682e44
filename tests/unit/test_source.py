"""Inputs by path, pipe and stdin; compressed ones, whole, cut and corrupt."""

from __future__ import annotations

import bz2
import errno
import functools
import gzip
import lzma
import os
import random
import socket
import subprocess
import sys
import threading
import time
import zlib

import pytest

from flameparse.errors import LimitError, SourceError
from flameparse.limits import READ_BLOCK_BYTES
from flameparse.source import open_source

zstandard = pytest.importorskip("zstandard")

_random = random.Random(1)
TEXT = b"".join(b"node;frame_%d;frame_%d %d\n" % (_random.randrange(90), i % 7, i) for i in range(12_000))
NOISE = _random.randbytes(300_000)  # does not compress: many bytes of input for few of output

COMPRESSORS = {
    "gzip": functools.cache(lambda data: gzip.compress(data, mtime=0)),
    "xz": functools.cache(lzma.compress),
    "bzip2": functools.cache(bz2.compress),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}
FORMATS = sorted(COMPRESSORS)


def put(tmp_path, data):
    path = tmp_path / "input"
    path.write_bytes(data)
    return path


def drain(source, buffer_bytes=READ_BLOCK_BYTES):
    """Read everything through readinto with a buffer of that size."""
    content = bytearray()
    buffer = memoryview(bytearray(buffer_bytes))
    while count := source.readinto(buffer):
        content += buffer[:count]
    assert source.readinto(buffer) == 0
    return bytes(content)


def read_all(tmp_path, data):
    """Write a file, read it through a source; returns its content and damage."""
    with open_source(put(tmp_path, data)) as source:
        return drain(source), source.damage


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, READ_BLOCK_BYTES - 1, READ_BLOCK_BYTES, READ_BLOCK_BYTES + 1])
def test_plain_files_of_any_size(tmp_path, size):
    data = (TEXT * 2)[:size]
    path = put(tmp_path, data)
    with open_source(path) as source:
        assert (source.name, source.size) == (str(path), size)
        assert drain(source) == data
        assert (source.consumed, source.damage) == (size, None)


@pytest.mark.parametrize("buffer_bytes", [1, 3, 10, 4096])
@pytest.mark.parametrize("compress", [bytes, *COMPRESSORS.values()], ids=["plain", *COMPRESSORS])
def test_buffers_of_any_size(tmp_path, compress, buffer_bytes):
    with open_source(put(tmp_path, compress(TEXT[:5000]))) as source:
        assert drain(source, buffer_bytes) == TEXT[:5000]


def test_buffers_of_any_kind(tmp_path):
    with open_source(put(tmp_path, TEXT)) as source:
        assert source.readinto(bytearray(4)) == 4
        wide = memoryview(bytearray(16)).cast("Q")
        assert source.readinto(wide) == 6  # the rest of what was read to sniff
        assert source.readinto(wide) == 16
        assert wide.tobytes() == TEXT[10:26]
        assert source.readinto(bytearray(0)) == 0
        assert drain(source) == TEXT[26:]


@pytest.mark.parametrize("compress", [bytes, *COMPRESSORS.values()], ids=["plain", *COMPRESSORS])
def test_peek_consumes_nothing(tmp_path, compress):
    with open_source(put(tmp_path, compress(TEXT))) as source:
        assert source.peek(0) == b""
        assert source.peek(5) == TEXT[:5]
        assert source.peek(600_000) == TEXT[:600_000]
        assert source.peek(3) == TEXT[:3]
        buffer = bytearray(100)
        assert source.readinto(buffer) == 100
        assert source.peek(50) == TEXT[100:150]
        assert drain(source) == TEXT[100:]
        assert source.peek(10) == b""


def test_to_peek_far_takes_no_longer_than_to_read(tmp_path):
    size = 48 << 20
    path = put(tmp_path, gzip.compress(bytes(size), 1))
    took = []
    for get in (lambda source: source.read(), lambda source: source.peek(size)):
        with open_source(path) as source:
            began = time.process_time()
            assert len(get(source)) == size
            took.append(time.process_time() - began)
    assert took[1] < 6 * took[0]


def test_peek_of_a_short_input(tmp_path):
    with open_source(put(tmp_path, b"ab")) as source:
        assert source.peek(10) == b"ab"
        assert source.peek(10) == b"ab"
        assert drain(source) == b"ab"


def test_read_returns_what_is_left(tmp_path):
    with open_source(put(tmp_path, gzip.compress(TEXT))) as source:
        source.readinto(bytearray(7))
        assert source.read() == TEXT[7:]
        assert source.read() == b""


def test_read_at_its_cap(tmp_path):
    path = put(tmp_path, TEXT)
    with open_source(path) as source:
        assert source.read(len(TEXT)) == TEXT
    with open_source(path) as source, pytest.raises(LimitError, match=f"more than {len(TEXT) - 1} bytes in {path}$"):
        source.read(len(TEXT) - 1)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "data", [b"", b"x", TEXT, NOISE, bytes(3_000_000)], ids=["empty", "1", "text", "noise", "zeros"]
)
def test_compressed_files(tmp_path, name, data):
    packed = COMPRESSORS[name](data)
    with open_source(put(tmp_path, packed)) as source:
        assert drain(source) == data
        assert (source.damage, source.size, source.consumed) == (None, len(packed), len(packed))


@pytest.mark.parametrize("name", FORMATS)
def test_members_one_after_the_other(tmp_path, name):
    compress = COMPRESSORS[name]
    packed = compress(TEXT) + compress(b"") + compress(NOISE) + compress(b"end")
    assert read_all(tmp_path, packed) == (TEXT + NOISE + b"end", None)


@pytest.mark.parametrize("name", ["gzip", "xz"])
def test_zeros_between_and_after_members(tmp_path, name):
    compress = COMPRESSORS[name]
    packed = compress(b"one") + bytes(200_000) + compress(b"two") + bytes(8)
    assert read_all(tmp_path, packed) == (b"onetwo", None)


@pytest.mark.parametrize("name", FORMATS)
def test_other_bytes_after_the_last_member(tmp_path, name):
    content, damage = read_all(tmp_path, COMPRESSORS[name](TEXT) + b"garbage that is no member of anything")
    assert content == TEXT
    assert damage.startswith(f"{name} data is corrupt (")
    assert damage.endswith(f") after {len(TEXT)} decompressed bytes")


@pytest.mark.parametrize("name", FORMATS)
def test_every_cut_of_a_small_file_ends_early(tmp_path, name):
    text = b"a line of a trace\n" * 5
    packed = COMPRESSORS[name](text)
    for size in range(10, len(packed)):
        content, damage = read_all(tmp_path, packed[:size])
        assert text.startswith(content), size
        assert damage == f"{name} data ends early after {len(content)} decompressed bytes", size


def deliverable(name, packed):
    """What the library gives of a cut file; for zstd, of its whole blocks."""
    if name == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    decoder = {"gzip": lambda: zlib.decompressobj(31), "xz": lzma.LZMADecompressor, "bzip2": bz2.BZ2Decompressor}[
        name
    ]()
    return decoder.decompress(packed)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_cut_file_gives_all_that_can_be_had(tmp_path, name, share):
    data = TEXT + NOISE
    packed = COMPRESSORS[name](data)
    packed = packed[: int(len(packed) * share)]
    content, damage = read_all(tmp_path, packed)
    assert content == deliverable(name, packed)
    assert data.startswith(content)
    assert damage == f"{name} data ends early after {len(content)} decompressed bytes"


def test_gzip_gives_every_byte_before_the_corrupt_one(tmp_path):
    # A stored block after a compressed one: where the first ends is known, and a bad block type follows at once.
    compressor = zlib.compressobj(wbits=31)
    packed = compressor.compress(TEXT) + compressor.flush(zlib.Z_FULL_FLUSH)
    content, damage = read_all(tmp_path, packed + b"\xff" * 100)
    assert content == TEXT
    assert damage == (
        "gzip data is corrupt (Error -3 while decompressing data: invalid block type) "
        f"after {len(TEXT)} decompressed bytes"
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_wrong_checksum_is_told_after_the_data(tmp_path, name):
    packed = bytearray(COMPRESSORS[name](TEXT))
    if name == "xz":  # the check of the block stands before index and footer
        packed[-40] ^= 1
    elif name == "bzip2":
        packed[10] ^= 1
    else:
        packed[-5 if name == "gzip" else -1] ^= 1
    content, damage = read_all(tmp_path, bytes(packed))
    assert damage.startswith(f"{name} data is corrupt (")
    assert TEXT.startswith(content)
    assert len(content) > len(TEXT) - 256


@pytest.mark.parametrize("name", FORMATS)
def test_flipped_bytes_never_raise(tmp_path, name):
    mutator = random.Random(name)
    packed = COMPRESSORS[name](TEXT[:20_000])
    silent = 0
    for _ in range(150):
        broken = bytearray(packed)
        broken[mutator.randrange(10, len(broken))] ^= 1 << mutator.randrange(8)
        content, damage = read_all(tmp_path, bytes(broken))
        if damage is None:
            silent += content != TEXT[:20_000]
        else:
            assert damage.startswith(f"{name} data ")
    assert silent == 0  # every format has a checksum here


@pytest.mark.memory
@pytest.mark.parametrize("name", FORMATS)
def test_memory_is_flat_whatever_the_ratio(tmp_path, name):
    import tracemalloc

    size = 32 << 20
    with open_source(put(tmp_path, COMPRESSORS[name](bytes(size)))) as source:
        buffer = bytearray(READ_BLOCK_BYTES)
        tracemalloc.start()
        try:
            total = 0
            while count := source.readinto(buffer):
                total += count
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (total, source.damage) == (size, None)
    assert peak < 12 << 20  # the dictionary of xz alone is 8 MiB


def test_text_that_starts_like_bzip2_is_text(tmp_path):
    assert read_all(tmp_path, b"BZh9 is no bzip2 data\n") == (b"BZh9 is no bzip2 data\n", None)


@pytest.mark.parametrize("size", range(10))
def test_a_cut_magic_is_plain_or_cut(tmp_path, size):
    for name in FORMATS:
        head = COMPRESSORS[name](TEXT)[:size]
        content, damage = read_all(tmp_path, head)
        assert (content, damage) in ((head, None), (b"", f"{name} data ends early after 0 decompressed bytes"))


def test_zstd_skippable_frames(tmp_path):
    compress = COMPRESSORS["zstd"]
    skip = b"\x5a\x2a\x4d\x18" + (100_000).to_bytes(4, "little") + bytes(100_000)
    empty = b"\x50\x2a\x4d\x18" + bytes(4)
    packed = empty + skip + compress(TEXT) + skip + compress(b"end") + empty
    assert read_all(tmp_path, packed) == (TEXT + b"end", None)
    assert read_all(tmp_path, packed + skip[:5000]) == (
        TEXT + b"end",
        f"zstd data ends early after {len(TEXT) + 3} decompressed bytes",
    )


@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("content_size", [False, True])
@pytest.mark.parametrize("data", [b"", b"x" * 200, b"x" * 300, TEXT[:70_000], TEXT, NOISE], ids=len)
def test_zstd_frame_headers_of_every_size(tmp_path, checksum, content_size, data):
    compressor = zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=content_size)
    assert read_all(tmp_path, compressor.compress(data)) == (data, None)
    streaming = compressor.compressobj()
    assert read_all(tmp_path, streaming.compress(data) + streaming.flush()) == (data, None)


def zstd_frame(window_log, *blocks):
    return b"\x28\xb5\x2f\xfd\x00" + bytes([(window_log - 10) << 3]) + b"".join(blocks)


def zstd_block(kind, size, content, *, last=False):
    return (size << 3 | kind << 1 | last).to_bytes(3, "little") + content


def test_zstd_blocks_by_hand(tmp_path):
    raw, repeated = zstd_block(0, 5, b"hello"), zstd_block(1, 128 << 10, b"x", last=True)
    assert read_all(tmp_path, zstd_frame(17, raw, repeated)) == (b"hello" + b"x" * (128 << 10), None)


def test_a_zstd_block_at_its_cap(tmp_path):
    packed = zstd_frame(18, zstd_block(0, 5, b"hello"), zstd_block(1, (128 << 10) + 1, b"x", last=True))
    assert read_all(tmp_path, packed) == (
        b"hello",
        "zstd data is corrupt (a block of 131073 bytes) after 5 decompressed bytes",
    )


def test_a_zstd_window_at_its_cap(tmp_path):
    block = zstd_block(0, 5, b"hello", last=True)
    assert read_all(tmp_path, zstd_frame(27, block)) == (b"hello", None)  # 128 MiB
    content, damage = read_all(tmp_path, zstd_frame(28, block))
    assert content == b""
    assert damage.startswith("zstd data is corrupt (")


@pytest.mark.parametrize(("code", "fits"), [(31, True), (32, False)], ids=["192 MiB", "256 MiB"])
def test_an_xz_dictionary_at_its_cap(tmp_path, code, fits):
    packed = bytearray(lzma.compress(b"hello"))
    assert packed[12:17] == b"\x02\x00\x21\x01\x16"  # block header: 12 bytes, no flags, LZMA2, 1 byte: 8 MiB
    packed[16] = code
    packed[20:24] = zlib.crc32(packed[12:20]).to_bytes(4, "little")
    content, damage = read_all(tmp_path, bytes(packed))
    limit = "xz data is corrupt (Memory usage limit exceeded) after 0 decompressed bytes"
    assert (content, damage) == ((b"hello", None) if fits else (b"", limit))


def test_zstd_without_a_decoder(tmp_path, monkeypatch):
    if sys.version_info >= (3, 14):
        pytest.skip("the standard library reads zstd")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    path = put(tmp_path, COMPRESSORS["zstd"](TEXT))
    with pytest.raises(SourceError, match=rf"^{path}: zstd data: pip install flameparse\[zstd\] to read it$"):
        open_source(path)


def test_compression_is_told_by_the_bytes_not_the_name(tmp_path):
    path = tmp_path / "trace.gz"
    path.write_bytes(b"plain text")
    with open_source(path) as source:
        assert drain(source) == b"plain text"


def test_what_is_compressed_twice_is_decompressed_once(tmp_path):
    inner = gzip.compress(TEXT)
    assert read_all(tmp_path, gzip.compress(inner)) == (inner, None)


def test_a_missing_file(tmp_path):
    with pytest.raises(SourceError, match=f"^{tmp_path}/missing: No such file or directory$") as caught:
        open_source(tmp_path / "missing")
    assert caught.value.__cause__.errno == errno.ENOENT


def test_a_directory(tmp_path):
    with pytest.raises(SourceError, match=f"^{tmp_path}: Is a directory$") as caught:
        open_source(tmp_path)
    assert caught.value.__cause__.errno == errno.EISDIR


def test_a_socket(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(SourceError, match="No such device or address"):
            open_source(tmp_path / "socket")


def test_a_disk_is_refused(tmp_path):
    path = tmp_path / "disk"
    try:
        os.mknod(path, 0o060600, os.makedev(7, 200))
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        pytest.skip("no block device can be made or opened here")
    with pytest.raises(SourceError, match=r"is a disk, not a file$"):
        open_source(path)


def test_an_empty_device():
    with open_source("/dev/null") as source:
        assert (source.size, drain(source)) == (None, b"")


def test_a_read_error_is_a_source_error(tmp_path):
    with pytest.raises(SourceError, match=r"^/proc/self/mem: Input/output error$") as caught:
        open_source("/proc/self/mem")
    assert caught.value.__cause__.errno == errno.EIO


def test_no_descriptor_stays_open(tmp_path):
    path = put(tmp_path, gzip.compress(TEXT))
    before = os.listdir("/proc/self/fd")
    with open_source(path) as source:
        source.readinto(bytearray(10))
    with pytest.raises(SourceError):
        open_source("/proc/self/mem")
    assert os.listdir("/proc/self/fd") == before
    with pytest.raises(ValueError, match="closed file"):
        drain(source)


def feed(fd, data, step, pause=0.0):
    for i in range(0, len(data), step):
        os.write(fd, data[i : i + step])
        time.sleep(pause)
    os.close(fd)


@pytest.mark.parametrize("compress", [bytes, *COMPRESSORS.values()], ids=["plain", *COMPRESSORS])
def test_a_fifo_that_gives_little_at_a_time(tmp_path, compress):
    data = compress(TEXT[:3000])
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: feed(os.open(path, os.O_WRONLY), data, 1))
    writer.start()
    with open_source(path) as source:
        assert source.size is None
        assert drain(source) == TEXT[:3000]
        assert (source.consumed, source.damage) == (len(data), None)
    writer.join()


READ_STDIN = """
import sys
from flameparse.source import open_source
with open_source("-") as source:
    content = source.read()
    print(source.name, source.size, len(content), source.damage, sep="|")
"""


def run_stdin(**keywords):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", READ_STDIN], env=environment, capture_output=True, timeout=60, check=False, **keywords
    )


def test_stdin_as_a_pipe_and_as_a_file(tmp_path):
    assert run_stdin(input=gzip.compress(TEXT)).stdout.decode() == f"standard input|None|{len(TEXT)}|None\n"
    with put(tmp_path, TEXT).open("rb") as file:
        assert run_stdin(stdin=file).stdout.decode() == f"standard input|{len(TEXT)}|{len(TEXT)}|None\n"


def test_stdin_that_is_closed():
    done = run_stdin(preexec_fn=lambda: os.close(0))
    assert done.stderr.splitlines()[-1] == b"flameparse.errors.SourceError: -: Bad file descriptor"


def test_a_non_blocking_pipe_is_waited_for():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    writer = threading.Thread(target=feed, args=(writing, TEXT[:3000], 1000, 0.02))
    writer.start()
    with open_source(f"/dev/fd/{reading}") as source:
        assert drain(source) == TEXT[:3000]
    writer.join()
    os.close(reading)


def test_a_signal_does_not_end_a_read():
    import signal

    ticks = []
    old = signal.signal(signal.SIGALRM, lambda number, frame: ticks.append(number))
    reading, writing = os.pipe()
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    writer = threading.Thread(target=feed, args=(writing, TEXT[:500], 50, 0.01))
    writer.start()
    try:
        with open_source(f"/dev/fd/{reading}") as source:
            assert drain(source) == TEXT[:500]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        writer.join()
        os.close(reading)
    assert ticks


def test_importing_it_loads_no_decoder():
    code = "import sys, flameparse.source; print({'zlib', 'lzma', 'bz2', 'zstandard', 'select'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-S", "-c", code], env=environment, capture_output=True, check=True)
    assert done.stdout == b"set()\n"
