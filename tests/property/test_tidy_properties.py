"""What holds for every name, sensible or not."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flameparse.frames.kind import kind_of_module
from flameparse.frames.tidy import FrameNamer

USER, KERNEL, JIT, INLINED = range(4)
STYLES = ("raw", "tidy", "stackcollapse-perf", "inferno")
HASH = b"::h0123456789abcdef"

# Scraps of names: what the rules look for, so that random text meets them.
SCRAPS = (
    b"(", b")", b"<", b">", b"{", b"}", b"[", b"]", b"()", b"(int)", b" (*", b"(*)", b"(A::*", b"(&", b" const", b" &&",
    b" &", b" [clone .cold]", b" (.isra.0)", b"@plt", b" [3]", b"operator", b"operator()", b"operator<<", b"operator->",
    b"operator ", b"decltype", b"::", b":", b";", b";::", b"->", b"-", b".", b".(", b"..", b"L", b"La/B;::", b"/", b"a",
    b"f", b"foo", b" ", b"$LT$", b"$u20$", b"$u7b$", b"$", b"_$", b"_", b"'", b'"', HASH, b"h0123456789abcdef",
    b".llvm.12", b"[unknown]", b"(anonymous namespace)", b"py::", b"JS:", b"RegExp.", b"_[k]", b"\x00", b"\xff",
    "é".encode(),
)  # fmt: skip
SYMBOLS = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(SCRAPS), max_size=14).map(b"".join))
MODULES = st.one_of(
    st.none(),
    st.binary(max_size=20),
    st.sampled_from(
        (b"[unknown]", b"[kernel.kallsyms]", b"/tmp/perf-1.map", b"/lib/x (deleted)", b"inlined", b"/a/b.ko")
    ),
)
KINDS = st.sampled_from((USER, KERNEL, JIT, INLINED))

TIDY = FrameNamer("tidy")


# C++ types as demanglers print them.
TYPES = (
    b"int", b"char const*", b"A::B&", b"(anonymous namespace)::C", b"{lambda(int)#1}", b"f(int)::{lambda(char)#2}",
    b"(E)0", b"std::vector<int, std::allocator<int> >", b"std::function<void (std::vector<int> const&)>",
    b"void (*)(int (*)(char))", b"int (&) [3]", b"int (A::*)(char) const", b"decltype (a->x)", b"decltype ((a)>(b))",
    b"F<(1)<(2)>", b"F<((1)>(2))>", b"F<&A::operator-> >", b"F<&(A::operator()(int))>",
    b"std::enable_if<(sizeof (int))<(8), int>::type", b"f(int)::'lambda'(char)",
)  # fmt: skip


@st.composite
def functions(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A C++ function as a demangler prints it, and the same without its argument list."""
    scope = draw(
        st.sampled_from(
            (b"", b"a::", b"(anonymous namespace)::", b"f(int) const::", b"f(int)::{lambda(char)#1}::", b"S<(E)1>::")
        )
    )
    name = draw(
        st.sampled_from(
            (b"f", b"~A", b"operator()", b"operator<<", b"operator<", b"operator->", b"operator->*", b"operator>=",
             b"operator<=>", b"operator[]", b"operator,", b"operator bool", b"operator void (*)(int)", b"g[abi:cxx11]")
        )
    )  # fmt: skip
    result = b""
    if name in (b"f", b"operator()") and draw(st.booleans()):
        result = draw(st.sampled_from(TYPES)) + b" "
        name += b"<" + draw(st.sampled_from(TYPES)) + b">"
    arguments = b"(" + b", ".join(draw(st.lists(st.sampled_from(TYPES), max_size=3))) + b")"
    qualifiers = draw(st.sampled_from((b"", b" const", b" volatile", b" &", b" const &&")))
    suffix = draw(st.sampled_from((b"", b" [clone .cold]", b" [clone .isra.0] [clone .cold]", b" (.part.1)", b"@plt")))
    whole, short = scope + name + arguments + qualifiers, scope + name
    if draw(st.integers(0, 9)) == 0 and not name.startswith(b"operator"):
        whole, short = b"void (*" + whole + b")(char)", b"void (*" + short + b")(char)"
        return result + whole + suffix, result + short + suffix
    return result + whole + suffix, result + short + suffix


