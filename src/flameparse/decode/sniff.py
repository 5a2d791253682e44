"""First bytes to the name of a format. Names of files say nothing here: pipes have none."""

from __future__ import annotations

from flameparse.decode.dtrace.text import looks_like_dtrace
from flameparse.decode.perf_script import looks_like_perf_script
from flameparse.errors import UnknownFormatError, UnsupportedError

CPU_PROFILE = "V8 CPU profile"
DOCUMENT = "msgpack document"
DTRACE = "DTrace text"
FOLDED_TEXT = "folded text"
PERF_DATA = "perf.data"
PERF_SCRIPT = "perf script text"
EMPTY = "empty input"

# Enough for the comment block perf writes before the first sample.
SNIFF_BYTES = 64 << 10

# The map's key "format" and the string "flameparse", as every document begins after one byte or three.
_DOCUMENT_MAGIC = b"\xa6format\xaaflameparse"

# As a little-endian and as a big-endian machine writes it.
_PERF_DATA_MAGICS = (b"PERFILE2", b"2ELIFREP")

_OTHERS = (
    (b"PERFFILE", "perf.data version 1", "no perf of this century writes it"),
    (b"\x7fELF", "an ELF file", "give the recording, not the program"),
    (b"DTRJ", "a jitdump", "give the recording, which names its dump"),
    (b"JiTD", "a jitdump", "give the recording, which names its dump"),
    (b"v8-version,", "the log of V8's own profiler", "record with node --cpu-prof, or with perf"),
)

# First keys of a CPU profile, which may come in any order, and of other JSON.
_CPU_PROFILE_KEYS = (b"nodes", b"head", b"samples", b"timeDeltas", b"timestamps", b"startTime", b"endTime")
_OTHER_JSON = {
    b"traceEvents": ("a trace of Chrome", "save its CPU profile alone, a .cpuprofile"),
    b"code": ("the log of V8's own profiler, made JSON", "record with node --cpu-prof, or with perf"),
    b"$schema": ("JSON of another tool", "give the recording it was made of"),
}


def sniff(head: bytes, name: str) -> str:
    """Tell what an input is.

    Args:
        head: its first bytes, decompressed, SNIFF_BYTES of them if there are as many.
        name: for messages.

    Returns:
        One of the constants above.

    Raises:
        UnsupportedError: a format that is known and not read.
        UnknownFormatError: anything else.
    """
    if not head.strip(b" \t\r\n"):
        return EMPTY
    if _DOCUMENT_MAGIC in head[:32]:
        return DOCUMENT
    if head.startswith(_PERF_DATA_MAGICS):
        return PERF_DATA
    for magic, what, remedy in _OTHERS:
        if head.startswith(magic):
            raise UnsupportedError(f"{name}: this is {what}, which is not read; {remedy}")
    key = _first_key(head)
    if key in _OTHER_JSON:
        what, remedy = _OTHER_JSON[key]
        raise UnsupportedError(f"{name}: this is {what}, which is not read; {remedy}")
    if key in _CPU_PROFILE_KEYS or (key and b'"functionName"' in head):
        return CPU_PROFILE
    if looks_like_dtrace(head):
        return DTRACE
    if looks_like_perf_script(head):
        return PERF_SCRIPT
    if _looks_folded(head):
        return FOLDED_TEXT
    raise UnknownFormatError(
        f"{name}: not a format flameparse knows (tried {DOCUMENT}, {PERF_DATA}, {PERF_SCRIPT}, {DTRACE}, "
        f"{FOLDED_TEXT}, {CPU_PROFILE}); it begins with {head[:40]!r}"
    )


def _first_key(head: bytes) -> bytes:
    """Read the first key of a JSON object; empty for anything else."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    key = text[1:].lstrip()
    return key[1:].partition(b'"')[0] if text.startswith(b"{") and key.startswith(b'"') else b""


def _looks_folded(head: bytes) -> bool:
    """Whether the first line that says anything is a stack, a blank and a number."""
    lines = head.split(b"\n")
    for number, line in enumerate(lines, 1):
        line = line.rstrip(b"\r")
        # A process may be named "# x".
        if not line or (line.startswith(b"# ") and not (b";" in line and line[-1:].isdigit())):
            continue
        if number == len(lines) and len(head) >= SNIFF_BYTES:
            # A stack so deep that its weight is out of sight.
            return b";" in line and b"\0" not in line
        stack, blank, weight = line.rpartition(b" ")
        whole, point, fraction = weight.partition(b".")
        return bool(stack and blank) and whole.isdigit() and (not point or fraction.isdigit())
    return False
