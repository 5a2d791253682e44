"""Views of small documents as call trees, checked by hand, and the order of folded text."""

from __future__ import annotations

import pytest

from decoded_text import decode_folded, decode_perf_script, folded, named, sample
from document_builder import build_document
from flameparse.document.document import NONE, UNKNOWN_ID, Document
from flameparse.document.tree import Tree, build_timeline_tree, build_tree, root_labels, shown_events, timeline_rows
from flameparse.errors import UsageError
from flameparse.export.folded_text import folded_chunks, timeline_chunks

STRINGS = [b"cycles:u", b"cycles:k", b"faults", b"", b"main", b"leaf", b"app", b"a;b\nc"]


def document(**more: object) -> Document:
    """Main calls leaf, twice by module; leaf alone; samples of no thread, of no frames, of neither."""
    return build_document(
        STRINGS,
        frame_name=[4, 5, 5, 7],
        frame_dso=[NONE, NONE, 6, NONE],
        frame_kind=[0, 1, 0, 2],
        stack_parent=[NONE, 0, 0, NONE, NONE],
        stack_frame=[0, 1, 2, 1, 3],
        event_name=[0, 1, 2, 3],
        event_unit=[1, 1, 1, 0],
        thread_comm=[6, 6, NONE],
        thread_pid=[1, 2, UNKNOWN_ID],
        thread_tid=[1, -1, UNKNOWN_ID],
        total_event=[0, 0, 0, 0, 0, 0, 0, 1, 2, 3],
        total_thread=[0, 0, 0, 1, 2, NONE, NONE, 1, 0, 0],
        total_stack=[1, 2, NONE, 1, 4, 3, NONE, 0, 0, 3],
        total_samples=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        total_period=[10, 20, 30, 40, 0, 60, 70, 80, 90, 10],
        **more,
    )


def spelled(tree: Tree) -> list[tuple[int, bytes, int, int, int]]:
    """(depth, name, kind, self, total) of every node, with what must hold in every tree."""
    totals = list(tree.self_weight)
    for node in range(len(tree) - 1, -1, -1):
        parent = tree.parent[node]
        assert tree.depth[node] == (0 if parent == NONE else tree.depth[parent] + 1)
        assert parent == NONE or parent < node
        assert tree.is_stack[node] or not tree.self_weight[node]
        if parent != NONE:
            totals[parent] += totals[node]
    assert totals == list(tree.total_weight)
    roots = sum(total for total, parent in zip(totals, tree.parent, strict=True) if parent == NONE)
    assert tree.total == roots + tree.bare_weight
    return [
        (tree.depth[node], tree.name_bytes(tree.name[node]), tree.kind[node], tree.self_weight[node], totals[node])
        for node in range(len(tree))
    ]


def test_a_view_by_comm():
    tree = build_tree(document(), root="comm")
    assert spelled(tree) == [
        (0, b"[unknown]", 4, 0, 0),
        (1, b"a;b\nc", 2, 0, 0),
        (0, b"app", 4, 30, 110),
        (1, b"leaf", 1, 10, 10),
        (1, b"main", 0, 0, 70),
        (2, b"leaf", 1, 70, 70),
        (0, b"leaf", 1, 60, 60),
    ]
    assert tree.is_stack.tolist() == [0, 1, 1, 1, 0, 1, 1]
    assert (tree.bare_weight, tree.total, tree.unit, tree.event) == (70, 240, "period", b"cycles:u")


def test_a_view_without_labels():
    tree = build_tree(document(), root="none")
    assert spelled(tree) == [
        (0, b"a;b\nc", 2, 0, 0),
        (0, b"leaf", 1, 70, 70),
        (0, b"main", 0, 0, 70),
        (1, b"leaf", 1, 70, 70),
    ]
    assert tree.bare_weight == 100


@pytest.mark.parametrize(
    ("root", "labels"),
    [
        ("none", [None, None, None]),
        ("comm", [b"app", b"app", b"[unknown]"]),
        ("pid", [b"app-1", b"app-2", b"[unknown]-?"]),
        ("tid", [b"app-1/1", b"app-2/-1", b"[unknown]-?/?"]),
    ],
)
def test_labels(root, labels):
    assert root_labels(document(), root) == labels
    assert root_labels(document(meta={"root": root}), None) == labels
    roots = {name for depth, name, kind, _, _ in spelled(build_tree(document(), root=root)) if kind == 4}
    assert roots == set(filter(None, labels))


