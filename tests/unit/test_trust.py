"""A hostile recording opens nothing but symbol roots: every open of a run is seen, by an audit hook in the process.

The recording names fifty local files, traps, a jitdump and a perf map. The same files are all opened when the recording
is this machine's own, which shows that the hook sees them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from elf_builder import CODE_OFFSET, tiny_elf
from recording_builder import Writer
from unit.cli_runs import ENVIRONMENT

PID = 2_000_000_000 + os.getpid() % 100_000_000  # no process has such a number
FILES = 50
NOBODY_IS_HOME = "/nonexistent"
SAMPLE_FIELDS = 1 | 2 | 4 | 32  # ip, tid, time, callchain
_HOSTNAME, _RELEASE, _BUILD_ID = 3, 4, 2

# Prints every path that is opened after start-up; of a path below an open directory, the last part.
SPY = """
import os, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(args[0]) if event == "open" else None)
from flameparse.__main__ import main
code = main(sys.argv[1:])
sys.stderr.flush()
for path in opened:
    if not isinstance(path, int):
        os.write(1, b"opened " + os.fsencode(path) + b"\\n")
sys.exit(code)
"""


class Hostile:
    """A directory of files and traps, and a recording with a sample in each of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.programs = [directory / f"victim-{i}.so" for i in range(FILES)]
        for i, path in enumerate(self.programs):
            path.write_bytes(tiny_elf(build_id=self.build_id(i), symtab=(b"f", b"g")))
            path.chmod(0o755)
        self.secret = directory / "victim-secret"
        self.secret.write_bytes(b"TOP SECRET\n")
        self.fifo = directory / "victim-fifo.so"
        os.mkfifo(self.fifo)
        self.link = directory / "victim-link.so"
        self.link.symlink_to(self.programs[0])
        self.dump = directory / f"jit-{PID}.dump"
        self.dump.write_bytes(b"JiTD")
        self.paths = [
            *map(os.fsencode, (*self.programs, self.secret, self.fifo, self.link, self.dump)),
            b"/dev/zero", b"/proc/self/mem", b"/proc/kcore", b"/sys/kernel/notes", b"/etc/shadow", b"/../../etc/shadow",
            os.fsencode(directory) + b"/x/../victim-secret", b"victim-secret", b"//anon", b"/memfd:x (deleted)",
        ]  # fmt: skip

    @staticmethod
    def build_id(i: int) -> bytes:
        return b"%020d" % i

    def recording(self, *, hostname: str = "", release: str = "", build_ids: dict[bytes, bytes] | None = None) -> Path:
        writer = Writer()
        records = b""
        for i, path in enumerate(self.paths):
            start = 0x10000 * (i + 1)
            name = path + bytes(8 - len(path) % 8)
            records += writer.record(
                10, writer.pack("IIQQQIIQQII", PID, PID, start, 0x8000, 0, 8, 1, 1, 0, 5, 2) + name, misc=2
            )
            ip = start + CODE_OFFSET + 8
            records += writer.record(9, writer.pack("QIIQQQQ", ip, PID, PID, 1000 + i, 2, 2**64 - 512, ip), misc=2)
        features = {}
        if hostname:
            features = {_HOSTNAME: writer.string(hostname.encode()), _RELEASE: writer.string(release.encode())}
        if build_ids:
            features[_BUILD_ID] = b"".join(writer.build_id(path, id, pid=-1) for path, id in build_ids.items())
        attr = writer.attr(config=0, sample_type=SAMPLE_FIELDS, sample_period=1)
        path = self.directory / "perf.data"
        path.write_bytes(writer.file([(attr, [11])], records, features, is_killed=not hostname))
        return path

    def opened_by(self, *arguments: str) -> set[str]:
        """Run the program; the last parts of all paths it opened."""
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SPY, *arguments],
            capture_output=True,
            env={**ENVIRONMENT, "HOME": NOBODY_IS_HOME},
            timeout=20,
        )
        assert done.returncode in (0, 3), done.stderr.decode()
        assert time.monotonic() - started < 10
        assert b"TOP" not in done.stdout + done.stderr
        return {
            os.path.basename(line.removeprefix("opened "))
            for line in done.stdout.decode().splitlines()
            if line.startswith("opened ")
        }


@pytest.fixture
def hostile(tmp_path: Path) -> Hostile:
    return Hostile(tmp_path)


def watched(hostile: Hostile, opened: set[str]) -> set[str]:
    """Of what was opened, that which the recording names."""
    named = {os.path.basename(os.fsdecode(path)) for path in hostile.paths} | {f"perf-{PID}.map"}
    return opened & named


@pytest.mark.parametrize("command", [["info"], ["fold"], ["fold", "--compat", "stackcollapse-perf"], ["collect"]])
@pytest.mark.parametrize("host", [("elsewhere", "1.2.3"), (os.uname().nodename, "1.2.3"), ("", "")])
def test_another_machines_recording_opens_nothing_it_names(
    hostile: Hostile, command: list[str], host: tuple[str, str]
) -> None:
    path = str(hostile.recording(hostname=host[0], release=host[1]))
    if command == ["collect"]:
        command = ["collect", "-o", str(hostile.directory / "bundle.tar")]
    opened = hostile.opened_by(*command, path)
    assert "perf.data" in opened
    assert watched(hostile, opened) == set()


def test_build_ids_that_are_made_up_open_no_secret(hostile: Hostile) -> None:
    build_ids = {path: b"\xab" * 20 for path in hostile.paths if path.startswith(b"/")}
    path = str(hostile.recording(hostname="elsewhere", release="1.2.3", build_ids=build_ids))
    # What may be a program is looked at, for its build id; everything else stays shut.
    assert watched(hostile, hostile.opened_by("info", path)) == {path.name for path in hostile.programs}


def test_an_own_recording_opens_its_files_and_no_trap(hostile: Hostile) -> None:
    here = os.uname()
    path = str(hostile.recording(hostname=here.nodename, release=here.release))
    for arguments in (["info", path], ["fold", "--compat", "stackcollapse-perf", "--force-map", path]):
        opened = watched(hostile, hostile.opened_by(*arguments))
        assert opened >= {path.name for path in hostile.programs}
        assert opened <= {path.name for path in hostile.programs} | {hostile.secret.name, hostile.dump.name, "shadow"}


def test_a_symbol_root_is_not_left(hostile: Hostile) -> None:
    root = hostile.directory / "root"
    inside = Path(f"{root}{hostile.directory}")
    inside.mkdir(parents=True)
    for path in hostile.programs[:3]:
        (inside / path.name).symlink_to(path)  # of the root: leads to itself
    (inside / hostile.programs[3].name).symlink_to("../" * 20 + str(hostile.programs[3]).lstrip("/"))
    (inside / hostile.programs[4].name).write_bytes(hostile.programs[4].read_bytes())
    os.mkfifo(inside / hostile.programs[5].name)
    here = os.uname()
    path = str(hostile.recording(hostname=here.nodename, release=here.release))
    opened = watched(hostile, hostile.opened_by("info", "--symfs", str(root), path))
    # The dump lies outside of the root, but this is the machine that it was recorded on.
    assert opened - {hostile.dump.name} == {hostile.programs[4].name}
