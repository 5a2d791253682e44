"""The one place that prints: every untrusted string passes through `term_safe` here, and nothing adds colour."""

from __future__ import annotations

import os
import time

STDOUT, STDERR = 1, 2

# C0 and C1 controls with DEL, line and paragraph separators, and the marks that reorder text.
_DROPPED = dict.fromkeys(
    [
        *range(0x20),
        *range(0x7F, 0xA0),
        0x61C,
        0x200E,
        0x200F,
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
    ]
)


def term_safe(text: bytes | str) -> str:
    r"""Drop what a terminal would obey rather than show, since names come from whoever made the trace.

    Args:
        text: a name or message; bytes need not be UTF-8.

    Returns:
        The text on one line; bytes that are no UTF-8 are shown as ``\xNN``.
    """
    if isinstance(text, str):
        text = text.encode("utf-8", "backslashreplace")
    return text.decode("utf-8", "backslashreplace").translate(_DROPPED)


def write_out(text: str) -> None:
    """Write a command's own text to stdout, by the same checked path as any output.

    Raises:
        SinkError: stdout cannot be written.
        BrokenPipeError: nobody reads stdout any more.
    """
    from flameparse.sink import write_stream

    write_stream(STDOUT, [text.encode("utf-8", "backslashreplace")])


def table(header: list[str], rows: list[list[str]]) -> str:
    """Lay out rows as text: numbers right-aligned, the last column free, every cell safe for a terminal."""
    lines = [[term_safe(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header) - 1)]
    return "".join(
        "".join(f"{cell:>{width}}  " for cell, width in zip(line, widths, strict=False)) + line[-1] + "\n"
        for line in lines
    )


class Console:
    """Messages and progress on stderr for one run of a command.

    Attributes:
        quiet: keep notes and progress back; errors are always said.
        verbose: say stage times too.
    """

    def __init__(self) -> None:
        self.quiet = False
        self.verbose = False
        self._stage_start = self._start = time.monotonic()
        self._next_draw = self._start + 1.0
        self._drawn = 0
        self._earlier_inputs = self._last_consumed = 0
        self._on_terminal = os.isatty(STDERR)

    def error(self, message: str) -> None:
        """Say what went wrong, on one line."""
        self._write(f"flameparse: {term_safe(message)}\n")

    def note(self, message: str) -> None:
        """Say what the user may want to know, unless told to be quiet."""
        if not self.quiet:
            self.error(message)

    def stage(self, name: str) -> None:
        """End a stage of the work; its time is said when verbose."""
        now = time.monotonic()
        if self.verbose:
            self.error(f"{name}: {now - self._stage_start:.3f} s")
        self._stage_start = now

    def progress(self, consumed: int, size: int | None, samples: int) -> None:
        """Draw one line over itself, on a terminal, for work over one second.

        Args:
            consumed: bytes of the input read so far, as they are on disk.
            size: bytes of that input, None when unknown.
            samples: samples seen so far.
        """
        if consumed < self._last_consumed:
            self._earlier_inputs += self._last_consumed
        self._last_consumed = consumed
        now = time.monotonic()
        if not self._on_terminal or self.quiet or now < self._next_draw:
            return
        self._next_draw = now + 0.1
        share = f" {100 * consumed / size:.0f}%" if size else ""
        rate = (self._earlier_inputs + consumed) / (now - self._start) / 1e6
        line = f"{consumed / 1e6:,.0f} MB{share}  {rate:,.0f} MB/s  {samples:,} samples"
        self._write_raw("\r" + line.ljust(self._drawn))
        self._drawn = len(line)

    def clear(self) -> None:
        """Wipe the progress line, so that what follows starts on a clean one."""
        if self._drawn:
            self._write_raw("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def _write(self, text: str) -> None:
        self.clear()
        self._write_raw(text)

    def _write_raw(self, text: str) -> None:
        try:
            os.write(STDERR, text.encode("utf-8", "backslashreplace"))
        except OSError:
            pass  # nobody listens; the exit code still tells
