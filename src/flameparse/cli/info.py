"""``flameparse info``: what is in a trace, and what of it was dropped, lost or not understood."""

from __future__ import annotations

from flameparse.cli import exit_codes
from flameparse.cli.options import add_inputs, add_selection, add_symbols
from flameparse.cli.output import load_inputs, print_json
from flameparse.cli.terminal import table, term_safe, write_out
from flameparse.document.account import modules
from flameparse.document.document import NONE, UNKNOWN_ID, EventUnit
from flameparse.missing_frames.remedies import findings, node_versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from flameparse.cli.options import Parser
    from flameparse.cli.terminal import Console
    from flameparse.document.document import Document

_PROCESSES_LISTED = 30
_MODULES_LISTED = 30

USAGE = "[OPTION]... [IN]..."
EPILOG = """example:
  flameparse info --json big.perf.txt
"""


def add_arguments(parser: Parser) -> None:
    """Add what ``info`` takes."""
    add_inputs(parser)
    parser.add_argument_group("table").add_argument("--json", action="store_true", help="everything, as JSON")
    add_selection(parser)
    add_symbols(parser)


def run(args: Namespace, console: Console) -> int:
    """Print what the inputs hold."""
    document, code = load_inputs(args, console, keeps_hidden=True, tells_javascript=True)
    if code == exit_codes.UNUSABLE:
        return code
    summary = summarise(document)
    if args.json:
        print_json(summary)
    else:
        write_out(_as_text(summary))
    return code


def summarise(document: Document) -> dict[str, Any]:
    """Gather what a document says of itself, as values that JSON can hold.

    Returns:
        Names as text, times in nanoseconds; processes with the most samples first.
    """
    events = [[0, 0] for _ in document.event_name]
    processes: dict[tuple[str, int | None], int] = {}
    labels = [
        ("[unknown]" if comm == NONE else _plain(document.string(comm)), None if pid == UNKNOWN_ID else pid)
        for comm, pid in zip(document.thread_comm, document.thread_pid, strict=True)
    ]
    for event, thread, samples, weight in zip(
        document.total_event, document.total_thread, document.total_samples, document.total_period, strict=True
    ):
        events[event][0] += samples
        events[event][1] += weight
        if thread != NONE:
            label = labels[thread]
            processes[label] = processes.get(label, 0) + samples
    ranked = sorted(processes.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or 0))
    javascript = document.diagnostics.get("javascript")
    missing = findings(javascript, document.meta, modules(document)) if isinstance(javascript, dict) else []
    return {
        "events": [
            {"name": _plain(document.string(name)), "samples": samples, "weight": weight, "unit": EventUnit.NAMES[unit]}
            for name, unit, (samples, weight) in zip(document.event_name, document.event_unit, events, strict=True)
        ],
        "processes": [{"comm": comm, "pid": pid, "samples": samples} for (comm, pid), samples in ranked],
        "threads": len(document.thread_pid),
        "stacks": len(document.stack_parent),
        "frames": len(document.frame_name),
        "has_timeline": document.timeline is not None,
        "missing_frames": [finding.to_json() for finding in missing],
        "meta": _plain(document.meta),
        "diagnostics": _plain(document.diagnostics),
    }


