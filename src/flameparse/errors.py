"""Every exception flameparse raises on purpose; anything else that escapes is a bug."""

from __future__ import annotations


class FlameparseError(Exception):
    """Base of all errors meant for the user: one line that says what, where and why."""


class SourceError(FlameparseError):
    """The bytes cannot be had (missing, unreadable, not a file); the OSError is ``__cause__``."""


class UnknownFormatError(SourceError):
    """No decoder recognises the input; the message says what was tried and the first bytes seen."""


class SinkError(FlameparseError):
    """The output cannot be written (disk full, permission); the old file is as it was."""


class DecodeError(FlameparseError, ValueError):
    """The input is damaged.

    Args:
        message: what was wanted and what was found.
        format_name: the format being decoded, such as ``"msgpack document"``.
        offset: byte offset in the (decompressed) input, or None.
        line: 1-based line number, or None.
    """

    def __init__(
        self, message: str, *, format_name: str = "", offset: int | None = None, line: int | None = None
    ) -> None:
        self.format_name = format_name
        self.offset = offset
        self.line = line
        where = f"line {line}" if line is not None else f"offset {offset}" if offset is not None else ""
        super().__init__(": ".join(part for part in (format_name, where, message) if part))


class TruncatedError(DecodeError):
    """The input ends before what it announced."""


class MalformedError(DecodeError):
    """The input contradicts its own format."""


class LimitError(DecodeError):
    """A cap of :mod:`flameparse.limits` was passed; the message names it."""


class UnsupportedError(DecodeError):
    """A form of the format that is known and not read."""


class UsageError(FlameparseError):
    """The caller asked for something that cannot be done as asked."""
