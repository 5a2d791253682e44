"""CPU profiles of V8: what may be missing, what is refused and how, and every cap at its edge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flameparse import limits
from flameparse.decode.cpuprofile import decode_cpu_profile
from flameparse.decode.sniff import CPU_PROFILE, SNIFF_BYTES, sniff
from flameparse.document.account import damage, warnings
from flameparse.errors import LimitError, MalformedError, TruncatedError, UnsupportedError, UsageError
from flameparse.export.folded_text import folded_chunks
from flameparse.fold import fold
from flameparse.frames.classify import CLASSES
from flameparse.load_options import LoadOptions, View
from flameparse.model.profile import Profile
from flameparse.pipeline import load
from unit.cli_runs import run_here

FIXTURES = Path(__file__).parents[2] / "fixtures" / "cpuprofile"
NODE20 = FIXTURES / "node20.cpuprofile"


def node(id: int, name: str, children: list[int] | None = None, **more: Any) -> dict[str, Any]:
    call = {"functionName": name, "scriptId": "0", "url": "", "lineNumber": -1, "columnNumber": -1}
    return {"id": id, "callFrame": call | more.pop("call", {}), "hitCount": 0, "children": children or [], **more}


def profile(**changes: Any) -> dict[str, Any]:
    """A small profile of two calls; ``changes`` replace its keys, None removes one."""
    whole = {
        "nodes": [node(1, "(root)", [2]), node(2, "main", [3]), node(3, "leaf")],
        "startTime": 100,
        "endTime": 160,
        "samples": [2, 3, 3],
        "timeDeltas": [10, 20, 5],
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def decode(recorded: Any, **options: Any) -> Profile:
    decoded = Profile()
    decode_cpu_profile(json.dumps(recorded).encode(), decoded, **options)
    return decoded


def folded(recorded: Any) -> bytes:
    return b"".join(folded_chunks(fold(decode(recorded), meta={}, diagnostics={})))


def test_a_sample_stands_for_the_time_to_the_next() -> None:
    assert folded(profile()) == b"main 20000\nmain;leaf 30000\n"
    assert decode(profile()).diagnostics.counts == {"unsampled_ns": 10_000}


def test_what_is_around_a_profile_is_taken_off() -> None:
    assert folded({"profile": profile()}) == folded({"id": 7, "result": {"profile": profile()}}) == folded(profile())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"endTime": None}, b"main 20000\nmain;leaf 5000\n"),
        ({"endTime": 120}, b"main 20000\nmain;leaf 5000\n"),  # before the last sample
        ({"startTime": None, "endTime": None}, b"main 20000\nmain;leaf 5000\n"),
        ({"timeDeltas": [10, 0.25, 5.5]}, b"main 250\nmain;leaf 49750\n"),
        ({"timeDeltas": None, "timestamps": [110, 130, 140]}, b"main 20000\nmain;leaf 30000\n"),
        ({"timeDeltas": None}, b"main 1\nmain;leaf 2\n"),
        ({"samples": [], "timeDeltas": []}, b""),
        ({"samples": [1, 2, 3]}, b"[unknown] 20000\nmain 5000\nmain;leaf 25000\n"),
    ],
)
def test_what_may_be_missing(changes: dict[str, Any], expected: bytes) -> None:
    assert folded(profile(**changes)) == expected


def test_without_samples_hits_are_counted() -> None:
    nodes = [node(1, "(root)", [2, 3]), node(2, "a", hitCount=5), node(3, "b", hitCount=0)]
    decoded = decode({"nodes": nodes, "startTime": 1, "endTime": 2})
    assert b"".join(folded_chunks(fold(decoded, meta={}, diagnostics={}))) == b"a 5\n"
    assert decoded.samples.samples_seen == 5
    assert [decoded.strings.get(decoded.events.get(0)[0]), decoded.events.get(0)[1]] == [b"cpu-profile-hits", 0]


@pytest.mark.parametrize("changes", [{"samples": None}, {"timeDeltas": None}])
@pytest.mark.parametrize("options", [{"timeline": True}, {"time_from": "+1"}, {"time_to": "5"}])
def test_times_that_are_missing_cannot_be_asked_for(
    changes: dict[str, Any], options: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "x").write_text(json.dumps(profile(**changes)))
    with pytest.raises(UsageError, match="does not say when its samples were taken"):
        load(tmp_path / "x", LoadOptions(**options))


def classes(calls: list[tuple[str, str]], path: Path) -> dict[str, str]:
    """The class of each function, by the name it is printed under; those with a URL are at line 4, column 14."""
    place = {"lineNumber": 3, "columnNumber": 13}
    nodes = [
        node(id, name, call={"url": url, **(place if url and url != "wasm " else {})})
        for id, (name, url) in enumerate(calls, 1)
    ]
    path.write_text(json.dumps({"nodes": nodes, "samples": list(range(1, len(nodes) + 1))}))
    document = load(path)
    return {
        document.string(name).decode(): CLASSES[frame_class]
        for name, frame_class in zip(document.frame_name, document.frame_class, strict=True)
    }


# As Node up to 14 names its own files.
OF_OLD_NODE = {
    "zlib.js": "core", "events.js": "core", "_stream_readable.js": "core", "internal/url.js": "core",
    "native array.js": "native", "my.js": "app", "my vm file.js": "app", "file:///app/zlib.js": "app",
    "/app/zlib.js": "app", "C:\\app\\zlib.js": "app", "evalmachine.<anonymous>": "eval",
    "/app/node_modules/a/util.js": "deps",
}  # fmt: skip


def test_bare_names_are_of_the_core_where_no_file_is_called_node(tmp_path: Path) -> None:
    calls = [("f", url) for url in OF_OLD_NODE]
    assert classes(calls, tmp_path / "x") == {f"f {url}:4:14": name for url, name in OF_OLD_NODE.items()}
    found = classes([*calls, ("g", "node:fs")], tmp_path / "x")
    assert found.pop("g node:fs:4:14") == "core"
    bare = ("zlib.js", "events.js", "_stream_readable.js", "native array.js")
    assert found == {f"f {url}:4:14": "app" if url in bare else name for url, name in OF_OLD_NODE.items()}


def test_functions_without_a_file_are_native_whatever_they_are_called(tmp_path: Path) -> None:
    native = ("read", "open", "stat", "poll", "SSL_read", "uv_run", "schedule", "Interpreter", "get prototype", "")
    assert set(classes([(name, "") for name in native], tmp_path / "x").values()) == {"cpp"}
    of_v8 = {
        "(program)": "unresolved", "(idle)": "unresolved", "(garbage collector)": "v8", "GenericJSToWasmWrapper": "v8",
        "js-to-wasm": "wasm", "js-to-wasm:i:i": "wasm", "js_to_wasm:i:i": "wasm", "RegExp: a+": "regexp",
    }  # fmt: skip
    assert classes([(name, "") for name in of_v8], tmp_path / "x") == of_v8
    # Node 12 and 14.
    assert classes([("loop", "wasm ")], tmp_path / "x") == {"loop wasm ": "wasm"}


def test_hiding_native_code_hides_no_idle_time(tmp_path: Path) -> None:
    nodes = [node(1, "(idle)"), node(2, "(program)"), node(3, "main", [4]), node(4, "read")]
    (tmp_path / "x").write_text(json.dumps({"nodes": nodes, "samples": [1, 2, 4]}))
    view = LoadOptions(view=View(hide=["cpp"]))
    assert b"".join(folded_chunks(load(tmp_path / "x", view))) == b"(idle) 1\n(program) 1\n[unknown] 1\n"


def test_hits_are_of_their_thread() -> None:
    decoded = decode({"nodes": [node(1, "a", hitCount=5)]}, thread=0)
    assert [thread for _, thread, *_ in decoded.samples.total_rows()] == [0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compat": "inferno"}, "names in a CPU profile are settled"),
        ({"compat": "stackcollapse"}, "stackcollapse does not read V8 CPU profile"),
        ({"addrs": True}, "names in a CPU profile are settled"),
        ({"include": [("cpu", b"1")]}, "keeps no cpus"),
        ({"include": [("pid", b"1")]}, "does not say comm, pid and tid"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(NODE20, LoadOptions(**options))


def test_samples_that_are_late_are_put_in_order_and_said() -> None:
    decoded = decode(profile(samples=[2, 3, 2], timeDeltas=[10, 20, -15]))
    # At 110, 115 (the late one) and 130.
    assert b"".join(folded_chunks(fold(decoded, meta={}, diagnostics={}))) == b"main 20000\nmain;leaf 30000\n"
    document = fold(decoded, meta={}, diagnostics=dict(decoded.diagnostics.counts))
    assert warnings(document) == ["1 samples are earlier than the one before: they were put in order of time"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"url": "/app/a.js", "lineNumber": 3, "columnNumber": 13}, b"f /app/a.js:4:14"),
        ({"url": "/app/a.js", "lineNumber": 3}, b"f /app/a.js:4"),
        ({"url": "/app/a.js", "columnNumber": 3}, b"f /app/a.js"),
        ({"lineNumber": 0, "columnNumber": 19}, b"f :1:20"),
        ({"columnNumber": 19}, b"f"),
        ({"lineNumber": None, "columnNumber": None, "url": None, "scriptId": None}, b"f"),
        ({"functionName": "", "url": "/app/a.js", "lineNumber": 0, "columnNumber": 0}, b"(anonymous) /app/a.js:1:1"),
        ({"functionName": None}, b"(anonymous)"),
        ({"functionName": "(anonymous function)"}, b"(anonymous)"),
        ({"functionName": "a;b\nc"}, b"a;b\nc"),
        ({"functionName": "\u00ef\ud800"}, b"\xc3\xaf\\ud800"),
    ],
)
def test_names(call: dict[str, Any], expected: bytes) -> None:
    decoded = decode(profile(nodes=[node(1, "(root)", [2]), node(2, "f", [3], call=call), node(3, "leaf")]))
    assert decoded.strings.get(decoded.frames.get(0)[0]) == expected


def test_kinds_tell_javascript_from_native_code() -> None:
    nodes = [node(2, "a", [3], call={"url": "u"}), node(3, "RegExp: x")]
    decoded = decode(profile(nodes=[*nodes, node(4, "write"), node(5, "e", call={"lineNumber": 0})]))
    assert [decoded.frames.get(i)[2] for i in range(4)] == [2, 2, 0, 2]


def test_a_name_holds_no_line_and_no_separator(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(json.dumps(profile(nodes=[node(2, "a;b\nc d", [3]), node(3, "\r\0")])))
    lines = b"".join(folded_chunks(load(tmp_path / "x"))).split(b"\n")
    assert len(lines) == 3
    assert [line.count(b";") for line in lines] == [0, 1, 0]


def test_callers_may_come_after_what_they_call() -> None:
    nodes = [node(3, "leaf", parent=2), node(2, "main", parent=1), node(1, "(root)")]
    assert folded(profile(nodes=nodes)) == folded(profile())
    # Children and parents that agree are no contradiction; "(root)" is a name like any other further in.
    nodes = [node(1, "(root)", [2]), node(2, "main", [3], parent=1), node(3, "(root)", parent=2)]
    assert folded(profile(nodes=nodes)) == b"main 20000\nmain;(root) 30000\n"


NODES = profile()["nodes"]


@pytest.mark.parametrize(
    ("recorded", "message"),
    [
        ({}, "neither nodes nor head"),
        ([1], "neither nodes nor head"),
        ({"profile": {"profile": {}}}, "neither nodes nor head"),
        ({"head": []}, "the profile: head is list"),
        (profile(nodes={}), "the profile: nodes is dict"),
        (profile(nodes=[1]), r"nodes\[0\] is 1"),
        (profile(nodes=[{}]), r"nodes\[0\]: id is NoneType"),
        (profile(nodes=[node("1", "f")]), r"nodes\[0\]: id is '1'"),  # type: ignore[arg-type]
        (profile(nodes=[node(True, "f")]), r"nodes\[0\]: id is True"),
        (profile(nodes=[*NODES, node(2, "f")]), r"nodes\[3\]: id 2 is that of nodes\[1\] too"),
        (profile(nodes=[*NODES, node(4, "f", [3])]), r"nodes\[3\]: child 3: this node has another caller already"),
        (profile(nodes=[*NODES, node(4, "f", [9])]), r"nodes\[3\]: child 9 is no node"),
        (profile(nodes=[*NODES, node(4, "f", [[]])]), r"nodes\[3\]: child list is no node"),  # type: ignore[list-item]
        (profile(nodes=[*NODES, node(4, "f", parent="x")]), r"nodes\[3\]: parent 'x' is no node"),
        (profile(nodes=[*NODES, node(4, "f", parent=4)]), r"nodes\[3\] is among its own callers"),
        (profile(nodes=[*NODES, node(4, "f", [5]), node(5, "f", [4])]), r"nodes\[3\] is among its own callers"),
        (profile(nodes=[{"id": 2, "callFrame": 5}]), r"nodes\[0\]: callFrame is 5"),
        (profile(nodes=[node(2, "f", call={"url": 1})]), r"nodes\[0\]: url is 1"),
        (profile(nodes=[node(2, "f", call={"functionName": []})]), r"nodes\[0\]: functionName is list"),
        (profile(nodes=[node(2, "f", call={"lineNumber": 1.5})]), r"nodes\[0\]: lineNumber is 1.5"),
        (profile(nodes=[node(2, "f", call={"lineNumber": 1 << 31})]), r"nodes\[0\]: there is no line 2147483648"),
        (profile(nodes=[node(2, "f", hitCount=-1)], samples=[]), r"nodes\[0\]: hitCount is -1"),
        (profile(nodes=[node(2, "f", hitCount="1")], samples=[]), r"nodes\[0\]: hitCount is '1'"),
        (profile(samples={}), "the profile: samples is dict"),
        (profile(samples=[2, 9, 3]), r"samples\[1\] is 9, which is no node"),
        (profile(samples=[2, 3, [2]]), r"samples\[2\] is list, which is no node"),
        (profile(samples=[2, 2.0, 3]), r"samples\[1\] is 2.0, which is no node"),
        (profile(samples=[2]), "3 timeDeltas for 1 samples"),
        (profile(timeDeltas=None, timestamps=[1]), "1 timestamps for 3 samples"),
        (profile(timeDeltas=[1, "2", 3]), r"timeDeltas\[1\] is '2'"),
        (profile(timeDeltas=[1, 2, True]), r"timeDeltas\[2\] is True"),
        (profile(timeDeltas=[1, 2, 10**300]), r"timeDeltas\[2\] is 1000"),
        (profile(timeDeltas=[4 * 10**15] * 3), "timeDeltas sum past 146 years"),
        (profile(startTime="0"), "startTime is '0'"),
        (profile(endTime=-(10**20)), "endTime is -1"),
        ({"head": {"id": 1, "children": [7]}}, r"nodes\[0\]: a child is 7"),
    ],
)
def test_contradictions_are_refused(recorded: Any, message: str) -> None:
    with pytest.raises(MalformedError, match=f"^V8 CPU profile: {message}"):
        decode(recorded)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"nodes": [NaN]}', "NaN where a number should be"),
        (b'{"nodes": [], "endTime": -Infinity}', "-Infinity where"),
        (b'{"nodes": [{"id": 1}], "samples": [1], "startTime": 1e999}', "startTime is inf"),
        (b'{"nodes": [], }', "offset 14: no JSON: "),
        (b'\xef\xbb\xbf{"\xc3\xa4": 1 "nodes": []}', "offset 12: no JSON: Expecting ',' delimiter"),
        (b'{"nodes": "\xff"}', "offset 11: no UTF-8"),
        (b'{"nodes": [' + b"1" * 5000 + b"]}", "(Exceeds the limit|nodes)"),
        (b'{"nodes": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "values nested too deep"),
        (b'{"head": ' + b'{"children": [' * 100_000 + b"]}" * 100_000 + b"}", "values nested too deep"),
        (b"", "offset 0: the JSON ends early"),
    ],
)
def test_what_is_no_json_is_refused(content: bytes, message: str) -> None:
    with pytest.raises((MalformedError, TruncatedError), match=message):
        decode_cpu_profile(content, Profile())


def test_a_cut_file_says_where_it_ends(tmp_path: Path) -> None:
    content = NODE20.read_bytes().rstrip()
    for end in (200, 5_000, len(content) - 1):
        (tmp_path / "x").write_bytes(content[:end])
        code, out, err = run_here("fold", tmp_path / "x")
        assert (code, out) == (4, b"")
        assert f"V8 CPU profile: offset {end}: the JSON ends early".encode() in err


def test_a_heap_profile_is_none() -> None:
    with pytest.raises(UnsupportedError, match="this is a heap profile"):
        decode({"head": {"callFrame": {}, "selfSize": 0, "id": 1, "children": []}, "samples": []})


def chain(length: int) -> dict[str, Any]:
    nodes = [node(i, f"f{i % 7}", [i + 1] if i < length else []) for i in range(1, length + 1)]
    return profile(nodes=nodes, samples=[length], timeDeltas=[0])


def test_a_deep_chain_needs_no_recursion(tmp_path: Path) -> None:
    recorded = chain(100_000)
    recorded["nodes"].reverse()
    (tmp_path / "x").write_text(json.dumps(recorded))
    document = load(tmp_path / "x")
    assert b"".join(folded_chunks(document)).count(b";") == 99_999


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_stack_frames(excess: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_STACK_FRAMES", 50)
    decoded = decode(chain(50 + excess))
    document = fold(decoded, meta={}, diagnostics=dict(decoded.diagnostics.counts))
    assert b"".join(folded_chunks(document)).count(b";") == min(50 + excess, 50) - 1
    assert damage(document) == ("1 stacks deeper than 50 frames, cut there" if excess > 0 else None)


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_stacks_at_the_cap_of_v8(excess: int) -> None:
    assert decode(chain(255 + excess)).diagnostics.counts.get("truncated_stacks", 0) == (excess >= 0)


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_name_bytes(excess: int) -> None:
    names = ["x" * (limits.MAX_NAME_BYTES + excess - 1) + last for last in "ab"]
    decoded = decode(profile(nodes=[node(2, names[0]), node(3, names[1])]))
    written = [decoded.strings.get(decoded.frames.get(i)[0]) for i in range(2)]
    assert len(set(written)) == 2
    assert [len(name) for name in written] == [min(len(name), limits.MAX_NAME_BYTES) for name in names]
    assert len(decoded.diagnostics.cut_names) == (2 if excess > 0 else 0)


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_cpu_profile_bytes(excess: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CPU_PROFILE_BYTES", NODE20.stat().st_size - excess)
    if excess > 0:
        with pytest.raises(LimitError, match="more than"):
            load(NODE20)
    else:
        assert sum(load(NODE20).total_samples) == 31


def test_hits_that_sum_past_what_can_be_counted(tmp_path: Path) -> None:
    most = limits.MAX_TOTAL_WEIGHT
    nodes = [node(1, "a", hitCount=most - 1), node(2, "b", hitCount=1)]
    assert decode({"nodes": nodes}).samples.held() == (most, most)
    nodes[1]["hitCount"] = 2
    (tmp_path / "x").write_text(json.dumps({"nodes": nodes}))
    with pytest.raises(LimitError, match="sum past"):
        load(tmp_path / "x")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.cpuprofile")), ids=lambda path: path.stem)
def test_sniffed_by_content(path: Path) -> None:
    content = path.read_bytes()
    for head in (content, b"\xef\xbb\xbf\n " + content, json.dumps(json.loads(content), indent=2).encode()):
        assert sniff(head[:SNIFF_BYTES], "x") == CPU_PROFILE


@pytest.mark.parametrize("key", ["nodes", "samples", "timeDeltas", "startTime", "endTime", "head", "timestamps"])
def test_any_key_may_come_first(key: str) -> None:
    assert sniff(f'{{"{key}":['.encode() + b"1," * SNIFF_BYTES, "x") == CPU_PROFILE


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b'{"traceEvents":[{"args":{"functionName"', "a trace of Chrome"),
        (b'{\n  "code": [\n', "the log of V8's own profiler, made JSON"),
        (b"v8-version,11,3,244,8,-node.38,0\n", "the log of V8's own profiler"),
        (b'{"$schema":"https://www.speedscope.app/file-format-schema.json"', "JSON of another tool"),
    ],
)
def test_relatives_are_refused_by_name(head: bytes, what: str) -> None:
    with pytest.raises(UnsupportedError, match=f"x: this is {what}, which is not read"):
        sniff(head, "x")


def test_the_command_line_takes_it(tmp_path: Path) -> None:
    golden = NODE20.with_suffix(".folded").read_bytes()
    assert run_here("fold", "-q", NODE20) == (0, golden, b"")
    assert run_here("fold", "-q", stdin=NODE20.read_bytes())[:2] == (0, golden)
    code, out, _ = run_here("info", NODE20)
    assert code == 0
    assert b"     31  131,132,000  nanoseconds  cpu-profile" in out
    for name, begins, holds in (("x.svg", b"<?xml", b">main file:///app"), ("x.html", b"<!doctype html>", b"<script")):
        assert run_here("render", "-q", NODE20, "-o", tmp_path / name)[0] == 0
        written = (tmp_path / name).read_bytes()
        assert written.startswith(begins)
        assert holds in written
    code, out, _ = run_here("report", "-q", NODE20)
    assert code == 0
    assert b"cpu-profile: 131,132,000 nanoseconds" in out
    assert run_here("merge", "-q", NODE20, NODE20, "-o", tmp_path / "x.msgpack")[0] == 0
    assert sum(load(tmp_path / "x.msgpack").total_samples) == 62
