"""Options of load(): each does what it says on a small input, and what cannot be is a usage error."""

from __future__ import annotations

import pytest

from decoded_text import sample
from flameparse.document.account import damage, warnings
from flameparse.document.writer import pack
from flameparse.errors import LimitError, TruncatedError, UnknownFormatError, UsageError
from flameparse.export.folded_text import folded_chunks
from flameparse.limits import MAX_TOTAL_WEIGHT
from flameparse.load_options import LoadOptions, View
from flameparse.pipeline import load

TRACE = (
    sample([b"leaf", b"main"], comm=b"app", pid=1, tid=2, cpu=0, time="1.000000", period=1)
    + sample([b"other", b"main"], comm=b"app", pid=1, tid=3, cpu=1, time="2.000000", period=2)
    + sample([b"leaf"], comm=b"db", pid=40, tid=40, cpu=1, time="2.500000", period=4, event=b"faults")
    + sample([], comm=b"db", pid=40, tid=41, cpu=2, time="4.000000", period=8)
    + b"40 [001] 5.000000: 16 cycles:\n\t1 main (/bin/app)\n\n"
)
FOLDED = b"a;b 3\na;c 4\n"


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "trace.txt"
    path.write_bytes(TRACE)
    return path


def weight(document):
    """The periods that were kept; each sample's is a power of two, so the sum names them."""
    account = document.diagnostics
    assert account["samples_folded"] == sum(document.total_samples)
    assert account["samples_seen"] == account["samples_folded"] + sum(account.get("dropped", {}).values())
    return sum(document.total_period)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, 31),
        ({"events": [b"cycles"]}, 27),
        ({"events": [b"faults"]}, 4),
        ({"events": [b"faults", b"cycles"]}, 31),
        ({"events": [b"all"]}, 31),
        ({"include": [("comm", b"app")]}, 3),
        ({"include": [("comm", b"^a"), ("comm", b"^d")]}, 15),
        ({"exclude": [("comm", b"app")]}, 28),
        # A thread without a comm has an empty one.
        ({"include": [("comm", b"^$")]}, 16),
        ({"include": [("comm", b".")]}, 15),
        ({"include": [("pid", b"^1$")]}, 3),
        ({"include": [("pid", b"^$")]}, 16),
        ({"include": [("tid", b"^4")]}, 28),
        ({"exclude": [("tid", b"^40$")]}, 11),
        ({"include": [("comm", b"db"), ("tid", b"^41$")]}, 8),
        ({"include": [("comm", b"db")], "exclude": [("tid", b"^41$")]}, 4),
        ({"include": [("cpu", b"^1$")]}, 22),
        ({"exclude": [("cpu", b"^1$")]}, 9),
        ({"include": [("cpu", b"^[02]$")]}, 9),
        ({"include": [("frame", b"leaf")]}, 5),
        ({"include": [("frame", b"leaf"), ("frame", b"other")]}, 7),
        ({"exclude": [("frame", b"main")]}, 12),
        ({"include": [("frame", b"main")], "exclude": [("frame", b"leaf")]}, 18),
        ({"include": [("frame", b"\xff")]}, 0),
        ({"time_from": "2"}, 30),
        ({"time_to": "2"}, 1),
        ({"time_from": "2", "time_to": "4"}, 6),
        ({"time_from": "+1.5"}, 28),
        ({"time_from": "+1.5", "time_to": "+3"}, 4),
        ({"time_from": "2.000001"}, 28),
        ({"time_to": "4.000000001"}, 15),
        ({"time_from": "100"}, 0),
    ],
)
@pytest.mark.parametrize("more", [{}, {"timeline": True}, {"threads": 1}])
def test_what_is_kept(trace, options, kept, more):
    document = load(trace, LoadOptions(**options, **more))
    assert weight(document) == kept
    if more.get("timeline"):
        assert sum(document.timeline["period"]) == kept
    assert damage(document) is None


