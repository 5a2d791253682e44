"""Which file a DSO's names come from, in which order, and what is said where there is none."""

from __future__ import annotations

import lzma
import os
import subprocess
import sys
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from struct import pack

import pytest

from elf_builder import CODE_OFFSET, tiny_elf
from flameparse import limits
from flameparse.errors import SourceError
from flameparse.model.dso import Dso, DsoKind
from flameparse.symbolize import finder as finder_module
from flameparse.symbolize import kernel_search, machine
from flameparse.symbolize.elf_search import is_bare_name, is_same_build
from flameparse.symbolize.finder import Finder, Found
from flameparse.symbolize.kernel_search import module_name
from flameparse.symbolize.options import PERF_RULES, PRECISE_RULES, HostFacts, SymbolOptions

ID = bytes.fromhex("abcdef0123456789abcdef0123456789abcdef01")
OTHER_ID = bytes.fromhex("1111111111111111111111111111111111111111")
ID_PLACE = "ab/cdef0123456789abcdef0123456789abcdef01"
HERE = HostFacts(hostname=os.uname().nodename, release=os.uname().release)
ELSEWHERE = HostFacts(hostname="elsewhere", release="1.2.3")
NOBODY = 65534


class World:
    """A directory for the recorded files, one for the debug files of the system, and a home."""

    def __init__(self, root: Path) -> None:
        self.files, self.debug, self.home = root / "files", root / "debug", root / "home"
        for directory in (self.files, self.debug, self.home):
            directory.mkdir()
        self.app = self.files / "app"

    def put(self, path: Path, content: bytes, mode: int = 0o755) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        return path

    def find(self, dso: Dso, host: HostFacts = HERE, **options: object) -> Found:
        return Finder(SymbolOptions(**options), host, [dso]).find(dso)  # type: ignore[arg-type]

    def file(self, path: Path | None = None, build_id: bytes = ID) -> Dso:
        return Dso(os.fsencode(path or self.app), DsoKind.FILE, build_id=build_id)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(tmp_path)
    monkeypatch.setenv("HOME", str(world.home))
    monkeypatch.setattr(finder_module, "_DEBUG_ROOT", str(world.debug))
    return world


def names(found: Found) -> list[bytes]:
    """Say what the functions of a ``tiny_elf`` are called, by the table that was found."""
    if found.table is None:
        return []
    rows = found.table.resolve(array("Q", [CODE_OFFSET + 8, CODE_OFFSET + 24]).tobytes())
    return [found.table.name(row) for row in rows if row != 0xFFFFFFFF]


# Files: which one


def test_a_file_where_the_recording_says(world: World) -> None:
    world.put(world.app, tiny_elf(build_id=ID, symtab=(b"f", b"g"), dynsym=(b"f",)))
    found = world.find(world.file())
    assert (names(found), found.file, found.reason) == ([b"f", b"g"], str(world.app), "")


def test_files_taken_by_place_alone_are_counted(world: World) -> None:
    world.put(world.app, tiny_elf(build_id=ID, symtab=(b"f",)))
    for build_id, options, unverified in (
        (ID, {}, []),
        (b"", {}, [os.fsencode(world.app)]),
        (b"", {"symfs": "/"}, []),  # the user vouches for it
    ):
        finder = Finder(SymbolOptions(**options), HERE)
        assert names(finder.find(world.file(build_id=build_id))) == [b"f"]
        assert finder.unverified == unverified


@pytest.mark.parametrize("host", [HERE, ELSEWHERE])
def test_another_build_is_not_taken(world: World, host: HostFacts) -> None:
    world.put(world.app, tiny_elf(build_id=OTHER_ID, symtab=(b"f",), dynsym=(b"f",)))
    found = world.find(world.file(), host)
    assert found.table is None
    assert found.reason == f"build id differs: {world.app} has {OTHER_ID.hex()}, the recording {ID.hex()}"


def test_a_file_without_build_id_is_not_one_that_has_one(world: World) -> None:
    world.put(world.app, tiny_elf(symtab=(b"f",)))
    found = world.find(world.file())
    assert found.reason == f"build id differs: {world.app} has none, the recording {ID.hex()}"


def test_a_padded_build_id_is_the_same() -> None:
    assert is_same_build(ID, ID)
    assert is_same_build(ID[:16] + bytes(4), ID[:16])
    assert not is_same_build(ID[:16], ID[:16] + bytes(4))
    assert not is_same_build(b"", b"")
    assert not is_same_build(bytes(20), b"")


def test_a_stripped_file_says_so(world: World) -> None:
    world.put(world.app, tiny_elf(build_id=ID, dynsym=(b"f",)))
    found = world.find(world.file())
    assert (names(found), found.file) == ([b"f"], str(world.app))
    assert found.reason == (
        f"{world.app} is stripped: no debug file of it here, and none with build id {ID.hex()} "
        f"below ~/.debug or {world.debug}"
    )


