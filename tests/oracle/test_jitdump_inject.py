"""Names of JIT code that is made, dropped and made again: a dump merged by time against ``perf inject --jit``.

perf writes the code of each load into an ELF file, pretends that it was mapped at the time of the load, and resolves
samples as of any file. Here an address means the last load before the sample that covers it.
"""

from __future__ import annotations

import bisect
import re
import shutil
from pathlib import Path

import pytest

from flameparse.model.string_table import StringTable
from flameparse.symbolize.jitdump import read_jitdump
from flameparse.symbolize.symbol_file import open_named
from foreign import environment, run
from oracle.perf_data_reference import read
from oracle.perf_script_live import perf_works

pytestmark = pytest.mark.live

WORKLOAD = Path(__file__).parents[2] / "fixtures" / "workloads" / "jit_churn.js"
SECONDS = 2
FRAME = re.compile(r"\s*[0-9a-f]+ (.*)\+0x([0-9a-f]+) \(.*/jitted-\d+-\d+\.so\)")

Named = tuple[int, int, int, str, int]  # time, thread, address, name, offset


class CodeInTime:
    """Which code holds which addresses; what is loaded cuts what is there."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.code: list[tuple[int, int, str]] = []  # end, address of the first byte, name; by start

    def load(self, start: int, end: int, name: str) -> None:
        first = bisect.bisect_left(self.starts, start)
        if first and self.code[first - 1][0] > start:
            first -= 1
        after = bisect.bisect_left(self.starts, end)
        pieces = []
        for old_start, (old_end, base, old_name) in zip(self.starts[first:after], self.code[first:after], strict=True):
            if old_start < start:
                pieces.append((old_start, (start, base, old_name)))
            if old_end > end:
                pieces.append((end, (old_end, base, old_name)))
        pieces = sorted([*pieces, (start, (end, start, name))])
        self.starts[first:after] = [start for start, _ in pieces]
        self.code[first:after] = [code for _, code in pieces]

    def find(self, address: int) -> tuple[str, int] | None:
        place = bisect.bisect_right(self.starts, address) - 1
        if place < 0 or self.code[place][0] <= address:
            return None
        _, base, name = self.code[place]
        return name, address - base


def jit_frames(recording: Path, injected: Path) -> list[Named]:
    """Every frame that perf resolves to code of the dump, with the address that the recording has for it."""
    chains: dict[tuple[int, int], list[list[int]]] = {}
    for sample in read(recording).samples:
        chains.setdefault((sample.tid, sample.time_ns or 0), []).append([frame.ip for frame in sample.frames])
    argv = ["perf", "script", "-f", "--no-inline", "--ns", "-i", str(injected), "-F", "tid,time,ip,sym,symoff,dso"]
    found = []
    for block in run(argv, text=True, errors="surrogateescape").stdout.split("\n\n"):
        if not block.strip():
            continue
        header, *lines = block.strip("\n").split("\n")
        tid, time = int(header.split()[0]), int(header.split()[1].rstrip(":").replace(".", ""))
        addresses = chains[tid, time].pop(0)
        assert len(addresses) == len(lines)
        for address, line in zip(addresses, lines, strict=True):
            if match := FRAME.fullmatch(line):
                found.append((time, tid, address, match[1], int(match[2], 16)))
            else:
                assert "jitted-" not in line
    return found


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Named]]:
    """Record the workload, and let perf name it; the dump, and the frames in order of time."""
    if not perf_works() or not shutil.which("node"):
        pytest.skip("perf or node is not here, or may not record")
    folder = tmp_path_factory.mktemp("churn")
    options = {"cwd": folder, "env": environment() | {"HOME": str(folder)}}
    node = ["node", "--perf-prof", "--interpreted-frames-native-stack", "--expose-gc", str(WORKLOAD), str(SECONDS)]
    record = [
        "perf",
        "record",
        "-q",
        "-N",
        "-k",
        "mono",
        "-e",
        "cpu-clock",
        "-F",
        "1500",
        "-g",
        "-o",
        "perf.data",
        "--",
    ]
    assert run(record + node, **options).returncode == 0
    inject = ["perf", "inject", "-f", "--jit", "-i", "perf.data", "-o", "injected.data"]
    assert run(inject, **options).returncode == 0
    (dump,) = folder.glob("jit-*.dump")
    return dump, sorted(jit_frames(folder / "perf.data", folder / "injected.data"))


def test_every_frame_has_the_name_that_perf_gives_it(churn):
    dump, frames = churn
    strings = StringTable()
    with open_named(str(dump), follow=False) as file:
        loads = read_jitdump(file, strings)
    assert loads.stopped_at == loads.size == dump.stat().st_size
    assert loads.malformed == 0
    code = CodeInTime()
    rows = zip(loads.times, loads.starts, loads.sizes, loads.names, strict=True)
    row = next(rows)
    named = []
    for time, tid, address, *_ in frames:
        while row and row[0] <= time:
            code.load(row[1], row[1] + row[2], strings.get(row[3]).decode(errors="surrogateescape"))
            row = next(rows, None)
        named.append((time, tid, address, *(code.find(address) or ("", 0))))
    assert named == frames
    # Without times, what was loaded last would have given others.
    assert sum(code.find(address) != (name, offset) for *_, address, name, offset in frames) > 200
