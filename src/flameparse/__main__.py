"""The ``flameparse`` command: answers ``--version`` before anything is imported, hands all else to the cli package."""

from __future__ import annotations

import os
import sys


def main(argv: list[str] | None = None) -> int:
    """Run one command line, so that ``flameparse`` and ``python -m flameparse`` are the same program.

    Args:
        argv: the arguments after the program's name; those of this process when None.

    Returns:
        The exit code.
    """
    arguments = sys.argv[1:] if argv is None else argv
    try:
        if arguments == ["--version"]:
            from flameparse._version import __version__

            os.write(1, f"flameparse {__version__}\n".encode())
            return 0
    except OSError:
        pass  # stdout is full or closed: the general way below says which
    if argv is None:
        # One command is over before cycles could add up to anything; looking for them takes 5 ms of a start.
        import gc

        gc.disable()
    try:
        from flameparse.cli.dispatch import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