def test_nothing_there(world: World) -> None:
    assert world.find(world.file()).reason == (
        f"no file {world.app} here, and none with build id {ID.hex()} below ~/.debug or {world.debug}"
    )
    assert world.find(world.file(build_id=b"")).reason == f"no file {world.app} here"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", " is no ELF file"),
        (b"#!/bin/sh\n", " is no ELF file"),
        (b"\x7fELF", ": ELF file: offset 4: header of unknown class"),
        (tiny_elf(build_id=ID, symtab=(b"f",))[:2000], ": ELF file: offset"),
    ],
)
def test_a_damaged_file_is_a_reason(world: World, content: bytes, reason: str) -> None:
    world.put(world.app, content)
    found = world.find(world.file())
    assert found.table is None
    assert found.reason.startswith(f"{world.app}{reason}")


# The places in perf's order; each test file names its function after its place.
PLACES = {
    "link beside": lambda world: world.files / "app.dbg",
    "link in .debug": lambda world: world.files / ".debug" / "app.dbg",
    "link in debug root": lambda world: Path(f"{world.debug}{world.files}") / "app.dbg",
    "cache elf": lambda world: world.home / ".debug" / ".build-id" / ID_PLACE / "elf",
    "cache debug": lambda world: world.home / ".debug" / ".build-id" / ID_PLACE / "debug",
    "path.debug": lambda world: Path(f"{world.debug}{world.app}.debug"),
    "path": lambda world: Path(f"{world.debug}{world.app}"),
    "build id": lambda world: world.debug / ".build-id" / (ID_PLACE + ".debug"),
    "beside": lambda world: world.files / ".debug" / "app",
}


@pytest.mark.parametrize("rules", ["perf-6.1", "precise"])
@pytest.mark.parametrize("first", range(len(PLACES)))
def test_debug_files_in_perfs_order(world: World, first: int, rules: str) -> None:
    world.put(world.app, tiny_elf(build_id=ID, dynsym=(b"f",), debug_link=(b"app.dbg", 0)))
    for name, place in list(PLACES.items())[first:]:
        world.put(place(world), tiny_elf(build_id=ID, symtab=(b"f", name.encode())))
    name, place = list(PLACES.items())[first]
    found = world.find(world.file(), rules=rules)
    assert (names(found), found.file, found.reason) == ([b"f", name.encode()], str(place(world)), "")


@pytest.mark.parametrize("first", range(len(PLACES)))
def test_a_debug_file_of_another_build_is_passed_over(world: World, first: int) -> None:
    world.put(world.app, tiny_elf(build_id=ID, dynsym=(b"f",), debug_link=(b"app.dbg", 0)))
    places = [place(world) for place in PLACES.values()]
    for i, place in enumerate(places):
        world.put(place, tiny_elf(build_id=OTHER_ID if i <= first else ID, symtab=(b"f", b"%d" % i)))
    found = world.find(world.file())
    if first + 1 < len(places):
        assert (names(found), found.file) == ([b"f", b"%d" % (first + 1)], str(places[first + 1]))
    else:
        assert (names(found), found.file) == ([b"f"], str(world.app))
        assert found.reason.count("build id differs") == len(places)


@pytest.mark.parametrize("rules", [PRECISE_RULES, PERF_RULES])
def test_names_within_the_file_itself(world: World, rules: str) -> None:
    inner = lzma.compress(tiny_elf(symtab=(b"exported", b"hidden")))
    world.put(world.app, tiny_elf(build_id=ID, dynsym=(b"exported",), debug_data=inner))
    found = world.find(world.file(), rules=rules)
    if rules == PRECISE_RULES:
        assert (names(found), found.file, found.reason) == ([b"exported", b"hidden"], str(world.app), "")
    else:
        assert (names(found), found.reason.partition(":")[0]) == ([b"exported"], f"{world.app} is stripped")


def test_a_debug_file_outranks_what_is_within_the_file(world: World) -> None:
    inner = lzma.compress(tiny_elf(symtab=(b"exported", b"inner")))
    world.put(world.app, tiny_elf(build_id=ID, dynsym=(b"exported",), debug_data=inner))
    world.put(PLACES["build id"](world), tiny_elf(build_id=ID, symtab=(b"exported", b"full")))
    assert names(world.find(world.file())) == [b"exported", b"full"]


def test_damage_within_the_file_is_said(world: World) -> None:
    world.put(world.app, tiny_elf(build_id=ID, dynsym=(b"exported",), debug_data=b"no xz"))
    found = world.find(world.file())
    assert names(found) == [b"exported"]
    assert found.reason.startswith(f"{world.app} is stripped: {world.app}: ELF file")
    assert found.reason.endswith(".gnu_debugdata is cut")


def test_a_build_id_of_the_file_alone_leads_to_its_debug_file(world: World) -> None:
    world.put(world.app, tiny_elf(build_id=ID, dynsym=(b"f",)))
    place = world.put(PLACES["build id"](world), tiny_elf(build_id=ID, symtab=(b"f", b"g")))
    world.put(PLACES["path"](world), tiny_elf(build_id=OTHER_ID, symtab=(b"f", b"x")))
    found = world.find(world.file(build_id=b""))
    assert (names(found), found.file) == ([b"f", b"g"], str(place))


