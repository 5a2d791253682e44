"""Where a document goes: the choice of format, and the one way commands write what they made."""

from __future__ import annotations

import os

from flameparse.cli import exit_codes
from flameparse.cli.options import chosen_event, chosen_root, load_options
from flameparse.cli.terminal import STDOUT, write_out
from flameparse.errors import SinkError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from flameparse.cli.options import Parser
    from flameparse.cli.terminal import Console
    from flameparse.document.document import Document
    from flameparse.render.svg import SvgOptions
    from flameparse.sink import Chunk

FORMATS = ("folded", "msgpack", "html", "svg")
_SUFFIXES = {".folded": "folded", ".txt": "folded", ".msgpack": "msgpack", ".html": "html", ".svg": "svg"}


def add_output(parser: Parser, *, formats: tuple[str, ...] = FORMATS) -> None:
    """Add where the result goes and in which format."""
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", default="-", metavar="OUT", help="file to write, whole or not at all")
    group.add_argument("--format", choices=formats, help="default: by the suffix of OUT")


def output_format(args: Namespace, default: str | None = "folded") -> str:
    """Choose the output's format, before any input is read.

    Args:
        args: with ``output`` and ``format``.
        default: for stdout without ``--format``; None when one must be named.

    Returns:
        One of FORMATS.

    Raises:
        UsageError: the suffix says nothing, or the format does not go with the other options or a terminal.
    """
    chosen: str | None = args.format
    if chosen is None and args.output == "-":
        chosen = default
    elif chosen is None:
        suffix = os.path.splitext(args.output)[1].lower()
        chosen = _SUFFIXES.get(suffix)
        if chosen is None:
            raise UsageError(f"{args.output}: suffix {suffix!r} names no format: use {' '.join(_SUFFIXES)} or --format")
    if chosen is None:
        raise UsageError("no output: name a file with -o, or a --format for stdout")
    if chosen == "msgpack" and args.output == "-" and os.isatty(STDOUT):
        raise UsageError("a document is not for a terminal: use -o FILE or a pipe")
    if chosen == "msgpack" and args.weight:
        raise UsageError("a document keeps both weights: --weight is not for it")
    return chosen


def load_and_write(args: Namespace, console: Console, format_name: str, picture: SvgOptions | None = None) -> int:
    """Read the inputs, write the result, and say what was left out or lost.

    Args:
        args: with the inputs, ``output`` and the options of reading.
        console: for notes and progress.
        format_name: one of FORMATS.
        picture: how to draw, for the SVG.

    Returns:
        The exit code: complete, damaged, or under ``--strict`` unusable.
    """
    if args.output != "-" and not os.path.exists(args.output):  # told before long reading; the write checks it all
        directory = os.path.dirname(args.output) or "."
        if not os.access(directory, os.W_OK | os.X_OK):
            raise SinkError(f"{args.output}: cannot write in {directory!r}")
    # What can be undone later must still be there: a picture and folded text are final, a document and a page are not.
    document, code = load_inputs(args, console, keeps_hidden=format_name in ("msgpack", "html"), tells_javascript=True)
    if code == exit_codes.UNUSABLE:
        return code
    if format_name in ("folded", "svg") and chosen_event(args) is None:
        note_other_events(document, console)
    note_missing_frames(document, console)
    write_chunks(args.output, _chunks(document, args, console, format_name, picture))
    console.stage("write")
    return code


def _chunks(
    document: Document, args: Namespace, console: Console, format_name: str, picture: SvgOptions | None
) -> Iterable[Chunk]:
    if format_name == "msgpack":
        from flameparse.document.writer import document_chunks

        return document_chunks(document)
    event, root = chosen_event(args), chosen_root(args)
    if format_name == "folded":
        from flameparse.export.folded_text import folded_chunks, timeline_chunks

        write = timeline_chunks if args.no_aggregate else folded_chunks
        return write(document, event=event, weight=args.weight, root=root)
    if format_name == "html":
        from flameparse.render.html import html_chunks

        return html_chunks(document, title=getattr(args, "title", None), event=event, weight=args.weight, root=root)
    from flameparse.render.svg import SvgOptions, svg_chunks

    drawing = svg_chunks(document, picture or SvgOptions(event=event, weight=args.weight, root=root))
    if len(document.total_event):  # that an empty input is empty has been said
        for warning in drawing.warnings:
            console.note(warning)
    return drawing


def load_inputs(
    args: Namespace, console: Console, *, keeps_hidden: bool = False, tells_javascript: bool = False
) -> tuple[Document, int]:
    """Read all inputs into one document.

    Args:
        args: with the inputs and the options of reading.
        console: for notes and progress.
        keeps_hidden: leave the stacks whole, whatever a view leaves out.
        tells_javascript: the caller says what JavaScript lacks, so that it is not said here.

    Returns:
        The document, and COMPLETE, DAMAGED or (under ``--strict``) UNUSABLE; the damage has been said.
    """
    from flameparse.document.account import damage, warnings
    from flameparse.pipeline import load

    document = load(args.inputs, load_options(args, keeps_hidden=keeps_hidden), console.progress)
    console.stage("read and fold")
    for line in warnings(document, told=_told_of_javascript(document) if tells_javascript else ()):
        console.note(line)
    problem = damage(document)
    if problem is not None:
        console.error(problem)
        return document, exit_codes.UNUSABLE if args.strict else exit_codes.DAMAGED
    if not len(document.total_event):
        console.note("no samples in the input")
    if rounded := document.diagnostics.get("rounded_lines"):
        console.note(f"{rounded} fractional weights rounded to whole numbers")
    return document, exit_codes.COMPLETE


def _told_of_javascript(document: Document) -> list[str]:
    """The kinds of findings that the line about JavaScript has."""
    javascript = document.diagnostics.get("javascript")
    if not isinstance(javascript, dict):
        return []
    from flameparse.document.account import modules
    from flameparse.missing_frames.remedies import findings, foremost

    return [finding.kind for finding in foremost(findings(javascript, document.meta, modules(document)))]


def note_missing_frames(document: Document, console: Console) -> None:
    """Say in one line what the JavaScript of a document lacks; nothing where there is none."""
    javascript = document.diagnostics.get("javascript")
    if isinstance(javascript, dict) and not console.quiet:
        from flameparse.document.account import modules
        from flameparse.missing_frames.remedies import summary_line

        console.note(summary_line(javascript, document.meta, modules(document)))


def note_other_events(document: Document, console: Console) -> None:
    """Name the events that a view of the first one leaves out."""
    names = [document.string(name).decode("utf-8", "backslashreplace") for name in document.event_name]
    names = [name for name in names if name]
    if len(names) > 1:
        more = f" and {len(names) - 11} more" if len(names) > 11 else ""
        others = ", ".join(names[1:11]) + more
        console.note(f"showing {names[0]} only; also there: {others} (--event NAME, or --event all)")


def write_chunks(path: str, chunks: Iterable[Chunk]) -> None:
    """Write chunks to a file, whole or not at all, or to stdout when the path is ``-``."""
    from flameparse.sink import write_atomic, write_stream

    if path == "-":
        write_stream(STDOUT, chunks)
    else:
        write_atomic(path, chunks)


def print_json(value: object) -> None:
    """Print a value as JSON that is plain ASCII text, so that no name in it can act on a terminal."""
    import json

    write_out(json.dumps(value, indent=2).replace("\x7f", "\\u007f") + "\n")