def test_a_view_by_samples():
    tree = build_tree(document(), root="none", weight="samples", event=b"cycles:u")
    assert [(name, self) for _, name, _, self, _ in spelled(tree)] == [
        (b"a;b\nc", 5),
        (b"leaf", 16),
        (b"main", 0),
        (b"leaf", 7),
    ]
    assert (tree.bare_weight, tree.total, tree.unit) == (10, 38, "samples")


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (None, [0, 3]),
        (b"cycles:k", [1, 3]),
        (b"cycles", [0, 1, 3]),
        (b"faults", [2, 3]),
        (b"all", [0, 1, 2, 3]),
        ((b"faults", b"cycles:k"), [1, 2, 3]),
        ([b"faults", b"all"], [0, 1, 2, 3]),
        ((), [3]),
    ],
)
def test_choice_of_events(wanted, shown):
    # Samples without an event's name go with any.
    assert shown_events(STRINGS[:4], wanted) == shown


@pytest.mark.parametrize("wanted", [b"cycle", b"cycles:", b"", b"cycles:uk", (b"faults", b"x")])
def test_an_event_that_is_not_there(wanted):
    with pytest.raises(UsageError, match=r"no event .*; the input has: cycles:k, cycles:u, faults"):
        shown_events(STRINGS[:3], wanted)


def test_an_exact_name_is_preferred_to_a_modified_one():
    assert shown_events([b"cycles:u", b"cycles"], b"cycles") == [1]
    assert shown_events([], None) == shown_events([], b"all") == []
    with pytest.raises(UsageError, match=r"no event 'x\\\\xff'; the input has: none"):
        shown_events([], b"x\xff")


@pytest.mark.parametrize(
    ("event", "unit", "name", "total"),
    [
        (b"cycles", "period", b"cycles:u,cycles:k", 320),
        (b"all", "period", b"all", 410),
        (b"faults", "period", b"faults", 100),
    ],
)
def test_views_of_events(event, unit, name, total):
    tree = build_tree(document(), event=event)
    assert (tree.unit, tree.event, tree.total) == (unit, name, total)


@pytest.mark.parametrize(
    ("units", "unit"), [([0, 0, 0, 0], "samples"), ([0, 2, 0, 0], "nanoseconds"), ([3] * 4, "bytes")]
)
def test_units(units, unit):
    changed = document()
    changed.event_unit = memoryview(bytes(units))
    assert build_tree(changed, event=b"all").unit == unit


@pytest.mark.parametrize(
    ("view", "message"),
    [
        ({"weight": "kilos"}, "weight 'kilos': period or samples"),
        ({"root": "cpu"}, "root 'cpu': one of none, comm, pid, tid"),
        ({"event": b"x"}, "no event 'x'"),
    ],
)
@pytest.mark.parametrize("build", [build_tree, build_timeline_tree, timeline_rows])
def test_views_that_there_are_not(view, message, build):
    timeline = {key: [] for key in ("event", "thread", "stack", "cpu", "time_ns", "period")}
    with pytest.raises(UsageError, match=message):
        build(document(timeline=timeline), **view)


def test_an_empty_document():
    tree = build_tree(build_document())
    assert (len(tree), tree.total, tree.bare_weight, tree.names_blob) == (0, 0, 0, b"")
    assert list(folded_chunks(build_document())) == []
    with pytest.raises(IndexError):
        tree.name_bytes(0)


def test_a_sum_past_64_bits_is_an_error():
    half = build_document(
        [b"e", b"f", b"g"],
        frame_name=[1, 2],
        frame_dso=[NONE, NONE],
        frame_kind=[0, 0],
        stack_parent=[NONE, NONE],
        stack_frame=[0, 1],
        event_name=[0],
        event_unit=[1],
        total_event=[0, 0],
        total_thread=[NONE, NONE],
        total_stack=[0, 1],
        total_samples=[1, 1],
        total_period=[1 << 63, (1 << 63) - 1],
    )
    assert build_tree(half).total == (1 << 64) - 1
    half.total_period = memoryview((1 << 63).to_bytes(8, "little") * 2).cast("Q")
    with pytest.raises(OverflowError):
        build_tree(half)


def written(text: bytes) -> bytes:
    return b"".join(folded_chunks(folded(decode_folded(text))))


NAMES = [
    b"a",
    b"a b",
    b"a1",
    b"a:",
    b"a;x",
    b"a;x y",
    b"a x;b",
    b"a;",
    b"a;;",
    b"",
    b"a\x00",
    b"a!;b",
    b"a/",
    b"a<",
    b"b",
    b"A",
]


