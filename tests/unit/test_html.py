from __future__ import annotations

import hashlib
import re
from array import array
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flameparse.render
from document_builder import build_document, documents, small_document
from flameparse.document.document import NONE, FrameClass
from flameparse.document.tree import build_tree
from flameparse.frames.classify import FILTERS
from flameparse.load_options import View
from flameparse.render.escape import display_text
from flameparse.render.html import html_chunks, loss_lines, page_chunks
from flameparse.render.page_columns import number_frames, pack_numbers, pack_shape
from grown_tree import grown
from html_page import Page
from stack_tree import INLINED, JIT, KERNEL, PROCESS, USER, StackTree

APP, V8, INTERPRETER, KERNEL_CLASS = 1, 9, 10, 15
# What a frame that nobody has classified is in the page.
CLASS_OF_KIND = {USER: 0, KERNEL: KERNEL_CLASS, JIT: APP, INLINED: 5, PROCESS: 22}
VIEWER = Path(flameparse.render.__file__).parent / "viewer"
PAYLOADS = [
    b"</script><script>alert(1)</script>", b"<!--<script>", b"]]>", b"<img src=x onerror=alert(1)>",
    b"'\"><svg onload=alert(1)>",
    b"{{script}}{{data}}", b"&lt;&#60;", "\u2028\u2029\u202e".encode(), b"\0\r\n\x1b[31m\xff",
    b"${alert(1)}`", b"javascript:alert(1)",
]  # fmt: skip


def tree_page(tree: Any, title: str = "t", loss: list[str] | None = None) -> Page:
    return Page(b"".join(page_chunks(tree, title=title, loss=loss or [])))


def shown_nodes(tree: Any) -> list[tuple[int, str, int, int]]:
    columns = zip(tree.depth, tree.name, tree.frame_class, tree.kind, tree.self_weight, strict=True)
    return [
        (depth, display_text(tree.name_bytes(name)), frame_class or CLASS_OF_KIND[kind], weight)
        for depth, name, frame_class, kind, weight in columns
    ]


def test_tree_comes_back() -> None:
    tree = StackTree(
        {(b"app", b"main"): 3, (b"app", b"main", b"read"): 5, (b"app", b"idle"): 0, (b"zed",): 1 << 60, (): 4},
        kinds={b"app": PROCESS, b"read": KERNEL, b"idle": JIT, b"zed": INLINED},
    )
    page = tree_page(tree)
    assert page.nodes() == [
        (0, "app", 22, 0),
        (1, "idle", APP, 0),
        (1, "main", 0, 3),
        (2, "read", KERNEL_CLASS, 5),
        (0, "zed", 5, 1 << 60),
    ]
    profile = page.json("profile-0")
    del profile["sizes"]
    assert profile == {
        "event": "cycles", "unit": "samples", "total": str((1 << 60) + 12), "bare": "4", "nodes": 5, "calls": 5,
    }  # fmt: skip


def test_empty_tree() -> None:
    page = tree_page(StackTree({}))
    assert page.nodes() == []
    assert page.json("profile-0")["total"] == "0"


stacks = st.dictionaries(st.lists(st.binary(max_size=6), max_size=6).map(tuple), st.integers(0, 1 << 50), max_size=20)


@given(stacks, st.dictionaries(st.binary(max_size=6), st.integers(0, 4), max_size=8))
def test_any_tree_comes_back(stacks: dict[tuple[bytes, ...], int], kinds: dict[bytes, int]) -> None:
    tree = StackTree(stacks, kinds=kinds)
    assert tree_page(tree).nodes() == shown_nodes(tree)


def test_one_name_of_two_classes_stays_two_frames() -> None:
    tree = StackTree({(b"a", b"b"): 1, (b"b",): 2})
    tree.frame_class[1] = V8
    assert tree_page(tree).nodes() == [(0, "a", 0, 0), (1, "b", V8, 1), (0, "b", 0, 2)]


