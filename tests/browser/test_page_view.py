"""What the page hides and joins is what the command line would: same stacks, same weights; and all of it comes back."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.chromium import CHROMIUM, Chromium
from browser.shown_page import Shown
from flameparse.render.html import page_chunks
from grown_tree import grown
from stack_tree import KERNEL, PROCESS, StackTree
from unit.cli_runs import run_here

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
APP, DEPS, V8, INTERPRETER, KERNEL_CLASS = 1, 2, 9, 10, 15
INTERPRETED, OPTIMISED = 1, 4

Show = Callable[..., Shown]


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium(width=1200, height=700) as browser:
        yield browser


@pytest.fixture
def show(browser: Chromium, tmp_path: Path) -> Iterator[Show]:
    shown: list[Shown] = []

    def write_and_open(tree: Any, fragment: str = "") -> Shown:
        path = tmp_path / f"page-{len(shown)}.html"
        path.write_bytes(b"".join(page_chunks(tree, title="A profile", loss=[])))
        shown.append(Shown(browser, path).open(fragment))
        return shown[-1]

    yield write_and_open
    for page in shown[-1:]:
        page.assert_quiet()


def folded(source: Path, *options: str) -> Counter[str]:
    """What ``flameparse fold`` prints of a file, weights summed by stack."""
    code, printed, errors = run_here("fold", source, "-q", *options)
    assert code == 0, errors
    stacks: Counter[str] = Counter()
    for line in printed.decode().splitlines():
        stack, _, weight = line.rpartition(" ")
        stacks[stack] += int(weight)
    return stacks


def document_and_page(source: Path, folder: Path, *options: str) -> tuple[Path, Path]:
    document, page = folder / "whole.msgpack", folder / "whole.html"
    assert run_here("fold", source, "-q", "-o", document)[0] == 0
    assert run_here("render", document, "-q", *options, "-o", page)[0] == 0
    return document, page


RECORDINGS = ["node_interpreted_frames.txt", "node_basic_prof.txt", "node_without_map.txt", "node_demo.txt.gz"]
# What is pressed in the page, and what the command line is told.
CHOICES = {
    "v8": ["--hide", "v8"],
    "kernel": ["--hide", "kernel"],
    "libc": ["--hide", "libc"],
    "cpp": ["--hide", "cpp"],
    "app": ["--hide", "app"],
    "Merge tiers": ["--v8-tiers", "merge"],
    "Collapse interpreter": ["--collapse-interpreter"],
    "Filter 0x": ["--filter", "0x"],
}


@pytest.mark.parametrize("recording", RECORDINGS)
def test_page_shows_what_fold_prints(browser: Chromium, tmp_path: Path, recording: str) -> None:
    document, path = document_and_page(FIXTURES / "perf_script" / recording, tmp_path)
    page = Shown(browser, path).open()
    offered = page["[...document.querySelectorAll('#legend button, #switches button')].map((b) => b.textContent)"]
    plain = folded(document)
    assert page.stacks() == plain
    options: list[str] = []
    for choice, option in CHOICES.items():
        if not any(text.split(" ")[0] == choice.split(" ")[0] for text in offered):
            continue
        page.press_choice(choice)
        assert page.stacks() == folded(document, *option), choice
        page.press_choice(choice)
        assert page.stacks() == plain, choice
        options += option
    for choice, option in CHOICES.items():
        if option[-1] in options:
            page.press_choice(choice)
    assert page.stacks() == folded(document, *options) != plain
    assert list(page.stacks()) == list(folded(document, *options))
    page.press("show-all")
    assert page.stacks() == plain
    page.assert_quiet()


@pytest.mark.parametrize(
    "options",
    [
        ["--hide", "kernel", "--hide", "v8"],
        ["--only", "app", "--only", "core", "--v8-tiers", "merge"],
        ["--v8-tiers", "strip", "--collapse-interpreter"],
        ["--filter", "0x"],
        ["--filter", "builtins", "--filter", "libc-start", "--hide", "cpp"],
    ],
    ids=" ".join,
)
def test_page_opens_with_the_view_that_was_asked_for(browser: Chromium, tmp_path: Path, options: list[str]) -> None:
    document, path = document_and_page(FIXTURES / "perf_script" / "node_interpreted_frames.txt", tmp_path, *options)
    page = Shown(browser, path).open()
    assert page.stacks() == folded(document, *options) != folded(document)
    assert "view=" not in page["location.hash"]
    page.press("show-all")
    assert page.stacks() == folded(document)
    address = browser.wait_for("location.hash.includes('view=') && location.hash")
    assert page.open(address).stacks() == folded(document)
    page.assert_quiet()


def random_recording(chance: random.Random) -> str:
    """A ``perf script`` text whose frames often share a name and not what they are."""
    symbols = [
        "[unknown]", "read", "main", "JS:~fib /app/a.js:1:2", "JS:^fib /app/a.js:1:2", "JS:*fib /app/a.js:1:2",
        "JS:*'fib /app/a.js:1:2", "JS:~get node_modules/b.js:3:4", "JS:*emit node:events:1:1", "Eval:~ :1:1",
        "Builtins_LdarHandler", "Builtins_InterpreterEntryTrampoline", "Builtins_ArrayMap", "Builtins_LoadIC",
        "v8::internal::Heap::Scavenge", "uv_run", "RegExp:a+;b", "JS:~\u00e9t\u00e9 /app/\U0001f525.js:1:1",
    ]  # fmt: skip
    modules = {
        "/usr/bin/node": 0x7F2000, "/tmp/perf-1.map": 0x3E0000, "[kernel.kallsyms]": 0xFFFFFFFF81000000,
        "/lib/libc.so.6": 0x7F0000001000, "[unknown]": 0x7F0000000000,
    }  # fmt: skip
    samples = []
    for _ in range(400):
        frames = [
            f"\t{address:16x} {chance.choice(symbols)}+0x1 ({module})"
            for module, address in chance.choices([*modules.items()], k=chance.randint(1, 7))
        ]
        samples.append(f"node 1 1.000000: {chance.randint(1, 9)} cycles:\n" + "\n".join(frames) + "\n\n")
    return "".join(samples)


@pytest.mark.parametrize("seed", [1, 2])
def test_any_stacks_and_any_view_agree_with_fold(browser: Chromium, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    source = tmp_path / "random.txt"
    source.write_text(random_recording(chance))
    document, path = document_and_page(source, tmp_path, "--filter", "ics", "--filter", "unknown")
    page = Shown(browser, path).open()
    classes = page["page.whole.frames.classes.reduce((all, own) => all.add(own), new Set()).size"]
    assert classes > 9
    names = [
        "app",
        "deps",
        "core",
        "eval",
        "v8",
        "interpreter",
        "libuv",
        "libc",
        "cpp",
        "kernel",
        "regexp",
        "unresolved",
    ]
    switches = {
        "merge-tiers": ["--v8-tiers", "merge"], "collapse-interpreter": ["--collapse-interpreter"],
        "ics": ["--filter", "ics"], "unknown": ["--filter", "unknown"], "0x": ["--filter", "0x"],
    }  # fmt: skip
    for _ in range(12):
        view = [name for name in names if chance.random() < 0.3] + [name for name in switches if chance.random() < 0.5]
        options = [part for name in view for part in switches.get(name, ["--hide", name])]
        page[f"page.setView(new Set({json.dumps(view)}))"]
        shown = {stack.replace("a+;b", "a+:b"): weight for stack, weight in page.stacks().items()}
        assert shown == folded(document, *(options or ["--show-all"])), view
        assert page["page.tree.total(0) === page.whole.total(0)"]


# app holds 100: parse 80, of which its own 10; the interpreter works in it, and the kernel for it.
TRAITS = {
    b"JS:~parse /app/a.js:1:1": (APP, INTERPRETED, 0),
    b"JS:*parse /app/a.js:1:1": (APP, OPTIMISED, 0),
    b"JS:*next /app/node_modules/b.js:2:2": (DEPS, OPTIMISED | 16, 0),
    b"Builtins_LdarHandler": (INTERPRETER, 0, 0),
    b"Builtins_ArrayMap": (V8, 0, 4),
    b"read": (KERNEL_CLASS, 0, 0),
}
# The words of the page's switches, and whether they are on.
SWITCHES = "[...document.querySelectorAll('#switches button')].map((own) => [own.textContent, own.ariaPressed])"
STACKS = {
    "app;JS:~parse /app/a.js:1:1": 10,
    "app;JS:~parse /app/a.js:1:1;Builtins_LdarHandler": 20,
    "app;JS:~parse /app/a.js:1:1;Builtins_ArrayMap;JS:*next /app/node_modules/b.js:2:2": 5,
    "app;JS:~parse /app/a.js:1:1;Builtins_ArrayMap;read": 15,
    "app;JS:~parse /app/a.js:1:1;read": 25,
    "app;JS:*parse /app/a.js:1:1": 25,
}


def small_tree(**more: Any) -> StackTree:
    stacks = {tuple(stack.encode().split(b";")): weight for stack, weight in STACKS.items()}
    return StackTree(stacks, kinds={b"app": PROCESS, b"read": KERNEL}, traits=TRAITS, **more)


def test_hiding_a_class_gives_its_weight_to_its_callers(show: Show) -> None:
    page = show(small_tree())
    assert page.stacks() == STACKS
    assert page.legend() == {
        "app 35.00%": True, "deps 5.00%": True, "v8": True, "interpreter 20.00%": True, "kernel 40.00%": True,
    }  # fmt: skip
    page.press_choice("v8")
    parse = "app;JS:~parse /app/a.js:1:1"
    assert page.stacks() == {
        parse: 10, f"{parse};Builtins_LdarHandler": 20, f"{parse};JS:*next /app/node_modules/b.js:2:2": 5,
        f"{parse};read": 40, "app;JS:*parse /app/a.js:1:1": 25,
    }  # fmt: skip
    assert page.text("summary") == "100 samples of cycles in 6 of 8 frames"
    assert page.text("spoken") == page.text("summary")
    page.press_choice("kernel")
    assert page.legend() == {
        "app 75.00%": True, "deps 5.00%": True, "v8": False, "interpreter 20.00%": True, "kernel": False,
    }  # fmt: skip
    assert page["document.getElementById('show-all').disabled"] is False
    page.press("show-all")
    assert page.stacks() == STACKS
    assert page["document.getElementById('show-all').disabled"] is True


def test_frames_of_one_name_are_one_until_one_of_them_is_hidden(browser: Chromium, tmp_path: Path) -> None:
    source = tmp_path / "twins.txt"
    source.write_text(
        "a 1 1.000000: 2 cycles:\n\tffff1 read+0x1 (/lib/libc.so.6)\n\t4000 main+0x1 (/bin/a)\n\n"
        "a 1 2.000000: 3 cycles:\n\tffffffff81000000 read+0x1 ([kernel.kallsyms])\n\t4000 main+0x1 (/bin/a)\n\n"
    )
    page = Shown(browser, document_and_page(source, tmp_path)[1]).open()
    assert [page["page.tree.size"], page["page.whole.size"]] == [4, 5]
    assert page.stacks() == {"a;main;read": 5}
    page.press_choice("kernel")
    assert page.stacks() == {"a;main": 3, "a;main;read": 2}


def test_tiers_and_interpreter_are_switches(show: Show) -> None:
    page = show(small_tree())
    assert page[SWITCHES] == [["Merge tiers", "false"], ["Collapse interpreter", "false"], ["Filter 0x", "false"]]
    page.press_choice("Merge tiers")
    page.press_choice("Collapse")
    parse = "app;JS:parse /app/a.js:1:1"
    assert page.stacks() == {
        parse: 55, f"{parse};Builtins_ArrayMap;JS:next /app/node_modules/b.js:2:2": 5,
        f"{parse};Builtins_ArrayMap;read": 15, f"{parse};read": 25,
    }  # fmt: skip
    assert page[SWITCHES] == [["Merge tiers", "true"], ["Collapse interpreter", "true"], ["Filter 0x", "false"]]
    plain = show(StackTree({(b"main", b"read"): 1}))
    assert plain[SWITCHES] == []


def test_filters_are_switches_where_they_take_out_a_frame(show: Show) -> None:
    traits = {b"ic": (V8, 0, 16), b"hook": (APP, 0, 64), b"stub": (V8, 0, 8)}
    tree = StackTree({(b"main", b"ic"): 1, (b"main", b"hook"): 2, (b"main", b"stub"): 4}, traits=traits)
    page = show(tree)
    assert page[SWITCHES] == [["Filter preload", "false"], ["Filter 0x", "false"]]
    titles = page["[...document.querySelectorAll('#switches button')].map((button) => button.title)"]
    assert titles == ["", "libc-start, v8-internals, builtins, stubs, ics, unknown"]
    page.press_choice("Filter 0x")
    assert page.stacks() == {"main": 5, "main;hook": 2}
    page.press_choice("Filter preload")
    assert page.stacks() == {"main": 7}
    assert page["location.hash"] == "#view=0x%2Cpreload"
    part = show(tree, "#view=ics,nothing")
    assert part[SWITCHES] == [["Filter ics", "true"], ["Filter preload", "false"], ["Filter 0x", "false"]]
    assert part.stacks() == {"main": 1, "main;hook": 2, "main;stub": 4}
    without_stub = show(StackTree({(b"main",): 1, (b"main", b"hook"): 2}, traits=traits))
    assert without_stub[SWITCHES] == [["Filter preload", "false"]]


def test_tiers_joined_leave_callees_in_the_order_of_their_bytes(show: Show) -> None:
    names = [f"JS:{name} /app/a.js:1:1" for name in ("a", "\ud7ff", "\ue000", "\uff21", "\U00010000", "\U0001f525")]
    stacks = {(b"main", name.replace("JS:", f"JS:{tier}").encode()): 1 for name in names for tier in "~*"}
    traits = {stack[1]: (APP, INTERPRETED if stack[1][3:4] == b"~" else OPTIMISED, 0) for stack in stacks}
    page = show(StackTree(stacks, traits=traits))
    page.press_choice("Merge tiers")
    assert list(page.stacks().items()) == [(f"main;{name}", 2) for name in names]


def test_words_say_class_and_tier(show: Show) -> None:
    page = show(small_tree())
    words = {
        "JS:~parse /app/a.js:1:1": "app · interpreted (Ignition)",
        "JS:*next /app/node_modules/b.js:2:2": "deps · optimised (TurboFan), entered in a loop",
        "read": "kernel",
        "app": "process",
    }
    for name, said in words.items():
        page.browser.move(*page.point(name))
        assert page.text("tooltip").startswith(f"{name}{said}Total")
        assert page.text("details").startswith(f"{name}{said}")
    page.browser.move(5, 5)
    page.press_choice("Merge tiers")
    page.browser.move(*page.point("JS:parse /app/a.js:1:1"))
    assert page.text("tooltip").startswith("JS:parse /app/a.js:1:1appTotal")
    wasm = show(StackTree({(b"f",): 1, (b"g",): 1}, traits={b"f": (7, 2, 0), b"g": (1, 3 | 32, 0)}))
    assert wasm["[1, 2].map((node) => page.words(node))"] == [
        "wasm · baseline (Liftoff)", "app · mid-tier (Maglev), for one context",
    ]  # fmt: skip


def test_zoom_selection_and_search_stay_or_go_to_the_caller(show: Show) -> None:
    page = show(small_tree())
    assert page.search("read") == "Matched 40.00% of all, 2 frames"
    page.click("Builtins_ArrayMap")
    page.press_choice("kernel")
    assert (page.zoomed, page.selected) == ("Builtins_ArrayMap", "Builtins_ArrayMap")
    assert page.text("matched") == "Matched 0.00% of the zoomed frame, 0 frames"
    page.press_choice("v8")
    assert page.zoomed == page.selected == "JS:~parse /app/a.js:1:1"
    page.press("show-all")
    assert page.zoomed == "JS:~parse /app/a.js:1:1"
    assert page.text("matched") == "Matched 53.33% of the zoomed frame, 2 frames"
    assert page["page.canvas.rectOf(page.zoom).width"] == page["page.canvas.width"]


def test_a_click_on_a_choice_is_in_the_address_at_once(show: Show) -> None:
    page = show(small_tree())
    page.press_choice("v8")
    assert page["location.hash"] == "#view=v8"
    page.press_choice("Merge tiers")
    address, shown = page["location.hash"], page.stacks()
    assert address == "#view=merge-tiers%2Cv8"
    again = Shown(page.browser, page.path).open(address)
    assert (again.stacks(), again.legend()["v8"]) == (shown, False)
    assert again[SWITCHES][0] == ["Merge tiers", "true"]
    again.press("show-all")
    assert (again["location.hash"], again.stacks()) == ("", STACKS)
    again["history.back()"]
    again.browser.wait_for("flameparse.page.view.size === 2")
    assert again.stacks() == shown


def test_address_keeps_the_view(show: Show) -> None:
    page = show(small_tree())
    page.press_choice("v8")
    page.press_choice("Merge tiers")
    page.click("read")
    address = page.browser.wait_for("location.hash.includes('zoom') && location.hash")
    assert address.endswith("&view=merge-tiers%2Cv8")
    shown = page.stacks()
    again = page.open(address)
    assert (again.stacks(), again.zoomed, again.selected) == (shown, "read", "read")
    page.browser.key("a")
    assert again.stacks() == STACKS
    page.browser.wait_for("!location.hash.includes('view')")
    page["history.back()"]
    page.browser.wait_for("flameparse.page.view.size === 2")
    assert page.stacks() == shown


def test_root_at_the_bottom_stays_in_view_as_the_room_changes(show: Show) -> None:
    page = show(StackTree({tuple(b"f%d" % depth for depth in range(90)): 1}))
    below = "page.graph.scrollHeight - page.graph.clientHeight - page.graph.scrollTop"
    assert (page["page.graph.scrollTop > 0"], page[below]) == (True, 0)
    for height, resized in ((500, "< 450"), (700, "> 450")):
        page.browser.resize(1200, height)
        page.browser.wait_for(f"flameparse.page.canvas.height {resized}")
        assert page[below] == 0
    top = page["page.graph.scrollTop -= 300"]
    page.browser.wait_for(f"flameparse.page.canvas.scrollTop === {top}")
    page.browser.resize(1200, 600)
    page.browser.wait_for("flameparse.page.canvas.height < 550")
    assert page["page.graph.scrollTop"] == top
    page.browser.resize(1200, 700)


@pytest.mark.parametrize("fragment", ["#view=process,all", "#view=<b>,,nothing", "#view=__proto__&zoom=4"])
def test_a_wrong_view_in_the_address_hides_nothing(show: Show, fragment: str) -> None:
    assert show(small_tree(), fragment).stacks() == STACKS


def test_choices_work_from_the_keyboard(show: Show) -> None:
    page = show(small_tree())
    page["[...document.querySelectorAll('#legend button')].at(-1).focus()"]
    focused = "[document.activeElement.textContent, document.activeElement.getAttribute('aria-pressed')]"
    assert page[focused] == ["kernel 40.00%", "true"]
    page.browser.key("Enter")
    assert page[focused] == ["kernel", "false"]
    page.browser.key("Enter")
    assert page[focused] == ["kernel 40.00%", "true"]
    assert page["document.getElementById('legend').getAttribute('aria-label').length > 0"]


def test_hiding_everything_leaves_the_process(show: Show) -> None:
    page = show(small_tree())
    page["page.setView(new Set(['app', 'deps', 'v8', 'interpreter', 'kernel']))"]
    assert page.stacks() == {"app": 100}
    bare = show(StackTree({(b"a",): 3, (b"b", b"c"): 4}))
    bare["page.setView(new Set(['none']))"]
    assert (bare.stacks(), bare["page.tree.size"], bare.text("summary")) == (
        {}, 1, "7 samples of cycles in 0 of 3 frames",
    )  # fmt: skip


def test_weights_past_what_doubles_hold_stay_exact(show: Show) -> None:
    big = (1 << 53) + 1
    page = show(StackTree({(b"a", b"k"): big, (b"a",): 2, (b"a", b"v", b"k"): 2}, traits={b"v": (V8, 0, 0)}))
    page["page.setView(new Set(['v8']))"]
    page.browser.move(*page.point("k"))
    assert f"Total{big + 2:,} samples" in page.text("tooltip")
    assert page.text("summary").startswith(f"{big + 4:,} samples")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_read_on_every_class(show: Show, scheme: str) -> None:
    page = show(small_tree())
    page.browser.media(prefers_color_scheme=scheme)
    page.browser.wait_for(f"flameparse.page.theme === '{scheme}'")
    text, *fills = page["(() => { const {text, fills} = page.colours; return [text, ...fills.slice(0, 192)]; })()"]

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        linear = [part / 3294.6 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for fill in fills:
        darker, lighter = sorted((luminance(text), luminance(fill)))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, fill


def test_three_hundred_thousand_frames_are_regrouped_at_once(show: Show) -> None:
    """Ten times what it takes on a quiet machine of two cores, so that only a wrong order of growth fails."""
    page = show(grown(300_000, function_count=10_000))
    page["page.setView(new Set(['kernel', 'merge-tiers']))"]
    assert page["page.tree.size"] < page["page.whole.size"] == 300_001
    assert page["page.viewMs"] < 1500
