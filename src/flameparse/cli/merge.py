"""``flameparse merge``: several traces or documents to one, by a join of equal stacks."""

from __future__ import annotations

from flameparse.cli.options import add_inputs, add_selection, add_shape, add_symbols, add_weight
from flameparse.cli.output import add_output, load_and_write, output_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from flameparse.cli.options import Parser
    from flameparse.cli.terminal import Console

USAGE = "[OPTION]... IN... -o OUT"
EPILOG = """example:
  flameparse merge host1.msgpack host2.msgpack -o all.msgpack
"""


def add_arguments(parser: Parser) -> None:
    """Add what ``merge`` takes."""
    add_inputs(parser)
    add_output(parser)
    add_selection(parser)
    add_weight(parser)
    add_shape(parser)
    add_symbols(parser)


def run(args: Namespace, console: Console) -> int:
    """Merge the inputs and write the one result."""
    return load_and_write(args, console, output_format(args, default=None))