def test_the_cache_is_made_of_links(world: World) -> None:
    cache = world.home / ".debug"
    entry = world.put(cache / "opt" / "app" / ID.hex() / "elf", tiny_elf(build_id=ID, symtab=(b"f", b"g")))
    link = cache / ".build-id" / ID_PLACE
    link.parent.mkdir(parents=True)
    link.symlink_to(f"../../opt/app/{ID.hex()}")
    assert names(world.find(world.file())) == [b"f", b"g"]
    link.unlink()
    link.symlink_to(world.put(world.files / "elsewhere" / "elf", entry.read_bytes()).parent)
    found = world.find(world.file())  # a link that leaves the cache leads nowhere
    assert (found.table, found.reason[:8]) == (None, "no file ")


@pytest.mark.parametrize("checksum_is_right", [True, False])
def test_without_any_build_id_a_checksum_decides(world: World, checksum_is_right: bool) -> None:
    debug = tiny_elf(symtab=(b"f", b"g"))
    checksum = zlib.crc32(debug) ^ (not checksum_is_right)
    world.put(world.app, tiny_elf(dynsym=(b"f",), debug_link=(b"app.dbg", checksum)))
    world.put(world.files / "app.dbg", debug)
    world.put(PLACES["path"](world), tiny_elf(symtab=(b"f", b"x")))  # nothing vouches for it
    found = world.find(world.file(build_id=b""))
    assert names(found) == ([b"f", b"g"] if checksum_is_right else [b"f"])
    assert names(world.find(world.file(build_id=b""), rules=PERF_RULES)) == [b"f", b"g"]  # perf does not look


@pytest.mark.parametrize("link", [b"../secret.dbg", b"/etc/app.dbg", b"..", b".", b"a/b"])
def test_a_debug_link_that_is_a_path_is_not_followed(world: World, link: bytes) -> None:
    world.put(world.app, tiny_elf(build_id=ID, dynsym=(b"f",), debug_link=(link, 0)))
    world.put(world.files.parent / "secret.dbg", tiny_elf(build_id=ID, symtab=(b"f", b"g")))
    world.put(world.files / "a" / "b", tiny_elf(build_id=ID, symtab=(b"f", b"g")))
    assert names(world.find(world.file())) == [b"f"]
    assert not is_bare_name(link)


# Files: trust


def test_without_build_id_a_file_of_another_machine_stays_shut(world: World) -> None:
    world.put(world.app, tiny_elf(symtab=(b"f", b"g")))
    finder = Finder(SymbolOptions(), ELSEWHERE)
    found = finder.find(world.file(build_id=b""))
    assert found.reason == (
        "recorded on elsewhere, kernel 1.2.3, which is not this machine, "
        f"and there is no build id of {world.app}: give --symfs"
    )
    assert finder.opened == []
    assert names(world.find(world.file(build_id=b""), HERE)) == [b"f", b"g"]


@pytest.mark.parametrize(
    ("name", "mode", "is_opened"),
    [("app", 0o755, True), ("libx.so.6", 0o644, True), ("shadow", 0o644, False), ("id_rsa", 0o600, False)],
)
def test_another_machines_recording_opens_programs_only(world: World, name: str, mode: int, is_opened: bool) -> None:
    path = world.put(world.files / name, tiny_elf(build_id=ID, symtab=(b"f",)), mode)
    finder = Finder(SymbolOptions(), ELSEWHERE)
    found = finder.find(world.file(path))
    assert (names(found), finder.opened) == (([b"f"], [str(path)]) if is_opened else ([], []))
    assert is_opened or found.reason == (
        f"recorded on elsewhere, kernel 1.2.3, which is not this machine, and {path} is no program by its name and "
        "mode: give --symfs"
    )


@pytest.mark.parametrize("build_id", [b"", b"abc", b"a" * 21])
def test_what_is_no_build_id_opens_nothing_elsewhere(world: World, build_id: bytes) -> None:
    world.put(world.app, tiny_elf(build_id=build_id, symtab=(b"f",)))
    finder = Finder(SymbolOptions(), ELSEWHERE)
    assert (finder.find(world.file(build_id=build_id)).table, finder.opened) == (None, [])


@pytest.mark.parametrize(
    "host",
    [
        HostFacts(hostname=HERE.hostname, release="1.2.3"),
        HostFacts(hostname="elsewhere", release=HERE.release),
        HostFacts(release=HERE.release),
        HostFacts(),
    ],
)
def test_what_is_not_this_machine(host: HostFacts) -> None:
    assert not Finder(SymbolOptions(), host).is_local
    assert Finder(SymbolOptions(), HERE).is_local


def test_a_killed_recording_is_of_this_machine_if_a_file_is(world: World) -> None:
    status = world.put(world.app, tiny_elf(symtab=(b"f", b"g"))).stat()
    device = os.major(status.st_dev) << 32 | os.minor(status.st_dev)
    for inode, is_local in ((status.st_ino, True), (status.st_ino + 1, False)):
        dso = Dso(os.fsencode(world.app), DsoKind.FILE, device=device, inode=inode)
        dsos: list[Dso] = []
        finder = Finder(SymbolOptions(), HostFacts(), dsos)
        assert not finder.is_local
        dsos.append(dso)
        assert finder.is_local == is_local
        assert names(finder.find(dso)) == ([b"f", b"g"] if is_local else [])
        # Where the recording names its machine, that is what counts.
        assert not Finder(SymbolOptions(), ELSEWHERE, [dso]).is_local


