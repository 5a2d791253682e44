"""Two ways to run the command line in a test: as a process of its own, and in this one with descriptors diverted."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import flameparse.cli
from flameparse.__main__ import main

PACKAGE_ROOT = str(Path(flameparse.cli.__file__).parents[2])
ENVIRONMENT = {**os.environ, "PYTHONPATH": PACKAGE_ROOT}
COMMAND = [sys.executable, "-m", "flameparse"]

TRACE = b"""\
app 10/11 [000] 1.000000: 100 cycles:
\t    400100 leaf+0x10 (/bin/app)
\t    400200 main+0x20 (/bin/app)

app 10/12 [001] 1.500000: 50 cycles:
\t    400200 main+0x20 (/bin/app)

db 20/20 [001] 2.250000: 7 page-faults:
\t    500100 load+0x1 (/bin/db)

"""
FOLDED = b"app;main 50\napp;main;leaf 100\n"
OTHER_EVENT = b"flameparse: showing cycles only; also there: page-faults (--event NAME, or --event all)\n"


def run_process(*arguments: str | Path, stdin: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run the command line as a process, with all it printed captured unless ``options`` say otherwise."""
    chosen: dict[str, object] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": ENVIRONMENT, **options}
    return subprocess.run([*COMMAND, *map(str, arguments)], input=stdin, timeout=60, check=False, **chosen)  # type: ignore[call-overload]


def run_here(*arguments: str | Path, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    """Run the command line in this process.

    Returns:
        The exit code, and the bytes written to stdout and stderr.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(number) for number in range(3)]
    with tempfile.TemporaryFile() as input_file, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        input_file.write(stdin)
        input_file.seek(0)
        try:
            for number, file in enumerate((input_file, out, err)):
                os.dup2(file.fileno(), number)
            code = main([str(argument) for argument in arguments])
        finally:
            for number, copy in enumerate(saved):
                os.dup2(copy, number)
                os.close(copy)
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()
