from __future__ import annotations

import itertools
import re
import time
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from document_builder import build_document, small_document
from flameparse import limits
from flameparse.document.document import Document, FrameClass
from flameparse.errors import UsageError
from flameparse.render.palette import Colours
from flameparse.render.svg import SvgOptions, parse_name_attributes, render_tree, svg_chunks
from flameparse.render.svg.regroup import RegroupedTree, from_the_leaf, rooted_at
from flameparse.render.svg.text_fit import TextFit
from stack_tree import KERNEL, NONE, PROCESS, StackTree
from svg_frames import SVG, assert_inert, frames_of, parse, texts_of

SMALL = {(b"main",): 100, (b"main", b"read"): 300, (b"main", b"write"): 500, (b"idle",): 100}


def picture(stacks: dict[tuple[bytes, ...], int], **options: Any) -> ElementTree.Element:
    return parse(render_tree(StackTree(stacks), SvgOptions(**options)))


def boxes(root: ElementTree.Element) -> list[tuple[str, float, float, float]]:
    return [(frame.name, frame.x, frame.width, frame.y) for frame in frames_of(root)]


def test_geometry_of_a_small_tree() -> None:
    # 1,000 samples on 1,000 pixels; rows of 20 from the bottom, title 24 high with 12 below
    root = picture(SMALL, width=1020, height=20)
    assert boxes(root) == [
        ("all", 10, 1000, 76),
        ("idle", 10, 100, 56),
        ("main", 110, 900, 56),
        ("read", 110, 300, 36),
        ("write", 410, 500, 36),
    ]
    assert {frame.height for frame in frames_of(root)} == {19}
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("1020", "120", "0 0 1020 120")


def test_inverted_grows_down_and_has_its_details_on_top() -> None:
    root = picture(SMALL, width=1020, height=20, inverted=True)
    assert boxes(root) == [
        ("all", 10, 1000, 52),
        ("idle", 10, 100, 72),
        ("main", 110, 900, 72),
        ("read", 110, 300, 92),
        ("write", 410, 500, 92),
    ]
    details = root.find(f"{SVG}text[@class='fp-details']")
    assert details is not None
    assert float(details.attrib["y"]) < 52
    assert texts_of(root, "fp-title") == ["Icicle Graph"]


def test_numbers_of_a_frame() -> None:
    tips = [frame.tip for frame in frames_of(picture({(b"a",): 1234, (b"b",): 20527}, factor=1))]
    assert tips == ["all (21,761 samples, 100.00%)", "a (1,234 samples, 5.67%)", "b (20,527 samples, 94.33%)"]


def test_adjacent_frames_meet_whatever_the_rounding() -> None:
    stacks = {(b"main", b"%03d" % number): 1 + number % 7 for number in range(300)}
    frames = frames_of(picture(stacks, minwidth=0))
    leaves = [frame for frame in frames if frame.depth == 2]
    assert len(leaves) == 300
    for left, right in itertools.pairwise(leaves):
        assert round(left.x + left.width, 2) == right.x
    assert leaves[0].x == 10
    assert round(leaves[-1].x + leaves[-1].width, 2) == 1190


def test_weights_above_two_to_the_53_stay_exact() -> None:
    stacks = {(b"a",): (1 << 62) + 1, (b"b",): (1 << 62) - 2}
    _, left, right = frames_of(picture(stacks))
    assert left.tip == "a (4,611,686,018,427,387,905 samples, 50.00%)"
    assert right.tip == "b (4,611,686,018,427,387,902 samples, 50.00%)"
    assert (right.start, right.weight) == ((1 << 62) + 1, (1 << 62) - 2)


@pytest.mark.parametrize(
    ("minwidth", "drawn"),
    [(0, {"a", "b", "c"}), (1, {"a", "b", "c"}), (1.01, {"b", "c"}), ("0.1%", {"a", "b", "c"}), ("0.11%", {"b", "c"}),
     (2, {"b", "c"}), ("0.2%", {"b", "c"}), (3, {"c"})],
)  # fmt: skip
def test_minimum_width_is_exact_and_counted(minwidth: float | str, drawn: set[str]) -> None:
    tree = StackTree({(b"a",): 1, (b"b",): 2, (b"c",): 997})
    chunks = render_tree(tree, SvgOptions(width=1020, minwidth=minwidth))
    assert (chunks.drawn, chunks.pruned) == (len(drawn), 3 - len(drawn))
    root = parse(chunks)
    assert {frame.name for frame in frames_of(root)[1:]} == drawn
    description = root.findtext(f"{SVG}desc") or ""
    assert ("not drawn" in description) == (len(drawn) < 3)
    if len(drawn) == 1:
        assert description == "1,000 samples, 1 frame; 2 narrower than 3 samples not drawn."


