"""Arguments to options: the groups of options that commands share, spelled once, and what they mean to the pipeline."""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from functools import partial
from importlib import import_module

from flameparse.document.document import FrameClass
from flameparse.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from flameparse.document.tree import Event
    from flameparse.load_options import LoadOptions, View
    from flameparse.symbolize.options import SymbolOptions

FILTER_KINDS = ("comm", "pid", "tid", "cpu", "frame")
ROOTS = ("none", "comm", "pid", "tid")
V8_TIERS = ("keep", "merge", "strip")
FRAME_CLASSES = FrameClass.NAMES[1:]
FRAME_FILTERS = ("libc-start", "v8-internals", "builtins", "stubs", "ics", "unknown", "preload", "0x")
_SIZE_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class Parser(ArgumentParser):
    """An argument parser that reports by exception and prints by the checked path."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the whole usage: one line says what is wrong."""
        raise UsageError(f"{message} (see `{self.prog} --help`)")

    def print_help(self, file: object = None) -> None:
        """Print the help to stdout by the path whose failures are told apart."""
        from flameparse.cli.terminal import write_out

        write_out(self.format_help())


def build_parser(command: str, summary: str) -> Parser:
    """Build the parser of one command, and import that command's module only.

    Args:
        command: a name in `flameparse.cli.dispatch.COMMANDS`.
        summary: the sentence its help starts with.

    Returns:
        A parser whose namespace carries the module's ``run`` as ``run``.
    """
    module = import_module(f"flameparse.cli.{command}")
    parser = Parser(
        prog=f"flameparse {command}",
        usage=f"flameparse {command} {module.USAGE}",
        description=summary,
        epilog=module.EPILOG,
        formatter_class=partial(RawDescriptionHelpFormatter, width=80),  # without a width it imports shutil
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)
    return parser


def add_inputs(parser: Parser) -> None:
    """Add the inputs and what every command that reads them takes."""
    parser.add_argument("inputs", nargs="*", metavar="IN", help="trace, folded text or document; - is stdin")
    group = parser.add_argument_group("reading")
    group.add_argument(
        "-n", "--threads", "--nthreads", type=parse_count, default=0, metavar="N", help="threads (default: the cores)"
    )
    group.add_argument(
        "--max-memory", type=_size, metavar="SIZE", help="memory for distinct stacks, like 512M (default 2G)"
    )
    group.add_argument("--strict", action="store_true", help="damaged input is an error: exit 4, nothing written")
    group.add_argument("-q", "--quiet", action="store_true", help="no notes on stderr")
    group.add_argument("-v", "--verbose", action="store_true", help="stage times on stderr")


def add_selection(parser: Parser) -> None:
    """Add the options that choose samples."""
    group = parser.add_argument_group("which samples")
    group.add_argument(
        "--event",
        "--event-filter",
        action="append",
        type=os.fsencode,
        default=[],
        metavar="NAME",
        help="only this event (repeatable); all = every event merged",
    )
    for option, what in (("--include", "keep only"), ("--exclude", "drop")):
        group.add_argument(
            option,
            action="append",
            type=_filter,
            default=[],
            metavar="KIND=REGEX",
            help=f"{what} samples that match; KIND is one of {', '.join(FILTER_KINDS)} (repeatable)",
        )
    group.add_argument(
        "--from", dest="time_from", type=_seconds, metavar="SECONDS", help="start of the window; +N from first sample"
    )
    group.add_argument("--to", dest="time_to", type=_seconds, metavar="SECONDS", help="end of the window")


def add_weight(parser: Parser) -> None:
    """Add the choice between counting samples and summing periods."""
    parser.add_argument_group("weights").add_argument(
        "--weight", choices=("samples", "period"), help="default: period where the input has one"
    )


