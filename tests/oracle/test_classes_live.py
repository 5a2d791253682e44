"""A recording of the installed Node made on the spot: whose code a frame is follows from where the program put it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from flameparse.frames.classify import frame_class
from flameparse.frames.kind import kind_of_module
from oracle.perf_script_live import perf_script, perf_works

PROGRAM = Path(__file__).parents[2] / "fixtures" / "workloads" / "classes.js"
FRAME = re.compile(rb"\t *([0-9a-f]+) (.+?)(?:\+0x[0-9a-f]+)? \(([^ ]+)\)")

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not shutil.which("node") or not perf_works(), reason="node or perf may not record here"),
]


@pytest.mark.parametrize("flags", [[], ["--interpreted-frames-native-stack"]])
def test_classes_of_a_recording(flags: list[str], tmp_path: Path) -> None:
    shutil.copy(PROGRAM, tmp_path)
    package = tmp_path / "node_modules" / "dep" / "index.js"
    package.parent.mkdir(parents=True)
    package.write_text(
        "module.exports = function depSpin(n) { let s = 0; for (let i = 0; i < 1e6; i++) s += i % n; return s; };"
    )
    log = f"--logfile={tmp_path / 'v8.log'}"
    command = ["node", "--perf-basic-prof", "--no-logfile-per-isolate", log, *flags, "classes.js", "600"]
    recording = tmp_path / "perf.data"
    subprocess.run(
        ["perf", "record", "-q", "-N", "-e", "cpu-clock", "-g", "-F", "999", "-o", str(recording), *command],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    text = perf_script(recording)
    for name in set(re.findall(rb"/tmp/perf-\d+\.map", text)):
        Path(name.decode()).unlink(missing_ok=True)

    names: dict[str, set[bytes]] = defaultdict(set)
    for match in filter(None, map(FRAME.fullmatch, text.splitlines())):
        address, symbol, module = match.groups()
        kind = kind_of_module(module, int(address, 16))
        found = frame_class(symbol, module, kind)
        names[found].add(symbol)
        assert (found == "kernel") == (kind == 1), symbol
        if symbol == b"[unknown]":
            assert found in ("unresolved", "kernel")
        elif module.endswith(b".map"):
            own = bytes(tmp_path / "classes.js") + b":" in symbol
            assert (found == "app") == own, symbol
            assert (found == "deps") == (bytes(package) in symbol), symbol
            assert (found == "core") == bool(re.search(rb" node:[a-z]", symbol)), symbol
            assert (found == "regexp") == symbol.startswith(b"RegExp"), symbol
            assert (found == "wasm") == symbol.startswith(b"JS:wasm-function["), symbol
            assert (found == "eval") == bool(re.search(rb" :\d", symbol)), symbol
        elif symbol.startswith(b"Builtins_"):
            assert found in ("v8", "interpreter"), symbol
        elif re.match(rb"v8::internal::", symbol):
            assert found == "v8", symbol
        elif b"/libc.so" in module or b"/ld-linux" in module:
            assert found == "libc", symbol
    assert {"app", "deps", "core", "v8", "libuv", "openssl", "kernel", "libc"} <= set(names)
    assert {b"uv_run", b"worker"} <= names["libuv"]
    assert any(b"depSpin" in symbol for symbol in names["deps"])
