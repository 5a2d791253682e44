"""Everything one SVG can be asked for, checked once at the door."""

from __future__ import annotations

from flameparse.errors import UsageError
from flameparse.render.palette import BACKGROUNDS, COLORINGS, PALETTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from fractions import Fraction

    from flameparse.render.palette import Rgb

_LINK_TARGETS = ("_blank", "_self", "_top", "_parent")


class SvgOptions:
    """What one SVG shows and how; all keywords, all optional.

    Args:
        title: the heading; by default "Flame Graph", "Icicle Graph" when inverted, "Flame Chart" in time order.
        subtitle: a second, smaller line.
        notes: free text for the picture's ``<desc>``; not drawn.
        countname: the word after a number; by default the unit of the input.
        nametype: the word before a frame's name in the details bar.
        width: of the picture, in pixels.
        fluid: fill the width of the page (needs the script to lay out anew; without it the picture is scaled).
        height: of one row, in pixels.
        minwidth: the narrowest frame drawn: pixels, or a string such as "0.1%" of the whole. 0 draws all.
        fonttype: the font family.
        fontsize: in pixels.
        fontwidth: mean width of a character as a part of fontsize; by default measured ones of the default font.
        truncate: "right" or "left": which end of a name is cut when it does not fit.
        colors: a palette of `flameparse.render.palette.PALETTES`; "auto" is "kind", by class of frame, where the
            input tells kinds of frames apart or names JavaScript, and "hot" where not.
        coloring: one of `flameparse.render.palette.COLORINGS`.
        palette_map: shown name -> (r, g, b), for `--cp`; names not in it are added while drawing.
        bgcolors: "yellow", "blue", "green", "grey", or one colour as #rrggbb; by default it goes with the palette.
        uicolor: of headings and controls, #rrggbb.
        strokecolor: of the outline of frames, #rrggbb or "none".
        searchcolor: of frames that match a search, #rrggbb.
        inverted: grow downwards (icicle).
        reverse: merge from the leaf, callers above it.
        flamechart: left to right is time; only adjacent equal frames merge.
        base: frame names; only stacks with one of them are kept, from its outermost occurrence on.
        total: the weight that fills the width, if more than what the input has.
        factor: multiplies every number shown.
        nameattr: frame name -> its link attributes ("href", "target", "title"), see `parse_name_attributes`.
        script: embed the script for zoom and search; without it the picture is static, for documents.
        event: the event or events to show, as for `flameparse.document.tree.build_tree`.
        weight: "period" or "samples"; by default the period where the input has one.
        root: "none", "comm", "pid" or "tid"; by default the document's.

    Raises:
        UsageError: a value that cannot be, or two options that exclude each other.
    """

    __slots__ = (
        "base", "bgcolors", "coloring", "colors", "countname", "event", "factor", "flamechart", "fluid", "fontsize",
        "fonttype", "fontwidth", "height", "inverted", "minwidth", "nameattr", "nametype", "notes", "palette_map",
        "reverse", "root", "script", "searchcolor", "strokecolor", "subtitle", "title", "total", "truncate", "uicolor",
        "weight", "width",
    )  # fmt: skip

    def __init__(
        self,
        *,
        title: str | None = None,
        subtitle: str = "",
        notes: str = "",
        countname: str | None = None,
        nametype: str = "Function:",
        width: int = 1200,
        fluid: bool = False,
        height: int = 16,
        minwidth: float | str = 0.1,
        fonttype: str = "Verdana, 'DejaVu Sans', sans-serif",
        fontsize: float = 12,
        fontwidth: float | None = None,
        truncate: str = "right",
        colors: str = "auto",
        coloring: str = "name",
        palette_map: dict[str, Rgb] | None = None,
        bgcolors: str | None = None,
        uicolor: str = "#3a3f4a",
        strokecolor: str = "#ffffff",
        searchcolor: str = "#ff5ca8",
        inverted: bool = False,
        reverse: bool = False,
        flamechart: bool = False,
        base: Iterable[bytes] = (),
        total: int | None = None,
        factor: float = 1,
        nameattr: Mapping[bytes, Mapping[str, str]] | None = None,
        script: bool = True,
        event: bytes | Sequence[bytes] | None = None,
        weight: str | None = None,
        root: str | None = None,
    ) -> None:
        self.title = title or ("Flame Chart" if flamechart else "Icicle Graph" if inverted else "Flame Graph")
        self.subtitle = subtitle
        self.notes = notes
        self.countname = countname
        self.nametype = nametype
        _check_range("width", width, 100, 100_000)
        self.width = width
        self.fluid = fluid
        _check_range("height", height, 4, 1000)
        self.height = height
        self.minwidth = minwidth
        _minimum(minwidth)
        self.fonttype = fonttype
        _check_range("fontsize", fontsize, 1, 500)
        self.fontsize = fontsize
        if fontwidth is not None:
            _check_range("fontwidth", fontwidth, 0.01, 10)
        self.fontwidth = fontwidth
        self.truncate = _one_of("truncate", truncate, ("right", "left"))
        self.colors = _one_of("colors", colors, PALETTES)
        self.coloring = _one_of("coloring", coloring, COLORINGS)
        self.palette_map = palette_map
        self.bgcolors = bgcolors if bgcolors is None or bgcolors in BACKGROUNDS else _colour("bgcolors", bgcolors)
        self.uicolor = _colour("uicolor", uicolor)
        self.strokecolor = strokecolor if strokecolor == "none" else _colour("strokecolor", strokecolor)
        self.searchcolor = _colour("searchcolor", searchcolor)
        self.inverted = inverted
        self.reverse = reverse
        self.flamechart = flamechart
        self.base = frozenset(base)
        self.total = total
        self.factor = factor
        _ratio("factor", factor)
        self.nameattr = nameattr or {}
        self.script = script
        self.event = event
        self.weight = weight
        self.root = root
        if flamechart and (reverse or self.base):
            raise UsageError("a flame chart keeps the order of time: it takes neither reverse nor base")

    def minimum_weight(self, total: int, plot_width: int) -> int:
        """Give the least weight that is drawn when `total` is `plot_width` pixels wide; at least 1."""
        minimum, is_share = _minimum(self.minwidth)
        least = minimum * total / 100 if is_share else minimum * total / plot_width
        return max(1, -(-least.numerator // least.denominator))

    def scaled(self, weight: int) -> str:
        """Write a weight for people, times the factor: 1,234 or, where that is no whole number, 1,234.50."""
        if self.factor == 1:
            return f"{weight:,}"
        value = weight * _ratio("factor", self.factor)
        if value.denominator == 1:
            return f"{value.numerator:,}"
        hundredths = round(value * 100)
        return f"{hundredths // 100:,}.{hundredths % 100:02}"


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UsageError(f"{name} must be between {low} and {high}, not {value}")


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise UsageError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value


def _colour(name: str, value: str) -> str:
    import re

    if re.fullmatch(r"#[0-9a-fA-F]{6}", value) is None:
        raise UsageError(f"{name} must be a colour such as #1a2b3c, not {value!r}")
    return value


def _ratio(name: str, value: float | str) -> Fraction:
    from fractions import Fraction

    try:
        # A fraction of 1e99999999 has as many digits.
        if not abs(float(value)) < 1e15:
            raise UsageError(f"{name} must be a number below 1e15, not {value!r}")
        ratio = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{name} must be a number, not {value!r}") from None
    if ratio < 0:
        raise UsageError(f"{name} must not be negative, not {value!r}")
    return ratio


def _minimum(value: float | str) -> tuple[Fraction, bool]:
    text = str(value)
    return _ratio("minwidth", text.removesuffix("%")), text.endswith("%")


def parse_name_attributes(data: bytes) -> tuple[dict[bytes, dict[str, str]], list[str]]:
    """Read a file that gives functions links: a name, then ``attribute=value`` parts, all separated by tabs.

    Two real lines, with tabs shown as arrows:
        main→href=https://example.com/main.c→target=_blank
        b64decode→title=the decoder

    Only "href", "target" and "title" are taken, and only links that `flameparse.render.escape.safe_href` lets through:
    the other attributes of SVG can run code.

    Returns:
        The attributes by name, and one sentence for each part that was left out.
    """
    from flameparse.render.escape import safe_href

    attributes: dict[bytes, dict[str, str]] = {}
    refused: list[str] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        name, *parts = line.removesuffix(b"\r").split(b"\t")
        for part in parts:
            key, _, value = part.decode("utf-8", "replace").partition("=")
            value = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
            allowed = {"href": safe_href(value) is not None, "target": value in _LINK_TARGETS, "title": True}
            if allowed.get(key):
                attributes.setdefault(name, {})[key] = value
            elif part:
                refused.append(f"name attributes, line {number}: {key} left out")
    return attributes, refused
