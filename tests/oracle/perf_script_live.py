"""What the installed `perf script` prints of a perf.data, and the same lines made from the reference reading."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from oracle.perf_data_reference import CALLCHAIN, CPU, KERNEL, PERIOD, TID, TIME, Recording, Sample, read

_NAMED_FRAME = re.compile(rb"^\t *([0-9a-f]+) [^\n]* (\([^()\n]*\))$", re.M)  # of a file without brackets in its name
_BLANKS = re.compile(rb"[ \t]+")


@functools.cache
def perf_works() -> bool:
    """Say whether perf is here and may record."""
    if not shutil.which("perf"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        command = ["perf", "record", "-q", "-e", "cpu-clock", "-o", f"{folder}/perf.data", "true"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def fields_of(recording: Recording, *, has_stacks: bool = True) -> str:
    """Return the fields that every event of a recording has, without names."""
    fields = "comm,event" + (",ip,dso" if has_stacks else "")
    for bit, name in ((TID, "pid,tid"), (CPU, "cpu"), (TIME, "time"), (PERIOD, "period")):
        if recording.attrs and all(attr.has(bit) for attr in recording.attrs):
            fields += "," + name
    return fields


def perf_script(path: Path | str, *options: str, home: Path | str | None = None) -> bytes:
    """Run perf script without inlined frames; its build-id cache and settings are those of the home folder."""
    command = ["perf", "script", "--no-inline", "-f", "-i", str(path), *options]
    environment = os.environ | ({"HOME": str(home)} if home else {})
    return subprocess.run(command, capture_output=True, env=environment, check=False).stdout


def addresses(path: Path | str, *options: str, home: Path | str | None = None, has_stacks: bool = True) -> bytes:
    """Print every sample with nanoseconds, whole paths and no names, which need no symbol files."""
    recording = read(path)
    fields = fields_of(recording, has_stacks=has_stacks)
    text = perf_script(path, "--ns", "-F", fields, *options, home=home)
    # Of a pipe, perf learns the events too late to leave the names out.
    return tidied(_NAMED_FRAME.sub(rb"\t\1 \2", text) if recording.is_pipe else text)


def tidied(text: bytes) -> bytes:
    """Leave out the padding."""
    return b"\n".join(_BLANKS.sub(b" ", line).strip() for line in text.splitlines()) + b"\n"


def printed(recording: Recording, *, has_stacks: bool = True) -> bytes:
    """Print the reference's samples as ``addresses`` gives them."""
    fields = fields_of(recording, has_stacks=has_stacks).split(",")
    has_chains = any(attr.has(CALLCHAIN) for attr in recording.attrs)
    text = b"".join(_sample(sample, fields, has_chains) for sample in recording.samples)
    return tidied(text)


def _sample(sample: Sample, fields: list[str], has_chains: bool) -> bytes:
    words = [sample.comm]
    if "pid" in fields:
        words.append(b"%d/%d" % (sample.pid, sample.tid))
    if "cpu" in fields:
        words.append(b"[%03d]" % (sample.cpu or 0))
    if "time" in fields and sample.time_ns is not None:
        words.append(b"%d.%09d:" % divmod(sample.time_ns, 10**9))
    if "period" in fields:
        words.append(b"%d" % sample.period)
    header = b" ".join([*words, sample.event + b":"])
    if "ip" not in fields:
        return header + b"\n"
    frames = [
        b"%x (%s)" % (frame.ip if frame.mode == KERNEL or not has_chains else frame.address, frame.path or b"[unknown]")
        for frame in sample.frames
    ]
    if not has_chains:
        return b" ".join([header, *frames]) + b"\n"
    return b"\n".join([header, *frames]) + b"\n\n"
