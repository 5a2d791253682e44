"""Which colour a frame gets: palettes by name, by the tool that annotated it, or by what the frame is.

Every palette is a range of hues in OKLCH, so shades of one palette look equally light and dark text reads on all of
them. Colours are plain sRGB in the end, because pictures are also shown by programs that know no newer form.
"""

from __future__ import annotations

from flameparse.document.document import FrameClass, FrameKind
from flameparse.errors import UsageError

Rgb = tuple[int, int, int]

# Hues in degrees (from, to), chroma, lightness (from, to).
_RANGES: dict[str, tuple[int, int, float, float, float]] = {
    "hot": (30, 86, 0.125, 0.76, 0.88),
    "mem": (135, 165, 0.12, 0.76, 0.86),
    "io": (240, 270, 0.09, 0.76, 0.85),
    "wakeup": (185, 210, 0.08, 0.78, 0.87),
    "red": (18, 32, 0.12, 0.75, 0.82),
    "green": (138, 156, 0.12, 0.78, 0.86),
    "blue": (240, 262, 0.09, 0.76, 0.84),
    "aqua": (188, 208, 0.08, 0.80, 0.88),
    "yellow": (92, 106, 0.12, 0.86, 0.92),
    "purple": (300, 320, 0.09, 0.76, 0.84),
    "orange": (52, 68, 0.12, 0.78, 0.85),
    "grey": (250, 250, 0.006, 0.82, 0.90),
    # The groups of the "kind" palette.
    "app": (134, 150, 0.115, 0.80, 0.87),
    "deps": (186, 198, 0.085, 0.83, 0.89),
    "core": (226, 242, 0.075, 0.82, 0.88),
    "js": (344, 360, 0.085, 0.82, 0.88),
    "v8": (312, 328, 0.085, 0.81, 0.87),
    "language": (160, 174, 0.09, 0.82, 0.88),
    "inlined": (98, 110, 0.10, 0.88, 0.92),
    "native": (48, 76, 0.105, 0.82, 0.88),
    "library": (22, 36, 0.075, 0.82, 0.87),
    "kernel": (272, 294, 0.08, 0.79, 0.85),
    "unresolved": (250, 250, 0.006, 0.80, 0.85),
    "process": (250, 250, 0.012, 0.86, 0.86),
}

# The groups of classes that share hues, in the order of the legend: label and classes.
CLASS_GROUPS = {
    "app": ("application", ("app",)),
    "deps": ("node_modules", ("deps",)),
    "core": ("Node core", ("core", "init")),
    "js": ("other JavaScript", ("native", "eval", "regexp", "wasm")),
    "v8": ("V8", ("v8", "interpreter")),
    "language": ("JVM, Go, Rust, Python", ("jvm", "go", "rust", "python")),
    "inlined": ("inlined", ("inlined",)),
    "native": ("native", ("cpp", "none")),
    "library": ("libraries", ("libc", "libuv", "openssl")),
    "kernel": ("kernel", ("kernel",)),
    "unresolved": ("unresolved", ("unresolved",)),
}

# In pictures the label of a process is of a class of its own, and a frame that nobody has classified of the one that
# its kind stands for: user, kernel, JIT, inlined, process.
PROCESS_CLASS = FrameClass.COUNT
CLASS_OF_KIND = bytes((0, *map(FrameClass.NAMES.index, ("kernel", "app", "inlined")), PROCESS_CLASS))
_GROUP_OF_CLASS = {
    FrameClass.NAMES.index(name): group for group, (_, names) in CLASS_GROUPS.items() for name in names
} | {PROCESS_CLASS: "process"}

SEMANTIC_PALETTES = ("kind", "java", "js", "perl", "python", "rust", "chain")
PLAIN_PALETTES = ("hot", "mem", "io", "wakeup", "red", "green", "blue", "aqua", "yellow", "purple", "orange")
PALETTES = ("auto", *SEMANTIC_PALETTES, *PLAIN_PALETTES)
COLORINGS = ("name", "hash", "random", "width")