def test_a_file_that_changed_since_is_not_taken(world: World) -> None:
    world.put(world.app, tiny_elf(symtab=(b"f",)))
    os.utime(world.app, (1000, 1000))
    for captured_at, is_taken in ((1000.0, True), (990.0, False), (None, True)):
        host = HostFacts(hostname=HERE.hostname, release=HERE.release, captured_at=captured_at)
        found = world.find(world.file(build_id=b""), host)
        assert names(found) == ([b"f"] if is_taken else [])
        assert is_taken or found.reason == f"{world.app} changed after the recording, which has no build id of it"
        assert names(world.find(world.file(build_id=b""), host, rules=PERF_RULES)) == [b"f"]


@pytest.mark.parametrize("kind", ["FIFO", "link", "directory"])
def test_traps_are_reasons(world: World, kind: str) -> None:
    if kind == "FIFO":
        os.mkfifo(world.app)
    elif kind == "link":
        world.app.symlink_to(world.put(world.files / "real", tiny_elf(build_id=ID, symtab=(b"f",))))
    else:
        world.app.mkdir()
    found = world.find(world.file())
    assert found.table is None
    assert {"FIFO": "is a FIFO", "link": "is a symbolic link", "directory": "is a directory"}[kind] in found.reason


@pytest.mark.parametrize(
    "path", [b"/x\0y", b"relative", b"", b"/" + b"x" * 5000, b"[heap]", b"/..", b"/memfd:x (deleted)"]
)
@pytest.mark.parametrize("build_id", [b"", ID])
def test_impossible_paths_are_reasons(world: World, path: bytes, build_id: bytes) -> None:
    for options in ({}, {"symfs": str(world.files)}):
        found = world.find(Dso(path, DsoKind.FILE, build_id=build_id), **options)
        assert found.table is None
        assert found.reason


def test_kinds_without_names(world: World) -> None:
    assert world.find(Dso(b"[heap]", DsoKind.NO_FILE)).reason == "[heap] is no file"
    assert world.find(Dso(b"jit-1.dump", DsoKind.CODE)).reason == ""


# Files: --symfs


def test_symfs_stands_before_every_path(world: World) -> None:
    symfs = world.files / "symfs"
    world.put(Path(f"{symfs}/usr/lib/x.so"), tiny_elf(build_id=ID, dynsym=(b"f",)))
    dso = Dso(b"/usr/lib/x.so", DsoKind.FILE, build_id=ID)
    assert names(world.find(dso, ELSEWHERE, symfs=str(symfs))) == [b"f"]
    assert names(world.find(Dso(dso.path, DsoKind.FILE), ELSEWHERE, symfs=str(symfs))) == [b"f"]
    debug = Path(f"{symfs}{world.debug}") / ".build-id" / (ID_PLACE + ".debug")
    world.put(debug, tiny_elf(build_id=ID, symtab=(b"f", b"g")))
    found = world.find(dso, ELSEWHERE, symfs=str(symfs))
    assert (names(found), found.file) == ([b"f", b"g"], str(debug))


def test_with_symfs_this_machines_files_do_not_count(world: World) -> None:
    world.put(world.app, tiny_elf(build_id=ID, symtab=(b"f",)))
    (world.files / "symfs").mkdir()
    finder = Finder(SymbolOptions(symfs=str(world.files / "symfs")), HERE)
    found = finder.find(world.file())
    assert found.reason == (
        f"no file {world.app} in {world.files}/symfs, and none with build id {ID.hex()} below ~/.debug or {world.debug}"
    )
    assert finder.opened == []


@pytest.mark.parametrize("option", ["symfs", "kallsyms", "vmlinux", "perf_map_dir"])
def test_what_the_user_names_must_be_there(tmp_path: Path, option: str) -> None:
    with pytest.raises(SourceError, match="No such file or directory"):
        Finder(SymbolOptions(**{option: str(tmp_path / "nope")}), HERE)
    with pytest.raises(SourceError, match="No such file or directory"):
        Finder(SymbolOptions(perf_maps={1: str(tmp_path / "nope")}), HERE)


# The vdso and living processes


@pytest.mark.skipif(machine.vdso() is None, reason="no vdso here")
def test_the_vdso_is_our_own(world: World) -> None:
    from flameparse.symbolize.elf import ElfFile

    image = machine.vdso()
    assert image is not None
    own_id = ElfFile(image).build_id
    for host, build_id, is_found in (
        (HERE, b"", True),
        (HERE, own_id, True),
        (ELSEWHERE, own_id, True),
        (ELSEWHERE, b"", False),
        (ELSEWHERE, OTHER_ID, False),
        (HERE, OTHER_ID, False),
    ):
        found = world.find(Dso(b"[vdso]", DsoKind.VDSO, build_id=build_id), host)
        assert (found.file, bool(found.table)) == (("[vdso]", True) if is_found else ("", False))


