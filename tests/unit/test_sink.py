"""Files written whole or not at all, and descriptors that take little at a time."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest

import foreign
from flameparse import sink
from flameparse.errors import SinkError
from flameparse.sink import write_atomic, write_stream

BLOCK = sink._BLOCK_BYTES


@pytest.fixture(params=["unnamed", "named"])
def way(request, monkeypatch):
    """Both ways to a new file: with O_TMPFILE, and by a random name where the system has none."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE")
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("no O_TMPFILE here")
    return request.param


@pytest.fixture
def umask():
    old = os.umask(0o027)
    yield 0o027
    os.umask(old)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


class Stop(Exception):
    pass


def interrupted(error, *before):
    yield from before
    raise error


def test_a_new_file(way, tmp_path, umask):
    path = tmp_path / "out"
    assert write_atomic(path, [b"ab", b"", bytearray(b"c"), memoryview(b"de")]) == 5
    assert path.read_bytes() == b"abcde"
    assert mode(path) == 0o640
    assert os.listdir(tmp_path) == ["out"]


def test_no_chunks_make_an_empty_file(way, tmp_path):
    assert write_atomic(tmp_path / "out", []) == 0
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize("old_mode", [0o600, 0o666, 0o755, 0o444])
def test_a_replaced_file_keeps_its_mode(way, tmp_path, umask, old_mode):
    path = tmp_path / "out"
    path.write_bytes(b"old and longer")
    path.chmod(old_mode)
    assert write_atomic(str(path), [b"new"]) == 3
    assert (path.read_bytes(), mode(path)) == (b"new", old_mode)
    assert os.listdir(tmp_path) == ["out"]