def test_a_pruned_branch_leaves_its_place_empty() -> None:
    stacks = {(b"a", b"x", b"y"): 1, (b"b", b"z"): 999}
    chunks = render_tree(StackTree(stacks), SvgOptions(width=1020, minwidth=2))
    assert chunks.pruned == 3
    assert boxes(parse(chunks))[1:] == [("b", 11, 999, 52), ("z", 11, 999, 36)]


def test_weightless_frames_are_never_drawn() -> None:
    chunks = render_tree(StackTree({(b"a",): 0, (b"b",): 5}), SvgOptions(minwidth=0))
    assert (chunks.drawn, chunks.pruned) == (1, 1)


def test_cap_on_frames_holds_at_its_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = {(b"a",): 5, (b"b",): 4, (b"c",): 3, (b"c", b"d"): 3}
    monkeypatch.setattr(limits, "MAX_SVG_FRAMES", 4)
    assert render_tree(StackTree(stacks), SvgOptions()).drawn == 4
    monkeypatch.setattr(limits, "MAX_SVG_FRAMES", 3)
    chunks = render_tree(StackTree(stacks), SvgOptions())
    assert (chunks.drawn, chunks.pruned) == (3, 1)
    assert {frame.name for frame in frames_of(parse(chunks))} == {"all", "a", "b", "c"}


def test_bare_weight_is_part_of_all() -> None:
    root = picture({(): 100, (b"a",): 300})
    assert [(frame.name, frame.weight) for frame in frames_of(root)] == [("all", 400), ("a", 300)]
    assert frames_of(root)[1].tip == "a (300 samples, 75.00%)"


def test_total_widens_the_picture_and_too_small_a_one_is_ignored() -> None:
    assert boxes(picture(SMALL, width=1020, total=2000))[0] == ("all", 10, 500, 68)
    assert frames_of(picture(SMALL, total=2000))[0].tip == "all (1,000 samples, 50.00%)"
    chunks = render_tree(StackTree(SMALL), SvgOptions(width=1020, total=999))
    assert chunks.warnings == ["total 999 is less than the input's 1000 and was ignored"]
    assert frames_of(parse(chunks))[0].width == 1000


@pytest.mark.parametrize(("factor", "count"), [(10, "10,000"), (0.5, "500"), (0.0015, "1.50"), (0.1234567, "123.46")])
def test_factor_multiplies_what_is_shown(factor: float, count: str) -> None:
    root = picture(SMALL, factor=factor, countname="ms")
    assert frames_of(root)[0].tip == f"all ({count} ms, 100.00%)"
    assert frames_of(root)[0].weight == 1000


@pytest.mark.parametrize(
    ("unit", "event", "word"),
    [("samples", b"cycles", "samples"), ("period", b"cycles:u", "cycles:u"), ("period", b"", "events"),
     ("nanoseconds", b"cpu-clock", "ns"), ("bytes", b"malloc", "bytes"), ("period", b"<e>\0", r"<e>\x00")],
)  # fmt: skip
def test_count_name_follows_the_unit(unit: str, event: bytes, word: str) -> None:
    root = parse(render_tree(StackTree({(b"a",): 200}, unit=unit, event=event), SvgOptions()))
    assert frames_of(root)[1].tip == f"a (200 {word}, 100.00%)"


def test_reverse_merges_callers_from_the_leaf() -> None:
    stacks = {(b"a", b"lock"): 3, (b"a", b"b", b"lock"): 4, (b"c", b"lock"): 2, (b"a",): 1}
    frames = frames_of(picture(stacks, reverse=True, minwidth=0))
    assert [(frame.name, frame.depth, frame.start, frame.weight) for frame in frames] == [
        ("all", 0, 0, 10),
        ("a", 1, 0, 1),
        ("lock", 1, 1, 9),
        ("a", 2, 1, 3),
        ("b", 2, 4, 4),
        ("a", 3, 4, 4),
        ("c", 2, 8, 2),
    ]