# Maps a file until its input ends.
HOLDER = """
import mmap, sys
with open(sys.argv[1]) as file:
    held = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)
print(1, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("build_id", [b"", ID])
@pytest.mark.parametrize("recorded_suffix", ["", " (deleted)"])
def test_a_deleted_file_of_a_living_process(world: World, build_id: bytes, recorded_suffix: str) -> None:
    path = world.put(world.app, tiny_elf(build_id=ID, symtab=(b"f",), dynsym=(b"f",)))
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"1\n"
        if not os.access(f"/proc/{holder.pid}/map_files", os.R_OK | os.X_OK) or os.geteuid() != 0:
            pytest.skip("map_files are for root")
        path.unlink()
        dso = Dso(os.fsencode(path) + recorded_suffix.encode(), DsoKind.FILE, build_id=build_id, pid=holder.pid)
        found = world.find(dso)
        assert names(found) == [b"f"]
        assert found.file.startswith(f"/proc/{holder.pid}/map_files/")
        # One that started after the recording had ended is not the process it means.
        early = HostFacts(hostname=HERE.hostname, release=HERE.release, captured_at=1.0)
        assert world.find(dso, early).table is None
        assert world.find(dso, ELSEWHERE).table is None
    finally:
        holder.communicate(b"\n")


def test_facts_about_processes() -> None:
    own = machine.live_process(os.getpid(), None)
    assert own is not None
    assert (own.uid, own.root, own.is_apart) == (os.getuid(), f"/proc/{os.getpid()}/root", False)
    assert (
        machine.live_process(0, None) is machine.live_process(-1, None) is machine.live_process(1 << 30, None) is None
    )
    assert machine.live_process(os.getpid(), 1.0) is None


def test_what_a_process_sees_is_no_more_trusted_than_the_trace(world: World) -> None:
    own = machine.live_process(os.getpid(), None)
    assert own is not None
    world.put(world.app, b"content")
    link = world.files / "link"
    link.symlink_to(world.app)
    file = own.open(os.fsencode(world.app))
    assert file is not None
    with file:
        assert file.read_all(100) == b"content"
    for path, reason in (
        (os.fsencode(link), "symbolic link"),
        (b"/proc/kmsg", "not a place of programs"),
        (b"//sys/kernel/notes", "not a place of programs"),
    ):
        with pytest.raises(SourceError, match=reason):
            own.open(path)
    assert own.open(os.fsencode(world.files) + b"/../files/app") is None
    assert own.open_mapped(b"//proc/kmsg") is None


@pytest.mark.parametrize("path", [b"/net/host/app.so", b"//net/host/app.so", b"/misc/./app.so"])
def test_no_look_makes_the_machine_ask_another_one(world: World, path: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []
    real = os.lstat
    monkeypatch.setattr(os, "lstat", lambda path, **options: (looked.append(path), real(path, **options))[1])
    dso = Dso(path, DsoKind.FILE, build_id=ID, device=1, inode=1)
    for host in (HERE, ELSEWHERE, HostFacts()):
        assert world.find(dso, host).table is None
    assert path not in looked


# Perf maps


MAP = b"7f0000001000 10 hot\n"


def map_names(found: Found) -> list[bytes]:
    assert found.table is not None
    return [found.table.name(row) for row in found.table.resolve(array("Q", [0x7F0000001008]).tobytes())]


def jit(pid: int) -> Dso:
    return Dso(b"/tmp/perf-%d.map" % pid, DsoKind.PERF_MAP, pid=pid)


def test_a_map_by_name_by_directory_and_in_symfs(world: World) -> None:
    world.put(world.files / "any", MAP)
    world.put(world.files / "perf-7.map", MAP)
    world.put(world.files / "tmp" / "perf-8.map", MAP)
    for pid, options, path in (
        (7, {"perf_maps": {7: str(world.files / "any")}}, "any"),
        (7, {"perf_map_dir": str(world.files)}, "perf-7.map"),
        (8, {"symfs": str(world.files)}, "tmp/perf-8.map"),
        (7, {"perf_maps": {7: str(world.files / "any")}, "perf_map_dir": str(world.files)}, "any"),
        (8, {"perf_map_dir": str(world.files), "symfs": str(world.files)}, "tmp/perf-8.map"),
    ):
        found = world.find(jit(pid), ELSEWHERE, **options)
        assert (map_names(found), found.file, found.reason) == ([b"hot"], str(world.files / path), "")


def test_the_map_in_tmp_is_for_this_machines_recordings(world: World) -> None:
    pid = 4_190_000_000 + os.getpid()  # no process has such a number
    path = world.put(Path(f"/tmp/perf-{pid}.map"), MAP)
    try:
        assert map_names(world.find(jit(pid))) == [b"hot"]
        found = world.find(jit(pid), ELSEWHERE)
        assert found.reason == (
            f"no perf-{pid}.map here: recorded on elsewhere, kernel 1.2.3, which is not this machine: "
            f"give --perf-map {pid}=FILE"
        )
    finally:
        path.unlink()
    assert world.find(jit(pid)).reason == (
        f"no perf-{pid}.map here: it was not written, or is gone: give --perf-map {pid}=FILE"
    )


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ["link", "FIFO", "directory"])
def test_a_map_is_a_file_of_its_own(world: World, kind: str, force: bool) -> None:
    path = world.files / "perf-7.map"
    if kind == "link":
        path.symlink_to(world.put(world.files / "real", MAP))
    elif kind == "FIFO":
        os.mkfifo(path)
    else:
        path.mkdir()
    for options in ({"perf_map_dir": str(world.files)}, {"perf_maps": {7: str(path)}}):
        found = world.find(jit(7), force_map=force, **options)
        assert found.table is None
        assert found.reason.startswith(f"{path} is a {'symbolic link' if kind == 'link' else kind}")


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_a_map_of_another_user_is_refused(world: World) -> None:
    path = world.put(world.files / "perf-7.map", MAP)
    os.chown(path, NOBODY, NOBODY)
    options = {"perf_map_dir": str(world.files)}
    found = world.find(jit(7), **options)
    assert found.table is None
    assert found.reason in (f"{path} is owned by {name}: --force-map reads it" for name in ("nobody", f"user {NOBODY}"))
    for more in ({"force_map": True}, {"rules": PERF_RULES}):
        assert map_names(world.find(jit(7), **options, **more)) == [b"hot"]
    # The traced user's, as the recording's owner tells.
    host = HostFacts(hostname=HERE.hostname, release=HERE.release, uid=NOBODY)
    assert map_names(world.find(jit(7), host, **options)) == [b"hot"]


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_whoever_called_sudo_is_ourselves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(world.put(world.files / "perf-7.map", MAP), NOBODY, NOBODY)
    for caller, is_read in ((str(NOBODY), True), ("1", False), ("", False), ("-1", False), ("x", False), ("²", False)):
        monkeypatch.setenv("SUDO_UID", caller)
        assert (world.find(jit(7), perf_map_dir=str(world.files)).table is not None) == is_read


def test_damaged_lines_of_a_map_are_said(world: World) -> None:
    path = world.put(world.files / "perf-7.map", b"what\n" + MAP + b"7f0000002000 10 to")
    found = world.find(jit(7), perf_map_dir=str(world.files))
    assert (map_names(found), found.reason) == ([b"hot"], f"2 lines of {path} are damaged")


def test_a_jitdump_is_read_as_a_map_is(world: World) -> None:
    dump = world.put(world.files / "jit-7.dump", b"JiTD")
    path = os.fsencode(dump)
    finder = Finder(SymbolOptions(), HERE)
    file = finder.find_jitdump(path, 7)
    assert file is not None
    with file:
        assert (file.read_at(0, 4), file.path) == (b"JiTD", str(dump))
    assert finder.find_jitdump(path + b"x", 7) is None
    assert finder.refused == {path + b"x": f"no file {dump}x here: it was not written, or is gone"}
    elsewhere = Finder(SymbolOptions(), ELSEWHERE)
    assert elsewhere.find_jitdump(path, 7) is None
    assert elsewhere.refused[path].startswith(f"no file {dump} here: recorded on elsewhere")
    assert elsewhere.opened == []
    in_symfs = Finder(SymbolOptions(symfs="/"), ELSEWHERE).find_jitdump(path, 7)
    assert in_symfs is not None
    in_symfs.close()
    (world.files / "jit-8.dump").symlink_to(dump)
    assert finder.find_jitdump(os.fsencode(world.files / "jit-8.dump"), 8) is None
    assert "symbolic link" in finder.refused[os.fsencode(world.files / "jit-8.dump")]
    if os.geteuid() == 0:
        os.chown(dump, NOBODY, NOBODY)
        assert finder.find_jitdump(path, 7) is None
        assert finder.refused[path].endswith("--force-map reads it")


def test_a_jitdump_counts_for_the_processes_of_a_fork_and_not_for_thousands(world: World) -> None:
    path = os.fsencode(world.put(world.files / "jit-7.dump", b"JiTD"))
    finder = Finder(SymbolOptions(), HERE)
    spellings = [path, path.replace(b"/jit-", b"//jit-"), path.replace(b"/jit-", b"/./jit-")]
    files = [finder.find_jitdump(spellings[pid % 3], pid) for pid in range(1, limits.MAX_DUMP_PROCESSES + 4)]
    assert [file is not None for file in files] == [True] * limits.MAX_DUMP_PROCESSES + [False] * 3
    assert finder.refused[path] == f"{os.fsdecode(path)} counts for no more than {limits.MAX_DUMP_PROCESSES} processes"
    for file in files:
        if file is not None:
            file.close()


def test_a_file_that_is_named_in_many_ways_is_read_once(world: World) -> None:
    world.put(world.app, tiny_elf(build_id=ID, symtab=(b"f", b"g")))
    other = world.put(world.files / "other", tiny_elf(build_id=OTHER_ID, symtab=(b"f", b"g")))
    paths = [os.fsencode(world.app), os.fsencode(world.files) + b"/./app", os.fsencode(world.files) + b"//app"]
    finder = Finder(SymbolOptions(), HERE)
    tables = [finder.find(Dso(path, DsoKind.FILE, build_id=ID)).table for path in paths]
    tables += [finder.find(Dso(paths[0], DsoKind.FILE, device=1, inode=i)).table for i in range(2)]
    assert tables[0] is not None
    assert all(table is tables[0] for table in tables)
    assert finder.find(world.file(other, OTHER_ID)).table is not tables[0]


# The kernel


KALLSYMS = b"""\
ffffffff81000000 T _text
ffffffff81000010 t helper
ffffffff81000020 T _etext
ffffffffc0000000 t module_function\t[ext4]
"""


def kernel(build_id: bytes = b"") -> Dso:
    dso = Dso(b"[kernel.kallsyms]", DsoKind.KERNEL, build_id=build_id)
    dso.reference_name, dso.reference_address = b"_text", 0xFFFFFFFF81000000
    return dso


def kernel_names(found: Found, address: int = 0xFFFFFFFF81000018) -> list[bytes]:
    assert found.table is not None
    return [found.table.name(row) for row in found.table.resolve(array("Q", [address]).tobytes()) if row != 0xFFFFFFFF]


@pytest.fixture
def running(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel that runs here: its list of symbols, and ``ID`` as its build id."""
    path = world.put(world.files / "proc_kallsyms", KALLSYMS)
    monkeypatch.setattr(kernel_search, "_PROC_KALLSYMS", str(path))
    monkeypatch.setattr(kernel_search, "kernel_build_id", lambda: ID)
    return path