def test_frames_say_all_that_a_view_asks() -> None:
    traits = {
        b"JS:~fib /app/cpu.js:4:14": (APP, 1, 0), b"JS:*fib /app/cpu.js:4:14": (APP, 4, 0),
        b"LazyCompile:*o'k /app/cpu.js:9": (APP, 4 | 32, 0), b"Builtins_LdarHandler": (INTERPRETER, 0, 0),
        b"Builtins_InterpreterEntryTrampoline": (INTERPRETER, 0, 0), b"Builtins_ArrayMap": (V8, 0, 4),
        b"JS:^ /a\tb.js:1:2": (APP, 2, 0),
    }  # fmt: skip
    tree = StackTree({(name,): 1 for name in traits}, traits=traits)
    frames = {frame for _, frame, _ in tree_page(tree).frames()}
    assert frames == {
        ("JS:~fib /app/cpu.js:4:14", APP, 1, 0, 1, "JS:fib /app/cpu.js:4:14"),
        ("JS:*fib /app/cpu.js:4:14", APP, 4, 0, 2, "JS:fib /app/cpu.js:4:14"),
        ("LazyCompile:*o'k /app/cpu.js:9", APP, 36, 0, 2, "JS:o'k /app/cpu.js:9"),
        ("Builtins_LdarHandler", INTERPRETER, 0, 0, 4, "Builtins_LdarHandler"),
        ("Builtins_InterpreterEntryTrampoline", INTERPRETER, 0, 0, 3, "Builtins_InterpreterEntryTrampoline"),
        ("Builtins_ArrayMap", V8, 0, 4, 0, "Builtins_ArrayMap"),
        ("JS:^ /a\\x09b.js:1:2", APP, 2, 0, 2, "JS: /a\\x09b.js:1:2"),
    }
    stripped = Page(b"".join(page_chunks(tree, title="t", loss=[], view=View(v8_tiers="strip"))))  # type: ignore[arg-type]
    assert {frame[5] for _, frame, _ in stripped.frames()} >= {"fib /app/cpu.js:4:14", "(anonymous) /a\\x09b.js:1:2"}


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ({}, []),
        ({"hide": ["v8", "kernel"], "v8_tiers": "merge"}, ["v8", "kernel", "merge-tiers"]),
        ({"only": list(FrameClass.NAMES[1:-1])}, ["none", "unresolved"]),
        ({"filters": ["ics", "stubs"], "collapse_interpreter": True}, ["ics", "stubs", "collapse-interpreter"]),
        ({"hide": ["<b>", 7], "v8_tiers": "no", "filters": {"a": 1}}, []),
        (["hide"], []),
    ],
)
def test_view_of_a_document_is_how_its_page_opens(view: object, said: list[str]) -> None:
    data = Page(b"".join(html_chunks(build_document(meta={"view": view})))).json("page-data")
    assert (data["view"], data["filters"]) == (said, FILTERS)


def test_names_of_a_view_are_distinct() -> None:
    names = [*FrameClass.NAMES, *FILTERS, "merge-tiers", "collapse-interpreter"]
    assert len(set(names)) == len(names)
    assert not any("," in name for name in names)


def test_page_keeps_frames_of_one_name_apart_by_class() -> None:
    document = build_document(
        [b"cycles", b"main", b"read"],
        frame_name=[1, 2, 2], frame_dso=[NONE] * 3, frame_kind=[0, 0, 1], frame_class=[14, 13, 15],
        stack_parent=[NONE, 0, 0], stack_frame=[0, 1, 2], event_name=[0], event_unit=[0], total_event=[0, 0],
        total_thread=[NONE] * 2, total_stack=[1, 2], total_samples=[3, 4], total_period=[3, 4], meta={"root": "none"},
    )  # fmt: skip
    page = Page(b"".join(html_chunks(document)))
    assert page.nodes() == [(0, "main", 14, 0), (1, "read", 13, 3), (1, "read", 15, 4)]
    assert len(build_tree(document)) == 2


def test_viewer_knows_every_class() -> None:
    (listed,) = re.findall(r"export const CLASSES = \[([^]]*)\]", (VIEWER / "frame_classes.js").read_text())
    classes = [*FrameClass.NAMES, "process", "all"]
    assert re.findall(r"'(\w+)'", listed) == classes
    (looks,) = re.findall(r"const LOOKS = \{(.*?)\n\}", (VIEWER / "colours.js").read_text(), re.DOTALL)
    assert sorted(re.findall(r"(\w+): \[", looks)) == sorted(classes)


def test_same_tree_same_bytes() -> None:
    first, second = (b"".join(page_chunks(grown(2000), title="t", loss=["l"])) for _ in range(2))
    assert first == second


def test_four_bytes_a_node() -> None:
    tree = grown(300_000, function_count=10_000)
    assert len(tree.name) == 300_000
    columns = tree_page(tree).script("columns-0")
    assert len(columns) < 4 * len(tree.name)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_untrusted_makes_an_element(payload: bytes) -> None:
    text = payload.decode("utf-8", "surrogateescape")
    plain, hostile = (
        tree_page(StackTree({(name, name): 1}, event=name), title, [title, "x"])
        for name, title in ((b"a", "a"), (payload, text))
    )
    assert [attributes for attributes, _ in hostile.scripts] == [
        {"type": "application/json", "id": "page-data"},
        {"type": "application/json", "id": "profile-0"},
        {"type": "application/octet-stream", "id": "columns-0"},
        {"type": "module"},
    ]
    assert hostile.tags == plain.tags
    shown = display_text(payload)
    assert hostile.texts["title"] == hostile.texts["h1"].strip() == shown
    assert hostile.json("page-data") == {
        "loss": [shown, "x"], "profiles": 1, "view": [], "filters": FILTERS,
    }  # fmt: skip
    assert hostile.json("profile-0")["event"] == shown
    assert hostile.nodes() == [(0, shown, 0, 0), (1, shown, 0, 1)]


