"""200 names that have broken, or would break, a profiler's page or picture."""

from __future__ import annotations

_CODE = ("alert(1)", "alert`1`", "fetch('http://127.0.0.1:9/x')", "top.location='javascript:alert(1)'")
_WRAPPINGS = (
    "<script>{}</script>", "</script><script>{}</script>", "</title><script>{}</script>", "</text><script>{}</script>",
    "</svg><script>{}</script>", "</style><script>{}</script>", "]]><script>{}</script>", "--><script>{}</script>",
    "<![CDATA[</title>]]><script>{}</script>", "<!--<script>{}</script>-->", '"><script>{}</script>',
    "'><script>{}</script>", '" onload="{}', "' onmouseover='{}", '"/><image href="x" onerror="{}"/>',
    "<img src=x onerror={}>", "<svg onload={}>", "<svg/onload={}//", '<a href="javascript:{}">x</a>',
    '<animate onbegin="{}" attributeName="x" dur="1s"/>', "<foreignObject><body onload={}></foreignObject>",
    '<set attributeName="onclick" to="{}"/>', "javascript:{}", "data:text/html,<script>{}</script>",
    "&lt;script&gt;{}&lt;/script&gt;", "&#60;script&#62;{}&#60;/script&#62;",
    "\\u003cscript\\u003e{}\\u003c/script\\u003e",
    "\\x3cscript\\x3e{}", "${{{}}}", "`+{}+`", "');{}//", '");{}//', "\\');{}//", "\u2028{}\u2029", "{}\n{}",
    "<iframe srcdoc='<script>{}</script>'>", "<style>@import 'http://127.0.0.1:9/';</style>{}",
    "<use href='http://127.0.0.1:9/#x'/>{}", "<math><mtext><script>{}</script>", "<template><script>{}</script>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;{}",
)  # fmt: skip
_OTHERS = (
    b"", b" ", b"\0", b"a\0b", b"\x1b[31mred\x1b[0m", b"\x1b]0;title\x07", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", "\u202egnp.exe".encode(), "\u2066a\u2069".encode(), "\ufeffx".encode(), "\ufffe".encode(),
    "a\u0301\u0301\u0301".encode(), "\U0001f525".encode(), b"a;b", b"a b", b"a\tb", b"a\rb", b"_[k]", b"x_[j]_[j]",
    b"f (1 samples, 5.00%)", b") (", b"%s%n%x", b"=cmd|' /C calc'!A0", b"__proto__", b"constructor", b"toString",
    b"hasOwnProperty", b"\\", b"\\\\x41", b"x" * 5000, b"(((((", b"[a-", b"?*+",
)  # fmt: skip

HOSTILE_NAMES: tuple[bytes, ...] = (
    *(wrapping.replace("{}", code).encode() for code in _CODE for wrapping in _WRAPPINGS),
    *_OTHERS,
)
assert len(set(HOSTILE_NAMES)) == 200
