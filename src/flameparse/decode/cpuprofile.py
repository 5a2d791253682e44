"""V8's sampling profiler, the JSON of ``node --cpu-prof``, Chrome's developer tools and the inspector, to tables.

Layout, as the inspector protocol has it since Node 8::

    {"nodes": [{"id": 1, "callFrame": {"functionName": "(root)", "scriptId": "0", "url": "", "lineNumber": -1,
                                       "columnNumber": -1}, "hitCount": 0, "children": [2]}, ...],
     "startTime": 23834991273, "endTime": 23835382024,    microseconds
     "samples": [2, 2, 7, ...],                           ids of the innermost frames
     "timeDeltas": [19156, 5608, 1242, ...]}              microseconds before each sample

A node may name its ``parent`` in place of its children. Before, the nodes were one tree, each within its caller, with
the keys of the call frame in the node itself, lines and columns from 1 and not 0, the two times in seconds::

    {"head": {"functionName": "(root)", ..., "id": 1, "hitCount": 0, "children": [{...}, ...]},
     "startTime": 23834.99, "endTime": 23835.38, "samples": [...], "timestamps": [23835010429, ...]}

Either may lack the samples, or their times; what is left is counted. ``positionTicks`` (lines within functions),
``deoptReason`` and ``scriptId`` are left out on purpose: no other input knows the like.
Source: v8/include/js_protocol.pdl, domain Profiler.

A sample stands for the time until the next one, the last until the end, so the weights sum to the time from the first
sample to the end; what was before the first is counted as ``unsampled_ns``. Some deltas are below zero, where V8
was late to write a sample down: samples are put in order of time, and these are counted as ``late_samples``.

What a frame is, its name and kind tell later on, but for what only a whole profile or this format tells:

- a function without a file is one that is written in C++, ``read`` no less than ``pbkdf2Job``: class ``cpp``;
- ``(program)``, code that is not JavaScript, and ``(idle)``, none at all, are ``unresolved``, so that hiding ``cpp``
  hides neither; ``(garbage collector)`` is ``v8``;
- Node gives its own files bare names up to version 14 (``zlib.js``) and ``node:zlib`` since. Where no file begins with
  ``node:``, bare names are those of Node.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import accumulate, pairwise

from flameparse import limits
from flameparse.errors import MalformedError, TruncatedError, UnsupportedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from flameparse.model.profile import Profile

    Json = dict[str, Any]

_FORMAT = "V8 CPU profile"

_NONE = 0xFFFF_FFFF
_KIND_USER, _KIND_JIT = 0, 2
_CLASS_BY_NAME, _CLASS_WASM, _CLASS_CPP = 0, 7, 14
_UNIT_SAMPLES, _UNIT_NANOSECONDS = 0, 2

# Functions without a file that nobody wrote, and how those begin that lead to and from WebAssembly.
_OF_V8 = ("(program)", "(idle)", "(garbage collector)", "GenericJSToWasmWrapper")
_WASM_GLUE = ("js-to-wasm", "js_to_wasm", "wasm-to-js")

# Frames that V8 takes down of a stack: one that has so many may have had more.
_V8_STACK_FRAMES = 255

# In microseconds, on either side of zero, so that the difference of two is a weight; 146 years.
_LAST_TIME = ((1 << 62) - 1) // 1000

_LAST_LINE = (1 << 31) - 1

# Places of stacks that are not known yet.
_UNSEEN, _ON_PATH = -1, -2


def decode_cpu_profile(
    content: bytes,
    profile: Profile,
    *,
    thread: int = _NONE,
    needs_times: bool = False,
    class_of: Callable[[bytes], int] | None = None,
) -> None:
    """Fill a Profile from a CPU profile.

    Args:
        content: all of the file.
        profile: empty, with the window set. Its frames will have the names they are printed under.
        thread: row of the thread that it is of.
        needs_times: whether samples without a time are of no use.
        class_of: classifies a function by its name in the perf map of an old Node, ``emit events.js:262``; without it
            the files of old versions are somebody's.

    Raises:
        DecodeError: it is cut short, is no JSON or no CPU profile, or contradicts itself.
        UsageError: it has no times, and they are needed.
        OverflowError: the samples sum past 2**63 - 1.
    """
    recorded = _read_json(content)
    # What a program got of the inspector is often saved with the answer around it.
    for key in ("result", "profile"):
        if isinstance(recorded, dict) and "nodes" not in recorded and "head" not in recorded:
            recorded = recorded.get(key, recorded)
    if not isinstance(recorded, dict) or ("nodes" not in recorded and "head" not in recorded):
        _refuse("neither nodes nor head")
    is_nested = "nodes" not in recorded
    nodes, parents = _nested_nodes(recorded) if is_nested else _listed_nodes(recorded)
    stacks, depths = _add_stacks(nodes, parents, profile, class_of)
    samples = _get(recorded, "samples", list, "the profile", [])
    if samples:
        places = _places_of_samples(samples, _places_of_ids(nodes))
        hits = Counter(places)
    else:
        hits = Counter({place: _hit_count(node, place) for place, node in enumerate(nodes)})
    account = profile.diagnostics
    account.count("cut_stacks", sum(n for place, n in hits.items() if depths[place] > limits.MAX_STACK_FRAMES))
    account.count("truncated_stacks", sum(n for place, n in hits.items() if depths[place] >= _V8_STACK_FRAMES))
    times = _times(recorded, len(samples), 1_000_000 if is_nested else 1) if samples else []
    if times:
        _add_samples(places, times, stacks, thread, profile)
    elif needs_times:
        raise UsageError("this CPU profile does not say when its samples were taken")
    else:
        if sum(hits.values()) > limits.MAX_TOTAL_WEIGHT:
            raise OverflowError("the hit counts sum past 2**63 - 1")
        event = profile.events.add(profile.strings.add(b"cpu-profile-hits"), _UNIT_SAMPLES)
        for place, count in hits.items():
            if count:
                profile.samples.add_sum(event, stacks[place], count, thread=thread)


def _read_json(content: bytes) -> Any:
    """Read JSON, which a byte order mark may precede.

    Raises:
        TruncatedError, MalformedError: it is none.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedError(f"no UTF-8: {error.reason}", format_name=_FORMAT, offset=error.start) from error
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        whole = text.rstrip()
        if error.pos >= len(whole) or not whole.endswith("}"):
            raise TruncatedError("the JSON ends early", format_name=_FORMAT, offset=len(content)) from error
        offset = len(content) - len(text[error.pos :].encode())
        raise MalformedError(f"no JSON: {error.msg}", format_name=_FORMAT, offset=offset) from error
    except RecursionError as error:
        raise MalformedError("values nested too deep", format_name=_FORMAT) from error
    except MalformedError:
        raise
    except ValueError as error:  # Python reads no number of thousands of digits
        raise MalformedError(str(error), format_name=_FORMAT) from error


