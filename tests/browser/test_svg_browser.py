from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.chromium import CHROMIUM, Chromium
from browser.hostile_names import HOSTILE_NAMES
from flameparse.render.escape import display_text
from flameparse.render.svg import SvgOptions, render_tree
from stack_tree import StackTree

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

# 1,000 samples on 1,000 pixels, so a weight is a width.
SMALL = {
    (b"main", b"read", b"copy"): 200,
    (b"main", b"read"): 100,
    (b"main", b"write", b"Copy"): 400,
    (b"main", b"write", b"copy"): 50,
    (b"idle",): 250,
}

# What is drawn, by name: left, width, faded; frames hidden by the zoom are not in it.
STATE = """Object.fromEntries(Array.from(document.querySelectorAll('.fp-frames g'))
  .filter(g => g.getAttribute('display') !== 'none')
  .map(g => [g.children[0].textContent.split(' (')[0] + '@' + g.getAttribute('data-f').split(' ')[0],
             [+g.children[1].getAttribute('x'), +g.children[1].getAttribute('width'),
              g.classList.contains('fp-parent')]]))"""
MATCHED = "document.querySelector('.fp-matched').textContent"
DETAILS = "document.querySelector('.fp-details').textContent"
OVERFULL = """Array.from(document.querySelectorAll('.fp-frames g')).filter(g => g.getAttribute('display') !== 'none'
  && g.children[2] && g.children[2].getComputedTextLength() > +g.children[1].getAttribute('width') - 5.5).length"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium(width=1100, height=700) as chromium:
        yield chromium


def draw(path: Path, stacks: dict[tuple[bytes, ...], int], **options: Any) -> Path:
    path.write_bytes(b"".join(render_tree(StackTree(stacks), SvgOptions(**{"width": 1020, **options}))))  # type: ignore[arg-type]
    return path


def middle_of(browser: Chromium, name: str) -> tuple[float, float]:
    """The middle of the first drawn frame of a name."""
    point = browser.evaluate(
        f"(() => {{ const g = Array.from(document.querySelectorAll('.fp-frames g')).find(g => "
        f"g.getAttribute('display') !== 'none' && g.children[0].textContent.startsWith({name + ' ('!r}));"
        f"const box = g.children[1].getBoundingClientRect();"
        f"return [box.x + box.width / 2, box.y + box.height / 2] }})()"
    )
    return point[0], point[1]


def click_frame(browser: Chromium, name: str, *modifiers: str) -> None:
    browser.click(*middle_of(browser, name), *modifiers)


def click_button(browser: Chromium, caption: str) -> None:
    point = browser.evaluate(
        f"(() => {{ const b = Array.from(document.querySelectorAll('.fp-button'))"
        f".find(b => b.children[2].textContent === {caption!r}).children[1].getBoundingClientRect();"
        f"return [b.x + b.width / 2, b.y + b.height / 2] }})()"
    )
    browser.click(point[0], point[1])


def search(browser: Chromium, text: str) -> None:
    browser.key("f", "ctrl")
    browser.type_text(text)
    browser.key("Enter")


def assert_quiet(browser: Chromium) -> None:
    browser.pump()
    assert (browser.dialogs, browser.requests, browser.console_errors) == ([], [], [])


def test_the_instruments_see_an_attack(browser: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "attack.svg"
    page.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(7);console.error("seen");'
        'new Image().src="http://127.0.0.1:9/"</script></svg>'
    )
    browser.open(page)
    assert browser.dialogs == ["7"]
    assert browser.requests == ["http://127.0.0.1:9/"]
    assert browser.console_errors[0] == "seen"


POKE_ALL = """(() => {
  const groups = Array.from(document.querySelectorAll('.fp-frames g'));
  for (const g of groups) for (const kind of ['mouseover', 'click'])
    g.children[1].dispatchEvent(new MouseEvent(kind, {bubbles: true, cancelable: true, ctrlKey: true}));
  return groups.slice(2).map(g => g.children[0].textContent.replace(/ \\(9 samples, 0\\.50%\\)$/, ''));
})()"""


@pytest.mark.parametrize("inline", [False, True], ids=["alone", "inside a page"])
def test_hostile_names_do_nothing(browser: Chromium, tmp_path: Path, inline: bool) -> None:
    stacks = {(b"main", name): 9 for name in HOSTILE_NAMES}
    links = {name: {"href": display_text(name), "title": display_text(name)} for name in HOSTILE_NAMES[::7]}
    path = draw(tmp_path / "hostile.svg", stacks, minwidth=0, title=display_text(HOSTILE_NAMES[1]), nameattr=links)
    if inline:
        picture = path.read_text().partition("?>")[2]
        path = tmp_path / "hostile.html"
        path.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>page</title>{picture}")
    browser.open(path)
    shown = browser.evaluate(POKE_ALL)
    stripped = [re.sub(r"_\[[kwij]\]$", "", display_text(name)) for name in sorted(HOSTILE_NAMES)]
    assert shown == stripped
    for name in HOSTILE_NAMES[:: 10 if inline else 3]:
        browser.evaluate("document.querySelector('.fp-button').focus()")
        browser.key("Escape")
        search(browser, display_text(name))
    assert browser.evaluate("document.querySelectorAll('script').length") == 1
    assert browser.evaluate("document.querySelectorAll('img,iframe,image,use,animate,set,link').length") == 0
    assert_quiet(browser)


def test_click_zooms_and_the_address_says_so(browser: Chromium, tmp_path: Path) -> None:
    browser.open(draw(tmp_path / "small.svg", SMALL))
    whole = {
        "all@0": [10, 1000, False], "idle@1": [10, 250, False], "main@1": [260, 750, False],
        "read@2": [260, 300, False], "copy@3": [260, 200, False], "write@2": [560, 450, False],
        "Copy@3": [560, 400, False],
    }  # fmt: skip
    whole["copy@3"] = [960, 50, False]  # two frames of that name and depth: the later one stands
    assert browser.evaluate(STATE) == whole
    click_frame(browser, "write")
    zoomed = {
        "all@0": [10, 1000, True], "main@1": [10, 1000, True], "write@2": [10, 1000, False],
        "Copy@3": [10, 888.89, False], "copy@3": [898.89, 111.11, False],
    }  # fmt: skip
    assert browser.evaluate(STATE) == zoomed
    assert browser.evaluate("location.hash") == "#x=550&y=2"
    click_frame(browser, "main")
    assert browser.evaluate("location.hash") == "#x=250&y=1"
    assert browser.evaluate(STATE)["read@2"] == [10, 400, False]
    browser.evaluate("history.back()")
    browser.wait_for("location.hash === '#x=550&y=2'")
    assert browser.evaluate(STATE) == zoomed
    click_button(browser, "Reset zoom")
    assert browser.evaluate(STATE) == whole
    assert browser.evaluate("location.hash") == ""
    click_frame(browser, "idle")
    browser.key("Escape")
    assert browser.evaluate(STATE) == whole
    assert_quiet(browser)


def test_search_marks_counts_and_honours_zoom(browser: Chromium, tmp_path: Path) -> None:
    browser.open(draw(tmp_path / "small.svg", SMALL, searchcolor="#00ff00"))
    lit = "document.querySelectorAll('.fp-frames rect[fill=\"#00ff00\"]').length"
    search(browser, "^copy$")
    assert browser.evaluate(MATCHED) == "Matched: 25.00% (2 frames)"
    assert browser.evaluate(lit) == 2
    assert browser.evaluate("location.hash") == "#s=%5Ecopy%24"
    browser.key("i", "ctrl")
    assert browser.evaluate(MATCHED) == "Matched: 65.00% (3 frames)"
    assert browser.evaluate("location.hash") == "#s=%5Ecopy%24&i=1"
    click_frame(browser, "read")
    assert browser.evaluate(MATCHED) == "Matched: 66.67% (1 frame)"
    browser.key("i", "ctrl")
    click_button(browser, "Reset zoom")
    search(browser, "main|copy")
    assert browser.evaluate(MATCHED) == "Matched: 75.00% (3 frames)"
    search(browser, "(")
    assert browser.evaluate(MATCHED).startswith("Not a regular expression: ")
    assert browser.evaluate(lit) == 0
    browser.key("Escape")
    assert browser.evaluate(MATCHED) == ""
    click_button(browser, "Search")
    browser.type_text("idle")
    browser.wait_for(f"{MATCHED} === 'Matched: 25.00% (1 frame)'")
    assert browser.evaluate("location.hash") == "#s=idle"
    browser.key("Escape")
    assert browser.evaluate(MATCHED) == ""
    assert browser.evaluate("location.hash") == ""
    assert browser.evaluate("document.querySelector('foreignObject')") is None
    assert_quiet(browser)


def test_matched_share_agrees_with_a_slow_count(browser: Chromium, tmp_path: Path) -> None:
    chance = random.Random(5)
    stacks = {
        tuple(b"f%d" % chance.randrange(6) for _ in range(chance.randrange(1, 9))): chance.randrange(1, 50)
        for _ in range(150)
    }
    browser.open(draw(tmp_path / "random.svg", stacks, minwidth=0))
    search(browser, "f[24]")
    matching = sum(weight for stack, weight in stacks.items() if {b"f2", b"f4"} & set(stack))
    tree = StackTree(stacks)
    frames = sum(tree.name_bytes(name) in (b"f2", b"f4") for name in tree.name)
    share = math.floor(10000 * matching / sum(stacks.values()) + 0.5) / 100
    assert browser.evaluate(MATCHED) == f"Matched: {share:.2f}% ({frames} frames)"


def test_the_address_restores_zoom_and_search(browser: Chromium, tmp_path: Path) -> None:
    path = draw(tmp_path / "small.svg", SMALL)
    browser.open(f"{path.as_uri()}#x=550&y=2&s=COPY&i=1")
    assert browser.evaluate(STATE)["write@2"] == [10, 1000, False]
    assert browser.evaluate(MATCHED) == "Matched: 100.00% (2 frames)"
    for hash_ in ("#x=9e999&y=-1&s=%", "#x=1&y=1", "#y=zzz", "#s=%3Cscript%3Ealert(1)%3C/script%3E", "#__proto__=1"):
        browser.open(path.as_uri() + hash_)
        assert browser.evaluate(STATE)["all@0"] == [10, 1000, False]
        assert_quiet(browser)


def test_details_follow_the_mouse(browser: Chromium, tmp_path: Path) -> None:
    browser.open(draw(tmp_path / "small.svg", SMALL, nametype="Frame:"))
    assert browser.evaluate(DETAILS) == "1,000 samples, 7 frames"
    browser.move(*middle_of(browser, "read"))
    assert browser.evaluate(DETAILS) == "Frame: read (300 samples, 30.00%)"
    browser.move(600, 650)
    assert browser.evaluate(DETAILS) == "1,000 samples, 7 frames"


@pytest.mark.parametrize(
    "options", [{}, {"truncate": "left"}, {"fonttype": "monospace"}, {"fontsize": 9}, {"script": False}]
)
def test_text_fits_its_frame(browser: Chromium, tmp_path: Path, options: dict[str, Any]) -> None:
    names = [
        b"WWWWMMMM@@@@WWWWMMMM",
        b"iiiillll....iiiillll",
        "函数名字函数名字".encode(),
        "naïve Ünïcode ß ﷽ 🔥".encode(),
    ]
    stacks = {(b"main_with_a_long_name", names[at % 4] + b"%d" % at): 1 + at for at in range(60)}
    browser.open(draw(tmp_path / "text.svg", stacks, width=4000, **options))
    labels = "Array.from(document.querySelectorAll('.fp-frames g text')).filter(t => t.textContent !== '').length"
    assert browser.evaluate(labels) > 20
    assert browser.evaluate(OVERFULL) == 0
    if options.get("script", True):
        browser.evaluate("document.querySelectorAll('.fp-frames g')[40].children[1].dispatchEvent("
                         "new MouseEvent('click', {bubbles: true}))")  # fmt: skip
        assert browser.evaluate(OVERFULL) == 0
        zoomed_label = browser.evaluate("document.querySelectorAll('.fp-frames g')[40].children[2].textContent")
        assert "…" not in zoomed_label


def test_static_picture_does_not_react(browser: Chromium, tmp_path: Path) -> None:
    browser.open(draw(tmp_path / "static.svg", SMALL, script=False))
    before = browser.evaluate(STATE)
    click_frame(browser, "write")
    assert browser.evaluate(STATE) == before
    assert browser.evaluate("document.querySelectorAll('script,.fp-button').length") == 0
    assert_quiet(browser)


def test_links_are_followed_and_ctrl_click_zooms(browser: Chromium, tmp_path: Path) -> None:
    other = draw(tmp_path / "other.svg", SMALL)
    browser.open(draw(tmp_path / "small.svg", SMALL, nameattr={b"write": {"href": "other.svg"}}))
    click_frame(browser, "write", "ctrl")
    assert browser.evaluate("location.hash") == "#x=550&y=2"
    click_frame(browser, "write")
    browser.wait_for(f"location.href === {other.as_uri()!r}")


def test_fluid_picture_fills_the_page_and_follows_its_size(browser: Chromium, tmp_path: Path) -> None:
    browser.open(draw(tmp_path / "fluid.svg", SMALL, fluid=True))
    try:
        assert browser.evaluate(STATE)["all@0"] == [10, 1080, False]
        click_frame(browser, "idle")
        browser.resize(620, 500)
        browser.wait_for("document.documentElement.getAttribute('viewBox').startsWith('0 0 620 ')")
        assert browser.evaluate(STATE)["idle@1"] == [10, 600, False]
        assert_quiet(browser)
    finally:
        browser.resize(1100, 700)


def test_buttons_work_from_the_keyboard(browser: Chromium, tmp_path: Path) -> None:
    browser.open(draw(tmp_path / "small.svg", SMALL))
    browser.key("Tab")
    assert browser.evaluate("document.activeElement.children[2].textContent") == "aA"
    browser.key("Enter")
    assert browser.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    browser.key("Tab")
    browser.key("Enter")
    assert browser.evaluate("document.activeElement.localName") == "input"


def test_two_pictures_in_one_page_do_not_mix(browser: Chromium, tmp_path: Path) -> None:
    pictures = [draw(tmp_path / f"{name}.svg", {(name.encode(),): 100, (b"x",): 100}).read_text() for name in "ab"]
    page = tmp_path / "page.html"
    page.write_text("<!DOCTYPE html><meta charset=utf-8>" + "".join(text.partition("?>")[2] for text in pictures))
    browser.open(page)
    click_frame(browser, "b")
    widths = browser.evaluate(
        "Array.from(document.querySelectorAll('svg.fp'), s => Array.from(s.querySelectorAll('.fp-frames g'))"
        ".filter(g => g.getAttribute('display') !== 'none').map(g => g.children[1].getAttribute('width')))"
    )
    assert widths == [["1000", "500", "500"], ["1000", "1000.00"]]
    assert browser.evaluate("location.hash") == ""
    assert_quiet(browser)


def test_a_tall_picture_opens_at_its_root_with_the_controls_in_sight(browser: Chromium, tmp_path: Path) -> None:
    stacks = {tuple(b"f%d" % number for number in range(200)): 500}
    edges = """['.fp-frames rect', '.fp-button rect'].map(s => document.querySelector(s).getBoundingClientRect())
        .map(box => [box.top, box.bottom])"""
    browser.open(draw(tmp_path / "tall.svg", stacks))
    browser.wait_for("document.querySelector('.fp-button rect').getBoundingClientRect().top === 8")
    (root_top, root_bottom), (button_top, _) = browser.evaluate(edges)
    assert 600 < root_top < root_bottom < 700
    assert button_top == 8
    browser.evaluate("window.scrollTo(0, 1000)")
    browser.wait_for("document.querySelector('.fp-button rect').getBoundingClientRect().top === 8")
    search(browser, "^f7$")
    assert browser.evaluate(MATCHED) == "Matched: 100.00% (1 frame)"
    browser.open(draw(tmp_path / "tall.svg", stacks, inverted=True))
    assert browser.evaluate("window.scrollY") == 0
    assert_quiet(browser)


def test_empty_profile_opens_quietly(browser: Chromium, tmp_path: Path) -> None:
    browser.open(draw(tmp_path / "empty.svg", {}))
    assert browser.evaluate("document.querySelector('.fp-empty').textContent") == "No samples"
    assert_quiet(browser)


def test_hundred_thousand_frames_deep(browser: Chromium, tmp_path: Path) -> None:
    browser.open(draw(tmp_path / "deep.svg", {tuple(b"f%d" % number for number in range(100_000)): 500}))
    browser.evaluate("document.querySelectorAll('.fp-frames g')[99000].children[1].dispatchEvent("
                     "new MouseEvent('click', {bubbles: true}))")  # fmt: skip
    assert browser.evaluate("location.hash") == "#x=0&y=99000"
    search(browser, "^f99[0-9]{3}$")
    assert browser.evaluate(MATCHED) == "Matched: 100.00% (1,000 frames)"
    assert_quiet(browser)