def tidy(symbol: bytes, kind: int = USER) -> list[bytes]:
    return [name for name, _ in TIDY.name_parts(symbol, b"/usr/bin/app", kind=kind)]


def is_subsequence(short: bytes, long: bytes) -> bool:
    rest = iter(long)
    return all(byte in rest for byte in short)


@given(functions())
@example((b"A::operator void (*)(int)()", b"A::operator void (*)(int)"))
def test_only_the_functions_own_argument_list_goes(function: tuple[bytes, bytes]) -> None:
    whole, short = function
    assert tidy(whole) == [short]


@pytest.mark.parametrize("style", STYLES)
@given(
    symbol=SYMBOLS,
    module=MODULES,
    address=st.integers(0, 2**64 - 1),
    kind=KINDS,
    java=st.booleans(),
    text=st.binary(max_size=16),
    switches=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_any_bytes_have_a_name(
    style: str,
    symbol: bytes,
    module: bytes | None,
    address: int,
    kind: int,
    java: bool,
    text: bytes,
    switches: tuple[bool, bool, bool],
) -> None:
    addrs, annotate_kernel, annotate_jit = switches
    namer = FrameNamer(style, addrs=addrs, annotate_kernel=annotate_kernel, annotate_jit=annotate_jit)
    parts = namer.name_parts(symbol, module, address, kind, java, text)
    assert [part_kind for _, part_kind in parts] == [kind, *[INLINED] * (len(parts) - 1)][: len(parts)]
    if style == "raw":
        assert len(parts) == 1
    if style == "tidy":
        assert parts
        assert all(name for name, _ in parts)
    if style in ("stackcollapse-perf", "inferno"):
        assert not any(b";" in name for name, _ in parts if b";" not in text)
        assert not (symbol.startswith(b"(") and parts)


@given(SYMBOLS, KINDS)
@example(b"f(int)(char)", USER)
@example(b"f(int) const(char)", USER)
@example(b"f(int)::h0123456789abcdef", USER)
@example(b"a::h0123456789abcdef(int)", USER)
@example(b"a::h0123456789abcdef::h0123456789abcdef", USER)
@example(b"[unknown](int)", USER)
@example(b"foo(int) [clone .x(char) [clone .y]", USER)
@example(b"X::operator f(int)()", USER)
def test_a_tidy_name_stays_as_it_is(symbol: bytes, kind: int) -> None:
    for name in tidy(symbol, kind):
        assert tidy(name, kind) == [name]


@given(SYMBOLS, KINDS)
def test_tidy_only_ever_removes(symbol: bytes, kind: int) -> None:
    parts = tidy(symbol, kind)
    if symbol in (b"", b"[unknown]") or b"[unknown]" in symbol.split(b"->"):
        return
    if b"$" in symbol:  # a Rust escape is replaced by what it stands for, never by more bytes
        assert sum(map(len, parts)) <= len(symbol)
    else:
        assert is_subsequence(b"->".join(parts), symbol)


@given(SYMBOLS, KINDS)
def test_balanced_names_stay_balanced(symbol: bytes, kind: int) -> None:
    def is_balanced(name: bytes) -> bool:
        depth = 0
        for byte in name:
            depth += (byte == ord("(")) - (byte == ord(")"))
            if depth < 0:
                return False
        return depth == 0

    if is_balanced(symbol):
        assert all(is_balanced(name) for name in tidy(symbol, kind))
    elif kind == USER and b";" not in symbol and b"$" not in symbol and HASH not in symbol:
        assert tidy(symbol) == [symbol]


@given(SYMBOLS.filter(lambda symbol: symbol not in (b"", b"[unknown]")))
def test_raw_is_the_symbol(symbol: bytes) -> None:
    assert FrameNamer("raw").name_parts(symbol, b"/x", kind=JIT) == [(symbol, JIT)]


@given(st.binary(max_size=40).filter(lambda module: not module.endswith(b" (deleted)")), st.integers(0, 2**64 - 1))
def test_every_module_has_a_kind(module: bytes, address: int) -> None:
    assert kind_of_module(module, address) in (USER, KERNEL, JIT, INLINED)
    assert kind_of_module(module + b" (deleted)", address) == kind_of_module(module, address)