def test_filters_see_the_names_that_are_printed(trace):
    trace.write_bytes(sample([b"run(int)"]) + sample([b"f"], module=b"[kernel.kallsyms]", period=2))
    for names, kept in (("tidy", 0), ("raw", 1)):
        assert weight(load(trace, LoadOptions(names=names, include=[("frame", rb"\(int\)")]))) == kept
    assert weight(load(trace, LoadOptions(annotate_kernel=True, include=[("frame", rb"_\[k\]$")]))) == 2


def test_what_was_dropped_is_told_and_travels(trace, tmp_path):
    document = load(trace, LoadOptions(time_from="2", exclude=[("frame", b"leaf")]))
    assert document.diagnostics["dropped"] == {"outside the window": 1, "filtered": 1}
    stored = tmp_path / "x.msgpack"
    stored.write_bytes(pack(document))
    again = load(stored)
    assert again.diagnostics["dropped"] == document.diagnostics["dropped"]
    assert again.diagnostics["samples_seen"] == 5
    assert weight(again) == weight(document)
    assert weight(load([stored, trace])) == weight(document) + 31
    assert load([stored, stored]).diagnostics["dropped"] == {"outside the window": 2, "filtered": 2}


def test_the_loss_account_of_a_document_may_say_anything(trace, tmp_path):
    document = load(trace)
    stored = tmp_path / "x.msgpack"
    for account in (
        {"dropped": {"x": -5, "y": True, "z": "many", "w": 2}, "unknown_lines": -3, "lost": "some", "damage": 5},
        {"dropped": [1], "unknown_line_numbers": "x", "long_lines": True, "samples_seen": "x"},
        {"unknown_line_numbers": [1] * 100, "damage": [b"\xff", None], "cut_names": 2**64 - 1, "rare_samples": None},
    ):
        document.diagnostics = account
        stored.write_bytes(pack(document))
        again = load([stored, stored])
        assert weight(again) == 62
        damage(again)
        pack(again)


