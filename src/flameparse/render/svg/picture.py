"""Writes a laid-out call tree as one self-contained SVG, in chunks.

All text passes `flameparse.render.escape`; the only other things written are numbers, checked colours and the script.
"""

from __future__ import annotations

from flameparse.document.document import FrameClass, FrameKind
from flameparse.errors import UsageError
from flameparse.render.escape import display_str, display_text, safe_href, script_json, xml_attr, xml_text
from flameparse.render.palette import BACKGROUNDS, CLASS_GROUPS, Colours, background, colour_in, frame_group
from flameparse.render.svg.layout import Layout
from flameparse.render.svg.regroup import from_the_leaf, rooted_at
from flameparse.render.svg.text_fit import TextFit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flameparse.document.document import Document
    from flameparse.document.tree import Tree
    from flameparse.render.svg.options import SvgOptions
    from flameparse.render.svg.regroup import RegroupedTree

PAD = 10  # pixels left and right of the frames
_TEXT_PAD = 3  # pixels left and right of a frame's text
_OUTLINED = 3  # pixels from which a frame has an outline; it would hide narrower ones
_CHUNK_BYTES = 1 << 16
_LOW_COUNT = 100
_TOLD_APART = frozenset((FrameKind.KERNEL, FrameKind.JIT, FrameKind.INLINED))
_JAVASCRIPT = frozenset(map(FrameClass.NAMES.index, ("app", "deps", "core")))
_ANNOTATIONS = ("_[k]", "_[w]", "_[i]", "_[j]")

_STYLE = (
    ".fp text{white-space:pre}.fp-frames text{pointer-events:none}"
    ".fp-frames g:hover rect{stroke:#222;stroke-width:1}"
    ".fp-parent rect{fill-opacity:.45}.fp-parent text{fill-opacity:.6}"
    ".fp-button{cursor:pointer}.fp-button rect{fill:#fff;fill-opacity:.7;stroke:#000;stroke-opacity:.18}"
    ".fp-button:hover rect,.fp-button:focus rect{fill-opacity:1;stroke-opacity:.5}.fp-button:focus{outline:none}"
    ".fp-button[aria-pressed=true] rect{fill:#ffe9a8;fill-opacity:1}"
)


