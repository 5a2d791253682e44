"""A bundle holds what frames are named from, names them alike elsewhere, and reads nothing else out of a tar file."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import stat
import tarfile
from array import array
from pathlib import Path

import pytest

from elf_builder import CODE_OFFSET, tiny_elf
from flameparse import limits
from flameparse.cli.options import build_parser, parse, symbol_options
from flameparse.collect import Collected, collect, tar_header
from flameparse.errors import SinkError, SourceError, UsageError
from flameparse.model.dso import Dso, DsoKind
from flameparse.symbolize import bundle, finder, kernel_search
from flameparse.symbolize.finder import Finder
from flameparse.symbolize.options import HostFacts, SymbolOptions
from recording_builder import Writer
from unit.cli_runs import run_here

ID = bytes.fromhex("abcdef0123456789abcdef0123456789abcdef01")
HERE = HostFacts(hostname=os.uname().nodename, release=os.uname().release, arch="x86_64")
KALLSYMS = b"ffffffff81000000 T _text\nffffffff81000010 t helper\nffffffff81000020 T _etext\n"
OUTS = ["bundle", "bundle.tar", "bundle.tar.gz", "bundle.tgz", "bundle.tar.zst"]


class Machine:
    """Where recordings were made: a program with a debug file, one without build id, a map, a jitdump, a kernel."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app, self.plain, self.gone = root / "app", root / "plain", root / "gone"
        self.app.write_bytes(tiny_elf(build_id=ID, dynsym=(b"f",), debug_link=(b"app.dbg", 0)))
        (root / "app.dbg").write_bytes(tiny_elf(build_id=ID, symtab=(b"f", b"of_debug")))
        self.plain.write_bytes(tiny_elf(symtab=(b"f", b"of_plain"), dynsym=(b"f",)))
        (root / "perf-7.map").write_bytes(b"1000 100 hot\n")
        self.dump = root / "jit-7.dump"
        self.dump.write_bytes(b"JiTD" + bytes(100))
        self.kallsyms = root / "kallsyms"
        self.kallsyms.write_bytes(KALLSYMS)
        kernel = Dso(b"[kernel.kallsyms]", DsoKind.KERNEL, build_id=b"\1" * 20)
        kernel.reference_name, kernel.reference_address = b"_text", 0xFFFFFFFF81000000
        self.dsos = [
            kernel,
            Dso(os.fsencode(self.app), DsoKind.FILE, build_id=ID),
            Dso(os.fsencode(self.plain), DsoKind.FILE),
            Dso(b"/tmp/perf-7.map", DsoKind.PERF_MAP, pid=7),
        ]
        self.missing = [
            Dso(os.fsencode(self.gone), DsoKind.FILE),
            Dso(b"/tmp/perf-8.map", DsoKind.PERF_MAP, pid=8),
        ]
        self.jitdumps = [(os.fsencode(self.dump), 7)]

    def finder(self) -> Finder:
        return Finder(SymbolOptions(perf_map_dir=str(self.root)), HERE, self.dsos)

    def collect(self, name: str, dsos: list[Dso] | None = None) -> tuple[Path, Collected]:
        out = self.root / name
        return out, collect(str(out), self.finder(), self.dsos if dsos is None else dsos, self.jitdumps)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    (tmp_path / "home").mkdir()
    (tmp_path / "debug").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(finder, "_DEBUG_ROOT", str(tmp_path / "debug"))
    machine = Machine(tmp_path)
    monkeypatch.setattr(kernel_search, "_PROC_KALLSYMS", str(machine.kallsyms))
    monkeypatch.setattr(kernel_search, "kernel_build_id", lambda: b"\1" * 20)
    return machine


def contents(out: Path) -> dict[str, bytes]:
    """Read a bundle by the standard library."""
    if out.is_dir():
        return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    data = out.read_bytes()
    if out.suffix == ".zst":
        zstandard = pytest.importorskip("zstandard")
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {}
        for member in archive:
            assert member.isreg()
            assert (member.uid, member.gid, member.mtime, stat.S_IMODE(member.mode)) == (0, 0, 0, 0o644)
            file = archive.extractfile(member)
            assert file is not None
            found[member.name] = file.read()
        return found


def hash_of(path: Path) -> str:
    import hashlib

    return hashlib.sha256(os.fsencode(path)).hexdigest()[:32]