@pytest.mark.parametrize(
    ("host", "build_id", "is_found"),
    [
        (HERE, ID, True),
        (ELSEWHERE, ID, True),
        (HERE, b"", True),
        (ELSEWHERE, b"", False),
        (HERE, OTHER_ID, False),
        (HostFacts(), b"", False),
    ],
)
def test_the_running_kernel_counts_if_it_is_the_recorded_one(
    world: World, running: Path, host: HostFacts, build_id: bytes, is_found: bool
) -> None:
    found = world.find(kernel(build_id), host)
    if is_found:
        assert (kernel_names(found), found.file, found.reason) == ([b"helper"], str(running), "")
    else:
        assert (found.table, found.file) == (None, "")
        assert found.reason.endswith(": give --kallsyms")
        assert (OTHER_ID.hex() if build_id else host.release or "does not say which kernel") in found.reason


@pytest.mark.parametrize(("captured_at", "is_read"), [(None, True), (machine.booted_at() + 5, True), (1.0, False)])
def test_a_killed_recording_from_before_the_last_boot_is_of_another_kernel(
    world: World, running: Path, captured_at: float | None, is_read: bool
) -> None:
    status = world.put(world.app, tiny_elf(symtab=(b"f", b"g"))).stat()
    device = os.major(status.st_dev) << 32 | os.minor(status.st_dev)
    file = Dso(os.fsencode(world.app), DsoKind.FILE, device=device, inode=status.st_ino)
    finder = Finder(SymbolOptions(), HostFacts(captured_at=captured_at), [file, kernel()])
    assert finder.is_local
    found = finder.find(kernel())
    if is_read:
        assert kernel_names(found) == [b"helper"]
    else:
        assert found.reason == "the recording does not say which kernel it is of: give --kallsyms"