def test_events_of_several_inputs_are_in_the_order_of_the_inputs(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_bytes(b"# a long comment before all\n" * 9 + sample(event=b"zeta") + sample(event=b"eta"))
    second.write_bytes(sample(event=b"alpha") + sample(event=b"eta"))
    document = load([first, second])
    assert [document.string(name) for name in document.event_name] == [b"zeta", b"eta", b"alpha"]
    document = load([second, first])
    assert [document.string(name) for name in document.event_name] == [b"alpha", b"eta", b"zeta"]


@pytest.mark.parametrize(
    "options",
    [
        {"names": "pretty"},
        {"names": ""},
        {"compat": "flamegraph"},
        {"root": "cpu"},
        {"include": [("uid", b"x")]},
        {"exclude": [("", b"x")]},
        {"threads": -1},
    ],
)
def test_options_that_there_are_not(options):
    with pytest.raises(UsageError):
        LoadOptions(**options)


@pytest.mark.parametrize(
    "options", [{"v8_tiers": "x"}, {"hide": ["none"]}, {"only": ["nodeCore"]}, {"filters": ["v8"]}]
)
def test_views_that_there_are_not(options):
    with pytest.raises(UsageError):
        View(**options)


@pytest.mark.parametrize("time", ["", "+", "-1", "1e3", "1.", ".5", "1.5s", "+-2", "1.-5", "1,5", "9" * 10, " 1", "1 "])
@pytest.mark.parametrize("end", ["time_from", "time_to"])
def test_times_that_are_none(trace, time, end):
    with pytest.raises(UsageError, match=r"seconds such as 12\.5"):
        load(trace, LoadOptions(**{end: time}))


@pytest.mark.parametrize("kind", ["comm", "pid", "tid", "cpu", "frame"])
@pytest.mark.parametrize("pattern", [b"(", b"[", b"*", b"(?P<n>x)(?P<n>y)"])
@pytest.mark.parametrize("which", ["include", "exclude"])
def test_patterns_that_are_none(trace, kind, pattern, which):
    with pytest.raises(UsageError, match=f"^{kind} filter: "):
        load(trace, LoadOptions(**{which: [(kind, pattern)]}))


def test_an_event_that_is_not_there(trace):
    with pytest.raises(UsageError, match="no event 'nope'; the input has: cycles, faults"):
        load(trace, LoadOptions(events=[b"nope"]))


@pytest.mark.parametrize("kind", ["comm", "pid", "tid", "cpu"])
def test_folded_text_does_not_say_who_and_when(tmp_path, kind):
    path = tmp_path / "x.folded"
    path.write_bytes(FOLDED)
    with pytest.raises(UsageError):
        load(path, LoadOptions(include=[(kind, b"x")]))
    with pytest.raises(UsageError, match="folded text keeps no times"):
        load(path, LoadOptions(time_from="1"))
    assert weight(load(path, LoadOptions(exclude=[("frame", b"^b$")]))) == 4


def test_a_document_keeps_no_window(trace, tmp_path):
    stored = tmp_path / "x.msgpack"
    stored.write_bytes(pack(load(trace, LoadOptions(timeline=True))))
    for options in ({"time_to": "3"}, {"include": [("cpu", b"0")]}):
        with pytest.raises(UsageError, match="msgpack document keeps no times and cpus"):
            load(stored, LoadOptions(**options))
    assert weight(load(stored, LoadOptions(include=[("comm", b"db")], events=[b"cycles"]))) == 8


def test_no_inputs():
    with pytest.raises(UsageError, match="no input"):
        load([])


@pytest.mark.parametrize("root", [None, "none", "comm", "pid", "tid"])
def test_root_travels(trace, tmp_path, root):
    document = load(trace, LoadOptions(root=root))
    assert document.meta["root"] == (root or "comm")
    stored = tmp_path / "x.msgpack"
    stored.write_bytes(pack(document))
    assert load(stored).meta["root"] == (root or "comm")
    assert load(stored, LoadOptions(root="tid")).meta["root"] == "tid"
    assert b"".join(folded_chunks(load(stored))) == b"".join(folded_chunks(document))


def test_inputs_of_every_format_join(trace, tmp_path):
    folded_text, stored, empty = tmp_path / "x.folded", tmp_path / "x.msgpack", tmp_path / "empty"
    folded_text.write_bytes(FOLDED)
    stored.write_bytes(pack(load(trace)))
    empty.write_bytes(b"")
    document = load([folded_text, empty, stored, trace])
    assert weight(document) == 7 + 31 + 31
    text = b"".join(folded_chunks(document, event=b"all"))
    assert b"a;b 3\n" in text
    assert b"app;main;leaf 2\n" in text


def test_an_unknown_input_among_others(trace, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"<html>")
    with pytest.raises(UnknownFormatError, match="other: not a format"):
        load([trace, other])


def test_samples_of_all_inputs_sum_past_what_can_be_counted(tmp_path):
    path = tmp_path / "x.folded"
    path.write_bytes(b"a %d\n" % MAX_TOTAL_WEIGHT)
    for inputs in ([path, path], [path] * 3, [path] * 5):
        with pytest.raises(LimitError, match=r"sum past 2\*\*63 - 1"):
            load(inputs)


def test_errors_name_the_input_once(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"a %d\nb 5\n" % MAX_TOTAL_WEIGHT)
    with pytest.raises(LimitError) as caught:
        load(path)
    assert str(caught.value).count(str(path)) == 1
    path.write_bytes(FOLDED)
    stored = tmp_path / "y"
    stored.write_bytes(pack(load(path))[:-5])
    with pytest.raises(TruncatedError) as caught:
        load(stored)
    assert str(caught.value).count(str(stored)) == 1


@pytest.mark.parametrize("compat", ["stackcollapse-perf", "inferno"])
def test_compat_modes_count_what_they_do_not_print(trace, compat):
    document = load(trace, LoadOptions(compat=compat))
    weight(document)
    dropped = document.diagnostics.get("dropped", {})
    assert dropped == ({"filtered": 1} if compat == "inferno" else {})


JAVASCRIPT = b"".join(
    b"node 1/1 1.000000: %d cycles:\n\t 3 Builtins_LdarHandler (/bin/node)\n\t 2 JS:%sf /a.js:1:1 (/tmp/perf-1.map)\n"
    b"\t 1 __libc_start_main (/bin/node)\n\n" % (period, tier)
    for tier, period in ((b"~", 1), (b"*", 2), (b"o+'", 4))
)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"v8_tiers": "merge"}, {b"Builtins_LdarHandler", b"JS:f /a.js:1:1", b"__libc_start_main"}),
        ({"v8_tiers": "strip", "only": ["app"]}, {b"f /a.js:1:1"}),
        ({"hide": ["interpreter", "app"]}, {b"__libc_start_main"}),
        ({"filters": ["libc-start"], "v8_tiers": "merge"}, {b"Builtins_LdarHandler", b"JS:f /a.js:1:1"}),
        ({"collapse_interpreter": True, "v8_tiers": "merge"}, {b"JS:f /a.js:1:1", b"__libc_start_main"}),
    ],
)
def test_frames_are_hidden_and_joined_and_no_weight_is_lost(trace, tmp_path, options, names):
    trace.write_bytes(JAVASCRIPT)
    shaped = load(trace, LoadOptions(view=View(**options)))
    assert {shaped.string(name) for name in shaped.frame_name} == names
    assert weight(shaped) == 7
    assert damage(shaped) is None
    stored = tmp_path / "x.msgpack"
    stored.write_bytes(pack(load(trace)))
    again = load(stored, LoadOptions(view=View(**options)))
    assert {again.string(name) for name in again.frame_name} == names
    assert weight(again) == 7