class SvgPicture:
    """One SVG, to be iterated once for its bytes; what was left out is known before the first of them.

    Attributes:
        drawn: frames in the picture, without the "all" frame.
        pruned: frames left out because they are too narrow; with `reverse`, the branches cut.
        warnings: sentences for the person who asked for the picture.
    """

    def __init__(self, tree: Tree, options: SvgOptions) -> None:
        self._options = options
        self._plot = options.width - 2 * PAD
        self._tree: Tree | RegroupedTree = rooted_at(tree, options.base) if options.base else tree
        self.warnings: list[str] = []
        self._weight = self._tree.total
        self._total = max(self._weight, options.total or 0)
        minimum = options.minimum_weight(self._total, self._plot)
        if options.reverse:
            self._tree = from_the_leaf(self._tree, minimum)
        self._layout = Layout(self._tree, minimum)
        self.drawn = len(self._layout.nodes)
        self.pruned = self._layout.pruned + getattr(self._tree, "cut", 0)
        if self._weight == 0:
            self.warnings.append("there are no samples")
        elif self._weight < _LOW_COUNT:
            self.warnings.append(f"low counts: {self._weight} in all; the picture may mislead")
        if options.total is not None and options.total < self._weight:
            self.warnings.append(f"total {options.total} is less than the input's {self._weight} and was ignored")
        self._palette = options.colors if options.colors != "auto" else "kind" if self._is_mixed() else "hot"
        self._colours = Colours(self._palette, options.coloring, options.palette_map)
        self._fit = TextFit(options.fontsize, options.fontwidth, keep_end=options.truncate == "left")
        self._countname = display_str(options.countname or self._unit())
        self._chunks = self._generate()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def _is_mixed(self) -> bool:
        """Whether the input tells kinds of frames apart, or names JavaScript, as folded text can too."""
        return not _TOLD_APART.isdisjoint(self._tree.kind) or not _JAVASCRIPT.isdisjoint(self._tree.frame_class)

    def _unit(self) -> str:
        unit = self._tree.unit
        if unit == "period":
            return display_text(self._tree.event) or "events"
        return {"nanoseconds": "ns"}.get(unit, unit)

    def _generate(self) -> Iterator[bytes]:
        buffer: list[str] = []
        size = 0
        for part in self._parts():
            buffer.append(part)
            size += len(part)
            if size >= _CHUNK_BYTES:
                yield "".join(buffer).encode()
                buffer.clear()
                size = 0
        yield "".join(buffer).encode()

    def _parts(self) -> Iterator[str]:
        options, size = self._options, self._options.fontsize
        line = size + 8
        legend = self._legend()
        title_y = 12 + size
        y = title_y + (line if options.subtitle else 0) + (line + 2 if legend else 0)
        details_y = y + line
        top = details_y + 8 if options.inverted else y + 12
        bottom = top + (self._layout.rows + 1) * options.height
        height = bottom + PAD if options.inverted else bottom + 2 * size
        if not options.inverted:
            details_y = bottom + size + 2
        if self._weight == 0:
            height = top + 3 * line
        settings = {
            "pad": PAD, "plot": self._plot, "total": self._total, "row": options.height, "details": _number(details_y),
            "search": options.searchcolor, "stroke": options.strokecolor, "outlined": _OUTLINED,
            "nametype": options.nametype, "fontsize": size, "fluid": options.fluid,
            "left": options.truncate == "left", "height": _number(height), "textpad": _TEXT_PAD,
            "rootLast": not options.inverted,
        }  # fmt: skip
        yield from self._opening(height, settings)
        yield from self._heading(title_y, line, legend)
        if self._weight == 0:
            yield f'<text class="fp-empty" x="{PAD}" y="{_number(top + line)}">No samples</text>\n'
        else:
            yield self._text_line("fp-details", PAD, details_y, self._summary(), self._plot * 0.75)
            yield from self._frames(top, bottom)
        if options.script:
            import pkgutil

            script = pkgutil.get_data("flameparse.render", "viewer/svg.js")
            if script is None:
                raise FileNotFoundError("viewer/svg.js")
            yield f"<script><![CDATA[\n{script.decode()}]]></script>\n"
        yield "</svg>\n"

    def _opening(self, height: float, settings: dict[str, object]) -> Iterator[str]:
        options = self._options
        size = 'width="100%"' if options.fluid else f'width="{options.width}" height="{_number(height)}"'
        yield '<?xml version="1.0" encoding="UTF-8"?>\n'
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="fp" {size} viewBox="0 0 {options.width} {_number(height)}"'
            f' font-family="{xml_attr(options.fonttype)}" font-size="{_number(options.fontsize)}"'
            f' fill="{options.uicolor}" data-fp="{xml_attr(script_json(settings))}">\n'
        )
        yield f"<title>{xml_text(options.title)}</title>\n<desc>{xml_text(self._description())}</desc>\n"
        yield f"<style>{_STYLE}</style>\n"
        colours = options.bgcolors or ""
        top, bottom = BACKGROUNDS.get(colours, (colours, colours)) if colours else background(self._palette)
        fill = top
        if top != bottom:
            fill = f"fp-{top[1:]}-{bottom[1:]}"
            yield (
                f'<defs><linearGradient id="{fill}" x2="0" y2="1"><stop stop-color="{top}"/>'
                f'<stop offset="1" stop-color="{bottom}"/></linearGradient></defs>\n'
            )
            fill = f"url(#{fill})"
        yield f'<rect class="fp-back" width="100%" height="100%" fill="{fill}"/>\n'

    def _description(self) -> str:
        sentences = [self._summary() + ".", *(f"Warning: {warning}." for warning in self.warnings)]
        if self._options.notes:
            sentences.append(f"Notes: {self._options.notes}")
        return " ".join(sentences)

    def _summary(self) -> str:
        drawn = f"{self.drawn:,} frame{'' if self.drawn == 1 else 's'}"
        text = f"{self._options.scaled(self._weight)} {self._countname}, {drawn}"
        if self.pruned:
            least = self._options.scaled(self._layout.minimum_weight)
            text += f"; {self.pruned:,} narrower than {least} {self._countname} not drawn"
        return text

    def _heading(self, title_y: float, line: float, legend: list[str]) -> Iterator[str]:
        options = self._options
        room = self._plot - (300 if options.script else 0)
        title = self._fit.fit(display_str(options.title), room / 1.4)
        yield (
            f'<text class="fp-title" x="{PAD}" y="{_number(title_y)}" font-size="{_number(options.fontsize * 1.35)}"'
            f' font-weight="600">{xml_text(title)}</text>\n'
        )
        y = title_y
        if options.subtitle:
            y += line
            yield self._text_line("fp-subtitle", PAD, y, display_str(options.subtitle), self._plot)
        if legend:
            y += line + 2
            yield self._swatches(legend, y)

    def _text_line(self, name: str, x: float, y: float, text: str, room: float) -> str:
        fitted = xml_text(self._fit.fit(text, room))
        return f'<text class="{name}" x="{_number(x)}" y="{_number(y)}" opacity=".8">{fitted}</text>\n'

    def _legend(self) -> list[str]:
        if self._palette != "kind" or self._options.coloring == "width":
            return []
        tree = self._tree
        groups = {frame_group(tree.frame_class[node], tree.kind[node]) for node in self._layout.nodes}
        return [group for group in CLASS_GROUPS if group in groups]

    def _swatches(self, legend: list[str], y: float) -> str:
        size = self._options.fontsize
        parts, x = ['<g class="fp-legend">'], float(PAD)
        for group in legend:
            fill, (label, _) = _hex(colour_in(group, 0.5, 0.5, 0.5)), CLASS_GROUPS[group]
            parts.append(
                f'<rect x="{_number(x)}" y="{_number(y - size * 0.8)}" width="{_number(size - 2)}"'
                f' height="{_number(size - 2)}" rx="2" fill="{fill}"/>'
                f'<text x="{_number(x + size + 2)}" y="{_number(y)}" opacity=".8">{label}</text>'
            )
            x += size + 2 + self._fit.measure(label) + 12
        return "".join((*parts, "</g>\n"))

    def _frames(self, top: float, bottom: float) -> Iterator[str]:
        tree, layout, options = self._tree, self._layout, self._options
        row, inverted = options.height, options.inverted
        yield '<g class="fp-frames" fill="#1c1e22" stroke-width=".5">\n'
        yield self._frame(0, 0, self._weight, top if inverted else bottom - row, b"all", None)
        for node, start in zip(layout.nodes, layout.starts, strict=True):
            depth = tree.depth[node] + 1
            y = top + depth * row if inverted else bottom - (depth + 1) * row
            name, weight = tree.name_bytes(tree.name[node]), tree.total_weight[node]
            yield self._frame(depth, start, weight, y, name, (tree.kind[node], tree.frame_class[node]))
        yield "</g>\n"

    def _frame(self, depth: int, start: int, weight: int, y: float, name: bytes, traits: tuple[int, int] | None) -> str:
        options, total = self._options, self._total
        shown = display_text(name)
        if traits is None:
            rgb = colour_in("grey", 0.5, 0.5, 1)
        else:
            rgb = self._colours.colour(name, *traits, shown, weight / total)
        if shown.endswith(_ANNOTATIONS):
            shown = shown[:-4]
        left, right = self._x(start), self._x(start + weight)
        width = right - left
        percent = (weight * 20000 + total) // (2 * total)
        tip = f"{shown} ({options.scaled(weight)} {self._countname}, {percent // 100}.{percent % 100:02}%)"
        attributes = options.nameattr.get(name, {}) if traits is not None else {}
        own_tip = attributes.get("title")
        named = "" if own_tip is None else f' data-n="{xml_attr(shown)}"'
        label = self._fit.fit(shown, width / 100 - 2 * _TEXT_PAD) if width > 1500 else ""
        outline = f' stroke="{options.strokecolor}"' if width >= 100 * _OUTLINED else ""
        text = ""
        if label:
            baseline = _number(y + options.height / 2 + options.fontsize * 0.34)
            text = f'<text x="{_hundredths(left + 100 * _TEXT_PAD)}" y="{baseline}">{xml_text(label)}</text>'
        frame = (
            f'<g data-f="{depth} {start} {weight}"{named}><title>{xml_text(own_tip or tip)}</title>'
            f'<rect x="{_hundredths(left)}" y="{_number(y)}" width="{_hundredths(width)}" height="{options.height - 1}"'
            f' fill="{_hex(rgb)}"{outline}/>{text}</g>'
        )
        href = attributes.get("href")
        if href is not None and safe_href(href) is not None:
            target = attributes.get("target", "_top")
            frame = f'<a href="{xml_attr(href)}" target="{xml_attr(target)}">{frame}</a>'
        return frame + "\n"

    def _x(self, weight: int) -> int:
        """Give the place of a weight in hundredths of a pixel, rounded once from whole numbers."""
        return 100 * PAD + (weight * self._plot * 200 + self._total) // (2 * self._total)


