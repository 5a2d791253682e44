"""A document as one HTML file: an interactive flame graph that opens from disk, alone, and keeps every frame."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flameparse.document.document import Document
    from flameparse.document.tree import Event, Tree
    from flameparse.load_options import View

# Each event is a tree of its own; a recording has a handful.
_EVENTS_IN_A_PAGE = 32

# The page's modules in an order in which each comes after those it imports.
_MODULES = (
    "columns.js", "frame_classes.js", "call_tree.js", "profile.js", "visible_tree.js", "search.js", "colours.js",
    "quantities.js", "flame_canvas.js", "page.js",
)  # fmt: skip

_DEFAULT_TITLE = "Flame graph"


def html_chunks(
    document: Document,
    *,
    title: str | None = None,
    event: Event = None,
    weight: str | None = None,
    root: str | None = None,
) -> Iterator[bytes]:
    """Write a document as a page; every event gets a tree of its own unless one is chosen.

    The page holds every frame; what the document's view leaves out or joins is only how the page opens.

    Args:
        document: what to show.
        title: heading of the page; by default the document's own title or command.
        event: the event to show, ``b"all"`` for all of them as one; by default each, to be chosen in the page.
        weight: ``"period"`` or ``"samples"``; by default the period where the input has one.
        root: what stands at the root of each stack; by default what the document says.

    Returns:
        The file's bytes in order, the same for equal input.
    """
    from flameparse.document.tree import build_tree
    from flameparse.load_options import View

    named = [name for name in map(document.string, document.event_name) if name]
    events: list[Event] = [event] if event is not None else [*named[:_EVENTS_IN_A_PAGE]] or [None]
    trees = (build_tree(document, event=event, weight=weight, root=root, apart=True) for event in events)
    headings = (title, document.meta.get("title"), document.meta.get("command"), _DEFAULT_TITLE)
    heading = next(heading for heading in headings if heading and isinstance(heading, (str, bytes)))
    view = View.of_meta(document.meta.get("view"))
    return _page(trees, len(events), _shown(heading), loss_lines(document.diagnostics), view)


def page_chunks(tree: Tree, *, title: str, loss: list[str], view: View | None = None) -> Iterator[bytes]:
    """Write one call tree as a page.

    Args:
        tree: the tree's columns.
        title: heading of the page; not trusted.
        loss: lines said at the top about what the tree does not hold; not trusted.
        view: how the page opens; by default it shows all.

    Returns:
        The file's bytes in order.
    """
    from flameparse.load_options import View

    return _page([tree], 1, _shown(title), [_shown(line) for line in loss], view or View())


def loss_lines(diagnostics: Mapping[str, object]) -> list[str]:
    """Say in words what was lost on the way, one line a cause; nothing where nothing was.

    Args:
        diagnostics: of a document; entries of an unexpected type are passed over.
    """
    lines = []
    dropped = diagnostics.get("dropped")
    for reason, count in dropped.items() if isinstance(dropped, dict) else ():
        if _is_positive(count):
            lines.append(f"{count:,} samples dropped: {_shown(str(reason))}")
    for key, what in (("lost", "samples lost while recording"), ("unknown_lines", "input lines not understood")):
        count = diagnostics.get(key)
        if _is_positive(count):
            lines.append(f"{count:,} {what}")
    return lines


def _is_positive(count: object) -> bool:
    return isinstance(count, int) and count > 0


def _shown(text: str | bytes) -> str:
    """Make text with nothing invisible in it."""
    from flameparse.render.escape import display_str, display_text

    return display_text(text) if isinstance(text, bytes) else display_str(text)


def _page(trees: Iterable[Tree], tree_count: int, title: str, loss: list[str], view: View) -> Iterator[bytes]:
    import re

    from flameparse._version import __version__
    from flameparse.render.escape import script_json, xml_attr, xml_text

    style, script = _viewer_file("page.css"), _script()
    parts = {
        "policy": f"default-src 'none'; script-src {_csp_hash(script)}; style-src {_csp_hash(style)}; "
        "base-uri 'none'; form-action 'none'",
        "generator": xml_attr(f"flameparse {__version__}"),
        "title": xml_text(title),
        "style": style,
        "script": script,
    }
    for index, piece in enumerate(re.split(r"\{\{(\w+)\}\}", _viewer_file("page.html"))):
        if index % 2 == 0:
            yield piece.encode()
        elif piece == "data":
            page_data = {"loss": loss, "profiles": tree_count, **_view_data(view)}
            yield _element("json", "page-data", script_json(page_data).encode())
            for number, tree in enumerate(trees):
                yield from _profile_elements(tree, number, "merge" if view.v8_tiers == "keep" else view.v8_tiers)
        else:
            yield parts[piece].encode()


def _view_data(view: View) -> dict[str, object]:
    """Say how the page opens, by the names of what is switched on, and what the presets stand for in frames."""
    from flameparse.document.document import FrameClass
    from flameparse.frames.classify import FILTERS
    from flameparse.passes import hidden_classes

    switches = [
        name for name, hidden in zip(FrameClass.NAMES, hidden_classes(view.hide, view.only), strict=True) if hidden
    ]
    switches += view.filters
    if view.v8_tiers != "keep":
        switches.append("merge-tiers")
    if view.collapse_interpreter:
        switches.append("collapse-interpreter")
    return {"view": switches, "filters": FILTERS}


def _profile_elements(tree: Tree, number: int, tier_mode: str) -> Iterator[bytes]:
    """Write a tree's description as JSON and its columns as base64 of one deflate stream.

    Layout, end to end, sizes in the description: of the distinct (name, class, tier, presets) frames the names as UTF-8
    text, one a line, behind a tab the name without tier where that is another; a byte each of their classes, tiers,
    presets and roles to the interpreter; which frame calls which, the ranks and the pops of the nodes (see
    `pack_shape`); their self weights as LEB128.
    """
    import zlib
    from array import array
    from base64 import b64encode

    from flameparse.passes import shapes_of
    from flameparse.render.escape import display_text, script_json
    from flameparse.render.page_columns import number_frames, pack_numbers, pack_shape
    from flameparse.render.palette import CLASS_OF_KIND

    order = sorted(range(len(tree.name_offsets) - 1), key=tree.name_bytes)
    place = array("I", order)
    for position, name in enumerate(order):
        place[name] = position
    frame, frame_place, frame_class, tier, presets = number_frames(
        tree.name, tree.kind, tree.frame_class, tree.tier, tree.presets, place=place, class_of_kind=CLASS_OF_KIND
    )
    callees, ranks, pops, call_count = pack_shape(frame, tree.depth, len(frame_class))
    names = [tree.name_bytes(order[position]) for position in frame_place]
    without_tier, roles = shapes_of(names, frame_class, tier, mode=tier_mode)
    lines = [
        display_text(name) if name == other else f"{display_text(name)}\t{display_text(other)}"
        for name, other in zip(names, without_tier, strict=True)
    ]
    columns = (
        "\n".join(lines).encode(),
        frame_class.tobytes(),
        tier.tobytes(),
        presets.tobytes(),
        roles,
        callees,
        ranks,
        pops,
        pack_numbers(tree.self_weight),
    )
    description = {
        "event": display_text(tree.event),
        "unit": tree.unit,
        "total": str(tree.total),
        "bare": str(tree.bare_weight),
        "nodes": len(frame),
        "calls": call_count,
        "sizes": [len(column) for column in columns],
    }
    yield _element("json", f"profile-{number}", script_json(description).encode())
    deflate = zlib.compressobj()
    packed = b"".join([*map(deflate.compress, columns), deflate.flush()])
    yield _element("octet-stream", f"columns-{number}", b64encode(packed))


def _element(subtype: str, identity: str, content: bytes) -> bytes:
    return b'<script type="application/%b" id="%b">%b</script>\n' % (subtype.encode(), identity.encode(), content)


def _script() -> str:
    """Join the viewer's modules into one: their names are distinct, so imports and exports are simply left out."""
    import re

    return re.sub(r"(?m)^(?:import .*\n|export )", "", "".join(map(_viewer_file, _MODULES)))


def _viewer_file(name: str) -> str:
    from importlib.resources import files

    return (files("flameparse.render") / "viewer" / name).read_text("utf-8")


def _csp_hash(text: str) -> str:
    """Name an inline script or style in a content security policy."""
    from base64 import b64encode
    from hashlib import sha256

    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
