"""One command line to one exit code: finds the command, runs it, and turns every error into a line and a code."""

from __future__ import annotations

from flameparse.cli import exit_codes
from flameparse.cli.terminal import Console, write_out
from flameparse.errors import FlameparseError, SinkError, UsageError

COMMANDS = {
    "fold": "Fold any trace to folded text, a document, or a picture.",
    "render": "Draw a flame graph of any trace or document.",
    "info": "Say what is in a trace: events, processes, samples, and what was lost.",
    "report": "List the top functions, self and total.",
    "merge": "Merge several traces or documents into one.",
    "collect": "Gather what another machine needs to name a recording's frames.",
    "completion": "Print the shell's completion script.",
}


def run(arguments: list[str]) -> int:
    """Run one command line.

    Args:
        arguments: the command and its arguments.

    Returns:
        The exit code; every error has been said on stderr.
    """
    console = Console()
    try:
        return _run(arguments, console)
    except BrokenPipeError:
        return exit_codes.CLOSED_PIPE
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except UsageError as error:
        console.error(str(error))
        return exit_codes.USAGE
    except SinkError as error:
        console.error(str(error))
        return exit_codes.ENVIRONMENT
    except (FlameparseError, OverflowError) as error:
        console.error(str(error))
        return exit_codes.UNUSABLE
    except MemoryError:
        console.error("out of memory (try --max-memory)")
        return exit_codes.ENVIRONMENT
    except OSError as error:
        console.error(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
        return exit_codes.ENVIRONMENT
    finally:
        console.clear()


def _run(arguments: list[str], console: Console) -> int:
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "--version":
        from flameparse._version import __version__

        write_out(f"flameparse {__version__}\n")
        return exit_codes.COMPLETE
    if command in ("-h", "--help", "help"):
        write_out(_overview())
        return exit_codes.COMPLETE
    if command not in COMMANDS:
        wrong = f"no command {command!r}" if command else "no command"
        raise UsageError(f"{wrong}: choose from {', '.join(COMMANDS)} (see `flameparse --help`)")
    from flameparse.cli.options import build_parser, parse

    parser = build_parser(command, COMMANDS[command])
    try:
        args = parse(parser, rest)
    except SystemExit:  # argparse has printed the help
        return exit_codes.COMPLETE
    console.quiet, console.verbose = getattr(args, "quiet", False), getattr(args, "verbose", False)
    code: int = args.run(args, console)
    return code


def _overview() -> str:
    commands = "".join(f"  {name:<12}{summary}\n" for name, summary in COMMANDS.items())
    return (
        "usage: flameparse COMMAND [OPTION]... [IN]...\n\n"
        f"{commands}\n"
        "IN is a trace (perf.data, perf script text), folded text or a document, plain or compressed; - or nothing is\n"
        "stdin.\n"
        "`flameparse COMMAND --help` lists a command's options; `flameparse --version` prints the version.\n\n"
        "exit codes: 0 complete, 2 usage, 3 output written but input damaged, 4 input unusable,\n"
        "5 output or memory failed, 130 Ctrl-C, 141 closed pipe\n"
    )