HIDDEN = View(v8_tiers="strip", hide=["interpreter"], filters=["libc-start"])


def names_in(document):
    return {document.string(name) for name in document.frame_name}


def test_a_document_keeps_what_its_view_hides(trace, tmp_path):
    trace.write_bytes(JAVASCRIPT)
    whole = load(trace)
    kept = load(trace, LoadOptions(view=HIDDEN, keeps_hidden=True))
    assert kept.meta.pop("view") == {"v8_tiers": "strip", "hide": ["interpreter"], "filters": ["libc-start"]}
    assert kept == whole

    stored = tmp_path / "x.msgpack"
    load(trace, LoadOptions(view=HIDDEN, keeps_hidden=True)).write(stored)
    shown = load(stored)
    assert names_in(shown) == {b"f /a.js:1:1"}
    assert weight(shown) == 7
    assert "view" not in shown.meta
    # Another view is of the whole stacks, not of what the first one left.
    assert names_in(load(stored, LoadOptions(view=View(only=["libc"])))) == {b"__libc_start_main"}
    assert load(stored, LoadOptions(view=View())) == whole


def test_documents_that_ask_for_different_views_are_shown_whole(trace, tmp_path):
    trace.write_bytes(JAVASCRIPT)
    paths = [tmp_path / "a.msgpack", tmp_path / "b.msgpack"]
    for path, hidden in zip(paths, ("v8", "libc"), strict=True):
        load(trace, LoadOptions(view=View(hide=[hidden]), keeps_hidden=True)).write(path)
    assert names_in(load(paths)) == names_in(load(trace))


@pytest.mark.parametrize(
    "view",
    [
        None,
        3,
        [],
        {"hide": "v8"},
        {"hide": ["a class to come", 5]},
        {"v8_tiers": "fold"},
        {"filters": [b"ics"]},
        {1: 2},
    ],
)
def test_a_view_this_version_does_not_know_hides_nothing(view):
    assert View.of_meta(view).to_meta() == {}


def test_a_tag_of_a_v8_to_come_is_kept_and_said_once(trace, tmp_path):
    trace.write_bytes(JAVASCRIPT.replace(b"JS:o+'f", b"Novelty:f"))
    document = load(trace)
    assert b"Novelty:f /a.js:1:1" in names_in(document)
    assert document.diagnostics["unknown_tags"] == {"Novelty": 1}
    said = [line for line in warnings(document) if "tags" in line]
    assert said == ["V8 wrote tags that this version of flameparse does not know, kept as they are: Novelty (1 frames)"]
    stored = tmp_path / "x.msgpack"
    document.write(stored)
    # A view without tags tells of them all the same.
    assert load(stored, LoadOptions(view=View(v8_tiers="strip"))).diagnostics["unknown_tags"] == {"Novelty": 1}
