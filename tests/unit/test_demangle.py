"""Mangled names as their source spells them; the expectations here were worked out by hand or come from newer tools."""

from __future__ import annotations

import threading

import pytest

from flameparse import limits
from flameparse.symbolize.names.demangle import Demangler, demangle

# What perf 6.1 refuses; tests/oracle/mangled_names.tsv has what it knows.
NEWER_CXX = {
    # The declaration of a template parameter in front of its argument.
    "_Z3fooITnPiLPi0EEvv": "foo<(int*)0>",
    "_Z3fooITk1CiEvv": "foo<int>",
    "_Z3fooITkN2ns1CEiJcdEEvv": "foo<int, char, double>",
    "_Z3fooITtTyTniE1aEvv": "foo<a>",
    "_Z3fooITpTniJLi1ELi2EEEvv": "foo<1, 2>",
    # What a template requires.
    "_Z3fooIiQ1CIT_EEvv": "foo<int>",
    "_Z3fooIiQaa1CIT_EntsrT_5valueEvv": "foo<int>",
    "_Z3fooIiQrqXpltlT_EtlT_ENR1CT5valueQ1CIT_EEEvv": "foo<int>",
    "_Z3fooIiQrQT_S0__XplfL0p_fL0p0_EEEvv": "foo<int>",
    "_ZZ3fooIiEvT_Q1CIT_EE1x": "foo<int>(int)::x",
    "_ZN1AUlTk1CT_Q1CIT_EE_clIiEEv": "A::{lambda<C $T0>($T0)#1}::operator()<int>",
    # A friend that is defined in its class, and a member that names its object.
    "_ZN1AF1fEv": "A::f",
    "_ZNH1A1fEv": "A::f",
    "_Z3fooIXnxLi5EEEvv": "foo<noexcept(5)>",
    "_Z3fooIXatiEEvv": "foo<alignof (int)>",
    "_Z3fooIXtiiEEvv": "foo<typeid (int)>",
    "_Z3fooIXsr1Adn1AEEvv": "foo<A::~A>",
    "_Z3fooIXplfL0p_fL0p0_EEvv": "foo<{parm#1}+{parm#2}>",
    "_ZNK1Acv1BIT_EIiEEv": "A::operator B<int><int>",
}
# What perf 6.1 reads in another way: what the source says, and what perf prints.
OTHERWISE = {
    "_Z3fooIu3barIiEEvv": ("foo<bar<int> >", "foo<bar, int>"),
    "_Z3fooIXatLi1EEEvv": ("_Z3fooIXatLi1EEEvv", "foo<alignof (1)>"),
    "_RINvC1a1bKoffffffffffffffffff_E": ("a::b::<0xffffffffffffffffff>", "a::b::<0xfffffffffffffffff_>"),
    "_RINvC1a1bKn80000000000000000_E": ("a::b::<0x80000000000000000>", "a::b::<0x0000000000000000_>"),
}
# What both read alike, though it looks like one of the above.
ALIKE = {
    "_ZNK1Acv1BIcEIiEEv": "A::operator B<char><int>",
    "_ZNK1AcvT_IiEEv": "A::operator int<int>",
    "_ZZ1fvENKUlTyTnT_T_E_clIiLi1EEEDaS_": "f()::{lambda<typename $T0, $T0 $N1>($T0)#1}::operator()<int, 1>",
    "_RINvC1a1bKoffffffffffffffff_E": "a::b::<18446744073709551615>",
    "_ZGIW3fooWP3bar": "initializer for module foo:bar",
}

RUST = {
    "_RNvCs9TiLaEJmb3S_4tidy4main": "tidy::main",
    "_RNvCu8gdel_5qa3bar": "g\u00f6del::bar",
    "_RNCNCNvC1a1b00": "a::b::{closure#0}::{closure#0}",
    "_ZN1a1b17h0123456789abcdefE": "a::b",
    "_ZN1a1b17h0123456789abcdefE.llvm.1234": "a::b",
    "_ZN1a28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE": "a::{{closure}}",
    "_ZN41_$LT$a..B$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE": "<a::B as core::fmt::Debug>::fmt",
    # Too few different digits for a hash: a name of C++.
    "_ZN1a17h0123012301230123E": "a::h0123012301230123",
}