# The background of a palette, top and bottom.
BACKGROUNDS = {
    "yellow": ("#fffdf6", "#fbf1dc"),
    "blue": ("#f8faff", "#e6edfa"),
    "green": ("#f8fdf8", "#e6f4e7"),
    "grey": ("#fcfcfd", "#eff1f4"),
}
_BACKGROUND_OF = {"mem": "green", "io": "blue", "wakeup": "blue", "chain": "blue", "kind": "grey", "green": "green"}
_BACKGROUND_OF |= {"blue": "blue", "aqua": "blue", "purple": "grey"}

_KERNEL, _JIT, _INLINED = FrameKind.KERNEL, FrameKind.JIT, FrameKind.INLINED


def frame_group(frame_class: int, kind: int) -> str:
    """Say whose hues a frame has in the "kind" palette: a key of `CLASS_GROUPS`, or "process"."""
    return _GROUP_OF_CLASS[frame_class or CLASS_OF_KIND[kind]]


def _java(name: bytes, kind: int) -> str:
    if kind == _KERNEL or name.endswith(b"_[k]"):
        return "orange"
    if kind == _INLINED or name.endswith(b"_[i]"):
        return "aqua"
    if kind == _JIT or name.endswith(b"_[j]") or name.lstrip(b"L").startswith(_JAVA_PACKAGES):
        return "green"
    return "yellow" if b"::" in name else "red"


_JAVA_PACKAGES = tuple(
    package + separator
    for package in (b"java", b"javax", b"jdk", b"sun", b"com", b"org", b"net", b"io", b"scala", b"kotlin", b"akka")
    for separator in (b"/", b".")
)


def _js(name: bytes, kind: int) -> str:
    if kind == _KERNEL or name.endswith(b"_[k]"):
        return "orange"
    if b"node_modules/" in name:
        return "purple"
    if kind == _JIT or name.endswith((b"_[j]", b"_[i]")):
        return "green" if b"/" in name else "aqua"
    if b"::" in name:
        return "yellow"
    if any(suffix in name for suffix in (b".js", b".mjs", b".cjs")):
        return "green"
    return "aqua" if b":" in name else "red"


def _perl(name: bytes, kind: int) -> str:
    if kind == _KERNEL or name.endswith(b"_[k]"):
        return "orange"
    if b"Perl" in name or b".pl" in name:
        return "green"
    return "yellow" if b"::" in name else "red"


def _python(name: bytes, kind: int) -> str:
    if kind == _KERNEL or name.endswith(b"_[k]"):
        return "orange"
    if b"site-packages" in name or b"dist-packages" in name:
        return "aqua"
    if b"<frozen" in name or b"<built-in" in name or b"/lib/python" in name:
        return "yellow"
    return "green" if b".py" in name or name.startswith(b"py::") else "red"


def _rust(name: bytes, kind: int) -> str:
    if kind == _KERNEL or name.endswith(b"_[k]"):
        return "orange"
    if name.lstrip(b"<").startswith((b"core::", b"std::", b"alloc::")):
        return "aqua"
    return "green" if b"::" in name else "red"


def _chain(name: bytes, _kind: int) -> str:
    return "aqua" if name.endswith(b"_[w]") else "blue"


_BY_NAME = {"java": _java, "js": _js, "perl": _perl, "python": _python, "rust": _rust, "chain": _chain}


def background(palette: str) -> tuple[str, str]:
    """Give the top and bottom colour of the background that goes with a palette."""
    return BACKGROUNDS[_BACKGROUND_OF.get(palette, "yellow")]


def colour_in(range_name: str, hue: float, chroma: float, lightness: float) -> Rgb:
    """Give one colour of a palette's range from three numbers between 0 and 1."""
    hue_from, hue_to, base_chroma, light_from, light_to = _RANGES[range_name]
    return _oklch_to_rgb(
        light_from + (light_to - light_from) * lightness,
        base_chroma * (0.9 + 0.2 * chroma),
        hue_from + (hue_to - hue_from) * hue,
    )


