from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import flameparse.render
from flameparse.render.escape import display_str, display_text, safe_href, script_json, xml_attr, xml_text

VIEWER = Path(flameparse.render.__file__).parent / "viewer"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"", ""),
        (b"std::vector<int>::push_back(int&&)", "std::vector<int>::push_back(int&&)"),
        ("naïve λ 函数 🔥".encode(), "naïve λ 函数 🔥"),
        (b"a\0b\tc\nd\re\x1bf\x7f", r"a\x00b\x09c\x0ad\x0de\x1bf\x7f"),
        (b"\xff\xc3", r"\xff\xc3"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),  # an encoded surrogate is not UTF-8
        (b"\xc2\x85", r"\u0085"),
        (b"\x85", r"\x85"),
        ("\u202egnp.exe\u2066\u2069\u200f\u061c".encode(), r"\u202egnp.exe\u2066\u2069\u200f\u061c"),
        ("a\u2028b\u2029c\ufeffd\u200be".encode(), r"a\u2028b\u2029c\ufeffd\u200be"),
        ("\ufffe\uffff".encode(), r"\ufffe\uffff"),
        (b"C:\\temp\\new", r"C:\temp\new"),
        (rb"\x00", r"\x5cx00"),
        (rb"\u202e", r"\x5cu202e"),
        (rb"\\x1b", r"\\x5cx1b"),
        (b"\\x1\x01", r"\x1\x01"),
    ],
)
def test_names_show_visibly(name: bytes, shown: str) -> None:
    assert display_text(name) == shown


def test_every_code_point_is_legal_in_xml_and_comes_back() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x10000, 1), 0x1F525, 0x10FFFF):
        shown = display_text(chr(code).encode())
        assert re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]", shown) is None
    every = display_text("".join(map(chr, (*range(0xD800), *range(0xE000, 0x10000)))).encode())
    assert ElementTree.fromstring(f"<a>{xml_text(every)}</a>").text == every


@pytest.mark.parametrize(
    "text", ["]]>", "<![CDATA[", "&amp;", "&#x3c;", "a\"b'c", "</title><script>", "\0\ud800\udcff\r\n"]
)
def test_xml_writers_quote_and_show(text: str) -> None:
    root = ElementTree.fromstring(f"<a b=\"{xml_attr(text)}\" c='{xml_attr(text)}'>{xml_text(text)}</a>")
    assert root.text == root.get("b") == root.get("c") == display_str(text)


def test_display_str_shows_undecodable_argument_bytes() -> None:
    assert display_str("a\udcffb\n\ud800") == r"a\xffb\x0a\ud800"


def test_script_json_cannot_end_the_script() -> None:
    value = {"</script><!--": ["]]>", "&", "\u2028\u2029", "é", "\ud800", 1, None, True]}
    text = script_json(value)
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert json.loads(text) == value


def test_script_json_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("nan"))


@pytest.mark.parametrize(
    "url",
    ["http://a/b?c=d:e#f", "https://a", "HTTPS://a", "mailto:a@b", "#frag:ment", "", "a/b:c", "./x.html", "/abs",
     "?q=a:b"],
)  # fmt: skip
def test_harmless_links_pass(url: str) -> None:
    assert safe_href(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
        "java\nscript:alert(1)", "\x01javascript:alert(1)", "javascript\u200b:alert(1)", "data:text/html,x",
        "vbscript:x", "file:///etc/passwd", "blob:x", "a:b", "//evil/x", "\\\\evil\\x", "/\\evil", "javascript\0:x",
    ],
)  # fmt: skip
def test_other_links_are_refused(url: str) -> None:
    assert safe_href(url) is None


@pytest.mark.parametrize("script", sorted(VIEWER.glob("svg*.js")), ids=lambda path: path.name)
def test_svg_script_has_no_sink_that_parses_text(script: Path) -> None:
    source = script.read_text()
    banned = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b"
        r"|new Function|setAttribute\('on|\.on[a-z]+ *="
    )
    assert re.findall(banned, source) == []
    assert "]]>" not in source
    assert "addEventListener" in source
