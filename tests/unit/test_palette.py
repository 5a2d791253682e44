from __future__ import annotations

import itertools

import pytest

from flameparse.document.document import FrameClass
from flameparse.errors import UsageError
from flameparse.render.palette import (
    BACKGROUNDS,
    CLASS_GROUPS,
    COLORINGS,
    PALETTES,
    PLAIN_PALETTES,
    Colours,
    background,
    colour_in,
    frame_group,
    palette_map_bytes,
    parse_palette_map,
)

USER, KERNEL, JIT, INLINED, PROCESS = range(5)
TEXT = (0x1C, 0x1E, 0x22)


def luminance(rgb: tuple[int, int, int]) -> float:
    linear = [part / 3294.6 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", [*PLAIN_PALETTES, *CLASS_GROUPS, "process", "grey"])
def test_dark_text_reads_on_every_shade(name: str) -> None:
    for point in itertools.product((0, 0.5, 1), repeat=3):
        contrast = (luminance(colour_in(name, *point)) + 0.05) / (luminance(TEXT) + 0.05)
        assert contrast >= 7, point


def test_colour_conversion_agrees_with_css() -> None:
    # oklch(0.76 0.1125 30) and oklch(0.88 0.1375 86) as Chromium 156 paints them
    assert colour_in("hot", 0, 0, 0) == (240, 149, 134)
    assert colour_in("hot", 1, 1, 1) == (255, 209, 99)


def test_a_name_keeps_its_colour_and_names_differ() -> None:
    first, second = Colours("hot"), Colours("hot")
    names = [b"main", b"malloc", b"free", b"read", b"write"]
    assert [first.colour(name, USER, 0, "", 1) for name in names] == [
        second.colour(name, USER, 0, "", 0.5) for name in reversed(names)
    ][::-1]
    assert len({first.colour(name, USER, 0, "", 1) for name in names}) == 5


def test_random_changes_per_frame_and_repeats_per_run() -> None:
    runs = []
    for _ in range(2):
        colours = Colours("red", "random")
        runs.append([colours.colour(b"f", USER, 0, "f", 1) for _ in range(4)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) > 1


def test_hash_gives_equal_beginnings_like_colours() -> None:
    colours = Colours("hot", "hash")

    def distance(left: bytes, right: bytes) -> int:
        pairs = zip(colours.colour(left, USER, 0, "", 1), colours.colour(right, USER, 0, "", 1), strict=True)
        return sum(abs(a - b) for a, b in pairs)

    alike = distance(b"java/util/ArrayList.add", b"java/util/ArrayDeque.add")
    assert alike < distance(b"zlib_inflate", b"Alpha_inflate")


def test_width_makes_wide_frames_stronger() -> None:
    colours = Colours("red", "width")
    wide, narrow = colours.colour(b"f", USER, 0, "f", 1.0), colours.colour(b"f", USER, 0, "f", 0.01)
    assert luminance(wide) < luminance(narrow)


@pytest.mark.parametrize("coloring", COLORINGS)
@pytest.mark.parametrize("name", [b"-", b"--"])
def test_separator_frames_are_grey(coloring: str, name: bytes) -> None:
    red, green, blue = Colours("hot", coloring).colour(name, USER, 0, name.decode(), 0.5)
    assert max(red, green, blue) - min(red, green, blue) <= 8


@pytest.mark.parametrize(
    ("classes", "group"),
    [
        ("app", "app"), ("deps", "deps"), ("core init", "core"), ("native eval regexp wasm", "js"),
        ("v8 interpreter", "v8"), ("jvm go rust python", "language"), ("inlined", "inlined"), ("cpp none", "native"),
        ("libc libuv openssl", "library"), ("kernel", "kernel"), ("unresolved", "unresolved"),
    ],
)  # fmt: skip
def test_classes_share_the_hues_of_their_group(classes: str, group: str) -> None:
    for name in classes.split():
        assert frame_group(FrameClass.NAMES.index(name), USER) == group
        assert Colours("kind").range_of(b"any", USER, FrameClass.NAMES.index(name)) == group


def test_every_class_has_one_group() -> None:
    assert sorted(name for _, names in CLASS_GROUPS.values() for name in names) == sorted(FrameClass.NAMES)


def test_the_kind_decides_for_frames_without_class_only() -> None:
    groups = {USER: "native", KERNEL: "kernel", JIT: "app", INLINED: "inlined", PROCESS: "process"}
    assert {kind: frame_group(FrameClass.NONE, kind) for kind in groups} == groups
    assert {frame_group(FrameClass.NAMES.index("v8"), kind) for kind in (USER, KERNEL, JIT, INLINED)} == {"v8"}


def test_one_name_has_the_colour_of_each_of_its_classes() -> None:
    colours = Colours("kind")
    app, kernel = (FrameClass.NAMES.index(name) for name in ("app", "kernel"))
    assert colours.colour(b"read", USER, app, "read", 1) != colours.colour(b"read", USER, kernel, "read", 1)


@pytest.mark.parametrize(
    ("palette", "name", "kind", "expected"),
    [
        ("java", b"vfs_read_[k]", USER, "orange"),
        ("java", b"java/util/ArrayList.add", USER, "green"),
        ("java", b"Interpreter", JIT, "green"),
        ("java", b"java/lang/String.length_[i]", USER, "aqua"),
        ("java", b"JavaCalls::call_helper", USER, "yellow"),
        ("java", b"start_thread", USER, "red"),
        ("js", b"fib /app/cpu.js:1_[j]", USER, "green"),
        ("js", b"next /a/node_modules/b.js:1", JIT, "purple"),
        ("js", b"Builtin:ArrayMap_[j]", USER, "aqua"),
        ("js", b"v8::Function::Call", USER, "yellow"),
        ("js", b"uv_run", USER, "red"),
        ("perl", b"Perl_pp_entersub", USER, "green"),
        ("perl", b"do_read", KERNEL, "orange"),
        ("python", b"py::main:/srv/app.py", USER, "green"),
        ("python", b"f (/usr/lib/python3/site-packages/x.py)", USER, "aqua"),
        ("python", b"<frozen importlib._bootstrap>", USER, "yellow"),
        ("python", b"PyEval_EvalFrameDefault", USER, "red"),
        ("rust", b"<core::iter::Map as Iterator>::next", USER, "aqua"),
        ("rust", b"server::handle", USER, "green"),
        ("rust", b"memcpy", USER, "red"),
        ("chain", b"ep_poll_callback_[w]", USER, "aqua"),
        ("chain", b"schedule", USER, "blue"),
        ("mem", b"malloc", USER, "mem"),
    ],
)
def test_semantic_palettes(palette: str, name: bytes, kind: int, expected: str) -> None:
    assert Colours(palette).range_of(name, kind, FrameClass.NONE) == expected


@pytest.mark.parametrize("palette", [name for name in PALETTES if name != "auto"])
def test_every_palette_has_a_background_and_a_colour(palette: str) -> None:
    assert background(palette) in BACKGROUNDS.values()
    assert len(Colours(palette).colour(b"f", USER, 0, "f", 1)) == 3


def test_palette_map_survives_arrows_and_fixes_colours() -> None:
    data = b"a->b->rgb(1,2,3)\nmain->rgb(250,198,77)\noperator->->rgb(230, 150, 20)\n"
    colours = parse_palette_map(data)
    assert colours == {"a->b": (1, 2, 3), "main": (250, 198, 77), "operator->": (230, 150, 20)}
    assert palette_map_bytes(colours) == data.replace(b", ", b",")
    assert parse_palette_map(palette_map_bytes(colours)) == colours
    chooser = Colours("hot", palette_map=colours)
    assert chooser.colour(b"main", KERNEL, 0, "main", 1) == (250, 198, 77)
    added = chooser.colour(b"new", USER, 0, "new", 1)
    assert colours["new"] == added == Colours("hot").colour(b"new", USER, 0, "new", 1)


@pytest.mark.parametrize("line", ["main", "main->rgb(256,0,0)", "main->rgb(1,2)", "main->#fff", "main->rgb(-1,2,3)"])
def test_bad_palette_map_names_the_line(line: str) -> None:
    with pytest.raises(UsageError, match="line 3"):
        parse_palette_map(f"ok->rgb(1,2,3)\n\n{line}\n".encode())