def _oklch_to_rgb(lightness: float, chroma: float, hue: float) -> Rgb:
    """Convert OKLCH to 8-bit sRGB, clipping what sRGB cannot show.

    Source: the Oklab definition, CSS Color Module Level 4, section 10.
    """
    from math import cos, radians, sin

    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _gamma_byte(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _gamma_byte(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _gamma_byte(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _gamma_byte(linear: float) -> int:
    encoded = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * min(1.0, max(0.0, encoded)))


class Colours:
    """Chooses the colour of each frame of one picture.

    Args:
        palette: one of `PALETTES` but "auto".
        coloring: how a shade is chosen within the palette: "name" by a hash of the name, the same in every picture;
            "hash" so that names with equal beginnings look alike; "random" another one at every frame, the same at
            every run; "width" paler the narrower the frame.
        palette_map: colours already fixed, by shown name; a name not in it is added with the colour it gets.
    """

    def __init__(self, palette: str, coloring: str = "name", palette_map: dict[str, Rgb] | None = None) -> None:
        import random

        self._palette = palette
        self._range_by_name = _BY_NAME.get(palette)
        self._coloring = coloring
        self._random = random.Random(0)
        self._map = palette_map
        self._known: dict[tuple[bytes, int, int], Rgb] = {}

    def colour(self, name: bytes, kind: int, frame_class: int, shown: str, share: float) -> Rgb:
        """Choose a colour.

        Args:
            name: the frame's bytes; they decide the shade.
            kind, frame_class: its FrameKind and FrameClass.
            shown: its text in the picture, the key of a palette map.
            share: its width as a part of the whole picture, 0 to 1.
        """
        if name in (b"-", b"--"):
            return colour_in("grey", 0.5, 0.5, 0.5)
        if self._map is not None and shown in self._map:
            return self._map[shown]
        if self._coloring in ("name", "hash"):
            rgb = self._known.get((name, kind, frame_class))
            if rgb is None:
                rgb = self._known[(name, kind, frame_class)] = self._choose(name, kind, frame_class, share)
        else:
            rgb = self._choose(name, kind, frame_class, share)
        if self._map is not None:
            self._map[shown] = rgb
        return rgb

    def range_of(self, name: bytes, kind: int, frame_class: int) -> str:
        """Name the hue range a frame falls in: its group in the "kind" palette, the palette itself in a plain one."""
        if self._palette == "kind":
            return frame_group(frame_class, kind)
        return self._range_by_name(name, kind) if self._range_by_name else self._palette

    def _choose(self, name: bytes, kind: int, frame_class: int, share: float) -> Rgb:
        range_name = self.range_of(name, kind, frame_class)
        if self._coloring == "random":
            return colour_in(range_name, self._random.random(), self._random.random(), self._random.random())
        if self._coloring == "width":
            strength = share**0.5
            hue_from, hue_to, chroma, light_from, _ = _RANGES[range_name]
            return _oklch_to_rgb(0.97 - (0.97 - light_from) * strength, chroma * strength, (hue_from + hue_to) / 2)
        if self._coloring == "hash":
            beginning = sum(byte * 0.5**place for place, byte in enumerate(name[:12])) / 512
            ending = sum(byte * 0.5**place for place, byte in enumerate(name[:-13:-1])) / 512
            return colour_in(range_name, beginning, ending, beginning)
        from zlib import crc32

        digest = crc32(name)
        return colour_in(range_name, (digest & 255) / 255, (digest >> 8 & 255) / 255, (digest >> 16 & 255) / 255)


def parse_palette_map(data: bytes) -> dict[str, Rgb]:
    """Read a palette map, the file that keeps a name's colour the same from picture to picture.

    Three real lines:
        main->rgb(213,75,31)
        operator->->rgb(230,150,20)
        a->b->rgb(250,198,77)

    The name ends at the last ``->``, so names may hold that too.

    Raises:
        UsageError: a line is something else; the message has its number.
    """
    import re

    colours: dict[str, Rgb] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if not line.strip():
            continue
        name, arrow, value = line.rpartition("->")
        match = re.fullmatch(r"rgb\((\d{1,3}), *(\d{1,3}), *(\d{1,3})\)", value.strip())
        if not arrow or match is None or any(int(part) > 255 for part in match.groups()):
            raise UsageError(f"palette map, line {number}: wanted name->rgb(r,g,b)")
        red, green, blue = map(int, match.groups())
        colours[name] = (red, green, blue)
    return colours


def palette_map_bytes(colours: dict[str, Rgb]) -> bytes:
    """Write a palette map, sorted by name, as `parse_palette_map` reads it."""
    lines = (f"{name}->rgb({red},{green},{blue})\n" for name, (red, green, blue) in sorted(colours.items()))
    return "".join(lines).encode()