def render_tree(tree: Tree, options: SvgOptions) -> SvgPicture:
    """Draw a call tree as an SVG.

    Args:
        tree: columns in pre-order, siblings in the order to draw.
        options: what to show; its `event`, `weight` and `root` have been applied to the tree already.

    Returns:
        The picture: iterate over it for its bytes, read `pruned` and `warnings` for what to tell the user.
    """
    return SvgPicture(tree, options)


def svg_chunks(document: Document, options: SvgOptions) -> SvgPicture:
    """Draw a document as an SVG.

    Args:
        document: what to draw.
        options: what to show of it and how.

    Returns:
        As for `render_tree`.

    Raises:
        UsageError: no such event; or a flame chart of a document without time line.
    """
    from flameparse.document.tree import build_timeline_tree, build_tree

    if options.flamechart and document.timeline is None:
        raise UsageError("a flame chart needs the time line, which this document was made without (--no-aggregate)")
    build = build_timeline_tree if options.flamechart else build_tree
    return render_tree(build(document, event=options.event, weight=options.weight, root=options.root), options)


def _hex(rgb: tuple[int, int, int]) -> str:
    return f"#{rgb[0]:02x}{rgb[1]:02x}{rgb[2]:02x}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _hundredths(value: int) -> str:
    return f"{value // 100}.{value % 100:02}".rstrip("0").rstrip(".")
