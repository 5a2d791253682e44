"""``flameparse report``: the functions that cost most, by themselves and with what they call."""

from __future__ import annotations

from flameparse.cli.options import (
    add_classes,
    add_inputs,
    add_naming,
    add_selection,
    add_symbols,
    add_weight,
    chosen_event,
    parse_count,
)
from flameparse.cli.output import load_inputs, note_other_events, print_json
from flameparse.cli.terminal import table, term_safe, write_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from flameparse.cli.options import Parser
    from flameparse.cli.terminal import Console
    from flameparse.document.tree import Tree

USAGE = "[OPTION]... [IN]..."
EPILOG = """example:
  perf script | flameparse report --sort total --limit 20
"""


def add_arguments(parser: Parser) -> None:
    """Add what ``report`` takes."""
    add_inputs(parser)
    group = parser.add_argument_group("table")
    group.add_argument("--sort", choices=("self", "total"), default="self", help="which column decides (default self)")
    group.add_argument("--limit", type=parse_count, default=30, metavar="N", help="rows to list (default 30)")
    group.add_argument("--json", action="store_true", help="the same as JSON")
    add_selection(parser)
    add_weight(parser)
    add_naming(parser)
    add_classes(parser)
    add_symbols(parser)


def run(args: Namespace, console: Console) -> int:
    """Print the top functions of one event."""
    from flameparse.cli import exit_codes
    from flameparse.document.tree import build_tree

    document, code = load_inputs(args, console)
    if code == exit_codes.UNUSABLE:
        return code
    event = chosen_event(args)
    if event is None:
        note_other_events(document, console)
    tree = build_tree(document, event=event, weight=args.weight, root="none")
    ranked = top_functions(tree, by=args.sort)[: args.limit]
    event_name = tree.event.decode("utf-8", "backslashreplace")
    if args.json:
        functions = [
            {"name": name.decode("utf-8", "backslashreplace"), "self": own, "total": total}
            for name, own, total in ranked
        ]
        print_json({"event": event_name, "unit": tree.unit, "total": tree.total, "functions": functions})
        return code
    whole = tree.total or 1
    rows = [
        [f"{own:,}", f"{100 * own / whole:.2f}%", f"{total:,}", f"{100 * total / whole:.2f}%", term_safe(name)]
        for name, own, total in ranked
    ]
    write_out(
        f"{term_safe(event_name)}: {tree.total:,} {tree.unit}\n\n"
        + table(["self", "self%", "total", "total%", "function"], rows)
    )
    return code


def top_functions(tree: Tree, *, by: str) -> list[tuple[bytes, int, int]]:
    """Sum a call tree by function; one that calls itself counts once in its total.

    Args:
        tree: the call tree of one event.
        by: ``"self"`` or ``"total"``, the sum that ranks.

    Returns:
        (name, self weight, total weight), heaviest first, equal ones by name.
    """
    name_count = len(tree.name_offsets) - 1
    own_sums, total_sums, open_calls = [0] * name_count, [0] * name_count, [0] * name_count
    path: list[int] = []
    for name, depth, own, total in zip(tree.name, tree.depth, tree.self_weight, tree.total_weight, strict=True):
        while len(path) > depth:
            open_calls[path.pop()] -= 1
        if not open_calls[name]:
            total_sums[name] += total
        own_sums[name] += own
        open_calls[name] += 1
        path.append(name)
    functions = [(tree.name_bytes(name), own_sums[name], total_sums[name]) for name in set(tree.name)]
    if by == "self":
        return sorted(functions, key=lambda row: (-row[1], -row[2], row[0]))
    return sorted(functions, key=lambda row: (-row[2], -row[1], row[0]))