@pytest.mark.parametrize("name", OUTS)
def test_what_is_in_a_bundle(machine: Machine, name: str) -> None:
    if name.endswith("zst"):
        pytest.importorskip("zstandard")
    out, found = machine.collect(name)
    held = contents(out)
    manifest = json.loads(held.pop("manifest.json"))
    assert manifest == {
        "format": "flameparse bundle",
        "version": 1,
        "hostname": HERE.hostname,
        "release": HERE.release,
        "arch": "x86_64",
        "kernel_build_id": "01" * 20,
    }
    assert held == {
        "kallsyms": KALLSYMS,
        f"jitdump/{hash_of(machine.dump)}-jit-7.dump": machine.dump.read_bytes(),
        "elf/ab/cdef0123456789abcdef0123456789abcdef01": machine.app.read_bytes(),
        "debug/ab/cdef0123456789abcdef0123456789abcdef01": (machine.root / "app.dbg").read_bytes(),
        f"elf/path/{hash_of(machine.plain)}": machine.plain.read_bytes(),
        "maps/perf-7.map": b"1000 100 hot\n",
    }
    assert sorted(found.files) == sorted({*held, "manifest.json"})
    assert found.bytes == sum(map(len, contents(out).values()))
    assert found.gaps == []


def test_what_is_missing_is_said(machine: Machine) -> None:
    machine.kallsyms.write_bytes(b"0000000000000000 T _text\n")
    machine.dump.unlink()
    _, found = machine.collect("bundle.tar", machine.dsos[:1] + machine.missing)
    assert found.files == ["manifest.json"]
    assert found.gaps == [
        f"{machine.kallsyms} shows only zeros: run as root, or sysctl kernel.kptr_restrict=0",
        f"no file {machine.dump} here: it was not written, or is gone",
        f"no file {machine.gone} here",
        "no perf-8.map here: it was not written, or is gone: give --perf-map 8=FILE",
    ]


def test_a_map_is_not_missed_where_there_is_a_jitdump(machine: Machine) -> None:
    (machine.root / "perf-7.map").unlink()
    _, found = machine.collect("bundle.tar")
    assert found.gaps == []
    machine.jitdumps = []
    _, found = machine.collect("bundle.tar")
    assert len(found.gaps) == 1


@pytest.mark.parametrize("name", OUTS)
def test_equal_files_give_equal_bytes(machine: Machine, name: str) -> None:
    if name.endswith("zst"):
        pytest.importorskip("zstandard")
    first, _ = machine.collect(name)
    again = machine.root / ("again" + name.removeprefix("bundle"))
    collect(str(again), machine.finder(), [*machine.dsos[::-1], machine.dsos[1]], machine.jitdumps * 2)
    if first.is_dir():
        assert contents(first) == contents(again)
    else:
        assert first.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("name", OUTS)
@pytest.mark.parametrize("host", [HERE, HostFacts()])
def test_a_bundle_names_what_its_machine_did(machine: Machine, name: str, host: HostFacts) -> None:
    if name.endswith("zst"):
        pytest.importorskip("zstandard")
    out, _ = machine.collect(name)
    dumped = machine.dump.read_bytes()
    for path in (machine.app, machine.root / "app.dbg", machine.plain, machine.root / "perf-7.map", machine.dump):
        path.unlink()
    machine.kallsyms.unlink()
    there = Finder(SymbolOptions(symfs=str(out)), host, machine.dsos)
    by_dso = []
    for dso, address in zip(
        machine.dsos, (0xFFFFFFFF81000018, CODE_OFFSET + 24, CODE_OFFSET + 24, 0x1001), strict=True
    ):
        found = there.find(dso)
        assert found.table is not None, found.reason
        by_dso.append(found.table.name(found.table.resolve(array("Q", [address]).tobytes())[0]))
        assert found.file.startswith(str(out))
    assert by_dso == [b"helper", b"of_debug", b"of_plain", b"hot"]
    dump = there.find_jitdump(*machine.jitdumps[0])
    assert dump is not None
    with dump:
        assert (dump.size, dump.read_all(1000)) == (len(dumped), dumped)
    assert there.find(machine.missing[0]).reason == f"no file {machine.gone} in {out}"
    assert there.find(machine.missing[1]).reason == f"no perf-8.map in {out}: give --perf-map 8=FILE"
    assert there.find_jitdump(b"/other", 7) is None
    assert there.refused == {b"/other": f"no file /other in {out}"}


