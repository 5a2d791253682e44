"""What each exit code means, so that a script can tell a bad input from a full disk."""

from __future__ import annotations

COMPLETE = 0
USAGE = 2
DAMAGED = 3  # the output is written; the input was damaged or cut short
UNUSABLE = 4  # the input cannot be used; no output was touched
ENVIRONMENT = 5  # disk, permission of the output, memory
INTERRUPTED = 130
CLOSED_PIPE = 141