def columns(tree: RegroupedTree) -> list[tuple[bytes, int, int, int, int]]:
    names = [tree.name_bytes(name) for name in tree.name]
    return list(zip(names, tree.parent, tree.depth, tree.self_weight, tree.total_weight, strict=True))


def test_reverse_of_a_recursive_stack_and_its_cut_branches() -> None:
    tree = StackTree({(b"f", b"f", b"f"): 9, (b"g", b"f"): 1, (): 5})
    whole = from_the_leaf(tree, 1)
    assert columns(whole) == [
        (b"f", NONE, 0, 0, 10),
        (b"f", 0, 1, 0, 9),
        (b"f", 1, 2, 9, 9),
        (b"g", 0, 1, 1, 1),
    ]
    assert (whole.cut, whole.bare_weight, whole.total) == (0, 5, 15)
    pruned = from_the_leaf(tree, 2)
    assert [row[0] for row in columns(pruned)] == [b"f", b"f", b"f"]
    assert pruned.cut == 1


def test_base_keeps_the_stacks_through_a_function() -> None:
    stacks = {
        (b"main", b"run", b"x"): 3,
        (b"other", b"run"): 2,
        (b"other", b"run", b"a", b"run"): 4,
        (b"other",): 90,
        (b"boot", b"x"): 1,
        (): 7,
    }
    tree = rooted_at(StackTree(stacks), frozenset([b"run", b"boot", b"absent"]))
    assert columns(tree) == [
        (b"boot", NONE, 0, 0, 1),
        (b"x", 0, 1, 1, 1),
        (b"run", NONE, 0, 2, 9),
        (b"a", 2, 1, 0, 4),
        (b"run", 3, 2, 4, 4),
        (b"x", 2, 1, 3, 3),
    ]
    assert (tree.total, tree.bare_weight) == (10, 0)
    frames = frames_of(picture(stacks, base=[b"run"], minwidth=0))
    assert [(frame.name, frame.weight) for frame in frames] == [("all", 9), ("run", 9), ("a", 4), ("run", 4), ("x", 3)]


def test_base_then_reverse() -> None:
    stacks = {(b"main", b"run", b"x"): 300, (b"x",): 50}
    frames = frames_of(picture(stacks, base=[b"run"], reverse=True))
    assert [(frame.name, frame.weight) for frame in frames] == [("all", 300), ("x", 300), ("run", 300)]


def test_base_that_matches_nothing_says_so() -> None:
    chunks = render_tree(StackTree(SMALL), SvgOptions(base=[b"absent"]))
    assert chunks.warnings == ["there are no samples"]
    assert texts_of(parse(chunks), "fp-empty") == ["No samples"]


@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"inverted": True}, {"script": False}, {"total": 50}])
def test_empty_profile_is_a_picture_that_says_so(options: dict[str, Any]) -> None:
    root = picture({}, **options)
    assert texts_of(root, "fp-empty") == ["No samples"]
    assert frames_of(root) == []
    assert_inert(root, scripts=int(options.get("script", True)))


def test_low_counts_warn_in_and_beside_the_picture() -> None:
    chunks = render_tree(StackTree({(b"a",): 99}), SvgOptions())
    assert chunks.warnings == ["low counts: 99 in all; the picture may mislead"]
    assert "low counts" in (parse(chunks).findtext(f"{SVG}desc") or "")
    assert render_tree(StackTree({(b"a",): 100}), SvgOptions()).warnings == []


def test_titles_notes_and_labels_are_untrusted() -> None:
    evil = "</text><script>alert(1)</script>\0\udcff&\"'"
    shown = "</text><script>alert(1)</script>\\x00\\xff&\"'"
    root = picture(SMALL, title=evil, subtitle=evil, notes=evil, countname=evil, nametype=evil, fonttype=evil)
    assert_inert(root, scripts=1)
    assert texts_of(root, "fp-title") == texts_of(root, "fp-subtitle") == [shown]
    assert root.findtext(f"{SVG}title") == shown
    assert root.get("font-family") == shown
    assert (root.findtext(f"{SVG}desc") or "").endswith(f"Notes: {shown}")
    assert frames_of(root)[0].tip == f"all (1,000 {shown}, 100.00%)"