OCAML = {
    "camlStdlib__array__map_154": "Stdlib.array.map_154",
    "camlStdlib__anon_fn$5bstdlib$2eml$3a334$2c0$2d$2d54$5d_1453": "Stdlib.anon_fn[stdlib.ml:334,0--54]_1453",
    "camlStdlib__bytes__$2b$2b_2205": "Stdlib.bytes.++_2205",
    "camlA$zz$2": "A$zz$2",
    "camlA$2Bb": "A+b",
}
JAVA = {
    "Ljava/lang/StringLatin1;equals([B[B)Z": "java.lang.StringLatin1.equals(byte[], byte[])",
    "Ljava/util/zip/ZipUtils;CENSIZ([BI)J": "java.util.zip.ZipUtils.CENSIZ(byte[], int)",
    "Ljava/util/regex/Pattern$BmpCharProperty;match(Ljava/util/regex/Matcher;ILjava/lang/CharSequence;)Z": (
        "java.util.regex.Pattern$BmpCharProperty.match(java.util.regex.Matcher, int, java.lang.CharSequence)"
    ),
    "Ljava/lang/AbstractStringBuilder;appendChars(Ljava/lang/String;II)V": (
        "java.lang.AbstractStringBuilder.appendChars(java.lang.String, int, int)"
    ),
    "Ljava/lang/Object;<init>()V": "java.lang.Object<init>()",
    # perf puts the brackets of an array of objects behind the next basic type.
    "La/B;c([[Ljava/lang/String;I)V": "a.B.c(java.lang.String[][], int)",
}

UNCHANGED = (
    "", "_", "_Z", "_ZN", "_R", "_Rfoo", "main", "_start", "__libc_start_main", "foo(int)", "foo.cold", "(", ")", "L)",
    "camlfoo", "caml_main", "caml", "_GLOBAL_OFFSET_TABLE_", "_GLOBAL__sub_I_main", "_D3foo3barFZv", "_ZERO",
    "_ZN3fooS0_E", "_ZNT_3fooE", "_Z3fooIXsrT_3barEEvv", "_RINvC1a1bRL0_hE", "_RNvC1a1_", "_RNvNtC3foo3barB9_3baz",
    "_ZTv0_n24_N1A1fEv@@X", "_ZGI", "_ZGI3foo", "_Z99999999999999999999a", "_Z2147483648a", "_ZN1AD9Ev",
    "Ljava/lang/Object;x[", "_ZN1A1f", "\xff\x00",
)  # fmt: skip


@pytest.mark.parametrize(("mangled", "name"), [*NEWER_CXX.items(), *RUST.items(), *OCAML.items(), *JAVA.items()])
def test_mangled_names_become_those_of_the_source(mangled: str, name: str) -> None:
    assert demangle(mangled.encode()).decode() == name


@pytest.mark.parametrize("name", UNCHANGED)
def test_other_names_stay_as_they_are(name: str) -> None:
    assert demangle(name.encode("latin-1")).decode("latin-1") == name


def test_what_stands_behind_the_name_of_a_function_is_not_looked_at() -> None:
    for rest in (b"", b"v", b"i.cold", b"v@@GLIBCXX_3.4", b"v.isra.0.constprop.1", b"!?"):
        assert demangle(b"_ZN1A1fE" + rest) == b"A::f"


def test_a_demangler_keeps_nothing_of_the_names_before() -> None:
    names = [name.encode() for name in (*NEWER_CXX, *UNCHANGED[:9], *RUST, *JAVA, *OCAML)]
    demangler = Demangler()
    there = [demangler.text_of(name) for name in names]
    back = [demangler.text_of(name) for name in reversed(names)]
    assert there == back[::-1] == [demangle(name) for name in names]


def test_demanglers_of_several_threads_do_not_meet() -> None:
    names = [name.encode() for name in (*NEWER_CXX, *RUST)] * 200
    results: list[list[bytes]] = []

    def work() -> None:
        demangler = Demangler()
        results.append([demangler.text_of(name) for name in names])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[demangle(name) for name in names]] * 3


def as_perf(name: str) -> str:
    return Demangler("perf-6.1").text_of(name.encode()).decode()


@pytest.mark.parametrize("name", NEWER_CXX)
def test_newer_names_stay_as_they_are_by_the_rules_of_perf(name: str) -> None:
    assert as_perf(name) == name


@pytest.mark.parametrize("name", OTHERWISE)
def test_names_that_perf_reads_in_another_way(name: str) -> None:
    assert (demangle(name.encode()).decode(), as_perf(name)) == OTHERWISE[name]


@pytest.mark.parametrize(("name", "text"), [*ALIKE.items(), *RUST.items(), *OCAML.items(), *JAVA.items()])
def test_names_that_perf_reads_as_we_do(name: str, text: str) -> None:
    assert demangle(name.encode()).decode() == as_perf(name) == text


def test_long_names_of_cxx_stay_as_they_are_by_the_rules_of_perf() -> None:
    for size, is_read in ((1014, True), (1015, False)):
        name = f"_ZN1a{size}{'b' * size}E"
        assert len(name) == size + 10
        assert demangle(name.encode()).decode() == "a::" + "b" * size
        assert as_perf(name) == ("a::" + "b" * size if is_read else name)
    assert as_perf("_RNvC1a1029" + "b" * 1029) == "a::" + "b" * 1029


