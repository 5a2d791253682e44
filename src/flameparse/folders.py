"""What the names of files tell: which of a folder are the recording, and the thread that node wrote a profile of.

No other place goes by names.

Layout::

    perf record --kcore              data, kcore_dir/kallsyms
    0x --kernel-tracing              stacks.PID.out (perf script text), meta.json
    0x up to version 4 on macOS      .stacks.PID.out (DTrace text), meta.json
    0x                               isolate-0xADDRESS-PID-PID-v8.log, the same with .json behind it, ticks.json
    node --cpu-prof --cpu-prof-dir   CPU.DATE.TIME.PID.THREAD.SERIAL.cpuprofile, one for each thread
Source: github.com/davidmarkclements/0x, docs/profile-folder.md and platform/; node's documentation of --cpu-prof-name.
"""

from __future__ import annotations

import os

from flameparse import limits
from flameparse.decode.perf_data import recording_file
from flameparse.errors import SourceError, UnsupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def recordings_in(folder: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Name the recordings in a folder; several are parts of one run.

    Args:
        folder: its path.

    Yields:
        The path of each, and facts about it for a document's ``meta``.

    Raises:
        SourceError: there is none, or the folder cannot be read.
        UnsupportedError: there is one of a kind that is not read.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError as error:
        raise SourceError(f"{folder}: {error.strerror or error}") from error
    stacks = [name for name in names if name.removeprefix(".").startswith("stacks.") and name.endswith(".out")]
    profiles = [name for name in names if name.endswith(".cpuprofile")]
    if "data" not in names and stacks and profiles:
        raise SourceError(
            f"{folder}: holds {stacks[0]} (0x) and {profiles[0]} (node), which are two recordings; "
            "give one of the files"
        )
    if "data" in names:
        yield recording_file(folder), {}
    elif stacks or profiles:
        facts = _facts(os.path.join(folder, "meta.json")) if stacks and "meta.json" in names else {}
        for name in stacks or profiles:
            yield os.path.join(folder, name), facts
    elif any(name.startswith("isolate") and ".log" in name for name in names):
        raise UnsupportedError(
            f"{folder}: what 0x left here is the log of V8's own profiler, isolate*.log, which is not read; "
            "record with 0x --kernel-tracing or with node --cpu-prof"
        )
    elif "ticks.json" in names:
        raise UnsupportedError(f"{folder}: ticks.json of 0x is not read; give the stacks.PID.out it was made of")
    else:
        raise SourceError(
            f"{folder}: is a folder without a recording, which would be a file named data (perf), stacks.PID.out (0x) "
            "or *.cpuprofile (node)"
        )


def thread_of(path: str) -> tuple[int, int] | None:
    """Tell whose CPU profile a file is by the name that node gives it, compressed or not.

    Layout: ``CPU.YYYYMMDD.HHMMSS.PID.THREAD.SERIAL.cpuprofile``, the main thread is 0, workers are 1 up
    Source: Node's src/node.cc and src/util.cc, class DiagnosticFilename.

    Args:
        path: of the file.

    Returns:
        ``(pid, thread)``; None for any other name.
    """
    import re

    found = re.fullmatch(
        r"CPU\.[0-9]{8}\.[0-9]{6}\.([0-9]{1,9})\.([0-9]{1,9})\.[0-9]{3,9}\.cpuprofile(?:\.(?:gz|bz2|xz|zst))?",
        os.path.basename(path),
    )
    return None if found is None else (int(found[1]), int(found[2]))


def _facts(path: str) -> dict[str, object]:
    """Read what 0x says of a run: the command line of its target; nothing where the file is not as 0x writes it."""
    import json

    try:
        with open(path, "rb") as file:
            said = json.loads(file.read(limits.MAX_NAME_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    argv = said.get("argv") if isinstance(said, dict) else None
    if not isinstance(argv, list) or not argv:
        return {}
    words = [said.get("pathToNodeBinary"), *argv]
    command = " ".join(word for word in words if isinstance(word, str))
    return {"command": command.encode("utf-8", "backslashreplace").decode()}
