"""What a document says of the input it was made of: damage, loss, what has no name. One reading for all who show it."""

from __future__ import annotations

from flameparse import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from flameparse.document.document import Document

# Memory that a JIT compiles into, as perf and the kernel name it.
_ANONYMOUS = (b"//anon", b"[anon")


def damage(document: Document) -> str | None:
    """Say in one line what was wrong with the inputs of a document; None for sound ones.

    Args:
        document: as ``load`` gives it, or read from a file that was written of a damaged input.
    """
    found = document.diagnostics
    parts = [str(text) for text in as_list(found.get("damage"))]
    lines = as_list(found.get("unknown_line_numbers"))
    at = f" (line {', '.join(map(str, lines))}{', ...' if as_int(found.get('unknown_lines')) > len(lines) else ''})"
    for key, what in (
        ("unknown_lines", "lines not understood" + at),
        ("long_lines", f"lines longer than {limits.MAX_LINE_BYTES} bytes, cut there"),
        ("cut_stacks", f"stacks deeper than {limits.MAX_STACK_FRAMES} frames, cut there"),
        ("cut_names", "names past the length cap, cut there"),
        ("impossible_periods", "samples dropped for a period past 2**63 - 1"),
        ("uncounted_stacks", "stacks without a count, dropped"),
        ("rare_samples", "samples of rare stacks folded into [other] at the memory cap"),
    ):
        if count := as_int(found.get(key)):
            parts.append(f"{count} {what}")
    return "; ".join(parts) or None


def modules(document: Document) -> list[dict[str, Any]]:
    """What a document says of the DSOs its frames were resolved in.

    Returns:
        For each ``path``, ``build_id`` (raw), ``frames``, ``named`` and ``ambiguous`` (each frame counted as often as
        it stands in a sample; ambiguous are those where a perf map has several functions, none in older documents),
        the ``file`` that gave the names and the ``reason`` why it did not give all.
    """
    found = []
    for row in as_list(document.diagnostics.get("modules")):
        if isinstance(row, dict) and isinstance(row.get("path"), bytes):
            try:
                build_id = bytes.fromhex(str(row.get("build_id")))
            except ValueError:
                build_id = b""
            text = {key: str(row.get(key) or "") for key in ("file", "reason")}
            counts = {key: as_int(row.get(key)) for key in ("frames", "named", "ambiguous")}
            found.append({"path": row["path"], "build_id": build_id, **counts, **text})
    return found


def warnings(document: Document, *, told: Collection[str] = ()) -> list[str]:
    """Say, a line each, what of a sound input more than one percent is missing, or has no name or a doubtful one.

    Args:
        document: as for ``damage``.
        told: kinds of missing frames in JavaScript that are said elsewhere; here only what goes beyond them is.
    """
    found = document.diagnostics
    seen, lost = as_int(found.get("samples_seen")), as_int(found.get("lost"))
    frames, unnamed = as_int(found.get("frames_seen")), as_int(found.get("frames_unnamed"))
    dropped = found.get("dropped")
    counts = {**found, **(dropped if isinstance(dropped, dict) else {})}
    survey = found.get("javascript")
    javascript = survey if isinstance(survey, dict) else {}
    rows = [row for row in modules(document) if row["frames"] > row["named"]]
    cut, nameless = "", "have no name"
    if "truncated" in told:
        counts["truncated_stacks"] = as_int(found.get("truncated_stacks")) - as_int(javascript.get("at_limit"))
        cut = "are of threads without JavaScript and "
    if "unresolved" in told:
        unnamed -= as_int(javascript.get("unresolved_frames"))
        nameless = "are not JavaScript's and have no name"
        maps = tuple(f"/perf-{pid}.map".encode() for pid in as_list(javascript.get("unresolved_pids")))
        rows = [row for row in rows if not row["path"].endswith(maps) and not row["path"].startswith(_ANONYMOUS)]
    lines = []
    tags = found.get("unknown_tags")
    if isinstance(tags, dict) and tags:
        named = ", ".join(f"{tag} ({count} frames)" for tag, count in tags.items())
        lines.append(f"V8 wrote tags that this version of flameparse does not know, kept as they are: {named}")
    if negative := as_int(found.get("negative_values")):
        lines.append(f"{negative} values are below zero: by their size, they are the event 'negative values'")
    if late := as_int(found.get("late_samples")):
        lines.append(f"{late} samples are earlier than the one before: they were put in order of time")
    if other := as_int(found.get("other_lines")):
        lines.append(f"{other} lines are no stacks: distributions, or what the script itself printed")
    if lost * 100 > seen + lost:
        lines.append(
            f"{_percent(lost, seen + lost)} of the samples were lost while recording ({lost} of {seen + lost})"
        )
    for key, what in (
        ("truncated_stacks", cut + "end at the recording's depth cap, so their callers are missing"),
        (
            "not_unwound",
            "carry a copy of the user stack (--call-graph dwarf), which is not unwound: "
            "only the function they were in is shown",
        ),
        (
            "early_samples",
            "were decoded before all was read that their processes had mapped by then: "
            "a larger --max-memory, or a file instead of a pipe, would do",
        ),
        ("unknown event", "are of no event that the recording describes"),
    ):
        count = as_int(counts.get(key))
        if count * 100 > seen:
            lines.append(f"{_percent(count, seen)} of the samples {what}")
    if (ambiguous := as_int(found.get("ambiguous_frames"))) * 100 > frames:
        lines.append(
            f"{_percent(ambiguous, frames)} of the frames stand where a perf map has several functions, one after the "
            "other: the last is taken; node --perf-prof under perf record -k mono has exact names"
        )
    if unnamed * 100 > frames:
        line = f"{_percent(unnamed, frames)} of the frames {nameless}"
        if rows:
            worst = max(rows, key=lambda row: row["frames"] - row["named"])
            path = worst["path"].decode("utf-8", "backslashreplace")
            line += f", most of them in {path}" + (f": {worst['reason']}" if worst["reason"] else "")
        lines.append(line)
    return lines


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def as_list(value: object) -> list[object]:
    """Take a value of a document for a list; anything else is an empty one."""
    return value if isinstance(value, list) else []


def as_int(value: object) -> int:
    """Take a value of a document for a count; anything else is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