def _refuse_constant(text: str) -> NoReturn:
    _refuse(f"{text} where a number should be")


def _refuse(what: str) -> NoReturn:
    raise MalformedError(what, format_name=_FORMAT)


def _shown(value: object) -> str:
    """Show a value of any size and depth in a few characters."""
    return repr(value)[:40] if isinstance(value, (str, int, float)) else type(value).__name__


def _get(owner: Json, key: str, kind: type, where: str, default: Any) -> Any:
    """Look up a value that must be of one type; null is as good as nothing."""
    value = owner.get(key)
    if value is None:
        return default
    if type(value) is not kind:
        _refuse(f"{where}: {key} is {_shown(value)}")
    return value


def _hit_count(node: Json, place: int) -> int:
    count: int = _get(node, "hitCount", int, f"nodes[{place}]", 0)
    if count < 0:
        _refuse(f"nodes[{place}]: hitCount is {_shown(count)}")
    return count


def _listed_nodes(recorded: Json) -> tuple[list[Json], list[int]]:
    """Take the nodes as they are listed, and for each the place of its caller, -1 for none."""
    nodes = _get(recorded, "nodes", list, "the profile", [])
    for place, node in enumerate(nodes):
        if type(node) is not dict:
            _refuse(f"nodes[{place}] is {_shown(node)}")
    places = _places_of_ids(nodes)
    parents = [-1] * len(nodes)

    def link(child: object, parent: object, what: str) -> None:
        if type(child) is not int or type(parent) is not int or child not in places or parent not in places:
            _refuse(f"{what} is no node")
        if parents[places[child]] not in (-1, places[parent]):
            _refuse(f"{what}: this node has another caller already")
        parents[places[child]] = places[parent]

    for place, node in enumerate(nodes):
        for child in _get(node, "children", list, f"nodes[{place}]", ()):
            link(child, node["id"], f"nodes[{place}]: child {_shown(child)}")
        if node.get("parent") is not None:
            link(node["id"], node["parent"], f"nodes[{place}]: parent {_shown(node['parent'])}")
    return nodes, parents


