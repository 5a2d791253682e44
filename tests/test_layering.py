"""The stages import each other only as ARCHITECTURE.md allows.

Every ``import`` and ``cimport`` line under src/flameparse is read, those inside functions too: a lazy import is still a
dependency.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "flameparse"

# A stage is a name directly under flameparse: a module or a folder. These may be imported by every other one.
OPEN_TO_ALL = {"errors", "limits", "_version"}

STAGES = {
    "scan", "model", "source", "sink", "decode", "symbolize", "frames", "load_options", "passes", "fold", "document",
    "collect",
}  # fmt: skip

ALLOWED = {
    "_version": set(),
    "errors": set(),
    "limits": set(),
    "scan": set(),
    "model": {"scan"},  # hashing and ordering of bytes, which stand with the other loops over borrowed bytes
    "source": set(),
    "sink": set(),
    "decode": {"scan", "model"},
    "symbolize": {"scan", "model", "source"},
    "frames": {"model"},
    "passes": {"model", "frames"},
    "missing_frames": {"model", "frames"},
    "fold": {"scan", "model", "document"},
    "document": {"scan", "model", "source", "sink"},  # source, sink: Document.read() and write() alone touch a disk
    "export": {"scan", "model", "document"},  # the two: a table of names, and their order
    # The last three: a page does and undoes what they do to frames.
    "render": {"document", "frames", "load_options", "passes"},
    "record": {"source", "symbolize", "collect"},
    "collect": {"source", "sink", "decode", "model", "parallel", "symbolize"},
    "parallel": {"decode", "model", "source", "symbolize"},  # the part of the pipeline that runs threads
    "load_options": {"document", "frames", "passes", "symbolize"},
    "folders": {"decode"},
    "pipeline": STAGES | {"folders", "missing_frames", "parallel"},
    "batch": {"pipeline", "document"},
    "cli": {
        "source",
        "sink",
        "symbolize",
        "document",
        "export",
        "render",
        "record",
        "collect",
        "load_options",
        "pipeline",
        "batch",
        "missing_frames",
    },
    "__init__": {"document", "sink", "export", "render", "load_options", "pipeline"},
    "__main__": {"cli"},
}

MEANINGLESS = {"utils", "common", "helpers", "misc", "shared"}

CYTHON_COMMENT = re.compile(r'"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\'|#[^\n]*', re.DOTALL)
CYTHON_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>[.\w]+)[ \t]+c?import[ \t]+(?P<names>\([^)]*\)|[^\n]+)"
    r"|c?import[ \t]+(?P<modules>[^\n]+))",
    re.MULTILINE,
)


def stage_of(parts: list[str]) -> str:
    """Name the stage of a file by its path below flameparse, split at the slashes."""
    return parts[0].partition(".")[0]


def imported_names(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Yield (line, module with its leading dots, names taken from it) for each import of a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".py", ".pyi"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                yield node.lineno, "." * node.level + (node.module or ""), [alias.name for alias in node.names]
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name, []
        return
    # Cython: comments and doc strings go, line by line so that line numbers stay; then two forms are left.
    text = CYTHON_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text).replace("\\\n", "  ")
    for match in CYTHON_IMPORT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["module"]:
            names = [part.split()[0] for part in match["names"].strip("()").split(",") if part.strip()]
            yield line, match["module"], names
        else:
            for part in match["modules"].split(","):
                yield line, part.split()[0], []


def imported_stages(path: Path, package: list[str]) -> Iterator[tuple[int, str]]:
    """Yield (line, stage) for each import of flameparse by a file that stands in ``package`` below flameparse."""
    for line, module, names in imported_names(path):
        relative = len(module) - len(module.lstrip("."))
        if relative:
            base = ["flameparse", *package][: len(package) + 2 - relative]
            parts = base + [part for part in module[relative:].split(".") if part]
        else:
            parts = module.split(".")
        if parts[0] != "flameparse":
            continue
        if len(parts) > 1:
            yield line, parts[1]
        else:
            for name in names or ["__init__"]:
                yield line, name


def violations(root: Path) -> list[str]:
    """List what breaks the rules in a tree of the package, one ``file:line: reason`` each."""
    found = []
    for path in sorted(path for path in root.rglob("*") if path.suffix in (".py", ".pyi", ".pyx", ".pxd")):
        inside = path.relative_to(root)
        stage = stage_of(list(inside.parts))
        if MEANINGLESS & {part.partition(".")[0] for part in inside.parts}:
            found.append(f"{inside}: the name says nothing")
        if stage not in ALLOWED:
            found.append(f"{inside}: {stage} is no stage")
            continue
        for line, imported in imported_stages(path, list(inside.parts[:-1])):
            if imported != stage and imported not in ALLOWED[stage] | OPEN_TO_ALL:
                found.append(f"{inside}:{line}: {stage} must not import {imported}")
    return found


def test_the_package_keeps_the_rules() -> None:
    found = violations(SOURCE)
    assert not found, "\n".join(found)


def test_the_package_was_read() -> None:
    stages = {stage_of(list(path.relative_to(SOURCE).parts)) for path in SOURCE.rglob("*.py*")}
    assert {"decode", "document", "render", "pipeline", "cli"} <= stages
    assert any(list(imported_stages(path, ["decode"])) for path in (SOURCE / "decode").glob("*.pyx"))


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("scan/a.py", "import flameparse.model.stacks\n", "scan/a.py:1: scan must not import model"),
        ("decode/a.py", "\nfrom flameparse.render import svg\n", "decode/a.py:2: decode must not import render"),
        ("render/a.py", "from flameparse import decode as d\n", "render/a.py:1: render must not import decode"),
        ("render/a.py", "import flameparse\n", "render/a.py:1: render must not import __init__"),
        ("model/a.py", "def f():\n    import flameparse.cli.fold\n", "model/a.py:2: model must not import cli"),
        ("model/a.py", "from ..source import open_source\n", "model/a.py:1: model must not import source"),
        ("model/a.py", "from .. import errors, source\n", "model/a.py:1: model must not import source"),
        ("decode/perf_data/a.py", "from ... import passes\n", "decode/perf_data/a.py:1: decode must not import passes"),
        ("decode/a.pyi", "from flameparse.fold import x\n", "decode/a.pyi:1: decode must not import fold"),
        ("frames/a.pyx", "# c\ncimport flameparse.fold as b\n", "frames/a.pyx:2: frames must not import fold"),
        ("frames/a.pyx", "import os, flameparse.cli\n", "frames/a.pyx:1: frames must not import cli"),
        ("fold/a.pxd", "from flameparse.decode.b cimport c, d\n", "fold/a.pxd:1: fold must not import decode"),
        (
            "export/a.pyx",
            '"""Doc\n"""\nfrom flameparse cimport (\n    document,\n    render,  # why\n)\n',
            "export/a.pyx:3: export must not import render",
        ),
        ("export/a.pyx", "from ..render.svg cimport x\n", "export/a.pyx:1: export must not import render"),
        ("pipeline.py", "from flameparse.export import speedscope\n", "pipeline.py:1: pipeline must not import export"),
        ("document/utils.py", "", "document/utils.py: the name says nothing"),
        ("helpers/a.pyx", "", "helpers/a.pyx: the name says nothing"),
        ("telemetry.py", "", "telemetry.py: telemetry is no stage"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, file: str, text: str, expected: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    assert expected in violations(tmp_path)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("scan/a.pyx", "from libc.string cimport memchr\nfrom .b cimport c\nfrom ..limits import MAX_LINE_BYTES\n"),
        (
            "scan/a.pyx",
            '"""Doc.\n\nimport flameparse.cli\nfrom flameparse.cli import x\n"""\n# import flameparse.cli\n',
        ),
        ("decode/perf_data/a.py", "from ...scan import b\nfrom .. import sniff\nfrom . import abi\nimport re\n"),
        ("export/a.py", "from flameparse.document.tree import build_tree\nimport flameparse.errors\n"),
        ("__init__.py", "from .pipeline import load\n"),
    ],
)
def test_what_is_allowed_passes(tmp_path: Path, file: str, text: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    assert violations(tmp_path) == []
