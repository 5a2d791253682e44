"""The comment block that ``perf script --header`` writes before the first sample."""

from __future__ import annotations

# Label in the text to key in a document's meta.
_FACTS = {
    b"captured on": "captured_on",
    b"hostname": "host",
    b"os release": "kernel",
    b"perf version": "perf_version",
    b"arch": "arch",
    b"cpudesc": "cpu",
    b"cmdline": "command",
}


def read_comments(head: bytes) -> dict[str, object]:
    """Read what a recording says of itself.

    Three lines::

        # captured on    : Sun Nov 22 20:49:04 2026
        # hostname : vm
        # cmdline : /usr/bin/perf record -g -- node app.js

    Args:
        head: the first bytes of the text.

    Returns:
        Facts for a document's ``meta``, as text; none where the text has no such block.
    """
    facts: dict[str, object] = {}
    for line in head.split(b"\n"):
        if not line.startswith(b"#"):
            break
        label, colon, value = line[1:].partition(b":")
        key = _FACTS.get(label.strip())
        if colon and key is not None:
            facts[key] = value.strip().decode("utf-8", "backslashreplace")
    return facts
