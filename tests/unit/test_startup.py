"""Start-up: a pipe tool runs once per trace, so nothing slow may be imported on the way to the first byte."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from flameparse._version import __version__
from unit.cli_runs import ENVIRONMENT, TRACE, run_process

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


# What the console script does.
SCRIPT = "import sys; from flameparse.__main__ import main; code = main()"


def modules(program: str, *arguments: str, stdin: bytes = b"") -> set[str]:
    """Run a program and list the modules in memory at its end."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules, file=sys.stderr)", *arguments],
        input=stdin,
        capture_output=True,
        env=ENVIRONMENT,
        check=True,
        timeout=60,
    )
    return set(done.stderr.decode().split())


def test_version_imports_nothing_more() -> None:
    added = modules(SCRIPT, "--version") - modules("pass")
    assert added == {"flameparse", "flameparse.__main__", "flameparse._version", "__future__"}


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [(["fold", "-q"], TRACE), (["fold", "-q"], b"a;b 1\n"), (["fold", "-q", "--pid", "--all", "-n", "2"], TRACE)],
)
def test_nothing_slow_on_the_way_to_folded_text(arguments: list[str], stdin: bytes) -> None:
    added = modules(SCRIPT, *arguments, stdin=stdin) - modules("pass")
    assert added & SLOW == set()
    assert {name for name in added if name.startswith("flameparse.cli.")} == {
        f"flameparse.cli.{name}" for name in ("dispatch", "exit_codes", "fold", "options", "output", "terminal")
    }
    assert not any(name.startswith("flameparse.render") for name in added)


def fastest_seconds(command: list[str], runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
        best = min(best, time.perf_counter() - started)
    return best


def test_version_takes_little_more_than_python_itself() -> None:
    bare = fastest_seconds([sys.executable, "-c", "pass"], 25)
    assert fastest_seconds([sys.executable, "-c", SCRIPT, "--version"], 25) <= 2.5 * bare


def test_module_and_script_are_the_same_program() -> None:
    assert run_process("--version").stdout == f"flameparse {__version__}\n".encode()
    script = Path(sys.executable).parent / "flameparse"
    if not script.exists():
        pytest.skip("flameparse is not installed here")
    assert (
        subprocess.run([script, "--version"], capture_output=True, check=True).stdout == run_process("--version").stdout
    )
