"""Every extension has a hand-written stub, and the stub says what the compiled module really has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"

# What a module has and no stub should tell.
ALLOWLIST = r"""
# Cython's table of C functions, and the constructor slot that it fills for every extension type.
.*__pyx_capi__
.*\.__init__
# An alias that only type checkers need.
flameparse\.document\.tree\.Event
# Extension types that never leave their module.
flameparse\.document\.tree\.(TreeBuilder|View)
flameparse\.fold\.(Column|Folder|Scratch)
flameparse\.missing_frames\.survey\.Tally
flameparse\.model\.absorb\.(Absorption|IdMap)
flameparse\.passes\.(Flags|FrameNames|FrameShapes|StackMap)
flameparse\.symbolize\.kallsyms\.KernelSymbols
flameparse\.symbolize\.perf_map\.MapLines
"""


def stubtest(modules: list[str], allowlist: Path) -> subprocess.CompletedProcess[str]:
    """Compare stubs with modules; extension types share a layout, which only looks disjoint from outside."""
    allowlist.write_text(ALLOWLIST, encoding="utf-8")
    options = ["--concise", "--ignore-disjoint-bases", "--allowlist", str(allowlist)]
    return subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", *options, *modules],
        cwd=allowlist.parent,
        env={"PATH": "", "MYPYPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_extension_has_a_stub() -> None:
    extensions = sorted(SOURCE.rglob("*.pyx"))
    assert extensions
    assert [path for path in extensions if not path.with_suffix(".pyi").exists()] == []


def test_every_stub_has_an_extension() -> None:
    assert [path for path in sorted(SOURCE.rglob("*.pyi")) if not path.with_suffix(".pyx").exists()] == []


@pytest.mark.packaging
def test_stubs_agree_with_the_binaries(tmp_path: Path) -> None:
    modules = [".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in sorted(SOURCE.rglob("*.pyx"))]
    result = stubtest(modules, tmp_path / "allowlist")
    assert result.returncode == 0, result.stdout + result.stderr
