"""Names in maps of Node 8 to 26, and names no V8 ever wrote: the parser and the slow reference agree on every one."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from flameparse.frames.v8_name import v8_name
from oracle import v8_name_reference as reference

CORPUS = os.environ.get("FLAMEPARSE_CORPUS")
# Other versions to try, paths of node binaries or of maps they wrote, as in PATH.
MORE_NODES = [path for path in os.environ.get("FLAMEPARSE_NODES", "").split(os.pathsep) if path]
MORE_MAPS = [path for path in os.environ.get("FLAMEPARSE_V8_MAPS", "").split(os.pathsep) if path]
SHIPPED_MAP = Path(__file__).parents[2] / "fixtures" / "perf_data" / "symbols" / "tmp" / "perf-8460.map"

# Kinds in the recorded maps, counted with grep; a new map gets a new row.
MAP_KINDS = {
    "node8.perf.map": {
        "function": 789,
        "wasm": 2,
        "script": 113,
        "eval": 6,
        "builtin": 648,
        "bytecode-handler": 442,
        "stub": 193,
    },
    "node12.perf.map": {"function": 340, "wasm": 3, "eval": 193, "builtin": 1070, "bytecode-handler": 483, "regexp": 5},
    "node16.perf.map": {"function": 467, "wasm": 2, "eval": 54, "builtin": 1246, "bytecode-handler": 480, "regexp": 2},
    "node18.perf.map": {"function": 453, "wasm": 1, "eval": 54, "builtin": 1571, "bytecode-handler": 483, "regexp": 2},
    "node22.perf.map": {"function": 223, "wasm": 2, "eval": 45, "builtin": 1810, "bytecode-handler": 494, "regexp": 2},
    "node22-churn.perf.map": {"function": 3043, "script": 1, "eval": 806, "builtin": 1810, "bytecode-handler": 494},
    "node24.perf.map": {"function": 269, "wasm": 2, "eval": 47, "builtin": 1873, "bytecode-handler": 511, "regexp": 2},
    "node26.perf.map": {"function": 462, "eval": 114, "builtin": 1894, "bytecode-handler": 521, "regexp": 1},
}


def map_names(data: bytes) -> list[bytes]:
    """The names of a map; lines without an address, the rest of a name with a newline, are left out."""
    found = (re.fullmatch(rb"(?:0x)?[0-9a-f]+ [0-9a-f]+ (.*)", line, re.DOTALL) for line in data.split(b"\n"))
    return [match[1] for match in found if match]


def assert_agree(names: list[bytes]) -> None:
    for name in names:
        assert v8_name(name) == reference.v8_name(name), name


@pytest.mark.skipif(not CORPUS, reason="FLAMEPARSE_CORPUS is not set")
@pytest.mark.parametrize("file", MAP_KINDS)
def test_recorded_maps(file: str) -> None:
    names = map_names((Path(CORPUS or "") / "v8-maps" / file).read_bytes())
    assert_agree(names)
    kinds = Counter(parts[0] if (parts := v8_name(name)) else None for name in names)
    assert {kind: kinds[kind] for kind in MAP_KINDS[file]} == MAP_KINDS[file]
    assert None not in kinds
    assert kinds["unknown-tag"] == 0


@pytest.mark.parametrize("path", [SHIPPED_MAP, *MORE_MAPS])
def test_other_maps(path: str | Path) -> None:
    names = map_names(Path(path).read_bytes())
    assert len(names) > 10
    assert_agree(names)
    assert {parts[0] if (parts := v8_name(name)) else None for name in names}.isdisjoint({None, "unknown-tag"})


PROGRAM = r"""
const o = {
  get gg() { return fib(9); }, 'str lit (a) b:1:2'(n) { return fib(n); }, '*'(n) { return fib(n); },
  'GET /users/:id'(n) { return fib(n); }, 'a [eval]'(n) { return fib(n); }, 'my internal/x'(n) { return fib(n); },
  '  lead'(n) { return fib(n); }, 'a http://x'(n) { return fib(n); }, '名前 名'(n) { return fib(n); },
};
const names = Object.keys(o).filter((name) => name !== 'gg');
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
function größe(n) { return fib(n); }
const made = new Function('n', 'let s = 0; for (let i = 0; i < n; i++) s += i; return s;');
const end = Date.now() + 200;
let t = 0;
while (Date.now() < end) {
  t += o.gg + größe(9) + made(900);
  for (const name of names) t += o[name](9);
  for (let i = 0; i < 50; i++) t += /^(\w+)-'q' \+ \(z\)$/.test('a' + i) + /a+b+/i.test('xaab' + i);
}
"""


def map_written_now(node: str, folder: Path, *flags: str) -> tuple[Path, list[bytes]]:
    """Run the program in a folder with an odd name; returns its path and the names of the map that V8 wrote."""
    if not node:
        pytest.skip("node is not installed")
    program = folder / "odd dir (x)" / "pro gram.js"
    program.parent.mkdir()
    program.write_text(PROGRAM, encoding="utf-8")
    process = subprocess.Popen(  # not run(): the map is named by the process id
        [node, "--perf-basic-prof", *flags, str(program)], cwd=folder, stdout=subprocess.DEVNULL
    )
    assert process.wait(60) == 0
    written = Path(f"/tmp/perf-{process.pid}.map")
    names = map_names(written.read_bytes())
    written.unlink()
    return program, names


NODES = pytest.mark.parametrize("node", MORE_NODES or [shutil.which("node") or ""])


@NODES
def test_a_map_written_now(node: str, tmp_path: Path) -> None:
    program, names = map_written_now(node, tmp_path)
    assert_agree(names)
    parsed = [v8_name(name) for name in names]
    kinds = Counter(parts[0] if parts else None for parts in parsed)
    assert None not in kinds
    assert kinds["unknown-tag"] == 0
    assert kinds["regexp"] >= 2
    functions = {(parts[3].decode(), parts[5]) for parts in parsed if parts and parts[4] == str(program).encode()}
    assert {
        ("get gg", 3), ("str lit (a) b:1:2", 3), ("*", 3), ("GET /users/:id", 4), ("a [eval]", 4),
        ("my internal/x", 4), ("  lead", 5), ("a http://x", 5), ("名前 名", 5), ("fib", 8), ("größe", 9), ("", 1),
    } <= functions  # fmt: skip
    assert any(parts[1] & 7 == 4 and parts[3] == b"fib" for parts in parsed if parts)


@NODES
def test_names_are_those_of_the_cpu_profile(node: str, tmp_path: Path) -> None:
    """V8's own profiler gives the parts apart: name, file, line and column of every function it met."""
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout if node else ""
    if version.startswith(("v8.", "v10.")):
        pytest.skip("--cpu-prof came with Node 12")
    _, names = map_written_now(node, tmp_path, "--cpu-prof", "--cpu-prof-interval", "100", "--no-turbo-inlining")
    (profile,) = tmp_path.glob("*.cpuprofile")
    expected = {}
    for row in json.loads(profile.read_bytes())["nodes"]:
        frame = row["callFrame"]
        name, file, line, column = (frame[key] for key in ("functionName", "url", "lineNumber", "columnNumber"))
        expected[f"{name} {file}:{line + 1}".encode()] = (name.encode(), file.encode(), line + 1, -1)
        expected[f"{name} {file}:{line + 1}:{column + 1}".encode()] = (
            name.encode(),
            file.encode(),
            line + 1,
            column + 1,
        )
    met = 0
    for full in names:
        written = re.sub(rb"^(JS|LazyCompile|Function|Eval|Script):(o?[~^+*-]'?)?", b"", full)
        if written != full and written in expected:
            parts = v8_name(full)
            assert parts is not None
            assert parts[3:] == expected[written], full
            met += 1
    assert met >= 5


