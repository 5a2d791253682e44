from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from document_builder import documents
from flameparse.document.document import Document
from flameparse.render.escape import display_text, safe_href, xml_attr, xml_text
from flameparse.render.palette import PALETTES, palette_map_bytes, parse_palette_map
from flameparse.render.svg import SvgOptions, parse_name_attributes, render_tree, svg_chunks
from flameparse.render.svg.regroup import from_the_leaf, rooted_at
from stack_tree import INLINED, JIT, KERNEL, USER, StackTree
from svg_frames import assert_inert, frames_of, parse

PIECES = st.sampled_from(
    [b"<script>", b"</script>", b"]]>", b"<![CDATA[", b"&amp;", b"\"'", b"-->", b"\0", b"\x1b[31m", b"\xff", b"\\x41",
     b"\\", b"\\u202e", "\u202e".encode(), "\ufffe".encode(), b"\xed\xa0\x80", b"_[k]",
     b" (1 samples, 5%)", b"->", b"f"]
)  # fmt: skip
NAMES = st.one_of(st.binary(max_size=20), st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")))
HOSTILE = st.one_of(NAMES, st.lists(PIECES, max_size=4).map(b"".join))
FEW_NAMES = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=6).map(tuple)
STACKS = st.dictionaries(st.lists(HOSTILE, max_size=5).map(tuple), st.integers(0, 1 << 62), max_size=6)


def undo_display(shown: str) -> bytes:
    """The slow way back from `display_text`, written from its docstring."""
    parts = re.split(r"(\\x[0-9a-f]{2}|\\u[0-9a-f]{4})", shown)
    for at in range(1, len(parts), 2):
        code = int(parts[at][2:], 16)
        parts[at] = chr(0xDC00 + code) if parts[at][1] == "x" and code >= 0x80 else chr(code)
    return "".join(parts).encode("utf-8", "surrogateescape")


@given(HOSTILE)
def test_shown_names_lead_back_to_their_bytes(name: bytes) -> None:
    shown = display_text(name)
    assert undo_display(shown) == name
    assert re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]", shown) is None


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_is_well_formed_and_stable_in_xml(text: str) -> None:
    root = ElementTree.fromstring(f"<a b=\"{xml_attr(text)}\" c='{xml_attr(text)}'>{xml_text(text)}</a>")
    assert (root.text or "") == root.get("b") == root.get("c")
    assert xml_text(root.text or "") == xml_text(text)


@given(STACKS, st.sampled_from(PALETTES), st.booleans(), st.booleans())
def test_any_names_come_back_from_the_picture(
    stacks: dict[tuple[bytes, ...], int], palette: str, inverted: bool, script: bool
) -> None:
    kinds = {name: (USER, KERNEL, JIT, INLINED)[len(name) % 4] for stack in stacks for name in stack}
    tree = StackTree(stacks, kinds=kinds)
    options = SvgOptions(colors=palette, inverted=inverted, script=script, minwidth=0)
    chunks = render_tree(tree, options)  # type: ignore[arg-type]
    root = parse(chunks)
    assert_inert(root, scripts=int(script))
    heavy = [node for node, weight in enumerate(tree.total_weight) if weight]
    if not tree.total:
        assert frames_of(root) == []
        return
    expected = [re.sub(r"_\[[kwij]\]\Z", "", display_text(tree.name_bytes(tree.name[node]))) for node in heavy]
    frames = frames_of(root)
    assert [frame.name for frame in frames] == ["all", *expected]
    assert [frame.weight for frame in frames] == [tree.total, *(tree.total_weight[node] for node in heavy)]
    assert [frame.depth for frame in frames] == [0, *(tree.depth[node] + 1 for node in heavy)]
    assert (chunks.drawn, chunks.pruned) == (len(heavy), len(tree.name) - len(heavy))


