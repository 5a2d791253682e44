"""What V8's names say, version by version, and what they do not say."""

from __future__ import annotations

import pytest

from flameparse.frames.v8_name import KINDS, v8_name

ON_STACK, SPECIALISED = 0x10, 0x20

# name, then kind, tier, tag, function, file, line, column; -1: not there.
NAMES = [
    # Node 8
    ("LazyCompile:*fib /app/cpu.js:4", "function", 4, "LazyCompile", "fib", "/app/cpu.js", 4, -1),
    ("LazyCompile:", "function", 0, "LazyCompile", "", "", -1, -1),
    ("LazyCompile: :1", "function", 0, "LazyCompile", "", "", 1, -1),
    ("LazyCompile:~sort native array.js:748", "function", 1, "LazyCompile", "sort", "native array.js", 748, -1),
    ("LazyCompile:~createWriteReq net.js:790", "function", 1, "LazyCompile", "createWriteReq", "net.js", 790, -1),
    ("Script:~obj.anon /tmp/cpu.js:14", "script", 1, "Script", "obj.anon", "/tmp/cpu.js", 14, -1),
    (
        "Function:WASM_function#0:module: (wasm):0",
        "wasm", 0, "Function", "WASM_function#0:module: (wasm):0", "", -1, -1,
    ),
    ("Stub:CEntryStub", "stub", 0, "Stub", "CEntryStub", "", -1, -1),
    ("Handler:An IC handler from the snapshot", "ic", 0, "Handler", "An IC handler from the snapshot", "", -1, -1),
    ("KeyedLoadIC:A keyed load IC", "ic", 0, "KeyedLoadIC", "A keyed load IC", "", -1, -1),
    # Node 10
    ("InterpretedFunction:main /app/cpu.js:17", "function", 1, "InterpretedFunction", "main", "/app/cpu.js", 17, -1),
    ("InterpretedFunction::1:2 /app/a.js:9", "function", 1, "InterpretedFunction", ":1:2", "/app/a.js", 9, -1),
    ("Handler:UnknownBytecodeHadler", "ic", 0, "Handler", "UnknownBytecodeHadler", "", -1, -1),
    (
        "LazyCompile:~Console.(anonymous function) console.js:185",
        "function", 1, "LazyCompile", "Console.(anonymous function)", "console.js", 185, -1,
    ),
    # Node 12, 14
    ("LazyCompile:* :-1", "function", 4, "LazyCompile", "", "", -1, -1),
    ("Function:wasm-function[0]-0", "wasm", 0, "Function", "wasm-function[0]-0", "", -1, -1),
    ("Stub:js_to_wasm:i:i", "stub", 0, "Stub", "js_to_wasm:i:i", "", -1, -1),
    ("Eval:~evd :1", "eval", 1, "Eval", "evd", "", 1, -1),
    # Node 16, 18
    ("Function:^main /app/cpu.js:17", "function", 2, "Function", "main", "/app/cpu.js", 17, -1),
    (
        "LazyCompile:~resolveMainPath node:internal/modules/run_main:14",
        "function", 1, "LazyCompile", "resolveMainPath", "node:internal/modules/run_main", 14, -1,
    ),
    # Node 20, 22
    ("JS:*fib /app/cpu.js:4:14", "function", 4, "JS", "fib", "/app/cpu.js", 4, 14),
    ("JS:* /app/cpu.js:9:64", "function", 4, "JS", "", "/app/cpu.js", 9, 64),
    ("JS:~ :1:16", "function", 1, "JS", "", "", 1, 16),
    ("JS:~f /app/cpu.js:4:14", "function", 1, "JS", "f", "/app/cpu.js", 4, 14),
    ("JS:^f /app/cpu.js:4:14", "function", 2, "JS", "f", "/app/cpu.js", 4, 14),
    ("JS:f /app/cpu.js:4:14", "function", 0, "JS", "f", "/app/cpu.js", 4, 14),
    ("Eval:~ /app/cpu.js:1:1", "eval", 1, "Eval", "", "/app/cpu.js", 1, 1),
    ("BytecodeHandler:Wide", "bytecode-handler", 0, "BytecodeHandler", "Wide", "", -1, -1),
    ("Builtin:ArrayPush", "builtin", 0, "Builtin", "ArrayPush", "", -1, -1),
    ("JS:wasm-function[0]-0-turbofan", "wasm", 0, "JS", "wasm-function[0]-0-turbofan", "", -1, -1),
    ("JS:my fun:c-0-liftoff", "wasm", 0, "JS", "my fun:c-0-liftoff", "", -1, -1),
    ("JS:my fun: (x) /a.js:1-0-liftoff", "wasm", 0, "JS", "my fun: (x) /a.js:1-0-liftoff", "", -1, -1),
    ("Function:my fun: (x) /a.js:1-0", "wasm", 0, "Function", "my fun: (x) /a.js:1-0", "", -1, -1),
    ("JS:~x-0-liftoff", "wasm", 0, "JS", "~x-0-liftoff", "", -1, -1),
    ("JS:~x-liftoff /app/a.js:1:2", "function", 1, "JS", "x-liftoff", "/app/a.js", 1, 2),
    ("JS:*wasm-function[3] /app/a.js:1:2", "function", 4, "JS", "wasm-function[3]", "/app/a.js", 1, 2),
    ("RegExp::1:2", "regexp", 0, "RegExp", ":1:2", "", -1, -1),
    ("RegExp:^(a b) /x.js:1:2", "regexp", 0, "RegExp", "^(a b) /x.js:1:2", "", -1, -1),
    # Node 24, 26
    ("JS:+'fib /app/cpu.js:4:14", "function", 3 | SPECIALISED, "JS", "fib", "/app/cpu.js", 4, 14),
    ("JS:*'fib /app/cpu.js:4:14", "function", 4 | SPECIALISED, "JS", "fib", "/app/cpu.js", 4, 14),
    ("JS:o*sortLoop /app/a.js:5:18", "function", 4 | ON_STACK, "JS", "sortLoop", "/app/a.js", 5, 18),
    ("JS:o+'rx /app/a.js:5:18", "function", 3 | ON_STACK | SPECIALISED, "JS", "rx", "/app/a.js", 5, 18),
    ("JS:o /app/a.js:5:18", "function", 0, "JS", "o", "/app/a.js", 5, 18),
    ("JS:*o /app/a.js:5:18", "function", 4, "JS", "o", "/app/a.js", 5, 18),
    ("RegExp.> src: 'a+b+c*$' flags: ''", "regexp", 0, "RegExp.>", "a+b+c*$", "", -1, -1),
    ("RegExp.< src: 'it's' flags: 'gi'", "regexp", 0, "RegExp.<", "it's", "", -1, -1),
    ("RegExp.< src: 'a' flags: 'b' flags: ''", "regexp", 0, "RegExp.<", "a' flags: 'b", "", -1, -1),
    ("RegExp.< src: 'cut sho", "regexp", 0, "RegExp.<", "cut sho", "", -1, -1),
    # names
    ("JS:*get gg /app/a.js:6:9", "function", 4, "JS", "get gg", "/app/a.js", 6, 9),
    ("JS:^str lit (a) b:1:2 /app/a.js:8:22", "function", 2, "JS", "str lit (a) b:1:2", "/app/a.js", 8, 22),
    ("JS:~#priv /app/a.js:18:16", "function", 1, "JS", "#priv", "/app/a.js", 18, 16),
    ("JS:~größe /app/a.js:19:15", "function", 1, "JS", "größe", "/app/a.js", 19, 15),
    ("JS:~get native thing /app/a.js:1:2", "function", 1, "JS", "get native thing", "/app/a.js", 1, 2),
    ("JS:*GET /users/:id /app/a.js:1:2", "function", 4, "JS", "GET /users/:id", "/app/a.js", 1, 2),
    ("JS:+'GET http://x/y /app/a.js:1:2", "function", 0x23, "JS", "GET http://x/y", "/app/a.js", 1, 2),
    ("JS:~my internal/x /app/a.js:1:2", "function", 1, "JS", "my internal/x", "/app/a.js", 1, 2),
    ("JS:~a [eval] /app/a.js:1:2", "function", 1, "JS", "a [eval]", "/app/a.js", 1, 2),
    ("JS:~a data:b /app/a.js:1:2", "function", 1, "JS", "a data:b", "/app/a.js", 1, 2),
    ("JS:~  lead /app/a.js:1:2", "function", 1, "JS", "  lead", "/app/a.js", 1, 2),
    ("JS:~trail   /app/a.js:1:2", "function", 1, "JS", "trail  ", "/app/a.js", 1, 2),
    ("JS:~ :1:2 /app/a.js:1:2", "function", 1, "JS", " :1:2", "/app/a.js", 1, 2),
    ("JS:*' flags: ' /app/a.js:1:2", "function", 0x24, "JS", " flags: '", "/app/a.js", 1, 2),
    # files
    ("JS:*f /app/odd dir (x)/odd name.js:4:14", "function", 4, "JS", "f", "/app/odd dir (x)/odd name.js", 4, 14),
    ("JS:*f file:///app/a%20b.mjs:2:24", "function", 4, "JS", "f", "file:///app/a%20b.mjs", 2, 24),
    ("JS:*f C:\\win dir\\f.js:1:14", "function", 4, "JS", "f", "C:\\win dir\\f.js", 1, 14),
    ("JS:*f internal/a b.js:1:14", "function", 4, "JS", "f", "internal/a b.js", 1, 14),
    ("JS:*f one two.js:1:14", "function", 4, "JS", "f one", "two.js", 1, 14),
    ("JS:*f /app/a:3:4.js:1:14", "function", 4, "JS", "f", "/app/a:3:4.js", 1, 14),
    ("JS:*f /app/my internal/a.js:1:14", "function", 4, "JS", "f", "/app/my internal/a.js", 1, 14),
    ("JS:*f /app/a [eval] b/a.js:1:14", "function", 4, "JS", "f", "/app/a [eval] b/a.js", 1, 14),
    ("JS:*f data:text/javascript,a / b:1:14", "function", 4, "JS", "f", "data:text/javascript,a / b", 1, 14),
    ("JS:*f chrome-extension://id/a b.js:1:14", "function", 4, "JS", "f", "chrome-extension://id/a b.js", 1, 14),
    ("JS:*f http://h/a b.js:1:14", "function", 4, "JS", "f", "http://h/a b.js", 1, 14),
    ("JS:*f \\\\srv\\a b.js:1:14", "function", 4, "JS", "f", "\\\\srv\\a b.js", 1, 14),
    ("JS:*f c:/win dir/f.js:1:14", "function", 4, "JS", "f", "c:/win dir/f.js", 1, 14),
    ("JS:*f ext:core/01 x.js:1:14", "function", 4, "JS", "f", "ext:core/01 x.js", 1, 14),
    ("JS:*f [eval]-wrapper:1:14", "function", 4, "JS", "f", "[eval]-wrapper", 1, 14),
    ("JS:*f [worker eval]:1:14", "function", 4, "JS", "f", "[worker eval]", 1, 14),
    ("LazyCompile:f /app/a.js:-1", "function", 0, "LazyCompile", "f", "/app/a.js", -1, -1),
    ("JS:*f node:internal/a:1:14", "function", 4, "JS", "f", "node:internal/a", 1, 14),
    # A folder whose name ends in a space is rarer than a name like `GET /users`.
    ("JS:*f /app/ends /x.js:1:14", "function", 4, "JS", "f /app/ends", "/x.js", 1, 14),
    # cut short
    ("JS:~xxxxxxxx", "function", 1, "JS", "xxxxxxxx", "", -1, -1),
    ("JS:~get xxxx", "function", 1, "JS", "get xxxx", "", -1, -1),
    ("JS:~f /app/x.j", "function", 1, "JS", "f", "/app/x.j", -1, -1),
    ("Script:~ line", "script", 1, "Script", "", "line", -1, -1),
    ("JS:", "function", 0, "JS", "", "", -1, -1),
    ("JS:o*", "function", 4 | ON_STACK, "JS", "", "", -1, -1),
    # tags nobody has seen yet
    ("Novelty:*f /app/a.js:1:2", "unknown-tag", 4, "Novelty", "f", "/app/a.js", 1, 2),
    ("BinaryOpIC:x", "ic", 0, "BinaryOpIC", "x", "", -1, -1),
    # the DTrace helper
    (
        "(anon) as exports.active at timers.js position 5243",
        "function", 0, "", "(anon) as exports.active", "timers.js", -1, -1,
    ),
    ("f at /app/look at me.js position 1", "function", 0, "", "f at /app/look", "me.js", -1, -1),
    ("<< adaptor >>", "builtin", 0, "", "<< adaptor >>", "", -1, -1),
]  # fmt: skip