def _nested_nodes(recorded: Json) -> tuple[list[Json], list[int]]:
    """Take the nodes out of each other, callers first, and for each the place of its caller."""
    nodes = [_get(recorded, "head", dict, "the profile", {})]
    if "selfSize" in nodes[0]:
        raise UnsupportedError(
            "this is a heap profile, which is not read; flameparse reads CPU profiles", format_name=_FORMAT
        )
    parents = [-1]
    for place, node in enumerate(nodes):
        for child in _get(node, "children", list, f"nodes[{place}]", ()):
            if type(child) is not dict:
                _refuse(f"nodes[{place}]: a child is {_shown(child)}")
            nodes.append(child)
            parents.append(place)
    return nodes, parents


def _places_of_ids(nodes: list[Json]) -> dict[int, int]:
    places: dict[int, int] = {}
    for place, node in enumerate(nodes):
        id = node.get("id")
        if type(id) is not int:
            _refuse(f"nodes[{place}]: id is {_shown(id)}")
        if id in places:
            _refuse(f"nodes[{place}]: id {_shown(id)} is that of nodes[{places[id]}] too")
        places[id] = place
    return places


def _places_of_samples(samples: list[object], places_of_ids: dict[int, int]) -> list[int]:
    places = [places_of_ids.get(id, -1) if type(id) is int else -1 for id in samples]
    if -1 in places:
        at = places.index(-1)
        _refuse(f"samples[{at}] is {_shown(samples[at])}, which is no node")
    return places


def _add_stacks(
    nodes: list[Json], parents: list[int], profile: Profile, class_of: Callable[[bytes], int] | None
) -> tuple[list[int], list[int]]:
    """Add the stack of every node; returns their ids, and how many frames they have or would have without the cap."""
    stacks = [_UNSEEN] * len(nodes)
    depths = [0] * len(nodes)
    calls = [_call(node, place) for place, node in enumerate(nodes)]
    if any(url.startswith("node:") for _, url, _, _ in calls):
        class_of = None
    known: dict[tuple[object, ...], int] = {}
    for at in range(len(nodes)):
        path = []
        while at >= 0 and stacks[at] == _UNSEEN:
            stacks[at] = _ON_PATH
            path.append(at)
            at = parents[at]
        if at >= 0 and stacks[at] == _ON_PATH:
            _refuse(f"nodes[{at}] is among its own callers")
        for place in reversed(path):
            parent = parents[place]
            stacks[place] = stacks[parent] if parent >= 0 else _NONE
            call = calls[place]
            if parent < 0 and call[0] == "(root)":
                continue
            depths[place] = 1 + (depths[parent] if parent >= 0 else 0)
            if depths[place] <= limits.MAX_STACK_FRAMES:
                frame = known.get(call)
                if frame is None:
                    frame = known[call] = _add_frame(profile, *call, class_of)
                stacks[place] = profile.stacks.add(stacks[place], frame)
    return stacks, depths


def _call(node: Json, place: int) -> tuple[str, str, int, int]:
    """Read function, file, and line and column from 1, which are less where there is none."""
    where = f"nodes[{place}]"
    call = _get(node, "callFrame", dict, where, None)
    first = 1
    if call is None:
        call, first = node, 0
    line, column = (_get(call, key, int, where, -1) for key in ("lineNumber", "columnNumber"))
    if max(line, column) > _LAST_LINE:
        _refuse(f"{where}: there is no line {_shown(line)} or no column {_shown(column)}")
    name, url = (_get(call, key, str, where, "") for key in ("functionName", "url"))
    return name, url, line + first, column + first