def test_annotations_are_not_shown_but_colour() -> None:
    stacks = {(name,): 100 for name in (b"a_[k]", b"b_[j]", b"c_[w]", b"d_[i]", b"e_[x]", b"f_[k]_[j]")}
    root = picture(stacks, colors="java")
    assert [frame.name for frame in frames_of(root)] == ["all", "a", "b", "c", "d", "e_[x]", "f_[k]"]
    fills = {frame.name: frame.fill for frame in frames_of(root)}
    assert fills["a"] == frames_of(parse(render_tree(StackTree({(b"a_[k]",): 9}), SvgOptions(colors="orange"))))[1].fill


def test_auto_palette_is_by_kind_where_kinds_are_known() -> None:
    plain = StackTree({(b"node", b"vfs_read"): 100}, kinds={b"node": PROCESS})
    kinds = StackTree({(b"node", b"vfs_read"): 100}, kinds={b"node": PROCESS, b"vfs_read": KERNEL})
    assert parse(render_tree(plain, SvgOptions())).find(f"{SVG}g[@class='fp-legend']") is None
    legend = parse(render_tree(kinds, SvgOptions())).find(f"{SVG}g[@class='fp-legend']")
    assert legend is not None
    assert [text.text for text in legend.iter(f"{SVG}text")] == ["kernel"]
    chosen = frames_of(parse(render_tree(kinds, SvgOptions(colors="hot"))))
    assert chosen == frames_of(parse(render_tree(plain, SvgOptions(colors="hot"))))


def test_legend_lists_the_groups_of_classes_in_their_order() -> None:
    classes = [b"none", *(name.encode() for name in FrameClass.NAMES[1:])]
    traits = {name: (number, 0, 0) for number, name in enumerate(classes)}
    stacks = {(name,): 10 for name in classes}
    for options in ({}, {"reverse": True}, {"base": [b"v8", b"app"]}):
        root = parse(render_tree(StackTree(stacks, traits=traits), SvgOptions(**options)))  # type: ignore[arg-type]
        legend = root.find(f"{SVG}g[@class='fp-legend']")
        assert legend is not None
        labels = [text.text for text in legend.iter(f"{SVG}text")]
        if "base" in options:
            assert labels == ["application", "V8"]
            continue
        assert labels == [
            "application", "node_modules", "Node core", "other JavaScript", "V8", "JVM, Go, Rust, Python", "inlined",
            "native", "libraries", "kernel", "unresolved",
        ]  # fmt: skip
        fills = {frame.name: frame.fill for frame in frames_of(root)}
        assert fills["app"] == "#{:02x}{:02x}{:02x}".format(*Colours("kind").colour(b"app", 0, 1, "app", 1))


def test_auto_palette_is_by_class_where_javascript_is_named() -> None:
    def has_legend(frame_class: str) -> bool:
        tree = StackTree({(b"f",): 100}, traits={b"f": (FrameClass.NAMES.index(frame_class), 0, 0)})
        return parse(render_tree(tree, SvgOptions())).find(f"{SVG}g[@class='fp-legend']") is not None  # type: ignore[arg-type]

    assert [name for name in FrameClass.NAMES if has_legend(name)] == ["app", "deps", "core"]


def test_palette_map_is_read_and_completed() -> None:
    colours = {"read": (1, 2, 3)}
    fills = {frame.name: frame.fill for frame in frames_of(picture(SMALL, palette_map=colours))}
    assert fills["read"] == "#010203"
    assert sorted(colours) == ["idle", "main", "read", "write"]
    assert fills["main"] == "#{:02x}{:02x}{:02x}".format(*colours["main"])
    assert frames_of(picture(SMALL, palette_map=dict(colours), colors="blue")) == frames_of(
        picture(SMALL, palette_map=dict(colours))
    )


