"""What an HTML page holds, read back with a real HTML parser and a plain decoder, one number at a time."""

from __future__ import annotations

import base64
import json
import zlib
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """The elements of a page.

    Attributes:
        scripts: attributes and text of each script element, in order.
        texts: text inside each other kind of element, end to end.
        tags: attributes of each start tag, with its name.
    """

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.texts: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open = ""
        self.feed(html.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif self._open:
            self.texts[self._open] = self.texts.get(self._open, "") + data

    def script(self, identity: str) -> str:
        """The text of the script element with an id."""
        (text,) = [text for attributes, text in self.scripts if attributes.get("id") == identity]
        return text

    def json(self, identity: str) -> Any:
        """The value of a JSON element."""
        return json.loads(self.script(identity))

    def nodes(self, number: int = 0) -> list[tuple[int, str, int, int]]:
        """Depth, name, class and self weight of each node of a profile, in pre-order."""
        return [(depth, frame[0], frame[1], weight) for depth, frame, weight in self.frames(number)]

    def frames(self, number: int = 0) -> list[tuple[int, tuple[str, int, int, int, int, str], int]]:
        """Of each node of a profile, in pre-order: depth, what it shows and self weight.

        What it shows is name, class, tier, presets, role and the name without tier.
        """
        profile = self.json(f"profile-{number}")
        data = zlib.decompress(base64.b64decode(self.script(f"columns-{number}"), validate=True))
        columns = []
        for size in profile["sizes"]:
            columns.append(data[:size])
            data = data[size:]
        assert data == b""
        lines = [line.split("\t") for line in columns[0].decode().split("\n")]
        traits = zip(*columns[1:5], strict=True)
        frames = [(line[0], *row, line[-1]) for line, row in zip(lines, traits, strict=False)]
        assert profile["nodes"] == 0 or len(frames) == len(lines) == len(columns[4])
        table, ranks, pops, weights = map(_numbers, columns[5:])
        callees: list[list[int]] = []
        while table:
            count, frame = table.pop(0), 0
            callees.append([frame := frame + table.pop(0) for _ in range(count)])
        assert sum(map(len, callees)) == profile["calls"]
        assert len(ranks) == len(pops) == len(weights) == profile["nodes"]
        open_frames, nodes = [0], []
        for rank, pop, weight in zip(ranks, pops, weights, strict=True):
            del open_frames[len(open_frames) - pop :]
            frame = callees[open_frames[-1]][rank]
            nodes.append((len(open_frames) - 1, frames[frame - 1], weight))
            open_frames.append(frame)
        return nodes


def _numbers(packed: bytes) -> list[int]:
    values, value, shift = [], 0, 0
    for byte in packed:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value)
            value = shift = 0
    assert shift == 0
    return values