def test_a_kernel_that_moved_since(world: World, running: Path) -> None:
    dso = kernel(ID)
    dso.reference_address = 0xFFFFFFFF91000000
    assert kernel_names(world.find(dso), 0xFFFFFFFF91000018) == [b"helper"]
    assert kernel_names(world.find(dso)) == []


def test_hidden_addresses_are_said(world: World, running: Path) -> None:
    running.write_bytes(b"0000000000000000 T _text\n0000000000000000 t helper\n")
    assert world.find(kernel(ID)).reason == (
        f"{running} shows only zeros: run as root, or sysctl kernel.kptr_restrict=0"
    )


@pytest.mark.parametrize("excess", [0, 1])
def test_max_kallsyms_bytes(world: World, running: Path, monkeypatch: pytest.MonkeyPatch, excess: int) -> None:
    assert kernel_search.MAX_KALLSYMS_BYTES == limits.MAX_KALLSYMS_BYTES
    cap = len(KALLSYMS) - excess
    monkeypatch.setattr(kernel_search, "MAX_KALLSYMS_BYTES", cap)
    assert world.find(kernel(ID)).reason == (f"{running} is larger than {cap} bytes" if excess else "")


def test_modules_are_named_from_the_same_list(world: World, running: Path) -> None:
    dsos = [
        kernel(ID),
        Dso(b"/lib/modules/6.1/kernel/fs/ext4/ext4.ko.xz", DsoKind.MODULE),
        Dso(b"[nfs]", DsoKind.MODULE),
    ]
    finder = Finder(SymbolOptions(), ELSEWHERE, dsos)
    assert kernel_names(finder.find(dsos[1]), 0xFFFFFFFFC0000004) == [b"module_function"]
    assert finder.find(dsos[2]).reason == f"{running} has no symbols of [nfs]"
    assert kernel_names(finder.find(dsos[0])) == [b"helper"]
    assert finder.opened == [str(running)]  # once


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"[ext4]", b"ext4"),
        (b"/lib/modules/6.1/snd-hda.ko", b"snd_hda"),
        (b"/lib/modules/6.1/x.ko.zst", b"x"),
        (b"", b""),
    ],
)
def test_names_of_modules(path: bytes, name: bytes) -> None:
    assert module_name(path) == name


def test_kallsyms_of_the_user_come_first(world: World, running: Path) -> None:
    path = world.put(world.files / "theirs", KALLSYMS.replace(b"helper", b"theirs"))
    for host, build_id in ((HERE, ID), (ELSEWHERE, OTHER_ID), (HostFacts(), b"")):
        found = world.find(kernel(build_id), host, kallsyms=str(path))
        assert (kernel_names(found), found.file) == ([b"theirs"], str(path))
    path.write_bytes(b"nothing\n")
    assert world.find(kernel(ID), kallsyms=str(path)).reason.startswith(f"{path}: kallsyms: no symbol")