def test_name_attributes_link_and_refuse() -> None:
    data = (
        b"main\thref=https://example.com/?a=1&b=2\ttarget=_blank\n"
        b'read\thref="docs/read.html"\r\n'
        b"write\thref=javascript:alert(1)\tonclick=alert(1)\ttitle=writes <b>\n"
        b"idle\ttarget=evil\tstyle=background:url(//x)\n\n"
    )
    attributes, refused = parse_name_attributes(data)
    assert attributes == {
        b"main": {"href": "https://example.com/?a=1&b=2", "target": "_blank"},
        b"read": {"href": "docs/read.html"},
        b"write": {"title": "writes <b>"},
    }
    assert refused == [
        "name attributes, line 3: href left out",
        "name attributes, line 3: onclick left out",
        "name attributes, line 4: target left out",
        "name attributes, line 4: style left out",
    ]
    root = picture(SMALL, nameattr=attributes)
    assert_inert(root, scripts=1)
    links = [(link.get("href"), link.get("target")) for link in root.iter(f"{SVG}a")]
    assert links == [("https://example.com/?a=1&b=2", "_blank"), ("docs/read.html", "_top")]
    assert [(frame.name, frame.tip) for frame in frames_of(root)][-1] == ("write", "writes <b>")


def test_a_link_given_in_code_is_checked_too() -> None:
    root = picture(SMALL, nameattr={b"main": {"href": "javascript:alert(1)"}, b"all": {"href": "https://a"}})
    assert root.find(f".//{SVG}a") is None


def test_static_picture_has_no_script() -> None:
    root = picture(SMALL, script=False)
    assert_inert(root, scripts=0)
    assert frames_of(root) == frames_of(picture(SMALL))


def test_script_is_whole_and_the_only_one() -> None:
    root = picture(SMALL)
    assert_inert(root, scripts=1)
    script = root.findtext(f"{SVG}script") or ""
    assert script.strip().startswith("//")
    assert script.strip().endswith("})();")


def test_fluid_picture_scales() -> None:
    root = picture(SMALL, fluid=True)
    assert (root.get("width"), root.get("height")) == ("100%", None)
    assert root.get("viewBox") == "0 0 1200 108"


def test_same_input_same_bytes() -> None:
    for coloring in ("name", "hash", "random", "width"):
        first, second = (b"".join(render_tree(StackTree(SMALL), SvgOptions(coloring=coloring))) for _ in range(2))
        assert first == second


def test_colour_options_are_written() -> None:
    root = picture(
        SMALL, bgcolors="#101112", uicolor="#202122", strokecolor="#303132", searchcolor="#404142", colors="blue"
    )
    back = root.find(f"{SVG}rect[@class='fp-back']")
    assert back is not None
    assert (back.get("fill"), root.get("fill")) == ("#101112", "#202122")
    assert {rect.get("stroke") for rect in root.iterfind(f".//{SVG}g[@data-f]/{SVG}rect")} == {"#303132"}
    assert '"search":"#404142"' in root.attrib["data-fp"]
    gradient = picture(SMALL, bgcolors="green").find(f".//{SVG}linearGradient")
    assert gradient is not None


@pytest.mark.parametrize(
    "options",
    [
        {"width": 99}, {"height": 3}, {"fontsize": 0}, {"fontwidth": 0}, {"truncate": "middle"}, {"colors": "teal"},
        {"coloring": "chance"}, {"bgcolors": "red;}"}, {"uicolor": "url(//x)"}, {"strokecolor": "#fff"},
        {"searchcolor": "red"}, {"minwidth": "x%"}, {"minwidth": -1}, {"factor": "1/0"}, {"factor": float("nan")},
        {"flamechart": True, "reverse": True}, {"flamechart": True, "base": [b"x"]},
    ],
)  # fmt: skip
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        SvgOptions(**options)


def test_chunks_are_bounded() -> None:
    stacks = {(b"main", b"function_%05d" % number): 1 for number in range(20_000)}
    sizes = [len(chunk) for chunk in render_tree(StackTree(stacks), SvgOptions(minwidth=0))]
    assert len(sizes) > 20
    assert max(sizes) < 100_000