def _plain(value: Any) -> Any:
    r"""Turn the bytes in a value into text, since JSON has none; bytes that are no UTF-8 become ``\xNN``."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


# What a recording says of itself: key in the document's meta to name in the table.
_FACTS = {
    "command": "command", "captured_on": "captured on", "host": "host", "kernel": "kernel", "arch": "arch",
    "cpu": "cpu",
    "perf_version": "perf version",
}  # fmt: skip


# What a recording's records were counted as: key in the document's diagnostics to name in the table.
_COUNTS = {
    "truncated_stacks": "stacks at the depth cap",
    "not_unwound": "stack copies not unwound",
    "bad_chains": "chains of no use",
    "deferred_chains": "chains without a user part",
    "early_samples": "samples decoded too early",
    "throttled": "times throttled",
    "unknown_records": "records of unknown kind",
    "records_of_unknown_events": "records of unknown events",
    "malformed_records": "records too short",
    "unverified_files": "files taken without a build id",
    "ambiguous_frames": "frames with several JIT names",
    "late_samples": "samples put in order of time",
    "unsampled_ns": "nanoseconds before the first sample",
}


def _as_text(summary: dict[str, Any]) -> str:
    account, meta = summary["diagnostics"], summary["meta"]
    dropped = account.get("dropped", {})
    facts = [
        ("samples seen", f"{account.get('samples_seen', 0):,}"),
        ("samples folded", f"{account.get('samples_folded', 0):,}"),
        ("samples dropped", f"{sum(dropped.values()):,}"),
        *((f"  {reason}", f"{count:,}") for reason, count in sorted(dropped.items())),
        ("samples lost", f"{account.get('lost', 0):,}"),
        *((("frames without a name", _share(account)),) if account.get("frames_seen") else ()),
        *((name, f"{account[key]:,}") for key, name in _COUNTS.items() if account.get(key)),
        ("unknown lines", _unknown_lines(account)),
        *((("rounded weights", f"{account['rounded_lines']:,}"),) if account.get("rounded_lines") else ()),
        *(("damage", str(text)) for text in account.get("damage", [])),
    ]
    facts += [(name, str(meta[key])) for key, name in _FACTS.items() if key in meta]
    facts += [("view", text) for text in _view(meta.get("view"))]
    if "first_time_ns" in meta:
        first, last = meta["first_time_ns"], meta["last_time_ns"]
        facts.append(("time", f"{_seconds(first)} to {_seconds(last)} ({_seconds(last - first)} s)"))
    facts += [("threads", f"{summary['threads']:,}"), ("distinct stacks", f"{summary['stacks']:,}")]
    facts.append(("distinct frames", f"{summary['frames']:,}"))
    width = max(len(name) for name, _ in facts)
    events = [[f"{e['samples']:,}", f"{e['weight']:,}", e["unit"], e["name"]] for e in summary["events"]]
    processes = [
        [f"{process['samples']:,}", "?" if process["pid"] is None else str(process["pid"]), process["comm"]]
        for process in summary["processes"][:_PROCESSES_LISTED]
    ]
    more = len(summary["processes"]) - len(processes)
    module_rows = [_module_row(row) for row in account.get("modules", [])[:_MODULES_LISTED]]
    more_modules = len(account.get("modules", [])) - len(module_rows)
    return (
        "".join(f"{term_safe(name):<{width}}  {term_safe(value)}\n" for name, value in facts)
        + f"\n{table(['samples', 'weight', 'unit', 'event'], events)}"
        + f"\n{table(['samples', 'pid', 'process'], processes)}"
        + (f"and {more:,} more (--json lists all)\n" if more else "")
        + (f"\n{table(['frames', 'named', 'module', 'names from, or why not'], module_rows)}" if module_rows else "")
        + (f"and {more_modules:,} more (--json lists all)\n" if more_modules else "")
        + (_missing(account["javascript"], summary["missing_frames"]) if "javascript" in account else "")
    )


def _view(view: object) -> list[str]:
    """Say what of the stacks the document asks to leave out or to join."""
    return [
        f"{key.replace('_', ' ')}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in (view.items() if isinstance(view, dict) else ())
    ]


def _missing(javascript: dict[str, Any], missing: list[dict[str, Any]]) -> str:
    """Say what the JavaScript of a profile lacks, why, and what mends it."""
    lines = [f"JavaScript in {javascript['samples']:,} samples, by {node_versions(javascript)}"]
    for each in missing:
        lines.append(f"{each['share']:>7}  {each['what']}")
        lines += (f"{'':9}{text}" for text in (f"why: {each['why']}", f"remedy: {each['remedy']}"))
    return "\n" + "".join(f"{term_safe(line)}\n" for line in lines)


def _module_row(row: dict[str, Any]) -> list[str]:
    share = f"{100 * row['named'] / row['frames']:.1f} %" if row["frames"] else ""
    is_whole = row["file"] and row["named"] == row["frames"]
    why = row["file"] if is_whole or not row["reason"] else row["reason"]
    return [f"{row['frames']:,}", share, row["path"], why]


def _share(account: dict[str, Any]) -> str:
    unnamed, seen = account.get("frames_unnamed", 0), account["frames_seen"]
    return f"{unnamed:,} of {seen:,} ({100 * unnamed / seen:.1f} %)"


def _unknown_lines(account: dict[str, Any]) -> str:
    count, first = account.get("unknown_lines", 0), account.get("unknown_line_numbers", [])
    return f"{count:,}" + (f" (first at line {', '.join(map(str, first))})" if first else "")


def _seconds(time_ns: int) -> str:
    sign, whole = ("-", -time_ns) if time_ns < 0 else ("", time_ns)
    return f"{sign}{whole // 1_000_000_000}.{whole % 1_000_000_000:09}"