def test_a_bundle_of_another_recording_is_not_believed(machine: Machine) -> None:
    out, _ = machine.collect("bundle.tar")
    with pytest.raises(SourceError, match=f"is of {HERE.hostname}, and the recording of elsewhere"):
        Finder(SymbolOptions(symfs=str(out)), HostFacts(hostname="elsewhere", release="1"))
    other = Dso(b"[kernel.kallsyms]", DsoKind.KERNEL, build_id=b"\2" * 20)
    found = Finder(SymbolOptions(symfs=str(out)), HERE, [other]).find(other)
    assert (found.table, found.reason) == (None, f"{out} is of another kernel ({HERE.release})")
    replaced = Dso(os.fsencode(machine.plain), DsoKind.FILE, build_id=ID)  # by build id, there is the other program
    assert Finder(SymbolOptions(symfs=str(out)), HERE).find(replaced).file.endswith("cdef0123456789abcdef01")


@pytest.mark.parametrize("inner", [".", "bundle"])
@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_bundle_that_tar_packed(machine: Machine, inner: str, format: int) -> None:
    out, _ = machine.collect("bundle")
    packed = machine.root / "packed.tgz"
    with tarfile.open(packed, "w:gz", format=format, pax_headers={"comment": "x"} if format == 2 else None) as archive:
        archive.add(out, arcname=inner)
    there = Finder(SymbolOptions(symfs=str(packed)), HERE, machine.dsos)
    assert [there.find(dso).table is not None for dso in machine.dsos] == [True] * 4


# Writing


@pytest.mark.parametrize("name", ["bundle.zip", "bundle.gz", "bundle.tar.xz", "bundle.tar.bz2"])
def test_other_archives_are_refused(machine: Machine, name: str) -> None:
    with pytest.raises(UsageError, match="a bundle is a directory, or"):
        machine.collect(name)
    assert not (machine.root / name).exists()


def test_a_directory_must_be_new_or_empty(machine: Machine) -> None:
    (machine.root / "bundle").mkdir()
    out, _ = machine.collect("bundle")
    held = contents(out)
    for name in ("bundle", "kallsyms"):
        with pytest.raises(SinkError, match="not an empty directory"):
            machine.collect(name)
    assert contents(out) == held
    with pytest.raises(SinkError, match="No such file or directory"):
        machine.collect("nope/bundle")
    assert not [path for path in machine.root.iterdir() if path.name.startswith(".flameparse")]


@pytest.mark.parametrize("name", ["bundle", "bundle.tar.gz"])
def test_a_failure_leaves_nothing(machine: Machine, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(machine.root.iterdir())
    monkeypatch.setattr("flameparse.symbolize.symbol_file.SymbolFile.read_at", lambda self, offset, count: b"\x7fELF")
    with pytest.raises(SourceError, match="was cut while it was read"):
        machine.collect(name, [machine.dsos[3]])
    assert sorted(machine.root.iterdir()) == before


@pytest.mark.parametrize("size", [0, 1, 8**11 - 1, 8**11, 2**60])
def test_headers_of_any_size(size: int) -> None:
    header = tar_header(b"elf/ab/cdef", size)
    info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
    assert (info.name, info.size, info.mode, info.isreg()) == ("elf/ab/cdef", size, 0o644, True)


# Reading what anybody may have made


def tar_of(*members: tuple[str, bytes], kind: bytes = b"0") -> bytes:
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.type = kind
            archive.addfile(info, io.BytesIO(content))
    return text.getvalue()


MANIFEST = json.dumps({"format": "flameparse bundle", "version": 1, "hostname": "h", "release": "r"}).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no bundle"),
        (b"text that is no archive\n" * 40, "no tar archive, or a damaged one, at byte 0"),
        (tar_of(("x", b"1")), "is no bundle"),
        (tar_of(("manifest.json", b"not json")), "is no bundle"),
        (tar_of(("manifest.json", b"[" * 100_000)), "is no bundle"),
        (tar_of(("manifest.json", b"[]")), "is no bundle"),
        (tar_of(("manifest.json", b'{"format": "other"}')), "is no bundle"),
        (tar_of(("manifest.json", b'{"format": "flameparse bundle", "version": 2}')), "bundle version 2: only 1"),
        (tar_of(("manifest.json", MANIFEST))[:550], "no tar archive, or a damaged one, at byte 0"),
        (gzip.compress(tar_of(("manifest.json", MANIFEST)))[:-30], "gzip data ends early"),
        (gzip.compress(gzip.compress(tar_of(("manifest.json", MANIFEST)))), "no tar archive"),
    ],
)
def test_what_is_no_bundle(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=reason):
        bundle.open_bundle(str(path))