def add_naming(parser: Parser) -> None:
    """Add the options that decide how frames print."""
    group = parser.add_argument_group("names")
    group.add_argument("--names", choices=("tidy", "raw"), default="tidy", help="tidy cuts arguments and offsets")
    group.add_argument(
        "--compat",
        choices=("stackcollapse-perf", "stackcollapse", "inferno"),
        help="print what that tool's pipe would print",
    )
    group.add_argument("--kernel", action="store_true", help="mark kernel frames with _[k]")
    group.add_argument("--jit", action="store_true", help="mark JIT frames with _[j]")
    group.add_argument("--all", action="store_true", help="same as --kernel --jit")
    group.add_argument("--addrs", action="store_true", help="print the address of frames without a name")
    group.add_argument(
        "--skip-after",
        action="append",
        type=os.fsencode,
        default=[],
        metavar="F",
        help="drop the callers of function F (repeatable)",
    )


def add_classes(parser: Parser) -> None:
    """Add the options that hide or join frames by what they are; no sample is lost by them."""
    group = parser.add_argument_group("kinds of frames", f"CLASS is one of {', '.join(FRAME_CLASSES)}.")
    group.add_argument(
        "--v8-tiers",
        choices=V8_TIERS,
        help="merge makes one frame of a JavaScript function in all its tiers; strip drops V8's tag as well",
    )
    for option, what in (("--hide", "leave out frames of this class"), ("--only", "leave out all other classes")):
        group.add_argument(
            option,
            action="append",
            choices=FRAME_CLASSES,
            default=[],
            metavar="CLASS",
            help=f"{what} (repeatable)",
        )
    group.add_argument(
        "--filter",
        action="append",
        choices=FRAME_FILTERS,
        default=[],
        metavar="PRESET",
        help=f"leave out what is seldom of interest: {', '.join(FRAME_FILTERS)}, which is the first six (repeatable)",
    )
    group.add_argument(
        "--collapse-interpreter", action="store_true", help="V8's bytecode handlers count as the function they run"
    )
    group.add_argument("--show-all", action="store_true", help="show what a document asks to leave out or join")


def add_symbols(parser: Parser) -> None:
    """Add the options that say where the names of a recording's addresses come from."""
    group = parser.add_argument_group("where names come from")
    group.add_argument("--symfs", metavar="DIR|BUNDLE", help="files of the recorded machine, or what `collect` made")
    group.add_argument(
        "--perf-map",
        action="append",
        type=_perf_map,
        default=[],
        metavar="PID=FILE",
        help="JIT names of a process (repeatable)",
    )
    group.add_argument("--perf-map-dir", metavar="DIR", help="directory of files perf-PID.map")
    group.add_argument("--kallsyms", metavar="FILE", help="the recorded kernel's /proc/kallsyms")
    group.add_argument("--vmlinux", metavar="FILE", help="the recorded kernel with its symbols")
    group.add_argument("--force-map", action="store_true", help="read JIT names whoever owns the file")


def add_shape(parser: Parser) -> None:
    """Add the options that shape the stacks: what roots them, and whether equal ones merge."""
    group = parser.add_argument_group("stacks")
    group.add_argument("--root", choices=ROOTS, help="what stacks start with (default comm)")
    group.add_argument("--pid", action="store_true", help="same as --root pid")
    group.add_argument("--tid", action="store_true", help="same as --root tid")
    group.add_argument(
        "--no-aggregate", action="store_true", help="keep the order of time; only equal neighbours become one"
    )


def parse(parser: Parser, arguments: Sequence[str]) -> Namespace:
    """Parse the arguments of one command; options may stand between inputs.

    Raises:
        UsageError: the arguments make no sense together.
    """
    args = parser.parse_intermixed_args(arguments)
    if "inputs" in args:
        if not args.inputs:
            if os.isatty(0):
                raise UsageError(f"no input: name a file, or pipe one in (see `{parser.prog} --help`)")
            args.inputs = ["-"]
        if args.inputs.count("-") > 1:
            raise UsageError("stdin (-) can be read only once")
    if getattr(args, "event", None) and b"all" in args.event and len(args.event) > 1:
        raise UsageError("--event all cannot be joined with another --event")
    return args