@pytest.mark.interpreted
@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"base": [b"f3"]}, {"inverted": True}])
def test_hundred_thousand_frames_deep(options: dict[str, Any]) -> None:
    frames = tuple(b"f%d" % number for number in range(100_000))
    began = time.process_time()
    chunks = render_tree(StackTree({frames: 500}), SvgOptions(script=False, **options))
    assert chunks.drawn == (99_997 if "base" in options else 100_000)
    assert sum(chunk.count(b"<rect") for chunk in chunks) == chunks.drawn + 2
    assert time.process_time() - began < 30


# ---- from a document ------------------------------------------------------------------------------------------------


def outline(document: Document, **options: Any) -> list[tuple[int, str]]:
    frames = frames_of(parse(svg_chunks(document, SvgOptions(minwidth=0, **options))))
    return [(frame.depth, frame.tip.rpartition(", ")[0]) for frame in frames]


def test_a_document_by_event_weight_and_root() -> None:
    odd = r"a;b\x0a\xff\x00"
    assert outline(small_document()) == [
        (0, "all (28 cycles"), (1, rf"{odd} (7 cycles"), (1, "node (21 cycles"), (2, "main (20 cycles"),
        (3, rf"{odd} (20 cycles"),
    ]  # fmt: skip
    assert outline(small_document(), event=b"cycles", weight="samples", root="none") == [
        (0, "all (5 samples"), (1, rf"{odd} (1 samples"), (1, "main (3 samples"), (2, rf"{odd} (2 samples"),
        (2, "main (1 samples"),
    ]  # fmt: skip


def test_a_flame_chart_is_in_time_order_and_needs_the_time_line() -> None:
    document = build_document(
        [b"cycles", b"b", b"a"],
        frame_name=[1, 2], frame_dso=[NONE] * 2, frame_kind=[0, 0], stack_parent=[NONE] * 2, stack_frame=[0, 1],
        event_name=[0], event_unit=[0], total_event=[0, 0], total_thread=[NONE] * 2, total_stack=[0, 1],
        total_samples=[2, 1], total_period=[2, 1], meta={"root": "none"},
        timeline={"event": [0] * 3, "thread": [NONE] * 3, "stack": [0, 1, 0], "cpu": [-1] * 3, "time_ns": [30, 20, 10],
                  "period": [1] * 3},
    )  # fmt: skip
    assert [name for _, name in outline(document, flamechart=True)] == [
        "all (3 samples", "b (1 samples", "a (1 samples", "b (1 samples",
    ]  # fmt: skip
    assert [name for _, name in outline(document)] == ["all (3 samples", "a (1 samples", "b (2 samples"]
    with pytest.raises(UsageError, match="time line"):
        svg_chunks(small_document(timeline=False), SvgOptions(flamechart=True))


# ---- text that fits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pixels", "fitted"),
    [("function", 48, "function"), ("function", 47.9, "funct" + "i…"), ("function", 18, "fu…"), ("function", 17.9, ""),
     ("ab", 12, "ab"), ("", 0, ""), ("函数函数", 41.9, "函数…"), ("e\u0301e\u0301", 12, "e\u0301e\u0301")],
)  # fmt: skip
def test_fit_with_a_uniform_font(text: str, pixels: float, fitted: str) -> None:
    assert TextFit(10, 0.6).fit(text, pixels) == fitted


def test_fit_can_keep_the_end() -> None:
    assert TextFit(10, 0.6, keep_end=True).fit("/srv/app/main.js", 48) == "…main.js"


def test_fit_of_the_default_font_is_by_character() -> None:
    fit = TextFit(10, None)
    assert fit.fit("iiiiiiiiii", 30) == "iiiiiiiiii"
    assert fit.fit("MMMMMMMMMM", 31) == "MM…"
    assert fit.measure("") == 0
    assert [fit.measure(chr(code)) > 0 for code in range(32, 127)] == [True] * 95


def test_labels_never_pass_their_frame() -> None:
    stacks = {(b"W" * 40, b"\xe5\x87\xbd" * 9, b"i" * size): 10 * size + 1 for size in range(1, 60)}
    fit = TextFit(12, None)
    frames = frames_of(picture(stacks))
    labelled = [frame for frame in frames if frame.label]
    assert len(labelled) > 20
    for frame in labelled:
        assert fit.measure(frame.label or "") <= frame.width - 5.98
        assert re.fullmatch(r"(.+)…|.+", frame.label or "")