def test_policy_allows_the_page_its_own_script_and_style_only() -> None:
    page = tree_page(StackTree({(b"a",): 1}))
    script, style = page.scripts[-1][1], page.texts["style"]
    hashes = [b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    (policy,) = [attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    names = {name for _, attributes in page.tags for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in ("style", "src", "href")}


def test_script_is_the_modules_without_imports() -> None:
    script = tree_page(StackTree({(b"a",): 1})).scripts[-1][1]
    for module in VIEWER.glob("*.js"):
        if not module.name.startswith("svg"):
            assert re.findall(r"(?m)^(?:export )?((?:class|const|function|async function) \w+)", module.read_text())
            for line in module.read_text().splitlines():
                assert line.startswith(("import ", "export ")) or line in script
    assert re.findall(r"(?m)^\s*(import|export)\b", script) == []
    declared = re.findall(r"(?m)^(?:class|const|(?:async )?function) (\w+)", script)
    assert sorted(declared) == sorted(set(declared))


@pytest.mark.parametrize("module", [path for path in sorted(VIEWER.iterdir()) if not path.name.startswith("svg")])
def test_viewer_has_no_sink_for_markup_and_no_way_out(module: Path) -> None:
    banned = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|new Function|setAttribute\('on|srcdoc"
        r"|(?<!')\beval\b(?!: \[)|\['eval"  # but in lists of classes, of which one is called eval
        r"|DOMParser|fetch\(|XMLHttp|WebSocket|import\(|https?:|url\(|@import|sendBeacon|window\.open|location ="
    )
    assert re.findall(banned, module.read_text()) == []


@pytest.mark.parametrize(
    ("diagnostics", "lines"),
    [
        ({}, []),
        ({"dropped": {"no_frames": 0}, "lost": 0, "unknown_lines": 0, "samples_seen": 7}, []),
        (
            {"dropped": {"no_frames": 1200, "bad\nline": 1}, "lost": (1 << 64) - 1, "unknown_lines": 3},
            [
                "1,200 samples dropped: no_frames",
                "1 samples dropped: bad\\x0aline",
                "18,446,744,073,709,551,615 samples lost while recording",
                "3 input lines not understood",
            ],
        ),
        ({"dropped": 5, "lost": "many", "unknown_lines": None}, []),
    ],
)
def test_loss_lines(diagnostics: dict[str, object], lines: list[str]) -> None:
    assert loss_lines(diagnostics) == lines


def two_event_document() -> Any:
    return build_document(
        [b"cycles", b"faults", b"main", b"node"],
        frame_name=[2], frame_dso=[NONE], frame_kind=[0], stack_parent=[NONE], stack_frame=[0],
        event_name=[0, 1], event_unit=[1, 0], thread_comm=[3], thread_pid=[1], thread_tid=[1],
        total_event=[0, 1], total_thread=[0, 0], total_stack=[0, 0], total_samples=[2, 3], total_period=[2000, 3],
        meta={"root": "comm", "command": b"node <app>.js\xff"}, diagnostics={"lost": 9},
    )  # fmt: skip


def test_document_gives_a_profile_per_event() -> None:
    page = Page(b"".join(html_chunks(two_event_document())))
    data = page.json("page-data")
    assert (data["loss"], data["profiles"]) == (["9 samples lost while recording"], 2)
    assert [page.json(f"profile-{number}")["event"] for number in (0, 1)] == ["cycles", "faults"]
    assert [page.json(f"profile-{number}")["total"] for number in (0, 1)] == ["2000", "3"]
    assert page.nodes(0) == [(0, "node", 22, 0), (1, "main", 0, 2000)]
    assert page.nodes(1) == [(0, "node", 22, 0), (1, "main", 0, 3)]
    assert page.texts["title"] == "node <app>.js\\xff"


def test_document_options() -> None:
    chunks = html_chunks(two_event_document(), title="mine", event=b"cycles", weight="samples", root="pid")
    page = Page(b"".join(chunks))
    assert page.json("page-data")["profiles"] == 1
    assert page.nodes() == [(0, "node-1", 22, 0), (1, "main", 0, 2)]
    assert page.texts["title"] == "mine"
    merged = Page(b"".join(html_chunks(two_event_document(), event=b"all")))
    assert merged.json("page-data")["profiles"] == 1
    assert merged.json("profile-0")["event"] == "all"


def test_document_without_anything() -> None:
    page = Page(b"".join(html_chunks(build_document(meta={"title": ["no", "text"]}))))
    assert page.nodes() == []
    assert page.texts["title"] == "Flame graph"


def test_document_with_every_kind_of_none() -> None:
    document = small_document()
    page = Page(b"".join(html_chunks(document)))
    for number, event in enumerate((b"cycles", b"cpu-clock")):
        assert page.nodes(number) == shown_nodes(build_tree(document, event=event))
    assert page.json("page-data")["loss"] == [
        "2 samples dropped: no_frames",
        "18,446,744,073,709,551,615 samples lost while recording",
    ]


@given(documents())
def test_any_document_makes_a_page(document: Any) -> None:
    document.meta.pop("root", None)
    page = Page(b"".join(html_chunks(document)))
    assert page.scripts[-1][0] == {"type": "module"}
    assert len(page.scripts) == 2 + 2 * page.json("page-data")["profiles"]


@pytest.mark.parametrize(
    ("values", "packed"),
    [
        (array("Q", []), b""),
        (array("Q", [0, 127, 128, 16383, 16384]), b"\x00\x7f\x80\x01\xff\x7f\x80\x80\x01"),
        (array("Q", [(1 << 64) - 1]), b"\xff" * 9 + b"\x01"),
        (array("I", [(1 << 32) - 1]), b"\xff" * 4 + b"\x0f"),
    ],
)
def test_pack_numbers(values: Any, packed: bytes) -> None:
    assert pack_numbers(values) == packed


def test_pack_shape() -> None:
    callees, ranks, pops, calls = pack_shape(array("I", [2, 1, 3, 2, 3]), array("I", [0, 1, 1, 0, 1]), 3)
    assert callees == bytes([1, 2, 0, 2, 1, 2, 0])  # frame 0 calls 2; 1 none; 2 calls 1 and 3; 3 none
    assert ranks == bytes([0, 0, 1, 0, 1])
    assert pops == bytes([0, 0, 1, 2, 0])
    assert calls == 3


def column(typecode: str, *values: int) -> array[int]:
    return array(typecode, values)


def numbered(*, place: int = 0, **given: int | None) -> object:
    """Number the frames of a tree of one node; None makes a column empty."""
    names = ("name", "kind", "frame_class", "tier", "presets")
    values = [(name, given.get(name, 0)) for name in names]
    columns = [array("I" if name == "name" else "B", [] if value is None else [value]) for name, value in values]
    return number_frames(*columns, place=column("I", place), class_of_kind=bytes(5))


def test_number_frames() -> None:
    frame, place, frame_class, tier, presets = number_frames(
        column("I", 1, 0, 1, 1, 1), column("B", 0, 1, 0, 1, 0), column("B", 9, 0, 9, 0, 9), column("B", 4, 0, 4, 0, 1),
        column("B", 2, 0, 2, 0, 2), place=column("I", 1, 0), class_of_kind=bytes([3, 15]),
    )  # fmt: skip
    assert list(frame) == [2, 4, 2, 3, 1]
    assert list(zip(place, frame_class, tier, presets, strict=True)) == [
        (0, 9, 1, 2),
        (0, 9, 4, 2),
        (0, 15, 0, 0),
        (1, 15, 0, 0),
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pack_shape(column("I", 1), column("I", 1), 1), "node 0: depth 1 where at most 0"),
        (lambda: pack_shape(column("I", 1, 1), column("I", 0, 2), 1), "node 1: depth 2 where at most 1"),
        (lambda: pack_shape(column("I", 0), column("I", 0), 1), "node 0: frame 0 of 1"),
        (lambda: pack_shape(column("I", 2), column("I", 0), 1), "node 0: frame 2 of 1"),
        (lambda: pack_shape(column("I", 1), column("I"), 1), "1 frames but 0 depths"),
        (lambda: numbered(name=1), "node 0: name 1 of 1, kind 0 of 5"),
        (lambda: numbered(kind=5), "node 0: name 0 of 1, kind 5 of 5"),
        (lambda: numbered(place=7), "name 0: place 7 of 1"),
        *((lambda key=key: numbered(**{key: None}), "columns of one tree") for key in ("kind", "tier", "presets")),
        (lambda: numbered(frame_class=None), "columns of one tree differ in length"),
    ],
)
def test_columns_that_are_no_tree_are_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