def load_options(args: Namespace, *, keeps_hidden: bool = False) -> LoadOptions:
    """Turn parsed arguments into the pipeline's options; what a command does not offer keeps its default.

    Args:
        args: as `parse` gives them.
        keeps_hidden: of `LoadOptions`.
    """
    from flameparse.load_options import LoadOptions

    chosen: dict[str, Any] = {"threads": args.threads, "keeps_hidden": keeps_hidden}
    if args.max_memory is not None:
        chosen["max_memory"] = args.max_memory
    if "event" in args:
        chosen["events"] = () if args.event == [b"all"] else args.event
        chosen["include"], chosen["exclude"] = args.include, args.exclude
        chosen["time_from"], chosen["time_to"] = args.time_from, args.time_to
    if "names" in args:
        chosen["names"], chosen["compat"], chosen["addrs"] = args.names, args.compat, args.addrs
        chosen["annotate_kernel"] = args.kernel or args.all
        chosen["annotate_jit"] = args.jit or args.all
        chosen["skip_after"] = args.skip_after
    if "v8_tiers" in args:
        chosen["view"] = _view(args)
    if "root" in args:
        root = chosen_root(args)
        if root is not None:
            chosen["root"] = root
        chosen["timeline"] = args.no_aggregate or getattr(args, "flamechart", False)
    if "symfs" in args:
        chosen["symbols"] = symbol_options(args)
    return LoadOptions(**chosen)


def _view(args: Namespace) -> View | None:
    """Turn parsed arguments into a view; None where nothing was asked for."""
    from flameparse.load_options import View

    given = {"hide": args.hide, "only": args.only, "filters": args.filter, "v8_tiers": args.v8_tiers}
    given = {key: value for key, value in given.items() if value}
    if args.collapse_interpreter:
        given["collapse_interpreter"] = True
    if given and args.show_all:
        raise UsageError("--show-all leaves nothing out: it does not go with --v8-tiers, --hide, --only, --filter")
    return View(**given) if given or args.show_all else None


def symbol_options(args: Namespace) -> SymbolOptions:
    """Turn parsed arguments into what the user said of where names come from."""
    from flameparse.symbolize.options import SymbolOptions

    return SymbolOptions(
        symfs=args.symfs,
        perf_maps=dict(args.perf_map),
        perf_map_dir=args.perf_map_dir,
        kallsyms=args.kallsyms,
        vmlinux=args.vmlinux,
        force_map=args.force_map,
    )


def chosen_root(args: Namespace) -> str | None:
    """Say which root the user asked for; the reference tools' --tid implies --pid."""
    root: str | None = args.root
    return root or ("tid" if args.tid else "pid" if args.pid else None)


def chosen_event(args: Namespace) -> Event:
    """Say which events of a document to show: those named together, or None for the first there is."""
    return args.event[0] if len(args.event) == 1 else tuple(args.event) or None


def parse_count(text: str) -> int:
    """Read a number above zero, as an argument's type."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)


def _size(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,15})([KMGT]?)", text.upper())
    if not match or int(match[1]) == 0:
        raise ArgumentTypeError(f"{text!r} is not a size like 512M or 2G")
    return int(match[1]) * _SIZE_UNITS[match[2]]


def _seconds(text: str) -> str:
    if not re.fullmatch(r"\+?[0-9]{1,12}(\.[0-9]{1,9})?", text):
        raise ArgumentTypeError(f"{text!r} is not a time like 12.5, or +3 from the first sample")
    return text


def _perf_map(text: str) -> tuple[int, str]:
    pid, equals, path = text.partition("=")
    if not equals or not path or not re.fullmatch(r"[0-9]{1,9}", pid):
        raise ArgumentTypeError(f"{text!r} is not PID=FILE")
    return int(pid), path


def _filter(text: str) -> tuple[str, bytes]:
    kind, equals, pattern = text.partition("=")
    if not equals or kind not in FILTER_KINDS:
        raise ArgumentTypeError(f"{text!r} is not KIND=REGEX with KIND one of {', '.join(FILTER_KINDS)}")
    encoded = os.fsencode(pattern)
    try:
        re.compile(encoded)
    except re.error as error:
        raise ArgumentTypeError(f"{text!r}: {error}") from error
    return kind, encoded
