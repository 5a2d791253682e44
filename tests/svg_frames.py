"""Reads an SVG flame graph back: its frames as plain values, by a real XML parser."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from typing import NamedTuple

SVG = "{http://www.w3.org/2000/svg}"


class Frame(NamedTuple):
    name: str
    tip: str
    depth: int
    start: int
    weight: int
    x: float
    y: float
    width: float
    height: float
    fill: str
    label: str | None


def parse(chunks: Iterable[bytes]) -> ElementTree.Element:
    return ElementTree.fromstring(b"".join(chunks))


def frames_of(root: ElementTree.Element) -> list[Frame]:
    """The frames in drawing order, the "all" frame first."""
    frames = []
    for group in root.iterfind(f".//{SVG}g[@data-f]"):
        title, rect, *text = group
        assert title.tag == f"{SVG}title"
        assert rect.tag == f"{SVG}rect"
        tip = title.text or ""
        depth, start, weight = map(int, group.attrib["data-f"].split(" "))
        name = group.get("data-n", tip[: tip.rindex(" (")] if " (" in tip else tip)
        x, y, width, height = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        label = text[0].text if text else None
        frames.append(Frame(name, tip, depth, start, weight, x, y, width, height, rect.attrib["fill"], label))
    return frames


def texts_of(root: ElementTree.Element, name: str) -> list[str]:
    """The texts of one class, such as "fp-title"."""
    return [element.text or "" for element in root.iterfind(f".//{SVG}text[@class='{name}']")]


def assert_inert(root: ElementTree.Element, *, scripts: int) -> None:
    """Nothing but our own script can run: no handler attribute, no foreign element, no link but an allowed one."""
    known = {"svg", "title", "desc", "style", "defs", "linearGradient", "stop", "rect", "text", "g", "a", "script"}
    elements = list(root.iter())
    assert {element.tag for element in elements} <= {SVG + name for name in known}
    assert sum(element.tag == f"{SVG}script" for element in elements) == scripts
    attributes = {key for element in elements for key in element.attrib}
    assert not [key for key in attributes if key.lower().startswith("on")]
    for element in elements:
        href = element.get("href")
        assert href is None or re.match(r"(https?:|mailto:|#|[^:]*$)", href)