@given(STACKS)
def test_frames_lie_inside_their_callers_and_never_overlap(stacks: dict[tuple[bytes, ...], int]) -> None:
    frames = frames_of(parse(render_tree(StackTree(stacks), SvgOptions(script=False))))  # type: ignore[arg-type]
    open_frames: list[tuple[int, int]] = []
    next_free: dict[int, int] = {}
    for frame in frames:
        del open_frames[frame.depth :]
        if open_frames:
            assert open_frames[-1][0] <= frame.start
            assert frame.start + frame.weight <= open_frames[-1][1]
        assert frame.start >= next_free.get(frame.depth, 0)
        next_free[frame.depth] = frame.start + frame.weight
        open_frames.append((frame.start, frame.start + frame.weight))


@given(STACKS)
def test_reverse_agrees_with_reversed_stacks(stacks: dict[tuple[bytes, ...], int]) -> None:
    backwards = StackTree({stack[::-1]: weight for stack, weight in stacks.items() if weight})
    made = from_the_leaf(StackTree({stack: weight for stack, weight in stacks.items() if weight}), 1)  # type: ignore[arg-type]

    def rows(tree: object) -> list[tuple[bytes, int, int, int, int]]:
        names = [tree.name_bytes(name) for name in tree.name]  # type: ignore[attr-defined]
        columns = (tree.parent, tree.depth, tree.self_weight, tree.total_weight)  # type: ignore[attr-defined]
        return list(zip(names, *columns, strict=True))

    assert rows(made) == rows(backwards)
    assert (made.total, made.bare_weight, made.cut) == (backwards.total, backwards.bare_weight, 0)


@given(documents(), st.booleans())
def test_any_document_can_be_drawn(document: Document, flamechart: bool) -> None:
    flamechart = flamechart and document.timeline is not None
    options = SvgOptions(event=b"all", weight="samples", root="none", flamechart=flamechart, minwidth=0)
    frames = frames_of(parse(svg_chunks(document, options)))
    samples = sum(document.total_samples)
    if flamechart and document.timeline is not None:
        # A row of an event without a period, as a line of folded text, stands for as many samples as it weighs.
        rows = zip(document.timeline["event"], document.timeline["period"], strict=True)
        samples = sum(1 if document.event_unit[event] else period for event, period in rows)
    assert (frames[0].weight if frames else 0) == samples


@given(
    st.dictionaries(FEW_NAMES, st.integers(0, 99), max_size=9),
    st.frozensets(st.sampled_from([b"a", b"b"]), min_size=1),
)
def test_base_agrees_with_cut_stacks(stacks: dict[tuple[bytes, ...], int], names: frozenset[bytes]) -> None:
    cut: dict[tuple[bytes, ...], int] = {}
    for stack, weight in stacks.items():
        first = next((at for at, name in enumerate(stack) if name in names), None)
        if first is not None:
            cut[stack[first:]] = cut.get(stack[first:], 0) + weight
    expected, made = StackTree(cut), rooted_at(StackTree(stacks), names)  # type: ignore[arg-type]
    assert [made.name_bytes(name) for name in made.name] == [expected.name_bytes(name) for name in expected.name]
    assert made.parent == list(expected.parent)
    assert made.self_weight == list(expected.self_weight)
    assert made.total_weight == list(expected.total_weight)
    assert made.total == expected.total


@given(st.dictionaries(HOSTILE.map(display_text), st.tuples(*[st.integers(0, 255)] * 3)))
def test_palette_map_round_trip(colours: dict[str, tuple[int, int, int]]) -> None:
    assert parse_palette_map(palette_map_bytes(colours)) == colours


@given(st.lists(st.tuples(HOSTILE, st.sampled_from([b"href", b"title", b"target", b"onclick"]), HOSTILE)))
def test_any_name_attributes_stay_inert(rows: list[tuple[bytes, bytes, bytes]]) -> None:
    data = b"\n".join(b"%s\t%s=%s" % row for row in rows)
    attributes, _ = parse_name_attributes(data)
    assert all(safe_href(given.get("href", "")) is not None for given in attributes.values())
    tree = StackTree({(name,): 1 for name, _, _ in rows} | {(b"f",): 1})
    assert_inert(parse(render_tree(tree, SvgOptions(nameattr=attributes))), scripts=1)  # type: ignore[arg-type]
