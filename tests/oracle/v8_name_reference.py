"""V8's names taken apart by regular expressions: slow, and written from the description of the format alone."""

from __future__ import annotations

import re

JAVASCRIPT = {"JS", "LazyCompile", "Function", "InterpretedFunction", "Script", "Eval"}
KINDS = {
    "JS": "function",
    "LazyCompile": "function",
    "Function": "function",
    "InterpretedFunction": "function",
    "Script": "script",
    "Eval": "eval",
    "RegExp": "regexp",
    "Builtin": "builtin",
    "BytecodeHandler": "bytecode-handler",
    "Stub": "stub",
    "Callback": "stub",
    "Handler": "ic",
}
TIERS = {b"": 0, b"~": 1, b"^": 2, b"+": 3, b"*": 4, b"-": 5}

TAG = re.compile(rb"([A-Z][A-Za-z]{0,30}):(?:(?!:)|(?<=^RegExp:)|(?<=^InterpretedFunction:))(.*)", re.DOTALL)
TIER = re.compile(rb"(?:(o?)([~^+*-])('?))?(.*)", re.DOTALL)
PLACE = re.compile(rb"(.*?):(-?\d{1,10})(?::(-?\d{1,10}))?", re.DOTALL)
ABSOLUTE = re.compile(rb".* (?=/|node:|ext:|\\\\|[A-Za-z]:[\\/]|[A-Za-z][A-Za-z0-9+-]{1,31}://)", re.DOTALL)
DATA = re.compile(rb" (?=data:[^, ]*,)")
OF_NODE = re.compile(rb" (?=internal/|native [^ ]*\Z|evalmachine\.<anonymous>|\[(?:worker )?eval\])")
DOTTED_REGEXP = re.compile(rb"RegExp\.. (?:src: '(?P<source>.*)' flags: '.*|src: '(?P<cut>.*)|(?P<odd>.*))", re.DOTALL)
HELPER = re.compile(rb"(.+) at (.*) position \d+", re.DOTALL)
WASM = re.compile(
    rb"(?:wasm-function\[|WASM_function#|wasm-to-js|js-to-wasm).*|.*-(?:liftoff|turbofan)"
    rb"|(?![~^+*-]).*[^:]-[0-9]+",
    re.DOTALL,
)

Parts = tuple[str, int, bytes, bytes, bytes, int, int]


def v8_name(name: bytes) -> Parts | None:
    """Answer as flameparse.frames.v8_name.v8_name does."""
    if match := DOTTED_REGEXP.fullmatch(name):
        source = next(group for group in match.groups() if group is not None)
        return "regexp", 0, name[:8], source, b"", -1, -1
    match = TAG.fullmatch(name)
    if name.startswith(b"RegExp.") or match is None:
        return helper_name(name)
    tag, rest = match.groups()
    kind = KINDS.get(tag.decode(), "ic" if tag.endswith(b"IC") else "unknown-tag")
    if tag.decode() not in JAVASCRIPT and kind != "unknown-tag":
        return kind, 0, tag, rest, b"", -1, -1
    if kind == "function" and WASM.fullmatch(rest):
        return "wasm", 0, tag, rest, b"", -1, -1
    tiered = TIER.fullmatch(rest)
    assert tiered is not None
    on_stack, marker, specialised, rest = tiered.groups(b"")
    tier = TIERS[marker] | 0x10 * bool(on_stack) | 0x20 * bool(specialised)
    function, file, line, column = function_and_place(rest)
    if tag == b"InterpretedFunction" and not marker:
        tier = 1
    if (
        kind == "unknown-tag"
        and line == column == -1
        and (name.endswith(b")") or name[len(tag) + 1 :].startswith(b" "))
    ):
        return None
    return kind, tier, tag, function, file, line, column


def function_and_place(text: bytes) -> tuple[bytes, bytes, int, int]:
    line = column = -1
    head = text
    placed = PLACE.fullmatch(text)
    # The last one or two numbers are the place: all numbers before them belong to the file.
    if placed:
        *pieces, last = text.split(b":")
        numbers = [last]
        if len(pieces) > 1 and re.fullmatch(rb"-?\d{1,10}", pieces[-1]):
            numbers.insert(0, pieces.pop())
        head, line = b":".join(pieces), int(numbers[0])
        column = int(numbers[1]) if len(numbers) > 1 else -1
    absolute = ABSOLUTE.match(head)
    data = DATA.search(head)
    if data and not ABSOLUTE.match(head[: data.end() + 1]):
        return head[: data.start()], head[data.end() :], line, column
    if absolute:
        return head[: absolute.end() - 1], head[absolute.end() :], line, column
    if found := OF_NODE.search(head):
        return head[: found.start()], head[found.end() :], line, column
    if placed and b" " in head:
        function, _, file = head.rpartition(b" ")
        return function, file, line, column
    if not placed and head.startswith(b" "):
        return b"", head[1:], -1, -1
    return text, b"", -1, -1


def helper_name(name: bytes) -> Parts | None:
    if name.startswith(b"<< ") and name.endswith(b" >>"):
        return "builtin", 0, b"", name, b"", -1, -1
    if match := HELPER.fullmatch(name):
        return "function", 0, b"", match[1], match[2], -1, -1
    return None
