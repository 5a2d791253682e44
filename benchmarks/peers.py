"""The tools flameparse is measured against: where they are on this machine, their versions, how they are called."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CARGO_ROOT = Path(__file__).parent / "data" / "cargo"


@dataclass(frozen=True)
class Tool:
    """A program to run: `command` and the version it says it has."""

    command: tuple[str, ...]
    version: str


def output_of(*command: str) -> str:
    """Return the first line a program prints."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, text=True)
    return done.stdout.strip().splitlines()[0]


def find_flameparse(given: str | None = None) -> Tool:
    """Return the command of this interpreter's environment, or the one given."""
    beside = Path(sys.executable).parent / "flameparse"
    path = given or os.environ.get("FLAMEPARSE") or (str(beside) if beside.exists() else shutil.which("flameparse"))
    if path is None:
        raise SystemExit("flameparse is not installed: make build")
    return Tool((path,), output_of(path, "--version"))


def find_inferno(install: bool = True) -> Tool | None:
    """Return inferno-collapse-perf; `cargo install inferno` makes it where it is missing and cargo is there."""
    name = "inferno-collapse-perf"
    cargo_home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    folders = [os.environ.get("PATH", os.defpath), str(cargo_home / "bin"), str(CARGO_ROOT / "bin")]
    path = shutil.which(name, path=os.pathsep.join(folders))
    if path is None and install and shutil.which("cargo"):
        print("cargo install inferno, this takes minutes", file=sys.stderr)
        done = subprocess.run(["cargo", "install", "--quiet", "--locked", "--root", CARGO_ROOT, "inferno"], check=False)
        path = str(CARGO_ROOT / "bin" / name) if done.returncode == 0 else None
    return Tool((path,), inferno_version(Path(path))) if path else None


def inferno_version(path: Path) -> str:
    """Return the version as cargo noted it at installation; the programs do not say it."""
    notes = path.parents[1] / ".crates.toml"
    noted = re.search(r'"inferno ([^ ]+) ', notes.read_text()) if notes.exists() else None
    return noted[1] if noted else "unknown"


def find_stackcollapse_perf(given: str | None = None) -> Tool | None:
    """Return stackcollapse-perf.pl when its path is given, as an argument or in STACKCOLLAPSE_PERF."""
    path = given or os.environ.get("STACKCOLLAPSE_PERF") or shutil.which("stackcollapse-perf.pl")
    perl = shutil.which("perl")
    if path is None or perl is None:
        return None
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return Tool((perl, path), f"sha256 {digest[:16]}, perl {output_of(perl, '-e', 'print $^V')}")


def find_perf() -> Tool | None:
    """Return perf where the machine has one that runs."""
    path = shutil.which("perf")
    try:
        return Tool((path,), output_of(path, "--version")) if path else None
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None


def find_samply() -> Tool | None:
    """Return samply where the machine has it: `cargo install --locked samply`."""
    cargo_home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    path = shutil.which("samply", path=os.pathsep.join([os.environ.get("PATH", os.defpath), str(cargo_home / "bin")]))
    return Tool((path,), output_of(path, "--version")) if path else None