@pytest.mark.parametrize("row", NAMES, ids=[row[0][:40] for row in NAMES])
def test_names_of_v8(row: tuple[str | int, ...]) -> None:
    name, *parts = (part.encode() if isinstance(part, str) else part for part in row)
    kind, *others = parts
    assert v8_name(name) == (kind.decode(), *others)


@pytest.mark.parametrize(("tag", "limit"), [("LazyCompile:*", 512), ("JS:*", 4096)])
@pytest.mark.parametrize("character", ["L", "ü", "名", "😀"])
@pytest.mark.parametrize("shift", range(4))
def test_names_cut_in_a_character(tag: str, limit: int, character: str, shift: int) -> None:
    name = f"{tag}{'x' * shift}{character * limit} /app/a.js:1:2".encode()[:limit]
    function = name[len(tag) :]
    assert v8_name(name) == ("function", 4, tag[:-2].encode(), function, b"", -1, -1)


@pytest.mark.parametrize(
    "name",
    [
        "", "main", "v8::internal::Heap::Scavenge", "Foo::bar", "Lorg/acme/Job;::run", "js:*f /a.js:1:2", ":f", "JS",
        "A1:f", "RegExp.", "RegExp.>", "RegExp.>src", "py::f:/a.py", "f at x position", "f position 3", "<< adaptor",
        "$lists:map/2", "Z" * 40 + ":f", "Program:Main (string[])", "DFG: sort", "PHP::/a.php::f",
    ],
)  # fmt: skip
def test_names_of_others(name: str) -> None:
    assert v8_name(name.encode()) is None


def test_every_kind_is_among_the_names() -> None:
    assert {row[1] for row in NAMES} == set(KINDS) - {"none"}
