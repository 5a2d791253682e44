"""The one way tests start a program that is not this Python: without what the sanitizer run preloads into it."""

from __future__ import annotations

import os
import subprocess
from typing import Any


def environment() -> dict[str, str]:
    """Copy this process's environment, less the preloaded sanitizers: other programs fail or hang with them."""
    return {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "PYTHONMALLOC")}


def run(argv: list[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run a program to its end, capturing its output; options are those of subprocess.run."""
    return subprocess.run(argv, **{"env": environment(), "capture_output": True, "check": False, **options})
