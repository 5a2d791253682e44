"""The one place that turns untrusted bytes and text into something a picture may hold.

Names come from the profiled program, titles from the command line or from a file name: none is trusted. First
`display_text` gives the characters a reader sees, then exactly one of the writers below quotes them for where they go.
"""

from __future__ import annotations

_BIDI_CONTROLS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = (0x200B, 0x2028, 0x2029, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF)

# Code point -> what is shown for it. The last range is what an undecodable byte becomes under "surrogateescape".
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)}
_VISIBLE.update({code: f"\\u{code:04x}" for code in (*range(0x80, 0xA0), *_BIDI_CONTROLS, *_INVISIBLE)})
_VISIBLE.update({code: f"\\u{code:04x}" for code in range(0xD800, 0xE000)})
_VISIBLE.update({0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)})

_XML = _VISIBLE | {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#39;"}

_LINK_SCHEMES = ("http", "https", "mailto")


def display_text(name: bytes) -> str:
    r"""Decode a name to what is shown for it, so that distinct names stay distinct and nothing in it is invisible.

    Bytes that are not UTF-8 and ASCII controls show as ``\xNN``; other controls, bidi controls and code points XML 1.0
    forbids as ``\uNNNN``; a backslash that would start such a form by itself as ``\x5c``.

    Args:
        name: any bytes.

    Returns:
        Text of printable characters and spaces only, all legal in XML 1.0 and HTML.
    """
    text = name.decode("utf-8", "surrogateescape")
    if "\\" in text:
        import re

        text = re.sub(r"\\(?=x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})", r"\\x5c", text)
    return text if text.isprintable() else text.translate(_VISIBLE)


def display_str(text: str) -> str:
    """Show what is invisible in text that was never bytes, such as a title; `display_text` is for names."""
    return text if text.isprintable() else text.translate(_VISIBLE)


def xml_text(text: str) -> str:
    """Quote text for XML character data; what XML 1.0 forbids shows as in `display_text`."""
    return text.translate(_XML)


def xml_attr(text: str) -> str:
    """Quote text for an XML attribute value in either kind of quotes."""
    return text.translate(_XML)


def script_json(value: object) -> str:
    r"""Write JSON that may stand inside a ``<script>`` element: ASCII, with ``<``, ``>`` and ``&`` as \u escapes."""
    import json

    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def safe_href(url: str) -> str | None:
    """Let through a link that cannot run code: http, https, mailto, a fragment or a path relative to the page.

    Returns:
        The link as it was (not yet quoted), or None when it must not be written.
    """
    if not url.isprintable() or " " in url or "\\" in url or url.startswith("//"):
        return None
    first_part = url.split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    scheme, colon, _ = first_part.partition(":")
    return None if colon and scheme.lower() not in _LINK_SCHEMES else url