PIECES = [
    b"JS:", b"LazyCompile:", b"Function:", b"Eval:", b"Script:", b"InterpretedFunction:", b"RegExp:", b"RegExp.> ",
    b"RegExp.< src: '", b"src: '", b"' flags: '", b"'", b"Builtin:", b"Stub:", b"LoadIC:", b"FooIC:", b"Foo:", b"::",
    b":", b" ", b"o", b"~", b"^", b"+", b"*", b"-", b"*'", b"/app/a.js", b"/", b"node:fs", b"file:///a%20b",
    b"internal/", b"native ", b"native array.js", b"C:\\a b", b"c:/x", b"wasm-function[0]-0", b"-turbofan",
    b"-liftoff", b":1", b":14", b":-1", b":12345678901", b":1:", b"0", b"(anon) as ", b" at ", b" position ", b"<< ",
    b" >>", b"adaptor", b"foo", b"\n", b"\xc3\xbc", b"\xff", b"\0", b"[eval]", b"evalmachine.<anonymous>",
    b"https://", b"a.js", b"Z" * 33,
]  # fmt: skip


def test_shuffled_pieces() -> None:
    choice = random.Random(5)
    assert_agree([b"".join(choice.choices(PIECES, k=choice.randrange(1, 9))) for _ in range(60_000)])


@pytest.mark.parametrize(
    "name",
    [
        "JS:o+'get gg /app/odd dir (x)/cpu.js:4:14",
        "RegExp.> src: 'a' flags: 'b' flags: 'i'",
        "(anon) as exports.active at timers.js position 5243",
    ],
)
def test_names_cut_anywhere(name: str) -> None:
    assert_agree([name.encode()[:length] for length in range(len(name) + 1)])
