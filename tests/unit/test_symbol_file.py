"""A path that a trace names opens a regular file or nothing, and never leaves where it may lead."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from flameparse.errors import SourceError
from flameparse.limits import MAX_SYMBOL_FILE_BYTES
from flameparse.symbolize import symbol_file
from flameparse.symbolize.symbol_file import SymbolBytes, SymbolFile, open_beneath, open_local, open_named


def content(file: SymbolFile | None) -> bytes | None:
    if file is None:
        return None
    with file:
        return file.read_at(0, 100)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small root: /usr/lib/x.so, /lib a link to it, and a secret beside the root."""
    (tmp_path / "secret").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "usr" / "lib").mkdir(parents=True)
    (root / "usr" / "lib" / "x.so").write_bytes(b"library")
    return root


@pytest.mark.parametrize(
    ("offset", "count", "expected"),
    [
        (0, 4, b"0123"),
        (8, 4, b"89"),
        (10, 1, b""),
        (11, 1, b""),
        (-1, 4, b""),
        (1 << 70, 1, b""),
        (3, 0, b""),
        (3, -2, b""),
        (2, 1 << 70, b"23456789"),  # no memory is asked for what is not there
    ],
)
def test_read_at(tmp_path: Path, offset: int, count: int, expected: bytes) -> None:
    path = tmp_path / "digits"
    path.write_bytes(b"0123456789")
    with open_named(str(path)) as file:
        assert (file.size, file.uid, file.path) == (10, os.getuid(), str(path))
        assert file.read_at(offset, count) == expected
    assert SymbolBytes(b"0123456789", "here").read_at(offset, count) == expected


def test_a_part_of_a_file_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "digits"
    path.write_bytes(b"0123456789")
    with open_named(str(path)) as whole:
        part = whole.part(2, 5, "part")
    with part:
        assert (part.path, part.size, part.read_all(5)) == ("part", 5, b"23456")
        assert (part.read_at(3, 100), part.read_at(5, 1)) == (b"56", b"")
        assert content(part.part(1, 2, "")) == b"34"


def test_a_change_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_bytes(b"one\n")
    with open_named(str(path)) as file:
        assert not file.has_changed()
        with path.open("ab") as writer:
            writer.write(b"two\n")
        assert file.has_changed()
        assert file.read_all(100) == b"one\n"