def test_kallsyms_in_the_cache(world: World, running: Path) -> None:
    place = world.home / ".debug" / "[kernel.kallsyms]" / OTHER_ID.hex() / "kallsyms"
    world.put(place, KALLSYMS)
    found = world.find(kernel(OTHER_ID), ELSEWHERE)
    assert (kernel_names(found), found.file) == ([b"helper"], str(place))


def test_hidden_addresses_may_be_in_the_cache(world: World, running: Path) -> None:
    running.write_bytes(b"0000000000000000 T _text\n")
    place = world.put(world.home / ".debug" / "[kernel.kallsyms]" / ID.hex() / "kallsyms", KALLSYMS)
    found = world.find(kernel(ID), ELSEWHERE)
    assert (kernel_names(found), found.file) == ([b"helper"], str(place))


def vmlinux(build_id: bytes) -> bytes:
    return tiny_elf(build_id=build_id, symtab=(b"_text", b"of_vmlinux"))


@pytest.mark.parametrize("moved_by", [0, 0x5000000])
def test_vmlinux_of_the_user(world: World, running: Path, moved_by: int) -> None:
    path = world.put(world.files / "vmlinux", vmlinux(ID))
    dso = kernel(ID)
    dso.reference_address += moved_by
    found = world.find(dso, ELSEWHERE, vmlinux=str(path))
    assert (kernel_names(found, 0xFFFFFFFF81000018 + moved_by), found.file) == ([b"of_vmlinux"], str(path))
    # Its modules' symbols are in no vmlinux; and where the kernel moved, they moved elsewhere.
    module = Finder(SymbolOptions(vmlinux=str(path)), ELSEWHERE, [dso]).find(Dso(b"[ext4]", DsoKind.MODULE))
    if moved_by:
        assert module.reason == f"{running} has no symbols of [ext4]"
    else:
        assert kernel_names(module, 0xFFFFFFFFC0000004) == [b"module_function"]


def test_a_reference_symbol_may_have_aliases(world: World, running: Path) -> None:
    # At the start of a real kernel are _text, _stext and others; the longest name is what is printed.
    content = tiny_elf(symtab=(b"_text", b"startup_64", b"work"))
    second = content.index(pack("<QQ", CODE_OFFSET + 16, 16))
    path = world.put(world.files / "vmlinux", content[:second] + pack("<QQ", CODE_OFFSET, 16) + content[second + 16 :])
    table = world.find(kernel(), ELSEWHERE, vmlinux=str(path)).table
    assert table is not None
    assert [(start, end, table.name(row)) for start, end, row in table.ranges()] == [
        (0xFFFFFFFF81000000, 0xFFFFFFFF81000010, b"startup_64"),
        (0xFFFFFFFF81000020, 0xFFFFFFFF81000030, b"work"),
    ]


def test_vmlinux_of_another_kernel_is_not_taken(world: World, running: Path) -> None:
    path = world.put(world.files / "vmlinux", vmlinux(OTHER_ID))
    assert kernel_names(world.find(kernel(ID), vmlinux=str(path))) == [b"helper"]
    running.unlink()
    reason = world.find(kernel(ID), vmlinux=str(path)).reason
    assert reason.startswith(f"build id differs: {path} has {OTHER_ID.hex()}, the recording {ID.hex()}")


@pytest.mark.parametrize(
    "place", ["boot/vmlinux-{}", "usr/lib/debug/boot/vmlinux-{}", "lib/modules/{}/build/vmlinux",
              "usr/lib/debug/lib/modules/{}/vmlinux", "usr/lib/debug/boot/vmlinux-{}.debug"]
)  # fmt: skip
def test_vmlinux_in_the_systems_places(world: World, place: str) -> None:
    symfs = world.files / "symfs"
    path = world.put(symfs / place.format("1.2.3"), vmlinux(ID))
    found = world.find(kernel(ID), ELSEWHERE, symfs=str(symfs))
    assert (kernel_names(found), found.file) == ([b"of_vmlinux"], str(path))
    assert world.find(kernel(), ELSEWHERE, symfs=str(symfs)).table is None  # nothing tells that it is the one
    assert world.find(kernel(OTHER_ID), ELSEWHERE, symfs=str(symfs)).table is None


def test_a_release_that_is_a_path_leads_nowhere(world: World) -> None:
    world.put(world.files / "secret", vmlinux(ID))
    (world.files / "symfs" / "boot" / "vmlinux-").mkdir(parents=True)
    finder = Finder(
        SymbolOptions(symfs=str(world.files / "symfs")), HostFacts(hostname="x", release="/../../../secret")
    )
    assert (finder.find(kernel(ID)).table, finder.opened) == (None, [])


@pytest.mark.skipif(not os.path.exists("/sys/kernel/notes"), reason="the kernel gives no notes here")
def test_the_running_kernels_build_id() -> None:
    notes = Path("/sys/kernel/notes").read_bytes()
    found = machine.kernel_build_id()
    assert len(found) == 20
    assert b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0" + found in notes
