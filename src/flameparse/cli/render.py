"""``flameparse render``: any trace or document to a picture, with every choice the SVG has."""

from __future__ import annotations

import os
from argparse import SUPPRESS

from flameparse.cli import exit_codes
from flameparse.cli.options import (
    add_classes,
    add_inputs,
    add_naming,
    add_selection,
    add_shape,
    add_symbols,
    add_weight,
    chosen_event,
    chosen_root,
    parse_count,
)
from flameparse.cli.output import add_output, load_and_write, output_format, write_chunks
from flameparse.errors import UsageError
from flameparse.render.palette import BACKGROUNDS, PALETTES, palette_map_bytes, parse_palette_map
from flameparse.render.svg import SvgOptions, parse_name_attributes
from flameparse.source import open_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from flameparse.cli.options import Parser
    from flameparse.cli.terminal import Console

USAGE = "[OPTION]... [IN]... -o OUT.html|OUT.svg"
EPILOG = """examples:
  perf script | flameparse render -o flame.html
  flameparse render big.msgpack -o app.svg --include comm=node --colors js --title "our app"
"""

_PICTURES = ("html", "svg")
_PALETTE_MAP = "palette.map"


# What the page takes too; every other look is the SVG's.
_PAGE_OPTIONS = ("event", "root", "title", "weight")


def add_arguments(parser: Parser) -> None:
    """Add what ``render`` takes; the picture's own defaults stand in `SvgOptions` alone."""
    add_inputs(parser)
    add_output(parser, formats=_PICTURES)
    looks = parser.add_argument_group("looks (of the SVG; the page takes --title)", argument_default=SUPPRESS)
    looks.add_argument("--title", help="the heading")
    looks.add_argument("--subtitle", help="a second line")
    looks.add_argument("--notes", help="text kept in the file, not drawn")
    looks.add_argument("--countname", help="the word after a number (default: the input's unit)")
    looks.add_argument("--nametype", help="the word before a frame's name")
    looks.add_argument("--width", type=int, metavar="PX", help="of the picture (default 1200)")
    looks.add_argument("--fluid", action="store_true", help="fill the width of the page")
    looks.add_argument("--height", type=int, metavar="PX", help="of one row (default 16)")
    looks.add_argument("--minwidth", metavar="PX|N%", help="narrowest frame drawn (default 0.1; 0 draws all)")
    looks.add_argument("--fonttype", metavar="FAMILY", help="font family")
    looks.add_argument("--fontsize", type=float, metavar="PX", help="font size (default 12)")
    looks.add_argument("--fontwidth", type=float, metavar="RATIO", help="mean character width as a part of the size")
    looks.add_argument("--truncate", choices=("left", "right"), help="which end of a long name is cut")
    looks.add_argument(
        "--colors",
        choices=PALETTES,
        help="palette (default: by class where kinds are known, else hot)",
    )
    looks.add_argument("--bgcolors", metavar="COLOR", help=f"{', '.join(BACKGROUNDS)} or #rrggbb")
    looks.add_argument("--uicolor", metavar="COLOR", help="of headings and controls, #rrggbb")
    looks.add_argument("--strokecolor", "--stroke-color", metavar="COLOR", help="of outlines, #rrggbb or none")
    looks.add_argument("--searchcolor", "--search-color", metavar="COLOR", help="of matches, #rrggbb")
    for option, coloring, what in (
        ("--hash", "hash", "a hash of the name"),
        ("--random", "random", "chance, the same each time"),
        ("--colordiffusion", "width", "the frame's width"),
    ):
        looks.add_argument(
            option, dest="coloring", action="store_const", const=coloring, help=f"shade by {what} (default: by name)"
        )
    looks.add_argument(
        "--cp",
        dest="palette_file",
        action="store_const",
        const=_PALETTE_MAP,
        help=f"keep colours of names in {_PALETTE_MAP}",
    )
    looks.add_argument("--palette-map", dest="palette_file", metavar="FILE", help="keep colours of names in FILE")
    looks.add_argument("--nameattr", metavar="FILE", help="links by function name")
    looks.add_argument("--inverted", action="store_true", help="grow downwards")
    looks.add_argument("--reverse", action="store_true", help="merge from the leaf, callers above it")
    looks.add_argument("--flamechart", action="store_true", help="left to right is time")
    looks.add_argument("--base", action="append", metavar="F", help="only stacks with F, from F on (repeatable)")
    looks.add_argument("--total", type=parse_count, metavar="N", help="the weight that fills the width")
    looks.add_argument("--factor", type=float, metavar="F", help="multiplies the numbers shown")
    looks.add_argument("--no-script", dest="script", action="store_false", help="a static picture")
    add_selection(parser)
    add_weight(parser)
    add_shape(parser)
    add_naming(parser)
    add_classes(parser)
    add_symbols(parser)


def run(args: Namespace, console: Console) -> int:
    """Draw the inputs."""
    format_name = output_format(args, default=None)
    if format_name not in _PICTURES:
        raise UsageError(f"{args.output}: render draws .html or .svg (fold writes the rest)")
    if format_name == "html":
        looks = sorted(name for name in vars(args) if name in SvgOptions.__slots__ and name not in _PAGE_OPTIONS)
        if looks:
            raise UsageError(f"the page is looked at, not drawn: {', '.join(looks)} are for .svg")
    picture = _picture(args, console)
    code = load_and_write(args, console, format_name, picture)
    if code != exit_codes.UNUSABLE and format_name == "svg" and picture.palette_map is not None:
        write_chunks(args.palette_file, [palette_map_bytes(picture.palette_map)])
    return code


def _picture(args: Namespace, console: Console) -> SvgOptions:
    given = {name: value for name, value in vars(args).items() if name in SvgOptions.__slots__}
    given.update(event=chosen_event(args), weight=args.weight, root=chosen_root(args))
    if "base" in args:
        given["base"] = [os.fsencode(name) for name in args.base]
    if "palette_file" in args:
        known = os.path.exists(args.palette_file)
        given["palette_map"] = parse_palette_map(_read(args.palette_file)) if known else {}
    if "nameattr" in args:
        given["nameattr"], refused = parse_name_attributes(_read(args.nameattr))
        for sentence in refused:
            console.note(sentence)
    return SvgOptions(**given)


def _read(path: str) -> bytes:
    with open_source(path) as source:
        return source.read()