def test_folded_text_is_in_the_order_of_its_stacks():
    lines = sorted(name + b" %d\n" % (i + 1) for i, name in enumerate(NAMES) if name)
    by_stack = sorted((line.rsplit(b" ", 1) for line in lines), key=lambda parts: parts[0])
    expected = b"".join(b" ".join(parts) for parts in by_stack)
    assert written(b"".join(lines)) == expected
    assert written(b"".join(reversed(lines))) == expected
    assert written(expected * 2) == b"".join(b"%s %d\n" % (stack, 2 * int(weight)) for stack, weight in by_stack)


def test_names_are_put_on_one_line_and_then_merge():
    text = b"".join(
        folded_chunks(folded(named(decode_perf_script(b"".join(sample([b"f"], comm=c) for c in (b"a;b", b"a:b"))))))
    )
    assert text == b"a:b;f 2\n"
    view = document(meta={"root": "none"})
    assert b"".join(folded_chunks(view)) == b"[unknown] 100\na:b\\nc 0\nleaf 70\nmain;leaf 70\n"


def test_a_stack_of_no_weight_is_a_line():
    assert written(b"a;b 0\na;b;c 5\n") == b"a;b 0\na;b;c 5\n"


def test_samples_of_neither_label_nor_frames_join_the_stack_of_that_name():
    text = decode_perf_script(sample((), period=5) + sample([b"[unknown]"], module=b"[unknown]", period=7))
    assert b"".join(folded_chunks(folded(named(text)), root="none")) == b"[unknown] 12\n"
    assert b"".join(folded_chunks(folded(named(text)), root="comm")) == b"app 5\napp;[unknown] 7\n"


def test_more_than_a_chunk():
    lines = [b"%05d;%s 1\n" % (i, b"x" * 100) for i in range(30_000)]
    chunks = list(folded_chunks(folded(decode_folded(b"".join(lines)))))
    assert len(chunks) > 2
    assert all(chunk.endswith(b"\n") for chunk in chunks)
    assert b"".join(chunks) == b"".join(lines)


CHART = build_document(
    [b"e", b"main", b"a", b"b", b"app"],
    frame_name=[1, 2, 3],
    frame_dso=[NONE] * 3,
    frame_kind=[0, 1, 2],
    stack_parent=[NONE, 0, 0],
    stack_frame=[0, 1, 2],
    event_name=[0],
    event_unit=[1],
    thread_comm=[4],
    thread_pid=[1],
    thread_tid=[1],
    total_event=[0, 0, 0, 0],
    total_thread=[0, 0, 0, NONE],
    total_stack=[0, 1, 2, NONE],
    total_samples=[1, 2, 1, 1],
    total_period=[3, 30, 5, 7],
    timeline={
        "event": [0] * 5,
        "thread": [0, 0, 0, 0, NONE],
        "stack": [1, 2, 1, 0, NONE],
        "cpu": [0] * 5,
        "time_ns": [10, 30, 20, 40, 35],
        "period": [10, 5, 20, 3, 7],
    },
    meta={"root": "comm"},
)


def test_a_flame_chart():
    tree = build_timeline_tree(CHART)
    # In time order 10, 20, 30, 35, 40: what stays open merges, and a sample of nothing closes all.
    assert spelled(tree) == [
        (0, b"app", 4, 0, 35),
        (1, b"main", 0, 0, 35),
        (2, b"a", 1, 30, 30),
        (2, b"b", 2, 5, 5),
        (0, b"app", 4, 0, 3),
        (1, b"main", 0, 3, 3),
    ]
    assert (tree.bare_weight, tree.total, tree.unit, tree.event) == (7, 45, "period", b"e")
    assert spelled(build_timeline_tree(CHART, root="none", weight="samples"))[0] == (0, b"main", 0, 0, 3)


def test_lines_of_a_flame_chart():
    assert b"".join(timeline_chunks(CHART)) == b"app;main;a 30\napp;main;b 5\n[unknown] 7\napp;main 3\n"
    assert (
        b"".join(timeline_chunks(CHART, weight="samples", root="none")) == b"main;a 2\nmain;b 1\n[unknown] 1\nmain 1\n"
    )


def test_a_flame_chart_needs_a_time_line():
    for chart in (build_timeline_tree, timeline_rows, lambda view: list(timeline_chunks(view))):
        with pytest.raises(UsageError, match="keeps no time order"):
            chart(document())


def test_a_flame_chart_of_folded_text():
    text = b"a;b 5\na;c 3\na;b 2\n"
    assert b"".join(timeline_chunks(folded(decode_folded(text, timeline=True)))) == text
