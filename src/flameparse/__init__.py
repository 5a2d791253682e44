"""flameparse: captured kernel-level stack traces to folded stacks, documents and flame graphs.

::

    import flameparse

    document = flameparse.load("big.perf.txt.gz")
    document.write("big.msgpack")
    flameparse.write_atomic("big.folded", flameparse.folded_chunks(document))
    flameparse.write_atomic("big.html", flameparse.html_chunks(document))
"""

from __future__ import annotations

from flameparse._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flameparse.document.account import damage as damage
    from flameparse.document.document import Document as Document
    from flameparse.document.tree import Tree as Tree
    from flameparse.document.tree import build_tree as build_tree
    from flameparse.errors import DecodeError as DecodeError
    from flameparse.errors import FlameparseError as FlameparseError
    from flameparse.errors import SinkError as SinkError
    from flameparse.errors import SourceError as SourceError
    from flameparse.errors import UsageError as UsageError
    from flameparse.export.folded_text import folded_chunks as folded_chunks
    from flameparse.export.folded_text import timeline_chunks as timeline_chunks
    from flameparse.load_options import LoadOptions as LoadOptions
    from flameparse.load_options import View as View
    from flameparse.pipeline import load as load
    from flameparse.render.html import html_chunks as html_chunks
    from flameparse.render.svg import SvgOptions as SvgOptions
    from flameparse.render.svg import svg_chunks as svg_chunks
    from flameparse.sink import write_atomic as write_atomic

# Public names and their modules; each is imported when first asked for, so that a pipe starts at once.
_HOMES = {
    "DecodeError": "errors",
    "Document": "document.document",
    "FlameparseError": "errors",
    "LoadOptions": "load_options",
    "SinkError": "errors",
    "SourceError": "errors",
    "SvgOptions": "render.svg",
    "Tree": "document.tree",
    "UsageError": "errors",
    "View": "load_options",
    "build_tree": "document.tree",
    "damage": "document.account",
    "folded_chunks": "export.folded_text",
    "html_chunks": "render.html",
    "load": "pipeline",
    "svg_chunks": "render.svg",
    "timeline_chunks": "export.folded_text",
    "write_atomic": "sink",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'flameparse' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"flameparse.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
