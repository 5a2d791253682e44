"""Recordings of Node 20 to 26: every frame has the class that a list made by hand gives it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from flameparse.frames.classify import CLASSES, FILTERS, frame_class, frame_filters
from flameparse.frames.kind import kind_of_module

FOLDER = Path(__file__).parents[2] / "fixtures" / "v8"
VERSIONS = (20, 22, 24, 26)
FRAME = re.compile(rb"\t *([0-9a-f]+) (.+?)(?:\+0x[0-9a-f]+)? \(([^ ]+)\)")

# What Node's guide to flame graphs has sed take out of the text of perf, and 0x after it.
TAKEN_OUT = re.compile(
    rb" __libc_start| LazyCompile | v8::internal::| Builtin:| Stub:| LoadIC:|\[unknown\]| LoadPolymorphicIC:"
)

Frame = tuple[bytes, bytes, int]


def frames_of(version: int) -> dict[bytes, Frame]:
    """Every frame of a recording as the list writes it: symbol, module in brackets, process ids left out."""
    found = {}
    for line in gzip.decompress((FOLDER / f"node_{version}.txt.gz").read_bytes()).splitlines():
        if match := FRAME.fullmatch(line):
            address, symbol, module = match.groups()
            written = b"%s (%s)" % (symbol, re.sub(rb"perf-\d+", b"perf-N", module))
            found[written] = symbol, module, kind_of_module(module, int(address, 16))
    return found


def classes_of(version: int) -> dict[bytes, str]:
    lines = (FOLDER / f"node_{version}.classes").read_bytes().splitlines()
    pairs = [line.split(b"\t") for line in lines]
    assert len({frame for _, frame in pairs}) == len(lines)
    return {frame: name.decode() for name, frame in pairs}


@pytest.mark.parametrize("version", VERSIONS)
def test_classes_are_those_of_the_list(version: int) -> None:
    frames, expected = frames_of(version), classes_of(version)
    assert set(frames) == set(expected)
    assert set(expected.values()) < set(CLASSES)
    assert {"app", "deps", "core", "regexp", "wasm", "eval", "v8", "interpreter", "libuv", "openssl"} < set(
        expected.values()
    )
    assert {written: frame_class(*frame) for written, frame in frames.items()} == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_classes_without_modules(version: int) -> None:
    """Folded text has names alone: what is JavaScript, V8's or the interpreter's does not need the module."""
    by_name = {"app", "deps", "core", "regexp", "wasm", "eval", "v8", "interpreter", "unresolved"}
    frames = frames_of(version)
    needs_module = {b"PushAllRegistersAndIterateStack", b"construct_stub_create_deopt_addr"}
    for written, expected in classes_of(version).items():
        symbol = frames[written][0]
        if expected in by_name and symbol not in needs_module:
            assert frame_class(symbol) == expected, symbol


@pytest.mark.parametrize("version", VERSIONS)
def test_the_preset_of_0x_takes_out_what_0x_meant_to(version: int) -> None:
    for written, (symbol, module, kind) in frames_of(version).items():
        hidden = frame_filters(symbol, module, kind)
        # The arguments of a template may name V8's types, and builtins have been symbols since Node 12.
        meant = TAKEN_OUT.search(b" " + written) and not symbol.startswith((b"std::", b"heap::base::"))
        is_builtin = symbol.startswith(b"Builtins_") and (
            not symbol.endswith(b"Handler") and frame_class(symbol) in ("v8", "interpreter")
        )
        assert bool(hidden) == bool(meant or is_builtin), written
        assert not hidden or sum(FILTERS[name] for name in hidden) & FILTERS["0x"]