def test_read_all_stops_at_the_cap(tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_bytes(b"12345")
    with open_named(str(path)) as file:
        assert file.read_all(5) == b"12345"
        with pytest.raises(SourceError, match="larger than 4 bytes"):
            file.read_all(4)
    with pytest.raises(SourceError, match="larger than 4 bytes"):
        open_named(str(path), max_bytes=4)
    assert content(open_named(str(path), max_bytes=5)) == b"12345"


@pytest.mark.parametrize("excess", [0, 1])
def test_no_symbol_file_is_larger_than_the_cap(tmp_path: Path, excess: int) -> None:
    path = tmp_path / "huge"
    path.touch()
    try:
        os.truncate(path, MAX_SYMBOL_FILE_BYTES + excess)
    except OSError:
        pytest.skip("no file of that size here")
    for opening in (
        lambda: open_named(str(path)),
        lambda: open_beneath(str(tmp_path), b"huge"),
        lambda: open_local(os.fsencode(path)),
    ):
        if excess:
            with pytest.raises(SourceError, match="larger than"):
                opening()
        else:
            assert content(opening()) == bytes(100)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no /proc here")
def test_files_that_say_they_are_empty_are_read() -> None:
    with open_named("/proc/self/status", follow=False) as file:
        assert file.size == 0
        assert file.read_all(1 << 20).startswith(b"Name:")
        with pytest.raises(SourceError, match="larger than 10 bytes"):
            file.read_all(10)


def make_trap(path: Path, kind: str) -> None:
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "socket":
        listener = socket.socket(socket.AF_UNIX)
        os.chdir(path.parent)  # the path of a socket is short
        listener.bind(path.name)
        listener.close()
    else:
        path.mkdir()


@pytest.mark.parametrize("kind", ["FIFO", "socket", "directory"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    trap = tmp_path / "trap"
    make_trap(trap, kind)
    (tmp_path / "link").symlink_to("trap")
    started = time.monotonic()
    for opening in (
        lambda: open_named(str(trap)),
        lambda: open_named(str(trap), follow=False),
        lambda: open_named(str(tmp_path / "link")),
        lambda: open_beneath(str(tmp_path), b"trap"),
        lambda: open_beneath(str(tmp_path), b"link"),
        lambda: open_local(os.fsencode(trap)),
    ):
        with pytest.raises(SourceError, match=f"is a {kind}"):
            opening()
    assert time.monotonic() - started < 1


def test_a_device_is_not_even_looked_at() -> None:
    for path in ("/dev/null", "/dev/zero", "/dev/tty"):
        with pytest.raises(SourceError, match="a device, not a file"):
            open_named(path)
        with pytest.raises(SourceError, match="not a place of programs"):
            open_local(path.encode())


def test_a_name_that_becomes_a_fifo_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map"
    path.write_bytes(b"")
    real_open = os.open

    def swapping_open(name: str, flags: int, **place: int) -> int:
        path.unlink()
        os.mkfifo(path)
        return real_open(name, flags, **place)

    monkeypatch.setattr(symbol_file.os, "open", swapping_open)
    with pytest.raises(SourceError, match="is a FIFO"):
        open_named(str(path), follow=False)


def test_a_missing_file_is_none_beneath_a_root(root: Path) -> None:
    for path in (b"nope", b"/usr/nope/x.so", b"usr/lib/x.so/more", b"a\0b", b"usr/lib/x.so\0", b"x" * 5000):
        assert open_beneath(str(root), path) is None
    assert open_beneath(str(root / "nope"), b"x") is None
    assert open_local(os.fsencode(root / "nope")) is None
    assert open_local(b"usr/lib/x.so") is None
    assert open_local(os.fsencode(root / "usr" / ".." / "usr" / "lib" / "x.so")) is None
    for path in (str(root / "nope"), "a\0b"):
        with pytest.raises(SourceError):
            open_named(path)


@pytest.mark.parametrize("path", [b"usr/lib/x.so", b"/usr/lib/x.so", b"//usr/./lib//x.so", b"usr/../usr/lib/x.so"])
def test_a_file_beneath_a_root(root: Path, path: bytes) -> None:
    assert content(open_beneath(str(root), path)) == b"library"


@pytest.mark.parametrize("path", [b"../secret", b"/../secret", b"usr/../../secret", b"usr/lib/../../../secret"])
def test_no_path_leaves_its_root(root: Path, path: bytes) -> None:
    assert open_beneath(str(root), path) is None
    (root / "secret").write_bytes(b"inside")
    assert content(open_beneath(str(root), path)) == b"inside"


@pytest.mark.parametrize(
    ("link", "target", "expected"),
    [
        ("usr/lib/y.so", "x.so", b"library"),
        ("usr/lib/y.so", "../../usr/lib/x.so", b"library"),
        ("usr/lib/y.so", "/usr/lib/x.so", b"library"),  # as on the machine the root is of
        ("usr/lib/y.so", "../../../secret", None),
        ("usr/lib/y.so", "../../../../../../../../../../secret", None),
        ("usr/lib/y.so", "{outside}/secret", None),
        ("lib", "usr/lib", b"library"),
        ("lib", "/usr/lib", b"library"),
        ("lib", "..", None),
        ("lib", "{outside}", None),
    ],
)
def test_links_beneath_a_root_stay_there(root: Path, link: str, target: str, expected: bytes | None) -> None:
    (root / link).symlink_to(target.format(outside=root.parent))
    path = b"usr/lib/y.so" if link.endswith(".so") else b"lib/x.so"
    assert content(open_beneath(str(root), path)) == expected


def test_a_ring_of_links_ends(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(SourceError, match="symbolic link"):
        open_beneath(str(root), b"a")


def test_the_file_itself_may_be_forbidden_to_be_a_link(root: Path) -> None:
    (root / "lib").symlink_to("usr/lib")
    (root / "usr" / "lib" / "y.so").symlink_to("x.so")
    assert content(open_beneath(str(root), b"lib/x.so", follow=False)) == b"library"
    with pytest.raises(SourceError, match="symbolic link"):
        open_beneath(str(root), b"usr/lib/y.so", follow=False)
    with pytest.raises(SourceError, match="symbolic link"):
        open_named(str(root / "usr" / "lib" / "y.so"), follow=False)
    assert content(open_named(str(root / "usr" / "lib" / "y.so"))) == b"library"


def test_a_trace_follows_no_link_on_this_machine(root: Path) -> None:
    (root / "lib").symlink_to("usr/lib")
    (root / "usr" / "lib" / "y.so").symlink_to("x.so")
    assert content(open_local(os.fsencode(root / "usr/lib/x.so"))) == b"library"
    for path in ("lib/x.so", "usr/lib/y.so"):
        with pytest.raises(SourceError, match="symbolic link"):
            open_local(os.fsencode(root / path))


def test_directories_that_the_system_moved_are_found() -> None:
    libc = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libc." in line)
    assert libc.startswith("/usr/")
    if os.path.realpath("/lib") != "/usr/lib":
        pytest.skip("/lib is no link here")
    start = content(open_local(libc.encode()))
    assert start is not None
    assert content(open_local(libc.removeprefix("/usr").encode())) == start


@pytest.mark.parametrize(
    "path", [b"/proc/self/mem", b"/sys/kernel/notes", b"/dev/stdin", b"/run/x", b"/net/host/x", b"//proc/kmsg",
             b"/./sys/kernel/notes", b"/.//dev/stdin"]
)  # fmt: skip
def test_a_trace_names_nothing_in_special_places(path: bytes) -> None:
    with pytest.raises(SourceError, match="not a place of programs"):
        open_local(path)


def test_no_descriptor_is_left_open(root: Path) -> None:
    before = sorted(os.listdir("/dev/fd"))
    for path in (b"usr/lib/x.so", b"usr/../../..", b"usr", b"nope", b"usr/lib/nope"):
        try:
            content(open_beneath(str(root), path))
        except SourceError:
            pass
    file = open_beneath(str(root), b"usr/lib/x.so")
    assert file is not None
    file.close()
    file.close()
    assert sorted(os.listdir("/dev/fd")) == before
