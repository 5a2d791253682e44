"""``flameparse fold``: any trace to folded text, a document, or a picture with default looks."""

from __future__ import annotations

from flameparse.cli.options import (
    add_classes,
    add_inputs,
    add_naming,
    add_selection,
    add_shape,
    add_symbols,
    add_weight,
)
from flameparse.cli.output import add_output, load_and_write, output_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from flameparse.cli.options import Parser
    from flameparse.cli.terminal import Console

USAGE = "[OPTION]... [IN]... [-o OUT]"
EPILOG = """examples:
  perf script | flameparse fold > out.folded
  flameparse fold big.perf.txt.gz -o big.msgpack
"""


def add_arguments(parser: Parser) -> None:
    """Add what ``fold`` takes."""
    add_inputs(parser)
    add_output(parser)
    add_selection(parser)
    add_weight(parser)
    add_shape(parser)
    add_naming(parser)
    add_classes(parser)
    add_symbols(parser)


def run(args: Namespace, console: Console) -> int:
    """Fold the inputs and write the result."""
    return load_and_write(args, console, output_format(args))