@pytest.mark.parametrize("excess", [-1, 0, 1])
@pytest.mark.parametrize("cap", [40, 1000, limits.MAX_MANGLED_BYTES])
def test_the_longest_name_that_is_read(cap: int, excess: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_MANGLED_BYTES", cap)
    size = cap + excess
    size -= len(f"_Z{size - 2 - len(str(size))}")
    name = b"_Z%d" % size + b"b" * size
    assert len(name) == cap + excess
    assert demangle(name) == (b"b" * size if excess <= 0 else name)


@pytest.mark.parametrize("excess", [-1, 0, 1])
@pytest.mark.parametrize("name", [b"_ZN1a%dE", b"_RNvC1a%d"])
def test_the_longest_text_that_is_written(name: bytes, excess: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_NAME_BYTES", 100)
    part = b"%d" % (97 + excess) + b"b" * (97 + excess)
    mangled = name.replace(b"%d", part)
    assert demangle(mangled) == (b"a::" + b"b" * (97 + excess) if excess <= 0 else mangled)


@pytest.mark.parametrize("cap", [20, limits.MAX_MANGLED_DEPTH])
def test_the_deepest_name_that_is_read(cap: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_MANGLED_DEPTH", cap)
    for mangled, text, around in (
        (b"_Z1fI%siEvv", b"f<int%s>", 3),  # the function, its arguments, int
        (b"_RINvC1a1b%shE", b"a::b::<%su8>", 2),  # the function, u8
    ):
        sign, mark = (b"P", b"*") if b"_Z" in mangled else (b"R", b"&")
        for excess in (-1, 0, 1):
            depth = cap - around + excess
            name = mangled % (sign * depth)
            assert demangle(name) == (text % (mark * depth) if excess <= 0 else name)


def test_the_work_that_a_name_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [b"_Z1fI1aI1bIiEEEvv", b"_RNvNtC1a1b1c"]
    for name in names:
        assert demangle(name) != name
        monkeypatch.setattr(limits, "MAX_STEPS_PER_MANGLED_BYTE", 0)
        assert demangle(name) == name
        monkeypatch.undo()


@pytest.mark.parametrize(
    "name",
    [
        b"_Z" + b"N" * 60_000,
        b"_Z1f" + b"I" * 60_000,
        b"_Z1fI" + b"P" * 60_000 + b"iEvv",
        b"_Z1fIX" + b"pl" * 30_000,
        b"_ZN1A" + b"cvT_I" * 8_000 + b"iE" * 8_000 + b"E",
        b"_Z1fI" + b"Tt" * 30_000,
        b"_ZZ1fIJ" + b"JEJE" * 5_000 + b"EEvDpT_E1x",
        b"_Z" + b"GR" * 30_000,
        b"_Z" * 30_000,
        b"_Z" + b"Z" * 60_000,
        b"_Z1fIXL" * 8_000,
        b"_Z1fI" + b"RO" * 30_000 + b"i",
        b"_Z1fI" + b"K" * 60_000 + b"i",
        b"_RINvC1a1b" + b"T" * 50_000,
        b"_RNvCu60000" + b"a" * 50_000,
        b"_RINvC1a1bFGzzzzzzzz_EuE",
        b"_RB_",
        b"_RNvB_1a",
        b"_RINvC1a1b" + b"N" * 50_000,
    ],
)
def test_hostile_names_stay_as_they_are(name: bytes) -> None:
    assert demangle(name) == name


def test_substitutions_that_double_stop_at_the_bounds() -> None:
    digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    mangled = b"_Z1fI1aIiiE"
    part = whole = b"a<int, int>"
    results = []
    for digit in digits[1:35:2]:
        mangled += b"1aIS%c_S%c_E" % (digit, digit)
        part = b"a<%s, %s >" % (part, part)
        whole += b", " + part
        results.append(demangle(mangled + b"E"))
        assert results[-1] in (b"f<" + whole + b" >", mangled + b"E")
    unread = [text.startswith(b"_Z") for text in results]
    assert unread == sorted(unread)
    assert not unread[5]
    assert unread[-1]


def test_references_of_rust_that_double_stop_at_the_bounds() -> None:
    # Each tuple holds the one before twice; offsets count from behind `_R`, and 0_ is 1.
    mangled = b"_RINvC1a1bThhE"
    place = 8
    part = whole = b"(u8, u8)"
    results = []
    for _ in range(30):
        reference = b"B%s_" % base62(place - 1)
        place = len(mangled) - 2
        mangled += b"T" + reference * 2 + b"E"
        part = b"(%s, %s)" % (part, part)
        whole += b", " + part
        results.append(demangle(mangled + b"E"))
        assert results[-1] == mangled + b"E" or results[-1] == b"a::b::<" + whole + b">"
        if results[-1].startswith(b"_R"):
            break
    assert 5 < len(results) < 30


def base62(number: int) -> bytes:
    alphabet = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    text = b""
    while True:
        text = alphabet[number % 62 : number % 62 + 1] + text
        number //= 62
        if number == 0:
            return text