def test_members_never_leave_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar"
    names = ["../../escape", "/etc/escape", "maps/../../escape", "maps/perf-1.map"]
    path.write_bytes(tar_of(("manifest.json", MANIFEST), *((name, b"x") for name in names)))
    opened = bundle.open_bundle(str(path))
    assert opened is not None
    assert opened.open("maps/perf-1.map") is not None
    assert opened.open("escape") is None
    assert sorted(tmp_path.iterdir()) == [path]
    # A link in a tar file is none.
    path.write_bytes(tar_of(("manifest.json", MANIFEST))[:1024] + tar_of(("kallsyms", b""), kind=b"2"))
    opened = bundle.open_bundle(str(path))
    assert opened is not None
    assert opened.open("kallsyms") is None


def test_a_directory_bundle_has_no_links_and_no_traps(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(MANIFEST)
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "perf-1.map").symlink_to("/etc/passwd")
    (tmp_path / "maps" / "perf-2.map").symlink_to("perf-3.map")
    os.mkfifo(tmp_path / "maps" / "perf-3.map")
    opened = bundle.open_bundle(str(tmp_path))
    assert opened is not None
    for pid, reason in ((1, "symbolic link"), (2, "symbolic link"), (3, "FIFO")):
        with pytest.raises(SourceError, match=reason):
            opened.open(bundle.map_member(pid))


def test_the_caps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tar_of(("manifest.json", MANIFEST), ("kallsyms", b""))
    path = tmp_path / "bundle.tgz"
    path.write_bytes(gzip.compress(content))
    for cap, value in (("MAX_BUNDLE_BYTES", len(content)), ("MAX_BUNDLE_MEMBERS", 2)):
        assert getattr(limits, cap) >= value
        monkeypatch.setattr(bundle, cap, value)
        assert bundle.open_bundle(str(path)) is not None
        monkeypatch.setattr(bundle, cap, value - 1)
        with pytest.raises(SourceError, match=f"more than {value - 1} "):
            bundle.open_bundle(str(path))
        monkeypatch.setattr(bundle, cap, value)


