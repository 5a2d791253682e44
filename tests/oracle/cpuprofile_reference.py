"""A CPU profile read slowly and plainly, with recursion and dicts: what the decoder is compared with."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any


def name_of(node: dict[str, Any]) -> str:
    """Write a frame as V8 names its code, with lines and columns from 1; the old form has them so."""
    call, first = (node["callFrame"], 1) if "callFrame" in node else (node, 0)
    name = call["functionName"].replace("(anonymous function)", "") or "(anonymous)"
    place = [str(call[key] + first) for key in ("lineNumber", "columnNumber") if call[key] + first > 0]
    url = call["url"]
    return (f"{name} {':'.join([url, *place])}" if url or place else name).replace(";", ":")


def paths(
    node: dict[str, Any], nodes: dict[int, dict[str, Any]], above: tuple[str, ...] = ()
) -> dict[int, tuple[str, ...]]:
    """Say of a node and all below it which frames lead there, the root of all not among them."""
    found = {node["id"]: above}
    for child in node.get("children", ()):
        child = child if isinstance(child, dict) else nodes[child]
        found |= paths(child, nodes, (*above, name_of(child)))
    return found


def samples(content: bytes) -> list[tuple[int, int, tuple[str, ...]]]:
    """Give time, weight and frames of every sample, in order of time; time and weight in nanoseconds."""
    profile = json.loads(content)
    nodes = {node["id"]: node for node in profile.get("nodes", ())}
    for node in nodes.values():
        if "parent" in node:
            nodes[node["parent"]].setdefault("children", []).append(node["id"])
    root = profile["head"] if "head" in profile else next(n for n in nodes.values() if name_of(n) == "(root)")
    found = paths(root, nodes)
    clock = profile["startTime"]
    taken = []
    for id, number in zip(profile["samples"], profile.get("timeDeltas") or profile["timestamps"], strict=True):
        clock = clock + number if "timeDeltas" in profile else number
        taken.append((clock, found[id]))
    taken.sort(key=lambda sample: sample[0])
    end = round(profile["endTime"] * (1_000_000 if "head" in profile else 1))
    until = [time for time, _ in taken[1:]] + [end]
    return [(time * 1000, (after - time) * 1000, path) for (time, path), after in zip(taken, until, strict=True)]


def fold(content: bytes) -> bytes:
    """Fold into `frame;frame weight` lines sorted by stack."""
    totals: Counter[bytes] = Counter()
    for _, weight, path in samples(content):
        totals[";".join(path).encode()] += weight
    return b"".join(b"%s %d\n" % item for item in sorted(totals.items()))
