"""The HTML page in a real browser: what it shows, what it does when used, and that nothing runs but its own script."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from browser.chromium import CHROMIUM, Chromium
from browser.shown_page import Shown
from document_builder import build_document
from flameparse.document.document import NONE
from flameparse.render.escape import display_text
from flameparse.render.html import html_chunks, page_chunks
from grown_tree import grown
from stack_tree import INLINED, JIT, KERNEL, PROCESS, StackTree

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

WIDTH, HEIGHT = 1200, 700


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium(width=WIDTH, height=HEIGHT) as browser:
        yield browser


Show = Callable[..., Shown]


@pytest.fixture
def show(browser: Chromium, tmp_path: Path) -> Iterator[Show]:
    shown: list[Shown] = []

    def write_and_open(
        tree: Any, *, title: str = "A profile", loss: list[str] | None = None, fragment: str = ""
    ) -> Shown:
        path = tmp_path / f"page-{len(shown)}.html"
        path.write_bytes(b"".join(page_chunks(tree, title=title, loss=loss or [])))
        shown.append(Shown(browser, path).open(fragment))
        return shown[-1]

    browser.resize(WIDTH, HEIGHT)
    browser.media(prefers_color_scheme="light")
    yield write_and_open
    for page in shown[-1:]:
        page.assert_quiet()


def tree_of(stacks: Mapping[str, int], **options: Any) -> StackTree:
    kinds = {b"app": PROCESS, b"sys": KERNEL, b"js": JIT, b"inl": INLINED}
    return StackTree({tuple(stack.encode().split(b";")): n for stack, n in stacks.items()}, kinds=kinds, **options)


# app holds 100: main 80 (of which read 30, write 20, itself 30), idle 20.
SMALL = {
    "app;main": 30,
    "app;main;read": 10,
    "app;main;read;sys": 20,
    "app;main;write;js;read": 15,
    "app;main;write;js;inl": 5,
    "app;idle": 20,
}


def test_says_what_it_shows(show: Show) -> None:
    page = show(tree_of(SMALL), title="Title <b> & more", loss=["2 samples lost", "1 <i> line"])
    assert page["document.title"] == page["document.querySelector('h1').textContent"] == "Title <b> & more"
    assert page.text("summary") == "100 samples of cycles in 9 frames"
    assert page.text("loss") == "2 samples lost · 1 <i> line"
    assert page["document.getElementById('loss').hidden"] is False
    assert page.legend() == {"unclassified 75.00%": True, "app": True, "inlined 5.00%": True, "kernel 20.00%": True}
    assert show(tree_of(SMALL))["document.getElementById('loss').hidden"] is True


def test_every_frame_stands_where_its_weight_puts_it(show: Show) -> None:
    page = show(tree_of(SMALL))
    width = page["page.canvas.width"]
    rects = page[
        "Array.from({length: page.tree.size}, (_, node) => { const r = page.canvas.rectOf(node);"
        "return [page.tree.name(node), page.tree.depth[node], r.x, r.width]; })"
    ]
    wanted = [
        ("all", 0, 0, 100), ("app", 1, 0, 100), ("idle", 2, 0, 20), ("main", 2, 20, 80), ("read", 3, 50, 30),
        ("sys", 4, 60, 20), ("write", 3, 80, 20), ("js", 4, 80, 20), ("inl", 5, 80, 5), ("read", 5, 85, 15),
    ]  # fmt: skip
    assert [(name, depth) for name, depth, _, _ in rects] == [(name, depth) for name, depth, _, _ in wanted]
    for (_, _, x, frame_width), (_, _, start, weight) in zip(rects, wanted, strict=True):
        assert (x, frame_width) == pytest.approx((start * width / 100, weight * width / 100))
    tops = page["[0, 1, 2].map((depth) => page.canvas.rowTop(depth))"]
    assert tops[0] - tops[1] == tops[1] - tops[2] == 19


def test_click_zooms_and_three_ways_reset(show: Show) -> None:
    page = show(tree_of(SMALL))
    page.click("main")
    assert page.zoomed == page.selected == "main"
    assert page["page.canvas.rectOf(page.zoom).width"] == page["page.canvas.width"]
    assert page.text("path") == "all > app > main"
    assert page.text("details") == "mainunclassified80 samples80.00% of all100.00% of zoomedself 30 samples"
    page.click("write")
    assert page.zoomed == "write"
    page.click("app")
    assert page.zoomed == "app"
    page.browser.key("Escape")
    assert page.zoomed == "all"
    page.click("write")
    page.press("reset")
    assert (page.zoomed, page.selected) == ("all", None)
    page.click("write")
    page.click("js", count=2)
    assert (page.zoomed, page.selected) == ("all", None)
    page.browser.click(5, HEIGHT // 2)
    assert page.zoomed == "all"


def test_path_leads_back(show: Show) -> None:
    page = show(tree_of({";".join(f"f{depth}" for depth in range(20)): 1}))
    page.click("f19")
    assert page.text("path") == "all > f0 > f1 > 14 more > f16 > f17 > f18 > f19"
    page["document.querySelectorAll('#path button')[3].click()"]
    assert page.zoomed == "f16"


def test_callers_of_the_zoomed_frame_are_dimmed(show: Show) -> None:
    page = show(tree_of(SMALL))
    plain = {name: page.colour(name) for name in ("app", "main", "write")}
    assert len(set(plain.values())) >= 2
    page.click("main")
    page.browser.move(5, 5)
    dimmed = {name: page.colour(name) for name in plain}
    assert (
        dimmed["app"] == page["page.colours.fills[page.colours.fillOfFrame[page.tree.frame[1]] + 192]"] != plain["app"]
    )
    assert dimmed["write"] == plain["write"]


def test_search_counts_each_stack_once(show: Show) -> None:
    page = show(tree_of(SMALL))
    assert page.search("read") == "Matched 45.00% of all, 2 frames"
    assert page.search("read|write") == "Matched 50.00% of all, 3 frames"
    assert page.search("^(main|write|read)$") == "Matched 80.00% of all, 4 frames"
    assert page.search("nothing") == "Matched 0.00% of all, 0 frames"
    assert page.search("all") == "Matched 0.00% of all, 0 frames"
    assert page.colour("main") != page["page.colours.match"]
    assert page.search("main") == "Matched 80.00% of all, 1 frame"
    assert page.colour("main") == page["page.colours.match"]
    page.browser.key("Escape")
    assert page.text("matched") == ""
    assert page.colour("main") != page["page.colours.match"]


def test_search_is_of_the_zoomed_frame(show: Show) -> None:
    page = show(tree_of(SMALL))
    page.search("read")
    page.click("write")
    assert page.text("matched") == "Matched 75.00% of the zoomed frame, 1 frame"
    page.search("main")
    assert page.text("matched") == "Matched 100.00% of the zoomed frame, 0 frames"


def test_search_says_what_is_wrong_with_a_pattern(show: Show) -> None:
    page = show(tree_of(SMALL))
    assert page.search("(re") == "Invalid regular expression: /(re/i: Unterminated group"
    assert page["document.getElementById('search').getAttribute('aria-invalid')"] == "true"
    assert page.search("(re)") == "Matched 45.00% of all, 2 frames"
    assert page["document.getElementById('search').getAttribute('aria-invalid')"] == "false"


def test_search_ignores_case_unless_told(show: Show) -> None:
    page = show(tree_of({"Read": 1, "read": 3}))
    assert page.search("READ") == "Matched 100.00% of all, 2 frames"
    page.press("match-case")
    assert page.text("matched") == "Matched 0.00% of all, 0 frames"
    assert page.search("R") == "Matched 25.00% of all, 1 frame"


def test_next_and_previous_match_go_by_weight(show: Show) -> None:
    page = show(tree_of({"a;hit1": 5, "b;hit2": 50, "c;hit3;hit4": 20}))
    page.search("hit")
    seen = []
    for key in ("Enter", "Enter", "Enter", "Enter"):
        page.browser.key(key)
        seen.append(page.selected)
    page.browser.key("Enter", "shift")
    assert [*seen, page.selected] == ["hit2", "hit3", "hit1", "hit2", "hit1"]
    assert page.text("spoken").startswith("Match 3 of 3: hit1, unclassified, 6.67% of all")
    page.press("next")
    assert page.selected == "hit2"
    page["page.graph.focus()"]
    page.browser.key("n")
    page.browser.key("n")
    page.browser.key("p")
    assert page.selected == "hit3"


def test_keys_move_the_selection(show: Show) -> None:
    page = show(tree_of(SMALL))
    page["page.graph.focus()"]
    moves = [
        ("ArrowUp", "all"), ("ArrowUp", "app"), ("ArrowUp", "main"), ("ArrowLeft", "idle"), ("ArrowLeft", "idle"),
        ("ArrowRight", "main"), ("ArrowUp", "read"), ("ArrowRight", "write"), ("ArrowUp", "js"), ("ArrowDown", "write"),
    ]  # fmt: skip
    assert [(key, page.browser.key(key), page.selected)[::2] for key, _ in moves] == moves
    page.browser.key("Enter")
    assert page.zoomed == "write"
    assert page.text("spoken") == "Zoomed to write, unclassified, 20.00% of all, 20 samples, itself 0 samples, depth 3"
    page.browser.key("Backspace")
    assert page.zoomed == "main"
    page.browser.key("i")
    assert page["page.icicle"] is True
    page.browser.key("ArrowDown")
    assert page.selected == "js"
    page.browser.key("f", "ctrl")
    assert page["document.activeElement.id"] == "search"
    page.browser.key("Escape")
    page.browser.key("?")
    assert page["document.getElementById('keys').open"] is True
    page.browser.key("Escape")
    assert page["document.getElementById('keys').open"] is False
    assert page.zoomed == "main"


def test_arrows_pass_over_frames_too_narrow_to_see(show: Show) -> None:
    page = show(tree_of({"a": 10_000, **{f"b{number:03}": 1 for number in range(500)}, "c": 10_000}))
    page["page.graph.focus()"]
    for key in ("ArrowUp", "ArrowUp", "ArrowRight"):
        page.browser.key(key)
    assert page.selected == "c"
    page.browser.key("ArrowLeft")
    assert page.selected == "a"


def test_flip_turns_the_graph_over(show: Show) -> None:
    page = show(tree_of(SMALL))
    page.press("flip")
    assert page["page.canvas.rowTop(0)"] < page["page.canvas.rowTop(1)"] < 60
    page.click("js")
    assert page.zoomed == "js"
    page.press("flip")
    assert page["page.canvas.rowTop(0)"] > page["page.canvas.height"] - 60


def test_tooltip_gives_self_and_total_of_all_and_of_the_zoomed(show: Show) -> None:
    page = show(tree_of(SMALL))
    page.browser.move(*page.point("main"))
    assert page.text("tooltip") == "mainunclassifiedTotal80 samples80.00% of allSelf30 samples30.00% of all"
    assert page["document.getElementById('tooltip').hidden"] is False
    page.click("main")
    page.browser.move(*page.point("sys"))
    assert page.text("tooltip") == (
        "syskernelTotal20 samples20.00% of all25.00% of zoomedSelf20 samples20.00% of all25.00% of zoomed"
    )
    page.browser.move(5, 5)
    assert page["document.getElementById('tooltip').hidden"] is True


@pytest.mark.parametrize(
    ("unit", "weight", "text"),
    [
        ("samples", 1, "1 sample"),
        ("nanoseconds", 1_234_567_890, "1.23 s"),
        ("nanoseconds", 45_600, "45.6 µs"),
        ("bytes", 3 << 20, "3 MiB"),
        ("period", 1_234_567, "1,234,567 cycles"),
        ("samples", (1 << 63) - 1, "9,223,372,036,854,775,807 samples"),
    ],
)
def test_weights_read_in_their_unit(show: Show, unit: str, weight: int, text: str) -> None:
    page = show(tree_of({"f": weight}, unit=unit))
    of = "" if unit == "period" else " of cycles"
    assert page.text("summary") == f"{text}{of} in 1 frame"
    page.browser.move(*page.point("f"))
    assert f"Self{text}100.00%" in page.text("tooltip")


def test_sums_past_what_doubles_hold_are_exact(show: Show) -> None:
    page = show(tree_of({"a;b": (1 << 53) + 1, "a;c": 2, "": 4}))
    page.browser.move(*page.point("a"))
    assert "Total9,007,199,254,740,995 samples" in page.text("tooltip")
    assert page.text("summary").startswith("9,007,199,254,740,999 samples")


def test_theme_follows_the_system_until_chosen(show: Show) -> None:
    page = show(tree_of(SMALL))
    dark, light = "rgb(22, 24, 29)", "rgb(255, 255, 255)"
    background = "getComputedStyle(document.body).backgroundColor"
    pixel = "`rgb(${[...page.canvas.context.getImageData(9, 9, 1, 1).data].slice(0, 3).join(', ')})`"
    assert page[background] == page[pixel] == light
    page.browser.media(prefers_color_scheme="dark")
    page.browser.wait_for("flameparse.page.colours.surface === '#16181d'")
    assert page[background] == page[pixel] == dark
    page.press("theme")
    assert page[background] == page[pixel] == light
    page.browser.media(prefers_color_scheme="light")
    page.press("theme")
    assert page[background] == page[pixel] == dark


def test_address_keeps_what_is_shown(show: Show) -> None:
    page = show(tree_of(SMALL))
    page.click("main")
    page.search("re+ad")
    page.press("flip")
    page.press("theme")
    address = page.browser.wait_for("location.hash.includes('theme') && location.hash")
    assert address == f"#zoom={page.node('main')}&frame={page.node('main')}&search=re%2Bad&root=top&theme=dark"
    again = page.open(address)
    assert (again.zoomed, again.selected, again.text("matched")) == (
        "main", "main", "Matched 56.25% of the zoomed frame, 2 frames",
    )  # fmt: skip
    assert again["[page.icicle, page.theme]"] == [True, "dark"]


def test_back_undoes_a_zoom(show: Show) -> None:
    page = show(tree_of(SMALL))
    page.click("main")
    page.browser.wait_for("location.hash.includes('zoom')")
    page["history.back()"]
    page.browser.wait_for("flameparse.page.zoom === 0")
    page["history.forward()"]
    page.browser.wait_for("flameparse.page.zoom > 0")
    assert page.zoomed == "main"


@pytest.mark.parametrize(
    "fragment", ["#zoom=999&frame=-4&event=7", "#zoom=x&search=((", "#%%%=&theme=<b>", "#zoom=1e99"]
)
def test_a_wrong_address_does_no_harm(show: Show, fragment: str) -> None:
    page = show(tree_of(SMALL), fragment=fragment)
    assert (page.zoomed, page.selected, page["page.theme"]) == ("all", None, "light")


@pytest.mark.parametrize("scale", [1, 1.5, 2])
def test_canvas_has_a_pixel_per_screen_pixel(show: Show, scale: float) -> None:
    page = show(tree_of(SMALL))
    page.browser.resize(900, 500, scale=scale)
    page.browser.wait_for(f"flameparse.page.canvas.ratio === {scale} && flameparse.page.canvas.width < 900")
    css = page["[page.canvas.width, page.canvas.height]"]
    assert page["[page.canvas.frames.width, page.canvas.frames.height]"] == [round(side * scale) for side in css]
    assert page.colour("main") == page["page.colours.fills[page.colours.fillOfFrame[page.tree.frame[3]]]"]
    page.click("js")
    assert page.zoomed == "js"


def test_readers_are_told(show: Show) -> None:
    page = show(tree_of(SMALL))
    assert page["[page.graph.getAttribute('role'), page.graph.tabIndex, page.graph.getAttribute('aria-label')]"] == [
        "application", 0, "Flame graph",
    ]  # fmt: skip
    assert page["document.querySelector('canvas').getAttribute('role')"] == "img"
    assert page["document.getElementById('spoken').getAttribute('aria-live')"] == "polite"
    unnamed = page[
        "[...document.querySelectorAll('button, input, select')]"
        ".filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label'))).length"
    ]
    assert unnamed == 0
    page["page.graph.focus()"]
    page.browser.key("ArrowUp")
    page.browser.key("ArrowUp")
    assert page.text("spoken") == "app, process, 100.00% of all, 100 samples, itself 0 samples, depth 1"


def test_every_wide_frame_is_painted(show: Show) -> None:
    """Every frame of three pixels and more has its colour inside, whatever narrow ones stand around it."""
    page = show(grown(40_000, function_count=3_000))
    checked = 0
    for _ in range(4):
        count, wrong = page[
            """(() => {
              const {tree, canvas, colours, zoom} = page, {width, height} = canvas.frames, wrong = [];
              const {data} = canvas.context.getImageData(0, 0, width, height);
              let count = 0;
              for (let node = zoom; node < tree.end[zoom]; node++) {
                const rect = canvas.rectOf(node);
                if (rect.width < 3 || rect.y < 0 || rect.y > canvas.height - 19) continue;
                count++;
                const at = 4 * (Math.floor(rect.y + 1) * width + Math.round(rect.x) + 1);
                const parts = [...data.slice(at, at + 3)].map((part) => part.toString(16).padStart(2, '0'));
                const wanted = colours.fills[colours.fillOfFrame[tree.frame[node]]];
                if (`#${parts.join('')}` !== wanted) wrong.push([node, rect, parts, wanted]);
              }
              return [count, wrong];
            })()"""
        ]
        assert wrong == []
        checked += count
        page["page.zoomTo(page.tree.heaviestChild(page.zoom))"]
    assert checked > 500


def test_a_wide_frame_that_starts_in_a_crowded_pixel_is_painted(show: Show) -> None:
    crowd = {f"a{number:04}": 1 for number in range(1000)}
    page = show(tree_of({**crowd, "b": 100_000_000, "c": 1, "d": 100_000_000}))
    fills = page[
        "['b', 'd'].map((name) => page.colours.fills[page.colours.fillOfFrame[page.tree.names.indexOf(name)]])"
    ]
    assert [page.colour("b"), page.colour("d")] == fills


def test_a_match_too_narrow_to_see_still_shows(show: Show) -> None:
    page = show(tree_of({"a": 1_000_000, **{f"b{number:03}": 1 for number in range(400)}, "c": 1_000_000}))
    page.search("b123")
    row = page[
        "(() => { const y = Math.round(page.canvas.rowTop(1) + 3);"
        "const {data} = page.canvas.context.getImageData(0, y, page.canvas.frames.width, 1);"
        "return Array.from({length: data.length / 4}, (_, i) => '#' + [...data.slice(4 * i, 4 * i + 3)]"
        ".map((part) => part.toString(16).padStart(2, '0')).join('')); })()"
    ]
    assert row.count(page["page.colours.match"]) == 1


def test_frames_without_weight_are_not_painted(show: Show) -> None:
    page = show(tree_of({"a": 1, "a;zero": 0, "b": 1}))
    assert page["page.canvas.nodeAt(1, page.canvas.rowTop(2) + 5)"] == -1
    y = page["page.canvas.rowTop(2) + 5"]
    assert page[
        f"[...page.canvas.context.getImageData(0, {y}, page.canvas.frames.width, 1).data].every((v) => v === 255)"
    ]
    page[f"page.zoomTo({page.node('zero')})"]
    assert page.zoomed == "all"
    assert page.text("spoken") == "zero has no weight to zoom to"


@pytest.mark.parametrize("stacks", [{}, {"a;b": 0}])
def test_nothing_to_draw_is_said(show: Show, stacks: dict[str, int]) -> None:
    page = show(tree_of(stacks))
    assert page.text("summary") == "No weight: there is nothing to draw"
    page.browser.click(WIDTH / 2, HEIGHT / 2)
    page.browser.key("ArrowUp")
    assert page.search("a").startswith("Matched 0.00% of all")


def test_events_are_chosen_in_the_page(browser: Chromium, tmp_path: Path) -> None:
    document = build_document(
        [b"cycles", b"<faults>", b"main", b"other"],
        frame_name=[2, 3], frame_dso=[NONE, NONE], frame_kind=[0, 0], stack_parent=[NONE, NONE], stack_frame=[0, 1],
        event_name=[0, 1], event_unit=[1, 0], total_event=[0, 1, 1], total_thread=[NONE] * 3, total_stack=[0, 0, 1],
        total_samples=[2, 3, 1], total_period=[2000, 3, 1], meta={"root": "none"},
    )  # fmt: skip
    path = tmp_path / "events.html"
    path.write_bytes(b"".join(html_chunks(document)))
    page = Shown(browser, path).open("#search=other")
    assert page["[...document.querySelectorAll('#event option')].map((option) => option.text)"] == [
        "cycles",
        "<faults>",
    ]
    assert (page.text("summary"), page.text("matched")) == ("2,000 cycles in 1 frame", "Matched 0.00% of all, 0 frames")
    page["document.getElementById('event').focus()"]
    browser.key("ArrowDown")
    browser.wait_for("flameparse.page.event === 1")
    assert page.text("summary") == "4 samples of <faults> in 2 frames"
    assert page.text("matched") == "Matched 25.00% of all, 1 frame"
    address = browser.wait_for("location.hash.includes('event=1') && location.hash")
    assert page.open(address).text("summary") == "4 samples of <faults> in 2 frames"
    page.assert_quiet()


def payload_names() -> list[bytes]:
    """Two hundred names that do harm in some page or other."""
    chance = random.Random(7)
    harm = [
        "</script><script>alert({n})</script>", "<img src=x onerror=alert({n})>",
        "<svg onload=alert({n})>", "\"'><script>alert({n})</script>", "javascript:alert({n})", "<!--<script>{n}",
        "]]><script>alert({n})</script>", "${{alert({n})}}", "`-alert({n})-`", "</title><script>alert({n})</script>",
        "</style><script>alert({n})</script>",
        "<iframe srcdoc='<script>alert({n})</script>'>", "<link rel=stylesheet href=http://evil.invalid/{n}>",
        "<img src=http://evil.invalid/{n}.png>", "\u2028alert({n})\u2029",
        "{{{{constructor.constructor('alert({n})')()}}}}",
        "<a href=javascript:alert({n})>x</a>", "<base href=http://evil.invalid/{n}>", "&lt;script&gt;alert({n})",
        "<meta http-equiv=refresh content='0;url=http://evil.invalid/{n}'>",
        "<math><mtext></mtext><script>alert({n})",
    ]  # fmt: skip
    names = [harm[n % len(harm)].format(n=n).encode() for n in range(150)]
    return names + [
        bytes(chance.randrange(256) for _ in range(12)) + b"<script>alert(%d)</script>" % n for n in range(50)
    ]


def test_two_hundred_payloads_do_nothing(show: Show) -> None:
    names = payload_names()
    assert len(set(names)) == 200
    title = "".join(name.decode("utf-8", "replace") for name in names[:25])
    page = show(
        StackTree({(name,) * depth: 1 for name in names for depth in (1, 2)}, event=names[0]), title=title, loss=[title]
    )
    assert sorted(page["page.tree.names.slice(1)"]) == sorted(map(display_text, names))
    assert page["document.querySelectorAll('script').length"] == 3  # its columns are freed once read
    assert page["document.querySelectorAll('img, svg, iframe, link, base, a, math').length"] == 0
    for name in map(display_text, names[::10]):
        page[f"page.zoomTo({page.node(name)})"]
        page.browser.move(*page.point(name))
        assert page["document.querySelector('#tooltip .name').textContent"] == name
        assert page["document.querySelector('#path [aria-current]').textContent"] == name
        page.search(name)
        page.browser.key("Escape")
    page.assert_quiet()


def test_policy_stops_a_script_that_got_in(show: Show) -> None:
    page = show(tree_of(SMALL))
    page["document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.gotIn = 1'}))"]
    page["document.body.append(Object.assign(new Image(), {src: 'http://evil.invalid/x.png'}))"]
    assert page["window.gotIn === undefined"] is True
    assert len([error for error in page.browser.console_errors if "Content Security Policy" in error]) == 2
    page.browser.console_errors.clear()
    page.browser.requests.clear()


def test_a_stack_of_a_hundred_thousand_frames(show: Show) -> None:
    page = show(StackTree({tuple(b"f%d" % (depth % 7) for depth in range(100_000)): 1}))
    assert page["page.tree.deepest"] == 100_000
    assert page["page.graph.scrollHeight"] > 1_900_000
    page["page.zoomTo(100000)"]
    assert page.text("path").startswith("all > f0 > f1 > 99,994 more > ")
    assert 0 <= page["page.canvas.rowTop(100000)"] < page["page.canvas.height"] - 19
    assert page.search("f3").startswith("Matched 100.00% of the zoomed frame")
    page.browser.key("Escape")
    page.browser.key("Escape")
    assert page.zoomed == "all"
    assert page["page.canvas.rowTop(0) + 19 < page.canvas.height"] is True


def test_three_hundred_thousand_frames_answer_at_once(show: Show) -> None:
    """Ten times what it takes on a quiet machine of two cores, so that only a wrong order of growth fails."""
    page = show(grown(300_000, function_count=10_000))
    assert page["page.tree.size"] == 300_001
    assert page["window.flameparse.ready"] < 3000
    page["page.zoomTo(page.tree.heaviestChild(1))"]
    assert page["page.drawMs"] < 300
    page["page.search('read|write')"]
    assert page["page.searchMs"] < 300
    assert page["page.matched.frames"] > 1000