def _add_frame(
    profile: Profile, function: str, url: str, line: int, column: int, class_of: Callable[[bytes], int] | None
) -> int:
    """Add a frame that is called as V8 calls its code in a perf map, but for the tag and tier.

    Layout: ``fib /app/a.js:4:14``, ``(anonymous) node:fs:1:1``, ``run :1:20`` (eval), ``openFileHandle`` (native code)
    """
    # What V8 called them up to 2017.
    name = "(anonymous)" if function in ("", "(anonymous function)") else function
    if url or line > 0:
        name += f" {url}" + (f":{line}" if line > 0 else "")
    kind = _KIND_JIT if url or line > 0 or function.startswith("RegExp: ") else _KIND_USER
    frame_class = _CLASS_BY_NAME
    if function.startswith(_WASM_GLUE) or url.startswith("wasm "):
        frame_class = _CLASS_WASM
    elif kind == _KIND_USER and function not in _OF_V8:
        frame_class = _CLASS_CPP
    elif class_of is not None and url and "/" not in url:
        frame_class = class_of(name.encode("utf-8", "backslashreplace"))
    if line > 0 and column > 0:
        name += f":{column}"
    text = name.encode("utf-8", "backslashreplace")
    if len(text) > limits.MAX_NAME_BYTES:
        from hashlib import blake2b

        digest = blake2b(text, digest_size=8).digest()
        profile.diagnostics.cut_names.add(int.from_bytes(digest, "little"))
        text = text[: limits.MAX_NAME_BYTES - 17] + b"#" + digest.hex().encode()
    return profile.frames.add(profile.strings.add(text), _NONE, kind, frame_class=frame_class)


def _number(recorded: Json, key: str, scale: int) -> float | None:
    """Look up a time of the whole profile, in microseconds."""
    value = recorded.get(key)
    if value is not None and (type(value) not in (int, float) or not -_LAST_TIME <= value * scale <= _LAST_TIME):
        _refuse(f"{key} is {_shown(value)}")
    return None if value is None else value * scale


def _times(recorded: Json, count: int, scale: int) -> list[int]:
    """Say when the profile began, when each sample was taken and when all ended; nothing where it does not say.

    Args:
        recorded: the profile.
        count: of its samples, one at least.
        scale: microseconds in the unit of its own two times.

    Returns:
        Nanoseconds, in the order of the samples.
    """
    start, end = _number(recorded, "startTime", scale), _number(recorded, "endTime", scale)
    key = "timestamps" if recorded.get("timeDeltas") is None else "timeDeltas"
    numbers = _get(recorded, key, list, "the profile", [])
    if not numbers:
        return []
    if len(numbers) != count:
        _refuse(f"{len(numbers)} {key} for {count} samples")
    for at, number in enumerate(numbers):
        if type(number) not in (int, float) or not -_LAST_TIME <= number <= _LAST_TIME:
            _refuse(f"{key}[{at}] is {_shown(number)}")
    if key == "timeDeltas":
        numbers = list(accumulate(numbers, initial=start or 0))[1:]
        if min(numbers) < -_LAST_TIME or max(numbers) > _LAST_TIME:
            _refuse("timeDeltas sum past 146 years")
    first, last = min(numbers), max(numbers)
    times = (first if start is None else start, *numbers, last if end is None else max(end, last))
    return [round(time * 1000) for time in times]


def _add_samples(places: list[int], times: list[int], stacks: list[int], thread: int, profile: Profile) -> None:
    """Add every sample with the time it stands for.

    Args:
        places: of the nodes the samples are in.
        times: of the start, the samples and the end.
        stacks: of the nodes.
        thread: of all.
        profile: to fill.
    """
    start, *times, end = times
    late = sum(time < before for before, time in pairwise(times))
    if late:
        order = sorted(range(len(times)), key=times.__getitem__)
        places = [places[at] for at in order]
        times.sort()
    profile.diagnostics.count("late_samples", late)
    profile.diagnostics.count("unsampled_ns", max(0, times[0] - start))
    event = profile.events.add(profile.strings.add(b"cpu-profile"), _UNIT_NANOSECONDS)
    add = profile.samples.add_row
    for place, time, until in zip(places, times, (*times[1:], end), strict=True):
        add(event, thread, stacks[place], until - time, time_ns=time)
    profile.diagnostics.drop("outside the window", profile.samples.outside_window)