def test_no_mutation_of_a_bundle_does_more_than_fail(tmp_path: Path) -> None:
    random_ = random.Random(7)
    whole = tar_of(("manifest.json", MANIFEST), ("kallsyms", KALLSYMS), ("maps/perf-7.map", b"1 1 f\n"))
    path = tmp_path / "bundle.tar"
    outcomes = {"read": 0, "refused": 0}
    for _ in range(1_000):
        mutant = bytearray(whole)
        for _ in range(random_.randint(1, 4)):
            place = 512 * random_.randrange(len(whole) // 512) + random_.choice([0, 100, 124, 135, 148, 156, 257, 345])
            size = random_.choice([1, 1, 2, 12])
            piece = random_.choice([b"\0", b"\xff", b"\x80", b"7", b"0", b"/", b" "]) * size
            mutant[place : place + size] = piece
            if random_.random() < 0.6:  # keep the checksum, so that the fields count
                head = 512 * (place // 512)
                mutant[head + 148 : head + 156] = b"%06o\0 " % bundle.checksum(bytes(mutant[head : head + 512]))
        path.write_bytes(mutant[: random_.randint(0, len(mutant))] if random_.random() < 0.2 else mutant)
        try:
            opened = bundle.open_bundle(str(path))
        except SourceError:
            outcomes["refused"] += 1
            continue
        assert opened is not None
        outcomes["read"] += 1
        for member in ("kallsyms", "maps/perf-7.map"):
            file = opened.open(member)
            if file is not None:
                with file:
                    assert len(file.read_all(1 << 20)) == file.size <= len(mutant)
    assert min(outcomes.values()) > 100


# The command


def test_what_is_no_recording(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"a;b 1\n")
    code, out, error = run_here("collect", text, "-o", tmp_path / "b.tar")
    assert (code, out) == (2, b"")
    assert error == f"flameparse: {text} is no perf.data: a text has its names already\n".encode()
    code, _, error = run_here("collect", text, "-o", tmp_path / "b.zip")
    assert (code, b"a bundle is a directory, or" in error) == (2, True)
    code, _, error = run_here("collect", text, text)
    assert (code, error) == (2, b"flameparse: one recording at a time: a bundle is of one\n")
    assert sorted(tmp_path.iterdir()) == [text]


def recording(path: Path, program: Path) -> None:
    """Write a recording of this machine with two samples in one program, which has a build id."""
    writer = Writer()
    name = os.fsencode(program)
    records = writer.record(
        10,
        writer.pack("IIQQQIIQQII", 7, 7, 0x10000, 0x8000, 0, 0, 0, 0, 0, 5, 2) + name + bytes(8 - len(name) % 8),
        misc=2,
    )
    for i in range(2):
        ip = 0x10000 + CODE_OFFSET + 16 * i
        records += writer.record(9, writer.pack("QIIQQQQ", ip, 7, 7, i, 2, 2**64 - 512, ip), misc=2)
    here = os.uname()
    features = {
        2: writer.build_id(name, ID),
        3: writer.string(here.nodename.encode()),
        4: writer.string(here.release.encode()),
    }
    path.write_bytes(writer.file([(writer.attr(sample_type=1 | 2 | 4 | 32, sample_period=1), [11])], records, features))


def test_from_a_recording_to_names_without_its_program(machine: Machine) -> None:
    path, out = machine.root / "perf.data", machine.root / "out.tar.gz"
    recording(path, machine.app)
    code, printed, error = run_here("collect", path, "-o", out)
    size = sum(map(len, contents(out).values()))
    assert (code, printed, error) == (0, b"", f"flameparse: {out}: 3 files, {size:,} bytes\n".encode())
    machine.app.unlink()
    (machine.root / "app.dbg").unlink()
    code, printed, error = run_here("fold", "--root", "none", "--symfs", out, path)
    assert (code, printed, error) == (0, b"f 1\nof_debug 1\n", b"")
    code, printed, error = run_here("collect", path, "-o", out)
    assert (code, printed) == (0, b"")
    assert error.startswith(f"flameparse: not in the bundle: no file {machine.app} here, and none with".encode())
    code, printed, error = run_here("collect", "-q", path, "-o", out)
    assert (code, printed, error) == (0, b"", b"")


def test_a_damaged_recording_is_collected_unless_strict(machine: Machine) -> None:
    path, out = machine.root / "perf.data", machine.root / "out.tar"
    recording(path, machine.app)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"\0" * 4 + b"\x07") - 20])
    code, _, error = run_here("collect", "--strict", path, "-o", out)
    assert (code, b"stopped at offset" in error, out.exists()) == (4, True, False)
    code, _, error = run_here("collect", path, "-o", out)
    assert (code, b"stopped at offset" in error, out.exists()) == (3, True, True)


def test_a_bundle_to_stdout_is_a_tar(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine.root / "here").mkdir()
    monkeypatch.chdir(machine.root / "here")
    path, out = machine.root / "perf.data", machine.root / "out.tar"
    recording(path, machine.app)
    assert run_here("collect", "-q", path, "-o", out)[0] == 0
    assert run_here("collect", "-q", path, "-o", "-") == (0, out.read_bytes(), b"")
    assert os.listdir() == []


def test_the_default_name_of_a_bundle(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine.root / "here").mkdir()
    monkeypatch.chdir(machine.root / "here")
    recording(machine.root / "my.data", machine.app)
    assert run_here("collect", "-q", machine.root / "my.data") == (0, b"", b"")
    assert os.listdir() == ["my.data.bundle.tar.gz"]


@pytest.mark.parametrize("text", ["7", "x=map", "7=", "-1=map", "=map", "1234567890=map"])
def test_a_map_needs_a_process(text: str) -> None:
    code, _, error = run_here("fold", f"--perf-map={text}", "-")
    assert (code, b"is not PID=FILE" in error) == (2, True)


def test_options_are_what_was_typed() -> None:
    typed = "--symfs d --perf-map 7=a=b --perf-map 8=c --perf-map-dir m --kallsyms k --vmlinux v --force-map trace"
    for command in ("fold", "render", "info", "report", "merge", "collect"):
        args = parse(build_parser(command, ""), typed.split())
        assert symbol_options(args) == SymbolOptions(
            symfs="d", perf_maps={7: "a=b", 8: "c"}, perf_map_dir="m", kallsyms="k", vmlinux="v", force_map=True
        )
        assert symbol_options(parse(build_parser(command, ""), ["trace"])) == SymbolOptions()