def test_set_user_id_is_not_kept(way, tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(0o4755)
    write_atomic(path, [b"new"])
    assert mode(path) == 0o755


def test_readers_of_the_old_file_keep_it(way, tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write_atomic(path, [b"new"])
        assert reader.read() == b"old"


def test_items_wider_than_bytes_are_counted_in_bytes(tmp_path):
    assert write_atomic(tmp_path / "out", [memoryview(bytes(16)).cast("Q")]) == 16


@pytest.mark.parametrize(
    "sizes",
    [
        [BLOCK - 1],
        [BLOCK],
        [BLOCK + 1],
        [1, BLOCK - 1],
        [1, BLOCK - 2, 1, 1],
        [BLOCK, 1, BLOCK],
        [1] * 1000,
        [0, 3 * BLOCK + 7],
    ],
    ids=lambda sizes: f"{len(sizes)} chunks, {sum(sizes)} bytes",
)
def test_chunks_of_any_size_arrive_in_order(tmp_path, sizes):
    chunks = [bytes([i % 251]) * size for i, size in enumerate(sizes)]
    assert write_atomic(tmp_path / "out", chunks) == sum(sizes)
    assert (tmp_path / "out").read_bytes() == b"".join(chunks)


@pytest.mark.parametrize("error", [Stop(), KeyboardInterrupt(), OSError(errno.EIO, "of the chunks"), MemoryError()])
@pytest.mark.parametrize("before", [[], [b"x"], [b"x" * (BLOCK + 1)]], ids=["at once", "gathered", "written"])
def test_what_the_chunks_raise_passes_through_and_leaves_the_old_file(way, tmp_path, error, before):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with pytest.raises(type(error)) as caught:
        write_atomic(path, interrupted(error, *before))
    assert caught.value is error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("call", ["fchmod", "write", "fsync", "link", "close", "replace"])
def test_every_system_call_is_checked(way, tmp_path, monkeypatch, call):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    real = getattr(os, call)
    failures = []

    def failing(*arguments, **keywords):
        if call == "close" and not failures:
            real(*arguments)  # Linux closes it whatever it returns
        elif failures:
            return real(*arguments, **keywords)
        failures.append(call)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, failing)
    if call == "link" and way == "named":
        write_atomic(path, [b"new"])
        assert (path.read_bytes(), failures) == (b"new", [])
        return
    with pytest.raises(SinkError, match=f"^{path}: No space left on device$") as caught:
        write_atomic(path, [b"new"])
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out"]
    assert failures == [call]


def test_no_descriptor_stays_open(way, tmp_path):
    before = os.listdir("/proc/self/fd")
    write_atomic(tmp_path / "out", [b"x"])
    with pytest.raises(Stop):
        write_atomic(tmp_path / "out", interrupted(Stop()))
    with pytest.raises(SinkError):
        write_atomic("/dev/full", [b"x"])
    assert os.listdir("/proc/self/fd") == before


def test_a_file_system_without_unnamed_files_gets_a_named_one(tmp_path, monkeypatch):
    real = os.open

    def refusing(path, flags, *arguments):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        assert flags & os.O_EXCL
        assert flags & os.O_NOFOLLOW
        return real(path, flags, *arguments)

    monkeypatch.setattr(os, "open", refusing)
    write_atomic(tmp_path / "out", [b"x"])
    assert os.listdir(tmp_path) == ["out"]


def test_a_name_that_is_taken_is_never_written_to(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE")
    monkeypatch.setattr(os, "urandom", lambda size: bytes(size))
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / f".flameparse-{bytes(8).hex()}.tmp").symlink_to(victim)
    with pytest.raises(SinkError, match="File exists"):
        write_atomic(tmp_path / "out", [b"x"])
    assert victim.read_bytes() == b"precious"


def test_a_symbolic_link_stays_and_its_target_is_replaced(way, tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "files").mkdir()
    target, link = tmp_path / "files" / "real", tmp_path / "links" / "out"
    link.symlink_to("../files/real")
    write_atomic(link, [b"first"])  # it points to nothing yet
    assert target.read_bytes() == b"first"
    write_atomic(link, [b"second"])
    assert (link.is_symlink(), target.is_symlink(), target.read_bytes()) == (True, False, b"second")
    assert os.listdir(tmp_path / "links") == ["out"]
    assert os.listdir(tmp_path / "files") == ["real"]


def test_a_loop_of_links_is_an_error(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(SinkError, match="Too many levels of symbolic links"):
        write_atomic(tmp_path / "a", [b"x"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/out", "No such file or directory"),
        ("file/out", "Not a directory"),
        (".", "Is a directory"),
        ("x" * 256, "File name too long"),
        ("new/", "names no file"),
    ],
)
def test_targets_that_cannot_be(tmp_path, name, message):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SinkError, match=message):
        write_atomic(f"{tmp_path}/{name}", [b"x"])
    assert os.listdir(tmp_path) == ["file"]


def test_the_longest_name_a_directory_takes(tmp_path):
    write_atomic(tmp_path / ("x" * 255), [b"x"])
    assert os.listdir(tmp_path) == ["x" * 255]


def test_an_empty_name():
    with pytest.raises(SinkError, match=r"^'' names no file$"):
        write_atomic("", [b"x"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SinkError, match="Permission denied"):
        write_atomic(tmp_path / "out", [b"x"])


def test_devices_are_written_to_directly():
    assert write_atomic("/dev/null", [b"x" * 10]) == 10
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(SinkError, match=r"^/dev/full: No space left on device$") as caught:
        write_atomic("/dev/full", [b"x"])
    assert caught.value.__cause__.errno == errno.ENOSPC


def test_a_fifo_is_written_to_directly(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    received = []
    reader = threading.Thread(target=lambda: received.append(path.read_bytes()))
    reader.start()
    assert write_atomic(path, [b"a" * 100_000, b"b"]) == 100_001
    reader.join()
    assert received == [b"a" * 100_000 + b"b"]
    assert stat.S_ISFIFO(path.stat().st_mode)


def run(code, **keywords):
    """Run Python code in a new process that can import the package."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        **keywords,
    )


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
def test_dev_stdout_is_the_descriptor_even_if_it_is_a_file(tmp_path, name):
    path = tmp_path / "out"
    with path.open("wb") as out:
        out.write(b"before ")
        out.flush()
        run(f"from flameparse.sink import write_atomic; write_atomic({name!r}, [b'after'])", stdout=out, timeout=60)
    assert path.read_bytes() == b"before after"


def test_a_stream_that_takes_little_at_a_time(monkeypatch, tmp_path):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    with (tmp_path / "out").open("wb") as out:
        assert write_stream(out.fileno(), [bytes(range(100)), b"x"]) == 101
    assert (tmp_path / "out").read_bytes() == bytes(range(100)) + b"x"


def test_a_stream_that_is_full_for_now():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = bytes(range(256)) * 4096  # larger than any pipe
    received = bytearray()

    def read_slowly():
        while chunk := os.read(reading, 50_000):
            received.extend(chunk)
            time.sleep(0.001)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    assert write_stream(writing, [data]) == len(data)
    os.close(writing)
    reader.join()
    os.close(reading)
    assert received == data


def test_a_closed_pipe_is_the_caller_s_to_judge():
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with pytest.raises(BrokenPipeError):
            write_stream(writing, [b"x"])
    finally:
        os.close(writing)


def test_streams_are_named_in_errors():
    code = (
        "import sys; from flameparse.sink import write_stream\ntry: write_stream({}, [b'x'])\nexcept Exception as e: {}"
    )
    with open("/dev/full", "wb") as full:
        done = run(code.format(1, "print(repr(e), file=sys.stderr)"), stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.stderr == b"SinkError('standard output: No space left on device')\n"
    done = run(code.format(99, "print(e)"), stdout=subprocess.PIPE, timeout=60)
    assert done.stdout == b"descriptor 99: Bad file descriptor\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_leaves_the_old_file(tmp_path):
    script = f"""
set -e
mount -t tmpfs -o size=128k none {tmp_path}
echo old > {tmp_path}/out
{sys.executable} -c '
from flameparse.sink import write_atomic
try: write_atomic("{tmp_path}/out", (b"x" * 4096 for _ in range(1000)))
except Exception as error: print(repr(error))
'
cat {tmp_path}/out; ls -A {tmp_path}
"""
    environment = {**foreign.environment(), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = foreign.run(["unshare", "--mount", "sh", "-c", script], env=environment, timeout=60)
    if b"ermission denied" in done.stderr or b"not permitted" in done.stderr:
        pytest.skip("no mount namespaces here")
    assert done.stdout.decode() == f"SinkError('{tmp_path}/out: No space left on device')\nold\nout\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_kill_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path, number):
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("no O_TMPFILE here")
    path = tmp_path / "out"
    path.write_bytes(b"old")
    code = f"""
import itertools
from flameparse.sink import write_atomic
def chunks():
    for count in itertools.count():
        if count == 3: print("writing", flush=True)
        yield bytes({BLOCK})
        if count > 64: import time; time.sleep(60)
write_atomic({str(path)!r}, chunks())
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(number)
        assert process.wait(timeout=30) == -number
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out"]


def test_many_writers_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "out"
    contents = [bytes([i]) * 300_000 for i in range(8)]
    threads = [threading.Thread(target=write_atomic, args=(path, [content])) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert os.listdir(tmp_path) == ["out"]
