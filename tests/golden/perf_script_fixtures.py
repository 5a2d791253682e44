"""The recordings in ``fixtures/perf_script`` and the goldens each has."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from oracle import perf_script_reference as reference

FOLDER = Path(__file__).parents[2] / "fixtures" / "perf_script"

# What a golden's name says after the double underscore, as options of the reference's fold().
OPTIONS: dict[str, dict[str, Any]] = {
    "": {},
    "raw": {"names": "raw"},
    "pid": {"root": "pid"},
    "tid": {"root": "tid"},
    "none": {"root": "none"},
    "samples": {"weight": "samples"},
    "all": {"event": b"all"},
}

# The goldens beside the default one.
MORE_GOLDENS = {
    "cpp_dwarf_inlined": ("raw",),
    "cpp_templates": ("raw", "samples", "none"),
    "events_padded": ("all", "samples"),
    "go_methods": ("raw",),
    "node_interpreted_frames": ("raw", "samples"),
    "odd_thread_names": ("pid", "tid", "raw"),
    "odd_thread_names_one_line": ("tid",),
    "rust_legacy": ("raw",),
    "rust_v0": ("raw",),
    "several_processes": ("pid", "tid", "none"),
    "tracepoint_arguments": ("all",),
    "tracepoint_one_line": ("all", "tid"),
}

FIXTURES = sorted(path.name.partition(".")[0] for path in FOLDER.glob("*.txt*"))
GOLDENS = [(fixture, option) for fixture in FIXTURES for option in ("", *MORE_GOLDENS.get(fixture, ()))]


def path_of(fixture: str) -> Path:
    plain = FOLDER / f"{fixture}.txt"
    return plain if plain.exists() else plain.with_suffix(".txt.gz")


def text_of(fixture: str) -> bytes:
    content = path_of(fixture).read_bytes()
    return gzip.decompress(content) if path_of(fixture).suffix == ".gz" else content


def golden_of(fixture: str, option: str) -> Path:
    name = f"{fixture}__{option}.folded" if option else f"{fixture}.folded"
    return FOLDER / (name + ".gz" if path_of(fixture).suffix == ".gz" else name)


def read_golden(fixture: str, option: str = "") -> bytes:
    golden = golden_of(fixture, option)
    assert golden.exists(), f"no golden {golden.name}: look at the reference's answer, then run with --bless"
    content = golden.read_bytes()
    return gzip.decompress(content) if golden.suffix == ".gz" else content


def write_golden(fixture: str, option: str) -> None:
    content = folded_by_reference(fixture, option)
    golden = golden_of(fixture, option)
    golden.write_bytes(gzip.compress(content, 9, mtime=0) if golden.suffix == ".gz" else content)


def folded_by_reference(fixture: str, option: str) -> bytes:
    return reference.fold(reference.parse(text_of(fixture)), **OPTIONS[option])
