"""Count what JavaScript lacks in a `perf script` text: a slow second opinion on ``missing_frames.survey``.

Written from the definitions alone, sample by sample over the printed lines; it shares no code with the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEADER = re.compile(r"^(?P<comm>\S.*?)\s+(?:(?P<pid>\d+)/)?(?P<tid>\d+)\s+(?:\[\d+\]\s+)?[\d.]+:")
_FRAME = re.compile(r"^\s+[0-9a-f]+ (?P<symbol>.*) \((?P<module>.*)\)$")
_FROM_MAP = re.compile(r"^(JS|LazyCompile|Function|InterpretedFunction|Script|Eval):|^RegExp(\.[<>])?:")
_BUILTIN = re.compile(r"^(Builtins_|Builtin:|BytecodeHandler:|Stub:|Handler:|\w*IC:)")
_HANDLER = re.compile(r"^(Builtins_\w+Handler|BytecodeHandler:.*|Handler:UnknownBytecodeH.*)$")
_TRAMPOLINE = re.compile(r"^Builtins?[_:]InterpreterEntryTrampoline$")
_INTERPRETED = re.compile(r"^(InterpretedFunction:|\w+:~)")
_STARTS = re.compile(
    r"^(main|start|_start|start_thread|thread_start|clone\w*|__clone\w*|__libc_start_\w+|_dl_start\w*)$"
)

KEYS = (
    "samples", "interpreted", "interpreted_frames", "interpreted_innermost", "interpreted_leaf", "handlers",
    "unresolved", "unresolved_frames", "named", "interpreted_named", "thread_samples", "at_limit", "truncated",
    "broken",
)  # fmt: skip

Sample = tuple[str, str, list[tuple[str, str]]]


def samples_of(text: str) -> Iterator[Sample]:
    """Yield comm, tid and (symbol, module) pairs, leaf first."""
    header, frames = None, []
    for line in [*text.split("\n"), ""]:
        if not line:
            if header is not None:
                yield header["comm"], header["tid"], frames
            header, frames = None, []
        elif line[0] not in " \t#":
            header = _HEADER.match(line)
        elif match := _FRAME.match(line):
            frames.append((re.sub(r"\+0x[0-9a-f]+$", "", match["symbol"]), match["module"]))


def is_code(frame: tuple[str, str]) -> bool:
    """Whether V8 made it, by name."""
    return bool(_FROM_MAP.match(frame[0]) or _BUILTIN.match(frame[0]))


def is_nameless(frame: tuple[str, str]) -> bool:
    """Whether a JIT made it and nothing names it."""
    return frame[0] == "[unknown]" and bool(re.match(r"(.*/perf-\d+\.map$|//anon|\[anon)", frame[1]))


def is_v8(frame: tuple[str, str]) -> bool:
    """Whether V8 is at work in the process."""
    return is_code(frame) or "v8::" in frame[0] or frame[1].rpartition("/")[2] == "node"


def is_rooted(frames: list[tuple[str, str]]) -> bool:
    """Whether the stack begins where processes, threads or the kernel do."""
    symbol, module = frames[-1]
    return bool(
        _STARTS.match(symbol) or module.startswith("[kernel")
        or (symbol == "[unknown]" and len(frames) > 1 and re.search(r"/(libc[.-]|ld-|libpthread)[^/]*$", module))
    )  # fmt: skip


def count(text: str, *, max_stack: int = 127) -> dict[str, int]:
    """Count as ``survey`` does; keys that need more than lines are not there."""
    counts = dict.fromkeys(KEYS, 0)
    samples = [sample for sample in samples_of(text) if sample[2]]
    running = set()
    with_v8 = {comm for comm, _, frames in samples if any(is_v8(frame) for frame in frames)}
    for comm, tid, frames in samples:
        called = [frame for frame in frames if not frame[1].startswith("[kernel")]
        nameless = sum(is_nameless(frame) for frame in frames) if comm in with_v8 else 0
        if not nameless and not any(is_code(frame) for frame in frames):
            continue
        running.add((comm, tid))
        trampolines = sum(bool(_TRAMPOLINE.match(name)) for name, _ in frames)
        functions = [
            name for name, module in frames
            if _TRAMPOLINE.match(name) or is_nameless((name, module))
            or (_FROM_MAP.match(name) and not name.startswith("RegExp"))
        ]  # fmt: skip
        is_innermost = trampolines and _TRAMPOLINE.match(functions[0])
        leaf = called[0][0]
        counts["samples"] += 1
        counts["interpreted"] += trampolines > 0
        counts["interpreted_frames"] += trampolines
        counts["interpreted_innermost"] += bool(is_innermost)
        counts["handlers"] += _HANDLER.match(leaf) is not None
        counts["interpreted_leaf"] += bool(is_innermost and (_HANDLER.match(leaf) or _TRAMPOLINE.match(leaf)))
        counts["unresolved"] += nameless > 0
        counts["unresolved_frames"] += nameless
        counts["named"] += any(_FROM_MAP.match(name) for name, _ in frames)
        counts["interpreted_named"] += any(_INTERPRETED.match(name) for name, _ in frames)
    for comm, tid, frames in samples:
        if (comm, tid) in running:
            counts["thread_samples"] += 1
            counts["at_limit"] += len(frames) == max_stack
            if not is_rooted(frames):
                counts["truncated" if len(frames) == max_stack else "broken"] += 1
    return counts
