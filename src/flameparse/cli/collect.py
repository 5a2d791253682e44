"""``flameparse collect``: what another machine needs to name a recording's frames, in one bundle."""

from __future__ import annotations

import os

from flameparse.cli import exit_codes
from flameparse.cli.options import add_inputs, add_symbols, symbol_options
from flameparse.cli.terminal import STDOUT
from flameparse.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from flameparse.cli.options import Parser
    from flameparse.cli.terminal import Console

USAGE = "[OPTION]... [IN] [-o BUNDLE.tar.gz|DIR]"
EPILOG = """examples:
  flameparse collect perf.data -o bundle.tar.gz
  flameparse fold perf.data --symfs bundle.tar.gz      (on the other machine)
"""


def add_arguments(parser: Parser) -> None:
    """Add what ``collect`` takes."""
    add_inputs(parser)
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="directory, or .tar, .tar.gz, .tgz, .tar.zst, or - for a tar to stdout (default: IN.bundle.tar.gz, here)",
    )
    group.add_argument("--all", action="store_true", help="files without a sample in them too")
    add_symbols(parser)


def run(args: Namespace, console: Console) -> int:
    """Collect the files of one recording, and say what could not be had."""
    from flameparse.collect import collect_recording

    if len(args.inputs) > 1:
        raise UsageError("one recording at a time: a bundle is of one")
    path = args.inputs[0]
    out = args.output or ("perf.data" if path == "-" else os.path.basename(path)) + ".bundle.tar.gz"
    if out == "-" and os.isatty(STDOUT):
        raise UsageError("a bundle is not for a terminal: use -o FILE or a pipe")
    found = collect_recording(
        path,
        out,
        symbol_options(args),
        threads=args.threads or os.cpu_count() or 1,
        takes_all=args.all,
        progress=console.progress,
        is_strict=args.strict,
    )
    console.stage("collect")
    for gap in found.gaps:
        console.note(f"not in the bundle: {gap}")
    console.note(f"{out}: {len(found.files)} files, {found.bytes:,} bytes")
    if found.damage:
        console.error("; ".join(found.damage))
        return exit_codes.DAMAGED
    return exit_codes.COMPLETE
