"""Tags that no known V8 writes are counted where V8 is, and nowhere else."""

from __future__ import annotations

import pytest

from flameparse import limits
from flameparse.frames.unknown_tags import unknown_tags
from flameparse.model.frame_table import FrameTable
from flameparse.model.string_table import StringTable

JIT = 2
NODE = [b"JS:*fib /app/cpu.js:4:14", b"Builtin:ArrayPush", b"RegExp:a+"]


def count(names: list[bytes | None], kind: int = JIT) -> dict[bytes, int]:
    frames, strings = FrameTable(), StringTable()
    for name in names:
        frames.add(0xFFFF_FFFF if name is None else strings.add(name), kind=kind)
    return unknown_tags(frames, strings)


def test_frames_of_each_tag() -> None:
    names = [*NODE, None, b"Novelty:*f /app/a.js:1:2", b"Other:x", b"Novelty:g", b"Novelty:h", b"FutureIC:x"]
    assert list(count(names).items()) == [(b"Novelty", 3), (b"Other", 1)]


def test_what_is_known_is_not_told() -> None:
    assert count(NODE) == {}


@pytest.mark.parametrize("kind", [0, 1, 3])
def test_only_generated_code_counts(kind: int) -> None:
    assert count([*NODE, b"Novelty:f"], kind) == {}


@pytest.mark.parametrize(
    "others",
    [
        # Java
        [b"Lorg/acme/Job;::run", b"java.lang.Object java.util.HashMap.get(java.lang.Object)", b"Interpreter"],
        # .NET and Mono
        [b"void [System.Private.CoreLib] System.Foo::Bar(int32)[Tier0]", b"Program:Main (string[])", b"Foo:Bar"],
        # Python, Ruby, Erlang, LuaJIT, JavaScriptCore, PHP
        [b"py::f:/a.py", b"Integer#times@<internal:numeric>:231", b"$lists:map/2", b"TRACE_7::/app/x.lua:3"],
        [b"DFG: sort", b"JIT$Foo::bar"],
    ],
)
def test_other_jits_are_not_v8(others: list[bytes]) -> None:
    assert count(others) == {}


def test_other_jits_beside_v8() -> None:
    assert count([*NODE, b"Program:Main (string[])", b"DFG: sort", b"Lorg/acme/Job;::run"]) == {}


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_unknown_tags(excess: int) -> None:
    tags = [b"Tag" + bytes([65 + i]) for i in range(limits.MAX_UNKNOWN_TAGS + excess)]
    found = count([*NODE, *(tag + b":f" for tag in tags), tags[-1] + b":g"])
    assert len(found) == min(len(tags), limits.MAX_UNKNOWN_TAGS)
    assert next(iter(found.items())) == (tags[-1], 2)
