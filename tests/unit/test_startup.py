"""Start-up: a pipe tool runs once per trace, so nothing slow may be imported on the way to the first byte."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from flameparse._version import __version__
from unit.cli_runs import COMMAND, ENVIRONMENT, TRACE, run_process

# Each costs 5 to 40 ms.
SLOW = {
    "concurrent.futures",
    "dataclasses",
    "importlib.metadata",
    "inspect",
    "json",
    "logging",
    "multiprocessing",
    "pathlib",
    "random",
    "shutil",
    "subprocess",
    "tempfile",
    "typing",
    "msgpack",
    "elftools",
}


def imported(*arguments: str, stdin: bytes = b"") -> set[str]:
    """Run the command line and list the modules it imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "flameparse", *arguments],
        input=stdin,
        capture_output=True,
        env=ENVIRONMENT,
        check=True,
        timeout=60,
    )
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def test_version_imports_nothing_more() -> None:
    bare = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "this_is_no_module"], capture_output=True, check=False
    )
    runner = {line.rpartition("|")[2].strip() for line in bare.stderr.decode().splitlines()}
    added = imported("--version") - runner
    assert {name for name in added if name.partition(".")[0] == "flameparse"} == {"flameparse", "flameparse._version"}
    assert not added & (SLOW | {"argparse", "re", "enum"})


@pytest.mark.parametrize(
    ("arguments", "folded"),
    [(["fold", "-q"], TRACE), (["fold", "-q"], b"a;b 1\n"), (["fold", "-q", "--pid", "--all", "-n", "2"], TRACE)],
)
def test_nothing_slow_on_the_way_to_folded_text(arguments: list[str], folded: bytes) -> None:
    names = imported(*arguments, stdin=folded)
    assert "flameparse.pipeline" in names
    assert names & SLOW == set()
    commands = {name for name in names if name.startswith("flameparse.cli.")}
    assert commands == {
        f"flameparse.cli.{name}" for name in ("dispatch", "exit_codes", "fold", "options", "output", "terminal")
    }
    assert not any(name.startswith("flameparse.render") for name in names)


def fastest_seconds(command: list[str], runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
        best = min(best, time.perf_counter() - started)
    return best


def test_version_takes_little_more_than_python_itself() -> None:
    script = Path(sys.executable).parent / "flameparse"
    command = [str(script)] if script.exists() else COMMAND
    assert run_process("--version").stdout == f"flameparse {__version__}\n".encode()
    bare = fastest_seconds([sys.executable, "-c", "pass"], 15)
    assert fastest_seconds([*command, "--version"], 15) <= 2.5 * bare
